/* SPDX-License-Identifier: MIT */
/* Contexts: allocated, set, got, deleted, released, and each of it wrongly. */
#include "filters.h"
#include "ke/thread.h"
#include "ob/object.h"
#include "ps/file.h"
#include "support/bugcheck.h"
#include "support/parallel.h"
#include <ringside/event.h>

enum { NonPaged = 0, Paged = 1 };

static struct minifilter m;
static PFLT_INSTANCE instance;
static FILE_OBJECT *file;

static VOID NTAPI cleanup(PFLT_CONTEXT context, USHORT type)
{
	say("cleanup %s %u;", (char *)context, type);
}

static PVOID NTAPI allocate(int pool, SIZE_T size, USHORT type)
{
	(void)pool;
	say("allocate %u;", type);
	return host_alloc(size);
}

static VOID NTAPI release(PVOID pool, USHORT type)
{
	say("free %u;", type);
	host_free(pool);
}

static const FLT_CONTEXT_REGISTRATION contexts[] = {
	{.ContextType = FLT_STREAM_CONTEXT,
	 .ContextCleanupCallback = cleanup,
	 .Size = 16,
	 .PoolTag = 1},
	{.ContextType = FLT_STREAMHANDLE_CONTEXT,
	 .ContextCleanupCallback = cleanup,
	 .Size = FLT_VARIABLE_SIZED_CONTEXTS,
	 .PoolTag = 1},
	{.ContextType = FLT_INSTANCE_CONTEXT,
	 .ContextCleanupCallback = cleanup,
	 .Size = 16,
	 .PoolTag = 1},
	{.ContextType = FLT_VOLUME_CONTEXT,
	 .ContextCleanupCallback = cleanup,
	 .ContextAllocateCallback = allocate,
	 .ContextFreeCallback = release},
	{.ContextType = FLT_CONTEXT_END},
};

static const FLT_REGISTRATION registration = {.Size = sizeof(registration),
					      .Version = FLT_REGISTRATION_VERSION_0203,
					      .ContextRegistration = contexts};

static void hear(void *context, const struct rs_event *event)
{
	(void)context;
	note_rule(event);
}

static int begin(void **state)
{
	UNICODE_STRING name = USTR(u"\\Device\\HarddiskVolume1\\bin\\true");
	said[0] = rules[0] = 0;
	world_documented(state);
	assert_int_equal(rs_listen(hear, NULL), 0);
	make_minifilter(&m, "one", "370000");
	assert_ntsuccess(register_filter(&m, &registration));
	assert_ntsuccess(FLT(FltStartFiltering)(m.filter));
	assert_ntsuccess(
		FLT(FltGetVolumeInstanceFromName)(m.filter, the_volume(), NULL, &instance));
	FLT(FltObjectDereference)(instance);
	file = ps_create_file_object(&name);
	assert_non_null(file);
	return 0;
}

static int end(void **state)
{
	if (m.filter)
		FLT(FltUnregisterFilter)(m.filter);
	drop_driver(&m);
	if (file)
		ob_dereference(file);
	rs_unlisten(hear, NULL);
	return world_end(state);
}

#define FLT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static char *make(USHORT type, const char *text)
{
	PFLT_CONTEXT context;
	assert_ntsuccess(FLT(FltAllocateContext)(m.filter, type, 16, NonPaged, &context));
	strcpy(context, text);
	return context;
}

/* ---- Allocating --------------------------------------------------------------------------- */

static void context_that_is_not_registered_is_not_found(void **state)
{
	(void)state;
	PFLT_CONTEXT context = state;
	assert_status(FLT(FltAllocateContext)(m.filter, FLT_FILE_CONTEXT, 16, NonPaged, &context),
		      STATUS_FLT_CONTEXT_ALLOCATION_NOT_FOUND);
	assert_status(FLT(FltAllocateContext)(m.filter, FLT_STREAM_CONTEXT, 17, NonPaged, &context),
		      STATUS_FLT_CONTEXT_ALLOCATION_NOT_FOUND);
	assert_status(FLT(FltAllocateContext)(m.filter, FLT_STREAM_CONTEXT, 0, NonPaged, &context),
		      STATUS_INVALID_PARAMETER);
	assert_status(FLT(FltAllocateContext)(m.filter, 3, 16, NonPaged, &context),
		      STATUS_INVALID_PARAMETER);
	assert_status(FLT(FltAllocateContext)(m.filter, FLT_STREAMHANDLE_CONTEXT, 0x10000, NonPaged,
					      &context),
		      STATUS_INVALID_BUFFER_SIZE);
	assert_status(FLT(FltAllocateContext)(m.filter, FLT_VOLUME_CONTEXT, 16, Paged, &context),
		      STATUS_FLT_MUST_BE_NONPAGED_POOL);
	assert_ptr_equal(context, state); /* untouched */
	fail_allocation("ex/pool.c", 0);
	assert_status(FLT(FltAllocateContext)(m.filter, FLT_STREAM_CONTEXT, 16, NonPaged, &context),
		      STATUS_INSUFFICIENT_RESOURCES);
	assert_int_equal(stop_failing(), 1);
}

static void context_goes_with_its_last_reference(void **state)
{
	(void)state;
	char *context = make(FLT_STREAM_CONTEXT, "a");
	FLT(FltReferenceContext)(context);
	FLT(FltReleaseContext)(context);
	assert_said("");
	FLT(FltReleaseContext)(context);
	assert_said("cleanup a 8;");
}

static void variable_context_is_zeroed(void **state)
{
	(void)state;
	PFLT_CONTEXT context;
	assert_ntsuccess(FLT(FltAllocateContext)(m.filter, FLT_STREAMHANDLE_CONTEXT, 600, NonPaged,
						 &context));
	for (int i = 0; i < 600; i++)
		assert_int_equal(((char *)context)[i], 0);
	FLT(FltReleaseContext)(context);
}

static void own_memory_is_asked_for_and_given_back(void **state)
{
	(void)state;
	char *context = make(FLT_VOLUME_CONTEXT, "v");
	assert_said("allocate 1;");
	FLT(FltReleaseContext)(context);
	assert_said("cleanup v 1;free 1;");
}

static void released_at_dispatch_level_it_is_freed_later(void **state)
{
	(void)state;
	char *context = make(FLT_STREAM_CONTEXT, "a");
	KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
	FLT(FltReleaseContext)(context);
	KfLowerIrql(old);
	assert_true(eventually(has_said, "cleanup a 8;"));
	said[0] = 0;
}

/* ---- Setting -------------------------------------------------------------------------------- */

static void set_context_is_found_and_lives_without_its_maker(void **state)
{
	(void)state;
	PFLT_CONTEXT found;
	char *context = make(FLT_STREAM_CONTEXT, "a");
	assert_status(FLT(FltGetStreamContext)(instance, file, &found), STATUS_NOT_FOUND);
	assert_null(found);
	assert_ntsuccess(FLT(FltSetStreamContext)(instance, file, FLT_SET_CONTEXT_KEEP_IF_EXISTS,
						  context, NULL));
	FLT(FltReleaseContext)(context);
	assert_said("");
	assert_ntsuccess(FLT(FltGetStreamContext)(instance, file, &found));
	assert_ptr_equal(found, context);
	FLT(FltReleaseContext)(found);
	assert_ntsuccess(FLT(FltDeleteStreamContext)(instance, file, NULL));
	assert_said("cleanup a 8;");
	assert_status(FLT(FltDeleteStreamContext)(instance, file, NULL), STATUS_NOT_FOUND);
}

static void kept_context_is_handed_out_and_the_new_one_left_alone(void **state)
{
	(void)state;
	PFLT_CONTEXT old = NULL;
	char *a = make(FLT_INSTANCE_CONTEXT, "a"), *b = make(FLT_INSTANCE_CONTEXT, "b");
	assert_ntsuccess(
		FLT(FltSetInstanceContext)(instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, a, &old));
	assert_null(old);
	assert_status(FLT(FltSetInstanceContext)(instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, b, &old),
		      STATUS_FLT_CONTEXT_ALREADY_DEFINED);
	assert_ptr_equal(old, a);
	FLT(FltReleaseContext)(old);
	assert_ntsuccess(
		FLT(FltSetInstanceContext)(instance, FLT_SET_CONTEXT_REPLACE_IF_EXISTS, b, &old));
	assert_ptr_equal(old, a);
	FLT(FltReleaseContext)(old);
	FLT(FltReleaseContext)(a);
	assert_said("cleanup a 2;");
	FLT(FltReleaseContext)(b); /* the instance keeps it */
	assert_said("");
}

static void context_can_be_set_on_one_thing_only(void **state)
{
	(void)state;
	PFLT_CONTEXT old;
	char *context = make(FLT_INSTANCE_CONTEXT, "a");
	assert_ntsuccess(FLT(FltSetInstanceContext)(instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS,
						    context, &old));
	assert_status(FLT(FltSetInstanceContext)(instance, FLT_SET_CONTEXT_REPLACE_IF_EXISTS,
						 context, &old),
		      STATUS_FLT_CONTEXT_ALREADY_LINKED);
	assert_status(FLT(FltSetStreamContext)(instance, file, FLT_SET_CONTEXT_KEEP_IF_EXISTS,
					       context, &old),
		      STATUS_INVALID_PARAMETER); /* of another type */
	assert_status(FLT(FltSetInstanceContext)(instance, 7, context, &old),
		      STATUS_INVALID_PARAMETER);
	assert_status(
		FLT(FltSetInstanceContext)(instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, state, &old),
		STATUS_INVALID_PARAMETER); /* no context at all */
	FLT(FltReleaseContext)(context);
}

static void deleted_context_is_valid_until_it_is_released(void **state)
{
	(void)state;
	PFLT_CONTEXT found;
	char *context = make(FLT_INSTANCE_CONTEXT, "a");
	assert_ntsuccess(FLT(FltSetInstanceContext)(instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS,
						    context, NULL));
	FLT(FltDeleteContext)(context);
	assert_status(FLT(FltGetInstanceContext)(instance, &found), STATUS_NOT_FOUND);
	assert_string_equal(context, "a");
	assert_said("");
	FLT(FltReleaseContext)(context);
	assert_said("cleanup a 2;");
}

static void contexts_of_the_kinds_do_not_mix(void **state)
{
	(void)state;
	PFLT_CONTEXT found;
	char *stream = make(FLT_STREAM_CONTEXT, "s"), *handle = make(FLT_STREAMHANDLE_CONTEXT, "h");
	char *volume = make(FLT_VOLUME_CONTEXT, "v");
	said[0] = 0;
	assert_ntsuccess(FLT(FltSetStreamContext)(instance, file, 1, stream, NULL));
	assert_ntsuccess(FLT(FltSetStreamHandleContext)(instance, file, 1, handle, NULL));
	assert_ntsuccess(FLT(FltSetVolumeContext)(the_volume(), 1, volume, NULL));
	FLT(FltReleaseContext)(stream);
	FLT(FltReleaseContext)(handle);
	FLT(FltReleaseContext)(volume);
	assert_ntsuccess(FLT(FltGetStreamHandleContext)(instance, file, &found));
	assert_ptr_equal(found, handle);
	FLT(FltReleaseContext)(found);
	assert_ntsuccess(FLT(FltGetVolumeContext)(m.filter, the_volume(), &found));
	assert_ptr_equal(found, volume);
	FLT(FltReleaseContext)(found);
	FLT_RELATED_OBJECTS objects = flt_related(instance, file);
	FLT_RELATED_CONTEXTS all;
	FLT(FltGetContexts)
	(&objects, FLT_STREAM_CONTEXT | FLT_VOLUME_CONTEXT | FLT_FILE_CONTEXT, &all);
	assert_ptr_equal(all.StreamContext, stream);
	assert_ptr_equal(all.VolumeContext, volume);
	assert_null(all.StreamHandleContext); /* not asked for */
	assert_null(all.FileContext);         /* not there */
	FLT(FltReleaseContexts)(&all);
	assert_null(all.StreamContext);
	FLT(FltUnregisterFilter)(m.filter);
	m.filter = NULL;
	assert_said("cleanup s 8;cleanup h 16;cleanup v 1;free 1;");
}

/* ---- The end ---------------------------------------------------------------------------------- */

static void contexts_go_with_their_file(void **state)
{
	(void)state;
	char *stream = make(FLT_STREAM_CONTEXT, "s"), *handle = make(FLT_STREAMHANDLE_CONTEXT, "h");
	assert_true(FLT(FltSupportsStreamHandleContexts)(file));
	assert_ntsuccess(FLT(FltSetStreamContext)(instance, file, 1, stream, NULL));
	assert_ntsuccess(FLT(FltSetStreamHandleContext)(instance, file, 1, handle, NULL));
	FLT(FltReleaseContext)(stream);
	FLT(FltReleaseContext)(handle);
	ob_dereference(file);
	file = NULL;
	assert_said("cleanup s 8;cleanup h 16;");
}

static void unregister(void *argument)
{
	FltUnregisterFilter(argument);
}

static void unregistering_with_a_live_reference_is_told_and_waits(void **state)
{
	(void)state;
	struct job job;
	char *context = make(FLT_INSTANCE_CONTEXT, "a");
	assert_ntsuccess(FLT(FltSetInstanceContext)(instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS,
						    context, NULL));
	job_start(&job, unregister, m.filter);
	assert_true(eventually(has_broken, "FltUnregisterFilter with 1 context that "
					   "FltReleaseContext has not been called for;"));
	assert_true(job_is_stuck(&job));
	assert_said("");
	FLT(FltReleaseContext)(context);
	job_join(&job);
	assert_said("cleanup a 2;");
	m.filter = NULL;
}

/* ---- Mistakes ----------------------------------------------------------------------------------- */

static void release_set_one_twice(void *unused)
{
	(void)unused;
	char *context = make(FLT_INSTANCE_CONTEXT, "a");
	FLT(FltSetInstanceContext)(instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, context, NULL);
	FLT(FltReleaseContext)(context);
	FLT(FltReleaseContext)(context);
}

static void release_free_one_twice(void *unused)
{
	(void)unused;
	char *context = make(FLT_INSTANCE_CONTEXT, "a");
	FLT(FltReleaseContext)(context);
	FLT(FltReleaseContext)(context);
}

static void reference_freed(void *unused)
{
	(void)unused;
	char *context = make(FLT_INSTANCE_CONTEXT, "a");
	FLT(FltReleaseContext)(context);
	FLT(FltReferenceContext)(context);
}

static void context_released_twice_is_bug_check_f5(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0xF5, release_set_one_twice, NULL);
	assert_int_equal(seen->parameter[0], 0x6D);
	seen = expect_bug_check(0xF5, release_free_one_twice, NULL);
	assert_int_equal(seen->parameter[0], 0x6E);
	seen = expect_bug_check(0xF5, reference_freed, NULL);
	assert_int_equal(seen->parameter[0], 0x6E);
}

static void release_paged_at_dispatch(void *unused)
{
	(void)unused;
	PFLT_CONTEXT context;
	FLT(FltAllocateContext)(m.filter, FLT_STREAM_CONTEXT, 16, Paged, &context);
	KfRaiseIrql(DISPATCH_LEVEL);
	FLT(FltReleaseContext)(context);
}

static void paged_context_released_at_dispatch_level_is_a_bug_check(void **state)
{
	(void)state;
	expect_bug_check(0xA, release_paged_at_dispatch, NULL);
}

static void allocate_at_dispatch(void *unused)
{
	(void)unused;
	KfRaiseIrql(DISPATCH_LEVEL);
	make(FLT_STREAM_CONTEXT, "a");
}

static void allocating_at_dispatch_level_is_a_bug_check(void **state)
{
	(void)state;
	expect_bug_check(0xA, allocate_at_dispatch, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLT_TEST(context_that_is_not_registered_is_not_found),
		FLT_TEST(context_goes_with_its_last_reference),
		FLT_TEST(variable_context_is_zeroed),
		FLT_TEST(own_memory_is_asked_for_and_given_back),
		FLT_TEST(released_at_dispatch_level_it_is_freed_later),
		FLT_TEST(set_context_is_found_and_lives_without_its_maker),
		FLT_TEST(kept_context_is_handed_out_and_the_new_one_left_alone),
		FLT_TEST(context_can_be_set_on_one_thing_only),
		FLT_TEST(deleted_context_is_valid_until_it_is_released),
		FLT_TEST(contexts_of_the_kinds_do_not_mix),
		FLT_TEST(contexts_go_with_their_file),
		FLT_TEST(unregistering_with_a_live_reference_is_told_and_waits),
		FLT_TEST(context_released_twice_is_bug_check_f5),
		FLT_TEST(paged_context_released_at_dispatch_level_is_a_bug_check),
		FLT_TEST(allocating_at_dispatch_level_is_a_bug_check),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

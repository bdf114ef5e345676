/* SPDX-License-Identifier: MIT */
/* Registering, attaching, detaching and unregistering minifilters. */
#include "filters.h"
#include "support/bugcheck.h"
#include "support/parallel.h"
#include <ringside/event.h>

static struct minifilter one, two;
static NTSTATUS setup_answer;

static NTSTATUS NTAPI set_up(PCFLT_RELATED_OBJECTS objects, ULONG flags, ULONG device,
			     FLT_FILESYSTEM_TYPE type)
{
	WCHAR text[64];
	char ascii[64];
	UNICODE_STRING name = {0, sizeof(text), text};
	assert_int_equal(objects->Size, 48);
	assert_ntsuccess(FLT(FltGetVolumeName)(objects->Volume, &name, NULL));
	for (int i = 0; i < name.Length / 2; i++)
		ascii[i] = (char)text[i];
	say("setup %.*s flags %u device %u type %u;", name.Length / 2, ascii, flags, device, type);
	return setup_answer;
}

static NTSTATUS NTAPI query(PCFLT_RELATED_OBJECTS objects, ULONG flags)
{
	(void)objects;
	(void)flags;
	say("query;");
	return STATUS_SUCCESS;
}

static VOID NTAPI start(PCFLT_RELATED_OBJECTS objects, ULONG reason)
{
	(void)objects;
	say("start %u;", reason);
}

static VOID NTAPI complete(PCFLT_RELATED_OBJECTS objects, ULONG reason)
{
	(void)objects;
	say("complete %u;", reason);
}

static const FLT_REGISTRATION plain = {
	.Size = sizeof(plain),
	.Version = FLT_REGISTRATION_VERSION_0203,
	.InstanceSetupCallback = set_up,
	.InstanceTeardownStartCallback = start,
	.InstanceTeardownCompleteCallback = complete,
};

static int begin(void **state)
{
	said[0] = 0;
	setup_answer = STATUS_SUCCESS;
	world_documented(state);
	return 0;
}

#define FLT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, world_end)

/* ---- Registering ------------------------------------------------------------------------ */

static void registration_of_an_unknown_version_is_invalid_parameter(void **state)
{
	(void)state;
	FLT_REGISTRATION bad = plain;
	make_minifilter(&one, "one", "370000");
	one.filter = (PFLT_FILTER)&one;
	bad.Version = 0x0100;
	assert_status(register_filter(&one, &bad), STATUS_INVALID_PARAMETER);
	bad.Version = 0x0204;
	assert_status(register_filter(&one, &bad), STATUS_INVALID_PARAMETER);
	assert_ptr_equal(one.filter, &one); /* untouched */
	drop_driver(&one);
}

static void driver_without_instances_key_is_object_name_not_found(void **state)
{
	(void)state;
	make_driver(&one, "one");
	assert_status(register_filter(&one, &plain), STATUS_OBJECT_NAME_NOT_FOUND);
	define_default("one", "absent");
	assert_status(register_filter(&one, &plain), STATUS_OBJECT_NAME_NOT_FOUND);
	drop_driver(&one);
}

static void instances_below_parameters_will_do(void **state)
{
	(void)state;
	const char *key = "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services\\one\\"
			  "Parameters\\Instances";
	char below[160];
	make_driver(&one, "one");
	snprintf(below, sizeof(below), "%s\\only", key);
	set_text(key, "DefaultInstance", "only");
	set_text(below, "Altitude", "370000.5");
	assert_ntsuccess(register_filter(&one, &plain));
	drop_minifilter(&one);
}

static void operation_registered_twice_is_duplicate_entry(void **state)
{
	(void)state;
	const FLT_OPERATION_REGISTRATION twice[] = {{.MajorFunction = 0, .PreOperation = (void *)1},
						    {.MajorFunction = 3, .PreOperation = (void *)1},
						    {.MajorFunction = 0, .PreOperation = (void *)1},
						    {.MajorFunction = IRP_MJ_OPERATION_END}};
	FLT_REGISTRATION bad = plain;
	bad.OperationRegistration = twice;
	make_minifilter(&one, "one", "370000");
	assert_status(register_filter(&one, &bad), STATUS_FLT_DUPLICATE_ENTRY);
	drop_driver(&one);
}

static void post_operation_of_shutdown_is_invalid_parameter(void **state)
{
	(void)state;
	const FLT_OPERATION_REGISTRATION bad_one[] = {
		{.MajorFunction = 0x10, .PostOperation = (void *)1},
		{.MajorFunction = IRP_MJ_OPERATION_END}};
	FLT_REGISTRATION bad = plain;
	bad.OperationRegistration = bad_one;
	make_minifilter(&one, "one", "370000");
	assert_status(register_filter(&one, &bad), STATUS_INVALID_PARAMETER);
	drop_driver(&one);
}

static void fourth_fixed_size_of_a_context_is_an_invalid_registration(void **state)
{
	(void)state;
	FLT_CONTEXT_REGISTRATION contexts[] = {
		{.ContextType = FLT_STREAM_CONTEXT, .Size = 8, .PoolTag = 1},
		{.ContextType = FLT_STREAM_CONTEXT, .Size = 16, .PoolTag = 1},
		{.ContextType = FLT_STREAM_CONTEXT, .Size = 24, .PoolTag = 1},
		{.ContextType = FLT_CONTEXT_END},
		{.ContextType = FLT_CONTEXT_END},
	};
	FLT_REGISTRATION bad = plain;
	bad.ContextRegistration = contexts;
	make_minifilter(&one, "one", "370000");
	assert_ntsuccess(register_filter(&one, &bad));
	FLT(FltUnregisterFilter)(one.filter);
	contexts[3] = (FLT_CONTEXT_REGISTRATION){
		.ContextType = FLT_STREAM_CONTEXT, .Size = 32, .PoolTag = 1}; /* a fourth */
	assert_status(register_filter(&one, &bad), STATUS_FLT_INVALID_CONTEXT_REGISTRATION);
	contexts[1].ContextType = 3; /* two types at once */
	assert_status(register_filter(&one, &bad), STATUS_FLT_INVALID_CONTEXT_REGISTRATION);
	drop_driver(&one);
}

static void registering_survives_the_failure_of_each_allocation(void **state)
{
	(void)state;
	make_minifilter(&one, "one", "370000");
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	unsigned n = 0;
	for (; status == STATUS_INSUFFICIENT_RESOURCES; n++) {
		fail_allocation("flt/", n);
		status = register_filter(&one, &plain);
		stop_failing();
	}
	assert_ntsuccess(status);
	assert_true(n > 2);
	drop_minifilter(&one);
}

/* ---- Attaching ------------------------------------------------------------------------------ */

static void starting_attaches_to_the_volume_and_unregistering_tears_down(void **state)
{
	(void)state;
	make_minifilter(&one, "one", "370000");
	assert_ntsuccess(register_filter(&one, &plain));
	assert_said("");
	assert_ntsuccess(FLT(FltStartFiltering)(one.filter));
	assert_said("setup \\Device\\HarddiskVolume1 flags 1 device 8 type 2;");
	assert_status(FLT(FltStartFiltering)(one.filter), STATUS_INVALID_PARAMETER);
	drop_minifilter(&one);
	assert_said("start 2;complete 2;");
}

static void instance_whose_setup_refuses_is_not_attached(void **state)
{
	(void)state;
	ULONG count = 9;
	make_minifilter(&one, "one", "370000");
	assert_ntsuccess(register_filter(&one, &plain));
	setup_answer = STATUS_FLT_DO_NOT_ATTACH;
	assert_ntsuccess(FLT(FltStartFiltering)(one.filter));
	assert_ntsuccess(FLT(FltEnumerateInstances)(NULL, one.filter, NULL, 0, &count));
	assert_int_equal(count, 0);
	said[0] = 0;
	drop_minifilter(&one);
	assert_said("");
}

static void instance_that_is_not_for_automatic_attachment_waits_for_FltAttachVolume(void **state)
{
	(void)state;
	PFLT_INSTANCE instance;
	make_driver(&one, "one");
	define_instance("one", "only", "370000", FLT_NO_AUTOMATIC_ATTACHMENT);
	define_default("one", "only");
	assert_ntsuccess(register_filter(&one, &plain));
	assert_status(FLT(FltAttachVolume)(one.filter, the_volume(), NULL, &instance),
		      STATUS_FLT_FILTER_NOT_READY);
	assert_ntsuccess(FLT(FltStartFiltering)(one.filter));
	assert_said("");
	assert_ntsuccess(FLT(FltAttachVolume)(one.filter, the_volume(), NULL, &instance));
	assert_said("setup \\Device\\HarddiskVolume1 flags 2 device 8 type 2;");
	FLT(FltObjectDereference)(instance);
	drop_minifilter(&one);
}

static void second_instance_at_an_altitude_is_a_collision(void **state)
{
	(void)state;
	UNICODE_STRING same = USTR(u"0370000.0"), other = USTR(u"370001"), word = USTR(u"high");
	make_minifilter(&one, "one", "370000");
	assert_ntsuccess(register_filter(&one, &plain));
	assert_ntsuccess(FLT(FltStartFiltering)(one.filter));
	assert_status(FLT(FltAttachVolumeAtAltitude)(one.filter, the_volume(), &same, NULL, NULL),
		      STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
	assert_status(FLT(FltAttachVolumeAtAltitude)(one.filter, the_volume(), &other, NULL, NULL),
		      STATUS_FLT_INSTANCE_NAME_COLLISION);
	assert_status(FLT(FltAttachVolumeAtAltitude)(one.filter, the_volume(), &word, NULL, NULL),
		      STATUS_INVALID_PARAMETER);
	drop_minifilter(&one);
}

static void instances_stand_by_altitude_as_numbers(void **state)
{
	(void)state;
	PFLT_INSTANCE list[4], top, lower, bottom;
	ULONG count;
	make_minifilter(&one, "one", "100.5");
	make_minifilter(&two, "two", "03333");
	assert_ntsuccess(register_filter(&one, &plain));
	assert_ntsuccess(FLT(FltStartFiltering)(one.filter));
	assert_ntsuccess(register_filter(&two, &plain));
	assert_ntsuccess(FLT(FltStartFiltering)(two.filter));
	assert_status(FLT(FltEnumerateInstances)(the_volume(), NULL, list, 1, &count),
		      STATUS_BUFFER_TOO_SMALL);
	assert_int_equal(count, 2);
	assert_ntsuccess(FLT(FltEnumerateInstances)(the_volume(), NULL, list, 4, &count));
	assert_ptr_equal(list[0]->filter, two.filter);
	assert_ptr_equal(list[1]->filter, one.filter);
	assert_int_equal(FLT(FltCompareInstanceAltitudes)(list[0], list[1]), 1);
	assert_ntsuccess(FLT(FltGetTopInstance)(the_volume(), &top));
	assert_ntsuccess(FLT(FltGetLowerInstance)(top, &lower));
	assert_ntsuccess(FLT(FltGetBottomInstance)(the_volume(), &bottom));
	assert_ptr_equal(top, list[0]);
	assert_ptr_equal(lower, bottom);
	assert_status(FLT(FltGetLowerInstance)(bottom, &bottom), STATUS_NO_MORE_ENTRIES);
	PFLT_INSTANCE held[] = {list[0], list[1], top, lower, lower};
	for (unsigned i = 0; i < 5; i++)
		FLT(FltObjectDereference)(held[i]);
	assert_status(FLT(FltEnumerateInstances)(NULL, NULL, list, 4, &count),
		      STATUS_INVALID_PARAMETER);
	drop_minifilter(&one);
	drop_minifilter(&two);
}

static void detaching_asks_first_and_never_without_a_routine(void **state)
{
	(void)state;
	FLT_REGISTRATION with_query = plain;
	with_query.InstanceQueryTeardownCallback = query;
	make_minifilter(&one, "one", "370000");
	assert_ntsuccess(register_filter(&one, &plain));
	assert_ntsuccess(FLT(FltStartFiltering)(one.filter));
	assert_status(FLT(FltDetachVolume)(one.filter, the_volume(), NULL),
		      STATUS_FLT_DO_NOT_DETACH);
	FLT(FltUnregisterFilter)(one.filter);
	assert_ntsuccess(register_filter(&one, &with_query));
	assert_ntsuccess(FLT(FltStartFiltering)(one.filter));
	said[0] = 0;
	assert_ntsuccess(FLT(FltDetachVolume)(one.filter, the_volume(), NULL));
	assert_said("query;start 1;complete 1;");
	assert_status(FLT(FltDetachVolume)(one.filter, the_volume(), NULL),
		      STATUS_FLT_INSTANCE_NOT_FOUND);
	drop_minifilter(&one);
	assert_said("");
}

/* ---- References ---------------------------------------------------------------------------------- */

static void unregister(void *argument)
{
	FltUnregisterFilter(argument);
}

static void unregistering_waits_for_the_last_reference(void **state)
{
	(void)state;
	PFLT_FILTER found;
	UNICODE_STRING name = USTR(u"ONE");
	struct job job;
	make_minifilter(&one, "one", "370000");
	assert_ntsuccess(register_filter(&one, &plain));
	assert_ntsuccess(FLT(FltGetFilterFromName)(&name, &found));
	assert_ptr_equal(found, one.filter);
	job_start(&job, unregister, one.filter);
	assert_true(job_is_stuck(&job));
	assert_status(FLT(FltObjectReference)(found), STATUS_FLT_DELETING_OBJECT);
	assert_status(FLT(FltGetFilterFromName)(&name, &found), STATUS_FLT_DELETING_OBJECT);
	FLT(FltObjectDereference)(one.filter);
	job_join(&job);
	assert_status(FLT(FltGetFilterFromName)(&name, &found), STATUS_FLT_FILTER_NOT_FOUND);
	drop_driver(&one);
}

static void dereference_too_often(void *argument)
{
	FLT(FltObjectDereference)(argument);
}

static void one_dereference_too_many_is_a_bug_check(void **state)
{
	(void)state;
	make_minifilter(&one, "one", "370000");
	assert_ntsuccess(register_filter(&one, &plain));
	expect_bug_check(0x18, dereference_too_often, one.filter);
	expect_bug_check(0x18, dereference_too_often, one.driver); /* not even a filter */
	drop_minifilter(&one);
}

static void raised(void *argument)
{
	(void)argument;
	KIRQL NTAPI KfRaiseIrql(KIRQL);
	KfRaiseIrql(DISPATCH_LEVEL);
	FLT(FltStartFiltering)(one.filter);
}

static void starting_at_dispatch_level_is_a_bug_check(void **state)
{
	(void)state;
	make_minifilter(&one, "one", "370000");
	assert_ntsuccess(register_filter(&one, &plain));
	const struct bug_check_seen *seen = expect_bug_check(0xA, raised, NULL);
	assert_non_null(strstr(seen->detail, "FltStartFiltering"));
	drop_minifilter(&one);
}

/* ---- Volumes ----------------------------------------------------------------------------------------- */

static void volume_says_what_it_is(void **state)
{
	(void)state;
	ULONG size = 0, needed;
	FLT_FILESYSTEM_TYPE type;
	struct {
		FLT_VOLUME_PROPERTIES fixed;
		char more[256];
	} properties;
	assert_status(FLT(FltGetVolumeName)(the_volume(), NULL, &size), STATUS_BUFFER_TOO_SMALL);
	assert_int_equal(size, 46);
	assert_status(FLT(FltGetVolumeName)(the_volume(), NULL, NULL), STATUS_INVALID_PARAMETER);
	assert_status(FLT(FltGetVolumeProperties)(the_volume(), NULL, 0, &needed),
		      STATUS_BUFFER_TOO_SMALL);
	assert_status(FLT(FltGetVolumeProperties)(the_volume(), &properties.fixed,
						  sizeof(properties.fixed), &size),
		      STATUS_BUFFER_OVERFLOW);
	assert_ntsuccess(FLT(FltGetVolumeProperties)(the_volume(), &properties.fixed,
						     sizeof(properties), &size));
	assert_int_equal(size, needed);
	assert_int_equal(properties.fixed.SectorSize, 512);
	assert_int_equal(properties.fixed.RealDeviceName.Length, 46);
	assert_ntsuccess(FLT(FltGetFileSystemType)(the_volume(), &type));
	assert_int_equal(type, FLT_FSTYPE_NTFS);
	assert_status(FLT(FltGetFileSystemType)(&properties, &type), STATUS_INVALID_PARAMETER);
	assert_int_equal(type, FLT_FSTYPE_UNKNOWN);
}

static void volume_is_found_by_name(void **state)
{
	(void)state;
	PFLT_VOLUME found, list[2];
	ULONG count;
	UNICODE_STRING name = USTR(u"\\device\\harddiskvolume1"), none = USTR(u"\\Device\\Nothing");
	assert_ntsuccess(FLT(FltGetVolumeFromName)(NULL, &name, &found));
	assert_ptr_equal(found, the_volume());
	FLT(FltObjectDereference)(found);
	assert_status(FLT(FltGetVolumeFromName)(NULL, &none, &found), STATUS_FLT_VOLUME_NOT_FOUND);
	assert_status(FLT(FltEnumerateVolumes)(NULL, NULL, 0, &count), STATUS_BUFFER_TOO_SMALL);
	assert_int_equal(count, 1);
	assert_ntsuccess(FLT(FltEnumerateVolumes)(NULL, list, 2, &count));
	FLT(FltObjectDereference)(list[0]);
}

static void routines_are_found_as_the_documentation_says(void **state)
{
	(void)state;
	assert_ptr_equal(FLT(FltGetRoutineAddress)("FltStartFiltering"),
			 rs_find_export("FLTMGR.SYS", "FltStartFiltering"));
	assert_null(FLT(FltGetRoutineAddress)("FltNoSuchRoutine"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLT_TEST(registration_of_an_unknown_version_is_invalid_parameter),
		FLT_TEST(driver_without_instances_key_is_object_name_not_found),
		FLT_TEST(instances_below_parameters_will_do),
		FLT_TEST(operation_registered_twice_is_duplicate_entry),
		FLT_TEST(post_operation_of_shutdown_is_invalid_parameter),
		FLT_TEST(fourth_fixed_size_of_a_context_is_an_invalid_registration),
		FLT_TEST(registering_survives_the_failure_of_each_allocation),
		FLT_TEST(starting_attaches_to_the_volume_and_unregistering_tears_down),
		FLT_TEST(instance_whose_setup_refuses_is_not_attached),
		FLT_TEST(instance_that_is_not_for_automatic_attachment_waits_for_FltAttachVolume),
		FLT_TEST(second_instance_at_an_altitude_is_a_collision),
		FLT_TEST(instances_stand_by_altitude_as_numbers),
		FLT_TEST(detaching_asks_first_and_never_without_a_routine),
		FLT_TEST(unregistering_waits_for_the_last_reference),
		FLT_TEST(one_dereference_too_many_is_a_bug_check),
		FLT_TEST(starting_at_dispatch_level_is_a_bug_check),
		FLT_TEST(volume_says_what_it_is),
		FLT_TEST(volume_is_found_by_name),
		FLT_TEST(routines_are_found_as_the_documentation_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

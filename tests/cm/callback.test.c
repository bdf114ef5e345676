/* SPDX-License-Identifier: MIT */
/*
 * Registry callbacks: who is told what, in which order, what a routine can change, object
 * contexts, nesting, unregistering. A routine writes its letter and the class's name;
 * "A<open A>open" is an open with its pre and post call.
 */
#include "keys.h"
#include "cm/filter.h"
#include "ke/bugcheck.h"
#include "ob/object.h"
#include "ps/process.h"
#include "support/bugcheck.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

struct filter {
	char letter;
	LARGE_INTEGER cookie;
	void (*act)(struct filter *self, REG_NOTIFY_CLASS class, void *information,
		    NTSTATUS *status);
	REG_NOTIFY_CLASS when; /* for the actors that need one */
	NTSTATUS answer;
	void *object;
};

static char heard[2048];
static pthread_mutex_t heard_lock = PTHREAD_MUTEX_INITIALIZER; /* workers are called too */
static struct filter filters[12];

static const char *const class_name[MaxRegNtNotifyClass] = {
	[RegNtPreDeleteKey] = "<delete",
	[RegNtPostDeleteKey] = ">delete",
	[RegNtPreSetValueKey] = "<set",
	[RegNtPostSetValueKey] = ">set",
	[RegNtPreDeleteValueKey] = "<remove",
	[RegNtPostDeleteValueKey] = ">remove",
	[RegNtPreEnumerateKey] = "<keys",
	[RegNtPostEnumerateKey] = ">keys",
	[RegNtPreEnumerateValueKey] = "<values",
	[RegNtPostEnumerateValueKey] = ">values",
	[RegNtPreQueryKey] = "<info",
	[RegNtPostQueryKey] = ">info",
	[RegNtPreQueryValueKey] = "<query",
	[RegNtPostQueryValueKey] = ">query",
	[RegNtPreKeyHandleClose] = "<close",
	[RegNtPostKeyHandleClose] = ">close",
	[RegNtPreCreateKeyEx] = "<create",
	[RegNtPostCreateKeyEx] = ">create",
	[RegNtPreOpenKeyEx] = "<open",
	[RegNtPostOpenKeyEx] = ">open",
	[RegNtPreFlushKey] = "<flush",
	[RegNtPostFlushKey] = ">flush",
	[RegNtCallbackObjectContextCleanup] = "!cleanup",
};

static NTSTATUS NTAPI routine(PVOID context, PVOID class, PVOID information)
{
	struct filter *self = context;
	REG_NOTIFY_CLASS number = (REG_NOTIFY_CLASS)(uintptr_t) class;
	NTSTATUS status = STATUS_SUCCESS;
	assert_true(number < MaxRegNtNotifyClass && class_name[number]);
	assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
	pthread_mutex_lock(&heard_lock);
	size_t used = strlen(heard);
	snprintf(heard + used, sizeof(heard) - used, "%s%c%s", used ? " " : "", self->letter,
		 class_name[number]);
	pthread_mutex_unlock(&heard_lock);
	if (self->act)
		self->act(self, number, information, &status);
	return status;
}

static void assert_heard(const char *expected)
{
	char all[sizeof(heard)];
	pthread_mutex_lock(&heard_lock);
	memcpy(all, heard, sizeof(all));
	heard[0] = 0;
	pthread_mutex_unlock(&heard_lock);
	assert_string_equal(all, expected);
}

static int begin(void **state)
{
	memset(filters, 0, sizeof(filters));
	heard[0] = 0;
	return world_documented(state);
}

static struct filter *watch(unsigned n, PCWSTR altitude)
{
	UNICODE_STRING text = counted(altitude);
	struct filter *filter = &filters[n];
	filter->letter = (char)('A' + n);
	assert_ntsuccess(CmRegisterCallbackEx(routine, &text, NULL, filter, &filter->cookie, NULL));
	return filter;
}

static void unwatch(struct filter *filter)
{
	assert_ntsuccess(CmUnRegisterCallback(filter->cookie));
}

static NTSTATUS delete_value(HANDLE key, PCWSTR name)
{
	UNICODE_STRING text = counted(name);
	return ZwDeleteValueKey(key, &text);
}

static NTSTATUS query_value(HANDLE key, PCWSTR name, void *buffer, ULONG size)
{
	UNICODE_STRING text = counted(name);
	ULONG length;
	return ZwQueryValueKey(key, &text, KeyValuePartialInformation, buffer, size, &length);
}

/* ---- Registration ------------------------------------------------------------------- */

static void wdk_version_is_1_1(void **state)
{
	(void)state;
	ULONG major = 0, minor = 0;
	CmGetCallbackVersion(&major, &minor);
	CmGetCallbackVersion(NULL, NULL);
	assert_int_equal(major, 1);
	assert_int_equal(minor, 1);
}

static void wdk_one_callback_an_altitude(void **state)
{
	(void)state;
	struct filter *first = watch(0, u"360000");
	LARGE_INTEGER cookie = {.QuadPart = 77};
	UNICODE_STRING same = counted(u"0360000.0"), none = counted(u"");
	assert_status(CmRegisterCallbackEx(routine, &same, NULL, &filters[1], &cookie, NULL),
		      STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
	assert_status(CmRegisterCallbackEx(routine, &none, NULL, &filters[1], &cookie, NULL),
		      STATUS_INVALID_PARAMETER);
	assert_int_equal(cookie.QuadPart, 77);
	LARGE_INTEGER stale = first->cookie;
	unwatch(first);
	assert_status(CmUnRegisterCallback(stale), STATUS_INVALID_PARAMETER);
	unwatch(watch(1, u"360000"));
}

static void wdk_registering_without_memory_leaves_nothing(void **state)
{
	(void)state;
	UNICODE_STRING altitude = counted(u"1");
	LARGE_INTEGER cookie = {.QuadPart = 77};
	for (unsigned n = 0; n < 2; n++) {
		fail_allocation(NULL, n);
		assert_status(
			CmRegisterCallbackEx(routine, &altitude, NULL, &filters[0], &cookie, NULL),
			STATUS_INSUFFICIENT_RESOURCES);
		assert_int_equal(stop_failing(), 1);
		assert_int_equal(cookie.QuadPart, 77);
	}
	unwatch(watch(0, u"1"));
}

static void wdk_order_is_by_altitude_with_older_drivers_on_top(void **state)
{
	(void)state;
	struct filter *low = watch(0, u"20000"), *high = watch(1, u"390000.5");
	struct filter *first = &filters[2], *second = &filters[3];
	first->letter = '1';
	second->letter = '2';
	assert_ntsuccess(CmRegisterCallback(routine, first, &first->cookie));
	assert_ntsuccess(CmRegisterCallback(routine, second, &second->cookie));
	HANDLE key = open_key(NULL, SERVICES);
	assert_heard("1<open 2<open B<open A<open A>open B>open 2>open 1>open");
	unwatch(first);
	unwatch(high);
	assert_ntsuccess(ZwClose(key));
	assert_heard("2<close A<close A>close 2>close");
	unwatch(low);
	unwatch(second);
}

/* ---- Every operation ---------------------------------------------------------------- */

static void wdk_every_operation_has_its_pair(void **state)
{
	(void)state;
	char buffer[256];
	ULONG length;
	struct filter *filter = watch(0, u"100");
	HANDLE key = create_key(NULL, SERVICES u"\\one");
	assert_heard("A<create A>create");
	set_value(key, u"v", REG_SZ, u"x", 4);
	assert_heard("A<set A>set");
	assert_ntsuccess(query_value(key, u"v", buffer, sizeof(buffer)));
	assert_heard("A<query A>query");
	assert_ntsuccess(ZwEnumerateValueKey(key, 0, KeyValueBasicInformation, buffer,
					     sizeof(buffer), &length));
	assert_heard("A<values A>values");
	assert_ntsuccess(delete_value(key, u"v"));
	assert_heard("A<remove A>remove");
	assert_ntsuccess(ZwQueryKey(key, KeyNameInformation, buffer, sizeof(buffer), &length));
	assert_heard("A<info A>info");
	assert_status(ZwEnumerateKey(key, 0, KeyBasicInformation, buffer, sizeof(buffer), &length),
		      STATUS_NO_MORE_ENTRIES);
	assert_heard("A<keys A>keys");
	assert_ntsuccess(ZwFlushKey(key));
	assert_heard("A<flush A>flush");
	assert_ntsuccess(ZwDeleteKey(key));
	assert_heard("A<delete A>delete");
	assert_ntsuccess(ZwClose(key));
	assert_heard("A<close A>close");
	unwatch(filter);
	assert_status(try_open(NULL, SERVICES u"\\one", &key), STATUS_OBJECT_NAME_NOT_FOUND);
	assert_heard("");
}

static void wdk_rtl_routines_are_operations_too(void **state)
{
	(void)state;
	struct filter *filter = watch(0, u"100");
	assert_ntsuccess(RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, u"svc", u"v", REG_DWORD,
					       &(ULONG){1}, 4));
	assert_heard("A<create A>create A<set A>set A<close A>close");
	unwatch(filter);
}

static void wdk_close_is_told_when_the_last_reference_goes(void **state)
{
	(void)state;
	PVOID object;
	struct filter *filter = watch(0, u"100");
	HANDLE key = open_key(NULL, SERVICES);
	assert_ntsuccess(
		ObReferenceObjectByHandle(key, 0, CmKeyObjectType, KernelMode, &object, NULL));
	assert_ntsuccess(ZwClose(key));
	assert_heard("A<open A>open");
	ObfDereferenceObject(object);
	assert_heard("A<close A>close");
	unwatch(filter);
}

/* ---- What they are told ----------------------------------------------------------------- */

static REG_CREATE_KEY_INFORMATION_V1 told;
static REG_POST_OPERATION_INFORMATION told_post;
static char told_name[200], told_rest[200];

static void note_name(char *to, PCUNICODE_STRING name)
{
	for (unsigned i = 0; i < name->Length / 2u; i++)
		to[i] = (char)name->Buffer[i];
	to[name->Length / 2] = 0;
}

static void note(struct filter *self, REG_NOTIFY_CLASS class, void *information, NTSTATUS *status)
{
	(void)self;
	(void)status;
	if (class == RegNtPreCreateKeyEx || class == RegNtPreOpenKeyEx) {
		memcpy(&told, information, sizeof(told));
		note_name(told_name, told.CompleteName);
		note_name(told_rest, told.RemainingName);
		told.CallContext = NULL;
		((REG_CREATE_KEY_INFORMATION_V1 *)information)->CallContext = &told;
	} else {
		memcpy(&told_post, information, sizeof(told_post));
	}
}

static void wdk_an_open_shows_path_root_and_options(void **state)
{
	(void)state;
	struct filter *filter = watch(0, u"100");
	filter->act = note;
	HANDLE services = open_key(NULL, SERVICES), key;
	assert_string_equal(told_name, "\\Registry\\Machine\\System\\CurrentControlSet\\Services");
	assert_string_equal(told_rest, "Machine\\System\\CurrentControlSet\\Services");
	assert_ptr_equal(told.RootObject, cm_root_key);
	assert_int_equal(told.Version, 1);
	assert_int_equal(told.DesiredAccess, KEY_ALL_ACCESS);
	assert_int_equal(told.Attributes, OBJ_KERNEL_HANDLE);
	assert_ptr_equal(told.ObjectType, CmKeyObjectType);
	PVOID object = told_post.Object;
	assert_status(told_post.Status, STATUS_SUCCESS);
	assert_ptr_equal(told_post.CallContext, &told);

	assert_ntsuccess(try_create(services, u"x", REG_OPTION_VOLATILE, &key, NULL));
	assert_string_equal(told_name, "x");
	assert_string_equal(told_rest, "x");
	assert_ptr_equal(told.RootObject, object);
	assert_int_equal(told.Options, REG_OPTION_VOLATILE);
	HANDLE nothing;
	assert_status(try_open(services, u"y", &nothing), STATUS_OBJECT_NAME_NOT_FOUND);
	assert_status(told_post.Status, STATUS_OBJECT_NAME_NOT_FOUND);
	assert_null(told_post.Object);
	filter->act = NULL;
	ZwClose(key);
	ZwClose(services);
	unwatch(filter);
}

/* ---- Blocking, bypassing, changing ---------------------------------------------------------- */

static void answer(struct filter *self, REG_NOTIFY_CLASS class, void *information, NTSTATUS *status)
{
	(void)information;
	if (class == self->when)
		*status = self->answer;
}

static void wdk_blocked_operation_is_not_done(void **state)
{
	(void)state;
	struct filter *high = watch(0, u"300"), *middle = watch(1, u"200");
	struct filter *low = watch(2, u"100");
	HANDLE key = (HANDLE)0x77;
	middle->act = answer;
	middle->when = RegNtPreCreateKeyEx;
	middle->answer = STATUS_ACCESS_DENIED;
	assert_status(try_create(NULL, SERVICES u"\\no", 0, &key, NULL), STATUS_ACCESS_DENIED);
	assert_ptr_equal(key, (HANDLE)0x77);
	/* The one above has agreed and is owed the outcome; the one below hears nothing. */
	assert_heard("A<create B<create A>create");
	unwatch(high);
	unwatch(middle);
	unwatch(low);
	assert_status(try_open(NULL, SERVICES u"\\no", &key), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void wdk_bypassed_operation_succeeds_undone(void **state)
{
	(void)state;
	char buffer[64];
	struct filter *filter = watch(0, u"300");
	HANDLE key = create_key(NULL, SERVICES u"\\k");
	filter->act = answer;
	filter->when = RegNtPreSetValueKey;
	filter->answer = STATUS_CALLBACK_BYPASS;
	set_value(key, u"v", REG_SZ, u"x", 4);
	assert_heard("A<create A>create A<set");
	unwatch(filter);
	assert_status(query_value(key, u"v", buffer, sizeof(buffer)), STATUS_OBJECT_NAME_NOT_FOUND);
	ZwClose(key);
}

/* Opens another key, and gives that. */
static void divert(struct filter *self, REG_NOTIFY_CLASS class, void *information, NTSTATUS *status)
{
	REG_OPEN_KEY_INFORMATION_V1 *open = information;
	HANDLE other;
	if (class != RegNtPreOpenKeyEx)
		return;
	assert_ntsuccess(try_open(NULL, SERVICES u"\\other", &other));
	assert_ntsuccess(ObReferenceObjectByHandle(other, KEY_READ, open->ObjectType, KernelMode,
						   &self->object, NULL));
	ZwClose(other);
	*open->ResultObject = self->object;
	open->GrantedAccess = KEY_READ;
	*status = STATUS_CALLBACK_BYPASS;
}

static void wdk_bypassed_open_gives_what_the_driver_put_there(void **state)
{
	(void)state;
	char buffer[64];
	PVOID object;
	ULONG granted[2];
	HANDLE other = create_key(NULL, SERVICES u"\\other"), key;
	set_value(other, u"v", REG_SZ, u"x", 4);
	struct filter *filter = watch(0, u"300");
	filter->act = divert;
	key = open_key(NULL, SERVICES u"\\missing");
	assert_heard("A<open");
	unwatch(filter);
	assert_ntsuccess(query_value(key, u"v", buffer, sizeof(buffer)));
	assert_ntsuccess(
		ObReferenceObjectByHandle(key, 0, CmKeyObjectType, KernelMode, &object, granted));
	assert_ptr_equal(object, filter->object);
	assert_int_equal(granted[1], KEY_READ);
	ObfDereferenceObject(object);
	ZwClose(key);
	ZwClose(other);
}

static void wdk_bypassed_open_without_a_key_is_a_type_mismatch(void **state)
{
	(void)state;
	HANDLE key;
	struct filter *filter = watch(0, u"300");
	filter->act = answer;
	filter->when = RegNtPreOpenKeyEx;
	filter->answer = STATUS_CALLBACK_BYPASS;
	assert_status(try_open(NULL, SERVICES, &key), STATUS_OBJECT_TYPE_MISMATCH);
	unwatch(filter);
}

static void overrule(struct filter *self, REG_NOTIFY_CLASS class, void *information,
		     NTSTATUS *status)
{
	REG_POST_OPERATION_INFORMATION *post = information;
	if (class != self->when)
		return;
	post->ReturnStatus = self->answer;
	*status = STATUS_CALLBACK_BYPASS;
	if (class == RegNtPostOpenKeyEx) {
		REG_OPEN_KEY_INFORMATION_V1 *open = post->PreInformation;
		assert_ptr_equal(post->Object, *open->ResultObject);
		ObfDereferenceObject(post->Object);
		post->Object = *open->ResultObject = NULL;
	}
}

static void wdk_post_routine_can_change_the_outcome(void **state)
{
	(void)state;
	HANDLE key = (HANDLE)0x77, services = open_key(NULL, SERVICES);
	struct filter *high = watch(0, u"300"), *low = watch(1, u"200");
	high->act = note;
	low->act = overrule;
	low->when = RegNtPostSetValueKey;
	low->answer = STATUS_NO_MEMORY;
	UNICODE_STRING name = counted(u"v");
	assert_status(ZwSetValueKey(services, &name, 0, REG_SZ, u"x", 4), STATUS_NO_MEMORY);
	assert_status(told_post.Status, STATUS_NO_MEMORY); /* those above see it so */
	low->when = RegNtPostOpenKeyEx;
	low->answer = STATUS_ACCESS_DENIED;
	heard[0] = 0;
	assert_status(try_open(NULL, SERVICES, &key), STATUS_ACCESS_DENIED);
	assert_ptr_equal(key, (HANDLE)0x77);
	assert_null(told_post.Object);
	unwatch(high);
	unwatch(low);
	assert_ntsuccess(delete_value(services, u"v"));
	ZwClose(services);
}

/* ---- Nesting ------------------------------------------------------------------------------------ */

static void open_and_close(struct filter *self, REG_NOTIFY_CLASS class, void *information,
			   NTSTATUS *status)
{
	(void)self;
	(void)information;
	(void)status;
	if (class == RegNtPreCreateKeyEx || class == RegNtPostCreateKeyEx)
		assert_ntsuccess(ZwClose(open_key(NULL, SERVICES)));
}

static void wdk_operations_of_a_routine_do_not_start_at_the_top(void **state)
{
	(void)state;
	struct filter *high = watch(0, u"300"), *middle = watch(1, u"200");
	struct filter *low = watch(2, u"100");
	middle->act = open_and_close;
	HANDLE key = create_key(NULL, SERVICES u"\\k");
	assert_heard("A<create "
		     "B<create C<open C>open C<close C>close "
		     "C<create C>create "
		     "B>create C<open C>open C<close C>close "
		     "A>create");
	unwatch(high);
	unwatch(middle);
	unwatch(low);
	ZwClose(key);
}

static void wdk_many_callbacks_need_memory_or_fail_the_operation(void **state)
{
	(void)state;
	WCHAR altitude[] = u"10";
	HANDLE key;
	for (unsigned i = 0; i < 10; i++) {
		altitude[1] = (WCHAR)(u'9' - i);
		watch(i, altitude);
	}
	ZwClose(open_key(NULL, SERVICES));
	assert_true(strlen(heard) > 10 * 4 * strlen("A<open"));
	heard[0] = 0;
	fail_allocation("cm/around.c", 0);
	assert_status(try_open(NULL, SERVICES, &key), STATUS_INSUFFICIENT_RESOURCES);
	assert_int_equal(stop_failing(), 1);
	assert_heard("A<open B<open C<open D<open E<open F<open G<open H<open "
		     "H>open G>open F>open E>open D>open C>open B>open A>open");
	for (unsigned i = 0; i < 10; i++)
		unwatch(&filters[i]);
}

/* ---- Object contexts ------------------------------------------------------------------------------ */

static PVOID seen_context, cleaned_context;

static void tag(struct filter *self, REG_NOTIFY_CLASS class, void *information, NTSTATUS *status)
{
	REG_POST_OPERATION_INFORMATION *post = information;
	REG_CALLBACK_CONTEXT_CLEANUP_INFORMATION *cleanup = information;
	(void)status;
	if (class == RegNtPostOpenKeyEx)
		assert_ntsuccess(
			CmSetCallbackObjectContext(post->Object, &self->cookie, self, NULL));
	else if (class == RegNtPreSetValueKey)
		seen_context = ((REG_SET_VALUE_KEY_INFORMATION *)information)->ObjectContext;
	else if (class == RegNtPostSetValueKey)
		assert_ptr_equal(post->ObjectContext, seen_context);
	else if (class == RegNtCallbackObjectContextCleanup)
		cleaned_context = cleanup->ObjectContext;
}

static void wdk_object_context_is_shown_for_that_object_alone(void **state)
{
	(void)state;
	HANDLE plain = open_key(NULL, SERVICES);
	struct filter *filter = watch(0, u"300"), *other = watch(1, u"200");
	filter->act = tag;
	HANDLE tagged = open_key(NULL, SERVICES);
	set_value(plain, u"v", REG_SZ, u"x", 4);
	assert_null(seen_context);
	set_value(tagged, u"v", REG_SZ, u"x", 4);
	assert_ptr_equal(seen_context, filter);
	heard[0] = 0;
	cleaned_context = NULL;
	ZwClose(tagged);
	assert_heard("A<close B<close A!cleanup B>close A>close");
	assert_ptr_equal(cleaned_context, filter);
	ZwClose(plain);
	assert_heard("A<close B<close B>close A>close");
	unwatch(filter);
	unwatch(other);
}

static void wdk_unregistering_cleans_contexts_up(void **state)
{
	(void)state;
	struct filter *filter = watch(0, u"300");
	filter->act = tag;
	HANDLE one = open_key(NULL, SERVICES), two = open_key(NULL, SERVICES);
	heard[0] = 0;
	unwatch(filter);
	assert_heard("A!cleanup A!cleanup");
	ZwClose(one);
	ZwClose(two);
	assert_heard("");
}

static void wdk_context_is_replaced_and_taken_away(void **state)
{
	(void)state;
	PVOID object, old = (PVOID)1;
	struct filter *filter = watch(0, u"300");
	HANDLE key = open_key(NULL, SERVICES);
	LARGE_INTEGER bad = {.QuadPart = filter->cookie.QuadPart + 1};
	assert_ntsuccess(
		ObReferenceObjectByHandle(key, 0, CmKeyObjectType, KernelMode, &object, NULL));
	assert_ntsuccess(CmSetCallbackObjectContext(object, &filter->cookie, &bad, &old));
	assert_null(old);
	assert_ntsuccess(CmSetCallbackObjectContext(object, &filter->cookie, &key, &old));
	assert_ptr_equal(old, &bad);
	assert_ntsuccess(CmSetCallbackObjectContext(object, &filter->cookie, NULL, &old));
	assert_ptr_equal(old, &key);
	assert_status(CmSetCallbackObjectContext(object, &bad, &key, &old),
		      STATUS_INVALID_PARAMETER);
	assert_status(
		CmSetCallbackObjectContext(PsInitialSystemProcess, &filter->cookie, &key, &old),
		STATUS_INVALID_PARAMETER);
	fail_allocation("cm/context.c", 0);
	assert_status(CmSetCallbackObjectContext(object, &filter->cookie, &key, &old),
		      STATUS_INSUFFICIENT_RESOURCES);
	assert_int_equal(stop_failing(), 1);
	assert_ptr_equal(old, &key);
	heard[0] = 0;
	ObfDereferenceObject(object);
	ZwClose(key);
	assert_heard("A<close A>close");
	unwatch(filter);
}

/* ---- Identity -------------------------------------------------------------------------------------- */

static void identify(struct filter *self, REG_NOTIFY_CLASS class, void *information,
		     NTSTATUS *status)
{
	REG_KEY_HANDLE_CLOSE_INFORMATION *close = information;
	PCUNICODE_STRING name, again, kept;
	ULONG_PTR id, same;
	(void)status;
	if (class != RegNtPreKeyHandleClose)
		return;
	assert_ntsuccess(CmCallbackGetKeyObjectIDEx(&self->cookie, close->Object, &id, &name, 0));
	note_name(told_name, name);
	CmCallbackReleaseKeyObjectIDEx(name);
	assert_ntsuccess(CmCallbackGetKeyObjectID(&self->cookie, close->Object, &same, &kept));
	assert_ntsuccess(CmCallbackGetKeyObjectID(&self->cookie, close->Object, NULL, &again));
	assert_ptr_equal(kept, again);
	assert_int_equal(id, same);
	assert_null(CmGetBoundTransaction(&self->cookie, close->Object));
	self->object = (void *)id;
}

static void wdk_key_has_an_identifier_and_a_name(void **state)
{
	(void)state;
	struct filter *filter = watch(0, u"300");
	filter->act = identify;
	HANDLE key = create_key(NULL,
				u"\\registry\\MACHINE\\system\\currentcontrolset\\services\\K");
	assert_ntsuccess(ZwDeleteKey(key)); /* its name can still be asked for */
	ZwClose(key);
	assert_string_equal(told_name,
			    "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services\\K");
	ZwClose(open_key(NULL, SERVICES));
	void *first = filter->object;
	ZwClose(open_key(NULL, SERVICES));
	assert_ptr_equal(first, filter->object);
	unwatch(filter);
}

static void wdk_identity_checks_its_parameters(void **state)
{
	(void)state;
	PCUNICODE_STRING name = NULL;
	struct filter *filter = watch(0, u"300");
	LARGE_INTEGER bad = {.QuadPart = -1};
	assert_status(CmCallbackGetKeyObjectIDEx(&bad, cm_root_key, NULL, &name, 0),
		      STATUS_INVALID_PARAMETER);
	assert_status(CmCallbackGetKeyObjectIDEx(&filter->cookie, NULL, NULL, &name, 0),
		      STATUS_INVALID_PARAMETER);
	assert_status(
		CmCallbackGetKeyObjectIDEx(&filter->cookie, PsInitialSystemProcess, NULL, &name, 0),
		STATUS_INVALID_PARAMETER);
	assert_status(CmCallbackGetKeyObjectIDEx(&filter->cookie, cm_root_key, NULL, &name, 1),
		      STATUS_INVALID_PARAMETER);
	for (unsigned n = 0; n < 2; n++) {
		fail_allocation(NULL, n);
		assert_status(
			CmCallbackGetKeyObjectIDEx(&filter->cookie, cm_root_key, NULL, &name, 0),
			STATUS_INSUFFICIENT_RESOURCES);
		stop_failing();
	}
	assert_null(name);
	unwatch(filter);
}

/* ---- The end ---------------------------------------------------------------------------------------- */

static atomic_int stage;

static void stay(struct filter *self, REG_NOTIFY_CLASS class, void *information, NTSTATUS *status)
{
	(void)self;
	(void)information;
	(void)status;
	if (class != RegNtPreFlushKey)
		return;
	atomic_store(&stage, 1);
	while (atomic_load(&stage) != 2)
		sched_yield();
}

static void *flush(void *key)
{
	assert_ntsuccess(ZwFlushKey(key));
	return NULL;
}

static void *unregister(void *filter)
{
	unwatch(filter);
	atomic_store(&stage, 3);
	return NULL;
}

static void wdk_unregistering_waits_for_the_gap_between_pre_and_post(void **state)
{
	(void)state;
	pthread_t flusher, remover;
	struct filter *filter = watch(0, u"300");
	HANDLE key = open_key(NULL, SERVICES);
	heard[0] = 0;
	atomic_store(&stage, 0);
	filter->act = stay;
	pthread_create(&flusher, NULL, flush, key);
	while (atomic_load(&stage) != 1)
		sched_yield();
	pthread_create(&remover, NULL, unregister, filter);
	/* Once it is out of the list, nobody new is told; the call in flight goes on. */
	while (cm_find_filter(filter->cookie.QuadPart))
		sched_yield();
	ZwClose(open_key(NULL, SERVICES));
	assert_int_equal(atomic_load(&stage), 1);
	atomic_store(&stage, 2);
	pthread_join(flusher, NULL);
	pthread_join(remover, NULL);
	assert_int_equal(atomic_load(&stage), 3);
	assert_heard("A<flush A>flush");
	ZwClose(key);
}

static void unregister_self(struct filter *self, REG_NOTIFY_CLASS class, void *information,
			    NTSTATUS *status)
{
	(void)class;
	(void)information;
	(void)status;
	CmUnRegisterCallback(self->cookie);
}

static void open_with_suicide(void *argument)
{
	(void)argument;
	watch(0, u"300")->act = unregister_self;
	open_key(NULL, SERVICES);
}

static void wdk_unregistering_from_inside_is_a_bug_check(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(KE_CALLBACK_RULE_VIOLATION,
							     open_with_suicide, NULL);
	assert_non_null(strstr(seen->detail, "CmUnRegisterCallback"));
}

static void register_at_dispatch_level(void *argument)
{
	typedef NTSTATUS NTAPI function(PEX_CALLBACK_FUNCTION, PCUNICODE_STRING, PVOID, PVOID,
					LARGE_INTEGER *, PVOID);
	(void)argument;
	UNICODE_STRING altitude = counted(u"1");
	LARGE_INTEGER cookie;
	KfRaiseIrql(DISPATCH_LEVEL);
	((function *)export_of("CmRegisterCallbackEx"))(routine, &altitude, NULL, NULL, &cookie,
							NULL);
}

static void wdk_registering_at_dispatch_level_is_a_bug_check(void **state)
{
	(void)state;
	expect_bug_check(KE_IRQL_NOT_LESS_OR_EQUAL, register_at_dispatch_level, NULL);
}

static void wdk_last_dereference_above_passive_level_is_told_at_passive_level(void **state)
{
	(void)state;
	PVOID object;
	struct filter *filter = watch(0, u"300");
	filter->act = identify;
	HANDLE key = open_key(NULL, SERVICES);
	assert_ntsuccess(
		ObReferenceObjectByHandle(key, 0, CmKeyObjectType, KernelMode, &object, NULL));
	ZwClose(key);
	heard[0] = 0;
	ULONG before = atomic_load(&CmKeyObjectType->TotalNumberOfObjects);
	KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
	ObfDereferenceObject(object);
	KfLowerIrql(irql);
	while (atomic_load(&CmKeyObjectType->TotalNumberOfObjects) == before)
		sched_yield();
	assert_heard("A<close A>close");
	unwatch(filter);
}

static void wdk_deferred_deletion_happens_on_a_worker(void **state)
{
	(void)state;
	PVOID object;
	HANDLE key = open_key(NULL, SERVICES);
	assert_ntsuccess(
		ObReferenceObjectByHandle(key, 0, CmKeyObjectType, KernelMode, &object, NULL));
	ZwClose(key);
	ULONG before = atomic_load(&CmKeyObjectType->TotalNumberOfObjects);
	ob_reference(object);
	ObDereferenceObjectDeferDelete(object);
	assert_int_equal(atomic_load(&CmKeyObjectType->TotalNumberOfObjects), before);
	ObDereferenceObjectDeferDeleteWithTag(object, 0);
	while (atomic_load(&CmKeyObjectType->TotalNumberOfObjects) == before)
		sched_yield();
}

/* ---- Races --------------------------------------------------------------------------------------------- */

static atomic_uint tagged, cleaned;

static NTSTATUS NTAPI tag_everything(PVOID context, PVOID class, PVOID information)
{
	struct filter *self = context;
	REG_POST_OPERATION_INFORMATION *post = information;
	if ((uintptr_t) class == RegNtPostOpenKeyEx &&
	    NT_SUCCESS(CmSetCallbackObjectContext(post->Object, &self->cookie, self, NULL)))
		atomic_fetch_add(&tagged, 1);
	if ((uintptr_t) class == RegNtCallbackObjectContextCleanup)
		atomic_fetch_add(&cleaned, 1);
	return STATUS_SUCCESS;
}

static atomic_bool enough;

static void *open_and_close_often(void *argument)
{
	(void)argument;
	while (!atomic_load(&enough))
		ZwClose(open_key(NULL, SERVICES));
	return NULL;
}

static void cm_contexts_end_once_whoever_goes_first(void **state)
{
	(void)state;
	pthread_t thread[3];
	UNICODE_STRING altitude = counted(u"5");
	struct filter *filter = &filters[0];
	atomic_store(&enough, false);
	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, open_and_close_often, NULL);
	for (int i = 0; i < 300; i++) {
		assert_ntsuccess(CmRegisterCallbackEx(tag_everything, &altitude, NULL, filter,
						      &filter->cookie, NULL));
		HANDLE key = open_key(NULL, SERVICES);
		unwatch(filter);
		assert_int_equal(atomic_load(&tagged), atomic_load(&cleaned));
		ZwClose(key);
	}
	atomic_store(&enough, true);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	assert_true(atomic_load(&tagged) >= 300);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, world_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wdk_version_is_1_1),
		TEST(wdk_one_callback_an_altitude),
		TEST(wdk_registering_without_memory_leaves_nothing),
		TEST(wdk_order_is_by_altitude_with_older_drivers_on_top),
		TEST(wdk_every_operation_has_its_pair),
		TEST(wdk_rtl_routines_are_operations_too),
		TEST(wdk_close_is_told_when_the_last_reference_goes),
		TEST(wdk_an_open_shows_path_root_and_options),
		TEST(wdk_blocked_operation_is_not_done),
		TEST(wdk_bypassed_operation_succeeds_undone),
		TEST(wdk_bypassed_open_gives_what_the_driver_put_there),
		TEST(wdk_bypassed_open_without_a_key_is_a_type_mismatch),
		TEST(wdk_post_routine_can_change_the_outcome),
		TEST(wdk_operations_of_a_routine_do_not_start_at_the_top),
		TEST(wdk_many_callbacks_need_memory_or_fail_the_operation),
		TEST(wdk_object_context_is_shown_for_that_object_alone),
		TEST(wdk_unregistering_cleans_contexts_up),
		TEST(wdk_context_is_replaced_and_taken_away),
		TEST(wdk_key_has_an_identifier_and_a_name),
		TEST(wdk_identity_checks_its_parameters),
		TEST(wdk_unregistering_waits_for_the_gap_between_pre_and_post),
		TEST(wdk_unregistering_from_inside_is_a_bug_check),
		TEST(wdk_registering_at_dispatch_level_is_a_bug_check),
		TEST(wdk_last_dereference_above_passive_level_is_told_at_passive_level),
		TEST(wdk_deferred_deletion_happens_on_a_worker),
		TEST(cm_contexts_end_once_whoever_goes_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

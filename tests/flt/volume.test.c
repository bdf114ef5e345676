/* SPDX-License-Identifier: MIT */
/* Minifilters and real files: those of a folder of Linux (tests/io/folder.h). */
#include "filters.h"
#include "flt/cancel.h"
#include "flt/file.h"
#include "flt/operation.h"
#include "io/folder.h"
#include "ke/thread.h"
#include "ob/object.h"
#include <ringside/event.h>

static struct rs_driver *driver;
static struct minifilter m;
static struct {
	unsigned pre, post;
	NTSTATUS stored;
} told;

static void collect(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type == RS_DEBUG_PRINT)
		say("%s;", event->print.text);
	if (event->type != RS_CALLBACK_RETURNED)
		return;
	told.pre += event->callback.kind == RS_FILE_PRE;
	told.post += event->callback.kind == RS_FILE_POST;
	told.stored = event->callback.status_after;
	assert_int_equal(event->callback.process_id, 4);
}

static int begin(void **state)
{
	said[0] = 0;
	memset(&told, 0, sizeof(told));
	writable(state);
	put_file("note.txt", "hello");
	put_file("secret.txt", "no");
	return rs_listen(collect, NULL);
}

static int end(void **state)
{
	rs_unlisten(collect, NULL);
	return end_of_volume(state);
}

static int begin_with_driver(void **state)
{
	struct rs_error error;
	begin(state);
	driver = rs_load(TEST_BUILD "/tests/drivers/minifilter.sys", &error);
	if (!driver)
		fail_msg("%s", error.text);
	assert_ntsuccess(rs_start(driver));
	assert_said("setup 1 8 2;");
	return 0;
}

static int end_with_driver(void **state)
{
	assert_ntsuccess(rs_unload(driver));
	return end(state);
}

#define FLT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define DRIVER_TEST(name) cmocka_unit_test_setup_teardown(name, begin_with_driver, end_with_driver)

/* ---- A compiled minifilter ------------------------------------------------------------------- */

static void minifilter_sees_the_life_of_a_file(void **state)
{
	(void)state;
	char text[8] = "";
	HANDLE handle = open_it(u"\\??\\C:\\note.txt", FILE_READ_DATA);
	assert_said("pre IRP_MJ_CREATE note.txt;post IRP_MJ_CREATE 0;stream context 0;");
	assert_int_equal(told.pre, 1);
	assert_int_equal(told.post, 1);
	assert_ntsuccess(read_at(handle, text, 5, 0));
	assert_string_equal(text, "hello");
	assert_said("pre IRP_MJ_READ note.txt;post IRP_MJ_READ 0;");
	assert_status(read_at(handle, text, 5, 5), STATUS_END_OF_FILE);
	assert_said("pre IRP_MJ_READ note.txt;post IRP_MJ_READ c0000011;");
	assert_ntsuccess(ZwClose(handle));
	assert_said("pre IRP_MJ_CLEANUP note.txt;post IRP_MJ_CLEANUP 0;"
		    "pre IRP_MJ_CLOSE note.txt;context 8 goes;post IRP_MJ_CLOSE 0;");
}

static void create_that_the_minifilter_denies_changes_nothing(void **state)
{
	(void)state;
	assert_status(try_open(u"\\??\\C:\\secret.txt", GENERIC_WRITE, FILE_OVERWRITE, 0),
		      STATUS_ACCESS_DENIED);
	assert_string_equal(get_file("secret.txt"), "no");
	assert_said("pre IRP_MJ_CREATE secret.txt;");
	assert_int_equal(told.pre, 1);
	assert_int_equal(told.post, 0);
	assert_status(told.stored, STATUS_ACCESS_DENIED);
}

static void stream_context_is_shared_by_two_opens(void **state)
{
	(void)state;
	HANDLE first = open_it(u"\\??\\C:\\note.txt", FILE_READ_DATA);
	said[0] = 0;
	HANDLE second = open_it(u"\\??\\C:\\NOTE.TXT", FILE_READ_DATA);
	assert_non_null(strstr(said, "stream context c01c0002;context 8 goes;")); /* the new one */
	said[0] = 0;
	assert_ntsuccess(ZwClose(first));
	assert_null(strstr(said, "context"));
	assert_ntsuccess(ZwClose(second));
	assert_non_null(strstr(said, "context 8 goes;"));
}

static void unloading_with_an_open_file_takes_the_contexts_along(void **state)
{
	struct rs_error error;
	(void)state;
	HANDLE handle = open_it(u"\\??\\C:\\note.txt", FILE_READ_DATA);
	said[0] = 0;
	assert_ntsuccess(rs_unload(driver));
	assert_non_null(strstr(said, "context 8 goes;"));
	said[0] = 0;
	assert_ntsuccess(ZwClose(handle));
	assert_said("");
	driver = rs_load(TEST_BUILD "/tests/drivers/minifilter.sys", &error);
	assert_non_null(driver);
	assert_ntsuccess(rs_start(driver));
}

/* ---- Changing what is done -------------------------------------------------------------------- */

static char own[16];
static FLT_PREOP_CALLBACK_STATUS NTAPI before(PFLT_CALLBACK_DATA data,
					      PCFLT_RELATED_OBJECTS objects, PVOID *context)
{
	FLT_PARAMETERS *parameters = &data->Iopb->Parameters;
	(void)objects;
	switch (data->Iopb->MajorFunction) {
	case IRP_MJ_READ:
		*context = parameters->Read.Buffer;
		parameters->Read.Buffer = own;
		parameters->Read.Length = 3;
		break;
	case IRP_MJ_WRITE:
		parameters->Write.ByteOffset.QuadPart = 2;
		break;
	default:
		say("create options %x;", parameters->Create.Options);
		parameters->Create.Options = FILE_OPEN << 24 |
					     (parameters->Create.Options & 0xFFFFFF);
	}
	FLT(FltSetCallbackDataDirty)(data);
	return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS NTAPI
after(PFLT_CALLBACK_DATA data, PCFLT_RELATED_OBJECTS objects, PVOID context, ULONG flags)
{
	(void)objects;
	(void)flags;
	if (data->Iopb->MajorFunction == IRP_MJ_READ)
		for (ULONG_PTR i = 0; i < data->IoStatus.Information; i++)
			((char *)context)[i] = (char)(own[i] - 'a' + 'A');
	return FLT_POSTOP_FINISHED_PROCESSING;
}

static const FLT_OPERATION_REGISTRATION operations[] = {
	{.MajorFunction = IRP_MJ_CREATE, .PreOperation = before, .PostOperation = after},
	{.MajorFunction = IRP_MJ_READ, .PreOperation = before, .PostOperation = after},
	{.MajorFunction = IRP_MJ_WRITE, .PreOperation = before, .PostOperation = after},
	{.MajorFunction = IRP_MJ_OPERATION_END}};
static const FLT_REGISTRATION registration = {.Size = sizeof(registration),
					      .Version = FLT_REGISTRATION_VERSION_0203,
					      .OperationRegistration = operations};

static void start(void)
{
	make_minifilter(&m, "one", "370000");
	assert_ntsuccess(register_filter(&m, &registration));
	assert_ntsuccess(FLT(FltStartFiltering)(m.filter));
}

static void swapped_buffer_and_offset_reach_the_volume(void **state)
{
	(void)state;
	char text[8] = "xxxxxxx";
	start();
	HANDLE handle = open_it(u"\\??\\C:\\note.txt", FILE_READ_DATA | FILE_WRITE_DATA);
	assert_ntsuccess(read_at(handle, text, 5, 0));
	assert_string_equal(text, "HELxxxx");
	assert_int_equal(v.result.Information, 3);
	assert_ntsuccess(write_at(handle, "LP", 2, 0));
	assert_string_equal(get_file("note.txt"), "heLPo");
	assert_ntsuccess(ZwClose(handle));
	drop_minifilter(&m);
}

static void changed_disposition_opens_instead_of_overwriting(void **state)
{
	(void)state;
	start();
	assert_ntsuccess(try_open(u"\\??\\C:\\note.txt", FILE_WRITE_DATA, FILE_OVERWRITE, 0));
	assert_int_equal(v.result.Information, FILE_OPENED);
	assert_string_equal(get_file("note.txt"), "hello");
	drop_minifilter(&m);
}

static void request_without_memory_to_show_it_fails(void **state)
{
	(void)state;
	start();
	fail_allocation("flt/request.c", 0);
	assert_status(try_open(u"\\??\\C:\\note.txt", FILE_READ_DATA, FILE_OPEN, 0),
		      STATUS_INSUFFICIENT_RESOURCES);
	assert_int_equal(stop_failing(), 1);
	drop_minifilter(&m);
}

/* ---- Files of its own -------------------------------------------------------------------------- */

static FLT_PREOP_CALLBACK_STATUS NTAPI note(PFLT_CALLBACK_DATA data, PCFLT_RELATED_OBJECTS objects,
					    PVOID *context)
{
	(void)context;
	say("%u of %s%s;", data->Iopb->MajorFunction, objects->Filter == m.filter ? "own" : "below",
	    data->Flags & FLTFL_CALLBACK_DATA_GENERATED_IO ? " generated" : "");
	return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static const FLT_OPERATION_REGISTRATION noted[] = {
	{.MajorFunction = IRP_MJ_CREATE, .PreOperation = note},
	{.MajorFunction = IRP_MJ_READ, .PreOperation = note},
	{.MajorFunction = IRP_MJ_WRITE, .PreOperation = note},
	{.MajorFunction = IRP_MJ_QUERY_INFORMATION, .PreOperation = note},
	{.MajorFunction = IRP_MJ_OPERATION_END}};
static const FLT_REGISTRATION noting = {.Size = sizeof(noting),
					.Version = FLT_REGISTRATION_VERSION_0203,
					.OperationRegistration = noted};

static VOID NTAPI completed(PFLT_CALLBACK_DATA data, PFLT_CONTEXT context)
{
	say("completed %llu %s;", (unsigned long long)data->IoStatus.Information, (char *)context);
}

static NTSTATUS open_below(PFLT_INSTANCE instance, ULONG options, HANDLE *handle,
			   PFILE_OBJECT *file)
{
	UNICODE_STRING name = USTR(u"\\??\\C:\\note.txt");
	OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &name, OBJ_KERNEL_HANDLE};
	return FLT(FltCreateFileEx)(m.filter, instance, handle, file,
				    FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, &attributes,
				    &v.result, NULL, 0, SHARE_ALL, FILE_OPEN, options, NULL, 0, 0);
}

static void minifilters_own_requests_go_below_it(void **state)
{
	struct minifilter below;
	PFLT_INSTANCE instance;
	HANDLE handle;
	PFILE_OBJECT file;
	BOOLEAN yes = TRUE;
	char text[8] = "";
	ULONG count = 0;
	LARGE_INTEGER at = {.QuadPart = 1}, bad = {.QuadPart = -7};
	(void)state;
	make_minifilter(&m, "one", "370000");
	make_minifilter(&below, "two", "100000");
	assert_ntsuccess(register_filter(&m, &noting));
	assert_ntsuccess(FLT(FltStartFiltering)(m.filter));
	assert_ntsuccess(register_filter(&below, &noting));
	assert_ntsuccess(FLT(FltStartFiltering)(below.filter));
	assert_ntsuccess(FLT(FltGetTopInstance)(the_volume(), &instance));
	assert_ntsuccess(open_below(instance, SYNCHRONOUS, &handle, &file));
	assert_said("0 of below generated;");
	assert_ntsuccess(FLT(FltReadFile)(instance, file, &at, 3, text, 0, &count, NULL, NULL));
	assert_string_equal(text, "ell");
	assert_int_equal(count, 3);
	assert_int_equal(file->CurrentByteOffset.QuadPart, 4);
	assert_said("3 of below generated;");
	assert_ntsuccess(FLT(FltWriteFile)(instance, file, NULL, 1, "0",
					   FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET, NULL,
					   completed, "later"));
	assert_said("4 of below generated;completed 1 later;");
	assert_int_equal(file->CurrentByteOffset.QuadPart, 4);
	assert_string_equal(get_file("note.txt"), "hell0");
	assert_status(FLT(FltReadFile)(instance, file, &bad, 3, text, 0, NULL, NULL, NULL),
		      STATUS_INVALID_PARAMETER);
	assert_ntsuccess(FLT(FltIsDirectory)(file, instance, &yes));
	assert_false(yes);
	assert_said("5 of below generated;");
	assert_ntsuccess(FLT(FltIsVolumeWritable)(instance, &yes));
	assert_true(yes);
	ob_dereference(file);
	assert_ntsuccess(FLT(FltClose)(handle));
	assert_ntsuccess(open_below(NULL, 0, &handle, &file));
	assert_said("0 of own;0 of below;");
	assert_status(FLT(FltReadFile)(instance, file, NULL, 3, text, 0, NULL, NULL, NULL),
		      STATUS_INVALID_PARAMETER); /* it has no position */
	ob_dereference(file);
	assert_ntsuccess(FLT(FltClose)(handle));
	FLT(FltObjectDereference)(instance);
	drop_minifilter(&below);
	drop_minifilter(&m);
}

/* ---- Taking an open back ---------------------------------------------------------------------- */

static FLT_POSTOP_CALLBACK_STATUS NTAPI
take_back(PFLT_CALLBACK_DATA data, PCFLT_RELATED_OBJECTS objects, PVOID context, ULONG flags)
{
	PVOID list = data;
	(void)context;
	(void)flags;
	assert_ntsuccess(FLT(FltGetEcpListFromCallbackData)(m.filter, data, &list));
	assert_null(list);
	if (NT_SUCCESS(data->IoStatus.Status))
		FLT(FltCancelFileOpen)(objects->Instance, objects->FileObject);
	data->IoStatus = (IO_STATUS_BLOCK){.Status = STATUS_ACCESS_DENIED};
	return FLT_POSTOP_FINISHED_PROCESSING;
}

static const FLT_OPERATION_REGISTRATION taking_back[] = {
	{.MajorFunction = IRP_MJ_CREATE, .PostOperation = take_back},
	{.MajorFunction = IRP_MJ_OPERATION_END}};
static const FLT_OPERATION_REGISTRATION seen_below[] = {
	{.MajorFunction = IRP_MJ_CREATE, .PreOperation = note},
	{.MajorFunction = IRP_MJ_CLEANUP, .PreOperation = note},
	{.MajorFunction = IRP_MJ_CLOSE, .PreOperation = note},
	{.MajorFunction = IRP_MJ_OPERATION_END}};

static void cancelled_open_is_closed_below_and_denied_above(void **state)
{
	struct minifilter below;
	FLT_REGISTRATION above_registration = noting, below_registration = noting;
	HANDLE handle;
	(void)state;
	above_registration.OperationRegistration = taking_back;
	below_registration.OperationRegistration = seen_below;
	make_minifilter(&m, "one", "370000");
	make_minifilter(&below, "two", "100000");
	assert_ntsuccess(register_filter(&m, &above_registration));
	assert_ntsuccess(FLT(FltStartFiltering)(m.filter));
	assert_ntsuccess(register_filter(&below, &below_registration));
	assert_ntsuccess(FLT(FltStartFiltering)(below.filter));
	assert_status(
		create_at(NULL, u"\\??\\C:\\note.txt", FILE_WRITE_DATA, 0, FILE_OPEN, 0, &handle),
		STATUS_ACCESS_DENIED);
	assert_said("0 of below;18 of below generated;2 of below generated;");
	drop_minifilter(&below);
	drop_minifilter(&m);
	/* It does not count as open: nobody shares it. */
	assert_ntsuccess(
		create_at(NULL, u"\\??\\C:\\note.txt", FILE_WRITE_DATA, 0, FILE_OPEN, 0, &handle));
	assert_ntsuccess(ZwClose(handle));
}

static void volume_is_asked_through_an_instance(void **state)
{
	PFLT_INSTANCE instance;
	IO_STATUS_BLOCK result;
	ULONG device[2]; /* FILE_FS_DEVICE_INFORMATION */
	(void)state;
	make_minifilter(&m, "one", "370000");
	assert_ntsuccess(register_filter(&m, &noting));
	assert_ntsuccess(FLT(FltStartFiltering)(m.filter));
	assert_ntsuccess(FLT(FltGetTopInstance)(the_volume(), &instance));
	assert_ntsuccess(
		FLT(FltQueryVolumeInformation)(instance, &result, device, sizeof(device), 4));
	assert_int_equal(device[0], 7);
	assert_said("");
	FLT(FltObjectDereference)(instance);
	drop_minifilter(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRIVER_TEST(minifilter_sees_the_life_of_a_file),
		DRIVER_TEST(create_that_the_minifilter_denies_changes_nothing),
		DRIVER_TEST(stream_context_is_shared_by_two_opens),
		DRIVER_TEST(unloading_with_an_open_file_takes_the_contexts_along),
		FLT_TEST(swapped_buffer_and_offset_reach_the_volume),
		FLT_TEST(changed_disposition_opens_instead_of_overwriting),
		FLT_TEST(request_without_memory_to_show_it_fails),
		FLT_TEST(minifilters_own_requests_go_below_it),
		FLT_TEST(cancelled_open_is_closed_below_and_denied_above),
		FLT_TEST(volume_is_asked_through_an_instance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

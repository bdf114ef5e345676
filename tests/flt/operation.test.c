/* SPDX-License-Identifier: MIT */
/* Pre- and post-operation routines around an operation of a file. */
#include "filters.h"
#include "flt/name.h"
#include "flt/operation.h"
#include "ke/thread.h"
#include "ob/object.h"
#include "ps/file.h"
#include "support/bugcheck.h"
#include "support/parallel.h"
#include <ringside/io.h>

static struct minifilter high, low;
static FILE_OBJECT *file;
static struct record {
	FLT_PREOP_CALLBACK_STATUS answer;
	NTSTATUS status;
	bool change, dirty, asks;
	PFLT_CALLBACK_DATA data;
} of_high, of_low;

static VOID NTAPI told(PCFLT_RELATED_OBJECTS objects, PFLT_IO_PARAMETER_BLOCK snapshot,
		       NTSTATUS status, PVOID requester)
{
	(void)objects;
	say("told %s %u %x;", requester == &of_high ? "high" : "low",
	    snapshot->Parameters.Read.Length, status);
}

/* ---- Two minifilters -------------------------------------------------------------------- */

static FLT_PREOP_CALLBACK_STATUS before(const char *who, struct record *of, PFLT_CALLBACK_DATA data,
					PCFLT_RELATED_OBJECTS objects, PVOID *context)
{
	assert_ptr_equal(objects->Instance, data->Iopb->TargetInstance);
	assert_ptr_equal(objects->FileObject, data->Iopb->TargetFileObject);
	say("pre %s %u;", who, data->Iopb->Parameters.Read.Length);
	if (of->asks)
		assert_ntsuccess(FLT(FltRequestOperationStatusCallback)(data, told, of));
	if (of->change)
		data->Iopb->Parameters.Read.Length++;
	if (of->dirty)
		FLT(FltSetCallbackDataDirty)(data);
	if (of->answer == FLT_PREOP_COMPLETE)
		data->IoStatus.Status = of->status;
	*context = of;
	__atomic_store_n(&of->data, data, __ATOMIC_RELEASE);
	return of->answer;
}

static FLT_POSTOP_CALLBACK_STATUS after(const char *who, struct record *of, PFLT_CALLBACK_DATA data,
					PVOID context)
{
	assert_ptr_equal(context, of);
	assert_true(data->Flags & FLTFL_CALLBACK_DATA_POST_OPERATION);
	say("post %s %u %x;", who, data->Iopb->Parameters.Read.Length, data->IoStatus.Status);
	if (of->asks) /* too late */
		assert_status(FLT(FltRequestOperationStatusCallback)(data, told, of),
			      STATUS_INVALID_PARAMETER);
	return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_PREOP_CALLBACK_STATUS NTAPI before_high(PFLT_CALLBACK_DATA data,
						   PCFLT_RELATED_OBJECTS objects, PVOID *context)
{
	return before("high", &of_high, data, objects, context);
}

static FLT_POSTOP_CALLBACK_STATUS NTAPI
after_high(PFLT_CALLBACK_DATA data, PCFLT_RELATED_OBJECTS objects, PVOID context, ULONG flags)
{
	(void)objects;
	(void)flags;
	return after("high", &of_high, data, context);
}

static FLT_PREOP_CALLBACK_STATUS NTAPI before_low(PFLT_CALLBACK_DATA data,
						  PCFLT_RELATED_OBJECTS objects, PVOID *context)
{
	return before("low", &of_low, data, objects, context);
}

static FLT_POSTOP_CALLBACK_STATUS NTAPI
after_low(PFLT_CALLBACK_DATA data, PCFLT_RELATED_OBJECTS objects, PVOID context, ULONG flags)
{
	(void)objects;
	(void)flags;
	return after("low", &of_low, data, context);
}

static const FLT_OPERATION_REGISTRATION high_operations[] = {
	{.MajorFunction = IRP_MJ_READ, .PreOperation = before_high, .PostOperation = after_high},
	{.MajorFunction = IRP_MJ_WRITE, .PreOperation = before_high},
	{.MajorFunction = IRP_MJ_OPERATION_END}};
static const FLT_OPERATION_REGISTRATION low_operations[] = {
	{.MajorFunction = IRP_MJ_READ, .PreOperation = before_low, .PostOperation = after_low},
	{.MajorFunction = IRP_MJ_OPERATION_END}};
static const FLT_REGISTRATION of_the_high = {.Size = sizeof(FLT_REGISTRATION),
					     .Version = FLT_REGISTRATION_VERSION_0203,
					     .OperationRegistration = high_operations};
static const FLT_REGISTRATION of_the_low = {.Size = sizeof(FLT_REGISTRATION),
					    .Version = FLT_REGISTRATION_VERSION_0203,
					    .OperationRegistration = low_operations};

static int begin(void **state)
{
	UNICODE_STRING name = USTR(u"\\Device\\HarddiskVolume1\\bin\\true");
	said[0] = 0;
	memset(&of_high, 0, sizeof(of_high));
	memset(&of_low, 0, sizeof(of_low));
	world_documented(state);
	file = ps_create_file_object(&name);
	make_minifilter(&low, "low", "100000");
	assert_ntsuccess(register_filter(&low, &of_the_low));
	assert_ntsuccess(FLT(FltStartFiltering)(low.filter));
	make_minifilter(&high, "high", "320000");
	assert_ntsuccess(register_filter(&high, &of_the_high));
	assert_ntsuccess(FLT(FltStartFiltering)(high.filter));
	return 0;
}

static int end(void **state)
{
	drop_minifilter(&high);
	if (low.filter)
		FLT(FltUnregisterFilter)(low.filter);
	drop_driver(&low);
	ob_dereference(file);
	return world_end(state);
}

#define FLT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* What a file system would do. */
static NTSTATUS operate(UCHAR major)
{
	struct flt_io io;
	flt_begin(&io, flt_volume_at(0), file, major, KernelMode);
	io.iopb.Parameters.Read.Length = 10;
	if (flt_pre_operation(&io)) {
		say("read %u;", io.iopb.Parameters.Read.Length);
		io.data.IoStatus.Status = STATUS_END_OF_FILE;
	}
	flt_post_operation(&io);
	return io.data.IoStatus.Status;
}

/* ---- Order and outcome ---------------------------------------------------------------------- */

static void pre_goes_down_and_post_comes_up(void **state)
{
	(void)state;
	assert_status(operate(IRP_MJ_READ), STATUS_END_OF_FILE);
	assert_said("pre high 10;pre low 10;read 10;post low 10 c0000011;post high 10 c0000011;");
}

static void only_what_is_registered_is_watched(void **state)
{
	(void)state;
	assert_true(flt_watches(IRP_MJ_READ));
	assert_true(flt_watches(IRP_MJ_WRITE));
	assert_false(flt_watches(IRP_MJ_CREATE));
	operate(IRP_MJ_CREATE);
	assert_said("read 10;");
}

static void completed_operation_goes_no_further(void **state)
{
	(void)state;
	of_low.answer = FLT_PREOP_COMPLETE;
	of_low.status = STATUS_ACCESS_DENIED;
	assert_status(operate(IRP_MJ_READ), STATUS_ACCESS_DENIED);
	assert_said("pre high 10;pre low 10;post high 10 c0000022;");
	of_high.answer = FLT_PREOP_COMPLETE;
	of_high.status = STATUS_SUCCESS;
	assert_status(operate(IRP_MJ_READ), STATUS_SUCCESS);
	assert_said("pre high 10;");
}

static void routine_that_wants_no_callback_gets_none(void **state)
{
	(void)state;
	of_high.answer = FLT_PREOP_SUCCESS_NO_CALLBACK;
	operate(IRP_MJ_READ);
	assert_said("pre high 10;pre low 10;read 10;post low 10 c0000011;");
}

static void dirty_changes_go_down_and_clean_ones_nowhere(void **state)
{
	(void)state;
	of_high.change = true;
	operate(IRP_MJ_READ);
	assert_said("pre high 10;pre low 10;read 10;post low 10 c0000011;post high 10 c0000011;");
	of_high.dirty = of_low.change = of_low.dirty = true;
	operate(IRP_MJ_READ);
	assert_said("pre high 10;pre low 11;read 12;post low 12 c0000011;post high 11 c0000011;");
}

static void operation_of_a_filter_is_seen_below_it_only(void **state)
{
	(void)state;
	PFLT_INSTANCE top;
	assert_ntsuccess(FLT(FltGetTopInstance)(the_volume(), &top));
	flt_begin_below(top);
	operate(IRP_MJ_READ);
	flt_begin_below(NULL);
	FLT(FltObjectDereference)(top);
	assert_said("pre low 10;read 10;post low 10 c0000011;");
}

static void status_is_told_when_all_is_done(void **state)
{
	(void)state;
	of_high.asks = of_low.asks = of_high.change = of_high.dirty = true;
	of_low.answer = FLT_PREOP_SUCCESS_NO_CALLBACK;
	operate(IRP_MJ_READ);
	assert_said("pre high 10;pre low 11;read 11;post high 11 c0000011;"
		    "told high 10 c0000011;told low 11 c0000011;");
	of_high.answer = FLT_PREOP_COMPLETE; /* then nothing is sent down */
	operate(IRP_MJ_READ);
	assert_said("pre high 10;");
}

/* ---- Keeping one ---------------------------------------------------------------------------- */

static bool has_data(void *unused)
{
	(void)unused;
	return __atomic_load_n(&of_low.data, __ATOMIC_ACQUIRE) != NULL;
}

static void operate_elsewhere(void *argument)
{
	*(NTSTATUS *)argument = operate(IRP_MJ_READ);
}

static void pended_operation_waits_until_it_is_completed(void **state)
{
	(void)state;
	NTSTATUS status = 0;
	struct job job;
	of_low.answer = FLT_PREOP_PENDING;
	job_start(&job, operate_elsewhere, &status);
	assert_true(eventually(has_data, NULL));
	assert_true(job_is_stuck(&job));
	of_low.data->IoStatus.Status = STATUS_ACCESS_DENIED;
	FLT(FltCompletePendedPreOperation)(of_low.data, FLT_PREOP_COMPLETE, NULL);
	job_join(&job);
	assert_status(status, STATUS_ACCESS_DENIED);
	assert_said("pre high 10;pre low 10;post high 10 c0000022;");
}

static void unregister(void *argument)
{
	FltUnregisterFilter(argument);
}

static void teardown_waits_for_the_operation_in_hand(void **state)
{
	(void)state;
	NTSTATUS status = 0;
	struct job operation, teardown;
	of_low.answer = FLT_PREOP_PENDING;
	job_start(&operation, operate_elsewhere, &status);
	assert_true(eventually(has_data, NULL));
	job_start(&teardown, unregister, low.filter);
	assert_true(job_is_stuck(&teardown));
	FLT(FltCompletePendedPreOperation)(of_low.data, FLT_PREOP_SUCCESS_WITH_CALLBACK, &of_low);
	job_join(&operation);
	job_join(&teardown);
	low.filter = NULL;
	assert_said("pre high 10;pre low 10;read 10;post low 10 c0000011;post high 10 c0000011;");
	operate(IRP_MJ_READ);
	assert_said("pre high 10;read 10;post high 10 c0000011;");
}

/* ---- Questions --------------------------------------------------------------------------------- */

static void operation_says_who_and_what(void **state)
{
	(void)state;
	struct flt_io io;
	ULONG session;
	PFLT_FILE_NAME_INFORMATION info;
	flt_begin(&io, flt_volume_at(0), file, IRP_MJ_CREATE, UserMode);
	assert_int_equal(FLT(FltGetRequestorProcessId)(&io.data), 4);
	assert_ptr_equal(FLT(FltGetRequestorProcessIdEx)(&io.data), (HANDLE)4);
	assert_ntsuccess(FLT(FltGetRequestorSessionId)(&io.data, &session));
	assert_ntsuccess(FLT(FltGetFileNameInformation)(&io.data, 0x101, &info));
	FLT(FltReleaseFileNameInformation)(info);
	assert_status(FLT(FltGetFileNameInformation)(&io.data, 0x103, &info),
		      STATUS_FLT_INVALID_NAME_REQUEST); /* before the create */
	assert_int_equal(io.data.RequestorMode, UserMode);
	io.data.Thread = NULL;
	assert_int_equal(FLT(FltGetRequestorProcessId)(&io.data), 0);
	assert_true(flt_pre_operation(&io));
	flt_post_operation(&io);
	assert_string_equal(FLT(FltGetIrpName)(IRP_MJ_CLEANUP), "IRP_MJ_CLEANUP");
	assert_string_equal(FLT(FltGetIrpName)(0xFF), "IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION");
	assert_string_equal(FLT(FltGetIrpName)(0x60), " ");
}

/* ---- Mistakes ------------------------------------------------------------------------------------- */

static void write_with_callback(void *unused)
{
	(void)unused;
	operate(IRP_MJ_WRITE);
}

static void callback_that_is_not_registered_is_bug_check_f5(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0xF5, write_with_callback, NULL);
	assert_int_equal(seen->parameter[0], 0x66);
	assert_non_null(strstr(seen->detail, "IRP_MJ_WRITE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLT_TEST(pre_goes_down_and_post_comes_up),
		FLT_TEST(only_what_is_registered_is_watched),
		FLT_TEST(completed_operation_goes_no_further),
		FLT_TEST(routine_that_wants_no_callback_gets_none),
		FLT_TEST(dirty_changes_go_down_and_clean_ones_nowhere),
		FLT_TEST(operation_of_a_filter_is_seen_below_it_only),
		FLT_TEST(status_is_told_when_all_is_done),
		FLT_TEST(pended_operation_waits_until_it_is_completed),
		FLT_TEST(teardown_waits_for_the_operation_in_hand),
		FLT_TEST(operation_says_who_and_what),
		FLT_TEST(callback_that_is_not_registered_is_bug_check_f5),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Minifilters that come and go while files are read, and while they attach. */
#include "filters.h"
#include "flt/operation.h"
#include "io/folder.h"
#include "ob/handle.h"
#include "support/parallel.h"

#define THREADS 3
#define ROUNDS 150 /* comings and goings */

static struct minifilter m;
static atomic_bool stop;
static atomic_uint mistakes, lives, opened, befores, afters, contexts;

static void check(bool right)
{
	mistakes += !right;
}

/* ---- The minifilter ----------------------------------------------------------------------- */

static VOID NTAPI context_goes(PFLT_CONTEXT context, USHORT type)
{
	check(type == FLT_STREAM_CONTEXT && *(ULONG *)context == lives);
	contexts--;
}

static FLT_PREOP_CALLBACK_STATUS NTAPI before(PFLT_CALLBACK_DATA data,
					      PCFLT_RELATED_OBJECTS objects, PVOID *context)
{
	(void)data;
	(void)objects;
	*context = (void *)(uintptr_t)lives;
	befores++;
	return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS NTAPI
after(PFLT_CALLBACK_DATA data, PCFLT_RELATED_OBJECTS objects, PVOID context, ULONG flags)
{
	PFLT_CONTEXT made;
	(void)flags;
	check((uintptr_t)context == lives);
	if (data->Iopb->MajorFunction == IRP_MJ_CREATE && NT_SUCCESS(data->IoStatus.Status) &&
	    NT_SUCCESS(FltAllocateContext(objects->Filter, FLT_STREAM_CONTEXT, sizeof(ULONG), 512,
					  &made))) {
		*(ULONG *)made = lives;
		contexts++;
		FltSetStreamContext(objects->Instance, objects->FileObject,
				    FLT_SET_CONTEXT_KEEP_IF_EXISTS, made, NULL);
		FltReleaseContext(made);
	}
	afters++;
	return FLT_POSTOP_FINISHED_PROCESSING;
}

static const FLT_OPERATION_REGISTRATION operations[] = {
	{.MajorFunction = IRP_MJ_CREATE, .PreOperation = before, .PostOperation = after},
	{.MajorFunction = IRP_MJ_READ, .PreOperation = before, .PostOperation = after},
	{.MajorFunction = IRP_MJ_CLOSE, .PreOperation = before, .PostOperation = after},
	{.MajorFunction = IRP_MJ_OPERATION_END}};
static const FLT_CONTEXT_REGISTRATION kinds[] = {{.ContextType = FLT_STREAM_CONTEXT,
						  .ContextCleanupCallback = context_goes,
						  .Size = sizeof(ULONG),
						  .PoolTag = 0x65636152},
						 {.ContextType = FLT_CONTEXT_END}};
static const FLT_REGISTRATION registration = {.Size = sizeof(registration),
					      .Version = FLT_REGISTRATION_VERSION_0203,
					      .ContextRegistration = kinds,
					      .OperationRegistration = operations};

/* ---- Those who work with files ---------------------------------------------------------- */

static void read_files(void *unused)
{
	(void)unused;
	while (!stop) {
		UNICODE_STRING name = USTR(u"\\??\\C:\\note.txt");
		OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &name, OBJ_KERNEL_HANDLE};
		IO_STATUS_BLOCK result;
		HANDLE handle;
		char text[8] = "";
		NTSTATUS status = ZwCreateFile(&handle, FILE_READ_DATA | SYNCHRONIZE, &attributes,
					       &result, NULL, 0, SHARE_ALL, FILE_OPEN, SYNCHRONOUS,
					       NULL, 0);
		check(NT_SUCCESS(status));
		if (!NT_SUCCESS(status))
			continue;
		status = ZwReadFile(handle, NULL, NULL, NULL, &result, text, 5, NULL, NULL);
		check(NT_SUCCESS(status) && strcmp(text, "hello") == 0);
		check(NT_SUCCESS(ZwClose(handle)));
		opened++;
	}
}

static bool files_were_read(void *count)
{
	return opened >= *(unsigned *)count;
}

static void filter_is_left_alone_once_it_is_unregistered(void **state)
{
	struct job jobs[THREADS];
	(void)state;
	put_file("note.txt", "hello");
	stop = false;
	for (unsigned i = 0; i < THREADS; i++)
		job_start(&jobs[i], read_files, NULL);
	make_minifilter(&m, "one", "370000");
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned enough = opened + round % 5;
		check(NT_SUCCESS(FltRegisterFilter(m.driver, &registration, &m.filter)));
		check(NT_SUCCESS(FltStartFiltering(m.filter)));
		check(eventually(files_were_read, &enough));
		FltUnregisterFilter(m.filter);
		check(befores == afters);
		check(contexts == 0);
		lives++;
	}
	stop = true;
	for (unsigned i = 0; i < THREADS; i++)
		job_join(&jobs[i]);
	assert_int_equal(mistakes, 0);
	assert_true(befores > ROUNDS);
	assert_false(flt_watches(IRP_MJ_READ));
	drop_driver(&m);
}

/* ---- While it attaches ---------------------------------------------------------------------- */

static struct gate asked, answer;
static NTSTATUS answered;

static NTSTATUS NTAPI setup(PCFLT_RELATED_OBJECTS objects, ULONG flags, ULONG device,
			    FLT_FILESYSTEM_TYPE kind)
{
	(void)objects;
	(void)flags;
	(void)device;
	(void)kind;
	gate_open(&asked);
	check(gate_wait(&answer));
	return answered;
}

static const FLT_REGISTRATION slow = {.Size = sizeof(slow),
				      .Version = FLT_REGISTRATION_VERSION_0203,
				      .InstanceSetupCallback = setup};

static void start(void *filter)
{
	check(NT_SUCCESS(FltStartFiltering(filter)));
}

static void unregister(void *filter)
{
	FltUnregisterFilter(filter);
}

static void teardown_waits_for_the_setup_routine(void **state)
{
	struct job starting, ending;
	(void)state;
	gate_init(&asked);
	gate_init(&answer);
	make_minifilter(&m, "slow", "370000");
	for (unsigned i = 0; i < 2; i++) {
		answered = i ? STATUS_FLT_DO_NOT_ATTACH : STATUS_SUCCESS;
		assert_ntsuccess(register_filter(&m, &slow));
		job_start(&starting, start, m.filter);
		assert_true(gate_wait(&asked));
		job_start(&ending, unregister, m.filter);
		assert_true(job_is_stuck(&ending));
		gate_open(&answer);
		job_join(&starting);
		job_join(&ending);
	}
	assert_int_equal(mistakes, 0);
	drop_driver(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WRITE_TEST(filter_is_left_alone_once_it_is_unregistered),
		WRITE_TEST(teardown_waits_for_the_setup_routine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

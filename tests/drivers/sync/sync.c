/* SPDX-License-Identifier: MIT */
/*
 * Waits, threads, timers, DPCs, work items and locks from inside a driver. DriverEntry
 * tries them and prints the line that fails; a link to the file under another name makes
 * the mistake that the name asks for instead.
 */
#include <ntddk.h>

/* Inline in mingw's headers, imported with a current WDK. */
__declspec(dllimport) KIRQL NTAPI exported_irql(void) __asm__("KeGetCurrentIrql");

NTKERNELAPI BOOLEAN NTAPI PsIsThreadTerminating(PETHREAD thread); /* of ntifs.h */

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			DbgPrint("line %d: %s", __LINE__, #condition);                             \
			return FALSE;                                                              \
		}                                                                                  \
	} while (0)

#define ROUNDS 2000

static PDRIVER_OBJECT driver_object;
static KEVENT go, done;
static KSPIN_LOCK lock;
static ULONG counter;
static KTIMER timer;
static KDPC dpc;
static KIRQL seen_irql;
static volatile LONG calls;

static LARGE_INTEGER after(LONG milliseconds)
{
	LARGE_INTEGER time;
	time.QuadPart = -10000LL * milliseconds;
	return time;
}

static NTSTATUS wait(PVOID object)
{
	LARGE_INTEGER patience = after(10000);
	return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &patience);
}

/* ---- Threads ---------------------------------------------------------------------------- */

static VOID NTAPI count(PVOID context)
{
	KeWaitForSingleObject(&go, Executive, KernelMode, FALSE, NULL);
	for (ULONG i = 0; i < ROUNDS; i++) {
		KIRQL old;
		KeAcquireSpinLock(&lock, &old);
		counter++;
		KeReleaseSpinLock(&lock, old);
	}
	PsTerminateSystemThread((NTSTATUS)(ULONG_PTR)context);
}

static BOOLEAN start(PKSTART_ROUTINE routine, PVOID context, PKTHREAD *thread)
{
	HANDLE handle;
	CLIENT_ID id;
	OBJECT_ATTRIBUTES attributes;
	InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
	REQUIRE(NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, &attributes, NULL, &id,
						routine, context)));
	REQUIRE(id.UniqueProcess == PsGetProcessId(PsInitialSystemProcess));
	REQUIRE(NT_SUCCESS(ObReferenceObjectByHandle(handle, SYNCHRONIZE, *PsThreadType, KernelMode,
						     (PVOID *)thread, NULL)));
	REQUIRE(NT_SUCCESS(ZwClose(handle)));
	REQUIRE(PsGetThreadId((PETHREAD)*thread) == id.UniqueThread);
	return TRUE;
}

static BOOLEAN check_threads(void)
{
	PKTHREAD thread[3];
	KeInitializeEvent(&go, NotificationEvent, FALSE);
	KeInitializeSpinLock(&lock);
	for (ULONG i = 0; i < 3; i++)
		REQUIRE(start(count, (PVOID)(ULONG_PTR)(7 + i), &thread[i]));
	REQUIRE(!PsIsThreadTerminating((PETHREAD)thread[0]));
	KeSetEvent(&go, IO_NO_INCREMENT, FALSE);
	LARGE_INTEGER patience = after(10000);
	REQUIRE(KeWaitForMultipleObjects(3, (PVOID *)thread, WaitAll, Executive, KernelMode, FALSE,
					 &patience, NULL) == STATUS_WAIT_0);
	REQUIRE(counter == 3 * ROUNDS);
	for (ULONG i = 0; i < 3; i++) {
		REQUIRE(PsIsThreadTerminating((PETHREAD)thread[i]));
		ObDereferenceObject(thread[i]);
	}
	return TRUE;
}

/* ---- Timers, DPCs, work items -------------------------------------------------------------- */

static VOID NTAPI deferred(PKDPC which, PVOID context, PVOID argument1, PVOID argument2)
{
	(void)which;
	(void)argument1;
	(void)argument2;
	seen_irql = exported_irql();
	InterlockedIncrement(&calls);
	KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static BOOLEAN check_dpc(void)
{
	KeInitializeEvent(&done, SynchronizationEvent, FALSE);
	KeInitializeDpc(&dpc, deferred, &done);
	REQUIRE(KeInsertQueueDpc(&dpc, NULL, NULL));
	REQUIRE(wait(&done) == STATUS_SUCCESS);
	KeFlushQueuedDpcs();
	REQUIRE(calls == 1 && seen_irql == DISPATCH_LEVEL);
	REQUIRE(!KeRemoveQueueDpc(&dpc));
	return TRUE;
}

static BOOLEAN check_timer(void)
{
	LARGE_INTEGER zero = {.QuadPart = 0};
	calls = 0;
	KeInitializeTimerEx(&timer, SynchronizationTimer);
	REQUIRE(!KeSetTimerEx(&timer, after(5), 5, &dpc));
	for (LONG i = 0; i < 3; i++)
		REQUIRE(wait(&done) == STATUS_SUCCESS);
	REQUIRE(wait(&timer) == STATUS_SUCCESS);
	REQUIRE(KeCancelTimer(&timer));
	REQUIRE(!KeCancelTimer(&timer));
	KeFlushQueuedDpcs();
	REQUIRE(calls >= 3);
	KeInitializeTimer(&timer);
	REQUIRE(!KeSetTimer(&timer, after(60000), NULL));
	REQUIRE(KeWaitForSingleObject(&timer, Executive, KernelMode, FALSE, &zero) ==
		STATUS_TIMEOUT);
	REQUIRE(KeSetTimer(&timer, after(1), NULL));
	REQUIRE(wait(&timer) == STATUS_SUCCESS && KeReadStateTimer(&timer));
	return TRUE;
}

static WORK_QUEUE_ITEM item;

static VOID NTAPI work(PVOID context)
{
	seen_irql = exported_irql();
	KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

/* Any referenced object may stand for the device. */
static VOID NTAPI io_work(PDEVICE_OBJECT device, PVOID context)
{
	if ((PVOID)device == (PVOID)driver_object)
		KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static BOOLEAN check_work(void)
{
	seen_irql = HIGH_LEVEL;
	ExInitializeWorkItem(&item, work, &done);
	ExQueueWorkItem(&item, DelayedWorkQueue);
	REQUIRE(wait(&done) == STATUS_SUCCESS && seen_irql == PASSIVE_LEVEL);
	PIO_WORKITEM allocated = IoAllocateWorkItem((PDEVICE_OBJECT)driver_object);
	REQUIRE(allocated != NULL);
	IoQueueWorkItem(allocated, io_work, DelayedWorkQueue, &done);
	REQUIRE(wait(&done) == STATUS_SUCCESS);
	IoFreeWorkItem(allocated);
	return TRUE;
}

/* ---- Locks ------------------------------------------------------------------------------------ */

static BOOLEAN check_locks(void)
{
	KLOCK_QUEUE_HANDLE handle;
	KeAcquireInStackQueuedSpinLock(&lock, &handle);
	REQUIRE(exported_irql() == DISPATCH_LEVEL);
	REQUIRE(!KeTryToAcquireSpinLockAtDpcLevel(&lock));
	KeReleaseInStackQueuedSpinLock(&handle);
	REQUIRE(exported_irql() == PASSIVE_LEVEL);

	KMUTEX mutex;
	KeInitializeMutex(&mutex, 0);
	REQUIRE(wait(&mutex) == STATUS_SUCCESS && KeAreApcsDisabled());
	REQUIRE(KeReleaseMutex(&mutex, FALSE) == 0 && !KeAreApcsDisabled());
	return TRUE;
}

/* ---- Mistakes ----------------------------------------------------------------------------------- */

static VOID NTAPI forever(PVOID context)
{
	(void)context;
	LARGE_INTEGER interval = after(1);
	for (;;)
		KeDelayExecutionThread(KernelMode, FALSE, &interval);
}

static VOID NTAPI stay_raised(PVOID context)
{
	(void)context;
	KIRQL old;
	KeAcquireSpinLock(&lock, &old);
}

static VOID NTAPI stay_in_region(PVOID context)
{
	(void)context;
	KeEnterCriticalRegion();
}

static void leave_thread(void)
{
	HANDLE handle;
	if (NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, forever,
					    NULL)))
		ZwClose(handle);
}

static void leave_timer(void)
{
	KeInitializeTimer(&timer);
	KeSetTimer(&timer, after(60000), NULL);
}

static void queue(PWORKER_THREAD_ROUTINE routine)
{
	ExInitializeWorkItem(&item, routine, NULL);
	ExQueueWorkItem(&item, DelayedWorkQueue);
	KeInitializeEvent(&done, NotificationEvent, FALSE);
	KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
}

static void raise_in_work(void)
{
	queue(stay_raised);
}

static void region_in_work(void)
{
	queue(stay_in_region);
}

static void release_twice(void)
{
	KIRQL old;
	KeAcquireSpinLock(&lock, &old);
	KeReleaseSpinLockFromDpcLevel(&lock);
	KeReleaseSpinLock(&lock, old);
}

static void acquire_twice(void)
{
	KIRQL old;
	KeAcquireSpinLock(&lock, &old);
	KeAcquireSpinLockAtDpcLevel(&lock);
}

static void release_too_low(void)
{
	KeAcquireSpinLockAtDpcLevel(&lock);
	KeReleaseSpinLock(&lock, PASSIVE_LEVEL);
}

static void wait_with_lock(void)
{
	KIRQL old;
	KeAcquireSpinLock(&lock, &old);
	KeWaitForSingleObject(&go, Executive, KernelMode, FALSE, NULL);
}

static void bad_event(void)
{
	KeSetEvent((PKEVENT)16, IO_NO_INCREMENT, FALSE);
}

static void not_an_event(void)
{
	KeSetEvent(ExAllocatePoolWithTag(NonPagedPool, sizeof(KEVENT), 'tneV'), IO_NO_INCREMENT,
		   FALSE);
}

static void delay_too_high(void)
{
	KIRQL old;
	LARGE_INTEGER interval = after(1);
	KeAcquireSpinLock(&lock, &old);
	KeDelayExecutionThread(KernelMode, FALSE, &interval);
}

static void terminate_stranger(void)
{
	PsTerminateSystemThread(STATUS_SUCCESS);
}

static const struct {
	const WCHAR *name;
	void (*make)(void);
} mistakes[] = {
	{L"leave-thread", leave_thread},
	{L"leave-timer", leave_timer},
	{L"raise-in-work", raise_in_work},
	{L"region-in-work", region_in_work},
	{L"release-twice", release_twice},
	{L"acquire-twice", acquire_twice},
	{L"release-too-low", release_too_low},
	{L"wait-with-lock", wait_with_lock},
	{L"bad-event", bad_event},
	{L"not-an-event", not_an_event},
	{L"delay-too-high", delay_too_high},
	{L"terminate-stranger", terminate_stranger},
};

static BOOLEAN make_mistake(PUNICODE_STRING path)
{
	for (ULONG i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		UNICODE_STRING name, tail;
		RtlInitUnicodeString(&name, mistakes[i].name);
		if (path->Length < name.Length)
			continue;
		tail = name;
		tail.Buffer = (PWSTR)((PUCHAR)path->Buffer + path->Length - name.Length);
		if (!RtlEqualUnicodeString(&name, &tail, FALSE))
			continue;
		mistakes[i].make();
		return TRUE;
	}
	return FALSE;
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
	(void)driver;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	driver_object = driver;
	driver->DriverUnload = unload;
	KeInitializeSpinLock(&lock);
	KeInitializeEvent(&go, NotificationEvent, FALSE);
	if (make_mistake(path))
		return STATUS_SUCCESS;
	return check_threads() && check_dpc() && check_timer() && check_work() && check_locks()
		       ? STATUS_SUCCESS
		       : STATUS_UNSUCCESSFUL;
}

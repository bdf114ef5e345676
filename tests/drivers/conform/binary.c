/* SPDX-License-Identifier: MIT */
/*
 * The binary interface, as far as a driver can see it from inside.
 *
 * The layouts are those that the headers gave the compiler: what is checked is that this
 * very binary agrees with the contract about the structures that it exchanges with the
 * kernel. What the kernel puts in them is checked where it is received.
 *
 * Clauses: AB-1 to AB-12, AB-15 to AB-21.
 */
#include "conform.h"

int __cdecl _snprintf(char *Buffer, size_t Size, const char *Format, ...);

#define AT(Type, Field, Offset) (FIELD_OFFSET(Type, Field) == (Offset))

/* ---- The calling convention ------------------------------------------------------- */

/* What is left of doubles that a compiler keeps in registers across calls. */
static VOID CheckRegisters(VOID)
{
	volatile double source[8] = {1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5};
	double a = source[0], b = source[1], c = source[2], d = source[3];
	double e = source[4], f = source[5], g = source[6], h = source[7];

	PsSetCreateProcessNotifyRoutine((PCREATE_PROCESS_NOTIFY_ROUTINE)(ULONG_PTR)Slot(0), FALSE);
	PsSetCreateProcessNotifyRoutine((PCREATE_PROCESS_NOTIFY_ROUTINE)(ULONG_PTR)Slot(0), TRUE);
	CHECK("AB-01",
	      a == 1.5 && b == 2.5 && c == 3.5 && d == 4.5 && e == 5.5 && f == 6.5 && g == 7.5 &&
		      h == 8.5,
	      "floating point registers survive a call (inferred)");
}

typedef NTSTATUS (*SET_WIDE)(PVOID Routine, ULONG64 Remove);
typedef NTSTATUS (*SET_EX2_WIDE)(ULONG64 Type, PVOID Routine, ULONG64 Remove);
typedef NTSTATUS (*DUPLICATE_WIDE)(HANDLE SourceProcess, HANDLE Source, HANDLE TargetProcess,
				   PHANDLE Target, ULONG64 Access, ULONG64 Attributes,
				   ULONG64 Options);

#define GARBAGE_ABOVE_32 0xA5A5A5A500000000ull
#define GARBAGE_ABOVE_8 0xA5A5A5A5A5A5A500ull

/* What lies in a register or a stack slot beside the argument does not count. */
static VOID CheckNarrowArguments(VOID)
{
	SET_WIDE set = (SET_WIDE)(ULONG_PTR)FindExport(L"PsSetCreateProcessNotifyRoutine");
	SET_EX2_WIDE set2 = (SET_EX2_WIDE)(ULONG_PTR)FindExport(
		L"PsSetCreateProcessNotifyRoutineEx2");
	DUPLICATE_WIDE duplicate = (DUPLICATE_WIDE)(ULONG_PTR)FindExport(L"ZwDuplicateObject");
	HANDLE handle;

	if (set != NULL) {
		CHECK_STATUS("AB-01", set(Slot(0), GARBAGE_ABOVE_8), STATUS_SUCCESS,
			     "of a BOOLEAN argument the low 8 bits count: FALSE (inferred)");
		CHECK_STATUS("AB-01", set(Slot(0), GARBAGE_ABOVE_8 | 1), STATUS_SUCCESS,
			     "and TRUE (inferred)");
	}
	if (set2 != NULL) {
		CHECK_STATUS("AB-01", set2(GARBAGE_ABOVE_32, Slot(0), GARBAGE_ABOVE_8),
			     STATUS_SUCCESS, "of an enum the low 32 (inferred)");
		CHECK_STATUS("AB-01", set2(GARBAGE_ABOVE_32, Slot(0), GARBAGE_ABOVE_8 | 1),
			     STATUS_SUCCESS, "also in a call that removes (inferred)");
	}
	if (duplicate == NULL)
		return;
	handle = NULL;
	CHECK("AB-01",
	      NT_SUCCESS(duplicate(NtCurrentProcess(), NtCurrentProcess(), NtCurrentProcess(),
				   &handle, GARBAGE_ABOVE_32 | SYNCHRONIZE,
				   GARBAGE_ABOVE_32 | OBJ_KERNEL_HANDLE, GARBAGE_ABOVE_32)) &&
		      handle != NULL,
	      "of a ULONG on the stack too (inferred)");
	if (handle != NULL)
		ZwClose(handle);
}

static VOID CheckManyArguments(VOID)
{
	static const char expected[] = "-1 123456789abcdef0 x yz 4000000000 w";
	OBJECT_HANDLE_INFORMATION information;
	char text[64];
	HANDLE handle;
	PVOID object;

	_snprintf(text, sizeof(text), "%d %I64x %c %s %u %ws", -1, 0x123456789ABCDEF0ull, 'x', "yz",
		  4000000000u, L"w");
	CHECK("AB-01", RtlCompareMemory(text, expected, sizeof(expected)) == sizeof(expected),
	      "a variadic call passes nine arguments (inferred)");

	if (!NT_SUCCESS(ObOpenObjectByPointer(PsInitialSystemProcess, OBJ_KERNEL_HANDLE, NULL,
					      PROCESS_VM_READ, *PsProcessType, KernelMode,
					      &handle)))
		return;
	information.GrantedAccess = 0;
	if (NT_SUCCESS(ObReferenceObjectByHandle(handle, 0, *PsProcessType, KernelMode, &object,
						 &information))) {
		CHECK("AB-01",
		      object == (PVOID)PsInitialSystemProcess &&
			      information.GrantedAccess == PROCESS_VM_READ,
		      "the fifth to seventh arguments arrive, pointers among them (inferred)");
		ObDereferenceObject(object);
	}
	ZwClose(handle);
}

/* ---- What headers inline --------------------------------------------------------------- */

static VOID CheckThreadPointer(VOID)
{
	PVOID inlined = (PVOID)__readgsqword(0x188);
	PETHREAD found;

	CHECK("AB-02", inlined != NULL && inlined == (PVOID)PsGetCurrentThread(),
	      "gs:[0x188] is the current thread");
	CHECK("AB-02", PsGetThreadId((PETHREAD)inlined) == PsGetCurrentThreadId(),
	      "as exports take it");
	if (!NT_SUCCESS(PsLookupThreadByThreadId(PsGetCurrentThreadId(), &found)))
		return;
	CHECK("AB-02", (PVOID)found == inlined, "and as look-ups find it");
	ObDereferenceObject(found);
}

static VOID CheckIrql(VOID)
{
	KIRQL (*imported)(VOID) = (KIRQL(*)(VOID))(ULONG_PTR)FindExport(L"KeGetCurrentIrql");
	KIRQL seen, before;

	if (imported == NULL)
		return;
	CHECK("AB-03", __readcr8() == PASSIVE_LEVEL && imported() == PASSIVE_LEVEL,
	      "CR8 and the exported KeGetCurrentIrql agree");
	__writecr8(DISPATCH_LEVEL);
	seen = imported();
	__writecr8(PASSIVE_LEVEL);
	CHECK("AB-03", seen == DISPATCH_LEVEL && imported() == PASSIVE_LEVEL,
	      "writing CR8 sets the IRQL");
	KeRaiseIrql(APC_LEVEL, &before);
	seen = (KIRQL)__readcr8();
	KeLowerIrql(before);
	CHECK("AB-03", before == PASSIVE_LEVEL && seen == APC_LEVEL && __readcr8() == before,
	      "KeRaiseIrql and KeLowerIrql set CR8");
}

#define SHARED_INTERRUPT_TIME 0xFFFFF78000000008ull
#define SHARED_SYSTEM_TIME 0xFFFFF78000000014ull

static ULONG64 SharedTime(ULONG64 Address)
{
	return *(volatile ULONG64 *)(ULONG_PTR)Address;
}

/* More processor cycles than a clock of 64 ticks a second needs, on any machine. */
#define PATIENCE 1000000000

static BOOLEAN Moves(ULONG64 Address)
{
	ULONG64 first = SharedTime(Address);
	ULONG64 began = __rdtsc();

	while (__rdtsc() - began < PATIENCE) {
		if (SharedTime(Address) != first)
			return TRUE;
	}
	return FALSE;
}

static VOID CheckSharedPage(VOID)
{
	ULONG64 before, between, after;
	LARGE_INTEGER time;

	CHECK("AB-04", Moves(SHARED_INTERRUPT_TIME), "the interrupt time moves");
	CHECK("AB-04", Moves(SHARED_SYSTEM_TIME), "the system time moves");
	before = SharedTime(SHARED_INTERRUPT_TIME);
	between = KeQueryInterruptTime();
	after = SharedTime(SHARED_INTERRUPT_TIME);
	CHECK("AB-04", before <= between && between <= after,
	      "it agrees with KeQueryInterruptTime");
	before = SharedTime(SHARED_SYSTEM_TIME);
	KeQuerySystemTime(&time);
	after = SharedTime(SHARED_SYSTEM_TIME);
	CHECK("AB-04", before <= (ULONG64)time.QuadPart && (ULONG64)time.QuadPart <= after,
	      "it agrees with KeQuerySystemTime");
	CHECK("AB-04", PsGetProcessCreateTimeQuadPart(PsInitialSystemProcess) <= time.QuadPart,
	      "and is later than when the System process was made");
}

static VOID CheckDataImports(VOID)
{
	CHECK("AB-05",
	      PsProcessType == FindExport(L"PsProcessType") &&
		      PsThreadType == FindExport(L"PsThreadType") &&
		      ExDesktopObjectType == FindExport(L"ExDesktopObjectType"),
	      "a data import is the address of the kernel's variable");
	CHECK("AB-05",
	      *PsProcessType != NULL && *PsThreadType != NULL && *ExDesktopObjectType != NULL &&
		      *PsProcessType != *PsThreadType,
	      "which holds the pointer to the type");
	CHECK("AB-05",
	      ObGetObjectType(PsInitialSystemProcess) == *PsProcessType &&
		      ObGetObjectType(PsGetCurrentThread()) == *PsThreadType,
	      "that objects of the type have");
}

/* ---- Layouts ---------------------------------------------------------------------------- */

static VOID CheckBasicLayouts(VOID)
{
	CHECK("AB-06",
	      sizeof(UNICODE_STRING) == 16 && AT(UNICODE_STRING, MaximumLength, 2) &&
		      AT(UNICODE_STRING, Buffer, 8),
	      "UNICODE_STRING");
	CHECK("AB-06", sizeof(LIST_ENTRY) == 16 && sizeof(IO_STATUS_BLOCK) == 16,
	      "LIST_ENTRY and IO_STATUS_BLOCK");
	CHECK("AB-06", sizeof(CLIENT_ID) == 16 && AT(CLIENT_ID, UniqueThread, 8), "CLIENT_ID");
	CHECK("AB-06",
	      sizeof(OBJECT_ATTRIBUTES) == 48 && AT(OBJECT_ATTRIBUTES, RootDirectory, 8) &&
		      AT(OBJECT_ATTRIBUTES, ObjectName, 0x10) &&
		      AT(OBJECT_ATTRIBUTES, Attributes, 0x18) &&
		      AT(OBJECT_ATTRIBUTES, SecurityDescriptor, 0x20) &&
		      AT(OBJECT_ATTRIBUTES, SecurityQualityOfService, 0x28),
	      "OBJECT_ATTRIBUTES");
}

static VOID CheckObjectLayouts(VOID)
{
	CHECK("AB-07",
	      sizeof(OB_CALLBACK_REGISTRATION) == 40 &&
		      AT(OB_CALLBACK_REGISTRATION, OperationRegistrationCount, 2) &&
		      AT(OB_CALLBACK_REGISTRATION, Altitude, 8) &&
		      AT(OB_CALLBACK_REGISTRATION, RegistrationContext, 0x18) &&
		      AT(OB_CALLBACK_REGISTRATION, OperationRegistration, 0x20),
	      "OB_CALLBACK_REGISTRATION");
	CHECK("AB-07",
	      sizeof(OB_OPERATION_REGISTRATION) == 32 &&
		      AT(OB_OPERATION_REGISTRATION, Operations, 8) &&
		      AT(OB_OPERATION_REGISTRATION, PreOperation, 0x10) &&
		      AT(OB_OPERATION_REGISTRATION, PostOperation, 0x18),
	      "OB_OPERATION_REGISTRATION");
	CHECK("AB-08",
	      sizeof(OB_PRE_OPERATION_INFORMATION) == 40 &&
		      AT(OB_PRE_OPERATION_INFORMATION, Flags, 4) &&
		      AT(OB_PRE_OPERATION_INFORMATION, Object, 8) &&
		      AT(OB_PRE_OPERATION_INFORMATION, ObjectType, 0x10) &&
		      AT(OB_PRE_OPERATION_INFORMATION, CallContext, 0x18) &&
		      AT(OB_PRE_OPERATION_INFORMATION, Parameters, 0x20),
	      "OB_PRE_OPERATION_INFORMATION");
	CHECK("AB-09",
	      sizeof(OB_POST_OPERATION_INFORMATION) == 48 &&
		      AT(OB_POST_OPERATION_INFORMATION, CallContext, 0x18) &&
		      AT(OB_POST_OPERATION_INFORMATION, ReturnStatus, 0x20) &&
		      AT(OB_POST_OPERATION_INFORMATION, Parameters, 0x28),
	      "OB_POST_OPERATION_INFORMATION");
	CHECK("AB-10",
	      sizeof(OB_PRE_CREATE_HANDLE_INFORMATION) == 8 &&
		      AT(OB_PRE_CREATE_HANDLE_INFORMATION, OriginalDesiredAccess, 4) &&
		      sizeof(OB_POST_OPERATION_PARAMETERS) == 4,
	      "the parameters of a creation");
	CHECK("AB-10",
	      sizeof(OB_PRE_OPERATION_PARAMETERS) == 24 &&
		      AT(OB_PRE_DUPLICATE_HANDLE_INFORMATION, OriginalDesiredAccess, 4) &&
		      AT(OB_PRE_DUPLICATE_HANDLE_INFORMATION, SourceProcess, 8) &&
		      AT(OB_PRE_DUPLICATE_HANDLE_INFORMATION, TargetProcess, 0x10),
	      "the parameters of a duplication");
}

static VOID CheckNotifyLayouts(VOID)
{
	CHECK("AB-11",
	      sizeof(PS_CREATE_NOTIFY_INFO) == 0x48 && AT(PS_CREATE_NOTIFY_INFO, Flags, 8) &&
		      AT(PS_CREATE_NOTIFY_INFO, ParentProcessId, 0x10) &&
		      AT(PS_CREATE_NOTIFY_INFO, CreatingThreadId, 0x18) &&
		      AT(PS_CREATE_NOTIFY_INFO, FileObject, 0x28) &&
		      AT(PS_CREATE_NOTIFY_INFO, ImageFileName, 0x30) &&
		      AT(PS_CREATE_NOTIFY_INFO, CommandLine, 0x38) &&
		      AT(PS_CREATE_NOTIFY_INFO, CreationStatus, 0x40),
	      "PS_CREATE_NOTIFY_INFO");
	CHECK("AB-12",
	      sizeof(IMAGE_INFO) == 40 && AT(IMAGE_INFO, ImageBase, 8) &&
		      AT(IMAGE_INFO, ImageSelector, 0x10) && AT(IMAGE_INFO, ImageSize, 0x18) &&
		      AT(IMAGE_INFO, ImageSectionNumber, 0x20),
	      "IMAGE_INFO");
	CHECK("AB-12",
	      sizeof(IMAGE_INFO_EX) == 56 && AT(IMAGE_INFO_EX, ImageInfo, 8) &&
		      AT(IMAGE_INFO_EX, FileObject, 0x30),
	      "IMAGE_INFO_EX");
	CHECK("AB-21", sizeof(FILE_OBJECT) == 216 && AT(FILE_OBJECT, FileName, 0x58),
	      "FILE_OBJECT");
}

static VOID CheckIoLayouts(VOID)
{
	CHECK("AB-15",
	      AT(DEVICE_OBJECT, DriverObject, 8) && AT(DEVICE_OBJECT, NextDevice, 0x10) &&
		      AT(DEVICE_OBJECT, AttachedDevice, 0x18) && AT(DEVICE_OBJECT, Flags, 0x30) &&
		      AT(DEVICE_OBJECT, Characteristics, 0x34) &&
		      AT(DEVICE_OBJECT, DeviceExtension, 0x40) &&
		      AT(DEVICE_OBJECT, DeviceType, 0x48) && AT(DEVICE_OBJECT, StackSize, 0x4C) &&
		      AT(DEVICE_OBJECT, AlignmentRequirement, 0x98),
	      "DEVICE_OBJECT");
	CHECK("AB-16",
	      sizeof(IRP) == 208 && AT(IRP, IoStatus, 0x30) && AT(IRP, StackCount, 0x42) &&
		      AT(IRP, CurrentLocation, 0x43) && AT(IRP, Tail, 0x78) &&
		      AT(IRP, Tail.Overlay.CurrentStackLocation, 0xB8) &&
		      IoSizeOfIrp(3) == 208 + 72 * 3,
	      "IRP");
	CHECK("AB-16",
	      sizeof(IO_STACK_LOCATION) == 72 && AT(IO_STACK_LOCATION, Control, 3) &&
		      AT(IO_STACK_LOCATION, Parameters, 8) &&
		      AT(IO_STACK_LOCATION, DeviceObject, 0x28) &&
		      AT(IO_STACK_LOCATION, FileObject, 0x30) &&
		      AT(IO_STACK_LOCATION, CompletionRoutine, 0x38) &&
		      AT(IO_STACK_LOCATION, Context, 0x40),
	      "IO_STACK_LOCATION");
}

static VOID CheckSynchronisationLayouts(VOID)
{
	CHECK("AB-17",
	      sizeof(DISPATCHER_HEADER) == 24 && sizeof(KEVENT) == 24 && sizeof(KSEMAPHORE) == 32 &&
		      sizeof(KMUTANT) == 56 && sizeof(KTIMER) == 64,
	      "the dispatcher objects");
	CHECK("AB-17", sizeof(KDPC) == 64 && sizeof(KAPC) == 88 && sizeof(WORK_QUEUE_ITEM) == 32,
	      "KDPC, KAPC and WORK_QUEUE_ITEM");
	CHECK("AB-18",
	      sizeof(FAST_MUTEX) == 56 && AT(FAST_MUTEX, Owner, 8) &&
		      AT(FAST_MUTEX, Contention, 0x10) && AT(FAST_MUTEX, Event, 0x18) &&
		      AT(FAST_MUTEX, OldIrql, 0x30) && sizeof(KGUARDED_MUTEX) == 56,
	      "FAST_MUTEX and KGUARDED_MUTEX");
	CHECK("AB-19",
	      sizeof(KSPIN_LOCK) == 8 && sizeof(EX_PUSH_LOCK) == 8 && sizeof(EX_RUNDOWN_REF) == 8 &&
		      sizeof(KLOCK_QUEUE_HANDLE) == 24,
	      "the locks of a word, and KLOCK_QUEUE_HANDLE");
	CHECK("AB-19", sizeof(ERESOURCE) == 104, "ERESOURCE");
	CHECK("AB-19", sizeof(IO_REMOVE_LOCK) == 32, "IO_REMOVE_LOCK of a release build");
	CHECK("AB-20",
	      sizeof(SLIST_HEADER) == 16 && sizeof(NPAGED_LOOKASIDE_LIST) == 128 &&
		      sizeof(PAGED_LOOKASIDE_LIST) == 128 && sizeof(LOOKASIDE_LIST_EX) == 96,
	      "SLIST_HEADER and the look-aside lists");
}

/* The inside of a fast mutex is ABI: the header initialises it inline. */
static VOID CheckFastMutex(VOID)
{
	FAST_MUTEX mutex;
	LONG held;
	KIRQL inside;

	ExInitializeFastMutex(&mutex);
	CHECK("AB-18", mutex.Count == 1 && mutex.Owner == NULL,
	      "an initialised fast mutex has count 1");
	CHECK("AB-17",
	      mutex.Event.Header.Type == SynchronizationEvent &&
		      mutex.Event.Header.SignalState == 0 &&
		      mutex.Event.Header.WaitListHead.Flink == &mutex.Event.Header.WaitListHead,
	      "its event has the header that KeInitializeEvent gives it");
	ExAcquireFastMutex(&mutex);
	held = mutex.Count;
	inside = KeGetCurrentIrql();
	ExReleaseFastMutex(&mutex);
	CHECK("AB-18", held <= 0 && mutex.Count == 1, "acquired, its count is not 1");
	CHECK("AB-18", inside == APC_LEVEL && KeGetCurrentIrql() == PASSIVE_LEVEL,
	      "and IRQL is APC_LEVEL until it is released");
}

VOID CheckBinaryInterface(VOID)
{
	CheckRegisters();
	CheckNarrowArguments();
	CheckManyArguments();
	CheckThreadPointer();
	CheckIrql();
	CheckSharedPage();
	CheckDataImports();
	CheckBasicLayouts();
	CheckObjectLayouts();
	CheckNotifyLayouts();
	CheckIoLayouts();
	CheckSynchronisationLayouts();
	CheckFastMutex();
}

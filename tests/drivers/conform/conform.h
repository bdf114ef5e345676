/* SPDX-License-Identifier: MIT */
/*
 * Conform: a driver that holds the kernel under it to the contract.
 *
 *	driver.c	DriverEntry and unload: the order of everything
 *	parameters.c	what the registry says
 *	report.c	checks, their lines and the summary
 *	text.c		ends of names
 *
 * Made by DriverEntry itself, with nothing registered afterwards:
 *	binary.c	AB: layouts, inlined accesses, data imports, the convention
 *	driverobject.c	AB: the DRIVER_OBJECT and the module entry
 *	slots.c		64 and more routines to fill a table with
 *	psregister.c	PS: process routines, their registration and removal
 *	psothers.c	PS: the same of thread and image routines
 *	oblayers.c	object callbacks that write down what they are told
 *	obregister.c	OB: registration
 *	obaltitude.c	OB: altitudes
 *	oboperation.c	OB: what triggers, and what the callbacks are told
 *	obmask.c	OB: access masks
 *	inflight.c	OB and PS: removal while calls are in flight
 *
 * Made when something happens, from the end of DriverEntry until unload:
 *	record.c	what is known of each process, and the part it plays
 *	process.c	process routines
 *	creation.c	what they check of a creation
 *	exit.c		and of an exit
 *	busy.c		process routines that are removed while they run
 *	thread.c	thread routines
 *	image.c		image routines
 *	object.c	object callbacks
 *
 * A check is one line, CHECK("PS-06", condition, "text"). It is printed when it first
 * holds and whenever it does not, and as "not seen" at unload when it was never made.
 */
#ifndef CONFORM_H
#define CONFORM_H

#include <ntifs.h>

#define CONFORM_TAG 'fnoC'

/* ---- Checks ----------------------------------------------------------------- */

/*
 * Every check is a variable in a section of its own, which the linker lays out as an
 * array: so those that were never made are known too. All are 64 bytes large and
 * aligned; what a linker leaves between those of two object files is zero, and skipped.
 */
typedef struct DECLSPEC_ALIGN(64) _CONFORM_CHECK {
	PCSTR Clause; /* NULL: none */
	PCSTR Text;
	PCSTR File;
	ULONG Line;
	volatile LONG Passed;
	volatile LONG Failed;
} CONFORM_CHECK;
C_ASSERT(sizeof(CONFORM_CHECK) == 64);

#ifdef _MSC_VER
#pragma section("conform$a", read, write)
#pragma section("conform$b", read, write)
#pragma section("conform$c", read, write)
#define CONFORM_SECTION(Name) __declspec(allocate(Name))
#else
#define CONFORM_SECTION(Name) __attribute__((section(Name)))
#endif

/* Any IRQL. Clause is written as PS-06; a clause that the contract only infers says
 * "(inferred)" in the text. */
#define CHECK(Clause, Condition, Text)                                                             \
	do {                                                                                       \
		CONFORM_SECTION("conform$b")                                                       \
		static CONFORM_CHECK Check_ = {Clause, Text, __FILE__, __LINE__, 0, 0};            \
		ConformReport(&Check_, (Condition) ? TRUE : FALSE);                                \
	} while (0)

/* The same of a status, which is told when it is another. */
#define CHECK_STATUS(Clause, Status, Expected, Text)                                               \
	do {                                                                                       \
		CONFORM_SECTION("conform$b")                                                       \
		static CONFORM_CHECK Check_ = {Clause, Text, __FILE__, __LINE__, 0, 0};            \
		ConformReportStatus(&Check_, (Status), (Expected));                                \
	} while (0)

VOID ConformReport(CONFORM_CHECK *Check, BOOLEAN Holds);
VOID ConformReportStatus(CONFORM_CHECK *Check, NTSTATUS Status, NTSTATUS Expected);

/* Prints what was not seen, and the summary. */
VOID ConformSummarise(VOID);

/* At the level that Windows shows without being asked. */
#define ConformPrint(...)                                                                          \
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "conform: " __VA_ARGS__)

/* ---- Parameters ---------------------------------------------------------------- */

typedef struct _CONFORM_PARAMETERS {
	BOOLEAN Observed; /* Profile is "observed": what was measured, not what is documented */
	BOOLEAN Alone;    /* nobody else registers anything: numbers are exact */
	BOOLEAN Invasive; /* may change what PatchGuard watches, register from inside calls */
} CONFORM_PARAMETERS;

extern CONFORM_PARAMETERS Parameters;
VOID ConformReadParameters(PUNICODE_STRING RegistryPath);

/* ---- What headers of drivers lack ------------------------------------------------ */

NTKERNELAPI PCHAR NTAPI PsGetProcessImageFileName(PEPROCESS Process);
NTKERNELAPI HANDLE NTAPI PsGetProcessInheritedFromUniqueProcessId(PEPROCESS Process);
NTKERNELAPI POBJECT_TYPE NTAPI ObGetObjectType(PVOID Object);

/* The kernel-mode headers name few of these. */
#ifndef PROCESS_TERMINATE
#define PROCESS_TERMINATE 0x0001
#endif
#ifndef PROCESS_VM_READ
#define PROCESS_VM_READ 0x0010
#endif
#ifndef PROCESS_SET_INFORMATION
#define PROCESS_SET_INFORMATION 0x0200
#endif
#ifndef PROCESS_QUERY_INFORMATION
#define PROCESS_QUERY_INFORMATION 0x0400
#endif
#ifndef PROCESS_QUERY_LIMITED_INFORMATION
#define PROCESS_QUERY_LIMITED_INFORMATION 0x1000
#endif
#ifndef PROCESS_SET_LIMITED_INFORMATION
#define PROCESS_SET_LIMITED_INFORMATION 0x2000
#endif

/* What no callback can take away. */
#define PROCESS_RETAINED 0x101000u
#define THREAD_RETAINED 0x101800u

/* The head of what DriverSection points to (AB-14). */
typedef struct _MODULE_ENTRY {
	LIST_ENTRY InLoadOrderLinks;
	PVOID ExceptionTable;
	ULONG ExceptionTableSize;
	PVOID GpValue;
	PVOID NonPagedDebugInfo;
	PVOID DllBase;
	PVOID EntryPoint;
	ULONG SizeOfImage;
	UNICODE_STRING FullDllName;
	UNICODE_STRING BaseDllName;
	ULONG Flags;
} MODULE_ENTRY;

#define MODULE_INTEGRITY_FORCED 0x20u

extern PDRIVER_OBJECT ThisDriver;

/* Takes the integrity bit from our own module, and gives it back: what Ex and object
 * callbacks are tested for (PS-16). */
VOID ForgetIntegrity(VOID);
VOID RecallIntegrity(VOID);

/* Memory that is in no module, to be taken for a routine. NULL without memory. */
PVOID AddressInNoModule(VOID);
VOID FreeAddressInNoModule(PVOID Address);

/* The export of the kernel, or NULL. */
PVOID FindExport(PCWSTR Name);

/* What follows the last separator of either kind, and how a text ends (text.c). Texts may
 * be NULL. PASSIVE_LEVEL. */
UNICODE_STRING LastComponent(PCUNICODE_STRING Path);
BOOLEAN EndsWith(PCUNICODE_STRING Text, PCWSTR End);
BOOLEAN EndsWithString(PCUNICODE_STRING Text, PCUNICODE_STRING End);

/* ---- Groups of checks that DriverEntry makes -------------------------------------- */

VOID CheckBinaryInterface(VOID);
VOID CheckDriverObject(PUNICODE_STRING RegistryPath);
VOID CheckProcessRegistration(VOID);
VOID CheckThreadRegistration(VOID);
VOID CheckImageRegistration(VOID);
VOID CheckObjectRegistration(VOID);
VOID CheckAltitudes(VOID);
VOID CheckHandleOperations(VOID);
VOID CheckAccessMasks(VOID);
VOID CheckRemovalInFlight(VOID);

/* ---- Routines to fill tables with (slots.c) ---------------------------------------- */

#define SLOTS 70 /* a table has 64 */

/* The n-th routine, as any kind of notify routine: they differ from each other. */
PVOID Slot(ULONG Number);

/* ---- Callbacks that stay until unload ------------------------------------------------ */

NTSTATUS RegisterProcessRoutines(VOID);
VOID UnregisterProcessRoutines(VOID);
NTSTATUS RegisterThreadRoutines(VOID);
VOID UnregisterThreadRoutines(VOID);
NTSTATUS RegisterImageRoutines(VOID);
VOID UnregisterImageRoutines(VOID);
NTSTATUS RegisterObjectCallbacks(VOID);
VOID UnregisterObjectCallbacks(VOID);

#endif

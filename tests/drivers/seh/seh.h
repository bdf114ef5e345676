/* SPDX-License-Identifier: MIT */
/*
 * What this driver needs of the kernel, declared by hand: mingw's headers are not for
 * this compiler's binary interface.
 */
#ifndef SEH_H
#define SEH_H

typedef unsigned long long ULONG64, SIZE_T;
typedef unsigned int ULONG;
typedef int NTSTATUS, LONG;
typedef unsigned short USHORT, WCHAR;
typedef unsigned char UCHAR, BOOLEAN, KIRQL;

#define STATUS_ACCESS_VIOLATION ((NTSTATUS)0xC0000005)
#define STATUS_INTEGER_DIVIDE_BY_ZERO ((NTSTATUS)0xC0000094)
#define STATUS_DATATYPE_MISALIGNMENT ((NTSTATUS)0x80000002)
#define STATUS_BREAKPOINT ((NTSTATUS)0x80000003)
#define STATUS_ASSERTION_FAILURE ((NTSTATUS)0xC0000420)
#define STATUS_PRIVILEGED_INSTRUCTION ((NTSTATUS)0xC0000096)
#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xC0000001)
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)

#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

struct exception_record {
	NTSTATUS code;
	ULONG flags;
	struct exception_record *next;
	void *address;
	ULONG count;
	ULONG64 information[15];
};

struct xmm {
	ULONG64 low, high;
} __attribute__((aligned(16)));

struct context {
	ULONG64 home[6];
	ULONG context_flags, mxcsr;
	USHORT cs, ds, es, fs, gs, ss;
	ULONG eflags;
	ULONG64 debug[6];
	ULONG64 rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15, rip;
	UCHAR floats[0xA0];
	struct xmm xmm[16];
	UCHAR rest[0x4D0 - 0x2A0];
} __attribute__((aligned(16)));

struct exception_pointers {
	struct exception_record *record;
	struct context *context;
};

/* clang's names for what a filter can ask. */
#define exception_pointers() ((struct exception_pointers *)__exception_info())
#define exception_code() ((NTSTATUS)__exception_code())

typedef struct {
	USHORT length, maximum;
	WCHAR *buffer;
} UNICODE_STRING;

struct driver_object {
	UCHAR before[0x68];
	void (*unload)(struct driver_object *);
};

#define IMPORT __declspec(dllimport)
IMPORT ULONG DbgPrint(const char *format, ...);
IMPORT void RtlCopyUnicodeString(UNICODE_STRING *to, const UNICODE_STRING *from);
IMPORT void ExRaiseStatus(NTSTATUS status);
IMPORT void RtlRaiseStatus(NTSTATUS status);
IMPORT void ExRaiseAccessViolation(void);
IMPORT void ExRaiseDatatypeMisalignment(void);
IMPORT void RtlRaiseException(struct exception_record *record);
IMPORT void RtlCaptureContext(struct context *context);
IMPORT void RtlRestoreContext(struct context *context, struct exception_record *record);
IMPORT void ProbeForRead(const volatile void *address, SIZE_T length, ULONG alignment);
IMPORT void ProbeForWrite(volatile void *address, SIZE_T length, ULONG alignment);
IMPORT BOOLEAN MmIsAddressValid(void *address);
IMPORT ULONG64 MmUserProbeAddress;
IMPORT USHORT RtlCaptureStackBackTrace(ULONG skip, ULONG count, void **to, ULONG *hash);
IMPORT ULONG RtlWalkFrameChain(void **to, ULONG count, ULONG flags);
IMPORT void *RtlPcToFileHeader(void *pc, void **base);
IMPORT void *RtlLookupFunctionEntry(ULONG64 pc, ULONG64 *base, void *history);
IMPORT KIRQL KeGetCurrentIrql(void);
IMPORT KIRQL KfRaiseIrql(KIRQL irql);
IMPORT void KfLowerIrql(KIRQL irql);
IMPORT BOOLEAN KeAreApcsDisabled(void);
IMPORT NTSTATUS PsSetCreateProcessNotifyRoutine(void *routine, BOOLEAN remove);
IMPORT void qsort(void *base, SIZE_T count, SIZE_T size,
		  int (*compare)(const void *, const void *));

/* registers.s: calls `function`(argument) with values of its own in every register that a
 * call must keep; how many of them are other ones afterwards. */
ULONG count_lost_registers(void (*function)(void *), void *argument);

/* epilogue.s: what version 2 of unwind information describes. */
void fault_in_epilogue(void (*function)(void));
void call_through_version_2(void (*function)(void));

void check(const char *what, BOOLEAN good);
#define CHECK(condition) check(__func__, !!(condition))

#define NOINLINE __attribute__((noinline))

void test_handlers(void);
void test_exports(void);
void test_unwinds(void);
void test_registers(void);
void test_walks(void);

extern volatile ULONG zero;
NOINLINE ULONG read_at(const volatile ULONG *address);
NOINLINE void write_at(volatile ULONG *address, ULONG value);
NOINLINE ULONG divide(ULONG by);

#endif

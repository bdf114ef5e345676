/* SPDX-License-Identifier: MIT */
/*
 * A driver that imports what is not there, reaches it in each of the ways that compilers
 * and linkers know, and asks at run time for what may be there or not. DriverEntry calls
 * and returns what the calls did, or STATUS_UNSUCCESSFUL if one of them did not keep what
 * Windows' convention has kept.
 */
#include <ntddk.h>

/* Through the slot itself. */
__declspec(dllimport) NTSTATUS NTAPI ExNobodyHasThis(ULONG number);

/* Through the linker's stub, which jumps through the slot. */
NTSTATUS NTAPI PsNobodyHasThat(ULONG number);
NTSTATUS NTAPI ObNobodyHasThese(ULONG number);

/* Not called, but kept as an address. */
NTSTATUS(NTAPI *const kept)(ULONG) = ObNobodyHasThese;

NTSTATUS call_from_a_loop(void);
__attribute__((noinline)) NTSTATUS call_from_a_loop(void)
{
	volatile ULONG count = 3; /* so that it stays one place in the code */
	NTSTATUS status = 0;
	for (ULONG i = 0; i < count; i++)
		status = ExNobodyHasThis(i);
	return status;
}

NTSTATUS call_through_a_stub(void);
__attribute__((noinline)) NTSTATUS call_through_a_stub(void)
{
	return PsNobodyHasThat(1); /* and that by a tail call */
}

/* rsi, rdi and xmm6 belong to the caller. */
static BOOLEAN keeps_registers(void)
{
	ULONG64 rsi = 0x1111, rdi = 0x2222, xmm6 = 0;
	__asm__ volatile("movq %%rsi, %%xmm6\n\t"
			 "subq $32, %%rsp\n\t"
			 "call *__imp_ExNobodyHasThis(%%rip)\n\t"
			 "addq $32, %%rsp\n\t"
			 "movq %%xmm6, %2"
			 : "+S"(rsi), "+D"(rdi), "=r"(xmm6)
			 :
			 : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "xmm6", "memory");
	return rsi == 0x1111 && rdi == 0x2222 && xmm6 == 0x1111;
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
	UNREFERENCED_PARAMETER(driver);
}

static void look_up(PCWSTR name)
{
	UNICODE_STRING string;
	RtlInitUnicodeString(&string, name);
	DbgPrint("%ws is %s", name, MmGetSystemRoutineAddress(&string) ? "here" : "not here");
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	UNREFERENCED_PARAMETER(path);
	driver->DriverUnload = unload;
	look_up(L"PsSetCreateProcessNotifyRoutineEx2");
	look_up(L"ZwNobodyHasThisYet");
	NTSTATUS status = call_from_a_loop();
	return call_through_a_stub() == status && keeps_registers() ? status : STATUS_UNSUCCESSFUL;
}

/* SPDX-License-Identifier: MIT */
/*
 * What mingw's headers inline into a driver: IRQL as CR8, the current thread at gs:[0x188]
 * and the shared data page. DriverEntry compares them with what the exports say; the
 * line of a comparison that fails is printed and makes it fail.
 */
#include <ntddk.h>

/* The exports that the headers' inline functions hide. */
extern KIRQL(NTAPI *__imp_KeGetCurrentIrql)(void);
extern PKTHREAD(NTAPI *__imp_KeGetCurrentThread)(void);
extern KIRQL(NTAPI *__imp_KfRaiseIrql)(KIRQL irql);
extern VOID(NTAPI *__imp_KfLowerIrql)(KIRQL irql);

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			DbgPrint("line %d: %s", __LINE__, #condition);                             \
			return FALSE;                                                              \
		}                                                                                  \
	} while (0)

static BOOLEAN check_irql(void)
{
	KIRQL old, inner;
	REQUIRE(KeGetCurrentIrql() == PASSIVE_LEVEL);
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	REQUIRE(old == PASSIVE_LEVEL);
	REQUIRE(__imp_KeGetCurrentIrql() == DISPATCH_LEVEL);
	KeRaiseIrql(HIGH_LEVEL, &inner);
	REQUIRE(inner == DISPATCH_LEVEL && KeGetCurrentIrql() == HIGH_LEVEL);
	KeLowerIrql(inner);
	KeLowerIrql(old);
	REQUIRE(__imp_KeGetCurrentIrql() == PASSIVE_LEVEL);
	old = __imp_KfRaiseIrql(APC_LEVEL);
	REQUIRE(KeGetCurrentIrql() == APC_LEVEL);
	__imp_KfLowerIrql(old);
	REQUIRE(KeGetCurrentIrql() == PASSIVE_LEVEL);
	return TRUE;
}

static BOOLEAN check_thread(void)
{
	REQUIRE(KeGetCurrentThread() != NULL);
	REQUIRE(KeGetCurrentThread() == __imp_KeGetCurrentThread());
	REQUIRE((PKTHREAD)PsGetCurrentThread() == KeGetCurrentThread());
	return TRUE;
}

static BOOLEAN check_shared_data(void)
{
	REQUIRE(SharedUserData->NtMajorVersion == 10 && SharedUserData->NtMinorVersion == 0);
	REQUIRE(SharedUserData->ProductTypeIsValid);
	REQUIRE(SharedUserData->NtSystemRoot[0] == L'C' && SharedUserData->NtSystemRoot[1] == L':');
	REQUIRE(!SharedUserData->KdDebuggerEnabled);
	REQUIRE(SharedUserData->ProcessorFeatures[PF_XMMI64_INSTRUCTIONS_AVAILABLE]);
	REQUIRE(SharedUserData->ProcessorFeatures[PF_NX_ENABLED]);

	LARGE_INTEGER before, after, ticks;
	ULONG64 interrupt_before = KeQueryInterruptTime();
	KeQuerySystemTime(&before);
	KeQuerySystemTime(&after);
	ULONG64 interrupt_after = KeQueryInterruptTime();
	KeQueryTickCount(&ticks);
	REQUIRE(after.QuadPart >= before.QuadPart);
	REQUIRE(interrupt_after >= interrupt_before);
	REQUIRE((ULONG64)ticks.QuadPart >= interrupt_after / 156250);
	DbgPrint("time %I64d", after.QuadPart);
	return TRUE;
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
	(void)driver;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	(void)path;
	driver->DriverUnload = unload;
	return check_irql() && check_thread() && check_shared_data() ? STATUS_SUCCESS
								     : STATUS_UNSUCCESSFUL;
}

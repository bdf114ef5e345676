/* SPDX-License-Identifier: MIT */
/*
 * Remove locks.
 *
 * IoCount is changed atomically and begins at 1, which the removal takes away; whoever
 * takes the last one sets the event. An acquisition counts first and looks at Removed
 * then, the removal sets Removed first: so one of the two sees the other.
 */
#include "io/removelock.h"
#include "ke/bugcheck.h"
#include "ke/wait.h"

VOID NTAPI IoInitializeRemoveLockEx(PIO_REMOVE_LOCK Lock, ULONG AllocateTag, ULONG MaxLockedMinutes,
				    ULONG HighWatermark, ULONG RemlockSize)
{
	(void)AllocateTag;
	(void)MaxLockedMinutes;
	(void)HighWatermark;
	(void)RemlockSize;
	Lock->Removed = FALSE;
	Lock->IoCount = 1;
	KeInitializeEvent(&Lock->RemoveEvent, SynchronizationEvent, FALSE);
}

/* How many are left. */
static LONG drop(PIO_REMOVE_LOCK lock)
{
	LONG left = __atomic_sub_fetch(&lock->IoCount, 1, __ATOMIC_SEQ_CST);
	if (left < 0 || (left == 0 && !__atomic_load_n(&lock->Removed, __ATOMIC_SEQ_CST)))
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, (uintptr_t)lock, (ULONG)left, 0, 0,
			     "a remove lock was released more often than acquired");
	if (left == 0)
		KeSetEvent(&lock->RemoveEvent, 0, FALSE);
	return left;
}

NTSTATUS NTAPI IoAcquireRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, PCSTR File, ULONG Line,
				     ULONG RemlockSize)
{
	(void)Tag;
	(void)File;
	(void)Line;
	(void)RemlockSize;
	__atomic_add_fetch(&RemoveLock->IoCount, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&RemoveLock->Removed, __ATOMIC_SEQ_CST))
		return STATUS_SUCCESS;
	drop(RemoveLock);
	return STATUS_DELETE_PENDING;
}

VOID NTAPI IoReleaseRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, ULONG RemlockSize)
{
	(void)Tag;
	(void)RemlockSize;
	drop(RemoveLock);
}

VOID NTAPI IoReleaseRemoveLockAndWaitEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, ULONG RemlockSize)
{
	(void)Tag;
	(void)RemlockSize;
	__atomic_store_n(&RemoveLock->Removed, TRUE, __ATOMIC_SEQ_CST);
	drop(RemoveLock);
	if (drop(RemoveLock) > 0)
		KeWaitForSingleObject(&RemoveLock->RemoveEvent, 0, KernelMode, FALSE, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Remove locks: how a driver waits until nobody uses a device any more. */
#ifndef RINGSIDE_IO_REMOVELOCK_H
#define RINGSIDE_IO_REMOVELOCK_H

#include "ke/event.h"

typedef struct _IO_REMOVE_LOCK {
	BOOLEAN Removed, Reserved[3];
	LONG IoCount; /* users, and one until the removal */
	KEVENT RemoveEvent;
	/* A checked build's has more behind, which is not used. */
} IO_REMOVE_LOCK, *PIO_REMOVE_LOCK;
_Static_assert(sizeof(IO_REMOVE_LOCK) == 32, "AB-19");

VOID NTAPI IoInitializeRemoveLockEx(PIO_REMOVE_LOCK Lock, ULONG AllocateTag, ULONG MaxLockedMinutes,
				    ULONG HighWatermark, ULONG RemlockSize);
NTSTATUS NTAPI IoAcquireRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, PCSTR File, ULONG Line,
				     ULONG RemlockSize);
VOID NTAPI IoReleaseRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, ULONG RemlockSize);
VOID NTAPI IoReleaseRemoveLockAndWaitEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, ULONG RemlockSize);

#endif

/* SPDX-License-Identifier: MIT */
/* Push locks as minifilters have them: they enter a critical region themselves. */
#ifndef RINGSIDE_FLT_LOCK_H
#define RINGSIDE_FLT_LOCK_H

#include "ex/pushlock.h"

VOID NTAPI FltInitializePushLock(PEX_PUSH_LOCK PushLock);
VOID NTAPI FltDeletePushLock(PEX_PUSH_LOCK PushLock);
VOID NTAPI FltAcquirePushLockExclusive(PEX_PUSH_LOCK PushLock);
VOID NTAPI FltAcquirePushLockShared(PEX_PUSH_LOCK PushLock);
VOID NTAPI FltReleasePushLock(PEX_PUSH_LOCK PushLock);
/* Flags choose only how NT waits. */
VOID NTAPI FltAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID NTAPI FltAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID NTAPI FltReleasePushLockEx(PEX_PUSH_LOCK PushLock, ULONG Flags);

#endif

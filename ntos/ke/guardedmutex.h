/* SPDX-License-Identifier: MIT */
/* Guarded mutexes: fast mutexes that keep APCs out by a guarded region. */
#ifndef RINGSIDE_KE_GUARDEDMUTEX_H
#define RINGSIDE_KE_GUARDEDMUTEX_H

#include "ex/fastmutex.h"

typedef FAST_MUTEX KGUARDED_MUTEX, *PKGUARDED_MUTEX;

VOID NTAPI KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex);
VOID NTAPI KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex);
VOID NTAPI KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex);
BOOLEAN NTAPI KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex);
/* For callers that are in a guarded region, or at APC_LEVEL, already. */
VOID NTAPI KeAcquireGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex);
VOID NTAPI KeReleaseGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex);

#endif

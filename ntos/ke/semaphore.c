/* SPDX-License-Identifier: MIT */
/* Semaphores. The count is under the dispatcher lock; the limit never changes. */
#include "ke/semaphore.h"
#include "ke/raise.h"

VOID NTAPI KeInitializeSemaphore(PKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
	ke_init_header(&Semaphore->Header, KE_SEMAPHORE, sizeof(*Semaphore), Count);
	Semaphore->Limit = Limit;
}

LONG NTAPI KeReleaseSemaphore(PKSEMAPHORE Semaphore, LONG Increment, LONG Adjustment, BOOLEAN Wait)
{
	(void)Increment;
	(void)Wait;
	LONG after;
	ke_enter_dispatcher(&Semaphore->Header, "KeReleaseSemaphore");
	LONG before = Semaphore->Header.SignalState;
	if (__builtin_add_overflow(before, Adjustment, &after) || after < before ||
	    after > Semaphore->Limit) {
		ke_unlock_dispatcher();
		ke_raise_status(STATUS_SEMAPHORE_LIMIT_EXCEEDED,
				"KeReleaseSemaphore beyond the semaphore's limit");
	}
	Semaphore->Header.SignalState = after;
	ke_signal(&Semaphore->Header);
	ke_unlock_dispatcher();
	return before;
}

LONG NTAPI KeReadStateSemaphore(PKSEMAPHORE Semaphore)
{
	ke_enter_dispatcher(&Semaphore->Header, "KeReadStateSemaphore");
	LONG state = Semaphore->Header.SignalState;
	ke_unlock_dispatcher();
	return state;
}

/* SPDX-License-Identifier: MIT */
/*
 * Kernel mutexes.
 *
 * The owner may wait for its mutex again and has to release it as often. From the
 * first to the last of these the owner is in a critical region, which it enters and
 * leaves itself: the count belongs to the thread alone. A thread must not end with a
 * mutex; for that the owner's list is kept. All under the dispatcher lock.
 */
#include "ke/mutex.h"
#include "ke/bugcheck.h"
#include "ke/list.h"
#include "ke/raise.h"
#include "ke/thread.h"

VOID NTAPI KeInitializeMutex(PKMUTEX Mutex, ULONG Level)
{
	(void)Level; /* of NT 3: not looked at any more */
	*Mutex = (KMUTANT){.ApcDisable = 1};
	ke_init_header(&Mutex->Header, KE_MUTANT, sizeof(*Mutex), 1);
}

LONG ke_take_mutant(PKMUTANT mutant, struct ke_thread *thread)
{
	if (--mutant->Header.SignalState != 0)
		return 0; /* it has it already */
	mutant->OwnerThread = thread;
	list_add_last(&thread->mutants, &mutant->MutantListEntry);
	return mutant->ApcDisable;
}

/* Under the lock. Returns the critical regions to leave. */
static LONG give_back(PKMUTANT mutant)
{
	if (++mutant->Header.SignalState != 1)
		return 0;
	list_remove(&mutant->MutantListEntry);
	mutant->OwnerThread = NULL;
	ke_signal(&mutant->Header);
	return mutant->ApcDisable;
}

LONG NTAPI KeReleaseMutex(PKMUTEX Mutex, BOOLEAN Wait)
{
	(void)Wait;
	ke_enter_dispatcher(&Mutex->Header, "KeReleaseMutex");
	if (Mutex->OwnerThread != ke_thread_of(ke_current_thread())) {
		ke_unlock_dispatcher();
		ke_raise_status(STATUS_MUTANT_NOT_OWNED, "KeReleaseMutex of a mutex that the "
							 "thread does not own");
	}
	LONG before = Mutex->Header.SignalState;
	LONG regions = give_back(Mutex);
	ke_unlock_dispatcher();
	while (regions--)
		KeLeaveCriticalRegion();
	return before;
}

LONG NTAPI KeReadStateMutex(PKMUTEX Mutex)
{
	ke_enter_dispatcher(&Mutex->Header, "KeReadStateMutex");
	LONG state = Mutex->Header.SignalState;
	ke_unlock_dispatcher();
	return state;
}

void ke_check_no_mutex_held(struct ke_thread *thread)
{
	ke_lock_dispatcher();
	const void *held = list_empty(&thread->mutants) ? NULL : thread->mutants.Flink;
	ke_unlock_dispatcher();
	if (held)
		KE_BUG_CHECK(KE_THREAD_TERMINATE_HELD_MUTEX, thread,
			     LIST_OWNER(held, KMUTANT, MutantListEntry), 0, 0,
			     "a thread ended while it held a mutex");
}

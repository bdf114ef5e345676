/* SPDX-License-Identifier: MIT */
/*
 * Cancelling.
 *
 * The cancel lock is a spin lock that drivers hold at DISPATCH_LEVEL: IoCancelIrp takes it
 * and the driver's cancel routine gives it back. Drivers set and take CancelRoutine with
 * an exchange, so whoever gets it out of the IRP is the one who may use it. The
 * host thread that holds the lock is kept, because acquiring twice hangs a real system
 * and a release without holding it corrupts one.
 */
#include "io/irp.h"
#include "ke/bugcheck.h"
#include "ke/callout.h"
#include "ke/thread.h"
#include "ps/process.h"
#include <sched.h>

static struct ke_processor *_Atomic holder;

VOID NTAPI IoAcquireCancelSpinLock(PKIRQL Irql)
{
	struct ke_processor *self = ke_processor(), *nobody = NULL;
	*Irql = ke_set_irql(DISPATCH_LEVEL);
	if (atomic_load(&holder) == self)
		KE_BUG_CHECK(KE_SPIN_LOCK_ALREADY_OWNED, (uintptr_t)&holder, 0, 0, 0,
			     "the cancel spin lock was acquired by the thread that holds it");
	while (!atomic_compare_exchange_weak(&holder, &nobody, self)) {
		nobody = NULL;
		sched_yield();
	}
}

VOID NTAPI IoReleaseCancelSpinLock(KIRQL Irql)
{
	if (atomic_load(&holder) != ke_processor())
		KE_BUG_CHECK(KE_SPIN_LOCK_NOT_OWNED, (uintptr_t)&holder, 0, 0, 0,
			     "the cancel spin lock was released by a thread that does not hold it");
	atomic_store(&holder, NULL);
	ke_set_irql(Irql);
}

static void call_routine(PDRIVER_CANCEL routine, PIRP irp, KIRQL irql)
{
	struct ke_callout callout;
	ke_callout_begin(&callout, "cancel routine", (const void *)routine, DISPATCH_LEVEL);
	routine(irp->Tail.CurrentStackLocation->DeviceObject, irp);
	if (atomic_load(&holder) == ke_processor())
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x40009, (uintptr_t)&holder, 0,
			     0, "a cancel routine returned without releasing the cancel spin lock");
	callout.irql = irql;
	ke_callout_end(&callout, irql);
}

bool io_cancel(PIRP irp)
{
	KIRQL irql;
	IoAcquireCancelSpinLock(&irql);
	irp->Cancel = TRUE;
	PDRIVER_CANCEL routine = __atomic_exchange_n(&irp->CancelRoutine, NULL, __ATOMIC_ACQ_REL);
	if (!routine) {
		IoReleaseCancelSpinLock(irql);
		return false;
	}
	irp->CancelIrql = irql;
	call_routine(routine, irp, irql);
	return true;
}

BOOLEAN NTAPI IoCancelIrp(PIRP Irp)
{
	if (Irp->Type != IO_TYPE_IRP || Irp->CurrentLocation > Irp->StackCount + 1)
		KE_BUG_CHECK(KE_CANCEL_STATE_IN_COMPLETED_IRP, (uintptr_t)Irp, 0, 0, 0,
			     "IoCancelIrp of a request that is complete");
	return io_cancel(Irp);
}

/* ---- Whose it is ------------------------------------------------------------------------ */

PEPROCESS NTAPI IoGetRequestorProcess(PIRP Irp)
{
	return Irp->Tail.Thread ? Irp->Tail.Thread->process : NULL;
}

ULONG NTAPI IoGetRequestorProcessId(PIRP Irp)
{
	PEPROCESS process = IoGetRequestorProcess(Irp);
	return process ? (ULONG)process->id : 0;
}

BOOLEAN NTAPI IoIs32bitProcess(PIRP Irp)
{
	if (Irp && Irp->RequestorMode == KernelMode)
		return FALSE;
	PEPROCESS process = Irp ? IoGetRequestorProcess(Irp) : PsGetCurrentProcess();
	return process && process->wow64;
}

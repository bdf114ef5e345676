/* SPDX-License-Identifier: MIT */
/*
 * Cancel-safe queues.
 *
 * The driver keeps the list and the lock; here is who may have a request. Whoever takes
 * the cancel routine out of the IRP owns it: the queue, when it removes the request, or
 * IoCancelIrp, whose routine then removes and completes it as cancelled. While a request is in
 * the queue the last DriverContext points to the queue or, when the driver gave
 * one, to the context of the request, which leads there and back.
 */
#include "io/csq.h"
#include "io/irp.h"

#define CONTEXT_OF(irp) ((irp)->Tail.DriverContext[3])

static PDRIVER_CANCEL exchange_routine(PIRP irp, PDRIVER_CANCEL routine)
{
	return __atomic_exchange_n(&irp->CancelRoutine, routine, __ATOMIC_ACQ_REL);
}

static NTSTATUS init(PIO_CSQ csq, ULONG type)
{
	csq->Type = type;
	csq->ReservePointer = NULL;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoCsqInitialize(PIO_CSQ Csq, IO_CSQ_INSERT_IRP *CsqInsertIrp,
			       IO_CSQ_REMOVE_IRP *CsqRemoveIrp,
			       IO_CSQ_PEEK_NEXT_IRP *CsqPeekNextIrp,
			       IO_CSQ_ACQUIRE_LOCK *CsqAcquireLock,
			       IO_CSQ_RELEASE_LOCK *CsqReleaseLock,
			       IO_CSQ_COMPLETE_CANCELED_IRP *CsqCompleteCanceledIrp)
{
	Csq->Insert = CsqInsertIrp;
	Csq->Remove = CsqRemoveIrp;
	Csq->PeekNext = CsqPeekNextIrp;
	Csq->Acquire = CsqAcquireLock;
	Csq->Release = CsqReleaseLock;
	Csq->CompleteCanceled = CsqCompleteCanceledIrp;
	return init(Csq, IO_TYPE_CSQ);
}

NTSTATUS NTAPI IoCsqInitializeEx(PIO_CSQ Csq, IO_CSQ_INSERT_IRP_EX *CsqInsertIrp,
				 IO_CSQ_REMOVE_IRP *CsqRemoveIrp,
				 IO_CSQ_PEEK_NEXT_IRP *CsqPeekNextIrp,
				 IO_CSQ_ACQUIRE_LOCK *CsqAcquireLock,
				 IO_CSQ_RELEASE_LOCK *CsqReleaseLock,
				 IO_CSQ_COMPLETE_CANCELED_IRP *CsqCompleteCanceledIrp)
{
	IoCsqInitialize(Csq, NULL, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock, CsqReleaseLock,
			CsqCompleteCanceledIrp);
	Csq->InsertEx = CsqInsertIrp;
	return init(Csq, IO_TYPE_CSQ_EX);
}

static PIO_CSQ queue_of(PIRP irp, PIO_CSQ_IRP_CONTEXT *context)
{
	PIO_CSQ csq = CONTEXT_OF(irp);
	*context = NULL;
	if (csq->Type != IO_TYPE_CSQ_IRP_CONTEXT)
		return csq;
	*context = CONTEXT_OF(irp);
	return (*context)->Csq;
}

static void leave(PIRP irp, PIO_CSQ_IRP_CONTEXT context)
{
	CONTEXT_OF(irp) = NULL;
	if (context)
		context->Irp = NULL;
}

/* Called with the cancel lock, which belongs outside of the driver's. */
static VOID NTAPI cancel_queued(PDEVICE_OBJECT device, PIRP irp)
{
	PIO_CSQ_IRP_CONTEXT context;
	KIRQL irql;
	(void)device;
	IoReleaseCancelSpinLock(irp->CancelIrql);
	PIO_CSQ csq = queue_of(irp, &context);
	csq->Acquire(csq, &irql);
	csq->Remove(csq, irp);
	leave(irp, context);
	csq->Release(csq, irql);
	csq->CompleteCanceled(csq, irp);
}

static NTSTATUS insert(PIO_CSQ csq, PIRP irp, PVOID insert_context)
{
	if (csq->Type == IO_TYPE_CSQ_EX)
		return csq->InsertEx(csq, irp, insert_context);
	csq->Insert(csq, irp);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoCsqInsertIrpEx(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context,
				PVOID InsertContext)
{
	KIRQL irql;
	bool cancelled = false;
	if (Context)
		*Context = (IO_CSQ_IRP_CONTEXT){IO_TYPE_CSQ_IRP_CONTEXT, Irp, Csq};
	CONTEXT_OF(Irp) = Context ? (PVOID)Context : (PVOID)Csq;
	Csq->Acquire(Csq, &irql);
	NTSTATUS status = insert(Csq, Irp, InsertContext);
	if (NT_SUCCESS(status)) {
		/* Before it can be cancelled, since completing it looks at the mark. */
		Irp->Tail.CurrentStackLocation->Control |= SL_PENDING_RETURNED;
		exchange_routine(Irp, cancel_queued);
		/* Cancelled before there was a routine: unless IoCancelIrp has taken it
		 * since, nobody else will. */
		cancelled = __atomic_load_n(&Irp->Cancel, __ATOMIC_ACQUIRE) &&
			    exchange_routine(Irp, NULL);
		if (cancelled) {
			Csq->Remove(Csq, Irp);
			leave(Irp, Context);
		}
	} else {
		leave(Irp, Context);
	}
	Csq->Release(Csq, irql);
	if (cancelled)
		Csq->CompleteCanceled(Csq, Irp);
	return status;
}

VOID NTAPI IoCsqInsertIrp(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context)
{
	IoCsqInsertIrpEx(Csq, Irp, Context, NULL);
}

/* Under the driver's lock: whether the request is the caller's now. */
static bool take(PIO_CSQ csq, PIRP irp)
{
	PIO_CSQ_IRP_CONTEXT context;
	if (!exchange_routine(irp, NULL))
		return false; /* being cancelled */
	csq->Remove(csq, irp);
	queue_of(irp, &context);
	leave(irp, context);
	return true;
}

PIRP NTAPI IoCsqRemoveNextIrp(PIO_CSQ Csq, PVOID PeekContext)
{
	KIRQL irql;
	Csq->Acquire(Csq, &irql);
	PIRP irp = Csq->PeekNext(Csq, NULL, PeekContext);
	while (irp && !take(Csq, irp))
		irp = Csq->PeekNext(Csq, irp, PeekContext);
	Csq->Release(Csq, irql);
	return irp;
}

PIRP NTAPI IoCsqRemoveIrp(PIO_CSQ Csq, PIO_CSQ_IRP_CONTEXT Context)
{
	KIRQL irql;
	Csq->Acquire(Csq, &irql);
	PIRP irp = Context->Irp;
	if (irp && !take(Csq, irp))
		irp = NULL;
	Csq->Release(Csq, irql);
	return irp;
}

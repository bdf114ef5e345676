/* SPDX-License-Identifier: MIT */
/* Cancel-safe queues: the driver's list and lock, the I/O manager's races (csq.c). */
#ifndef RINGSIDE_IO_CSQ_H
#define RINGSIDE_IO_CSQ_H

#include <ringside/io.h>

struct _IO_CSQ;
typedef VOID NTAPI IO_CSQ_INSERT_IRP(struct _IO_CSQ *Csq, PIRP Irp);
typedef NTSTATUS NTAPI IO_CSQ_INSERT_IRP_EX(struct _IO_CSQ *Csq, PIRP Irp, PVOID InsertContext);
typedef VOID NTAPI IO_CSQ_REMOVE_IRP(struct _IO_CSQ *Csq, PIRP Irp);
typedef PIRP NTAPI IO_CSQ_PEEK_NEXT_IRP(struct _IO_CSQ *Csq, PIRP Irp, PVOID PeekContext);
typedef VOID NTAPI IO_CSQ_ACQUIRE_LOCK(struct _IO_CSQ *Csq, PKIRQL Irql);
typedef VOID NTAPI IO_CSQ_RELEASE_LOCK(struct _IO_CSQ *Csq, KIRQL Irql);
typedef VOID NTAPI IO_CSQ_COMPLETE_CANCELED_IRP(struct _IO_CSQ *Csq, PIRP Irp);

#define IO_TYPE_CSQ_IRP_CONTEXT 1
#define IO_TYPE_CSQ 2
#define IO_TYPE_CSQ_EX 3

typedef struct _IO_CSQ {
	ULONG Type;
	union {
		IO_CSQ_INSERT_IRP *Insert;
		IO_CSQ_INSERT_IRP_EX *InsertEx;
	};
	IO_CSQ_REMOVE_IRP *Remove;
	IO_CSQ_PEEK_NEXT_IRP *PeekNext;
	IO_CSQ_ACQUIRE_LOCK *Acquire;
	IO_CSQ_RELEASE_LOCK *Release;
	IO_CSQ_COMPLETE_CANCELED_IRP *CompleteCanceled;
	PVOID ReservePointer;
} IO_CSQ, *PIO_CSQ;
_Static_assert(sizeof(IO_CSQ) == 64, "wdm.h");

typedef struct _IO_CSQ_IRP_CONTEXT {
	ULONG Type;
	PIRP Irp;
	PIO_CSQ Csq;
} IO_CSQ_IRP_CONTEXT, *PIO_CSQ_IRP_CONTEXT;
_Static_assert(sizeof(IO_CSQ_IRP_CONTEXT) == 24, "wdm.h");

NTSTATUS NTAPI IoCsqInitialize(PIO_CSQ Csq, IO_CSQ_INSERT_IRP *CsqInsertIrp,
			       IO_CSQ_REMOVE_IRP *CsqRemoveIrp,
			       IO_CSQ_PEEK_NEXT_IRP *CsqPeekNextIrp,
			       IO_CSQ_ACQUIRE_LOCK *CsqAcquireLock,
			       IO_CSQ_RELEASE_LOCK *CsqReleaseLock,
			       IO_CSQ_COMPLETE_CANCELED_IRP *CsqCompleteCanceledIrp);
NTSTATUS NTAPI IoCsqInitializeEx(PIO_CSQ Csq, IO_CSQ_INSERT_IRP_EX *CsqInsertIrp,
				 IO_CSQ_REMOVE_IRP *CsqRemoveIrp,
				 IO_CSQ_PEEK_NEXT_IRP *CsqPeekNextIrp,
				 IO_CSQ_ACQUIRE_LOCK *CsqAcquireLock,
				 IO_CSQ_RELEASE_LOCK *CsqReleaseLock,
				 IO_CSQ_COMPLETE_CANCELED_IRP *CsqCompleteCanceledIrp);
VOID NTAPI IoCsqInsertIrp(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context);
NTSTATUS NTAPI IoCsqInsertIrpEx(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context,
				PVOID InsertContext);
PIRP NTAPI IoCsqRemoveIrp(PIO_CSQ Csq, PIO_CSQ_IRP_CONTEXT Context);
PIRP NTAPI IoCsqRemoveNextIrp(PIO_CSQ Csq, PVOID PeekContext);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Making and freeing requests.
 *
 * An IRP lies in a packet of ours, behind what the driver must not see. Freed packets
 * are kept for a while, so that a driver which completes or frees a request twice is
 * recognized instead of corrupting whatever has taken its place; the lock of that queue
 * is a leaf. An IRP that a driver initialized in memory of its own has no packet.
 */
#include "io/irp.h"
#include "ex/pool.h"
#include "ke/bugcheck.h"
#include "ke/list.h"
#include "ke/thread.h"
#include "memory.h"
#include <pthread.h>
#include <string.h>

#define KEPT_OLD 256 /* freed packets */
#define MAX_LOCATIONS 126

static struct {
	pthread_mutex_t lock;
	LIST_ENTRY packets;
	unsigned count;
} old = {.lock = PTHREAD_MUTEX_INITIALIZER, .packets = {&old.packets, &old.packets}};

/* ---- Making --------------------------------------------------------------------------- */

static size_t size_of(CCHAR locations)
{
	return sizeof(IRP) + (size_t)locations * sizeof(IO_STACK_LOCATION);
}

VOID NTAPI IoInitializeIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize)
{
	memset(Irp, 0, PacketSize);
	Irp->Type = IO_TYPE_IRP;
	Irp->Size = PacketSize;
	Irp->StackCount = StackSize;
	Irp->CurrentLocation = (CCHAR)(StackSize + 1);
	list_init(&Irp->ThreadListEntry);
	Irp->Tail.CurrentStackLocation = (PIO_STACK_LOCATION)(Irp + 1) + StackSize;
}

PIRP NTAPI IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota)
{
	(void)ChargeQuota;
	if (StackSize < 0 || StackSize > MAX_LOCATIONS)
		return NULL;
	struct io_packet *packet = host_alloc(offsetof(struct io_packet, irp) + size_of(StackSize));
	if (!packet)
		return NULL;
	atomic_init(&packet->references, 1);
	IoInitializeIrp(&packet->irp, (USHORT)size_of(StackSize), StackSize);
	packet->irp.AllocationFlags = IO_IRP_IS_OURS;
	return &packet->irp;
}

PIRP NTAPI IoAllocateIrpEx(PDEVICE_OBJECT DeviceObject, CCHAR StackSize, BOOLEAN ChargeQuota)
{
	(void)DeviceObject;
	return IoAllocateIrp(StackSize, ChargeQuota);
}

VOID NTAPI IoReuseIrp(PIRP Irp, NTSTATUS Iostatus)
{
	UCHAR flags = Irp->AllocationFlags;
	IoInitializeIrp(Irp, Irp->Size, Irp->StackCount);
	Irp->AllocationFlags = flags;
	Irp->IoStatus.Status = Iostatus;
}

PIRP NTAPI IoMakeAssociatedIrp(PIRP Irp, CCHAR StackSize)
{
	PIRP irp = IoAllocateIrp(StackSize, FALSE);
	if (!irp)
		return NULL;
	irp->Flags |= IRP_ASSOCIATED_IRP;
	irp->AssociatedIrp.MasterIrp = Irp;
	irp->Tail.Thread = Irp->Tail.Thread;
	return irp;
}

PIRP io_build(PDEVICE_OBJECT device, UCHAR major, KPROCESSOR_MODE mode)
{
	PIRP irp = IoAllocateIrp(device->StackSize, FALSE);
	if (!irp)
		return NULL;
	io_packet_of(irp)->threaded = true;
	irp->RequestorMode = mode;
	irp->Tail.Thread = ke_current_thread();
	io_next_location(irp)->MajorFunction = major;
	return irp;
}

/* ---- Freeing ---------------------------------------------------------------------------- */

static struct io_packet *keep(struct io_packet *packet)
{
	struct io_packet *oldest = NULL;
	pthread_mutex_lock(&old.lock);
	list_add_last(&old.packets, &packet->old);
	if (++old.count > KEPT_OLD) {
		oldest = LIST_OWNER(old.packets.Flink, struct io_packet, old);
		list_remove(&oldest->old);
		old.count--;
	}
	pthread_mutex_unlock(&old.lock);
	return oldest;
}

void io_release_packet(struct io_packet *packet)
{
	if (atomic_fetch_sub(&packet->references, 1) == 1)
		host_free(keep(packet));
}

void io_free_old_packets(void)
{
	pthread_mutex_lock(&old.lock);
	while (!list_empty(&old.packets)) {
		struct io_packet *packet = LIST_OWNER(old.packets.Flink, struct io_packet, old);
		list_remove(&packet->old);
		host_free(packet);
	}
	old.count = 0;
	pthread_mutex_unlock(&old.lock);
}

VOID NTAPI IoFreeIrp(PIRP Irp)
{
	if (Irp->Type != IO_TYPE_IRP)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_IOMANAGER_VIOLATION, 1, (uintptr_t)Irp, 0, 0,
			     "IoFreeIrp of what is no IRP, or not any more");
	bool ours = Irp->AllocationFlags & IO_IRP_IS_OURS;
	if (ours && io_packet_of(Irp)->file)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_IOMANAGER_VIOLATION, 2, (uintptr_t)Irp, 0, 0,
			     "IoFreeIrp of a request that is still under way");
	Irp->Type = 0;
	Irp->CurrentLocation = (CCHAR)(Irp->StackCount + 2); /* completed, and more */
	if (ours)
		io_release_packet(io_packet_of(Irp));
	else
		ex_free_pool(__builtin_return_address(0), Irp);
}

/* SPDX-License-Identifier: MIT */
/*
 * StartIo: one request of a device at a time, the rest in the order of arrival or of
 * their keys.
 *
 * The queue is the DEVICE_OBJECT's KDEVICE_QUEUE, whose entries are embedded in the IRPs
 * (Tail, AB-16) at the place of DriverContext. StartIo runs at DISPATCH_LEVEL. The queue has a
 * lock of its own, a leaf; a request that can be cancelled is moved under the cancel
 * lock as well, as NT does, so that a cancel routine may take it out.
 */
#include "io/startio.h"
#include "io/irp.h"
#include "ke/callout.h"
#include "ke/list.h"
#include <pthread.h>

struct queue_entry { /* KDEVICE_QUEUE_ENTRY, over DriverContext */
	LIST_ENTRY link;
	ULONG key;
	BOOLEAN inserted;
};

struct device_queue { /* KDEVICE_QUEUE */
	CSHORT Type, Size;
	LIST_ENTRY entries;
	ULONG64 lock;
	BOOLEAN busy;
};
_Static_assert(sizeof(struct device_queue) == 40, "wdm.h");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct device_queue *queue_of(PDEVICE_OBJECT device)
{
	struct device_queue *queue = (void *)device->DeviceQueue;
	if (!queue->entries.Flink)
		list_init(&queue->entries);
	return queue;
}

static struct queue_entry *entry_of(PIRP irp)
{
	return (void *)irp->Tail.DriverContext;
}

static void insert(struct device_queue *queue, struct queue_entry *entry, const ULONG *key)
{
	LIST_ENTRY *before = &queue->entries;
	entry->inserted = TRUE;
	entry->key = key ? *key : 0;
	if (key)
		for (before = queue->entries.Flink; before != &queue->entries;
		     before = before->Flink)
			if (LIST_OWNER(before, struct queue_entry, link)->key > *key)
				break;
	list_add_last(before, &entry->link);
}

/* Whether the device is free, and the request is to be started now. */
static bool enqueue(PDEVICE_OBJECT device, PIRP irp, const ULONG *key)
{
	pthread_mutex_lock(&lock);
	struct device_queue *queue = queue_of(device);
	bool starts = !queue->busy;
	if (!starts)
		insert(queue, entry_of(irp), key);
	queue->busy = TRUE;
	pthread_mutex_unlock(&lock);
	return starts;
}

/* The next one, or with a key the first that is not before it; else the first. */
static PIRP dequeue(PDEVICE_OBJECT device, const ULONG *key)
{
	pthread_mutex_lock(&lock);
	struct device_queue *queue = queue_of(device);
	LIST_ENTRY *found = queue->entries.Flink;
	while (key && found != &queue->entries &&
	       LIST_OWNER(found, struct queue_entry, link)->key < *key)
		found = found->Flink;
	if (found == &queue->entries)
		found = queue->entries.Flink;
	PIRP irp = NULL;
	if (found == &queue->entries) {
		queue->busy = FALSE;
	} else {
		struct queue_entry *entry = LIST_OWNER(found, struct queue_entry, link);
		list_remove(found);
		entry->inserted = FALSE;
		irp = LIST_OWNER(entry, IRP, Tail.DriverContext);
	}
	pthread_mutex_unlock(&lock);
	return irp;
}

static void start(PDEVICE_OBJECT device, PIRP irp)
{
	typedef VOID NTAPI driver_start_io(PDEVICE_OBJECT, PIRP);
	driver_start_io *routine = (driver_start_io *)device->DriverObject->DriverStartIo;
	struct ke_callout callout;
	ke_callout_begin(&callout, "StartIo routine", (const void *)routine, DISPATCH_LEVEL);
	routine(device, irp);
	ke_callout_end(&callout, DISPATCH_LEVEL);
}

VOID NTAPI IoStartPacket(PDEVICE_OBJECT DeviceObject, PIRP Irp, PULONG Key,
			 PDRIVER_CANCEL CancelFunction)
{
	KIRQL irql = ke_set_irql(DISPATCH_LEVEL), ignored;
	if (CancelFunction) {
		IoAcquireCancelSpinLock(&ignored);
		__atomic_store_n(&Irp->CancelRoutine, CancelFunction, __ATOMIC_RELEASE);
	}
	bool starts = enqueue(DeviceObject, Irp, Key);
	if (starts)
		DeviceObject->CurrentIrp = Irp;
	if (CancelFunction)
		IoReleaseCancelSpinLock(DISPATCH_LEVEL);
	if (starts)
		start(DeviceObject, Irp);
	else if (CancelFunction && Irp->Cancel)
		io_cancel(Irp);
	ke_set_irql(irql);
}

static void start_next(PDEVICE_OBJECT device, bool cancelable, const ULONG *key)
{
	KIRQL ignored;
	if (cancelable)
		IoAcquireCancelSpinLock(&ignored);
	PIRP irp = dequeue(device, key);
	device->CurrentIrp = irp;
	if (cancelable)
		IoReleaseCancelSpinLock(DISPATCH_LEVEL);
	if (irp)
		start(device, irp);
}

VOID NTAPI IoStartNextPacket(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable)
{
	start_next(DeviceObject, Cancelable, NULL);
}

VOID NTAPI IoStartNextPacketByKey(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable, ULONG Key)
{
	start_next(DeviceObject, Cancelable, &Key);
}

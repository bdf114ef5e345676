/* SPDX-License-Identifier: MIT */
/*
 * Event objects, and waiting by handle.
 *
 * The body of an event object is a KEVENT, so a driver that refers to one by its handle
 * can use the Ke routines. The Nt forms act with the previous mode of the current
 * thread, the Zw forms as the kernel.
 *
 * Pages: ZwCreateEvent, IoCreateNotificationEvent, ZwWaitForSingleObject.
 */
#include "ex/eventobject.h"
#include "ke/thread.h"
#include "ke/wait.h"
#include "memory.h"
#include "ob/directory.h"
#include "ob/handle.h"
#include "ob/object.h"

static NTSTATUS create(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes,
		       EVENT_TYPE type, BOOLEAN state, KPROCESSOR_MODE mode)
{
	if (type != NotificationEvent && type != SynchronizationEvent)
		return STATUS_INVALID_PARAMETER;
	PKEVENT event = ob_create(ExEventObjectType, sizeof(*event));
	if (event)
		KeInitializeEvent(event, type, state);
	return ob_publish(event, access, attributes, mode, handle);
}

NTSTATUS NTAPI NtCreateEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess,
			     POBJECT_ATTRIBUTES ObjectAttributes, EVENT_TYPE EventType,
			     BOOLEAN InitialState)
{
	return create(EventHandle, DesiredAccess, ObjectAttributes, EventType, InitialState,
		      ExGetPreviousMode());
}

NTSTATUS NTAPI ZwCreateEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess,
			     POBJECT_ATTRIBUTES ObjectAttributes, EVENT_TYPE EventType,
			     BOOLEAN InitialState)
{
	return create(EventHandle, DesiredAccess, ObjectAttributes, EventType, InitialState,
		      KernelMode);
}

NTSTATUS NTAPI ZwOpenEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess,
			   POBJECT_ATTRIBUTES ObjectAttributes)
{
	return ObOpenObjectByName(ObjectAttributes, ExEventObjectType, KernelMode, NULL,
				  DesiredAccess, NULL, EventHandle);
}

/* ---- By handle ------------------------------------------------------------------------ */

static NTSTATUS change(HANDLE handle, PLONG before, LONG NTAPI (*how)(PKEVENT),
		       KPROCESSOR_MODE mode)
{
	PVOID event;
	NTSTATUS status = ob_reference_by_handle(handle, EVENT_MODIFY_STATE, ExEventObjectType,
						 mode, &event);
	if (!NT_SUCCESS(status))
		return status;
	LONG state = how(event);
	ob_dereference(event);
	if (before)
		*before = state;
	return STATUS_SUCCESS;
}

static LONG NTAPI set(PKEVENT event)
{
	return KeSetEvent(event, 1, FALSE);
}

NTSTATUS NTAPI NtSetEvent(HANDLE EventHandle, PLONG PreviousState)
{
	return change(EventHandle, PreviousState, set, ExGetPreviousMode());
}

NTSTATUS NTAPI ZwSetEvent(HANDLE EventHandle, PLONG PreviousState)
{
	return change(EventHandle, PreviousState, set, KernelMode);
}

NTSTATUS NTAPI ZwResetEvent(HANDLE EventHandle, PLONG PreviousState)
{
	return change(EventHandle, PreviousState, KeResetEvent, KernelMode);
}

NTSTATUS NTAPI ZwClearEvent(HANDLE EventHandle)
{
	return change(EventHandle, NULL, KeResetEvent, KernelMode);
}

/* ---- By name ---------------------------------------------------------------------------- */

static PKEVENT create_named(PUNICODE_STRING name, PHANDLE handle, EVENT_TYPE type)
{
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes),
					.ObjectName = name,
					.Attributes = OBJ_OPENIF | OBJ_KERNEL_HANDLE};
	HANDLE made;
	PVOID event;
	if (!NT_SUCCESS(ZwCreateEvent(&made, EVENT_ALL_ACCESS, &attributes, type, TRUE)))
		return NULL;
	if (!NT_SUCCESS(ObReferenceObjectByHandle(made, EVENT_ALL_ACCESS, ExEventObjectType,
						  KernelMode, &event, NULL))) {
		ZwClose(made);
		return NULL;
	}
	ob_dereference(event); /* the handle keeps it */
	*handle = made;
	return event;
}

PKEVENT NTAPI IoCreateNotificationEvent(PUNICODE_STRING EventName, PHANDLE EventHandle)
{
	return create_named(EventName, EventHandle, NotificationEvent);
}

PKEVENT NTAPI IoCreateSynchronizationEvent(PUNICODE_STRING EventName, PHANDLE EventHandle)
{
	return create_named(EventName, EventHandle, SynchronizationEvent);
}

/* ---- Waiting ------------------------------------------------------------------------------ */

static bool is_waitable(POBJECT_TYPE type)
{
	return type == PsProcessType || type == PsThreadType || type == ExEventObjectType ||
	       type == ExSemaphoreObjectType;
}

static NTSTATUS wait(HANDLE handle, BOOLEAN alertable, PLARGE_INTEGER timeout, KPROCESSOR_MODE mode)
{
	PVOID object;
	NTSTATUS status = ob_reference_by_handle(handle, SYNCHRONIZE, NULL, mode, &object);
	if (!NT_SUCCESS(status))
		return status;
	if (is_waitable(ob_header_of(object)->type))
		status = KeWaitForSingleObject(object, 0, mode, alertable, timeout);
	else
		status = STATUS_OBJECT_TYPE_MISMATCH;
	ob_dereference(object);
	return status;
}

NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
	return wait(Handle, Alertable, Timeout, ExGetPreviousMode());
}

NTSTATUS NTAPI ZwWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
	return wait(Handle, Alertable, Timeout, KernelMode);
}

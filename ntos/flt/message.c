/* SPDX-License-Identifier: MIT */
/*
 * Messages through a communication port, both ways.
 *
 * A message of the driver is a copy, made before the sender waits, so nothing of the driver's
 * is touched in another thread. It is in one of two lists of its port: sent, until a program
 * gets it, and answered for, until a reply comes; or, once `done`, in none. The sender owns
 * it and takes it back when its time is up. One time-out covers delivery and reply.
 * Programs that wait are woken one for each message; whoever takes one and leaves more
 * wakes the next.
 *
 * KeSetEvent under flt_lock takes the dispatcher's lock inside it.
 *
 * Pages: FltSendMessage, FilterGetMessage, FilterReplyMessage, FILTER_REPLY_HEADER.
 */
#include "flt/port.h"
#include "ke/callout.h"
#include "ke/time.h"
#include "ke/wait.h"
#include "memory.h"
#include "mm/probe.h"
#include "ps/process.h"
#include "user.h"
#include <ringside/flt.h>
#include <stdatomic.h>
#include <string.h>

static _Atomic ULONG64 last_id;

/* ---- The driver's end -------------------------------------------------------------------------- */

static struct flt_message *make(const void *text, ULONG size, bool wants_reply, ULONG reply_room)
{
	struct flt_message *message = host_alloc(sizeof(*message) + (size_t)size + reply_room);
	if (!message)
		return NULL;
	message->id = atomic_fetch_add(&last_id, 1) + 1;
	message->size = size;
	message->wants_reply = wants_reply;
	message->reply_room = reply_room;
	message->reply = message->text + size;
	KeInitializeEvent(&message->finished, NotificationEvent, FALSE);
	memcpy(message->text, text, size);
	return message;
}

/* A relative time is counted from now on, through both waits. */
static PLARGE_INTEGER absolute(const LARGE_INTEGER *timeout, LARGE_INTEGER *until)
{
	if (!timeout || !timeout->QuadPart)
		return NULL;
	*until = *timeout;
	if (timeout->QuadPart < 0) {
		KeQuerySystemTimePrecise(until);
		until->QuadPart -= timeout->QuadPart;
	}
	return until;
}

static bool send(PFLT_PORT port, struct flt_message *message)
{
	pthread_mutex_lock(&flt_lock);
	bool open = !port->user_closed && !port->driver_closed;
	if (open) {
		list_add_last(&port->sent, &message->link);
		KeSetEvent(&port->arrived, 0, FALSE);
	}
	pthread_mutex_unlock(&flt_lock);
	return open;
}

static NTSTATUS wait_for(struct flt_message *message, PLARGE_INTEGER until)
{
	NTSTATUS status = KeWaitForSingleObject(&message->finished, 0, KernelMode, FALSE, until);
	pthread_mutex_lock(&flt_lock);
	if (message->done)
		status = message->status;
	else
		list_remove(&message->link);
	message->done = true;
	pthread_mutex_unlock(&flt_lock);
	return status;
}

/* The port that the variable holds, if it is one of the filter's, referenced. */
static PFLT_PORT reference_port(PFLT_FILTER filter, PFLT_PORT wanted)
{
	PFLT_PORT port = NULL;
	pthread_mutex_lock(&flt_lock);
	for (LIST_ENTRY *link = filter->ports.Flink; link != &filter->ports; link = link->Flink)
		if (LIST_OWNER(link, struct _FLT_PORT, of_filter) == wanted)
			port = wanted;
	if (port)
		ob_reference(port);
	pthread_mutex_unlock(&flt_lock);
	return port;
}

NTSTATUS NTAPI FltSendMessage(PFLT_FILTER Filter, PFLT_PORT *ClientPort, PVOID SenderBuffer,
			      ULONG SenderBufferLength, PVOID ReplyBuffer, PULONG ReplyLength,
			      PLARGE_INTEGER Timeout)
{
	LARGE_INTEGER until;
	PLARGE_INTEGER end = absolute(Timeout, &until);
	struct flt_message *message = make(SenderBuffer, SenderBufferLength, ReplyBuffer != NULL,
					   ReplyBuffer ? *ReplyLength : 0);
	if (!message)
		return STATUS_INSUFFICIENT_RESOURCES;
	PFLT_PORT port = reference_port(Filter, *ClientPort);
	NTSTATUS status = STATUS_PORT_DISCONNECTED;
	if (port) {
		if (send(port, message))
			status = wait_for(message, end);
		ob_dereference(port);
	}
	bool answered = ReplyBuffer && message->reply_size;
	if (ReplyBuffer && status != STATUS_TIMEOUT && status != STATUS_PORT_DISCONNECTED)
		*ReplyLength = message->reply_size;
	if (answered)
		memcpy(ReplyBuffer, message->reply, message->reply_size);
	host_free(message);
	return status;
}

/* ---- The program's end: messages of the driver ---------------------------------------------------- */

/* Under flt_lock: the first message if it fits, done or to be answered; its header. */
static NTSTATUS take_locked(PFLT_PORT port, ULONG room, char *copy, FILTER_MESSAGE_HEADER *header,
			    ULONG *size)
{
	if (port->driver_closed || port->user_closed)
		return STATUS_PORT_DISCONNECTED;
	if (list_empty(&port->sent))
		return STATUS_PENDING;
	struct flt_message *message = LIST_OWNER(port->sent.Flink, struct flt_message, link);
	if (sizeof(*header) + message->size > room)
		return STATUS_BUFFER_TOO_SMALL;
	*header = (FILTER_MESSAGE_HEADER){.MessageId = message->id};
	if (message->wants_reply)
		header->ReplyLength = message->reply_room + (ULONG)sizeof(FILTER_REPLY_HEADER);
	*size = message->size;
	memcpy(copy, message->text, message->size);
	list_remove(&message->link);
	if (message->wants_reply) {
		list_add_last(&port->answered, &message->link);
	} else {
		message->done = true;
		KeSetEvent(&message->finished, 0, FALSE);
	}
	if (!list_empty(&port->sent))
		KeSetEvent(&port->arrived, 0, FALSE);
	return STATUS_SUCCESS;
}

static NTSTATUS take(PFLT_PORT port, void *buffer, ULONG room, char *copy, ULONG *length)
{
	FILTER_MESSAGE_HEADER header;
	ULONG size;
	pthread_mutex_lock(&flt_lock);
	NTSTATUS status = take_locked(port, room, copy, &header, &size);
	pthread_mutex_unlock(&flt_lock);
	if (status != STATUS_SUCCESS)
		return status;
	memcpy(buffer, &header, sizeof(header));
	memcpy((char *)buffer + sizeof(header), copy, size);
	*length = size;
	return STATUS_SUCCESS;
}

NTSTATUS flt_get_message(PFLT_PORT port, void *buffer, ULONG size, ULONG *length)
{
	PVOID events[] = {&port->arrived, &port->broken};
	if (size < sizeof(FILTER_MESSAGE_HEADER))
		return STATUS_BUFFER_TOO_SMALL;
	char *copy = host_alloc(size);
	if (!copy)
		return STATUS_INSUFFICIENT_RESOURCES;
	NTSTATUS status;
	while ((status = take(port, buffer, size, copy, length)) == STATUS_PENDING)
		KeWaitForMultipleObjects(2, events, WaitAny, 0, KernelMode, FALSE, NULL, NULL);
	host_free(copy);
	return status;
}

/* Under flt_lock. */
static struct flt_message *find(PFLT_PORT port, ULONG64 id)
{
	LIST_ENTRY *head = &port->answered;
	for (LIST_ENTRY *link = head->Flink; link != head; link = link->Flink) {
		struct flt_message *message = LIST_OWNER(link, struct flt_message, link);
		if (message->id == id)
			return message;
	}
	return NULL;
}

static void finish(struct flt_message *message, NTSTATUS status, const char *text, ULONG size)
{
	bool fits = size <= message->reply_room;
	message->reply_size = fits ? size : message->reply_room;
	memcpy(message->reply, text, message->reply_size);
	message->status = fits ? status : STATUS_BUFFER_OVERFLOW;
	message->done = true;
	list_remove(&message->link);
	KeSetEvent(&message->finished, 0, FALSE);
}

NTSTATUS flt_reply(PFLT_PORT port, const void *buffer, ULONG size)
{
	FILTER_REPLY_HEADER header;
	if (size < sizeof(header))
		return STATUS_INVALID_PARAMETER;
	memcpy(&header, buffer, sizeof(header));
	ULONG length = size - (ULONG)sizeof(header);
	char *text = host_alloc((size_t)length + 1); /* the program's memory may not be there */
	if (!text)
		return STATUS_INSUFFICIENT_RESOURCES;
	memcpy(text, (const char *)buffer + sizeof(header), length);
	pthread_mutex_lock(&flt_lock);
	struct flt_message *message = find(port, header.MessageId);
	if (message)
		finish(message, header.Status, text, length);
	pthread_mutex_unlock(&flt_lock);
	host_free(text);
	return message ? STATUS_SUCCESS : STATUS_FLT_NO_WAITER_FOR_REPLY;
}

/* ---- The program's end: messages to the driver ------------------------------------------------------- */

static bool is_users(const void *buffer, ULONG size, bool write)
{
	if (!buffer || !size || ExGetPreviousMode() == KernelMode)
		return true;
	uintptr_t end = (uintptr_t)buffer + size;
	return end >= (uintptr_t)buffer && end <= MM_KERNEL_BEGIN &&
	       host_can_access(buffer, size, write);
}

NTSTATUS flt_send_to_driver(PFLT_PORT port, PVOID in, ULONG in_size, PVOID out, ULONG out_size,
			    ULONG *returned)
{
	FLT_MESSAGE_NOTIFY *routine = port->server->message;
	NTSTATUS status;
	ULONG size = 0;
	if (!is_users(in, in_size, false) || !is_users(out, out_size, true))
		return STATUS_ACCESS_VIOLATION;
	if (!routine)
		return STATUS_INVALID_DEVICE_REQUEST;
	PFLT_FILTER filter = flt_filter_of_port(port);
	if (!filter)
		return STATUS_PORT_DISCONNECTED;
	FLT_CALL(routine, "MessageNotifyCallback",
		 status = routine(port->cookie, in, in ? in_size : 0, out, out ? out_size : 0,
				  &size));
	flt_dereference(&filter->object);
	if (NT_SUCCESS(status))
		*returned = size;
	return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * Communication ports: the server's end, connecting, and disconnecting.
 *
 * The server's port is an object with a name, which goes with the driver's handle; it keeps
 * its filter registered (FltUnregisterFilter waits for it, as the documentation warns).
 * A client's port is an object with two ends: the program's handle, and the driver's
 * pointer, which holds a reference until FltCloseClientPort. When the last handle of the
 * program goes, or the filter, the disconnect routine is called, once.
 *
 * Pages: FltCreateCommunicationPort, FltCloseCommunicationPort, FltCloseClientPort.
 */
#include "flt/port.h"
#include "ex/event.h"
#include "ke/bugcheck.h"
#include "ke/callout.h"
#include "memory.h"
#include "ob/directory.h"
#include "ob/handle.h"
#include "ps/process.h"
#include <stdatomic.h>
#include <string.h>

static atomic_bool down;

/* ---- The server's port ------------------------------------------------------------------------ */

static void server_closed(void *body)
{
	struct flt_server *server = body;
	if (atomic_load(&down))
		return;
	pthread_mutex_lock(&flt_lock);
	bool first = !server->closed;
	server->closed = true;
	if (first)
		server->filter->server_ports--;
	pthread_mutex_unlock(&flt_lock);
	if (first)
		flt_dereference(&server->filter->object);
}

static NTSTATUS check(const OBJECT_ATTRIBUTES *attributes, FLT_CONNECT_NOTIFY *connect,
		      FLT_DISCONNECT_NOTIFY *disconnect, LONG most)
{
	if (!attributes || !attributes->ObjectName || !(attributes->Attributes & OBJ_KERNEL_HANDLE))
		return STATUS_INVALID_PARAMETER;
	return connect && disconnect && most > 0 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

static NTSTATUS publish(struct flt_server *server, POBJECT_ATTRIBUTES attributes, HANDLE *handle)
{
	PFLT_FILTER filter = server->filter;
	if (filter->leaving || !flt_reference(&filter->object)) {
		ob_dereference(server);
		return STATUS_FLT_DELETING_OBJECT;
	}
	pthread_mutex_lock(&flt_lock);
	filter->server_ports++;
	pthread_mutex_unlock(&flt_lock);
	ob_reference(server);
	NTSTATUS status = ob_publish(server, FLT_PORT_ALL_ACCESS, attributes, KernelMode, handle);
	if (!NT_SUCCESS(status))
		server_closed(server);
	ob_dereference(server);
	return status;
}

NTSTATUS NTAPI FltCreateCommunicationPort(PFLT_FILTER Filter, PFLT_PORT *ServerPort,
					  POBJECT_ATTRIBUTES ObjectAttributes,
					  PVOID ServerPortCookie,
					  FLT_CONNECT_NOTIFY *ConnectNotifyCallback,
					  FLT_DISCONNECT_NOTIFY *DisconnectNotifyCallback,
					  FLT_MESSAGE_NOTIFY *MessageNotifyCallback,
					  LONG MaxConnections)
{
	HANDLE handle;
	NTSTATUS status = check(ObjectAttributes, ConnectNotifyCallback, DisconnectNotifyCallback,
				MaxConnections);
	if (!NT_SUCCESS(status))
		return status;
	struct flt_server *made = ob_create(FltConnectionPortObjectType, sizeof(*made));
	if (!made)
		return STATUS_INSUFFICIENT_RESOURCES;
	made->filter = Filter;
	made->cookie = ServerPortCookie;
	made->connect = ConnectNotifyCallback;
	made->disconnect = DisconnectNotifyCallback;
	made->message = MessageNotifyCallback;
	made->most_clients = MaxConnections;
	status = publish(made, ObjectAttributes, &handle);
	if (NT_SUCCESS(status))
		*ServerPort = handle;
	return status;
}

static bool is_server_port(HANDLE handle)
{
	struct ob_handle found;
	if (!NT_SUCCESS(ob_resolve_handle(PsInitialSystemProcess, handle, KernelMode, &found)))
		return false;
	bool is = ob_header_of(found.object)->type == FltConnectionPortObjectType;
	ob_dereference(found.object);
	return is;
}

VOID NTAPI FltCloseCommunicationPort(PFLT_PORT ServerPort)
{
	HANDLE handle = ServerPort;
	if (!is_server_port(handle))
		KE_BUG_CHECK(KE_INVALID_KERNEL_HANDLE, (uintptr_t)handle, 1, 0, 0,
			     "FltCloseCommunicationPort was given what is no open server port");
	ob_close_handle(PsInitialSystemProcess, handle, KernelMode);
}

/* ---- A client's port ---------------------------------------------------------------------------- */

static PFLT_PORT make_port(struct flt_server *server)
{
	PFLT_PORT port = ob_create(FltCommunicationPortObjectType, sizeof(*port));
	if (!port)
		return NULL;
	ob_reference(server);
	port->server = server;
	KeInitializeEvent(&port->arrived, SynchronizationEvent, FALSE);
	KeInitializeEvent(&port->broken, NotificationEvent, FALSE);
	list_init(&port->sent);
	list_init(&port->answered);
	return port;
}

static void delete_port(void *body)
{
	PFLT_PORT port = body;
	ob_dereference(port->server);
}

/* Counts it in and refers to its filter, so that it stays while it is asked. */
static NTSTATUS count_in(PFLT_PORT port)
{
	struct flt_server *server = port->server;
	NTSTATUS status = STATUS_SUCCESS;
	pthread_mutex_lock(&flt_lock);
	if (server->closed || server->filter->leaving)
		status = STATUS_OBJECT_NAME_NOT_FOUND;
	else if (server->clients >= server->most_clients)
		status = STATUS_CONNECTION_COUNT_LIMIT;
	if (NT_SUCCESS(status) && !flt_reference(&server->filter->object))
		status = STATUS_OBJECT_NAME_NOT_FOUND;
	if (NT_SUCCESS(status)) {
		server->clients++;
		list_add_last(&server->filter->ports, &port->of_filter);
	}
	pthread_mutex_unlock(&flt_lock);
	return status;
}

void flt_break_port(PFLT_PORT port)
{
	LIST_ENTRY *lists[] = {&port->sent, &port->answered};
	for (unsigned i = 0; i < 2; i++) {
		while (!list_empty(lists[i])) {
			struct flt_message *message = LIST_OWNER(lists[i]->Flink,
								 struct flt_message, link);
			list_remove(&message->link);
			message->done = true;
			message->status = STATUS_PORT_DISCONNECTED;
			KeSetEvent(&message->finished, 0, FALSE);
		}
	}
	KeSetEvent(&port->broken, 0, FALSE);
}

/* Under flt_lock. While the driver's end is open the filter exists. */
static PFLT_FILTER hold_filter(PFLT_PORT port)
{
	PFLT_FILTER filter = port->server->filter;
	return !port->driver_closed && flt_reference(&filter->object) ? filter : NULL;
}

PFLT_FILTER flt_filter_of_port(PFLT_PORT port)
{
	pthread_mutex_lock(&flt_lock);
	PFLT_FILTER filter = hold_filter(port);
	pthread_mutex_unlock(&flt_lock);
	return filter;
}

/* The program's end goes: tells the driver, unless it has closed its own. */
static void disconnect(PFLT_PORT port)
{
	FLT_DISCONNECT_NOTIFY *routine = port->server->disconnect;
	pthread_mutex_lock(&flt_lock);
	PFLT_FILTER filter = port->connected ? hold_filter(port) : NULL;
	port->connected = false;
	port->user_closed = true;
	flt_break_port(port);
	pthread_mutex_unlock(&flt_lock);
	if (!filter)
		return;
	FLT_CALL(routine, "DisconnectNotifyCallback", routine(port->cookie));
	flt_dereference(&filter->object);
}

static void client_closed(void *body)
{
	if (!atomic_load(&down))
		disconnect(body);
}

/* The driver's end goes, with its reference. False: it has gone before. */
static bool close_driver_end(PFLT_PORT port)
{
	pthread_mutex_lock(&flt_lock);
	bool first = !port->driver_closed;
	port->driver_closed = true;
	if (first) {
		list_remove(&port->of_filter);
		port->server->clients--;
		flt_break_port(port);
	}
	pthread_mutex_unlock(&flt_lock);
	if (first)
		ob_dereference(port);
	return first;
}

static bool is_port_of(PFLT_FILTER filter, const struct _FLT_PORT *port)
{
	pthread_mutex_lock(&flt_lock);
	LIST_ENTRY *link = filter->ports.Flink;
	while (link != &filter->ports && LIST_OWNER(link, struct _FLT_PORT, of_filter) != port)
		link = link->Flink;
	pthread_mutex_unlock(&flt_lock);
	return link != &filter->ports;
}

VOID NTAPI FltCloseClientPort(PFLT_FILTER Filter, PFLT_PORT *ClientPort)
{
	PFLT_PORT port = __atomic_exchange_n(ClientPort, NULL, __ATOMIC_ACQ_REL);
	if (!port) {
		ex_rule_broken("wdk", __builtin_return_address(0),
			       "FltCloseClientPort was called for a port that is closed");
		return;
	}
	if (!is_port_of(Filter, port))
		KE_BUG_CHECK(KE_REFERENCE_BY_POINTER, 0, (uintptr_t)port, 0, 0,
			     "FltCloseClientPort was given what is no open port of the filter");
	close_driver_end(port);
}

/* One that is still connected, referenced. */
static PFLT_PORT next_client(PFLT_FILTER filter)
{
	PFLT_PORT found = NULL;
	pthread_mutex_lock(&flt_lock);
	if (!list_empty(&filter->ports)) {
		found = LIST_OWNER(filter->ports.Flink, struct _FLT_PORT, of_filter);
		ob_reference(found);
	}
	pthread_mutex_unlock(&flt_lock);
	return found;
}

void flt_disconnect_clients(PFLT_FILTER filter)
{
	PFLT_PORT port;
	while ((port = next_client(filter))) {
		disconnect(port);
		close_driver_end(port); /* when its routine has not */
		ob_dereference(port);
	}
}

/* ---- Connecting ------------------------------------------------------------------------------------ */

static NTSTATUS open_end(PFLT_PORT port, HANDLE *handle)
{
	struct ob_handle_request request = {
		.operation = OB_OPERATION_HANDLE_CREATE,
		.object = port,
		.table_of = PsGetCurrentProcess(),
		.desired = FLT_PORT_ALL_ACCESS,
		.mode = ExGetPreviousMode(),
	};
	return ob_make_handle(&request, handle, NULL);
}

static NTSTATUS ask(PFLT_PORT port, void *context, USHORT size)
{
	FLT_CONNECT_NOTIFY *routine = port->server->connect;
	NTSTATUS status;
	FLT_CALL(routine, "ConnectNotifyCallback",
		 status = routine(port, port->server->cookie, size ? context : NULL, size,
				  &port->cookie));
	pthread_mutex_lock(&flt_lock);
	port->connected = NT_SUCCESS(status) && !port->driver_closed;
	pthread_mutex_unlock(&flt_lock);
	return status;
}

/* The driver's end has a reference of its own. */
static NTSTATUS connect_port(PFLT_PORT port, void *context, USHORT size, HANDLE *handle)
{
	PFLT_FILTER filter = port->server->filter;
	NTSTATUS status = count_in(port);
	if (!NT_SUCCESS(status))
		return status;
	ob_reference(port);
	status = ask(port, context, size);
	if (!NT_SUCCESS(status)) {
		close_driver_end(port);
	} else {
		status = open_end(port, handle);
		if (!NT_SUCCESS(status))
			disconnect(port);
	}
	flt_dereference(&filter->object);
	return status;
}

NTSTATUS flt_connect(PCUNICODE_STRING name, const void *context, USHORT size, HANDLE *handle)
{
	PVOID server;
	UNICODE_STRING path = *name;
	NTSTATUS status = ObReferenceObjectByName(&path, 0, NULL, 0, FltConnectionPortObjectType,
						  KernelMode, NULL, &server);
	if (!NT_SUCCESS(status))
		return status;
	PFLT_PORT port = make_port(server);
	void *copy = host_alloc((size_t)size + 1);
	if (copy && size)
		memcpy(copy, context, size);
	status = port && copy ? connect_port(port, copy, size, handle)
			      : STATUS_INSUFFICIENT_RESOURCES;
	host_free(copy);
	if (port)
		ob_dereference(port);
	ob_dereference(server);
	return status;
}

/* ---- Boot -------------------------------------------------------------------------------------------- */

void flt_boot_ports(void)
{
	atomic_store(&down, false);
	FltConnectionPortObjectType->last_handle_closed = server_closed;
	FltCommunicationPortObjectType->last_handle_closed = client_closed;
	FltCommunicationPortObjectType->delete_body = delete_port;
}

void flt_close_ports(void)
{
	atomic_store(&down, true);
}

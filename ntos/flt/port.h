/* SPDX-License-Identifier: MIT */
/* Communication ports between minifilters and programs. */
#ifndef RINGSIDE_FLT_PORT_H
#define RINGSIDE_FLT_PORT_H

#include "flt/flt.h"
#include "ke/event.h"

/* What FltCreateCommunicationPort makes: an object with a name, known to the driver by a
 * kernel handle. Each client keeps it. */
struct flt_server {
	PFLT_FILTER filter;
	PVOID cookie;
	FLT_CONNECT_NOTIFY *connect;
	FLT_DISCONNECT_NOTIFY *disconnect;
	FLT_MESSAGE_NOTIFY *message;
	/* Under flt_lock. */
	LONG clients, most_clients;
	bool closed;
};

/* One connection: the program's end is a handle, the driver's end the pointer. */
struct _FLT_PORT {
	struct flt_server *server; /* referenced */
	PVOID cookie;              /* constant once connected */
	KEVENT arrived;            /* synchronization: a message is there */
	KEVENT broken;             /* notification: one of the ends is closed */
	/* Under flt_lock. */
	LIST_ENTRY of_filter;
	LIST_ENTRY sent, answered; /* struct flt_message: to be got; to be answered */
	bool connected;            /* its disconnect routine is still to be called */
	bool user_closed, driver_closed;
};

struct flt_message {
	LIST_ENTRY link; /* flt_lock */
	ULONG64 id;
	ULONG size, reply_room, reply_size; /* reply_room: 0 when none is expected */
	bool wants_reply;
	bool done; /* flt_lock: in no list any more */
	NTSTATUS status;
	KEVENT finished;
	char *reply; /* room for reply_room */
	char text[];
};

/* The filter goes: every client is disconnected. */
void flt_disconnect_clients(PFLT_FILTER filter);

/* At boot: the types of ports get their methods. */
void flt_boot_ports(void);

/* From now on no routine of a driver is called because a handle goes. */
void flt_close_ports(void);

/* ---- The program's side (a referenced port of its own process) ------------------------------ */

NTSTATUS flt_port_of(HANDLE handle, PFLT_PORT *port);
NTSTATUS flt_connect(PCUNICODE_STRING name, const void *context, USHORT size, HANDLE *handle);
NTSTATUS flt_send_to_driver(PFLT_PORT port, PVOID in, ULONG in_size, PVOID out, ULONG out_size,
			    ULONG *returned);
/* Waits. The message and its header are written to `buffer`; how long it is without that,
 * to *length. */
NTSTATUS flt_get_message(PFLT_PORT port, void *buffer, ULONG size, ULONG *length);
NTSTATUS flt_reply(PFLT_PORT port, const void *buffer, ULONG size);

/* Its filter, referenced; NULL when the driver's end is closed. */
PFLT_FILTER flt_filter_of_port(PFLT_PORT port);

/* Under flt_lock: everybody who waits at the port is told that it is broken. */
void flt_break_port(PFLT_PORT port);

/* ---- Exports ------------------------------------------------------------------------------------ */

NTSTATUS NTAPI FltBuildDefaultSecurityDescriptor(PVOID *SecurityDescriptor,
						 ACCESS_MASK DesiredAccess);
VOID NTAPI FltFreeSecurityDescriptor(PVOID SecurityDescriptor);
NTSTATUS NTAPI FltCreateCommunicationPort(PFLT_FILTER Filter, PFLT_PORT *ServerPort,
					  POBJECT_ATTRIBUTES ObjectAttributes,
					  PVOID ServerPortCookie,
					  FLT_CONNECT_NOTIFY *ConnectNotifyCallback,
					  FLT_DISCONNECT_NOTIFY *DisconnectNotifyCallback,
					  FLT_MESSAGE_NOTIFY *MessageNotifyCallback,
					  LONG MaxConnections);
VOID NTAPI FltCloseCommunicationPort(PFLT_PORT ServerPort);
VOID NTAPI FltCloseClientPort(PFLT_FILTER Filter, PFLT_PORT *ClientPort);
NTSTATUS NTAPI FltSendMessage(PFLT_FILTER Filter, PFLT_PORT *ClientPort, PVOID SenderBuffer,
			      ULONG SenderBufferLength, PVOID ReplyBuffer, PULONG ReplyLength,
			      PLARGE_INTEGER Timeout);

#endif

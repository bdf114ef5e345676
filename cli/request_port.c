/* SPDX-License-Identifier: MIT */
/*
 * A connection to a minifilter, and a thread that takes what comes through it.
 */
#include "cli/request_port.h"
#include "flt/port.h"
#include "ob/object.h"
#include "rtl/utf.h"
#include <pthread.h>
#include <ringside/flt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LONGEST 65536

struct port_listener {
	pthread_t thread;
	PFLT_PORT port; /* referenced */
	const char *name;
	struct sink *sink;
	struct {
		FILTER_MESSAGE_HEADER header;
		char text[LONGEST];
	} message;
};

NTSTATUS port_open(const char *name, const void *context, USHORT size, HANDLE *port)
{
	char text[1024];
	UNICODE_STRING path;
	int length = snprintf(text, sizeof(text), "%s%s", name[0] == '\\' ? "" : "\\", name);
	if ((size_t)length >= sizeof(text) || rtl_from_utf8(text, &path))
		return STATUS_OBJECT_NAME_INVALID;
	NTSTATUS status = flt_connect(&path, context, size, port);
	rtl_free_string(&path);
	return status;
}

NTSTATUS port_send(HANDLE port, void *input, ULONG in, void *output, ULONG out,
		   IO_STATUS_BLOCK *result)
{
	PFLT_PORT found;
	ULONG returned = 0;
	NTSTATUS status = in ? flt_port_of(port, &found) : STATUS_SUCCESS;
	if (in && NT_SUCCESS(status)) {
		status = flt_send_to_driver(found, input, in, output, out, &returned);
		ob_dereference(found);
	}
	*result = (IO_STATUS_BLOCK){.Status = status, .Information = returned};
	return status;
}

/* ---- What the minifilter sends ------------------------------------------------------------- */

static void report(struct port_listener *listener, ULONG size)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	struct rs_event event = {.type = RS_DEVICE_REQUEST};
	event.time = (ULONG64)now.tv_sec * 1000000000u + (ULONG64)now.tv_nsec;
	event.request.kind = "message";
	event.request.device = listener->name;
	event.request.information = event.request.size = size;
	event.request.data = listener->message.text;
	sink_hear(listener->sink, &event);
}

static void *listen_to(void *argument)
{
	struct port_listener *listener = argument;
	ULONG size;
	while (NT_SUCCESS(flt_get_message(listener->port, &listener->message,
					  sizeof(listener->message), &size))) {
		report(listener, size);
		FILTER_REPLY_HEADER reply = {.MessageId = listener->message.header.MessageId};
		if (listener->message.header.ReplyLength)
			flt_reply(listener->port, &reply, sizeof(reply));
	}
	return NULL;
}

struct port_listener *port_listen(HANDLE port, const char *name, struct sink *sink)
{
	struct port_listener *listener = calloc(1, sizeof(*listener));
	if (!listener)
		return NULL;
	listener->name = name;
	listener->sink = sink;
	if (!NT_SUCCESS(flt_port_of(port, &listener->port))) {
		free(listener);
		return NULL;
	}
	if (pthread_create(&listener->thread, NULL, listen_to, listener) == 0)
		return listener;
	ob_dereference(listener->port);
	free(listener);
	return NULL;
}

void port_listener_end(struct port_listener *listener)
{
	if (!listener)
		return;
	pthread_join(listener->thread, NULL);
	ob_dereference(listener->port);
	free(listener);
}

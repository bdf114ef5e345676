/* SPDX-License-Identifier: MIT */
/* --port: a minifilter's communication port, as its control program uses it. */
#ifndef RINGSIDE_CLI_REQUEST_PORT_H
#define RINGSIDE_CLI_REQUEST_PORT_H

#include "sink/sink.h"
#include <ringside/nt.h>

/* Connects the current process; a name without a backslash in front gets one. The
 * minifilter's connect routine is shown the context, which may be NULL. */
NTSTATUS port_open(const char *name, const void *context, USHORT size, HANDLE *port);

/* Sends a message and waits for the answer; without input nothing is sent. */
NTSTATUS port_send(HANDLE port, void *input, ULONG in, void *output, ULONG out,
		   IO_STATUS_BLOCK *result);

/* Reports what the minifilter sends, and gives an empty reply to what expects one, so that
 * no driver waits for somebody who is not there; until the handle is closed. NULL when that
 * cannot be. */
struct port_listener *port_listen(HANDLE port, const char *name, struct sink *sink);

/* After the handle is closed; NULL is allowed. */
void port_listener_end(struct port_listener *listener);

#endif

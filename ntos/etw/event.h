/* SPDX-License-Identifier: MIT */
/* An event of an enabled provider, on its way to the listeners. */
#ifndef RINGSIDE_ETW_EVENT_H
#define RINGSIDE_ETW_EVENT_H

#include "etw/provider.h"
#include <stdbool.h>
#include <stddef.h>

#define ETW_MAX_NAME 128

struct etw_source {
	const void *caller; /* return address in whoever wrote it */
	GUID provider;
	char name[ETW_MAX_NAME]; /* empty: none */
	bool uses_types;         /* descriptors say what they are */
};

struct etw_written {
	PCEVENT_DESCRIPTOR descriptor;
	const GUID *activity, *related;
	ULONG count;
	const EVENT_DATA_DESCRIPTOR *data;
};

/* INVALID_PARAMETER, INTEGER_OVERFLOW for more than an event can hold, NO_MEMORY. Memory
 * that is not there faults as if the driver had read it. No lock may be held. */
NTSTATUS etw_tell(const struct etw_source *source, const struct etw_written *written);

/* Copies from a driver's pointer; NULL, or the first address that could not be read. */
const char *etw_read(const void *from, void *to, size_t size);

/* Faults there, as a driver that reads it; returns if that is memory of a live process,
 * which is not here to fault on. */
NTSTATUS etw_fault(const char *bad);

#endif

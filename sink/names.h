/* SPDX-License-Identifier: MIT */
/* Numbers as people name them: access rights, statuses, kinds of callback, exits. */
#ifndef RINGSIDE_SINK_NAMES_H
#define RINGSIDE_SINK_NAMES_H

#include "sink/line.h"
#include <ringside/event.h>

/* The right that a single bit of an access mask stands for on objects of `type`
 * ("PROCESS_TERMINATE"), or NULL for a bit without a name. */
const char *sink_right_name(POBJECT_TYPE type, ACCESS_MASK bit);

/* "process", "thread" or "desktop". */
const char *sink_type_name(POBJECT_TYPE type);

/* The object types of a registration's mask: bit 0 is "process" and so on; NULL
 * past the last. */
const char *sink_type_of_bit(unsigned bit);

/* The kind as a field name ("process_ex2") and as a person reads it
 * ("process, Ex2"). */
const char *sink_kind_field(enum rs_callback_kind kind);
const char *sink_kind_name(enum rs_callback_kind kind);

/* A Ps routine is called for beginnings and ends; object routines are not. */
bool sink_kind_has_phases(enum rs_callback_kind kind);

/* The last component of an image path. A subsystem process has a Linux path, in which
 * '\\' is a letter like any other. */
UNICODE_STRING sink_base_name(const UNICODE_STRING *path);

void sink_say_rights(struct sink_line *line, POBJECT_TYPE type, ACCESS_MASK rights);
void sink_say_status(struct sink_line *line, NTSTATUS status);
void sink_say_module(struct sink_line *line, const KLDR_DATA_TABLE_ENTRY *module);

/* "warden.sys+0x1450", or the bare address when it is not in the module. */
void sink_say_address(struct sink_line *line, const KLDR_DATA_TABLE_ENTRY *module,
		      const void *address);

/* "812 ns", "12.3 µs", "4.56 ms", "7.89 s": three digits. */
void sink_say_duration(struct sink_line *line, ULONG64 nanoseconds);

/* "exited with 0", "killed by SIGKILL". */
void sink_say_wait_status(struct sink_line *line, int status);

#endif

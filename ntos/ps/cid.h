/* SPDX-License-Identifier: MIT */
/* Client ids: the one space of process and thread ids (PS-63). */
#ifndef RINGSIDE_PS_CID_H
#define RINGSIDE_PS_CID_H

#include <ringside/nt.h>

/*
 * Gives `object` (a process or thread) an id: `wish` if that is free, else the next
 * free of wish + 8, wish + 16, ...; wish 0: any free one. No reference is taken.
 * Returns the id, or 0 without memory.
 */
ULONG64 ps_take_id(void *object, ULONG64 wish);

/* Gives it back; by the object's deletion. */
void ps_free_id(ULONG64 id);

/* The object with that id and of that type, referenced, or NULL. */
void *ps_find_id(ULONG64 id, POBJECT_TYPE type);

void ps_shutdown_ids(void);

#endif

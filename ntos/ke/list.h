/* SPDX-License-Identifier: MIT */
/* Doubly linked lists of LIST_ENTRYs, around a head that is one too. */
#ifndef RINGSIDE_KE_LIST_H
#define RINGSIDE_KE_LIST_H

#include <ringside/nt.h>
#include <stdbool.h>
#include <stddef.h>

#define LIST_OWNER(entry, type, member) ((type *)(void *)((char *)(entry)-offsetof(type, member)))

static inline void list_init(LIST_ENTRY *head)
{
	head->Flink = head->Blink = head;
}

static inline bool list_empty(const LIST_ENTRY *head)
{
	return head->Flink == head;
}

static inline void list_add_first(LIST_ENTRY *head, LIST_ENTRY *entry)
{
	entry->Flink = head->Flink;
	entry->Blink = head;
	head->Flink->Blink = entry;
	head->Flink = entry;
}

static inline void list_add_last(LIST_ENTRY *head, LIST_ENTRY *entry)
{
	entry->Flink = head;
	entry->Blink = head->Blink;
	head->Blink->Flink = entry;
	head->Blink = entry;
}

static inline void list_remove(LIST_ENTRY *entry)
{
	entry->Blink->Flink = entry->Flink;
	entry->Flink->Blink = entry->Blink;
}

#endif

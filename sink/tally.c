/* SPDX-License-Identifier: MIT */
#include "sink/tally.h"
#include "sink/names.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEEDS 32 /* different ones */

static void keep_name(struct sink_name *name, const UNICODE_STRING *string)
{
	size_t length = string->Length < sizeof(name->units) ? string->Length : sizeof(name->units);
	if (length)
		memcpy(name->units, string->Buffer, length);
	name->length = (USHORT)length;
}

static void keep_driver(struct sink_name *name, const KLDR_DATA_TABLE_ENTRY *module)
{
	static const UNICODE_STRING nobody;
	keep_name(name, module ? &module->BaseDllName : &nobody);
}

static bool same_name(const struct sink_name *a, const struct sink_name *b)
{
	return a->length == b->length && memcmp(a->units, b->units, a->length) == 0;
}

UNICODE_STRING sink_name_string(const struct sink_name *name)
{
	return (UNICODE_STRING){name->length, name->length, (PWSTR)(uintptr_t)name->units};
}

static void count_deed(struct sink_tally *tally, const struct sink_deed *deed)
{
	struct sink_deed **at = &tally->deeds;
	unsigned different = 0;
	for (; *at; at = &(*at)->next, different++) {
		struct sink_deed *known = *at;
		if (known->veto == deed->veto && known->status == deed->status &&
		    known->type == deed->type && known->rights == deed->rights &&
		    same_name(&known->driver, &deed->driver) &&
		    same_name(&known->image, &deed->image)) {
			known->count++;
			return;
		}
	}
	if (different == MAX_DEEDS || !(*at = malloc(sizeof(**at)))) {
		tally->other_deeds++;
		return;
	}
	**at = *deed;
	(*at)->count = 1;
	(*at)->next = NULL;
}

static void add_creation(struct sink_tally *tally, const struct rs_event *event)
{
	UNICODE_STRING image = sink_base_name(&event->created.process.image);
	struct sink_deed deed = {.veto = true, .status = event->created.status};
	tally->processes++;
	if (NT_SUCCESS(event->created.status))
		return;
	tally->vetoes++;
	keep_driver(&deed.driver, event->created.vetoed_by);
	keep_name(&deed.image, &image);
	count_deed(tally, &deed);
}

ACCESS_MASK sink_stripped_rights(const struct rs_event *event)
{
	return event->handle.stripped_by ? event->handle.desired & ~event->handle.granted : 0;
}

static void add_handle(struct sink_tally *tally, const struct rs_event *event)
{
	UNICODE_STRING image = sink_base_name(&event->handle.target.image);
	struct sink_deed deed = {.type = event->handle.type, .rights = sink_stripped_rights(event)};
	tally->handles++;
	if (!deed.rights)
		return;
	tally->stripped++;
	keep_driver(&deed.driver, event->handle.stripped_by);
	keep_name(&deed.image, &image);
	count_deed(tally, &deed);
}

static void add_callback(struct sink_tally *tally, const struct rs_event *event)
{
	struct sink_callbacks **at = &tally->callbacks;
	struct sink_name driver;
	enum rs_callback_kind kind = event->callback.kind;
	bool create = sink_kind_has_phases(kind) && event->callback.create;
	keep_driver(&driver, event->callback.module);
	while (*at && !((*at)->kind == kind && (*at)->create == create &&
			same_name(&(*at)->driver, &driver)))
		at = &(*at)->next;
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			return;
		(*at)->driver = driver;
		(*at)->kind = kind;
		(*at)->create = create;
	}
	sink_series_add(&(*at)->time, event->callback.duration);
}

static void add_missing(struct sink_tally *tally, const struct rs_event *event)
{
	struct sink_missing **at = &tally->missing, new = {.calls = 1};
	keep_driver(&new.driver, event->missing.module);
	snprintf(new.name, sizeof(new.name), "%s", event->missing.name);
	for (; *at; at = &(*at)->next) {
		if (same_name(&(*at)->driver, &new.driver) && !strcmp((*at)->name, new.name)) {
			(*at)->calls++;
			return;
		}
	}
	*at = malloc(sizeof(**at));
	if (*at)
		**at = new;
}

void sink_tally_add(struct sink_tally *tally, const struct rs_event *event)
{
	switch (event->type) {
	case RS_PROCESS_CREATED:
		add_creation(tally, event);
		break;
	case RS_PROCESS_EXITED:
		tally->exits++;
		break;
	case RS_THREAD_CREATED:
		tally->threads++;
		break;
	case RS_IMAGE_LOADED:
		tally->images++;
		break;
	case RS_HANDLE_OPERATION:
		add_handle(tally, event);
		break;
	case RS_CALLBACK_RETURNED:
		add_callback(tally, event);
		break;
	case RS_MISSING_CALLED:
		add_missing(tally, event);
		break;
	case RS_RULE_BROKEN:
		tally->rules++;
		break;
	case RS_BUG_CHECK:
		tally->bug_checks++;
		break;
	default:
		break;
	}
}

void sink_tally_free(struct sink_tally *tally)
{
	for (struct sink_callbacks *next, *at = tally->callbacks; at; at = next) {
		next = at->next;
		sink_series_free(&at->time);
		free(at);
	}
	for (struct sink_deed *next, *at = tally->deeds; at; at = next) {
		next = at->next;
		free(at);
	}
	for (struct sink_missing *next, *at = tally->missing; at; at = next) {
		next = at->next;
		free(at);
	}
}

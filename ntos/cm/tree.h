/* SPDX-License-Identifier: MIT */
/*
 * The tree of keys and values under the registry's exports.
 *
 * A function that gives out a node or a value gives a reference with it. NT's
 * statuses: KEY_DELETED for every use of a key that has been deleted,
 * OBJECT_NAME_NOT_FOUND for what is not there.
 */
#ifndef RINGSIDE_CM_TREE_H
#define RINGSIDE_CM_TREE_H

#include <ringside/nt.h>
#include <stdatomic.h>
#include <stdbool.h>

#define CM_MAX_KEY_NAME 255           /* characters of one component */
#define CM_MAX_VALUE_NAME 16383       /* characters */
#define CM_MAX_DEPTH 512              /* levels */
#define CM_MAX_VALUE_SIZE 0x7FFF0000u /* bytes of data; every answer fits a ULONG */

/* A value never changes: setting it anew replaces the whole object, so that
 * readers need no lock once they hold a reference. */
struct cm_value {
	_Atomic uint32_t references;
	ULONG type;
	ULONG size;
	const void *data;
	UNICODE_STRING name;
	WCHAR text[]; /* the name, then the data */
};

struct cm_node;

/* How a key that does not exist yet is to be. */
struct cm_new_key {
	UNICODE_STRING class;
	bool is_volatile;
	bool fixture; /* cannot be deleted */
	bool bare;    /* NT keeps no hive here: only boot makes subkeys */
};

struct cm_summary {
	LONGLONG last_write;
	ULONG subkeys, longest_name, longest_class;
	ULONG values, longest_value_name, longest_value_data;
};

/* Makes the root, \REGISTRY, and takes the whole tree down. 0 or -ENOMEM. */
int cm_plant(void);
void cm_fell(void);
struct cm_node *cm_root(void);

void cm_reference(struct cm_node *node);
void cm_release(struct cm_node *node);

/* Splits the first component off *rest; empty ones are skipped, as NT does. False
 * when nothing is left. */
bool cm_next_component(UNICODE_STRING *rest, UNICODE_STRING *component);

/* The key at `path`, relative to `from` without a leading backslash; `from`
 * itself for an empty path. */
NTSTATUS cm_find(struct cm_node *from, PCUNICODE_STRING path, struct cm_node **node);

/* The same, but makes the last component when it is missing; *created says so. */
NTSTATUS cm_create(struct cm_node *from, PCUNICODE_STRING path, const struct cm_new_key *how,
		   struct cm_node **node, bool *created);

/* CANNOT_DELETE while it has subkeys, and for NT's own keys. */
NTSTATUS cm_delete(struct cm_node *node);

/* Subkeys in the order of their names, values in the order in which they were
 * first set. NO_MORE_ENTRIES beyond the last. */
NTSTATUS cm_nth_subkey(struct cm_node *node, ULONG index, struct cm_node **subkey);
NTSTATUS cm_nth_value(struct cm_node *node, ULONG index, struct cm_value **value);

NTSTATUS cm_find_value(struct cm_node *node, PCUNICODE_STRING name, struct cm_value **value);
NTSTATUS cm_put_value(struct cm_node *node, PCUNICODE_STRING name, ULONG type, const void *data,
		      ULONG size);
NTSTATUS cm_remove_value(struct cm_node *node, PCUNICODE_STRING name);
void cm_release_value(struct cm_value *value);

/* SUCCESS unless the key is deleted. */
NTSTATUS cm_check(struct cm_node *node);

NTSTATUS cm_summarize(struct cm_node *node, struct cm_summary *summary);
PCUNICODE_STRING cm_name(const struct cm_node *node); /* last component, as created */
PCUNICODE_STRING cm_class(const struct cm_node *node);

/* The full path (\REGISTRY\MACHINE\...); its Buffer is freed with host_free. The first
 * form not of a key that is deleted. */
NTSTATUS cm_path(struct cm_node *node, UNICODE_STRING *path);
NTSTATUS cm_full_path(struct cm_node *node, UNICODE_STRING *path);

#endif

/* SPDX-License-Identifier: MIT */
/* Key objects: what a key handle stands for. */
#ifndef RINGSIDE_CM_KEY_H
#define RINGSIDE_CM_KEY_H

#include "cm/registry.h"
#include "cm/tree.h"
#include "ob/object.h"

/* Tells the key object type how a key ends, and makes the root's object. 0 or -ENOMEM. */
int cm_boot_keys(void);
void cm_shutdown_keys(void);

/* The body of an object of CmKeyObjectType; referenced by whoever resolved it. */
struct cm_key {
	struct cm_node *node;         /* referenced */
	UNICODE_STRING *_Atomic name; /* what CmCallbackGetKeyObjectID has given, or NULL */

	/* Under the lock of the callbacks (filter.h). */
	LIST_ENTRY contexts; /* struct cm_context */
	unsigned cleaning;   /* threads that use a dead one */
};

/* A new object for a node, whose reference goes to it or, without memory, is given
 * back. NULL then. */
struct cm_key *cm_make_key(struct cm_node *node);

/* The object for \REGISTRY, from which absolute paths lead. */
extern struct cm_key *cm_root_key;

/* Whether a driver's pointer is to a key object. It may fault. */
bool cm_is_key(const void *object);

/* The key behind a handle of the current process or a kernel handle; given back
 * with ob_dereference. INVALID_HANDLE, OBJECT_TYPE_MISMATCH. */
NTSTATUS cm_key_of(HANDLE handle, struct cm_key **key);

/* Takes the registry's root off an absolute path: what is left begins below it. OBJECT_PATH_SYNTAX_BAD
 * for a relative one, OBJECT_NAME_NOT_FOUND or OBJECT_PATH_NOT_FOUND for one that
 * leads elsewhere. */
NTSTATUS cm_enter_root(UNICODE_STRING *path);

/* Strips the NULs that Win32 callers leave at the end of value names, as NT does. */
UNICODE_STRING cm_value_name(PCUNICODE_STRING name);

/* Touches a driver's text: if it cannot be read, the fault is now and not where the tree is
 * locked, or callbacks are held that wait for their post calls. */
void cm_read_through(const UNICODE_STRING *text);

#endif

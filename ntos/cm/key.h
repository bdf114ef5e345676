/* SPDX-License-Identifier: MIT */
/* Key objects: what a key handle stands for. */
#ifndef RINGSIDE_CM_KEY_H
#define RINGSIDE_CM_KEY_H

#include "cm/registry.h"
#include "cm/tree.h"
#include "ob/object.h"

/* Tells the key object type how a key ends. */
void cm_init_key_type(void);

/* The body of an object of CmKeyObjectType; referenced by whoever resolved it. */
struct cm_key {
	struct cm_node *node; /* referenced */
};

/* The key behind a handle of the current process or a kernel handle; given back
 * with ob_dereference. INVALID_HANDLE, OBJECT_TYPE_MISMATCH. */
NTSTATUS cm_key_of(HANDLE handle, struct cm_key **key);

/* Takes the registry's root, referenced, off an absolute path. OBJECT_PATH_SYNTAX_BAD
 * for a relative one, OBJECT_NAME_NOT_FOUND or OBJECT_PATH_NOT_FOUND for one that
 * leads elsewhere. */
NTSTATUS cm_enter_root(UNICODE_STRING *path, struct cm_node **root);

/* Strips the NULs that Win32 callers leave at the end of value names, as NT does. */
UNICODE_STRING cm_value_name(PCUNICODE_STRING name);

#endif

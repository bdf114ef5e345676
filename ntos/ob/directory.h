/* SPDX-License-Identifier: MIT */
/*
 * The namespace: directories of named objects, and symbolic links.
 *
 * At boot there are \Device, \Driver, \Callback, \BaseNamedObjects, \GLOBAL??, and the links
 * \?? and \DosDevices to \GLOBAL??. Names are compared without regard to case, as NT's
 * default (obcaseinsensitive) has it. A name is looked up component by component;
 * a symbolic link on the way is followed, and the search ends at the first object that
 * is no directory: what is left of the name is that object's own business.
 */
#ifndef RINGSIDE_OB_DIRECTORY_H
#define RINGSIDE_OB_DIRECTORY_H

#include "ob/object.h"

extern POBJECT_TYPE ObpDirectoryObjectType, ObpSymbolicLinkObjectType;

#define DIRECTORY_QUERY 0x0001
#define SYMBOLIC_LINK_QUERY 0x0001

struct ob_lookup {
	void *object;        /* referenced for the caller */
	UNICODE_STRING rest; /* behind its name, with the backslash, or empty; in `path` */
	UNICODE_STRING path; /* what the name has become; given back with ob_end_lookup */
};

/* Finds `name`, from `root` (a directory; NULL: the top). A link that is the last
 * component is the result itself when `open_link`. PASSIVE_LEVEL. Errors:
 * OBJECT_NAME_NOT_FOUND, OBJECT_PATH_NOT_FOUND (not the last component),
 * OBJECT_PATH_SYNTAX_BAD, OBJECT_NAME_INVALID, INSUFFICIENT_RESOURCES. */
NTSTATUS ob_look_up(void *root, PCUNICODE_STRING name, bool open_link, struct ob_lookup *found);
void ob_end_lookup(struct ob_lookup *found); /* leaves the object to the caller */

/* Gives an object that has no name one. A permanent object is referenced by its name,
 * any other loses it with its last handle or reference. Errors: as above, and
 * OBJECT_NAME_COLLISION. */
NTSTATUS ob_insert(void *object, void *root, PCUNICODE_STRING name, bool permanent);

/* Takes the name and, of a permanent object, the reference away; no more than once. */
void ob_remove(void *object);

/* Its last handle is closed, or its last reference gone. */
void ob_forget_name(void *object);

/* Makes a permanent object one that goes with its last handle: now, if it has none. */
void ob_make_temporary(void *object);

/* A new empty directory without a name; NULL without memory. */
void *ob_create_directory(void);

/* Names a new object as `attributes` say, which may be NULL or without a name, and opens a
 * handle to it; takes over the reference. With OBJ_OPENIF the object may be an existing
 * one: OBJECT_NAME_EXISTS then. `object` NULL: INSUFFICIENT_RESOURCES. */
NTSTATUS ob_publish(void *object, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes,
		    KPROCESSOR_MODE mode, PHANDLE handle);

/* The full name, into a buffer given back with rtl_free_string; empty without a name.
 * INSUFFICIENT_RESOURCES. */
NTSTATUS ob_name_of(void *object, UNICODE_STRING *name);

/* The n-th entry of a directory: a copy of its name (rtl_free_string) and its type.
 * NO_MORE_ENTRIES, INSUFFICIENT_RESOURCES. */
NTSTATUS ob_directory_entry(void *directory, ULONG index, UNICODE_STRING *name, POBJECT_TYPE *type);

/* A new symbolic link without a name, its target copied; NULL without memory. */
void *ob_create_link(PCUNICODE_STRING target);
PCUNICODE_STRING ob_link_target(void *link);

int ob_boot_namespace(void); /* 0 or -ENOMEM */
void ob_shutdown_namespace(void);

/* Exports. */
VOID NTAPI ObMakeTemporaryObject(PVOID Object);
NTSTATUS NTAPI ZwMakeTemporaryObject(HANDLE Handle);
NTSTATUS NTAPI ObOpenObjectByName(POBJECT_ATTRIBUTES ObjectAttributes, POBJECT_TYPE ObjectType,
				  KPROCESSOR_MODE AccessMode, PVOID AccessState,
				  ACCESS_MASK DesiredAccess, PVOID ParseContext, PHANDLE Handle);
NTSTATUS NTAPI ObReferenceObjectByName(PUNICODE_STRING ObjectName, ULONG Attributes,
				       PVOID AccessState, ACCESS_MASK DesiredAccess,
				       POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
				       PVOID ParseContext, PVOID *Object);
NTSTATUS NTAPI ObQueryNameString(PVOID Object, PVOID ObjectNameInfo, ULONG Length,
				 PULONG ReturnLength);
NTSTATUS NTAPI ZwCreateDirectoryObject(PHANDLE DirectoryHandle, ACCESS_MASK DesiredAccess,
				       POBJECT_ATTRIBUTES ObjectAttributes);
NTSTATUS NTAPI ZwOpenDirectoryObject(PHANDLE DirectoryHandle, ACCESS_MASK DesiredAccess,
				     POBJECT_ATTRIBUTES ObjectAttributes);
NTSTATUS NTAPI ZwQueryDirectoryObject(HANDLE DirectoryHandle, PVOID Buffer, ULONG Length,
				      BOOLEAN ReturnSingleEntry, BOOLEAN RestartScan,
				      PULONG Context, PULONG ReturnLength);
NTSTATUS NTAPI ZwCreateSymbolicLinkObject(PHANDLE LinkHandle, ACCESS_MASK DesiredAccess,
					  POBJECT_ATTRIBUTES ObjectAttributes,
					  PUNICODE_STRING LinkTarget);
NTSTATUS NTAPI ZwOpenSymbolicLinkObject(PHANDLE LinkHandle, ACCESS_MASK DesiredAccess,
					POBJECT_ATTRIBUTES ObjectAttributes);
NTSTATUS NTAPI ZwQuerySymbolicLinkObject(HANDLE LinkHandle, PUNICODE_STRING LinkTarget,
					 PULONG ReturnedLength);

#endif

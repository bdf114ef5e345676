// SPDX-License-Identifier: MIT
/*
 * Keys as drivers see them: opening, creating and deleting through handles.
 *
 * A key handle refers to an object of CmKeyObjectType whose body holds a reference
 * on one node of the tree; two opens of a key make two objects, as on NT. The
 * object needs no lock: its node never changes.
 *
 * Each Zw routine resolves its handle, does one thing to the tree and answers.
 * They are the only way in for drivers (the Rtl routines are built on them), so
 * that registry callbacks, once there are any, have one place each to stand
 * around.
 */
#include "cm/key.h"
#include "memory.h"
#include "ob/handle.h"
#include "ps/process.h"
#include "rtl/string.h"
#include <string.h>

#define OPEN_OPTIONS (REG_OPTION_BACKUP_RESTORE | REG_OPTION_OPEN_LINK | REG_OPTION_DONT_VIRTUALIZE)
#define CREATE_OPTIONS (OPEN_OPTIONS | REG_OPTION_VOLATILE | REG_OPTION_CREATE_LINK)

static void delete_key_body(void *body)
{
	struct cm_key *key = body;
	cm_release(key->node);
}

void cm_init_key_type(void)
{
	CmKeyObjectType->delete_body = delete_key_body;
}

NTSTATUS cm_key_of(HANDLE handle, struct cm_key **key)
{
	struct ob_handle found;
	NTSTATUS status = ob_resolve_handle(PsGetCurrentProcess(), handle, KernelMode, &found);
	if (!NT_SUCCESS(status))
		return status;
	if (ob_header_of(found.object)->type != CmKeyObjectType) {
		ob_dereference(found.object);
		return STATUS_OBJECT_TYPE_MISMATCH;
	}
	*key = found.object;
	return STATUS_SUCCESS;
}

/* Makes an object and a handle for `node`, whose reference goes to the object or,
 * on failure, is given back. */
static NTSTATUS make_key_handle(struct cm_node *node, ACCESS_MASK access, ULONG attributes,
				PHANDLE handle)
{
	struct cm_key *key = ob_create(CmKeyObjectType, sizeof(*key));
	if (!key) {
		cm_release(node);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	key->node = node;
	const struct ob_handle_request request = {
		.operation = OB_OPERATION_HANDLE_CREATE,
		.object = key,
		.table_of = PsGetCurrentProcess(),
		.desired = access,
		.attributes = attributes,
		.mode = KernelMode,
	};
	NTSTATUS status = ob_make_handle(&request, handle, NULL);
	ob_dereference(key);
	return status;
}

/* ---- Names --------------------------------------------------------------- */

NTSTATUS cm_enter_root(UNICODE_STRING *path, struct cm_node **from)
{
	UNICODE_STRING first, ignored;
	if (path->Length == 0 || path->Buffer[0] != u'\\')
		return STATUS_OBJECT_PATH_SYNTAX_BAD;
	if (!cm_next_component(path, &first) ||
	    RtlCompareUnicodeString(&first, cm_name(cm_root()), TRUE) != 0) {
		UNICODE_STRING rest = *path;
		return cm_next_component(&rest, &ignored) ? STATUS_OBJECT_PATH_NOT_FOUND
							  : STATUS_OBJECT_NAME_NOT_FOUND;
	}
	*from = cm_root();
	cm_reference(*from);
	return STATUS_SUCCESS;
}

static NTSTATUS enter_handle(HANDLE root, const UNICODE_STRING *path, struct cm_node **from)
{
	struct cm_key *key;
	if (path->Length && path->Buffer[0] == u'\\')
		return STATUS_OBJECT_PATH_SYNTAX_BAD;
	NTSTATUS status = cm_key_of(root, &key);
	if (!NT_SUCCESS(status))
		return status;
	*from = key->node;
	cm_reference(*from);
	ob_dereference(key);
	return STATUS_SUCCESS;
}

/* Where the walk begins (referenced) and what it has to walk. */
static NTSTATUS locate(const OBJECT_ATTRIBUTES *attributes, struct cm_node **from,
		       UNICODE_STRING *path)
{
	if (!attributes || attributes->Length != sizeof(*attributes))
		return STATUS_INVALID_PARAMETER;
	*path = attributes->ObjectName ? *attributes->ObjectName : (UNICODE_STRING){0};
	if (path->Length % sizeof(WCHAR))
		return STATUS_OBJECT_NAME_INVALID;
	return attributes->RootDirectory ? enter_handle(attributes->RootDirectory, path, from)
					 : cm_enter_root(path, from);
}

UNICODE_STRING cm_value_name(PCUNICODE_STRING name)
{
	UNICODE_STRING cut = name ? *name : (UNICODE_STRING){0};
	while (cut.Length >= sizeof(WCHAR) && cut.Buffer[cut.Length / sizeof(WCHAR) - 1] == 0)
		cut.Length -= sizeof(WCHAR);
	return cut;
}

/* ---- Exports ------------------------------------------------------------- */

NTSTATUS NTAPI ZwOpenKeyEx(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess,
			   POBJECT_ATTRIBUTES ObjectAttributes, ULONG OpenOptions)
{
	struct cm_node *from, *node;
	UNICODE_STRING path;
	if (OpenOptions & ~OPEN_OPTIONS)
		return STATUS_INVALID_PARAMETER;
	NTSTATUS status = locate(ObjectAttributes, &from, &path);
	if (!NT_SUCCESS(status))
		return status;
	status = cm_find(from, &path, &node);
	cm_release(from);
	if (!NT_SUCCESS(status))
		return status;
	return make_key_handle(node, DesiredAccess, ObjectAttributes->Attributes, KeyHandle);
}

NTSTATUS NTAPI ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess,
			 POBJECT_ATTRIBUTES ObjectAttributes)
{
	return ZwOpenKeyEx(KeyHandle, DesiredAccess, ObjectAttributes, 0);
}

NTSTATUS NTAPI ZwCreateKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess,
			   POBJECT_ATTRIBUTES ObjectAttributes, ULONG TitleIndex,
			   PUNICODE_STRING Class, ULONG CreateOptions, PULONG Disposition)
{
	const struct cm_new_key how = {
		.class = Class ? *Class : (UNICODE_STRING){0},
		.is_volatile = CreateOptions & REG_OPTION_VOLATILE,
	};
	struct cm_node *from, *node;
	UNICODE_STRING path;
	bool created;
	(void)TitleIndex; /* unused by NT too */
	if (CreateOptions & ~CREATE_OPTIONS)
		return STATUS_INVALID_PARAMETER;
	if (CreateOptions & REG_OPTION_CREATE_LINK)
		return STATUS_NOT_SUPPORTED;
	NTSTATUS status = locate(ObjectAttributes, &from, &path);
	if (!NT_SUCCESS(status))
		return status;
	status = cm_create(from, &path, &how, &node, &created);
	cm_release(from);
	if (!NT_SUCCESS(status))
		return status;
	cm_reference(node); /* make_key_handle takes one; ours is for taking back */
	status = make_key_handle(node, DesiredAccess, ObjectAttributes->Attributes, KeyHandle);
	if (!NT_SUCCESS(status) && created)
		cm_delete(node);
	if (NT_SUCCESS(status) && Disposition)
		*Disposition = created ? REG_CREATED_NEW_KEY : REG_OPENED_EXISTING_KEY;
	cm_release(node);
	return status;
}

NTSTATUS NTAPI ZwDeleteKey(HANDLE KeyHandle)
{
	struct cm_key *key;
	NTSTATUS status = cm_key_of(KeyHandle, &key);
	if (!NT_SUCCESS(status))
		return status;
	status = cm_delete(key->node);
	ob_dereference(key);
	return status;
}

/* There is nothing behind the tree that could be out of date: a live key is
 * flushed. */
NTSTATUS NTAPI ZwFlushKey(HANDLE KeyHandle)
{
	struct cm_key *key;
	NTSTATUS status = cm_key_of(KeyHandle, &key);
	if (!NT_SUCCESS(status))
		return status;
	status = cm_check(key->node);
	ob_dereference(key);
	return status;
}

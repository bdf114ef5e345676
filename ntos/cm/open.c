/* SPDX-License-Identifier: MIT */
/*
 * Opening and creating keys.
 *
 * The arguments go into the structure that registry callbacks are shown, the key that
 * comes of it back out: a callback may have put another one there, or have taken the one
 * there away. A handle is made after the last callback.
 *
 * Pages: ZwCreateKey, ZwOpenKeyEx, REG_CREATE_KEY_INFORMATION_V1.
 */
#include "cm/filter.h"
#include "ob/handle.h"
#include "ps/process.h"

#define OPEN_OPTIONS (REG_OPTION_BACKUP_RESTORE | REG_OPTION_OPEN_LINK | REG_OPTION_DONT_VIRTUALIZE)
#define CREATE_OPTIONS (OPEN_OPTIONS | REG_OPTION_VOLATILE | REG_OPTION_CREATE_LINK)

#define SHOWN_ATTRIBUTES (OBJ_KERNEL_HANDLE | OBJ_FORCE_ACCESS_CHECK | OBJ_OPENLINK)
#define WOW64_FLAGS 0x300u /* KEY_WOW64_64KEY and _32KEY */

/* What an open or a create is about, and what comes of it. */
struct opening {
	REG_CREATE_KEY_INFORMATION_V1 information;
	UNICODE_STRING remaining, complete;
	struct cm_key *from;
	ULONG attributes;
	PVOID result; /* the key, referenced */
	ULONG disposition;
};

/* Where the walk begins (referenced) and what it has to walk. */
static NTSTATUS locate(const OBJECT_ATTRIBUTES *attributes, struct cm_key **from,
		       UNICODE_STRING *path)
{
	if (!attributes || attributes->Length != sizeof(*attributes))
		return STATUS_INVALID_PARAMETER;
	*path = attributes->ObjectName ? *attributes->ObjectName : (UNICODE_STRING){0};
	if (path->Length % sizeof(WCHAR))
		return STATUS_OBJECT_NAME_INVALID;
	cm_read_through(path);
	if (attributes->RootDirectory) {
		if (path->Length && path->Buffer[0] == u'\\')
			return STATUS_OBJECT_PATH_SYNTAX_BAD;
		return cm_key_of(attributes->RootDirectory, from);
	}
	NTSTATUS status = cm_enter_root(path);
	if (NT_SUCCESS(status)) {
		ob_reference(cm_root_key);
		*from = cm_root_key;
	}
	return status;
}

static NTSTATUS begin_opening(struct opening *opening, const OBJECT_ATTRIBUTES *attributes,
			      ACCESS_MASK access)
{
	NTSTATUS status = locate(attributes, &opening->from, &opening->remaining);
	if (!NT_SUCCESS(status))
		return status;
	opening->complete = attributes->ObjectName ? *attributes->ObjectName : (UNICODE_STRING){0};
	opening->attributes = attributes->Attributes;
	opening->result = NULL;
	opening->disposition = REG_OPENED_EXISTING_KEY;
	opening->information = (REG_CREATE_KEY_INFORMATION_V1){
		.CompleteName = &opening->complete,
		.RootObject = opening->from,
		.ObjectType = CmKeyObjectType,
		.SecurityDescriptor = attributes->SecurityDescriptor,
		.SecurityQualityOfService = attributes->SecurityQualityOfService,
		.DesiredAccess = access,
		.GrantedAccess = access,
		.Disposition = &opening->disposition,
		.ResultObject = &opening->result,
		.Version = 1,
		.RemainingName = &opening->remaining,
		.Wow64Flags = access & WOW64_FLAGS,
		.Attributes = attributes->Attributes & SHOWN_ATTRIBUTES,
		.CheckAccessMode = attributes->Attributes & OBJ_FORCE_ACCESS_CHECK ? UserMode
										   : KernelMode,
	};
	return STATUS_SUCCESS;
}

static PVOID *result_of(void *information)
{
	return ((REG_CREATE_KEY_INFORMATION_V1 *)information)->ResultObject;
}

static NTSTATUS give_result(const REG_CREATE_KEY_INFORMATION_V1 *asked, struct cm_node *node)
{
	struct cm_key *key = cm_make_key(node);
	if (!key)
		return STATUS_INSUFFICIENT_RESOURCES;
	*asked->ResultObject = key;
	return STATUS_SUCCESS;
}

static NTSTATUS carry_out_open(const void *information)
{
	const REG_OPEN_KEY_INFORMATION_V1 *asked = information;
	struct cm_key *from = asked->RootObject;
	struct cm_node *node;
	NTSTATUS status = cm_find(from->node, asked->RemainingName, &node);
	return NT_SUCCESS(status) ? give_result(asked, node) : status;
}

static NTSTATUS carry_out_create(const void *information)
{
	const REG_CREATE_KEY_INFORMATION_V1 *asked = information;
	const struct cm_new_key how = {
		.class = asked->Class ? *asked->Class : (UNICODE_STRING){0},
		.is_volatile = asked->Options & REG_OPTION_VOLATILE,
	};
	struct cm_key *from = asked->RootObject;
	struct cm_node *node;
	bool created;
	NTSTATUS status = cm_create(from->node, asked->RemainingName, &how, &node, &created);
	if (!NT_SUCCESS(status))
		return status;
	*asked->Disposition = created ? REG_CREATED_NEW_KEY : REG_OPENED_EXISTING_KEY;
	cm_reference(node); /* give_result takes one; ours is for taking back */
	status = give_result(asked, node);
	if (!NT_SUCCESS(status) && created)
		cm_delete(node);
	cm_release(node);
	return status;
}

static const struct cm_operation open_operation = {
	RegNtPreOpenKeyEx,
	RegNtPostOpenKeyEx,
	sizeof(REG_OPEN_KEY_INFORMATION_V1),
	offsetof(REG_OPEN_KEY_INFORMATION_V1, CallContext),
	result_of,
	carry_out_open,
};

static const struct cm_operation create_operation = {
	RegNtPreCreateKeyEx,
	RegNtPostCreateKeyEx,
	sizeof(REG_CREATE_KEY_INFORMATION_V1),
	offsetof(REG_CREATE_KEY_INFORMATION_V1, CallContext),
	result_of,
	carry_out_create,
};

/* A handle for the key that came of it, whose reference is given back in any case. What a
 * callback has put in the key's place need not be one; GrantedAccess is what a callback
 * that bypassed the operation has left there. */
static NTSTATUS make_key_handle(const struct opening *opening, PHANDLE handle)
{
	struct cm_key *key = opening->result;
	if (!cm_is_key(key))
		return STATUS_OBJECT_TYPE_MISMATCH;
	const struct ob_handle_request request = {
		.operation = OB_OPERATION_HANDLE_CREATE,
		.object = key,
		.table_of = PsGetCurrentProcess(),
		.desired = opening->information.GrantedAccess,
		.attributes = opening->attributes,
		.mode = KernelMode,
	};
	NTSTATUS status = ob_make_handle(&request, handle, NULL);
	if (!NT_SUCCESS(status) && opening->disposition == REG_CREATED_NEW_KEY)
		cm_delete(key->node);
	ob_dereference(key);
	return status;
}

static NTSTATUS end_opening(struct opening *opening, const struct cm_operation *operation,
			    PHANDLE handle)
{
	NTSTATUS status = cm_carry_out(operation, opening->from, &opening->information);
	ob_dereference(opening->from);
	/* A key that a callback has refused is that callback's. */
	return NT_SUCCESS(status) ? make_key_handle(opening, handle) : status;
}

NTSTATUS NTAPI ZwOpenKeyEx(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess,
			   POBJECT_ATTRIBUTES ObjectAttributes, ULONG OpenOptions)
{
	struct opening opening;
	if (OpenOptions & ~OPEN_OPTIONS)
		return STATUS_INVALID_PARAMETER;
	NTSTATUS status = begin_opening(&opening, ObjectAttributes, DesiredAccess);
	if (!NT_SUCCESS(status))
		return status;
	opening.information.Options = OpenOptions;
	return end_opening(&opening, &open_operation, KeyHandle);
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
	struct opening opening;
	(void)TitleIndex; /* unused by NT too */
	if (CreateOptions & ~CREATE_OPTIONS)
		return STATUS_INVALID_PARAMETER;
	if (CreateOptions & REG_OPTION_CREATE_LINK)
		return STATUS_NOT_SUPPORTED;
	if (Class)
		cm_read_through(Class);
	NTSTATUS status = begin_opening(&opening, ObjectAttributes, DesiredAccess);
	if (!NT_SUCCESS(status))
		return status;
	opening.information.Class = Class;
	opening.information.Options = CreateOptions;
	status = end_opening(&opening, &create_operation, KeyHandle);
	if (NT_SUCCESS(status) && Disposition)
		*Disposition = opening.disposition;
	return status;
}

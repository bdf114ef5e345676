/* SPDX-License-Identifier: MIT */
/*
 * Opening, making and asking about objects by name.
 *
 * Names of files and registry keys are not in the tree: their own services know them.
 * All Zw calls here act as the kernel.
 */
#include "ob/directory.h"
#include "ob/handle.h"
#include "ps/process.h"
#include "rtl/utf.h"
#include <string.h>

static NTSTATUS root_of(POBJECT_ATTRIBUTES attributes, void **root)
{
	PVOID object;
	*root = NULL;
	if (!attributes || !attributes->ObjectName)
		return STATUS_OBJECT_PATH_SYNTAX_BAD;
	if (!attributes->RootDirectory)
		return STATUS_SUCCESS;
	NTSTATUS status = ob_reference_by_handle(attributes->RootDirectory, 0,
						 ObpDirectoryObjectType, KernelMode, &object);
	if (NT_SUCCESS(status))
		*root = object;
	return status;
}

static NTSTATUS reference(void *root, PCUNICODE_STRING name, POBJECT_TYPE type, ULONG attributes,
			  void **object)
{
	struct ob_lookup found;
	bool open_link = (attributes & OBJ_OPENLINK) || type == ObpSymbolicLinkObjectType;
	NTSTATUS status = ob_look_up(root, name, open_link, &found);
	if (!NT_SUCCESS(status))
		return status;
	if (found.rest.Length || (type && ob_header_of(found.object)->type != type)) {
		ob_dereference(found.object);
		status = STATUS_OBJECT_TYPE_MISMATCH;
	} else {
		*object = found.object;
	}
	ob_end_lookup(&found);
	return status;
}

static NTSTATUS make_handle(void *object, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes,
			    KPROCESSOR_MODE mode, PHANDLE handle)
{
	struct ob_handle_request request = {
		.operation = OB_OPERATION_HANDLE_CREATE,
		.object = object,
		.table_of = PsGetCurrentProcess(),
		.desired = access,
		.attributes = attributes ? attributes->Attributes : 0,
		.mode = mode,
	};
	return ob_make_handle(&request, handle, NULL);
}

NTSTATUS NTAPI ObReferenceObjectByName(PUNICODE_STRING ObjectName, ULONG Attributes,
				       PVOID AccessState, ACCESS_MASK DesiredAccess,
				       POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
				       PVOID ParseContext, PVOID *Object)
{
	(void)AccessState;
	(void)DesiredAccess;
	(void)AccessMode;
	(void)ParseContext;
	return reference(NULL, ObjectName, ObjectType, Attributes, Object);
}

NTSTATUS NTAPI ObOpenObjectByName(POBJECT_ATTRIBUTES ObjectAttributes, POBJECT_TYPE ObjectType,
				  KPROCESSOR_MODE AccessMode, PVOID AccessState,
				  ACCESS_MASK DesiredAccess, PVOID ParseContext, PHANDLE Handle)
{
	(void)AccessState;
	(void)ParseContext;
	void *root, *object;
	NTSTATUS status = root_of(ObjectAttributes, &root);
	if (!NT_SUCCESS(status))
		return status;
	status = reference(root, ObjectAttributes->ObjectName, ObjectType,
			   ObjectAttributes->Attributes, &object);
	if (NT_SUCCESS(status)) {
		status = make_handle(object, DesiredAccess, ObjectAttributes, AccessMode, Handle);
		ob_dereference(object);
	}
	if (root)
		ob_dereference(root);
	return status;
}

/* ---- Making ------------------------------------------------------------------------- */

/* The existing object when OBJ_OPENIF allows it; takes over the reference. */
static NTSTATUS insert(void **object, POBJECT_ATTRIBUTES attributes)
{
	void *root, *existing;
	bool permanent = attributes && attributes->Attributes & OBJ_PERMANENT;
	if (!attributes || !attributes->ObjectName)
		return STATUS_SUCCESS; /* an object without a name */
	NTSTATUS status = root_of(attributes, &root);
	if (!NT_SUCCESS(status))
		return status;
	status = ob_insert(*object, root, attributes->ObjectName, permanent);
	if (status == STATUS_OBJECT_NAME_COLLISION && attributes->Attributes & OBJ_OPENIF) {
		status = reference(root, attributes->ObjectName, ob_header_of(*object)->type, 0,
				   &existing);
		if (NT_SUCCESS(status)) {
			ob_dereference(*object);
			*object = existing;
			status = STATUS_OBJECT_NAME_EXISTS;
		}
	}
	if (root)
		ob_dereference(root);
	return status;
}

NTSTATUS ob_publish(void *object, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes,
		    KPROCESSOR_MODE mode, PHANDLE handle)
{
	if (!object)
		return STATUS_INSUFFICIENT_RESOURCES;
	NTSTATUS inserted = insert(&object, attributes), status = inserted;
	if (NT_SUCCESS(status))
		status = make_handle(object, access, attributes, mode, handle);
	if (!NT_SUCCESS(status) && inserted == STATUS_SUCCESS)
		ob_remove(object);
	ob_dereference(object);
	return NT_SUCCESS(status) ? inserted : status;
}

NTSTATUS NTAPI ZwCreateDirectoryObject(PHANDLE DirectoryHandle, ACCESS_MASK DesiredAccess,
				       POBJECT_ATTRIBUTES ObjectAttributes)
{
	return ob_publish(ob_create_directory(), DesiredAccess, ObjectAttributes, KernelMode,
			  DirectoryHandle);
}

NTSTATUS NTAPI ZwCreateSymbolicLinkObject(PHANDLE LinkHandle, ACCESS_MASK DesiredAccess,
					  POBJECT_ATTRIBUTES ObjectAttributes,
					  PUNICODE_STRING LinkTarget)
{
	if (LinkTarget->Length % 2 || !LinkTarget->Length)
		return STATUS_INVALID_PARAMETER;
	return ob_publish(ob_create_link(LinkTarget), DesiredAccess, ObjectAttributes, KernelMode,
			  LinkHandle);
}

NTSTATUS NTAPI ZwOpenDirectoryObject(PHANDLE DirectoryHandle, ACCESS_MASK DesiredAccess,
				     POBJECT_ATTRIBUTES ObjectAttributes)
{
	return ObOpenObjectByName(ObjectAttributes, ObpDirectoryObjectType, KernelMode, NULL,
				  DesiredAccess, NULL, DirectoryHandle);
}

NTSTATUS NTAPI ZwOpenSymbolicLinkObject(PHANDLE LinkHandle, ACCESS_MASK DesiredAccess,
					POBJECT_ATTRIBUTES ObjectAttributes)
{
	return ObOpenObjectByName(ObjectAttributes, ObpSymbolicLinkObjectType, KernelMode, NULL,
				  DesiredAccess, NULL, LinkHandle);
}

VOID NTAPI ObMakeTemporaryObject(PVOID Object)
{
	ob_make_temporary(Object);
}

NTSTATUS NTAPI ZwMakeTemporaryObject(HANDLE Handle)
{
	PVOID object;
	NTSTATUS status = ob_reference_by_handle(Handle, DELETE, NULL, KernelMode, &object);
	if (!NT_SUCCESS(status))
		return status;
	ob_make_temporary(object);
	ob_dereference(object);
	return STATUS_SUCCESS;
}

/* ---- Asking --------------------------------------------------------------------------- */

struct name_information { /* OBJECT_NAME_INFORMATION */
	UNICODE_STRING name;
	WCHAR text[];
};

static NTSTATUS write_name(const UNICODE_STRING *name, struct name_information *to, ULONG length,
			   PULONG needed)
{
	*needed = (ULONG)sizeof(*to) + (name->Length ? name->Length + (ULONG)sizeof(WCHAR) : 0);
	if (length < *needed)
		return STATUS_INFO_LENGTH_MISMATCH;
	to->name = (UNICODE_STRING){0};
	if (name->Length) {
		to->name = (UNICODE_STRING){name->Length, (USHORT)(name->Length + sizeof(WCHAR)),
					    to->text};
		memcpy(to->text, name->Buffer, name->Length);
		to->text[name->Length / 2] = 0;
	}
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI ObQueryNameString(PVOID Object, PVOID ObjectNameInfo, ULONG Length,
				 PULONG ReturnLength)
{
	UNICODE_STRING name = {0};
	POBJECT_TYPE type = ob_header_of(Object)->type;
	NTSTATUS status = type->name_of ? type->name_of(Object, &name) : ob_name_of(Object, &name);
	if (!NT_SUCCESS(status))
		return status;
	status = write_name(&name, ObjectNameInfo, Length, ReturnLength);
	rtl_free_string(&name);
	return status;
}

struct directory_information { /* OBJECT_DIRECTORY_INFORMATION */
	UNICODE_STRING name, type;
};

/* The array grows from the beginning of the buffer, the text down from its end. */
struct listing {
	char *buffer;
	ULONG length, count, text; /* text: bytes of it so far, at the end */
};

/* With the empty entry that ends the array. */
static ULONG size_of(ULONG count, ULONG text)
{
	return (count + 1) * (ULONG)sizeof(struct directory_information) + text;
}

static void put_text(struct listing *listing, const UNICODE_STRING *from, UNICODE_STRING *to)
{
	listing->text += from->Length + (ULONG)sizeof(WCHAR);
	char *place = listing->buffer + listing->length - listing->text;
	memcpy(place, from->Buffer, from->Length);
	memset(place + from->Length, 0, sizeof(WCHAR));
	*to = (UNICODE_STRING){from->Length, (USHORT)(from->Length + sizeof(WCHAR)),
			       (PWSTR)(void *)place};
}

static bool put_entry(struct listing *listing, const UNICODE_STRING *name,
		      const UNICODE_STRING *type, ULONG *needed)
{
	struct directory_information *array = (void *)listing->buffer;
	ULONG text = listing->text + name->Length + type->Length + 2 * (ULONG)sizeof(WCHAR);
	*needed = size_of(listing->count + 1, text);
	if (*needed > listing->length)
		return false;
	struct directory_information entry;
	put_text(listing, name, &entry.name);
	put_text(listing, type, &entry.type);
	array[listing->count++] = entry;
	return true;
}

NTSTATUS NTAPI ZwQueryDirectoryObject(HANDLE DirectoryHandle, PVOID Buffer, ULONG Length,
				      BOOLEAN ReturnSingleEntry, BOOLEAN RestartScan,
				      PULONG Context, PULONG ReturnLength)
{
	PVOID directory;
	NTSTATUS status = ob_reference_by_handle(DirectoryHandle, DIRECTORY_QUERY,
						 ObpDirectoryObjectType, KernelMode, &directory);
	if (!NT_SUCCESS(status))
		return status;
	struct listing listing = {.buffer = Buffer, .length = Length & ~1u};
	ULONG index = RestartScan ? 0 : *Context, needed = size_of(0, 0);
	bool fits = true;
	UNICODE_STRING name;
	POBJECT_TYPE type;
	while (fits && NT_SUCCESS(status = ob_directory_entry(directory, index, &name, &type))) {
		fits = put_entry(&listing, &name, &type->Name, &needed);
		rtl_free_string(&name);
		index += fits;
		if (ReturnSingleEntry)
			break;
	}
	ob_dereference(directory);
	if (ReturnLength)
		*ReturnLength = needed;
	if (status == STATUS_INSUFFICIENT_RESOURCES)
		return status;
	if (!listing.count)
		return fits ? STATUS_NO_MORE_ENTRIES : STATUS_BUFFER_TOO_SMALL;
	*Context = index;
	memset((struct directory_information *)Buffer + listing.count, 0,
	       sizeof(struct directory_information));
	return fits ? STATUS_SUCCESS : STATUS_MORE_ENTRIES;
}

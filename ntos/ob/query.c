/* SPDX-License-Identifier: MIT */
/*
 * ZwQueryObject: counts and rights, the name, the type, the handle's flags; and
 * ZwSetInformationObject for those. No state; the counts are those of a moment, without
 * the reference that the question itself takes.
 *
 * Page: ZwQueryObject.
 */
#include "ob/query.h"
#include "ke/bugcheck.h"
#include "ob/directory.h"
#include "ob/handle.h"
#include "mm/copy.h"
#include "ps/information.h"
#include "ps/process.h"
#include <string.h>

struct basic_information {
	ULONG Attributes;
	ACCESS_MASK GrantedAccess;
	ULONG HandleCount, PointerCount;
	ULONG PagedPoolCharge, NonPagedPoolCharge, Reserved[3];
	ULONG NameInfoSize, TypeInfoSize, SecurityDescriptorSize;
	LARGE_INTEGER CreationTime;
};
_Static_assert(sizeof(struct basic_information) == 56, "ntifs.h");

struct type_information {
	UNICODE_STRING TypeName;
	ULONG TotalNumberOfObjects, TotalNumberOfHandles;
	ULONG Usage[10];
	ULONG InvalidAttributes;
	GENERIC_MAPPING GenericMapping;
	ULONG ValidAccessMask;
	UCHAR SecurityRequired, MaintainHandleCount, TypeIndex, Reserved;
	ULONG PoolType, DefaultPagedPoolCharge, DefaultNonPagedPoolCharge;
};
_Static_assert(sizeof(struct type_information) == 104, "phnt");

static NTSTATUS query_basic(const struct ob_handle *found, const struct ps_caller *caller)
{
	const struct ob_header *header = ob_header_of(found->object);
	struct basic_information basic = {
		.Attributes = found->attributes,
		.GrantedAccess = found->granted,
		.HandleCount = (ULONG)atomic_load(&header->handles),
		.PointerCount = (ULONG)atomic_load(&header->references) - 1,
		.TypeInfoSize = (ULONG)sizeof(struct type_information) + header->type->Name.Length +
				(ULONG)sizeof(WCHAR),
	};
	if (caller->length != sizeof basic) {
		ps_tell_length(caller, sizeof basic);
		return STATUS_INFO_LENGTH_MISMATCH;
	}
	return ps_answer(caller, &basic, sizeof basic);
}

static NTSTATUS query_type(POBJECT_TYPE type, const struct ps_caller *caller)
{
	struct {
		struct type_information type;
		WCHAR name[32];
	} answer = {0};
	size_t size = sizeof answer.type + type->Name.Length + sizeof(WCHAR);
	KE_ASSERT(type->Name.Length < sizeof answer.name);
	memcpy(answer.name, type->Name.Buffer, type->Name.Length);
	answer.type = (struct type_information){
		.TypeName = {type->Name.Length, type->Name.Length + sizeof(WCHAR),
			     (PWSTR)((uintptr_t)caller->buffer + sizeof answer.type)},
		.TotalNumberOfObjects = atomic_load(&type->TotalNumberOfObjects),
		.TotalNumberOfHandles = atomic_load(&type->TotalNumberOfHandles),
		.InvalidAttributes = type->InvalidAttributes,
		.GenericMapping = type->GenericMapping,
		.ValidAccessMask = type->ValidAccessMask,
		.TypeIndex = type->Index,
	};
	return ps_answer(caller, &answer, size);
}

static NTSTATUS query_name(void *object, const struct ps_caller *caller)
{
	ULONG needed = 0;
	NTSTATUS status = ObQueryNameString(object, caller->buffer, (ULONG)caller->length, &needed);
	ps_tell_length(caller, needed);
	return status;
}

static NTSTATUS query_flags(const struct ob_handle *found, const struct ps_caller *caller)
{
	const OBJECT_HANDLE_FLAG_INFORMATION flags = {
		.Inherit = (found->attributes & OBJ_INHERIT) != 0,
		.ProtectFromClose = (found->attributes & OB_PROTECTED) != 0,
	};
	return ps_answer(caller, &flags, sizeof flags);
}

static NTSTATUS query(HANDLE handle, ULONG number, KPROCESSOR_MODE mode,
		      const struct ps_caller *caller)
{
	struct ob_handle found;
	if (number > ObjectTypeInformation && number != ObjectHandleFlagInformation)
		return STATUS_INVALID_INFO_CLASS;
	NTSTATUS status = ob_resolve_handle(PsGetCurrentProcess(), handle, mode, &found);
	if (!NT_SUCCESS(status))
		return status;
	if (number == ObjectBasicInformation)
		status = query_basic(&found, caller);
	else if (number == ObjectNameInformation)
		status = query_name(found.object, caller);
	else if (number == ObjectHandleFlagInformation)
		status = query_flags(&found, caller);
	else
		status = query_type(ob_header_of(found.object)->type, caller);
	ob_dereference(found.object);
	return status;
}

NTSTATUS NTAPI ZwQueryObject(HANDLE Handle, ULONG ObjectInformationClass, PVOID ObjectInformation,
			     ULONG ObjectInformationLength, PULONG ReturnLength)
{
	struct ps_caller caller = {ObjectInformation, ObjectInformationLength, ReturnLength, NULL};
	return query(Handle, ObjectInformationClass, KernelMode, &caller);
}

NTSTATUS NTAPI NtQueryObject(HANDLE Handle, ULONG ObjectInformationClass, PVOID ObjectInformation,
			     ULONG ObjectInformationLength, PULONG ReturnLength)
{
	struct ps_caller caller = {ObjectInformation, ObjectInformationLength, ReturnLength, NULL};
	return query(Handle, ObjectInformationClass, ExGetPreviousMode(), &caller);
}

/* ---- Setting ---------------------------------------------------------------------------- */

static NTSTATUS set(HANDLE handle, ULONG number, const void *information, ULONG length,
		    KPROCESSOR_MODE mode)
{
	OBJECT_HANDLE_FLAG_INFORMATION flags;
	if (number != ObjectHandleFlagInformation)
		return STATUS_INVALID_INFO_CLASS;
	if (length != sizeof flags)
		return STATUS_INFO_LENGTH_MISMATCH;
	if (!mm_may_name(mode, information, sizeof flags) ||
	    mm_read(PsGetCurrentProcess(), information, &flags, sizeof flags) != sizeof flags)
		return STATUS_ACCESS_VIOLATION;
	return ObSetHandleAttributes(handle, &flags, mode);
}

NTSTATUS NTAPI ZwSetInformationObject(HANDLE Handle, ULONG ObjectInformationClass,
				      PVOID ObjectInformation, ULONG ObjectInformationLength)
{
	return set(Handle, ObjectInformationClass, ObjectInformation, ObjectInformationLength,
		   KernelMode);
}

NTSTATUS NTAPI NtSetInformationObject(HANDLE Handle, ULONG ObjectInformationClass,
				      PVOID ObjectInformation, ULONG ObjectInformationLength)
{
	return set(Handle, ObjectInformationClass, ObjectInformation, ObjectInformationLength,
		   ExGetPreviousMode());
}

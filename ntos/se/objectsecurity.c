/* SPDX-License-Identifier: MIT */
/*
 * The descriptors of objects.
 *
 * Objects have none here, and nothing but a process's denied_access is enforced: what is
 * told is the descriptor that says so. Administrators own it, the system is its group, and
 * its list lets everyone do whatever can be done with such an object.
 *
 * Pages: ZwQuerySecurityObject, ObGetObjectSecurity, ObReleaseObjectSecurity.
 */
#include "ke/bugcheck.h"
#include "mm/copy.h"
#include "ob/handle.h"
#include "ps/process.h"
#include "se/access.h"

#define DESCRIPTOR_TAG 0x64536553 /* 'SeSd' */
#define MOST 128                  /* of such a descriptor, which is well below that */

union descriptor {
	SECURITY_DESCRIPTOR descriptor;
	char bytes[MOST];
};

/* The parts that are asked for, in one piece; how long it is. */
static ULONG describe(const void *object, SECURITY_INFORMATION parts, union descriptor *out)
{
	static SID administrators = SE_SID(SE_NT_AUTHORITY, 2, 32, 544);
	static SID system = SE_SID(SE_NT_AUTHORITY, 1, 18);
	static SID everyone = SE_SID(1, 1, 0);
	union {
		ACL list;
		char bytes[64];
	} dacl;
	SECURITY_DESCRIPTOR whole;
	ULONG length = sizeof(*out);
	RtlCreateSecurityDescriptor(&whole, SECURITY_DESCRIPTOR_REVISION);
	RtlCreateAcl(&dacl.list, 28, ACL_REVISION_LOWEST);
	RtlAddAccessAllowedAce(&dacl.list, ACL_REVISION_LOWEST,
			       ob_header_of(object)->type->ValidAccessMask, &everyone);
	if (parts & OWNER_SECURITY_INFORMATION)
		RtlSetOwnerSecurityDescriptor(&whole, &administrators, FALSE);
	if (parts & GROUP_SECURITY_INFORMATION)
		RtlSetGroupSecurityDescriptor(&whole, &system, FALSE);
	if (parts & DACL_SECURITY_INFORMATION)
		RtlSetDaclSecurityDescriptor(&whole, TRUE, &dacl.list, FALSE);
	NTSTATUS status = RtlAbsoluteToSelfRelativeSD(&whole, &out->descriptor, &length);
	KE_ASSERT(NT_SUCCESS(status));
	return RtlLengthSecurityDescriptor(&out->descriptor);
}

static NTSTATUS query(HANDLE handle, SECURITY_INFORMATION parts, PSECURITY_DESCRIPTOR buffer,
		      ULONG room, PULONG needed, KPROCESSOR_MODE mode)
{
	struct ob_handle found;
	union descriptor made;
	NTSTATUS status = ob_resolve_handle(PsGetCurrentProcess(), handle, mode, &found);
	if (!NT_SUCCESS(status))
		return status;
	const ULONG length = describe(found.object, parts, &made);
	ob_dereference(found.object);
	if (mode != KernelMode && !(found.granted & READ_CONTROL))
		return STATUS_ACCESS_DENIED;
	if (!mm_may_name(mode, buffer, room) || !mm_may_name(mode, needed, sizeof(*needed)))
		return STATUS_ACCESS_VIOLATION;
	status = mm_answer(needed, &length, sizeof(length));
	if (!NT_SUCCESS(status))
		return status;
	return room < length ? STATUS_BUFFER_TOO_SMALL : mm_answer(buffer, &made, length);
}

NTSTATUS NTAPI ZwQuerySecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
				     PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Length,
				     PULONG LengthNeeded)
{
	return query(Handle, SecurityInformation, SecurityDescriptor, Length, LengthNeeded,
		     KernelMode);
}

NTSTATUS NTAPI NtQuerySecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
				     PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Length,
				     PULONG LengthNeeded)
{
	return query(Handle, SecurityInformation, SecurityDescriptor, Length, LengthNeeded,
		     ExGetPreviousMode());
}

NTSTATUS NTAPI ObGetObjectSecurity(PVOID Object, PSECURITY_DESCRIPTOR *SecurityDescriptor,
				   PBOOLEAN MemoryAllocated)
{
	union descriptor *made = ex_allocate_pool((const void *)ObGetObjectSecurity, PagedPool,
						  sizeof(*made), DESCRIPTOR_TAG);
	if (!made)
		return STATUS_INSUFFICIENT_RESOURCES;
	describe(Object,
		 OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION |
			 DACL_SECURITY_INFORMATION,
		 made);
	*SecurityDescriptor = &made->descriptor;
	*MemoryAllocated = TRUE;
	return STATUS_SUCCESS;
}

VOID NTAPI ObReleaseObjectSecurity(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN MemoryAllocated)
{
	if (MemoryAllocated && SecurityDescriptor)
		ex_free_pool((const void *)ObReleaseObjectSecurity, SecurityDescriptor);
}

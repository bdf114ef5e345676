/* SPDX-License-Identifier: MIT */
/* Access checks, and the descriptors of objects. */
#ifndef RINGSIDE_SE_ACCESS_H
#define RINGSIDE_SE_ACCESS_H

#include "se/capture.h"
#include "se/token.h"

VOID NTAPI RtlMapGenericMask(PACCESS_MASK AccessMask, const GENERIC_MAPPING *GenericMapping);
BOOLEAN NTAPI RtlAreAllAccessesGranted(ACCESS_MASK GrantedAccess, ACCESS_MASK DesiredAccess);
BOOLEAN NTAPI RtlAreAnyAccessesGranted(ACCESS_MASK GrantedAccess, ACCESS_MASK DesiredAccess);

/*
 * Whether the subject may have the access that it asks for. The kernel may have any.
 * *AccessStatus becomes SUCCESS, ACCESS_DENIED or PRIVILEGE_NOT_HELD; *GrantedAccess is 0
 * when it is denied. *Privileges becomes NULL.
 */
BOOLEAN NTAPI SeAccessCheck(PSECURITY_DESCRIPTOR SecurityDescriptor,
			    PSECURITY_SUBJECT_CONTEXT SubjectSecurityContext,
			    BOOLEAN SubjectContextLocked, ACCESS_MASK DesiredAccess,
			    ACCESS_MASK PreviouslyGrantedAccess, PPRIVILEGE_SET *Privileges,
			    PGENERIC_MAPPING GenericMapping, KPROCESSOR_MODE AccessMode,
			    PACCESS_MASK GrantedAccess, NTSTATUS *AccessStatus);
VOID NTAPI SeFreePrivileges(PPRIVILEGE_SET Privileges);

/* The descriptor that every object here has: Administrators own it, everyone may do
 * everything. BUFFER_TOO_SMALL with the length; INVALID_HANDLE. */
NTSTATUS NTAPI ZwQuerySecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
				     PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Length,
				     PULONG LengthNeeded);
NTSTATUS NTAPI NtQuerySecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
				     PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Length,
				     PULONG LengthNeeded);

/* The same in pool. INSUFFICIENT_RESOURCES. */
NTSTATUS NTAPI ObGetObjectSecurity(PVOID Object, PSECURITY_DESCRIPTOR *SecurityDescriptor,
				   PBOOLEAN MemoryAllocated);
VOID NTAPI ObReleaseObjectSecurity(PSECURITY_DESCRIPTOR SecurityDescriptor,
				   BOOLEAN MemoryAllocated);

#endif

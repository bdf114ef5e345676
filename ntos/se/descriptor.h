/* SPDX-License-Identifier: MIT */
/* Access-control lists and security descriptors. */
#ifndef RINGSIDE_SE_DESCRIPTOR_H
#define RINGSIDE_SE_DESCRIPTOR_H

#include "se/sid.h"

typedef struct _ACL {
	UCHAR AclRevision, Sbz1;
	USHORT AclSize, AceCount, Sbz2;
} ACL, *PACL;
_Static_assert(sizeof(ACL) == 8, "winnt.h");

typedef struct _ACE {
	UCHAR AceType, AceFlags;
	USHORT AceSize;
	ACCESS_MASK Mask;
	SID Sid; /* of the simple kinds, which all of these are */
} ACE, *PACE;
_Static_assert(offsetof(ACE, Sid) == 8, "winnt.h");

#define ACL_REVISION_LOWEST 2
#define ACL_REVISION_HIGHEST 4
#define ACCESS_ALLOWED_ACE_TYPE 0
#define ACCESS_DENIED_ACE_TYPE 1
#define SYSTEM_AUDIT_ACE_TYPE 2
#define INHERIT_ONLY_ACE 0x8
#define SUCCESSFUL_ACCESS_ACE_FLAG 0x40
#define FAILED_ACCESS_ACE_FLAG 0x80

typedef struct _SECURITY_DESCRIPTOR {
	UCHAR Revision, Sbz1;
	USHORT Control;
	union {
		struct {
			PSID Owner, Group;
			PACL Sacl, Dacl;
		};
		ULONG Offset[4]; /* SE_SELF_RELATIVE: from the descriptor, 0: none; not aligned */
	};
} SECURITY_DESCRIPTOR, *PSECURITY_DESCRIPTOR;
_Static_assert(sizeof(SECURITY_DESCRIPTOR) == 40, "winnt.h");

#define SECURITY_DESCRIPTOR_REVISION 1
#define SE_OWNER_DEFAULTED 0x0001
#define SE_GROUP_DEFAULTED 0x0002
#define SE_DACL_PRESENT 0x0004
#define SE_DACL_DEFAULTED 0x0008
#define SE_SACL_PRESENT 0x0010
#define SE_SACL_DEFAULTED 0x0020
#define SE_SELF_RELATIVE 0x8000

NTSTATUS NTAPI RtlCreateAcl(PACL Acl, ULONG AclLength, ULONG AclRevision);
BOOLEAN NTAPI RtlValidAcl(PACL Acl);
NTSTATUS NTAPI RtlAddAccessAllowedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask,
				      PSID Sid);
NTSTATUS NTAPI RtlAddAccessAllowedAceEx(PACL Acl, ULONG AceRevision, ULONG AceFlags,
					ACCESS_MASK AccessMask, PSID Sid);
NTSTATUS NTAPI RtlAddAccessDeniedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid);
NTSTATUS NTAPI RtlAddAccessDeniedAceEx(PACL Acl, ULONG AceRevision, ULONG AceFlags,
				       ACCESS_MASK AccessMask, PSID Sid);
NTSTATUS NTAPI RtlAddAuditAccessAceEx(PACL Acl, ULONG AceRevision, ULONG AceFlags,
				      ACCESS_MASK AccessMask, PSID Sid, BOOLEAN AuditSuccess,
				      BOOLEAN AuditFailure);
/* Puts a list of ready entries before the n-th; -1: at the end. */
NTSTATUS NTAPI RtlAddAce(PACL Acl, ULONG AceRevision, ULONG StartingAceIndex, PVOID AceList,
			 ULONG AceListLength);
NTSTATUS NTAPI RtlGetAce(PACL Acl, ULONG AceIndex, PVOID *Ace);
NTSTATUS NTAPI RtlDeleteAce(PACL Acl, ULONG AceIndex);

NTSTATUS NTAPI RtlCreateSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Revision);
BOOLEAN NTAPI RtlValidSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor);
ULONG NTAPI RtlLengthSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor);
NTSTATUS NTAPI RtlSetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor,
					    BOOLEAN DaclPresent, PACL Dacl, BOOLEAN DaclDefaulted);
NTSTATUS NTAPI RtlSetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor,
					    BOOLEAN SaclPresent, PACL Sacl, BOOLEAN SaclDefaulted);
NTSTATUS NTAPI RtlSetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID Owner,
					     BOOLEAN OwnerDefaulted);
NTSTATUS NTAPI RtlSetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID Group,
					     BOOLEAN GroupDefaulted);
NTSTATUS NTAPI RtlGetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor,
					    PBOOLEAN DaclPresent, PACL *Dacl,
					    PBOOLEAN DaclDefaulted);
NTSTATUS NTAPI RtlGetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor,
					    PBOOLEAN SaclPresent, PACL *Sacl,
					    PBOOLEAN SaclDefaulted);
NTSTATUS NTAPI RtlGetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID *Owner,
					     PBOOLEAN OwnerDefaulted);
NTSTATUS NTAPI RtlGetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID *Group,
					     PBOOLEAN GroupDefaulted);

#endif

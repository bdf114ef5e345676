/* SPDX-License-Identifier: MIT */
/*
 * Access-control lists: a header and entries of different lengths one after the other, in
 * memory of the caller's whose size the header says. No state; a list that is damaged is
 * INVALID_ACL, never an overrun.
 *
 * Pages: those of the routines' names.
 */
#include "se/descriptor.h"
#include <stdbool.h>
#include <string.h>

#define LARGEST 0xFFFC
#define ACE_HEADER 4u
#define INHERITANCE_FLAGS 0x1F

NTSTATUS NTAPI RtlCreateAcl(PACL Acl, ULONG AclLength, ULONG AclRevision)
{
	if (AclLength < sizeof *Acl)
		return STATUS_BUFFER_TOO_SMALL;
	if (AclRevision < ACL_REVISION_LOWEST || AclRevision > ACL_REVISION_HIGHEST ||
	    AclLength > LARGEST)
		return STATUS_INVALID_PARAMETER;
	*Acl = (ACL){.AclRevision = (UCHAR)AclRevision, .AclSize = (USHORT)(AclLength & ~3u)};
	return STATUS_SUCCESS;
}

/* Where the n-th entry begins, or behind the last for n = AceCount. NULL when the list is
 * damaged before that. */
static char *entry_at(const ACL *acl, ULONG index)
{
	char *at = (char *)(uintptr_t)(acl + 1), *end = (char *)(uintptr_t)acl + acl->AclSize;
	for (ULONG i = 0; i < index; i++) {
		if ((size_t)(end - at) < ACE_HEADER)
			return NULL;
		USHORT size = ((const ACE *)(void *)at)->AceSize;
		if (size < ACE_HEADER || (size & 3) || size > end - at)
			return NULL;
		at += size;
	}
	return at;
}

BOOLEAN NTAPI RtlValidAcl(PACL Acl)
{
	return Acl->AclRevision >= ACL_REVISION_LOWEST &&
	       Acl->AclRevision <= ACL_REVISION_HIGHEST && Acl->AclSize >= sizeof *Acl &&
	       entry_at(Acl, Acl->AceCount) != NULL;
}

/* Makes room for `size` bytes before the n-th entry. */
static NTSTATUS open_gap(PACL acl, ULONG index, size_t size, char **gap)
{
	char *end = entry_at(acl, acl->AceCount);
	char *at = entry_at(acl, index < acl->AceCount ? index : acl->AceCount);
	if (!RtlValidAcl(acl) || !end || !at)
		return STATUS_INVALID_ACL;
	if (size > (size_t)((char *)acl + acl->AclSize - end))
		return STATUS_ALLOTTED_SPACE_EXCEEDED;
	memmove(at + size, at, (size_t)(end - at));
	*gap = at;
	return STATUS_SUCCESS;
}

struct new_ace {
	ULONG revision, flags;
	UCHAR type;
	ACCESS_MASK mask;
	PSID sid;
};

static NTSTATUS add(PACL acl, const struct new_ace *new)
{
	char *gap;
	if (!RtlValidSid(new->sid))
		return STATUS_INVALID_SID;
	if (new->revision < ACL_REVISION_LOWEST || new->revision > ACL_REVISION_HIGHEST)
		return STATUS_REVISION_MISMATCH;
	if (new->flags &
	    ~(ULONG)(INHERITANCE_FLAGS | SUCCESSFUL_ACCESS_ACE_FLAG | FAILED_ACCESS_ACE_FLAG))
		return STATUS_INVALID_PARAMETER;
	ULONG length = RtlLengthSid(new->sid);
	USHORT size = (USHORT)(offsetof(ACE, Sid) + length);
	NTSTATUS status = open_gap(acl, acl->AceCount, size, &gap);
	if (!NT_SUCCESS(status))
		return status;
	ACE *ace = (void *)gap;
	ace->AceType = new->type;
	ace->AceFlags = (UCHAR) new->flags;
	ace->AceSize = size;
	ace->Mask = new->mask;
	memcpy(&ace->Sid, new->sid, length);
	acl->AceCount++;
	if (acl->AclRevision < new->revision)
		acl->AclRevision = (UCHAR) new->revision;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlAddAccessAllowedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid)
{
	return RtlAddAccessAllowedAceEx(Acl, AceRevision, 0, AccessMask, Sid);
}

NTSTATUS NTAPI RtlAddAccessAllowedAceEx(PACL Acl, ULONG AceRevision, ULONG AceFlags,
					ACCESS_MASK AccessMask, PSID Sid)
{
	return add(Acl, &(struct new_ace){AceRevision, AceFlags, ACCESS_ALLOWED_ACE_TYPE,
					  AccessMask, Sid});
}

NTSTATUS NTAPI RtlAddAccessDeniedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid)
{
	return RtlAddAccessDeniedAceEx(Acl, AceRevision, 0, AccessMask, Sid);
}

NTSTATUS NTAPI RtlAddAccessDeniedAceEx(PACL Acl, ULONG AceRevision, ULONG AceFlags,
				       ACCESS_MASK AccessMask, PSID Sid)
{
	return add(Acl, &(struct new_ace){AceRevision, AceFlags, ACCESS_DENIED_ACE_TYPE, AccessMask,
					  Sid});
}

NTSTATUS NTAPI RtlAddAuditAccessAceEx(PACL Acl, ULONG AceRevision, ULONG AceFlags,
				      ACCESS_MASK AccessMask, PSID Sid, BOOLEAN AuditSuccess,
				      BOOLEAN AuditFailure)
{
	ULONG flags = AceFlags | (AuditSuccess ? SUCCESSFUL_ACCESS_ACE_FLAG : 0) |
		      (AuditFailure ? FAILED_ACCESS_ACE_FLAG : 0);
	return add(Acl,
		   &(struct new_ace){AceRevision, flags, SYSTEM_AUDIT_ACE_TYPE, AccessMask, Sid});
}

/* How many entries there are in [list, list + length); 0 when they do not end there. */
static USHORT count_entries(const char *list, ULONG length)
{
	USHORT count = 0;
	while (length) {
		const ACE *ace = (const void *)list;
		if (length < ACE_HEADER || ace->AceSize < ACE_HEADER || ace->AceSize > length)
			return 0;
		count++;
		length -= ace->AceSize;
		list += ace->AceSize;
	}
	return count;
}

NTSTATUS NTAPI RtlAddAce(PACL Acl, ULONG AceRevision, ULONG StartingAceIndex, PVOID AceList,
			 ULONG AceListLength)
{
	char *gap;
	USHORT count = count_entries(AceList, AceListLength);
	if (!count)
		return STATUS_INVALID_PARAMETER;
	NTSTATUS status = open_gap(Acl, StartingAceIndex, AceListLength, &gap);
	if (!NT_SUCCESS(status))
		return status == STATUS_ALLOTTED_SPACE_EXCEEDED ? STATUS_BUFFER_TOO_SMALL
								: STATUS_INVALID_PARAMETER;
	memcpy(gap, AceList, AceListLength);
	Acl->AceCount += count;
	if (Acl->AclRevision < AceRevision)
		Acl->AclRevision = (UCHAR)AceRevision;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlGetAce(PACL Acl, ULONG AceIndex, PVOID *Ace)
{
	char *at = AceIndex < Acl->AceCount ? entry_at(Acl, AceIndex) : NULL;
	if (!at)
		return STATUS_INVALID_PARAMETER;
	*Ace = at;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlDeleteAce(PACL Acl, ULONG AceIndex)
{
	char *end = entry_at(Acl, Acl->AceCount);
	if (!end || AceIndex >= Acl->AceCount)
		return STATUS_INVALID_PARAMETER;
	char *at = entry_at(Acl, AceIndex), *next = entry_at(Acl, AceIndex + 1);
	memmove(at, next, (size_t)(end - next));
	memset(end - (next - at), 0, (size_t)(next - at));
	Acl->AceCount--;
	return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * Security identifiers: a revision, an authority of 48 bits, and up to 15 sub-authorities.
 * No state. Callers promise that what they pass is a SID; only RtlValidSid and those that
 * return INVALID_SID look whether it is.
 *
 * Pages: those of the routines' names.
 */
#include "se/sid.h"
#include "ex/pool.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define REVISION 1
#define TAG 0x69536553 /* 'SeSi' */

ULONG NTAPI RtlLengthRequiredSid(ULONG SubAuthorityCount)
{
	return (ULONG)(offsetof(SID, SubAuthority) + SubAuthorityCount * sizeof(ULONG));
}

ULONG NTAPI RtlLengthSid(PSID Sid)
{
	return RtlLengthRequiredSid(Sid->SubAuthorityCount);
}

BOOLEAN NTAPI RtlValidSid(PSID Sid)
{
	return Sid && Sid->Revision == REVISION && Sid->SubAuthorityCount <= SE_MAX_SUB_AUTHORITIES;
}

BOOLEAN NTAPI RtlEqualSid(PSID Sid1, PSID Sid2)
{
	return Sid1->SubAuthorityCount == Sid2->SubAuthorityCount &&
	       memcmp(Sid1, Sid2, RtlLengthSid(Sid1)) == 0;
}

/* All but the last sub-authority: the same domain. */
BOOLEAN NTAPI RtlEqualPrefixSid(PSID Sid1, PSID Sid2)
{
	ULONG length = RtlLengthSid(Sid1);
	if (Sid1->SubAuthorityCount != Sid2->SubAuthorityCount)
		return FALSE;
	if (Sid1->SubAuthorityCount)
		length -= sizeof(ULONG);
	return memcmp(Sid1, Sid2, length) == 0;
}

NTSTATUS NTAPI RtlCopySid(ULONG DestinationSidLength, PSID DestinationSid, PSID SourceSid)
{
	ULONG length = RtlLengthSid(SourceSid);
	if (length > DestinationSidLength)
		return STATUS_BUFFER_TOO_SMALL;
	memmove(DestinationSid, SourceSid, length);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlInitializeSid(PSID Sid, PSID_IDENTIFIER_AUTHORITY IdentifierAuthority,
				UCHAR SubAuthorityCount)
{
	if (SubAuthorityCount > SE_MAX_SUB_AUTHORITIES)
		return STATUS_INVALID_PARAMETER;
	Sid->Revision = REVISION;
	Sid->SubAuthorityCount = SubAuthorityCount;
	Sid->IdentifierAuthority = *IdentifierAuthority;
	return STATUS_SUCCESS;
}

PULONG NTAPI RtlSubAuthoritySid(PSID Sid, ULONG SubAuthority)
{
	return &Sid->SubAuthority[SubAuthority];
}

PUCHAR NTAPI RtlSubAuthorityCountSid(PSID Sid)
{
	return &Sid->SubAuthorityCount;
}

/* ---- As text -------------------------------------------------------------------------- */

#define LONGEST_TEXT (4 + 14 + SE_MAX_SUB_AUTHORITIES * 11 + 1)

/* An authority beyond 32 bits is written in hexadecimal. */
static size_t print(const SID *sid, char text[LONGEST_TEXT])
{
	const UCHAR *value = sid->IdentifierAuthority.Value;
	ULONG64 authority = 0;
	for (unsigned i = 0; i < 6; i++)
		authority = authority << 8 | value[i];
	int used = snprintf(text, LONGEST_TEXT, authority >> 32 ? "S-1-0x%012llx" : "S-1-%llu",
			    (unsigned long long)authority);
	for (unsigned i = 0; i < sid->SubAuthorityCount; i++)
		used += snprintf(text + used, LONGEST_TEXT - (size_t)used, "-%u",
				 sid->SubAuthority[i]);
	return (size_t)used;
}

NTSTATUS NTAPI RtlConvertSidToUnicodeString(PUNICODE_STRING UnicodeString, PSID Sid,
					    BOOLEAN AllocateDestinationString)
{
	char text[LONGEST_TEXT];
	if (!RtlValidSid(Sid))
		return STATUS_INVALID_SID;
	USHORT count = (USHORT)print(Sid, text);
	USHORT size = (USHORT)((count + 1) * sizeof(WCHAR));
	if (AllocateDestinationString) {
		PWSTR buffer = ex_allocate_pool(__builtin_return_address(0), PagedPool, size, TAG);
		if (!buffer)
			return STATUS_NO_MEMORY;
		*UnicodeString = (UNICODE_STRING){0, size, buffer};
	} else if (UnicodeString->MaximumLength < size - sizeof(WCHAR)) {
		return STATUS_BUFFER_OVERFLOW;
	}
	for (USHORT i = 0; i < count; i++)
		UnicodeString->Buffer[i] = (WCHAR)text[i];
	UnicodeString->Length = size - sizeof(WCHAR);
	if (UnicodeString->MaximumLength >= size)
		UnicodeString->Buffer[count] = 0;
	return STATUS_SUCCESS;
}

BOOLEAN NTAPI RtlEqualLuid(PLUID Luid1, PLUID Luid2)
{
	return Luid1->LowPart == Luid2->LowPart && Luid1->HighPart == Luid2->HighPart;
}

/* SPDX-License-Identifier: MIT */
/* Security identifiers. */
#ifndef RINGSIDE_SE_SID_H
#define RINGSIDE_SE_SID_H

#include <ringside/nt.h>
#include <stddef.h>

#define SE_MAX_SUB_AUTHORITIES 15

typedef struct _SID_IDENTIFIER_AUTHORITY {
	UCHAR Value[6]; /* most significant first */
} SID_IDENTIFIER_AUTHORITY, *PSID_IDENTIFIER_AUTHORITY;

typedef struct _SID {
	UCHAR Revision, SubAuthorityCount;
	SID_IDENTIFIER_AUTHORITY IdentifierAuthority;
	ULONG SubAuthority[SE_MAX_SUB_AUTHORITIES]; /* as many as there are, of a driver's */
} SID, *PSID;
_Static_assert(offsetof(SID, SubAuthority) == 8 && sizeof(SID) == 68, "winnt.h");

typedef struct _LUID {
	ULONG LowPart;
	LONG HighPart;
} LUID, *PLUID;

/* The initializer of one; the rest are its sub-authorities. */
#define SE_SID(authority, count, ...)                                                              \
	{                                                                                          \
		1, count, {{0, 0, 0, 0, 0, authority}},                                            \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

#define SE_NT_AUTHORITY 5
#define SE_LABEL_AUTHORITY 16
#define SE_UNIX_AUTHORITY 22 /* S-1-22-1-uid and S-1-22-2-gid, as Samba has them */

ULONG NTAPI RtlLengthSid(PSID Sid);
ULONG NTAPI RtlLengthRequiredSid(ULONG SubAuthorityCount);
BOOLEAN NTAPI RtlValidSid(PSID Sid);
BOOLEAN NTAPI RtlEqualSid(PSID Sid1, PSID Sid2);
BOOLEAN NTAPI RtlEqualPrefixSid(PSID Sid1, PSID Sid2);
NTSTATUS NTAPI RtlCopySid(ULONG DestinationSidLength, PSID DestinationSid, PSID SourceSid);
NTSTATUS NTAPI RtlInitializeSid(PSID Sid, PSID_IDENTIFIER_AUTHORITY IdentifierAuthority,
				UCHAR SubAuthorityCount);
PULONG NTAPI RtlSubAuthoritySid(PSID Sid, ULONG SubAuthority);
PUCHAR NTAPI RtlSubAuthorityCountSid(PSID Sid);
/* The text is the caller's pool when it is allocated (RtlFreeUnicodeString). INVALID_SID,
 * BUFFER_OVERFLOW, NO_MEMORY. */
NTSTATUS NTAPI RtlConvertSidToUnicodeString(PUNICODE_STRING UnicodeString, PSID Sid,
					    BOOLEAN AllocateDestinationString);
BOOLEAN NTAPI RtlEqualLuid(PLUID Luid1, PLUID Luid2);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Access tokens: who a process is.
 *
 * The System process is S-1-5-18. Every other is the Linux user that it runs as:
 * S-1-22-1-uid with the group S-1-22-2-gid, as Samba writes them; a simulated process
 * runs as this program does. Root is in Administrators, with a high integrity level and
 * an administrator's privileges; anybody else is an ordinary user of medium integrity.
 */
#ifndef RINGSIDE_SE_TOKEN_H
#define RINGSIDE_SE_TOKEN_H

#include "se/sid.h"
#include <stdbool.h>

#define SE_MAX_GROUPS 6
#define SE_MAX_PRIVILEGES 35

#define SE_GROUP_MANDATORY 0x1
#define SE_GROUP_ENABLED_BY_DEFAULT 0x2
#define SE_GROUP_ENABLED 0x4
#define SE_GROUP_OWNER 0x8
#define SE_GROUP_INTEGRITY 0x20
#define SE_GROUP_INTEGRITY_ENABLED 0x40

#define SE_PRIVILEGE_ENABLED_BY_DEFAULT 0x1
#define SE_PRIVILEGE_ENABLED 0x2

enum { TokenPrimary = 1, TokenImpersonation = 2 };
enum { SecurityAnonymous }; /* the SECURITY_IMPERSONATION_LEVEL of a primary token */

struct se_group {
	SID sid;
	ULONG attributes;
};

struct se_privilege {
	ULONG number; /* a LUID with a high part of 0 */
	ULONG attributes;
};

/* Fixed once it exists. */
typedef struct _TOKEN {
	LUID token_id, authentication_id, modified_id;
	ULONG session;
	SID user;
	ULONG primary_group; /* index into group */
	ULONG integrity;     /* the sub-authority of its label */
	bool admin;
	ULONG group_count, privilege_count;
	struct se_group group[SE_MAX_GROUPS];
	struct se_privilege privilege[SE_MAX_PRIVILEGES];
} TOKEN, *PACCESS_TOKEN;

/* The process's token, made when first asked for, referenced. NULL without memory. */
PACCESS_TOKEN se_token_of(PEPROCESS process);

/* Whether `sid` is the token's user or one of its enabled groups. */
bool se_token_has_sid(const TOKEN *token, PSID sid);
bool se_token_has_privilege(const TOKEN *token, ULONG number);

typedef struct _SECURITY_SUBJECT_CONTEXT {
	PACCESS_TOKEN ClientToken;
	ULONG ImpersonationLevel;
	PACCESS_TOKEN PrimaryToken;
	PVOID ProcessAuditId;
} SECURITY_SUBJECT_CONTEXT, *PSECURITY_SUBJECT_CONTEXT;
_Static_assert(sizeof(SECURITY_SUBJECT_CONTEXT) == 32, "wdm.h");

typedef struct _LUID_AND_ATTRIBUTES {
	LUID Luid;
	ULONG Attributes;
} LUID_AND_ATTRIBUTES;
_Static_assert(sizeof(LUID_AND_ATTRIBUTES) == 12, "winnt.h");

typedef struct _PRIVILEGE_SET {
	ULONG PrivilegeCount, Control;
	LUID_AND_ATTRIBUTES Privilege[];
} PRIVILEGE_SET, *PPRIVILEGE_SET;
#define PRIVILEGE_SET_ALL_NECESSARY 1
#define SE_PRIVILEGE_USED_FOR_ACCESS 0x80000000

/* Exports: from objects. Nobody impersonates here: the second kind is always NULL. */
PACCESS_TOKEN NTAPI PsReferencePrimaryToken(PEPROCESS Process);
VOID NTAPI PsDereferencePrimaryToken(PACCESS_TOKEN PrimaryToken);
PACCESS_TOKEN NTAPI PsReferenceImpersonationToken(PETHREAD Thread, PBOOLEAN CopyOnOpen,
						  PBOOLEAN EffectiveOnly,
						  PULONG ImpersonationLevel);
VOID NTAPI PsDereferenceImpersonationToken(PACCESS_TOKEN ImpersonationToken);
PACCESS_TOKEN NTAPI PsReferenceEffectiveToken(PETHREAD Thread, PULONG TokenType,
					      PBOOLEAN EffectiveOnly, PULONG ImpersonationLevel);
BOOLEAN NTAPI PsIsThreadImpersonating(PETHREAD Thread);
NTSTATUS NTAPI ZwOpenProcessToken(HANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
				  PHANDLE TokenHandle);
NTSTATUS NTAPI ZwOpenProcessTokenEx(HANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
				    ULONG HandleAttributes, PHANDLE TokenHandle);
NTSTATUS NTAPI NtOpenProcessToken(HANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
				  PHANDLE TokenHandle);
NTSTATUS NTAPI NtOpenProcessTokenEx(HANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
				    ULONG HandleAttributes, PHANDLE TokenHandle);
/* NO_TOKEN for every thread that exists. */
NTSTATUS NTAPI ZwOpenThreadToken(HANDLE ThreadHandle, ACCESS_MASK DesiredAccess, BOOLEAN OpenAsSelf,
				 PHANDLE TokenHandle);
NTSTATUS NTAPI ZwOpenThreadTokenEx(HANDLE ThreadHandle, ACCESS_MASK DesiredAccess,
				   BOOLEAN OpenAsSelf, ULONG HandleAttributes, PHANDLE TokenHandle);

/* Exports: what a token says. */
BOOLEAN NTAPI SeTokenIsAdmin(PACCESS_TOKEN Token);
BOOLEAN NTAPI SeTokenIsRestricted(PACCESS_TOKEN Token);
ULONG NTAPI SeTokenType(PACCESS_TOKEN Token);
ULONG NTAPI SeTokenImpersonationLevel(PACCESS_TOKEN Token);
NTSTATUS NTAPI SeQueryAuthenticationIdToken(PACCESS_TOKEN Token, PLUID AuthenticationId);
NTSTATUS NTAPI SeQuerySessionIdToken(PACCESS_TOKEN Token, PULONG SessionId);
NTSTATUS NTAPI SeQueryInformationToken(PACCESS_TOKEN Token, ULONG TokenInformationClass,
				       PVOID *TokenInformation);
NTSTATUS NTAPI ZwQueryInformationToken(HANDLE TokenHandle, ULONG TokenInformationClass,
				       PVOID TokenInformation, ULONG TokenInformationLength,
				       PULONG ReturnLength);
NTSTATUS NTAPI NtQueryInformationToken(HANDLE TokenHandle, ULONG TokenInformationClass,
				       PVOID TokenInformation, ULONG TokenInformationLength,
				       PULONG ReturnLength);

/* Exports: subjects and privileges. */
VOID NTAPI SeCaptureSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext);
VOID NTAPI SeCaptureSubjectContextEx(PETHREAD Thread, PEPROCESS Process,
				     PSECURITY_SUBJECT_CONTEXT SubjectContext);
VOID NTAPI SeReleaseSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext);
VOID NTAPI SeLockSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext);
VOID NTAPI SeUnlockSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext);
BOOLEAN NTAPI SeSinglePrivilegeCheck(LUID PrivilegeValue, KPROCESSOR_MODE PreviousMode);
BOOLEAN NTAPI SePrivilegeCheck(PPRIVILEGE_SET RequiredPrivileges,
			       PSECURITY_SUBJECT_CONTEXT SubjectSecurityContext,
			       KPROCESSOR_MODE AccessMode);

#endif

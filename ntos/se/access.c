/* SPDX-License-Identifier: MIT */
/*
 * Access checks: what a descriptor grants a token.
 *
 * In Windows' order: what privileges give, what the owner may always do, the integrity
 * label, then the entries of the list from the first to the last, of which each can only
 * decide about rights that none before it has decided. Without a list everything is
 * granted; an empty one grants nothing. No state.
 *
 * Pages: SeAccessCheck, "How AccessCheck Works", "Mandatory Integrity Control".
 */
#include "se/access.h"

#define SE_SECURITY 8
#define SE_TAKE_OWNERSHIP 9
#define LABEL_ACE 0x11
#define NO_WRITE_UP 0x1
#define NO_READ_UP 0x2
#define NO_EXECUTE_UP 0x4
#define MEDIUM_LABEL 0x2000

/* ---- Masks ---------------------------------------------------------------------------- */

VOID NTAPI RtlMapGenericMask(PACCESS_MASK AccessMask, const GENERIC_MAPPING *GenericMapping)
{
	ACCESS_MASK access = *AccessMask;
	if (access & GENERIC_READ)
		access |= GenericMapping->GenericRead;
	if (access & GENERIC_WRITE)
		access |= GenericMapping->GenericWrite;
	if (access & GENERIC_EXECUTE)
		access |= GenericMapping->GenericExecute;
	if (access & GENERIC_ALL)
		access |= GenericMapping->GenericAll;
	*AccessMask = access & ~(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL);
}

BOOLEAN NTAPI RtlAreAllAccessesGranted(ACCESS_MASK GrantedAccess, ACCESS_MASK DesiredAccess)
{
	return (DesiredAccess & ~GrantedAccess) == 0;
}

BOOLEAN NTAPI RtlAreAnyAccessesGranted(ACCESS_MASK GrantedAccess, ACCESS_MASK DesiredAccess)
{
	return (DesiredAccess & GrantedAccess) != 0;
}

/* ---- One check ------------------------------------------------------------------------- */

struct check {
	const TOKEN *token;
	PSECURITY_DESCRIPTOR descriptor;
	const GENERIC_MAPPING *mapping;
	ACCESS_MASK granted, denied;
};

static ACCESS_MASK mapped(const struct check *check, ACCESS_MASK access)
{
	RtlMapGenericMask(&access, check->mapping);
	return access;
}

static void grant(struct check *check, ACCESS_MASK access)
{
	check->granted |= access & ~check->denied;
}

static void deny(struct check *check, ACCESS_MASK access)
{
	check->denied |= access & ~check->granted;
}

static NTSTATUS use_privileges(struct check *check, ACCESS_MASK desired)
{
	if (desired & ACCESS_SYSTEM_SECURITY) {
		if (!se_token_has_privilege(check->token, SE_SECURITY))
			return STATUS_PRIVILEGE_NOT_HELD;
		grant(check, ACCESS_SYSTEM_SECURITY);
	}
	if ((desired & WRITE_OWNER) && se_token_has_privilege(check->token, SE_TAKE_OWNERSHIP))
		grant(check, WRITE_OWNER);
	return STATUS_SUCCESS;
}

static void use_ownership(struct check *check)
{
	PSID owner = NULL;
	BOOLEAN defaulted;
	if (NT_SUCCESS(RtlGetOwnerSecurityDescriptor(check->descriptor, &owner, &defaulted)) &&
	    owner && se_token_has_sid(check->token, owner))
		grant(check, READ_CONTROL | WRITE_DAC);
}

/* An object is of medium integrity and not to be written from below unless its label
 * says otherwise. */
static void find_label(PSECURITY_DESCRIPTOR descriptor, ULONG *level, ULONG *policy)
{
	BOOLEAN present = FALSE, defaulted;
	PACL list = NULL;
	PVOID entry;
	*level = MEDIUM_LABEL;
	*policy = NO_WRITE_UP;
	if (!NT_SUCCESS(RtlGetSaclSecurityDescriptor(descriptor, &present, &list, &defaulted)) ||
	    !present || !list)
		return;
	for (ULONG i = 0; NT_SUCCESS(RtlGetAce(list, i, &entry)); i++) {
		const ACE *ace = entry;
		if (ace->AceType != LABEL_ACE || !ace->Sid.SubAuthorityCount)
			continue;
		*level = ace->Sid.SubAuthority[0];
		*policy = ace->Mask;
		return;
	}
}

static void use_integrity(struct check *check)
{
	const GENERIC_MAPPING *mapping = check->mapping;
	ULONG level, policy;
	find_label(check->descriptor, &level, &policy);
	if (check->token->integrity >= level)
		return;
	ACCESS_MASK allowed = policy & NO_READ_UP ? 0 : mapping->GenericRead;
	allowed |= policy & NO_EXECUTE_UP ? 0 : mapping->GenericExecute;
	allowed |= policy & NO_WRITE_UP ? 0 : mapping->GenericWrite;
	deny(check, ~allowed);
}

static void use_list(struct check *check)
{
	BOOLEAN present = FALSE, defaulted;
	PACL list = NULL;
	PVOID entry;
	RtlGetDaclSecurityDescriptor(check->descriptor, &present, &list, &defaulted);
	if (!present || !list) {
		grant(check, check->mapping->GenericAll);
		return;
	}
	for (ULONG i = 0; NT_SUCCESS(RtlGetAce(list, i, &entry)); i++) {
		ACE *ace = entry;
		if ((ace->AceFlags & INHERIT_ONLY_ACE) ||
		    (ace->AceType != ACCESS_ALLOWED_ACE_TYPE &&
		     ace->AceType != ACCESS_DENIED_ACE_TYPE) ||
		    !se_token_has_sid(check->token, &ace->Sid))
			continue;
		if (ace->AceType == ACCESS_ALLOWED_ACE_TYPE)
			grant(check, mapped(check, ace->Mask));
		else
			deny(check, mapped(check, ace->Mask));
	}
}

static NTSTATUS decide(struct check *check, ACCESS_MASK desired, ACCESS_MASK *granted)
{
	const bool maximum = desired & MAXIMUM_ALLOWED;
	const ACCESS_MASK previous = check->granted;
	desired = mapped(check, desired & ~(ACCESS_MASK)MAXIMUM_ALLOWED);
	NTSTATUS status = use_privileges(check, desired & ~previous);
	if (!NT_SUCCESS(status))
		return status;
	use_integrity(check);
	use_ownership(check);
	use_list(check);
	if ((desired & ~check->granted) || (maximum && !check->granted))
		return STATUS_ACCESS_DENIED;
	*granted = maximum ? check->granted : desired | previous;
	return STATUS_SUCCESS;
}

/* ---- The export ------------------------------------------------------------------------------ */

static ACCESS_MASK for_the_kernel(ACCESS_MASK desired, const GENERIC_MAPPING *mapping)
{
	ACCESS_MASK access = desired & ~(ACCESS_MASK)MAXIMUM_ALLOWED;
	RtlMapGenericMask(&access, mapping);
	return desired & MAXIMUM_ALLOWED ? access | mapping->GenericAll : access;
}

static NTSTATUS for_users(struct check *check, ACCESS_MASK desired, ACCESS_MASK *granted)
{
	if (!check->descriptor || !check->token)
		return STATUS_ACCESS_DENIED;
	return decide(check, desired, granted);
}

BOOLEAN NTAPI SeAccessCheck(PSECURITY_DESCRIPTOR SecurityDescriptor,
			    PSECURITY_SUBJECT_CONTEXT SubjectSecurityContext,
			    BOOLEAN SubjectContextLocked, ACCESS_MASK DesiredAccess,
			    ACCESS_MASK PreviouslyGrantedAccess, PPRIVILEGE_SET *Privileges,
			    PGENERIC_MAPPING GenericMapping, KPROCESSOR_MODE AccessMode,
			    PACCESS_MASK GrantedAccess, NTSTATUS *AccessStatus)
{
	ACCESS_MASK granted = 0;
	NTSTATUS status = STATUS_SUCCESS;
	(void)SubjectContextLocked; /* tokens do not change */
	if (AccessMode == KernelMode) {
		granted = for_the_kernel(DesiredAccess, GenericMapping) | PreviouslyGrantedAccess;
	} else {
		struct check check = {
			.token = SubjectSecurityContext->PrimaryToken,
			.descriptor = SecurityDescriptor,
			.mapping = GenericMapping,
			.granted = PreviouslyGrantedAccess,
		};
		status = for_users(&check, DesiredAccess, &granted);
	}
	if (Privileges)
		*Privileges = NULL;
	*GrantedAccess = granted;
	*AccessStatus = status;
	return NT_SUCCESS(status);
}

VOID NTAPI SeFreePrivileges(PPRIVILEGE_SET Privileges)
{
	if (Privileges)
		ExFreePool(Privileges);
}

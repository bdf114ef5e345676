/* SPDX-License-Identifier: MIT */
/*
 * Subjects: the tokens of who is calling, and whether they hold a privilege.
 *
 * A subject context holds a reference to the primary token of the current process; there
 * is no client token, since nobody impersonates. Locking one does nothing because
 * tokens do not change.
 *
 * Pages: SeCaptureSubjectContext, SePrivilegeCheck, SeSinglePrivilegeCheck.
 */
#include "ke/bugcheck.h"
#include "ob/object.h"
#include "ps/process.h"
#include "se/token.h"

VOID NTAPI SeCaptureSubjectContextEx(PETHREAD Thread, PEPROCESS Process,
				     PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
	(void)Thread; /* whose impersonation token it would be */
	*SubjectContext = (SECURITY_SUBJECT_CONTEXT){
		.PrimaryToken = se_token_of(Process),
		.ProcessAuditId = (PVOID)Process->id,
	};
}

VOID NTAPI SeCaptureSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
	SeCaptureSubjectContextEx(ke_current_thread(), PsGetCurrentProcess(), SubjectContext);
}

VOID NTAPI SeReleaseSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
	PACCESS_TOKEN token = SubjectContext->PrimaryToken;
	SubjectContext->PrimaryToken = NULL;
	if (token)
		ob_dereference(token);
}

VOID NTAPI SeLockSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
	(void)SubjectContext;
}

VOID NTAPI SeUnlockSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
	(void)SubjectContext;
}

/* What is held is marked as used. */
BOOLEAN NTAPI SePrivilegeCheck(PPRIVILEGE_SET RequiredPrivileges,
			       PSECURITY_SUBJECT_CONTEXT SubjectSecurityContext,
			       KPROCESSOR_MODE AccessMode)
{
	ULONG held = 0;
	if (AccessMode == KernelMode)
		return TRUE;
	const TOKEN *token = SubjectSecurityContext->PrimaryToken;
	for (ULONG i = 0; token && i < RequiredPrivileges->PrivilegeCount; i++) {
		LUID_AND_ATTRIBUTES *wanted = &RequiredPrivileges->Privilege[i];
		if (wanted->Luid.HighPart || !se_token_has_privilege(token, wanted->Luid.LowPart))
			continue;
		wanted->Attributes |= SE_PRIVILEGE_USED_FOR_ACCESS;
		held++;
	}
	return RequiredPrivileges->Control & PRIVILEGE_SET_ALL_NECESSARY
		       ? held == RequiredPrivileges->PrivilegeCount
		       : held > 0;
}

BOOLEAN NTAPI SeSinglePrivilegeCheck(LUID PrivilegeValue, KPROCESSOR_MODE PreviousMode)
{
	if (PreviousMode == KernelMode)
		return TRUE;
	PACCESS_TOKEN token = se_token_of(PsGetCurrentProcess());
	bool held = token && !PrivilegeValue.HighPart &&
		    se_token_has_privilege(token, PrivilegeValue.LowPart);
	if (token)
		ob_dereference(token);
	return held;
}

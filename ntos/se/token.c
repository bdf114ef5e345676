/* SPDX-License-Identifier: MIT */
/*
 * Tokens: made when first asked for, from what the System process is by definition and
 * what Linux says of any other.
 *
 * A process keeps the reference to its token from then on: a driver that asks twice gets
 * the same object, as on NT, even if the Linux process has changed its user in between.
 * EPROCESS.lock protects the pointer; Linux is asked without it, and of two threads that
 * do so at once the first to finish wins. A token does not change once it exists.
 *
 * Pages: PsReferencePrimaryToken, PsReferenceImpersonationToken, ZwOpenProcessTokenEx.
 */
#include "se/token.h"
#include "ob/handle.h"
#include "ps/host.h"
#include "ps/information.h"
#include "ps/process.h"
#include <string.h>
#include <unistd.h>

#define SYSTEM_LOGON 0x3E7
#define FIRST_USER_LOGON 0x10000 /* + uid */

#define LABEL_MEDIUM 0x2000
#define LABEL_HIGH 0x3000
#define LABEL_SYSTEM 0x4000

#define USUAL (SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED)
#define FIRST_PRIVILEGE 2
#define LAST_PRIVILEGE 35
#define SE_CHANGE_NOTIFY 23

static LUID next_luid(void)
{
	static _Atomic ULONG last = 0x1000;
	return (LUID){++last, 0};
}

static void add_group(TOKEN *token, const SID *sid, ULONG attributes)
{
	token->group[token->group_count++] = (struct se_group){*sid, attributes};
}

static void add_privilege(TOKEN *token, ULONG number, bool enabled)
{
	ULONG attributes = enabled ? SE_PRIVILEGE_ENABLED | SE_PRIVILEGE_ENABLED_BY_DEFAULT : 0;
	token->privilege[token->privilege_count++] = (struct se_privilege){number, attributes};
}

static void add_common_groups(TOKEN *token)
{
	static const SID everyone = SE_SID(1, 1, 0);
	static const SID authenticated = SE_SID(SE_NT_AUTHORITY, 1, 11);
	static const SID administrators = SE_SID(SE_NT_AUTHORITY, 2, 32, 544);
	add_group(token, &everyone, USUAL);
	add_group(token, &authenticated, USUAL);
	if (token->admin)
		add_group(token, &administrators, USUAL | SE_GROUP_OWNER);
	SID label = SE_SID(SE_LABEL_AUTHORITY, 1, token->integrity);
	add_group(token, &label, SE_GROUP_INTEGRITY | SE_GROUP_INTEGRITY_ENABLED);
}

static void fill_system(TOKEN *token)
{
	static const SID system = SE_SID(SE_NT_AUTHORITY, 1, 18);
	token->user = system;
	token->authentication_id.LowPart = SYSTEM_LOGON;
	token->admin = true;
	token->integrity = LABEL_SYSTEM;
	add_group(token, &system, USUAL);
	add_common_groups(token);
	for (ULONG i = FIRST_PRIVILEGE; i <= LAST_PRIVILEGE; i++)
		add_privilege(token, i, true);
}

/* What administrators and ordinary users have been granted. */
static void add_user_privileges(TOKEN *token)
{
	static const UCHAR of_admins[] = {5,  8,  9,  10, 11, 12, 13, 14, 15, 17, 18, 19,
					  20, 22, 23, 24, 25, 28, 29, 30, 33, 34, 35};
	static const UCHAR of_users[] = {19, 23, 25, 33, 34};
	const UCHAR *list = token->admin ? of_admins : of_users;
	size_t count = token->admin ? sizeof of_admins : sizeof of_users;
	for (size_t i = 0; i < count; i++)
		add_privilege(token, list[i],
			      list[i] == SE_CHANGE_NOTIFY || (token->admin && list[i] >= 29));
}

static void fill_user(TOKEN *token, const struct ps_host_user *user)
{
	token->user = (SID)SE_SID(SE_UNIX_AUTHORITY, 2, 1, user->uid);
	token->authentication_id.LowPart = FIRST_USER_LOGON + user->uid;
	token->admin = user->uid == 0;
	token->integrity = token->admin ? LABEL_HIGH : LABEL_MEDIUM;
	SID group = SE_SID(SE_UNIX_AUTHORITY, 2, 2, user->gid);
	add_group(token, &group, USUAL);
	add_common_groups(token);
	add_user_privileges(token);
}

static TOKEN *make_token(PEPROCESS process)
{
	struct ps_host_user user = {.uid = geteuid(), .gid = getegid()};
	TOKEN *token = ob_create(SeTokenObjectType, sizeof *token);
	if (!token)
		return NULL;
	token->token_id = next_luid();
	token->modified_id = next_luid();
	token->session = process->session;
	if (process->host_ops)
		process->host_ops->user(process->host_id, &user);
	if (process->system)
		fill_system(token);
	else
		fill_user(token, &user);
	return token;
}

static TOKEN *kept_token(PEPROCESS process, TOKEN *offered)
{
	pthread_mutex_lock(&process->lock);
	if (!process->token)
		process->token = offered; /* with its reference */
	TOKEN *token = process->token;
	if (token)
		ob_reference(token);
	pthread_mutex_unlock(&process->lock);
	return token;
}

PACCESS_TOKEN se_token_of(PEPROCESS process)
{
	TOKEN *token = kept_token(process, NULL);
	if (token)
		return token;
	TOKEN *made = make_token(process);
	token = kept_token(process, made);
	if (made && token != made)
		ob_dereference(made);
	return token;
}

bool se_token_has_sid(const TOKEN *token, PSID sid)
{
	if (RtlEqualSid((PSID)(uintptr_t)&token->user, sid))
		return true;
	for (ULONG i = 0; i < token->group_count; i++)
		if ((token->group[i].attributes & SE_GROUP_ENABLED) &&
		    RtlEqualSid((PSID)(uintptr_t)&token->group[i].sid, sid))
			return true;
	return false;
}

bool se_token_has_privilege(const TOKEN *token, ULONG number)
{
	for (ULONG i = 0; i < token->privilege_count; i++)
		if (token->privilege[i].number == number)
			return token->privilege[i].attributes & SE_PRIVILEGE_ENABLED;
	return false;
}

/* ---- By object ------------------------------------------------------------------------ */

PACCESS_TOKEN NTAPI PsReferencePrimaryToken(PEPROCESS Process)
{
	return se_token_of(Process);
}

VOID NTAPI PsDereferencePrimaryToken(PACCESS_TOKEN PrimaryToken)
{
	ob_dereference(PrimaryToken);
}

PACCESS_TOKEN NTAPI PsReferenceImpersonationToken(PETHREAD Thread, PBOOLEAN CopyOnOpen,
						  PBOOLEAN EffectiveOnly, PULONG ImpersonationLevel)
{
	(void)Thread;
	(void)CopyOnOpen;
	(void)EffectiveOnly;
	(void)ImpersonationLevel;
	return NULL;
}

VOID NTAPI PsDereferenceImpersonationToken(PACCESS_TOKEN ImpersonationToken)
{
	if (ImpersonationToken)
		ob_dereference(ImpersonationToken);
}

PACCESS_TOKEN NTAPI PsReferenceEffectiveToken(PETHREAD Thread, PULONG TokenType,
					      PBOOLEAN EffectiveOnly, PULONG ImpersonationLevel)
{
	(void)ImpersonationLevel; /* of impersonation tokens only */
	*TokenType = TokenPrimary;
	*EffectiveOnly = FALSE;
	return se_token_of(Thread->process);
}

BOOLEAN NTAPI PsIsThreadImpersonating(PETHREAD Thread)
{
	(void)Thread;
	return FALSE;
}

/* ---- By handle ------------------------------------------------------------------------- */

static NTSTATUS open_token(PEPROCESS process, ACCESS_MASK access, ULONG attributes,
			   KPROCESSOR_MODE mode, PHANDLE handle)
{
	TOKEN *token = se_token_of(process);
	if (!token)
		return STATUS_INSUFFICIENT_RESOURCES;
	struct ob_handle_request request = {
		.operation = OB_OPERATION_HANDLE_CREATE,
		.object = token,
		.table_of = PsGetCurrentProcess(),
		.desired = access,
		.attributes = attributes,
		.mode = mode,
	};
	NTSTATUS status = ob_make_handle(&request, handle, NULL);
	ob_dereference(token);
	return status;
}

static NTSTATUS open_process_token(HANDLE handle, ACCESS_MASK access, ULONG attributes,
				   KPROCESSOR_MODE mode, PHANDLE token)
{
	void *process;
	NTSTATUS status = ps_open_handle(handle, PROCESS_QUERY_LIMITED_INFORMATION, PsProcessType,
					 mode, &process);
	if (!NT_SUCCESS(status))
		return status;
	status = open_token(process, access, attributes, mode, token);
	ob_dereference(process);
	return status;
}

NTSTATUS NTAPI ZwOpenProcessTokenEx(HANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
				    ULONG HandleAttributes, PHANDLE TokenHandle)
{
	return open_process_token(ProcessHandle, DesiredAccess, HandleAttributes, KernelMode,
				  TokenHandle);
}

NTSTATUS NTAPI ZwOpenProcessToken(HANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
				  PHANDLE TokenHandle)
{
	return open_process_token(ProcessHandle, DesiredAccess, 0, KernelMode, TokenHandle);
}

NTSTATUS NTAPI NtOpenProcessTokenEx(HANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
				    ULONG HandleAttributes, PHANDLE TokenHandle)
{
	return open_process_token(ProcessHandle, DesiredAccess, HandleAttributes,
				  ExGetPreviousMode(), TokenHandle);
}

NTSTATUS NTAPI NtOpenProcessToken(HANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
				  PHANDLE TokenHandle)
{
	return open_process_token(ProcessHandle, DesiredAccess, 0, ExGetPreviousMode(),
				  TokenHandle);
}

NTSTATUS NTAPI ZwOpenThreadTokenEx(HANDLE ThreadHandle, ACCESS_MASK DesiredAccess,
				   BOOLEAN OpenAsSelf, ULONG HandleAttributes, PHANDLE TokenHandle)
{
	void *thread;
	(void)DesiredAccess;
	(void)OpenAsSelf;
	(void)HandleAttributes;
	(void)TokenHandle;
	NTSTATUS status = ps_open_handle(ThreadHandle, THREAD_QUERY_INFORMATION, PsThreadType,
					 KernelMode, &thread);
	if (!NT_SUCCESS(status))
		return status;
	ob_dereference(thread);
	return STATUS_NO_TOKEN;
}

NTSTATUS NTAPI ZwOpenThreadToken(HANDLE ThreadHandle, ACCESS_MASK DesiredAccess, BOOLEAN OpenAsSelf,
				 PHANDLE TokenHandle)
{
	return ZwOpenThreadTokenEx(ThreadHandle, DesiredAccess, OpenAsSelf, 0, TokenHandle);
}

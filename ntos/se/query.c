/* SPDX-License-Identifier: MIT */
/*
 * What a token says.
 *
 * An answer is one block whose pointers point into it. It is put together twice by the
 * same code: in memory of ours for the caller's buffer at its place, or in pool that the
 * caller will free. SeQueryInformationToken gives the session and the integrity level as
 * values and not as blocks, because NT does.
 *
 * Pages: SeQueryInformationToken, ZwQueryInformationToken.
 */
#include "ex/pool.h"
#include "mm/copy.h"
#include "ob/object.h"
#include "ps/information.h"
#include "ps/process.h"
#include "se/token.h"
#include <string.h>

#define TAG 0x6F546553 /* 'SeTo' */
#define TOKEN_QUERY 0x0008

enum token_information_class {
	TokenUser = 1,
	TokenGroups,
	TokenPrivileges,
	TokenOwner,
	TokenPrimaryGroup,
	TokenTypeClass = 8,
	TokenImpersonationLevel,
	TokenStatistics,
	TokenSessionId = 12,
	TokenElevationType = 18,
	TokenElevation = 20,
	TokenIntegrityLevel = 25,
	TokenIsAppContainer = 29,
};

struct sid_and_attributes {
	PSID Sid;
	ULONG Attributes;
};
_Static_assert(sizeof(struct sid_and_attributes) == 16, "winnt.h");

struct token_statistics {
	LUID TokenId, AuthenticationId;
	LARGE_INTEGER ExpirationTime;
	ULONG TokenType, ImpersonationLevel;
	ULONG DynamicCharged, DynamicAvailable, GroupCount, PrivilegeCount;
	LUID ModifiedId;
};
_Static_assert(sizeof(struct token_statistics) == 56, "winnt.h");

/* Where the answer will lie, and what there is of it. */
struct block {
	ULONG_PTR place;
	size_t used;
	_Alignas(16) char data[1024];
};

static void *take(struct block *block, size_t size)
{
	void *taken = block->data + block->used;
	block->used += (size + 7) & ~(size_t)7;
	return taken;
}

/* The address that a copy of the SID will have. */
static PSID put_sid(struct block *block, const SID *sid)
{
	ULONG length = RtlLengthRequiredSid(sid->SubAuthorityCount);
	ULONG_PTR address = block->place + block->used;
	memcpy(take(block, length), sid, length);
	return (PSID)address;
}

static void put_number(struct block *block, ULONG number)
{
	ULONG *taken = (void *)block->data;
	block->used = sizeof(ULONG);
	*taken = number;
}

static void put_user(struct block *block, const SID *sid, ULONG attributes)
{
	struct sid_and_attributes *user = take(block, sizeof *user);
	user->Sid = put_sid(block, sid);
	user->Attributes = attributes;
}

static void put_sid_pointer(struct block *block, const SID *sid)
{
	PSID *pointer = take(block, sizeof *pointer);
	*pointer = put_sid(block, sid);
}

static void put_groups(struct block *block, const TOKEN *token)
{
	*(ULONG *)take(block, sizeof(ULONG)) = token->group_count;
	struct sid_and_attributes *group = take(block, token->group_count * sizeof *group);
	for (ULONG i = 0; i < token->group_count; i++) {
		group[i].Sid = put_sid(block, &token->group[i].sid);
		group[i].Attributes = token->group[i].attributes;
	}
}

static void put_privileges(struct block *block, const TOKEN *token)
{
	size_t size = sizeof(ULONG) + token->privilege_count * sizeof(LUID_AND_ATTRIBUTES);
	char *taken = take(block, size);
	LUID_AND_ATTRIBUTES *privilege = (void *)(taken + sizeof(ULONG));
	*(ULONG *)(void *)taken = token->privilege_count;
	for (ULONG i = 0; i < token->privilege_count; i++)
		privilege[i] = (LUID_AND_ATTRIBUTES){{token->privilege[i].number, 0},
						     token->privilege[i].attributes};
	block->used = size;
}

static void put_statistics(struct block *block, const TOKEN *token)
{
	struct token_statistics *statistics = take(block, sizeof *statistics);
	*statistics = (struct token_statistics){
		.TokenId = token->token_id,
		.AuthenticationId = token->authentication_id,
		.ExpirationTime.QuadPart = INT64_MAX,
		.TokenType = TokenPrimary,
		.GroupCount = token->group_count,
		.PrivilegeCount = token->privilege_count,
		.ModifiedId = token->modified_id,
	};
}

/* What there is no second half of: 1 elevated by default, as root and everybody here. */
#define ELEVATION_TYPE_DEFAULT 1

static NTSTATUS fill(struct block *block, const TOKEN *token, ULONG class)
{
	SID label = SE_SID(SE_LABEL_AUTHORITY, 1, token->integrity);
	switch (class) {
	case TokenUser:
		put_user(block, &token->user, 0);
		break;
	case TokenGroups:
		put_groups(block, token);
		break;
	case TokenPrivileges:
		put_privileges(block, token);
		break;
	case TokenOwner:
		put_sid_pointer(block, &token->user);
		break;
	case TokenPrimaryGroup:
		put_sid_pointer(block, &token->group[token->primary_group].sid);
		break;
	case TokenTypeClass:
		put_number(block, TokenPrimary);
		break;
	case TokenImpersonationLevel: /* of impersonation tokens only */
		return STATUS_INVALID_PARAMETER;
	case TokenStatistics:
		put_statistics(block, token);
		break;
	case TokenSessionId:
		put_number(block, token->session);
		break;
	case TokenElevationType:
		put_number(block, ELEVATION_TYPE_DEFAULT);
		break;
	case TokenElevation:
		put_number(block, token->admin);
		break;
	case TokenIntegrityLevel:
		put_user(block, &label, SE_GROUP_INTEGRITY | SE_GROUP_INTEGRITY_ENABLED);
		break;
	case TokenIsAppContainer:
		put_number(block, 0);
		break;
	default:
		return STATUS_INVALID_INFO_CLASS;
	}
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI SeQueryInformationToken(PACCESS_TOKEN Token, ULONG TokenInformationClass,
				       PVOID *TokenInformation)
{
	struct block block = {0};
	if (TokenInformationClass == TokenSessionId ||
	    TokenInformationClass == TokenIntegrityLevel) {
		*(PULONG)(void *)TokenInformation = TokenInformationClass == TokenSessionId
							    ? Token->session
							    : Token->integrity;
		return STATUS_SUCCESS;
	}
	NTSTATUS status = fill(&block, Token, TokenInformationClass);
	if (!NT_SUCCESS(status))
		return status;
	void *answer = ex_allocate_pool(__builtin_return_address(0), PagedPool, block.used, TAG);
	if (!answer)
		return STATUS_INSUFFICIENT_RESOURCES;
	block = (struct block){.place = (ULONG_PTR)answer};
	fill(&block, Token, TokenInformationClass);
	memcpy(answer, block.data, block.used);
	*TokenInformation = answer;
	return STATUS_SUCCESS;
}

struct question {
	HANDLE handle;
	ULONG number;
	PVOID buffer;
	ULONG length;
	PULONG returned;
	KPROCESSOR_MODE mode;
};

static NTSTATUS query(const struct question *q)
{
	void *token;
	struct block block = {.place = (ULONG_PTR)q->buffer};
	NTSTATUS status = ps_open_handle(q->handle, TOKEN_QUERY, SeTokenObjectType, q->mode,
					 &token);
	if (!NT_SUCCESS(status))
		return status;
	status = fill(&block, token, q->number);
	ob_dereference(token);
	if (!NT_SUCCESS(status))
		return status;
	if (q->returned)
		*q->returned = (ULONG)block.used;
	if (q->length < block.used)
		return STATUS_BUFFER_TOO_SMALL;
	return mm_answer(q->buffer, block.data, block.used);
}

NTSTATUS NTAPI ZwQueryInformationToken(HANDLE TokenHandle, ULONG TokenInformationClass,
				       PVOID TokenInformation, ULONG TokenInformationLength,
				       PULONG ReturnLength)
{
	return query(&(struct question){TokenHandle, TokenInformationClass, TokenInformation,
					TokenInformationLength, ReturnLength, KernelMode});
}

NTSTATUS NTAPI NtQueryInformationToken(HANDLE TokenHandle, ULONG TokenInformationClass,
				       PVOID TokenInformation, ULONG TokenInformationLength,
				       PULONG ReturnLength)
{
	return query(&(struct question){TokenHandle, TokenInformationClass, TokenInformation,
					TokenInformationLength, ReturnLength, ExGetPreviousMode()});
}

/* ---- One thing each ---------------------------------------------------------------------- */

BOOLEAN NTAPI SeTokenIsAdmin(PACCESS_TOKEN Token)
{
	return Token->admin;
}

BOOLEAN NTAPI SeTokenIsRestricted(PACCESS_TOKEN Token)
{
	(void)Token; /* none has restricting SIDs */
	return FALSE;
}

ULONG NTAPI SeTokenType(PACCESS_TOKEN Token)
{
	(void)Token;
	return TokenPrimary;
}

ULONG NTAPI SeTokenImpersonationLevel(PACCESS_TOKEN Token)
{
	(void)Token;
	return SecurityAnonymous; /* what a primary token says */
}

NTSTATUS NTAPI SeQueryAuthenticationIdToken(PACCESS_TOKEN Token, PLUID AuthenticationId)
{
	*AuthenticationId = Token->authentication_id;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI SeQuerySessionIdToken(PACCESS_TOKEN Token, PULONG SessionId)
{
	*SessionId = Token->session;
	return STATUS_SUCCESS;
}

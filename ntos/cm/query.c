/* SPDX-License-Identifier: MIT */
/*
 * What a key is: ZwQueryKey and ZwEnumerateKey, with registry callbacks around them.
 *
 * Both answer from a snapshot (cm_summarize) and from names that never change, so
 * the driver's buffer is written with no lock held.
 */
#include "cm/answer.h"
#include "cm/filter.h"
#include "memory.h"

static NTSTATUS answer_basic(struct cm_node *node, struct cm_answer *answer, PULONG result)
{
	struct cm_summary summary;
	PCUNICODE_STRING name = cm_name(node);
	const ULONG head = offsetof(KEY_BASIC_INFORMATION, Name);
	NTSTATUS status = cm_summarize(node, &summary);
	if (!NT_SUCCESS(status))
		return status;
	answer->whole = head + name->Length;
	status = cm_begin_answer(answer, head, result);
	if (!NT_SUCCESS(status))
		return status;
	const KEY_BASIC_INFORMATION info = {
		.LastWriteTime.QuadPart = summary.last_write,
		.NameLength = name->Length,
	};
	cm_write_answer(answer, 0, &info, head);
	cm_write_answer(answer, head, name->Buffer, name->Length);
	return cm_end_answer(answer);
}

/* Where a class of that length begins, as NT reports it: -1 when there is none. */
static ULONG class_offset(PCUNICODE_STRING class, ULONG offset)
{
	return class->Length ? offset : UINT32_MAX;
}

static ULONG align4(ULONG value)
{
	return (value + 3) & ~3u;
}

static NTSTATUS answer_node(struct cm_node *node, struct cm_answer *answer, PULONG result)
{
	struct cm_summary summary;
	PCUNICODE_STRING name = cm_name(node), class = cm_class(node);
	const ULONG head = offsetof(KEY_NODE_INFORMATION, Name);
	const ULONG class_at = align4(head + name->Length);
	NTSTATUS status = cm_summarize(node, &summary);
	if (!NT_SUCCESS(status))
		return status;
	answer->whole = class->Length ? class_at + class->Length : head + name->Length;
	status = cm_begin_answer(answer, head, result);
	if (!NT_SUCCESS(status))
		return status;
	const KEY_NODE_INFORMATION info = {
		.LastWriteTime.QuadPart = summary.last_write,
		.ClassOffset = class_offset(class, class_at),
		.ClassLength = class->Length,
		.NameLength = name->Length,
	};
	cm_write_answer(answer, 0, &info, head);
	cm_write_answer(answer, head, name->Buffer, name->Length);
	cm_write_answer(answer, class_at, class->Buffer, class->Length);
	return cm_end_answer(answer);
}

static NTSTATUS answer_full(struct cm_node *node, struct cm_answer *answer, PULONG result)
{
	struct cm_summary summary;
	PCUNICODE_STRING class = cm_class(node);
	const ULONG head = offsetof(KEY_FULL_INFORMATION, Class);
	NTSTATUS status = cm_summarize(node, &summary);
	if (!NT_SUCCESS(status))
		return status;
	answer->whole = head + class->Length;
	status = cm_begin_answer(answer, head, result);
	if (!NT_SUCCESS(status))
		return status;
	const KEY_FULL_INFORMATION info = {
		.LastWriteTime.QuadPart = summary.last_write,
		.ClassOffset = class_offset(class, head),
		.ClassLength = class->Length,
		.SubKeys = summary.subkeys,
		.MaxNameLen = summary.longest_name,
		.MaxClassLen = summary.longest_class,
		.Values = summary.values,
		.MaxValueNameLen = summary.longest_value_name,
		.MaxValueDataLen = summary.longest_value_data,
	};
	cm_write_answer(answer, 0, &info, head);
	cm_write_answer(answer, head, class->Buffer, class->Length);
	return cm_end_answer(answer);
}

static NTSTATUS answer_name(struct cm_node *node, struct cm_answer *answer, PULONG result)
{
	UNICODE_STRING path;
	const ULONG head = offsetof(KEY_NAME_INFORMATION, Name);
	NTSTATUS status = cm_path(node, &path);
	if (!NT_SUCCESS(status))
		return status;
	answer->whole = head + path.Length;
	status = cm_begin_answer(answer, head, result);
	if (NT_SUCCESS(status)) {
		const ULONG length = path.Length;
		cm_write_answer(answer, 0, &length, head);
		cm_write_answer(answer, head, path.Buffer, path.Length);
		status = cm_end_answer(answer);
	}
	host_free(path.Buffer);
	return status;
}

typedef NTSTATUS key_answer(struct cm_node *node, struct cm_answer *answer, PULONG result);

static key_answer *const key_answers[] = {
	[KeyBasicInformation] = answer_basic,
	[KeyNodeInformation] = answer_node,
	[KeyFullInformation] = answer_full,
	[KeyNameInformation] = answer_name,
};

static NTSTATUS carry_out_query(const void *information)
{
	const REG_QUERY_KEY_INFORMATION *asked = information;
	const struct cm_key *key = asked->Object;
	struct cm_answer answer = {.buffer = asked->KeyInformation, .length = asked->Length};
	return key_answers[asked->KeyInformationClass](key->node, &answer, asked->ResultLength);
}

static NTSTATUS carry_out_enumerate(const void *information)
{
	const REG_ENUMERATE_KEY_INFORMATION *asked = information;
	const struct cm_key *key = asked->Object;
	struct cm_answer answer = {.buffer = asked->KeyInformation, .length = asked->Length};
	struct cm_node *subkey;
	NTSTATUS status = cm_nth_subkey(key->node, asked->Index, &subkey);
	if (!NT_SUCCESS(status))
		return status;
	status = key_answers[asked->KeyInformationClass](subkey, &answer, asked->ResultLength);
	cm_release(subkey);
	return status;
}

static const struct cm_operation query_operation = {
	RegNtPreQueryKey,
	RegNtPostQueryKey,
	sizeof(REG_QUERY_KEY_INFORMATION),
	offsetof(REG_QUERY_KEY_INFORMATION, CallContext),
	NULL,
	carry_out_query,
};

static const struct cm_operation enumerate_operation = {
	RegNtPreEnumerateKey,
	RegNtPostEnumerateKey,
	sizeof(REG_ENUMERATE_KEY_INFORMATION),
	offsetof(REG_ENUMERATE_KEY_INFORMATION, CallContext),
	NULL,
	carry_out_enumerate,
};

NTSTATUS NTAPI ZwQueryKey(HANDLE KeyHandle, KEY_INFORMATION_CLASS KeyInformationClass,
			  PVOID KeyInformation, ULONG Length, PULONG ResultLength)
{
	REG_QUERY_KEY_INFORMATION information = {
		.KeyInformationClass = KeyInformationClass,
		.KeyInformation = KeyInformation,
		.Length = Length,
		.ResultLength = ResultLength,
	};
	if ((ULONG)KeyInformationClass >= MaxKeyInfoClass)
		return STATUS_INVALID_PARAMETER;
	if (KeyInformationClass > KeyNameInformation)
		return STATUS_NOT_IMPLEMENTED;
	return cm_carry_out_by_handle(KeyHandle, &query_operation, &information);
}

NTSTATUS NTAPI ZwEnumerateKey(HANDLE KeyHandle, ULONG Index,
			      KEY_INFORMATION_CLASS KeyInformationClass, PVOID KeyInformation,
			      ULONG Length, PULONG ResultLength)
{
	REG_ENUMERATE_KEY_INFORMATION information = {
		.Index = Index,
		.KeyInformationClass = KeyInformationClass,
		.KeyInformation = KeyInformation,
		.Length = Length,
		.ResultLength = ResultLength,
	};
	/* The documentation allows these three here. */
	if ((ULONG)KeyInformationClass > KeyFullInformation)
		return STATUS_INVALID_PARAMETER;
	return cm_carry_out_by_handle(KeyHandle, &enumerate_operation, &information);
}

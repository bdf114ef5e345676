/* SPDX-License-Identifier: MIT */
/*
 * The values of a key: ZwQueryValueKey and its relatives, with registry callbacks around
 * them.
 *
 * A value is looked up under the tree's lock and answered from a reference to it,
 * so the driver's buffer is written with no lock held.
 */
#include "cm/answer.h"
#include "cm/filter.h"
#include "memory.h"
#include "ps/process.h"

static NTSTATUS answer_basic(const struct cm_value *value, struct cm_answer *answer, PULONG result)
{
	const ULONG head = offsetof(KEY_VALUE_BASIC_INFORMATION, Name);
	answer->whole = head + value->name.Length;
	NTSTATUS status = cm_begin_answer(answer, head, result);
	if (!NT_SUCCESS(status))
		return status;
	const KEY_VALUE_BASIC_INFORMATION info = {
		.Type = value->type,
		.NameLength = value->name.Length,
	};
	cm_write_answer(answer, 0, &info, head);
	cm_write_answer(answer, head, value->name.Buffer, value->name.Length);
	return cm_end_answer(answer);
}

static NTSTATUS answer_full(const struct cm_value *value, ULONG alignment, struct cm_answer *answer,
			    PULONG result)
{
	const ULONG head = offsetof(KEY_VALUE_FULL_INFORMATION, Name);
	const ULONG name_end = head + value->name.Length;
	const ULONG data_at = (name_end + alignment - 1) & ~(alignment - 1);
	answer->whole = value->size ? data_at + value->size : name_end;
	NTSTATUS status = cm_begin_answer(answer, head, result);
	if (!NT_SUCCESS(status))
		return status;
	const KEY_VALUE_FULL_INFORMATION info = {
		.Type = value->type,
		.DataOffset = value->size ? data_at : UINT32_MAX,
		.DataLength = value->size,
		.NameLength = value->name.Length,
	};
	cm_write_answer(answer, 0, &info, head);
	cm_write_answer(answer, head, value->name.Buffer, value->name.Length);
	cm_write_answer(answer, data_at, value->data, value->size);
	return cm_end_answer(answer);
}

static NTSTATUS answer_full_align4(const struct cm_value *value, struct cm_answer *answer,
				   PULONG result)
{
	return answer_full(value, 4, answer, result);
}

static NTSTATUS answer_full_align8(const struct cm_value *value, struct cm_answer *answer,
				   PULONG result)
{
	return answer_full(value, 8, answer, result);
}

static NTSTATUS answer_partial(const struct cm_value *value, struct cm_answer *answer,
			       PULONG result)
{
	const ULONG head = offsetof(KEY_VALUE_PARTIAL_INFORMATION, Data);
	answer->whole = head + value->size;
	NTSTATUS status = cm_begin_answer(answer, head, result);
	if (!NT_SUCCESS(status))
		return status;
	const KEY_VALUE_PARTIAL_INFORMATION info = {
		.Type = value->type,
		.DataLength = value->size,
	};
	cm_write_answer(answer, 0, &info, head);
	cm_write_answer(answer, head, value->data, value->size);
	return cm_end_answer(answer);
}

static NTSTATUS answer_partial_align8(const struct cm_value *value, struct cm_answer *answer,
				      PULONG result)
{
	const ULONG head = offsetof(KEY_VALUE_PARTIAL_INFORMATION_ALIGN64, Data);
	answer->whole = head + value->size;
	NTSTATUS status = cm_begin_answer(answer, head, result);
	if (!NT_SUCCESS(status))
		return status;
	const KEY_VALUE_PARTIAL_INFORMATION_ALIGN64 info = {
		.Type = value->type,
		.DataLength = value->size,
	};
	cm_write_answer(answer, 0, &info, head);
	cm_write_answer(answer, head, value->data, value->size);
	return cm_end_answer(answer);
}

typedef NTSTATUS value_answer(const struct cm_value *value, struct cm_answer *answer,
			      PULONG result);

static value_answer *const value_answers[] = {
	[KeyValueBasicInformation] = answer_basic,
	[KeyValueFullInformation] = answer_full_align4,
	[KeyValuePartialInformation] = answer_partial,
	[KeyValueFullInformationAlign64] = answer_full_align8,
	[KeyValuePartialInformationAlign64] = answer_partial_align8,
};

static NTSTATUS check_class(KEY_VALUE_INFORMATION_CLASS class)
{
	if ((ULONG) class >= MaxKeyValueInfoClass)
		return STATUS_INVALID_PARAMETER;
	return class == KeyValueLayerInformation ? STATUS_NOT_IMPLEMENTED : STATUS_SUCCESS;
}

/* The value's reference is given back. */
static NTSTATUS answer_value(struct cm_value *value, KEY_VALUE_INFORMATION_CLASS class,
			     PVOID buffer, ULONG length, PULONG result)
{
	struct cm_answer answer = {.buffer = buffer, .length = length};
	NTSTATUS status = value_answers[class](value, &answer, result);
	cm_release_value(value);
	return status;
}

/* ---- Queries ------------------------------------------------------------------------ */

static NTSTATUS carry_out_query(const void *information)
{
	const REG_QUERY_VALUE_KEY_INFORMATION *asked = information;
	const struct cm_key *key = asked->Object;
	struct cm_value *value;
	NTSTATUS status = cm_find_value(key->node, asked->ValueName, &value);
	if (!NT_SUCCESS(status))
		return status;
	return answer_value(value, asked->KeyValueInformationClass, asked->KeyValueInformation,
			    asked->Length, asked->ResultLength);
}

static NTSTATUS carry_out_enumerate(const void *information)
{
	const REG_ENUMERATE_VALUE_KEY_INFORMATION *asked = information;
	const struct cm_key *key = asked->Object;
	struct cm_value *value;
	NTSTATUS status = cm_nth_value(key->node, asked->Index, &value);
	if (!NT_SUCCESS(status))
		return status;
	return answer_value(value, asked->KeyValueInformationClass, asked->KeyValueInformation,
			    asked->Length, asked->ResultLength);
}

static const struct cm_operation query_operation = {
	RegNtPreQueryValueKey,
	RegNtPostQueryValueKey,
	sizeof(REG_QUERY_VALUE_KEY_INFORMATION),
	offsetof(REG_QUERY_VALUE_KEY_INFORMATION, CallContext),
	NULL,
	carry_out_query,
};

static const struct cm_operation enumerate_operation = {
	RegNtPreEnumerateValueKey,
	RegNtPostEnumerateValueKey,
	sizeof(REG_ENUMERATE_VALUE_KEY_INFORMATION),
	offsetof(REG_ENUMERATE_VALUE_KEY_INFORMATION, CallContext),
	NULL,
	carry_out_enumerate,
};

NTSTATUS NTAPI ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
			       KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
			       PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
	UNICODE_STRING name = cm_value_name(ValueName);
	REG_QUERY_VALUE_KEY_INFORMATION information = {
		.ValueName = &name,
		.KeyValueInformationClass = KeyValueInformationClass,
		.KeyValueInformation = KeyValueInformation,
		.Length = Length,
		.ResultLength = ResultLength,
	};
	NTSTATUS status = check_class(KeyValueInformationClass);
	if (!NT_SUCCESS(status))
		return status;
	return cm_carry_out_by_handle(KeyHandle, &query_operation, &information);
}

NTSTATUS NTAPI ZwEnumerateValueKey(HANDLE KeyHandle, ULONG Index,
				   KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
				   PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
	REG_ENUMERATE_VALUE_KEY_INFORMATION information = {
		.Index = Index,
		.KeyValueInformationClass = KeyValueInformationClass,
		.KeyValueInformation = KeyValueInformation,
		.Length = Length,
		.ResultLength = ResultLength,
	};
	NTSTATUS status = check_class(KeyValueInformationClass);
	if (!NT_SUCCESS(status))
		return status;
	return cm_carry_out_by_handle(KeyHandle, &enumerate_operation, &information);
}

/* ---- Changes -------------------------------------------------------------------------- */

static NTSTATUS carry_out_set(const void *information)
{
	const REG_SET_VALUE_KEY_INFORMATION *asked = information;
	const struct cm_key *key = asked->Object;
	return cm_put_value(key->node, asked->ValueName, asked->Type, asked->Data, asked->DataSize);
}

static NTSTATUS carry_out_delete(const void *information)
{
	const REG_DELETE_VALUE_KEY_INFORMATION *asked = information;
	const struct cm_key *key = asked->Object;
	return cm_remove_value(key->node, asked->ValueName);
}

static const struct cm_operation set_operation = {
	RegNtPreSetValueKey,
	RegNtPostSetValueKey,
	sizeof(REG_SET_VALUE_KEY_INFORMATION),
	offsetof(REG_SET_VALUE_KEY_INFORMATION, CallContext),
	NULL,
	carry_out_set,
};

static const struct cm_operation delete_operation = {
	RegNtPreDeleteValueKey,
	RegNtPostDeleteValueKey,
	sizeof(REG_DELETE_VALUE_KEY_INFORMATION),
	offsetof(REG_DELETE_VALUE_KEY_INFORMATION, CallContext),
	NULL,
	carry_out_delete,
};

/* User memory is captured, as Windows does for the callbacks: what is read later may not
 * be there, and a fault must not leave them half called. */
static NTSTATUS capture(const void *data, ULONG size, void **captured)
{
	*captured = NULL;
	if ((uintptr_t)data >= MM_USER_END || !size)
		return STATUS_SUCCESS;
	if (size > CM_MAX_VALUE_SIZE || !(*captured = host_alloc(size)))
		return STATUS_INSUFFICIENT_RESOURCES;
	if (mm_read(PsGetCurrentProcess(), data, *captured, size) == size)
		return STATUS_SUCCESS;
	host_free(*captured);
	return STATUS_ACCESS_VIOLATION;
}

NTSTATUS NTAPI ZwSetValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, ULONG TitleIndex,
			     ULONG Type, PVOID Data, ULONG DataSize)
{
	UNICODE_STRING name = cm_value_name(ValueName);
	void *captured;
	NTSTATUS status = capture(Data, DataSize, &captured);
	if (!NT_SUCCESS(status))
		return status;
	REG_SET_VALUE_KEY_INFORMATION information = {
		.ValueName = &name,
		.TitleIndex = TitleIndex, /* unused by NT too */
		.Type = Type,
		.Data = captured ? captured : Data,
		.DataSize = DataSize,
	};
	status = cm_carry_out_by_handle(KeyHandle, &set_operation, &information);
	host_free(captured);
	return status;
}

NTSTATUS NTAPI ZwDeleteValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName)
{
	UNICODE_STRING name = cm_value_name(ValueName);
	REG_DELETE_VALUE_KEY_INFORMATION information = {.ValueName = &name};
	return cm_carry_out_by_handle(KeyHandle, &delete_operation, &information);
}

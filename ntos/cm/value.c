// SPDX-License-Identifier: MIT
/*
 * The values of a key: ZwQueryValueKey and its relatives.
 *
 * A value is looked up under the tree's lock and answered from a reference to it,
 * so the driver's buffer is written with no lock held.
 */
#include "cm/answer.h"
#include "cm/key.h"

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

NTSTATUS NTAPI ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
			       KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
			       PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
	const UNICODE_STRING name = cm_value_name(ValueName);
	struct cm_value *value;
	struct cm_key *key;
	NTSTATUS status = check_class(KeyValueInformationClass);
	if (!NT_SUCCESS(status))
		return status;
	status = cm_key_of(KeyHandle, &key);
	if (!NT_SUCCESS(status))
		return status;
	status = cm_find_value(key->node, &name, &value);
	ob_dereference(key);
	if (!NT_SUCCESS(status))
		return status;
	return answer_value(value, KeyValueInformationClass, KeyValueInformation, Length,
			    ResultLength);
}

NTSTATUS NTAPI ZwEnumerateValueKey(HANDLE KeyHandle, ULONG Index,
				   KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
				   PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
	struct cm_value *value;
	struct cm_key *key;
	NTSTATUS status = check_class(KeyValueInformationClass);
	if (!NT_SUCCESS(status))
		return status;
	status = cm_key_of(KeyHandle, &key);
	if (!NT_SUCCESS(status))
		return status;
	status = cm_nth_value(key->node, Index, &value);
	ob_dereference(key);
	if (!NT_SUCCESS(status))
		return status;
	return answer_value(value, KeyValueInformationClass, KeyValueInformation, Length,
			    ResultLength);
}

NTSTATUS NTAPI ZwSetValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, ULONG TitleIndex,
			     ULONG Type, PVOID Data, ULONG DataSize)
{
	const UNICODE_STRING name = cm_value_name(ValueName);
	struct cm_key *key;
	(void)TitleIndex; /* unused by NT too */
	NTSTATUS status = cm_key_of(KeyHandle, &key);
	if (!NT_SUCCESS(status))
		return status;
	status = cm_put_value(key->node, &name, Type, Data, DataSize);
	ob_dereference(key);
	return status;
}

NTSTATUS NTAPI ZwDeleteValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName)
{
	const UNICODE_STRING name = cm_value_name(ValueName);
	struct cm_key *key;
	NTSTATUS status = cm_key_of(KeyHandle, &key);
	if (!NT_SUCCESS(status))
		return status;
	status = cm_remove_value(key->node, &name);
	ob_dereference(key);
	return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * The rules that all queries share: which length an answer needs, how it is given, what a
 * handle must allow. No state.
 *
 * The order of the checks is NT's: class, length, handle. An answer of fixed size wants
 * exactly its size; a text wants at least its own, and says how much that is.
 */
#include "ps/information.h"
#include "memory.h"
#include "mm/copy.h"
#include "ob/handle.h"
#include "ps/process.h"
#include "rtl/utf.h"
#include <string.h>

void ps_tell_length(const struct ps_caller *caller, size_t size)
{
	if (caller->returned)
		*caller->returned = (ULONG)size;
	if (caller->returned_size)
		*caller->returned_size = size;
}

NTSTATUS ps_answer(const struct ps_caller *caller, const void *answer, size_t size)
{
	ps_tell_length(caller, size);
	if (caller->length < size)
		return STATUS_INFO_LENGTH_MISMATCH;
	return mm_answer(caller->buffer, answer, size);
}

NTSTATUS ps_answer_text(const struct ps_caller *caller, PCUNICODE_STRING text)
{
	size_t size = sizeof(UNICODE_STRING) + text->Length + sizeof(WCHAR);
	if (caller->length < size) {
		ps_tell_length(caller, size);
		return STATUS_INFO_LENGTH_MISMATCH;
	}
	UNICODE_STRING *answer = host_alloc(size);
	if (!answer)
		return STATUS_INSUFFICIENT_RESOURCES;
	*answer = (UNICODE_STRING){text->Length, text->Length + sizeof(WCHAR),
				   (PWSTR)((UNICODE_STRING *)caller->buffer + 1)};
	if (text->Length)
		memcpy(answer + 1, text->Buffer, text->Length);
	NTSTATUS status = ps_answer(caller, answer, size);
	host_free(answer);
	return status;
}

NTSTATUS ps_open_handle(HANDLE handle, ACCESS_MASK access, POBJECT_TYPE type, KPROCESSOR_MODE mode,
			void **object)
{
	struct ob_handle found;
	NTSTATUS status = ob_resolve_handle(PsGetCurrentProcess(), handle, mode, &found);
	if (!NT_SUCCESS(status))
		return status;
	if (ob_header_of(found.object)->type != type)
		status = STATUS_OBJECT_TYPE_MISMATCH;
	else if (mode != KernelMode && (access & ~found.granted))
		status = STATUS_ACCESS_DENIED;
	if (!NT_SUCCESS(status))
		ob_dereference(found.object);
	else
		*object = found.object;
	return status;
}

static const struct ps_class *find_class(const struct ps_class *row, ULONG number)
{
	while ((row->fill || row->text) && row->number != number)
		row++;
	return row->fill || row->text ? row : NULL;
}

static NTSTATUS answer_from(const struct ps_class *row, void *object,
			    const struct ps_caller *caller)
{
	if (row->text) {
		UNICODE_STRING text = {0};
		NTSTATUS status = row->text(object, &text);
		if (NT_SUCCESS(status))
			status = ps_answer_text(caller, &text);
		rtl_free_string(&text);
		return status;
	}
	_Alignas(16) char answer[PS_LARGEST_CLASS] = {0};
	NTSTATUS status = row->fill(object, answer, caller->length);
	return NT_SUCCESS(status) ? ps_answer(caller, answer, caller->length) : status;
}

NTSTATUS ps_query(const struct ps_query *query, const struct ps_class *table)
{
	void *object;
	const struct ps_class *row = find_class(table, query->number);
	if (!row)
		return STATUS_INVALID_INFO_CLASS;
	if (row->fill && query->caller.length != row->size &&
	    (!row->other_size || query->caller.length != row->other_size)) {
		ps_tell_length(&query->caller, row->size);
		return STATUS_INFO_LENGTH_MISMATCH;
	}
	NTSTATUS status = ps_open_handle(query->handle, row->access, query->type, query->mode,
					 &object);
	if (!NT_SUCCESS(status))
		return status;
	status = answer_from(row, object, &query->caller);
	ob_dereference(object);
	return status;
}

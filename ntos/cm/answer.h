/* SPDX-License-Identifier: MIT */
/*
 * Answers into a caller's buffer, which may be user memory that is not there.
 *
 * Every registry query works alike: a fixed head, then text or data;
 * *ResultLength says what all of it takes whatever happens. With less room than the
 * head the status is BUFFER_TOO_SMALL and nothing is written; with less than all
 * of it, BUFFER_OVERFLOW, and as much is written as fits.
 */
#ifndef RINGSIDE_CM_ANSWER_H
#define RINGSIDE_CM_ANSWER_H

#include "mm/copy.h"

struct cm_answer {
	void *buffer;
	ULONG length;    /* of the buffer */
	ULONG whole;     /* what everything takes */
	NTSTATUS status; /* of writing it */
};

/* Reports what is needed and sees whether the head fits. */
static inline NTSTATUS cm_begin_answer(struct cm_answer *answer, ULONG head, PULONG result_length)
{
	answer->status = mm_answer(result_length, &answer->whole, sizeof(answer->whole));
	if (!NT_SUCCESS(answer->status))
		return answer->status;
	return answer->length < head ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}

/* Writes at `offset`, cut where the buffer ends. */
static inline void cm_write_answer(struct cm_answer *answer, ULONG offset, const void *data,
				   ULONG size)
{
	if (offset >= answer->length || !NT_SUCCESS(answer->status))
		return;
	if (size > answer->length - offset)
		size = answer->length - offset;
	if (size)
		answer->status = mm_answer((char *)answer->buffer + offset, data, size);
}

static inline NTSTATUS cm_end_answer(const struct cm_answer *answer)
{
	if (!NT_SUCCESS(answer->status))
		return answer->status;
	return answer->length < answer->whole ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Marks: where a host thread says which registration it is inside.
 *
 * Part of the mechanism of ex/callback.c, which explains it; apart from it only
 * because every processor embeds one.
 */
#ifndef RINGSIDE_EX_MARK_H
#define RINGSIDE_EX_MARK_H

#include <stdatomic.h>

/* What one thread can be inside of at once. NT's kernel stack would not carry as
 * many nested calls. */
#define EX_MARKS 512

/* The owner writes, removers read. Those in use are the first ones, without a gap;
 * the rest is NULL. */
struct ex_marks {
	_Atomic(const void *) mark[EX_MARKS];
};

#endif

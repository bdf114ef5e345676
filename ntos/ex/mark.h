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

/* Beyond this many at once on one thread, a walk is counted instead. */
#define EX_MARKS 128

/* Something entered without a mark; a chain that the owner alone looks at. */
struct ex_counted {
	struct ex_counted *outer;
	const void *callback;
};

struct ex_marks {
	unsigned depth;			     /* in use; the owner alone looks at it */
	struct ex_counted *counted;	     /* entered when no mark was free */
	_Atomic(const void *) mark[EX_MARKS]; /* written by the owner, read by removers */
};

#endif

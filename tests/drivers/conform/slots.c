/* SPDX-License-Identifier: MIT */
/*
 * Routines by the dozen, to fill tables with. Each has something of its own to do, lest
 * a linker fold them into one. They may be called by whatever happens meanwhile, as
 * any kind of notify routine: all kinds have three arguments, and these use none.
 */
#include "conform.h"

static volatile LONG Calls[SLOTS];

#define ROUTINE(n)                                                                                 \
	static VOID Slot##n(PVOID First, PVOID Second, PVOID Third)                                \
	{                                                                                          \
		UNREFERENCED_PARAMETER(First);                                                     \
		UNREFERENCED_PARAMETER(Second);                                                    \
		UNREFERENCED_PARAMETER(Third);                                                     \
		InterlockedIncrement(&Calls[n]);                                                   \
	}
#define ADDRESS(n) Slot##n,

/* Decimal, so that names paste to numbers; 0 has no leading zero. */
#define TEN(X, t) X(t##0) X(t##1) X(t##2) X(t##3) X(t##4) X(t##5) X(t##6) X(t##7) X(t##8) X(t##9)
#define FIRST_TEN(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9)
#define ALL(X) FIRST_TEN(X) TEN(X, 1) TEN(X, 2) TEN(X, 3) TEN(X, 4) TEN(X, 5) TEN(X, 6)

ALL(ROUTINE)

static VOID (*const Routines[])(PVOID, PVOID, PVOID) = {ALL(ADDRESS)};
C_ASSERT(RTL_NUMBER_OF(Routines) == SLOTS);

PVOID Slot(ULONG Number)
{
	return (PVOID)(ULONG_PTR)Routines[Number];
}

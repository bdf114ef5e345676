/* SPDX-License-Identifier: MIT */
/*
 * Matching a name against a pattern with five wildcards.
 *
 * The pattern is a nondeterministic automaton: state i means that its first i
 * characters have matched what has been read of the name. The set of states is a
 * bitmap on the stack, 4 KiB for the longest string there can be, so the time is at
 * most pattern times name, whatever stars the pattern has, and no memory is needed.
 *
 *	*  stays on any character, passes over nothing
 *	?  takes any character
 *	<  DOS_STAR: like *, but stays on no dot that is the name's last
 *	>  DOS_QM: takes any character but a dot, passes over nothing before a dot and
 *	   at the end of the name
 *	"  DOS_DOT: takes a dot, passes over nothing at the end of the name
 */
#include "rtl/expression.h"
#include "rtl/case.h"
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define DOS_STAR '<'
#define DOS_QM '>'
#define DOS_DOT '"'

#define MAX_STATES (0xFFFF / sizeof(WCHAR) + 1)

struct states {
	size_t first, last; /* no state is outside of these; first > last: there is none */
	uint64_t bit[(MAX_STATES + 63) / 64];
};

/* `count` is the number of characters of the pattern. */
static void clear(struct states *states, size_t count)
{
	states->first = SIZE_MAX;
	states->last = 0;
	memset(states->bit, 0, (count / 64 + 1) * sizeof(*states->bit));
}

static bool has(const struct states *states, size_t i)
{
	return states->bit[i / 64] >> (i % 64) & 1;
}

static void set(struct states *states, size_t i)
{
	states->bit[i / 64] |= 1ull << (i % 64);
	states->first = i < states->first ? i : states->first;
	states->last = i > states->last ? i : states->last;
}

/* What the automaton reads next: a character, or the end of the name. */
struct input {
	WCHAR unit;
	bool end, last_dot;
};

/* Whether the wildcard matches nothing before this input. */
static bool passes(WCHAR wildcard, const struct input *input)
{
	switch (wildcard) {
	case '*':
	case DOS_STAR:
		return true;
	case DOS_QM:
		return input->end || input->unit == '.';
	case DOS_DOT:
		return input->end;
	default:
		return false;
	}
}

/* Whether it may match this character and more after it. */
static bool stays(WCHAR wildcard, const struct input *input)
{
	return wildcard == '*' || (wildcard == DOS_STAR && !input->last_dot);
}

/* Whether it matches this character alone. */
static bool takes(WCHAR expected, const struct input *input)
{
	switch (expected) {
	case '?':
		return true;
	case DOS_QM:
		return input->unit != '.';
	case DOS_DOT:
		return input->unit == '.';
	case '*':
	case DOS_STAR:
		return false;
	default:
		return expected == input->unit;
	}
}

/* Adds the states that are reached by passing over wildcards; since that only ever
 * leads to the next state, one pass upwards finds all. */
static void close_over(struct states *states, const WCHAR *pattern, size_t count,
		       const struct input *input)
{
	for (size_t i = states->first; i < count && i <= states->last; i++) {
		if (has(states, i) && passes(pattern[i], input))
			set(states, i + 1);
	}
}

static bool step(struct states *states, const WCHAR *pattern, size_t count,
		 const struct input *input)
{
	struct states next;
	clear(&next, count);
	close_over(states, pattern, count, input);
	for (size_t i = states->first; i < count && i <= states->last; i++) {
		if (!has(states, i))
			continue;
		if (stays(pattern[i], input))
			set(&next, i);
		else if (takes(pattern[i], input))
			set(&next, i + 1);
	}
	states->first = next.first;
	states->last = next.last;
	memcpy(states->bit, next.bit, (count / 64 + 1) * sizeof(*next.bit));
	return next.first <= next.last;
}

static size_t find_last_dot(const UNICODE_STRING *name)
{
	size_t at = name->Length / sizeof(WCHAR);
	while (at && name->Buffer[at - 1] != '.')
		at--;
	return at ? at - 1 : SIZE_MAX;
}

static WCHAR upcase(WCHAR unit, const WCHAR *table)
{
	return table ? table[unit] : rtl_upcase(unit);
}

BOOLEAN NTAPI FsRtlIsNameInExpression(PUNICODE_STRING Expression, PUNICODE_STRING Name,
				      BOOLEAN IgnoreCase, PWCHAR UpcaseTable)
{
	struct states states;
	size_t count = Expression->Length / sizeof(WCHAR), length = Name->Length / sizeof(WCHAR);
	if (!count || !length)
		return count == length;
	size_t last_dot = find_last_dot(Name);
	clear(&states, count);
	set(&states, 0);
	for (size_t i = 0; i < length; i++) {
		WCHAR unit = Name->Buffer[i];
		struct input input = {IgnoreCase ? upcase(unit, UpcaseTable) : unit, false,
				      i == last_dot};
		if (!step(&states, Expression->Buffer, count, &input))
			return FALSE;
	}
	close_over(&states, Expression->Buffer, count, &(struct input){.end = true});
	return has(&states, count);
}

BOOLEAN NTAPI FsRtlDoesNameContainWildCards(PUNICODE_STRING Name)
{
	for (size_t i = 0; i < Name->Length / sizeof(WCHAR); i++) {
		WCHAR unit = Name->Buffer[i];
		if (unit < 0x80 && unit && strchr("*?<>\"", unit))
			return TRUE;
	}
	return FALSE;
}

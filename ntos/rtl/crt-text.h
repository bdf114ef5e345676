/* SPDX-License-Identifier: MIT */
/*
 * The string functions of the C runtime, for one width: included by crt-text.c once
 * for each, with UNIT (the character type), UNSIGNED (its unsigned form, by which
 * characters compare) and NAME (which makes the function names).
 */

SIZE_T NTAPI NAME(len)(const UNIT *text)
{
	SIZE_T length = 0;
	while (text[length])
		length++;
	return length;
}

SIZE_T NTAPI NAME(nlen)(const UNIT *text, SIZE_T most)
{
	SIZE_T length = 0;
	while (length < most && text[length])
		length++;
	return length;
}

LONG NTAPI NAME(ncmp)(const UNIT *a, const UNIT *b, SIZE_T most)
{
	for (; most; most--, a++, b++) {
		if (*a != *b)
			return (UNSIGNED)*a < (UNSIGNED)*b ? -1 : 1;
		if (!*a)
			break;
	}
	return 0;
}

LONG NTAPI NAME(cmp)(const UNIT *a, const UNIT *b)
{
	return NAME(ncmp)(a, b, CRT_TRUNCATE);
}

LONG NTAPI NAME(nicmp)(const UNIT *a, const UNIT *b, SIZE_T most)
{
	for (; most; most--, a++, b++) {
		LONG difference = lower((UNSIGNED)*a) - lower((UNSIGNED)*b);
		if (difference || !*a)
			return difference;
	}
	return 0;
}

LONG NTAPI NAME(icmp)(const UNIT *a, const UNIT *b)
{
	return NAME(nicmp)(a, b, CRT_TRUNCATE);
}

UNIT *NTAPI NAME(cpy)(UNIT *to, const UNIT *from)
{
	for (SIZE_T i = 0; (to[i] = from[i]); i++)
		;
	return to;
}

UNIT *NTAPI NAME(ncpy)(UNIT *to, const UNIT *from, SIZE_T count)
{
	SIZE_T i = 0;
	for (; i < count && from[i]; i++)
		to[i] = from[i];
	for (; i < count; i++)
		to[i] = 0;
	return to;
}

UNIT *NTAPI NAME(cat)(UNIT *to, const UNIT *from)
{
	NAME(cpy)(to + NAME(len)(to), from);
	return to;
}

UNIT *NTAPI NAME(ncat)(UNIT *to, const UNIT *from, SIZE_T most)
{
	UNIT *end = to + NAME(len)(to);
	for (; most && *from; most--)
		*end++ = *from++;
	*end = 0;
	return to;
}

UNIT *NTAPI NAME(chr)(const UNIT *text, LONG unit)
{
	for (;; text++) {
		if (*text == (UNIT)unit)
			return (UNIT *)(uintptr_t)text;
		if (!*text)
			return NULL;
	}
}

UNIT *NTAPI NAME(rchr)(const UNIT *text, LONG unit)
{
	const UNIT *found = NULL;
	for (;; text++) {
		if (*text == (UNIT)unit)
			found = text;
		if (!*text)
			return (UNIT *)(uintptr_t)found;
	}
}

UNIT *NTAPI NAME(str)(const UNIT *text, const UNIT *part)
{
	SIZE_T length = NAME(len)(part);
	for (;; text++) {
		if (NAME(ncmp)(text, part, length) == 0)
			return (UNIT *)(uintptr_t)text;
		if (!*text)
			return NULL;
	}
}

SIZE_T NTAPI NAME(spn)(const UNIT *text, const UNIT *set)
{
	SIZE_T length = 0;
	while (text[length] && NAME(chr)(set, text[length]))
		length++;
	return length;
}

SIZE_T NTAPI NAME(cspn)(const UNIT *text, const UNIT *set)
{
	SIZE_T length = 0;
	while (text[length] && !NAME(chr)(set, text[length]))
		length++;
	return length;
}

UNIT *NTAPI NAME(lwr)(UNIT *text)
{
	for (UNIT *at = text; *at; at++)
		*at = (UNIT)lower((UNSIGNED)*at);
	return text;
}

UNIT *NTAPI NAME(upr)(UNIT *text)
{
	for (UNIT *at = text; *at; at++)
		*at = (UNIT)upper((UNSIGNED)*at);
	return text;
}

UNIT *NTAPI NAME(rev)(UNIT *text)
{
	SIZE_T length = NAME(len)(text);
	for (SIZE_T i = 0; i < length / 2; i++) {
		UNIT unit = text[i];
		text[i] = text[length - 1 - i];
		text[length - 1 - i] = unit;
	}
	return text;
}

/* Copies `from`, or its first `count` units, behind the `used` units of `to`. */
static LONG NAME(put_s)(UNIT *to, SIZE_T room, SIZE_T used, const UNIT *from, SIZE_T count)
{
	SIZE_T length = NAME(nlen)(from, count);
	bool fits = length < room - used;
	if (!fits && count != CRT_TRUNCATE) {
		to[0] = 0;
		return CRT_ERANGE;
	}
	if (!fits)
		length = room - used - 1;
	for (SIZE_T i = 0; i < length; i++)
		to[used + i] = from[i];
	to[used + length] = 0;
	return fits ? 0 : CRT_STRUNCATE;
}

LONG NTAPI NAME(ncpy_s)(UNIT *to, SIZE_T room, const UNIT *from, SIZE_T count)
{
	if (!to && !room && !count)
		return 0;
	if (!to || !room)
		return CRT_EINVAL;
	if (!from && count) {
		to[0] = 0;
		return CRT_EINVAL;
	}
	if (!count) {
		to[0] = 0;
		return 0;
	}
	return NAME(put_s)(to, room, 0, from, count);
}

LONG NTAPI NAME(cpy_s)(UNIT *to, SIZE_T room, const UNIT *from)
{
	if (!to || !room)
		return CRT_EINVAL;
	if (!from) {
		to[0] = 0;
		return CRT_EINVAL;
	}
	/* Not CRT_TRUNCATE, with which it would be cut. */
	return NAME(put_s)(to, room, 0, from, CRT_TRUNCATE - 1);
}

LONG NTAPI NAME(ncat_s)(UNIT *to, SIZE_T room, const UNIT *from, SIZE_T count)
{
	if (!to && !room && !count)
		return 0;
	if (!to || !room)
		return CRT_EINVAL;
	SIZE_T used = NAME(nlen)(to, room);
	if (used == room || (!from && count)) {
		to[0] = 0;
		return CRT_EINVAL;
	}
	return count ? NAME(put_s)(to, room, used, from, count) : 0;
}

LONG NTAPI NAME(cat_s)(UNIT *to, SIZE_T room, const UNIT *from)
{
	if (!to || !room)
		return CRT_EINVAL;
	if (!from) {
		to[0] = 0;
		return CRT_EINVAL;
	}
	return NAME(ncat_s)(to, room, from, CRT_TRUNCATE - 1);
}

UNIT *NTAPI NAME(tok_s)(UNIT *text, const UNIT *delimiters, UNIT **context)
{
	UNIT *token = text ? text : *context;
	if (!token)
		return NULL;
	token += NAME(spn)(token, delimiters);
	UNIT *end = token + NAME(cspn)(token, delimiters);
	*context = *end ? end + 1 : end;
	*end = 0;
	return end == token ? NULL : token;
}

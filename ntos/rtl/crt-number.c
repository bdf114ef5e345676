/* SPDX-License-Identifier: MIT */
/*
 * Numbers of the C runtime: from text, to text, and at random. The seed is one for the
 * whole kernel; threads that draw at once may draw the same number, which is all that a
 * sequence shared between them can mean.
 */
#include "rtl/crt.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- From text ---------------------------------------------------------------------- */

struct reader {
	const void *text;
	bool wide;
	size_t at;
};

static WCHAR peek(const struct reader *reader, size_t ahead)
{
	size_t at = reader->at + ahead;
	return reader->wide ? ((const WCHAR *)reader->text)[at] : ((const UCHAR *)reader->text)[at];
}

static unsigned digit_of(WCHAR unit)
{
	if (unit >= '0' && unit <= '9')
		return unit - '0';
	WCHAR letter = crt_towlower(unit);
	return letter >= 'a' && letter <= 'z' ? letter - 'a' + 10u : 36;
}

static bool read_sign(struct reader *reader)
{
	while (crt_isspace(peek(reader, 0)))
		reader->at++;
	bool negative = peek(reader, 0) == '-';
	reader->at += negative || peek(reader, 0) == '+';
	return negative;
}

/* Passes over 0x where the base allows it and a digit follows. */
static unsigned read_base(struct reader *reader, unsigned base)
{
	bool prefix = peek(reader, 0) == '0' && crt_towlower(peek(reader, 1)) == 'x';
	if (prefix && (base == 0 || base == 16) && digit_of(peek(reader, 2)) < 16) {
		reader->at += 2;
		return 16;
	}
	return base ? base : peek(reader, 0) == '0' ? 8 : 10;
}

/* Digits up to `most`, at which the sum stays. Without any, the reader goes back to
 * where it stood. */
static ULONG64 read_digits(struct reader *reader, unsigned base, ULONG64 most, bool *too_large)
{
	ULONG64 sum = 0;
	for (unsigned digit; (digit = digit_of(peek(reader, 0))) < base; reader->at++) {
		*too_large = *too_large || sum > (most - digit) / base;
		sum = *too_large ? most : sum * base + digit;
	}
	return sum;
}

static ULONG64 read_unsigned(struct reader *reader, LONG base, ULONG64 most)
{
	bool too_large = false;
	if (base < 0 || base == 1 || base > 36)
		return 0;
	bool negative = read_sign(reader);
	unsigned radix = read_base(reader, (unsigned)base);
	size_t first = reader->at;
	ULONG64 value = read_digits(reader, radix, most, &too_large);
	if (reader->at == first)
		reader->at = 0;
	return negative && !too_large ? (0 - value) & most : value;
}

static LONG read_decimal(struct reader *reader)
{
	bool negative = read_sign(reader), too_large = false;
	ULONG64 most = negative ? 0x80000000u : 0x7FFFFFFFu;
	ULONG64 value = read_digits(reader, 10, most, &too_large);
	return (LONG)(negative ? 0 - value : value);
}

LONG NTAPI crt_atoi(const CHAR *text)
{
	return read_decimal(&(struct reader){text, false, 0});
}

LONG NTAPI crt_wtoi(const WCHAR *text)
{
	return read_decimal(&(struct reader){text, true, 0});
}

ULONG NTAPI crt_wcstoul(const WCHAR *text, WCHAR **end, LONG base)
{
	struct reader reader = {text, true, 0};
	ULONG value = (ULONG)read_unsigned(&reader, base, 0xFFFFFFFFu);
	if (end)
		*end = (WCHAR *)(uintptr_t)text + reader.at;
	return value;
}

ULONGLONG NTAPI crt_strtoui64(const CHAR *text, CHAR **end, LONG base)
{
	struct reader reader = {text, false, 0};
	ULONGLONG value = read_unsigned(&reader, base, ~0ull);
	if (end)
		*end = (CHAR *)(uintptr_t)text + reader.at;
	return value;
}

/* ---- To text -------------------------------------------------------------------------- */

struct digits {
	CHAR text[66]; /* sign, 64 digits, terminator */
	size_t length;
};

static void print_digits(struct digits *out, ULONG64 value, bool negative, unsigned radix)
{
	CHAR reversed[65];
	size_t count = 0;
	do {
		reversed[count++] = "0123456789abcdefghijklmnopqrstuvwxyz"[value % radix];
		value /= radix;
	} while (value);
	if (negative)
		reversed[count++] = '-';
	out->length = count;
	for (size_t i = 0; i < count; i++)
		out->text[i] = reversed[count - 1 - i];
	out->text[count] = '\0';
}

/* Only decimal numbers have a sign; others show the bits of `width` mask. */
static void print_signed(struct digits *out, LONG64 value, LONG radix, ULONG64 mask)
{
	bool negative = value < 0 && radix == 10;
	ULONG64 bits = negative ? 0 - (ULONG64)value : (ULONG64)value & mask;
	print_digits(out, bits, negative, (unsigned)radix);
}

static bool valid_radix(LONG radix)
{
	return radix >= 2 && radix <= 36;
}

static void store(void *to, bool wide, size_t at, CHAR c)
{
	if (wide)
		((WCHAR *)to)[at] = (UCHAR)c;
	else
		((CHAR *)to)[at] = c;
}

static LONG store_digits(void *to, bool wide, SIZE_T room, const struct digits *digits)
{
	if (digits->length >= room) {
		store(to, wide, 0, '\0');
		return CRT_ERANGE;
	}
	for (size_t i = 0; i <= digits->length; i++)
		store(to, wide, i, digits->text[i]);
	return 0;
}

static LONG store_signed(LONG64 value, ULONG64 mask, void *to, bool wide, SIZE_T room, LONG radix)
{
	struct digits digits;
	if (!to || !room)
		return CRT_EINVAL;
	if (!valid_radix(radix)) {
		store(to, wide, 0, '\0');
		return CRT_EINVAL;
	}
	print_signed(&digits, value, radix, mask);
	return store_digits(to, wide, room, &digits);
}

static LONG store_unsigned(ULONG64 value, void *to, bool wide, SIZE_T room, LONG radix)
{
	struct digits digits;
	if (!to || !room)
		return CRT_EINVAL;
	if (!valid_radix(radix)) {
		store(to, wide, 0, '\0');
		return CRT_EINVAL;
	}
	print_digits(&digits, value, false, (unsigned)radix);
	return store_digits(to, wide, room, &digits);
}

#define LONG_BITS 0xFFFFFFFFull

CHAR *NTAPI crt_itoa(LONG value, CHAR *to, LONG radix)
{
	store_signed(value, LONG_BITS, to, false, sizeof(struct digits), radix);
	return to;
}

WCHAR *NTAPI crt_itow(LONG value, WCHAR *to, LONG radix)
{
	store_signed(value, LONG_BITS, to, true, sizeof(struct digits), radix);
	return to;
}

LONG NTAPI crt_itoa_s(LONG value, CHAR *to, SIZE_T room, LONG radix)
{
	return store_signed(value, LONG_BITS, to, false, room, radix);
}

LONG NTAPI crt_itow_s(LONG value, WCHAR *to, SIZE_T room, LONG radix)
{
	return store_signed(value, LONG_BITS, to, true, room, radix);
}

LONG NTAPI crt_ultoa_s(ULONG value, CHAR *to, SIZE_T room, LONG radix)
{
	return store_unsigned(value, to, false, room, radix);
}

LONG NTAPI crt_ultow_s(ULONG value, WCHAR *to, SIZE_T room, LONG radix)
{
	return store_unsigned(value, to, true, room, radix);
}

LONG NTAPI crt_i64toa_s(LONGLONG value, CHAR *to, SIZE_T room, LONG radix)
{
	return store_signed(value, ~0ull, to, false, room, radix);
}

LONG NTAPI crt_i64tow_s(LONGLONG value, WCHAR *to, SIZE_T room, LONG radix)
{
	return store_signed(value, ~0ull, to, true, room, radix);
}

LONG NTAPI crt_ui64toa_s(ULONGLONG value, CHAR *to, SIZE_T room, LONG radix)
{
	return store_unsigned(value, to, false, room, radix);
}

LONG NTAPI crt_ui64tow_s(ULONGLONG value, WCHAR *to, SIZE_T room, LONG radix)
{
	return store_unsigned(value, to, true, room, radix);
}

/* ---- At random ------------------------------------------------------------------------- */

static _Atomic ULONG seed_now = 1;

LONG NTAPI crt_rand(void)
{
	ULONG next = atomic_load_explicit(&seed_now, memory_order_relaxed) * 214013u + 2531011u;
	atomic_store_explicit(&seed_now, next, memory_order_relaxed);
	return (LONG)(next >> 16 & 0x7FFF);
}

VOID NTAPI crt_srand(ULONG seed)
{
	atomic_store_explicit(&seed_now, seed, memory_order_relaxed);
}

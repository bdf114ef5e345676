/* SPDX-License-Identifier: MIT */
/*
 * Altitudes are decimal numbers of unlimited precision (OB-20), so they are
 * compared as texts of digits, never converted: the integer parts without leading
 * zeros by length and then digit by digit, the fractions without trailing zeros
 * digit by digit.
 */
#include "ob/altitude.h"

struct decimal {
	const WCHAR *whole, *fraction;
	unsigned whole_length, fraction_length;
};

static unsigned count_digits(const WCHAR *text, unsigned length)
{
	unsigned digits = 0;
	while (digits < length && text[digits] >= '0' && text[digits] <= '9')
		digits++;
	return digits;
}

static bool parse(PCUNICODE_STRING text, struct decimal *number)
{
	unsigned length = text->Length / 2;
	number->whole = text->Buffer;
	number->whole_length = count_digits(text->Buffer, length);
	number->fraction = text->Buffer + number->whole_length;
	number->fraction_length = 0;
	if (number->whole_length < length) {
		if (*number->fraction != '.')
			return false;
		number->fraction++;
		unsigned rest = length - number->whole_length - 1;
		number->fraction_length = count_digits(number->fraction, rest);
		if (number->fraction_length < rest)
			return false;
	}
	if (number->whole_length + number->fraction_length == 0)
		return false;
	while (number->whole_length && *number->whole == '0')
		number->whole++, number->whole_length--;
	while (number->fraction_length && number->fraction[number->fraction_length - 1] == '0')
		number->fraction_length--;
	return true;
}

static int compare_units(const WCHAR *a, unsigned a_length, const WCHAR *b, unsigned b_length)
{
	for (unsigned i = 0; i < a_length && i < b_length; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return (a_length > b_length) - (a_length < b_length);
}

bool ob_altitude_is_numeric(PCUNICODE_STRING altitude)
{
	struct decimal number;
	return parse(altitude, &number);
}

int ob_compare_altitudes(PCUNICODE_STRING a, PCUNICODE_STRING b)
{
	struct decimal x, y;
	if (!parse(a, &x) || !parse(b, &y))
		return compare_units(a->Buffer, a->Length / 2, b->Buffer, b->Length / 2);
	if (x.whole_length != y.whole_length)
		return x.whole_length < y.whole_length ? -1 : 1;
	int whole = compare_units(x.whole, x.whole_length, y.whole, y.whole_length);
	if (whole)
		return whole;
	return compare_units(x.fraction, x.fraction_length, y.fraction, y.fraction_length);
}

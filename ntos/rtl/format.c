/* SPDX-License-Identifier: MIT */
/*
 * The formatter: one for both widths.
 *
 * Text comes in and goes out through two small structures, `text` and `output`, which
 * know their width; what lies between works on units of 16 bits in which a narrow
 * character is its byte. Only where text of one width goes into output of the other is
 * a character converted. Nothing is allocated and nothing kept, so a driver may print
 * at any IRQL.
 *
 * A conversion is read into a `spec`, then made into a `field`: the sign or prefix,
 * zeros, and the digits or text. Padding is decided in one place, print_field.
 */
#include "rtl/format.h"
#include "rtl/codepage.h"
#include <locale.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* ---- Text in and out ---------------------------------------------------------- */

struct text {
	const void *start;
	size_t length; /* units */
	bool wide;
};

struct output {
	void *buffer;
	size_t capacity, length; /* length goes on past the capacity */
	bool wide;
};

static WCHAR unit_at(const void *text, bool wide, size_t at)
{
	return wide ? ((const WCHAR *)text)[at] : ((const unsigned char *)text)[at];
}

/* Puts a unit of the output's own width. */
static void put(struct output *out, WCHAR unit)
{
	size_t at = out->length++;
	if (at >= out->capacity)
		return;
	if (out->wide)
		((WCHAR *)out->buffer)[at] = unit;
	else
		((char *)out->buffer)[at] = (char)unit;
}

static void put_many(struct output *out, WCHAR unit, size_t count)
{
	while (count--)
		put(out, unit);
}

static void put_text(struct output *out, const struct text *text)
{
	for (size_t i = 0; i < text->length; i++) {
		WCHAR unit = unit_at(text->start, text->wide, i);
		if (text->wide && !out->wide)
			unit = (unsigned char)rtl_to_ansi(unit);
		else if (!text->wide && out->wide)
			unit = rtl_from_ansi((char)unit);
		put(out, unit);
	}
}

/* ---- What stands between % and its letter -------------------------------------- */

enum size { SIZE_NONE, SIZE_CHAR, SIZE_SHORT, SIZE_LONG, SIZE_WIDE, SIZE_64 };

struct spec {
	bool left, plus, space, alternate, zero;
	size_t width;
	bool has_precision;
	size_t precision;
	enum size size;
	WCHAR letter; /* 0: the format ends inside the conversion */
};

struct format {
	const void *text;
	bool wide;
	size_t at;
	__builtin_ms_va_list *args;
};

static WCHAR peek(const struct format *format)
{
	return unit_at(format->text, format->wide, format->at);
}

static bool accept(struct format *format, WCHAR unit)
{
	if (peek(format) != unit)
		return false;
	format->at++;
	return true;
}

static void read_flags(struct format *format, struct spec *spec)
{
	for (;; format->at++) {
		switch (peek(format)) {
		case '-':
			spec->left = true;
			break;
		case '+':
			spec->plus = true;
			break;
		case ' ':
			spec->space = true;
			break;
		case '#':
			spec->alternate = true;
			break;
		case '0':
			spec->zero = true;
			break;
		default:
			return;
		}
	}
}

/* A width or a precision. Negative ones come only from an argument. The bound keeps
 * a wild number from printing for minutes; NT prints no such field in full either. */
static LONG read_number(struct format *format)
{
	const LONG bound = 65535;
	if (accept(format, '*')) {
		LONG value = __builtin_va_arg(*format->args, LONG);
		return value > bound ? bound : value < -bound ? -bound : value;
	}
	LONG value = 0;
	for (; peek(format) >= '0' && peek(format) <= '9'; format->at++)
		value = value < bound ? value * 10 + peek(format) - '0' : bound;
	return value > bound ? bound : value;
}

static void read_width_and_precision(struct format *format, struct spec *spec)
{
	LONG width = read_number(format);
	if (width < 0) {
		spec->left = true;
		width = -width;
	}
	spec->width = (size_t)width;
	if (!accept(format, '.'))
		return;
	LONG precision = read_number(format);
	spec->has_precision = precision >= 0;
	spec->precision = precision >= 0 ? (size_t)precision : 0;
}

static bool accept_digits(struct format *format, char first, char second)
{
	if (peek(format) != (WCHAR)first ||
	    unit_at(format->text, format->wide, format->at + 1) != (WCHAR)second)
		return false;
	format->at += 2;
	return true;
}

static enum size read_size(struct format *format)
{
	if (accept(format, 'h'))
		return accept(format, 'h') ? SIZE_CHAR : SIZE_SHORT;
	if (accept(format, 'l'))
		return accept(format, 'l') ? SIZE_64 : SIZE_LONG;
	if (accept(format, 'I')) {
		if (accept_digits(format, '3', '2'))
			return SIZE_NONE;
		accept_digits(format, '6', '4');
		return SIZE_64;
	}
	if (accept(format, 'w'))
		return SIZE_WIDE;
	if (accept(format, 'j') || accept(format, 'z') || accept(format, 't'))
		return SIZE_64;
	accept(format, 'L'); /* a long double is a double */
	return SIZE_NONE;
}

static struct spec read_spec(struct format *format)
{
	struct spec spec = {0};
	read_flags(format, &spec);
	read_width_and_precision(format, &spec);
	spec.size = read_size(format);
	spec.letter = peek(format);
	if (spec.letter)
		format->at++;
	return spec;
}

/* ---- Fields ---------------------------------------------------------------------- */

struct field {
	char prefix[3]; /* sign or 0x */
	unsigned prefix_length;
	size_t zeros;
	struct text text;
};

/* Zeros asked for by the 0 flag go between the prefix and the text. Windows pads
 * text of any kind with them. */
static void print_field(struct output *out, const struct spec *spec, const struct field *field)
{
	size_t length = field->prefix_length + field->zeros + field->text.length;
	size_t padding = spec->width > length ? spec->width - length : 0;
	bool zero = spec->zero && !spec->left;
	if (!spec->left && !zero)
		put_many(out, ' ', padding);
	for (unsigned i = 0; i < field->prefix_length; i++)
		put(out, (WCHAR)field->prefix[i]);
	put_many(out, '0', field->zeros + (zero ? padding : 0));
	put_text(out, &field->text);
	if (spec->left)
		put_many(out, ' ', padding);
}

static ULONG64 read_unsigned(struct format *format, enum size size)
{
	ULONG64 value = __builtin_va_arg(*format->args, ULONG64);
	switch (size) {
	case SIZE_64:
		return value;
	case SIZE_CHAR:
		return (UCHAR)value;
	case SIZE_SHORT:
		return (USHORT)value;
	default:
		return (ULONG)value;
	}
}

static LONG64 read_signed(struct format *format, enum size size)
{
	ULONG64 value = read_unsigned(format, size);
	switch (size) {
	case SIZE_64:
		return (LONG64)value;
	case SIZE_CHAR:
		return (CCHAR)value;
	case SIZE_SHORT:
		return (SHORT)value;
	default:
		return (LONG)value;
	}
}

/* Digits of `value` at the end of `buffer`; none for 0. */
static struct text digits_of(ULONG64 value, unsigned base, bool upper, char buffer[64])
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	size_t at = 64;
	for (; value; value /= base)
		buffer[--at] = digits[value % base];
	return (struct text){buffer + at, 64 - at, false};
}

static void add_prefix(struct field *field, char c)
{
	field->prefix[field->prefix_length++] = c;
}

static void print_integer(struct output *out, struct spec *spec, struct field *field)
{
	size_t least = spec->has_precision ? spec->precision : 1;
	if (spec->has_precision)
		spec->zero = false;
	if (field->text.length < least)
		field->zeros = least - field->text.length;
	print_field(out, spec, field);
}

static void print_signed(struct output *out, struct format *format, struct spec *spec)
{
	char buffer[64];
	LONG64 value = read_signed(format, spec->size);
	struct field field = {0};
	if (value < 0)
		add_prefix(&field, '-');
	else if (spec->plus)
		add_prefix(&field, '+');
	else if (spec->space)
		add_prefix(&field, ' ');
	field.text = digits_of(value < 0 ? 0 - (ULONG64)value : (ULONG64)value, 10, false, buffer);
	print_integer(out, spec, &field);
}

static void print_hexadecimal(struct output *out, struct spec *spec, ULONG64 value)
{
	char buffer[64];
	bool upper = spec->letter != 'x';
	struct field field = {.text = digits_of(value, 16, upper, buffer)};
	if (spec->alternate && (value || spec->letter == 'p')) {
		add_prefix(&field, '0');
		add_prefix(&field, upper ? 'X' : 'x');
	}
	print_integer(out, spec, &field);
}

static void print_pointer(struct output *out, struct format *format, struct spec *spec)
{
	spec->has_precision = true;
	spec->precision = 16;
	print_hexadecimal(out, spec, __builtin_va_arg(*format->args, ULONG64));
}

static void print_octal(struct output *out, struct spec *spec, ULONG64 value)
{
	char buffer[64];
	struct field field = {.text = digits_of(value, 8, false, buffer)};
	bool enough = spec->has_precision && spec->precision > field.text.length;
	if (spec->alternate && !enough && value)
		add_prefix(&field, '0');
	else if (spec->alternate && !value && spec->has_precision && !spec->precision)
		spec->precision = 1;
	print_integer(out, spec, &field);
}

static void print_unsigned(struct output *out, struct spec *spec, ULONG64 value)
{
	char buffer[64];
	struct field field = {.text = digits_of(value, 10, false, buffer)};
	print_integer(out, spec, &field);
}

/* ---- Floating point: the host's printf with the locale taken out of it ------------- */

#define FLOAT_PRECISION 512 /* as the runtime limits it; 1e308 has 309 digits more */

static locale_t c_locale;

static void make_c_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static void print_float(struct output *out, struct format *format, struct spec *spec)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char directive[8] = "%", buffer[FLOAT_PRECISION + 320];
	char *end = directive + 1;
	if (spec->alternate)
		*end++ = '#';
	memcpy(end, ".*", 2);
	end[2] = (char)spec->letter;
	pthread_once(&once, make_c_locale);
	int precision = spec->has_precision ? (int)spec->precision : -1;
	if (precision > FLOAT_PRECISION)
		precision = FLOAT_PRECISION;
	double value = __builtin_va_arg(*format->args, double);
	locale_t before = uselocale(c_locale);
	int length = snprintf(buffer, sizeof(buffer), directive, precision, value);
	uselocale(before);
	struct field field = {0};
	const char *text = buffer;
	if (*text == '-' || spec->plus || spec->space)
		add_prefix(&field, *text == '-' ? '-' : spec->plus ? '+' : ' ');
	text += *text == '-';
	field.text = (struct text){text, (size_t)length - (size_t)(text - buffer), false};
	print_field(out, spec, &field);
}

/* ---- Characters and strings --------------------------------------------------------- */

/* Whether a conversion takes wide text: its size decides, and otherwise the width of
 * the function, turned round by a capital letter. */
static bool takes_wide(const struct spec *spec, bool wide_function)
{
	if (spec->size == SIZE_SHORT || spec->size == SIZE_CHAR)
		return false;
	if (spec->size == SIZE_LONG || spec->size == SIZE_WIDE)
		return true;
	return wide_function != (spec->letter == 'S' || spec->letter == 'C');
}

static void print_string(struct output *out, const struct spec *spec, struct text text)
{
	struct field field = {.text = text};
	if (!text.start)
		field.text = (struct text){"(null)", 6, false};
	if (spec->has_precision && spec->precision < field.text.length)
		field.text.length = spec->precision;
	print_field(out, spec, &field);
}

static void print_character(struct output *out, struct format *format, const struct spec *spec)
{
	WCHAR unit = (WCHAR) __builtin_va_arg(*format->args, ULONG);
	char byte = (char)unit;
	bool wide = takes_wide(spec, format->wide);
	struct field field = {.text = {wide ? (void *)&unit : (void *)&byte, 1, wide}};
	print_field(out, spec, &field);
}

/* Reads no further than the precision: the text need not be terminated then. */
static size_t text_length(const void *text, bool wide, const struct spec *spec)
{
	size_t length = 0;
	size_t most = spec->has_precision ? spec->precision : SIZE_MAX;
	while (length < most && unit_at(text, wide, length))
		length++;
	return length;
}

static void print_terminated(struct output *out, struct format *format, const struct spec *spec)
{
	const void *start = __builtin_va_arg(*format->args, void *);
	bool wide = takes_wide(spec, format->wide);
	size_t length = start ? text_length(start, wide, spec) : 0;
	print_string(out, spec, (struct text){start, length, wide});
}

/* ANSI_STRING and UNICODE_STRING have one layout. */
static void print_counted(struct output *out, struct format *format, const struct spec *spec)
{
	const UNICODE_STRING *string = __builtin_va_arg(*format->args, const UNICODE_STRING *);
	bool wide = spec->size == SIZE_WIDE || spec->size == SIZE_LONG;
	struct text text = {0};
	if (string)
		text = (struct text){string->Buffer, wide ? string->Length / 2u : string->Length,
				     wide};
	print_string(out, spec, text);
}

/* ---- The whole ------------------------------------------------------------------------ */

static void print_conversion(struct output *out, struct format *format)
{
	struct spec spec = read_spec(format);
	switch (spec.letter) {
	case 0:
		return;
	case 'd':
	case 'i':
		return print_signed(out, format, &spec);
	case 'u':
		return print_unsigned(out, &spec, read_unsigned(format, spec.size));
	case 'o':
		return print_octal(out, &spec, read_unsigned(format, spec.size));
	case 'x':
	case 'X':
		return print_hexadecimal(out, &spec, read_unsigned(format, spec.size));
	case 'p':
		return print_pointer(out, format, &spec);
	case 'c':
	case 'C':
		return print_character(out, format, &spec);
	case 's':
	case 'S':
		return print_terminated(out, format, &spec);
	case 'Z':
		return print_counted(out, format, &spec);
	case 'n':
		(void)__builtin_va_arg(*format->args, void *);
		return;
	case 'e':
	case 'E':
	case 'f':
	case 'F':
	case 'g':
	case 'G':
	case 'a':
	case 'A':
		return print_float(out, format, &spec);
	default:
		return put(out, spec.letter);
	}
}

static size_t format_all(struct output *out, struct format *format)
{
	WCHAR unit;
	while ((unit = peek(format))) {
		format->at++;
		if (unit == '%')
			print_conversion(out, format);
		else
			put(out, unit);
	}
	return out->length;
}

size_t rtl_format(char *buffer, size_t capacity, const char *format, __builtin_ms_va_list args)
{
	struct output out = {buffer, capacity, 0, false};
	__builtin_ms_va_list copy;
	__builtin_ms_va_copy(copy, args);
	struct format in = {format, false, 0, &copy};
	size_t length = format_all(&out, &in);
	__builtin_ms_va_end(copy);
	return length;
}

size_t rtl_format_wide(WCHAR *buffer, size_t capacity, const WCHAR *format,
		       __builtin_ms_va_list args)
{
	struct output out = {buffer, capacity, 0, true};
	__builtin_ms_va_list copy;
	__builtin_ms_va_copy(copy, args);
	struct format in = {format, true, 0, &copy};
	size_t length = format_all(&out, &in);
	__builtin_ms_va_end(copy);
	return length;
}

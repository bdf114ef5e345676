/* SPDX-License-Identifier: MIT */
/*
 * Between the host's UTF-8 and NT's counted UTF-16, for the kernel itself.
 *
 * Linux names are arbitrary bytes and NT names arbitrary 16-bit units, so both
 * directions are total: what cannot be decoded becomes U+FFFD, one for each
 * maximal ill-formed piece, as the Unicode standard recommends.
 *
 * Every function works at any IRQL, except that those which allocate do so
 * through host/memory.h.
 */
#ifndef RINGSIDE_RTL_UTF_H
#define RINGSIDE_RTL_UTF_H

#include <ringside/nt.h>
#include <stdbool.h>
#include <stddef.h>

/* The longest text that a UNICODE_STRING holds together with a terminator, in units. */
#define RTL_MAX_UNITS 32766

/*
 * Makes *out the UTF-16 of `text`: Length counts no terminator, but one follows
 * (MaximumLength is Length + 2). The buffer is the caller's, given back with
 * rtl_free_string. Returns 0, -ENOMEM, or -ENAMETOOLONG; *out is untouched on
 * failure.
 */
int rtl_from_utf8(const char *text, UNICODE_STRING *out);

/* The same for `size` bytes that may contain NULs (a subsystem command line). */
int rtl_from_utf8_counted(const char *text, size_t size, UNICODE_STRING *out);

/*
 * Writes the UTF-8 of `string` like snprintf: always terminated when size > 0,
 * never cut inside a character; returns the length in bytes that all of it
 * needs, without the terminator. NULs in the string are copied as they are.
 */
size_t rtl_to_utf8(char *buffer, size_t size, const UNICODE_STRING *string);

/* Makes *to a copy of *from in a buffer of its own, terminated as above. False
 * without memory; *to is untouched then. Length 0 is copied too: to an empty
 * string with a buffer, or, when from->Buffer is NULL, to one without. */
bool rtl_copy_string(const UNICODE_STRING *from, UNICODE_STRING *to);

/* Gives the buffer back and leaves an empty string. */
void rtl_free_string(UNICODE_STRING *string);

/* ---- One character at a time ---------------------------------------------- */

#define RTL_ILL_FORMED 0xFFFFFFFFu /* what a decoder yields for a piece that is no character */
#define RTL_REPLACEMENT 0xFFFDu

/* Decodes the character at `text` (size > 0) and returns the bytes it takes, at
 * least 1. *code is RTL_ILL_FORMED when these bytes are no character. */
size_t rtl_decode_utf8(const char *text, size_t size, uint32_t *code);

/* The same for 16-bit units (count > 0); an unpaired surrogate is ill-formed. */
size_t rtl_decode_utf16(const WCHAR *text, size_t count, uint32_t *code);

/* Encodes `code` and returns how many bytes or units that took. RTL_ILL_FORMED is
 * encoded as U+FFFD. */
size_t rtl_encode_utf8(uint32_t code, char out[4]);
size_t rtl_encode_utf16(uint32_t code, WCHAR out[2]);

#endif

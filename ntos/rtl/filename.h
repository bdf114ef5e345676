/* SPDX-License-Identifier: MIT */
/* Linux file names as NT names, and back. */
#ifndef RINGSIDE_RTL_FILENAME_H
#define RINGSIDE_RTL_FILENAME_H

#include "rtl/utf.h"

/* A byte that is no UTF-8, and a character that NT forbids in file names, is U+F000 plus
 * its value. */
#define RTL_PRIVATE_BASE 0xF000u

/* The next character of a Linux name (size > 0), which takes *length bytes; of a byte that
 * is none its stand-in. */
uint32_t rtl_next_character(const char *text, size_t size, size_t *length);

/* The same with '/' as a backslash and stand-ins for what NT forbids. */
uint32_t rtl_next_path_character(const char *text, size_t size, size_t *length);

/*
 * One component of an NT path as Linux has it, terminated, in `size` bytes; how many it has
 * without the terminator, or 0 when no Linux file can have that name: it is empty, "." or
 * "..", has a character that NT forbids or that is none, or is too long.
 */
size_t rtl_component_to_linux(const WCHAR *units, size_t count, char *out, size_t size);

/* A Linux name as NT writes it: how many units, at most `capacity`, or 0 if it takes more. */
size_t rtl_component_from_linux(const char *name, WCHAR *units, size_t capacity);

#endif

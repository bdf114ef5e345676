/* SPDX-License-Identifier: MIT */
/* UNICODE_STRINGs for tests. */
#ifndef RINGSIDE_TESTS_RTL_UNITS_H
#define RINGSIDE_TESTS_RTL_UNITS_H

#include <ringside/nt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* last: needs what is above */
#include <cmocka.h>

/* A string over a literal: STR("abc"). */
#define STR(literal)                                                                               \
	{                                                                                          \
		sizeof(u"" literal) - sizeof(WCHAR), sizeof(u"" literal),                          \
			(PWSTR)(uintptr_t)u"" literal                                              \
	}
#define ANSI(literal)                                                                              \
	{                                                                                          \
		sizeof(literal) - 1, sizeof(literal), (PCHAR)(uintptr_t)(literal)                  \
	}

/* An empty string over a buffer. */
#define ROOM(buffer)                                                                               \
	{                                                                                          \
		0, sizeof(buffer), (buffer)                                                        \
	}

#define assert_text(string, literal)                                                               \
	do {                                                                                       \
		const UNICODE_STRING *string_ = (string);                                          \
		assert_int_equal(string_->Length, sizeof(u"" literal) - sizeof(WCHAR));            \
		assert_memory_equal(string_->Buffer, u"" literal, string_->Length);                \
	} while (0)

#define assert_status(expression, status) assert_int_equal((ULONG)(expression), (ULONG)(status))

#endif

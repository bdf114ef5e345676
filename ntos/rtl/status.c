/* SPDX-License-Identifier: MIT */
/*
 * Status codes: their names, and what Win32 calls them.
 *
 * Both tables are constant. The names come from the rows of ntstatus.h, so they
 * cannot differ from the values; a switch over them also makes the compiler
 * refuse a value that is listed twice.
 */
#include "rtl/status.h"
#include <ringside/ntstatus.h>
#include <stddef.h>

const char *rs_status_name(int32_t status)
{
	switch ((uint32_t)status) {
#define STATUS_NAME(name, value)                                                                   \
	case value:                                                                                \
		return "STATUS_" #name;
		RINGSIDE_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
	default:
		return NULL;
	}
}

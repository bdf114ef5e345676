/* SPDX-License-Identifier: MIT */
/* Parameters of a driver: text from a person made into values of its Parameters key. */
#include "cm/registry.h"
#include "ldr/module.h"
#include "memory.h"
#include "rtl/utf.h"
#include <errno.h>
#include <ringside/ringside.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SERVICES "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"

/* The path of the Parameters key of the driver's service, which is named after
 * the image without ".sys". */
static int parameters_path(const char *module, UNICODE_STRING *path)
{
	static const char head[] = SERVICES, tail[] = "\\Parameters";
	size_t length = strlen(module);
	if (length >= 4 && strcasecmp(module + length - 4, ".sys") == 0)
		length -= 4;
	char *text = host_alloc(sizeof(head) + length + sizeof(tail));
	if (!text)
		return -ENOMEM;
	sprintf(text, "%s%.*s%s", head, (int)length, module, tail);
	int result = rtl_from_utf8(text, path);
	host_free(text);
	return result;
}

/* A whole number that a DWORD holds, decimal or 0x...; a leading 0 alone means
 * nothing special. */
static bool is_dword(const char *text, ULONG *number)
{
	bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hexadecimal ? text + 2 : text;
	if (!*digits ||
	    digits[strspn(digits, hexadecimal ? "0123456789abcdefABCDEF" : "0123456789")])
		return false;
	errno = 0;
	unsigned long long value = strtoull(digits, NULL, hexadecimal ? 16 : 10);
	if (errno || value > UINT32_MAX)
		return false;
	*number = (ULONG)value;
	return true;
}

/* The texts one after the other, each terminated, and for a REG_MULTI_SZ one more
 * terminator. The caller frees *data with host_free. */
static int make_text(const char *const *values, size_t count, WCHAR **data, ULONG *size)
{
	size_t most = 1, written = 0;
	for (size_t i = 0; i < count; i++)
		most += strlen(values[i]) + 1; /* UTF-16 has no more units than UTF-8 bytes */
	WCHAR *text = host_alloc(most * sizeof(WCHAR));
	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		UNICODE_STRING one;
		int result = rtl_from_utf8(values[i], &one);
		if (result) {
			host_free(text);
			return result;
		}
		memcpy(text + written, one.Buffer, one.Length);
		written += one.Length / sizeof(WCHAR) + 1;
		rtl_free_string(&one);
	}
	*data = text;
	*size = (ULONG)((written + (count != 1)) * sizeof(WCHAR));
	return 0;
}

static int set_value(const char *module, const char *name, ULONG type, const void *data, ULONG size)
{
	UNICODE_STRING path, value_name;
	int result = parameters_path(module, &path);
	if (result)
		return result;
	result = rtl_from_utf8(name, &value_name);
	if (result == 0) {
		NTSTATUS status = cm_set_value(&path, &value_name, type, data, size);
		if (!NT_SUCCESS(status))
			result = status == STATUS_INVALID_PARAMETER ? -ENAMETOOLONG : -ENOMEM;
		rtl_free_string(&value_name);
	}
	rtl_free_string(&path);
	return result;
}

int rs_set_parameter(struct rs_driver *driver, const char *name, const char *const *values,
		     size_t count)
{
	const struct ldr_module *module = (const void *)driver;
	WCHAR *text;
	ULONG number, size;
	if (count == 1 && is_dword(values[0], &number))
		return set_value(module->name, name, REG_DWORD, &number, sizeof(number));
	int result = make_text(values, count, &text, &size);
	if (result)
		return result;
	result = set_value(module->name, name, count == 1 ? REG_SZ : REG_MULTI_SZ, text, size);
	host_free(text);
	return result;
}

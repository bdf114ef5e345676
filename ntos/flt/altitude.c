/* SPDX-License-Identifier: MIT */
/*
 * What an INF file writes into a minifilter's service key: an instance and its altitude. Here
 * nobody installs a driver; so the loader has one written when it starts a minifilter whose
 * key has none, each a bit higher than the one before, among the activity monitors; and a
 * program can choose the altitude.
 *
 * Page: "Creating an INF file for a minifilter driver".
 */
#include "cm/registry.h"
#include "flt/flt.h"
#include "ldr/module.h"
#include "ob/altitude.h"
#include "ob/handle.h"
#include "rtl/utf.h"
#include <errno.h>
#include <ringside/ringside.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SERVICES "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services\\"
#define FIRST_ALTITUDE 370000
#define MAX_UNITS 600 /* of a key's path */
#define LITERAL(text)                                                                              \
	{                                                                                          \
		sizeof(text) - sizeof(WCHAR), sizeof(text), (PWSTR)(uintptr_t)text                 \
	}

struct path {
	UNICODE_STRING text;
	WCHAR buffer[MAX_UNITS];
};

static bool join(struct path *path, PCUNICODE_STRING key, const WCHAR *below)
{
	size_t length = key->Length;
	for (const WCHAR *c = below; *c; c++)
		length += sizeof(WCHAR);
	if (length > sizeof(path->buffer))
		return false;
	memcpy(path->buffer, key->Buffer, key->Length);
	memcpy((char *)path->buffer + key->Length, below, length - key->Length);
	path->text = (UNICODE_STRING){(USHORT)length, (USHORT)length, path->buffer};
	return true;
}

/* With the zero that ends both a literal and what rtl_from_utf8 makes. */
static NTSTATUS set_text(PCUNICODE_STRING key, UNICODE_STRING name, PCUNICODE_STRING text)
{
	return cm_set_value(key, &name, REG_SZ, text->Buffer, text->Length + (ULONG)sizeof(WCHAR));
}

static NTSTATUS write_instance(PCUNICODE_STRING service, PCUNICODE_STRING altitude)
{
	static const UNICODE_STRING name = LITERAL(u"Ringside"), flags = LITERAL(u"Flags");
	struct path instances, instance;
	ULONG none = 0;
	if (!join(&instances, service, u"\\Instances") ||
	    !join(&instance, &instances.text, u"\\Ringside"))
		return STATUS_NAME_TOO_LONG;
	NTSTATUS status = set_text(&instance.text, (UNICODE_STRING)LITERAL(u"Altitude"), altitude);
	if (NT_SUCCESS(status))
		status = cm_set_value(&instance.text, &flags, REG_DWORD, &none, sizeof(none));
	return NT_SUCCESS(status) ? set_text(&instances.text,
					     (UNICODE_STRING)LITERAL(u"DefaultInstance"), &name)
				  : status;
}

/* ---- When there is none ------------------------------------------------------------------- */

static bool has_key(PCUNICODE_STRING service, const WCHAR *below)
{
	struct path path;
	HANDLE key;
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes),
					.ObjectName = &path.text,
					.Attributes = OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE};
	if (!join(&path, service, below) || !NT_SUCCESS(ZwOpenKey(&key, KEY_READ, &attributes)))
		return false;
	ZwClose(key);
	return true;
}

NTSTATUS flt_write_default_instance(PCUNICODE_STRING service_path)
{
	static atomic_uint given;
	char text[16];
	UNICODE_STRING altitude;
	if (has_key(service_path, u"\\Instances") ||
	    has_key(service_path, u"\\Parameters\\Instances"))
		return STATUS_SUCCESS;
	snprintf(text, sizeof(text), "%u", FIRST_ALTITUDE + atomic_fetch_add(&given, 1) % 9999);
	if (rtl_from_utf8(text, &altitude))
		return STATUS_INSUFFICIENT_RESOURCES;
	NTSTATUS status = write_instance(service_path, &altitude);
	rtl_free_string(&altitude);
	return status;
}

/* ---- When somebody chooses ------------------------------------------------------------------- */

static int service_path(const char *module, UNICODE_STRING *path)
{
	char text[512];
	size_t length = strlen(module);
	if (length >= 4 && strcasecmp(module + length - 4, ".sys") == 0)
		length -= 4;
	int needed = snprintf(text, sizeof(text), SERVICES "%.*s", (int)length, module);
	return (size_t)needed < sizeof(text) ? rtl_from_utf8(text, path) : -ENAMETOOLONG;
}

int rs_set_altitude(struct rs_driver *driver, const char *altitude)
{
	const struct ldr_module *module = (const void *)driver;
	UNICODE_STRING path, text;
	int error = rtl_from_utf8(altitude, &text);
	if (error)
		return error;
	error = ob_altitude_is_numeric(&text) ? service_path(module->name, &path) : -EINVAL;
	if (!error) {
		NTSTATUS status = write_instance(&path, &text);
		error = NT_SUCCESS(status)               ? 0
			: status == STATUS_NAME_TOO_LONG ? -ENAMETOOLONG
							 : -ENOMEM;
		rtl_free_string(&path);
	}
	rtl_free_string(&text);
	return error;
}

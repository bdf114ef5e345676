/* SPDX-License-Identifier: MIT */
/*
 * The table of exports: constant, so nothing protects it.
 *
 * The prototypes here are not the real ones. The table needs addresses and
 * nothing else, and including every component's header would make this file
 * depend on all of them; so each name is declared as a function without
 * arguments, or as bytes.
 */
#include "exports.h"
#include <string.h>
#include <strings.h>

#define FUNCTION(dll, name, arguments, irql, reference) extern void name(void);
#define PARTIAL(dll, name, arguments, irql, reference, missing) extern void name(void);
#define ALIAS(dll, name, function, arguments, irql, reference) extern void function(void);
#define DATA(dll, name, reference) extern char name[];
#include "exports.def"
#undef FUNCTION
#undef PARTIAL
#undef ALIAS
#undef DATA

#define ROW(dll_, name_, arguments_, irql_, reference_, function_)                                 \
	.dll = EXPORT_##dll_, .name = name_, .arguments = arguments_, .irql = irql_,               \
	.reference = reference_, .address = (void *)function_

#define FUNCTION(dll, name, arguments, irql, reference)                                            \
	{ROW(dll, #name, arguments, irql, reference, name)},
#define PARTIAL(dll, name, arguments, irql, reference, what)                                       \
	{ROW(dll, #name, arguments, irql, reference, name), .status = EXPORT_PARTIAL,              \
	 .missing = what},
#define ALIAS(dll, name, function, arguments, irql, reference)                                     \
	{ROW(dll, #name, arguments, irql, reference, function)},
#define DATA(dll, name, reference)                                                                 \
	{ROW(dll, #name, 0, HIGH_LEVEL, reference, name), .is_data = true},

const struct export_row export_table[] = {
#include "exports.def"
};

const size_t export_count = sizeof(export_table) / sizeof(*export_table);

static const char *const dll_name[EXPORT_DLLS] = {
	[EXPORT_NTOS] = "ntoskrnl.exe", [EXPORT_HAL] = "hal.dll",
	[EXPORT_FLTMGR] = "fltmgr.sys", [EXPORT_CNG] = "cng.sys",
	[EXPORT_KSECDD] = "ksecdd.sys",
};

const char *export_dll_name(enum export_dll dll)
{
	return dll_name[dll];
}

enum export_dll export_find_dll(const char *name)
{
	int dll = 0;
	while (dll < EXPORT_DLLS && strcasecmp(dll_name[dll], name) != 0)
		dll++;
	return (enum export_dll)dll;
}

enum export_dll export_source(enum export_dll dll)
{
	return dll == EXPORT_KSECDD ? EXPORT_CNG : dll;
}

const struct export_row *export_find(enum export_dll dll, const char *name)
{
	for (size_t i = 0; i < export_count; i++) {
		const struct export_row *row = &export_table[i];
		if (row->dll == export_source(dll) && strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

const char *export_irql_name(KIRQL irql)
{
	switch (irql) {
	case PASSIVE_LEVEL:
		return "PASSIVE_LEVEL";
	case APC_LEVEL:
		return "APC_LEVEL";
	case DISPATCH_LEVEL:
		return "DISPATCH_LEVEL";
	case HIGH_LEVEL:
		return "HIGH_LEVEL";
	default:
		return "a device level";
	}
}

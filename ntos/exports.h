/* SPDX-License-Identifier: MIT */
/* The table of exports, made from the rows of exports.def, which explains them. */
#ifndef RINGSIDE_EXPORTS_H
#define RINGSIDE_EXPORTS_H

#include <ringside/nt.h>
#include <stdbool.h>
#include <stddef.h>

enum export_dll {
	EXPORT_NTOS,
	EXPORT_HAL,
	EXPORT_FLTMGR,
	EXPORT_CNG,
	EXPORT_KSECDD, /* has no rows: passes all of CNG's on */
	EXPORT_DLLS
};

enum export_status {
	EXPORT_IMPLEMENTED, /* does all that its reference says */
	EXPORT_PARTIAL,     /* does less; `missing` says what */
};

struct export_row {
	enum export_dll dll;
	const char *name;
	int arguments; /* -1: variadic; 0 for data */
	KIRQL irql;    /* the highest at which it may be called */
	enum export_status status;
	const char *reference; /* a clause of docs/contract.md, or "wdk" */
	const char *missing;   /* PARTIAL only, otherwise NULL */
	bool is_data;
	void *address; /* of the C function or variable */
};

/* All rows, in the order of exports.def. */
extern const struct export_row export_table[];
extern const size_t export_count;

/* "ntoskrnl.exe", "hal.dll", "fltmgr.sys", "cng.sys", "ksecdd.sys". */
const char *export_dll_name(enum export_dll dll);

/* Which of them `name` is, ignoring case; EXPORT_DLLS if none. */
enum export_dll export_find_dll(const char *name);

/* Whose rows it exports: its own, or those of the one that it forwards to. */
enum export_dll export_source(enum export_dll dll);

/* The row of `name`, or NULL. */
const struct export_row *export_find(enum export_dll dll, const char *name);

/* "PASSIVE_LEVEL" and so on. */
const char *export_irql_name(KIRQL irql);

#endif

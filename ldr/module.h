/* SPDX-License-Identifier: MIT */
/*
 * The loaded-module list: every image that drivers can find, in load order.
 *
 * An entry begins with the KLDR_DATA_TABLE_ENTRY that DriverSection and
 * PsLoadedModuleList show. ntoskrnl.exe, hal.dll and the other kernel images are
 * entries like the rest (ldr/kernel.c makes their headers, export directories
 * and thunks). The host program can be one too, so that C code can register
 * callbacks.
 */
#ifndef RINGSIDE_LDR_MODULE_H
#define RINGSIDE_LDR_MODULE_H

#include "ex/resource.h"
#include <ringside/nt.h>
#include <stdbool.h>
#include <stddef.h>

struct ldr_traps;
struct pe;

/* NT's LOAD_IMPORTS: the modules that an image was bound to. */
struct ldr_load_imports {
	SIZE_T count;
	struct ldr_module *module[];
};

struct ldr_module {
	KLDR_DATA_TABLE_ENTRY entry; /* first; linked in PsLoadedModuleList */
	char *name;                  /* BaseDllName in UTF-8, for messages */
	char *path;                  /* of the file on this machine, or NULL */
	size_t mapped_size;          /* of the host mapping at entry.DllBase; 0: not ours */
	unsigned imports, missing;
	void *driver; /* its DRIVER_OBJECT, or NULL */
	bool is_dll;  /* initialised as a kernel DLL: it has no driver object */

	struct pe *pe;           /* the headers; NULL for memory that was only declared */
	struct ldr_traps *traps; /* the stubs that its missing imports are bound to, or NULL */
};

extern LIST_ENTRY PsLoadedModuleList;
extern ERESOURCE PsLoadedModuleResource;

/* The module whose range contains `address`, or NULL. Any IRQL; takes no lock a
 * fault handler could meet held. */
struct ldr_module *ldr_module_of(const void *address);

/* Whether the code at `address` passes the integrity test (PS-15 to PS-17): in a
 * module whose Flags have 0x20. */
bool ldr_integrity_forced(const void *address);

/* Declares memory that the host program owns (its own code, for instance) as a
 * module. `name` is copied; integrity sets the flag. NULL without memory. */
struct ldr_module *ldr_declare_module(const char *name, const void *base, size_t size,
				      bool integrity);
void ldr_forget_module(struct ldr_module *module);

/* What a driver would get by importing `name` from `dll` ("ntoskrnl.exe"): the
 * thunk or the data, or NULL if there is no such export. */
void *ldr_find_export(const char *dll, const char *name);

/* Where the file lies whose FullDllName is "\\SystemRoot" and `name`, ignoring case; at most
 * `size` bytes with the terminator. False when there is no such module, or no file. */
bool ldr_find_file(PCUNICODE_STRING name, char *path, size_t size);

int ldr_boot(void);
void ldr_shutdown(void);

/* Of entry.Flags: what NT sets for every image that is fully loaded. */
#define LDR_ENTRY_PROCESSED 0x00004000

/* ---- Inside ldr/ ----------------------------------------------------------- */

/* The list's lock: held while images are bound, listed and dropped; never while
 * a driver's code runs. */
void ldr_lock(void);
void ldr_unlock(void);

/* The same for changing the list, which drivers read under PsLoadedModuleResource.
 * PASSIVE_LEVEL. */
void ldr_lock_for_change(void);
void ldr_unlock_after_change(void);

/* An entry with its names, not yet listed. `folder` is what FullDllName has before
 * the name. NULL without memory. */
struct ldr_module *ldr_new_module(const char *folder, const char *name);

/* Frees an entry that is not listed, with its mapping and its holds on others. NULL is
 * allowed. Under the lock if it was bound. */
void ldr_free_module(struct ldr_module *module);

/* Lists an entry whose DllBase and SizeOfImage are set. -ENOMEM without memory.
 * Under the lock. */
int ldr_list_module(struct ldr_module *module);
void ldr_unlist_module(struct ldr_module *module);

/* By BaseDllName, ignoring case; with `stem`, by the name without its extension.
 * NULL if there is none. Under the lock. */
struct ldr_module *ldr_find_module(const char *name, size_t length, bool stem);

/* Gives back the hold on a module that another was bound to, or that the list's
 * user had; the last one unlists and frees it. Under the lock. */
void ldr_release_module(struct ldr_module *module);

#endif

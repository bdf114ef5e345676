/* SPDX-License-Identifier: MIT */
/* Connecting images: what one imports with what others export. */
#ifndef RINGSIDE_LDR_BIND_H
#define RINGSIDE_LDR_BIND_H

#include "ldr/module.h"
#include "ldr/pe.h"
#include <ringside/ringside.h>

/*
 * Fills in the import slots of a mapped, still writable image, and its counts of
 * imports and missing ones; what is missing gets a stub, for what rs_boot was told to do
 * when it is called. False with *error without memory or when the import tables
 * turn out to be damaged; what was bound until then is given back with the module.
 * Under the list's lock.
 */
bool ldr_bind(struct ldr_module *module, struct pe_error *error);

/* The address that `module` exports under a name or an ordinal, forwarders
 * followed; NULL if there is none. Under the list's lock. */
void *ldr_export_by_name(const struct ldr_module *module, const char *name);
void *ldr_export_by_ordinal(const struct ldr_module *module, unsigned ordinal);

/* ---- Stubs for what is missing (ldr/missing.c) -------------------------------- */

/* What a stub does when it is called: see rs_options. At boot. */
void ldr_set_missing(enum rs_missing what, NTSTATUS status);

/* Whether an image that lacks something is not to be loaded at all. */
bool ldr_refuses_missing(void);

/* Room for up to `count` stubs; NULL without memory. */
struct ldr_traps *ldr_new_traps(unsigned count);

/* A stub that names `importer`, `dll` and `name` (NULL: the ordinal) when it is called.
 * NULL without memory. */
void *ldr_add_trap(struct ldr_traps *traps, const struct ldr_module *importer, const char *dll,
		   const char *name, unsigned ordinal);

/* The names of all of them with commas between; those that do not fit are dots. */
void ldr_name_missing(const struct ldr_traps *traps, char *text, size_t size);

/* Makes the stubs executable and constant. 0 or -errno. */
int ldr_seal_traps(struct ldr_traps *traps);
void ldr_free_traps(struct ldr_traps *traps);

#endif

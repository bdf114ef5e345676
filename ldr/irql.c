/* SPDX-License-Identifier: MIT */
/*
 * What happens when a driver calls an export at too high an IRQL: the thunk jumps
 * to ldr_irql_entry with the index of its row on top of the driver's return
 * address, and the report names the export, the level, the limit and the caller.
 * Nothing is kept. Clauses: VF-1, VF-2, VF-6, VF-9, VF-10.
 */
#include "ex/restraint.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "ldr/caller.h"
#include "ldr/kernel.h"
#include <string.h>

/* The rules that Driver Verifier has a number for, as parameter 1 of bug check 0xC4;
 * a name that ends in * stands for all that begin so. */
static const struct {
	const char *name;
	ULONG subcode;
	const char *rule;
} verifier_rule[] = {
	{"PsSetCreateProcessNotifyRoutine", 0x2001C, "IrqlPsPassive"},
	{"PsSetCreateThreadNotifyRoutine", 0x2001C, "IrqlPsPassive"},
	{"PsSetLoadImageNotifyRoutine", 0x2001C, "IrqlPsPassive"},
	{"KeEnterCriticalRegion", 0x11A, "CriticalRegions"},
	{"KeLeaveCriticalRegion", 0x11B, "CriticalRegions"},
	{"ObReferenceObjectByHandle", 0x2001B, "IrqlObPassive"},
	{"Zw*", 0xE6, "IrqlZwPassive"},
};

static bool matches(const char *pattern, const char *name)
{
	size_t length = strlen(pattern);
	if (pattern[length - 1] == '*')
		return strncmp(pattern, name, length - 1) == 0;
	return strcmp(pattern, name) == 0;
}

static int find_rule(const char *name)
{
	int i = (int)(sizeof(verifier_rule) / sizeof(*verifier_rule)) - 1;
	while (i >= 0 && !matches(verifier_rule[i].name, name))
		i--;
	return i;
}

/* Whose code called: the return address says it, or after a tail call, which leaves one
 * of ours, the routine that this thread is inside. */
static const void *driver_code(const struct ke_frame *caller)
{
	const struct ke_callout *callout = ke_processor()->callout;
	if (ke_is_driver(ldr_module_of((void *)caller->pc)) || !callout)
		return (void *)caller->pc;
	return callout->routine;
}

/* Windows by itself lets it pass, until a wait for I/O never ends. */
const void *NTAPI ldr_special_apcs_off(uint64_t index, const void *caller)
{
	const struct export_row *row = &export_table[index];
	ex_check_special_apcs(row->name, caller);
	return row->address;
}

_Noreturn void ldr_irql_violation(uint64_t index, const struct ke_frame *caller)
{
	const struct export_row *row = &export_table[index];
	const void *code = driver_code(caller);
	struct ldr_module *module = ldr_module_of(code);
	const char *name = module ? module->name : "unknown code";
	KIRQL irql = ke_processor()->pcr.irql;
	int rule = find_rule(row->name);
	struct ke_bug_check what = {.address = code, .from = caller};
	if (rule >= 0) {
		what.code = (ULONG)KE_DRIVER_VERIFIER_DETECTED_VIOLATION;
		what.parameter[0] = verifier_rule[rule].subcode;
		what.parameter[1] = irql;
		what.parameter[2] = caller->pc;
		ke_bug_check(&what, "%s called %s at %s (%u), at most %s is allowed (rule %s)",
			     name, row->name, export_irql_name(irql), irql,
			     export_irql_name(row->irql), verifier_rule[rule].rule);
	}
	what.code = (ULONG)KE_IRQL_NOT_LESS_OR_EQUAL;
	what.parameter[0] = (ULONG64)row->address;
	what.parameter[1] = irql;
	what.parameter[2] = 8; /* to execute */
	what.parameter[3] = caller->pc;
	ke_bug_check(&what, "%s called %s at %s (%u), at most %s is allowed", name, row->name,
		     export_irql_name(irql), irql, export_irql_name(row->irql));
}

/* SPDX-License-Identifier: MIT */
/*
 * How drivers look for routines that they do not import, such as those that only
 * newer systems have. All answer from the export directories, as binding does.
 */
#include "ldr/routine.h"
#include "flt/flt.h"
#include "ldr/bind.h"
#include "ldr/kernel.h"

#define MAX_NAME 256

/* Export names are ASCII; a name that is not has no match. */
static bool to_ascii(PCUNICODE_STRING from, char to[MAX_NAME])
{
	size_t count = from->Length / sizeof(WCHAR);
	if (count >= MAX_NAME)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (from->Buffer[i] == 0 || from->Buffer[i] > 0x7E)
			return false;
		to[i] = (char)from->Buffer[i];
	}
	to[count] = 0;
	return true;
}

static void *find_locked(const struct ldr_module *module, const char *name)
{
	ldr_lock();
	void *found = ldr_export_by_name(module, name);
	ldr_unlock();
	return found;
}

PVOID NTAPI MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName)
{
	char name[MAX_NAME];
	if (!to_ascii(SystemRoutineName, name))
		return NULL;
	void *found = find_locked(ldr_kernel_image(EXPORT_NTOS), name);
	return found ? found : find_locked(ldr_kernel_image(EXPORT_HAL), name);
}

PVOID NTAPI RtlFindExportedRoutineByName(PVOID ImageBase, PCSTR RoutineName)
{
	struct ldr_module *module = ldr_module_of(ImageBase);
	if (!module || module->entry.DllBase != ImageBase)
		return NULL;
	return find_locked(module, RoutineName);
}

PVOID NTAPI FltGetRoutineAddress(PCSTR FltMgrRoutineName)
{
	return find_locked(ldr_kernel_image(EXPORT_FLTMGR), FltMgrRoutineName);
}

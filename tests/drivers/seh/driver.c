/* SPDX-License-Identifier: MIT */
/*
 * Structured exceptions as Microsoft's compilers make them: prints a line for each check
 * that fails, and one that counts them. Started under the name of a crash it ends in
 * that one.
 */
#include "seh.h"

ULONG64 __security_cookie = 0x00002B992DDFA232ull;
int _fltused;

volatile ULONG zero;
static ULONG checks, failures;

void check(const char *what, BOOLEAN good)
{
	checks++;
	if (good)
		return;
	failures++;
	DbgPrint("failed: %s, check %u\n", what, checks);
}

NOINLINE ULONG read_at(const volatile ULONG *address)
{
	return *address;
}

NOINLINE void write_at(volatile ULONG *address, ULONG value)
{
	*address = value;
}

NOINLINE ULONG divide(ULONG by)
{
	return 100 / by;
}

/* ---- From a callback --------------------------------------------------------------- */

static volatile LONG handled;

static void on_process(void *parent, void *process, BOOLEAN create)
{
	KIRQL irql = KeGetCurrentIrql();
	BOOLEAN disabled = KeAreApcsDisabled();
	(void)parent;
	(void)process;
	if (!create)
		return;
	__try {
		write_at((volatile ULONG *)16, 1);
	} __except (EXCEPTION_EXECUTE_HANDLER) {
		handled++;
	}
	if (KeGetCurrentIrql() != irql || KeAreApcsDisabled() != disabled)
		DbgPrint("failed: the state after an exception in a callback\n");
	DbgPrint("handled %d\n", handled);
}

/* ---- What must end in a bug check --------------------------------------------------- */

static LONG decline(void)
{
	return EXCEPTION_CONTINUE_SEARCH;
}

static void nobody_handles(void)
{
	__try {
		write_at((volatile ULONG *)16, 1);
	} __except (decline()) {
		DbgPrint("never\n");
	}
}

static void raise_to_nobody(void)
{
	ExRaiseStatus(STATUS_INVALID_PARAMETER);
}

static void go_on_after_raise(void)
{
	__try {
		ExRaiseStatus(STATUS_INVALID_PARAMETER);
	} __except (EXCEPTION_CONTINUE_EXECUTION) {
		DbgPrint("never\n");
	}
}

static void fault_at_dispatch_level(void)
{
	KfRaiseIrql(2);
	__try {
		write_at((volatile ULONG *)16, 1);
	} __except (EXCEPTION_EXECUTE_HANDLER) {
		DbgPrint("never\n");
	}
}

static void kernel_address(void)
{
	__try {
		write_at((volatile ULONG *)0xFFFF800000001000ull, 1);
	} __except (EXCEPTION_EXECUTE_HANDLER) {
		DbgPrint("never\n");
	}
}

static void probe_at_dispatch_level(void)
{
	KfRaiseIrql(2);
	ProbeForRead((void *)0x1000, 4, 1);
}

/* Ends the function with its cookie damaged, as an overrun would. */
void gs_check_fails(void);

static const struct {
	WCHAR letter;
	void (*crash)(void);
} crashes[] = {
	{'n', nobody_handles},          {'r', raise_to_nobody}, {'c', go_on_after_raise},
	{'d', fault_at_dispatch_level}, {'k', kernel_address},  {'p', probe_at_dispatch_level},
	{'g', gs_check_fails},
};

static void unload(struct driver_object *driver)
{
	(void)driver;
	PsSetCreateProcessNotifyRoutine(on_process, 1);
}

NTSTATUS DriverEntry(struct driver_object *driver, const UNICODE_STRING *path);
NTSTATUS DriverEntry(struct driver_object *driver, const UNICODE_STRING *path)
{
	WCHAR letter = path->buffer[path->length / sizeof(WCHAR) - 1];
	driver->unload = unload;
	if (path->buffer[path->length / sizeof(WCHAR) - 2] == '-') {
		for (ULONG i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
			if (crashes[i].letter == letter)
				crashes[i].crash();
		}
		return STATUS_UNSUCCESSFUL;
	}
	test_handlers();
	test_unwinds();
	test_exports();
	test_registers();
	test_walks();
	DbgPrint("%u checks, %u failures\n", checks, failures);
	return PsSetCreateProcessNotifyRoutine(on_process, 0);
}

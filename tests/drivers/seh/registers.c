/* SPDX-License-Identifier: MIT */
/* What an exception leaves of the registers. */
#include "seh.h"

void change_registers_and_call(void (*function)(void *), void *argument);
ULONG count_changed_over_breakpoint(void);
ULONG try_with_own_handler(void (*function)(void));
LONG own_handler(struct exception_record *record, void *frame, struct context *context,
		 void *dispatcher);
IMPORT LONG __C_specific_handler(struct exception_record *record, void *frame,
				 struct context *context, void *dispatcher);

static void fault(void *unused)
{
	(void)unused;
	write_at((volatile ULONG *)16, 1);
}

static void fault_in_export(void *unused)
{
	WCHAR buffer[32];
	UNICODE_STRING from = {64, 64, (WCHAR *)64}, to = {0, sizeof(buffer), buffer};
	(void)unused;
	RtlCopyUnicodeString(&to, &from);
}

static void raise_in_export(void *unused)
{
	(void)unused;
	ProbeForRead((void *)MmUserProbeAddress, 1, 1);
}

static void raise(void *unused)
{
	(void)unused;
	ExRaiseStatus(STATUS_UNSUCCESSFUL);
}

static int compare(const void *a, const void *b)
{
	(void)a;
	(void)b;
	change_registers_and_call(fault_in_export, 0);
	return 0;
}

static void fault_between_exports(void *unused)
{
	ULONG values[] = {3, 1, 2};
	(void)unused;
	qsort(values, 3, sizeof(values[0]), compare);
}

static void print_bad_pointer(void *unused)
{
	(void)unused;
	DbgPrint("%s", (const char *)(ULONG64)(zero + 64));
}

static volatile ULONG handled;

/* The registers of the caller are found again by unwinding what changes them. */
static NOINLINE void handle(void *function)
{
	__try {
		change_registers_and_call(function, 0);
	} __except (EXCEPTION_EXECUTE_HANDLER) {
		handled++;
	}
}

/* Without a driver function between: what our own frames have saved counts. */
static NOINLINE void handle_directly(void *function)
{
	__try {
		((void (*)(void *))function)(0);
	} __except (EXCEPTION_EXECUTE_HANDLER) {
		handled++;
	}
}

static void a_handler_finds_the_registers_of_its_function(void)
{
	static void (*const functions[])(void *) = {fault, fault_in_export, raise_in_export, raise,
						    fault_between_exports};
	for (ULONG i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		handled = 0;
		CHECK(count_lost_registers(handle, (void *)functions[i]) == 0);
		CHECK(count_lost_registers(handle_directly, (void *)functions[i]) == 0);
		CHECK(handled == 2);
	}
}

static void formatting_a_bad_string_is_an_exception_as_well(void)
{
	handled = 0;
	CHECK(count_lost_registers(handle_directly, (void *)print_bad_pointer) == 0);
	CHECK(handled == 1);
}

static LONG skip_breakpoint(struct exception_pointers *pointers)
{
	pointers->context->rip++;
	return EXCEPTION_CONTINUE_EXECUTION;
}

static void going_on_changes_no_register_at_all(void)
{
	ULONG changed = 99;
	__try {
		changed = count_changed_over_breakpoint();
	} __except (skip_breakpoint(exception_pointers())) {
	}
	CHECK(changed == 0);
}

static LONG look_at_rounding(volatile ULONG *mxcsr)
{
	ULONG now;
	__asm__ volatile("stmxcsr %0" : "=m"(now));
	*mxcsr = now;
	return EXCEPTION_EXECUTE_HANDLER;
}

static void the_floating_state_is_kept(void)
{
	ULONG down = 0x3F80, normal = 0x1F80, after = 0;
	volatile ULONG in_filter = 0;
	__asm__ volatile("ldmxcsr %0" : : "m"(down));
	__try {
		fault(0);
	} __except (look_at_rounding(&in_filter)) {
	}
	__asm__ volatile("stmxcsr %0" : "=m"(after));
	__asm__ volatile("ldmxcsr %0" : : "m"(normal));
	CHECK(after == down);
	CHECK(in_filter == normal); /* the kernel's */
}

static void unwind_information_of_version_2_is_read(void)
{
	handled = 0;
	CHECK(count_lost_registers(handle, (void *)call_through_version_2) == 0);
	CHECK(handled == 0); /* it was called with no function: returns */
	__try {
		call_through_version_2((void (*)(void))fault);
	} __except (EXCEPTION_EXECUTE_HANDLER) {
		handled = 1;
	}
	CHECK(handled == 1);
}

static volatile ULONG asked;

LONG own_handler(struct exception_record *record, void *frame, struct context *context,
		 void *dispatcher)
{
	asked++;
	return __C_specific_handler(record, frame, context, dispatcher);
}

/* As __GSHandlerCheck_SEH does. */
static void a_handler_in_front_of_ours_works(void)
{
	asked = 0;
	CHECK(try_with_own_handler((void (*)(void))fault) == 1);
	CHECK(asked == 2); /* to find the handler, and at the target of the unwind */
}

static void a_context_captured_can_be_restored(void)
{
	static struct context context;
	volatile ULONG times = 0;
	RtlCaptureContext(&context);
	if (times++ < 3)
		RtlRestoreContext(&context, 0);
	CHECK(times == 4);
	CHECK(context.context_flags == 0x10000B);
}

void test_registers(void)
{
	a_handler_finds_the_registers_of_its_function();
	formatting_a_bad_string_is_an_exception_as_well();
	going_on_changes_no_register_at_all();
	the_floating_state_is_kept();
	unwind_information_of_version_2_is_read();
	a_handler_in_front_of_ours_works();
	a_context_captured_can_be_restored();
}

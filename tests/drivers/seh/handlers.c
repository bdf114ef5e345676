/* SPDX-License-Identifier: MIT */
/* __except: filters, what they see, what they decide. */
#include "seh.h"

static void handles_a_null_write(void)
{
	volatile ULONG reached = 0;
	NTSTATUS code = 0;
	__try {
		write_at((volatile ULONG *)16, 7);
		reached = 1;
	} __except (code = exception_code(), EXCEPTION_EXECUTE_HANDLER) {
		reached += 2;
	}
	CHECK(reached == 2);
	CHECK(code == STATUS_ACCESS_VIOLATION);
}

static LONG record_access(struct exception_pointers *pointers, struct exception_record *to,
			  struct context *context)
{
	*to = *pointers->record;
	*context = *pointers->context;
	return EXCEPTION_EXECUTE_HANDLER;
}

static void filter_sees_record_and_context(void)
{
	struct exception_record record = {0};
	static struct context context;
	__try {
		write_at((volatile ULONG *)16, 7);
	} __except (record_access(exception_pointers(), &record, &context)) {
	}
	CHECK(record.code == STATUS_ACCESS_VIOLATION && record.flags == 0);
	CHECK(record.count == 2 && record.information[0] == 1 && record.information[1] == 16);
	CHECK(record.address == (void *)context.rip);
	CHECK(context.rip >= (ULONG64)write_at && context.rip < (ULONG64)write_at + 32);
	CHECK(context.rcx == 16 && (ULONG)context.rdx == 7);
	CHECK((context.context_flags & 0xB) == 0xB && context.mxcsr == 0x1F80);
	CHECK(context.cs == 0x10 && context.ss == 0x18);
}

static void read_is_access_0(void)
{
	struct exception_record record = {0};
	static struct context context;
	__try {
		read_at((volatile ULONG *)0x20);
	} __except (record_access(exception_pointers(), &record, &context)) {
	}
	CHECK(record.information[0] == 0 && record.information[1] == 0x20);
}

static void null_call_is_access_8(void)
{
	struct exception_record record = {0};
	static struct context context;
	void (*volatile function)(void) = 0;
	__try {
		function();
	} __except (record_access(exception_pointers(), &record, &context)) {
	}
	CHECK(record.information[0] == 8 && record.information[1] == 0);
}

static LONG only(NTSTATUS wanted, NTSTATUS code)
{
	return code == wanted ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH;
}

static void the_innermost_willing_handler_gets_it(void)
{
	volatile ULONG handler = 0;
	__try {
		__try {
			__try {
				divide(zero);
			} __except (only(STATUS_ACCESS_VIOLATION, exception_code())) {
				handler = 1;
			}
		} __except (only(STATUS_INTEGER_DIVIDE_BY_ZERO, exception_code())) {
			handler = 2;
		}
	} __except (EXCEPTION_EXECUTE_HANDLER) {
		handler = 3;
	}
	CHECK(handler == 2);
}

static NOINLINE void unwilling_function(volatile ULONG *asked)
{
	__try {
		divide(zero);
	} __except ((*asked)++, EXCEPTION_CONTINUE_SEARCH) {
		*asked += 100;
	}
}

static void an_outer_function_handles_it(void)
{
	volatile ULONG asked = 0, handled = 0;
	__try {
		unwilling_function(&asked);
	} __except (EXCEPTION_EXECUTE_HANDLER) {
		handled = 1;
	}
	CHECK(asked == 1 && handled == 1);
}

static LONG mend(struct exception_pointers *pointers, ULONG *good)
{
	pointers->context->rcx = (ULONG64)good;
	return EXCEPTION_CONTINUE_EXECUTION;
}

static void a_filter_can_mend_and_go_on(void)
{
	ULONG target = 0;
	volatile ULONG after = 0;
	__try {
		write_at((volatile ULONG *)16, 42);
		after = 1;
	} __except (mend(exception_pointers(), &target)) {
		after = 2;
	}
	CHECK(target == 42);
	CHECK(after == 1);
}

static LONG skip(struct exception_pointers *pointers, ULONG length)
{
	pointers->context->rip += length;
	return EXCEPTION_CONTINUE_EXECUTION;
}

static NOINLINE void break_point(void)
{
	__asm__ volatile("int3");
}

static NOINLINE void assertion(void)
{
	__asm__ volatile("int $0x2c");
}

static NOINLINE void read_msr(void)
{
	__asm__ volatile("rdmsr" : : "c"(0xC0000082) : "eax", "edx");
}

static void other_instructions_raise_too(void)
{
	volatile NTSTATUS code = 0;
	__try {
		break_point();
	} __except (code = exception_code(), EXCEPTION_EXECUTE_HANDLER) {
	}
	CHECK(code == STATUS_BREAKPOINT);
	__try {
		break_point();
		code = 0;
	} __except (skip(exception_pointers(), 1)) {
		code = 1;
	}
	CHECK(code == 0);
	__try {
		assertion();
	} __except (code = exception_code(), EXCEPTION_EXECUTE_HANDLER) {
	}
	CHECK(code == STATUS_ASSERTION_FAILURE);
	__try {
		read_msr();
	} __except (code = exception_code(), EXCEPTION_EXECUTE_HANDLER) {
	}
	CHECK(code == STATUS_PRIVILEGED_INSTRUCTION);
}

/* Handles an exception of its own, and lets the first one go on. */
static LONG filter_with_a_fault(volatile ULONG *inner)
{
	__try {
		divide(zero);
	} __except (EXCEPTION_EXECUTE_HANDLER) {
		*inner = 1;
	}
	return EXCEPTION_EXECUTE_HANDLER;
}

static void a_filter_may_handle_exceptions_itself(void)
{
	volatile ULONG inner = 0, outer = 0;
	__try {
		write_at((volatile ULONG *)16, 1);
	} __except (filter_with_a_fault(&inner)) {
		outer = 1;
	}
	CHECK(inner == 1 && outer == 1);
}

static volatile ULONG asked;

/* Raises when it is asked for the first time. */
static LONG filter_that_raises(struct exception_record *record)
{
	if (!asked++)
		ExRaiseStatus(STATUS_UNSUCCESSFUL);
	/* Again, for the new exception: it came up in a filter. */
	return record->code == STATUS_UNSUCCESSFUL && record->flags & 0x10
		       ? EXCEPTION_EXECUTE_HANDLER
		       : EXCEPTION_CONTINUE_SEARCH;
}

static void an_exception_of_a_filter_replaces_the_first(void)
{
	volatile NTSTATUS code = 0;
	asked = 0;
	__try {
		write_at((volatile ULONG *)16, 1);
	} __except (filter_that_raises(exception_pointers()->record)) {
		code = exception_code();
	}
	CHECK(asked == 2);
	CHECK(code == STATUS_UNSUCCESSFUL);
}

static NOINLINE ULONG depth(ULONG n)
{
	volatile ULONG result = 0;
	__try {
		if (n == 0)
			divide(zero);
		else
			result = depth(n - 1);
	} __except (n == 20 ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
		result = 77;
	}
	return result;
}

static void many_frames_are_passed(void)
{
	CHECK(depth(20) == 77);
}

static void it_can_happen_often(void)
{
	volatile ULONG count = 0;
	for (ULONG i = 0; i < 1000; i++) {
		__try {
			write_at((volatile ULONG *)16, i);
		} __except (EXCEPTION_EXECUTE_HANDLER) {
			count++;
		}
	}
	CHECK(count == 1000);
}

static void division_is_handled_at_dispatch_level(void)
{
	volatile ULONG handled = 0;
	KIRQL irql = KfRaiseIrql(2);
	__try {
		divide(zero);
	} __except (EXCEPTION_EXECUTE_HANDLER) {
		handled = 1;
	}
	CHECK(handled == 1);
	CHECK(KeGetCurrentIrql() == 2);
	KfLowerIrql(irql);
}

void test_handlers(void)
{
	handles_a_null_write();
	filter_sees_record_and_context();
	read_is_access_0();
	null_call_is_access_8();
	the_innermost_willing_handler_gets_it();
	an_outer_function_handles_it();
	a_filter_can_mend_and_go_on();
	other_instructions_raise_too();
	a_filter_may_handle_exceptions_itself();
	an_exception_of_a_filter_replaces_the_first();
	many_frames_are_passed();
	it_can_happen_often();
	division_is_handled_at_dispatch_level();
}

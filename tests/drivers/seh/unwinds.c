/* SPDX-License-Identifier: MIT */
/* __finally: normal ends, unwinds, and unwinds that meet. */
#include "seh.h"

static volatile ULONG order;

/* Appends a digit, so that the number tells in which order things ran. */
static NOINLINE void step(ULONG digit)
{
	order = order * 10 + digit;
}

static void finally_runs_at_a_normal_end(void)
{
	volatile ULONG abnormal = 9;
	order = 0;
	__try {
		step(1);
	} __finally {
		abnormal = (ULONG)__abnormal_termination();
		step(2);
	}
	step(3);
	CHECK(order == 123);
	CHECK(abnormal == 0);
}

static NOINLINE void raise_with_finally(volatile ULONG *abnormal)
{
	__try {
		step(1);
		divide(zero);
		step(9);
	} __finally {
		*abnormal = (ULONG)__abnormal_termination();
		step(3);
	}
	step(9);
}

static void finally_runs_between_filter_and_handler(void)
{
	volatile ULONG abnormal = 0;
	order = 0;
	__try {
		raise_with_finally(&abnormal);
	} __except (step(2), EXCEPTION_EXECUTE_HANDLER) {
		step(4);
	}
	CHECK(order == 1234);
	CHECK(abnormal == 1);
}

static void finally_in_the_same_function_runs_too(void)
{
	order = 0;
	__try {
		__try {
			__try {
				divide(zero);
			} __finally {
				step(2);
			}
		} __finally {
			step(3);
		}
	} __except (step(1), EXCEPTION_EXECUTE_HANDLER) {
		step(4);
	}
	CHECK(order == 1234);
}

static void finally_outside_of_the_handler_waits(void)
{
	order = 0;
	__try {
		__try {
			divide(zero);
		} __except (EXCEPTION_EXECUTE_HANDLER) {
			step(1);
		}
		step(2);
	} __finally {
		step(3);
	}
	CHECK(order == 123);
}

static NOINLINE ULONG leave_from_inside(void)
{
	__try {
		step(1);
		return 5;
	} __finally {
		step(2);
	}
}

static void finally_runs_at_a_return_from_inside(void)
{
	order = 0;
	CHECK(leave_from_inside() == 5);
	CHECK(order == 12);
}

static void leave_goes_to_the_end(void)
{
	order = 0;
	__try {
		step(1);
		if (!zero)
			__leave;
		step(9);
	} __finally {
		step(2);
	}
	CHECK(order == 12);
}

/* The second exception replaces the first while that one unwinds. (clang takes a return
 * address for the start of the next guarded range as well when two calls adjoin, hence
 * the store.) */
static NOINLINE void finally_that_raises(void)
{
	volatile ULONG after;
	__try {
		__try {
			__try {
				divide(zero);
				after = 1;
			} __finally {
				step(1);
				ExRaiseStatus(STATUS_UNSUCCESSFUL);
			}
		} __finally {
			step(2); /* once, though two unwinds go by */
		}
	} __finally {
		step(3);
	}
	(void)after;
}

static void colliding_unwinds_run_every_finally_once(void)
{
	volatile NTSTATUS code = 0;
	order = 0;
	__try {
		finally_that_raises();
	} __except (code = exception_code(), EXCEPTION_EXECUTE_HANDLER) {
		step(4);
	}
	CHECK(order == 1234);
	CHECK(code == STATUS_UNSUCCESSFUL);
}

static NOINLINE void handles_inside_finally(void)
{
	__try {
		divide(zero);
	} __finally {
		step(1);
		__try {
			write_at((volatile ULONG *)16, 1);
		} __except (EXCEPTION_EXECUTE_HANDLER) {
			step(2);
		}
		step(3);
	}
}

static void a_finally_may_handle_exceptions_itself(void)
{
	order = 0;
	__try {
		handles_inside_finally();
	} __except (EXCEPTION_EXECUTE_HANDLER) {
		step(4);
	}
	CHECK(order == 1234);
}

static void a_handler_may_raise_again(void)
{
	order = 0;
	__try {
		__try {
			divide(zero);
		} __except (EXCEPTION_EXECUTE_HANDLER) {
			step(1);
			ExRaiseStatus(exception_code());
		}
	} __except (EXCEPTION_EXECUTE_HANDLER) {
		step(2);
	}
	CHECK(order == 12);
}

static void locals_keep_their_values(void)
{
	volatile ULONG64 values[40];
	ULONG64 sum = 0;
	for (ULONG i = 0; i < 40; i++)
		values[i] = i;
	__try {
		divide(zero);
	} __except (EXCEPTION_EXECUTE_HANDLER) {
		for (ULONG i = 0; i < 40; i++)
			sum += values[i];
	}
	CHECK(sum == 780);
}

void test_unwinds(void)
{
	finally_runs_at_a_normal_end();
	finally_runs_between_filter_and_handler();
	finally_in_the_same_function_runs_too();
	finally_outside_of_the_handler_waits();
	finally_runs_at_a_return_from_inside();
	leave_goes_to_the_end();
	colliding_unwinds_run_every_finally_once();
	a_finally_may_handle_exceptions_itself();
	a_handler_may_raise_again();
	locals_keep_their_values();
}

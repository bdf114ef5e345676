/* SPDX-License-Identifier: MIT */
/*
 * Bug checks.
 *
 * The first one in a process is told to the listeners, by the thread on which it
 * happened; `state` says how far that is. From then on the kernel is dead: a further
 * bug check, on whatever thread, is not told again but leaves like the first,
 * after the first has been told, so that no report is cut off by the process
 * ending under it. A bug check of the telling thread itself (a listener failed) goes
 * to standard error.
 *
 * Leaving is a siglongjmp to the innermost ke_guard of the host thread. The frames of
 * drivers and kernel between are simply dropped, as on Windows, where nothing runs
 * after a bug check either. The guards of a thread are a stack in its processor.
 */
#include "ke/bugcheck.h"
#include "ex/event.h"
#include "ke/dispatcher.h"
#include "ke/report.h"
#include "ke/stackwalk.h"
#include "ke/thread.h"
#include "ps/process.h"
#include "trap.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXIT_BUG_CHECK 123

struct guard {
	sigjmp_buf start;
	struct guard *outer;
	struct ke_callout *callout;
	struct ke_stack_limits stack;
	KIRQL irql;
};

enum { ALIVE, BEING_TOLD, DEAD };
static _Atomic int state;
static _Atomic(const struct ke_processor *) teller;
static void (*_Atomic when_crashed)(void);

void ke_when_crashed(void (*fn)(void))
{
	atomic_store(&when_crashed, fn);
}

bool ke_crashed(void)
{
	return atomic_load(&state) != ALIVE;
}

const char *ke_bug_check_name(ULONG code)
{
	switch (code) {
#define BUG_CHECK_NAME(name, value)                                                                \
	case (ULONG)(value):                                                                       \
		return #name;
		RINGSIDE_BUG_CHECK_LIST(BUG_CHECK_NAME)
#undef BUG_CHECK_NAME
	default:
		return "UNKNOWN_BUG_CHECK";
	}
}

/* ---- What happened ---------------------------------------------------------------- */

/* The innermost driver frame of the stack; of a program that declared its own code as a
 * module that would be ourselves, so there the routine that was called counts. */
static const void *to_blame(const struct rs_stack *stack, const struct ke_callout *callout)
{
	const void *declared = callout->routine;
	for (unsigned i = 0; i < stack->count; i++) {
		const struct ldr_module *module = ldr_module_of(stack->frame[i]);
		if (!ke_is_driver(module))
			continue;
		if (module->mapped_size)
			return stack->frame[i];
		if (!declared)
			declared = stack->frame[i];
	}
	return declared;
}

/* What is under way. A driver that overran an array of its own has written over our
 * frames too, and this record lies in one of them. */
static struct ke_callout callout_of(const struct ke_processor *self)
{
	struct ke_callout callout;
	if (self->callout &&
	    host_read(&callout, self->callout, sizeof(callout)) == sizeof(callout) &&
	    callout.self == self)
		return callout;
	return (struct ke_callout){0};
}

static void describe(const struct ke_bug_check *what, const struct ke_frame *frame,
		     const struct ke_processor *self, struct rs_event *event)
{
	struct ke_callout callout = callout_of(self);
	event->type = RS_BUG_CHECK;
	event->bug_check.code = what->code;
	memcpy(event->bug_check.parameter, what->parameter, sizeof(what->parameter));
	event->bug_check.name = ke_bug_check_name(what->code);
	event->bug_check.callback = callout.what;
	event->bug_check.irql = self->pcr.irql;
	ke_walk_stack(frame, &event->bug_check.stack);
	event->bug_check.address = what->address ? what->address
						 : to_blame(&event->bug_check.stack, &callout);
	const struct ldr_module *module = ldr_module_of(event->bug_check.address);
	event->bug_check.module = module ? &module->entry : NULL;

	const struct _ETHREAD *thread = self->pcr.current_thread;
	event->bug_check.thread_id = thread->id;
	if (thread->process) {
		event->bug_check.process_id = thread->process->id;
		event->bug_check.host_id = thread->process->host_id;
	}
}

/* ---- Telling it ------------------------------------------------------------------- */

static void print(const struct rs_event *event)
{
	char text[8192];
	size_t length = ke_format_bug_check(text, sizeof(text), event);
	(void)!write(STDERR_FILENO, text, length);
}

/* Waits for another thread's report, but not for ever: it may hang in a listener. */
static void wait_until(int wanted)
{
	static const struct timespec pause = {.tv_nsec = 10000000};
	for (int i = 0; i < 500 && atomic_load(&state) != wanted; i++)
		nanosleep(&pause, NULL);
}

static void die(void)
{
	void (*act)(void) = atomic_load(&when_crashed);
	if (act)
		act();
	atomic_store(&state, DEAD);
	ke_end_sleepers(false); /* nobody will come to wake them */
}

/* A bug check while one is being told, by the thread that tells it: a listener failed,
 * or found what it needs destroyed. The next one ends the process, since even printing
 * did not work then. */
static void tell_again(const struct rs_event *event)
{
	static const char message[] = "*** BUG CHECK while one was being reported\n";
	static _Atomic unsigned times;
	if (atomic_fetch_add(&times, 1) == 0) {
		print(event);
		die();
		return;
	}
	(void)!write(STDERR_FILENO, message, sizeof(message) - 1);
	_exit(EXIT_BUG_CHECK);
}

static void tell(const struct ke_processor *self, struct rs_event *event)
{
	int expected = ALIVE;
	if (atomic_compare_exchange_strong(&state, &expected, BEING_TOLD)) {
		atomic_store(&teller, self);
		if (ex_heard())
			ex_tell(event);
		else if (!self->guard)
			print(event);
		die();
	} else if (atomic_load(&teller) == self && expected == BEING_TOLD) {
		tell_again(event);
	} else if (atomic_load(&teller) == self) {
		print(event); /* by someone who went on regardless */
	} else {
		wait_until(DEAD);
	}
}

/* ---- Leaving ---------------------------------------------------------------------- */

static _Noreturn void leave(struct ke_processor *self)
{
	struct guard *guard = self->guard;
	if (guard)
		siglongjmp(guard->start, 1);
	/* Another thread has told of the first bug check and may be saving what was
	 * recorded. NT would have frozen this processor; but nobody may wait for ever. */
	if (atomic_load(&teller) != self)
		sleep(5);
	_exit(EXIT_BUG_CHECK);
}

_Noreturn void ke_bug_check(const struct ke_bug_check *what, const char *format, ...)
{
	struct ke_processor *self = ke_processor();
	struct ke_frame here = {.pc = (uintptr_t)__builtin_return_address(0),
				.known = 1u << KE_RSP | 1u << KE_RBP};
	ULONG64 *frame = __builtin_frame_address(0); /* our rbp: the caller's, return address */
	struct rs_event event = {0};
	char detail[512];
	va_list arguments;

	here.reg[KE_RBP] = frame[0];
	here.reg[KE_RSP] = (uintptr_t)(frame + 2);
	va_start(arguments, format);
	vsnprintf(detail, sizeof(detail), format, arguments);
	va_end(arguments);
	ke_drop_dispatcher();
	describe(what, what->from ? what->from : &here, self, &event);
	event.bug_check.detail = detail;
	tell(self, &event);
	leave(self);
}

_Noreturn void ke_leave(void)
{
	if (ke_crashed())
		wait_until(DEAD);
	leave(ke_processor());
}

static void enter(struct guard *guard)
{
	struct ke_processor *self = ke_processor();
	guard->outer = self->guard;
	guard->callout = self->callout;
	guard->irql = self->pcr.irql;
	guard->stack = self->stack;
	self->guard = guard;
}

static void end(const struct guard *guard)
{
	ke_self->guard = guard->outer;
}

bool ke_guard(void (*fn)(void *), void *argument)
{
	struct guard guard;

	enter(&guard);
	/* Without the mask, which would cost a system call each time: the handlers that we
	 * may come from block nothing (trap.c). */
	if (sigsetjmp(guard.start, 0)) {
		ke_self->callout = guard.callout;
		ke_self->pcr.irql = guard.irql;
		ke_return_to_stack(ke_self, &guard.stack);
		end(&guard);
		return false;
	}
	ke_call_on_kernel_stack(ke_self, fn, argument);
	end(&guard);
	return true;
}

_Noreturn void ke_assertion_failed(const char *text, const char *file, int line)
{
	fprintf(stderr, "ringside: %s:%d: assertion failed: %s\n", file, line, text);
	abort();
}

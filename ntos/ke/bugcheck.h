/* SPDX-License-Identifier: MIT */
/*
 * Bug checks: how a driver's mistake ends.
 *
 * A bug check tells the listeners (RS_BUG_CHECK) and then leaves the kernel for
 * good: control goes to the innermost ke_guard of this host thread, if there is
 * one, and otherwise the process ends with status 123. From then on ke_crashed()
 * is true, and whoever owns a loop around the kernel stops calling drivers.
 */
#ifndef RINGSIDE_KE_BUGCHECK_H
#define RINGSIDE_KE_BUGCHECK_H

#include <ringside/nt.h>
#include <stdbool.h>

#define RINGSIDE_BUG_CHECK_LIST(X)                                                                 \
	X(APC_INDEX_MISMATCH, 0x1)                                                                 \
	X(IRQL_NOT_LESS_OR_EQUAL, 0xA)                                                             \
	X(REFERENCE_BY_POINTER, 0x18)                                                              \
	X(BAD_POOL_HEADER, 0x19)                                                                   \
	X(KMODE_EXCEPTION_NOT_HANDLED, 0x1E)                                                       \
	X(IRQL_GT_ZERO_AT_SYSTEM_SERVICE, 0x4A)                                                    \
	X(PAGE_FAULT_IN_NONPAGED_AREA, 0x50)                                                       \
	X(TARGET_MDL_TOO_SMALL, 0x40)                                                              \
	X(PFN_LIST_CORRUPT, 0x4E)                                                                  \
	X(PROCESS_HAS_LOCKED_PAGES, 0x76)                                                          \
	X(MUTEX_LEVEL_NUMBER_VIOLATION, 0xD)                                                       \
	X(SYSTEM_SERVICE_EXCEPTION, 0x3B)                                                          \
	X(SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, 0x7E)                                               \
	X(ATTEMPTED_WRITE_TO_READONLY_MEMORY, 0xBE)                                                \
	X(ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY, 0xFC)                                             \
	X(UNEXPECTED_KERNEL_MODE_TRAP, 0x7F)                                                       \
	X(INVALID_PROCESS_ATTACH_ATTEMPT, 0x5)                                                     \
	X(INVALID_PROCESS_DETACH_ATTEMPT, 0x6)                                                     \
	X(NO_MORE_IRP_STACK_LOCATIONS, 0x35)                                                       \
	X(MULTIPLE_IRP_COMPLETE_REQUESTS, 0x44)                                                    \
	X(INCONSISTENT_IRP, 0x2A)                                                                  \
	X(CANCEL_STATE_IN_COMPLETED_IRP, 0x48)                                                     \
	X(MUST_SUCCEED_POOL_EMPTY, 0x41)                                                           \
	X(BAD_POOL_CALLER, 0xC2)                                                                   \
	X(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xC4)                                                \
	X(IRQL_UNEXPECTED_VALUE, 0xC8)                                                             \
	X(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0xC9)                                               \
	X(DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, 0xCE)                             \
	X(DRIVER_IRQL_NOT_LESS_OR_EQUAL, 0xD1)                                                     \
	X(DRIVER_UNMAPPING_INVALID_VIEW, 0xD7)                                                     \
	X(MANUALLY_INITIATED_CRASH, 0xE2)                                                          \
	X(MANUALLY_INITIATED_CRASH1, 0xDEADDEAD)                                                   \
	X(CRITICAL_PROCESS_DIED, 0xEF)                                                             \
	X(FLTMGR_FILE_SYSTEM, 0xF5)                                                                \
	X(INVALID_KERNEL_HANDLE, 0x93)                                                             \
	X(DRIVER_OVERRAN_STACK_BUFFER, 0xF7)                                                       \
	X(CRITICAL_STRUCTURE_CORRUPTION, 0x109)                                                    \
	X(KERNEL_SECURITY_CHECK_FAILURE, 0x139)                                                    \
	X(RESOURCE_NOT_OWNED, 0xE3)                                                                \
	X(SPIN_LOCK_ALREADY_OWNED, 0xF)                                                            \
	X(MAXIMUM_WAIT_OBJECTS_EXCEEDED, 0xC)                                                      \
	X(KERNEL_APC_PENDING_DURING_EXIT, 0x20)                                                    \
	X(THREAD_TERMINATE_HELD_MUTEX, 0x8A)                                                       \
	X(TIMER_OR_DPC_INVALID, 0xC7)                                                              \
	X(WORKER_THREAD_RETURNED_AT_BAD_IRQL, 0xE1)                                                \
	X(WORKER_INVALID, 0xE4)                                                                    \
	X(ACTIVE_EX_WORKER_THREAD_TERMINATION, 0xE9)                                               \
	X(THREAD_NOT_MUTEX_OWNER, 0x11)                                                            \
	X(SPIN_LOCK_NOT_OWNED, 0x10)                                                               \
	X(CALLBACK_RULE_VIOLATION, 0x52494E47) /* ours: a rule without a code of NT's */           \
	X(MISSING_EXPORT_CALLED, 0x52494E48)   /* ours: a name that Ringside lacks */

enum ke_bug_check_code {
#define KE_BUG_CHECK_ENUM(name, value) KE_##name = (int)(value),
	RINGSIDE_BUG_CHECK_LIST(KE_BUG_CHECK_ENUM)
#undef KE_BUG_CHECK_ENUM
};

/* The code's name, or "UNKNOWN_BUG_CHECK". */
const char *ke_bug_check_name(ULONG code);

struct ke_frame; /* stackwalk.h */

struct ke_bug_check {
	ULONG code;
	ULONG64 parameter[4];
	const void *address; /* driver code to blame, or NULL: the innermost frame in a driver */
	const struct ke_frame *from; /* where the stack walk starts, or NULL: here */
};

/* Any IRQL, any thread, a signal handler included. `format` says in a sentence
 * what happened. Does not return. */
_Noreturn void ke_bug_check(const struct ke_bug_check *what, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Shorthand for a broken rule with a code and up to four parameters. */
#define KE_BUG_CHECK(code_, p1, p2, p3, p4, ...)                                                   \
	ke_bug_check(&(struct ke_bug_check){.code = (ULONG)(code_),                                \
					    .parameter = {(ULONG64)(p1), (ULONG64)(p2),            \
							  (ULONG64)(p3), (ULONG64)(p4)}},          \
		     __VA_ARGS__)

/* Takes this host thread to its innermost ke_guard: for one that finds the kernel dead, or
 * that the shutdown ends. */
_Noreturn void ke_leave(void);

/* Calls fn once there is a bug check, after it was told, on the thread that it happened on:
 * whoever has to act on it at once. System calls only; NULL takes it back. */
void ke_when_crashed(void (*fn)(void));

/* Whether there has been a bug check in this process. */
bool ke_crashed(void);

/* Runs fn(argument). Returns true when it returned, false when a bug check ended
 * it; its locals are gone then and whatever it held in the kernel stays held. */
bool ke_guard(void (*fn)(void *), void *argument);

/* Our own mistakes: on in every build. */
_Noreturn void ke_assertion_failed(const char *text, const char *file, int line);
#define KE_ASSERT(condition)                                                                       \
	((condition) ? (void)0 : ke_assertion_failed(#condition, __FILE__, __LINE__))

#endif

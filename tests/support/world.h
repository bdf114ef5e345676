/* SPDX-License-Identifier: MIT */
/*
 * A booted kernel for a test in C: this program is a module that may register
 * callbacks, and processes are made with a line.
 */
#ifndef RINGSIDE_TEST_WORLD_H
#define RINGSIDE_TEST_WORLD_H

#include <ringside/ringside.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* cmocka fixtures: a kernel of the documented or of the observed profile in which
 * this program passes the integrity test, up before the test and shut down after
 * it, with a check that nothing was left allocated and IRQL is PASSIVE_LEVEL. */
int world_documented(void **state);
int world_observed(void **state);
int world_end(void **state);

/* A kernel in which one switch C-n differs from the documented profile; replaces the
 * fixture's, so it is the first line of a test. */
void world_with_switch(unsigned number, bool value);

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_documented, world_end)
#define OBSERVED_TEST(name) cmocka_unit_test_setup_teardown(name, world_observed, world_end)

/* Likewise a kernel with those options. */
void world_with(const struct rs_options *options);

/* Takes away or gives back what lets this program register Ex and object callbacks. */
void world_set_integrity(bool integrity);

/* A Win32 process with one thread that runs, made by the current thread and
 * inheriting from the current process. Asserts success. */
struct actor {
	PEPROCESS process;
	PETHREAD thread;
};
struct actor actor_start(const char *image);
struct actor actor_start_as(const struct rs_process_spec *spec);

/* Ends it and gives the references back. */
void actor_end(struct actor *actor);

/* The life of one process, start to end. */
void actor_live(const char *image);

/* Makes the n-th allocation from now on fail (0: the next) whose call site contains
 * `site` ("ps/registration.c"; NULL: any); or with n = ALWAYS each of them. */
#define ALWAYS (~0u)
void fail_allocation(const char *site, unsigned n);

/* Ends that. Returns how many failed. */
unsigned stop_failing(void);

/* An export with the IRQL check that a driver's call goes through. Asserts that there
 * is one. */
void *export_of(const char *name);

#define assert_status(actual, expected) assert_int_equal((uint32_t)(actual), (uint32_t)(expected))
#define assert_ntsuccess(actual) assert_status(actual, STATUS_SUCCESS)

/* UNICODE_STRING of a u"" literal, and its initializer. */
#define USTR_INIT(literal)                                                                         \
	{                                                                                          \
		sizeof(literal) - 2, sizeof(literal), (PWSTR)(uintptr_t)literal                    \
	}
#define USTR(literal) ((UNICODE_STRING)USTR_INIT(literal))

/* The ids as numbers. */
static inline ULONG64 id_of(PEPROCESS process)
{
	HANDLE NTAPI PsGetProcessId(PEPROCESS);
	return (ULONG64)PsGetProcessId(process);
}

static inline ULONG64 id_of_thread(PETHREAD thread)
{
	HANDLE NTAPI PsGetThreadId(PETHREAD);
	return (ULONG64)PsGetThreadId(thread);
}

#endif

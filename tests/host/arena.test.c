/* SPDX-License-Identifier: MIT */
/* Memory for those who write where they should not. */
#include "arena.h"
#include "sanitizer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
/* last: needs what is above */
#include <cmocka.h>

#define PAGE 4096u

static const size_t sizes[] = {0,     1,     16,    17,    100,    1008,    1024,   1025,
			       1279,  1281,  2000,  4000,  4096,   4097,    8192,   10000,
			       20000, 65535, 65536, 65537, 100000, 1 << 20, 3 << 20};
#define SIZES (sizeof(sizes) / sizeof(*sizes))

static void every_size_is_aligned_and_wholly_writable(void **state)
{
	(void)state;
	for (size_t alignment = 16; alignment <= PAGE; alignment *= 2) {
		char *memory[SIZES];
		for (size_t i = 0; i < SIZES; i++) {
			memory[i] = host_arena_alloc(sizes[i], alignment);
			assert_non_null(memory[i]);
			assert_int_equal((uintptr_t)memory[i] % alignment, 0);
			memset(memory[i], (int)i + 1, sizes[i]);
		}
		for (size_t i = 0; i < SIZES; i++) {
			for (size_t at = 0; at < sizes[i]; at++)
				assert_int_equal(memory[i][at], (char)(i + 1));
			host_arena_free(memory[i], sizes[i], alignment);
		}
	}
}

static void what_is_below_a_page_lies_within_one(void **state)
{
	(void)state;
	if (HOST_SANITIZED)
		skip();
	for (size_t size = 16; size < PAGE; size += 528) {
		char *memory[64];
		for (unsigned i = 0; i < 64; i++) {
			memory[i] = host_arena_alloc(size, 16);
			assert_true((uintptr_t)memory[i] % PAGE + size <= PAGE);
		}
		for (unsigned i = 0; i < 64; i++)
			host_arena_free(memory[i], size, 16);
	}
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
	return (x > y) - (x < y);
}

static void writing_to_what_was_freed_does_not_mislead_it(void **state)
{
	(void)state;
	if (HOST_SANITIZED)
		skip();
	char *memory[1000];
	for (unsigned i = 0; i < 1000; i++)
		memory[i] = host_arena_alloc(48, 16);
	for (unsigned i = 0; i < 1000; i++)
		host_arena_free(memory[i], 48, 16);
	for (unsigned i = 0; i < 1000; i++)
		memset(memory[i], 0x41, 48);
	for (unsigned i = 0; i < 1000; i++)
		memory[i] = host_arena_alloc(48, 16);
	qsort(memory, 1000, sizeof(*memory), by_address);
	for (unsigned i = 1; i < 1000; i++)
		assert_true(memory[i] - memory[i - 1] >= 48);
	for (unsigned i = 0; i < 1000; i++)
		host_arena_free(memory[i], 48, 16);
}

/* How a child ends that writes upwards from a block for ever. */
static int overrun_from(char *memory)
{
	int status;
	pid_t child = fork();
	if (!child) {
		for (volatile char *at = memory;; at++)
			*at = 0;
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void an_overrun_ends_at_a_guard_page(void **state)
{
	(void)state;
	if (HOST_SANITIZED)
		skip();
	size_t size[] = {100, 3 << 20};
	for (unsigned i = 0; i < 2; i++) {
		char *memory = host_arena_alloc(size[i], 16);
		int status = overrun_from(memory);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSEGV);
		host_arena_free(memory, size[i], 16);
	}
}

static bool all_fail(const char *site)
{
	return strstr(site, "arena.test.c:") != NULL;
}

static void it_fails_on_demand_and_is_counted(void **state)
{
	(void)state;
	host_fail_allocations(all_fail);
	void *none = host_arena_alloc(16, 16);
	host_fail_allocations(NULL);
	assert_null(none);
	uint64_t before = host_live_allocations();
	void *memory = host_arena_alloc(16, 16);
	assert_int_equal(host_live_allocations(), before + 1);
	host_arena_free(memory, 16, 16);
	assert_int_equal(host_live_allocations(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_is_aligned_and_wholly_writable),
		cmocka_unit_test(what_is_below_a_page_lies_within_one),
		cmocka_unit_test(writing_to_what_was_freed_does_not_mislead_it),
		cmocka_unit_test(an_overrun_ends_at_a_guard_page),
		cmocka_unit_test(it_fails_on_demand_and_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

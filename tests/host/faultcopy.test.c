/* SPDX-License-Identifier: MIT */
/* Copies that end where memory does. */
#include "faultcopy.h"
#include "support/world.h"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE ((size_t)4096)

/* Two pages, the second of which can't be touched. */
static char *half_there(int protection)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	memset(pages, 'x', 2 * PAGE);
	assert_int_equal(mprotect(pages + PAGE, PAGE, protection), 0);
	return pages;
}

static void copy_ends_where_it_cannot_read(void **state)
{
	(void)state;
	char to[32] = {0}, *pages = half_there(PROT_NONE);
	assert_int_equal(host_copy(to, pages + PAGE - 10, 32), 10);
	assert_memory_equal(to, "xxxxxxxxxx\0", 11);
	assert_int_equal(host_copy(to, pages + PAGE, 32), 0);
	munmap(pages, 2 * PAGE);
}

static void copy_ends_where_it_cannot_write(void **state)
{
	(void)state;
	char *pages = half_there(PROT_READ);
	assert_int_equal(host_copy(pages + PAGE - 3, "abcdef", 6), 3);
	assert_memory_equal(pages + PAGE - 4, "xabcxxx", 7);
	munmap(pages, 2 * PAGE);
}

static void whole_copies_and_empty_ones(void **state)
{
	(void)state;
	static char from[3 * 4096], to[3 * 4096];
	memset(from, 'y', sizeof from);
	assert_int_equal(host_copy(to, from, sizeof from), sizeof from);
	assert_memory_equal(to, from, sizeof from);
	assert_int_equal(host_copy(NULL, from, 0), 0);
}

static void address_that_is_none_is_the_end_too(void **state)
{
	(void)state;
	char to[8];
	assert_int_equal(host_copy(to, (void *)0x8000000000000000, 8), 0);
	assert_int_equal(host_copy((void *)0xFFFF800000000000, to, 8), 0);
}

/* Beyond the end of a mapped file Linux sends another signal. */
static void end_of_a_file_is_the_end_too(void **state)
{
	(void)state;
	FILE *file = tmpfile();
	assert_non_null(file);
	assert_int_equal(fputs("some", file), 1);
	assert_int_equal(fflush(file), 0);
	char to[32], *pages = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fileno(file), 0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(host_copy(to, pages + PAGE - 8, 16), 8);
	munmap(pages, 2 * PAGE);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(copy_ends_where_it_cannot_read),
		WORLD_TEST(copy_ends_where_it_cannot_write),
		WORLD_TEST(whole_copies_and_empty_ones),
		WORLD_TEST(address_that_is_none_is_the_end_too),
		WORLD_TEST(end_of_a_file_is_the_end_too),
	};
	return cmocka_run_group_tests_name("host/faultcopy", tests, NULL, NULL);
}

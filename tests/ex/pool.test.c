/* SPDX-License-Identifier: MIT */
/* Pool: what a driver gets, and each rule it can break. VF-8, VF-19. */
#include "ex/pool.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "memory.h"
#include "sanitizer.h"
#include "support/bugcheck.h"
#include <pthread.h>
#include <ringside/ringside.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* last: needs what is above */
#include <cmocka.h>

#define TAG 0x31676154u /* "Tag1" */
#define OTHER_TAG 0x32676154u

static int boot(void **state)
{
	(void)state;
	return rs_boot(NULL) || rs_declare_program("test.sys", true);
}

static int shut_down(void **state)
{
	(void)state;
	rs_shutdown();
	return 0;
}

static __attribute__((noinline)) PVOID get(SIZE_T size)
{
	PVOID block = ExAllocatePool2(POOL_FLAG_NON_PAGED, size, TAG);
	assert_non_null(block);
	return block;
}

static bool all_bytes_are(const void *memory, SIZE_T size, unsigned char byte)
{
	const unsigned char *bytes = memory;
	for (SIZE_T i = 0; i < size; i++) {
		if (bytes[i] != byte)
			return false;
	}
	return true;
}

/* ---- Getting it -------------------------------------------------------------------------- */

static const SIZE_T sizes[] = {0,    1,    8,    15,   16,   17,   100,   512,   1000,
			       2048, 4000, 4095, 4096, 4097, 8192, 10000, 100000};
#define SIZES (sizeof(sizes) / sizeof(*sizes))

static void block_is_aligned_to_16_or_a_page(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SIZES; i++) {
		PVOID block = get(sizes[i]);
		assert_int_equal((uintptr_t)block % (sizes[i] >= 4096 ? 4096 : 16), 0);
		ExFreePool(block);
	}
}

static void block_below_a_page_crosses_no_page_boundary(void **state)
{
	(void)state;
	static PVOID block[400];
	for (unsigned i = 0; i < 400; i++) {
		SIZE_T size = 1 + i * 37 % 4095;
		block[i] = get(size);
		uintptr_t first = (uintptr_t)block[i];
		assert_int_equal(first / 4096, (first + size - 1) / 4096);
	}
	for (unsigned i = 0; i < 400; i++)
		ExFreePool(block[i]);
}

static void cache_aligned_block_begins_a_line(void **state)
{
	(void)state;
	PVOID block = ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_CACHE_ALIGNED, 100, TAG);
	assert_int_equal((uintptr_t)block % 64, 0);
	ExFreePool(block);
}

static void pool2_is_zeroed_and_the_older_routines_are_not(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SIZES; i++) {
		PVOID zeroed = get(sizes[i]);
		assert_true(all_bytes_are(zeroed, sizes[i], 0));
		PVOID asked = ExAllocatePoolWithTag(NonPagedPoolNx | POOL_ZERO_ALLOCATION, sizes[i],
						    TAG);
		assert_true(all_bytes_are(asked, sizes[i], 0));
		PVOID fresh = ExAllocatePoolWithTag(NonPagedPoolNx, sizes[i], TAG);
		assert_true(all_bytes_are(fresh, sizes[i], POOL_FRESH_BYTE));
		PVOID unzeroed = ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED,
						 sizes[i], TAG);
		assert_true(all_bytes_are(unzeroed, sizes[i], POOL_FRESH_BYTE));
		ExFreePool(zeroed);
		ExFreePool(asked);
		ExFreePool(fresh);
		ExFreePool(unzeroed);
	}
}

static void every_routine_allocates_what_every_free_takes(void **state)
{
	(void)state;
	POOL_EXTENDED_PARAMETER node = {.Type = PoolExtendedParameterNumaNode};
	memset(ExAllocatePool(PagedPool, 24), 1, 24);
	PVOID blocks[] = {
		ExAllocatePool(NonPagedPool, 24),
		ExAllocatePoolWithTag(PagedPool, 24, TAG),
		ExAllocatePoolWithTagPriority(PagedPool, 24, TAG, 0),
		ExAllocatePoolWithQuota(PagedPool, 24),
		ExAllocatePoolWithQuotaTag(NonPagedPoolNx, 24, TAG),
		ExAllocatePool2(POOL_FLAG_NON_PAGED_EXECUTE, 24, TAG),
		ExAllocatePool3(POOL_FLAG_PAGED, 24, TAG, &node, 1),
	};
	for (unsigned i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
		assert_non_null(blocks[i]);
		memset(blocks[i], 0xFF, 24);
		if (i % 3 == 0)
			ExFreePool(blocks[i]);
		else if (i % 3 == 1)
			ExFreePoolWithTag(blocks[i], TAG);
		else
			ExFreePool2(blocks[i], 0, NULL, 0);
	}
}

static void pool2_refuses_invalid_flags_and_tag_0(void **state)
{
	(void)state;
	static const POOL_FLAGS invalid[] = {
		0,
		POOL_FLAG_UNINITIALIZED,
		POOL_FLAG_PAGED | POOL_FLAG_NON_PAGED,
		POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE,
		POOL_FLAG_PAGED | 0x10,
		POOL_FLAG_PAGED | 0x200,
		POOL_FLAG_PAGED | 0x80000000,
	};
	for (unsigned i = 0; i < sizeof(invalid) / sizeof(*invalid); i++)
		assert_null(ExAllocatePool2(invalid[i], 16, TAG));
	assert_null(ExAllocatePool2(POOL_FLAG_PAGED, 16, 0));
	/* The upper half is advice. */
	PVOID block = ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_SPECIAL_POOL | 1ull << 62, 16,
				      TAG);
	assert_non_null(block);
	ExFreePool(block);
}

static void pool3_has_no_secure_pool_unless_it_is_optional(void **state)
{
	(void)state;
	POOL_EXTENDED_PARAMETER secure = {.Type = PoolExtendedParameterSecurePool};
	assert_null(ExAllocatePool3(POOL_FLAG_PAGED, 16, TAG, &secure, 1));
	secure.Optional = 1;
	PVOID block = ExAllocatePool3(POOL_FLAG_PAGED, 16, TAG, &secure, 1);
	assert_non_null(block);
	ExFreePool(block);
}

static void impossible_size_is_null(void **state)
{
	(void)state;
	assert_null(ExAllocatePoolWithTag(PagedPool, ~(SIZE_T)0, TAG));
	assert_null(ExAllocatePoolWithTag(PagedPool, ~(SIZE_T)0 - 20, TAG));
	assert_null(ExAllocatePool2(POOL_FLAG_PAGED, (SIZE_T)1 << 62, TAG));
}

static unsigned fail_at, allocation;

static bool fail_one(const char *site)
{
	(void)site;
	return allocation++ == fail_at;
}

static void each_host_failure_is_null_and_leaks_nothing(void **state)
{
	(void)state;
	uint64_t before = host_live_allocations();
	for (fail_at = 0; fail_at < 2; fail_at++) {
		allocation = 0;
		host_fail_allocations(fail_one);
		PVOID block = ExAllocatePoolWithTag(PagedPool, 5000, TAG);
		host_fail_allocations(NULL);
		assert_null(block);
		assert_int_equal(host_live_allocations(), before);
	}
}

static void freeing_gives_the_host_memory_back(void **state)
{
	(void)state;
	uint64_t before = host_live_allocations();
	PVOID block = get(100);
	assert_true(host_live_allocations() > before);
	ExFreePoolWithTag(block, TAG);
	assert_int_equal(host_live_allocations(), before);
}

/* ---- Breaking the rules ---------------------------------------------------------------------- */

static void expect(ULONG code, ULONG64 what, void (*fn)(void *))
{
	const struct bug_check_seen *seen = expect_bug_check(code, fn, NULL);
	assert_int_equal(seen->parameter[0], what);
	assert_string_equal(seen->module, "test.sys");
}

static void free_twice(void *argument)
{
	(void)argument;
	PVOID block = get(40);
	ExFreePool(block);
	ExFreePool(block);
}

static void free_other_tag(void *argument)
{
	(void)argument;
	ExFreePoolWithTag(get(40), OTHER_TAG);
}

static void free_null(void *argument)
{
	(void)argument;
	ExFreePool(NULL);
}

static void free_user_address(void *argument)
{
	(void)argument;
	ExFreePool((PVOID)0x7FFD0000);
}

static void free_stack(void *argument)
{
	(void)argument;
	char local[64];
	ExFreePool(local);
}

static void free_middle(void *argument)
{
	(void)argument;
	ExFreePool((char *)get(64) + 16);
}

static void write_behind(void *argument)
{
	(void)argument;
	char *volatile block = get(41);
	block[41] ^= 1;
	ExFreePool(block);
}

static void write_behind_page(void *argument)
{
	(void)argument;
	char *volatile block = get(4096);
	block[4096] ^= 1;
	ExFreePool(block);
}

static void write_in_front(void *argument)
{
	(void)argument;
	char *volatile block = get(40);
	block[-1] ^= 1;
	ExFreePool(block);
}

static void allocate_paged_at_dispatch(void *argument)
{
	(void)argument;
	ke_set_irql(DISPATCH_LEVEL);
	ExAllocatePoolWithTag(PagedPool, 40, TAG);
}

static void allocate_paged2_at_dispatch(void *argument)
{
	(void)argument;
	ke_set_irql(DISPATCH_LEVEL);
	ExAllocatePool2(POOL_FLAG_PAGED, 40, TAG);
}

static void free_paged_at_dispatch(void *argument)
{
	(void)argument;
	PVOID block = ExAllocatePoolWithTag(PagedPool, 40, TAG);
	ke_set_irql(DISPATCH_LEVEL);
	ExFreePool(block);
}

static void allocate_tag_0(void *argument)
{
	(void)argument;
	ExAllocatePoolWithTag(PagedPool, 40, 0);
}

static void allocate_must_succeed(void *argument)
{
	(void)argument;
	ExAllocatePoolWithTag(NonPagedPoolMustSucceed, 40, TAG);
}

static void allocate_raising(void *argument)
{
	(void)argument;
	ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_RAISE_ON_FAILURE, (SIZE_T)1 << 62, TAG);
}

static void freeing_twice_is_c2_07(void **state)
{
	(void)state;
	expect(KE_BAD_POOL_CALLER, 0x07, free_twice);
}

static void freeing_with_another_tag_is_c2_0a(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(KE_BAD_POOL_CALLER, free_other_tag,
							     NULL);
	assert_int_equal(seen->parameter[0], 0x0A);
	assert_int_equal(seen->parameter[2], TAG);
	assert_int_equal(seen->parameter[3], OTHER_TAG);
}

static void freeing_what_is_no_block_is_c2_46(void **state)
{
	(void)state;
	expect(KE_BAD_POOL_CALLER, 0x46, free_null);
	expect(KE_BAD_POOL_CALLER, 0x46, free_stack);
	expect(KE_BAD_POOL_CALLER, 0x46, free_middle);
	assert_non_null(strstr(expect_bug_check(KE_BAD_POOL_CALLER, free_middle, NULL)->detail,
			       "inside a pool block"));
}

static void freeing_a_user_address_is_c2_40(void **state)
{
	(void)state;
	expect(KE_BAD_POOL_CALLER, 0x40, free_user_address);
}

static void writing_one_byte_behind_a_block_is_19_21(void **state)
{
	(void)state;
	expect(KE_BAD_POOL_HEADER, 0x21, write_behind);
	expect(KE_BAD_POOL_HEADER, 0x21, write_behind_page);
}

static void writing_one_byte_in_front_of_a_block_is_c2_01(void **state)
{
	(void)state;
	expect(KE_BAD_POOL_CALLER, 0x01, write_in_front);
}

static void vf_8_paged_allocation_above_apc_level_is_c4_01(void **state)
{
	(void)state;
	expect(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x01, allocate_paged_at_dispatch);
	expect(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x01, allocate_paged2_at_dispatch);
}

static void vf_8_paged_free_above_apc_level_is_c4_11(void **state)
{
	(void)state;
	expect(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x11, free_paged_at_dispatch);
}

static void vf_8_paged_pool_at_apc_level_is_fine(void **state)
{
	(void)state;
	KIRQL before = ke_set_irql(APC_LEVEL);
	ExFreePool(ExAllocatePoolWithTag(PagedPool, 40, TAG));
	ke_set_irql(DISPATCH_LEVEL);
	ExFreePool(ExAllocatePoolWithTag(NonPagedPoolNx, 40, TAG));
	ke_set_irql(before);
}

static void tag_0_is_c2_9b(void **state)
{
	(void)state;
	expect(KE_BAD_POOL_CALLER, 0x9B, allocate_tag_0);
}

static void must_succeed_pool_is_c2_9a(void **state)
{
	(void)state;
	expect(KE_BAD_POOL_CALLER, 0x9A, allocate_must_succeed);
}

static void failure_that_raises_is_the_unhandled_exception(void **state)
{
	(void)state;
	expect(KE_KMODE_EXCEPTION_NOT_HANDLED, (ULONG)STATUS_INSUFFICIENT_RESOURCES,
	       allocate_raising);
}

/* ---- What a driver leaves ----------------------------------------------------------------------- */

static const char *const driver_code = "driver";
static UNICODE_STRING name = {8, 10, (PWSTR)(uintptr_t)u"drv1"};

/* A block that code at driver_code + offset allocated. */
static PVOID get_as_driver(unsigned offset, SIZE_T size)
{
	return ex_allocate_pool(driver_code + offset, PagedPool, size, TAG);
}

struct tally {
	unsigned blocks;
	SIZE_T bytes;
	ULONG tag;
};

static void count(void *context, ULONG tag, const void *block, SIZE_T size)
{
	struct tally *tally = context;
	assert_non_null(block);
	tally->blocks++;
	tally->bytes += size;
	tally->tag = tag;
}

static void vf_19_visit_finds_the_blocks_of_one_module(void **state)
{
	(void)state;
	struct tally tally = {0};
	PVOID before = get_as_driver(0, 1), first = get_as_driver(1, 20);
	PVOID last = get_as_driver(3, 300), behind = get_as_driver(4, 4000);
	ex_visit_pool_of(driver_code + 1, 3, count, &tally);
	assert_int_equal(tally.blocks, 2);
	assert_int_equal(tally.bytes, 320);
	assert_int_equal(tally.tag, TAG);
	ExFreePool(before);
	ExFreePool(first);
	ExFreePool(last);
	ExFreePool(behind);
	ex_visit_pool_of(driver_code, 6, count, &tally);
	assert_int_equal(tally.blocks, 2);
}

static void unload_with_blocks(void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < 16; i++)
		get_as_driver(i == 5 ? 2 : 0, i == 5 ? 20 : 10);
	ex_check_pool_at_unload(driver_code, 6, &name);
}

static void unload_with_overrun_block(void *argument)
{
	(void)argument;
	char *volatile block = get_as_driver(1, 10);
	block[10] ^= 0x80;
	ex_check_pool_at_unload(driver_code, 6, &name);
}

static void unload_with_nothing(void *argument)
{
	(void)argument;
	get_as_driver(7, 10);
	ExFreePool(get_as_driver(1, 10));
	ex_check_pool_at_unload(driver_code, 6, &name);
}

static void vf_19_blocks_left_at_unload_are_c4_62(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(KE_DRIVER_VERIFIER_DETECTED_VIOLATION,
							     unload_with_blocks, NULL);
	assert_int_equal(seen->parameter[0], 0x62);
	assert_int_equal(seen->parameter[3], 16);
	assert_int_equal(seen->address, (uintptr_t)driver_code + 2);
	assert_non_null(strstr(seen->detail, "16 pool blocks (170 bytes)"));
	assert_non_null(strstr(seen->detail, "'Tag1' with 20 bytes"));
}

/* More than guards and neighbours: what a copy without a length check writes. */
static void overrun_by_kilobytes(void *unused)
{
	(void)unused;
	char *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 504, TAG);
	memset(block, 0x41, 3000);
	ExFreePool(block);
}

static void go_on_after_overrun(void *unused)
{
	void *memory[64];
	if (rs_guard(overrun_by_kilobytes, unused))
		return;
	rs_shutdown();
	for (size_t i = 0; i < 64; i++)
		memory[i] = malloc(40 * i);
	for (size_t i = 0; i < 64; i++)
		free(memory[i]);
	_exit(123);
}

static void overrun_by_kilobytes_leaves_this_program_whole(void **state)
{
	(void)state;
	if (HOST_SANITIZED)
		skip();
	expect(KE_BAD_POOL_HEADER, 0x21, go_on_after_overrun);
}

static void block_overrun_and_left_is_19_21_at_unload(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(KE_BAD_POOL_HEADER,
							     unload_with_overrun_block, NULL);
	assert_int_equal(seen->parameter[0], 0x21);
	assert_int_equal(seen->address, (uintptr_t)driver_code + 1);
}

static void unload_ignores_the_blocks_of_others(void **state)
{
	(void)state;
	expect_no_bug_check(unload_with_nothing, NULL);
}

static void own_return_address_is_the_owner(void **state)
{
	(void)state;
	struct tally tally = {0};
	PVOID block = get(77);
	uintptr_t code = (uintptr_t)get;
	ex_visit_pool_of((const void *)code, 256, count, &tally);
	assert_int_equal(tally.blocks, 1);
	assert_int_equal(tally.bytes, 77);
	ExFreePool(block);
}

/* ---- Many threads ----------------------------------------------------------------------------------- */

#define ROUNDS 20000
#define HELD 64

static void *churn(void *seed)
{
	unsigned random = *(unsigned *)seed;
	unsigned char *held[HELD] = {NULL};
	SIZE_T size[HELD] = {0};
	for (unsigned i = 0; i < ROUNDS; i++) {
		random = random * 1103515245u + 12345u;
		unsigned at = random >> 16 & (HELD - 1);
		if (held[at]) {
			assert_true(all_bytes_are(held[at], size[at], (unsigned char)at));
			ExFreePoolWithTag(held[at], TAG);
			held[at] = NULL;
		} else {
			size[at] = 1 + (random >> 8) % 300;
			held[at] = get(size[at]);
			memset(held[at], (int)at, size[at]);
		}
	}
	for (unsigned i = 0; i < HELD; i++) {
		if (held[i])
			ExFreePool(held[i]);
	}
	return NULL;
}

static void threads_allocate_and_free_at_once(void **state)
{
	(void)state;
	pthread_t thread[4];
	unsigned seed[4] = {1, 2, 3, 4};
	uint64_t before = host_live_allocations();
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, churn, &seed[i]), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	host_free_late(); /* the thread objects of the four */
	assert_int_equal(host_live_allocations(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(block_is_aligned_to_16_or_a_page),
		cmocka_unit_test(block_below_a_page_crosses_no_page_boundary),
		cmocka_unit_test(cache_aligned_block_begins_a_line),
		cmocka_unit_test(pool2_is_zeroed_and_the_older_routines_are_not),
		cmocka_unit_test(every_routine_allocates_what_every_free_takes),
		cmocka_unit_test(pool2_refuses_invalid_flags_and_tag_0),
		cmocka_unit_test(pool3_has_no_secure_pool_unless_it_is_optional),
		cmocka_unit_test(impossible_size_is_null),
		cmocka_unit_test(each_host_failure_is_null_and_leaks_nothing),
		cmocka_unit_test(freeing_gives_the_host_memory_back),
		cmocka_unit_test(freeing_twice_is_c2_07),
		cmocka_unit_test(freeing_with_another_tag_is_c2_0a),
		cmocka_unit_test(freeing_what_is_no_block_is_c2_46),
		cmocka_unit_test(freeing_a_user_address_is_c2_40),
		cmocka_unit_test(writing_one_byte_behind_a_block_is_19_21),
		cmocka_unit_test(writing_one_byte_in_front_of_a_block_is_c2_01),
		cmocka_unit_test(vf_8_paged_allocation_above_apc_level_is_c4_01),
		cmocka_unit_test(vf_8_paged_free_above_apc_level_is_c4_11),
		cmocka_unit_test(vf_8_paged_pool_at_apc_level_is_fine),
		cmocka_unit_test(tag_0_is_c2_9b),
		cmocka_unit_test(must_succeed_pool_is_c2_9a),
		cmocka_unit_test(failure_that_raises_is_the_unhandled_exception),
		cmocka_unit_test(vf_19_visit_finds_the_blocks_of_one_module),
		cmocka_unit_test(vf_19_blocks_left_at_unload_are_c4_62),
		cmocka_unit_test(block_overrun_and_left_is_19_21_at_unload),
		cmocka_unit_test(overrun_by_kilobytes_leaves_this_program_whole),
		cmocka_unit_test(unload_ignores_the_blocks_of_others),
		cmocka_unit_test(own_return_address_is_the_owner),
		cmocka_unit_test(threads_allocate_and_free_at_once),
	};
	return cmocka_run_group_tests(tests, boot, shut_down);
}

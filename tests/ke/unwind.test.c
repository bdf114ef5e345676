/* SPDX-License-Identifier: MIT */
/* Unwind information of versions 1 and 2, good and damaged. */
#include "ke/stackwalk.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* last: needs what is above */
#include <cmocka.h>

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R12 = 12 };

/* Unwind operations, as the x64 exception handling page numbers them. */
enum {
	PUSH,
	LARGE,
	SMALL,
	SET_FRAME,
	SAVE,
	SAVE_FAR,
	EPILOG,
	SPARE,
	SAVE_XMM,
	SAVE_XMM_FAR,
	MACHINE
};

#define FUNCTION 0x100 /* where the one function is in the image */
#define FUNCTION_SIZE 0x80
#define INFO 0x800
#define CHAINED_INFO 0x900
#define TABLE 0x400

static UCHAR image[0x1000];
static struct ldr_module module = {.entry = {.DllBase = image,
					     .SizeOfImage = sizeof(image),
					     .ExceptionTable = image + TABLE,
					     .ExceptionTableSize = 12}};
static ULONG64 stack[0x400];

static void put32(ULONG offset, ULONG value)
{
	memcpy(image + offset, &value, 4);
}

static void put_function(ULONG offset, ULONG begin, ULONG end, ULONG info)
{
	put32(offset, begin);
	put32(offset + 4, end);
	put32(offset + 8, info);
}

struct slot {
	UCHAR offset, operation, argument;
};

/* A slot whose two bytes are a number. */
#define NUMBER(n)                                                                                  \
	{                                                                                          \
		(UCHAR)(n), (UCHAR)((n) >> 8) & 15, (UCHAR)((n) >> 12)                             \
	}

static ULONG put_info(ULONG at, UCHAR version, UCHAR flags, UCHAR frame, const struct slot *slot,
		      unsigned count)
{
	image[at] = (UCHAR)(version | flags << 3);
	image[at + 1] = 0x20;
	image[at + 2] = (UCHAR)count;
	image[at + 3] = frame;
	for (unsigned i = 0; i < count; i++) {
		image[at + 4 + 2 * i] = slot[i].offset;
		image[at + 5 + 2 * i] = (UCHAR)(slot[i].operation | slot[i].argument << 4);
	}
	return at + 4 + 2 * (count + (count & 1));
}

#define DESCRIBE(version, frame, ...)                                                              \
	do {                                                                                       \
		static const struct slot slots_[] = {__VA_ARGS__};                                 \
		put_info(INFO, version, 0, frame, slots_, sizeof(slots_) / sizeof(slots_[0]));     \
	} while (0)

static int prepare(void **state)
{
	(void)state;
	memset(image, 0, sizeof(image));
	put_function(TABLE, FUNCTION, FUNCTION + FUNCTION_SIZE, INFO);
	module.entry.ExceptionTableSize = 12;
	for (unsigned i = 0; i < sizeof(stack) / sizeof(stack[0]); i++)
		stack[i] = 0xA000 + i; /* each word tells where it is */
	return 0;
}

/* In the function, `offset` from its start, with rsp at stack[0]. */
static struct ke_frame frame_at(ULONG offset)
{
	struct ke_frame frame = {.pc = (uintptr_t)image + FUNCTION + offset, .known = 0xFFFF};
	frame.reg[RSP] = (uintptr_t)stack;
	return frame;
}

#define assert_returned_from_slot(frame, n)                                                        \
	do {                                                                                       \
		assert_int_equal((frame).pc, 0xA000 + (n));                                        \
		assert_int_equal((frame).reg[RSP], (uintptr_t)&stack[(n) + 1]);                    \
	} while (0)

static void pushes_and_allocations_are_undone_in_order(void **state)
{
	(void)state;
	DESCRIBE(1, 0, {8, SMALL, 3}, {4, PUSH, RBX}, {2, PUSH, R12}, {1, PUSH, RBP});
	struct ke_frame frame = frame_at(0x40);
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_returned_from_slot(frame, 7); /* 32 bytes and three registers */
	assert_int_equal(frame.reg[RBX], 0xA004);
	assert_int_equal(frame.reg[R12], 0xA005);
	assert_int_equal(frame.reg[RBP], 0xA006);
}

static void large_allocations_of_both_forms_are_undone(void **state)
{
	(void)state;
	DESCRIBE(1, 0, {8, LARGE, 0}, NUMBER(0x30));
	struct ke_frame frame = frame_at(0x40);
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_returned_from_slot(frame, 0x30);
	DESCRIBE(1, 0, {8, LARGE, 1}, NUMBER(0x1000), NUMBER(0));
	frame = frame_at(0x40);
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_returned_from_slot(frame, 0x200);
}

static void frame_register_counts_when_the_stack_pointer_moved(void **state)
{
	(void)state;
	DESCRIBE(1, RBP | 2 << 4, {10, SET_FRAME, 0}, {5, SMALL, 7}, {1, PUSH, RBP});
	struct ke_frame frame = frame_at(0x40);
	frame.reg[RBP] = (uintptr_t)&stack[100] + 2 * 16;
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_returned_from_slot(frame, 100 + 8 + 1);
	assert_int_equal(frame.reg[RBP], 0xA000 + 108);
}

static void unknown_frame_register_is_no_basis(void **state)
{
	(void)state;
	DESCRIBE(1, RBX, {10, SET_FRAME, 0}, {5, SMALL, 7}, {1, PUSH, RBX});
	struct ke_frame frame = frame_at(0x40);
	frame.known = 1u << RSP | 1u << RBP;
	assert_false(ke_unwind_frame(&module, &frame, true));
}

static void saved_registers_are_read_from_the_frame(void **state)
{
	(void)state;
	DESCRIBE(1, 0, {12, SAVE, RSI}, NUMBER(9), {10, SAVE_FAR, RDI}, NUMBER(0x50), NUMBER(0),
		 {9, SAVE_XMM, 6}, NUMBER(2), {8, SMALL, 3});
	struct ke_frame frame = frame_at(0x40);
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_returned_from_slot(frame, 4);
	assert_int_equal(frame.reg[RSI], 0xA009);
	assert_int_equal(frame.reg[RDI], 0xA00A);
}

static void only_what_the_prologue_has_done_is_undone(void **state)
{
	(void)state;
	DESCRIBE(1, 0, {8, SMALL, 3}, {4, PUSH, RBX}, {1, PUSH, RBP});
	struct ke_frame frame = frame_at(4);
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_returned_from_slot(frame, 2);
	frame = frame_at(0);
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_returned_from_slot(frame, 0);
}

static void version_2_epilogue_codes_are_skipped(void **state)
{
	(void)state;
	DESCRIBE(2, 0, {5, EPILOG, 1}, {0x20, EPILOG, 0}, {8, SMALL, 3}, {1, PUSH, RBX});
	struct ke_frame frame = frame_at(0x40);
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_returned_from_slot(frame, 5);
}

/* ---- Epilogues --------------------------------------------------------------------- */

static void put_code(ULONG offset, const char *bytes, size_t size)
{
	memcpy(image + FUNCTION + offset, bytes, size);
}
#define CODE(offset, bytes) put_code(offset, bytes, sizeof(bytes) - 1)

static void what_an_epilogue_has_done_is_not_undone_again(void **state)
{
	(void)state;
	/* add rsp, 20h; pop rbx; pop r12; ret */
	DESCRIBE(1, 0, {8, SMALL, 3}, {4, PUSH, RBX}, {2, PUSH, R12});
	CODE(0x40, "\x48\x83\xC4\x20\x5B\x41\x5C\xC3");
	static const struct {
		ULONG offset, slot;
	} at[] = {{0x40, 6}, {0x44, 2}, {0x45, 1}, {0x47, 0}};
	for (unsigned i = 0; i < 4; i++) {
		struct ke_frame frame = frame_at(at[i].offset);
		assert_true(ke_unwind_frame(&module, &frame, true));
		assert_returned_from_slot(frame, at[i].slot);
	}
	struct ke_frame frame = frame_at(0x44);
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_int_equal(frame.reg[RBX], 0xA000);
	assert_int_equal(frame.reg[R12], 0xA001);
}

static void epilogue_of_a_frame_register_begins_with_lea(void **state)
{
	(void)state;
	DESCRIBE(1, RBP | 2 << 4, {10, SET_FRAME, 0}, {5, SMALL, 7}, {1, PUSH, RBP});
	CODE(0x40, "\x48\x8D\x65\x20\x5D\xC3"); /* lea rsp, [rbp + 20h]; pop rbp; ret */
	struct ke_frame frame = frame_at(0x40);
	frame.reg[RBP] = (uintptr_t)&stack[100];
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_returned_from_slot(frame, 105);
	assert_int_equal(frame.reg[RBP], 0xA000 + 104);
}

static void epilogue_can_end_in_a_jump_out_of_the_function(void **state)
{
	(void)state;
	DESCRIBE(1, 0, {8, SMALL, 3}, {1, PUSH, RBX});
	CODE(0x40, "\x5B\xE9\x00\x10\x00\x00"); /* pop rbx; jmp far away */
	struct ke_frame frame = frame_at(0x40);
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_returned_from_slot(frame, 1);
	CODE(0x40, "\x5B\xE9\x10\x00\x00\x00"); /* a jump inside is none */
	frame = frame_at(0x40);
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_returned_from_slot(frame, 5);
}

static void jump_to_another_part_of_the_function_is_no_epilogue(void **state)
{
	(void)state;
	static const struct slot own[] = {{8, SMALL, 1}};
	DESCRIBE(1, 0, {8, SMALL, 3});
	put_function(TABLE + 12, 0x200, 0x240, CHAINED_INFO);
	module.entry.ExceptionTableSize = 24;
	put_function(put_info(CHAINED_INFO, 1, 4, 0, own, 1), FUNCTION, FUNCTION + FUNCTION_SIZE,
		     INFO);
	CODE(0x40, "\xE9\xBB\x00\x00\x00"); /* to 0x200 */
	struct ke_frame frame = frame_at(0x40);
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_returned_from_slot(frame, 4);
}

static void version_2_says_where_epilogues_are(void **state)
{
	(void)state;
	/* Two bytes each; one at the end, one 0x20 before it. */
	DESCRIBE(2, 0, {2, EPILOG, 1}, {0x20, EPILOG, 0}, {8, SMALL, 3}, {1, PUSH, RBX});
	CODE(0x40, "\x5B\xC3"); /* looks like one */
	CODE(FUNCTION_SIZE - 0x20, "\x5B\xC3");
	CODE(FUNCTION_SIZE - 2, "\x5B\xC3");
	static const struct {
		ULONG offset, slot;
	} at[] = {{0x40, 5},
		  {FUNCTION_SIZE - 0x20, 1},
		  {FUNCTION_SIZE - 0x1F, 0},
		  {FUNCTION_SIZE - 0x1E, 5},
		  {FUNCTION_SIZE - 2, 1},
		  {FUNCTION_SIZE - 1, 0}};
	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct ke_frame frame = frame_at(at[i].offset);
		assert_true(ke_unwind_frame(&module, &frame, true));
		assert_returned_from_slot(frame, at[i].slot);
	}
}

static void chained_information_is_followed(void **state)
{
	(void)state;
	static const struct slot own[] = {{8, SMALL, 1}},
				 primary[] = {{8, SMALL, 0}, {1, PUSH, RBX}};
	ULONG next = put_info(INFO, 1, 4, 0, own, 1);
	put_function(next, FUNCTION + 0x1000, FUNCTION + 0x1080, CHAINED_INFO);
	put_info(CHAINED_INFO, 1, 0, 0, primary, 2);
	struct ke_frame frame = frame_at(0x40);
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_returned_from_slot(frame, 4); /* 16 + 8 + a push */
	assert_int_equal(frame.reg[RBX], 0xA003);
}

static void chain_without_end_is_given_up(void **state)
{
	(void)state;
	static const struct slot own[] = {{8, SMALL, 0}};
	ULONG next = put_info(INFO, 1, 4, 0, own, 1);
	put_function(next, FUNCTION, FUNCTION + FUNCTION_SIZE, INFO);
	struct ke_frame frame = frame_at(0x40), before = frame;
	assert_false(ke_unwind_frame(&module, &frame, true));
	assert_memory_equal(&frame, &before, sizeof(frame));
}

static void function_without_information_is_a_leaf(void **state)
{
	(void)state;
	struct ke_frame frame = frame_at(FUNCTION_SIZE + 8);
	assert_true(ke_unwind_frame(&module, &frame, true));
	assert_returned_from_slot(frame, 0);
	/* A function that has called another is none. */
	frame = frame_at(FUNCTION_SIZE + 8);
	assert_false(ke_unwind_frame(&module, &frame, false));
}

static void return_address_behind_the_function_belongs_to_it(void **state)
{
	(void)state;
	DESCRIBE(1, 0, {8, SMALL, 3});
	struct ke_frame frame = frame_at(FUNCTION_SIZE);
	assert_true(ke_unwind_frame(&module, &frame, false));
	assert_returned_from_slot(frame, 4);
}

static void function_is_found_among_many(void **state)
{
	(void)state;
	static const struct slot slots[] = {{1, SMALL, 2}};
	for (ULONG i = 0; i < 33; i++) /* with gaps between them */
		put_function(TABLE + i * 12, 0x10 + i * 0x10, 0x18 + i * 0x10,
			     i == 15 ? INFO : 0xF00);
	module.entry.ExceptionTableSize = 33 * 12;
	put_info(INFO, 1, 0, 0, slots, 1);
	struct ke_frame frame = frame_at(4);
	assert_true(ke_unwind_frame(&module, &frame, false));
	assert_returned_from_slot(frame, 3);
	frame = frame_at(12); /* between two */
	assert_false(ke_unwind_frame(&module, &frame, false));
}

static void damaged_information_is_refused(void **state)
{
	(void)state;
	DESCRIBE(3, 0, {8, SMALL, 3});
	struct ke_frame frame = frame_at(0x40);
	assert_false(ke_unwind_frame(&module, &frame, true)); /* version */
	DESCRIBE(1, 0, {8, 11, 3});
	assert_false(ke_unwind_frame(&module, &frame, true)); /* operation */
	DESCRIBE(1, 0, {8, LARGE, 1}, NUMBER(1));
	assert_false(ke_unwind_frame(&module, &frame, true)); /* cut off */
	DESCRIBE(1, 0, {8, LARGE, 1}, NUMBER(0xFFFF), NUMBER(0xFFFF));
	assert_false(ke_unwind_frame(&module, &frame, true)); /* leads out of the stack */
	put_function(TABLE, FUNCTION, FUNCTION + FUNCTION_SIZE, 0xFFFFFFF0);
	assert_false(ke_unwind_frame(&module, &frame, true)); /* leads out of the image */
}

/* Nothing that a driver can have in its image makes it crash or run for ever. */
static void noise_does_no_harm(void **state)
{
	(void)state;
	unsigned good = 0;
	srand(1);
	for (unsigned i = 0; i < 20000; i++) {
		for (unsigned j = INFO; j < INFO + 64; j++)
			image[j] = (UCHAR)rand();
		image[INFO] = (UCHAR)((rand() % 2 + 1) | (rand() & 0xE0));
		struct ke_frame frame = frame_at((ULONG)rand() % FUNCTION_SIZE);
		good += ke_unwind_frame(&module, &frame, true);
	}
	assert_in_range(good, 1, 19999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pushes_and_allocations_are_undone_in_order, prepare),
		cmocka_unit_test_setup(large_allocations_of_both_forms_are_undone, prepare),
		cmocka_unit_test_setup(frame_register_counts_when_the_stack_pointer_moved, prepare),
		cmocka_unit_test_setup(unknown_frame_register_is_no_basis, prepare),
		cmocka_unit_test_setup(saved_registers_are_read_from_the_frame, prepare),
		cmocka_unit_test_setup(only_what_the_prologue_has_done_is_undone, prepare),
		cmocka_unit_test_setup(version_2_epilogue_codes_are_skipped, prepare),
		cmocka_unit_test_setup(what_an_epilogue_has_done_is_not_undone_again, prepare),
		cmocka_unit_test_setup(epilogue_of_a_frame_register_begins_with_lea, prepare),
		cmocka_unit_test_setup(epilogue_can_end_in_a_jump_out_of_the_function, prepare),
		cmocka_unit_test_setup(jump_to_another_part_of_the_function_is_no_epilogue,
				       prepare),
		cmocka_unit_test_setup(version_2_says_where_epilogues_are, prepare),
		cmocka_unit_test_setup(chained_information_is_followed, prepare),
		cmocka_unit_test_setup(chain_without_end_is_given_up, prepare),
		cmocka_unit_test_setup(function_without_information_is_a_leaf, prepare),
		cmocka_unit_test_setup(return_address_behind_the_function_belongs_to_it, prepare),
		cmocka_unit_test_setup(function_is_found_among_many, prepare),
		cmocka_unit_test_setup(damaged_information_is_refused, prepare),
		cmocka_unit_test_setup(noise_does_no_harm, prepare),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Where an image's code uses what it imports, and what names it contains. */
#include "ldr/reference.h"
#include "ldr/image.h"
#include "ldr/sample.h"
#include "memory.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SLOT (SAMPLE_IAT_NTOS + 16) /* of NotThereAtAll */
#define OTHER SAMPLE_IAT_CNG

static struct sample sample;
static struct ldr_references found;

static int begin(void **state)
{
	(void)state;
	sample = sample_make();
	/* Code to the end of the section's bytes, and no function known yet. */
	sample_poke(&sample, SAMPLE_SECTION(SAMPLE_S_TEXT, virtual_size), 0x200, 4);
	sample_poke(&sample, SAMPLE_DIRECTORY(PE_EXCEPTIONS), 0, 8);
	memset(sample.bytes + sample_offset(SAMPLE_TEXT), 0xCC, 0x200);
	return 0;
}

static int end(void **state)
{
	(void)state;
	host_free(found.at);
	found = (struct ldr_references){0};
	return 0;
}

/* Some bytes of an instruction, and then the distance to `target`. */
static void put(uint32_t rva, const char *opcode, size_t length, uint32_t target)
{
	int32_t distance = (int32_t)(target - (rva + (uint32_t)length + 4));
	sample_put(&sample, rva, opcode, length);
	sample_put(&sample, rva + (uint32_t)length, &distance, 4);
}
#define PUT(rva, opcode, target) put(rva, opcode, sizeof(opcode) - 1, target)

static void search(void)
{
	static const uint32_t slots[2] = {SLOT, OTHER};
	struct pe pe;
	struct pe_error error;
	void *image;
	if (!ldr_map_image(sample.bytes, sample.size, &pe, &image, &error))
		fail_msg("%s", error.text);
	assert_true(ldr_find_references(&pe, image, slots, 2, &found));
	host_unmap(image, pe.image_size);
}

static void assert_use(size_t index, uint32_t slot, uint32_t from, enum ldr_use use)
{
	assert_true(index < found.count);
	assert_int_equal(found.at[index].from, from);
	assert_int_equal(found.at[index].slot, slot);
	assert_int_equal(found.at[index].use, use);
}

/* ---- Through the slot ------------------------------------------------------------------ */

static void nothing_is_found_where_nothing_is_used(void **state)
{
	(void)state;
	PUT(0x1010, "\xFF\x15", SAMPLE_IAT_NTOS); /* of another import */
	search();
	assert_int_equal(found.count, 0);
}

static void a_stub_that_nothing_names_is_no_use(void **state)
{
	(void)state;
	PUT(0x1010, "\xFF\x15", SLOT);
	PUT(0x1020, "\xFF\x25", SLOT);
	PUT(0x1030, "\x48\xFF\x25", OTHER); /* with the REX prefix that unwinders want to see */
	PUT(0x1040, "\xFF\x15", OTHER);
	search();
	/* A jump that no function contains, to what is called elsewhere, is nobody's stub. */
	assert_int_equal(found.count, 2);
	assert_use(0, SLOT, 0x1010, LDR_CALLED);
	assert_use(1, OTHER, 0x1040, LDR_CALLED);
}

static void a_tail_call_in_a_function_counts(void **state)
{
	static const struct pe_runtime_function functions[2] = {{0x1010, 0x1018, SAMPLE_UNWIND},
								{0x1020, 0x1028, SAMPLE_UNWIND}};
	(void)state;
	PUT(0x1010, "\xFF\x15", SLOT);
	PUT(0x1020, "\xFF\x25", SLOT);
	sample_put(&sample, SAMPLE_PDATA, functions, sizeof(functions));
	sample_poke(&sample, SAMPLE_SECTION(SAMPLE_S_PDATA, virtual_size), sizeof(functions), 4);
	sample_poke(&sample, SAMPLE_DIRECTORY(PE_EXCEPTIONS), SAMPLE_PDATA, 4);
	sample_poke(&sample, SAMPLE_DIRECTORY(PE_EXCEPTIONS) + 4, sizeof(functions), 4);
	search();
	assert_int_equal(found.count, 2);
	assert_use(1, SLOT, 0x1020, LDR_JUMPED);
}

static void a_jump_that_is_the_only_use_counts(void **state)
{
	(void)state;
	PUT(0x1020, "\xFF\x25", SLOT);
	search();
	assert_int_equal(found.count, 1);
	assert_use(0, SLOT, 0x1020, LDR_JUMPED);
}

/* mov rax, [slot] before a call through the guard's dispatcher; mov r10, [slot] before a
 * retpoline's; lea of the slot itself. */
static void guarded_and_retpoline_calls_are_found_by_their_loads(void **state)
{
	(void)state;
	PUT(0x1010, "\x48\x8B\x05", SLOT);
	PUT(0x1020, "\x4C\x8B\x15", SLOT);
	PUT(0x1030, "\x48\x8D\x0D", OTHER);
	search();
	assert_int_equal(found.count, 3);
	assert_use(0, SLOT, 0x1010, LDR_LOADED);
	assert_use(1, SLOT, 0x1020, LDR_LOADED);
	assert_use(2, OTHER, 0x1030, LDR_LOADED);
}

/* ---- Through a stub --------------------------------------------------------------------- */

static void calls_of_a_stub_are_told_instead_of_the_stub(void **state)
{
	(void)state;
	PUT(0x1010, "\xE8", 0x1100);
	PUT(0x1020, "\xE9", 0x1100);
	PUT(0x1030, "\x0F\x84", 0x1100);     /* je */
	PUT(0x1040, "\x48\x8D\x05", 0x1100); /* lea rax, stub */
	PUT(0x1100, "\xFF\x25", SLOT);
	search();
	assert_int_equal(found.count, 4);
	assert_use(0, SLOT, 0x1010, LDR_CALLED);
	assert_use(1, SLOT, 0x1020, LDR_JUMPED);
	assert_use(2, SLOT, 0x1030, LDR_JUMPED);
	assert_use(3, SLOT, 0x1040, LDR_LOADED);
}

static void pointers_in_data_are_found_by_their_relocations(void **state)
{
	uint64_t pointer = SAMPLE_BASE + 0x1100;
	(void)state;
	PUT(0x1100, "\xFF\x25", SLOT);
	sample_put(&sample, SAMPLE_POINTER, &pointer, sizeof(pointer));
	search();
	assert_int_equal(found.count, 1);
	assert_use(0, SLOT, SAMPLE_POINTER, LDR_STORED);
}

/* ---- Between instructions ---------------------------------------------------------------- */

/* The beginning of a mov with eight bytes of a number, in front of a function. */
static void functions_are_read_from_their_beginning(void **state)
{
	static const struct pe_runtime_function function = {0x1012, 0x1018, SAMPLE_UNWIND};
	(void)state;
	sample_put(&sample, 0x1010, "\x48\xB8", 2);
	PUT(0x1012, "\xFF\x15", SLOT);
	search();
	assert_int_equal(found.count, 0);
	end(NULL);
	sample_put(&sample, SAMPLE_PDATA, &function, sizeof(function));
	sample_poke(&sample, SAMPLE_DIRECTORY(PE_EXCEPTIONS), SAMPLE_PDATA, 4);
	sample_poke(&sample, SAMPLE_DIRECTORY(PE_EXCEPTIONS) + 4, sizeof(function), 4);
	search();
	assert_int_equal(found.count, 1);
	assert_use(0, SLOT, 0x1012, LDR_CALLED);
}

static void what_is_no_instruction_is_stepped_over(void **state)
{
	(void)state;
	sample_put(&sample, 0x1010, "\x06\x06\x06", 3); /* push es: not in 64-bit code */
	PUT(0x1013, "\xFF\x15", SLOT);
	search();
	assert_int_equal(found.count, 1);
	assert_use(0, SLOT, 0x1013, LDR_CALLED);
}

static void an_instruction_may_end_with_the_section(void **state)
{
	(void)state;
	PUT(0x11FA, "\xFF\x15", SLOT);
	search();
	assert_int_equal(found.count, 1);
	end(NULL);
	sample_poke(&sample, SAMPLE_SECTION(SAMPLE_S_TEXT, virtual_size), 0x1FF, 4);
	search();
	assert_int_equal(found.count, 0);
}

static bool fail_all(const char *site)
{
	return strstr(site, "ldr/reference.c") != NULL;
}

static void without_memory_nothing_is_kept(void **state)
{
	static const uint32_t slot = SLOT;
	struct pe pe;
	struct pe_error error;
	void *image;
	(void)state;
	PUT(0x1010, "\xFF\x15", SLOT);
	assert_true(ldr_map_image(sample.bytes, sample.size, &pe, &image, &error));
	uint64_t before = host_live_allocations();
	host_fail_allocations(fail_all);
	assert_false(ldr_find_references(&pe, image, &slot, 1, &found));
	host_fail_allocations(NULL);
	assert_int_equal(found.count, 0);
	assert_int_equal(host_live_allocations(), before);
	host_unmap(image, pe.image_size);
}

/* ---- Names ------------------------------------------------------------------------------- */

static char names[512];

static void add_name(void *unused, uint32_t rva, const char *name)
{
	(void)unused;
	/* Not in the cookie, whose random bytes can be letters. */
	if (rva >= SAMPLE_DATA + 0x10 && rva < SAMPLE_BSS)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s@%x ", name, rva);
}

static const char *names_in_data(void)
{
	struct pe pe;
	struct pe_error error;
	void *image;
	if (!ldr_map_image(sample.bytes, sample.size, &pe, &image, &error))
		fail_msg("%s", error.text);
	names[0] = '\0';
	pe_visit_names(&pe, image, add_name, NULL);
	host_unmap(image, pe.image_size);
	return names;
}

static void names_are_found_in_utf_16_and_ascii(void **state)
{
	(void)state;
	sample_put(&sample, 0x3020, u"ZwOpenThing", 24);
	sample_put(&sample, 0x3050, "PsGetThing1", 12);
	assert_string_equal(names_in_data(), "ZwOpenThing@3020 PsGetThing1@3050 ");
}

/* "s" and its NUL before the name look like a first character. */
static void a_name_behind_ascii_text_is_found(void **state)
{
	(void)state;
	sample_put(&sample, 0x301C, "is\0", 4);
	sample_put(&sample, 0x3020, u"ZwOpenThing", 24);
	assert_non_null(strstr(names_in_data(), "ZwOpenThing@3020 "));
	memset(sample.bytes + sample_offset(0x301C), 0, 4);
	sample_put(&sample, 0x301D, "ss\0", 3);
	assert_non_null(strstr(names_in_data(), "ZwOpenThing@3020 "));
}

static void parts_of_text_are_no_names(void **state)
{
	(void)state;
	sample_put(&sample, 0x3020, "cannot find PsGetThing", 23);
	sample_put(&sample, 0x3040, "PsGetThing failed", 18);
	sample_put(&sample, 0x3060, u"\\Device\\Thing", 28);
	sample_put(&sample, 0x3090, "abc", 4); /* too short */
	sample_put(&sample, 0x30A0, "1Thing", 7);
	assert_string_equal(names_in_data(), "");
}

static void a_name_is_not_too_long(void **state)
{
	(void)state;
	memset(sample.bytes + sample_offset(0x3100), 'a', PE_MAX_NAME + 1);
	assert_string_equal(names_in_data(), "");
	sample_poke(&sample, sample_offset(0x3100), 0, 1);
	assert_int_equal(strlen(names_in_data()), PE_MAX_NAME + strlen("@3101 "));
}

#define REFERENCE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REFERENCE_TEST(nothing_is_found_where_nothing_is_used),
		REFERENCE_TEST(a_stub_that_nothing_names_is_no_use),
		REFERENCE_TEST(a_tail_call_in_a_function_counts),
		REFERENCE_TEST(a_jump_that_is_the_only_use_counts),
		REFERENCE_TEST(guarded_and_retpoline_calls_are_found_by_their_loads),
		REFERENCE_TEST(calls_of_a_stub_are_told_instead_of_the_stub),
		REFERENCE_TEST(pointers_in_data_are_found_by_their_relocations),
		REFERENCE_TEST(functions_are_read_from_their_beginning),
		REFERENCE_TEST(what_is_no_instruction_is_stepped_over),
		REFERENCE_TEST(an_instruction_may_end_with_the_section),
		REFERENCE_TEST(without_memory_nothing_is_kept),
		REFERENCE_TEST(names_are_found_in_utf_16_and_ascii),
		REFERENCE_TEST(a_name_behind_ascii_text_is_found),
		REFERENCE_TEST(parts_of_text_are_no_names),
		REFERENCE_TEST(a_name_is_not_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

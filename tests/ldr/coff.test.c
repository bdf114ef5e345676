/* SPDX-License-Identifier: MIT */
/* What an image's file says about its functions: a COFF table, and where they begin. */
#include "ldr/coff.h"
#include "ldr/function.h"
#include "ldr/symbols-sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct ldr_bytes in_memory(const void *bytes, size_t size)
{
	return (struct ldr_bytes){.memory = bytes, .size = size};
}

/* ---- A COFF table ------------------------------------------------------------------------- */

static struct sample with_table(void)
{
	struct sample s = sample_make();
	sample_add_table(&s);
	return s;
}

/* "entry", or "" where the table says nothing. */
static const char *name_at(const struct sample *s, uint32_t rva)
{
	static struct coff_symbol symbol;
	struct ldr_bytes file = in_memory(s->bytes, s->size);
	struct pe pe;
	struct pe_error error;
	assert_true(pe_parse(s->bytes, s->size, &pe, &error));
	return coff_find(&file, &pe, rva, &symbol) ? symbol.name : "";
}

static void the_nearest_symbol_before_a_place_names_it(void **state)
{
	(void)state;
	struct sample s = with_table();
	assert_string_equal(name_at(&s, SAMPLE_TEXT + 0xF), "entry");
	assert_string_equal(name_at(&s, SAMPLE_TEXT + 0x10), SYMBOL_LONG_NAME);
	assert_string_equal(name_at(&s, SAMPLE_TEXT + 0x1F), SYMBOL_LONG_NAME);
}

static void a_function_goes_before_labels_at_its_address(void **state)
{
	(void)state;
	struct sample s = with_table();
	assert_string_equal(name_at(&s, SAMPLE_TEXT), "entry");
}

static void symbols_of_other_sections_do_not_count(void **state)
{
	(void)state;
	struct sample s = with_table();
	assert_string_equal(name_at(&s, SAMPLE_DATA), "");
	assert_string_equal(name_at(&s, SAMPLE_DATA + 0x10), "datum");
	assert_string_equal(name_at(&s, SAMPLE_RDATA), "");
	assert_string_equal(name_at(&s, SAMPLE_END), "");
	assert_string_equal(name_at(&s, 0), "");
}

static void rows_that_belong_to_another_are_skipped(void **state)
{
	(void)state;
	struct sample s = with_table();
	sample_poke(&s, symbol_offset(3) + 17, 2, 1); /* entry has two: also the long name */
	assert_string_equal(name_at(&s, SAMPLE_TEXT + 0x1F), "entry");
	sample_poke(&s, symbol_offset(0) + 17, 255, 1);
	assert_string_equal(name_at(&s, SAMPLE_TEXT), "");
}

static void a_table_that_does_not_lie_in_the_file_is_none(void **state)
{
	(void)state;
	struct sample s = with_table();
	sample_poke(&s, SAMPLE_FIELD(file.symbol_table), SAMPLE_SIZE, 4);
	assert_string_equal(name_at(&s, SAMPLE_TEXT), "");
	sample_poke(&s, SAMPLE_FIELD(file.symbol_table), UINT32_MAX, 4);
	assert_string_equal(name_at(&s, SAMPLE_TEXT), "");
	sample_poke(&s, SAMPLE_FIELD(file.symbol_table), SAMPLE_SIZE - 17, 4);
	assert_string_equal(name_at(&s, SAMPLE_TEXT), "");
	sample_poke(&s, SAMPLE_FIELD(file.symbol_table), 0, 4);
	assert_string_equal(name_at(&s, SAMPLE_TEXT), "");
}

/* As many rows as the file has are read; names then lie behind its end. */
static void an_absurd_number_of_rows_does_no_harm(void **state)
{
	(void)state;
	struct sample s = with_table();
	sample_poke(&s, SAMPLE_FIELD(file.symbol_count), UINT32_MAX, 4);
	assert_string_equal(name_at(&s, SAMPLE_TEXT), "entry");
	assert_string_equal(name_at(&s, SAMPLE_TEXT + 0x10), "");
}

static void a_name_outside_the_file_is_none(void **state)
{
	(void)state;
	struct sample s = with_table();
	sample_poke(&s, symbol_offset(5) + 4, UINT32_MAX, 4);
	assert_string_equal(name_at(&s, SAMPLE_TEXT + 0x10), "");
	sample_poke(&s, symbol_offset(5) + 4, SAMPLE_SIZE - SYMBOL_TEXT - 1, 4);
	assert_string_equal(name_at(&s, SAMPLE_TEXT + 0x10), "");
}

static void names_are_made_printable(void **state)
{
	(void)state;
	struct sample s = with_table();
	memcpy(s.bytes + symbol_offset(3), "\x1B[31mred", 8);
	assert_string_equal(name_at(&s, SAMPLE_TEXT), "?[31mred");
	strcpy((char *)s.bytes + SYMBOL_TEXT + 4, "a\nb");
	assert_string_equal(name_at(&s, SAMPLE_TEXT + 0x10), "a?b");
}

static void a_section_can_have_a_long_name(void **state)
{
	struct sample s = with_table();
	struct ldr_bytes file = in_memory(s.bytes, s.size);
	char name[16];
	struct pe pe;
	struct pe_error error;
	(void)state;
	memcpy(s.bytes + SAMPLE_SECTION(0, name), "/4\0\0\0\0\0", 8);
	assert_true(pe_parse(s.bytes, s.size, &pe, &error));
	coff_section_name(&file, &pe, 0, name, sizeof(name));
	assert_string_equal(name, "a_function_with");
	coff_section_name(&file, &pe, 1, name, sizeof(name));
	assert_string_equal(name, ".rdata");
	memcpy(s.bytes + SAMPLE_SECTION(0, name), "/999999", 8);
	assert_true(pe_parse(s.bytes, s.size, &pe, &error));
	coff_section_name(&file, &pe, 0, name, sizeof(name));
	assert_string_equal(name, "/999999");
}

/* ---- Where functions begin ------------------------------------------------------------------ */

enum { SECOND_UNWIND = SAMPLE_UNWIND + 0x20 };

/* Two functions; the second one's unwind information, with three codes, is that of a piece
 * of the first. */
static struct sample with_functions(void)
{
	static const struct pe_runtime_function rows[2] = {{0x1000, 0x1010, SAMPLE_UNWIND},
							   {0x1012, 0x1020, SECOND_UNWIND}};
	static const uint8_t chained[4] = {1 | 4 << 3, 0, 3, 0};
	struct sample s = sample_make();
	sample_put(&s, SAMPLE_PDATA, rows, sizeof(rows));
	sample_poke(&s, SAMPLE_SECTION(SAMPLE_S_PDATA, virtual_size), sizeof(rows), 4);
	sample_poke(&s, SAMPLE_DIRECTORY(PE_EXCEPTIONS) + 4, sizeof(rows), 4);
	sample_put(&s, SECOND_UNWIND, chained, sizeof(chained));
	sample_put(&s, SECOND_UNWIND + 4 + 8, &rows[0], sizeof(rows[0]));
	return s;
}

static uint32_t begin_of(const struct sample *s, uint32_t rva)
{
	struct ldr_bytes file = in_memory(s->bytes, s->size);
	uint32_t begin = 1;
	struct pe pe;
	struct pe_error error;
	assert_true(pe_parse(s->bytes, s->size, &pe, &error));
	return ldr_function_begin(&file, &pe, rva, &begin) ? begin : 0;
}

static void a_place_is_in_the_function_that_the_table_says(void **state)
{
	(void)state;
	struct sample s = with_functions();
	assert_int_equal(begin_of(&s, 0x1000), 0x1000);
	assert_int_equal(begin_of(&s, 0x100F), 0x1000);
	assert_int_equal(begin_of(&s, 0x1010), 0);
	assert_int_equal(begin_of(&s, 0x0FFF), 0);
	assert_int_equal(begin_of(&s, 0x1020), 0);
	assert_int_equal(begin_of(&s, UINT32_MAX), 0);
}

static void a_piece_belongs_to_its_function(void **state)
{
	(void)state;
	struct sample s = with_functions();
	assert_int_equal(begin_of(&s, 0x1015), 0x1000);
	sample_poke(&s, sample_offset(SECOND_UNWIND), 1, 1); /* no piece */
	assert_int_equal(begin_of(&s, 0x1015), 0x1012);
}

static void damaged_tables_of_functions_say_nothing(void **state)
{
	(void)state;
	struct sample s = with_functions();
	uint32_t second = sample_offset(SAMPLE_PDATA) + 12,
		 chain = sample_offset(SECOND_UNWIND) + 12;
	sample_poke(&s, chain + 8, SECOND_UNWIND, 4); /* a circle */
	assert_int_equal(begin_of(&s, 0x1015), 0x1000);
	sample_poke(&s, chain, 0x1018, 4); /* it would begin behind itself */
	assert_int_equal(begin_of(&s, 0x1015), 0);
	sample_poke(&s, second + 8, UINT32_MAX, 4); /* no unwind information in the file */
	assert_int_equal(begin_of(&s, 0x1015), 0x1012);
	sample_poke(&s, SAMPLE_DIRECTORY(PE_EXCEPTIONS), 0, 4);
	assert_int_equal(begin_of(&s, 0x1015), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nearest_symbol_before_a_place_names_it),
		cmocka_unit_test(a_function_goes_before_labels_at_its_address),
		cmocka_unit_test(symbols_of_other_sections_do_not_count),
		cmocka_unit_test(rows_that_belong_to_another_are_skipped),
		cmocka_unit_test(a_table_that_does_not_lie_in_the_file_is_none),
		cmocka_unit_test(an_absurd_number_of_rows_does_no_harm),
		cmocka_unit_test(a_name_outside_the_file_is_none),
		cmocka_unit_test(names_are_made_printable),
		cmocka_unit_test(a_section_can_have_a_long_name),
		cmocka_unit_test(a_place_is_in_the_function_that_the_table_says),
		cmocka_unit_test(a_piece_belongs_to_its_function),
		cmocka_unit_test(damaged_tables_of_functions_say_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

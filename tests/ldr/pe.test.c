/* SPDX-License-Identifier: MIT */
/* The PE parser: what it takes in, and what it says about damage. */
#include "ldr/damage.h"
#include "ldr/image.h"
#include "ldr/pe.h"
#include "memory.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

/* Loads as far as one can without running code. */
static bool map(const struct sample *s, struct pe_error *error)
{
	struct pe pe;
	void *base;
	uint64_t before = host_live_allocations();
	bool mapped = ldr_map_image(s->bytes, s->size, &pe, &base, error);
	if (mapped) {
		assert_int_equal(ldr_protect_image(&pe, base), 0);
		host_unmap(base, pe.image_size);
	}
	assert_int_equal(host_live_allocations(), before);
	return mapped;
}

static void a_valid_image_is_taken_in(void **state)
{
	(void)state;
	struct sample s = sample_make();
	struct pe pe;
	struct pe_error error;
	assert_true(pe_parse(s.bytes, s.size, &pe, &error));
	assert_int_equal(pe.machine, PE_MACHINE_AMD64);
	assert_int_equal(pe.image_base, SAMPLE_BASE);
	assert_int_equal(pe.entry_point, SAMPLE_ENTRY);
	assert_int_equal(pe.image_size, SAMPLE_END);
	assert_int_equal(pe.subsystem, PE_SUBSYSTEM_NATIVE);
	assert_true(pe.dll_characteristics & PE_DLL_FORCE_INTEGRITY);
	assert_int_equal(pe.section_count, SAMPLE_SECTIONS);
	for (int i = 0; i < SAMPLE_SECTIONS; i++) {
		assert_string_equal(pe.section[i].name, sample_sections[i].name);
		assert_int_equal(pe.section[i].rva, sample_sections[i].rva);
		assert_int_equal(pe.section[i].virtual_size, sample_sections[i].virtual_size);
		assert_int_equal(pe.section[i].characteristics, sample_sections[i].flags);
	}
	assert_int_equal(pe.directory[PE_IMPORTS].rva, SAMPLE_DESCRIPTORS);
	assert_true(map(&s, &error));
}

static void damage_is_named_with_its_offset(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLE_DAMAGES; i++) {
		const struct sample_damage *damage = &sample_damages[i];
		struct sample s = sample_damaged(damage);
		struct pe_error error = {0};
		if (map(&s, &error))
			fail_msg("%s: accepted", damage->name);
		if (!strstr(error.text, damage->text) || error.offset != damage->reported)
			fail_msg("%s: expected \"%s\" at 0x%x, said \"%s\" at 0x%llx", damage->name,
				 damage->text, damage->reported, error.text,
				 (unsigned long long)error.offset);
		assert_null(strchr(error.text, '\n'));
	}
}

static void names_from_the_file_stay_on_the_line(void **state)
{
	(void)state;
	struct sample s = sample_make();
	struct pe_error error;
	sample_put_text(&s, SAMPLE_DLL_NTOS, "a\nb\x1B[1m");
	sample_poke(&s, sample_offset(SAMPLE_LOOKUP_NTOS), 0x6FFE, 8);
	assert_false(map(&s, &error));
	assert_non_null(strstr(error.text, "import 0 of a?b?[1m: name"));
}

static void a_section_without_any_size_is_refused(void **state)
{
	(void)state;
	struct sample s = sample_make();
	struct pe_error error;
	sample_poke(&s, SAMPLE_SECTION(SAMPLE_S_DATA, virtual_size), 0, 4);
	sample_poke(&s, SAMPLE_SECTION(SAMPLE_S_DATA, file_size), 0, 4);
	assert_false(map(&s, &error));
	assert_string_equal(error.text, "section 3 (.data) has no size");
}

/* A guard page behind the last byte: reading on ends in a fault. */
static void truncation_at_every_length_is_named(void **state)
{
	(void)state;
	struct sample s = sample_make();
	uint8_t *pages = mmap(NULL, 2 * SAMPLE_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(mprotect(pages + SAMPLE_SIZE, SAMPLE_SIZE, PROT_NONE), 0);
	for (size_t length = 0; length < SAMPLE_SIZE; length++) {
		uint8_t *file = pages + SAMPLE_SIZE - length;
		struct pe pe;
		struct pe_error error = {0};
		void *base;
		memcpy(file, s.bytes, length);
		if (ldr_map_image(file, length, &pe, &base, &error))
			fail_msg("%zu bytes of %u were accepted", length, SAMPLE_SIZE);
		assert_true(error.text[0] && error.offset <= SAMPLE_SIZE);
	}
	munmap(pages, 2 * SAMPLE_SIZE);
}

/* Small pseudo-random numbers, the same in every run. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void random_damage_never_crashes(void **state)
{
	(void)state;
	uint32_t seed = 1;
	unsigned accepted = 0;
	for (int round = 0; round < 20000; round++) {
		struct sample s = sample_make();
		struct pe_error error;
		for (unsigned n = next_random(&seed) % 4 + 1; n--;) {
			/* Half of it into the headers and tables, where it matters. */
			uint32_t at = next_random(&seed) %
				      (next_random(&seed) & 1 ? 0x300 : 0x1000);
			s.bytes[at] = (uint8_t)next_random(&seed);
		}
		accepted += map(&s, &error);
	}
	/* Most bytes mean nothing, so both outcomes have been seen. */
	assert_in_range(accepted, 1000, 19000);
}

/* ---- Tables ---------------------------------------------------------------------------- */

struct seen {
	unsigned count;
	struct pe_import import[8];
};

static bool see_import(void *context, const struct pe_import *import)
{
	struct seen *seen = context;
	seen->import[seen->count++] = *import;
	return true;
}

struct laid_out {
	struct pe pe;
	uint8_t *image;
};

static struct laid_out lay_out(const struct sample *s)
{
	struct laid_out l;
	struct pe_error error;
	assert_true(pe_parse(s->bytes, s->size, &l.pe, &error));
	l.image = calloc(1, l.pe.image_size);
	assert_non_null(l.image);
	pe_lay_out(&l.pe, s->bytes, l.image);
	return l;
}

static void imports_are_visited_in_order(void **state)
{
	(void)state;
	struct sample s = sample_make();
	struct laid_out l = lay_out(&s);
	struct seen seen = {0};
	struct pe_error error;
	assert_true(pe_visit_imports(&l.pe, l.image, see_import, &seen, &error));
	assert_int_equal(seen.count, 5);
	assert_string_equal(seen.import[0].dll, "NTOSKRNL.exe");
	assert_string_equal(seen.import[0].name, "DbgPrint");
	assert_int_equal(seen.import[0].slot, SAMPLE_IAT_NTOS);
	assert_null(seen.import[3].name);
	assert_int_equal(seen.import[3].ordinal, 1);
	assert_string_equal(seen.import[4].dll, "cng.sys");
	assert_string_equal(seen.import[4].name, "BCryptFoo");
	assert_int_equal(seen.import[4].slot, SAMPLE_IAT_CNG);
	free(l.image);
}

static void imports_without_a_lookup_table_use_the_address_table(void **state)
{
	(void)state;
	struct sample s = sample_make();
	uint32_t zero = 0;
	sample_put(&s, SAMPLE_DESCRIPTORS, &zero, 4);
	struct laid_out l = lay_out(&s);
	struct seen seen = {0};
	struct pe_error error;
	assert_true(pe_visit_imports(&l.pe, l.image, see_import, &seen, &error));
	assert_int_equal(seen.count, 5);
	assert_string_equal(seen.import[1].name, "PsProcessType");
	free(l.image);
}

/* 300 descriptors that all use the same tables. */
static void an_absurd_number_of_dlls_is_refused(void **state)
{
	(void)state;
	enum { DLLS = 300, SIZE = 0x10000, NAME = 0x8000, TABLES = 0x9000 };
	struct pe pe = {.image_size = SIZE, .directory[PE_IMPORTS] = {0x1000, DLLS * 20}};
	uint8_t *image = calloc(1, SIZE);
	struct pe_error error = {0};
	assert_non_null(image);
	strcpy((char *)image + NAME, "a.sys");
	for (uint32_t i = 0; i < DLLS; i++) {
		struct pe_import_descriptor d = {.name = NAME, .address_table = TABLES + i * 8};
		memcpy(image + 0x1000 + i * 20, &d, sizeof(d));
	}
	assert_false(pe_visit_imports(&pe, image, NULL, NULL, &error));
	assert_non_null(strstr(error.text, "imports from more than 256 DLLs"));
	free(image);
}

static void an_absurd_number_of_imports_is_refused(void **state)
{
	(void)state;
	enum { ROWS = 70000, TABLE = 0x2000, SIZE = 0x200000 };
	struct pe pe = {.image_size = SIZE, .directory[PE_IMPORTS] = {0x1000, 20}};
	struct pe_import_descriptor d = {
		.name = 0x1800, .lookup_table = TABLE, .address_table = SIZE / 2};
	uint64_t row = PE_IMPORT_BY_ORDINAL | 7;
	uint8_t *image = calloc(1, SIZE);
	struct pe_error error = {0};
	assert_non_null(image);
	memcpy(image + 0x1000, &d, sizeof(d));
	strcpy((char *)image + 0x1800, "a.sys");
	for (int i = 0; i < ROWS; i++)
		memcpy(image + TABLE + i * 8, &row, sizeof(row));
	assert_false(pe_visit_imports(&pe, image, NULL, NULL, &error));
	assert_non_null(strstr(error.text, "more than 65536 imports"));
	free(image);
}

static void exports_are_found_by_name_and_ordinal(void **state)
{
	(void)state;
	struct sample s = sample_make();
	struct laid_out l = lay_out(&s);
	struct pe_exports e;
	struct pe_error error;
	assert_true(pe_find_exports(&l.pe, l.image, &e, &error));
	assert_string_equal(e.dll, "sample.sys");
	int64_t alpha = pe_export_index(&l.pe, l.image, &e, "Alpha");
	int64_t gamma = pe_export_index(&l.pe, l.image, &e, "Gamma");
	assert_int_equal(pe_export_rva(&l.pe, l.image, &e, alpha), SAMPLE_ALPHA);
	assert_int_equal(pe_export_rva(&l.pe, l.image, &e, gamma), SAMPLE_POINTER);
	assert_int_equal(pe_export_index(&l.pe, l.image, &e, "Alph"), -1);
	assert_int_equal(pe_export_index(&l.pe, l.image, &e, "Zeta"), -1);
	assert_int_equal(pe_export_index_of_ordinal(&e, 5), 0);
	assert_int_equal(pe_export_index_of_ordinal(&e, 8), 3);
	assert_int_equal(pe_export_index_of_ordinal(&e, 4), -1);
	assert_int_equal(pe_export_index_of_ordinal(&e, 9), -1);
	free(l.image);
}

/* Below page size the file is the image, at the same offsets. */
static void low_alignment_demands_that_file_and_memory_agree(void **state)
{
	(void)state;
	struct sample s = sample_make();
	struct pe pe;
	struct pe_error error;
	sample_poke(&s, SAMPLE_FIELD(optional.section_alignment), 0x200, 4);
	sample_poke(&s, SAMPLE_FIELD(file.section_count), 1, 2);
	sample_poke(&s, SAMPLE_SECTION(0, rva), 0x400, 4);
	memset(s.bytes + SAMPLE_DIRECTORY(0), 0, PE_DIRECTORIES * sizeof(struct pe_directory));
	assert_true(pe_parse(s.bytes, s.size, &pe, &error));
	assert_true(map(&s, &error));
	sample_poke(&s, SAMPLE_SECTION(0, file_offset), 0x600, 4);
	assert_false(pe_parse(s.bytes, s.size, &pe, &error));
	assert_int_equal(error.offset, SAMPLE_SECTION(0, file_offset));
	assert_non_null(strstr(error.text, "expected its RVA 0x400"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_valid_image_is_taken_in),
		cmocka_unit_test(damage_is_named_with_its_offset),
		cmocka_unit_test(names_from_the_file_stay_on_the_line),
		cmocka_unit_test(a_section_without_any_size_is_refused),
		cmocka_unit_test(truncation_at_every_length_is_named),
		cmocka_unit_test(random_damage_never_crashes),
		cmocka_unit_test(imports_are_visited_in_order),
		cmocka_unit_test(imports_without_a_lookup_table_use_the_address_table),
		cmocka_unit_test(an_absurd_number_of_dlls_is_refused),
		cmocka_unit_test(an_absurd_number_of_imports_is_refused),
		cmocka_unit_test(exports_are_found_by_name_and_ordinal),
		cmocka_unit_test(low_alignment_demands_that_file_and_memory_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

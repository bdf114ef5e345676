/* SPDX-License-Identifier: MIT */
/*
 * The seeds of pe.fuzz.c: one image for each part of the loader that a mutation would
 * hardly find by itself. They lie in pe.corpus, and this test holds them to what it
 * makes; with RINGSIDE_WRITE_CORPUS=1 in the environment it writes them.
 */
#include "ldr/damage.h"
#include "ldr/image.h"
#include "memory.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sample plain(void)
{
	return sample_make();
}

/* What it imports from the kernel it finds in an image of the same kind. */
static struct sample importer(void)
{
	struct sample s = sample_make();
	sample_put_text(&s, SAMPLE_DLL_NTOS, "sample.sys");
	sample_put_text(&s, SAMPLE_NAMES + 2, "Alpha");
	sample_put_text(&s, SAMPLE_NAMES + 0x12, "Beta");
	return s;
}

static struct sample without_lookup_tables(void)
{
	struct sample s = sample_make();
	sample_poke(&s, sample_offset(SAMPLE_DESCRIPTORS), 0, 4);
	sample_poke(&s, sample_offset(SAMPLE_DESCRIPTORS) + 20, 0, 4);
	return s;
}

static struct sample half_word_relocations(void)
{
	struct sample s = sample_make();
	uint16_t rows[2] = {PE_RELOCATION_HIGH << 12 | 0x100, PE_RELOCATION_LOW << 12 | 0x102};
	sample_put(&s, SAMPLE_RELOC + 0x18, rows, sizeof(rows));
	sample_poke(&s, sample_offset(SAMPLE_RELOC) + 16, 16, 4);
	sample_poke(&s, SAMPLE_DIRECTORY(PE_RELOCATIONS) + 4, 0x1C, 4);
	return s;
}

/* One section that the file has at its RVA. */
static struct sample low_alignment(void)
{
	struct sample s = sample_make();
	sample_poke(&s, SAMPLE_FIELD(optional.section_alignment), 0x200, 4);
	sample_poke(&s, SAMPLE_FIELD(file.section_count), 1, 2);
	sample_poke(&s, SAMPLE_FIELD(optional.entry_point), 0x400, 4);
	sample_poke(&s, SAMPLE_SECTION(0, rva), 0x400, 4);
	sample_poke(&s, SAMPLE_SECTION(0, virtual_size), 0xC00, 4);
	sample_poke(&s, SAMPLE_SECTION(0, file_size), 0xC00, 4);
	memset(s.bytes + SAMPLE_DIRECTORY(0), 0, PE_DIRECTORIES * sizeof(struct pe_directory));
	return s;
}

/* A push, an allocation and a frame pointer to undo. */
static struct sample unwind_codes(void)
{
	static const uint8_t unwind[] = {
		1,    8,    3, 0x05, /* version 1, prologue of 8, three codes, frame rbp */
		0x08, 0x03,          /* at 8: rbp is the frame pointer */
		0x05, 0x32,          /* at 5: 20h bytes allocated */
		0x01, 0x50,          /* at 1: rbp pushed */
	};
	struct sample s = sample_make();
	sample_put(&s, SAMPLE_UNWIND, unwind, sizeof(unwind));
	return s;
}

static const struct {
	const char *name;
	struct sample (*make)(void);
} seeds[] = {
	{"plain", plain},
	{"importer", importer},
	{"without-lookup-tables", without_lookup_tables},
	{"half-word-relocations", half_word_relocations},
	{"low-alignment", low_alignment},
	{"unwind-codes", unwind_codes},
};
#define SEEDS (sizeof(seeds) / sizeof(*seeds))

static const char *seed_path(size_t index)
{
	static char path[512];
	snprintf(path, sizeof(path), "%s/tests/ldr/pe.corpus/%s.sys", TEST_SOURCE,
		 seeds[index].name);
	return path;
}

static void every_seed_is_a_valid_image(void **state)
{
	(void)state;
	for (size_t i = 0; i < SEEDS; i++) {
		struct sample s = seeds[i].make();
		struct pe pe;
		struct pe_error error;
		void *base;
		if (!ldr_map_image(s.bytes, s.size, &pe, &base, &error))
			fail_msg("%s: 0x%llx: %s", seeds[i].name, (unsigned long long)error.offset,
				 error.text);
		host_unmap(base, pe.image_size);
	}
}

static void the_corpus_is_what_the_tests_make(void **state)
{
	(void)state;
	for (size_t i = 0; i < SEEDS; i++) {
		struct sample s = seeds[i].make(), found = {0};
		if (getenv("RINGSIDE_WRITE_CORPUS"))
			assert_true(sample_write(&s, seed_path(i)));
		FILE *file = fopen(seed_path(i), "rb");
		if (!file)
			fail_msg("%s is missing: run this with RINGSIDE_WRITE_CORPUS=1",
				 seed_path(i));
		found.size = fread(found.bytes, 1, sizeof(found.bytes), file);
		fclose(file);
		if (found.size != s.size || memcmp(found.bytes, s.bytes, s.size) != 0)
			fail_msg("%s is old: run this with RINGSIDE_WRITE_CORPUS=1", seed_path(i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_seed_is_a_valid_image),
		cmocka_unit_test(the_corpus_is_what_the_tests_make),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

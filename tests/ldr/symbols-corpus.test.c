/* SPDX-License-Identifier: MIT */
/*
 * The seeds of symbols.fuzz.c, which this test makes: an image with a symbol table and
 * one with the name of a PDB, and a PDB. With RINGSIDE_WRITE_CORPUS=1 in the environment
 * it writes them.
 */
#include "ldr/symbols-sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct seed {
	uint8_t bytes[SAMPLE_SIZE];
	size_t size;
};
_Static_assert(PDB_SIZE <= SAMPLE_SIZE, "all seeds fit");

static struct seed of_sample(const struct sample *s)
{
	struct seed seed = {.size = s->size};
	memcpy(seed.bytes, s->bytes, s->size);
	return seed;
}

static struct seed table(void)
{
	struct sample s = sample_make();
	sample_add_table(&s);
	memcpy(s.bytes + SAMPLE_SECTION(0, name), "/4\0\0\0\0\0", 8);
	return of_sample(&s);
}

static struct seed pdb_name(void)
{
	struct sample s = sample_make();
	sample_add_pdb_name(&s);
	return of_sample(&s);
}

static struct seed pdb(void)
{
	struct sample_pdb made = pdb_make();
	struct seed seed = {.size = PDB_SIZE};
	memcpy(seed.bytes, made.bytes, PDB_SIZE);
	return seed;
}

static const struct {
	const char *name;
	struct seed (*make)(void);
} seeds[] = {{"table.sys", table}, {"pdb-name.sys", pdb_name}, {"id.pdb", pdb}};

static void write_seed(const char *path, const struct seed *seed)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(seed->bytes, 1, seed->size, file), seed->size);
	assert_int_equal(fclose(file), 0);
}

static void the_corpus_is_what_the_tests_make(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(seeds) / sizeof(*seeds); i++) {
		char path[512];
		struct seed seed = seeds[i].make(), found = {.size = 0};
		snprintf(path, sizeof(path), "%s/tests/ldr/symbols.corpus/%s", TEST_SOURCE,
			 seeds[i].name);
		if (getenv("RINGSIDE_WRITE_CORPUS"))
			write_seed(path, &seed);
		FILE *file = fopen(path, "rb");
		if (!file)
			fail_msg("%s is missing: run this with RINGSIDE_WRITE_CORPUS=1", path);
		found.size = fread(found.bytes, 1, sizeof(found.bytes), file);
		fclose(file);
		if (found.size != seed.size || memcmp(found.bytes, seed.bytes, seed.size) != 0)
			fail_msg("%s is old: run this with RINGSIDE_WRITE_CORPUS=1", path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_corpus_is_what_the_tests_make)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

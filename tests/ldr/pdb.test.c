/* SPDX-License-Identifier: MIT */
/* Which PDB belongs to an image, and which image a PDB belongs to. */
#include "ldr/pdb.h"
#include "ldr/symbols-sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct ldr_bytes in_memory(const void *bytes, size_t size)
{
	return (struct ldr_bytes){.memory = bytes, .size = size};
}

/* ---- Which PDB ------------------------------------------------------------------------------ */

static bool image_says(const struct sample *s, struct pdb_id *id, char *name, size_t size)
{
	struct ldr_bytes file = in_memory(s->bytes, s->size);
	struct pe pe;
	struct pe_error error;
	assert_true(pe_parse(s->bytes, s->size, &pe, &error));
	return pdb_of_image(&file, &pe, id, name, size);
}

static void an_image_names_its_pdb(void **state)
{
	struct sample s = sample_make();
	struct pdb_id id;
	char name[32];
	(void)state;
	assert_false(image_says(&s, &id, name, sizeof(name)));
	sample_add_pdb_name(&s);
	assert_true(image_says(&s, &id, name, sizeof(name)));
	assert_string_equal(name, "sample.pdb"); /* without the folder of Windows */
	assert_memory_equal(id.guid, sample_guid, sizeof(sample_guid));
	assert_int_equal(id.age, SAMPLE_AGE);
	assert_false(image_says(&s, &id, name, 10));
}

static void a_damaged_debug_directory_names_none(void **state)
{
	static const struct {
		uint32_t offset;
		uint64_t value;
		size_t width;
	} damage[] = {
		{SAMPLE_DIRECTORY(PE_DEBUG), 0xFFFFFF00, 4},
		{SAMPLE_DIRECTORY(PE_DEBUG) + 4, 27, 4},
		{0x600 + SAMPLE_DEBUG - SAMPLE_RDATA + 12, 3, 4},          /* another type */
		{0x600 + SAMPLE_DEBUG - SAMPLE_RDATA + 24, 0xFFFFFFF0, 4}, /* its place */
		{0x600 + SAMPLE_DEBUG - SAMPLE_RDATA + 24, SAMPLE_SIZE - 24, 4},
		{0x600 + SAMPLE_RSDS - SAMPLE_RDATA, 0x3031424E, 4}, /* NB10, of before 2002 */
		{0x600 + SAMPLE_RSDS - SAMPLE_RDATA + 24, 0, 1},     /* no path */
	};
	struct pdb_id id;
	char name[64];
	(void)state;
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		struct sample s = sample_make();
		sample_add_pdb_name(&s);
		sample_poke(&s, damage[i].offset, damage[i].value, damage[i].width);
		assert_false(image_says(&s, &id, name, sizeof(name)));
	}
}

static bool pdb_says(const struct sample_pdb *pdb, size_t size, struct pdb_id *id)
{
	struct ldr_bytes file = in_memory(pdb->bytes, size);
	return pdb_read_id(&file, id);
}

static void a_pdb_says_whose_it_is(void **state)
{
	struct sample_pdb pdb = pdb_make();
	struct pdb_id id;
	(void)state;
	assert_true(pdb_says(&pdb, PDB_SIZE, &id));
	assert_memory_equal(id.guid, sample_guid, sizeof(sample_guid));
	assert_int_equal(id.age, SAMPLE_AGE);
	/* Without modules the PDB's own age counts. */
	pdb_put(&pdb, PDB_DIRECTORY + 16, 8);
	assert_true(pdb_says(&pdb, PDB_SIZE, &id));
	assert_int_equal(id.age, SAMPLE_AGE + 1);
}

static void a_damaged_pdb_says_nothing(void **state)
{
	static const struct {
		uint32_t offset, value;
	} damage[] = {
		{0, 0x7263694E}, /* the magic */
		{PDB_BLOCK_SIZE, 0},
		{PDB_BLOCK_SIZE, 511},
		{PDB_BLOCK_SIZE, 256},
		{PDB_BLOCK_SIZE, 513},
		{PDB_BLOCK_SIZE, 0x80000000},
		{PDB_DIRECTORY_SIZE, 0},
		{PDB_DIRECTORY_SIZE, 8},
		{PDB_MAP_BLOCK, UINT32_MAX},
		{PDB_DIRECTORY_MAP, UINT32_MAX},
		{PDB_DIRECTORY_MAP, 7},
		{PDB_DIRECTORY, 1}, /* streams */
		{PDB_DIRECTORY, UINT32_MAX},
		{PDB_DIRECTORY, 65537},
		{PDB_DIRECTORY + 4, 0xFFFFFFFE}, /* stream 0 takes all blocks there are */
		{PDB_DIRECTORY + 8, 27},         /* stream 1 is too short */
		{PDB_DIRECTORY + 8, UINT32_MAX},
		{PDB_DIRECTORY + 20, UINT32_MAX}, /* and lies outside */
		{PDB_DIRECTORY + 20, 7},
	};
	struct pdb_id id;
	(void)state;
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		struct sample_pdb pdb = pdb_make();
		pdb_put(&pdb, damage[i].offset, damage[i].value);
		if (pdb_says(&pdb, PDB_SIZE, &id))
			fail_msg("damage %zu passed", i);
	}
}

static void a_pdb_that_ends_early_says_nothing(void **state)
{
	struct sample_pdb pdb = pdb_make();
	struct pdb_id id;
	(void)state;
	for (size_t size = 0; size < PDB_INFO + 28; size++)
		assert_false(pdb_says(&pdb, size, &id));
	assert_true(pdb_says(&pdb, PDB_INFO + 28, &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_names_its_pdb),
		cmocka_unit_test(a_damaged_debug_directory_names_none),
		cmocka_unit_test(a_pdb_says_whose_it_is),
		cmocka_unit_test(a_damaged_pdb_says_nothing),
		cmocka_unit_test(a_pdb_that_ends_early_says_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

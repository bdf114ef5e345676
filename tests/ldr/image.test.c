/* SPDX-License-Identifier: MIT */
/* Images in memory: where the bytes go, relocation, the cookie, protection. */
#include "ldr/image.h"
#include "ldr/sample.h"
#include "memory.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct mapped {
	struct pe pe;
	char *base;
};

static struct mapped map(const struct sample *s)
{
	struct mapped m;
	struct pe_error error;
	void *base = NULL;
	if (!ldr_map_image(s->bytes, s->size, &m.pe, &base, &error))
		fail_msg("0x%llx: %s", (unsigned long long)error.offset, error.text);
	m.base = base;
	return m;
}

static void unmap(struct mapped *m)
{
	host_unmap(m->base, m->pe.image_size);
}

static uint64_t value(const struct mapped *m, uint32_t rva)
{
	uint64_t v;
	memcpy(&v, m->base + rva, sizeof(v));
	return v;
}

static void bytes_lie_at_their_rvas(void **state)
{
	(void)state;
	struct sample s = sample_make();
	struct mapped m = map(&s);
	assert_memory_equal(m.base, "MZ", 2);
	assert_memory_equal(m.base + SAMPLE_ENTRY, "\x31\xC0\xC3", 3);
	assert_string_equal(m.base + SAMPLE_DLL_CNG, "cng.sys");
	for (uint32_t rva = SAMPLE_BSS; rva < SAMPLE_PDATA; rva++)
		assert_int_equal(m.base[rva], 0);
	unmap(&m);
}

/* A section's bytes end with its last page, even when the file has more. */
static void bytes_beyond_a_section_stay_in_the_file(void **state)
{
	(void)state;
	struct pe pe = {.section_alignment = PE_PAGE,
			.headers_size = 0x200,
			.image_size = 0x3000,
			.section_count = 1,
			.section = {{.rva = 0x1000,
				     .virtual_size = 0x10,
				     .file_offset = 0x200,
				     .file_size = 0x2000}}};
	uint8_t *file = malloc(0x2200), *image = calloc(1, pe.image_size);
	assert_true(file && image);
	memset(file, 0xAA, 0x2200);
	pe_lay_out(&pe, file, image);
	assert_int_equal(image[0x1FF], 0xAA);
	assert_int_equal(image[0x200], 0);
	assert_int_equal(image[0x1000], 0xAA);
	assert_int_equal(image[0x1FFF], 0xAA);
	assert_int_equal(image[0x2000], 0);
	free(image);
	free(file);
}

static void a_section_without_an_offset_has_no_bytes(void **state)
{
	(void)state;
	struct sample s = sample_make();
	sample_poke(&s, SAMPLE_SECTION(SAMPLE_S_TEXT, file_offset), 0, 4);
	struct mapped m = map(&s);
	assert_int_equal(value(&m, SAMPLE_TEXT), 0);
	unmap(&m);
}

static void pointers_move_with_the_image(void **state)
{
	(void)state;
	struct sample s = sample_make();
	struct mapped m = map(&s);
	uint64_t alpha = (uint64_t)m.base + SAMPLE_ALPHA;
	assert_int_equal(value(&m, SAMPLE_POINTER), alpha);
	assert_int_equal((uint32_t)value(&m, SAMPLE_LOW_HALF), (uint32_t)alpha);
	assert_int_equal(value(&m, SAMPLE_LOAD_CONFIG + PE_LOAD_CONFIG_COOKIE),
			 (uint64_t)m.base + SAMPLE_COOKIE);
	assert_int_equal(value(&m, SAMPLE_FIELD(optional.image_base)), (uint64_t)m.base);
	unmap(&m);
}

static void relocations_of_half_words(void **state)
{
	(void)state;
	struct sample s = sample_make();
	uint16_t rows[2] = {PE_RELOCATION_HIGH << 12 | 0x100, PE_RELOCATION_LOW << 12 | 0x102};
	uint16_t low = 0x8001;
	uint32_t size = 0x18 + sizeof(rows);
	sample_put(&s, SAMPLE_RELOC + 0x18, rows, sizeof(rows));
	sample_poke(&s, sample_offset(SAMPLE_RELOC) + 16, 16, 4); /* the second block */
	sample_poke(&s, SAMPLE_DIRECTORY(PE_RELOCATIONS) + 4, size, 4);
	sample_poke(&s, sample_offset(SAMPLE_DATA) + 0x100, 7, 2);
	sample_put(&s, SAMPLE_DATA + 0x102, &low, sizeof(low));
	struct mapped m = map(&s);
	uint32_t delta = (uint32_t)((uint64_t)m.base - SAMPLE_BASE);
	assert_int_equal((uint16_t)value(&m, SAMPLE_DATA + 0x100), (uint16_t)(7 + (delta >> 16)));
	assert_int_equal((uint16_t)value(&m, SAMPLE_DATA + 0x102), (uint16_t)(low + delta));
	unmap(&m);
}

/* Entry stubs stop the driver when they find the compiler's value. */
static void the_security_cookie_is_random(void **state)
{
	(void)state;
	struct sample s = sample_make();
	struct mapped a = map(&s), b = map(&s);
	uint64_t first = value(&a, SAMPLE_COOKIE), second = value(&b, SAMPLE_COOKIE);
	assert_int_not_equal(first, SAMPLE_DEFAULT_COOKIE);
	assert_int_not_equal(first, 0);
	assert_int_equal(first >> 48, 0);
	assert_int_not_equal(first, second);
	unmap(&a);
	unmap(&b);
}

static void without_a_load_configuration_no_cookie_is_touched(void **state)
{
	(void)state;
	struct sample s = sample_make();
	sample_poke(&s, SAMPLE_DIRECTORY(PE_LOAD_CONFIG), 0, 8);
	struct mapped m = map(&s);
	assert_int_equal(value(&m, SAMPLE_COOKIE), SAMPLE_DEFAULT_COOKIE);
	unmap(&m);

	/* The same for one that is too short to have a cookie. */
	s = sample_make();
	sample_poke(&s, sample_offset(SAMPLE_LOAD_CONFIG), PE_LOAD_CONFIG_COOKIE + 7, 4);
	m = map(&s);
	assert_int_equal(value(&m, SAMPLE_COOKIE), SAMPLE_DEFAULT_COOKIE);
	unmap(&m);
}

/* The permissions of a page as /proc shows them: "r-xp". */
static const char *permissions(const void *page)
{
	static char found[8];
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	strcpy(found, "none");
	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long begin, end;
		char flags[8];
		if (sscanf(line, "%lx-%lx %7s", &begin, &end, flags) == 3 &&
		    (uintptr_t)page >= begin && (uintptr_t)page < end)
			strcpy(found, flags);
	}
	if (maps)
		fclose(maps);
	return found;
}

static void sections_get_the_protection_that_they_ask_for(void **state)
{
	(void)state;
	struct sample s = sample_make();
	struct mapped m = map(&s);
	assert_int_equal(ldr_protect_image(&m.pe, m.base), 0);
	assert_string_equal(permissions(m.base), "r--p");
	assert_string_equal(permissions(m.base + SAMPLE_TEXT), "r-xp");
	assert_string_equal(permissions(m.base + SAMPLE_RDATA), "r--p");
	assert_string_equal(permissions(m.base + SAMPLE_DATA), "rw-p");
	assert_string_equal(permissions(m.base + SAMPLE_BSS), "rw-p");
	assert_string_equal(permissions(m.base + SAMPLE_RELOC), "r--p"); /* discardable, kept */
	unmap(&m);
}

/* The loader itself reads there when a damaged table points to it. */
static void what_belongs_to_no_section_can_be_read(void **state)
{
	(void)state;
	struct sample s = sample_make();
	sample_poke(&s, SAMPLE_FIELD(optional.image_size), SAMPLE_END + 0x2000, 4);
	struct mapped m = map(&s);
	assert_int_equal(ldr_protect_image(&m.pe, m.base), 0);
	assert_string_equal(permissions(m.base + SAMPLE_END + 0x1000), "r--p");
	unmap(&m);
}

static void a_section_that_asks_for_everything_gets_it(void **state)
{
	(void)state;
	struct sample s = sample_make();
	sample_poke(&s, SAMPLE_SECTION(SAMPLE_S_TEXT, characteristics),
		    PE_SECTION_CODE | PE_SECTION_EXECUTE | PE_SECTION_READ | PE_SECTION_WRITE, 4);
	struct mapped m = map(&s);
	assert_int_equal(ldr_protect_image(&m.pe, m.base), 0);
	assert_string_equal(permissions(m.base + SAMPLE_TEXT), "rwxp");
	unmap(&m);
}

static bool always(const char *site)
{
	(void)site;
	return true;
}

static void without_memory_nothing_is_mapped(void **state)
{
	(void)state;
	struct sample s = sample_make();
	struct pe pe;
	struct pe_error error;
	void *base = &s;
	host_fail_allocations(always);
	bool mapped = ldr_map_image(s.bytes, s.size, &pe, &base, &error);
	host_fail_allocations(NULL);
	assert_false(mapped);
	assert_ptr_equal(base, &s);
	assert_string_equal(error.text, "no memory for an image of 0x7000 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_lie_at_their_rvas),
		cmocka_unit_test(bytes_beyond_a_section_stay_in_the_file),
		cmocka_unit_test(a_section_without_an_offset_has_no_bytes),
		cmocka_unit_test(pointers_move_with_the_image),
		cmocka_unit_test(relocations_of_half_words),
		cmocka_unit_test(the_security_cookie_is_random),
		cmocka_unit_test(without_a_load_configuration_no_cookie_is_touched),
		cmocka_unit_test(sections_get_the_protection_that_they_ask_for),
		cmocka_unit_test(what_belongs_to_no_section_can_be_read),
		cmocka_unit_test(a_section_that_asks_for_everything_gets_it),
		cmocka_unit_test(without_memory_nothing_is_mapped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

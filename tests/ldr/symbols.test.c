/* SPDX-License-Identifier: MIT */
/*
 * Names of functions and lines: from a COFF table, from DWARF, from a PDB; from damaged
 * ones nothing, and never harm. tests/drivers/symbols says on which lines its calls are.
 */
#include "ldr/symbols.h"
#include "ke/bugcheck.h"
#include "ldr/files.h"
#include "ldr/module.h"
#include "ldr/symbols-sample.h"
#include "support/bugcheck.h"
#include "support/world.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct sample with_table(void)
{
	struct sample s = sample_make();
	sample_add_table(&s);
	return s;
}

/* ---- Files ---------------------------------------------------------------------------------- */

static struct pe headers;

static const char *write_sample(const struct sample *s)
{
	static char path[512];
	struct pe_error error;
	assert_true(pe_parse(s->bytes, s->size, &headers, &error));
	strcpy(path, scratch_file("sample.sys", s->bytes, s->size));
	return path;
}

static void write_pdb(const struct sample_pdb *pdb)
{
	scratch_file("sample.pdb", pdb->bytes, PDB_SIZE);
}

static void clean_up(void)
{
	scratch_remove("sample.pdb");
	scratch_remove("sample.sys");
}

static enum ldr_pdb verdict(const char *path)
{
	struct ldr_symbols symbols;
	assert_true(ldr_look_for_symbols(path, &headers, &symbols));
	return symbols.pdb;
}

static void the_pdb_must_lie_beside_and_be_of_the_same_build(void **state)
{
	struct sample s = sample_make();
	struct sample_pdb pdb = pdb_make();
	const char *path = write_sample(&s);
	(void)state;
	assert_int_equal(verdict(path), LDR_PDB_NONE);
	sample_add_pdb_name(&s);
	path = write_sample(&s);
	assert_int_equal(verdict(path), LDR_PDB_ABSENT);
	write_pdb(&pdb);
	assert_int_equal(verdict(path), LDR_PDB_MATCHES);
	pdb.bytes[PDB_INFO + 12]++;
	write_pdb(&pdb);
	assert_int_equal(verdict(path), LDR_PDB_FOREIGN);
	pdb = pdb_make();
	pdb_put(&pdb, PDB_MODULES + 8, SAMPLE_AGE - 1);
	write_pdb(&pdb);
	assert_int_equal(verdict(path), LDR_PDB_FOREIGN);
	pdb_put(&pdb, PDB_BLOCK_SIZE, 0);
	write_pdb(&pdb);
	assert_int_equal(verdict(path), LDR_PDB_DAMAGED);
	clean_up();
}

static void what_is_no_regular_file_is_not_opened(void **state)
{
	struct sample s = sample_make();
	(void)state;
	sample_add_pdb_name(&s);
	const char *path = write_sample(&s);
	assert_int_equal(mkfifo(scratch("sample.pdb"), 0600), 0); /* nobody writes to it */
	assert_int_equal(verdict(path), LDR_PDB_ABSENT);
	unlink(scratch("sample.pdb"));
	assert_int_equal(mkdir(scratch("sample.pdb"), 0700), 0);
	assert_int_equal(verdict(path), LDR_PDB_ABSENT);
	rmdir(scratch("sample.pdb"));
	clean_up();
}

/* ---- Answers -------------------------------------------------------------------------------- */

#define PATIENCE_MS 60000 /* for slow machines: nothing here waits for its end */

static char notes[256];

static struct ldr_place ask(const char *path, uint32_t rva)
{
	struct ldr_place place = {.path = path, .pe = &headers, .rva = rva};
	ldr_find_symbols(&place, 1, PATIENCE_MS, notes, sizeof(notes));
	return place;
}

static void what_cannot_be_used_is_said_in_a_line(void **state)
{
	struct sample s = with_table();
	struct sample_pdb pdb = pdb_make();
	(void)state;
	sample_add_pdb_name(&s);
	const char *path = write_sample(&s);
	pdb.bytes[PDB_INFO + 12]++;
	write_pdb(&pdb);
	assert_string_equal(ask(path, SAMPLE_TEXT + 4).function, "entry+0x4");
	assert_string_equal(notes, "sample.pdb is of another build than sample.sys: not used\n");
	pdb_put(&pdb, 0, 0);
	write_pdb(&pdb);
	assert_string_equal(ask(path, SAMPLE_TEXT).function, "entry");
	assert_string_equal(notes, "sample.pdb is damaged or no PDB: not used\n");
	clean_up();
	assert_string_equal(ask(path, SAMPLE_TEXT).function, "");
	assert_string_equal(notes, "");
}

static void a_file_that_has_changed_is_not_used(void **state)
{
	struct sample s = with_table();
	(void)state;
	const char *path = write_sample(&s);
	sample_poke(&s, SAMPLE_FIELD(file.time_stamp), 1, 4);
	scratch_file("sample.sys", s.bytes, s.size);
	assert_string_equal(ask(path, SAMPLE_TEXT).function, "");
	assert_string_equal(notes, "sample.sys has changed since it was loaded: no symbols\n");
	clean_up();
}

/* ---- What compilers and linkers write ------------------------------------------------------- */

static bool can_read_lines(void)
{
	return system("command -v llvm-symbolizer >/dev/null") == 0;
}

/* A copy of a fixture with what lies beside it; its headers are taken in. */
static const char *copy_of(const char *name, const char *extension, const void **bytes,
			   size_t *size)
{
	static char path[512];
	char from[512], file[64];
	struct pe_error error;
	snprintf(from, sizeof(from), "%s/tests/drivers/%s.%s", TEST_BUILD, name, extension);
	snprintf(file, sizeof(file), "%s.%s", name, extension);
	void *content = read_whole(from, size);
	strcpy(path, scratch_file(file, content, *size));
	if (strcmp(extension, "sys") == 0)
		assert_true(pe_parse(content, *size, &headers, &error));
	if (bytes)
		*bytes = content;
	else
		free(content);
	return path;
}

static uint32_t export_of_image(const char *path, const char *name)
{
	size_t size;
	struct pe_exports exports;
	struct pe_error error;
	void *file = read_whole(path, &size), *image = calloc(1, headers.image_size);
	pe_lay_out(&headers, file, image);
	assert_true(pe_find_exports(&headers, image, &exports, &error));
	uint32_t rva = pe_export_rva(&headers, image, &exports,
				     pe_export_index(&headers, image, &exports, name));
	free(image);
	free(file);
	return rva;
}

static void assert_ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), wanted = strlen(end);
	if (length < wanted || strcmp(text + length - wanted, end) != 0)
		fail_msg("\"%s\" does not end with \"%s\"", text, end);
}

static void dwarf_gives_lines_and_the_table_names(void **state)
{
	size_t size;
	(void)state;
	if (!can_read_lines())
		skip();
	const char *path = copy_of("symbols", "sys", NULL, &size);
	struct ldr_place place = ask(path, export_of_image(path, "outer"));
	assert_string_equal(place.function, "outer");
	assert_ends_with(place.source, "/symbols.c:201");
	assert_string_equal(notes, "");
	scratch_remove("symbols.sys");
}

static void without_llvm_the_table_names_functions(void **state)
{
	size_t size;
	(void)state;
	const char *path = copy_of("symbols", "sys", NULL, &size);
	setenv("RINGSIDE_SYMBOLIZER", "/no/such/program", 1);
	struct ldr_place place = ask(path, export_of_image(path, "outer") + 1);
	unsetenv("RINGSIDE_SYMBOLIZER");
	assert_string_equal(place.function, "outer+0x1");
	assert_string_equal(place.source, "");
	assert_string_equal(notes, "no llvm-symbolizer was found to read DWARF and PDBs\n");
	scratch_remove("symbols.sys");
}

static void without_patience_no_program_is_run(void **state)
{
	size_t size;
	(void)state;
	const char *path = copy_of("symbols", "sys", NULL, &size);
	struct ldr_place place = {
		.path = path, .pe = &headers, .rva = export_of_image(path, "outer")};
	setenv("RINGSIDE_SYMBOLIZER", "/no/such/program", 1);
	ldr_find_symbols(&place, 1, 0, notes, sizeof(notes));
	unsetenv("RINGSIDE_SYMBOLIZER");
	assert_string_equal(place.function, "outer");
	assert_string_equal(notes, "");
	scratch_remove("symbols.sys");
}

static void a_table_alone_names_functions(void **state)
{
	size_t size;
	(void)state;
	const char *path = copy_of("symbolscoff", "sys", NULL, &size);
	struct ldr_place place = ask(path, export_of_image(path, "outer") + 1);
	assert_string_equal(place.function, "outer+0x1");
	assert_string_equal(place.source, "");
	assert_string_equal(notes, "");
	scratch_remove("symbolscoff.sys");
}

static bool has_pdb_fixture(void)
{
	return can_read_lines() && access(TEST_BUILD "/tests/drivers/symbolspdb.pdb", R_OK) == 0;
}

static void a_pdb_gives_names_and_lines(void **state)
{
	size_t size;
	(void)state;
	if (!has_pdb_fixture())
		skip();
	copy_of("symbolspdb", "pdb", NULL, &size);
	const char *path = copy_of("symbolspdb", "sys", NULL, &size);
	uint32_t outer = export_of_image(path, "outer");
	struct ldr_place place = ask(path, outer);
	assert_string_equal(place.function, "outer");
	assert_ends_with(place.source, "symbols.c:201");
	place = ask(path, outer + 4);
	assert_string_equal(place.function, "outer+0x4");
	scratch_remove("symbolspdb.pdb");
	place = ask(path, outer);
	assert_string_equal(place.function, "");
	assert_string_equal(place.source, "");
	scratch_remove("symbolspdb.sys");
}

/* Several images in one question, each with its own kind. */
static void all_kinds_are_asked_at_once(void **state)
{
	size_t size;
	struct pe coff, dwarf;
	char paths[2][512];
	(void)state;
	if (!can_read_lines())
		skip();
	strcpy(paths[0], copy_of("symbolscoff", "sys", NULL, &size));
	coff = headers;
	uint32_t in_coff = export_of_image(paths[0], "outer");
	strcpy(paths[1], copy_of("symbols", "sys", NULL, &size));
	dwarf = headers;
	uint32_t in_dwarf = export_of_image(paths[1], "outer");
	struct ldr_place place[5] = {
		{.path = paths[1], .pe = &dwarf, .rva = in_dwarf},
		{.path = NULL},
		{.path = paths[0], .pe = &coff, .rva = in_coff},
		{.path = paths[1], .pe = &dwarf, .rva = 0x2000}, /* no code */
		{.path = paths[1], .pe = &dwarf, .rva = in_dwarf, .behind_call = true},
	};
	ldr_find_symbols(place, 5, PATIENCE_MS, notes, sizeof(notes));
	assert_string_equal(place[0].function, "outer");
	assert_ends_with(place[0].source, "symbols.c:201");
	assert_string_equal(place[1].function, "");
	assert_string_equal(place[2].function, "outer");
	assert_string_equal(place[2].source, "");
	assert_string_equal(place[3].source, "");
	assert_non_null(strstr(place[4].function, "inner+0x")); /* what is before outer */
	scratch_remove("symbols.sys");
	scratch_remove("symbolscoff.sys");
}

/* The image and the PDB are damaged everywhere but where their ids are. */
static void damaged_symbols_give_nothing_and_do_no_harm(void **state)
{
	const void *content;
	size_t size, pdb_size;
	(void)state;
	if (!has_pdb_fixture())
		skip();
	const char *path = copy_of("symbolspdb", "sys", NULL, &size);
	uint32_t outer = export_of_image(path, "outer");
	copy_of("symbolspdb", "pdb", &content, &pdb_size);
	for (unsigned seed = 1; seed <= 12; seed++) {
		uint8_t *bytes = malloc(pdb_size);
		memcpy(bytes, content, pdb_size);
		srandom(seed);
		for (size_t i = 64; i < pdb_size; i += 1 + (size_t)random() % (seed * 32))
			bytes[i] = (uint8_t)random();
		scratch_file("symbolspdb.pdb", bytes, pdb_size);
		free(bytes);
		strcpy(notes, "");
		ask(path, outer);
	}
	free((void *)(uintptr_t)content);
	scratch_remove("symbolspdb.pdb");
	scratch_remove("symbolspdb.sys");
}

/* Two answers, of a program that is not LLVM's. */
static struct ldr_place ask_program(const char *script)
{
	size_t size;
	char program[512];
	snprintf(program, sizeof(program), "%s",
		 scratch_file("symbolizer", script, strlen(script)));
	chmod(program, 0700);
	const char *path = copy_of("symbols", "sys", NULL, &size);
	uint32_t outer = export_of_image(path, "outer");
	setenv("RINGSIDE_SYMBOLIZER", program, 1);
	struct ldr_place place = ask(path, outer);
	unsetenv("RINGSIDE_SYMBOLIZER");
	scratch_remove("symbols.sys");
	scratch_remove("symbolizer");
	return place;
}

/* A PDB without static functions, or a compiler's own labels. */
static void an_offset_is_from_where_the_name_begins(void **state)
{
	static const char same[] = "#!/bin/sh\nwhile read q; do printf 'f\\n??:0:0\\n\\n'; done\n";
	static const char other[] = "#!/bin/sh\nread q; printf 'e\\n??:0:0\\n\\n'\n"
				    "read q; printf 'f\\n??:0:0\\n\\n'\n";
	size_t size;
	char program[512];
	(void)state;
	if (!has_pdb_fixture())
		skip();
	copy_of("symbolspdb", "pdb", NULL, &size);
	const char *path = copy_of("symbolspdb", "sys", NULL, &size);
	uint32_t inside = export_of_image(path, "outer") + 4;
	snprintf(program, sizeof(program), "%s", scratch_file("symbolizer", same, strlen(same)));
	chmod(program, 0700);
	setenv("RINGSIDE_SYMBOLIZER", program, 1);
	assert_string_equal(ask(path, inside).function, "f");
	scratch_file("symbolizer", other, strlen(other));
	assert_string_equal(ask(path, inside).function, "f+0x4");
	unsetenv("RINGSIDE_SYMBOLIZER");
	scratch_remove("symbolizer");
	scratch_remove("symbolspdb.pdb");
	scratch_remove("symbolspdb.sys");
}

static void what_the_program_answers_is_not_trusted(void **state)
{
	(void)state;
	struct ldr_place place = ask_program("#!/bin/sh\nprintf 'f\\n/a\\033[31mb.c:7:0\\n\\n'\n");
	assert_string_equal(place.source, "/a?[31mb.c:7");
	place = ask_program("#!/bin/sh\nyes x | tr -d '\\n' | head -c 100000\n");
	assert_string_equal(place.source, "");
	place = ask_program("#!/bin/sh\nyes\n yes\n"); /* for ever: its time is limited */
	assert_string_equal(place.source, "");
	place = ask_program("#!/bin/sh\nprintf 'f\\nc:\\\\b.c:-7:0\\n\\n'\n");
	assert_string_equal(place.source, "");
	place = ask_program("#!/bin/sh\nkill -SEGV $$\n");
	assert_string_equal(place.function, "outer");
	assert_string_equal(notes, "llvm-symbolizer failed\n");
	ask_program("#!/bin/sh\nexit 3\n");
	assert_string_equal(notes, "llvm-symbolizer failed\n");
	assert_string_equal(ask_program("#!/bin/sh\ntrue\n").function, "outer");
}

/* ---- In reports ------------------------------------------------------------------------------ */

static void crash(void *path)
{
	struct rs_error error;
	rs_shutdown();
	if (rs_boot(&(struct rs_options){.symbols = true}))
		abort();
	struct rs_driver *driver = rs_load(path, &error);
	if (driver)
		rs_start(driver);
}

static const char *report_of(const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/tests/drivers/%s.sys", TEST_BUILD, name);
	return expect_bug_check((ULONG)KE_MANUALLY_INITIATED_CRASH, crash, path)->report;
}

static void assert_in_order(const char *text, const char *const *words)
{
	for (const char *at = text; *words; words++) {
		at = strstr(at, *words);
		if (!at)
			fail_msg("no \"%s\" in its place in:\n%s", *words, text);
	}
}

static void the_stack_of_a_bug_check_has_functions_and_lines(void **state)
{
	static const char *const lines[] = {"in      symbols.sys+0x",
					    " inner+0x",
					    "at symbols.c:102 at IRQL 0\n",
					    "symbols.sys+0x",
					    " inner+0x",
					    "at symbols.c:102\n",
					    "symbols.sys+0x",
					    " outer+0x",
					    "at symbols.c:202\n",
					    "symbols.sys+0x",
					    " DriverEntry",
					    "at symbols.c:302\n",
					    NULL};
	static const char *const names[] = {" inner+0x", " outer+0x", " DriverEntry+0x", NULL};
	static const char *const pdb[] = {
		"symbolspdb.sys+0x", " inner+0x",           " at symbols.c:102\n",
		"symbolspdb.sys+0x", " outer+0x",           " at symbols.c:202\n",
		" DriverEntry+0x",   " at symbols.c:302\n", NULL};
	(void)state;
	assert_in_order(report_of("symbolscoff"), names);
	if (!can_read_lines())
		skip();
	assert_in_order(report_of("symbols"), lines);
	if (has_pdb_fixture())
		assert_in_order(report_of("symbolspdb"), pdb);
}

static void start_without_symbols(void *path)
{
	struct rs_error error;
	struct rs_driver *driver = rs_load(path, &error);
	if (driver)
		rs_start(driver);
}

static void unless_asked_for_no_symbols_are_read(void **state)
{
	char path[] = TEST_BUILD "/tests/drivers/symbols.sys";
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check((ULONG)KE_MANUALLY_INITIATED_CRASH,
							     start_without_symbols, path);
	assert_null(strstr(seen->report, "inner"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pdb_must_lie_beside_and_be_of_the_same_build),
		cmocka_unit_test(what_is_no_regular_file_is_not_opened),
		cmocka_unit_test(what_cannot_be_used_is_said_in_a_line),
		cmocka_unit_test(a_file_that_has_changed_is_not_used),
		cmocka_unit_test(dwarf_gives_lines_and_the_table_names),
		cmocka_unit_test(without_llvm_the_table_names_functions),
		cmocka_unit_test(without_patience_no_program_is_run),
		cmocka_unit_test(a_table_alone_names_functions),
		cmocka_unit_test(a_pdb_gives_names_and_lines),
		cmocka_unit_test(all_kinds_are_asked_at_once),
		cmocka_unit_test(damaged_symbols_give_nothing_and_do_no_harm),
		cmocka_unit_test(an_offset_is_from_where_the_name_begins),
		cmocka_unit_test(what_the_program_answers_is_not_trusted),
		WORLD_TEST(the_stack_of_a_bug_check_has_functions_and_lines),
		WORLD_TEST(unless_asked_for_no_symbols_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

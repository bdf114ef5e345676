/* SPDX-License-Identifier: MIT */
/*
 * conform.sys under both profiles: it holds the kernel under it to the contract, and here
 * every line that it prints must be an "ok". A test for each clause and profile says so, by
 * names of which docs/coverage.md is made.
 */
#include "stimuli.h"
#include <stdio.h>
#include <stdlib.h>

/* What conform.sys checks. Those clauses that the contract only infers have an i behind them here, and
 * "(inferred)" in each of their lines. */
static const char known[] =
	"PS-01 PS-02 PS-03 PS-04 PS-05 PS-06 PS-07 PS-08i PS-10 PS-11 PS-12 PS-13 PS-14 "
	"PS-15 PS-16 PS-17 PS-18 PS-19 PS-20i PS-22 PS-23i PS-24i PS-25i PS-28i PS-29i PS-30i "
	"PS-31 PS-32 PS-33 PS-34 PS-35 "
	"PS-36 PS-37 PS-38 PS-39i PS-41 PS-42 PS-43 PS-44 PS-45 PS-46 PS-47i PS-48i PS-49 "
	"PS-50 PS-51i PS-52i PS-53 PS-54i PS-55 PS-56 PS-57 PS-58i PS-59i PS-60 PS-61i PS-62 "
	"PS-63 PS-64 PS-65 PS-66i PS-67 PS-68 PS-69 PS-70 PS-71 PS-72 PS-73i PS-74 PS-75 "
	"PS-76 PS-77 PS-78 PS-79 PS-80 PS-81 PS-82 PS-83 PS-84 PS-85 PS-86 PS-87 "
	"OB-01 OB-02 OB-03i OB-04i OB-05 OB-06 OB-07 OB-08 OB-09i OB-10 OB-11 OB-12 OB-13 "
	"OB-14i OB-15i OB-16i OB-18 OB-19 OB-20 OB-21i OB-22i OB-23i OB-24 OB-26 OB-27i "
	"OB-28i OB-29 OB-30 OB-31 OB-32 OB-33i OB-34i OB-35 OB-36 OB-37 OB-38i OB-39 OB-40 "
	"OB-41i OB-42 OB-43 OB-44i OB-45 OB-46 OB-47 OB-48 OB-49 OB-50 OB-51 OB-52i OB-53 "
	"OB-54i OB-55 OB-56 OB-57 OB-58i OB-59 OB-60i OB-61 OB-62 "
	"AB-01i AB-02 AB-03 AB-04 AB-05 AB-06 AB-07 AB-08 AB-09 AB-10 AB-11 AB-12 AB-13 "
	"AB-14 AB-15 AB-16 AB-17 AB-18 AB-19 AB-20 AB-21 AB-22";

struct clause {
	char name[6]; /* "PS-01" */
	bool inferred;
};

static struct clause clauses[200];
static unsigned clause_count;

static void list_clauses(void)
{
	for (const char *at = known; *at; at += strcspn(at, " "), at += *at == ' ') {
		struct clause *clause = &clauses[clause_count++];
		memcpy(clause->name, at, 5);
		clause->inferred = at[5] == 'i';
	}
}

/* ---- One run ------------------------------------------------------------------------------ */

struct run {
	const char *profile;
	int (*boot)(void **state);
	char *line[1024]; /* without the "conform: " */
	unsigned lines;
	bool finished;
};

static struct run runs[] = {{.profile = "documented", .boot = world_documented},
			    {.profile = "observed", .boot = world_observed}};
#define RUNS (sizeof runs / sizeof runs[0])

static void hear(void *context, const struct rs_event *event)
{
	static const char prefix[] = "conform: ";
	struct run *run = context;
	if (event->type == RS_BUG_CHECK)
		print_error("bug check %#x: %s\n", event->bug_check.code, event->bug_check.detail);
	if (event->type != RS_DEBUG_PRINT || strncmp(event->print.text, prefix, strlen(prefix)) ||
	    run->lines == sizeof run->line / sizeof run->line[0])
		return;
	char *line = strdup(event->print.text + strlen(prefix));
	printf("# conform.sys %s: %s\n", run->profile, line);
	run->line[run->lines++] = line;
}

static void set(struct rs_driver *driver, const char *name, const char *value)
{
	assert_int_equal(rs_set_parameter(driver, name, &value, 1), 0);
}

static void load_stimulate_unload(struct run *run)
{
	struct rs_error error = {""};
	begin_before_the_driver();
	struct rs_driver *driver = rs_load(TEST_BUILD "/tests/drivers/conform.sys", &error);
	if (!driver)
		fail_msg("%s", error.text);
	set(driver, "Profile", run->profile);
	set(driver, "Alone", "1");
	set(driver, "Invasive", "1");
	assert_ntsuccess(rs_start(driver));
	let_everything_happen();
	assert_ntsuccess(rs_unload(driver));
	end_after_the_driver();
}

/* Whether a line is "PS-06 ok ..." of this clause and this result. */
static bool is_of(const char *line, const char *clause, const char *result)
{
	return !strncmp(line, clause, 5) && line[5] == ' ' &&
	       !strncmp(line + 6, result, strlen(result)) && line[6 + strlen(result)] == ' ';
}

static unsigned count(const struct run *run, const char *clause, const char *result)
{
	unsigned found = 0;
	for (unsigned i = 0; i < run->lines; i++)
		found += is_of(run->line[i], clause, result);
	return found;
}

/* ---- Tests ------------------------------------------------------------------------------------ */

static void loads_and_unloads(void **state)
{
	struct run *run = *state;
	run->boot(NULL);
	assert_int_equal(rs_listen(hear, run), 0);
	load_stimulate_unload(run);
	rs_unlisten(hear, run);
	world_end(NULL);
	run->finished = true;
}

static void all_seen_and_ok(void **state)
{
	const struct run *run = *state;
	unsigned ok, failed, unseen;
	assert_true(run->finished);
	assert_int_equal(sscanf(run->line[run->lines - 1], "%u ok, %u failed, %u not seen", &ok,
				&failed, &unseen),
			 3);
	assert_int_equal(failed, 0);
	assert_int_equal(unseen, 0);
	unsigned lines = 0;
	for (unsigned i = 0; i < clause_count; i++)
		lines += count(run, clauses[i].name, "ok");
	assert_int_equal(lines, ok); /* and each is of a clause that this test knows */
}

struct case_ {
	struct run *run;
	const struct clause *clause;
	char name[64];
};

static void clause_holds(void **state)
{
	const struct case_ *c = *state;
	const struct run *run = c->run;
	assert_true(run->finished);
	for (unsigned i = 0; i < run->lines; i++) {
		const char *line = run->line[i];
		if (is_of(line, c->clause->name, "FAILED") ||
		    is_of(line, c->clause->name, "not seen"))
			fail_msg("%s", line);
		if (is_of(line, c->clause->name, "ok") && c->clause->inferred &&
		    !strstr(line, "(inferred)"))
			fail_msg("not marked as inferred: %s", line);
	}
	assert_true(count(run, c->clause->name, "ok") != 0);
}

/* "ps_06_conform_sys_documented" */
static void name_case(struct case_ *c)
{
	const char *clause = c->clause->name;
	snprintf(c->name, sizeof c->name, "%c%c_%s_conform_sys_%s%s", clause[0] | 0x20,
		 clause[1] | 0x20, clause + 3, c->run->profile,
		 c->clause->inferred ? "_inferred" : "");
}

static struct case_ cases[RUNS][200];
static struct CMUnitTest tests[RUNS * 202];
static unsigned test_count;

static void add_test(const char *name, CMUnitTestFunction function, void *state)
{
	tests[test_count++] = (struct CMUnitTest){
		.name = name, .test_func = function, .initial_state = state};
}

static void add_tests_of(struct run *run, struct case_ *cases_of_run)
{
	bool observed = run->boot == world_observed;
	add_test(observed ? "observed_profile_loads_and_unloads" : "loads_and_unloads",
		 loads_and_unloads, run);
	add_test(observed ? "observed_profile_has_all_seen_and_ok" : "all_seen_and_ok",
		 all_seen_and_ok, run);
	for (unsigned i = 0; i < clause_count; i++) {
		struct case_ *c = &cases_of_run[i];
		*c = (struct case_){.run = run, .clause = &clauses[i]};
		name_case(c);
		add_test(c->name, clause_holds, c);
	}
}

int main(void)
{
	list_clauses();
	for (unsigned i = 0; i < RUNS; i++)
		add_tests_of(&runs[i], cases[i]);
	return _cmocka_run_group_tests("conform", tests, test_count, NULL, NULL);
}

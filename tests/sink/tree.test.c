/* SPDX-License-Identifier: MIT */
/* The tree that is drawn at the end, from hand-made events. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include "tests/sink/events.h"
#include "sink/tree.h"

static struct sink_tree *tree;
static char text[65536];

static int open_tree(void **state)
{
	(void)state;
	tree = sink_tree_open();
	return tree ? 0 : -1;
}

static int close_tree(void **state)
{
	(void)state;
	sink_tree_close(tree);
	return 0;
}

static void hear(struct rs_event event)
{
	sink_tree_hear(tree, &event);
}

static const char *drawn(unsigned width)
{
	struct sink_options options = {.fd = memfd_create("tree", MFD_CLOEXEC), .width = width};
	assert_int_equal(sink_tree_draw(tree, &options), 0);
	ssize_t n = pread(options.fd, text, sizeof text - 1, 0);
	text[n > 0 ? n : 0] = 0;
	close(options.fd);
	return text;
}

#define HEAD "\n   began  lasted    end                   process\n"

static void nothing_is_drawn_of_nothing(void **state)
{
	(void)state;
	assert_string_equal(drawn(0), "");
}

static void children_hang_on_their_makers_in_the_order_of_birth(void **state)
{
	(void)state;
	hear(a_creation(100, 1, STATUS_SUCCESS));
	hear(a_creation(101, 100, STATUS_SUCCESS));
	hear(a_creation(102, 101, STATUS_SUCCESS));
	hear(a_creation(103, 100, STATUS_ACCESS_DENIED));
	hear(an_exit(102, 3 << 8));
	hear(an_exit(101, SIGKILL));
	hear(an_exit(103, 0));
	hear(an_exit(100, 0));
	assert_string_equal(drawn(0),
			    HEAD "   0.000  2.10 ms   exited with 0         100 sleep 1\n"
				 "   0.000  2.10 ms   killed by SIGKILL     ├─ 101 sleep 1\n"
				 "   0.000  2.10 ms   exited with 3         │  └─ 102 sleep 1\n"
				 "   0.000            refused               └─ 103 sleep 1\n");
}

static void what_has_not_ended_runs(void **state)
{
	(void)state;
	hear(a_creation(100, 0, STATUS_SUCCESS));
	assert_non_null(strstr(drawn(0), "runs                  100 sleep 1\n"));
}

static void a_deed_stands_below_its_doer_and_is_counted(void **state)
{
	(void)state;
	hear(a_creation(100, 0, STATUS_SUCCESS));
	for (int i = 0; i < 3; i++)
		hear(a_handle("kill(SIGTERM)", PROCESS_TERMINATE, PROCESS_TERMINATE));
	hear(a_handle("kill(SIGKILL)", PROCESS_TERMINATE, 0));
	hear(a_handle(RS_REASON_CREATED, PROCESS_TERMINATE, PROCESS_TERMINATE));
	hear(an_exit(100, 0));
	const char *deeds = strstr(drawn(0), "sleep 1\n");
	assert_non_null(deeds);
	assert_string_equal(deeds,
			    "sleep 1\n"
			    "                                               "
			    "kill(SIGTERM) on 104 sleep: PROCESS_TERMINATE, 3 times\n"
			    "                                               "
			    "kill(SIGKILL) on 104 sleep: warden.sys took PROCESS_TERMINATE\n");
}

static void an_id_in_use_again_is_another_process(void **state)
{
	(void)state;
	hear(a_creation(100, 0, STATUS_SUCCESS));
	hear(a_creation(101, 100, STATUS_SUCCESS));
	hear(an_exit(101, 0));
	hear(a_creation(101, 100, STATUS_SUCCESS));
	hear(an_exit(101, 1 << 8));
	drawn(0);
	assert_non_null(strstr(text, "exited with 0         ├─ 101"));
	assert_non_null(strstr(text, "exited with 1         └─ 101"));
}

static void a_line_is_cut_at_the_width(void **state)
{
	(void)state;
	hear(a_creation(100, 0, STATUS_SUCCESS));
	assert_non_null(strstr(drawn(48), " 100 s…\n"));
}

static void many_processes_are_drawn_whole(void **state)
{
	(void)state;
	unsigned lines = 0;
	hear(a_creation(1, 0, STATUS_SUCCESS));
	for (ULONG64 i = 2; i <= 500; i++)
		hear(a_creation(i, 1, STATUS_SUCCESS));
	for (const char *c = drawn(0); *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 2 + 500);
}

int main(void)
{
#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, open_tree, close_tree)
	const struct CMUnitTest tests[] = {
		TREE_TEST(nothing_is_drawn_of_nothing),
		TREE_TEST(children_hang_on_their_makers_in_the_order_of_birth),
		TREE_TEST(what_has_not_ended_runs),
		TREE_TEST(a_deed_stands_below_its_doer_and_is_counted),
		TREE_TEST(an_id_in_use_again_is_another_process),
		TREE_TEST(a_line_is_cut_at_the_width),
		TREE_TEST(many_processes_are_drawn_whole),
	};
	return cmocka_run_group_tests(tests, boot, shut_down);
}

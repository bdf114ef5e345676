/* SPDX-License-Identifier: MIT */
/*
 * The two profiles and the switches that override them: Appendix C. What each switch
 * does is tested beside its clause.
 */
#include "support/record.h"
#include "switches.h"

struct profile_row {
	unsigned number;
	bool documented, observed;
	const bool *field;
};

/* As the tables of Appendix C have them. */
static const struct profile_row rows[] = {
	{1, false, true, &ke_switches.duplicate_routine_accepted},
	{2, false, true, &ke_switches.ex2_unknown_type_not_supported},
	{3, false, true, &ke_switches.parent_always_told},
	{4, false, true, &ke_switches.threadless_exit_silent},
	{5, false, false, &ke_switches.vetoed_exit_silent},
	{6, false, false, &ke_switches.ob_version_high_byte},
	{7, false, false, &ke_switches.altitude_system_wide},
	{8, false, false, &ke_switches.altitude_must_be_numeric},
	{9, false, true, &ke_switches.failed_post_has_parameters},
	{10, false, true, &ke_switches.thread_events_at_apc_level},
	{11, false, false, &ke_switches.only_listed_rights_removable},
};
#define ROWS (sizeof rows / sizeof rows[0])

static void c_01_c_02_c_03_c_04_c_05_c_06_c_07_c_08_c_09_c_10_c_11_follow_the_profile(void **state)
{
	(void)state;
	assert_int_equal(rs_boot(NULL), 0);
	for (unsigned i = 0; i < ROWS; i++)
		assert_int_equal(*rows[i].field, rows[i].documented);
	rs_shutdown();
	assert_int_equal(rs_boot(&(struct rs_options){.profile = RS_OBSERVED}), 0);
	for (unsigned i = 0; i < ROWS; i++)
		assert_int_equal(*rows[i].field, rows[i].observed);
	rs_shutdown();
}

static void c_01_c_02_c_03_c_04_c_05_c_06_c_07_c_08_c_09_c_10_c_11_override_it(void **state)
{
	(void)state;
	for (unsigned profile = 0; profile < 2; profile++)
		for (unsigned i = 0; i < ROWS; i++)
			for (unsigned value = 0; value < 2; value++) {
				struct rs_options options = {
					.profile = profile ? RS_OBSERVED : RS_DOCUMENTED,
					.switch_mask = 1u << rows[i].number,
					.switch_values = value ? ~0u : 0,
				};
				assert_int_equal(rs_boot(&options), 0);
				for (unsigned j = 0; j < ROWS; j++)
					assert_int_equal(*rows[j].field,
							 j == i    ? value
							 : profile ? rows[j].observed
								   : rows[j].documented);
				rs_shutdown();
			}
}

/* The behaviour, not the variable: what differs is only what Appendix C says. */
static void c_06_c_07_c_08_observed_profile_keeps_their_defaults(void **state)
{
	(void)state;
	PVOID handle;
	OB_OPERATION_REGISTRATION entry = {&PsProcessType, OB_OPERATION_HANDLE_CREATE, record_pre,
					   NULL};
	OB_CALLBACK_REGISTRATION registration = {0x0101, 1, USTR_INIT(u"1"), NULL, &entry};
	assert_status(ObRegisterCallbacks(&registration, &handle), STATUS_INVALID_PARAMETER);
	watch('A', "1000", PROCESSES);
	watch('B', "1000", THREADS);
	watch('C', "no number", PROCESSES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			c_01_c_02_c_03_c_04_c_05_c_06_c_07_c_08_c_09_c_10_c_11_follow_the_profile),
		cmocka_unit_test(
			c_01_c_02_c_03_c_04_c_05_c_06_c_07_c_08_c_09_c_10_c_11_override_it),
		OBSERVED_TEST(c_06_c_07_c_08_observed_profile_keeps_their_defaults),
	};
	return cmocka_run_group_tests_name("ps/profile", tests, NULL, NULL);
}

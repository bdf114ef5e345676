/* SPDX-License-Identifier: MIT */
/* warden.sys refuses programs. */
#include "duty.h"
#include "cm/registry.h"

static void ps_49_denied_image_does_not_start(void **state)
{
	(void)state;
	struct actor shell = actor_start(SHELL);
	rs_become(shell.thread);
	assert_status(try_image("\\??\\Z:\\usr\\bin\\xxd"), STATUS_ACCESS_DENIED);
	assert_int_equal(said.vetoes, 1);
	char line[128];
	snprintf(line, sizeof(line), "warden: denied \\??\\Z:\\usr\\bin\\xxd to process %u\n",
		 (unsigned)id_of(shell.process));
	assert_said(line);
	rs_become(NULL);
	actor_end(&shell);
}

static void names_match_the_last_component_whatever_its_case(void **state)
{
	(void)state;
	static const struct {
		const char *image;
		bool subsystem, denied;
	} cases[] = {
		{"\\??\\Z:\\usr\\bin\\xxd", false, true},
		{"\\??\\Z:\\usr\\bin\\XxD", false, true},
		{"\\??\\C:\\tools\\MINER.EXE", false, true},
		{"\\Device\\HarddiskVolume1\\usr\\bin\\xxd", false, true},
		{"xxd", false, true},
		{"\\??\\Z:\\usr\\bin\\xxd2", false, false},
		{"\\??\\Z:\\usr\\bin\\axxd", false, false},
		{"\\??\\Z:\\usr\\bin\\xx", false, false},
		{"\\??\\Z:\\xxd\\cat", false, false},
		{"\\??\\Z:\\usr\\bin\\", false, false},
		{"\\??\\C:\\tools\\miner", false, false},
		{"/usr/bin/xxd", true, true},
		{"/xxd", true, true},
		{"/xxd/cat", true, false},
		{"/tmp/a\\xxd", true, false}, /* one file name on Linux */
		{NULL, true, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rs_process_spec spec = {.image = cases[i].image,
					       .subsystem = cases[i].subsystem};
		NTSTATUS status = try_start(&spec);
		if (status != (cases[i].denied ? STATUS_ACCESS_DENIED : STATUS_SUCCESS))
			fail_msg("%s: 0x%08x", cases[i].image, (unsigned)status);
	}
}

static NTSTATUS refusal;

static VOID NTAPI refuse(PEPROCESS process, HANDLE id, PPS_CREATE_NOTIFY_INFO info)
{
	(void)process;
	(void)id;
	if (info)
		info->CreationStatus = refusal;
}

/* A routine in a lower slot than Warden's has refused already. */
static void ps_50_refusal_of_another_driver_stands(void **state)
{
	world_documented(state);
	refusal = STATUS_CANCELLED;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(refuse, FALSE));
	load_warden();
	SET("DenyImages", "xxd");
	assert_ntsuccess(rs_start(warden));
	assert_status(try_image("xxd"), STATUS_CANCELLED);
	assert_int_equal(said.vetoes, 0);
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(refuse, TRUE));
	assert_status(try_image("xxd"), STATUS_ACCESS_DENIED);
	off_duty(state);
}

/* The registry keeps what it is given: nobody has to terminate a text. */
static void unterminated_texts_are_read_safely(void **state)
{
	world_documented(state);
	load_warden();
	UNICODE_STRING path = USTR(u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"
				   u"warden\\Parameters");
	UNICODE_STRING deny = USTR(u"DenyImages"), protect = USTR(u"ProtectImages");
	assert_ntsuccess(cm_set_value(&path, &deny, REG_MULTI_SZ, u"a\0xxd", 10));
	assert_ntsuccess(cm_set_value(&path, &protect, REG_SZ, u"guarded!", 14));
	assert_ntsuccess(rs_start(warden));
	assert_status(try_image("xxd"), STATUS_ACCESS_DENIED);
	assert_status(try_image("a"), STATUS_ACCESS_DENIED);
	assert_ntsuccess(try_image(GUARDED));
	assert_said("warden: protecting ");
	off_duty(state);
}

static void one_name_or_none_configures_it_too(void **state)
{
	world_documented(state);
	load_warden();
	SET("DenyImages", "miner.exe"); /* REG_SZ */
	assert_ntsuccess(rs_start(warden));
	assert_status(try_image(EXE), STATUS_ACCESS_DENIED);
	assert_ntsuccess(try_image("\\??\\C:\\tools\\miner.ex"));
	off_duty(state);

	world_documented(state);
	load_warden();
	assert_ntsuccess(rs_start(warden));
	assert_said("warden: no parameters: nothing to deny or protect\n");
	assert_ntsuccess(try_image(EXE));
	off_duty(state);

	world_documented(state);
	load_warden();
	set_list("DenyImages", NULL, 0); /* an empty REG_MULTI_SZ */
	assert_ntsuccess(rs_start(warden));
	assert_ntsuccess(try_image(EXE));
	off_duty(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DUTY_TEST(ps_49_denied_image_does_not_start),
		DUTY_TEST(names_match_the_last_component_whatever_its_case),
		cmocka_unit_test(ps_50_refusal_of_another_driver_stands),
		cmocka_unit_test(unterminated_texts_are_read_safely),
		cmocka_unit_test(one_name_or_none_configures_it_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

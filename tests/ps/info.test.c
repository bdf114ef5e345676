/* SPDX-License-Identifier: MIT */
/*
 * What PS_CREATE_NOTIFY_INFO says: PS-41 to PS-48, C-3, VF-23.
 */
#include "support/record.h"
#include <string.h>

static void add_ex(unsigned n)
{
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(n), FALSE));
}

static void add_ex2(unsigned n)
{
	assert_ntsuccess(
		PsSetCreateProcessNotifyRoutineEx2(0, (PVOID)(uintptr_t)ex_routine(n), FALSE));
}

/* For what rs_create_process cannot say. */
static struct actor start(const struct ps_process_spec *spec)
{
	struct actor actor;
	assert_ntsuccess(ps_create_process(spec, &actor.process));
	assert_ntsuccess(ps_create_thread(&(struct ps_thread_spec){.process = actor.process},
					  &actor.thread));
	return actor;
}

static void ps_41_size_is_that_of_the_structure(void **state)
{
	(void)state;
	add_ex(0);
	actor_live("a.exe");
	assert_heard("ex0+ ex0-");
	assert_int_equal(heard(0)->told.Size, 0x48);
	assert_int_equal(sizeof(PS_CREATE_NOTIFY_INFO), 0x48);
}

static void ps_42_file_open_name_available_says_that_the_name_is_exact(void **state)
{
	(void)state;
	add_ex(0);
	struct actor exact = start(&(struct ps_process_spec){.image = &USTR(u"\\??\\C:\\a.exe"),
							     .open_name_available = true});
	struct actor partial = start(&(struct ps_process_spec){.image = &USTR(u"a.exe")});
	assert_heard("ex0+ ex0+");
	assert_int_equal(heard(0)->told.FileOpenNameAvailable, 1);
	assert_string_equal(heard(0)->image, "\\??\\C:\\a.exe");
	assert_int_equal(heard(1)->told.FileOpenNameAvailable, 0);
	assert_string_equal(heard(1)->image, "a.exe");
	actor_end(&exact);
	actor_end(&partial);
}

static void ps_43_subsystem_flag_is_set_in_ex2_calls_for_subsystem_processes_only(void **state)
{
	(void)state;
	add_ex(0);
	add_ex2(1);
	struct actor win32 = actor_start("a.exe");
	struct actor pico = actor_start_as(
		&(struct rs_process_spec){.image = "/bin/sh", .subsystem = true});
	assert_heard("ex0+ ex1+ ex1+");
	assert_int_equal(heard(0)->told.IsSubsystemProcess, 0);
	assert_int_equal(heard(1)->told.IsSubsystemProcess, 0);
	assert_int_equal(heard(2)->told.IsSubsystemProcess, 1);
	assert_int_equal(heard(2)->told.Flags & 2, 2);
	assert_string_equal(heard(2)->image, "/bin/sh");
	actor_end(&win32);
	actor_end(&pico);
}

static void ps_43_subsystem_process_may_have_neither_file_nor_names(void **state)
{
	(void)state;
	add_ex2(0);
	struct actor pico = start(&(struct ps_process_spec){.subsystem = true});
	assert_heard("ex0+");
	assert_null(heard(0)->told.FileObject);
	assert_null(heard(0)->told.ImageFileName);
	assert_null(heard(0)->told.CommandLine);
	actor_end(&pico);
}

static WCHAR arguments_seen[16];
static USHORT length_seen;

static void copy_arguments(struct call *call)
{
	if (!call->create)
		return;
	length_seen = call->info->CommandLine->Length;
	memcpy(arguments_seen, call->info->CommandLine->Buffer, length_seen);
}

static void ps_43_wsl_arguments_keep_their_nuls(void **state)
{
	(void)state;
	static const WCHAR arguments[] = u"sh\0-c\0:";
	add_ex2(0);
	on_call(EX, 0, copy_arguments);
	struct actor pico = start(&(struct ps_process_spec){
		.subsystem = true,
		.image = &USTR(u"/bin/sh"),
		.native_image = &USTR(u"/bin/sh"),
		.command_line = &USTR(u"sh\0-c\0:"),
	});
	assert_heard("ex0+");
	assert_int_equal(length_seen, sizeof arguments - 2);
	assert_memory_equal(arguments_seen, arguments, length_seen);
	assert_non_null(heard(0)->told.FileObject);
	actor_end(&pico);
}

/* ---- The parent --------------------------------------------------------------------------- */

static void ps_44_parent_is_who_is_inherited_from_not_who_creates(void **state)
{
	(void)state;
	struct actor parent = actor_start("parent.exe"), creator = actor_start("creator.exe");
	add_ex(0);
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(1), FALSE));
	rs_become(creator.thread);
	struct actor child = actor_start_as(
		&(struct rs_process_spec){.image = "c.exe", .parent = parent.process});
	rs_become(NULL);
	assert_heard("ex0+ legacy1+");
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(heard(i)->parent_id, id_of(parent.process));
	assert_int_equal(heard(0)->told.CreatingThreadId.UniqueProcess, id_of(creator.process));
	assert_int_equal(PsGetProcessInheritedFromUniqueProcessId(child.process),
			 id_of(parent.process));
	actor_end(&child);
	actor_end(&creator);
	actor_end(&parent);
}

/* Starts a child with and one without handle inheritance; what is told of the second. */
static ULONG64 parent_told_without_inheritance(ULONG64 *parent_id)
{
	struct actor parent = actor_start("parent.exe");
	add_ex(0);
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(1), FALSE));
	struct rs_process_spec spec = {.image = "c.exe", .parent = parent.process};
	struct actor with = actor_start_as(&spec);
	spec.without_inheritance = true;
	struct actor without = actor_start_as(&spec);
	assert_heard("ex0+ legacy1+ ex0+ legacy1+");
	*parent_id = id_of(parent.process);
	assert_int_equal(heard(0)->parent_id, *parent_id);
	assert_int_equal(heard(1)->parent_id, *parent_id);
	assert_int_equal(heard(2)->parent_id, heard(3)->parent_id);
	ULONG64 told = heard(2)->parent_id;
	actor_end(&without);
	actor_end(&with);
	actor_end(&parent);
	return told;
}

static void ps_45_c_03_parent_is_null_without_handle_inheritance(void **state)
{
	(void)state;
	ULONG64 parent;
	assert_int_equal(parent_told_without_inheritance(&parent), 0);
}

static void ps_45_c_03_observed_parent_is_always_told(void **state)
{
	(void)state;
	ULONG64 parent;
	ULONG64 told = parent_told_without_inheritance(&parent);
	assert_int_equal(told, parent);
}

static void c_03_switch_alone_tells_the_parent(void **state)
{
	(void)state;
	ULONG64 parent;
	world_with_switch(3, true);
	ULONG64 told = parent_told_without_inheritance(&parent);
	assert_int_equal(told, parent);
}

/* ---- Strings --------------------------------------------------------------------------------- */

static void ps_46_command_line_is_null_when_there_is_none(void **state)
{
	(void)state;
	add_ex(0);
	struct actor without = actor_start_as(&(struct rs_process_spec){.image = "a.exe"});
	struct actor with = actor_start_as(
		&(struct rs_process_spec){.image = "b.exe", .command_line = "b.exe -x"});
	assert_heard("ex0+ ex0+");
	assert_null(heard(0)->told.CommandLine);
	assert_string_equal(heard(0)->image, "a.exe");
	assert_non_null(heard(1)->told.CommandLine);
	assert_string_equal(heard(1)->command_line, "b.exe -x");
	actor_end(&without);
	actor_end(&with);
}

static struct {
	UNICODE_STRING image, command_line;
	WCHAR behind_image, behind_command_line;
} strings;

static void look_behind_strings(struct call *call)
{
	if (!call->create)
		return;
	strings.image = *call->info->ImageFileName;
	strings.command_line = *call->info->CommandLine;
	/* What a driver sees that takes the text for terminated. */
	strings.behind_image = strings.image.Buffer[strings.image.Length / 2];
	strings.behind_command_line = strings.command_line.Buffer[strings.command_line.Length / 2];
}

static void ps_47_strings_are_counted_and_not_terminated_inferred(void **state)
{
	(void)state;
	add_ex(0);
	on_call(EX, 0, look_behind_strings);
	struct actor child = actor_start_as(
		&(struct rs_process_spec){.image = "a.exe", .command_line = "a.exe 1"});
	assert_int_equal(strings.image.Length, 2 * strlen("a.exe"));
	assert_int_equal(strings.image.MaximumLength, strings.image.Length);
	assert_int_equal(strings.command_line.Length, 2 * strlen("a.exe 1"));
	assert_int_equal(strings.command_line.MaximumLength, strings.command_line.Length);
	assert_int_not_equal(strings.behind_image, 0);
	assert_int_not_equal(strings.behind_command_line, 0);
	actor_end(&child);
}

/* ---- As it begins ------------------------------------------------------------------------------ */

static void leave_a_veto(struct call *call)
{
	if (call->create)
		call->info->CreationStatus = STATUS_ACCESS_DENIED;
}

static void ps_48_it_begins_with_success_and_no_reserved_flags_inferred(void **state)
{
	(void)state;
	add_ex(0);
	add_ex2(1);
	on_call(EX, 1, leave_a_veto);
	for (unsigned i = 0; i < 2; i++) { /* a veto does not last into the next creation */
		PEPROCESS process;
		PETHREAD thread;
		assert_status(rs_create_user_process(
				      &(struct rs_process_spec){.image = "a", .subsystem = false},
				      &process, &thread, NULL, NULL),
			      STATUS_ACCESS_DENIED);
		assert_heard("ex0+ ex1+ ex0- ex1-");
		assert_int_equal(heard(0)->told.Flags & ~1u, 0);
		assert_int_equal(heard(1)->told.Flags & ~1u, 0);
		assert_ntsuccess(heard(0)->told.CreationStatus);
	}
	on_call(EX, 1, NULL);
	struct actor pico = actor_start_as(
		&(struct rs_process_spec){.image = "sh", .subsystem = true});
	assert_heard("ex1+");
	assert_int_equal(heard(0)->told.Flags & ~3u, 0);
	assert_ntsuccess(heard(0)->told.CreationStatus);
	actor_end(&pico);
}

/* ---- What may be written (VF-23) ------------------------------------------------------------------- */

static unsigned field_to_write;

static void write_a_field(struct call *call)
{
	PPS_CREATE_NOTIFY_INFO info = call->info;
	if (!info)
		return;
	PS_CREATE_NOTIFY_INFO original = *info;
	static UNICODE_STRING other = USTR_INIT(u"other");
	switch (field_to_write) {
	case 0:
		info->Size = 1;
		break;
	case 1:
		info->Flags ^= 2;
		break;
	case 2:
		info->ParentProcessId = (HANDLE)4;
		break;
	case 3:
		info->CreatingThreadId.UniqueProcess = NULL;
		break;
	case 4:
		info->CreatingThreadId.UniqueThread = NULL;
		break;
	case 5:
		info->FileObject = (void *)&other;
		break;
	case 6:
		info->ImageFileName = &other;
		break;
	case 7:
		info->CommandLine = NULL;
		break;
	case 8:
		info->CreationStatus = STATUS_SUCCESS + 1;
		break;
	case 9:
		*info = original;
		break;
	}
}

static void vf_23_writing_a_field_other_than_creation_status_is_told(void **state)
{
	(void)state;
	record_listen_for_rules();
	add_ex(0);
	on_call(EX, 0, write_a_field);
	for (field_to_write = 0; field_to_write < 10; field_to_write++) {
		actor_live("a.exe");
		assert_rules_broken(field_to_write < 8 ? "VF-23" : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ps_41_size_is_that_of_the_structure),
		WORLD_TEST(ps_42_file_open_name_available_says_that_the_name_is_exact),
		WORLD_TEST(ps_43_subsystem_flag_is_set_in_ex2_calls_for_subsystem_processes_only),
		WORLD_TEST(ps_43_subsystem_process_may_have_neither_file_nor_names),
		WORLD_TEST(ps_43_wsl_arguments_keep_their_nuls),
		WORLD_TEST(ps_44_parent_is_who_is_inherited_from_not_who_creates),
		WORLD_TEST(ps_45_c_03_parent_is_null_without_handle_inheritance),
		OBSERVED_TEST(ps_45_c_03_observed_parent_is_always_told),
		WORLD_TEST(c_03_switch_alone_tells_the_parent),
		WORLD_TEST(ps_46_command_line_is_null_when_there_is_none),
		WORLD_TEST(ps_47_strings_are_counted_and_not_terminated_inferred),
		WORLD_TEST(ps_48_it_begins_with_success_and_no_reserved_flags_inferred),
		WORLD_TEST(vf_23_writing_a_field_other_than_creation_status_is_told),
	};
	return cmocka_run_group_tests_name("ps/info", tests, NULL, NULL);
}

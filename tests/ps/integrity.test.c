/* SPDX-License-Identifier: MIT */
/*
 * Whose code may be a process routine: PS-15 to PS-18, PS-21. Routines here are
 * addresses in modules made for the test; they are never called.
 */
#include "ldr/module.h"
#include "support/record.h"
#include <string.h>
#include <sys/mman.h>

#define SIZE 4096

static char *memory;
static struct ldr_module *module;

static int set_up(void **state)
{
	world_documented(state);
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	module = NULL;
	return 0;
}

static int tear_down(void **state)
{
	munmap(memory, SIZE);
	return world_end(state);
}

static void declare(bool integrity)
{
	module = ldr_declare_module("other.sys", memory, SIZE, integrity);
	assert_non_null(module);
}

static NTSTATUS legacy_at(void *address, BOOLEAN remove)
{
	return PsSetCreateProcessNotifyRoutine(address, remove);
}

static NTSTATUS ex_at(void *address, BOOLEAN remove)
{
	return PsSetCreateProcessNotifyRoutineEx(address, remove);
}

static NTSTATUS ex2_at(void *address, BOOLEAN remove)
{
	return PsSetCreateProcessNotifyRoutineEx2(0, address, remove);
}

/* This program, the caller, has the flag. */
static void ps_15_routine_in_an_image_without_integrity_is_denied(void **state)
{
	(void)state;
	declare(false);
	assert_status(ex_at(memory + 16, FALSE), STATUS_ACCESS_DENIED);
	assert_status(ex2_at(memory + 16, FALSE), STATUS_ACCESS_DENIED);
	assert_status(ex_at(memory + SIZE - 1, FALSE), STATUS_ACCESS_DENIED);
	assert_status(ex_at(memory + 16, TRUE), STATUS_PROCEDURE_NOT_FOUND);
}

static void ps_15_image_of_the_routine_counts_not_the_callers(void **state)
{
	(void)state;
	declare(true);
	world_set_integrity(false);
	assert_ntsuccess(ex_at(memory + 16, FALSE));
	assert_ntsuccess(ex2_at(memory + SIZE - 1, FALSE));
	assert_status(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE),
		      STATUS_ACCESS_DENIED);
	assert_ntsuccess(ex_at(memory + 16, TRUE));
	assert_ntsuccess(ex2_at(memory + SIZE - 1, TRUE));
}

static void ps_16_flag_set_in_the_module_entry_by_the_driver_is_enough(void **state)
{
	(void)state;
	declare(false);
	assert_status(ex_at(memory, FALSE), STATUS_ACCESS_DENIED);
	/* As drivers do it: the 32-bit word at 0x68 of what DriverSection points to. */
	*(ULONG *)(void *)((char *)&module->entry + 0x68) |= 0x20;
	assert_ntsuccess(ex_at(memory, FALSE));
	assert_ntsuccess(ex2_at(memory, FALSE));
	*(ULONG *)(void *)((char *)&module->entry + 0x68) &= ~0x20u;
	assert_status(ex_at(memory + 8, FALSE), STATUS_ACCESS_DENIED);
	assert_ntsuccess(ex_at(memory, TRUE));
	assert_ntsuccess(ex2_at(memory, TRUE));
}

/* A header that claims FORCE_INTEGRITY is not looked at. */
static void ps_16_flag_in_the_pe_header_alone_does_not_count(void **state)
{
	(void)state;
	static const unsigned nt = 0x80, dll_characteristics = 0x80 + 24 + 70;
	memcpy(memory, "MZ", 2);
	memcpy(memory + 0x3C, &nt, sizeof nt);
	memcpy(memory + nt, "PE\0\0", 4);
	memory[nt + 24] = 0x0B;
	memory[nt + 25] = 0x02;
	memory[dll_characteristics] = (char)0x80;
	declare(false);
	assert_status(ex_at(memory + 0x200, FALSE), STATUS_ACCESS_DENIED);
	assert_status(ex2_at(memory + 0x200, FALSE), STATUS_ACCESS_DENIED);
}

static void ps_17_address_in_no_module_is_denied_by_all_three(void **state)
{
	(void)state;
	assert_status(legacy_at(memory, FALSE), STATUS_ACCESS_DENIED);
	assert_status(ex_at(memory, FALSE), STATUS_ACCESS_DENIED);
	assert_status(ex2_at(memory, FALSE), STATUS_ACCESS_DENIED);
	declare(true);
	assert_status(legacy_at(memory + SIZE, FALSE), STATUS_ACCESS_DENIED);
	assert_status(ex_at(memory - 1, FALSE), STATUS_ACCESS_DENIED);
	assert_status(legacy_at(memory, TRUE), STATUS_PROCEDURE_NOT_FOUND);
}

static void ps_18_legacy_does_not_need_integrity(void **state)
{
	(void)state;
	declare(false);
	assert_ntsuccess(legacy_at(memory, FALSE));
	assert_ntsuccess(legacy_at(memory, TRUE));
	world_set_integrity(false);
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(0), FALSE));
	actor_live("a.exe");
	assert_heard("legacy0+ legacy0-");
}

/* No status but these two stands on the pages of the thread and image calls. */
static void ps_64_ps_74_thread_and_image_routines_need_no_module(void **state)
{
	(void)state;
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine((void *)memory));
	assert_ntsuccess(PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifySubsystems, memory));
	assert_ntsuccess(PsSetLoadImageNotifyRoutine((void *)memory));
	assert_ntsuccess(PsRemoveCreateThreadNotifyRoutine((void *)memory));
	assert_ntsuccess(PsRemoveCreateThreadNotifyRoutine((void *)memory));
	assert_ntsuccess(PsRemoveLoadImageNotifyRoutine((void *)memory));
}

static void ps_21_registration_outlives_the_image(void **state)
{
	(void)state;
	declare(true);
	assert_ntsuccess(ex_at(memory, FALSE));
	assert_ntsuccess(legacy_at(memory, FALSE));
	ldr_forget_module(module);
	assert_ntsuccess(ex_at(memory, TRUE));
	assert_ntsuccess(legacy_at(memory, TRUE));
	assert_status(ex_at(memory, TRUE), STATUS_PROCEDURE_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ps_15_routine_in_an_image_without_integrity_is_denied),
		TEST(ps_15_image_of_the_routine_counts_not_the_callers),
		TEST(ps_16_flag_set_in_the_module_entry_by_the_driver_is_enough),
		TEST(ps_16_flag_in_the_pe_header_alone_does_not_count),
		TEST(ps_17_address_in_no_module_is_denied_by_all_three),
		TEST(ps_18_legacy_does_not_need_integrity),
		TEST(ps_64_ps_74_thread_and_image_routines_need_no_module),
		TEST(ps_21_registration_outlives_the_image),
	};
	return cmocka_run_group_tests_name("ps/integrity", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * OB-38 and OB-62 at every instruction around the calls of one registration: wherever a
 * handle operation is preempted, unregistering either waits until the post call has been
 * made, or there is no pre call.
 */
#include "support/record.h"
#include "support/steps.h"

static PVOID handle;

static struct {
	atomic_bool unregistered;
	atomic_uint pre, post, late, unmatched;
	NTSTATUS status;
} seen;

static OB_PREOP_CALLBACK_STATUS NTAPI middle_pre(PVOID context, POB_PRE_OPERATION_INFORMATION info)
{
	(void)context;
	atomic_fetch_add(&seen.pre, 1);
	atomic_fetch_add(&seen.late, atomic_load(&seen.unregistered));
	info->CallContext = &seen;
	return OB_PREOP_SUCCESS;
}

static VOID NTAPI middle_post(PVOID context, POB_POST_OPERATION_INFORMATION info)
{
	(void)context;
	atomic_fetch_add(&seen.post, 1);
	atomic_fetch_add(&seen.late, atomic_load(&seen.unregistered));
	atomic_fetch_add(&seen.unmatched, info->CallContext != &seen);
}

static void register_middle(void)
{
	OB_OPERATION_REGISTRATION entry = {&PsProcessType, OB_OPERATION_HANDLE_CREATE, middle_pre,
					   middle_post};
	OB_CALLBACK_REGISTRATION registration = {0x0100, 1, USTR_INIT(u"2000"), NULL, &entry};
	atomic_store(&seen.unregistered, false);
	if (!NT_SUCCESS(ObRegisterCallbacks(&registration, &handle)))
		seen.status = STATUS_UNSUCCESSFUL;
}

static void unregister_middle(void)
{
	ObUnRegisterCallbacks(handle);
	atomic_store(&seen.unregistered, true);
}

static void open_and_close(void)
{
	HANDLE opened;
	NTSTATUS status = ObOpenObjectByPointer(PsInitialSystemProcess, OBJ_KERNEL_HANDLE, NULL,
						PROCESS_ALL_ACCESS, PsProcessType, KernelMode,
						&opened);
	if (!NT_SUCCESS(status) || !NT_SUCCESS(ZwClose(opened)))
		seen.status = STATUS_UNSUCCESSFUL;
}

/* The registrations above and below mark where the steps begin and end. Their own routines:
 * what the recorder does would be stepped through as well. */
static enum { AROUND_PRE, AROUND_POST } part;

static OB_PREOP_CALLBACK_STATUS NTAPI top_pre(PVOID context, POB_PRE_OPERATION_INFORMATION info)
{
	(void)context;
	(void)info;
	if (part == AROUND_PRE)
		steps_begin();
	return OB_PREOP_SUCCESS;
}

static OB_PREOP_CALLBACK_STATUS NTAPI bottom_pre(PVOID context, POB_PRE_OPERATION_INFORMATION info)
{
	(void)context;
	(void)info;
	steps_end();
	return OB_PREOP_SUCCESS;
}

static VOID NTAPI bottom_post(PVOID context, POB_POST_OPERATION_INFORMATION info)
{
	(void)context;
	(void)info;
	if (part == AROUND_POST)
		steps_begin();
}

static VOID NTAPI top_post(PVOID context, POB_POST_OPERATION_INFORMATION info)
{
	(void)context;
	(void)info;
	steps_end();
}

static void register_marker(PCWSTR altitude, POB_PRE_OPERATION_CALLBACK pre,
			    POB_POST_OPERATION_CALLBACK post)
{
	PVOID unused;
	OB_OPERATION_REGISTRATION entry = {&PsProcessType, OB_OPERATION_HANDLE_CREATE, pre, post};
	OB_CALLBACK_REGISTRATION registration = {
		0x0100, 1, {8, 8, (PWSTR)(uintptr_t)altitude}, NULL, &entry};
	assert_ntsuccess(ObRegisterCallbacks(&registration, &unused));
}

static void check_steps(void)
{
	static const struct steps steps = {register_middle, open_and_close, unregister_middle};
	unsigned waited;
	seen.status = STATUS_SUCCESS;
	atomic_store(&seen.pre, 0);
	atomic_store(&seen.post, 0);
	register_marker(u"3000", top_pre, top_post);
	register_marker(u"1000", bottom_pre, bottom_post);
	unsigned places = run_at_every_instruction(&steps, &waited);
	if (places == 0)
		skip();
	assert_ntsuccess(seen.status);
	assert_int_equal(seen.late, 0);
	assert_int_equal(seen.unmatched, 0);
	assert_int_equal(seen.pre, seen.post);
	assert_in_range(seen.pre, 1, places + 1);
	assert_in_range(waited, 1, places - 1);
}

static void ob_38_ob_62_unregistering_at_every_instruction_around_pre_inferred(void **state)
{
	(void)state;
	part = AROUND_PRE;
	check_steps();
}

static void ob_38_ob_62_unregistering_at_every_instruction_around_post_inferred(void **state)
{
	(void)state;
	part = AROUND_POST;
	check_steps();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ob_38_ob_62_unregistering_at_every_instruction_around_pre_inferred),
		WORLD_TEST(ob_38_ob_62_unregistering_at_every_instruction_around_post_inferred),
	};
	return cmocka_run_group_tests_name("ob/steps", tests, NULL, NULL);
}

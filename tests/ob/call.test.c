/* SPDX-License-Identifier: MIT */
/*
 * The calls around a handle operation: OB-36, OB-38 to OB-46, C-9, C-10, VF-23, VF-25.
 */
#include "ob/handle.h"
#include "support/record.h"

#define CURRENT_PROCESS ((HANDLE)-1)

static HANDLE open_system(void)
{
	HANDLE handle = NULL;
	assert_ntsuccess(ObOpenObjectByPointer(PsInitialSystemProcess, OBJ_KERNEL_HANDLE, NULL,
					       PROCESS_VM_READ | SYNCHRONIZE, PsProcessType,
					       KernelMode, &handle));
	return handle;
}

static void open_and_close(void)
{
	assert_ntsuccess(ZwClose(open_system()));
}

/* A duplication that passes every check and then finds that the process whose table it
 * is for has ended. */
static NTSTATUS fail_at_insertion(void)
{
	struct actor ended = actor_start("ended.exe");
	HANDLE its_handle, made = NULL;
	assert_ntsuccess(ObOpenObjectByPointer(ended.process, OBJ_KERNEL_HANDLE, NULL,
					       PROCESS_DUP_HANDLE, PsProcessType, KernelMode,
					       &its_handle));
	rs_exit_process(ended.process, STATUS_SUCCESS);
	record_reset_heard();
	NTSTATUS status = ZwDuplicateObject(CURRENT_PROCESS, CURRENT_PROCESS, its_handle, &made,
					    PROCESS_VM_READ, 0, 0);
	assert_null(made);
	assert_ntsuccess(ZwClose(its_handle));
	rs_release(ended.thread);
	rs_release(ended.process);
	return status;
}

/* ---- Contexts --------------------------------------------------------------------------------- */

static void ob_36_each_call_gets_the_context_of_its_registration(void **state)
{
	(void)state;
	watch('A', "2000", 0);
	watch('B', "1000", 0);
	open_and_close();
	assert_heard("A< B< B> A>"); /* the letters are told from the contexts */
	assert_ptr_equal(heard(0)->registration_context, heard(3)->registration_context);
	assert_ptr_equal(heard(1)->registration_context, heard(2)->registration_context);
	assert_ptr_not_equal(heard(0)->registration_context, heard(1)->registration_context);
}

static void leave_call_context(struct call *call)
{
	call->pre->CallContext = (PVOID)(uintptr_t)(0x1000 + call->who);
}

static void ob_39_call_context_goes_from_a_pre_call_to_its_post_call_only(void **state)
{
	(void)state;
	watch('A', "4000", 0);
	watch('B', "3000", POST_ONLY);
	watch('C', "2000", 0);
	watch('D', "1000", PRE_ONLY);
	on_call(PRE, 'A', leave_call_context);
	on_call(PRE, 'D', leave_call_context);
	for (unsigned i = 0; i < 2; i++) { /* nothing is left from one operation to the next */
		open_and_close();
		assert_heard("A< C< D< C> B> A>");
		assert_null(heard(0)->call_context); /* each begins with NULL */
		assert_null(heard(1)->call_context);
		assert_null(heard(2)->call_context);
		assert_null(heard(3)->call_context); /* C left none */
		assert_null(heard(4)->call_context); /* B has no pre routine */
		assert_ptr_equal(heard(5)->call_context, (PVOID)(uintptr_t)(0x1000 + 'A'));
	}
}

/* ---- Pairs -------------------------------------------------------------------------------------- */

static void ob_38_each_pre_call_is_followed_by_one_post_call_inferred(void **state)
{
	(void)state;
	struct actor opener = actor_start("opener.exe");
	watch('A', "2000", 0);
	watch('B', "1000", 0);
	rs_become(opener.thread);
	open_and_close();
	rs_become(NULL);
	assert_heard("A< B< B> A>");
	for (unsigned i = 0; i < 4; i++)
		assert_ptr_equal(heard(i)->current_thread, opener.thread);
	assert_status(fail_at_insertion(), STATUS_PROCESS_IS_TERMINATING);
	assert_heard("A< B< B> A>");
	actor_end(&opener);
}

static void ob_38_no_memory_does_not_lose_a_post_call_inferred(void **state)
{
	(void)state;
	unsigned successes = 0;
	for (unsigned i = 0; i < 20; i++) /* more than fit without an allocation */
		watch((char)('A' + i), (char[]){(char)('A' + i), 0}, 0);
	for (unsigned n = 0; !successes; n++) {
		HANDLE handle;
		fail_allocation("ntos/ob", n);
		NTSTATUS status = ObOpenObjectByPointer(PsInitialSystemProcess, OBJ_KERNEL_HANDLE,
							NULL, PROCESS_VM_READ, PsProcessType,
							KernelMode, &handle);
		unsigned failed = stop_failing();
		assert_status(status, failed ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS);
		assert_int_equal(count_heard(PRE), count_heard(POST));
		successes += failed == 0;
		record_reset_heard();
		if (!failed) {
			assert_true(n >= 2);
			assert_ntsuccess(ZwClose(handle));
		}
	}
}

static PVOID registered_inside;

static void register_another(struct call *call)
{
	(void)call;
	if (!registered_inside)
		try_watch('B', "500", 0, &registered_inside);
}

static void ob_38_registration_made_after_pre_gets_no_post_inferred(void **state)
{
	(void)state;
	registered_inside = NULL;
	watch('A', "1000", 0);
	on_call(PRE, 'A', register_another);
	open_and_close();
	assert_non_null(registered_inside);
	assert_heard("A< A>");
	open_and_close();
	assert_heard("A< B< B> A>");
}

static PVOID to_unregister;

static void unregister_another(struct call *call)
{
	(void)call;
	if (to_unregister)
		ObUnRegisterCallbacks(to_unregister);
	to_unregister = NULL;
}

static void ob_38_registration_removed_before_its_pre_gets_neither_inferred(void **state)
{
	(void)state;
	watch('A', "2000", 0);
	to_unregister = watch('B', "1000", 0);
	on_call(PRE, 'A', unregister_another);
	open_and_close();
	assert_heard("A< A>");
}

/* ---- What pre returns -------------------------------------------------------------------------------- */

static void ob_40_vf_25_other_results_of_a_pre_routine_are_told(void **state)
{
	(void)state;
	static const unsigned other[] = {1, 0x100, 0x80000000, 0xFFFFFFFF};
	record_listen_for_rules();
	watch('A', "1000", 0);
	assert_int_equal(OB_PREOP_SUCCESS, 0);
	open_and_close();
	assert_rules_broken("");
	for (unsigned i = 0; i < 4; i++) { /* all 32 bits count */
		record_pre_result = (OB_PREOP_CALLBACK_STATUS)other[i];
		open_and_close();
		assert_rules_broken("VF-25");
	}
}

/* */
static void ob_41_other_results_change_nothing_inferred(void **state)
{
	(void)state;
	watch('A', "2000", 0);
	watch('B', "1000", 0);
	record_pre_result = (OB_PREOP_CALLBACK_STATUS)STATUS_ACCESS_DENIED;
	open_and_close(); /* asserts success */
	assert_heard("A< B< B> A>");
	assert_ntsuccess(heard(2)->status);
	assert_int_equal(heard(2)->granted, PROCESS_VM_READ | SYNCHRONIZE);
}

/* ---- Post ---------------------------------------------------------------------------------------------- */

static void write_all_of_post(struct call *call)
{
	call->post->Parameters->CreateHandleInformation.GrantedAccess = PROCESS_TERMINATE;
	call->post->ReturnStatus = STATUS_ACCESS_DENIED;
	call->post->Object = NULL;
	call->post->CallContext = NULL;
	call->post->Operation = 0;
	call->post->Parameters = NULL;
}

static void ob_42_writing_in_post_has_no_effect(void **state)
{
	(void)state;
	struct ob_handle found;
	watch('A', "2000", 0);
	watch('B', "1000", 0);
	on_call(PRE, 'A', leave_call_context);
	on_call(POST, 'B', write_all_of_post);
	HANDLE handle = open_system(); /* asserts success */
	assert_heard("A< B< B> A>");
	assert_int_equal(heard(3)->granted, PROCESS_VM_READ | SYNCHRONIZE);
	assert_ntsuccess(heard(3)->status);
	assert_ptr_equal(heard(3)->object, PsInitialSystemProcess);
	assert_int_equal(heard(3)->operation, OB_OPERATION_HANDLE_CREATE);
	assert_ptr_equal(heard(3)->call_context, (PVOID)(uintptr_t)(0x1000 + 'A'));
	assert_ntsuccess(ob_resolve_handle(PsInitialSystemProcess, handle, KernelMode, &found));
	assert_int_equal(found.granted, PROCESS_VM_READ | SYNCHRONIZE);
	rs_release(found.object);
	assert_ntsuccess(ZwClose(handle));
}

static void check_failed_post(bool has_parameters)
{
	watch('A', "1000", 0);
	assert_status(fail_at_insertion(), STATUS_PROCESS_IS_TERMINATING); /* */
	assert_heard("A< A>");
	assert_status(heard(1)->status, STATUS_PROCESS_IS_TERMINATING);
	assert_int_equal(heard(1)->has_parameters, has_parameters);
	assert_int_equal(heard(1)->granted, 0);
	open_and_close();
	assert_heard("A< A>");
	assert_ntsuccess(heard(1)->status);
	assert_true(heard(1)->has_parameters);
}

static void ob_43_ob_44_c_09_failure_is_told_and_parameters_are_null_inferred(void **state)
{
	(void)state;
	check_failed_post(false);
}

static void ob_44_c_09_observed_parameters_are_valid_and_access_0_inferred(void **state)
{
	(void)state;
	check_failed_post(true);
}

static void c_09_switch_alone_gives_parameters_after_a_failure(void **state)
{
	(void)state;
	world_with_switch(9, true);
	check_failed_post(true);
}

static void keep_vm_read(struct call *call)
{
	call->pre->Parameters->CreateHandleInformation.DesiredAccess &= PROCESS_VM_READ;
}

static void ob_45_granted_access_is_that_of_the_new_handle(void **state)
{
	(void)state;
	struct ob_handle found;
	HANDLE handle;
	watch('A', "1000", 0);
	on_call(PRE, 'A', keep_vm_read);
	assert_ntsuccess(ObOpenObjectByPointer(PsInitialSystemProcess, OBJ_KERNEL_HANDLE, NULL,
					       PROCESS_VM_READ | PROCESS_VM_WRITE | SYNCHRONIZE,
					       PsProcessType, KernelMode, &handle));
	assert_heard("A< A>");
	assert_ntsuccess(ob_resolve_handle(PsInitialSystemProcess, handle, KernelMode, &found));
	assert_int_equal(heard(1)->granted, found.granted);
	assert_int_equal(found.granted, PROCESS_VM_READ | SYNCHRONIZE);
	rs_release(found.object);
	assert_ntsuccess(ZwClose(handle));
}

/* ---- The state they run in -------------------------------------------------------------------------------- */

static void check_state(unsigned first, unsigned count, KIRQL irql)
{
	for (unsigned i = first; i < first + count; i++) {
		assert_int_equal(heard(i)->irql, irql);
		assert_true(heard(i)->apcs_off);
		assert_int_equal(heard(i)->all_apcs_off, irql == APC_LEVEL);
		assert_int_equal(heard(i)->kernel_apc_disable, -1); /* at either level */
	}
}

static void check_states_of_creation(KIRQL thread_irql)
{
	struct actor opener = actor_start("opener.exe"), child;
	HANDLE process_handle, thread_handle;
	watch('A', "1000", PROCESSES | THREADS);
	rs_become(opener.thread);
	open_and_close();
	assert_heard("A< A>");
	check_state(0, 2, PASSIVE_LEVEL);
	assert_ptr_equal(heard(0)->current_process, opener.process); /* whoever opens */
	assert_ntsuccess(rs_create_user_process(&(struct rs_process_spec){.image = "a"},
						&child.process, &child.thread, &process_handle,
						&thread_handle));
	rs_become(NULL);
	assert_heard("A< A> A< A>");
	check_state(0, 2, PASSIVE_LEVEL);
	check_state(2, 2, thread_irql);
	assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
	assert_false(KeAreApcsDisabled());
	actor_end(&child);
	actor_end(&opener);
}

static void ob_46_c_10_passive_level_in_a_critical_region(void **state)
{
	(void)state;
	check_states_of_creation(PASSIVE_LEVEL);
}

static void ob_46_c_10_observed_apc_level_for_created_threads(void **state)
{
	(void)state;
	check_states_of_creation(APC_LEVEL);
}

static void c_10_switch_alone_raises_the_handles_of_created_threads(void **state)
{
	(void)state;
	world_with_switch(10, true);
	check_states_of_creation(APC_LEVEL);
}

/* ---- What may be written (VF-23) ------------------------------------------------------------------------------ */

static unsigned field_to_write;
static OB_PRE_OPERATION_PARAMETERS other_parameters;

static void write_a_pre_field(struct call *call)
{
	POB_PRE_OPERATION_INFORMATION info = call->pre;
	OB_PRE_DUPLICATE_HANDLE_INFORMATION *parameters =
		&info->Parameters->DuplicateHandleInformation;
	switch (field_to_write) {
	case 0:
		info->Operation ^= 3;
		break;
	case 1:
		info->Flags ^= 1;
		break;
	case 2:
		info->Object = NULL;
		break;
	case 3:
		info->ObjectType = PsThreadType;
		break;
	case 4:
		info->Parameters = &other_parameters;
		break;
	case 5:
		parameters->OriginalDesiredAccess |= PROCESS_TERMINATE;
		break;
	case 6:
		parameters->SourceProcess = NULL;
		break;
	case 7:
		parameters->TargetProcess = NULL;
		break;
	case 8: /* these two may be written */
		parameters->DesiredAccess &= ~PROCESS_VM_READ;
		break;
	case 9:
		info->CallContext = info;
		break;
	}
}

static void write_a_post_field(struct call *call)
{
	static OB_POST_OPERATION_PARAMETERS other;
	POB_POST_OPERATION_INFORMATION info = call->post;
	switch (field_to_write) {
	case 0:
		info->Operation ^= 3;
		break;
	case 1:
		info->Flags ^= 2;
		break;
	case 2:
		info->Object = NULL;
		break;
	case 3:
		info->ObjectType = NULL;
		break;
	case 4:
		info->CallContext = info;
		break;
	case 5:
		info->ReturnStatus = STATUS_ACCESS_DENIED;
		break;
	case 6:
		info->Parameters = &other;
		break;
	case 7:
		info->Parameters = NULL;
		break;
	case 8:
		info->Parameters->CreateHandleInformation.GrantedAccess = 0;
		break;
	}
}

static void duplicate(void)
{
	HANDLE made;
	assert_ntsuccess(ZwDuplicateObject(CURRENT_PROCESS, CURRENT_PROCESS, CURRENT_PROCESS, &made,
					   PROCESS_VM_READ | SYNCHRONIZE, 0, 0));
	assert_ntsuccess(ZwClose(made));
}

static void vf_23_pre_may_write_desired_access_and_call_context_only(void **state)
{
	(void)state;
	record_listen_for_rules();
	watch('A', "2000", 0);
	watch('B', "1000", 0); /* sees everything as it should be */
	on_call(PRE, 'A', write_a_pre_field);
	for (field_to_write = 0; field_to_write < 11; field_to_write++) {
		duplicate();
		assert_rules_broken(field_to_write < 8 ? "VF-23" : "");
		assert_heard("A< B< B> A>");
		assert_int_equal(heard(1)->operation, OB_OPERATION_HANDLE_DUPLICATE);
		assert_int_equal(heard(1)->flags, 0);
		assert_ptr_equal(heard(1)->object, PsInitialSystemProcess);
		assert_ptr_equal(heard(1)->type, PsProcessType);
		assert_int_equal(heard(1)->original, PROCESS_VM_READ | SYNCHRONIZE);
		assert_ptr_equal(heard(1)->source, PsInitialSystemProcess);
		assert_ptr_equal(heard(1)->target, PsInitialSystemProcess);
	}
}

static void ob_42_vf_23_post_may_write_nothing(void **state)
{
	(void)state;
	record_listen_for_rules();
	watch('A', "2000", 0);
	watch('B', "1000", 0);
	on_call(POST, 'B', write_a_post_field);
	for (field_to_write = 0; field_to_write < 10; field_to_write++) {
		duplicate();
		assert_rules_broken(field_to_write < 9 ? "VF-23" : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ob_36_each_call_gets_the_context_of_its_registration),
		WORLD_TEST(ob_39_call_context_goes_from_a_pre_call_to_its_post_call_only),
		WORLD_TEST(ob_38_each_pre_call_is_followed_by_one_post_call_inferred),
		WORLD_TEST(ob_38_no_memory_does_not_lose_a_post_call_inferred),
		WORLD_TEST(ob_38_registration_made_after_pre_gets_no_post_inferred),
		WORLD_TEST(ob_38_registration_removed_before_its_pre_gets_neither_inferred),
		WORLD_TEST(ob_40_vf_25_other_results_of_a_pre_routine_are_told),
		WORLD_TEST(ob_41_other_results_change_nothing_inferred),
		WORLD_TEST(ob_42_writing_in_post_has_no_effect),
		WORLD_TEST(ob_43_ob_44_c_09_failure_is_told_and_parameters_are_null_inferred),
		OBSERVED_TEST(ob_44_c_09_observed_parameters_are_valid_and_access_0_inferred),
		WORLD_TEST(c_09_switch_alone_gives_parameters_after_a_failure),
		WORLD_TEST(ob_45_granted_access_is_that_of_the_new_handle),
		WORLD_TEST(ob_46_c_10_passive_level_in_a_critical_region),
		OBSERVED_TEST(ob_46_c_10_observed_apc_level_for_created_threads),
		WORLD_TEST(c_10_switch_alone_raises_the_handles_of_created_threads),
		WORLD_TEST(vf_23_pre_may_write_desired_access_and_call_context_only),
		WORLD_TEST(ob_42_vf_23_post_may_write_nothing),
	};
	return cmocka_run_group_tests_name("ob/call", tests, NULL, NULL);
}

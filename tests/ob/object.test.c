/* SPDX-License-Identifier: MIT */
/* Mistakes with references, handles and types: VF-10, VF-13, VF-26. */
#include "ke/bugcheck.h"
#include "ob/object.h"
#include "support/bugcheck.h"
#include "support/record.h"
#include <string.h>

/* ---- References ------------------------------------------------------------------------- */

static void dereference_twice(void *unused)
{
	(void)unused;
	struct actor actor = actor_start("child.exe");
	ObfDereferenceObject(actor.process); /* the test's own */
	ObfDereferenceObject(actor.process); /* the thread's, which nobody gave it */
	ObfDereferenceObject(actor.process); /* and whatever else there is */
	ObfDereferenceObject(actor.process);
	ObfDereferenceObject(actor.process);
}

static void vf_13_one_dereference_too_many_is_bug_check_18(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(KE_REFERENCE_BY_POINTER,
							     dereference_twice, NULL);
	assert_non_null(strstr(seen->detail, "dereferenced more often than referenced"));
	assert_non_null(strstr(seen->detail, "1 of its threads"));
}

/* A routine that gives away a reference that it does not have is found at the latest
 * when the process goes. */
static void dereference_in_call(struct call *call)
{
	if (call->create)
		ObfDereferenceObject(call->process);
}

static void live_with_thief(void *unused)
{
	(void)unused;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE));
	on_call(EX, 0, dereference_in_call);
	actor_live("child.exe");
}

static void vf_13_routine_that_dereferences_its_process_is_found_out(void **state)
{
	(void)state;
	expect_bug_check(KE_REFERENCE_BY_POINTER, live_with_thief, NULL);
}

/* ---- Handles ---------------------------------------------------------------------------- */

static void reference_null(void *unused)
{
	(void)unused;
	PVOID object;
	ObReferenceObjectByHandle(NULL, 0, PsProcessType, KernelMode, &object, NULL);
}

static void vf_10_null_as_kernel_handle_is_bug_check_f5(void **state)
{
	(void)state;
	expect_bug_check(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, reference_null, NULL);
}

static void reference_at_apc_level(void *unused)
{
	(void)unused;
	KIRQL irql;
	PVOID object;
	NTSTATUS(NTAPI * by_handle)
	(HANDLE, ACCESS_MASK, POBJECT_TYPE, KPROCESSOR_MODE, PVOID *,
	 PVOID) = export_of("ObReferenceObjectByHandle");
	KeRaiseIrql(APC_LEVEL, &irql);
	by_handle((HANDLE)4, 0, NULL, KernelMode, &object, NULL);
}

static void vf_10_above_passive_level_is_bug_check_c4(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(
		(ULONG)KE_DRIVER_VERIFIER_DETECTED_VIOLATION, reference_at_apc_level, NULL);
	assert_int_equal(seen->parameter[0], 0x2001B);
}

static void vf_10_bad_handle_is_told(void **state)
{
	(void)state;
	PVOID object = state;
	record_listen_for_rules();
	assert_status(ObReferenceObjectByHandle((HANDLE)0x12344, 0, PsProcessType, KernelMode,
						&object, NULL),
		      STATUS_INVALID_HANDLE);
	assert_ptr_equal(object, state);
	assert_rules_broken("VF-10");
	/* For user mode it is the caller's mistake, not the driver's. */
	assert_status(ObReferenceObjectByHandle((HANDLE)0x12344, 0, PsProcessType, UserMode,
						&object, NULL),
		      STATUS_INVALID_HANDLE);
	assert_rules_broken("");
}

static HANDLE open_system(ULONG attributes)
{
	HANDLE handle;
	assert_ntsuccess(ObOpenObjectByPointer(PsInitialSystemProcess, attributes, NULL,
					       PROCESS_QUERY_INFORMATION, PsProcessType, KernelMode,
					       &handle));
	return handle;
}

static void reference_and_close(HANDLE handle)
{
	PVOID object;
	assert_ntsuccess(
		ObReferenceObjectByHandle(handle, 0, PsProcessType, KernelMode, &object, NULL));
	assert_ptr_equal(object, PsInitialSystemProcess);
	ObfDereferenceObject(object);
	assert_ntsuccess(ZwClose(handle));
}

static void vf_10_user_handle_taken_as_kernel_is_told(void **state)
{
	(void)state;
	struct actor actor = actor_start("child.exe");
	record_listen_for_rules();
	rs_become(actor.thread);
	reference_and_close(open_system(OBJ_KERNEL_HANDLE));
	assert_rules_broken("");
	reference_and_close(open_system(0));
	assert_rules_broken("VF-10");
	rs_become(NULL);
	reference_and_close(open_system(0)); /* the system's own are kernel handles all */
	assert_rules_broken("");
	actor_end(&actor);
}

/* ---- Types ------------------------------------------------------------------------------- */

static void vf_26_altered_type_is_told_once_at_the_next_registration(void **state)
{
	(void)state;
	record_listen_for_rules();
	ObUnRegisterCallbacks(watch('A', "1000", 0));
	assert_rules_broken("");
	UCHAR before = ExEventObjectType->ObjectTypeFlags;
	ExEventObjectType->ObjectTypeFlags |= OB_SUPPORTS_OBJECT_CALLBACKS;
	PVOID handle = watch('A', "1000", 0);
	assert_rules_broken("VF-26");
	ObUnRegisterCallbacks(handle);
	ObUnRegisterCallbacks(watch('A', "1000", 0));
	assert_rules_broken("");
	ExEventObjectType->ObjectTypeFlags = before;
	ObUnRegisterCallbacks(watch('A', "1000", 0));
	assert_rules_broken("VF-26"); /* altered back is altered */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(vf_13_one_dereference_too_many_is_bug_check_18),
		WORLD_TEST(vf_13_routine_that_dereferences_its_process_is_found_out),
		WORLD_TEST(vf_10_null_as_kernel_handle_is_bug_check_f5),
		WORLD_TEST(vf_10_above_passive_level_is_bug_check_c4),
		WORLD_TEST(vf_10_bad_handle_is_told),
		WORLD_TEST(vf_10_user_handle_taken_as_kernel_is_told),
		WORLD_TEST(vf_26_altered_type_is_told_once_at_the_next_registration),
	};
	return cmocka_run_group_tests_name("ob/object", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Which operations call object callbacks, and what they are told of them: OB-24 to
 * OB-32, OB-35, OB-37.
 */
#include "ob/handle.h"
#include "support/record.h"

#define CURRENT_PROCESS ((HANDLE)-1)
#define CURRENT_THREAD ((HANDLE)-2)

static struct actor opener, target;

static int set_up(void **state)
{
	world_documented(state);
	opener = actor_start("opener.exe");
	target = actor_start("target.exe");
	return 0;
}

static int tear_down(void **state)
{
	rs_become(NULL);
	actor_end(&target);
	actor_end(&opener);
	return world_end(state);
}

static HANDLE open_process(ACCESS_MASK access, ULONG attributes)
{
	HANDLE handle = NULL;
	OBJECT_ATTRIBUTES a = {.Length = sizeof a, .Attributes = attributes};
	CLIENT_ID id = {(HANDLE)id_of(target.process), NULL};
	assert_ntsuccess(NtOpenProcess(&handle, access, &a, &id));
	return handle;
}

static HANDLE open_thread(ACCESS_MASK access)
{
	HANDLE handle = NULL;
	OBJECT_ATTRIBUTES a = {.Length = sizeof a};
	CLIENT_ID id = {NULL, (HANDLE)id_of_thread(target.thread)};
	assert_ntsuccess(NtOpenThread(&handle, access, &a, &id));
	return handle;
}

/* ---- What triggers ------------------------------------------------------------------------- */

static void ob_24_opens_and_creations_trigger(void **state)
{
	(void)state;
	HANDLE handle, thread_handle;
	OBJECT_ATTRIBUTES a = {.Length = sizeof a};
	CLIENT_ID process = {(HANDLE)id_of(target.process), NULL};
	CLIENT_ID thread = {NULL, (HANDLE)id_of_thread(target.thread)};
	watch('A', "1000", PROCESSES | THREADS);
	rs_become(opener.thread);
	assert_ntsuccess(NtOpenProcess(&handle, PROCESS_VM_READ, &a, &process));
	assert_heard("A< A>");
	assert_ptr_equal(heard(0)->object, target.process);
	assert_ntsuccess(ZwOpenProcess(&handle, PROCESS_VM_READ, &a, &process));
	assert_heard("A< A>");
	assert_ntsuccess(NtOpenThread(&handle, THREAD_SUSPEND_RESUME, &a, &thread));
	assert_heard("A< A>");
	assert_ptr_equal(heard(0)->object, target.thread);
	assert_ntsuccess(ZwOpenThread(&handle, THREAD_SUSPEND_RESUME, &a, &thread));
	assert_heard("A< A>");
	assert_ntsuccess(ObOpenObjectByPointer(target.process, 0, NULL, PROCESS_VM_READ, NULL,
					       KernelMode, &handle));
	assert_heard("A< A>");
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(heard(i)->operation, OB_OPERATION_HANDLE_CREATE);
	struct actor child;
	assert_ntsuccess(rs_create_user_process(&(struct rs_process_spec){.image = "a"},
						&child.process, &child.thread, &handle,
						&thread_handle));
	assert_heard("A< A> A< A>");
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(heard(i)->operation, OB_OPERATION_HANDLE_CREATE);
	rs_become(NULL);
	actor_end(&child);
}

/* None of the services that OB-25 names is exported yet; the step that they will go
 * through is the one below, and this test is to be extended with the first of them. */
static void ob_25_the_one_step_to_a_handle_triggers_inferred(void **state)
{
	(void)state;
	static const char *const names[] = {
		"NtGetNextProcess",        "ZwGetNextProcess",        "NtGetNextThread",
		"NtAlpcOpenSenderProcess", "ZwAlpcOpenSenderProcess", "NtAlpcOpenSenderThread",
		"ZwAlpcOpenSenderThread",
	};
	for (unsigned i = 0; i < 7; i++)
		assert_null(rs_find_export("ntoskrnl.exe", names[i]));
	watch('A', "1000", 0);
	struct ob_handle_request request = {
		.operation = OB_OPERATION_HANDLE_CREATE,
		.object = target.process,
		.table_of = opener.process,
		.desired = PROCESS_VM_READ,
		.mode = UserMode,
	};
	HANDLE handle;
	ACCESS_MASK granted;
	assert_ntsuccess(ob_make_handle(&request, &handle, &granted));
	assert_heard("A< A>");
	assert_int_equal(granted, PROCESS_VM_READ);
}

static void ob_26_duplication_triggers_with_pseudo_handles_too(void **state)
{
	(void)state;
	HANDLE source, made;
	watch('A', "1000", PROCESSES | THREADS);
	rs_become(opener.thread);
	source = open_process(PROCESS_VM_READ, 0);
	assert_heard("A< A>");
	assert_ntsuccess(NtDuplicateObject(CURRENT_PROCESS, source, CURRENT_PROCESS, &made, 0, 0,
					   DUPLICATE_SAME_ACCESS));
	assert_heard("A< A>");
	assert_int_equal(heard(0)->operation, OB_OPERATION_HANDLE_DUPLICATE);
	assert_int_equal(heard(1)->operation, OB_OPERATION_HANDLE_DUPLICATE);
	assert_ptr_equal(heard(0)->object, target.process);
	assert_ntsuccess(ZwDuplicateObject(CURRENT_PROCESS, source, CURRENT_PROCESS, &made, 0, 0,
					   DUPLICATE_SAME_ACCESS));
	assert_heard("A< A>");
	assert_ntsuccess(NtDuplicateObject(CURRENT_PROCESS, CURRENT_PROCESS, CURRENT_PROCESS, &made,
					   0, 0, DUPLICATE_SAME_ACCESS));
	assert_heard("A< A>");
	assert_int_equal(heard(0)->operation, OB_OPERATION_HANDLE_DUPLICATE);
	assert_ptr_equal(heard(0)->object, opener.process);
	assert_ntsuccess(NtDuplicateObject(CURRENT_PROCESS, CURRENT_THREAD, CURRENT_PROCESS, &made,
					   0, 0, DUPLICATE_SAME_ACCESS));
	assert_heard("A< A>");
	assert_ptr_equal(heard(0)->object, opener.thread);
	assert_ptr_equal(heard(0)->type, PsThreadType);
}

/* ---- What does not ----------------------------------------------------------------------------- */

static void ob_27_inherited_handles_cause_no_event_inferred(void **state)
{
	(void)state;
	rs_become(opener.thread);
	HANDLE inheritable = open_process(PROCESS_VM_READ, OBJ_INHERIT);
	HANDLE other = open_process(PROCESS_VM_READ, 0);
	rs_become(NULL);
	watch('A', "1000", PROCESSES | THREADS);
	struct actor child = actor_start_as(
		&(struct rs_process_spec){.image = "a", .parent = opener.process});
	assert_heard("");
	rs_become(child.thread);
	PVOID object;
	assert_ntsuccess(ObReferenceObjectByHandle(inheritable, PROCESS_VM_READ, PsProcessType,
						   UserMode, &object, NULL));
	assert_ptr_equal(object, target.process);
	rs_release(object);
	assert_status(ObReferenceObjectByHandle(other, 0, NULL, UserMode, &object, NULL),
		      STATUS_INVALID_HANDLE);
	rs_become(NULL);
	actor_end(&child);
}

static void ob_28_references_pseudo_handles_and_closing_cause_no_event_inferred(void **state)
{
	(void)state;
	PVOID object;
	PEPROCESS process;
	PETHREAD thread;
	rs_become(opener.thread);
	HANDLE handle = open_process(PROCESS_VM_READ, 0), other = open_process(1, 0);
	HANDLE kernel;
	assert_ntsuccess(ObOpenObjectByPointer(target.process, OBJ_KERNEL_HANDLE, NULL, 1,
					       PsProcessType, KernelMode, &kernel));
	watch('A', "1000", PROCESSES | THREADS);
	assert_ntsuccess(ObReferenceObjectByHandle(handle, PROCESS_VM_READ, PsProcessType,
						   KernelMode, &object, NULL));
	ObfDereferenceObject(object);
	assert_ntsuccess(ObReferenceObjectByPointer(target.process, PROCESS_ALL_ACCESS,
						    PsProcessType, KernelMode));
	ObfDereferenceObject(target.process);
	ObfReferenceObject(target.thread);
	ObfDereferenceObject(target.thread);
	assert_ntsuccess(PsLookupProcessByProcessId((HANDLE)id_of(target.process), &process));
	ObfDereferenceObject(process);
	assert_ntsuccess(PsLookupThreadByThreadId((HANDLE)id_of_thread(target.thread), &thread));
	ObfDereferenceObject(thread);
	assert_ntsuccess(ObReferenceObjectByHandle(CURRENT_PROCESS, 0, PsProcessType, UserMode,
						   &object, NULL));
	ObfDereferenceObject(object);
	assert_ntsuccess(ObReferenceObjectByHandle(CURRENT_THREAD, 0, PsThreadType, UserMode,
						   &object, NULL));
	ObfDereferenceObject(object);
	assert_ntsuccess(NtClose(handle));
	assert_ntsuccess(ZwClose(other));
	assert_ntsuccess(ZwClose(kernel));
	assert_heard("");
}

/* ---- Who opens ------------------------------------------------------------------------------------ */

static void ob_29_kernel_handles_are_marked_and_user_mode_cannot_ask_for_them(void **state)
{
	(void)state;
	HANDLE handle;
	OBJECT_ATTRIBUTES a = {.Length = sizeof a, .Attributes = OBJ_KERNEL_HANDLE};
	CLIENT_ID id = {(HANDLE)id_of(target.process), NULL};
	watch('A', "1000", 0);
	rs_become(opener.thread);
	assert_ntsuccess(ZwOpenProcess(&handle, PROCESS_VM_READ, &a, &id)); /* kernel code */
	assert_heard("A< A>");
	assert_int_equal(heard(0)->flags, 1);
	assert_int_equal(heard(1)->flags, 1);
	assert_true((uintptr_t)handle >= 0xFFFFFFFF80000000);
	assert_status(NtClose(handle), STATUS_INVALID_HANDLE); /* not the user's */
	assert_ntsuccess(ZwClose(handle));
	assert_ntsuccess(NtOpenProcess(&handle, PROCESS_VM_READ, &a, &id)); /* user mode */
	assert_heard("A< A>");
	assert_int_equal(heard(0)->flags, 0);
	assert_int_equal(heard(1)->flags, 0);
	assert_true((uintptr_t)handle < 0x80000000);
	a.Attributes = 0;
	assert_ntsuccess(ZwOpenProcess(&handle, PROCESS_VM_READ, &a, &id));
	assert_heard("A< A>");
	assert_int_equal(heard(0)->flags, 0);
	assert_ntsuccess(ObOpenObjectByPointer(target.process, OBJ_KERNEL_HANDLE, NULL, 1,
					       PsProcessType, UserMode, &handle));
	assert_heard("A< A>");
	assert_int_equal(heard(0)->flags, 0);
}

static void ob_30_what_security_refuses_is_not_told(void **state)
{
	(void)state;
	HANDLE handle = NULL;
	OBJECT_ATTRIBUTES a = {.Length = sizeof a};
	CLIENT_ID id = {(HANDLE)id_of(target.process), NULL};
	CLIENT_ID thread = {NULL, (HANDLE)id_of_thread(target.thread)};
	watch('A', "1000", PROCESSES | THREADS);
	rs_deny_access(target.process, PROCESS_VM_READ | 0x8);
	rs_become(opener.thread);
	assert_status(NtOpenProcess(&handle, PROCESS_VM_READ | PROCESS_TERMINATE, &a, &id),
		      STATUS_ACCESS_DENIED);
	assert_status(NtOpenProcess(&handle, GENERIC_ALL, &a, &id), STATUS_ACCESS_DENIED);
	assert_status(NtOpenThread(&handle, THREAD_GET_CONTEXT, &a, &thread), STATUS_ACCESS_DENIED);
	assert_null(handle);
	assert_heard("");
	assert_ntsuccess(NtOpenProcess(&handle, PROCESS_TERMINATE, &a, &id));
	assert_heard("A< A>");
	assert_ntsuccess(ZwOpenProcess(&handle, PROCESS_VM_READ, &a, &id)); /* the kernel may */
	assert_heard("A< A>");
}

static unsigned depth;

static void open_once_more(struct call *call)
{
	HANDLE handle;
	if (depth++ == 0 && NT_SUCCESS(ObOpenObjectByPointer(call->object, OBJ_KERNEL_HANDLE, NULL,
							     PROCESS_QUERY_LIMITED_INFORMATION,
							     PsProcessType, KernelMode, &handle)))
		ZwClose(handle);
}

static void ob_31_open_from_inside_reenters_the_callbacks(void **state)
{
	(void)state;
	watch('A', "2000", 0);
	watch('B', "1000", 0);
	on_call(PRE, 'A', open_once_more);
	depth = 0;
	rs_become(opener.thread);
	open_process(PROCESS_VM_READ, 0);
	assert_heard("A< A< B< B> A> B< B> A>");
	assert_int_equal(heard(0)->flags, 0);
	assert_int_equal(heard(1)->flags, 1); /* what the usual guard looks at */
	on_call(PRE, 'A', NULL);
	on_call(POST, 'B', open_once_more);
	depth = 0;
	open_process(PROCESS_VM_READ, 0);
	assert_heard("A< B< B> A< B< B> A> A>");
}

static void ob_32_creators_handle_is_reported_as_an_open_with_all_access(void **state)
{
	(void)state;
	struct actor child;
	HANDLE process_handle, thread_handle;
	watch('A', "1000", PROCESSES | THREADS);
	rs_become(opener.thread);
	assert_ntsuccess(rs_create_user_process(&(struct rs_process_spec){.image = "a"},
						&child.process, &child.thread, &process_handle,
						&thread_handle));
	assert_heard("A< A> A< A>");
	assert_ptr_equal(heard(0)->object, child.process);
	assert_int_equal(heard(0)->operation, OB_OPERATION_HANDLE_CREATE);
	assert_int_equal(heard(0)->original, 0x1FFFFF);
	assert_int_equal(heard(0)->flags, 0);
	assert_int_equal(heard(1)->granted, 0x1FFFFF);
	assert_ptr_equal(heard(0)->current_process, opener.process);
	PVOID object; /* the handle works in the creator */
	assert_ntsuccess(ObReferenceObjectByHandle(process_handle, 0x1FFFFF, PsProcessType,
						   UserMode, &object, NULL));
	assert_ptr_equal(object, child.process);
	rs_release(object);
	rs_become(NULL);
	actor_end(&child);
}

/* ---- To whom, and with what --------------------------------------------------------------------------- */

static void ob_35_entry_is_called_for_its_operations_only(void **state)
{
	(void)state;
	HANDLE source, made;
	watch('C', "3000", CREATES);
	watch('D', "2000", DUPLICATES);
	watch('E', "1000", CREATES | DUPLICATES);
	rs_become(opener.thread);
	source = open_process(PROCESS_VM_READ, 0);
	assert_heard("C< E< E> C>");
	assert_ntsuccess(NtDuplicateObject(CURRENT_PROCESS, source, CURRENT_PROCESS, &made, 0, 0,
					   DUPLICATE_SAME_ACCESS));
	assert_heard("D< E< E> D>");
	open_thread(THREAD_TERMINATE); /* none of them watches threads */
	assert_heard("");
}

static void ob_37_object_type_and_operation_are_told(void **state)
{
	(void)state;
	watch('A', "1000", PROCESSES | THREADS);
	rs_become(opener.thread);
	HANDLE handle = open_process(PROCESS_VM_READ, 0);
	open_thread(THREAD_TERMINATE);
	assert_ntsuccess(NtDuplicateObject(CURRENT_PROCESS, handle, CURRENT_PROCESS, &handle, 0, 0,
					   DUPLICATE_SAME_ACCESS));
	assert_heard("A< A> A< A> A< A>");
	for (unsigned i = 0; i < 6; i++) {
		bool thread = i == 2 || i == 3;
		assert_ptr_equal(heard(i)->object,
				 thread ? (void *)target.thread : (void *)target.process);
		assert_ptr_equal(heard(i)->type, thread ? PsThreadType : PsProcessType);
		assert_int_equal(heard(i)->operation, i < 4 ? OB_OPERATION_HANDLE_CREATE
							    : OB_OPERATION_HANDLE_DUPLICATE);
		assert_int_equal(heard(i)->flags, 0);
	}
}

/* creation and duplication of desktop handles trigger; every right can be removed. */
static ACCESS_MASK leave;

static void leave_rights(struct call *call)
{
	call->pre->Parameters->CreateHandleInformation.DesiredAccess = leave;
}

static void ob_06_ob_37_desktop_handles_trigger_too(void **state)
{
	(void)state;
	HANDLE handle, copy;
	void *desktop = ob_create(ExDesktopObjectType, 64);
	watch('A', "1000", DESKTOPS);
	assert_ntsuccess(ObOpenObjectByPointer(desktop, 0, NULL, 0x1FF, ExDesktopObjectType,
					       KernelMode, &handle));
	assert_heard("A< A>");
	assert_ptr_equal(heard(0)->object, desktop);
	assert_ptr_equal(heard(0)->type, ExDesktopObjectType);
	assert_int_equal(heard(1)->granted, 0x1FF);
	leave = 0;
	on_call(PRE, 'A', leave_rights);
	assert_ntsuccess(ZwDuplicateObject(CURRENT_PROCESS, handle, CURRENT_PROCESS, &copy, 0, 0,
					   DUPLICATE_SAME_ACCESS));
	assert_heard("A< A>");
	assert_int_equal(heard(0)->operation, OB_OPERATION_HANDLE_DUPLICATE);
	assert_int_equal(heard(1)->granted, 0);
	assert_ntsuccess(ZwClose(handle));
	assert_ntsuccess(ZwClose(copy));
	rs_release(desktop);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ob_24_opens_and_creations_trigger),
		TEST(ob_25_the_one_step_to_a_handle_triggers_inferred),
		TEST(ob_26_duplication_triggers_with_pseudo_handles_too),
		TEST(ob_27_inherited_handles_cause_no_event_inferred),
		TEST(ob_28_references_pseudo_handles_and_closing_cause_no_event_inferred),
		TEST(ob_29_kernel_handles_are_marked_and_user_mode_cannot_ask_for_them),
		TEST(ob_30_what_security_refuses_is_not_told),
		TEST(ob_31_open_from_inside_reenters_the_callbacks),
		TEST(ob_32_creators_handle_is_reported_as_an_open_with_all_access),
		TEST(ob_35_entry_is_called_for_its_operations_only),
		TEST(ob_37_object_type_and_operation_are_told),
		TEST(ob_06_ob_37_desktop_handles_trigger_too),
	};
	return cmocka_run_group_tests_name("ob/operation", tests, NULL, NULL);
}

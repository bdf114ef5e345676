/* SPDX-License-Identifier: MIT */
/* What a routine should leave alone where it is: VF-3, VF-9, VF-15. */
#include "cm/key.h"
#include "io/device.h"
#include "io/irp.h"
#include "ke/wait.h"
#include "support/record.h"
#include <ringside/io.h>

static void call_registry(struct call *call)
{
	(void)call;
	HANDLE key;
	UNICODE_STRING name = USTR(u"\\Registry\\Machine");
	OBJECT_ATTRIBUTES attributes = {
		.Length = sizeof attributes, .Attributes = OBJ_KERNEL_HANDLE, .ObjectName = &name};
	assert_ntsuccess(ZwOpenKey(&key, KEY_READ, &attributes));
	assert_ntsuccess(ZwClose(key));
}

static void wait_a_little(struct call *call)
{
	(void)call;
	LARGE_INTEGER timeout = {.QuadPart = -10};
	KeDelayExecutionThread(KernelMode, FALSE, &timeout);
}

static void do_not_wait(struct call *call)
{
	(void)call;
	LARGE_INTEGER timeout = {.QuadPart = 0};
	KeDelayExecutionThread(KernelMode, FALSE, &timeout);
}

static void vf_15_registry_calls_in_a_routine_are_told_once(void **state)
{
	(void)state;
	record_listen_for_rules();
	call_registry(NULL);
	assert_rules_broken(""); /* elsewhere it is nothing */
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE));
	on_call(EX, 0, call_registry);
	actor_live("one.exe");
	assert_rules_broken("VF-15");
	actor_live("two.exe");
	assert_rules_broken("");
}

static void vf_15_waits_in_a_routine_are_told_once_for_each_routine(void **state)
{
	(void)state;
	record_listen_for_rules();
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE));
	on_call(EX, 0, do_not_wait);
	actor_live("one.exe");
	assert_rules_broken("");
	on_call(EX, 0, wait_a_little);
	actor_live("two.exe");
	assert_rules_broken("VF-15");
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(0)));
	on_call(THREAD, 0, wait_a_little);
	actor_live("three.exe");
	assert_rules_broken("VF-15");
}

static void vf_15_both_deeds_of_an_object_callback_are_told(void **state)
{
	(void)state;
	HANDLE handle;
	watch('A', "1000", 0);
	record_listen_for_rules();
	on_call(PRE, 'A', call_registry);
	on_call(POST, 'A', wait_a_little);
	assert_ntsuccess(ObOpenObjectByPointer(PsInitialSystemProcess, OBJ_KERNEL_HANDLE, NULL,
					       PROCESS_ALL_ACCESS, PsProcessType, KernelMode,
					       &handle));
	assert_ntsuccess(ZwClose(handle));
	assert_rules_broken("VF-15 VF-15");
}

/* ---- Power ------------------------------------------------------------------------------- */

static NTSTATUS NTAPI register_there(PDEVICE_OBJECT device, PIRP irp)
{
	(void)device;
	(void)irp;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE));
	ObUnRegisterCallbacks(watch('A', "1000", 0));
	return STATUS_SUCCESS;
}

static void send(UCHAR major)
{
	DRIVER_OBJECT driver = {
		.MajorFunction = {[IRP_MJ_POWER] = register_there, [IRP_MJ_PNP] = register_there}};
	DEVICE_OBJECT device = {.Type = IO_TYPE_DEVICE, .DriverObject = &driver, .StackSize = 1};
	PIRP irp = IoAllocateIrp(1, FALSE);
	assert_non_null(irp);
	irp->Tail.CurrentStackLocation[-1].MajorFunction = major;
	assert_ntsuccess(IofCallDriver(&device, irp));
	IoFreeIrp(irp);
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), TRUE));
}

static void vf_03_registering_while_power_is_handled_is_told(void **state)
{
	(void)state;
	record_listen_for_rules();
	send(IRP_MJ_PNP);
	assert_rules_broken("");
	send(IRP_MJ_POWER);
	assert_rules_broken("VF-3 VF-3");
}

/* ---- Zw calls ---------------------------------------------------------------------------- */

/* Five arguments: all must arrive, by whatever way the call goes. */
static __attribute__((noinline)) ULONG64 ask_for_id(void)
{
	NTSTATUS(NTAPI * query)
	(HANDLE, ULONG, PVOID, ULONG, PULONG) = export_of("ZwQueryInformationProcess");
	struct {
		NTSTATUS exit_status;
		PVOID peb;
		ULONG_PTR affinity;
		LONG priority;
		ULONG_PTR id, parent;
	} basic = {0};
	ULONG length = 0;
	assert_ntsuccess(query((HANDLE)-1, 0, &basic, sizeof basic, &length));
	assert_int_equal(length, sizeof basic);
	return basic.id;
}

static void vf_09_zw_call_with_special_apcs_off_is_told_and_goes_on(void **state)
{
	(void)state;
	record_listen_for_rules();
	assert_int_equal(ask_for_id(), 4);
	KeEnterCriticalRegion();
	assert_int_equal(ask_for_id(), 4);
	KeLeaveCriticalRegion();
	assert_rules_broken("");
	KeEnterGuardedRegion();
	assert_int_equal(ask_for_id(), 4);
	assert_int_equal(ask_for_id(), 4);
	KeLeaveGuardedRegion();
	assert_rules_broken("VF-9"); /* one place calls, and is told of once */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(vf_15_registry_calls_in_a_routine_are_told_once),
		WORLD_TEST(vf_15_waits_in_a_routine_are_told_once_for_each_routine),
		WORLD_TEST(vf_15_both_deeds_of_an_object_callback_are_told),
		WORLD_TEST(vf_09_zw_call_with_special_apcs_off_is_told_and_goes_on),
		WORLD_TEST(vf_03_registering_while_power_is_handled_is_told),
	};
	return cmocka_run_group_tests_name("ps/restraint", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * ObRegisterCallbacks: OB-1 to OB-11, OB-16 to OB-18, OB-22, OB-23, C-6, VF-2.
 */
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "ldr/module.h"
#include "ps/file.h"
#include "support/bugcheck.h"
#include "support/record.h"
#include <string.h>
#include <sys/mman.h>

/* A registration that is in order; tests spoil it. */
struct asked {
	OB_CALLBACK_REGISTRATION registration;
	OB_OPERATION_REGISTRATION entry[3];
	WCHAR altitude[8];
};

static int context;

static struct asked *in_order(struct asked *asked)
{
	static POBJECT_TYPE *const type[] = {&PsProcessType, &PsThreadType, &ExDesktopObjectType};
	memset(asked, 0, sizeof *asked);
	memcpy(asked->altitude, u"1000", 8);
	asked->registration = (OB_CALLBACK_REGISTRATION){
		.Version = 0x0100,
		.OperationRegistrationCount = 1,
		.Altitude = {8, sizeof asked->altitude, asked->altitude},
		.RegistrationContext = &context,
		.OperationRegistration = asked->entry,
	};
	for (unsigned i = 0; i < 3; i++)
		asked->entry[i] = (OB_OPERATION_REGISTRATION){type[i], OB_OPERATION_HANDLE_CREATE,
							      record_pre, record_post};
	return asked;
}

/* Registers; what fails must leave the handle alone. */
static NTSTATUS try(struct asked *asked)
{
	PVOID handle = &context;
	NTSTATUS status = ObRegisterCallbacks(&asked->registration, &handle);
	if (NT_SUCCESS(status)) {
		assert_ptr_not_equal(handle, &context);
		assert_non_null(handle);
		ObUnRegisterCallbacks(handle);
	} else {
		assert_ptr_equal(handle, &context);
	}
	return status;
}

static void open_a_process(void)
{
	HANDLE handle;
	assert_ntsuccess(ObOpenObjectByPointer(PsInitialSystemProcess, OBJ_KERNEL_HANDLE, NULL,
					       PROCESS_ALL_ACCESS, PsProcessType, KernelMode,
					       &handle));
	assert_ntsuccess(ZwClose(handle));
}

/* ---- Version and count ------------------------------------------------------------------- */

static void ob_01_version_is_0100_and_others_are_invalid_parameter(void **state)
{
	(void)state;
	static const USHORT bad[] = {0, 1, 0x0200, 0xFF00, 0x1000};
	struct asked asked;
	assert_int_equal(OB_FLT_REGISTRATION_VERSION, 0x0100);
	assert_int_equal(ObGetFilterVersion(), 0x0100);
	assert_ntsuccess(try(in_order(&asked)));
	for (unsigned i = 0; i < 5; i++) {
		in_order(&asked)->registration.Version = bad[i];
		assert_status(try(&asked), STATUS_INVALID_PARAMETER);
	}
}

/* Of the emulated version, Windows 10. */
static void ob_02_object_callbacks_exist(void **state)
{
	(void)state;
	static const UNICODE_STRING name[] = {USTR_INIT(u"ObRegisterCallbacks"),
					      USTR_INIT(u"ObUnRegisterCallbacks"),
					      USTR_INIT(u"ObGetFilterVersion")};
	PVOID(NTAPI * find)(PCUNICODE_STRING) = export_of("MmGetSystemRoutineAddress");
	for (unsigned i = 0; i < 3; i++)
		assert_non_null(find(&name[i]));
	USHORT(NTAPI * version)(void) = find(&name[2]);
	assert_int_equal(version(), 0x0100);
}

static void ob_03_c_06_exactly_0100_is_accepted_inferred(void **state)
{
	(void)state;
	struct asked asked;
	in_order(&asked)->registration.Version = 0x0101;
	assert_status(try(&asked), STATUS_INVALID_PARAMETER);
	asked.registration.Version = 0x01FF;
	assert_status(try(&asked), STATUS_INVALID_PARAMETER);
}

static void c_06_ob_03_switch_looks_at_the_high_byte_only_inferred(void **state)
{
	(void)state;
	struct asked asked;
	world_with_switch(6, true);
	in_order(&asked)->registration.Version = 0x0101;
	assert_ntsuccess(try(&asked));
	asked.registration.Version = 0x01FF;
	assert_ntsuccess(try(&asked));
	asked.registration.Version = 0x0200;
	assert_status(try(&asked), STATUS_INVALID_PARAMETER);
	asked.registration.Version = 0x0001;
	assert_status(try(&asked), STATUS_INVALID_PARAMETER);
}

static void ob_04_count_0_is_invalid_parameter_inferred(void **state)
{
	(void)state;
	struct asked asked;
	in_order(&asked)->registration.OperationRegistrationCount = 0;
	assert_status(try(&asked), STATUS_INVALID_PARAMETER);
	asked.registration.OperationRegistrationCount = 3;
	assert_ntsuccess(try(&asked));
}

/* ---- Entries ----------------------------------------------------------------------------------- */

static void ob_05_entry_without_routines_fails_the_whole_registration(void **state)
{
	(void)state;
	struct asked asked;
	in_order(&asked)->registration.OperationRegistrationCount = 2;
	asked.entry[1].PreOperation = NULL;
	assert_ntsuccess(try(&asked)); /* one is enough */
	asked.entry[1].PostOperation = NULL;
	assert_status(try(&asked), STATUS_INVALID_PARAMETER);
	open_a_process();
	assert_heard("");
	asked.entry[1].PreOperation = record_pre;
	assert_ntsuccess(try(&asked));
}

static void ob_06_supported_types_are_process_thread_and_desktop(void **state)
{
	(void)state;
	static POBJECT_TYPE *const unsupported[] = {&IoFileObjectType,          &IoDriverObjectType,
						    &ExEventObjectType,         &CmKeyObjectType,
						    &ExWindowStationObjectType, &SeTokenObjectType};
	static POBJECT_TYPE *const supported[] = {&PsProcessType, &PsThreadType,
						  &ExDesktopObjectType};
	struct asked asked;
	in_order(&asked);
	for (unsigned i = 0; i < 6; i++) {
		asked.entry[0].ObjectType = unsupported[i];
		assert_status(try(&asked), STATUS_INVALID_PARAMETER);
	}
	for (unsigned i = 0; i < 3; i++) {
		asked.entry[0].ObjectType = supported[i];
		assert_ntsuccess(try(&asked));
	}
}

static void ob_07_type_is_given_by_the_address_of_a_variable_read_once(void **state)
{
	(void)state;
	struct asked asked;
	PVOID handle;
	POBJECT_TYPE variable = PsProcessType;
	in_order(&asked)->entry[0].ObjectType = &variable;
	asked.entry[0].PreOperation = NULL;
	asked.registration.RegistrationContext = NULL;
	assert_ntsuccess(ObRegisterCallbacks(&asked.registration, &handle));
	variable = PsThreadType; /* too late to matter */
	open_a_process();
	assert_heard("?>");
	ObUnRegisterCallbacks(handle);
	variable = NULL;
	assert_status(try(&asked), STATUS_INVALID_PARAMETER);
}

/* At offset 0x42 of the type, where drivers in the field set it. */
static void ob_08_flag_0x40_of_the_type_decides(void **state)
{
	(void)state;
	struct asked asked;
	PVOID handle;
	UCHAR *flags = (UCHAR *)IoFileObjectType + 0x42;
	in_order(&asked)->entry[0].ObjectType = &IoFileObjectType;
	assert_status(try(&asked), STATUS_INVALID_PARAMETER);
	*flags |= 0x40;
	assert_ntsuccess(ObRegisterCallbacks(&asked.registration, &handle));
	/* And then it works there too. */
	UNICODE_STRING name = USTR(u"\\a");
	FILE_OBJECT *file = ps_create_file_object(&name);
	HANDLE opened;
	assert_ntsuccess(ObOpenObjectByPointer(file, OBJ_KERNEL_HANDLE, NULL, GENERIC_READ,
					       IoFileObjectType, KernelMode, &opened));
	assert_heard("?< ?>");
	assert_ptr_equal(heard(0)->object, file);
	ZwClose(opened);
	rs_release(file);
	ObUnRegisterCallbacks(handle);

	*((UCHAR *)PsProcessType + 0x42) &= ~0x40;
	assert_status(try(in_order(&asked)), STATUS_INVALID_PARAMETER);
}

static void ob_09_operations_are_create_and_duplicate_and_nothing_else_inferred(void **state)
{
	(void)state;
	struct asked asked;
	in_order(&asked);
	for (unsigned bit = 0; bit < 32; bit++) {
		asked.entry[0].Operations = 1u << bit | OB_OPERATION_HANDLE_CREATE;
		assert_status(try(&asked), bit < 2 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER);
	}
	asked.entry[0].Operations = OB_OPERATION_HANDLE_DUPLICATE;
	assert_ntsuccess(try(&asked));
	asked.entry[0].Operations = 0;
	assert_status(try(&asked), STATUS_INVALID_PARAMETER);
	asked.entry[0].Operations = 4;
	assert_status(try(&asked), STATUS_INVALID_PARAMETER);
}

/* ---- Whose code ---------------------------------------------------------------------------------- */

static void ob_10_routines_outside_an_image_with_integrity_are_denied(void **state)
{
	(void)state;
	struct asked asked;
	in_order(&asked);
	world_set_integrity(false);
	assert_status(try(&asked), STATUS_ACCESS_DENIED);
	world_set_integrity(true);
	assert_ntsuccess(try(&asked));
}

static void ob_11_each_routine_is_tested_by_the_flag_of_its_module(void **state)
{
	(void)state;
	struct asked asked;
	char *memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	in_order(&asked);
	asked.entry[0].PreOperation = (void *)memory; /* in no module */
	assert_status(try(&asked), STATUS_ACCESS_DENIED);
	asked.entry[0].PreOperation = NULL;
	asked.entry[0].PostOperation = (void *)memory;
	assert_status(try(&asked), STATUS_ACCESS_DENIED);

	struct ldr_module *module = ldr_declare_module("other.sys", memory, 4096, false);
	assert_status(try(&asked), STATUS_ACCESS_DENIED);
	asked.entry[0].PreOperation = record_pre;
	assert_status(try(&asked), STATUS_ACCESS_DENIED);
	module->entry.Flags |= 0x20;
	assert_ntsuccess(try(&asked));
	asked.entry[0].PreOperation = (void *)memory;
	asked.entry[0].PostOperation = record_post;
	assert_ntsuccess(try(&asked));
	module->entry.Flags &= ~0x20u;
	assert_status(try(&asked), STATUS_ACCESS_DENIED);
	munmap(memory, 4096);
}

/* ---- All or nothing ---------------------------------------------------------------------------- */

static void ob_16_when_one_entry_fails_nothing_stays_inferred(void **state)
{
	(void)state;
	struct asked asked;
	in_order(&asked)->registration.OperationRegistrationCount = 3;
	asked.entry[2].Operations = 0; /* before insertion */
	assert_status(try(&asked), STATUS_INVALID_PARAMETER);
	open_a_process();
	in_order(&asked)->registration.OperationRegistrationCount = 3;
	PVOID other = watch('A', "1000", DESKTOPS); /* at insertion of the third */
	assert_status(try(&asked), STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
	open_a_process();
	assert_heard("");
	/* The places of the first two are free again. */
	ObUnRegisterCallbacks(other);
	assert_ntsuccess(try(&asked));
}

static void ob_17_no_memory_is_insufficient_resources(void **state)
{
	(void)state;
	struct asked asked;
	unsigned n = 0;
	in_order(&asked)->registration.OperationRegistrationCount = 3;
	for (;; n++) {
		PVOID handle = NULL;
		fail_allocation(NULL, n);
		NTSTATUS status = ObRegisterCallbacks(&asked.registration, &handle);
		if (stop_failing() == 0) {
			assert_ntsuccess(status);
			ObUnRegisterCallbacks(handle);
			break;
		}
		assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
		assert_null(handle);
		open_a_process();
		assert_heard("");
	}
	assert_true(n >= 4); /* itself, and a place in each type's list */
}

static void ob_22_text_and_entries_are_captured_and_the_context_may_be_null_inferred(void **state)
{
	(void)state;
	struct asked asked;
	PVOID handle;
	in_order(&asked)->registration.RegistrationContext = NULL;
	asked.entry[0].PreOperation = NULL;
	assert_ntsuccess(ObRegisterCallbacks(&asked.registration, &handle));
	memset(&asked, 0xFF, sizeof asked);
	open_a_process();
	assert_heard("?>");
	assert_null(heard(0)->registration_context);
	/* The altitude is kept as it was. */
	assert_status(try(in_order(&asked)), STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
	memcpy(asked.altitude, u"1001", 8);
	assert_ntsuccess(try(&asked));
	ObUnRegisterCallbacks(handle);
}

/* ---- The order of tests ---------------------------------------------------------------------------- */

enum defect { VERSION, COUNT, TYPE, OPERATIONS, ROUTINES_NULL, CODE, COLLISION, DEFECTS };

static void spoil(struct asked *asked, enum defect defect)
{
	switch (defect) {
	case VERSION:
		asked->registration.Version = 0;
		break;
	case COUNT:
		asked->registration.OperationRegistrationCount = 0;
		break;
	case TYPE:
		asked->entry[0].ObjectType = &IoFileObjectType;
		break;
	case OPERATIONS:
		asked->entry[0].Operations = 0;
		break;
	case ROUTINES_NULL:
		asked->entry[0].PreOperation = NULL;
		asked->entry[0].PostOperation = NULL;
		break;
	case CODE:
		asked->entry[0].PreOperation = (void *)(uintptr_t)0x1000;
		break;
	default:
		break; /* all collide */
	}
}

/* The first of any two defects decides. Four of the first five have one status, so what
 * can be seen is that each of them comes before the image, and the image before the
 * collision. */
static void ob_23_first_failing_test_decides_the_status_inferred(void **state)
{
	(void)state;
	static const NTSTATUS status[DEFECTS] = {
		[VERSION] = STATUS_INVALID_PARAMETER,
		[COUNT] = STATUS_INVALID_PARAMETER,
		[TYPE] = STATUS_INVALID_PARAMETER,
		[OPERATIONS] = STATUS_INVALID_PARAMETER,
		[ROUTINES_NULL] = STATUS_INVALID_PARAMETER,
		[CODE] = STATUS_ACCESS_DENIED,
		[COLLISION] = STATUS_FLT_INSTANCE_ALTITUDE_COLLISION,
	};
	watch('A', "1000", PROCESSES);
	for (unsigned first = 0; first < DEFECTS; first++)
		for (unsigned second = first; second < DEFECTS; second++) {
			struct asked asked;
			if (first == ROUTINES_NULL && second == CODE)
				continue; /* there is no routine then */
			in_order(&asked);
			spoil(&asked, second);
			spoil(&asked, first);
			assert_status(try(&asked), status[first]);
		}
}

/* Entry by entry: the image of the first comes before the type of the second. */
static void ob_23_entries_are_tested_one_after_the_other_inferred(void **state)
{
	(void)state;
	struct asked asked;
	in_order(&asked)->registration.OperationRegistrationCount = 2;
	asked.entry[0].PreOperation = (void *)(uintptr_t)0x1000;
	asked.entry[1].ObjectType = &IoFileObjectType;
	assert_status(try(&asked), STATUS_ACCESS_DENIED);
	in_order(&asked)->registration.OperationRegistrationCount = 2;
	asked.entry[0].ObjectType = &IoFileObjectType;
	asked.entry[1].PreOperation = (void *)(uintptr_t)0x1000;
	assert_status(try(&asked), STATUS_INVALID_PARAMETER);
}

/* ---- IRQL ---------------------------------------------------------------------------------------------- */

static void register_at_dispatch_level(void *argument)
{
	PVOID handle;
	NTSTATUS(NTAPI * call)
	(POB_CALLBACK_REGISTRATION, PVOID *) = export_of("ObRegisterCallbacks");
	ke_set_irql(DISPATCH_LEVEL);
	call(argument, &handle);
}

static void unregister_at_dispatch_level(void *handle)
{
	VOID(NTAPI * call)(PVOID) = export_of("ObUnRegisterCallbacks");
	ke_set_irql(DISPATCH_LEVEL);
	call(handle);
}

static void ob_18_vf_02_both_calls_work_up_to_apc_level(void **state)
{
	(void)state;
	struct asked asked;
	PVOID handle;
	NTSTATUS(NTAPI * add)
	(POB_CALLBACK_REGISTRATION, PVOID *) = export_of("ObRegisterCallbacks");
	VOID(NTAPI * remove)(PVOID) = export_of("ObUnRegisterCallbacks");
	ke_set_irql(APC_LEVEL);
	NTSTATUS status = add(&in_order(&asked)->registration, &handle);
	remove(handle);
	ke_set_irql(PASSIVE_LEVEL);
	assert_ntsuccess(status);

	struct bug_check_seen seen;
	run_for_bug_check(register_at_dispatch_level, &asked.registration, &seen);
	assert_true(seen.happened);
	assert_non_null(strstr(seen.detail, "ObRegisterCallbacks"));
	assert_ntsuccess(add(&asked.registration, &handle));
	run_for_bug_check(unregister_at_dispatch_level, handle, &seen);
	assert_true(seen.happened);
	assert_non_null(strstr(seen.detail, "ObUnRegisterCallbacks"));
	remove(handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ob_01_version_is_0100_and_others_are_invalid_parameter),
		WORLD_TEST(ob_02_object_callbacks_exist),
		WORLD_TEST(ob_03_c_06_exactly_0100_is_accepted_inferred),
		WORLD_TEST(c_06_ob_03_switch_looks_at_the_high_byte_only_inferred),
		WORLD_TEST(ob_04_count_0_is_invalid_parameter_inferred),
		WORLD_TEST(ob_05_entry_without_routines_fails_the_whole_registration),
		WORLD_TEST(ob_06_supported_types_are_process_thread_and_desktop),
		WORLD_TEST(ob_07_type_is_given_by_the_address_of_a_variable_read_once),
		WORLD_TEST(ob_08_flag_0x40_of_the_type_decides),
		WORLD_TEST(ob_09_operations_are_create_and_duplicate_and_nothing_else_inferred),
		WORLD_TEST(ob_10_routines_outside_an_image_with_integrity_are_denied),
		WORLD_TEST(ob_11_each_routine_is_tested_by_the_flag_of_its_module),
		WORLD_TEST(ob_16_when_one_entry_fails_nothing_stays_inferred),
		WORLD_TEST(ob_17_no_memory_is_insufficient_resources),
		WORLD_TEST(
			ob_22_text_and_entries_are_captured_and_the_context_may_be_null_inferred),
		WORLD_TEST(ob_23_first_failing_test_decides_the_status_inferred),
		WORLD_TEST(ob_23_entries_are_tested_one_after_the_other_inferred),
		WORLD_TEST(ob_18_vf_02_both_calls_work_up_to_apc_level),
	};
	return cmocka_run_group_tests_name("ob/register", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The flags of a handle. */
#include "ob/handle.h"
#include "ob/object.h"
#include "ob/query.h"
#include "ps/process.h"
#include "support/world.h"

static HANDLE open_system(ULONG attributes)
{
	HANDLE handle;
	assert_ntsuccess(ObOpenObjectByPointer(PsInitialSystemProcess, attributes, NULL,
					       PROCESS_TERMINATE, NULL, KernelMode, &handle));
	return handle;
}

static OBJECT_HANDLE_FLAG_INFORMATION flags_of(HANDLE handle)
{
	OBJECT_HANDLE_FLAG_INFORMATION flags;
	ULONG length = 0;
	assert_ntsuccess(
		ZwQueryObject(handle, ObjectHandleFlagInformation, &flags, sizeof(flags), &length));
	assert_int_equal(length, 2);
	return flags;
}

static void phnt_protected_handle_is_not_closable(void **state)
{
	(void)state;
	HANDLE handle = open_system(OBJ_KERNEL_HANDLE);
	OBJECT_HANDLE_FLAG_INFORMATION flags = {.ProtectFromClose = TRUE};
	assert_ntsuccess(ObSetHandleAttributes(handle, &flags, KernelMode));
	assert_int_equal(flags_of(handle).ProtectFromClose, TRUE);
	assert_int_equal(flags_of(handle).Inherit, FALSE);
	assert_status(ZwClose(handle), STATUS_HANDLE_NOT_CLOSABLE);
	flags = (OBJECT_HANDLE_FLAG_INFORMATION){0};
	assert_ntsuccess(
		ZwSetInformationObject(handle, ObjectHandleFlagInformation, &flags, sizeof(flags)));
	assert_ntsuccess(ZwClose(handle));
}

static void phnt_handle_becomes_inheritable(void **state)
{
	(void)state;
	struct actor parent = actor_start("parent.exe");
	struct ob_handle found;
	OBJECT_HANDLE_FLAG_INFORMATION flags = {.Inherit = TRUE, .ProtectFromClose = TRUE};
	rs_become(parent.thread);
	HANDLE handle = open_system(0), other = open_system(0);
	assert_ntsuccess(ObSetHandleAttributes(handle, &flags, KernelMode));
	rs_become(NULL);
	struct actor child = actor_start_as(
		&(struct rs_process_spec){.image = "a", .parent = parent.process});
	assert_ntsuccess(ob_resolve_handle(child.process, handle, KernelMode, &found));
	rs_release(found.object);
	assert_status(ob_resolve_handle(child.process, other, KernelMode, &found),
		      STATUS_INVALID_HANDLE);
	actor_end(&child); /* protection ends with the process */
	actor_end(&parent);
}

static void phnt_flags_of_what_is_no_handle(void **state)
{
	(void)state;
	OBJECT_HANDLE_FLAG_INFORMATION flags = {0};
	HANDLE kernel = open_system(OBJ_KERNEL_HANDLE);
	assert_status(ObSetHandleAttributes((HANDLE)0x7770, &flags, KernelMode),
		      STATUS_INVALID_HANDLE);
	assert_status(ObSetHandleAttributes(kernel, &flags, UserMode), STATUS_INVALID_HANDLE);
	assert_status(ZwSetInformationObject(kernel, ObjectHandleFlagInformation, &flags, 1),
		      STATUS_INFO_LENGTH_MISMATCH);
	assert_status(ZwSetInformationObject(kernel, ObjectNameInformation, &flags, 2),
		      STATUS_INVALID_INFO_CLASS);
	assert_status(ZwSetInformationObject(kernel, ObjectHandleFlagInformation, (PVOID)8, 2),
		      STATUS_ACCESS_VIOLATION);
	assert_ntsuccess(ZwClose(kernel));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(phnt_protected_handle_is_not_closable),
		WORLD_TEST(phnt_handle_becomes_inheritable),
		WORLD_TEST(phnt_flags_of_what_is_no_handle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

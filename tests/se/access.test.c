/* SPDX-License-Identifier: MIT */
/* Access checks: lists, owners, labels, privileges; and what objects say of themselves. */
#include "ob/handle.h"
#include "ps/process.h"
#include "se/access.h"
#include "support/world.h"
#include <string.h>

#define READ 0x1u
#define WRITE 0x2u
#define RUN 0x4u

static GENERIC_MAPPING mapping = {
	READ_CONTROL | READ,
	READ_CONTROL | WRITE,
	READ_CONTROL | RUN,
	STANDARD_RIGHTS_REQUIRED | 7,
};
static SID everyone = SE_SID(1, 1, 0), admins = SE_SID(SE_NT_AUTHORITY, 2, 32, 544);
static SID me = SE_SID(SE_UNIX_AUTHORITY, 2, 1, 1000);
static SID other = SE_SID(SE_UNIX_AUTHORITY, 2, 1, 1001);

static TOKEN token;
static SECURITY_DESCRIPTOR descriptor;
static union {
	ACL acl;
	char bytes[256];
} list, label;

/* An ordinary user's token, and a descriptor without anything. */
static int begin(void **state)
{
	(void)state;
	token = (TOKEN){.user = me, .integrity = 0x2000, .group_count = 1};
	token.group[0] = (struct se_group){everyone, SE_GROUP_ENABLED};
	RtlCreateSecurityDescriptor(&descriptor, 1);
	RtlCreateAcl(&list.acl, sizeof(list), 2);
	return 0;
}

static ACCESS_MASK granted;
static NTSTATUS reason;

static BOOLEAN ask(ACCESS_MASK desired, ACCESS_MASK previous)
{
	SECURITY_SUBJECT_CONTEXT subject = {.PrimaryToken = &token};
	PPRIVILEGE_SET privileges = (PVOID)7;
	BOOLEAN allowed = SeAccessCheck(&descriptor, &subject, FALSE, desired, previous,
					&privileges, &mapping, UserMode, &granted, &reason);
	assert_null(privileges);
	SeFreePrivileges(privileges);
	return allowed;
}

static void use_list(void)
{
	assert_ntsuccess(RtlSetDaclSecurityDescriptor(&descriptor, TRUE, &list.acl, FALSE));
}

static void wdk_generic_rights_are_mapped(void **state)
{
	(void)state;
	ACCESS_MASK access = GENERIC_READ | GENERIC_EXECUTE | DELETE;
	RtlMapGenericMask(&access, &mapping);
	assert_int_equal(access, READ_CONTROL | READ | RUN | DELETE);
	assert_true(RtlAreAllAccessesGranted(7, 5));
	assert_false(RtlAreAllAccessesGranted(3, 5));
	assert_true(RtlAreAnyAccessesGranted(3, 5));
	assert_false(RtlAreAnyAccessesGranted(2, 5));
}

static void wdk_without_a_list_everything_is_granted(void **state)
{
	(void)state;
	assert_true(ask(GENERIC_ALL, 0));
	assert_int_equal(granted, mapping.GenericAll);
	assert_ntsuccess(reason);
	assert_true(ask(MAXIMUM_ALLOWED, 0));
	assert_int_equal(granted, mapping.GenericAll);
}

static void wdk_an_empty_list_grants_nothing(void **state)
{
	(void)state;
	use_list();
	assert_false(ask(READ, 0));
	assert_status(reason, STATUS_ACCESS_DENIED);
	assert_int_equal(granted, 0);
	assert_false(ask(MAXIMUM_ALLOWED, 0));
	assert_true(ask(READ, READ)); /* granted before */
	assert_int_equal(granted, READ);
}

static void wdk_entries_decide_in_their_order(void **state)
{
	(void)state;
	RtlAddAccessAllowedAce(&list.acl, 2, READ, &me);
	RtlAddAccessDeniedAce(&list.acl, 2, READ | WRITE, &everyone);
	RtlAddAccessAllowedAce(&list.acl, 2, GENERIC_ALL, &me);
	use_list();
	assert_true(ask(READ | RUN, 0));
	assert_int_equal(granted, READ | RUN);
	assert_false(ask(WRITE, 0));
	assert_true(ask(MAXIMUM_ALLOWED, 0));
	assert_int_equal(granted, mapping.GenericAll & ~WRITE);
	assert_true(ask(MAXIMUM_ALLOWED | READ, 0));
	assert_false(ask(MAXIMUM_ALLOWED | WRITE, 0));
}

static void wdk_entries_of_others_and_for_heirs_do_not_count(void **state)
{
	(void)state;
	RtlAddAccessDeniedAce(&list.acl, 2, READ, &other);
	RtlAddAccessDeniedAceEx(&list.acl, 2, INHERIT_ONLY_ACE, READ, &me);
	RtlAddAccessAllowedAce(&list.acl, 2, WRITE, &admins);
	RtlAddAccessAllowedAce(&list.acl, 2, READ, &me);
	use_list();
	assert_true(ask(READ, 0));
	assert_false(ask(WRITE, 0));
	token.group[0] = (struct se_group){admins, 0}; /* a group that is not enabled */
	assert_false(ask(WRITE, 0));
	token.group[0].attributes = SE_GROUP_ENABLED;
	assert_true(ask(WRITE, 0));
}

static void wdk_the_owner_may_read_and_change_the_list(void **state)
{
	(void)state;
	use_list();
	RtlSetOwnerSecurityDescriptor(&descriptor, &me, FALSE);
	assert_true(ask(READ_CONTROL | WRITE_DAC, 0));
	assert_false(ask(READ_CONTROL | READ, 0));
	RtlSetOwnerSecurityDescriptor(&descriptor, &other, FALSE);
	assert_false(ask(READ_CONTROL, 0));
}

static void wdk_privileges_are_needed_and_used(void **state)
{
	(void)state;
	use_list();
	assert_false(ask(ACCESS_SYSTEM_SECURITY, 0));
	assert_status(reason, STATUS_PRIVILEGE_NOT_HELD);
	assert_false(ask(WRITE_OWNER, 0));
	token.privilege_count = 2;
	token.privilege[0] = (struct se_privilege){8, SE_PRIVILEGE_ENABLED};
	token.privilege[1] = (struct se_privilege){9, SE_PRIVILEGE_ENABLED};
	assert_true(ask(ACCESS_SYSTEM_SECURITY, 0));
	assert_true(ask(WRITE_OWNER, 0));
	assert_int_equal(granted, WRITE_OWNER);
}

static void wdk_lower_integrity_cannot_write_up(void **state)
{
	(void)state;
	struct {
		UCHAR type, flags;
		USHORT size;
		ACCESS_MASK policy;
		struct {
			UCHAR revision, count, authority[6];
			ULONG level;
		} sid;
	} ace = {0x11, 0, 20, 1, {1, 1, {0, 0, 0, 0, 0, 16}, 0x3000}};
	assert_true(ask(READ | WRITE, 0));
	RtlCreateAcl(&label.acl, sizeof(label), 2);
	assert_ntsuccess(RtlAddAce(&label.acl, 2, (ULONG)-1, &ace, sizeof(ace)));
	RtlSetSaclSecurityDescriptor(&descriptor, TRUE, &label.acl, FALSE);
	assert_true(ask(READ | RUN, 0));
	assert_false(ask(WRITE, 0));
	token.integrity = 0x3000;
	assert_true(ask(WRITE, 0));
	token.integrity = 0x1000; /* below what an object without a label has */
	RtlSetSaclSecurityDescriptor(&descriptor, FALSE, NULL, FALSE);
	assert_false(ask(WRITE, 0));
	assert_true(ask(READ, 0));
}

static void wdk_the_kernel_may_do_anything(void **state)
{
	(void)state;
	use_list();
	assert_true(SeAccessCheck(&descriptor, NULL, FALSE, GENERIC_WRITE, DELETE, NULL, &mapping,
				  KernelMode, &granted, &reason));
	assert_int_equal(granted, mapping.GenericWrite | DELETE);
	SECURITY_SUBJECT_CONTEXT subject = {.PrimaryToken = &token};
	assert_false(SeAccessCheck(NULL, &subject, FALSE, READ, 0, NULL, &mapping, UserMode,
				   &granted, &reason));
	assert_status(reason, STATUS_ACCESS_DENIED);
}

/* ---- Of objects ---------------------------------------------------------------------------- */

static void wdk_objects_say_that_everyone_may_do_everything(void **state)
{
	(void)state;
	char buffer[128];
	PSECURITY_DESCRIPTOR told = (void *)buffer, whole;
	BOOLEAN allocated = FALSE, present = FALSE, defaulted;
	PACL dacl = NULL;
	PSID owner = NULL;
	ULONG needed = 0;
	HANDLE handle;
	assert_ntsuccess(ObOpenObjectByPointer(PsInitialSystemProcess, OBJ_KERNEL_HANDLE, NULL,
					       PROCESS_TERMINATE, NULL, KernelMode, &handle));
	assert_status(ZwQuerySecurityObject(handle, DACL_SECURITY_INFORMATION, told, 4, &needed),
		      STATUS_BUFFER_TOO_SMALL);
	assert_ntsuccess(ZwQuerySecurityObject(
		handle, DACL_SECURITY_INFORMATION | OWNER_SECURITY_INFORMATION, told,
		sizeof(buffer), &needed));
	assert_true(RtlValidSecurityDescriptor(told));
	assert_int_equal(needed, RtlLengthSecurityDescriptor(told));
	assert_ntsuccess(RtlGetOwnerSecurityDescriptor(told, &owner, &defaulted));
	assert_true(RtlEqualSid(owner, &admins));
	assert_ntsuccess(RtlGetDaclSecurityDescriptor(told, &present, &dacl, &defaulted));
	assert_true(present && dacl && dacl->AceCount == 1);
	descriptor = *told;
	SECURITY_SUBJECT_CONTEXT subject = {.PrimaryToken = &token};
	assert_true(SeAccessCheck(told, &subject, FALSE, MAXIMUM_ALLOWED, 0, NULL,
				  &PsProcessType->GenericMapping, UserMode, &granted, &reason));
	assert_int_equal(granted, PROCESS_ALL_ACCESS);
	assert_ntsuccess(ObGetObjectSecurity(PsInitialSystemProcess, &whole, &allocated));
	assert_true(RtlValidSecurityDescriptor(whole));
	ObReleaseObjectSecurity(whole, allocated);
	ZwClose(handle);
	assert_status(ZwQuerySecurityObject(handle, 1, told, sizeof(buffer), &needed),
		      STATUS_INVALID_HANDLE);
	fail_allocation(NULL, ALWAYS);
	assert_status(ObGetObjectSecurity(PsInitialSystemProcess, &whole, &allocated),
		      STATUS_INSUFFICIENT_RESOURCES);
	stop_failing();
}

static int begin_world(void **state)
{
	begin(state);
	return world_documented(state);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wdk_generic_rights_are_mapped),
		TEST(wdk_without_a_list_everything_is_granted),
		TEST(wdk_an_empty_list_grants_nothing),
		TEST(wdk_entries_decide_in_their_order),
		TEST(wdk_entries_of_others_and_for_heirs_do_not_count),
		TEST(wdk_the_owner_may_read_and_change_the_list),
		TEST(wdk_privileges_are_needed_and_used),
		TEST(wdk_lower_integrity_cannot_write_up),
		TEST(wdk_the_kernel_may_do_anything),
		cmocka_unit_test_setup_teardown(wdk_objects_say_that_everyone_may_do_everything,
						begin_world, world_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Security descriptors in one piece. */
#include "ex/pool.h"
#include "se/capture.h"
#include "se/wellknown.h"
#include "support/world.h"
#include <string.h>

static SID admins = SE_SID(SE_NT_AUTHORITY, 2, 32, 544);
static SID everyone = SE_SID(1, 1, 0);

struct absolute {
	SECURITY_DESCRIPTOR descriptor;
	char list[64];
};

static void make(struct absolute *a)
{
	PACL list = (PACL)(void *)a->list;
	memset(a, 0, sizeof(*a));
	assert_ntsuccess(RtlCreateSecurityDescriptor(&a->descriptor, 1));
	assert_ntsuccess(RtlCreateAcl(list, sizeof(a->list), 2));
	assert_ntsuccess(RtlAddAccessAllowedAce(list, 2, 0x1F01FF, &everyone));
	assert_ntsuccess(RtlSetOwnerSecurityDescriptor(&a->descriptor, &admins, FALSE));
	assert_ntsuccess(RtlSetDaclSecurityDescriptor(&a->descriptor, TRUE, list, FALSE));
}

static void check_copy(PSECURITY_DESCRIPTOR copy, const struct absolute *original)
{
	PSID owner = NULL, group = &admins;
	PACL list = NULL;
	BOOLEAN present, defaulted;
	assert_true(RtlValidSecurityDescriptor(copy));
	assert_int_equal(copy->Control & SE_SELF_RELATIVE, SE_SELF_RELATIVE);
	assert_ntsuccess(RtlGetOwnerSecurityDescriptor(copy, &owner, &defaulted));
	assert_true(RtlEqualSid(owner, &admins));
	assert_ptr_not_equal(owner, &admins);
	assert_ntsuccess(RtlGetGroupSecurityDescriptor(copy, &group, &defaulted));
	assert_null(group);
	assert_ntsuccess(RtlGetDaclSecurityDescriptor(copy, &present, &list, &defaulted));
	assert_true(present);
	assert_memory_equal(list, original->list, sizeof(original->list));
}

static void absolute_becomes_self_relative_where_it_fits(void **state)
{
	(void)state;
	struct absolute a;
	char room[128];
	PSECURITY_DESCRIPTOR copy = (PSECURITY_DESCRIPTOR)(void *)room;
	make(&a);
	ULONG size = 0, needed = RtlLengthSid(&admins) + sizeof(a.list) + 20;
	assert_status(RtlAbsoluteToSelfRelativeSD(&a.descriptor, NULL, &size),
		      STATUS_BUFFER_TOO_SMALL);
	assert_int_equal(size, needed);
	assert_ntsuccess(RtlAbsoluteToSelfRelativeSD(&a.descriptor, copy, &size));
	check_copy(copy, &a);
	assert_int_equal(RtlLengthSecurityDescriptor(copy), needed);
	assert_status(RtlAbsoluteToSelfRelativeSD(copy, copy, &size), STATUS_BAD_DESCRIPTOR_FORMAT);
}

static void captured_is_pool_of_the_caller(void **state)
{
	(void)state;
	struct absolute a;
	PSECURITY_DESCRIPTOR copy = NULL, again = NULL;
	make(&a);
	assert_ntsuccess(
		SeCaptureSecurityDescriptor(&a.descriptor, KernelMode, PagedPool, TRUE, &copy));
	check_copy(copy, &a);
	assert_ntsuccess(SeCaptureSecurityDescriptor(copy, UserMode, PagedPool, FALSE, &again));
	check_copy(again, &a);
	SeReleaseSecurityDescriptor(again, UserMode, FALSE);
	ExFreePool(copy);
}

static void kernel_callers_keep_their_own_unless_they_ask(void **state)
{
	(void)state;
	struct absolute a;
	PSECURITY_DESCRIPTOR captured = NULL;
	make(&a);
	assert_ntsuccess(SeCaptureSecurityDescriptor(&a.descriptor, KernelMode, PagedPool, FALSE,
						     &captured));
	assert_ptr_equal(captured, &a.descriptor);
	SeReleaseSecurityDescriptor(captured, KernelMode, FALSE);
	assert_ntsuccess(SeCaptureSecurityDescriptor(NULL, KernelMode, PagedPool, TRUE, &captured));
	assert_null(captured);
	SeReleaseSecurityDescriptor(NULL, KernelMode, TRUE);
}

static void what_is_no_descriptor_is_not_captured(void **state)
{
	(void)state;
	struct absolute a;
	PSECURITY_DESCRIPTOR captured = &a.descriptor;
	make(&a);
	((PACL)(void *)a.list)->AclRevision = 99;
	assert_status(
		SeCaptureSecurityDescriptor(&a.descriptor, KernelMode, PagedPool, TRUE, &captured),
		STATUS_INVALID_SECURITY_DESCR);
	a.descriptor.Revision = 2;
	assert_status(
		SeCaptureSecurityDescriptor(&a.descriptor, KernelMode, PagedPool, TRUE, &captured),
		STATUS_UNKNOWN_REVISION);
	assert_ptr_equal(captured, &a.descriptor);
}

static void setting_one_checks_handle_and_descriptor(void **state)
{
	(void)state;
	struct absolute a;
	make(&a);
	assert_status(ZwSetSecurityObject((HANDLE)0x7777, 4, &a.descriptor), STATUS_INVALID_HANDLE);
	assert_status(ZwSetSecurityObject((HANDLE)-1, 4, NULL), STATUS_ACCESS_VIOLATION);
	assert_ntsuccess(ZwSetSecurityObject((HANDLE)-1, 4, &a.descriptor));
	((PACL)(void *)a.list)->AclRevision = 99;
	assert_status(ZwSetSecurityObject((HANDLE)-1, 4, &a.descriptor),
		      STATUS_INVALID_SECURITY_DESCR);
	a.descriptor.Revision = 2;
	assert_status(ZwSetSecurityObject((HANDLE)-1, 4, &a.descriptor), STATUS_UNKNOWN_REVISION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(absolute_becomes_self_relative_where_it_fits),
		WORLD_TEST(captured_is_pool_of_the_caller),
		WORLD_TEST(kernel_callers_keep_their_own_unless_they_ask),
		WORLD_TEST(what_is_no_descriptor_is_not_captured),
		WORLD_TEST(setting_one_checks_handle_and_descriptor),
	};
	return cmocka_run_group_tests_name("se/capture", tests, NULL, NULL);
}

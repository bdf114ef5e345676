/* SPDX-License-Identifier: MIT */
/* SIDs, access-control lists, security descriptors, tokens; times. */
#include "ex/pool.h"
#include "ex/time.h"
#include "ps/process.h"
#include "rtl/random.h"
#include "rtl/unicode.h"
#include "se/descriptor.h"
#include "se/token.h"
#include "se/wellknown.h"
#include "support/world.h"
#include <string.h>
#include <unistd.h>

static SID admins = SE_SID(SE_NT_AUTHORITY, 2, 32, 544);
static SID everyone = SE_SID(1, 1, 0);

/* ---- SIDs --------------------------------------------------------------------------- */

static void sid_is_written_with_its_authorities(void **state)
{
	(void)state;
	UNICODE_STRING text;
	WCHAR room[12];
	UNICODE_STRING fixed = {0, sizeof room, room}, small = {0, 8, room};
	assert_ntsuccess(RtlConvertSidToUnicodeString(&text, &admins, TRUE));
	assert_int_equal(text.Length, 2 * strlen("S-1-5-32-544"));
	assert_memory_equal(text.Buffer, u"S-1-5-32-544", text.Length + 2);
	RtlFreeUnicodeString(&text);
	assert_ntsuccess(RtlConvertSidToUnicodeString(&fixed, &admins, FALSE));
	assert_int_equal(fixed.Length, sizeof room);
	assert_status(RtlConvertSidToUnicodeString(&small, &admins, FALSE), STATUS_BUFFER_OVERFLOW);
	SID wrong = admins;
	wrong.Revision = 2;
	assert_status(RtlConvertSidToUnicodeString(&text, &wrong, TRUE), STATUS_INVALID_SID);
}

static void large_authority_is_written_in_hexadecimal(void **state)
{
	(void)state;
	SID sid = {1, 1, {{0x01, 0x02, 0, 0, 0, 9}}, {7}};
	UNICODE_STRING text;
	assert_ntsuccess(RtlConvertSidToUnicodeString(&text, &sid, TRUE));
	assert_memory_equal(text.Buffer, u"S-1-0x010200000009-7", text.Length + 2);
	RtlFreeUnicodeString(&text);
}

static void sid_is_copied_only_where_it_fits(void **state)
{
	(void)state;
	SID copy = {0};
	assert_int_equal(RtlLengthSid(&admins), 16);
	assert_status(RtlCopySid(15, &copy, &admins), STATUS_BUFFER_TOO_SMALL);
	assert_int_equal(copy.Revision, 0);
	assert_ntsuccess(RtlCopySid(16, &copy, &admins));
	assert_true(RtlEqualSid(&copy, &admins));
	*RtlSubAuthoritySid(&copy, 1) = 545;
	assert_false(RtlEqualSid(&copy, &admins));
	assert_true(RtlEqualPrefixSid(&copy, &admins));
	SID_IDENTIFIER_AUTHORITY authority = {{0, 0, 0, 0, 0, 5}};
	assert_status(RtlInitializeSid(&copy, &authority, 16), STATUS_INVALID_PARAMETER);
}

/* ---- Lists --------------------------------------------------------------------------- */

static void list_takes_entries_until_it_is_full(void **state)
{
	(void)state;
	_Alignas(8) char memory[8 + 24 + 20];
	PACL acl = (void *)memory;
	PVOID ace;
	assert_status(RtlCreateAcl(acl, 7, 2), STATUS_BUFFER_TOO_SMALL);
	assert_status(RtlCreateAcl(acl, sizeof memory, 5), STATUS_INVALID_PARAMETER);
	assert_ntsuccess(RtlCreateAcl(acl, sizeof memory, 2));
	assert_ntsuccess(RtlAddAccessAllowedAce(acl, 2, 0x1234, &admins));
	assert_ntsuccess(RtlAddAccessDeniedAceEx(acl, 2, INHERIT_ONLY_ACE, 1, &everyone));
	assert_status(RtlAddAccessAllowedAce(acl, 2, 1, &everyone), STATUS_ALLOTTED_SPACE_EXCEEDED);
	assert_true(RtlValidAcl(acl));
	assert_int_equal(acl->AceCount, 2);
	assert_ntsuccess(RtlGetAce(acl, 0, &ace));
	assert_int_equal(((PACE)ace)->Mask, 0x1234);
	assert_true(RtlEqualSid(&((PACE)ace)->Sid, &admins));
	assert_status(RtlGetAce(acl, 2, &ace), STATUS_INVALID_PARAMETER);
	assert_ntsuccess(RtlDeleteAce(acl, 0));
	assert_ntsuccess(RtlGetAce(acl, 0, &ace));
	assert_int_equal(((PACE)ace)->AceType, ACCESS_DENIED_ACE_TYPE);
}

static void damaged_list_is_refused(void **state)
{
	(void)state;
	_Alignas(8) char memory[128] = {0};
	PACL acl = (void *)memory;
	assert_ntsuccess(RtlCreateAcl(acl, sizeof memory, 2));
	assert_ntsuccess(RtlAddAccessAllowedAce(acl, 2, 1, &admins));
	((PACE)(void *)(acl + 1))->AceSize = 400;
	assert_false(RtlValidAcl(acl));
	assert_status(RtlAddAccessAllowedAce(acl, 2, 1, &admins), STATUS_INVALID_ACL);
}

static void descriptor_gives_back_what_was_set(void **state)
{
	(void)state;
	SECURITY_DESCRIPTOR descriptor;
	_Alignas(8) char memory[64];
	PACL acl = (void *)memory, found = acl + 1;
	PSID owner = NULL;
	BOOLEAN present = 9, defaulted = 9;
	assert_status(RtlCreateSecurityDescriptor(&descriptor, 2), STATUS_UNKNOWN_REVISION);
	assert_ntsuccess(RtlCreateSecurityDescriptor(&descriptor, 1));
	assert_ntsuccess(RtlGetDaclSecurityDescriptor(&descriptor, &present, &found, &defaulted));
	assert_false(present);
	assert_ptr_equal(found, acl + 1);
	assert_ntsuccess(RtlCreateAcl(acl, sizeof memory, 2));
	assert_ntsuccess(RtlSetDaclSecurityDescriptor(&descriptor, TRUE, acl, TRUE));
	assert_ntsuccess(RtlSetOwnerSecurityDescriptor(&descriptor, &admins, FALSE));
	assert_ntsuccess(RtlGetDaclSecurityDescriptor(&descriptor, &present, &found, &defaulted));
	assert_true(present && defaulted && found == acl);
	assert_ntsuccess(RtlGetOwnerSecurityDescriptor(&descriptor, &owner, &defaulted));
	assert_ptr_equal(owner, &admins);
	assert_int_equal(RtlLengthSecurityDescriptor(&descriptor), 40 + 16 + 64);
	assert_true(RtlValidSecurityDescriptor(&descriptor));
}

/* ---- Tokens ---------------------------------------------------------------------------- */

static void system_is_the_system_and_others_are_their_linux_user(void **state)
{
	(void)state;
	struct actor actor = actor_start("a.exe");
	PACCESS_TOKEN system = PsReferencePrimaryToken(PsInitialSystemProcess);
	PACCESS_TOKEN token = PsReferencePrimaryToken(actor.process);
	SID user = SE_SID(SE_UNIX_AUTHORITY, 2, 1, geteuid());
	LUID logon;
	ULONG session;
	assert_true(RtlEqualSid(&system->user, SeExports->sids[10]));
	assert_ntsuccess(SeQueryAuthenticationIdToken(system, &logon));
	assert_int_equal(logon.LowPart, 0x3E7);
	assert_true(RtlEqualSid(&token->user, &user));
	assert_int_equal(SeTokenIsAdmin(token), geteuid() == 0);
	assert_ntsuccess(SeQuerySessionIdToken(token, &session));
	assert_int_equal(session, 1);
	PACCESS_TOKEN again = PsReferencePrimaryToken(actor.process);
	assert_ptr_equal(again, token);
	PsDereferencePrimaryToken(again);
	PsDereferencePrimaryToken(token);
	PsDereferencePrimaryToken(system);
	actor_end(&actor);
}

static void token_is_queried_through_a_handle(void **state)
{
	(void)state;
	HANDLE handle;
	ULONG needed = 0;
	_Alignas(8) char buffer[1024];
	PSID *user = (void *)buffer;
	assert_ntsuccess(ZwOpenProcessTokenEx((HANDLE)-1, 8, 0, &handle));
	assert_status(ZwQueryInformationToken(handle, 1, buffer, 0, &needed),
		      STATUS_BUFFER_TOO_SMALL);
	assert_int_equal(needed, 16 + 16); /* rounded up to pointers */
	assert_ntsuccess(ZwQueryInformationToken(handle, 1, buffer, needed, &needed));
	assert_ptr_equal(*user, buffer + 16);
	assert_true(RtlEqualSid(*user, SeExports->sids[10]));
	assert_status(ZwQueryInformationToken(handle, 99, buffer, sizeof buffer, &needed),
		      STATUS_INVALID_INFO_CLASS);
	assert_status(ZwOpenThreadToken((HANDLE)-2, 8, TRUE, &handle), STATUS_NO_TOKEN);
}

static void every_class_fits_its_block_and_is_freed_as_pool(void **state)
{
	(void)state;
	static const UCHAR classes[] = {1, 2, 3, 4, 5, 8, 10, 18, 20, 29};
	PACCESS_TOKEN token = PsReferencePrimaryToken(PsInitialSystemProcess);
	for (size_t i = 0; i < sizeof classes; i++) {
		PVOID answer = NULL;
		assert_ntsuccess(SeQueryInformationToken(token, classes[i], &answer));
		ExFreePool(answer);
	}
	ULONG integrity = 0;
	assert_ntsuccess(SeQueryInformationToken(token, 25, (PVOID *)(void *)&integrity));
	assert_int_equal(integrity, 0x4000);
	PsDereferencePrimaryToken(token);
}

static void privileges_are_held_by_the_kernel_and_by_the_system(void **state)
{
	(void)state;
	static const LUID debug = {20, 0}, none = {99, 0};
	SECURITY_SUBJECT_CONTEXT subject;
	struct {
		ULONG count, control;
		LUID_AND_ATTRIBUTES privilege[2];
	} set = {2, PRIVILEGE_SET_ALL_NECESSARY, {{{20, 0}, 0}, {{99, 0}, 0}}};
	assert_true(SeSinglePrivilegeCheck(none, KernelMode));
	assert_true(SeSinglePrivilegeCheck(debug, UserMode));
	assert_false(SeSinglePrivilegeCheck(none, UserMode));
	SeCaptureSubjectContext(&subject);
	assert_false(SePrivilegeCheck((void *)&set, &subject, UserMode));
	set.control = 0;
	assert_true(SePrivilegeCheck((void *)&set, &subject, UserMode));
	assert_int_equal(set.privilege[0].Attributes, SE_PRIVILEGE_USED_FOR_ACCESS);
	SeReleaseSubjectContext(&subject);
}

/* ---- Times ------------------------------------------------------------------------------- */

static void times_become_calendar_fields_and_back(void **state)
{
	(void)state;
	static const struct {
		LONGLONG time;
		TIME_FIELDS fields;
	} rows[] = {
		{0, {1601, 1, 1, 0, 0, 0, 0, 1}},
		{116444736000000000, {1970, 1, 1, 0, 0, 0, 0, 4}},
		{125963423991230000, {2000, 2, 29, 23, 59, 59, 123, 2}},
		{133801631990000000, {2024, 12, 31, 23, 59, 59, 0, 2}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		LARGE_INTEGER time = {.QuadPart = rows[i].time}, back = {.QuadPart = -1};
		TIME_FIELDS fields;
		RtlTimeToTimeFields(&time, &fields);
		assert_memory_equal(&fields, &rows[i].fields, sizeof fields);
		assert_true(RtlTimeFieldsToTime(&fields, &back));
		assert_int_equal(back.QuadPart, time.QuadPart);
	}
	TIME_FIELDS wrong = {2023, 2, 29, 0, 0, 0, 0, 0};
	LARGE_INTEGER time;
	assert_false(RtlTimeFieldsToTime(&wrong, &time));
}

static void random_numbers_stay_below_their_bound_and_move_the_seed(void **state)
{
	(void)state;
	ULONG seed = 1, before = 0;
	for (unsigned i = 0; i < 1000; i++) {
		ULONG last = seed;
		before |= RtlRandomEx(&seed);
		assert_true(seed != last && seed < 0x7FFFFFFF);
	}
	assert_int_equal(before, 0x7FFFFFFF); /* every bit occurs, the top one never */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(sid_is_written_with_its_authorities),
		WORLD_TEST(large_authority_is_written_in_hexadecimal),
		WORLD_TEST(sid_is_copied_only_where_it_fits),
		WORLD_TEST(list_takes_entries_until_it_is_full),
		WORLD_TEST(damaged_list_is_refused),
		WORLD_TEST(descriptor_gives_back_what_was_set),
		WORLD_TEST(system_is_the_system_and_others_are_their_linux_user),
		WORLD_TEST(token_is_queried_through_a_handle),
		WORLD_TEST(every_class_fits_its_block_and_is_freed_as_pool),
		WORLD_TEST(privileges_are_held_by_the_kernel_and_by_the_system),
		WORLD_TEST(times_become_calendar_fields_and_back),
		WORLD_TEST(random_numbers_stay_below_their_bound_and_move_the_seed),
	};
	return cmocka_run_group_tests_name("se/security", tests, NULL, NULL);
}

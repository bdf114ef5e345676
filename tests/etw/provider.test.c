/* SPDX-License-Identifier: MIT */
/* Trace providers that nobody asked for. */
#include "etw/provider.h"
#include "memory.h"
#include "support/world.h"
#include <string.h>

static const GUID id = {1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};
static const EVENT_DESCRIPTOR event = {.Id = 7, .Level = 4};

/* As a driver gets it, IRQL check included. */
#define CALL(name, ...) ((__typeof__(&name))rs_find_export("ntoskrnl.exe", #name))(__VA_ARGS__)

static VOID NTAPI never(const GUID *source, ULONG code, UCHAR level, ULONGLONG any, ULONGLONG all,
			PVOID filter, PVOID context)
{
	(void)source;
	(void)code;
	(void)level;
	(void)any;
	(void)all;
	(void)filter;
	(void)context;
	fail();
}

static void an_event_of_a_registered_provider_goes_to_nobody(void **state)
{
	(void)state;
	REGHANDLE handle = 0;
	EVENT_DATA_DESCRIPTOR data = {.Ptr = (uintptr_t)&id, .Size = sizeof(id)};
	assert_int_equal(CALL(EtwRegister, &id, never, NULL, &handle), STATUS_SUCCESS);
	assert_int_not_equal(handle, 0);
	assert_false(CALL(EtwEventEnabled, handle, &event));
	assert_false(CALL(EtwProviderEnabled, handle, 0, 0));
	assert_int_equal(CALL(EtwWrite, handle, &event, NULL, 1, &data), STATUS_SUCCESS);
	assert_int_equal(CALL(EtwWriteTransfer, handle, &event, NULL, &id, 1, &data),
			 STATUS_SUCCESS);
	assert_int_equal(CALL(EtwWriteEx, handle, &event, 0, 0, NULL, NULL, 1, &data),
			 STATUS_SUCCESS);
	assert_int_equal(CALL(EtwWriteString, handle, 4, 0, NULL, u"text"), STATUS_SUCCESS);
	assert_int_equal(CALL(EtwUnregister, handle), STATUS_SUCCESS);
}

static void more_than_128_pieces_are_an_invalid_parameter(void **state)
{
	(void)state;
	REGHANDLE handle;
	EVENT_DATA_DESCRIPTOR data[129] = {0};
	assert_int_equal(CALL(EtwRegister, &id, NULL, NULL, &handle), STATUS_SUCCESS);
	assert_int_equal(CALL(EtwWrite, handle, &event, NULL, 128, data), STATUS_SUCCESS);
	assert_int_equal(CALL(EtwWrite, handle, &event, NULL, 129, data), STATUS_INVALID_PARAMETER);
	assert_int_equal(CALL(EtwUnregister, handle), STATUS_SUCCESS);
}

static void what_is_no_handle_is_refused(void **state)
{
	(void)state;
	static const UCHAR traits[3] = {3};
	REGHANDLE handle;
	assert_int_equal(CALL(EtwRegister, &id, NULL, NULL, &handle), STATUS_SUCCESS);
	assert_int_equal(CALL(EtwUnregister, handle), STATUS_SUCCESS);
	REGHANDLE wrong[] = {0, 1, handle, UINT64_MAX};
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(CALL(EtwUnregister, wrong[i]), STATUS_INVALID_HANDLE);
		assert_int_equal(CALL(EtwWrite, wrong[i], &event, NULL, 0, NULL),
				 STATUS_INVALID_HANDLE);
		assert_int_equal(CALL(EtwSetInformation, wrong[i], EventProviderSetTraits,
				      (void *)traits, 3),
				 STATUS_INVALID_HANDLE);
	}
	handle = 5;
	assert_int_equal(CALL(EtwRegister, NULL, NULL, NULL, &handle), STATUS_INVALID_PARAMETER);
	assert_int_equal(handle, 5);
}

static void traits_say_their_own_size(void **state)
{
	(void)state;
	REGHANDLE handle;
	UCHAR traits[] = {5, 0, 'a', 'b', 0};
	assert_int_equal(CALL(EtwRegister, &id, NULL, NULL, &handle), STATUS_SUCCESS);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(CALL(EtwSetInformation, handle, EventProviderSetTraits, traits, 5),
				 STATUS_SUCCESS);
	assert_int_equal(CALL(EtwSetInformation, handle, EventProviderSetTraits, traits, 4),
			 STATUS_INVALID_PARAMETER);
	assert_int_equal(CALL(EtwSetInformation, handle, EventProviderSetTraits, NULL, 5),
			 STATUS_INVALID_PARAMETER);
	traits[4] = 'c'; /* a name without an end */
	assert_int_equal(CALL(EtwSetInformation, handle, EventProviderSetTraits, traits, 5),
			 STATUS_INVALID_PARAMETER);
	assert_int_equal(CALL(EtwSetInformation, handle, EventProviderBinaryTrackInfo, NULL, 0),
			 STATUS_INVALID_DEVICE_REQUEST);
	assert_int_equal(CALL(EtwUnregister, handle), STATUS_SUCCESS);
}

static bool none_of_etw(const char *site)
{
	return strstr(site, "/etw/") != NULL;
}

static void without_memory_nothing_is_registered(void **state)
{
	(void)state;
	REGHANDLE handle = 5;
	host_fail_allocations(none_of_etw);
	NTSTATUS status = CALL(EtwRegister, &id, NULL, NULL, &handle);
	host_fail_allocations(NULL);
	assert_int_equal(status, STATUS_NO_MEMORY);
	assert_int_equal(handle, 5);
}

static void a_provider_that_is_left_goes_with_the_kernel(void **state)
{
	(void)state;
	REGHANDLE handle;
	uint64_t before = host_live_allocations();
	assert_int_equal(CALL(EtwRegister, &id, NULL, NULL, &handle), STATUS_SUCCESS);
	etw_shutdown();
	assert_int_equal(host_live_allocations(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(an_event_of_a_registered_provider_goes_to_nobody),
		WORLD_TEST(more_than_128_pieces_are_an_invalid_parameter),
		WORLD_TEST(what_is_no_handle_is_refused),
		WORLD_TEST(traits_say_their_own_size),
		WORLD_TEST(without_memory_nothing_is_registered),
		WORLD_TEST(a_provider_that_is_left_goes_with_the_kernel),
	};
	return cmocka_run_group_tests_name("etw/provider", tests, NULL, NULL);
}

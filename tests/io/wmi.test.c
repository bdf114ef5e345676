/* SPDX-License-Identifier: MIT */
/* WMI providers where nobody asks. */
#include "io/wmi.h"
#include "memory.h"
#include "support/world.h"
#include <string.h>

/* As a driver gets it, IRQL check included. */
#define CALL(name, ...) ((__typeof__(&name))rs_find_export("ntoskrnl.exe", #name))(__VA_ARGS__)

static char a_device, another;

static NTSTATUS control(char *device, ULONG action)
{
	return CALL(IoWMIRegistrationControl, (PDEVICE_OBJECT)(void *)device, action);
}

static void a_provider_registers_once_and_deregisters_once(void **state)
{
	(void)state;
	assert_ntsuccess(control(&a_device, WMIREG_ACTION_REGISTER));
	assert_ntsuccess(control(&a_device, WMIREG_ACTION_REGISTER));
	assert_ntsuccess(control(&a_device, WMIREG_ACTION_UPDATE_GUIDS));
	assert_ntsuccess(control(&a_device, WMIREG_ACTION_BLOCK_IRPS));
	assert_ntsuccess(control(&a_device, WMIREG_ACTION_DEREGISTER));
	assert_status(control(&a_device, WMIREG_ACTION_DEREGISTER), STATUS_INVALID_PARAMETER);
	assert_status(control(&a_device, WMIREG_ACTION_REREGISTER), STATUS_INVALID_PARAMETER);
}

static void a_trace_routine_registers_like_a_device(void **state)
{
	(void)state;
	assert_ntsuccess(control(&a_device, WMIREG_ACTION_REGISTER | WMIREG_FLAG_CALLBACK));
	assert_ntsuccess(control(&another, WMIREG_ACTION_REGISTER));
	assert_ntsuccess(control(&a_device, WMIREG_ACTION_DEREGISTER | WMIREG_FLAG_CALLBACK));
	assert_ntsuccess(control(&another, WMIREG_ACTION_DEREGISTER));
}

static void what_is_no_action_is_refused(void **state)
{
	(void)state;
	assert_status(control(&a_device, 0), STATUS_INVALID_PARAMETER);
	assert_status(control(&a_device, 6), STATUS_INVALID_PARAMETER);
}

static void an_event_finds_nobody(void **state)
{
	(void)state;
	assert_status(CALL(IoWMIWriteEvent, &a_device), STATUS_UNSUCCESSFUL);
}

static bool none_here(const char *site)
{
	return strstr(site, "io/wmi.c") != NULL;
}

static void without_memory_nothing_is_registered(void **state)
{
	(void)state;
	host_fail_allocations(none_here);
	NTSTATUS status = control(&a_device, WMIREG_ACTION_REGISTER);
	host_fail_allocations(NULL);
	assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
	assert_status(control(&a_device, WMIREG_ACTION_DEREGISTER), STATUS_INVALID_PARAMETER);
}

/* world_end looks at what is allocated. */
static void what_is_left_goes_with_the_kernel(void **state)
{
	(void)state;
	assert_ntsuccess(control(&a_device, WMIREG_ACTION_REGISTER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_provider_registers_once_and_deregisters_once),
		WORLD_TEST(a_trace_routine_registers_like_a_device),
		WORLD_TEST(what_is_no_action_is_refused),
		WORLD_TEST(an_event_finds_nobody),
		WORLD_TEST(without_memory_nothing_is_registered),
		WORLD_TEST(what_is_left_goes_with_the_kernel),
	};
	return cmocka_run_group_tests_name("io/wmi", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A process outside of this program, as the kernel reaches it through its source. */
#include "mm/copy.h"
#include "mm/section.h"
#include "mm/virtual.h"
#include "ob/handle.h"
#include "ps/attribute.h"
#include "ps/information.h"
#include "ps/process.h"
#include "se/token.h"
#include "source/live/hostops.h"
#include "support/world.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile ULONG64 shared_value = 1; /* the same address in the child, another memory */

static pid_t child;

static struct actor start_foreign(void)
{
	struct actor actor;
	child = fork();
	if (child == 0) {
		shared_value = 0x1122334455667788;
		kill(getpid(), SIGSTOP);
		while (shared_value != 7)
			usleep(1000);
		_exit(7);
	}
	int status;
	waitpid(child, &status, WUNTRACED);
	assert_true(WIFSTOPPED(status));
	assert_ntsuccess(ps_create_process(
		&(struct ps_process_spec){.host_id = (ULONG64)child, .host_ops = &live_host_ops},
		&actor.process));
	assert_ntsuccess(ps_create_thread(
		&(struct ps_thread_spec){.process = actor.process, .host_id = (ULONG64)child},
		&actor.thread));
	return actor;
}

static int end_foreign(struct actor *actor)
{
	int status;
	waitpid(child, &status, 0);
	actor_end(actor);
	return status;
}

static PVOID shown(const volatile void *address)
{
	return (PVOID)ps_shown_address((ULONG64)address);
}

static void its_memory_is_read_and_written_at_user_addresses(void **state)
{
	(void)state;
	struct actor actor = start_foreign();
	ULONG64 value = 0;
	SIZE_T copied;
	PVOID there = shown(&shared_value);
	PEPROCESS self = PsInitialSystemProcess;
	assert_true((uintptr_t)there < MM_USER_END);
	assert_ntsuccess(MmCopyVirtualMemory(actor.process, there, self, &value, sizeof value,
					     KernelMode, &copied));
	assert_int_equal(value, 0x1122334455667788);
	assert_int_equal(shared_value, 1);
	value = 7;
	assert_ntsuccess(MmCopyVirtualMemory(self, &value, actor.process, there, sizeof value,
					     KernelMode, &copied));
	assert_status(MmCopyVirtualMemory(actor.process, (PVOID)0x10, self, &value, 8, KernelMode,
					  &copied),
		      STATUS_PARTIAL_COPY);
	assert_int_equal(copied, 0);
	assert_ntsuccess(PsResumeProcess(actor.process));
	int status = end_foreign(&actor);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void its_memory_is_described_and_not_changed(void **state)
{
	(void)state;
	struct actor actor = start_foreign();
	HANDLE handle;
	MEMORY_BASIC_INFORMATION information;
	PVOID base = NULL;
	SIZE_T size = 4096;
	assert_ntsuccess(ObOpenObjectByPointer(actor.process, 0, NULL, PROCESS_ALL_ACCESS, NULL,
					       KernelMode, &handle));
	assert_ntsuccess(ZwQueryVirtualMemory(handle, shown(&shared_value), MemoryBasicInformation,
					      &information, sizeof information, NULL));
	assert_int_equal(information.State, MEM_COMMIT);
	assert_int_equal(information.Protect, PAGE_READWRITE);
	assert_ntsuccess(ZwQueryVirtualMemory(handle, (PVOID)0x1000, MemoryBasicInformation,
					      &information, sizeof information, NULL));
	assert_int_equal(information.State, MEM_FREE);
	assert_status(ZwAllocateVirtualMemory(handle, &base, 0, &size, MEM_COMMIT, PAGE_READWRITE),
		      STATUS_NOT_SUPPORTED);
	assert_non_null(PsGetProcessSectionBaseAddress(actor.process));
	ZwClose(handle);
	kill(child, SIGKILL);
	end_foreign(&actor);
}

static void it_is_its_user_uses_memory_and_can_be_killed(void **state)
{
	(void)state;
	struct actor actor = start_foreign();
	HANDLE handle;
	VM_COUNTERS_EX counters;
	PACCESS_TOKEN token = PsReferencePrimaryToken(actor.process);
	assert_int_equal(token->user.SubAuthority[1], geteuid());
	PsDereferencePrimaryToken(token);
	assert_ntsuccess(ObOpenObjectByPointer(actor.process, 0, NULL, PROCESS_ALL_ACCESS, NULL,
					       KernelMode, &handle));
	assert_ntsuccess(ZwQueryInformationProcess(handle, ProcessVmCounters, &counters,
						   sizeof counters, NULL));
	assert_true(counters.WorkingSetSize > 0 && counters.VirtualSize > counters.WorkingSetSize);
	assert_ntsuccess(ZwTerminateProcess(handle, STATUS_ACCESS_DENIED));
	ZwClose(handle);
	int status = end_foreign(&actor);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* What a driver maps to look at it, where it happens to be called. */
static void views_in_it_are_the_drivers_alone(void **state)
{
	(void)state;
	struct actor actor = start_foreign();
	LARGE_INTEGER length = {.QuadPart = 4096};
	HANDLE section, current = (HANDLE)-1;
	PVOID base = NULL;
	SIZE_T size = 0, copied;
	ULONG64 value = 0, read = 0;
	MEMORY_BASIC_INFORMATION information;
	OBJECT_ATTRIBUTES kernel = {.Length = sizeof kernel, .Attributes = OBJ_KERNEL_HANDLE};
	assert_ntsuccess(ZwCreateSection(&section, SECTION_ALL_ACCESS, &kernel, &length,
					 PAGE_READWRITE, SEC_COMMIT, NULL));
	/* It would have to see these. */
	rs_become(actor.thread);
	assert_status(ZwMapViewOfSection(section, current, &base, 0, 0, NULL, &size, ViewUnmap, 0,
					 PAGE_READWRITE),
		      STATUS_NOT_SUPPORTED);
	assert_ntsuccess(ZwMapViewOfSection(section, current, &base, 0, 0, NULL, &size, ViewUnmap,
					    0, PAGE_READONLY));
	value = *(volatile ULONG64 *)base;
	assert_int_equal(value, 0);
	assert_ntsuccess(MmCopyVirtualMemory(actor.process, base, PsInitialSystemProcess, &read, 8,
					     KernelMode, &copied));
	assert_ntsuccess(
		ZwQueryVirtualMemory(current, base, 0, &information, sizeof information, NULL));
	assert_ptr_equal(information.AllocationBase, base);
	assert_int_equal(information.Type, MEM_MAPPED);
	assert_int_equal(information.Protect, PAGE_READONLY);
	assert_ntsuccess(ZwUnmapViewOfSection(current, base));
	assert_status(ZwUnmapViewOfSection(current, base), STATUS_NOT_SUPPORTED);
	rs_become(NULL);
	assert_ntsuccess(ZwClose(section));
	ULONG64 go = 7;
	assert_ntsuccess(MmCopyVirtualMemory(PsInitialSystemProcess, &go, actor.process,
					     shown(&shared_value), sizeof go, KernelMode, &copied));
	assert_ntsuccess(PsResumeProcess(actor.process));
	end_foreign(&actor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(its_memory_is_read_and_written_at_user_addresses),
		WORLD_TEST(its_memory_is_described_and_not_changed),
		WORLD_TEST(views_in_it_are_the_drivers_alone),
		WORLD_TEST(it_is_its_user_uses_memory_and_can_be_killed),
	};
	return cmocka_run_group_tests_name("ps/foreign", tests, NULL, NULL);
}

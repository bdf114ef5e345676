/* SPDX-License-Identifier: MIT */
/* warden.sys starts, fails to start, and goes. */
#include "duty.h"
#include "ob/callbacks.h"
#include <pthread.h>

static void starts_registers_unloads_and_sums_up(void **state)
{
	(void)state;
	assert_int_equal(said.registered, 2);
	assert_said("warden: on duty at altitude 385950.1701\n");
	assert_status(try_image("xxd"), STATUS_ACCESS_DENIED);
	assert_ntsuccess(try_image(SHELL));
	assert_ntsuccess(try_image(GUARDED));
	struct actor guarded = actor_start(GUARDED), shell = actor_start(SHELL);
	rs_become(shell.thread);
	rights_of(open_process(guarded.process, PROCESS_ALL_ACCESS));
	rs_become(NULL);
	unload_warden();
	assert_int_equal(said.unregistered, 2);
	/* It is gone, with a protected process alive. */
	rs_become(shell.thread);
	assert_int_equal(rights_of(open_process(guarded.process, PROCESS_ALL_ACCESS)),
			 PROCESS_ALL_ACCESS);
	rs_become(NULL);
	assert_ntsuccess(try_image("xxd"));
	actor_end(&shell);
	actor_end(&guarded);
	assert_false(rs_crashed());
}

static void summary_counts_what_happened(void **state)
{
	(void)state;
	struct actor guarded = actor_start(GUARDED), shell = actor_start(SHELL);
	for (int i = 0; i < 3; i++)
		assert_status(try_image("xxd"), STATUS_ACCESS_DENIED);
	rs_become(shell.thread);
	for (int i = 0; i < 5; i++)
		rights_of(open_process(guarded.process, PROCESS_TERMINATE));
	rs_become(NULL);
	actor_end(&shell);
	actor_end(&guarded);
	/* The unloading module is no longer the caller's when it has returned, but is
	 * while it prints. */
	unload_warden();
	assert_said("warden: off duty: 5 processes seen, 3 denied, 1 protected, "
		    "5 handles stripped\n");
}

/* Every allocation that starting makes fails once: DriverEntry undoes what it did. */
static void start_without_memory_leaves_nothing(void **state)
{
	world_documented(state);
	load_warden();
	SET("DenyImages", "xxd");
	SET("ProtectImages", "guarded", "other");
	unsigned n = 0;
	for (;; n++) {
		fail_allocation(NULL, n);
		NTSTATUS status = rs_start(warden);
		unsigned failed = stop_failing();
		if (failed == 0) {
			assert_ntsuccess(status);
			break;
		}
		if (NT_SUCCESS(status)) { /* of something that is only told, not needed */
			unload_warden();
			rs_unlisten(hear_warden, NULL);
			load_warden();
			continue;
		}
		assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
		assert_int_equal(said.registered, said.unregistered);
		assert_ntsuccess(try_image("xxd"));
	}
	assert_true(n >= 6); /* two lists, two registrations, ... */
	assert_status(try_image("xxd"), STATUS_ACCESS_DENIED);
	off_duty(state);
}

static void protecting_without_memory_refuses_the_process(void **state)
{
	(void)state;
	fail_allocation("ex/pool.c", 0);
	NTSTATUS status = try_image(GUARDED);
	assert_int_equal(stop_failing(), 1);
	assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
	assert_said("warden: cannot protect \\??\\Z:\\usr\\bin\\guarded: 0xC000009A\n");
}

static OB_PREOP_CALLBACK_STATUS NTAPI do_nothing(PVOID context, POB_PRE_OPERATION_INFORMATION info)
{
	(void)context;
	(void)info;
	return OB_PREOP_SUCCESS;
}

static void ob_12_altitude_in_use_undoes_the_start(void **state)
{
	world_documented(state);
	OB_OPERATION_REGISTRATION entry = {&PsThreadType, OB_OPERATION_HANDLE_CREATE, do_nothing,
					   NULL};
	OB_CALLBACK_REGISTRATION registration = {OB_FLT_REGISTRATION_VERSION, 1,
						 USTR_INIT(u"385950.1701"), NULL, &entry};
	PVOID handle;
	assert_ntsuccess(ObRegisterCallbacks(&registration, &handle));
	load_warden();
	SET("DenyImages", "xxd");
	assert_status(rs_start(warden), STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
	assert_said("warden: cannot watch handles: 0xC01C0011\n");
	assert_int_equal(said.registered, said.unregistered);
	assert_ntsuccess(try_image("xxd"));
	rs_discard(warden);
	warden = NULL;
	ObUnRegisterCallbacks(handle);
	off_duty(state);
}

static void ps_15_without_force_integrity_it_does_not_start(void **state)
{
	world_documented(state);
	load_warden();
	((struct ldr_module *)(void *)warden)->entry.Flags &= ~(ULONG)LDRP_IMAGE_INTEGRITY_FORCED;
	assert_status(rs_start(warden), STATUS_ACCESS_DENIED);
	assert_said("warden: cannot watch processes: 0xC0000022\n");
	rs_discard(warden);
	warden = NULL;
	off_duty(state);
}

static void a_list_of_the_wrong_type_is_refused(void **state)
{
	world_documented(state);
	load_warden();
	SET("DenyImages", "xxd");
	SET("ProtectImages", "42"); /* a REG_DWORD */
	assert_status(rs_start(warden), STATUS_OBJECT_TYPE_MISMATCH);
	assert_said("warden: ProtectImages is neither REG_SZ nor REG_MULTI_SZ\n");
	assert_int_equal(said.registered, 0);
	rs_discard(warden);
	warden = NULL;
	off_duty(state);
}

/* ---- Company ------------------------------------------------------------------------ */

#define ROUNDS 20000

static PETHREAD attacker;
static _Atomic bool stop;
static _Atomic unsigned opened, full, lived;

/* Each on a host thread of its own: processes come and go. */
static void *live(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		lived += NT_SUCCESS(try_image(i % 3 ? GUARDED : SHELL));
		if (!NT_SUCCESS(try_image("xxd")))
			continue;
		return (void *)1;
	}
	return NULL;
}

static void *attack(void *target)
{
	rs_become(attacker);
	while (!stop) {
		ACCESS_MASK rights = rights_of(open_process(target, PROCESS_ALL_ACCESS));
		opened++;
		full += (rights & PROCESS_TERMINATE) != 0;
	}
	rs_become(NULL);
	return NULL;
}

static void protection_holds_while_processes_come_and_go(void **state)
{
	(void)state;
	struct actor guarded = actor_start(GUARDED), shell = actor_start(SHELL);
	pthread_t lives[3], attacks;
	attacker = shell.thread;
	stop = false;
	opened = full = lived = 0;
	rs_unlisten(hear_warden, NULL); /* it writes without a lock */
	assert_int_equal(pthread_create(&attacks, NULL, attack, guarded.process), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&lives[i], NULL, live, NULL), 0);
	for (int i = 0; i < 3; i++) {
		void *started;
		pthread_join(lives[i], &started);
		assert_null(started); /* the denied one never did */
	}
	stop = true;
	pthread_join(attacks, NULL);
	assert_int_equal(lived, 3 * ROUNDS);
	assert_true(opened > 0);
	assert_int_equal(full, 0);
	actor_end(&shell);
	actor_end(&guarded);
}

/* Unloading waits for the callbacks that are under way (PS-22, OB-62); from then on
 * everything is granted. */
static void ob_62_unloads_under_fire(void **state)
{
	(void)state;
	struct actor guarded = actor_start(GUARDED), shell = actor_start(SHELL);
	pthread_t attacks;
	attacker = shell.thread;
	stop = false;
	opened = full = 0;
	rs_unlisten(hear_warden, NULL);
	assert_int_equal(pthread_create(&attacks, NULL, attack, guarded.process), 0);
	while (opened < 100)
		sched_yield();
	unload_warden();
	unsigned before = opened;
	while (opened < before + 100)
		sched_yield();
	stop = true;
	pthread_join(attacks, NULL);
	assert_true(full >= 99);
	actor_end(&shell);
	actor_end(&guarded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DUTY_TEST(starts_registers_unloads_and_sums_up),
		DUTY_TEST(summary_counts_what_happened),
		cmocka_unit_test(start_without_memory_leaves_nothing),
		DUTY_TEST(protecting_without_memory_refuses_the_process),
		cmocka_unit_test(ob_12_altitude_in_use_undoes_the_start),
		cmocka_unit_test(ps_15_without_force_integrity_it_does_not_start),
		cmocka_unit_test(a_list_of_the_wrong_type_is_refused),
		DUTY_TEST(protection_holds_while_processes_come_and_go),
		DUTY_TEST(ob_62_unloads_under_fire),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "support/world.h"
#include "ke/thread.h"
#include "ldr/module.h"
#include "memory.h"
#include "support/record.h"
#include <string.h>

static uint64_t allocations_before;

static void boot(const struct rs_options *options)
{
	ke_processor(); /* this host thread's outlives the kernel and is not a leak of it */
	allocations_before = host_live_allocations();
	assert_int_equal(rs_boot(options), 0);
	assert_int_equal(rs_declare_program("test.sys", true), 0);
	record_reset();
}

int world_documented(void **state)
{
	(void)state;
	boot(NULL);
	return 0;
}

int world_observed(void **state)
{
	(void)state;
	boot(&(struct rs_options){.profile = RS_OBSERVED});
	return 0;
}

void world_with(const struct rs_options *options)
{
	world_end(NULL);
	boot(options);
}

void world_with_switch(unsigned number, bool value)
{
	world_with(&(struct rs_options){.switch_mask = 1u << number,
					.switch_values = (unsigned)value << number});
}

int world_end(void **state)
{
	(void)state;
	host_fail_allocations(NULL);
	record_stop_listening();
	rs_become(NULL);
	rs_shutdown();
	assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
	assert_int_equal(host_live_allocations(), allocations_before);
	return 0;
}

void world_set_integrity(bool integrity)
{
	struct ldr_module *program = ldr_module_of((const void *)world_set_integrity);
	if (integrity)
		program->entry.Flags |= LDRP_IMAGE_INTEGRITY_FORCED;
	else
		program->entry.Flags &= ~(ULONG)LDRP_IMAGE_INTEGRITY_FORCED;
}

/* ---- Processes -------------------------------------------------------------------- */

struct actor actor_start_as(const struct rs_process_spec *spec)
{
	struct actor actor;
	assert_ntsuccess(rs_create_user_process(spec, &actor.process, &actor.thread, NULL, NULL));
	rs_run_thread(actor.thread);
	return actor;
}

struct actor actor_start(const char *image)
{
	return actor_start_as(&(struct rs_process_spec){.image = image, .command_line = image});
}

void actor_end(struct actor *actor)
{
	rs_exit_process(actor->process, STATUS_SUCCESS);
	rs_release(actor->thread);
	rs_release(actor->process);
}

void actor_live(const char *image)
{
	struct actor actor = actor_start(image);
	actor_end(&actor);
}

/* ---- Failing allocations ------------------------------------------------------------ */

static struct {
	const char *site;
	unsigned wanted, seen, failed;
} plan;

static bool fails(const char *site)
{
	if (plan.site && !strstr(site, plan.site))
		return false;
	bool hit = plan.seen++ == plan.wanted || plan.wanted == ALWAYS;
	plan.failed += hit;
	return hit;
}

void fail_allocation(const char *site, unsigned n)
{
	plan.site = site;
	plan.wanted = n;
	plan.seen = plan.failed = 0;
	host_fail_allocations(fails);
}

unsigned stop_failing(void)
{
	host_fail_allocations(NULL);
	return plan.failed;
}

void *export_of(const char *name)
{
	void *found = rs_find_export("ntoskrnl.exe", name);
	if (!found)
		fail_msg("ntoskrnl.exe exports no %s", name);
	return found;
}

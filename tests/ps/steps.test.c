/* SPDX-License-Identifier: MIT */
/*
 * PS-22, PS-24 and PS-25 at every instruction of a dispatch: wherever a walk is
 * preempted, a removal either waits for it or keeps it from calling the routine.
 */
#include "support/record.h"
#include "support/steps.h"

static struct {
	atomic_bool removed;
	atomic_uint calls, late, others;
	NTSTATUS status;
} seen;

static VOID NTAPI removed_routine(PUNICODE_STRING name, HANDLE process, PIMAGE_INFO info)
{
	(void)name;
	(void)process;
	(void)info;
	if (atomic_load(&seen.removed))
		atomic_fetch_add(&seen.late, 1);
	atomic_fetch_add(&seen.calls, 1);
}

static VOID NTAPI first_routine(PUNICODE_STRING name, HANDLE process, PIMAGE_INFO info)
{
	(void)name;
	(void)process;
	(void)info;
	atomic_fetch_add(&seen.others, 1);
	steps_begin();
}

static VOID NTAPI last_routine(PUNICODE_STRING name, HANDLE process, PIMAGE_INFO info)
{
	(void)name;
	(void)process;
	(void)info;
	steps_end();
	atomic_fetch_add(&seen.others, 1);
}

static void add(void)
{
	atomic_store(&seen.removed, false);
	if (!NT_SUCCESS(PsSetLoadImageNotifyRoutine(removed_routine)))
		seen.status = STATUS_UNSUCCESSFUL;
}

static void dispatch(void)
{
	ps_load_image(&(struct ps_image){.size = 4096});
}

static void remove_routine(void)
{
	NTSTATUS status = PsRemoveLoadImageNotifyRoutine(removed_routine);
	atomic_store(&seen.removed, true);
	if (!NT_SUCCESS(status))
		seen.status = status;
}

static void ps_22_ps_24_ps_25_removal_at_every_instruction_of_a_dispatch_inferred(void **state)
{
	(void)state;
	static const struct steps steps = {add, dispatch, remove_routine};
	unsigned waited;
	seen.status = STATUS_SUCCESS;
	/* In the middle: the lowest free slot is between these two. */
	assert_ntsuccess(PsSetLoadImageNotifyRoutine(first_routine));
	assert_ntsuccess(PsSetLoadImageNotifyRoutine(image_routine(0)));
	assert_ntsuccess(PsSetLoadImageNotifyRoutine(last_routine));
	assert_ntsuccess(PsRemoveLoadImageNotifyRoutine(image_routine(0)));
	unsigned places = run_at_every_instruction(&steps, &waited);
	if (places == 0)
		skip();
	assert_ntsuccess(seen.status);
	assert_int_equal(seen.late, 0);
	assert_int_equal(seen.others, 2 * (places + 1)); /* they are called each time */
	assert_in_range(seen.calls, 1, places);          /* not where it was removed first */
	assert_in_range(waited, 1, places - 1);
	assert_true(seen.calls >= waited); /* who was waited for was called */
}

/* ---- The mechanism alone ------------------------------------------------------------------------ */

/* What PS-24 rests on: a registration that ex_walk_next returned has not been drained. The
 * registration is static, so that a use after its end is seen instead of having any
 * effect. */
static struct ex_callback_list list = EX_CALLBACK_LIST_INIT;
static struct ex_callback other[2], removed;
static atomic_bool drained;
static atomic_uint entered, entered_late;

static int by_address(const struct ex_callback *a, const struct ex_callback *b)
{
	const struct ex_callback *const order[] = {&other[0], &removed, &other[1]};
	unsigned x = 0, y = 0;
	while (order[x] != a)
		x++;
	while (order[y] != b)
		y++;
	return (int)x - (int)y;
}

static void add_to_list(struct ex_callback *callback)
{
	pthread_mutex_lock(&list.lock);
	if (ex_add(&list, callback, by_address) != EX_ADDED)
		seen.status = STATUS_UNSUCCESSFUL;
	pthread_mutex_unlock(&list.lock);
}

static void add_removed(void)
{
	add_to_list(&removed);
	atomic_store(&drained, false);
}

static void walk(void)
{
	struct ex_walk w;
	const struct ex_callback *callback;
	steps_begin();
	ex_walk_begin(&w, &list);
	while ((callback = ex_walk_next(&w))) {
		if (callback != &removed)
			continue;
		atomic_fetch_add(&entered, 1);
		if (atomic_load(&drained))
			atomic_fetch_add(&entered_late, 1);
	}
	ex_walk_end(&w);
	steps_end();
}

static void unpublish_and_drain(void)
{
	pthread_mutex_lock(&list.lock);
	if (!ex_unpublish(&list, &removed))
		seen.status = STATUS_UNSUCCESSFUL;
	pthread_mutex_unlock(&list.lock);
	ex_drain(&removed);
	atomic_store(&drained, true);
}

static void ps_24_walk_never_enters_what_has_been_drained_inferred(void **state)
{
	(void)state;
	static const struct steps steps = {add_removed, walk, unpublish_and_drain};
	unsigned waited;
	seen.status = STATUS_SUCCESS;
	atomic_store(&entered, 0);
	atomic_store(&entered_late, 0);
	add_to_list(&other[0]);
	add_to_list(&other[1]);
	unsigned places = run_at_every_instruction(&steps, &waited);
	ex_free_list(&list);
	if (places == 0)
		skip();
	assert_ntsuccess(seen.status);
	assert_int_equal(entered_late, 0);
	assert_in_range(entered, 1, places);
	assert_in_range(waited, 1, places - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ps_24_walk_never_enters_what_has_been_drained_inferred),
		WORLD_TEST(ps_22_ps_24_ps_25_removal_at_every_instruction_of_a_dispatch_inferred),
	};
	return cmocka_run_group_tests_name("ps/steps", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * What handles, processes and many of them cost.
 *
 * - a process handle opened and closed through 0, 1 and 8 registrations (pre and
 *   post each), against the case without any;
 * - a simulated process created and ended with 0 and with 64 notify routines;
 * - memory per process, thread and handle, from the heap's own account;
 * - one million live processes at once: does each cost what one of a hundred thousand
 *   does?
 */
#include "bench/measure.h"
#include "ob/callbacks.h"
#include "ps/notify.h"
#include <malloc.h>
#include <ringside/ringside.h>
#include <string.h>

#define MILLION 1000000u

static uint64_t calls;

static OB_PREOP_CALLBACK_STATUS NTAPI pre(PVOID context, POB_PRE_OPERATION_INFORMATION info)
{
	(void)context, (void)info;
	calls++;
	return OB_PREOP_SUCCESS;
}

static VOID NTAPI post(PVOID context, POB_POST_OPERATION_INFORMATION info)
{
	(void)context, (void)info;
	calls++;
}

static VOID NTAPI process_routine(HANDLE parent, HANDLE process, BOOLEAN create)
{
	(void)parent, (void)process, (void)create;
	calls++;
}

/* ---- Handles ----------------------------------------------------------------------- */

static void open_and_close(void *argument, uint64_t iterations)
{
	HANDLE handle;
	for (uint64_t i = 0; i < iterations; i++) {
		if (ObOpenObjectByPointer(argument, 0, NULL, PROCESS_ALL_ACCESS, PsProcessType,
					  UserMode, &handle))
			abort();
		NtClose(handle);
	}
}

static void register_one(unsigned number, void **registration)
{
	WCHAR digits[2] = {(WCHAR)('1' + number / 10), (WCHAR)('0' + number % 10)};
	OB_OPERATION_REGISTRATION operation = {&PsProcessType, OB_OPERATION_HANDLE_CREATE, pre,
					       post};
	OB_CALLBACK_REGISTRATION registration_block = {
		OB_FLT_REGISTRATION_VERSION, 1, {4, 4, digits}, NULL, &operation};
	if (ObRegisterCallbacks(&registration_block, registration))
		abort();
}

static void measure_handles(PEPROCESS target)
{
	struct bench_series none = {0}, one = {0}, eight = {0}, one_ratio = {0}, eight_ratio = {0};
	void *registration[8];
	for (unsigned round = 0; round < 51; round++) {
		double base = bench_time(open_and_close, target, 20000);
		register_one(0, &registration[0]);
		double with_one = bench_time(open_and_close, target, 20000);
		for (unsigned i = 1; i < 8; i++)
			register_one(i, &registration[i]);
		double with_eight = bench_time(open_and_close, target, 20000);
		for (unsigned i = 0; i < 8; i++)
			ObUnRegisterCallbacks(registration[i]);
		bench_note(&none, base);
		bench_note(&one, with_one);
		bench_note(&eight, with_eight);
		bench_note(&one_ratio, with_one / base);
		bench_note(&eight_ratio, with_eight / base);
	}
	printf("A process handle opened and closed\n");
	printf("  through 0 registrations  %7.1f ns\n", bench_median(&none));
	printf("  through 1 registration   %7.1f ns  %5.2f x\n", bench_median(&one),
	       bench_median(&one_ratio));
	printf("  through 8 registrations  %7.1f ns  %5.2f x\n", bench_median(&eight),
	       bench_median(&eight_ratio));
}

/* ---- Processes ------------------------------------------------------------------------ */

static const struct rs_process_spec spec = {.image = "\\??\\C:\\Windows\\System32\\cmd.exe",
					    .command_line = "cmd.exe /c exit"};

static void create_and_end(void *argument, uint64_t iterations)
{
	(void)argument;
	for (uint64_t i = 0; i < iterations; i++) {
		PEPROCESS process;
		PETHREAD thread;
		if (rs_create_user_process(&spec, &process, &thread, NULL, NULL))
			abort();
		rs_exit_process(process, 0);
		rs_release(thread);
		rs_release(process);
	}
}

static void add_routines(unsigned count, BOOLEAN remove)
{
	/* One routine, registered under many addresses: the documented profile refuses
	 * duplicates, so the bench boots with that switch the other way. */
	for (unsigned i = 0; i < count; i++)
		if (PsSetCreateProcessNotifyRoutine(process_routine, remove))
			abort();
}

static void measure_processes(void)
{
	struct bench_series none = {0}, many = {0}, ratio = {0};
	for (unsigned round = 0; round < 51; round++) {
		double without = bench_time(create_and_end, NULL, 2000);
		add_routines(64, FALSE);
		double with = bench_time(create_and_end, NULL, 2000);
		add_routines(64, TRUE);
		bench_note(&none, without);
		bench_note(&many, with);
		bench_note(&ratio, with / without);
	}
	printf("A simulated process created and ended\n");
	printf("  with 0 notify routines   %7.0f ns\n", bench_median(&none));
	printf("  with 64 notify routines  %7.0f ns  %5.2f x  (128 calls)\n", bench_median(&many),
	       bench_median(&ratio));
}

/* ---- Many ------------------------------------------------------------------------------- */

static double heap(void)
{
	struct mallinfo2 info = mallinfo2();
	return (double)(info.uordblks + info.hblkhd);
}

static PEPROCESS crowd[MILLION];
static PETHREAD crowd_thread[MILLION];

struct crowd_cost {
	double created, ended, bytes; /* each */
};

/* Whole lives of `count` processes that are all alive at one time. Ending is timed to
 * the last, since the heap puts off merging what was freed. */
static struct crowd_cost measure_crowd(unsigned count)
{
	struct crowd_cost cost;
	double before = heap();
	uint64_t began = host_clock();
	for (unsigned i = 0; i < count; i++)
		if (rs_create_user_process(&spec, &crowd[i], &crowd_thread[i], NULL, NULL))
			abort();
	cost.created = (double)(host_clock() - began) / count;
	cost.bytes = (heap() - before) / count;
	began = host_clock();
	for (unsigned i = 0; i < count; i++) {
		rs_exit_process(crowd[i], 0);
		rs_release(crowd_thread[i]);
		rs_release(crowd[i]);
	}
	malloc_trim(0);
	cost.ended = (double)(host_clock() - began) / count;
	return cost;
}

static int measure_a_million(void)
{
	struct bench_series created = {0}, ended = {0};
	struct crowd_cost large = {0};
	for (unsigned round = 0; round < 3; round++) {
		struct crowd_cost small = {0};
		for (unsigned i = 0; i < 10; i++) {
			struct crowd_cost one = measure_crowd(MILLION / 10);
			small.created += one.created / 10;
			small.ended += one.ended / 10;
		}
		large = measure_crowd(MILLION);
		bench_note(&created, large.created / small.created);
		bench_note(&ended, large.ended / small.ended);
	}
	printf("One million live processes of one thread: %.0f bytes each, %.2f GiB; created in "
	       "%.2f s, ended in %.2f s\n",
	       large.bytes, large.bytes * MILLION / (1u << 30), large.created * MILLION / 1e9,
	       large.ended * MILLION / 1e9);
	return bench_ratio("creating one of a million / one of a hundred thousand",
			   bench_median(&created), "<=", 1.5) +
	       bench_ratio("ending one of a million / one of a hundred thousand",
			   bench_median(&ended), "<=", 1.5);
}

static void measure_memory(void)
{
	enum { COUNT = 10000 };
	static HANDLE handle[COUNT];
	static PETHREAD thread[COUNT];
	static PEPROCESS process[COUNT];
	double start = heap();
	for (unsigned i = 0; i < COUNT; i++)
		rs_create_process(&spec, &process[i]);
	double processes = heap();
	for (unsigned i = 0; i < COUNT; i++)
		rs_create_thread(process[0], &thread[i]);
	double threads = heap();
	for (unsigned i = 0; i < COUNT; i++)
		ObOpenObjectByPointer(process[i], 0, NULL, 1, PsProcessType, KernelMode,
				      &handle[i]);
	double handles = heap();
	printf("Memory: %.0f bytes a process, %.0f a thread, %.0f a handle\n",
	       (processes - start) / COUNT, (threads - processes) / COUNT,
	       (handles - threads) / COUNT);
	for (unsigned i = 0; i < COUNT; i++)
		NtClose(handle[i]);
	rs_exit_process(process[0], 0);
	for (unsigned i = 0; i < COUNT; i++) {
		rs_release(thread[i]);
		if (i)
			rs_exit_process(process[i], 0);
		rs_release(process[i]);
	}
}

int main(void)
{
	struct rs_options options = {.switch_mask = 1u << 1, .switch_values = 1u << 1};
	PEPROCESS process;
	PETHREAD thread;
	if (rs_boot(&options) || rs_declare_program("bench.sys", true) ||
	    rs_create_user_process(&spec, &process, &thread, NULL, NULL))
		return 1;
	rs_become(thread);
	measure_handles(process);
	measure_processes();
	measure_memory();
	return measure_a_million() != 0;
}

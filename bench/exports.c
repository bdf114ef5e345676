/* SPDX-License-Identifier: MIT */
/*
 * What a driver's calls cost, and what calling a driver costs: meter.sys times some
 * exports of each family from inside; then a driver that is called for every process
 * (warden.sys) is called for many.
 */
#include "bench/measure.h"
#include <ringside/event.h>
#include <ringside/io.h>
#include <ringside/ringside.h>
#include <string.h>

#define LIVES 20000

/* The least that Speakeasy, an emulator of drivers, was measured to take for a callback on
 * a machine of this kind: nanoseconds. */
#define EMULATED_CALLBACK 3.4e6

static double own;

static void show(void *context, const struct rs_event *event)
{
	(void)context;
	char family[8], name[80];
	unsigned calls;
	unsigned long long hundredths;
	if (event->type != RS_DEBUG_PRINT ||
	    sscanf(event->print.text, "%7[^\t]\t%79[^\t]\t%u\t%llu", family, name, &calls,
		   &hundredths) != 4)
		return;
	double ns = (double)hundredths / 100;
	if (own == 0)
		own = ns;
	printf("  %-4s %-57s %6.1f ns  %6.1f x\n", family, name, ns, ns / own);
}

static struct rs_driver *start(const char *path)
{
	struct rs_error error;
	struct rs_driver *driver = rs_load(path, &error);
	if (!driver)
		fprintf(stderr, "%s\n", error.text);
	else if (!NT_SUCCESS(rs_start(driver)))
		fprintf(stderr, "%s: DriverEntry failed\n", path);
	else
		return driver;
	return NULL;
}

static int measure_exports(void)
{
	rs_listen(show, NULL);
	struct rs_driver *meter = start(TEST_BUILD "/tests/drivers/meter.sys");
	rs_unlisten(show, NULL);
	return !meter || !NT_SUCCESS(rs_unload(meter));
}

static int live(void)
{
	struct rs_process_spec spec = {.image = "\\??\\Z:\\usr\\bin\\true"};
	PEPROCESS process;
	PETHREAD thread;
	if (!NT_SUCCESS(rs_create_user_process(&spec, &process, &thread, NULL, NULL)))
		return 1;
	rs_exit_process(process, STATUS_SUCCESS);
	rs_release(thread);
	rs_release(process);
	return 0;
}

static double microseconds_a_life(void)
{
	uint64_t began = host_clock();
	for (unsigned i = 0; i < LIVES; i++)
		if (live() != 0)
			return 0;
	return (double)(host_clock() - began) / 1000 / LIVES;
}

/* Each life calls the driver's process routine twice. */
static int measure_callbacks(void)
{
	double without = microseconds_a_life();
	struct rs_driver *warden = start(TEST_BUILD "/drivers/warden.sys");
	if (!warden)
		return 1;
	double with = microseconds_a_life();
	double callback = (with - without) / 2 * 1000;
	printf("\nThe life of a process in the library: %.2f µs; %.2f µs with warden.sys "
	       "listening,\n  so %.0f ns a callback of a driver that reads names and keeps "
	       "tables; an emulator\n  takes 3.4 ms, %.0f times as long\n",
	       without, with, callback, EMULATED_CALLBACK / callback);
	return !NT_SUCCESS(rs_unload(warden));
}

int main(void)
{
	if (rs_boot(NULL) != 0 || rs_mount("/", false) != 0)
		return 1;
	printf("Calls from a driver, best of 15 rounds of 4,000:\n");
	int failed = measure_exports() || measure_callbacks();
	rs_shutdown();
	return failed;
}

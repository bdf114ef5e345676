/* SPDX-License-Identifier: MIT */
/*
 * What it costs to have a driver: mapping and binding warden.sys, its DriverEntry
 * with both registrations, and its way out.
 */
#include "bench/measure.h"
#include <ringside/ringside.h>

#define ROUNDS 201
#define WARDEN TEST_BUILD "/drivers/warden.sys"

static struct bench_series load, start, unload;

static int one_round(void)
{
	struct rs_error error;
	uint64_t began = host_clock();
	struct rs_driver *driver = rs_load(WARDEN, &error);
	uint64_t loaded = host_clock();
	if (!driver) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	NTSTATUS status = rs_start(driver);
	uint64_t started = host_clock();
	if (!NT_SUCCESS(status) || !NT_SUCCESS(rs_unload(driver))) {
		fprintf(stderr, "%s: status 0x%08x\n", WARDEN, (unsigned)status);
		return 1;
	}
	bench_note(&load, (double)(loaded - began) / 1000);
	bench_note(&start, (double)(started - loaded) / 1000);
	bench_note(&unload, (double)(host_clock() - started) / 1000);
	return 0;
}

int main(void)
{
	uint64_t began = host_clock();
	if (rs_boot(NULL) != 0)
		return 1;
	double boot = (double)(host_clock() - began) / 1000;
	for (unsigned i = 0; i < ROUNDS; i++)
		if (one_round() != 0)
			return 1;
	rs_shutdown();
	printf("warden.sys, median of %d lives (the kernel boots in %.0f µs):\n", ROUNDS, boot);
	printf("  %-62s %6.0f µs\n", "map, relocate and bind", bench_median(&load));
	printf("  %-62s %6.0f µs\n", "DriverEntry: registry, Ex2 and object callbacks",
	       bench_median(&start));
	printf("  %-62s %6.0f µs\n", "DriverUnload and unmap", bench_median(&unload));
	return 0;
}

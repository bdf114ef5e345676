/* SPDX-License-Identifier: MIT */
/*
 * KUSER_SHARED_DATA: time, version and features, where drivers read them without a
 * call (AB-4).
 *
 * The address is in the half of the address space that Linux keeps for itself, so there
 * is no page. Each access of a driver traps, and is given a copy with the clocks as
 * they are then (emulate.c). The rest is written once at boot, before drivers run.
 *
 * Offsets are those that the public headers and symbols of Windows 10 give.
 */
#include "ke/shared.h"
#include "clock.h"
#include <ringside/nt.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum offset {
	TICK_COUNT_MULTIPLIER = 0x4,
	INTERRUPT_TIME = 0x8,
	SYSTEM_TIME = 0x14,
	TIME_ZONE_BIAS = 0x20,
	IMAGE_NUMBER_LOW = 0x2C,
	IMAGE_NUMBER_HIGH = 0x2E,
	NT_SYSTEM_ROOT = 0x30,
	LARGE_PAGE_MINIMUM = 0x244,
	NT_BUILD_NUMBER = 0x260,
	NT_PRODUCT_TYPE = 0x264,
	PRODUCT_TYPE_IS_VALID = 0x268,
	NATIVE_PROCESSOR_ARCHITECTURE = 0x26A,
	NT_MAJOR_VERSION = 0x26C,
	NT_MINOR_VERSION = 0x270,
	PROCESSOR_FEATURES = 0x274,
	BOOT_ID = 0x2C4,
	SUITE_MASK = 0x2D0,
	KD_DEBUGGER_ENABLED = 0x2D4,
	ACTIVE_CONSOLE_ID = 0x2D8,
	NUMBER_OF_PHYSICAL_PAGES = 0x2E8,
	QPC_FREQUENCY = 0x300,
	TICK_COUNT = 0x320,
	ACTIVE_PROCESSOR_COUNT = 0x3C0,
	ACTIVE_GROUP_COUNT = 0x3C4,
};

#define PROCESSOR_ARCHITECTURE_AMD64 9
#define PRODUCT_WORKSTATION 1
#define SUITE_SINGLE_USER_TERMINAL 0x110
#define BUILD 19045 /* Windows 10 22H2 */

/* NT's clock ticks 64 times a second; TickCountMultiplier turns ticks into
 * milliseconds as a fixed-point number of 24 fraction bits. */
#define TICK_100NS 156250u
#define TICK_MULTIPLIER (TICK_100NS / 625u * (1u << 20)) /* 15.625 << 24 */
_Static_assert(TICK_MULTIPLIER == 0x0FA00000, "15.625 ms");

static uint8_t constant[KE_SHARED_DATA_SIZE] __attribute__((aligned(8)));

#define PUT(page, offset, type, value)                                                             \
	do {                                                                                       \
		type put_ = (type)(value);                                                         \
		memcpy((page) + (offset), &put_, sizeof(put_));                                    \
	} while (0)

static void put_processor_features(void)
{
	/* What every x86-64 processor that Windows 10 starts on has. */
	static const uint8_t present[] = {
		2,  /* compare-exchange double */
		3,  /* MMX */
		6,  /* SSE */
		8,  /* RDTSC */
		9,  /* PAE */
		10, /* SSE2 */
		12, /* NX */
		13, /* SSE3 */
		14, /* compare-exchange 128 */
		23, /* int 29h, fast fail */
	};
	uint8_t *feature = constant + PROCESSOR_FEATURES;
	for (unsigned i = 0; i < sizeof(present); i++)
		feature[present[i]] = TRUE;
	feature[36] = __builtin_cpu_supports("ssse3") != 0;
	feature[37] = __builtin_cpu_supports("sse4.1") != 0;
	feature[38] = __builtin_cpu_supports("sse4.2") != 0;
	feature[39] = __builtin_cpu_supports("avx") != 0;
	feature[40] = __builtin_cpu_supports("avx2") != 0;
}

static void put_time_zone(void)
{
	time_t now = time(NULL);
	struct tm local;
	LONGLONG bias = localtime_r(&now, &local) ? -local.tm_gmtoff * 10000000LL : 0;
	PUT(constant, TIME_ZONE_BIAS, LONGLONG, bias);
	PUT(constant, TIME_ZONE_BIAS + 8, LONG, bias >> 32); /* High2Time */
}

void ke_fill_shared_data(void)
{
	static const WCHAR root[] = u"C:\\Windows";

	PUT(constant, TICK_COUNT_MULTIPLIER, ULONG, TICK_MULTIPLIER);
	PUT(constant, IMAGE_NUMBER_LOW, USHORT, 0x8664);
	PUT(constant, IMAGE_NUMBER_HIGH, USHORT, 0x8664);
	memcpy(constant + NT_SYSTEM_ROOT, root, sizeof(root));
	PUT(constant, LARGE_PAGE_MINIMUM, ULONG, 0x200000);
	PUT(constant, NT_BUILD_NUMBER, ULONG, BUILD);
	PUT(constant, NT_PRODUCT_TYPE, ULONG, PRODUCT_WORKSTATION);
	PUT(constant, PRODUCT_TYPE_IS_VALID, BOOLEAN, TRUE);
	PUT(constant, NATIVE_PROCESSOR_ARCHITECTURE, USHORT, PROCESSOR_ARCHITECTURE_AMD64);
	PUT(constant, NT_MAJOR_VERSION, ULONG, 10);
	PUT(constant, NT_MINOR_VERSION, ULONG, 0);
	PUT(constant, BOOT_ID, ULONG, 1);
	PUT(constant, SUITE_MASK, ULONG, SUITE_SINGLE_USER_TERMINAL);
	PUT(constant, KD_DEBUGGER_ENABLED, BOOLEAN, FALSE);
	PUT(constant, ACTIVE_CONSOLE_ID, ULONG, 1);
	PUT(constant, NUMBER_OF_PHYSICAL_PAGES, ULONG, sysconf(_SC_PHYS_PAGES));
	PUT(constant, QPC_FREQUENCY, LONGLONG, 10000000);
	PUT(constant, ACTIVE_PROCESSOR_COUNT, ULONG, sysconf(_SC_NPROCESSORS_ONLN));
	PUT(constant, ACTIVE_GROUP_COUNT, USHORT, 1);
	put_processor_features();
	put_time_zone();
}

/* A KSYSTEM_TIME: the low half, the high half, and the high half again, by which a
 * reader that is not atomic notices that it was overtaken. */
static void put_clock(uint8_t *page, unsigned offset, ULONG64 value)
{
	PUT(page, offset, ULONG64, value);
	PUT(page, offset + 8, ULONG, value >> 32);
}

void ke_copy_shared_data(uint8_t page[KE_SHARED_DATA_SIZE])
{
	ULONG64 interrupt_time = host_boot_clock() / 100;
	memcpy(page, constant, sizeof(constant));
	put_clock(page, INTERRUPT_TIME, interrupt_time);
	put_clock(page, SYSTEM_TIME, host_nt_time());
	put_clock(page, TICK_COUNT, interrupt_time / TICK_100NS);
}

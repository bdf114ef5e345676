/* SPDX-License-Identifier: MIT */
/* Stack walks of a driver's own. */
#include "seh.h"

#define MAX 16

static void *frames[MAX];
static ULONG count;
static volatile ULONG after_call;

static BOOLEAN is_in(const void *pc, const void *function)
{
	return (ULONG64)pc > (ULONG64)function && (ULONG64)pc < (ULONG64)function + 0x100;
}

static NOINLINE void capture(void)
{
	ULONG hash = 0, sum = 0;
	count = RtlCaptureStackBackTrace(0, MAX, frames, &hash);
	for (ULONG i = 0; i < count; i++)
		sum += (ULONG)(ULONG64)frames[i];
	CHECK(hash == sum);
}

static NOINLINE void middle(void)
{
	capture();
	after_call++;
}

static int compare(const void *a, const void *b)
{
	(void)a;
	(void)b;
	if (!count)
		middle();
	return 0;
}

static NOINLINE void outermost(void)
{
	ULONG values[] = {1, 2};
	qsort(values, 2, sizeof(values[0]), compare);
	after_call++;
}

static void a_trace_begins_with_the_caller_and_passes_our_frames(void)
{
	count = 0;
	outermost();
	CHECK(count >= 4);
	CHECK(is_in(frames[0], capture));
	CHECK(is_in(frames[1], middle));
	CHECK(is_in(frames[2], compare));
	/* A program that is itself declared as a module shows frames of its own here. */
	ULONG i = 3;
	while (i < count && !is_in(frames[i], outermost))
		i++;
	CHECK(i < count);
}

static NOINLINE ULONG walk(void **to, ULONG limit, ULONG flags)
{
	ULONG got = RtlWalkFrameChain(to, limit, flags);
	after_call++;
	return got;
}

static void a_chain_can_be_cut_at_both_ends(void)
{
	void *all[MAX], *some[MAX];
	ULONG n = walk(all, MAX, 0);
	CHECK(n >= 3);
	CHECK(walk(some, 2, 0) == 2 && some[0] == all[0]);
	CHECK(walk(some, MAX, 1 << 8) == n - 1 && some[1] == all[2]);
	CHECK(walk(some, MAX, 1) == 0); /* there are no user frames */
}

static void functions_and_images_are_found(void)
{
	void *base = 0;
	ULONG64 image = 0;
	ULONG *entry = RtlLookupFunctionEntry((ULONG64)outermost + 4, &image, 0);
	CHECK(RtlPcToFileHeader((void *)outermost, &base) == base && base);
	CHECK(*(USHORT *)base == 0x5A4D);
	CHECK(image == (ULONG64)base);
	CHECK(entry && entry[0] == (ULONG64)outermost - image);
	CHECK(!RtlPcToFileHeader((void *)0x1000, &base) && !base);
}

void test_walks(void)
{
	a_trace_begins_with_the_caller_and_passes_our_frames();
	a_chain_can_be_cut_at_both_ends();
	functions_and_images_are_found();
}

/* SPDX-License-Identifier: MIT */
/*
 * qsort and bsearch over a driver's comparison routine.
 *
 * Heapsort: in place, without recursion and in n log n whatever the order, since a
 * driver's stack is small and its data may be hostile. No state.
 */
#include "rtl/crt.h"
#include <stddef.h>

/* A comparison with or without a context. */
struct order {
	crt_compare *plain;
	crt_compare_in *with;
	void *context;
};

static LONG compare(const struct order *order, const void *a, const void *b)
{
	return order->plain ? order->plain(a, b) : order->with(order->context, a, b);
}

struct heap {
	char *base;
	SIZE_T count, width;
	const struct order *order;
};

static char *at(const struct heap *heap, SIZE_T i)
{
	return heap->base + i * heap->width;
}

static void swap(const struct heap *heap, SIZE_T i, SIZE_T j)
{
	char *a = at(heap, i), *b = at(heap, j);
	for (SIZE_T n = 0; n < heap->width; n++) {
		char byte = a[n];
		a[n] = b[n];
		b[n] = byte;
	}
}

/* Lets element i sink until neither child is greater. */
static void sink(const struct heap *heap, SIZE_T i)
{
	for (SIZE_T child; (child = 2 * i + 1) < heap->count; i = child) {
		if (child + 1 < heap->count &&
		    compare(heap->order, at(heap, child), at(heap, child + 1)) < 0)
			child++;
		if (compare(heap->order, at(heap, i), at(heap, child)) >= 0)
			return;
		swap(heap, i, child);
	}
}

static void sort(struct heap heap)
{
	for (SIZE_T i = heap.count / 2; i--;)
		sink(&heap, i);
	while (heap.count > 1) {
		swap(&heap, 0, heap.count - 1);
		heap.count--;
		sink(&heap, 0);
	}
}

static void *search(const void *key, const void *base, SIZE_T count, SIZE_T width,
		    const struct order *order)
{
	const char *first = base;
	while (count) {
		const char *middle = first + count / 2 * width;
		LONG difference = compare(order, key, middle);
		if (difference == 0)
			return (void *)(uintptr_t)middle;
		if (difference > 0) {
			first = middle + width;
			count--;
		}
		count /= 2;
	}
	return NULL;
}

VOID NTAPI crt_qsort(void *base, SIZE_T count, SIZE_T width, crt_compare *compare_routine)
{
	struct order order = {.plain = compare_routine};
	sort((struct heap){base, count, width, &order});
}

VOID NTAPI crt_qsort_s(void *base, SIZE_T count, SIZE_T width, crt_compare_in *compare_routine,
		       void *context)
{
	struct order order = {.with = compare_routine, .context = context};
	sort((struct heap){base, count, width, &order});
}

void *NTAPI crt_bsearch(const void *key, const void *base, SIZE_T count, SIZE_T width,
			crt_compare *compare_routine)
{
	struct order order = {.plain = compare_routine};
	return search(key, base, count, width, &order);
}

void *NTAPI crt_bsearch_s(const void *key, const void *base, SIZE_T count, SIZE_T width,
			  crt_compare_in *compare_routine, void *context)
{
	struct order order = {.with = compare_routine, .context = context};
	return search(key, base, count, width, &order);
}

/* SPDX-License-Identifier: MIT */
/*
 * One event: its pieces are copied, what describes them apart from what they hold, decoded,
 * and told.
 *
 * Everything here is the driver's and read by a copy that stops where there is no memory.
 * Then, and with nothing left to give back, the byte that stopped it is read again, so that
 * a bad pointer is an exception in its caller. Listeners see copies only.
 *
 * Pages: EtwWrite, EVENT_DATA_DESCRIPTOR, EVENT_INFO_CLASS, EventWrite (the limit).
 */
#include "etw/event.h"
#include "etw/decode.h"
#include "ex/event.h"
#include "ke/thread.h"
#include "ldr/module.h"
#include "memory.h"
#include "mm/copy.h"
#include "ps/process.h"
#include <string.h>

/* 64 KiB, of which the event's own header takes a part. */
#define MAX_EVENT (0x10000u - 80u)

enum { PAYLOAD, EVENT_METADATA, PROVIDER_METADATA, KINDS };

struct gathered {
	struct etw_decoded decoded;
	UCHAR *part[KINDS]; /* in bytes */
	SIZE_T size[KINDS];
	UCHAR bytes[];
};

/* Types that are not for us (a time stamp of the driver's) are left out: KINDS. */
static UCHAR kind_of(const struct etw_source *source, const EVENT_DATA_DESCRIPTOR *data)
{
	if (!source->uses_types)
		return PAYLOAD;
	return data->Type < KINDS ? data->Type : KINDS;
}

/* How many bytes of each kind there are; their sum. */
static ULONG64 measure(const struct etw_source *source, const EVENT_DATA_DESCRIPTOR *data,
		       ULONG count, ULONG64 size[KINDS])
{
	ULONG64 sum = 0;
	for (ULONG i = 0; i < count; i++) {
		UCHAR kind = kind_of(source, &data[i]);
		if (kind == KINDS)
			continue;
		size[kind] += data[i].Size;
		sum += data[i].Size;
	}
	return sum;
}

static void lay_out(struct gathered *all)
{
	UCHAR *at = all->bytes;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		all->part[kind] = at;
		at += all->size[kind];
	}
}

const char *etw_read(const void *from, void *to, size_t size)
{
	size_t copied = mm_read(PsGetCurrentProcess(), from, to, size);
	return copied == size ? NULL : (const char *)from + copied;
}

NTSTATUS etw_fault(const char *bad)
{
	(void)*(const volatile char *)bad;
	return STATUS_ACCESS_VIOLATION;
}

/* As etw_read. */
static const char *gather(const struct etw_source *source, const EVENT_DATA_DESCRIPTOR *data,
			  ULONG count, struct gathered *all)
{
	UCHAR *to[KINDS] = {all->part[0], all->part[1], all->part[2]};
	for (ULONG i = 0; i < count; i++) {
		UCHAR kind = kind_of(source, &data[i]);
		if (kind == KINDS || !data[i].Size)
			continue;
		const char *bad = etw_read((const void *)data[i].Ptr, to[kind], data[i].Size);
		if (bad)
			return bad;
		to[kind] += data[i].Size;
	}
	return NULL;
}

/* A description of the provider begins with its size and its name. */
static const char *name_of(const struct etw_source *source, const struct gathered *all)
{
	struct etw_bytes bytes = {all->part[PROVIDER_METADATA],
				  all->part[PROVIDER_METADATA] + all->size[PROVIDER_METADATA]};
	USHORT size;
	const char *name = etw_take_u16(&bytes, &size) ? etw_take_string(&bytes) : NULL;
	return name && *name ? name : *source->name ? source->name : NULL;
}

/* After a tail call the return address is not the driver's; the routine under way is. */
static const KLDR_DATA_TABLE_ENTRY *writer(const void *caller)
{
	struct ldr_module *module = ldr_module_of(caller);
	const struct ke_callout *callout = ke_processor()->callout;
	if (!module && callout)
		module = ldr_module_of(callout->routine);
	return module ? &module->entry : NULL;
}

static void describe(const struct etw_source *source, const EVENT_DESCRIPTOR *descriptor,
		     struct gathered *all, struct rs_event *event)
{
	event->trace.module = writer(source->caller);
	event->trace.provider = source->provider;
	event->trace.provider_name = name_of(source, all);
	event->trace.id = descriptor->Id;
	event->trace.version = descriptor->Version;
	event->trace.channel = descriptor->Channel;
	event->trace.level = descriptor->Level;
	event->trace.opcode = descriptor->Opcode;
	event->trace.task = descriptor->Task;
	event->trace.keyword = descriptor->Keyword;
	event->trace.data = all->part[PAYLOAD];
	event->trace.size = all->size[PAYLOAD];
	if (!etw_decode(all->part[EVENT_METADATA], all->size[EVENT_METADATA], all->part[PAYLOAD],
			all->size[PAYLOAD], &all->decoded))
		return;
	event->trace.name = all->decoded.name;
	event->trace.fields = all->decoded.field;
	event->trace.field_count = all->decoded.count;
}

/* What there is a limit to. */
struct small {
	EVENT_DESCRIPTOR descriptor;
	GUID activity, related;
	EVENT_DATA_DESCRIPTOR data[MAX_EVENT_DATA_DESCRIPTORS];
};

/* As etw_read. */
static const char *read_small(const struct etw_written *written, struct small *small)
{
	const char *bad = etw_read(written->descriptor, &small->descriptor,
				   sizeof(small->descriptor));
	if (!bad && written->activity)
		bad = etw_read(written->activity, &small->activity, sizeof(small->activity));
	if (!bad && written->related)
		bad = etw_read(written->related, &small->related, sizeof(small->related));
	if (!bad && written->count)
		bad = etw_read(written->data, small->data, written->count * sizeof(*small->data));
	return bad;
}

/* As etw_read. */
static const char *gather_and_tell(const struct etw_source *source,
				   const struct etw_written *written, const struct small *small,
				   struct gathered *all)
{
	struct rs_event event = {.type = RS_TRACE};
	lay_out(all);
	const char *bad = gather(source, small->data, written->count, all);
	if (bad)
		return bad;
	event.trace.activity = written->activity ? &small->activity : NULL;
	event.trace.related = written->related ? &small->related : NULL;
	describe(source, &small->descriptor, all, &event);
	ex_tell(&event);
	return NULL;
}

NTSTATUS etw_tell(const struct etw_source *source, const struct etw_written *written)
{
	struct small small;
	ULONG64 size[KINDS] = {0};
	if (!written->descriptor || written->count > MAX_EVENT_DATA_DESCRIPTORS ||
	    (written->count && !written->data))
		return STATUS_INVALID_PARAMETER;
	const char *bad = read_small(written, &small);
	if (bad)
		return etw_fault(bad);
	ULONG64 sum = measure(source, small.data, written->count, size);
	if (sum > MAX_EVENT)
		return STATUS_INTEGER_OVERFLOW;
	struct gathered *all = host_alloc(sizeof(*all) + sum);
	if (!all)
		return STATUS_NO_MEMORY;
	memcpy(all->size, size, sizeof(size));
	bad = gather_and_tell(source, written, &small, all);
	host_free(all);
	return bad ? etw_fault(bad) : STATUS_SUCCESS;
}

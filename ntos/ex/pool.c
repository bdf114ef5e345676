/* SPDX-License-Identifier: MIT */
/*
 * Pool, with every block on record.
 *
 * A block is memory for the driver, with guard bytes directly behind it and, unless
 * it is page-aligned, directly in front of it; and a record of its own, elsewhere,
 * so that a driver which overruns a block damages the guards and not what we know of
 * it. Such memory comes from the arena, apart from this program's own: an overrun that
 * goes further damages other blocks, whose guards show it. Records sit in a hash table by address, so a pointer that a driver frees is
 * looked up before anything behind it is read.
 *
 * The table is cut into shards; a shard's lock guards its chains of records and the
 * list of what was last freed there, which is kept to tell a block freed twice from a
 * pointer that never was one. A record leaves the table before its block is examined
 * or freed, so the examiner needs no lock, and of two threads that free one block the
 * second finds nothing. No bug check happens under a lock.
 *
 * Rules and how their breach ends (the bug-check pages of the debugger's manual):
 *
 *	allocate paged above APC_LEVEL		0xC4/0x01 (VF-8)
 *	tag 0, tag 'BIG'			0xC2/0x9B, 0xC2/0x9C
 *	must-succeed pool			0xC2/0x9A
 *	free paged above APC_LEVEL		0xC4/0x11 (VF-8)
 *	free a block twice			0xC2/0x07
 *	free NULL or what never was a block	0xC2/0x46
 *	free a user address			0xC2/0x40
 *	free with another tag			0xC2/0x0A
 *	bytes behind a block changed		0x19/0x21, at free or unload
 *	bytes in front of a block changed	0xC2/0x01, at free or unload
 *	blocks left at unload			0xC4/0x62 (VF-19)
 *
 * Nonpaged pool above DISPATCH_LEVEL is caught earlier, by the IRQL of the export.
 */
#include "ex/pool.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "arena.h"
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define PAGE_SIZE 4096u
#define LINE_SIZE 64u
#define UNIT_SIZE 16u /* what any block is aligned to, and the size of a guard */

/* Kernel addresses begin here; what lies below is the driver's user memory. */
#define SYSTEM_RANGE_START 0x500000000000ull

#define TAG_NONE 0x656E6F4Eu /* "None": what NT gives to blocks allocated without a tag */
#define TAG_BIG 0x474942u    /* "BIG" */

#define SHARDS 64u
#define CHAINS 64u
#define REMEMBERED 32u /* freed blocks per shard */

/* No driver means more than this; it also keeps sizes from wrapping around. */
#define LARGEST_BLOCK (1ull << 36)

struct block {
	struct block *next;
	char *body;        /* what the driver has */
	void *memory;      /* what the host gave, */
	size_t alignment;  /* aligned to this */
	SIZE_T size;       /* as asked for */
	const void *owner; /* return address of the allocating call */
	ULONG tag;
	POOL_TYPE type;
};

struct freed {
	const void *body;
	ULONG tag;
};

static struct shard {
	pthread_mutex_t lock;
	struct block *chain[CHAINS];
	struct freed freed[REMEMBERED];
	unsigned oldest; /* in freed */
} __attribute__((aligned(LINE_SIZE)))
shards[SHARDS] = {[0 ... SHARDS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

struct place {
	struct shard *shard;
	struct block **chain;
};

static struct place place_of(const void *body)
{
	uint64_t hash = ((uintptr_t)body >> 4) * 0x9E3779B97F4A7C15ull;
	struct shard *shard = &shards[hash >> 58];
	return (struct place){shard, &shard->chain[(hash >> 52) % CHAINS]};
}

/* Calls `visit` for every block, under the lock of its shard. */
static void visit_blocks(void (*visit)(void *context, const struct block *block), void *context)
{
	for (unsigned i = 0; i < SHARDS; i++) {
		pthread_mutex_lock(&shards[i].lock);
		for (unsigned j = 0; j < CHAINS; j++) {
			for (struct block *b = shards[i].chain[j]; b; b = b->next)
				visit(context, b);
		}
		pthread_mutex_unlock(&shards[i].lock);
	}
}

static bool is_paged(POOL_TYPE type)
{
	return type & PagedPool;
}

/* ---- The memory of a block ------------------------------------------------- */

/* A guard differs from block to block, so that copying one block with its guard
 * over another does not pass for an intact one. */
static void fill_guard(uint64_t guard[2], const char *body)
{
	guard[0] = (uintptr_t)body ^ 0x5F5E52494E475349ull;
	guard[1] = ~guard[0];
}

/* The pages promise that a block below a page does not cross a page boundary. */
static bool crosses_page(const char *body, SIZE_T size)
{
	uintptr_t first = (uintptr_t)body, last = first + (size ? size - 1 : 0);
	return (first ^ last) / PAGE_SIZE != 0;
}

/* Room in front of the body for a guard; a page-aligned block has none, since it
 * would cost a page. */
static size_t lead_of(size_t alignment)
{
	return alignment == PAGE_SIZE ? 0 : alignment;
}

static size_t whole_size(const struct block *block)
{
	return lead_of(block->alignment) + block->size + UNIT_SIZE;
}

static void give_memory_back(const struct block *block)
{
	host_arena_free(block->memory, whole_size(block), block->alignment);
}

static bool get_memory(struct block *block, size_t alignment)
{
	if (block->size > LARGEST_BLOCK)
		return false;
	block->alignment = alignment;
	block->memory = host_arena_alloc(whole_size(block), alignment);
	if (!block->memory)
		return false;
	block->body = (char *)block->memory + lead_of(alignment);
	if (alignment == PAGE_SIZE || !crosses_page(block->body, block->size))
		return true;
	give_memory_back(block);
	return get_memory(block, PAGE_SIZE);
}

static size_t alignment_for(POOL_TYPE type, SIZE_T size)
{
	if (size >= PAGE_SIZE)
		return PAGE_SIZE;
	return type & NonPagedPoolCacheAligned ? LINE_SIZE : UNIT_SIZE;
}

static void set_guards(struct block *block)
{
	uint64_t guard[2];
	fill_guard(guard, block->body);
	memcpy(block->body + block->size, guard, UNIT_SIZE);
	if (block->body != block->memory)
		memcpy(block->body - UNIT_SIZE, guard, UNIT_SIZE);
}

static bool overrun(const struct block *block)
{
	uint64_t guard[2];
	fill_guard(guard, block->body);
	return memcmp(block->body + block->size, guard, UNIT_SIZE) != 0;
}

static bool underrun(const struct block *block)
{
	uint64_t guard[2];
	fill_guard(guard, block->body);
	return block->body != block->memory &&
	       memcmp(block->body - UNIT_SIZE, guard, UNIT_SIZE) != 0;
}

static void give_back(struct block *block)
{
	memset(block->body, POOL_FREED_BYTE, block->size);
	give_memory_back(block);
	host_free(block);
}

/* ---- Allocating --------------------------------------------------------------- */

static void record(struct block *block)
{
	struct place place = place_of(block->body);
	pthread_mutex_lock(&place.shard->lock);
	block->next = *place.chain;
	*place.chain = block;
	pthread_mutex_unlock(&place.shard->lock);
}

static void *allocate(const void *owner, POOL_TYPE type, SIZE_T size, ULONG tag, bool zero)
{
	struct block *block = host_alloc(sizeof(*block));
	if (!block)
		return NULL;
	*block = (struct block){.size = size, .owner = owner, .tag = tag, .type = type};
	if (!get_memory(block, alignment_for(type, size))) {
		host_free(block);
		return NULL;
	}
	memset(block->body, zero ? 0 : POOL_FRESH_BYTE, size);
	set_guards(block);
	record(block);
	return block->body;
}

/* A bug check that blames `caller`. */
static _Noreturn void blame(const void *caller, ULONG code, ULONG64 what, ULONG64 p2, ULONG64 p3,
			    ULONG64 p4, const char *text)
{
	struct ke_bug_check bug = {
		.code = code, .parameter = {what, p2, p3, p4}, .address = caller};
	ke_bug_check(&bug, "%s", text);
}

static void check_request(const void *caller, POOL_TYPE type, SIZE_T size, ULONG tag)
{
	KIRQL irql = ke_processor()->pcr.irql;
	if (is_paged(type) && irql > APC_LEVEL)
		blame(caller, KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x01, irql, type, size,
		      "paged pool was allocated above APC_LEVEL");
	if (type & NonPagedPoolMustSucceed)
		blame(caller, KE_BAD_POOL_CALLER, 0x9A, type, size, tag,
		      "must-succeed pool was requested, which does not exist any more");
	if (tag == 0)
		blame(caller, KE_BAD_POOL_CALLER, 0x9B, type, size, (uintptr_t)caller,
		      "pool was allocated with the tag 0");
	if (tag == TAG_BIG)
		blame(caller, KE_BAD_POOL_CALLER, 0x9C, type, size, (uintptr_t)caller,
		      "pool was allocated with the tag 'BIG'");
}

static void *raise_unless(const void *caller, void *block, bool may_fail, NTSTATUS status)
{
	if (!block && !may_fail)
		blame(caller, KE_KMODE_EXCEPTION_NOT_HANDLED, (ULONG)status, (uintptr_t)caller, 0,
		      0,
		      "a pool allocation failed that was to raise an exception then; exceptions "
		      "from the kernel are not delivered to drivers");
	return block;
}

static void *allocate_type(const void *caller, POOL_TYPE type, SIZE_T size, ULONG tag,
			   bool may_fail)
{
	check_request(caller, type, size, tag);
	void *block = allocate(caller, type, size, tag, type & POOL_ZERO_ALLOCATION);
	return raise_unless(caller, block, may_fail, STATUS_INSUFFICIENT_RESOURCES);
}

/* Whether these flags name exactly one kind of pool and nothing unknown in the half
 * that must be understood. */
static bool valid_flags(POOL_FLAGS flags)
{
	const POOL_FLAGS kinds = POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE |
				 POOL_FLAG_PAGED;
	const POOL_FLAGS known = kinds | POOL_FLAG_USE_QUOTA | POOL_FLAG_UNINITIALIZED |
				 POOL_FLAG_SESSION | POOL_FLAG_CACHE_ALIGNED |
				 POOL_FLAG_RAISE_ON_FAILURE;
	POOL_FLAGS kind = flags & kinds;
	return kind && !(kind & (kind - 1)) && !((ULONG)flags & ~known);
}

static POOL_TYPE type_of_flags(POOL_FLAGS flags)
{
	POOL_TYPE type = flags & POOL_FLAG_PAGED       ? PagedPool
			 : flags & POOL_FLAG_NON_PAGED ? NonPagedPoolNx
						       : NonPagedPool;
	return flags & POOL_FLAG_CACHE_ALIGNED ? type | NonPagedPoolCacheAligned : type;
}

static void *allocate_flags(const void *caller, POOL_FLAGS flags, SIZE_T size, ULONG tag)
{
	bool may_fail = !(flags & POOL_FLAG_RAISE_ON_FAILURE);
	if (!valid_flags(flags) || tag == 0)
		return raise_unless(caller, NULL, may_fail, STATUS_INVALID_PARAMETER);
	POOL_TYPE type = type_of_flags(flags);
	check_request(caller, type, size, tag);
	void *block = allocate(caller, type, size, tag, !(flags & POOL_FLAG_UNINITIALIZED));
	return raise_unless(caller, block, may_fail, STATUS_INSUFFICIENT_RESOURCES);
}

void *ex_allocate_pool(const void *owner, POOL_TYPE type, SIZE_T size, ULONG tag)
{
	return allocate_type(owner, type, size, tag, true);
}

PVOID NTAPI ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
	return allocate_type(__builtin_return_address(0), PoolType, NumberOfBytes, TAG_NONE,
			     !(PoolType & POOL_RAISE_IF_ALLOCATION_FAILURE));
}

PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
	return allocate_type(__builtin_return_address(0), PoolType, NumberOfBytes, Tag,
			     !(PoolType & POOL_RAISE_IF_ALLOCATION_FAILURE));
}

PVOID NTAPI ExAllocatePoolWithTagPriority(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag,
					  ULONG Priority)
{
	(void)Priority; /* says how to fail when memory runs low, which the host does not tell */
	return allocate_type(__builtin_return_address(0), PoolType, NumberOfBytes, Tag,
			     !(PoolType & POOL_RAISE_IF_ALLOCATION_FAILURE));
}

PVOID NTAPI ExAllocatePoolWithQuota(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
	return allocate_type(__builtin_return_address(0), PoolType, NumberOfBytes, TAG_NONE,
			     PoolType & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE);
}

PVOID NTAPI ExAllocatePoolWithQuotaTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
	return allocate_type(__builtin_return_address(0), PoolType, NumberOfBytes, Tag,
			     PoolType & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE);
}

PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
	return allocate_flags(__builtin_return_address(0), Flags, NumberOfBytes, Tag);
}

/* A priority and a preferred node are advice. Secure pool, which the driver itself
 * could not write to, does not exist here. */
static bool acceptable(PCPOOL_EXTENDED_PARAMETER parameter)
{
	return parameter->Type == PoolExtendedParameterPriority ||
	       parameter->Type == PoolExtendedParameterNumaNode || parameter->Optional;
}

PVOID NTAPI ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag,
			    PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
			    ULONG ExtendedParametersCount)
{
	const void *caller = __builtin_return_address(0);
	for (ULONG i = 0; i < ExtendedParametersCount; i++) {
		if (!acceptable(&ExtendedParameters[i]))
			return raise_unless(caller, NULL, !(Flags & POOL_FLAG_RAISE_ON_FAILURE),
					    STATUS_INVALID_PARAMETER);
	}
	return allocate_flags(caller, Flags, NumberOfBytes, Tag);
}

/* ---- Freeing ------------------------------------------------------------------- */

static const struct freed *find_freed(const struct shard *shard, const void *body)
{
	/* NULL marks a place that holds none yet. */
	for (unsigned i = 0; body && i < REMEMBERED; i++) {
		if (shard->freed[i].body == body)
			return &shard->freed[i];
	}
	return NULL;
}

/* Takes the record of `body` out of the table and remembers that it was there. NULL
 * if it is not; then *was_freed says whether it was, and *tag with which tag. */
static struct block *take(const void *body, bool *was_freed, ULONG *tag)
{
	struct place place = place_of(body);
	struct shard *shard = place.shard;
	pthread_mutex_lock(&shard->lock);
	struct block **link = place.chain;
	while (*link && (*link)->body != body)
		link = &(*link)->next;
	struct block *block = *link;
	if (block) {
		*link = block->next;
		shard->freed[shard->oldest] = (struct freed){body, block->tag};
		shard->oldest = (shard->oldest + 1) % REMEMBERED;
	} else {
		const struct freed *freed = find_freed(shard, body);
		*was_freed = freed != NULL;
		*tag = freed ? freed->tag : 0;
	}
	pthread_mutex_unlock(&shard->lock);
	return block;
}

/* The block that `address` lies in, besides its start. */
struct inside {
	uintptr_t address;
	SIZE_T offset; /* 0: in none */
};

static void find_inside(void *context, const struct block *block)
{
	struct inside *inside = context;
	if (inside->address - (uintptr_t)block->body < block->size)
		inside->offset = inside->address - (uintptr_t)block->body;
}

/* The whole table is searched first, since a part of a new block may be where one was
 * freed earlier. It takes its time, but there is nothing left to hurry for. */
static _Noreturn void not_a_block(const void *caller, const void *body, bool was_freed, ULONG tag)
{
	struct inside inside = {(uintptr_t)body, 0};
	uintptr_t address = (uintptr_t)body;
	visit_blocks(find_inside, &inside);
	if (inside.offset)
		blame(caller, KE_BAD_POOL_CALLER, 0x46, address, 0, 0,
		      "an address inside a pool block was freed, not its start");
	if (was_freed)
		blame(caller, KE_BAD_POOL_CALLER, 0x07, 0, tag, address,
		      "a pool block was freed that had been freed before");
	if (body && address < SYSTEM_RANGE_START)
		blame(caller, KE_BAD_POOL_CALLER, 0x40, address, SYSTEM_RANGE_START, 0,
		      "a user-mode address was freed as pool");
	blame(caller, KE_BAD_POOL_CALLER, 0x46, address, 0, 0,
	      body ? "an address was freed that is not the start of a pool block"
		   : "NULL was freed as pool");
}

static void check_guards(const void *caller, const struct block *block)
{
	if (overrun(block)) {
		ULONG64 found;
		memcpy(&found, block->body + block->size, sizeof(found));
		blame(caller, KE_BAD_POOL_HEADER, 0x21, (uintptr_t)block->body, block->size, found,
		      "memory behind a pool block was written to");
	}
	if (underrun(block)) {
		ULONG64 found;
		memcpy(&found, block->body - UNIT_SIZE, sizeof(found));
		blame(caller, KE_BAD_POOL_CALLER, 0x01, (uintptr_t)block->body - UNIT_SIZE, found,
		      0, "memory in front of a pool block was written to");
	}
}

/* Examines and frees a block that is in no table any more. */
static void retire(const void *caller, struct block *block, ULONG tag)
{
	KIRQL irql = ke_processor()->pcr.irql;
	if (is_paged(block->type) && irql > APC_LEVEL)
		blame(caller, KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x11, irql, block->type,
		      (uintptr_t)block->body, "paged pool was freed above APC_LEVEL");
	if (tag && tag != block->tag)
		blame(caller, KE_BAD_POOL_CALLER, 0x0A, (uintptr_t)block->body, block->tag, tag,
		      "a pool block was freed with another tag than it was allocated with");
	check_guards(caller, block);
	give_back(block);
}

static void free_block(const void *caller, void *body, ULONG tag)
{
	bool was_freed = false;
	ULONG old_tag = 0;
	struct block *block = take(body, &was_freed, &old_tag);
	if (block)
		retire(caller, block, tag);
	else
		not_a_block(caller, body, was_freed, old_tag);
}

void ex_free_pool(const void *caller, void *block)
{
	free_block(caller, block, 0);
}

VOID NTAPI ExFreePool(PVOID P)
{
	free_block(__builtin_return_address(0), P, 0);
}

VOID NTAPI ExFreePoolWithTag(PVOID P, ULONG Tag)
{
	free_block(__builtin_return_address(0), P, Tag);
}

VOID NTAPI ExFreePool2(PVOID P, ULONG Tag, PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
		       ULONG ExtendedParametersCount)
{
	/* They describe secure pool, of which there is none to free. */
	(void)ExtendedParameters;
	(void)ExtendedParametersCount;
	free_block(__builtin_return_address(0), P, Tag);
}

/* ---- At unload and at the end --------------------------------------------------- */

struct owner_visit {
	uintptr_t base;
	SIZE_T size;
	void (*found)(void *context, ULONG tag, const void *block, SIZE_T size);
	void *context;
};

static bool owned_by(const struct block *block, uintptr_t base, SIZE_T size)
{
	return (uintptr_t)block->owner - base < size;
}

static void visit_if_owned(void *context, const struct block *block)
{
	const struct owner_visit *visit = context;
	if (owned_by(block, visit->base, visit->size))
		visit->found(visit->context, block->tag, block->body, block->size);
}

void ex_visit_pool_of(const void *base, SIZE_T size,
		      void (*found)(void *context, ULONG tag, const void *block, SIZE_T size),
		      void *context)
{
	struct owner_visit visit = {(uintptr_t)base, size, found, context};
	visit_blocks(visit_if_owned, &visit);
}

struct inventory {
	uintptr_t base;
	SIZE_T size;
	ULONG64 blocks, bytes;
	/* Copies; body NULL: none. The largest leak is the one to look at first. */
	struct block damaged, largest;
};

static void take_inventory(void *context, const struct block *block)
{
	struct inventory *inventory = context;
	if (!owned_by(block, inventory->base, inventory->size))
		return;
	inventory->blocks++;
	inventory->bytes += block->size;
	if (!inventory->largest.body || block->size > inventory->largest.size)
		inventory->largest = *block;
	if (overrun(block) || underrun(block))
		inventory->damaged = *block;
}

/* A tag as people know it: the characters in the order of memory. */
static const char *name_tag(ULONG tag, char name[5])
{
	for (unsigned i = 0; i < 4; i++) {
		char c = (char)(tag >> 8 * i);
		name[i] = c >= ' ' && c <= '~' ? c : '.';
	}
	name[4] = '\0';
	return name;
}

void ex_check_pool_at_unload(const void *base, SIZE_T size, const UNICODE_STRING *name)
{
	struct inventory inventory = {.base = (uintptr_t)base, .size = size};
	char tag[5];
	visit_blocks(take_inventory, &inventory);
	if (inventory.damaged.body)
		check_guards(inventory.damaged.owner, &inventory.damaged);
	if (!inventory.blocks)
		return;
	struct ke_bug_check bug = {.code = (ULONG)KE_DRIVER_VERIFIER_DETECTED_VIOLATION,
				   .parameter = {0x62, (uintptr_t)name, 0, inventory.blocks},
				   .address = inventory.largest.owner};
	ke_bug_check(&bug,
		     "%llu pool block%s (%llu bytes) of the driver %s not freed; the largest, "
		     "'%s' with %llu bytes, was allocated here",
		     (unsigned long long)inventory.blocks, inventory.blocks == 1 ? "" : "s",
		     (unsigned long long)inventory.bytes, inventory.blocks == 1 ? "was" : "were",
		     name_tag(inventory.largest.tag, tag),
		     (unsigned long long)inventory.largest.size);
}

void ex_shutdown_pool(void)
{
	for (unsigned i = 0; i < SHARDS; i++) {
		for (unsigned j = 0; j < CHAINS; j++) {
			while (shards[i].chain[j]) {
				struct block *block = shards[i].chain[j];
				shards[i].chain[j] = block->next;
				give_back(block);
			}
		}
		memset(shards[i].freed, 0, sizeof(shards[i].freed));
		shards[i].oldest = 0;
	}
}

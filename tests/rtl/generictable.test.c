/* SPDX-License-Identifier: MIT */
/* Generic tables of both kinds against a plain array, and the rules of their trees. */
#include "rtl/generictable.h"
#include "support/world.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 97

struct item {
	int key;
	int payload;
};

/* What both kinds of tables do. */
struct kind {
	void *(*insert)(const struct item *item, BOOLEAN *made);
	BOOLEAN (*remove)(int key);
	void *(*lookup)(int key);
	void *(*get)(ULONG place);
	void *(*enumerate)(BOOLEAN restart);
	void *(*walk)(PVOID *restart);
	ULONG (*count)(void);
	BOOLEAN (*empty)(void);
	void (*check)(void);
	bool by_key; /* get counts in the order of the keys */
};

static RTL_GENERIC_TABLE splay;
static RTL_AVL_TABLE avl;
static unsigned allocated, last_size;
static bool out_of_memory;

static RTL_GENERIC_COMPARE_RESULTS compare(const struct item *a, const struct item *b)
{
	return a->key < b->key   ? GenericLessThan
	       : a->key > b->key ? GenericGreaterThan
				 : GenericEqual;
}

static void *allocate(ULONG size)
{
	last_size = size;
	allocated += !out_of_memory;
	return out_of_memory ? NULL : malloc(size);
}

static RTL_GENERIC_COMPARE_RESULTS NTAPI compare_splay(PRTL_GENERIC_TABLE table, PVOID a, PVOID b)
{
	assert_ptr_equal(table, &splay);
	return compare(a, b);
}

static PVOID NTAPI allocate_splay(PRTL_GENERIC_TABLE table, ULONG size)
{
	assert_ptr_equal(table->TableContext, &allocated);
	return allocate(size);
}

static VOID NTAPI free_splay(PRTL_GENERIC_TABLE table, PVOID buffer)
{
	(void)table;
	allocated--;
	free(buffer);
}

static RTL_GENERIC_COMPARE_RESULTS NTAPI compare_avl(PRTL_AVL_TABLE table, PVOID a, PVOID b)
{
	assert_ptr_equal(table, &avl);
	return compare(a, b);
}

static PVOID NTAPI allocate_avl(PRTL_AVL_TABLE table, ULONG size)
{
	assert_ptr_equal(table->TableContext, &allocated);
	return allocate(size);
}

static VOID NTAPI free_avl(PRTL_AVL_TABLE table, PVOID buffer)
{
	(void)table;
	allocated--;
	free(buffer);
}

/* ---- Splay -------------------------------------------------------------------------- */

static void *splay_insert(const struct item *item, BOOLEAN *made)
{
	return RtlInsertElementGenericTable(&splay, (PVOID)item, sizeof(*item), made);
}

static BOOLEAN splay_remove(int key)
{
	return RtlDeleteElementGenericTable(&splay, &(struct item){.key = key});
}

static void *splay_lookup(int key)
{
	return RtlLookupElementGenericTable(&splay, &(struct item){.key = key});
}

static void *splay_get(ULONG place)
{
	return RtlGetElementGenericTable(&splay, place);
}

static void *splay_enumerate(BOOLEAN restart)
{
	return RtlEnumerateGenericTable(&splay, restart);
}

static void *splay_walk(PVOID *restart)
{
	return RtlEnumerateGenericTableWithoutSplaying(&splay, restart);
}

static ULONG splay_count(void)
{
	return RtlNumberGenericTableElements(&splay);
}

static BOOLEAN splay_empty(void)
{
	return RtlIsGenericTableEmpty(&splay);
}

static unsigned check_links(const RTL_SPLAY_LINKS *node, const RTL_SPLAY_LINKS *parent)
{
	if (!node)
		return 0;
	assert_ptr_equal(node->Parent, parent);
	return 1 + check_links(node->LeftChild, node) + check_links(node->RightChild, node);
}

static void splay_check(void)
{
	assert_int_equal(check_links(splay.TableRoot, splay.TableRoot),
			 splay.NumberGenericTableElements);
}

static const struct kind splay_kind = {
	splay_insert, splay_remove, splay_lookup, splay_get,   splay_enumerate,
	splay_walk,   splay_count,  splay_empty,  splay_check, false,
};

/* ---- AVL ------------------------------------------------------------------------------ */

static void *avl_insert(const struct item *item, BOOLEAN *made)
{
	return RtlInsertElementGenericTableAvl(&avl, (PVOID)item, sizeof(*item), made);
}

static BOOLEAN avl_remove(int key)
{
	return RtlDeleteElementGenericTableAvl(&avl, &(struct item){.key = key});
}

static void *avl_lookup(int key)
{
	return RtlLookupElementGenericTableAvl(&avl, &(struct item){.key = key});
}

static void *avl_get(ULONG place)
{
	return RtlGetElementGenericTableAvl(&avl, place);
}

static void *avl_enumerate(BOOLEAN restart)
{
	return RtlEnumerateGenericTableAvl(&avl, restart);
}

static void *avl_walk(PVOID *restart)
{
	return RtlEnumerateGenericTableWithoutSplayingAvl(&avl, restart);
}

static ULONG avl_count(void)
{
	return RtlNumberGenericTableElementsAvl(&avl);
}

static BOOLEAN avl_empty(void)
{
	return RtlIsGenericTableEmptyAvl(&avl);
}

/* The height; every node is balanced and says how. */
static int check_height(const RTL_BALANCED_LINKS *node, const RTL_BALANCED_LINKS *parent)
{
	if (!node)
		return 0;
	assert_ptr_equal(node->Parent, parent);
	int left = check_height(node->LeftChild, node),
	    right = check_height(node->RightChild, node);
	assert_int_equal(node->Balance, right - left);
	assert_true(abs(right - left) <= 1);
	return 1 + (left > right ? left : right);
}

static void avl_check(void)
{
	const RTL_BALANCED_LINKS *root = &avl.BalancedRoot;
	assert_ptr_equal(root->Parent, root);
	assert_null(root->LeftChild);
	assert_int_equal(check_height(root->RightChild, root), avl.DepthOfTree);
}

static const struct kind avl_kind = {
	avl_insert, avl_remove, avl_lookup, avl_get,   avl_enumerate,
	avl_walk,   avl_count,  avl_empty,  avl_check, true,
};

/* ---- Against an array -------------------------------------------------------------------- */

static struct {
	int key[KEYS]; /* in the order of insertion */
	unsigned count;
} model;

static unsigned place_of(int key)
{
	unsigned i = 0;
	while (i < model.count && model.key[i] != key)
		i++;
	return i;
}

static void compare_order(const struct kind *kind)
{
	PVOID restart = NULL;
	struct item *item, *other = kind->enumerate(TRUE);
	int last = -1;
	unsigned count = 0;
	while ((item = kind->walk(&restart))) {
		assert_ptr_equal(item, other);
		assert_true(item->key > last);
		last = item->key;
		if (kind->by_key)
			assert_ptr_equal(kind->get(count), item);
		count++;
		other = kind->enumerate(FALSE);
	}
	assert_null(other);
	assert_int_equal(count, model.count);
	for (unsigned i = 0; !kind->by_key && i < model.count; i++)
		assert_int_equal(((struct item *)kind->get(i))->key, model.key[i]);
	assert_null(kind->get(model.count));
}

static void step(const struct kind *kind, int key, bool remove)
{
	unsigned place = place_of(key);
	bool known = place < model.count;
	BOOLEAN made = 2;
	if (remove) {
		assert_int_equal(kind->remove(key), known);
		if (known) {
			model.count--;
			memmove(model.key + place, model.key + place + 1,
				(model.count - place) * sizeof(model.key[0]));
		}
	} else {
		const struct item item = {key, key * 3};
		struct item *there = kind->insert(&item, &made);
		assert_int_equal(made, !known);
		assert_ptr_not_equal(there, &item);
		assert_int_equal(there->payload, key * 3);
		if (!known)
			model.key[model.count++] = key;
	}
	struct item *found = kind->lookup(key);
	assert_int_equal(found != NULL, !remove);
	assert_int_equal(kind->count(), model.count);
	assert_int_equal(kind->empty(), model.count == 0);
	assert_int_equal(allocated, model.count);
	kind->check();
}

static void live(const struct kind *kind)
{
	model.count = 0;
	assert_null(kind->get(0));
	assert_null(kind->enumerate(TRUE));
	srand(1);
	for (unsigned i = 0; i < 6000; i++) {
		/* Grows for a while, then shrinks. */
		step(kind, rand() % KEYS, rand() % 100 < (i / 700 % 2 ? 65 : 35));
		if (i % 13 == 0)
			compare_order(kind);
		if (model.count)
			kind->get((ULONG)rand() % model.count); /* another place to start from */
	}
	for (int key = 0; key < KEYS; key++) /* sorted: the worst case of a plain tree */
		step(kind, key, false);
	compare_order(kind);
	/* As the page empties a table. */
	while (!kind->empty())
		assert_true(kind->remove(((struct item *)kind->get(0))->key));
	model.count = 0;
	kind->check();
	assert_int_equal(allocated, 0);
}

static int begin(void **state)
{
	(void)state;
	allocated = 0;
	out_of_memory = false;
	RtlInitializeGenericTable(&splay, compare_splay, allocate_splay, free_splay, &allocated);
	RtlInitializeGenericTableAvl(&avl, compare_avl, allocate_avl, free_avl, &allocated);
	return 0;
}

static void wdk_splay_table_behaves_like_a_set(void **state)
{
	(void)state;
	live(&splay_kind);
}

static void wdk_avl_table_behaves_like_a_set_and_stays_balanced(void **state)
{
	(void)state;
	live(&avl_kind);
}

static void wdk_element_without_memory_is_not_inserted(void **state)
{
	(void)state;
	BOOLEAN made = TRUE;
	const struct item item = {1, 1};
	out_of_memory = true;
	assert_null(splay_insert(&item, &made));
	assert_int_equal(made, FALSE);
	assert_int_equal(last_size, 0x28 + sizeof(item));
	made = TRUE;
	assert_null(avl_insert(&item, &made));
	assert_int_equal(made, FALSE);
	assert_int_equal(last_size, 0x20 + sizeof(item));
	assert_true(splay_empty() && avl_empty());
	out_of_memory = false;
	assert_non_null(splay_insert(&item, NULL)); /* NewElement is optional */
	assert_non_null(avl_insert(&item, NULL));
	splay_remove(1);
	avl_remove(1);
}

static void wdk_full_forms_find_the_place_and_use_it(void **state)
{
	(void)state;
	PVOID place;
	TABLE_SEARCH_RESULT result;
	struct item two = {2, 0}, one = {1, 0};
	assert_null(RtlLookupElementGenericTableFull(&splay, &two, &place, &result));
	assert_int_equal(result, TableEmptyTree);
	PVOID data = RtlInsertElementGenericTableFull(&splay, &two, sizeof(two), NULL, place,
						      result);
	assert_null(RtlLookupElementGenericTableFull(&splay, &one, &place, &result));
	assert_int_equal(result, TableInsertAsLeft);
	RtlInsertElementGenericTableFull(&splay, &one, sizeof(one), NULL, place, result);
	assert_ptr_equal(RtlLookupElementGenericTableFull(&splay, &two, &place, &result), data);
	assert_int_equal(result, TableFoundNode);
	assert_ptr_equal(splay.TableRoot, place); /* what was looked up is at the top */
	splay_remove(1);
	splay_remove(2);

	assert_null(RtlLookupElementGenericTableFullAvl(&avl, &one, &place, &result));
	assert_int_equal(result, TableEmptyTree);
	data = RtlInsertElementGenericTableFullAvl(&avl, &one, sizeof(one), NULL, place, result);
	assert_null(RtlLookupElementGenericTableFullAvl(&avl, &two, &place, &result));
	assert_int_equal(result, TableInsertAsRight);
	RtlInsertElementGenericTableFullAvl(&avl, &two, sizeof(two), NULL, place, result);
	assert_ptr_equal(RtlLookupElementGenericTableFullAvl(&avl, &one, &place, &result), data);
	RtlDeleteElementGenericTableAvlEx(&avl, place);
	assert_null(avl_lookup(1));
	avl_remove(2);
}

static void wdk_removing_during_an_enumeration_skips_nothing(void **state)
{
	(void)state;
	for (int key = 0; key < 20; key++)
		avl_insert(&(struct item){key, 0}, NULL);
	int expected = 0;
	for (struct item *item = avl_enumerate(TRUE); item; item = avl_enumerate(FALSE)) {
		assert_int_equal(item->key, expected);
		expected++;
		if (item->key % 2)
			avl_remove(item->key);
	}
	assert_int_equal(expected, 20);
	assert_int_equal(avl_count(), 10);
	for (int key = 0; key < 20; key += 2)
		avl_remove(key);
}

/* Tens are equal. */
static RTL_GENERIC_COMPARE_RESULTS NTAPI compare_tens(PRTL_AVL_TABLE table, PVOID a, PVOID b)
{
	(void)table;
	return compare(&(struct item){.key = ((struct item *)a)->key / 10},
		       &(struct item){.key = ((struct item *)b)->key / 10});
}

static void wdk_first_match_is_the_leftmost(void **state)
{
	(void)state;
	PVOID restart;
	for (int key = 0; key < 50; key++)
		avl_insert(&(struct item){(key * 7) % 50, 0}, NULL);
	avl.CompareRoutine = compare_tens;
	struct item wanted = {35, 0};
	struct item *item = RtlLookupFirstMatchingElementGenericTableAvl(&avl, &wanted, &restart);
	assert_int_equal(item->key, 30);
	item = RtlEnumerateGenericTableWithoutSplayingAvl(&avl, &restart);
	assert_int_equal(item->key, 31);
	wanted.key = 77;
	assert_null(RtlLookupFirstMatchingElementGenericTableAvl(&avl, &wanted, &restart));
	avl.CompareRoutine = compare_avl;
	for (int key = 0; key < 50; key++)
		avl_remove(key);
}

static NTSTATUS NTAPI is_even_below_14(PRTL_AVL_TABLE table, PVOID data, PVOID match)
{
	const struct item *item = data;
	(void)table;
	assert_ptr_equal(match, &avl);
	return item->key >= 14 ? STATUS_NO_MORE_MATCHES
	       : item->key & 1 ? STATUS_NO_MATCH
			       : STATUS_SUCCESS;
}

static int next_of_directory(struct item *from, ULONG next, PVOID *restart, ULONG *deleted)
{
	struct item *item = RtlEnumerateGenericTableLikeADirectory(&avl, is_even_below_14, &avl,
								   next, restart, deleted, from);
	if (item)
		*from = *item;
	return item ? item->key : -1;
}

static void wdk_directory_enumeration_survives_removals(void **state)
{
	(void)state;
	PVOID restart = NULL;
	ULONG deleted = 0;
	for (int key = 0; key < 20; key++)
		avl_insert(&(struct item){key, 0}, NULL);
	struct item from = {5, 0};
	assert_int_equal(next_of_directory(&from, FALSE, &restart, &deleted), 6);
	assert_int_equal(next_of_directory(&from, TRUE, &restart, &deleted), 8);
	avl_remove(8);
	assert_int_equal(next_of_directory(&from, TRUE, &restart, &deleted), 10);
	assert_int_equal(next_of_directory(&from, TRUE, &restart, &deleted), 12);
	assert_int_equal(next_of_directory(&from, TRUE, &restart, &deleted), -1);
	for (int key = 0; key < 20; key++)
		avl_remove(key);
}

/* ---- A compiled driver --------------------------------------------------------------------- */

static char said[256];

static void collect(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type == RS_DEBUG_PRINT)
		snprintf(said, sizeof said, "%s", event->print.text);
}

static void a_compiled_driver_embeds_tables(void **state)
{
	(void)state;
	struct rs_error error;
	rs_listen(collect, NULL);
	struct rs_driver *driver = rs_load(TEST_BUILD "/tests/drivers/tables.sys", &error);
	if (!driver)
		fail_msg("%s", error.text);
	if (!NT_SUCCESS(rs_start(driver)))
		fail_msg("%s", said);
	assert_ntsuccess(rs_unload(driver));
	rs_unlisten(collect, NULL);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wdk_splay_table_behaves_like_a_set),
		TEST(wdk_avl_table_behaves_like_a_set_and_stays_balanced),
		TEST(wdk_element_without_memory_is_not_inserted),
		TEST(wdk_full_forms_find_the_place_and_use_it),
		TEST(wdk_removing_during_an_enumeration_skips_nothing),
		TEST(wdk_first_match_is_the_leftmost),
		TEST(wdk_directory_enumeration_survives_removals),
		WORLD_TEST(a_compiled_driver_embeds_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

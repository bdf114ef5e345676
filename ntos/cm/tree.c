/* SPDX-License-Identifier: MIT */
/*
 * The registry's tree.
 *
 * A node is a key: its name, its class, its subkeys in the order of their names
 * (as NT's hives keep them, so enumeration gives NT's order) and its values in
 * the order in which they first came. One lock, `tree.lock`, protects all that
 * changes in any node; a node's parent, name, class and kind are fixed when it is
 * made. It is a leaf: nothing is called under it but the allocator and string
 * comparison.
 *
 * References: a subkey holds one on its parent, so that a path can always be
 * walked up; a parent holds one on each subkey; every open key object holds one.
 * Deletion unlinks the node and drops its values at once; what remains says
 * KEY_DELETED until the last handle goes.
 *
 * Values are immutable and counted on their own, so the callers of
 * cm_find_value copy to a driver's buffer without holding the lock, and the data
 * that a driver gives is copied before the lock is taken.
 *
 * Nothing is kept on disk: volatile keys differ only in that NT's rule about
 * their subkeys holds.
 */
#include "cm/tree.h"
#include "clock.h"
#include "ke/bugcheck.h"
#include "memory.h"
#include "rtl/string.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

/* An ordered list of pointers. */
struct list {
	void **item;
	ULONG count, room;
};

struct cm_node {
	/* Fixed. */
	struct cm_node *parent;
	UNICODE_STRING name, class;
	unsigned depth;
	bool is_volatile, fixture, bare;

	_Atomic uint32_t references;

	/* Under tree.lock. */
	bool deleted;
	LONGLONG last_write;
	struct list subkeys; /* struct cm_node, sorted by name */
	struct list values;  /* struct cm_value, oldest first */

	WCHAR text[]; /* the name, then the class */
};

static struct {
	pthread_mutex_t lock;
	struct cm_node *root; /* from cm_plant to cm_fell */
} tree = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void copy_text(UNICODE_STRING *to, WCHAR *buffer, PCUNICODE_STRING from)
{
	if (from->Length)
		memcpy(buffer, from->Buffer, from->Length);
	to->Length = to->MaximumLength = from->Length;
	to->Buffer = buffer;
}

/* ---- Lists --------------------------------------------------------------- */

/* Makes room for one more; doubling keeps the copying linear in the end. */
static bool make_room(struct list *list)
{
	if (list->count < list->room)
		return true;
	ULONG room = list->room ? list->room * 2 : 4;
	void **item = host_alloc(room * sizeof(*item));
	if (!item)
		return false;
	if (list->count)
		memcpy(item, list->item, list->count * sizeof(*item));
	host_free(list->item);
	list->item = item;
	list->room = room;
	return true;
}

/* make_room has been called. */
static void insert_at(struct list *list, ULONG place, void *item)
{
	void **slot = list->item + place;
	memmove(slot + 1, slot, (list->count - place) * sizeof(*slot));
	*slot = item;
	list->count++;
}

static void remove_at(struct list *list, ULONG place)
{
	void **slot = list->item + place;
	list->count--;
	memmove(slot, slot + 1, (list->count - place) * sizeof(*slot));
}

static void free_list(struct list *list)
{
	host_free(list->item);
	*list = (struct list){0};
}

/* ---- Nodes --------------------------------------------------------------- */

void cm_reference(struct cm_node *node)
{
	atomic_fetch_add_explicit(&node->references, 1, memory_order_relaxed);
}

static void drop_values(struct cm_node *node)
{
	for (ULONG i = 0; i < node->values.count; i++)
		cm_release_value(node->values.item[i]);
	free_list(&node->values);
}

void cm_release(struct cm_node *node)
{
	/* A loop, since the last reference to a node gives back one on its parent. */
	while (node && atomic_fetch_sub_explicit(&node->references, 1, memory_order_acq_rel) == 1) {
		struct cm_node *parent = node->parent;
		KE_ASSERT(node->subkeys.count == 0);
		drop_values(node);
		free_list(&node->subkeys);
		host_free(node);
		node = parent;
	}
}

static struct cm_node *make_node(struct cm_node *parent, PCUNICODE_STRING name,
				 const struct cm_new_key *how)
{
	struct cm_node *node = host_alloc(sizeof(*node) + name->Length + how->class.Length);
	if (!node)
		return NULL;
	copy_text(&node->name, node->text, name);
	copy_text(&node->class, node->text + name->Length / sizeof(WCHAR), &how->class);
	node->is_volatile = how->is_volatile;
	node->fixture = how->fixture;
	node->bare = how->bare;
	node->last_write = (LONGLONG)host_nt_time();
	atomic_init(&node->references, 1);
	if (parent) {
		node->parent = parent;
		node->depth = parent->depth + 1;
		cm_reference(parent);
	}
	return node;
}

/* Where `name` is among the subkeys, or where it belongs. */
static bool find_subkey(const struct cm_node *node, PCUNICODE_STRING name, ULONG *place)
{
	ULONG low = 0, high = node->subkeys.count;
	while (low < high) {
		ULONG middle = low + (high - low) / 2;
		const struct cm_node *subkey = node->subkeys.item[middle];
		LONG order = RtlCompareUnicodeString(name, &subkey->name, TRUE);
		if (order == 0) {
			*place = middle;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*place = low;
	return false;
}

/* Adds a subkey at its place. What NT refuses: a key where it keeps no hive, a
 * lasting one below a volatile one, a tree that is too deep. */
static NTSTATUS add_subkey(struct cm_node *parent, PCUNICODE_STRING name, ULONG place,
			   const struct cm_new_key *how, struct cm_node **made)
{
	if (parent->bare && !how->fixture)
		return STATUS_INVALID_PARAMETER;
	if (parent->is_volatile && !how->is_volatile)
		return STATUS_CHILD_MUST_BE_VOLATILE;
	if (parent->depth + 1 >= CM_MAX_DEPTH)
		return STATUS_INVALID_PARAMETER;
	if (!make_room(&parent->subkeys))
		return STATUS_INSUFFICIENT_RESOURCES;
	struct cm_node *node = make_node(parent, name, how);
	if (!node)
		return STATUS_INSUFFICIENT_RESOURCES;
	insert_at(&parent->subkeys, place, node);
	parent->last_write = node->last_write;
	*made = node;
	return STATUS_SUCCESS;
}

bool cm_next_component(UNICODE_STRING *rest, UNICODE_STRING *component)
{
	USHORT length = 0, count = rest->Length / sizeof(WCHAR), skip = 0;
	while (skip < count && rest->Buffer[skip] == u'\\')
		skip++;
	while (skip + length < count && rest->Buffer[skip + length] != u'\\')
		length++;
	component->Buffer = rest->Buffer + skip;
	component->Length = component->MaximumLength = length * sizeof(WCHAR);
	rest->Buffer += skip + length;
	rest->Length -= (skip + length) * sizeof(WCHAR);
	return length != 0;
}

static bool is_last(UNICODE_STRING rest)
{
	UNICODE_STRING component;
	return !cm_next_component(&rest, &component);
}

/* Walks down from `from`; with `how`, a missing last component is made. Under the
 * lock; the result is not referenced. */
static NTSTATUS walk(struct cm_node *from, UNICODE_STRING rest, const struct cm_new_key *how,
		     struct cm_node **found, bool *created)
{
	struct cm_node *node = from;
	UNICODE_STRING name;
	bool made = false;
	if (node->deleted)
		return STATUS_KEY_DELETED;
	while (cm_next_component(&rest, &name)) {
		ULONG place;
		if (name.Length > CM_MAX_KEY_NAME * sizeof(WCHAR))
			return STATUS_INVALID_PARAMETER;
		if (find_subkey(node, &name, &place)) {
			node = node->subkeys.item[place];
			continue;
		}
		if (!how || !is_last(rest))
			return STATUS_OBJECT_NAME_NOT_FOUND;
		NTSTATUS status = add_subkey(node, &name, place, how, &node);
		if (!NT_SUCCESS(status))
			return status;
		made = true;
	}
	*found = node;
	*created = made;
	return STATUS_SUCCESS;
}

static NTSTATUS locked_walk(struct cm_node *from, PCUNICODE_STRING path,
			    const struct cm_new_key *how, struct cm_node **node, bool *created)
{
	struct cm_node *found;
	pthread_mutex_lock(&tree.lock);
	NTSTATUS status = walk(from, *path, how, &found, created);
	if (NT_SUCCESS(status)) {
		cm_reference(found);
		*node = found;
	}
	pthread_mutex_unlock(&tree.lock);
	return status;
}

NTSTATUS cm_find(struct cm_node *from, PCUNICODE_STRING path, struct cm_node **node)
{
	bool created;
	return locked_walk(from, path, NULL, node, &created);
}

NTSTATUS cm_create(struct cm_node *from, PCUNICODE_STRING path, const struct cm_new_key *how,
		   struct cm_node **node, bool *created)
{
	return locked_walk(from, path, how, node, created);
}

/* Takes a node without subkeys out of its parent. Under the lock; the parent's
 * reference is the caller's to give back. */
static void unlink_node(struct cm_node *node)
{
	struct cm_node *parent = node->parent;
	ULONG place;
	bool found = find_subkey(parent, &node->name, &place);
	KE_ASSERT(found && parent->subkeys.item[place] == node);
	remove_at(&parent->subkeys, place);
	parent->last_write = (LONGLONG)host_nt_time();
	node->deleted = true;
	drop_values(node);
}

NTSTATUS cm_delete(struct cm_node *node)
{
	NTSTATUS status = STATUS_SUCCESS;
	pthread_mutex_lock(&tree.lock);
	if (node->deleted)
		status = STATUS_KEY_DELETED;
	else if (node->fixture || node->subkeys.count)
		status = STATUS_CANNOT_DELETE;
	else
		unlink_node(node);
	pthread_mutex_unlock(&tree.lock);
	if (NT_SUCCESS(status))
		cm_release(node);
	return status;
}

NTSTATUS cm_nth_subkey(struct cm_node *node, ULONG index, struct cm_node **subkey)
{
	NTSTATUS status = STATUS_SUCCESS;
	pthread_mutex_lock(&tree.lock);
	if (node->deleted) {
		status = STATUS_KEY_DELETED;
	} else if (index >= node->subkeys.count) {
		status = STATUS_NO_MORE_ENTRIES;
	} else {
		*subkey = node->subkeys.item[index];
		cm_reference(*subkey);
	}
	pthread_mutex_unlock(&tree.lock);
	return status;
}

NTSTATUS cm_check(struct cm_node *node)
{
	pthread_mutex_lock(&tree.lock);
	NTSTATUS status = node->deleted ? STATUS_KEY_DELETED : STATUS_SUCCESS;
	pthread_mutex_unlock(&tree.lock);
	return status;
}

static ULONG longer(ULONG a, ULONG b)
{
	return a > b ? a : b;
}

NTSTATUS cm_summarize(struct cm_node *node, struct cm_summary *summary)
{
	pthread_mutex_lock(&tree.lock);
	if (node->deleted) {
		pthread_mutex_unlock(&tree.lock);
		return STATUS_KEY_DELETED;
	}
	*summary = (struct cm_summary){.last_write = node->last_write,
				       .subkeys = node->subkeys.count,
				       .values = node->values.count};
	for (ULONG i = 0; i < node->subkeys.count; i++) {
		const struct cm_node *subkey = node->subkeys.item[i];
		summary->longest_name = longer(summary->longest_name, subkey->name.Length);
		summary->longest_class = longer(summary->longest_class, subkey->class.Length);
	}
	for (ULONG i = 0; i < node->values.count; i++) {
		const struct cm_value *value = node->values.item[i];
		summary->longest_value_name = longer(summary->longest_value_name,
						     value->name.Length);
		summary->longest_value_data = longer(summary->longest_value_data, value->size);
	}
	pthread_mutex_unlock(&tree.lock);
	return STATUS_SUCCESS;
}

PCUNICODE_STRING cm_name(const struct cm_node *node)
{
	return &node->name;
}

PCUNICODE_STRING cm_class(const struct cm_node *node)
{
	return &node->class;
}

NTSTATUS cm_path(struct cm_node *node, UNICODE_STRING *path)
{
	NTSTATUS status = cm_check(node);
	return NT_SUCCESS(status) ? cm_full_path(node, path) : status;
}

/* Without a lock: names and parents never change. */
NTSTATUS cm_full_path(struct cm_node *node, UNICODE_STRING *path)
{
	size_t length = 0;
	for (const struct cm_node *at = node; at; at = at->parent)
		length += sizeof(WCHAR) + at->name.Length;
	if (length > UINT16_MAX)
		return STATUS_NAME_TOO_LONG;
	char *buffer = host_alloc(length);
	if (!buffer)
		return STATUS_INSUFFICIENT_RESOURCES;
	char *end = buffer + length;
	for (const struct cm_node *at = node; at; at = at->parent) {
		end -= at->name.Length;
		memcpy(end, at->name.Buffer, at->name.Length);
		end -= sizeof(WCHAR);
		memcpy(end, u"\\", sizeof(WCHAR));
	}
	path->Buffer = (PWSTR)(void *)buffer;
	path->Length = path->MaximumLength = (USHORT)length;
	return STATUS_SUCCESS;
}

/* ---- Values --------------------------------------------------------------- */

void cm_release_value(struct cm_value *value)
{
	if (atomic_fetch_sub_explicit(&value->references, 1, memory_order_acq_rel) == 1)
		host_free(value);
}

static struct cm_value *make_value(PCUNICODE_STRING name, ULONG type, const void *data, ULONG size)
{
	struct cm_value *value = host_alloc(sizeof(*value) + name->Length + (size_t)size);
	if (!value)
		return NULL;
	char *copy = (char *)value->text + name->Length;
	copy_text(&value->name, value->text, name);
	if (size)
		memcpy(copy, data, size);
	value->type = type;
	value->size = size;
	value->data = copy;
	atomic_init(&value->references, 1);
	return value;
}

static bool find_value(const struct cm_node *node, PCUNICODE_STRING name, ULONG *place)
{
	for (ULONG i = 0; i < node->values.count; i++) {
		const struct cm_value *value = node->values.item[i];
		if (RtlCompareUnicodeString(name, &value->name, TRUE) == 0) {
			*place = i;
			return true;
		}
	}
	return false;
}

NTSTATUS cm_find_value(struct cm_node *node, PCUNICODE_STRING name, struct cm_value **value)
{
	NTSTATUS status = STATUS_OBJECT_NAME_NOT_FOUND;
	ULONG place;
	pthread_mutex_lock(&tree.lock);
	if (node->deleted) {
		status = STATUS_KEY_DELETED;
	} else if (find_value(node, name, &place)) {
		*value = node->values.item[place];
		atomic_fetch_add_explicit(&(*value)->references, 1, memory_order_relaxed);
		status = STATUS_SUCCESS;
	}
	pthread_mutex_unlock(&tree.lock);
	return status;
}

NTSTATUS cm_nth_value(struct cm_node *node, ULONG index, struct cm_value **value)
{
	NTSTATUS status = STATUS_SUCCESS;
	pthread_mutex_lock(&tree.lock);
	if (node->deleted) {
		status = STATUS_KEY_DELETED;
	} else if (index >= node->values.count) {
		status = STATUS_NO_MORE_ENTRIES;
	} else {
		*value = node->values.item[index];
		atomic_fetch_add_explicit(&(*value)->references, 1, memory_order_relaxed);
	}
	pthread_mutex_unlock(&tree.lock);
	return status;
}

/* Puts `value` in the place of one with its name, which comes back in *old, or
 * at the end. Under the lock. */
static NTSTATUS store_value(struct cm_node *node, struct cm_value *value, struct cm_value **old)
{
	ULONG place;
	if (node->deleted)
		return STATUS_KEY_DELETED;
	if (find_value(node, &value->name, &place)) {
		*old = node->values.item[place];
		node->values.item[place] = value;
	} else if (make_room(&node->values)) {
		insert_at(&node->values, node->values.count, value);
	} else {
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	node->last_write = (LONGLONG)host_nt_time();
	return STATUS_SUCCESS;
}

NTSTATUS cm_put_value(struct cm_node *node, PCUNICODE_STRING name, ULONG type, const void *data,
		      ULONG size)
{
	struct cm_value *old = NULL;
	if (name->Length > CM_MAX_VALUE_NAME * sizeof(WCHAR))
		return STATUS_INVALID_PARAMETER;
	if (size > CM_MAX_VALUE_SIZE)
		return STATUS_INSUFFICIENT_RESOURCES;
	struct cm_value *value = make_value(name, type, data, size);
	if (!value)
		return STATUS_INSUFFICIENT_RESOURCES;
	pthread_mutex_lock(&tree.lock);
	NTSTATUS status = store_value(node, value, &old);
	pthread_mutex_unlock(&tree.lock);
	if (!NT_SUCCESS(status))
		old = value;
	if (old)
		cm_release_value(old);
	return status;
}

NTSTATUS cm_remove_value(struct cm_node *node, PCUNICODE_STRING name)
{
	NTSTATUS status = STATUS_OBJECT_NAME_NOT_FOUND;
	ULONG place;
	pthread_mutex_lock(&tree.lock);
	if (node->deleted) {
		status = STATUS_KEY_DELETED;
	} else if (find_value(node, name, &place)) {
		cm_release_value(node->values.item[place]);
		remove_at(&node->values, place);
		node->last_write = (LONGLONG)host_nt_time();
		status = STATUS_SUCCESS;
	}
	pthread_mutex_unlock(&tree.lock);
	return status;
}

/* ---- The whole ------------------------------------------------------------ */

struct cm_node *cm_root(void)
{
	return tree.root;
}

int cm_plant(void)
{
	static const WCHAR name[] = u"REGISTRY";
	const struct cm_new_key how = {.fixture = true, .bare = true};
	UNICODE_STRING text = {sizeof(name) - sizeof(WCHAR), sizeof(name), (PWSTR)name};
	KE_ASSERT(!tree.root);
	tree.root = make_node(NULL, &text, &how);
	return tree.root ? 0 : -ENOMEM;
}

void cm_fell(void)
{
	struct cm_node *node = tree.root;
	if (!node)
		return;
	tree.root = NULL;
	/* Leaf by leaf, from the last subkey of each node back up to the root. */
	while (node->parent || node->subkeys.count) {
		if (node->subkeys.count) {
			node = node->subkeys.item[node->subkeys.count - 1];
			continue;
		}
		struct cm_node *leaf = node;
		node = node->parent;
		pthread_mutex_lock(&tree.lock);
		unlink_node(leaf);
		pthread_mutex_unlock(&tree.lock);
		cm_release(leaf);
	}
	node->deleted = true;
	cm_release(node);
}

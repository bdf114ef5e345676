/* SPDX-License-Identifier: MIT */
/*
 * Keys as drivers see them: objects, names, deletion. Opening has a file of its own.
 *
 * A key handle refers to an object of CmKeyObjectType whose body holds a reference
 * on one node of the tree; two opens of a key make two objects, as on NT. The
 * object needs no lock: its node never changes.
 *
 * Each Zw routine resolves its handle and puts its arguments into the structure that
 * registry callbacks are shown; cm_carry_out calls them around one thing done to the
 * tree. They are the only way in for drivers: the Rtl routines are built on them.
 */
#include "cm/filter.h"
#include "ke/list.h"
#include "memory.h"
#include "ob/handle.h"
#include "ps/process.h"
#include "rtl/string.h"
#include <errno.h>

struct cm_key *cm_root_key;

static void delete_key_body(void *body)
{
	struct cm_key *key = body;
	cm_tell_close(key);
	host_free(atomic_load_explicit(&key->name, memory_order_relaxed));
	cm_release(key->node);
}

static NTSTATUS key_name(void *body, UNICODE_STRING *name)
{
	const struct cm_key *key = body;
	return cm_path(key->node, name);
}

int cm_boot_keys(void)
{
	CmKeyObjectType->name_of = key_name;
	CmKeyObjectType->delete_body = delete_key_body;
	CmKeyObjectType->passive_delete = true; /* routines of drivers are called */
	cm_reference(cm_root());
	cm_root_key = cm_make_key(cm_root());
	return cm_root_key ? 0 : -ENOMEM;
}

void cm_shutdown_keys(void)
{
	ob_dereference(cm_root_key);
	cm_root_key = NULL;
}

struct cm_key *cm_make_key(struct cm_node *node)
{
	struct cm_key *key = ob_create(CmKeyObjectType, sizeof(*key));
	if (!key) {
		cm_release(node);
		return NULL;
	}
	key->node = node;
	list_init(&key->contexts);
	return key;
}

bool cm_is_key(const void *object)
{
	return object && (uintptr_t)object % 16 == 0 &&
	       ob_header_of(object)->type == CmKeyObjectType;
}

NTSTATUS cm_key_of(HANDLE handle, struct cm_key **key)
{
	struct ob_handle found;
	NTSTATUS status = ob_resolve_handle(PsGetCurrentProcess(), handle, KernelMode, &found);
	if (!NT_SUCCESS(status))
		return status;
	if (ob_header_of(found.object)->type != CmKeyObjectType) {
		ob_dereference(found.object);
		return STATUS_OBJECT_TYPE_MISMATCH;
	}
	*key = found.object;
	return STATUS_SUCCESS;
}

/* ---- Names --------------------------------------------------------------- */

NTSTATUS cm_enter_root(UNICODE_STRING *path)
{
	UNICODE_STRING first, ignored;
	if (path->Length == 0 || path->Buffer[0] != u'\\')
		return STATUS_OBJECT_PATH_SYNTAX_BAD;
	if (!cm_next_component(path, &first) ||
	    RtlCompareUnicodeString(&first, cm_name(cm_root()), TRUE) != 0) {
		UNICODE_STRING rest = *path;
		return cm_next_component(&rest, &ignored) ? STATUS_OBJECT_PATH_NOT_FOUND
							  : STATUS_OBJECT_NAME_NOT_FOUND;
	}
	while (path->Length && path->Buffer[0] == u'\\') {
		path->Buffer++;
		path->Length -= sizeof(WCHAR);
	}
	return STATUS_SUCCESS;
}

void cm_read_through(const UNICODE_STRING *text)
{
	const volatile char *at = (const volatile char *)text->Buffer;
	for (size_t i = 0; i < text->Length; i += 4096)
		(void)at[i];
	if (text->Length)
		(void)at[text->Length - 1];
}

UNICODE_STRING cm_value_name(PCUNICODE_STRING name)
{
	UNICODE_STRING cut = name ? *name : (UNICODE_STRING){0};
	while (cut.Length >= sizeof(WCHAR) && cut.Buffer[cut.Length / sizeof(WCHAR) - 1] == 0)
		cut.Length -= sizeof(WCHAR);
	cm_read_through(&cut);
	return cut;
}

/* ---- Deleting and flushing ------------------------------------------------- */

static NTSTATUS carry_out_delete(const void *information)
{
	const REG_DELETE_KEY_INFORMATION *asked = information;
	const struct cm_key *key = asked->Object;
	return cm_delete(key->node);
}

/* There is nothing behind the tree that could be out of date: a live key is
 * flushed. */
static NTSTATUS carry_out_flush(const void *information)
{
	const REG_FLUSH_KEY_INFORMATION *asked = information;
	const struct cm_key *key = asked->Object;
	return cm_check(key->node);
}

static const struct cm_operation delete_operation = {
	RegNtPreDeleteKey,
	RegNtPostDeleteKey,
	sizeof(REG_DELETE_KEY_INFORMATION),
	offsetof(REG_DELETE_KEY_INFORMATION, CallContext),
	NULL,
	carry_out_delete,
};

static const struct cm_operation flush_operation = {
	RegNtPreFlushKey,
	RegNtPostFlushKey,
	sizeof(REG_FLUSH_KEY_INFORMATION),
	offsetof(REG_FLUSH_KEY_INFORMATION, CallContext),
	NULL,
	carry_out_flush,
};

NTSTATUS cm_carry_out_by_handle(HANDLE handle, const struct cm_operation *operation,
				void *information)
{
	struct cm_key *key;
	NTSTATUS status = cm_key_of(handle, &key);
	if (!NT_SUCCESS(status))
		return status;
	*(PVOID *)information = key;
	status = cm_carry_out(operation, key, information);
	ob_dereference(key);
	return status;
}

NTSTATUS NTAPI ZwDeleteKey(HANDLE KeyHandle)
{
	REG_DELETE_KEY_INFORMATION information = {0};
	return cm_carry_out_by_handle(KeyHandle, &delete_operation, &information);
}

NTSTATUS NTAPI ZwFlushKey(HANDLE KeyHandle)
{
	REG_FLUSH_KEY_INFORMATION information = {0};
	return cm_carry_out_by_handle(KeyHandle, &flush_operation, &information);
}

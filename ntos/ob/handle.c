/* SPDX-License-Identifier: MIT */
/*
 * Handle tables.
 *
 * A table is an array of entries; a handle is 4 × (index + 1), and free entries
 * form a chain through their `next_free`. A process gets its table with its first
 * handle, so that the many processes that never open one cost nothing. Kernel
 * handles are entries of the System process's table with the top bits set.
 *
 * Every entry holds a reference to its object and counts as a handle in its
 * header. LOCKS: EPROCESS.lock protects the table of that process; no callback
 * runs and no object is deleted under it.
 *
 * Clauses: OB-24, OB-27 to OB-30, OB-32, OB-47, OB-58, Q-21 (insertion into a
 * dying process fails after the pre calls, and post is told).
 */
#include "ob/handle.h"
#include "ex/event.h"
#include "ke/bugcheck.h"
#include "ob/callbacks.h"
#include "ob/directory.h"
#include "ps/process.h"
#include <string.h>

#define KERNEL_HANDLE_BITS 0xFFFFFFFF80000000ull
#define CURRENT_PROCESS ((ULONG64)-1)
#define CURRENT_THREAD ((ULONG64)-2)
#define NO_ENTRY (~0u)
#define KEPT_ATTRIBUTES (OBJ_INHERIT | OBJ_KERNEL_HANDLE)

struct entry {
	void *object; /* NULL: free */
	ACCESS_MASK granted;
	union {
		ULONG attributes;
		ULONG next_free;
	};
};

struct ob_handle_table {
	ULONG capacity, first_free, used;
	struct entry entry[];
};

/* ---- The array, under process->lock ------------------------------------------- */

static struct ob_handle_table *grown(struct ob_handle_table *old)
{
	ULONG capacity = old ? old->capacity * 2 : 4;
	struct ob_handle_table *table = host_alloc(sizeof *table +
						   capacity * sizeof table->entry[0]);
	if (!table)
		return NULL;
	ULONG from = old ? old->capacity : 0;
	if (old)
		memcpy(table, old, sizeof *old + from * sizeof old->entry[0]);
	table->capacity = capacity;
	for (ULONG i = from; i < capacity; i++)
		table->entry[i].next_free = i + 1 < capacity ? i + 1 : NO_ENTRY;
	table->first_free = from;
	host_free(old);
	return table;
}

static NTSTATUS take_entry(PEPROCESS process, struct entry **entry, ULONG64 *value)
{
	struct ob_handle_table *table = process->handles;
	if (process->exiting)
		return STATUS_PROCESS_IS_TERMINATING;
	if (!table || table->first_free == NO_ENTRY) {
		table = grown(table);
		if (!table)
			return STATUS_INSUFFICIENT_RESOURCES;
		process->handles = table;
	}
	ULONG index = table->first_free;
	*entry = &table->entry[index];
	table->first_free = (*entry)->next_free;
	table->used++;
	*value = 4 * ((ULONG64)index + 1);
	return STATUS_SUCCESS;
}

static struct entry *find_entry(PEPROCESS process, ULONG64 value)
{
	struct ob_handle_table *table = process->handles;
	ULONG64 index = (value & ~3ull) / 4 - 1; /* the low two bits are the caller's own */
	if (value < 4 || !table || index >= table->capacity || !table->entry[index].object)
		return NULL;
	return &table->entry[index];
}

static void free_entry(struct ob_handle_table *table, struct entry *entry)
{
	entry->object = NULL;
	entry->next_free = table->first_free;
	table->first_free = (ULONG)(entry - table->entry);
	table->used--;
}

/* ---- Which table a handle value belongs to --------------------------------------- */

static bool is_kernel_handle(ULONG64 value)
{
	return value >= KERNEL_HANDLE_BITS && value < CURRENT_THREAD;
}

static PEPROCESS table_owner(PEPROCESS process, ULONG64 *value, KPROCESSOR_MODE mode)
{
	if (!is_kernel_handle(*value))
		return process;
	*value &= ~KERNEL_HANDLE_BITS;
	return mode == KernelMode ? PsInitialSystemProcess : NULL;
}

static NTSTATUS insert(PEPROCESS process, void *object, ACCESS_MASK granted, ULONG attributes,
		       HANDLE *handle)
{
	struct entry *entry;
	ULONG64 value;
	bool kernel = (attributes & OBJ_KERNEL_HANDLE) != 0;
	PEPROCESS owner = kernel ? PsInitialSystemProcess : process;
	pthread_mutex_lock(&owner->lock);
	NTSTATUS status = take_entry(owner, &entry, &value);
	if (NT_SUCCESS(status)) {
		ob_reference(object);
		entry->object = object;
		entry->granted = granted;
		entry->attributes = attributes & KEPT_ATTRIBUTES;
	}
	pthread_mutex_unlock(&owner->lock);
	if (!NT_SUCCESS(status))
		return status;
	struct ob_header *header = ob_header_of(object);
	atomic_fetch_add_explicit(&header->handles, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&header->type->TotalNumberOfHandles, 1, memory_order_relaxed);
	*handle = (HANDLE)(uintptr_t)(kernel ? value | KERNEL_HANDLE_BITS : value);
	return STATUS_SUCCESS;
}

static void drop_object(void *object)
{
	struct ob_header *header = ob_header_of(object);
	atomic_fetch_sub_explicit(&header->type->TotalNumberOfHandles, 1, memory_order_relaxed);
	if (atomic_fetch_sub_explicit(&header->handles, 1, memory_order_acq_rel) == 1) {
		if (header->type->last_handle_closed)
			header->type->last_handle_closed(object);
		if (header->named)
			ob_forget_name(object);
	}
	ob_dereference(object);
}

/* ---- Rights -------------------------------------------------------------------------- */

/* What security refuses to anybody but the kernel (OB-30). */
static ACCESS_MASK denied_access(POBJECT_TYPE type, void *object)
{
	PEPROCESS process = type == PsProcessType  ? object
			    : type == PsThreadType ? ((PETHREAD)object)->process
						   : NULL;
	return process ? process->denied_access : 0;
}

static ACCESS_MASK map_generic(ACCESS_MASK access, const GENERIC_MAPPING *mapping)
{
	if (access & GENERIC_READ)
		access |= mapping->GenericRead;
	if (access & GENERIC_WRITE)
		access |= mapping->GenericWrite;
	if (access & GENERIC_EXECUTE)
		access |= mapping->GenericExecute;
	if (access & GENERIC_ALL)
		access |= mapping->GenericAll;
	return access & ~(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL);
}

/* Maps, resolves and checks: after this there are specific and standard rights
 * only (OB-47), with the implied ones (OB-48). */
static NTSTATUS check_access(const struct ob_handle_request *request, POBJECT_TYPE type,
			     ACCESS_MASK *access)
{
	ACCESS_MASK denied = request->mode == KernelMode ? 0 : denied_access(type, request->object);
	ACCESS_MASK asked = map_generic(request->desired, &type->GenericMapping);
	bool maximum = asked & MAXIMUM_ALLOWED;
	asked &= ~(MAXIMUM_ALLOWED | ACCESS_SYSTEM_SECURITY);
	/* Rights that the source handle of a duplication has need no second check. */
	if (asked & denied & ~request->ceiling)
		return STATUS_ACCESS_DENIED;
	if (maximum)
		asked |= type->ValidAccessMask & ~denied;
	asked &= type->ValidAccessMask;
	*access = type->implied_access ? type->implied_access(asked) : asked;
	return STATUS_SUCCESS;
}

/* ---- Making a handle ------------------------------------------------------------------- */

struct insertion {
	const struct ob_handle_request *request;
	ULONG attributes;
	HANDLE handle;
	ACCESS_MASK granted;
};

static NTSTATUS insert_granted(void *context, ACCESS_MASK granted)
{
	struct insertion *insertion = context;
	insertion->granted = granted;
	return insert(insertion->request->table_of, insertion->request->object, granted,
		      insertion->attributes, &insertion->handle);
}

static void tell(const struct ob_handle_request *request, const struct insertion *made,
		 ACCESS_MASK access, NTSTATUS status, const KLDR_DATA_TABLE_ENTRY *stripped_by)
{
	POBJECT_TYPE type = ob_header_of(request->object)->type;
	if (!ex_heard() || !(type->ObjectTypeFlags & OB_SUPPORTS_OBJECT_CALLBACKS))
		return;
	struct rs_event event = {.type = RS_HANDLE_OPERATION};
	event.handle.operation = request->operation;
	event.handle.type = type;
	event.handle.kernel_handle = (made->attributes & OBJ_KERNEL_HANDLE) != 0;
	event.handle.desired = access;
	event.handle.granted = NT_SUCCESS(status) ? made->granted : 0;
	event.handle.status = status;
	event.handle.reason = request->reason;
	event.handle.stripped_by = stripped_by;
	ps_name(PsGetCurrentProcess(), &event.handle.caller);
	if (type == PsProcessType) {
		ps_name(request->object, &event.handle.target);
	} else if (type == PsThreadType) {
		event.handle.thread_id = ((PETHREAD)request->object)->id;
		ps_name(((PETHREAD)request->object)->process, &event.handle.target);
	}
	ex_tell(&event);
}

NTSTATUS ob_make_handle(const struct ob_handle_request *request, HANDLE *handle,
			ACCESS_MASK *granted)
{
	POBJECT_TYPE type = ob_header_of(request->object)->type;
	struct insertion made = {.request = request, .attributes = request->attributes};
	if (request->mode != KernelMode)
		made.attributes &= ~OBJ_KERNEL_HANDLE; /* OB-29 */
	struct ob_handle_request effective = *request;
	effective.attributes = made.attributes;
	const KLDR_DATA_TABLE_ENTRY *stripped_by = NULL;
	ACCESS_MASK access = request->desired;
	NTSTATUS status = check_access(request, type, &access);
	if (NT_SUCCESS(status))
		status = ob_call_around(&effective, access, insert_granted, &made, &stripped_by);
	tell(request, &made, access, status, stripped_by);
	if (!NT_SUCCESS(status))
		return status;
	*handle = made.handle;
	if (granted)
		*granted = made.granted;
	return STATUS_SUCCESS;
}

/* ---- Using and closing --------------------------------------------------------------------- */

static void resolve_pseudo(void *object, struct ob_handle *found)
{
	ob_reference(object);
	*found = (struct ob_handle){.object = object,
				    .granted = ob_header_of(object)->type->ValidAccessMask};
}

NTSTATUS ob_resolve_handle(PEPROCESS process, HANDLE handle, KPROCESSOR_MODE mode,
			   struct ob_handle *found)
{
	ULONG64 value = (ULONG64)(uintptr_t)handle;
	if (value == CURRENT_PROCESS || value == CURRENT_THREAD) {
		resolve_pseudo(value == CURRENT_PROCESS ? (void *)process
							: (void *)ke_current_thread(),
			       found);
		return STATUS_SUCCESS;
	}
	PEPROCESS owner = table_owner(process, &value, mode);
	if (!owner)
		return STATUS_INVALID_HANDLE;
	pthread_mutex_lock(&owner->lock);
	struct entry *entry = find_entry(owner, value);
	if (entry) {
		ob_reference(entry->object);
		*found = (struct ob_handle){entry->object, entry->granted, entry->attributes};
	}
	pthread_mutex_unlock(&owner->lock);
	return entry ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

NTSTATUS ob_close_handle(PEPROCESS process, HANDLE handle, KPROCESSOR_MODE mode)
{
	ULONG64 value = (ULONG64)(uintptr_t)handle;
	void *object = NULL;
	PEPROCESS owner = table_owner(process, &value, mode);
	if (!owner)
		return STATUS_INVALID_HANDLE;
	pthread_mutex_lock(&owner->lock);
	struct entry *entry = find_entry(owner, value);
	bool protected = entry && entry->attributes & OB_PROTECTED;
	if (entry && !protected) {
		object = entry->object;
		free_entry(owner->handles, entry);
	}
	pthread_mutex_unlock(&owner->lock);
	if (!object)
		return protected ? STATUS_HANDLE_NOT_CLOSABLE : STATUS_INVALID_HANDLE;
	drop_object(object);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI ObSetHandleAttributes(HANDLE Handle, POBJECT_HANDLE_FLAG_INFORMATION HandleFlags,
				     KPROCESSOR_MODE PreviousMode)
{
	const OBJECT_HANDLE_FLAG_INFORMATION flags = *HandleFlags; /* it may fault here */
	ULONG64 value = (ULONG64)(uintptr_t)Handle;
	PEPROCESS owner = table_owner(PsGetCurrentProcess(), &value, PreviousMode);
	if (!owner)
		return STATUS_INVALID_HANDLE;
	pthread_mutex_lock(&owner->lock);
	struct entry *entry = find_entry(owner, value);
	if (entry) {
		entry->attributes &= ~(OBJ_INHERIT | OB_PROTECTED);
		entry->attributes |= (flags.Inherit ? OBJ_INHERIT : 0) |
				     (flags.ProtectFromClose ? OB_PROTECTED : 0);
	}
	pthread_mutex_unlock(&owner->lock);
	return entry ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

void ob_close_all_handles(PEPROCESS process)
{
	pthread_mutex_lock(&process->lock);
	struct ob_handle_table *table = process->handles;
	process->handles = NULL;
	pthread_mutex_unlock(&process->lock);
	for (ULONG i = 0; table && i < table->capacity; i++)
		if (table->entry[i].object)
			drop_object(table->entry[i].object);
	host_free(table);
}

ULONG ob_count_handles(PEPROCESS process)
{
	pthread_mutex_lock(&process->lock);
	ULONG count = process->handles ? process->handles->used : 0;
	pthread_mutex_unlock(&process->lock);
	return count;
}

void ob_visit_handles(PEPROCESS process,
		      void (*visit)(void *context, const struct ob_handle_row *row), void *context)
{
	pthread_mutex_lock(&process->lock);
	const struct ob_handle_table *table = process->handles;
	for (ULONG i = 0; table && i < table->capacity; i++) {
		const struct entry *entry = &table->entry[i];
		if (!entry->object)
			continue;
		ULONG64 value = 4 * ((ULONG64)i + 1);
		visit(context, &(struct ob_handle_row){(HANDLE)(uintptr_t)value, entry->object,
						       entry->granted, entry->attributes});
	}
	pthread_mutex_unlock(&process->lock);
}

/* A new table with the inheritable entries at the same places, since the child knows
 * its inherited handles by value. */
static struct ob_handle_table *inherited(const struct ob_handle_table *from)
{
	struct ob_handle_table *table = host_alloc(sizeof *table +
						   from->capacity * sizeof table->entry[0]);
	if (!table)
		return NULL;
	table->capacity = from->capacity;
	table->first_free = NO_ENTRY;
	for (ULONG i = from->capacity; i-- > 0;) {
		const struct entry *entry = &from->entry[i];
		if (entry->object && (entry->attributes & OBJ_INHERIT)) {
			table->entry[i] = *entry;
			table->used++;
			ob_reference(entry->object);
			struct ob_header *header = ob_header_of(entry->object);
			atomic_fetch_add_explicit(&header->handles, 1, memory_order_relaxed);
			atomic_fetch_add_explicit(&header->type->TotalNumberOfHandles, 1,
						  memory_order_relaxed);
		} else {
			table->entry[i].next_free = table->first_free;
			table->first_free = i;
		}
	}
	return table;
}

NTSTATUS ob_inherit_handles(PEPROCESS from, PEPROCESS to)
{
	NTSTATUS status = STATUS_SUCCESS;
	pthread_mutex_lock(&from->lock);
	if (from->handles && from->handles->used) {
		to->handles = inherited(from->handles); /* nobody else knows `to` yet */
		if (!to->handles)
			status = STATUS_INSUFFICIENT_RESOURCES;
	}
	pthread_mutex_unlock(&from->lock);
	return status;
}

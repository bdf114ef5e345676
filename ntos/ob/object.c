/* SPDX-License-Identifier: MIT */
/*
 * Object headers and reference counts.
 *
 * The header in front of a body counts references; a handle holds one. Counts are
 * atomic and no lock is needed: the thread that takes the last reference away
 * deletes the body alone. Tables that find objects without holding a reference
 * (ids) use ob_reference_unless_dead, which never revives one.
 *
 * Clauses: AB-22 (one process, one pointer), VF-13.
 */
#include "ob/object.h"
#include "ke/bugcheck.h"
#include "ob/directory.h"
#include "ob/defer.h"
#include "ob/handle.h"
#include "ps/process.h"
#include <stdint.h>

void *ob_create_at(POBJECT_TYPE type, size_t size, const char *site)
{
	struct ob_header *header = host_alloc_at(sizeof *header + size, site);
	if (!header)
		return NULL;
	atomic_init(&header->references, 1);
	header->type = type;
	header->site = site;
	atomic_fetch_add_explicit(&type->TotalNumberOfObjects, 1, memory_order_relaxed);
	return header + 1;
}

bool ob_reference_unless_dead(void *body)
{
	struct ob_header *header = ob_header_of(body);
	LONGLONG count = atomic_load_explicit(&header->references, memory_order_relaxed);
	while (count > 0)
		if (atomic_compare_exchange_weak_explicit(&header->references, &count, count + 1,
							  memory_order_acquire,
							  memory_order_relaxed))
			return true;
	return false;
}

void ob_delete(struct ob_header *header)
{
	POBJECT_TYPE type = header->type;
	if (header->named)
		ob_forget_name(header + 1);
	if (type->delete_body)
		type->delete_body(header + 1);
	atomic_fetch_sub_explicit(&type->TotalNumberOfObjects, 1, memory_order_relaxed);
	host_free(header);
}

LONGLONG ob_drop_reference(void *body)
{
	struct ob_header *header = ob_header_of(body);
	LONGLONG left = atomic_fetch_sub_explicit(&header->references, 1, memory_order_acq_rel) - 1;
	if (left < 0)
		KE_BUG_CHECK(KE_REFERENCE_BY_POINTER, (uintptr_t)header->type, (uintptr_t)body, 0,
			     left, "an object was dereferenced more often than referenced");
	return left;
}

static LONGLONG dereference(void *body)
{
	LONGLONG left = ob_drop_reference(body);
	struct ob_header *header = ob_header_of(body);
	if (left == 0) {
		if (header->type->passive_delete && KeGetCurrentIrql() > PASSIVE_LEVEL)
			ob_delete_later(header);
		else
			ob_delete(header);
	}
	return left;
}

void ob_dereference(void *body)
{
	dereference(body);
}

bool ob_dereference_unless_last(void *body)
{
	struct ob_header *header = ob_header_of(body);
	LONGLONG count = atomic_load_explicit(&header->references, memory_order_relaxed);
	while (count > 1)
		if (atomic_compare_exchange_weak_explicit(&header->references, &count, count - 1,
							  memory_order_acq_rel,
							  memory_order_relaxed))
			return true;
	return false;
}

LONG_PTR NTAPI ObfReferenceObject(PVOID Object)
{
	return atomic_fetch_add_explicit(&ob_header_of(Object)->references, 1,
					 memory_order_relaxed) +
	       1;
}

LONG_PTR NTAPI ObfDereferenceObject(PVOID Object)
{
	return dereference(Object);
}

POBJECT_TYPE NTAPI ObGetObjectType(PVOID Object)
{
	return ob_header_of(Object)->type;
}

NTSTATUS NTAPI ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK DesiredAccess,
					  POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode)
{
	(void)DesiredAccess; /* a pointer carries no rights: none are checked */
	POBJECT_TYPE type = ob_header_of(Object)->type;
	if (ObjectType ? type != ObjectType : AccessMode != KernelMode)
		return STATUS_OBJECT_TYPE_MISMATCH;
	ob_reference(Object);
	return STATUS_SUCCESS;
}

/* VF-10: what Driver Verifier stops for a driver stops here. */
static void check_kernel_handle(HANDLE handle, KPROCESSOR_MODE mode)
{
	if (mode == KernelMode && handle == NULL)
		KE_BUG_CHECK(KE_REFERENCE_OF_INVALID_HANDLE, 0, 0, 0, 0,
			     "ObReferenceObjectByHandle was given a NULL handle");
}

NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess,
					 POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
					 PVOID *Object, PVOID HandleInformation)
{
	struct ob_handle found;
	check_kernel_handle(Handle, AccessMode);
	NTSTATUS status = ob_resolve_handle(PsGetCurrentProcess(), Handle, AccessMode, &found);
	if (!NT_SUCCESS(status))
		return status;
	if (ObjectType && ob_header_of(found.object)->type != ObjectType)
		status = STATUS_OBJECT_TYPE_MISMATCH;
	else if (AccessMode != KernelMode && (DesiredAccess & ~found.granted))
		status = STATUS_ACCESS_DENIED;
	if (!NT_SUCCESS(status)) {
		ob_dereference(found.object);
		return status;
	}
	if (HandleInformation) {
		ULONG *information = HandleInformation; /* HandleAttributes, GrantedAccess */
		information[0] = found.attributes;
		information[1] = found.granted;
	}
	*Object = found.object;
	return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * Object headers and reference counts.
 *
 * The header in front of a body counts references; a handle holds one. Counts are
 * atomic and no lock is needed: the thread that takes the last reference away
 * deletes the body alone. Tables that find objects without holding a reference
 * (ids) use ob_reference_unless_dead, which never revives one.
 *
 * Clauses: AB-22 (one process, one pointer), VF-10, VF-13.
 */
#include "ob/object.h"
#include "ex/event.h"
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
	/* A dereference too many shall find the count of a process or thread (VF-13). */
	if (type == PsProcessType || type == PsThreadType)
		host_free_later(header);
	else
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

/* The object of a handle of the current process, if it is of the type and the handle
 * grants the access. */
static NTSTATUS find_by_handle(HANDLE handle, ACCESS_MASK access, POBJECT_TYPE type,
			       KPROCESSOR_MODE mode, struct ob_handle *found)
{
	NTSTATUS status = ob_resolve_handle(PsGetCurrentProcess(), handle, mode, found);
	if (!NT_SUCCESS(status))
		return status;
	if (type && ob_header_of(found->object)->type != type)
		status = STATUS_OBJECT_TYPE_MISMATCH;
	else if (mode != KernelMode && (access & ~found->granted))
		status = STATUS_ACCESS_DENIED;
	if (!NT_SUCCESS(status))
		ob_dereference(found->object);
	return status;
}

NTSTATUS ob_reference_by_handle(HANDLE handle, ACCESS_MASK access, POBJECT_TYPE type,
				KPROCESSOR_MODE mode, void **object)
{
	struct ob_handle found;
	NTSTATUS status = find_by_handle(handle, access, type, mode, &found);
	if (NT_SUCCESS(status))
		*object = found.object;
	return status;
}

/* VF-10: Driver Verifier stops for these. NULL stops here too; the others are told,
 * since Windows by itself lets them pass. */
static void check_kernel_handle(HANDLE handle, NTSTATUS status, const struct ob_handle *found,
				const void *caller)
{
	if (!handle)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0xF5, 0, 0, 0,
			     "ObReferenceObjectByHandle was given a NULL handle");
	if (status == STATUS_INVALID_HANDLE)
		ex_rule_broken("VF-10", caller,
			       "ObReferenceObjectByHandle was given %p, which is no handle, for "
			       "KernelMode (Driver Verifier: 0xC4/0x3C)",
			       handle);
	else if (NT_SUCCESS(status) && !(found->attributes & OBJ_KERNEL_HANDLE) &&
		 PsGetCurrentProcess() != PsInitialSystemProcess)
		ex_rule_broken("VF-10", caller,
			       "ObReferenceObjectByHandle took the user handle %p for KernelMode: "
			       "its rights are not checked (Driver Verifier: 0xF6)",
			       handle);
}

NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess,
					 POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
					 PVOID *Object, PVOID HandleInformation)
{
	struct ob_handle found;
	NTSTATUS status = find_by_handle(Handle, DesiredAccess, ObjectType, AccessMode, &found);
	if (AccessMode == KernelMode)
		check_kernel_handle(Handle, status, &found, __builtin_return_address(0));
	if (!NT_SUCCESS(status))
		return status;
	if (HandleInformation) {
		ULONG *information = HandleInformation; /* HandleAttributes, GrantedAccess */
		information[0] = found.attributes;
		information[1] = found.granted;
	}
	*Object = found.object;
	return STATUS_SUCCESS;
}

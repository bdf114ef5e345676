/* SPDX-License-Identifier: MIT */
/*
 * The system services that make, copy and close handles to objects of any type.
 *
 * The Nt forms act with the previous mode of the current thread, the Zw forms as
 * the kernel; both in the current process's handle table.
 *
 * Clauses: OB-24, OB-26, OB-28, OB-59, OB-60.
 */
#include "ke/thread.h"
#include "ob/handle.h"
#include "ps/process.h"

NTSTATUS NTAPI ObOpenObjectByPointer(PVOID Object, ULONG HandleAttributes, PVOID PassedAccessState,
				     ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
				     KPROCESSOR_MODE AccessMode, PHANDLE Handle)
{
	(void)PassedAccessState;
	POBJECT_TYPE type = ob_header_of(Object)->type;
	if (ObjectType ? type != ObjectType : AccessMode != KernelMode)
		return STATUS_OBJECT_TYPE_MISMATCH;
	struct ob_handle_request request = {
		.operation = OB_OPERATION_HANDLE_CREATE,
		.object = Object,
		.table_of = PsGetCurrentProcess(),
		.desired = DesiredAccess,
		.attributes = HandleAttributes,
		.mode = AccessMode,
	};
	return ob_make_handle(&request, Handle, NULL);
}

NTSTATUS NTAPI NtClose(HANDLE Handle)
{
	return ob_close_handle(PsGetCurrentProcess(), Handle, ExGetPreviousMode());
}

NTSTATUS NTAPI ZwClose(HANDLE Handle)
{
	return ob_close_handle(PsGetCurrentProcess(), Handle, KernelMode);
}

NTSTATUS NTAPI ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode)
{
	return ob_close_handle(PsGetCurrentProcess(), Handle, PreviousMode);
}

/* ---- Duplication ------------------------------------------------------------------ */

struct duplication {
	PEPROCESS source, target; /* referenced */
	HANDLE source_handle;
	PHANDLE target_handle;
	ACCESS_MASK desired;
	ULONG attributes, options;
	KPROCESSOR_MODE mode;
};

static NTSTATUS process_of_handle(HANDLE handle, KPROCESSOR_MODE mode, PEPROCESS *process)
{
	PVOID object;
	NTSTATUS status = ob_reference_by_handle(handle, PROCESS_DUP_HANDLE, PsProcessType, mode,
						 &object);
	if (NT_SUCCESS(status))
		*process = object;
	return status;
}

static NTSTATUS copy(const struct duplication *d)
{
	struct ob_handle found;
	NTSTATUS status = ob_resolve_handle(d->source, d->source_handle, d->mode, &found);
	if (!NT_SUCCESS(status))
		return status;
	struct ob_handle_request request = {
		.operation = OB_OPERATION_HANDLE_DUPLICATE,
		.object = found.object,
		.table_of = d->target,
		.desired = d->options & DUPLICATE_SAME_ACCESS ? found.granted : d->desired,
		.attributes = d->options & DUPLICATE_SAME_ATTRIBUTES ? found.attributes
								     : d->attributes,
		.mode = d->mode,
		.source = d->source,
		.target = d->target,
		.ceiling = found.granted,
	};
	HANDLE made;
	status = ob_make_handle(&request, &made, NULL);
	if (NT_SUCCESS(status) && d->target_handle)
		*d->target_handle = made;
	ob_dereference(found.object);
	return status;
}

static NTSTATUS duplicate(struct duplication *d, HANDLE source_process, HANDLE target_process)
{
	NTSTATUS status = process_of_handle(source_process, d->mode, &d->source);
	if (!NT_SUCCESS(status))
		return status;
	if (target_process) {
		status = process_of_handle(target_process, d->mode, &d->target);
		if (NT_SUCCESS(status)) {
			status = copy(d);
			ob_dereference(d->target);
		}
	} else if (!(d->options & DUPLICATE_CLOSE_SOURCE)) {
		status = STATUS_INVALID_PARAMETER;
	}
	/* The source goes whatever became of the copy: so the documentation. */
	if (d->options & DUPLICATE_CLOSE_SOURCE)
		ob_close_handle(d->source, d->source_handle, d->mode);
	ob_dereference(d->source);
	return status;
}

NTSTATUS NTAPI NtDuplicateObject(HANDLE SourceProcessHandle, HANDLE SourceHandle,
				 HANDLE TargetProcessHandle, PHANDLE TargetHandle,
				 ACCESS_MASK DesiredAccess, ULONG HandleAttributes, ULONG Options)
{
	struct duplication d = {NULL,          NULL,
				SourceHandle,  TargetHandle,
				DesiredAccess, HandleAttributes,
				Options,       ExGetPreviousMode()};
	return duplicate(&d, SourceProcessHandle, TargetProcessHandle);
}

NTSTATUS NTAPI ZwDuplicateObject(HANDLE SourceProcessHandle, HANDLE SourceHandle,
				 HANDLE TargetProcessHandle, PHANDLE TargetHandle,
				 ACCESS_MASK DesiredAccess, ULONG HandleAttributes, ULONG Options)
{
	struct duplication d = {NULL,         NULL,          SourceHandle,
				TargetHandle, DesiredAccess, HandleAttributes,
				Options,      KernelMode};
	return duplicate(&d, SourceProcessHandle, TargetProcessHandle);
}

/* SPDX-License-Identifier: MIT */
/*
 * Handle tables and the one step through which every handle is made.
 *
 * A process has a table once it opens its first handle; kernel handles live in
 * the System process's table and carry the top bits (0xFFFFFFFF80000000).
 * ob_make_handle is where object callbacks happen: nothing enters a handle table
 * past it (OB-24 to OB-29).
 */
#ifndef RINGSIDE_OB_HANDLE_H
#define RINGSIDE_OB_HANDLE_H

#include "ob/object.h"
#include <ringside/nt.h>

struct ob_handle_table;

/* What is asked for, and how. */
struct ob_handle_request {
	OB_OPERATION operation;
	void *object;
	PEPROCESS table_of;       /* into whose table; ignored for kernel handles */
	ACCESS_MASK desired;      /* may hold generic rights and MAXIMUM_ALLOWED */
	ULONG attributes;         /* OBJ_INHERIT, OBJ_KERNEL_HANDLE */
	KPROCESSOR_MODE mode;     /* UserMode: security is asked first (OB-30) */
	PEPROCESS source, target; /* duplicate only (OB-59) */
	ACCESS_MASK ceiling;      /* duplicate without access check: the source's rights; or 0 */
	const char *reason;       /* for the listeners: "kill(SIGKILL)", or NULL */
};

/*
 * Makes a handle: access check, pre callbacks, insertion, post callbacks.
 * On success *handle is the new handle and, if `granted` is not NULL, *granted
 * its rights. On failure neither is touched.
 * PASSIVE_LEVEL. Errors: ACCESS_DENIED, INSUFFICIENT_RESOURCES,
 * PROCESS_IS_TERMINATING (the table's process has ended).
 */
NTSTATUS ob_make_handle(const struct ob_handle_request *request, HANDLE *handle,
			ACCESS_MASK *granted);

#define OB_PROTECTED 0x1u /* of a handle's attributes: cannot be closed */

struct ob_handle {
	void *object; /* referenced for the caller */
	ACCESS_MASK granted;
	ULONG attributes;
};

/* Resolves a handle of `process` (pseudo-handles and kernel handles included,
 * the latter only for KernelMode). The caller gives the reference back.
 * INVALID_HANDLE when it is none. */
NTSTATUS ob_resolve_handle(PEPROCESS process, HANDLE handle, KPROCESSOR_MODE mode,
			   struct ob_handle *found);

/* Closes one, or all that a process has left (at its end). INVALID_HANDLE,
 * HANDLE_NOT_CLOSABLE. */
NTSTATUS ob_close_handle(PEPROCESS process, HANDLE handle, KPROCESSOR_MODE mode);
void ob_close_all_handles(PEPROCESS process);

/* One handle, as ob_visit_handles shows it. */
struct ob_handle_row {
	HANDLE value;
	void *object; /* not referenced */
	ACCESS_MASK granted;
	ULONG attributes;
};

/* How many handles a process has, and each of them, under its lock: `visit` takes no
 * other. Kernel handles are the System process's, without their top bits. */
ULONG ob_count_handles(PEPROCESS process);
void ob_visit_handles(PEPROCESS process,
		      void (*visit)(void *context, const struct ob_handle_row *row), void *context);

/* Copies the inheritable handles of `from` to the new process `to`, without
 * callbacks (OB-27). 0 or INSUFFICIENT_RESOURCES. */
NTSTATUS ob_inherit_handles(PEPROCESS from, PEPROCESS to);

typedef struct _OBJECT_HANDLE_FLAG_INFORMATION {
	BOOLEAN Inherit;
	BOOLEAN ProtectFromClose;
} OBJECT_HANDLE_FLAG_INFORMATION, *POBJECT_HANDLE_FLAG_INFORMATION;

/* Sets both; a protected handle is HANDLE_NOT_CLOSABLE until its process ends. */
NTSTATUS NTAPI ObSetHandleAttributes(HANDLE Handle, POBJECT_HANDLE_FLAG_INFORMATION HandleFlags,
				     KPROCESSOR_MODE PreviousMode);

/* Exports. The Nt forms take the caller's previous mode, the Zw forms KernelMode. */
NTSTATUS NTAPI NtClose(HANDLE Handle);
NTSTATUS NTAPI ZwClose(HANDLE Handle);
NTSTATUS NTAPI ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode);
NTSTATUS NTAPI NtDuplicateObject(HANDLE SourceProcessHandle, HANDLE SourceHandle,
				 HANDLE TargetProcessHandle, PHANDLE TargetHandle,
				 ACCESS_MASK DesiredAccess, ULONG HandleAttributes, ULONG Options);
NTSTATUS NTAPI ZwDuplicateObject(HANDLE SourceProcessHandle, HANDLE SourceHandle,
				 HANDLE TargetProcessHandle, PHANDLE TargetHandle,
				 ACCESS_MASK DesiredAccess, ULONG HandleAttributes, ULONG Options);
NTSTATUS NTAPI ObOpenObjectByPointer(PVOID Object, ULONG HandleAttributes, PVOID PassedAccessState,
				     ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
				     KPROCESSOR_MODE AccessMode, PHANDLE Handle);

#endif

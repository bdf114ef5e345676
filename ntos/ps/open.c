/* SPDX-License-Identifier: MIT */
/*
 * Opening processes and threads: by client id, and as their creator.
 *
 * Clauses: OB-24, OB-29, OB-32, PS-84, C-10.
 */
#include "ob/handle.h"
#include "ps/process.h"
#include "switches.h"

static NTSTATUS open_object(void *object, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes,
			    KPROCESSOR_MODE mode, PHANDLE handle)
{
	struct ob_handle_request request = {
		.operation = OB_OPERATION_HANDLE_CREATE,
		.object = object,
		.table_of = PsGetCurrentProcess(),
		.desired = access,
		.attributes = attributes ? attributes->Attributes : 0,
		.mode = mode,
	};
	return ob_make_handle(&request, handle, NULL);
}

static NTSTATUS check_client_id(POBJECT_ATTRIBUTES attributes, const CLIENT_ID *id)
{
	if (attributes && attributes->ObjectName) /* processes and threads have no names */
		return id ? STATUS_INVALID_PARAMETER_MIX : STATUS_OBJECT_NAME_NOT_FOUND;
	return id ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_MIX;
}

/* A client id with a thread names that thread, which must be one of the process if
 * a process is named too. */
static PETHREAD thread_of(const CLIENT_ID *id)
{
	PETHREAD thread = ps_find_thread((ULONG64)id->UniqueThread);
	if (thread && id->UniqueProcess && (ULONG64)id->UniqueProcess != thread->process->id) {
		ob_dereference(thread);
		return NULL;
	}
	return thread;
}

static NTSTATUS open_process(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes,
			     PCLIENT_ID id, KPROCESSOR_MODE mode)
{
	NTSTATUS status = check_client_id(attributes, id);
	if (!NT_SUCCESS(status))
		return status;
	PEPROCESS process = NULL;
	if (id->UniqueThread) {
		PETHREAD thread = thread_of(id);
		if (thread) {
			process = thread->process;
			ob_reference(process);
			ob_dereference(thread);
		}
	} else {
		process = ps_find_process((ULONG64)id->UniqueProcess);
	}
	if (!process)
		return STATUS_INVALID_CID;
	status = open_object(process, access, attributes, mode, handle);
	ob_dereference(process);
	return status;
}

static NTSTATUS open_thread(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes,
			    PCLIENT_ID id, KPROCESSOR_MODE mode)
{
	NTSTATUS status = check_client_id(attributes, id);
	if (!NT_SUCCESS(status))
		return status;
	PETHREAD thread = thread_of(id);
	if (!thread)
		return STATUS_INVALID_CID;
	status = open_object(thread, access, attributes, mode, handle);
	ob_dereference(thread);
	return status;
}

NTSTATUS NTAPI NtOpenProcess(PHANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
			     POBJECT_ATTRIBUTES ObjectAttributes, PCLIENT_ID ClientId)
{
	return open_process(ProcessHandle, DesiredAccess, ObjectAttributes, ClientId,
			    ExGetPreviousMode());
}

NTSTATUS NTAPI ZwOpenProcess(PHANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
			     POBJECT_ATTRIBUTES ObjectAttributes, PCLIENT_ID ClientId)
{
	return open_process(ProcessHandle, DesiredAccess, ObjectAttributes, ClientId, KernelMode);
}

NTSTATUS NTAPI NtOpenThread(PHANDLE ThreadHandle, ACCESS_MASK DesiredAccess,
			    POBJECT_ATTRIBUTES ObjectAttributes, PCLIENT_ID ClientId)
{
	return open_thread(ThreadHandle, DesiredAccess, ObjectAttributes, ClientId,
			   ExGetPreviousMode());
}

NTSTATUS NTAPI ZwOpenThread(PHANDLE ThreadHandle, ACCESS_MASK DesiredAccess,
			    POBJECT_ATTRIBUTES ObjectAttributes, PCLIENT_ID ClientId)
{
	return open_thread(ThreadHandle, DesiredAccess, ObjectAttributes, ClientId, KernelMode);
}

static NTSTATUS open_created(void *object, ACCESS_MASK access, PHANDLE handle)
{
	struct ob_handle_request request = {
		.operation = OB_OPERATION_HANDLE_CREATE,
		.object = object,
		.table_of = PsGetCurrentProcess(),
		.desired = access,
		.mode = KernelMode, /* the creator is not checked against its own child */
		.reason = RS_REASON_CREATED,
	};
	return ob_make_handle(&request, handle, NULL);
}

NTSTATUS ps_open_created(PEPROCESS process, PETHREAD thread, PHANDLE process_handle,
			 PHANDLE thread_handle)
{
	NTSTATUS status = STATUS_SUCCESS;
	HANDLE first = NULL;
	if (process_handle) {
		status = open_created(process, PROCESS_ALL_ACCESS, &first);
		if (!NT_SUCCESS(status))
			return status;
	}
	if (thread_handle) {
		KIRQL irql = ke_set_irql(ke_switches.thread_events_at_apc_level ? APC_LEVEL
										: PASSIVE_LEVEL);
		status = open_created(thread, THREAD_ALL_ACCESS, thread_handle);
		ke_set_irql(irql);
	}
	if (!NT_SUCCESS(status) && first)
		ob_close_handle(PsGetCurrentProcess(), first, KernelMode);
	else if (process_handle)
		*process_handle = first;
	return status;
}

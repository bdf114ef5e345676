/* SPDX-License-Identifier: MIT */
/*
 * Questions about an operation: who asked for it, what it is called, what has changed.
 *
 * Pages: those of the routines' names.
 */
#include "flt/operation.h"
#include "ke/thread.h"
#include "ps/attribute.h"
#include "ps/process.h"

VOID NTAPI FltSetCallbackDataDirty(PFLT_CALLBACK_DATA Data)
{
	Data->Flags |= FLTFL_CALLBACK_DATA_DIRTY;
}

VOID NTAPI FltClearCallbackDataDirty(PFLT_CALLBACK_DATA Data)
{
	Data->Flags &= ~(ULONG)FLTFL_CALLBACK_DATA_DIRTY;
}

BOOLEAN NTAPI FltIsCallbackDataDirty(PFLT_CALLBACK_DATA Data)
{
	return (Data->Flags & FLTFL_CALLBACK_DATA_DIRTY) != 0;
}

/* ---- Who --------------------------------------------------------------------------------------- */

/* The one that the thread is attached to, or its own. */
PEPROCESS NTAPI FltGetRequestorProcess(PFLT_CALLBACK_DATA CallbackData)
{
	if (!CallbackData->Thread)
		return NULL;
	const struct ke_thread *thread = ke_thread_of(CallbackData->Thread);
	return thread->attached ? thread->attached : thread->process;
}

HANDLE NTAPI FltGetRequestorProcessIdEx(PFLT_CALLBACK_DATA CallbackData)
{
	PEPROCESS process = FltGetRequestorProcess(CallbackData);
	return process ? PsGetProcessId(process) : NULL;
}

ULONG NTAPI FltGetRequestorProcessId(PFLT_CALLBACK_DATA CallbackData)
{
	return (ULONG)(uintptr_t)FltGetRequestorProcessIdEx(CallbackData);
}

NTSTATUS NTAPI FltGetRequestorSessionId(PFLT_CALLBACK_DATA CallbackData, PULONG SessionId)
{
	PEPROCESS process = FltGetRequestorProcess(CallbackData);
	*SessionId = process ? PsGetProcessSessionId(process) : ~0u;
	return process ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/* ---- What ---------------------------------------------------------------------------------------- */

static const char *const names[] = {
	"IRP_MJ_CREATE",
	"IRP_MJ_CREATE_NAMED_PIPE",
	"IRP_MJ_CLOSE",
	"IRP_MJ_READ",
	"IRP_MJ_WRITE",
	"IRP_MJ_QUERY_INFORMATION",
	"IRP_MJ_SET_INFORMATION",
	"IRP_MJ_QUERY_EA",
	"IRP_MJ_SET_EA",
	"IRP_MJ_FLUSH_BUFFERS",
	"IRP_MJ_QUERY_VOLUME_INFORMATION",
	"IRP_MJ_SET_VOLUME_INFORMATION",
	"IRP_MJ_DIRECTORY_CONTROL",
	"IRP_MJ_FILE_SYSTEM_CONTROL",
	"IRP_MJ_DEVICE_CONTROL",
	"IRP_MJ_INTERNAL_DEVICE_CONTROL",
	"IRP_MJ_SHUTDOWN",
	"IRP_MJ_LOCK_CONTROL",
	"IRP_MJ_CLEANUP",
	"IRP_MJ_CREATE_MAILSLOT",
	"IRP_MJ_QUERY_SECURITY",
	"IRP_MJ_SET_SECURITY",
	"IRP_MJ_POWER",
	"IRP_MJ_SYSTEM_CONTROL",
	"IRP_MJ_DEVICE_CHANGE",
	"IRP_MJ_QUERY_QUOTA",
	"IRP_MJ_SET_QUOTA",
	"IRP_MJ_PNP",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == IRP_MJ_MAXIMUM_FUNCTION + 1, "all of them");

/* From 255 down, as fltKernel.h numbers those that are no IRPs. */
static const char *const other_names[] = {
	[1] = "IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION",
	[2] = "IRP_MJ_RELEASE_FOR_SECTION_SYNCHRONIZATION",
	[3] = "IRP_MJ_ACQUIRE_FOR_MOD_WRITE",
	[4] = "IRP_MJ_RELEASE_FOR_MOD_WRITE",
	[5] = "IRP_MJ_ACQUIRE_FOR_CC_FLUSH",
	[6] = "IRP_MJ_RELEASE_FOR_CC_FLUSH",
	[7] = "IRP_MJ_QUERY_OPEN",
	[13] = "IRP_MJ_FAST_IO_CHECK_IF_POSSIBLE",
	[14] = "IRP_MJ_NETWORK_QUERY_OPEN",
	[15] = "IRP_MJ_MDL_READ",
	[16] = "IRP_MJ_MDL_READ_COMPLETE",
	[17] = "IRP_MJ_PREPARE_MDL_WRITE",
	[18] = "IRP_MJ_MDL_WRITE_COMPLETE",
	[19] = "IRP_MJ_VOLUME_MOUNT",
	[20] = "IRP_MJ_VOLUME_DISMOUNT",
};
#define OTHER_NAMES (sizeof(other_names) / sizeof(other_names[0]))

PCHAR NTAPI FltGetIrpName(UCHAR IrpMajorCode)
{
	unsigned from_end = 256u - IrpMajorCode;
	const char *name = IrpMajorCode <= IRP_MJ_MAXIMUM_FUNCTION ? names[IrpMajorCode]
			   : from_end < OTHER_NAMES                ? other_names[from_end]
								   : NULL;
	return (PCHAR)(uintptr_t)(name ? name : " ");
}

/* SPDX-License-Identifier: MIT */
/*
 * <ringside/flt.h>: fltlib's functions, which find the port of a handle and turn statuses
 * into HRESULTs. No state.
 */
#include "flt/port.h"
#include "ke/thread.h"
#include "ob/object.h"
#include "rtl/status.h"
#include "rtl/string.h"
#include <ringside/flt.h>

#define E_INVALIDARG ((HRESULT)0x80070057)
#define FACILITY_WIN32 0x80070000u

/* The filter manager's statuses have errors of their own, with the severity set. */
static HRESULT result_of(NTSTATUS status)
{
	ULONG error = RtlNtStatusToDosError(status);
	if (NT_SUCCESS(status))
		return 0;
	return (HRESULT)(error & 0x80000000u ? error : FACILITY_WIN32 | (error & 0xFFFF));
}

NTSTATUS flt_port_of(HANDLE handle, PFLT_PORT *port)
{
	PVOID object;
	NTSTATUS status = ObReferenceObjectByHandle(handle, 0, FltCommunicationPortObjectType,
						    ExGetPreviousMode(), &object, NULL);
	if (NT_SUCCESS(status))
		*port = object;
	return status;
}

HRESULT FilterConnectCommunicationPort(PCWSTR lpPortName, ULONG dwOptions, const void *lpContext,
				       USHORT wSizeOfContext, void *lpSecurityAttributes,
				       HANDLE *hPort)
{
	UNICODE_STRING name;
	(void)dwOptions;
	(void)lpSecurityAttributes;
	*hPort = (HANDLE)(intptr_t)-1;
	if (!lpContext != !wSizeOfContext)
		return E_INVALIDARG;
	RtlInitUnicodeString(&name, lpPortName);
	return result_of(flt_connect(&name, lpContext, wSizeOfContext, hPort));
}

HRESULT FilterSendMessage(HANDLE hPort, void *lpInBuffer, ULONG dwInBufferSize, void *lpOutBuffer,
			  ULONG dwOutBufferSize, ULONG *lpBytesReturned)
{
	PFLT_PORT port;
	NTSTATUS status = flt_port_of(hPort, &port);
	if (!NT_SUCCESS(status))
		return result_of(status);
	*lpBytesReturned = 0;
	status = flt_send_to_driver(port, lpInBuffer, dwInBufferSize, lpOutBuffer, dwOutBufferSize,
				    lpBytesReturned);
	ob_dereference(port);
	return result_of(status);
}

HRESULT FilterGetMessage(HANDLE hPort, PFILTER_MESSAGE_HEADER lpMessageBuffer,
			 ULONG dwMessageBufferSize, void *lpOverlapped)
{
	PFLT_PORT port;
	ULONG length;
	if (lpOverlapped)
		return E_INVALIDARG;
	NTSTATUS status = flt_port_of(hPort, &port);
	if (!NT_SUCCESS(status))
		return result_of(status);
	status = flt_get_message(port, lpMessageBuffer, dwMessageBufferSize, &length);
	ob_dereference(port);
	return result_of(status);
}

HRESULT FilterReplyMessage(HANDLE hPort, PFILTER_REPLY_HEADER lpReplyBuffer,
			   ULONG dwReplyBufferSize)
{
	PFLT_PORT port;
	NTSTATUS status = flt_port_of(hPort, &port);
	if (!NT_SUCCESS(status))
		return result_of(status);
	status = flt_reply(port, lpReplyBuffer, dwReplyBufferSize);
	ob_dereference(port);
	return result_of(status);
}

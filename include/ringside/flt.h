/* SPDX-License-Identifier: MIT */
/*
 * How a program talks to a minifilter through its communication port: the part of
 * Windows' fltlib that control programs use.
 *
 *	HANDLE port;
 *	rs_become(thread); // whose process asks
 *	if (FilterConnectCommunicationPort(u"\\MyPort", 0, NULL, 0, NULL, &port) == 0) {
 *		ULONG returned;
 *		char *buffer = rs_user_alloc(4096); // <ringside/io.h>
 *		FilterSendMessage(port, buffer, 16, buffer + 100, 64, &returned);
 *		NtClose(port);
 *	}
 *
 * All act for the current process, at PASSIVE_LEVEL, and return an HRESULT: 0, or the
 * Win32 error in the low half of 0x8007xxxx (0x801Fxxxx for the filter manager's own
 * statuses).
 */
#ifndef RINGSIDE_FLT_H
#define RINGSIDE_FLT_H

#include <ringside/nt.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef LONG HRESULT;

/* In front of what FilterGetMessage gets. */
typedef struct _FILTER_MESSAGE_HEADER {
	ULONG ReplyLength; /* of the reply that is expected, its header included; 0: none */
	ULONGLONG MessageId;
} FILTER_MESSAGE_HEADER, *PFILTER_MESSAGE_HEADER;

/* In front of what FilterReplyMessage sends. */
typedef struct _FILTER_REPLY_HEADER {
	NTSTATUS Status; /* what the minifilter's FltSendMessage returns */
	ULONGLONG MessageId;
} FILTER_REPLY_HEADER, *PFILTER_REPLY_HEADER;

/* Connects: the minifilter's connect routine decides, and is shown a copy of the context.
 * Closed with NtClose, upon which its disconnect routine is called. Options and security
 * attributes are not used. Errors: ERROR_FILE_NOT_FOUND (no such port, or it is closed),
 * ERROR_CONNECTION_COUNT_LIMIT, E_INVALIDARG, and the minifilter's own. */
HRESULT FilterConnectCommunicationPort(PCWSTR lpPortName, ULONG dwOptions, const void *lpContext,
				       USHORT wSizeOfContext, void *lpSecurityAttributes,
				       HANDLE *hPort);

/* Calls the minifilter's message routine with the buffers as they are: those of a user
 * process must be user memory (rs_user_alloc). Errors: ERROR_NOACCESS (buffers),
 * ERROR_INVALID_FUNCTION (it takes no messages), ERROR_INVALID_HANDLE (also: it has closed
 * its end), and the minifilter's own. */
HRESULT FilterSendMessage(HANDLE hPort, void *lpInBuffer, ULONG dwInBufferSize, void *lpOutBuffer,
			  ULONG dwOutBufferSize, ULONG *lpBytesReturned);

/* Waits for a message of the minifilter's. One that is too long for the buffer stays for
 * the next call: ERROR_INSUFFICIENT_BUFFER. lpOverlapped must be NULL: E_INVALIDARG
 * otherwise. ERROR_INVALID_HANDLE also when the minifilter has closed its end. */
HRESULT FilterGetMessage(HANDLE hPort, PFILTER_MESSAGE_HEADER lpMessageBuffer,
			 ULONG dwMessageBufferSize, void *lpOverlapped);

/* Answers one. ERROR_FLT_NO_WAITER_FOR_REPLY (0x801F0020): nobody waits for that. */
HRESULT FilterReplyMessage(HANDLE hPort, PFILTER_REPLY_HEADER lpReplyBuffer,
			   ULONG dwReplyBufferSize);

#ifdef __cplusplus
}
#endif
#endif

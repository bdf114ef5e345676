/* SPDX-License-Identifier: MIT */
/*
 * Event tracing, the provider's side, as a system has it on which no trace session runs:
 * providers register, ask whether anybody wants an event, and write it to nobody.
 */
#ifndef RINGSIDE_ETW_PROVIDER_H
#define RINGSIDE_ETW_PROVIDER_H

#include "rtl/number.h"

typedef ULONGLONG REGHANDLE, *PREGHANDLE;

typedef struct _EVENT_DESCRIPTOR {
	USHORT Id;
	UCHAR Version, Channel, Level, Opcode;
	USHORT Task;
	ULONGLONG Keyword;
} EVENT_DESCRIPTOR;
_Static_assert(sizeof(EVENT_DESCRIPTOR) == 16, "evntprov.h");
typedef const EVENT_DESCRIPTOR *PCEVENT_DESCRIPTOR;

typedef struct _EVENT_DATA_DESCRIPTOR {
	ULONGLONG Ptr;
	ULONG Size, Reserved;
} EVENT_DATA_DESCRIPTOR, *PEVENT_DATA_DESCRIPTOR;
_Static_assert(sizeof(EVENT_DATA_DESCRIPTOR) == 16, "evntprov.h");

#define MAX_EVENT_DATA_DESCRIPTORS 128

typedef enum _EVENT_INFO_CLASS {
	EventProviderBinaryTrackInfo,
	EventProviderSetReserved1,
	EventProviderSetTraits,
	EventProviderUseDescriptorType,
} EVENT_INFO_CLASS;

/* Called when a session enables the provider. */
typedef VOID(NTAPI *PETWENABLECALLBACK)(const GUID *SourceId, ULONG ControlCode, UCHAR Level,
					ULONGLONG MatchAnyKeyword, ULONGLONG MatchAllKeyword,
					PVOID FilterData, PVOID CallbackContext);

/* A handle that names no provider is STATUS_INVALID_HANDLE, or FALSE. */
NTSTATUS NTAPI EtwRegister(const GUID *ProviderId, PETWENABLECALLBACK EnableCallback,
			   PVOID CallbackContext, PREGHANDLE RegHandle);
NTSTATUS NTAPI EtwUnregister(REGHANDLE RegHandle);
NTSTATUS NTAPI EtwSetInformation(REGHANDLE RegHandle, EVENT_INFO_CLASS InformationClass,
				 PVOID EventInformation, ULONG InformationLength);
BOOLEAN NTAPI EtwEventEnabled(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor);
BOOLEAN NTAPI EtwProviderEnabled(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword);

/* STATUS_SUCCESS: the provider is not enabled for any session, and the event not logged. */
NTSTATUS NTAPI EtwWrite(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor,
			const GUID *ActivityId, ULONG UserDataCount,
			PEVENT_DATA_DESCRIPTOR UserData);
NTSTATUS NTAPI EtwWriteTransfer(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor,
				const GUID *ActivityId, const GUID *RelatedActivityId,
				ULONG UserDataCount, PEVENT_DATA_DESCRIPTOR UserData);
NTSTATUS NTAPI EtwWriteEx(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, ULONG64 Filter,
			  ULONG Flags, const GUID *ActivityId, const GUID *RelatedActivityId,
			  ULONG UserDataCount, PEVENT_DATA_DESCRIPTOR UserData);
NTSTATUS NTAPI EtwWriteString(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword,
			      const GUID *ActivityId, PCWSTR String);

void etw_shutdown(void);

#endif

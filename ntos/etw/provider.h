/* SPDX-License-Identifier: MIT */
/*
 * Event tracing, the provider's side: providers register, ask whether anybody wants an
 * event, and write it. Somebody does when a person asked for the provider (rs_trace).
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
	ULONG Size;
	union {
		ULONG Reserved;
		struct {
			UCHAR Type, Reserved1;
			USHORT Reserved2;
		};
	};
} EVENT_DATA_DESCRIPTOR, *PEVENT_DATA_DESCRIPTOR;
_Static_assert(sizeof(EVENT_DATA_DESCRIPTOR) == 16, "evntprov.h");

#define MAX_EVENT_DATA_DESCRIPTORS 128

typedef enum _EVENT_INFO_CLASS {
	EventProviderBinaryTrackInfo,
	EventProviderSetReserved1,
	EventProviderSetTraits,
	EventProviderUseDescriptorType,
} EVENT_INFO_CLASS;

#define EVENT_CONTROL_CODE_ENABLE_PROVIDER 1

/* Called when a session enables the provider: while it registers, or while it says its name,
 * if it was asked for by that. */
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

/* STATUS_SUCCESS also when nobody has enabled the provider, and the event is not logged.
 * INVALID_PARAMETER for more than 128 pieces; of an enabled one INTEGER_OVERFLOW for more
 * than 64 KiB with the header, and NO_MEMORY. */
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

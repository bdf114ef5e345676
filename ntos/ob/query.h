/* SPDX-License-Identifier: MIT */
/* What drivers ask of the object behind a handle. */
#ifndef RINGSIDE_OB_QUERY_H
#define RINGSIDE_OB_QUERY_H

#include <ringside/nt.h>

enum object_information_class {
	ObjectBasicInformation = 0,
	ObjectNameInformation = 1,
	ObjectTypeInformation = 2,
	ObjectHandleFlagInformation = 4,
};

/* INVALID_INFO_CLASS, INFO_LENGTH_MISMATCH with the length that it takes. */
NTSTATUS NTAPI ZwQueryObject(HANDLE Handle, ULONG ObjectInformationClass, PVOID ObjectInformation,
			     ULONG ObjectInformationLength, PULONG ReturnLength);
NTSTATUS NTAPI NtQueryObject(HANDLE Handle, ULONG ObjectInformationClass, PVOID ObjectInformation,
			     ULONG ObjectInformationLength, PULONG ReturnLength);

/* The handle's flags (OBJECT_HANDLE_FLAG_INFORMATION). INVALID_INFO_CLASS,
 * INFO_LENGTH_MISMATCH. */
NTSTATUS NTAPI ZwSetInformationObject(HANDLE Handle, ULONG ObjectInformationClass,
				      PVOID ObjectInformation, ULONG ObjectInformationLength);
NTSTATUS NTAPI NtSetInformationObject(HANDLE Handle, ULONG ObjectInformationClass,
				      PVOID ObjectInformation, ULONG ObjectInformationLength);

#endif

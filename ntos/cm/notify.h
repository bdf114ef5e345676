/* SPDX-License-Identifier: MIT */
/*
 * Registry callbacks as drivers see them: what they are told, and the exports.
 *
 * Every structure holds its CallContext with the object's context right behind it;
 * which structure comes with which class is on the page of EX_CALLBACK_FUNCTION.
 */
#ifndef RINGSIDE_CM_NOTIFY_H
#define RINGSIDE_CM_NOTIFY_H

#include "cm/registry.h"

typedef enum _REG_NOTIFY_CLASS {
	RegNtPreDeleteKey,
	RegNtPreSetValueKey,
	RegNtPreDeleteValueKey,
	RegNtPreSetInformationKey,
	RegNtPreRenameKey,
	RegNtPreEnumerateKey,
	RegNtPreEnumerateValueKey,
	RegNtPreQueryKey,
	RegNtPreQueryValueKey,
	RegNtPreQueryMultipleValueKey,
	RegNtPreCreateKey,
	RegNtPostCreateKey,
	RegNtPreOpenKey,
	RegNtPostOpenKey,
	RegNtPreKeyHandleClose,
	RegNtPostDeleteKey,
	RegNtPostSetValueKey,
	RegNtPostDeleteValueKey,
	RegNtPostSetInformationKey,
	RegNtPostRenameKey,
	RegNtPostEnumerateKey,
	RegNtPostEnumerateValueKey,
	RegNtPostQueryKey,
	RegNtPostQueryValueKey,
	RegNtPostQueryMultipleValueKey,
	RegNtPostKeyHandleClose,
	RegNtPreCreateKeyEx,
	RegNtPostCreateKeyEx,
	RegNtPreOpenKeyEx,
	RegNtPostOpenKeyEx,
	RegNtPreFlushKey,
	RegNtPostFlushKey,
	RegNtPreLoadKey,
	RegNtPostLoadKey,
	RegNtPreUnLoadKey,
	RegNtPostUnLoadKey,
	RegNtPreQueryKeySecurity,
	RegNtPostQueryKeySecurity,
	RegNtPreSetKeySecurity,
	RegNtPostSetKeySecurity,
	RegNtCallbackObjectContextCleanup,
	MaxRegNtNotifyClass = 51
} REG_NOTIFY_CLASS;
_Static_assert(RegNtPreKeyHandleClose == 14, "wdm.h");
_Static_assert(RegNtPreCreateKeyEx == 26, "wdm.h");
_Static_assert(RegNtCallbackObjectContextCleanup == 40, "wdm.h");

typedef struct _REG_DELETE_KEY_INFORMATION {
	PVOID Object;
	PVOID CallContext;
	PVOID ObjectContext;
	PVOID Reserved;
} REG_DELETE_KEY_INFORMATION, REG_FLUSH_KEY_INFORMATION, REG_KEY_HANDLE_CLOSE_INFORMATION;

typedef struct _REG_SET_VALUE_KEY_INFORMATION {
	PVOID Object;
	PUNICODE_STRING ValueName;
	ULONG TitleIndex;
	ULONG Type;
	PVOID Data;
	ULONG DataSize;
	PVOID CallContext;
	PVOID ObjectContext;
	PVOID Reserved;
} REG_SET_VALUE_KEY_INFORMATION;

typedef struct _REG_DELETE_VALUE_KEY_INFORMATION {
	PVOID Object;
	PUNICODE_STRING ValueName;
	PVOID CallContext;
	PVOID ObjectContext;
	PVOID Reserved;
} REG_DELETE_VALUE_KEY_INFORMATION;

typedef struct _REG_ENUMERATE_KEY_INFORMATION {
	PVOID Object;
	ULONG Index;
	KEY_INFORMATION_CLASS KeyInformationClass;
	PVOID KeyInformation;
	ULONG Length;
	PULONG ResultLength;
	PVOID CallContext;
	PVOID ObjectContext;
	PVOID Reserved;
} REG_ENUMERATE_KEY_INFORMATION;

typedef struct _REG_ENUMERATE_VALUE_KEY_INFORMATION {
	PVOID Object;
	ULONG Index;
	KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass;
	PVOID KeyValueInformation;
	ULONG Length;
	PULONG ResultLength;
	PVOID CallContext;
	PVOID ObjectContext;
	PVOID Reserved;
} REG_ENUMERATE_VALUE_KEY_INFORMATION;

typedef struct _REG_QUERY_KEY_INFORMATION {
	PVOID Object;
	KEY_INFORMATION_CLASS KeyInformationClass;
	PVOID KeyInformation;
	ULONG Length;
	PULONG ResultLength;
	PVOID CallContext;
	PVOID ObjectContext;
	PVOID Reserved;
} REG_QUERY_KEY_INFORMATION;

typedef struct _REG_QUERY_VALUE_KEY_INFORMATION {
	PVOID Object;
	PUNICODE_STRING ValueName;
	KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass;
	PVOID KeyValueInformation;
	ULONG Length;
	PULONG ResultLength;
	PVOID CallContext;
	PVOID ObjectContext;
	PVOID Reserved;
} REG_QUERY_VALUE_KEY_INFORMATION;

typedef struct _REG_CREATE_KEY_INFORMATION_V1 {
	PUNICODE_STRING CompleteName;
	PVOID RootObject;
	PVOID ObjectType;
	ULONG Options;
	PUNICODE_STRING Class;
	PVOID SecurityDescriptor;
	PVOID SecurityQualityOfService;
	ACCESS_MASK DesiredAccess;
	ACCESS_MASK GrantedAccess;
	PULONG Disposition;
	PVOID *ResultObject;
	PVOID CallContext;
	PVOID RootObjectContext;
	PVOID Transaction;
	ULONG_PTR Version; /* 1 */
	PUNICODE_STRING RemainingName;
	ULONG Wow64Flags;
	ULONG Attributes;
	KPROCESSOR_MODE CheckAccessMode;
} REG_CREATE_KEY_INFORMATION_V1, REG_OPEN_KEY_INFORMATION_V1;

typedef struct _REG_POST_OPERATION_INFORMATION {
	PVOID Object;
	NTSTATUS Status;
	PVOID PreInformation;
	NTSTATUS ReturnStatus;
	PVOID CallContext;
	PVOID ObjectContext;
	PVOID Reserved;
} REG_POST_OPERATION_INFORMATION;

typedef struct _REG_CALLBACK_CONTEXT_CLEANUP_INFORMATION {
	PVOID Object;
	PVOID ObjectContext;
	PVOID Reserved;
} REG_CALLBACK_CONTEXT_CLEANUP_INFORMATION;

_Static_assert(offsetof(REG_DELETE_KEY_INFORMATION, CallContext) == 8, "wdm.h");
_Static_assert(offsetof(REG_SET_VALUE_KEY_INFORMATION, CallContext) == 40, "wdm.h");
_Static_assert(offsetof(REG_DELETE_VALUE_KEY_INFORMATION, CallContext) == 16, "wdm.h");
_Static_assert(offsetof(REG_ENUMERATE_KEY_INFORMATION, CallContext) == 40, "wdm.h");
_Static_assert(offsetof(REG_ENUMERATE_VALUE_KEY_INFORMATION, CallContext) == 40, "wdm.h");
_Static_assert(offsetof(REG_QUERY_KEY_INFORMATION, CallContext) == 40, "wdm.h");
_Static_assert(offsetof(REG_QUERY_VALUE_KEY_INFORMATION, CallContext) == 48, "wdm.h");
_Static_assert(offsetof(REG_CREATE_KEY_INFORMATION_V1, CallContext) == 80, "wdm.h");
_Static_assert(offsetof(REG_CREATE_KEY_INFORMATION_V1, Version) == 104, "wdm.h");
_Static_assert(sizeof(REG_CREATE_KEY_INFORMATION_V1) == 136, "wdm.h");
_Static_assert(offsetof(REG_POST_OPERATION_INFORMATION, CallContext) == 32, "wdm.h");
_Static_assert(sizeof(REG_POST_OPERATION_INFORMATION) == 56, "wdm.h");
_Static_assert(sizeof(REG_CALLBACK_CONTEXT_CLEANUP_INFORMATION) == 24, "wdm.h");

typedef NTSTATUS NTAPI EX_CALLBACK_FUNCTION(PVOID CallbackContext, PVOID Argument1,
					    PVOID Argument2);
typedef EX_CALLBACK_FUNCTION *PEX_CALLBACK_FUNCTION;

/* FLT_INSTANCE_ALTITUDE_COLLISION, INSUFFICIENT_RESOURCES. */
NTSTATUS NTAPI CmRegisterCallbackEx(PEX_CALLBACK_FUNCTION Function, PCUNICODE_STRING Altitude,
				    PVOID Driver, PVOID Context, LARGE_INTEGER *Cookie,
				    PVOID Reserved);

/* The same above all altitudes, each below those that came before. */
NTSTATUS NTAPI CmRegisterCallback(PEX_CALLBACK_FUNCTION Function, PVOID Context,
				  LARGE_INTEGER *Cookie);

/* Waits until no call of it is in flight; object contexts that are left are cleaned up.
 * INVALID_PARAMETER for a cookie that is none. From inside a call of it: bug check. */
NTSTATUS NTAPI CmUnRegisterCallback(LARGE_INTEGER Cookie);

/* 1.1, as since Windows 7. */
VOID NTAPI CmGetCallbackVersion(PULONG Major, PULONG Minor);

/* INVALID_PARAMETER for what is no key or no cookie, INSUFFICIENT_RESOURCES. A NULL
 * context takes the one before away, and there is no cleanup then. */
NTSTATUS NTAPI CmSetCallbackObjectContext(PVOID Object, LARGE_INTEGER *Cookie, PVOID NewContext,
					  PVOID *OldContext);

/* The identifier is the same for all objects of one key. The name of the first form
 * lives as long as the object, that of the second until it is released. INVALID_PARAMETER
 * for what is no key or no cookie and for any Flags, INSUFFICIENT_RESOURCES,
 * NAME_TOO_LONG. */
NTSTATUS NTAPI CmCallbackGetKeyObjectID(LARGE_INTEGER *Cookie, PVOID Object, PULONG_PTR ObjectID,
					PCUNICODE_STRING *ObjectName);
NTSTATUS NTAPI CmCallbackGetKeyObjectIDEx(LARGE_INTEGER *Cookie, PVOID Object, PULONG_PTR ObjectID,
					  PCUNICODE_STRING *ObjectName, ULONG Flags);
VOID NTAPI CmCallbackReleaseKeyObjectIDEx(PCUNICODE_STRING ObjectName);

/* NULL: no operation is part of a transaction here. */
PVOID NTAPI CmGetBoundTransaction(LARGE_INTEGER *Cookie, PVOID Object);

#endif

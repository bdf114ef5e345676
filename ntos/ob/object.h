/* SPDX-License-Identifier: MIT */
/*
 * Objects and their types.
 *
 * Every object that a driver can hold a pointer to has a header in front of its
 * body: its type and its counts. The body goes when the last reference goes; a
 * handle is a reference too.
 */
#ifndef RINGSIDE_OB_OBJECT_H
#define RINGSIDE_OB_OBJECT_H

#include "ex/callback.h"
#include <ringside/nt.h>
#include <stdatomic.h>
#include <stddef.h>

/* The bit of ObjectTypeFlags that allows ObRegisterCallbacks (OB-8). */
#define OB_SUPPORTS_OBJECT_CALLBACKS 0x40

/* The fields up to RetainAccess lie where public dumps of the type show them,
 * since drivers in the field set the flag there. */
struct _OBJECT_TYPE {
	LIST_ENTRY TypeList;
	UNICODE_STRING Name; /* 0x10 */
	PVOID DefaultObject;
	UCHAR Index; /* 0x28 */
	_Atomic ULONG TotalNumberOfObjects;
	_Atomic ULONG TotalNumberOfHandles;
	UCHAR Reserved34[0x40 - 0x34];
	USHORT Length;         /* 0x40 */
	UCHAR ObjectTypeFlags; /* 0x42 */
	UCHAR ObjectTypeFlags2;
	ULONG ObjectTypeCode;
	ULONG InvalidAttributes; /* 0x48 */
	GENERIC_MAPPING GenericMapping;
	ULONG ValidAccessMask; /* 0x5C */
	ULONG RetainAccess;    /* 0x60 */
	/* From here on ours alone. */
	void (*delete_body)(void *body);        /* last reference gone; may be NULL */
	bool passive_delete;                    /* delete_body wants PASSIVE_LEVEL */
	void (*last_handle_closed)(void *body); /* in the closer's context; may be NULL */
	/* What it is called, for a buffer of rtl/utf.h; NULL: as the namespace says. */
	NTSTATUS (*name_of)(void *body, UNICODE_STRING *name);
	ACCESS_MASK (*implied_access)(ACCESS_MASK); /* rights that bring others along (OB-48) */
	struct ex_callback_list callbacks;          /* struct ob_entry, by altitude */
};
_Static_assert(offsetof(struct _OBJECT_TYPE, ObjectTypeFlags) == 0x42, "OB-8");
_Static_assert(offsetof(struct _OBJECT_TYPE, RetainAccess) == 0x60, "OB-53");

/* Exported data: drivers take the addresses of these variables (OB-7, AB-5). */
extern POBJECT_TYPE PsProcessType, PsThreadType, ExDesktopObjectType;
extern POBJECT_TYPE IoFileObjectType, IoDriverObjectType, IoDeviceObjectType;
extern POBJECT_TYPE ExEventObjectType, ExSemaphoreObjectType, ExWindowStationObjectType;
extern POBJECT_TYPE CmKeyObjectType, SeTokenObjectType, MmSectionObjectType;
extern POBJECT_TYPE ExCallbackObjectType, PsJobType, TmTransactionObjectType;
extern POBJECT_TYPE TmResourceManagerObjectType;
extern POBJECT_TYPE FltConnectionPortObjectType, FltCommunicationPortObjectType;

struct ob_header {
	_Atomic LONGLONG references;
	_Atomic LONGLONG handles;
	POBJECT_TYPE type;
	const char *site;               /* where it was made, for reports */
	struct ob_named *_Atomic named; /* its place in the namespace; directory.c */
	struct ob_header *next_dead;    /* defer.c */
};
_Static_assert(sizeof(struct ob_header) % 16 == 0, "bodies are 16-byte aligned");

static inline struct ob_header *ob_header_of(const void *body)
{
	return (struct ob_header *)((char *)(uintptr_t)body - sizeof(struct ob_header));
}

/* A zeroed body of `size` bytes with one reference, or NULL. The pointer count
 * of the type goes up. */
#define ob_create(type, size) ob_create_at((type), (size), HOST_HERE)
void *ob_create_at(POBJECT_TYPE type, size_t size, const char *site);

static inline void ob_reference(void *body)
{
	atomic_fetch_add_explicit(&ob_header_of(body)->references, 1, memory_order_relaxed);
}

/* Takes a reference unless the last one is already gone (look-ups in tables
 * that hold none). */
bool ob_reference_unless_dead(void *body);

/* Gives a reference back; the last deletes the body. One too many ends in bug
 * check 0x18 (VF-13). */
void ob_dereference(void *body);

/* The same, but the body is deleted later and elsewhere: at PASSIVE_LEVEL, on a worker, so
 * that the caller may hold what the deletion takes. Any IRQL up to DISPATCH_LEVEL. */
void ob_dereference_deferred(void *body);

/* At shutdown, with no worker left: deletes what still waits for that. */
void ob_delete_deferred(void);

/* The same, but keeps the last one and says false. */
bool ob_dereference_unless_last(void *body);

/* The object of a handle in the current process with a reference, for the kernel's own
 * calls; what ObReferenceObjectByHandle says of drivers' mistakes is not said here. */
NTSTATUS ob_reference_by_handle(HANDLE handle, ACCESS_MASK access, POBJECT_TYPE type,
				KPROCESSOR_MODE mode, void **object);

/* VF-26: tells of types that were altered since they were last looked at; `routine` is
 * of the driver that is asking. */
void ob_check_types(const void *routine);

/* Makes the types; once, at boot. 0 or -ENOMEM. */
int ob_boot_types(void);
void ob_shutdown_types(void);

/* Exports. */
LONG_PTR NTAPI ObfReferenceObject(PVOID Object);
LONG_PTR NTAPI ObfDereferenceObject(PVOID Object);
VOID NTAPI ObDereferenceObjectDeferDelete(PVOID Object);
VOID NTAPI ObDereferenceObjectDeferDeleteWithTag(PVOID Object, ULONG Tag);
NTSTATUS NTAPI ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK DesiredAccess,
					  POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode);
NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess,
					 POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
					 PVOID *Object, PVOID HandleInformation);
POBJECT_TYPE NTAPI ObGetObjectType(PVOID Object);

#endif

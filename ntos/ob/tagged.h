/* SPDX-License-Identifier: MIT */
/* References with a tag, which is the debugger's affair: the same as those without. */
#ifndef RINGSIDE_OB_TAGGED_H
#define RINGSIDE_OB_TAGGED_H

#include "ob/handle.h"

LONG_PTR NTAPI ObfReferenceObjectWithTag(PVOID Object, ULONG Tag);
LONG_PTR NTAPI ObfDereferenceObjectWithTag(PVOID Object, ULONG Tag);
NTSTATUS NTAPI ObReferenceObjectByPointerWithTag(PVOID Object, ACCESS_MASK DesiredAccess,
						 POBJECT_TYPE ObjectType,
						 KPROCESSOR_MODE AccessMode, ULONG Tag);
NTSTATUS NTAPI ObReferenceObjectByHandleWithTag(HANDLE Handle, ACCESS_MASK DesiredAccess,
						POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
						ULONG Tag, PVOID *Object, PVOID HandleInformation);
NTSTATUS NTAPI ObOpenObjectByPointerWithTag(PVOID Object, ULONG HandleAttributes,
					    PVOID PassedAccessState, ACCESS_MASK DesiredAccess,
					    POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
					    ULONG Tag, PHANDLE Handle);

/* FALSE when the last reference is gone already: the object is being deleted. */
BOOLEAN NTAPI ObReferenceObjectSafe(PVOID Object);
BOOLEAN NTAPI ObReferenceObjectSafeWithTag(PVOID Object, ULONG Tag);

#endif

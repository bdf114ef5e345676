/* SPDX-License-Identifier: MIT */
/*
 * References with a tag. NT keeps the tags for its debugger when it is told to trace an
 * object; nobody traces here, so they are not kept. Pages: ObReferenceObjectWithTag and
 * those that it leads to.
 */
#include "ob/tagged.h"

LONG_PTR NTAPI ObfReferenceObjectWithTag(PVOID Object, ULONG Tag)
{
	(void)Tag;
	return ObfReferenceObject(Object);
}

LONG_PTR NTAPI ObfDereferenceObjectWithTag(PVOID Object, ULONG Tag)
{
	(void)Tag;
	return ObfDereferenceObject(Object);
}

NTSTATUS NTAPI ObReferenceObjectByPointerWithTag(PVOID Object, ACCESS_MASK DesiredAccess,
						 POBJECT_TYPE ObjectType,
						 KPROCESSOR_MODE AccessMode, ULONG Tag)
{
	(void)Tag;
	return ObReferenceObjectByPointer(Object, DesiredAccess, ObjectType, AccessMode);
}

NTSTATUS NTAPI ObReferenceObjectByHandleWithTag(HANDLE Handle, ACCESS_MASK DesiredAccess,
						POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
						ULONG Tag, PVOID *Object, PVOID HandleInformation)
{
	(void)Tag;
	return ObReferenceObjectByHandle(Handle, DesiredAccess, ObjectType, AccessMode, Object,
					 HandleInformation);
}

NTSTATUS NTAPI ObOpenObjectByPointerWithTag(PVOID Object, ULONG HandleAttributes,
					    PVOID PassedAccessState, ACCESS_MASK DesiredAccess,
					    POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
					    ULONG Tag, PHANDLE Handle)
{
	(void)Tag;
	return ObOpenObjectByPointer(Object, HandleAttributes, PassedAccessState, DesiredAccess,
				     ObjectType, AccessMode, Handle);
}

BOOLEAN NTAPI ObReferenceObjectSafe(PVOID Object)
{
	return ob_reference_unless_dead(Object);
}

BOOLEAN NTAPI ObReferenceObjectSafeWithTag(PVOID Object, ULONG Tag)
{
	(void)Tag;
	return ob_reference_unless_dead(Object);
}

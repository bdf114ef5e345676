/* SPDX-License-Identifier: MIT */
/*
 * Descriptors in one piece: a header of 20 bytes with offsets, then the parts, each at a
 * multiple of four. Copies are pool of the driver that asked, which frees them with
 * ExFreePool or SeReleaseSecurityDescriptor. No state.
 *
 * A descriptor that is set on an object is checked as Windows checks it, but nobody asks
 * for it later: what opens a device here is the person who runs the driver.
 *
 * Pages: those of the routines' names; phnt for capturing.
 */
#include "se/capture.h"
#include "ex/pool.h"
#include "ob/object.h"
#include <stdbool.h>
#include <string.h>

#define TAG 0x63536552u /* "ReSc" */

#define HEADER (4 + 4 * sizeof(ULONG))

struct parts {
	const void *part[4]; /* owner, group, SACL, DACL, in the order of the header */
	ULONG size[4];
};

static void add_sid(struct parts *parts, unsigned i, PSID sid)
{
	parts->part[i] = sid;
	parts->size[i] = sid ? RtlLengthSid(sid) : 0;
}

static void add_list(struct parts *parts, unsigned i, const ACL *list)
{
	parts->part[i] = list;
	parts->size[i] = list ? list->AclSize : 0;
}

static struct parts parts_of(PSECURITY_DESCRIPTOR d)
{
	struct parts parts = {0};
	BOOLEAN present, defaulted;
	PSID owner = NULL, group = NULL;
	PACL sacl = NULL, dacl = NULL;
	RtlGetOwnerSecurityDescriptor(d, &owner, &defaulted);
	RtlGetGroupSecurityDescriptor(d, &group, &defaulted);
	RtlGetSaclSecurityDescriptor(d, &present, &sacl, &defaulted);
	RtlGetDaclSecurityDescriptor(d, &present, &dacl, &defaulted);
	add_sid(&parts, 0, owner);
	add_sid(&parts, 1, group);
	add_list(&parts, 2, sacl);
	add_list(&parts, 3, dacl);
	return parts;
}

static ULONG aligned(ULONG size)
{
	return (size + 3) & ~3u;
}

static ULONG whole_size(const struct parts *parts)
{
	ULONG size = HEADER;
	for (unsigned i = 0; i < 4; i++)
		size += aligned(parts->size[i]);
	return size;
}

static void write_relative(const SECURITY_DESCRIPTOR *from, const struct parts *parts, char *to)
{
	ULONG offset = HEADER, offsets[4] = {0};
	USHORT control = from->Control | SE_SELF_RELATIVE;
	memset(to, 0, whole_size(parts));
	for (unsigned i = 0; i < 4; i++) {
		if (!parts->part[i])
			continue;
		memcpy(to + offset, parts->part[i], parts->size[i]);
		offsets[i] = offset;
		offset += aligned(parts->size[i]);
	}
	to[0] = (char)from->Revision;
	memcpy(to + 2, &control, sizeof(control));
	memcpy(to + 4, offsets, sizeof(offsets));
}

NTSTATUS NTAPI RtlAbsoluteToSelfRelativeSD(PSECURITY_DESCRIPTOR AbsoluteSecurityDescriptor,
					   PSECURITY_DESCRIPTOR SelfRelativeSecurityDescriptor,
					   PULONG BufferLength)
{
	if (AbsoluteSecurityDescriptor->Control & SE_SELF_RELATIVE)
		return STATUS_BAD_DESCRIPTOR_FORMAT;
	struct parts parts = parts_of(AbsoluteSecurityDescriptor);
	ULONG room = *BufferLength;
	*BufferLength = whole_size(&parts);
	if (room < *BufferLength)
		return STATUS_BUFFER_TOO_SMALL;
	write_relative(AbsoluteSecurityDescriptor, &parts, (char *)SelfRelativeSecurityDescriptor);
	return STATUS_SUCCESS;
}

/* ---- Capturing --------------------------------------------------------------------------- */

static bool is_copied(KPROCESSOR_MODE mode, BOOLEAN if_kernel)
{
	return mode != KernelMode || if_kernel;
}

NTSTATUS NTAPI SeCaptureSecurityDescriptor(PSECURITY_DESCRIPTOR OriginalSecurityDescriptor,
					   KPROCESSOR_MODE CurrentMode, POOL_TYPE PoolType,
					   BOOLEAN CaptureIfKernel,
					   PSECURITY_DESCRIPTOR *CapturedSecurityDescriptor)
{
	const void *caller = __builtin_return_address(0);
	if (!OriginalSecurityDescriptor || !is_copied(CurrentMode, CaptureIfKernel)) {
		*CapturedSecurityDescriptor = OriginalSecurityDescriptor;
		return STATUS_SUCCESS;
	}
	if (OriginalSecurityDescriptor->Revision != SECURITY_DESCRIPTOR_REVISION)
		return STATUS_UNKNOWN_REVISION;
	if (!RtlValidSecurityDescriptor(OriginalSecurityDescriptor))
		return STATUS_INVALID_SECURITY_DESCR;
	struct parts parts = parts_of(OriginalSecurityDescriptor);
	char *copy = ex_allocate_pool(caller, PoolType, whole_size(&parts), TAG);
	if (!copy)
		return STATUS_INSUFFICIENT_RESOURCES;
	write_relative(OriginalSecurityDescriptor, &parts, copy);
	*CapturedSecurityDescriptor = (PSECURITY_DESCRIPTOR)(void *)copy;
	return STATUS_SUCCESS;
}

VOID NTAPI SeReleaseSecurityDescriptor(PSECURITY_DESCRIPTOR CapturedSecurityDescriptor,
				       KPROCESSOR_MODE CurrentMode, BOOLEAN CaptureIfKernel)
{
	if (CapturedSecurityDescriptor && is_copied(CurrentMode, CaptureIfKernel))
		ex_free_pool(__builtin_return_address(0), CapturedSecurityDescriptor);
}

/* ---- Objects ------------------------------------------------------------------------------- */

#define WRITE_DAC 0x00040000
#define WRITE_OWNER 0x00080000
#define ACCESS_SYSTEM_SECURITY 0x01000000

static ACCESS_MASK rights_to_set(SECURITY_INFORMATION what)
{
	return (what & DACL_SECURITY_INFORMATION ? WRITE_DAC : 0) |
	       (what & (OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION) ? WRITE_OWNER
										 : 0) |
	       (what & SACL_SECURITY_INFORMATION ? ACCESS_SYSTEM_SECURITY : 0);
}

NTSTATUS NTAPI ZwSetSecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
				   PSECURITY_DESCRIPTOR SecurityDescriptor)
{
	void *object;
	if (!SecurityDescriptor)
		return STATUS_ACCESS_VIOLATION;
	NTSTATUS status = ObReferenceObjectByHandle(Handle, rights_to_set(SecurityInformation),
						    NULL, KernelMode, &object, NULL);
	if (!NT_SUCCESS(status))
		return status;
	ob_dereference(object);
	if (SecurityDescriptor->Revision != SECURITY_DESCRIPTOR_REVISION)
		return STATUS_UNKNOWN_REVISION;
	return RtlValidSecurityDescriptor(SecurityDescriptor) ? STATUS_SUCCESS
							      : STATUS_INVALID_SECURITY_DESCR;
}

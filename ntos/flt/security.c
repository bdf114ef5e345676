/* SPDX-License-Identifier: MIT */
/*
 * The security descriptor that drivers put on their ports: the system's and the
 * administrators' alone, in one block of paged pool, which drivers change before they use
 * it (a NULL DACL for everybody is common). Nobody is refused for it here.
 *
 * Pages: FltBuildDefaultSecurityDescriptor, FltFreeSecurityDescriptor.
 */
#include "ex/pool.h"
#include "flt/port.h"
#include "se/descriptor.h"
#include "se/wellknown.h"

#define TAG 0x64536C46 /* "FlSd" */

/* Of SeExports' first SIDs. */
enum { LOCAL_SYSTEM = 10, ADMINISTRATORS = 11 };

struct block {
	SECURITY_DESCRIPTOR descriptor; /* first */
	ULONG64 dacl[32];               /* an ACL of two entries */
};

static NTSTATUS fill(struct block *block, ACCESS_MASK access)
{
	PACL dacl = (PACL)(void *)block->dacl;
	PSID system = SeExports->sids[LOCAL_SYSTEM], admins = SeExports->sids[ADMINISTRATORS];
	NTSTATUS status = RtlCreateAcl(dacl, sizeof(block->dacl), ACL_REVISION_LOWEST);
	if (NT_SUCCESS(status))
		status = RtlAddAccessAllowedAce(dacl, ACL_REVISION_LOWEST, access, system);
	if (NT_SUCCESS(status))
		status = RtlAddAccessAllowedAce(dacl, ACL_REVISION_LOWEST, access, admins);
	if (NT_SUCCESS(status))
		status = RtlCreateSecurityDescriptor(&block->descriptor,
						     SECURITY_DESCRIPTOR_REVISION);
	if (NT_SUCCESS(status))
		status = RtlSetOwnerSecurityDescriptor(&block->descriptor, admins, FALSE);
	return NT_SUCCESS(status)
		       ? RtlSetDaclSecurityDescriptor(&block->descriptor, TRUE, dacl, FALSE)
		       : status;
}

NTSTATUS NTAPI FltBuildDefaultSecurityDescriptor(PVOID *SecurityDescriptor,
						 ACCESS_MASK DesiredAccess)
{
	struct block *block = ex_allocate_pool(__builtin_return_address(0), PagedPool,
					       sizeof(*block), TAG);
	if (!block)
		return STATUS_INSUFFICIENT_RESOURCES;
	NTSTATUS status = fill(block, DesiredAccess);
	if (NT_SUCCESS(status))
		*SecurityDescriptor = block;
	else
		ex_free_pool(__builtin_return_address(0), block);
	return status;
}

VOID NTAPI FltFreeSecurityDescriptor(PVOID SecurityDescriptor)
{
	ex_free_pool(__builtin_return_address(0), SecurityDescriptor);
}

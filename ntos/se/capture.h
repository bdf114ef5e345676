/* SPDX-License-Identifier: MIT */
/* Security descriptors in one piece, and giving one to an object. */
#ifndef RINGSIDE_SE_CAPTURE_H
#define RINGSIDE_SE_CAPTURE_H

#include "ex/pool.h"
#include "se/descriptor.h"

typedef ULONG SECURITY_INFORMATION;
#define OWNER_SECURITY_INFORMATION 0x1
#define GROUP_SECURITY_INFORMATION 0x2
#define DACL_SECURITY_INFORMATION 0x4
#define SACL_SECURITY_INFORMATION 0x8

NTSTATUS NTAPI RtlAbsoluteToSelfRelativeSD(PSECURITY_DESCRIPTOR AbsoluteSecurityDescriptor,
					   PSECURITY_DESCRIPTOR SelfRelativeSecurityDescriptor,
					   PULONG BufferLength);

/* A self-relative copy in pool; NULL of NULL. With CaptureIfKernel FALSE a kernel-mode
 * caller's own is the answer, which Release then leaves alone. */
NTSTATUS NTAPI SeCaptureSecurityDescriptor(PSECURITY_DESCRIPTOR OriginalSecurityDescriptor,
					   KPROCESSOR_MODE CurrentMode, POOL_TYPE PoolType,
					   BOOLEAN CaptureIfKernel,
					   PSECURITY_DESCRIPTOR *CapturedSecurityDescriptor);
VOID NTAPI SeReleaseSecurityDescriptor(PSECURITY_DESCRIPTOR CapturedSecurityDescriptor,
				       KPROCESSOR_MODE CurrentMode, BOOLEAN CaptureIfKernel);

NTSTATUS NTAPI ZwSetSecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
				   PSECURITY_DESCRIPTOR SecurityDescriptor);

#endif

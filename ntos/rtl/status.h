/* SPDX-License-Identifier: MIT */
/* Status codes for drivers; their names are rs_status_name of <ringside/ntstatus.h>. */
#ifndef RINGSIDE_RTL_STATUS_H
#define RINGSIDE_RTL_STATUS_H

#include <ringside/nt.h>

/*
 * The Win32 error for `Status`: the documented pairs for the statuses that
 * ntstatus.h lists; a status made from a Win32 error (0xC007xxxx) gives that
 * error back; ERROR_MR_MID_NOT_FOUND for the rest.
 */
ULONG NTAPI RtlNtStatusToDosError(NTSTATUS Status);

#endif

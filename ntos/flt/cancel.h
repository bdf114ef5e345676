/* SPDX-License-Identifier: MIT */
/* What minifilters do in the middle of a create. */
#ifndef RINGSIDE_FLT_CANCEL_H
#define RINGSIDE_FLT_CANCEL_H

#include "flt/flt.h"

/* From a post-create routine that then sets a failing status: the file is closed again,
 * which the instances below see. */
VOID NTAPI FltCancelFileOpen(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject);
NTSTATUS NTAPI FltGetEcpListFromCallbackData(PFLT_FILTER Filter, PFLT_CALLBACK_DATA CallbackData,
					     PVOID *EcpList);

#endif

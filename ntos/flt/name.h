/* SPDX-License-Identifier: MIT */
/* Names of files, as minifilters ask for them. */
#ifndef RINGSIDE_FLT_NAME_H
#define RINGSIDE_FLT_NAME_H

#include "flt/flt.h"

/* At shutdown. */
void flt_forget_names(void);

NTSTATUS NTAPI FltGetFileNameInformation(PFLT_CALLBACK_DATA CallbackData, ULONG NameOptions,
					 PFLT_FILE_NAME_INFORMATION *FileNameInformation);
NTSTATUS NTAPI FltGetFileNameInformationUnsafe(PFILE_OBJECT FileObject, PFLT_INSTANCE Instance,
					       ULONG NameOptions,
					       PFLT_FILE_NAME_INFORMATION *FileNameInformation);
NTSTATUS NTAPI FltGetDestinationFileNameInformation(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
						    HANDLE RootDirectory, PWSTR FileName,
						    ULONG FileNameLength, ULONG NameOptions,
						    PFLT_FILE_NAME_INFORMATION *RetFileNameInfo);
NTSTATUS NTAPI FltGetTunneledName(PFLT_CALLBACK_DATA CallbackData,
				  PFLT_FILE_NAME_INFORMATION FileNameInformation,
				  PFLT_FILE_NAME_INFORMATION *RetTunneledFileNameInformation);
VOID NTAPI FltReferenceFileNameInformation(PFLT_FILE_NAME_INFORMATION FileNameInformation);
VOID NTAPI FltReleaseFileNameInformation(PFLT_FILE_NAME_INFORMATION FileNameInformation);

/* What they are made of (parse.c). */
NTSTATUS NTAPI FltParseFileNameInformation(PFLT_FILE_NAME_INFORMATION FileNameInformation);
NTSTATUS NTAPI FltParseFileName(PCUNICODE_STRING FileName, PUNICODE_STRING Extension,
				PUNICODE_STRING Stream, PUNICODE_STRING FinalComponent);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The parts of a file's name, as views of the same text.
 *
 * A name is \Device\Volume\dir\dir\final.ext:stream:$TYPE. The final component has the
 * stream with it, the parent directory its last backslash; a short name is a final
 * component alone. No name here lies on a server, so there is never a share.
 *
 * Pages: FltParseFileNameInformation, FltParseFileName, FLT_FILE_NAME_INFORMATION.
 */
#include "flt/name.h"

static UNICODE_STRING part(PCUNICODE_STRING name, USHORT from, USHORT to)
{
	USHORT length = (USHORT)((to - from) * sizeof(WCHAR));
	return (UNICODE_STRING){length, length, length ? name->Buffer + from : NULL};
}

struct parts {
	UNICODE_STRING extension, stream, final;
	USHORT begin; /* of the final component, in units */
};

static struct parts split(PCUNICODE_STRING name)
{
	USHORT end = name->Length / sizeof(WCHAR), begin = end, stream = end, dot = end;
	while (begin && name->Buffer[begin - 1] != '\\')
		begin--;
	for (USHORT i = end; i-- > begin;)
		if (name->Buffer[i] == ':')
			stream = i;
	for (USHORT i = begin; i < stream; i++)
		if (name->Buffer[i] == '.')
			dot = (USHORT)(i + 1);
	if (dot > stream)
		dot = stream;
	return (struct parts){part(name, dot, stream), part(name, stream, end),
			      part(name, begin, end), begin};
}

NTSTATUS NTAPI FltParseFileName(PCUNICODE_STRING FileName, PUNICODE_STRING Extension,
				PUNICODE_STRING Stream, PUNICODE_STRING FinalComponent)
{
	struct parts parts = split(FileName);
	if (Extension)
		*Extension = parts.extension;
	if (Stream)
		*Stream = parts.stream;
	if (FinalComponent)
		*FinalComponent = parts.final;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI FltParseFileNameInformation(PFLT_FILE_NAME_INFORMATION FileNameInformation)
{
	PFLT_FILE_NAME_INFORMATION info = FileNameInformation;
	struct parts parts = split(&info->Name);
	info->Extension = parts.extension;
	info->NamesParsed = FLTFL_FILE_NAME_PARSED_FINAL_COMPONENT |
			    FLTFL_FILE_NAME_PARSED_EXTENSION | FLTFL_FILE_NAME_PARSED_STREAM |
			    FLTFL_FILE_NAME_PARSED_PARENT_DIR;
	info->FinalComponent = parts.final;
	if (info->Format == FLT_FILE_NAME_SHORT)
		return STATUS_SUCCESS;
	info->Stream = parts.stream;
	USHORT volume = info->Volume.Length / sizeof(WCHAR);
	info->ParentDir = part(&info->Name, volume < parts.begin ? volume : parts.begin,
			       parts.begin);
	return STATUS_SUCCESS;
}

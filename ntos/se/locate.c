/* SPDX-License-Identifier: MIT */
/* SeLocateProcessImageName: one pool block, string and text, that the caller frees. */
#include "ex/pool.h"
#include "ps/process.h"
#include <string.h>

#define TAG 0x6E4C6553 /* 'SeLn' */

NTSTATUS NTAPI SeLocateProcessImageName(PEPROCESS Process, PUNICODE_STRING *ImageFileName)
{
	USHORT length = Process->native_image.Length;
	UNICODE_STRING *name = ex_allocate_pool(__builtin_return_address(0), NonPagedPool,
						sizeof *name + length + sizeof(WCHAR), TAG);
	if (!name)
		return STATUS_NO_MEMORY;
	name->Length = length;
	name->MaximumLength = length + sizeof(WCHAR);
	name->Buffer = (PWSTR)(name + 1);
	if (length)
		memcpy(name->Buffer, Process->native_image.Buffer, length);
	name->Buffer[length / sizeof(WCHAR)] = 0;
	*ImageFileName = name;
	return STATUS_SUCCESS;
}

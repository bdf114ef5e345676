/* SPDX-License-Identifier: MIT */
/*
 * The top-level IRP and the stack of the current thread, and a file's DOS name.
 *
 * Both are kept per host thread: a driver's code stays on the one that it runs on.
 */
#include "io/thread.h"
#include "ex/pool.h"
#include "io/file.h"
#include "ke/thread.h"
#include "rtl/utf.h"
#include <pthread.h>
#include <string.h>

#define NAME_TAG 0x6D4E6F49 /* 'IoNm' */

static _Thread_local PIRP top_level;

PIRP NTAPI IoGetTopLevelIrp(void)
{
	return top_level;
}

VOID NTAPI IoSetTopLevelIrp(PIRP Irp)
{
	top_level = Irp;
}

/* Asking Linux takes long for a process's first thread, and the stack stays. */
VOID NTAPI IoGetStackLimits(PULONG_PTR LowLimit, PULONG_PTR HighLimit)
{
	const struct ke_stack_limits *stack = &ke_processor()->stack;
	*LowLimit = stack->low;
	*HighLimit = stack->high;
}

ULONG_PTR NTAPI IoGetInitialStack(void)
{
	return ke_processor()->stack.high;
}

PGENERIC_MAPPING NTAPI IoGetFileObjectGenericMapping(void)
{
	return &IoFileObjectType->GenericMapping;
}

/* \Device\HarddiskVolume1\usr is Z:\usr, as image names are told. */
NTSTATUS NTAPI IoQueryFileDosDeviceName(PFILE_OBJECT FileObject, PVOID *ObjectNameInformation)
{
	static const UNICODE_STRING volume = {sizeof(u"\\Device\\HarddiskVolume1") - 2, 0,
					      (PWSTR)(uintptr_t)u"\\Device\\HarddiskVolume1"};
	UNICODE_STRING name;
	NTSTATUS status = io_file_name(FileObject, &name);
	if (!NT_SUCCESS(status))
		return status;
	bool on_volume = name.Length >= volume.Length &&
			 !memcmp(name.Buffer, volume.Buffer, volume.Length);
	USHORT skipped = on_volume ? volume.Length : 0, drive = on_volume ? 4 : 0;
	USHORT length = (USHORT)(name.Length - skipped + drive);
	UNICODE_STRING *answer = ex_allocate_pool(__builtin_return_address(0), PagedPool,
						  sizeof(*answer) + length + 2, NAME_TAG);
	if (answer) {
		char *text = (char *)(answer + 1);
		*answer = (UNICODE_STRING){length, (USHORT)(length + 2), (PWSTR)(void *)text};
		memcpy(text, u"Z:", drive);
		memcpy(text + drive, (char *)name.Buffer + skipped, (size_t)length - drive);
		memset(text + length, 0, 2);
		*ObjectNameInformation = answer;
	}
	rtl_free_string(&name);
	return answer ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

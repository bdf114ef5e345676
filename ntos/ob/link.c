/* SPDX-License-Identifier: MIT */
/*
 * Symbolic links: objects that stand for another name.
 *
 * A link never changes; its target lies behind the body. The object that it names need
 * not exist.
 */
#include "ob/directory.h"
#include "ob/handle.h"
#include "ps/process.h"
#include <string.h>

struct ob_link {
	UNICODE_STRING target;
	WCHAR text[];
};

void *ob_create_link(PCUNICODE_STRING target)
{
	struct ob_link *link = ob_create(ObpSymbolicLinkObjectType,
					 sizeof(*link) + target->Length + sizeof(WCHAR));
	if (!link)
		return NULL;
	memcpy(link->text, target->Buffer, target->Length);
	link->target = (UNICODE_STRING){target->Length, (USHORT)(target->Length + sizeof(WCHAR)),
					link->text};
	return link;
}

PCUNICODE_STRING ob_link_target(void *link)
{
	return &((struct ob_link *)link)->target;
}

NTSTATUS NTAPI ZwQuerySymbolicLinkObject(HANDLE LinkHandle, PUNICODE_STRING LinkTarget,
					 PULONG ReturnedLength)
{
	PVOID object;
	NTSTATUS status = ob_reference_by_handle(LinkHandle, SYMBOLIC_LINK_QUERY,
						 ObpSymbolicLinkObjectType, KernelMode, &object);
	if (!NT_SUCCESS(status))
		return status;
	PCUNICODE_STRING target = ob_link_target(object);
	/* A caller that asks for the length is told one with room for a terminator. */
	ULONG needed = ReturnedLength ? target->MaximumLength : target->Length;
	if (LinkTarget->MaximumLength >= needed) {
		memcpy(LinkTarget->Buffer, target->Buffer, needed);
		LinkTarget->Length = target->Length;
	} else {
		status = STATUS_BUFFER_TOO_SMALL;
	}
	if (ReturnedLength)
		*ReturnedLength = needed;
	ob_dereference(object);
	return status;
}

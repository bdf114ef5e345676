/* SPDX-License-Identifier: MIT */
/* Ends of names. Case does not count. */
#include "conform.h"

UNICODE_STRING LastComponent(PCUNICODE_STRING Path)
{
	UNICODE_STRING last = {0, 0, NULL};
	USHORT count = Path->Length / sizeof(WCHAR);
	USHORT start = count;

	while (start != 0 && Path->Buffer[start - 1] != L'\\' && Path->Buffer[start - 1] != L'/')
		start--;
	last.Buffer = Path->Buffer + start;
	last.Length = last.MaximumLength = (USHORT)((count - start) * sizeof(WCHAR));
	return last;
}

BOOLEAN EndsWithString(PCUNICODE_STRING Text, PCUNICODE_STRING End)
{
	UNICODE_STRING tail;

	if (Text == NULL || Text->Buffer == NULL || Text->Length < End->Length)
		return FALSE;
	tail.Buffer = (PWSTR)((PUCHAR)Text->Buffer + Text->Length - End->Length);
	tail.Length = tail.MaximumLength = End->Length;
	return RtlEqualUnicodeString(&tail, End, TRUE);
}

BOOLEAN EndsWith(PCUNICODE_STRING Text, PCWSTR End)
{
	UNICODE_STRING end;

	RtlInitUnicodeString(&end, End);
	return EndsWithString(Text, &end);
}

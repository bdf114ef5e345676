/* SPDX-License-Identifier: MIT */
/*
 * A provider of trace events, with blobs written by hand as TraceLoggingProvider.h lays
 * them out: one event that describes itself, one of a manifest, and one whose description
 * is cut off.
 */
#include <ntddk.h>
#include <evntprov.h>

/* What mingw's headers lack. */
NTSTATUS NTAPI EtwSetInformation(REGHANDLE RegHandle, ULONG InformationClass,
				 PVOID EventInformation, ULONG InformationLength);
#define SET_TRAITS 2
#define TYPE_EVENT_METADATA 1
#define TYPE_PROVIDER_METADATA 2

static const GUID Provider = {
	0x5b0f1d3a, 0x6c2e, 0x4f7b, {0x9a, 0x10, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05}};

static const UCHAR Traits[] = {18,  0,   'R', 'i', 'n', 'g', 's', 'i', 'd',
			       'e', '.', 'T', 'r', 'a', 'c', 'e', 'r', 0};

/* Count: UINT32. Image: UNICODESTRING. Status: UINT32 as an NTSTATUS. */
static const UCHAR Started[] = {34,  0,   0,   'S', 't', 'a', 'r', 't', 'e', 'd', 0,   'C',
				'o', 'u', 'n', 't', 0,   8,   'I', 'm', 'a', 'g', 'e', 0,
				1,   'S', 't', 'a', 't', 'u', 's', 0,   136, 14};

static REGHANDLE Handle;

static VOID NTAPI OnEnable(LPCGUID SourceId, ULONG ControlCode, UCHAR Level,
			   ULONGLONG MatchAnyKeyword, ULONGLONG MatchAllKeyword,
			   PEVENT_FILTER_DESCRIPTOR FilterData, PVOID CallbackContext)
{
	UNREFERENCED_PARAMETER(SourceId);
	UNREFERENCED_PARAMETER(MatchAnyKeyword);
	UNREFERENCED_PARAMETER(MatchAllKeyword);
	UNREFERENCED_PARAMETER(FilterData);
	DbgPrint("enabled: code %lu, level %u, context %s\n", ControlCode, Level,
		 (const char *)CallbackContext);
}

static VOID Describe(PEVENT_DATA_DESCRIPTOR Data, const VOID *Pointer, ULONG Size, ULONG Type)
{
	Data->Ptr = (ULONGLONG)(ULONG_PTR)Pointer;
	Data->Size = Size;
	Data->Reserved = Type;
}

static VOID WriteStarted(const UCHAR *Metadata, ULONG Size)
{
	static const EVENT_DESCRIPTOR Event = {.Channel = 11, .Level = 4};
	ULONG Count = 7, Status = (ULONG)STATUS_ACCESS_DENIED;
	EVENT_DATA_DESCRIPTOR Data[5];

	Describe(&Data[0], Traits, sizeof(Traits), TYPE_PROVIDER_METADATA);
	Describe(&Data[1], Metadata, Size, TYPE_EVENT_METADATA);
	Describe(&Data[2], &Count, sizeof(Count), 0);
	Describe(&Data[3], L"a b", sizeof(L"a b"), 0);
	Describe(&Data[4], &Status, sizeof(Status), 0);
	DbgPrint("wrote %08lx\n", (ULONG)EtwWriteTransfer(Handle, &Event, NULL, NULL, 5, Data));
}

static VOID WriteClassic(VOID)
{
	static const EVENT_DESCRIPTOR Event = {
		.Id = 300, .Version = 2, .Level = 3, .Opcode = 1, .Keyword = 0x8000000000000010};
	EVENT_DATA_DESCRIPTOR Data;

	Describe(&Data, "four", 4, 0);
	if (EtwEventEnabled(Handle, &Event))
		EtwWrite(Handle, &Event, &Provider, 1, &Data);
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
	UNREFERENCED_PARAMETER(DriverObject);

	EtwUnregister(Handle);
}

NTSTATUS
DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
	NTSTATUS status;
	UNREFERENCED_PARAMETER(RegistryPath);

	DriverObject->DriverUnload = Unload;
	status = EtwRegister(&Provider, OnEnable, "mine", &Handle);
	if (!NT_SUCCESS(status))
		return status;
	status = EtwSetInformation(Handle, SET_TRAITS, (PVOID)(ULONG_PTR)Traits, sizeof(Traits));
	if (!NT_SUCCESS(status)) {
		EtwUnregister(Handle);
		return status;
	}
	DbgPrint("provider is %s\n", EtwProviderEnabled(Handle, 0, 0) ? "on" : "off");
	WriteStarted(Started, sizeof(Started));
	WriteStarted(Started, sizeof(Started) - 8);
	WriteClassic();
	return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * Compiled only, by layout.test.sh: what ddk/ adds to mingw's headers has the layout
 * of the contract (AB-11, AB-12), the names and values of the WDK, and calls
 * imports.
 */
#if defined(WITH_FLTKERNEL)
#include <fltKernel.h>
#elif defined(WITH_NTIFS)
#include <ntifs.h>
#else
#include <ntddk.h>
#endif

#define AT(type, field, offset) C_ASSERT(FIELD_OFFSET(type, field) == (offset))

AT(PS_CREATE_NOTIFY_INFO, Flags, 0x08);
AT(PS_CREATE_NOTIFY_INFO, ParentProcessId, 0x10);
AT(PS_CREATE_NOTIFY_INFO, CreatingThreadId, 0x18);
AT(PS_CREATE_NOTIFY_INFO, FileObject, 0x28);
AT(PS_CREATE_NOTIFY_INFO, ImageFileName, 0x30);
AT(PS_CREATE_NOTIFY_INFO, CommandLine, 0x38);
AT(PS_CREATE_NOTIFY_INFO, CreationStatus, 0x40);
C_ASSERT(sizeof(PS_CREATE_NOTIFY_INFO) == 0x48);

AT(IMAGE_INFO, ImageBase, 0x08);
AT(IMAGE_INFO, ImageSelector, 0x10);
AT(IMAGE_INFO, ImageSize, 0x18);
AT(IMAGE_INFO, ImageSectionNumber, 0x20);
C_ASSERT(sizeof(IMAGE_INFO) == 40);
AT(IMAGE_INFO_EX, ImageInfo, 0x08);
AT(IMAGE_INFO_EX, FileObject, 0x30);
C_ASSERT(sizeof(IMAGE_INFO_EX) == 56);

#if defined(WITH_FLTKERNEL)
C_ASSERT(sizeof(FLT_PARAMETERS) == 48);
AT(FLT_PARAMETERS, Create.ShareAccess, 18);
AT(FLT_PARAMETERS, Create.AllocationSize, 40);
AT(FLT_PARAMETERS, Read.ReadBuffer, 24);
AT(FLT_PARAMETERS, Write.MdlAddress, 32);
AT(FLT_PARAMETERS, SetFileInformation.InfoBuffer, 32);
AT(FLT_IO_PARAMETER_BLOCK, Parameters, 24);
AT(FLT_CALLBACK_DATA, IoStatus, 24);
AT(FLT_CALLBACK_DATA, RequestorMode, 80);
C_ASSERT(sizeof(FLT_CALLBACK_DATA) == 88);
AT(FLT_RELATED_OBJECTS, FileObject, 32);
C_ASSERT(sizeof(FLT_RELATED_OBJECTS) == 48);
C_ASSERT(sizeof(FLT_OPERATION_REGISTRATION) == 32);
C_ASSERT(sizeof(FLT_CONTEXT_REGISTRATION) == 56);
AT(FLT_REGISTRATION, FilterUnloadCallback, 24);
C_ASSERT(sizeof(FLT_REGISTRATION) == 112);
C_ASSERT(sizeof(FLT_FILE_NAME_INFORMATION) == 120);
C_ASSERT(sizeof(FLT_VOLUME_PROPERTIES) == 72);
#endif

/* A bit-field has no address: the value it gives its word is folded by the compiler,
 * and a wrong one leaves a call that the linker cannot resolve. */
extern VOID WrongBit(VOID);
#define BIT(type, word, field, value)                                                              \
	do {                                                                                       \
		union {                                                                            \
			type Whole;                                                                \
			UCHAR Bytes[sizeof(type)];                                                 \
		} u = {.Bytes = {0}};                                                              \
		u.Whole.field = ~0;                                                                \
		if (u.Whole.word != (ULONG)(value))                                                \
			WrongBit();                                                                \
	} while (0)

DRIVER_INITIALIZE DriverEntry;

static VOID OnProcess(PEPROCESS Process, HANDLE ProcessId, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	UNREFERENCED_PARAMETER(Process);
	UNREFERENCED_PARAMETER(ProcessId);
	if (CreateInfo != NULL && CreateInfo->IsSubsystemProcess)
		CreateInfo->CreationStatus = STATUS_ACCESS_DENIED;
}

static VOID OnImage(PUNICODE_STRING Name, HANDLE ProcessId, PIMAGE_INFO Info)
{
	UNREFERENCED_PARAMETER(Name);
	UNREFERENCED_PARAMETER(ProcessId);
	if (Info->ImageSignatureLevel == SE_SIGNING_LEVEL_UNSIGNED)
		Info->Properties = 0;
}

/* Every routine that is declared must be importable. */
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
	PVOID memory;

	UNREFERENCED_PARAMETER(DriverObject);
	UNREFERENCED_PARAMETER(RegistryPath);

	BIT(PS_CREATE_NOTIFY_INFO, Flags, FileOpenNameAvailable, 1);
	BIT(PS_CREATE_NOTIFY_INFO, Flags, IsSubsystemProcess, 2);
	BIT(IMAGE_INFO, Properties, ImageAddressingMode, 0xFF);
	BIT(IMAGE_INFO, Properties, SystemModeImage, 1 << 8);
	BIT(IMAGE_INFO, Properties, ImageMappedToAllPids, 1 << 9);
	BIT(IMAGE_INFO, Properties, ExtendedInfoPresent, 1 << 10);
	BIT(IMAGE_INFO, Properties, MachineTypeMismatch, 1 << 11);
	BIT(IMAGE_INFO, Properties, ImageSignatureLevel, 0xF << 12);
	BIT(IMAGE_INFO, Properties, ImageSignatureType, 7 << 16);
	BIT(IMAGE_INFO, Properties, ImagePartialMap, 1 << 19);

	PsSetCreateProcessNotifyRoutineEx(OnProcess, FALSE);
	PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems,
					   (PVOID)(ULONG_PTR)OnProcess, FALSE);
	PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifySubsystems,
					 (PVOID)(ULONG_PTR)OnProcess);
	PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifyNonSystem,
					 (PVOID)(ULONG_PTR)OnProcess);
	PsSetLoadImageNotifyRoutine(OnImage);
	PsSetLoadImageNotifyRoutineEx(OnImage, PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE);
	PsRemoveLoadImageNotifyRoutine(OnImage);
	memory = ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED, 16, 'tseT');
	if (memory == NULL)
		memory = ExAllocatePoolUninitialized(PagedPool, 16, 'tseT');
	if (memory == NULL)
		memory = ExAllocatePoolZero(NonPagedPoolNx, 16, 'tseT');
	ExFreePool(memory);
	return *ExDesktopObjectType == *PsThreadType ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * <ntddk.h> as a current WDK has it, for drivers compiled with mingw; wdm.h in
 * this folder says how.
 *
 * Two structures lack bits that Windows 10 added. They and the routines that
 * mention them are given other names while mingw's header is read, and declared
 * anew below.
 */
#ifndef RINGSIDE_DDK_NTDDK_H
#define RINGSIDE_DDK_NTDDK_H

#include <wdm.h>

#define _PS_CREATE_NOTIFY_INFO _MINGW_PS_CREATE_NOTIFY_INFO
#define PS_CREATE_NOTIFY_INFO MINGW_PS_CREATE_NOTIFY_INFO
#define PPS_CREATE_NOTIFY_INFO MINGW_PPS_CREATE_NOTIFY_INFO
#define PCREATE_PROCESS_NOTIFY_ROUTINE_EX MINGW_PCREATE_PROCESS_NOTIFY_ROUTINE_EX
#define PsSetCreateProcessNotifyRoutineEx MingwPsSetCreateProcessNotifyRoutineEx
#define _IMAGE_INFO _MINGW_IMAGE_INFO
#define IMAGE_INFO MINGW_IMAGE_INFO
#define PIMAGE_INFO MINGW_PIMAGE_INFO
#define _IMAGE_INFO_EX _MINGW_IMAGE_INFO_EX
#define IMAGE_INFO_EX MINGW_IMAGE_INFO_EX
#define PIMAGE_INFO_EX MINGW_PIMAGE_INFO_EX
#define PLOAD_IMAGE_NOTIFY_ROUTINE MINGW_PLOAD_IMAGE_NOTIFY_ROUTINE
#define PsSetLoadImageNotifyRoutine MingwPsSetLoadImageNotifyRoutine
#define PsRemoveLoadImageNotifyRoutine MingwPsRemoveLoadImageNotifyRoutine

#include_next <ntddk.h>

#undef _PS_CREATE_NOTIFY_INFO
#undef PS_CREATE_NOTIFY_INFO
#undef PPS_CREATE_NOTIFY_INFO
#undef PCREATE_PROCESS_NOTIFY_ROUTINE_EX
#undef PsSetCreateProcessNotifyRoutineEx
#undef _IMAGE_INFO
#undef IMAGE_INFO
#undef PIMAGE_INFO
#undef _IMAGE_INFO_EX
#undef IMAGE_INFO_EX
#undef PIMAGE_INFO_EX
#undef PLOAD_IMAGE_NOTIFY_ROUTINE
#undef PsSetLoadImageNotifyRoutine
#undef PsRemoveLoadImageNotifyRoutine

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Processes --------------------------------------------------------------- */

typedef struct _PS_CREATE_NOTIFY_INFO {
	SIZE_T Size;
	union {
		ULONG Flags;
		struct {
			ULONG FileOpenNameAvailable : 1;
			ULONG IsSubsystemProcess : 1;
			ULONG Reserved : 30;
		};
	};
	HANDLE ParentProcessId;
	CLIENT_ID CreatingThreadId;
	struct _FILE_OBJECT *FileObject;
	PCUNICODE_STRING ImageFileName;
	PCUNICODE_STRING CommandLine;
	NTSTATUS CreationStatus;
} PS_CREATE_NOTIFY_INFO, *PPS_CREATE_NOTIFY_INFO;

typedef VOID(NTAPI *PCREATE_PROCESS_NOTIFY_ROUTINE_EX)(PEPROCESS Process, HANDLE ProcessId,
						       PPS_CREATE_NOTIFY_INFO CreateInfo);

NTKERNELAPI NTSTATUS NTAPI
PsSetCreateProcessNotifyRoutineEx(PCREATE_PROCESS_NOTIFY_ROUTINE_EX NotifyRoutine, BOOLEAN Remove);

typedef enum _PSCREATEPROCESSNOTIFYTYPE {
	PsCreateProcessNotifySubsystems = 0
} PSCREATEPROCESSNOTIFYTYPE;

/* Windows 10 1703. */
NTKERNELAPI NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx2(PSCREATEPROCESSNOTIFYTYPE NotifyType,
							      PVOID NotifyInformation,
							      BOOLEAN Remove);

typedef enum _SUBSYSTEM_INFORMATION_TYPE {
	SubsystemInformationTypeWin32 = 0,
	SubsystemInformationTypeWSL,
	MaxSubsystemInformationType
} SUBSYSTEM_INFORMATION_TYPE;

/* ---- Threads ------------------------------------------------------------------ */

typedef enum _PSCREATETHREADNOTIFYTYPE {
	PsCreateThreadNotifyNonSystem = 0,
	PsCreateThreadNotifySubsystems = 1
} PSCREATETHREADNOTIFYTYPE;

/* Windows 10. */
NTKERNELAPI NTSTATUS NTAPI PsSetCreateThreadNotifyRoutineEx(PSCREATETHREADNOTIFYTYPE NotifyType,
							    PVOID NotifyInformation);

/* ---- Images -------------------------------------------------------------------- */

typedef struct _IMAGE_INFO {
	union {
		ULONG Properties;
		struct {
			ULONG ImageAddressingMode : 8;
			ULONG SystemModeImage : 1;
			ULONG ImageMappedToAllPids : 1;
			ULONG ExtendedInfoPresent : 1;
			ULONG MachineTypeMismatch : 1;
			ULONG ImageSignatureLevel : 4;
			ULONG ImageSignatureType : 3;
			ULONG ImagePartialMap : 1;
			ULONG Reserved : 12;
		};
	};
	PVOID ImageBase;
	ULONG ImageSelector;
	SIZE_T ImageSize;
	ULONG ImageSectionNumber;
} IMAGE_INFO, *PIMAGE_INFO;

typedef struct _IMAGE_INFO_EX {
	SIZE_T Size;
	IMAGE_INFO ImageInfo;
	struct _FILE_OBJECT *FileObject;
} IMAGE_INFO_EX, *PIMAGE_INFO_EX;

typedef VOID(NTAPI *PLOAD_IMAGE_NOTIFY_ROUTINE)(PUNICODE_STRING FullImageName, HANDLE ProcessId,
						PIMAGE_INFO ImageInfo);

#define PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE 0x1

NTKERNELAPI NTSTATUS NTAPI PsSetLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine);
NTKERNELAPI NTSTATUS NTAPI PsRemoveLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine);

/* Windows 10 1709. */
NTKERNELAPI NTSTATUS NTAPI PsSetLoadImageNotifyRoutineEx(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine,
							 ULONG_PTR Flags);

#define SE_SIGNING_LEVEL_UNCHECKED 0x0
#define SE_SIGNING_LEVEL_UNSIGNED 0x1
#define SE_SIGNING_LEVEL_ENTERPRISE 0x2
#define SE_SIGNING_LEVEL_CUSTOM_1 0x3
#define SE_SIGNING_LEVEL_DEVELOPER SE_SIGNING_LEVEL_CUSTOM_1
#define SE_SIGNING_LEVEL_AUTHENTICODE 0x4
#define SE_SIGNING_LEVEL_CUSTOM_2 0x5
#define SE_SIGNING_LEVEL_STORE 0x6
#define SE_SIGNING_LEVEL_CUSTOM_3 0x7
#define SE_SIGNING_LEVEL_ANTIMALWARE SE_SIGNING_LEVEL_CUSTOM_3
#define SE_SIGNING_LEVEL_MICROSOFT 0x8
#define SE_SIGNING_LEVEL_CUSTOM_4 0x9
#define SE_SIGNING_LEVEL_CUSTOM_5 0xA
#define SE_SIGNING_LEVEL_DYNAMIC_CODEGEN 0xB
#define SE_SIGNING_LEVEL_WINDOWS 0xC
#define SE_SIGNING_LEVEL_CUSTOM_7 0xD
#define SE_SIGNING_LEVEL_WINDOWS_TCB 0xE
#define SE_SIGNING_LEVEL_CUSTOM_6 0xF

typedef enum _SE_IMAGE_SIGNATURE_TYPE {
	SeImageSignatureNone = 0,
	SeImageSignatureEmbedded,
	SeImageSignatureCache,
	SeImageSignatureCatalogCached,
	SeImageSignatureCatalogNotCached,
	SeImageSignatureCatalogHint,
	SeImageSignaturePackageCatalog,
	SeImageSignaturePplMitigated
} SE_IMAGE_SIGNATURE_TYPE,
	*PSE_IMAGE_SIGNATURE_TYPE;

#ifdef __cplusplus
}
#endif
#endif

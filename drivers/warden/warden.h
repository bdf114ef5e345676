/* SPDX-License-Identifier: MIT */
/*
 * Warden: refuses programs by name and protects others from being ended or
 * tampered with.
 *
 *	driver.c	DriverEntry, unload, and the way back when something fails
 *	config.c	DenyImages and ProtectImages from the registry
 *	process.c	process creation and exit
 *	object.c	handles to processes and threads
 *	protected.c	which processes are protected
 *
 * Everything here runs at PASSIVE_LEVEL or APC_LEVEL, so code and data are
 * pageable and one fast mutex is enough.
 */
#ifndef WARDEN_H
#define WARDEN_H

#include <ntddk.h>

#define WARDEN_TAG 'draW'

/*
 * Where Warden stands among the drivers that register object callbacks. The range
 * of FSFilter Activity Monitor is 360000 to 389999. A driver that is to be
 * released needs an altitude assigned by Microsoft; this one is for experiments.
 */
#define WARDEN_ALTITUDE L"385950.1701"

/* The kernel-mode headers name few of these. */
#ifndef PROCESS_TERMINATE
#define PROCESS_TERMINATE 0x0001
#define PROCESS_CREATE_THREAD 0x0002
#define PROCESS_VM_OPERATION 0x0008
#define PROCESS_VM_WRITE 0x0020
#define PROCESS_CREATE_PROCESS 0x0080
#define PROCESS_SET_QUOTA 0x0100
#define PROCESS_SET_INFORMATION 0x0200
#define PROCESS_SUSPEND_RESUME 0x0800
#endif
#ifndef THREAD_SET_THREAD_TOKEN
#define THREAD_SET_THREAD_TOKEN 0x0080
#endif

#define WardenLog(Level, Format, ...)                                                              \
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, Level, "warden: " Format "\n", ##__VA_ARGS__)

/* What there is to say at the end. */
typedef struct _WARDEN_COUNTERS {
	volatile LONG ProcessesCreated;
	volatile LONG ProcessesDenied;
	volatile LONG ProcessesProtected;
	volatile LONG HandlesStripped;
} WARDEN_COUNTERS;

extern WARDEN_COUNTERS WardenCounters;

/* driver.c */
DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD WardenUnload;

/* config.c: read once, before anything is registered; constant from then on. */
NTSTATUS WardenReadConfiguration(PUNICODE_STRING RegistryPath);
VOID WardenFreeConfiguration(VOID);
BOOLEAN WardenIsDenied(PCUNICODE_STRING ImageFileName);
BOOLEAN WardenShallProtect(PCUNICODE_STRING ImageFileName);

/* process.c */
NTSTATUS WardenRegisterProcessNotify(VOID);
VOID WardenUnregisterProcessNotify(VOID);

/* object.c */
NTSTATUS WardenRegisterObjectCallbacks(VOID);
VOID WardenUnregisterObjectCallbacks(VOID);

/* protected.c */
VOID WardenInitializeProtected(VOID);
NTSTATUS WardenProtect(HANDLE ProcessId);
BOOLEAN WardenUnprotect(HANDLE ProcessId);
BOOLEAN WardenIsProtected(HANDLE ProcessId);
VOID WardenFreeProtected(VOID);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The driver of tests/io/files.test.c and tests/cli/root.test.sh. What a product does with
 * files as it starts: it reads its settings, lists a folder, writes a log, reads its own
 * file and maps it as an image to compare it with what is loaded. Control codes make
 * the mistakes.
 */
#include <ntifs.h>

#define CODE(n) ((ULONG)CTL_CODE(0x8000u, 0x800 + (n), METHOD_BUFFERED, FILE_ANY_ACCESS))
#define IOCTL_BAD_BUFFER CODE(1) /* reads to a kernel address where nothing is */
#define IOCTL_HIGH_IRQL CODE(2)  /* opens at DISPATCH_LEVEL */
#define IOCTL_BAD_STATUS_BLOCK CODE(3)
#define IOCTL_BAD_QUERY CODE(4) /* the answer's place is nowhere */
#define IOCTL_MAP CODE(5)       /* maps its log, and may not make it shorter then */
#define IOCTL_TOUCH CODE(7)     /* touches the second page of that view */
#define IOCTL_STATUSES CODE(6)  /* mistakes that are a status; 0 if each is the right one */

#ifndef SEC_IMAGE
#define SEC_IMAGE 0x1000000
#endif
#define NOWHERE ((PVOID)0x00007E0000000000)

NTSYSAPI NTSTATUS NTAPI ZwCreateSection(PHANDLE section, ACCESS_MASK access,
					POBJECT_ATTRIBUTES attributes, PLARGE_INTEGER size,
					ULONG protect, ULONG kind, HANDLE file);
NTSYSAPI NTSTATUS NTAPI ZwMapViewOfSection(HANDLE section, HANDLE process, PVOID *base,
					   ULONG_PTR zero_bits, SIZE_T commit,
					   PLARGE_INTEGER offset, PSIZE_T size,
					   SECTION_INHERIT inherit, ULONG type, ULONG protect);
NTSYSAPI NTSTATUS NTAPI ZwUnmapViewOfSection(HANDLE process, PVOID base);

static UNICODE_STRING device_name = RTL_CONSTANT_STRING(L"\\Device\\RingsideFiles");
static UNICODE_STRING settings_name = RTL_CONSTANT_STRING(L"\\??\\C:\\Files\\settings.ini");
static UNICODE_STRING folder_name = RTL_CONSTANT_STRING(L"\\??\\C:\\Files");
static UNICODE_STRING log_name = RTL_CONSTANT_STRING(L"\\??\\C:\\Files\\driver.log");

static NTSTATUS open(PUNICODE_STRING name, ACCESS_MASK access, ULONG disposition, ULONG options,
		     PHANDLE file)
{
	OBJECT_ATTRIBUTES attributes;
	IO_STATUS_BLOCK result;
	InitializeObjectAttributes(&attributes, name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
				   NULL, NULL);
	return ZwCreateFile(file, access | SYNCHRONIZE, &attributes, &result, NULL,
			    FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ | FILE_SHARE_WRITE, disposition,
			    options | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

static NTSTATUS close(HANDLE file)
{
	return ZwClose(file);
}

/* ---- The tour ---------------------------------------------------------------------------- */

static VOID read_settings(VOID)
{
	HANDLE file;
	IO_STATUS_BLOCK result = {0};
	FILE_STANDARD_INFORMATION information;
	CHAR text[64] = {0};
	NTSTATUS status = open(&settings_name, GENERIC_READ, FILE_OPEN, FILE_NON_DIRECTORY_FILE,
			       &file);
	if (!NT_SUCCESS(status)) {
		DbgPrint("settings: 0x%08x\n", status);
		return;
	}
	ZwQueryInformationFile(file, &result, &information, sizeof(information),
			       FileStandardInformation);
	status = ZwReadFile(file, NULL, NULL, NULL, &result, text, sizeof(text) - 1, NULL, NULL);
	DbgPrint("settings: %s, %I64d bytes, 0x%08x\n", text, information.EndOfFile.QuadPart,
		 status);
	close(file);
}

static VOID list_folder(VOID)
{
	HANDLE folder;
	IO_STATUS_BLOCK result;
	union {
		FILE_BOTH_DIR_INFORMATION entry;
		UCHAR room[512];
	} buffer;
	BOOLEAN restart = TRUE;
	NTSTATUS status = open(&folder_name, FILE_LIST_DIRECTORY, FILE_OPEN, FILE_DIRECTORY_FILE,
			       &folder);
	while (NT_SUCCESS(status)) {
		status = ZwQueryDirectoryFile(folder, NULL, NULL, NULL, &result, &buffer,
					      sizeof(buffer), FileBothDirectoryInformation, TRUE,
					      NULL, restart);
		if (NT_SUCCESS(status))
			DbgPrint("entry: %.*S\n", (int)(buffer.entry.FileNameLength / 2),
				 buffer.entry.FileName);
		restart = FALSE;
	}
	DbgPrint("list: 0x%08x\n", status);
	close(folder);
}

static VOID write_log(VOID)
{
	static CHAR line[] = "started\r\n";
	HANDLE file;
	IO_STATUS_BLOCK result = {0};
	NTSTATUS status = open(&log_name, FILE_APPEND_DATA, FILE_OPEN_IF, FILE_NON_DIRECTORY_FILE,
			       &file);
	if (NT_SUCCESS(status)) {
		status = ZwWriteFile(file, NULL, NULL, NULL, &result, line, sizeof(line) - 1, NULL,
				     NULL);
		close(file);
	}
	DbgPrint("log: 0x%08x, %u bytes\n", status, (ULONG)result.Information);
}

/* Its own file, where the loader says that it is; the section that it is asked for. */
static NTSTATUS open_own_file(PDRIVER_OBJECT driver, PHANDLE file)
{
	/* InLoadOrderLinks, ..., FullDllName at 0x48, as products have it. */
	PUNICODE_STRING name = (PUNICODE_STRING)((PUCHAR)driver->DriverSection + 0x48);
	return open(name, GENERIC_READ | FILE_EXECUTE, FILE_OPEN, FILE_NON_DIRECTORY_FILE, file);
}

static BOOLEAN same_image(const UCHAR *view, const UCHAR *loaded)
{
	LONG headers = *(const LONG *)(view + 0x3C);
	ULONG entry = *(const ULONG *)(view + headers + 0x28);
	return *(const USHORT *)view == 0x5A4D && *(const LONG *)(loaded + 0x3C) == headers &&
	       RtlCompareMemory(view + entry, loaded + entry, 64) == 64;
}

static VOID compare_image(PDRIVER_OBJECT driver, HANDLE file)
{
	HANDLE section;
	PVOID base = NULL;
	SIZE_T size = 0;
	OBJECT_ATTRIBUTES attributes;
	InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
	NTSTATUS status = ZwCreateSection(&section, SECTION_MAP_READ | SECTION_MAP_EXECUTE,
					  &attributes, NULL, PAGE_EXECUTE, SEC_IMAGE, file);
	if (NT_SUCCESS(status)) {
		status = ZwMapViewOfSection(section, NtCurrentProcess(), &base, 0, 0, NULL, &size,
					    ViewUnmap, 0, PAGE_READONLY);
		close(section);
	}
	if (!NT_SUCCESS(status)) {
		DbgPrint("image: 0x%08x\n", status);
		return;
	}
	DbgPrint("image: %s, %s\n", size == driver->DriverSize ? "as large" : "of another size",
		 same_image(base, driver->DriverStart) ? "the same code" : "other code");
	ZwUnmapViewOfSection(NtCurrentProcess(), base);
}

static VOID read_own_file(PDRIVER_OBJECT driver)
{
	HANDLE file;
	IO_STATUS_BLOCK result;
	CHAR magic[2] = {0};
	NTSTATUS status = open_own_file(driver, &file);
	if (!NT_SUCCESS(status)) {
		DbgPrint("own file: 0x%08x\n", status);
		return;
	}
	status = ZwReadFile(file, NULL, NULL, NULL, &result, magic, 2, NULL, NULL);
	DbgPrint("own file: %.2s, 0x%08x\n", magic, status);
	compare_image(driver, file);
	close(file);
}

/* The file of each program that is started, by the file object that the routine gets. */
static VOID NTAPI on_process(PEPROCESS process, HANDLE id, PPS_CREATE_NOTIFY_INFO info)
{
	HANDLE file;
	IO_STATUS_BLOCK result;
	CHAR magic[4] = {0};
	LARGE_INTEGER begin = {.QuadPart = 0};
	UNREFERENCED_PARAMETER(process);
	UNREFERENCED_PARAMETER(id);
	if (!info || !info->FileObject)
		return;
	NTSTATUS status = ObOpenObjectByPointer(info->FileObject, OBJ_KERNEL_HANDLE, NULL,
						FILE_READ_DATA, *IoFileObjectType, KernelMode,
						&file);
	if (NT_SUCCESS(status)) {
		status = ZwReadFile(file, NULL, NULL, NULL, &result, magic, 4, &begin, NULL);
		close(file);
	}
	DbgPrint("program: %wZ, %.3s, 0x%08x\n", &info->FileObject->FileName, magic + 1, status);
}

/* ---- Mistakes ------------------------------------------------------------------------------- */

static PVOID view;

static NTSTATUS map_log(VOID)
{
	HANDLE file, section;
	SIZE_T size = 0;
	IO_STATUS_BLOCK result;
	OBJECT_ATTRIBUTES attributes;
	FILE_END_OF_FILE_INFORMATION end = {.EndOfFile.QuadPart = 0};
	LARGE_INTEGER length = {.QuadPart = 8192};
	NTSTATUS status = open(&log_name, GENERIC_READ | GENERIC_WRITE, FILE_OPEN_IF, 0, &file);
	if (!NT_SUCCESS(status))
		return status;
	InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
	status = ZwCreateSection(&section, SECTION_ALL_ACCESS, &attributes, &length, PAGE_READWRITE,
				 SEC_COMMIT, file);
	if (NT_SUCCESS(status)) {
		status = ZwMapViewOfSection(section, NtCurrentProcess(), &view, 0, 0, NULL, &size,
					    ViewUnmap, 0, PAGE_READWRITE);
		close(section);
	}
	if (NT_SUCCESS(status))
		status = ZwSetInformationFile(file, &result, &end, sizeof(end),
					      FileEndOfFileInformation);
	close(file);
	return status == STATUS_USER_MAPPED_FILE ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static VOID expect(ULONG *wrong, ULONG number, NTSTATUS got, NTSTATUS expected)
{
	if (got != expected && !*wrong)
		*wrong = number;
}

/* Which of the mistakes did not get its status. */
static ULONG statuses(HANDLE file)
{
	IO_STATUS_BLOCK result;
	CHAR buffer[64];
	HANDLE other;
	ULONG wrong = 0;
	expect(&wrong, 1,
	       ZwReadFile((HANDLE)0x7770, NULL, NULL, NULL, &result, buffer, 8, NULL, NULL),
	       STATUS_INVALID_HANDLE);
	expect(&wrong, 2,
	       ZwReadFile(file, NULL, NULL, NULL, &result, (PVOID)0x10000, 8, NULL, NULL),
	       STATUS_ACCESS_VIOLATION);
	expect(&wrong, 3, ZwQueryInformationFile(file, &result, buffer, 8, FileStandardInformation),
	       STATUS_INFO_LENGTH_MISMATCH);
	expect(&wrong, 4,
	       ZwQueryInformationFile(file, &result, buffer, 8, (FILE_INFORMATION_CLASS)999),
	       STATUS_INVALID_INFO_CLASS);
	expect(&wrong, 5, ZwUnmapViewOfSection(NtCurrentProcess(), (PVOID)0x77770000),
	       STATUS_NOT_MAPPED_VIEW);
	expect(&wrong, 6, open(&settings_name, GENERIC_READ, FILE_OPEN, 0, &other), STATUS_SUCCESS);
	expect(&wrong, 7, ZwClose(other), STATUS_SUCCESS);
	expect(&wrong, 8, ZwClose(other), STATUS_INVALID_HANDLE);
	return wrong;
}

static VOID make_mistake(ULONG code, HANDLE file)
{
	IO_STATUS_BLOCK result;
	CHAR buffer[8];
	LARGE_INTEGER begin = {.QuadPart = 0};
	switch (code) {
	case IOCTL_BAD_BUFFER:
		ZwReadFile(file, NULL, NULL, NULL, &result, NOWHERE, 8, &begin, NULL);
		break;
	case IOCTL_HIGH_IRQL:
		KeRaiseIrqlToDpcLevel();
		ZwReadFile(file, NULL, NULL, NULL, &result, buffer, 8, &begin, NULL);
		break;
	case IOCTL_BAD_STATUS_BLOCK:
		ZwReadFile(file, NULL, NULL, NULL, NOWHERE, buffer, 8, &begin, NULL);
		break;
	case IOCTL_BAD_QUERY:
		ZwQueryInformationFile(file, &result, NOWHERE, sizeof(FILE_STANDARD_INFORMATION),
				       FileStandardInformation);
		break;
	case IOCTL_TOUCH:
		DbgPrint("touched %d\n", ((volatile CHAR *)view)[4096]);
		break;
	}
}

static NTSTATUS NTAPI on_control(PDEVICE_OBJECT device, PIRP irp)
{
	ULONG code = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode;
	HANDLE file;
	UNREFERENCED_PARAMETER(device);
	NTSTATUS status = open(&settings_name, GENERIC_READ, FILE_OPEN, 0, &file);
	irp->IoStatus.Information = 0;
	if (NT_SUCCESS(status) && code == IOCTL_STATUSES)
		irp->IoStatus.Information = statuses(file);
	else if (NT_SUCCESS(status))
		make_mistake(code, file);
	if (NT_SUCCESS(status))
		close(file);
	if (code == IOCTL_MAP)
		status = map_log();
	irp->IoStatus.Status = status;
	IoCompleteRequest(irp, IO_NO_INCREMENT);
	return status;
}

/* ---- Start and end ------------------------------------------------------------------------------ */

static NTSTATUS NTAPI succeed(PDEVICE_OBJECT device, PIRP irp)
{
	UNREFERENCED_PARAMETER(device);
	irp->IoStatus.Status = STATUS_SUCCESS;
	irp->IoStatus.Information = 0;
	IoCompleteRequest(irp, IO_NO_INCREMENT);
	return STATUS_SUCCESS;
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
	PsSetCreateProcessNotifyRoutineEx(on_process, TRUE);
	if (view)
		ZwUnmapViewOfSection(NtCurrentProcess(), view);
	IoDeleteDevice(driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	PDEVICE_OBJECT device;
	UNREFERENCED_PARAMETER(path);
	NTSTATUS status = IoCreateDevice(driver, 0, &device_name, FILE_DEVICE_UNKNOWN, 0, FALSE,
					 &device);
	if (!NT_SUCCESS(status))
		return status;
	driver->DriverUnload = unload;
	driver->MajorFunction[IRP_MJ_CREATE] = driver->MajorFunction[IRP_MJ_CLOSE] =
		driver->MajorFunction[IRP_MJ_CLEANUP] = succeed;
	driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = on_control;
	read_settings();
	list_folder();
	write_log();
	read_own_file(driver);
	status = PsSetCreateProcessNotifyRoutineEx(on_process, FALSE);
	if (!NT_SUCCESS(status))
		IoDeleteDevice(device);
	return status;
}

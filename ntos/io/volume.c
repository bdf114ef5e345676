/* SPDX-License-Identifier: MIT */
/*
 * The volume's device, and the one place that its requests pass.
 *
 * rs_mount makes a driver object, \FileSystem\Ntfs, a device of it, and the names by which
 * Windows' software reaches files: C: and Z:, which are one volume here, \SystemRoot and
 * \KnownDlls\KnownDllPath. A volume stays until the kernel is shut down.
 *
 * `lock`, a leaf, protects all nodes and opens (io/volume.h). Linux is called under it where
 * names must not change meanwhile; memory of a caller is never touched under it.
 *
 * Requests are completed before the dispatch routine returns; none is ever pending.
 */
#include "io/volume.h"
#include "io/driver.h"
#include "io/file.h"
#include "ldr/kernel.h"
#include "mm/copy.h"
#include "ob/directory.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

#define FILE_DEVICE_DISK 0x07 /* what the device below a file system is on NT */

struct volume volume = {.root = -1};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct io_filter *_Atomic the_filter;

void volume_lock(void)
{
	pthread_mutex_lock(&lock);
}

void volume_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

PDEVICE_OBJECT io_volume(void)
{
	return volume.device;
}

/* ---- Requests -------------------------------------------------------------------------- */

/* Extended attributes. */
static NTSTATUS refuse_attributes(PIRP irp, PIO_STACK_LOCATION location, ULONG_PTR *information)
{
	(void)irp;
	(void)location;
	(void)information;
	return STATUS_EAS_NOT_SUPPORTED;
}

static volume_request *const requests[IRP_MJ_MAXIMUM_FUNCTION + 1] = {
	[IRP_MJ_CREATE] = volume_create,
	[IRP_MJ_CLOSE] = volume_close,
	[IRP_MJ_READ] = volume_read,
	[IRP_MJ_WRITE] = volume_write,
	[IRP_MJ_QUERY_INFORMATION] = volume_query_file,
	[IRP_MJ_SET_INFORMATION] = volume_set_file,
	[IRP_MJ_QUERY_EA] = refuse_attributes,
	[IRP_MJ_SET_EA] = refuse_attributes,
	[IRP_MJ_FLUSH_BUFFERS] = volume_flush,
	[IRP_MJ_QUERY_VOLUME_INFORMATION] = volume_query_volume,
	[IRP_MJ_DIRECTORY_CONTROL] = volume_directory,
	[IRP_MJ_CLEANUP] = volume_cleanup,
};

void io_set_filter(const struct io_filter *filter)
{
	the_filter = filter;
}

NTSTATUS io_carry_out(PIRP irp, ULONG_PTR *information)
{
	PIO_STACK_LOCATION location = irp->Tail.CurrentStackLocation;
	volume_request *request = requests[location->MajorFunction];
	*information = 0;
	if (!request || !location->FileObject)
		return STATUS_INVALID_DEVICE_REQUEST;
	return request(irp, location, information);
}

static void pass_filter(const struct io_filter *filter, struct io_operation *operation)
{
	void *context = NULL;
	if (!filter->before(operation, &context))
		return;
	operation->status = io_carry_out(operation->irp, &operation->information);
	filter->after(operation, context);
}

static NTSTATUS NTAPI dispatch(PDEVICE_OBJECT device, PIRP irp)
{
	PIO_STACK_LOCATION location = irp->Tail.CurrentStackLocation;
	struct io_operation operation = {device, location->FileObject, irp, location, 0, 0};
	const struct io_filter *filter = the_filter;
	if (filter)
		pass_filter(filter, &operation);
	else
		operation.status = io_carry_out(irp, &operation.information);
	irp->IoStatus.Status = operation.status;
	irp->IoStatus.Information = operation.information;
	IofCompleteRequest(irp, 0);
	return operation.status;
}

bool io_is_of_the_house(PDRIVER_DISPATCH routine)
{
	return routine == dispatch;
}

/* ---- What the requests share --------------------------------------------------------------- */

NTSTATUS volume_status(int error)
{
	static const struct {
		int error;
		NTSTATUS status;
	} table[] = {
		{0, STATUS_SUCCESS},
		{EACCES, STATUS_ACCESS_DENIED},
		{EPERM, STATUS_ACCESS_DENIED},
		{EBADF, STATUS_ACCESS_DENIED},
		{EROFS, STATUS_MEDIA_WRITE_PROTECTED},
		{ENOENT, STATUS_OBJECT_NAME_NOT_FOUND},
		{ENOTDIR, STATUS_OBJECT_PATH_NOT_FOUND},
		{ELOOP, STATUS_REPARSE_POINT_NOT_RESOLVED},
		{EEXIST, STATUS_OBJECT_NAME_COLLISION},
		{ENOTEMPTY, STATUS_DIRECTORY_NOT_EMPTY},
		{ENAMETOOLONG, STATUS_OBJECT_NAME_INVALID},
		{EISDIR, STATUS_FILE_IS_A_DIRECTORY},
		{ENOSPC, STATUS_DISK_FULL},
		{EDQUOT, STATUS_DISK_FULL},
		{EFBIG, STATUS_DISK_FULL},
		{EMFILE, STATUS_TOO_MANY_OPENED_FILES},
		{ENFILE, STATUS_TOO_MANY_OPENED_FILES},
		{ENOMEM, STATUS_INSUFFICIENT_RESOURCES},
		{EXDEV, STATUS_NOT_SAME_DEVICE},
		{ETXTBSY, STATUS_SHARING_VIOLATION},
		{EBUSY, STATUS_SHARING_VIOLATION},
		{EFAULT, STATUS_ACCESS_VIOLATION},
		{EINVAL, STATUS_INVALID_PARAMETER},
		{EIO, STATUS_IO_DEVICE_ERROR},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].error == -error)
			return table[i].status;
	return STATUS_UNSUCCESSFUL;
}

NTSTATUS volume_answer(PVOID buffer, ULONG length, const void *answer, size_t size,
		       ULONG_PTR *information)
{
	size_t fits = size < length ? size : length;
	memcpy(buffer, answer, fits);
	*information = fits;
	return fits == size ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

/* ---- Mounting ---------------------------------------------------------------------------------- */

#define STRING(literal)                                                                            \
	{                                                                                          \
		sizeof(literal) - 2, sizeof(literal), (PWSTR)(uintptr_t)(literal)                  \
	}

static bool plant_link(UNICODE_STRING name, UNICODE_STRING target)
{
	NTSTATUS status = IoCreateSymbolicLink(&name, &target);
	return NT_SUCCESS(status) || status == STATUS_OBJECT_NAME_COLLISION;
}

static bool plant_links(void)
{
	static const UNICODE_STRING names[][2] = {
		{STRING(u"\\GLOBAL??\\C:"), STRING(IO_VOLUME_NAME)},
		{STRING(u"\\GLOBAL??\\Z:"), STRING(IO_VOLUME_NAME)},
		{STRING(u"\\GLOBAL??\\HarddiskVolume1"), STRING(IO_VOLUME_NAME)},
		{STRING(u"\\Device\\BootDevice"), STRING(IO_VOLUME_NAME)},
		{STRING(u"\\SystemRoot"), STRING(u"\\Device\\BootDevice\\Windows")},
		{STRING(u"\\KnownDlls\\KnownDllPath"), STRING(u"C:\\Windows\\System32")},
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!plant_link(names[i][0], names[i][1]))
			return false;
	return true;
}

static bool make_device(void)
{
	UNICODE_STRING driver = STRING(u"Ntfs"), device = STRING(IO_VOLUME_NAME);
	volume.driver = io_create_file_system(&driver, &ldr_kernel_image(EXPORT_NTOS)->entry);
	if (!volume.driver)
		return false;
	for (int i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
		volume.driver->MajorFunction[i] = dispatch;
	if (!NT_SUCCESS(IoCreateDevice(volume.driver, 0, &device, FILE_DEVICE_DISK, 0, FALSE,
				       &volume.device)))
		return false;
	io_extra(volume.device)->is_volume = true;
	io_driver_started(volume.driver);
	return true;
}

int rs_mount(const char *folder, bool writable)
{
	struct host_volume_info info = {0};
	if (volume.device)
		return -EBUSY;
	volume.root = host_open_root(folder);
	if (volume.root < 0)
		return volume.root;
	volume.writable = writable;
	host_volume_info(volume.root, &info);
	volume.serial = (ULONG)(info.serial ^ info.serial >> 32);
	if (make_device() && plant_links())
		return 0;
	io_unmount();
	return -ENOMEM;
}

void io_unmount(void)
{
	if (volume.device)
		IoDeleteDevice(volume.device);
	if (volume.driver)
		io_delete_driver(volume.driver);
	if (volume.root >= 0)
		host_close(volume.root);
	volume = (struct volume){.root = -1};
	the_filter = NULL;
}

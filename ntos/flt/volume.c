/* SPDX-License-Identifier: MIT */
/*
 * Volumes: there is one, \Device\HarddiskVolume1, which is where live.md puts the files of
 * this machine; it is there from boot to shutdown.
 *
 * Its device object is whatever has that name in the namespace at the time, if anything
 * has. Minifilters are told that its file system is NTFS, because those that look attach
 * to nothing else.
 *
 * Pages: FltGetVolumeName, FltGetVolumeProperties, FltGetVolumeFromName and those beside.
 */
#include "flt/flt.h"
#include "flt/context.h"
#include "flt/name.h"
#include "flt/port.h"
#include "flt/request.h"
#include "io/device.h"
#include "memory.h"
#include "ob/directory.h"
#include "rtl/string.h"
#include "rtl/utf.h"
#include <errno.h>
#include <string.h>

#define FILE_DEVICE_DISK_FILE_SYSTEM 8
#define SECTOR_SIZE 512
#define LITERAL(text)                                                                              \
	{                                                                                          \
		sizeof(text) - sizeof(WCHAR), sizeof(text), (PWSTR)(uintptr_t)text                 \
	}

static const UNICODE_STRING first_name = LITERAL(u"\\Device\\HarddiskVolume1");

static LIST_ENTRY volumes = {&volumes, &volumes};

static PFLT_VOLUME volume_of(LIST_ENTRY *link)
{
	return LIST_OWNER(link, struct _FLT_VOLUME, link);
}

/* ---- From boot to shutdown --------------------------------------------------------------- */

int flt_boot(void)
{
	PFLT_VOLUME volume = host_alloc(sizeof(*volume));
	if (!volume)
		return -ENOMEM;
	if (!rtl_copy_string(&first_name, &volume->name)) {
		host_free(volume);
		return -ENOMEM;
	}
	flt_boot_ports();
	flt_watch_volume(true);
	volume->object.kind = FLT_VOLUME_KIND;
	list_init(&volume->instances);
	list_add_last(&volumes, &volume->link);
	return 0;
}

static void free_instances(PFLT_VOLUME volume)
{
	while (!list_empty(&volume->instances)) {
		PFLT_INSTANCE instance = LIST_OWNER(volume->instances.Flink, struct _FLT_INSTANCE,
						    of_volume);
		list_remove(&instance->of_volume);
		rtl_free_string(&instance->name);
		rtl_free_string(&instance->altitude);
		host_free(instance);
	}
}

/* What drivers have left goes without being called. */
void flt_shutdown(void)
{
	flt_watch_volume(false);
	flt_close_ports();
	flt_forget_names();
	flt_free_contexts();
	while (!list_empty(&volumes)) {
		PFLT_VOLUME volume = volume_of(volumes.Flink);
		list_remove(&volume->link);
		free_instances(volume);
		rtl_free_string(&volume->name);
		host_free(volume);
	}
	flt_free_filters();
}

/* ---- Finding one -------------------------------------------------------------------------- */

PFLT_VOLUME flt_volume_at(unsigned index)
{
	PFLT_VOLUME found = NULL;
	pthread_mutex_lock(&flt_lock);
	LIST_ENTRY *link = volumes.Flink;
	while (link != &volumes && index--)
		link = link->Flink;
	if (link != &volumes && flt_reference(&volume_of(link)->object))
		found = volume_of(link);
	pthread_mutex_unlock(&flt_lock);
	return found;
}

static PFLT_VOLUME volume_named(PCUNICODE_STRING name)
{
	PFLT_VOLUME volume;
	for (unsigned i = 0; (volume = flt_volume_at(i)); i++) {
		if (RtlEqualUnicodeString(&volume->name, name, TRUE))
			break;
		flt_dereference(&volume->object);
	}
	return volume;
}

static PFLT_VOLUME volume_of_device(PDEVICE_OBJECT device)
{
	UNICODE_STRING name;
	if (!NT_SUCCESS(ob_name_of(device, &name)))
		return NULL;
	PFLT_VOLUME volume = volume_named(&name);
	rtl_free_string(&name);
	return volume;
}

PFLT_VOLUME flt_volume_of_file(const FILE_OBJECT *file)
{
	/* Image files have no device: they lie where live.md says. */
	return file->DeviceObject ? volume_of_device(file->DeviceObject)
				  : volume_named(&first_name);
}

NTSTATUS NTAPI FltGetVolumeFromFileObject(PFLT_FILTER Filter, PFILE_OBJECT FileObject,
					  PFLT_VOLUME *RetVolume)
{
	(void)Filter;
	PFLT_VOLUME volume = flt_volume_of_file(FileObject);
	if (!volume)
		return STATUS_INVALID_PARAMETER;
	*RetVolume = volume;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI FltGetVolumeFromDeviceObject(PFLT_FILTER Filter, PDEVICE_OBJECT DeviceObject,
					    PFLT_VOLUME *RetVolume)
{
	(void)Filter;
	PFLT_VOLUME volume = volume_of_device(DeviceObject);
	if (!volume)
		return STATUS_INVALID_PARAMETER;
	*RetVolume = volume;
	return STATUS_SUCCESS;
}

/* "C:" is "\??\C:", a symbolic link to the volume's device. */
static NTSTATUS follow_links(PCUNICODE_STRING name, UNICODE_STRING *target)
{
	void *link;
	UNICODE_STRING path = *name;
	WCHAR text[16] = u"\\??\\";
	if (name->Length == 2 * sizeof(WCHAR) && name->Buffer[1] == ':') {
		memcpy(text + 4, name->Buffer, name->Length);
		path = (UNICODE_STRING){12, 12, text};
	}
	if (!NT_SUCCESS(ObReferenceObjectByName(&path, 0, NULL, 0, ObpSymbolicLinkObjectType,
						KernelMode, NULL, &link)))
		return rtl_copy_string(name, target) ? STATUS_SUCCESS
						     : STATUS_INSUFFICIENT_RESOURCES;
	bool copied = rtl_copy_string(ob_link_target(link), target);
	ob_dereference(link);
	return copied ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS NTAPI FltGetVolumeFromName(PFLT_FILTER Filter, PCUNICODE_STRING VolumeName,
				    PFLT_VOLUME *RetVolume)
{
	(void)Filter;
	UNICODE_STRING name;
	if (!VolumeName->Length || VolumeName->Length % 2)
		return STATUS_INVALID_PARAMETER;
	NTSTATUS status = follow_links(VolumeName, &name);
	if (!NT_SUCCESS(status))
		return status;
	PFLT_VOLUME volume = volume_named(&name);
	rtl_free_string(&name);
	if (!volume)
		return STATUS_FLT_VOLUME_NOT_FOUND;
	*RetVolume = volume;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI FltEnumerateVolumes(PFLT_FILTER Filter, PFLT_VOLUME *VolumeList,
				   ULONG VolumeListSize, PULONG NumberVolumesReturned)
{
	(void)Filter;
	PFLT_VOLUME volume;
	ULONG count = 0;
	for (; (volume = flt_volume_at(count)); count++)
		flt_dereference(&volume->object);
	*NumberVolumesReturned = count;
	if (count > VolumeListSize)
		return STATUS_BUFFER_TOO_SMALL;
	for (ULONG i = 0; i < count; i++)
		VolumeList[i] = flt_volume_at(i);
	return STATUS_SUCCESS;
}

/* ---- What it is -------------------------------------------------------------------------- */

NTSTATUS NTAPI FltGetVolumeName(PFLT_VOLUME Volume, PUNICODE_STRING VolumeName,
				PULONG BufferSizeNeeded)
{
	USHORT length = Volume->name.Length;
	if (!VolumeName && !BufferSizeNeeded)
		return STATUS_INVALID_PARAMETER;
	if (BufferSizeNeeded)
		*BufferSizeNeeded = length;
	if (!VolumeName || VolumeName->MaximumLength < length)
		return STATUS_BUFFER_TOO_SMALL;
	memcpy(VolumeName->Buffer, Volume->name.Buffer, length);
	VolumeName->Length = length;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI FltGetDiskDeviceObject(PFLT_VOLUME Volume, PDEVICE_OBJECT *DiskDeviceObject)
{
	struct ob_lookup found;
	if (!NT_SUCCESS(ob_look_up(NULL, &Volume->name, false, &found)))
		return STATUS_FLT_NO_DEVICE_OBJECT;
	bool is_device = ob_header_of(found.object)->type == IoDeviceObjectType;
	ob_end_lookup(&found);
	if (!is_device) {
		ob_dereference(found.object);
		return STATUS_FLT_NO_DEVICE_OBJECT;
	}
	*DiskDeviceObject = found.object;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI FltGetFileSystemType(PVOID FltObject, FLT_FILESYSTEM_TYPE *FileSystemType)
{
	bool known = NT_SUCCESS(flt_check_kind(FltObject, FLT_VOLUME_KIND)) ||
		     NT_SUCCESS(flt_check_kind(FltObject, FLT_INSTANCE_KIND));
	*FileSystemType = known ? FLT_FSTYPE_NTFS : FLT_FSTYPE_UNKNOWN;
	return known ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* Puts a string behind the fixed part. */
static char *place(char *at, const UNICODE_STRING *text, UNICODE_STRING *where)
{
	*where = (UNICODE_STRING){text->Length, text->Length, (PWSTR)(void *)at};
	memcpy(at, text->Buffer, text->Length);
	return at + text->Length;
}

NTSTATUS NTAPI FltGetVolumeProperties(PFLT_VOLUME Volume, PFLT_VOLUME_PROPERTIES VolumeProperties,
				      ULONG VolumePropertiesLength, PULONG LengthReturned)
{
	static const UNICODE_STRING driver = LITERAL(u"\\FileSystem\\NTFS"),
				    device = LITERAL(u"\\Ntfs");
	ULONG size = (ULONG)sizeof(*VolumeProperties) + driver.Length + device.Length +
		     Volume->name.Length;
	*LengthReturned = size;
	if (VolumePropertiesLength < sizeof(*VolumeProperties))
		return STATUS_BUFFER_TOO_SMALL;
	*VolumeProperties = (FLT_VOLUME_PROPERTIES){.DeviceType = FILE_DEVICE_DISK_FILE_SYSTEM,
						    .SectorSize = SECTOR_SIZE};
	if (VolumePropertiesLength < size)
		return STATUS_BUFFER_OVERFLOW;
	char *at = (char *)(VolumeProperties + 1);
	at = place(at, &driver, &VolumeProperties->FileSystemDriverName);
	at = place(at, &device, &VolumeProperties->FileSystemDeviceName);
	place(at, &Volume->name, &VolumeProperties->RealDeviceName);
	return STATUS_SUCCESS;
}

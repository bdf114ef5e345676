/* SPDX-License-Identifier: MIT */
/*
 * Sizes and offsets of the types of <ringside/nt.h>, as a compiled driver has them: AB-6 to
 * AB-14, AB-21, AB-22; of the kernel's own headers AB-17 and AB-18.
 */
#include "ex/fastmutex.h"
#include "ke/event.h"
#include "ps/file.h"
#include "support/record.h"
#include <string.h>

#define assert_size(type, size) assert_int_equal(sizeof(type), size)
#define assert_offset(type, field, offset) assert_int_equal(offsetof(type, field), offset)

static void ab_06_basic_types(void **state)
{
	(void)state;
	assert_size(UNICODE_STRING, 16);
	assert_offset(UNICODE_STRING, Length, 0);
	assert_offset(UNICODE_STRING, MaximumLength, 2);
	assert_offset(UNICODE_STRING, Buffer, 8);
	assert_size(LIST_ENTRY, 16);
	assert_offset(LIST_ENTRY, Blink, 8);
	assert_size(CLIENT_ID, 16);
	assert_offset(CLIENT_ID, UniqueProcess, 0);
	assert_offset(CLIENT_ID, UniqueThread, 8);
	assert_size(IO_STATUS_BLOCK, 16);
	assert_offset(IO_STATUS_BLOCK, Information, 8);
	assert_size(OBJECT_ATTRIBUTES, 48);
	assert_offset(OBJECT_ATTRIBUTES, Length, 0);
	assert_offset(OBJECT_ATTRIBUTES, RootDirectory, 8);
	assert_offset(OBJECT_ATTRIBUTES, ObjectName, 0x10);
	assert_offset(OBJECT_ATTRIBUTES, Attributes, 0x18);
	assert_offset(OBJECT_ATTRIBUTES, SecurityDescriptor, 0x20);
	assert_offset(OBJECT_ATTRIBUTES, SecurityQualityOfService, 0x28);
	assert_size(LONG, 4); /* of Windows: 32 bits */
	assert_size(ULONG_PTR, 8);
	assert_size(WCHAR, 2);
	assert_size(BOOLEAN, 1);
	assert_size(KIRQL, 1);
}

static void ab_07_object_callback_registration(void **state)
{
	(void)state;
	assert_size(OB_CALLBACK_REGISTRATION, 40);
	assert_offset(OB_CALLBACK_REGISTRATION, Version, 0);
	assert_offset(OB_CALLBACK_REGISTRATION, OperationRegistrationCount, 2);
	assert_int_equal(sizeof((OB_CALLBACK_REGISTRATION *)0)->Version, 2);
	assert_int_equal(sizeof((OB_CALLBACK_REGISTRATION *)0)->OperationRegistrationCount, 2);
	assert_offset(OB_CALLBACK_REGISTRATION, Altitude, 8);
	assert_offset(OB_CALLBACK_REGISTRATION, RegistrationContext, 0x18);
	assert_offset(OB_CALLBACK_REGISTRATION, OperationRegistration, 0x20);
	assert_size(OB_OPERATION_REGISTRATION, 32);
	assert_offset(OB_OPERATION_REGISTRATION, ObjectType, 0);
	assert_offset(OB_OPERATION_REGISTRATION, Operations, 8);
	assert_offset(OB_OPERATION_REGISTRATION, PreOperation, 0x10);
	assert_offset(OB_OPERATION_REGISTRATION, PostOperation, 0x18);
}

static void ab_08_pre_operation_information(void **state)
{
	(void)state;
	assert_size(OB_PRE_OPERATION_INFORMATION, 40);
	assert_offset(OB_PRE_OPERATION_INFORMATION, Operation, 0);
	assert_offset(OB_PRE_OPERATION_INFORMATION, Flags, 4);
	assert_offset(OB_PRE_OPERATION_INFORMATION, Object, 8);
	assert_offset(OB_PRE_OPERATION_INFORMATION, ObjectType, 0x10);
	assert_offset(OB_PRE_OPERATION_INFORMATION, CallContext, 0x18);
	assert_offset(OB_PRE_OPERATION_INFORMATION, Parameters, 0x20);
	OB_PRE_OPERATION_INFORMATION information = {.KernelHandle = 1};
	assert_int_equal(information.Flags, 1);
}

static void ab_09_post_operation_information(void **state)
{
	(void)state;
	assert_size(OB_POST_OPERATION_INFORMATION, 48);
	assert_offset(OB_POST_OPERATION_INFORMATION, Operation, 0);
	assert_offset(OB_POST_OPERATION_INFORMATION, Flags, 4);
	assert_offset(OB_POST_OPERATION_INFORMATION, Object, 8);
	assert_offset(OB_POST_OPERATION_INFORMATION, ObjectType, 0x10);
	assert_offset(OB_POST_OPERATION_INFORMATION, CallContext, 0x18);
	assert_offset(OB_POST_OPERATION_INFORMATION, ReturnStatus, 0x20);
	assert_offset(OB_POST_OPERATION_INFORMATION, Parameters, 0x28);
	OB_POST_OPERATION_INFORMATION information = {.KernelHandle = 1};
	assert_int_equal(information.Flags, 1);
}

static void ab_10_operation_parameters(void **state)
{
	(void)state;
	assert_size(OB_PRE_CREATE_HANDLE_INFORMATION, 8);
	assert_offset(OB_PRE_CREATE_HANDLE_INFORMATION, DesiredAccess, 0);
	assert_offset(OB_PRE_CREATE_HANDLE_INFORMATION, OriginalDesiredAccess, 4);
	assert_size(OB_PRE_DUPLICATE_HANDLE_INFORMATION, 24);
	assert_offset(OB_PRE_DUPLICATE_HANDLE_INFORMATION, DesiredAccess, 0);
	assert_offset(OB_PRE_DUPLICATE_HANDLE_INFORMATION, OriginalDesiredAccess, 4);
	assert_offset(OB_PRE_DUPLICATE_HANDLE_INFORMATION, SourceProcess, 8);
	assert_offset(OB_PRE_DUPLICATE_HANDLE_INFORMATION, TargetProcess, 0x10);
	assert_size(OB_PRE_OPERATION_PARAMETERS, 24);
	assert_size(OB_POST_CREATE_HANDLE_INFORMATION, 4);
	assert_size(OB_POST_DUPLICATE_HANDLE_INFORMATION, 4);
	assert_size(OB_POST_OPERATION_PARAMETERS, 4);
	assert_size(OB_PREOP_CALLBACK_STATUS, 4);
}

static void ab_11_create_notify_information(void **state)
{
	(void)state;
	assert_size(PS_CREATE_NOTIFY_INFO, 0x48);
	assert_offset(PS_CREATE_NOTIFY_INFO, Size, 0);
	assert_int_equal(sizeof((PS_CREATE_NOTIFY_INFO *)0)->Size, 8);
	assert_offset(PS_CREATE_NOTIFY_INFO, Flags, 8);
	assert_offset(PS_CREATE_NOTIFY_INFO, ParentProcessId, 0x10);
	assert_offset(PS_CREATE_NOTIFY_INFO, CreatingThreadId, 0x18);
	assert_offset(PS_CREATE_NOTIFY_INFO, FileObject, 0x28);
	assert_offset(PS_CREATE_NOTIFY_INFO, ImageFileName, 0x30);
	assert_offset(PS_CREATE_NOTIFY_INFO, CommandLine, 0x38);
	assert_offset(PS_CREATE_NOTIFY_INFO, CreationStatus, 0x40);
	PS_CREATE_NOTIFY_INFO information = {.FileOpenNameAvailable = 1};
	assert_int_equal(information.Flags, 1);
	information = (PS_CREATE_NOTIFY_INFO){.IsSubsystemProcess = 1};
	assert_int_equal(information.Flags, 2);
}

#define assert_property(field, value)                                                              \
	assert_int_equal(((IMAGE_INFO){.field = (value) / ((value) & -(value))}).Properties, value)

static void ab_12_image_information(void **state)
{
	(void)state;
	assert_size(IMAGE_INFO, 40);
	assert_offset(IMAGE_INFO, Properties, 0);
	assert_offset(IMAGE_INFO, ImageBase, 8);
	assert_offset(IMAGE_INFO, ImageSelector, 0x10);
	assert_offset(IMAGE_INFO, ImageSize, 0x18);
	assert_int_equal(sizeof((IMAGE_INFO *)0)->ImageSize, 8);
	assert_offset(IMAGE_INFO, ImageSectionNumber, 0x20);
	/* Each field at its full width covers exactly these bits. */
	assert_property(ImageAddressingMode, 0x000000FF);
	assert_property(SystemModeImage, 0x00000100);
	assert_property(ImageMappedToAllPids, 0x00000200);
	assert_property(ExtendedInfoPresent, 0x00000400);
	assert_property(MachineTypeMismatch, 0x00000800);
	assert_property(ImageSignatureLevel, 0x0000F000);
	assert_property(ImageSignatureType, 0x00070000);
	assert_property(ImagePartialMap, 0x00080000);
	assert_size(IMAGE_INFO_EX, 56);
	assert_offset(IMAGE_INFO_EX, Size, 0);
	assert_offset(IMAGE_INFO_EX, ImageInfo, 8);
	assert_offset(IMAGE_INFO_EX, FileObject, 0x30);
}

static void ab_13_driver_object(void **state)
{
	(void)state;
	assert_size(DRIVER_OBJECT, 336);
	assert_offset(DRIVER_OBJECT, DeviceObject, 8);
	assert_offset(DRIVER_OBJECT, Flags, 0x10);
	assert_offset(DRIVER_OBJECT, DriverStart, 0x18);
	assert_offset(DRIVER_OBJECT, DriverSize, 0x20);
	assert_offset(DRIVER_OBJECT, DriverSection, 0x28);
	assert_offset(DRIVER_OBJECT, DriverExtension, 0x30);
	assert_offset(DRIVER_OBJECT, DriverName, 0x38);
	assert_offset(DRIVER_OBJECT, DriverUnload, 0x68);
	assert_offset(DRIVER_OBJECT, MajorFunction, 0x70);
	assert_int_equal(sizeof((DRIVER_OBJECT *)0)->MajorFunction, 28 * 8);
}

static void ab_14_flags_of_a_module_entry_lie_at_0x68(void **state)
{
	(void)state;
	assert_offset(KLDR_DATA_TABLE_ENTRY, Flags, 0x68);
	assert_int_equal(sizeof((KLDR_DATA_TABLE_ENTRY *)0)->Flags, 4);
	assert_int_equal(LDRP_IMAGE_INTEGRITY_FORCED, 0x20);
	assert_offset(KLDR_DATA_TABLE_ENTRY, DllBase, 0x30);
	assert_offset(KLDR_DATA_TABLE_ENTRY, BaseDllName, 0x58);
}

static void ab_17_ab_18_event_and_fast_mutex(void **state)
{
	(void)state;
	assert_size(DISPATCHER_HEADER, 24);
	assert_size(KEVENT, 24);
	assert_size(FAST_MUTEX, 56);
	assert_offset(FAST_MUTEX, Count, 0);
	assert_offset(FAST_MUTEX, Owner, 8);
	assert_offset(FAST_MUTEX, Contention, 0x10);
	assert_offset(FAST_MUTEX, Event, 0x18);
	assert_offset(FAST_MUTEX, OldIrql, 0x30);
}

/* ---- As drivers reach them ------------------------------------------------------------------- */

static UNICODE_STRING file_name;
static char file_text[64];

static void look_at_file(struct call *call)
{
	if (!call->create)
		return;
	memcpy(&file_name, (char *)call->info->FileObject + 0x58, sizeof file_name);
	for (unsigned i = 0; i < file_name.Length / 2u && i < sizeof file_text - 1; i++)
		file_text[i] = (char)file_name.Buffer[i];
}

static void ab_21_file_object_of_create_info_has_its_name_at_0x58(void **state)
{
	(void)state;
	PEPROCESS process;
	PETHREAD thread;
	assert_size(FILE_OBJECT, 216);
	assert_offset(FILE_OBJECT, FileName, 0x58);
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE));
	on_call(EX, 0, look_at_file);
	assert_ntsuccess(ps_create_process(
		&(struct ps_process_spec){
			.image = &USTR(u"\\??\\C:\\Windows\\a.exe"),
			.native_image = &USTR(u"\\Device\\HarddiskVolume1\\Windows\\a.exe")},
		&process));
	assert_ntsuccess(ps_create_thread(&(struct ps_thread_spec){.process = process}, &thread));
	assert_string_equal(file_text, "\\Windows\\a.exe");
	actor_end(&(struct actor){process, thread});
}

static void ab_22_one_process_has_one_pointer(void **state)
{
	(void)state;
	PEPROCESS found;
	PETHREAD found_thread;
	HANDLE handle;
	PVOID object;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE));
	watch('A', "1000", PROCESSES | THREADS);
	struct actor child = actor_start("a.exe");
	assert_ntsuccess(ObOpenObjectByPointer(child.process, OBJ_KERNEL_HANDLE, NULL, 1,
					       PsProcessType, KernelMode, &handle));
	assert_heard("ex0+ A< A>");
	assert_ntsuccess(PsLookupProcessByProcessId((HANDLE)id_of(child.process), &found));
	assert_ntsuccess(
		ObReferenceObjectByHandle(handle, 0, PsProcessType, KernelMode, &object, NULL));
	assert_ptr_equal(heard(0)->process, child.process);
	assert_ptr_equal(heard(1)->object, child.process);
	assert_ptr_equal(heard(2)->object, child.process);
	assert_ptr_equal(found, child.process);
	assert_ptr_equal(object, child.process);
	rs_release(found);
	rs_release(object);
	assert_ntsuccess(
		PsLookupThreadByThreadId((HANDLE)id_of_thread(child.thread), &found_thread));
	assert_ptr_equal(found_thread, child.thread);
	assert_ptr_equal(PsGetThreadProcess(found_thread), child.process);
	rs_release(found_thread);
	rs_become(child.thread);
	assert_ptr_equal(PsGetCurrentProcess(), child.process);
	assert_ptr_equal(KeGetCurrentThread(), child.thread);
	rs_become(NULL);
	assert_ntsuccess(ZwClose(handle));
	actor_end(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ab_06_basic_types),
		cmocka_unit_test(ab_07_object_callback_registration),
		cmocka_unit_test(ab_08_pre_operation_information),
		cmocka_unit_test(ab_09_post_operation_information),
		cmocka_unit_test(ab_10_operation_parameters),
		cmocka_unit_test(ab_11_create_notify_information),
		cmocka_unit_test(ab_12_image_information),
		cmocka_unit_test(ab_13_driver_object),
		cmocka_unit_test(ab_14_flags_of_a_module_entry_lie_at_0x68),
		cmocka_unit_test(ab_17_ab_18_event_and_fast_mutex),
		WORLD_TEST(ab_21_file_object_of_create_info_has_its_name_at_0x58),
		WORLD_TEST(ab_22_one_process_has_one_pointer),
	};
	return cmocka_run_group_tests_name("ab/layout", tests, NULL, NULL);
}

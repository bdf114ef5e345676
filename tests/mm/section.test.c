/* SPDX-License-Identifier: MIT */
/*
 * Sections and views, as a driver makes them: of the paging file, of files and of images.
 * The WDK's pages of ZwCreateSection and ZwMapViewOfSection are the reference.
 */
#include "io/folder.h"
#include "io/information.h"
#include "ldr/pe_format.h"
#include "mm/section.h"
#include "mm/virtual.h"
#include "ps/notify.h"
#include "support/bugcheck.h"
#include <sys/sendfile.h>

#define CURRENT_PROCESS ((HANDLE)-1)
#define READ (FILE_GENERIC_READ | FILE_EXECUTE)
#define CHANGE (READ | FILE_GENERIC_WRITE)
#define DRIVER TEST_BUILD "/drivers/warden.sys"
#define USER_END 0x500000000000ull

KIRQL NTAPI KeRaiseIrqlToDpcLevel(void);
NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess,
					 POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
					 PVOID *Object, PVOID HandleInformation);
extern POBJECT_TYPE MmSectionObjectType;

static NTSTATUS section_of(HANDLE file, ULONG64 size, ULONG protect, ULONG attributes,
			   HANDLE *section)
{
	LARGE_INTEGER maximum = {.QuadPart = (LONGLONG)size};
	OBJECT_ATTRIBUTES kernel = {.Length = sizeof(kernel), .Attributes = OBJ_KERNEL_HANDLE};
	return ZwCreateSection(section, SECTION_ALL_ACCESS, &kernel, size ? &maximum : NULL,
			       protect, attributes, file);
}

static NTSTATUS map_at(HANDLE section, void **base, SIZE_T *size, LONGLONG offset, ULONG protect)
{
	LARGE_INTEGER at = {.QuadPart = offset};
	return ZwMapViewOfSection(section, CURRENT_PROCESS, base, 0, 0, &at, size, ViewUnmap, 0,
				  protect);
}

static void *map(HANDLE section, ULONG protect)
{
	void *base = NULL;
	SIZE_T size = 0;
	assert_ntsuccess(map_at(section, &base, &size, 0, protect));
	return base;
}

static void unmap(void *base)
{
	assert_ntsuccess(ZwUnmapViewOfSection(CURRENT_PROCESS, base));
}

static void copy_driver_to(const char *name)
{
	struct stat status;
	int from = open(DRIVER, O_RDONLY), to = open(path_of(name), O_WRONLY | O_CREAT, 0666);
	assert_true(from >= 0 && to >= 0 && fstat(from, &status) == 0);
	assert_int_equal(sendfile(to, from, NULL, (size_t)status.st_size), status.st_size);
	close(from);
	close(to);
}

/* ---- Of the paging file -------------------------------------------------------------------- */

static void views_of_one_section_show_the_same_memory(void **state)
{
	HANDLE section;
	SIZE_T size = 0;
	char *kernel;
	PVOID object;
	(void)state;
	assert_ntsuccess(section_of(NULL, 5000, PAGE_READWRITE, SEC_COMMIT, &section));
	char *first = map(section, PAGE_READWRITE), *second = map(section, PAGE_READONLY);
	assert_true((uintptr_t)first < USER_END && (uintptr_t)first % 0x10000 == 0);
	assert_int_equal(first[8191], 0); /* whole pages, zeroed */
	strcpy(first, "shared");
	assert_string_equal(second, "shared");
	assert_ntsuccess(
		ObReferenceObjectByHandle(section, 0, MmSectionObjectType, 0, &object, NULL));
	assert_ntsuccess(MmMapViewInSystemSpace(object, (PVOID *)&kernel, &size));
	assert_true((uintptr_t)kernel >= USER_END);
	assert_int_equal(size, 8192);
	strcpy(kernel, "by the kernel");
	assert_string_equal(second, "by the kernel");
	char *copy = map(section, PAGE_WRITECOPY);
	strcpy(copy, "private");
	assert_string_equal(second, "by the kernel");
	unmap(copy);
	unmap(first + 5000); /* any address in it */
	unmap(second);
	assert_ntsuccess(ZwClose(section));
	assert_string_equal(kernel, "by the kernel"); /* a view holds its section */
	assert_ntsuccess(MmUnmapViewInSystemSpace(kernel));
	rs_release(object);
}

static void section_has_a_name_and_is_opened_by_it(void **state)
{
	UNICODE_STRING name = USTR(u"\\BaseNamedObjects\\Shared");
	OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &name, OBJ_KERNEL_HANDLE};
	LARGE_INTEGER size = {.QuadPart = 4096};
	SECTION_BASIC_INFORMATION basic;
	HANDLE section, again, other;
	(void)state;
	assert_status(ZwOpenSection(&again, SECTION_ALL_ACCESS, &attributes),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	assert_ntsuccess(ZwCreateSection(&section, SECTION_ALL_ACCESS, &attributes, &size,
					 PAGE_READWRITE, SEC_COMMIT, NULL));
	assert_status(ZwCreateSection(&other, SECTION_ALL_ACCESS, &attributes, &size,
				      PAGE_READWRITE, SEC_COMMIT, NULL),
		      STATUS_OBJECT_NAME_COLLISION);
	assert_ntsuccess(ZwOpenSection(&again, SECTION_ALL_ACCESS, &attributes));
	assert_ntsuccess(ZwQuerySection(again, 0, &basic, sizeof(basic), NULL));
	assert_int_equal(basic.MaximumSize.QuadPart, 4096);
	assert_int_equal(basic.AllocationAttributes, SEC_COMMIT);
	assert_status(ZwQuerySection(again, 0, &basic, 8, NULL), STATUS_INFO_LENGTH_MISMATCH);
	assert_status(ZwQuerySection(again, 9, &basic, sizeof(basic), NULL),
		      STATUS_INVALID_INFO_CLASS);
	strcpy(map(section, PAGE_READWRITE), "x");
	char *view = map(again, PAGE_READONLY);
	assert_string_equal(view, "x");
	assert_ntsuccess(ZwClose(section));
	assert_ntsuccess(ZwClose(again)); /* both views go with the process */
}

static void parameters_of_a_section_are_checked(void **state)
{
	HANDLE section;
	(void)state;
	assert_status(section_of(NULL, 4096, 0, SEC_COMMIT, &section),
		      STATUS_INVALID_PAGE_PROTECTION);
	assert_status(section_of(NULL, 4096, PAGE_NOACCESS, SEC_COMMIT, &section),
		      STATUS_INVALID_PAGE_PROTECTION);
	assert_status(section_of(NULL, 4096, PAGE_READWRITE, 0, &section),
		      STATUS_INVALID_PARAMETER_6);
	assert_status(section_of(NULL, 4096, PAGE_READWRITE, SEC_COMMIT | SEC_RESERVE, &section),
		      STATUS_INVALID_PARAMETER_6);
	assert_status(section_of(NULL, 0, PAGE_READWRITE, SEC_COMMIT, &section),
		      STATUS_INVALID_PARAMETER_4);
	assert_status(section_of(NULL, 4096, PAGE_READONLY, SEC_IMAGE, &section),
		      STATUS_INVALID_FILE_FOR_SECTION);
	assert_status(section_of((HANDLE)0x7777, 0, PAGE_READONLY, SEC_COMMIT, &section),
		      STATUS_INVALID_HANDLE);
	assert_status(section_of(NULL, 1ull << 62, PAGE_READWRITE, SEC_COMMIT, &section),
		      STATUS_SECTION_TOO_BIG);
}

static void parameters_of_a_view_are_checked(void **state)
{
	HANDLE section;
	void *base = NULL;
	SIZE_T size = 0;
	(void)state;
	assert_ntsuccess(section_of(NULL, 0x20000, PAGE_READONLY, SEC_COMMIT, &section));
	assert_status(map_at(section, &base, &size, 0, PAGE_READWRITE), STATUS_SECTION_PROTECTION);
	assert_status(map_at(section, &base, &size, 0, PAGE_EXECUTE_READ),
		      STATUS_SECTION_PROTECTION);
	assert_status(map_at(section, &base, &size, 0, 3), STATUS_INVALID_PAGE_PROTECTION);
	assert_status(map_at(section, &base, &size, 0x20000, PAGE_READONLY),
		      STATUS_INVALID_VIEW_SIZE);
	size = 0x30000;
	assert_status(map_at(section, &base, &size, 0, PAGE_READONLY), STATUS_INVALID_VIEW_SIZE);
	base = (void *)(USER_END + 0x10000);
	size = 0;
	assert_status(map_at(section, &base, &size, 0, PAGE_READONLY), STATUS_INVALID_PARAMETER_3);
	base = NULL;
	assert_status(ZwMapViewOfSection(section, CURRENT_PROCESS, &base, 0, 0, NULL, &size, 7, 0,
					 PAGE_READONLY),
		      STATUS_INVALID_PARAMETER_8);
	assert_status(ZwMapViewOfSection(section, CURRENT_PROCESS, &base, 0, 0, NULL, &size, 2,
					 MEM_COMMIT, PAGE_READONLY),
		      STATUS_INVALID_PARAMETER_9);
	assert_status(ZwMapViewOfSection((HANDLE)0x7777, CURRENT_PROCESS, &base, 0, 0, NULL, &size,
					 2, 0, PAGE_READONLY),
		      STATUS_INVALID_HANDLE);
	assert_status(
		ZwMapViewOfSection(section, section, &base, 0, 0, NULL, &size, 2, 0, PAGE_READONLY),
		STATUS_OBJECT_TYPE_MISMATCH);
	assert_status(map_at(section, (void **)0x10000, &size, 0, PAGE_READONLY),
		      STATUS_ACCESS_VIOLATION);
	assert_status(ZwUnmapViewOfSection(CURRENT_PROCESS, (void *)0x12340000),
		      STATUS_NOT_MAPPED_VIEW);
	/* Rounded down to 64 KiB, and written back. */
	LARGE_INTEGER offset = {.QuadPart = 0x10123};
	size = 0x1000;
	assert_ntsuccess(ZwMapViewOfSection(section, CURRENT_PROCESS, &base, 0, 0, &offset, &size,
					    ViewUnmap, 0, PAGE_READONLY));
	assert_int_equal(offset.QuadPart, 0x10000);
	assert_int_equal(size, 0x2000);
	void *taken = base;
	size = 0;
	assert_status(map_at(section, &taken, &size, 0, PAGE_READONLY),
		      STATUS_CONFLICTING_ADDRESSES);
	unmap(base);
	assert_ntsuccess(ZwClose(section));
}

static void unmap_nothing(void *ignored)
{
	(void)ignored;
	MmUnmapViewInSystemSpace((void *)0x7E0000000000);
}

static void map_at_dispatch_level(void *name)
{
	NTSTATUS(NTAPI * call)(void) = (NTSTATUS(NTAPI *)(void))export_of(name);
	KeRaiseIrqlToDpcLevel();
	call();
}

static void mistakes_of_drivers_are_bug_checks(void **state)
{
	(void)state;
	expect_bug_check(0xD7, unmap_nothing, NULL);
	expect_bug_check(0xC4, map_at_dispatch_level, "ZwCreateSection");
	expect_bug_check(0xC4, map_at_dispatch_level, "ZwMapViewOfSection");
	expect_bug_check(0xC4, map_at_dispatch_level, "ZwUnmapViewOfSection");
}

static void views_go_with_their_process(void **state)
{
	HANDLE section;
	(void)state;
	struct actor actor = actor_start("\\??\\C:\\user.exe");
	rs_become(actor.thread);
	assert_ntsuccess(section_of(NULL, 4096, PAGE_READWRITE, SEC_COMMIT, &section));
	map(section, PAGE_READWRITE);
	assert_ntsuccess(ZwClose(section));
	rs_become(NULL);
	actor_end(&actor); /* the end of the world sees that nothing is left */
}

/* ---- Of files --------------------------------------------------------------------------------- */

static void view_of_a_file_is_the_file(void **state)
{
	HANDLE section;
	(void)state;
	put_file("file", "0123456789");
	HANDLE file = open_it(u"\\??\\Z:\\file", CHANGE);
	assert_ntsuccess(section_of(file, 0, PAGE_READWRITE, SEC_COMMIT, &section));
	assert_ntsuccess(ZwClose(file));
	char *view = map(section, PAGE_READWRITE), *copy = map(section, PAGE_WRITECOPY);
	assert_memory_equal(view, "0123456789\0", 11);
	copy[0] = 'c';
	view[1] = 'v';
	assert_string_equal(get_file("file"), "0v23456789");
	unmap(view);
	unmap(copy);
	assert_ntsuccess(ZwClose(section));
	file = open_it(u"\\??\\Z:\\file", CHANGE);
	assert_ntsuccess(section_of(file, 6000, PAGE_READWRITE, SEC_COMMIT, &section));
	assert_ntsuccess(ZwClose(section)); /* has made the file longer */
	assert_ntsuccess(ZwClose(file));
	struct stat status;
	assert_int_equal(stat(path_of("file"), &status), 0);
	assert_int_equal(status.st_size, 6000);
}

static void file_that_cannot_be_mapped_says_why(void **state)
{
	HANDLE section;
	(void)state;
	put_file("file", "0123456789");
	put_file("empty", "");
	HANDLE file = open_it(u"\\??\\Z:\\file", READ), empty = open_it(u"\\??\\Z:\\empty", READ),
	       folder = open_it(u"\\??\\Z:\\", FILE_GENERIC_READ);
	assert_status(section_of(empty, 0, PAGE_READONLY, SEC_COMMIT, &section),
		      STATUS_MAPPED_FILE_SIZE_ZERO);
	assert_status(section_of(file, 100, PAGE_READONLY, SEC_COMMIT, &section),
		      STATUS_SECTION_TOO_BIG);
	assert_status(section_of(folder, 0, PAGE_READONLY, SEC_COMMIT, &section),
		      STATUS_INVALID_FILE_FOR_SECTION);
	assert_status(section_of(file, 0, PAGE_READWRITE, SEC_COMMIT, &section),
		      STATUS_MEDIA_WRITE_PROTECTED);
	assert_status(section_of(file, 0, PAGE_READONLY, SEC_IMAGE, &section),
		      STATUS_INVALID_IMAGE_NOT_MZ);
	assert_ntsuccess(ZwClose(folder));
	assert_ntsuccess(ZwClose(empty));
	assert_ntsuccess(ZwClose(file));
	put_file("damaged", "MZ, and then nothing");
	file = open_it(u"\\??\\Z:\\damaged", READ);
	assert_status(section_of(file, 0, PAGE_READONLY, SEC_IMAGE, &section),
		      STATUS_INVALID_IMAGE_FORMAT);
	assert_ntsuccess(ZwClose(file));
}

/* ---- Of images ---------------------------------------------------------------------------------- */

static struct {
	unsigned count;
	HANDLE process;
	IMAGE_INFO info;
	WCHAR name[64];
} heard;

static void NTAPI hear(PUNICODE_STRING name, HANDLE process, PIMAGE_INFO info)
{
	heard.count++;
	heard.process = process;
	heard.info = *info;
	memset(heard.name, 0, sizeof(heard.name));
	memcpy(heard.name, name->Buffer, name->Length < 126 ? name->Length : 126);
}

static void image_lies_as_its_headers_say_and_is_told(void **state)
{
	HANDLE section;
	void *base = NULL;
	SIZE_T size = 0;
	(void)state;
	copy_driver_to("some.sys");
	HANDLE file = open_it(u"\\??\\Z:\\some.sys", READ);
	assert_ntsuccess(section_of(file, 0, PAGE_EXECUTE, SEC_IMAGE, &section));
	assert_ntsuccess(PsSetLoadImageNotifyRoutine(hear));
	memset(&heard, 0, sizeof(heard));
	NTSTATUS status = map_at(section, &base, &size, 0, PAGE_READONLY);
	struct pe_nt_headers nt;
	memcpy(&nt, (char *)base + ((struct pe_dos_header *)base)->nt_offset, sizeof(nt));
	assert_int_equal(((struct pe_dos_header *)base)->magic, PE_DOS_MAGIC);
	assert_int_equal(nt.signature, PE_SIGNATURE);
	assert_int_equal(size, nt.optional.image_size);
	/* At its own base, or moved and told so. */
	assert_int_equal(nt.optional.image_base, (uintptr_t)base);
	assert_true(status == STATUS_SUCCESS || status == STATUS_IMAGE_NOT_AT_BASE);
	assert_int_equal(heard.count, 1);
	assert_int_equal((uintptr_t)heard.process, 4);
	assert_ptr_equal(heard.info.ImageBase, base);
	assert_int_equal(heard.info.ImageSize, size);
	assert_false(heard.info.SystemModeImage);
	assert_memory_equal(heard.name, u"\\Device\\HarddiskVolume1\\some.sys",
			    sizeof(u"\\Device\\HarddiskVolume1\\some.sys"));
	/* The second finds the first at the image's base. */
	void *second = NULL;
	SIZE_T second_size = 0;
	assert_status(map_at(section, &second, &second_size, 0, PAGE_READONLY),
		      STATUS_IMAGE_NOT_AT_BASE);
	assert_ptr_not_equal(second, base);
	assert_memory_equal((char *)second + nt.optional.code_base,
			    (char *)base + nt.optional.code_base, 64);
	MEMORY_BASIC_INFORMATION region;
	assert_ntsuccess(ZwQueryVirtualMemory(CURRENT_PROCESS,
					      (char *)second + nt.optional.code_base, 0, &region,
					      sizeof(region), NULL));
	assert_ptr_equal(region.AllocationBase, second);
	assert_int_equal(region.Type, MEM_IMAGE);
	assert_int_equal(region.Protect, PAGE_EXECUTE_READ);
	unmap(second);
	unmap(base);
	assert_ntsuccess(PsRemoveLoadImageNotifyRoutine(hear));
	assert_ntsuccess(ZwClose(section));
	assert_ntsuccess(ZwClose(file));
}

static void image_that_nobody_executes_is_not_told(void **state)
{
	HANDLE section;
	void *base = NULL;
	SIZE_T size = 0;
	(void)state;
	copy_driver_to("some.sys");
	HANDLE file = open_it(u"\\??\\Z:\\some.sys", READ);
	assert_ntsuccess(section_of(file, 0, PAGE_READONLY, SEC_IMAGE_NO_EXECUTE, &section));
	assert_ntsuccess(PsSetLoadImageNotifyRoutine(hear));
	memset(&heard, 0, sizeof(heard));
	assert_true(NT_SUCCESS(map_at(section, &base, &size, 0, PAGE_READONLY)));
	assert_int_equal(heard.count, 0);
	unmap(base);
	assert_ntsuccess(PsRemoveLoadImageNotifyRoutine(hear));
	assert_ntsuccess(ZwClose(section));
	assert_ntsuccess(ZwClose(file));
}

static void section_for_a_scan_needs_no_handle(void **state)
{
	HANDLE handle;
	PVOID object, section;
	LARGE_INTEGER length;
	char *base;
	SIZE_T size = 0;
	(void)state;
	put_file("file", "scanned");
	put_file("empty", "");
	HANDLE file = open_it(u"\\??\\Z:\\file", READ), empty = open_it(u"\\??\\Z:\\empty", READ);
	OBJECT_ATTRIBUTES kernel = {.Length = sizeof(kernel), .Attributes = OBJ_KERNEL_HANDLE};
	assert_ntsuccess(ObReferenceObjectByHandle(file, 0, NULL, 0, &object, NULL));
	assert_ntsuccess(FsRtlCreateSectionForDataScan(&handle, &section, &length, object,
						       SECTION_MAP_READ, &kernel, NULL,
						       PAGE_READONLY, SEC_COMMIT, 0));
	assert_int_equal(length.QuadPart, 7);
	assert_ntsuccess(MmMapViewInSystemSpace(section, (PVOID *)&base, &size));
	assert_string_equal(base, "scanned");
	assert_ntsuccess(MmUnmapViewInSystemSpace(base));
	assert_ntsuccess(ZwClose(handle));
	rs_release(section);
	assert_status(FsRtlCreateSectionForDataScan(&handle, &section, NULL, object,
						    SECTION_MAP_READ, &kernel, NULL, PAGE_EXECUTE,
						    SEC_COMMIT, 0),
		      STATUS_INVALID_PARAMETER_8);
	assert_status(FsRtlCreateSectionForDataScan(&handle, &section, NULL, object,
						    SECTION_MAP_READ, &kernel, NULL, PAGE_READONLY,
						    SEC_IMAGE, 0),
		      STATUS_INVALID_PARAMETER_9);
	rs_release(object);
	assert_ntsuccess(ObReferenceObjectByHandle(empty, 0, NULL, 0, &object, NULL));
	assert_status(FsRtlCreateSectionForDataScan(&handle, &section, NULL, object,
						    SECTION_MAP_READ, &kernel, NULL, PAGE_READONLY,
						    SEC_COMMIT, 0),
		      STATUS_END_OF_FILE);
	rs_release(object);
	assert_ntsuccess(ZwClose(empty));
	assert_ntsuccess(ZwClose(file));
}

static void what_can_change_a_file_is_counted(void **state)
{
	HANDLE section;
	PVOID object;
	(void)state;
	put_file("file", "0123456789");
	HANDLE reader = open_it(u"\\??\\Z:\\file", READ);
	assert_ntsuccess(ObReferenceObjectByHandle(reader, 0, NULL, 0, &object, NULL));
	PVOID pointers = ((PFILE_OBJECT)object)->SectionObjectPointer;
	assert_int_equal(MmDoesFileHaveUserWritableReferences(pointers), 0);
	HANDLE writer = open_it(u"\\??\\Z:\\file", CHANGE);
	assert_int_equal(MmDoesFileHaveUserWritableReferences(pointers), 1);
	assert_ntsuccess(section_of(writer, 0, PAGE_READWRITE, SEC_COMMIT, &section));
	assert_int_equal(MmDoesFileHaveUserWritableReferences(pointers), 2);
	void *view = map(section, PAGE_READWRITE), *other = map(section, PAGE_READONLY);
	assert_int_equal(MmDoesFileHaveUserWritableReferences(pointers), 3);
	assert_ntsuccess(ZwClose(writer));
	assert_ntsuccess(ZwClose(section)); /* the views hold it */
	assert_int_equal(MmDoesFileHaveUserWritableReferences(pointers), 2);
	unmap(view);
	unmap(other);
	assert_int_equal(MmDoesFileHaveUserWritableReferences(pointers), 0);
	rs_release(object);
	assert_ntsuccess(ZwClose(reader));
}

static void mapped_file_is_neither_cut_nor_an_image_deleted(void **state)
{
	HANDLE data, image;
	LONGLONG none = 0, more = 10000000;
	BOOLEAN yes = TRUE;
	(void)state;
	copy_driver_to("some.sys");
	HANDLE file = open_it(u"\\??\\Z:\\some.sys", CHANGE | DELETE);
	assert_ntsuccess(section_of(file, 0, PAGE_READONLY, SEC_COMMIT, &data));
	assert_status(ZwSetInformationFile(file, &v.result, &none, 8, FileEndOfFileInformation),
		      STATUS_USER_MAPPED_FILE);
	assert_ntsuccess(ZwSetInformationFile(file, &v.result, &more, 8, FileEndOfFileInformation));
	assert_ntsuccess(section_of(file, 0, PAGE_EXECUTE, SEC_IMAGE, &image));
	assert_status(ZwSetInformationFile(file, &v.result, &yes, 1, FileDispositionInformation),
		      STATUS_CANNOT_DELETE);
	assert_ntsuccess(ZwClose(image));
	assert_ntsuccess(
		ZwSetInformationFile(file, &v.result, &yes, 1, FileDispositionInformation));
	assert_ntsuccess(ZwClose(data));
	assert_ntsuccess(ZwSetInformationFile(file, &v.result, &none, 8, FileEndOfFileInformation));
	assert_ntsuccess(ZwClose(file));
	assert_false(is_there("some.sys"));
}

static void known_dll_is_the_file_of_the_root(void **state)
{
	UNICODE_STRING name = USTR(u"\\KnownDlls\\ntdll.dll"),
		       none = USTR(u"\\KnownDlls\\none.dll");
	OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &name, OBJ_KERNEL_HANDLE};
	HANDLE section, again;
	void *base = NULL;
	SIZE_T size = 0;
	(void)state;
	assert_status(ZwOpenSection(&section, SECTION_MAP_READ, &attributes),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	mkdir(path_of("WINDOWS"), 0777);
	mkdir(path_of("WINDOWS/system32"), 0777);
	copy_driver_to("WINDOWS/system32/NtDll.dll");
	assert_ntsuccess(ZwOpenSection(&section, SECTION_MAP_READ, &attributes));
	assert_ntsuccess(ZwOpenSection(&again, SECTION_MAP_READ, &attributes));
	assert_true(NT_SUCCESS(map_at(section, &base, &size, 0, PAGE_READONLY)));
	assert_memory_equal(base, "MZ", 2);
	unmap(base);
	assert_ntsuccess(ZwClose(again));
	assert_ntsuccess(ZwClose(section));
	attributes.ObjectName = &none;
	assert_status(ZwOpenSection(&section, SECTION_MAP_READ, &attributes),
		      STATUS_OBJECT_NAME_NOT_FOUND);
}

/* ---- Without memory -------------------------------------------------------------------------------- */

static void sections_fail_cleanly_at_every_allocation(void **state)
{
	(void)state;
	copy_driver_to("some.sys");
	HANDLE file = open_it(u"\\??\\Z:\\some.sys", READ), section;
	for (unsigned n = 0;; n++) {
		void *base = NULL;
		SIZE_T size = 0;
		fail_allocation(NULL, n);
		NTSTATUS status = section_of(file, 0, PAGE_EXECUTE, SEC_IMAGE, &section);
		if (NT_SUCCESS(status)) {
			status = map_at(section, &base, &size, 0, PAGE_READONLY);
			if (NT_SUCCESS(status))
				unmap(base);
			assert_ntsuccess(ZwClose(section));
		}
		if (!stop_failing())
			break;
	}
	assert_ntsuccess(ZwClose(file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(views_of_one_section_show_the_same_memory),
		WORLD_TEST(section_has_a_name_and_is_opened_by_it),
		WORLD_TEST(parameters_of_a_section_are_checked),
		WORLD_TEST(parameters_of_a_view_are_checked),
		WORLD_TEST(mistakes_of_drivers_are_bug_checks),
		WORLD_TEST(views_go_with_their_process),
		WRITE_TEST(view_of_a_file_is_the_file),
		READ_TEST(file_that_cannot_be_mapped_says_why),
		READ_TEST(image_lies_as_its_headers_say_and_is_told),
		READ_TEST(image_that_nobody_executes_is_not_told),
		READ_TEST(section_for_a_scan_needs_no_handle),
		WRITE_TEST(what_can_change_a_file_is_counted),
		WRITE_TEST(mapped_file_is_neither_cut_nor_an_image_deleted),
		READ_TEST(known_dll_is_the_file_of_the_root),
		READ_TEST(sections_fail_cleanly_at_every_allocation),
	};
	return cmocka_run_group_tests_name("mm: sections", tests, NULL, NULL);
}

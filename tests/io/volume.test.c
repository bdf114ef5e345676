/* SPDX-License-Identifier: MIT */
/*
 * Files of the volume by name: looking up, opening, making, sharing and deleting them,
 * as a driver does it. The WDK's page of ZwCreateFile is the reference.
 */
#include "io/driver.h"
#include "io/file.h"
#include "io/fileobject.h"
#include "io/filter.h"
#include "io/folder.h"
#include "io/information.h"
#include "ldr/kernel.h"
#include "ob/directory.h"
#include "ob/handle.h"
#include "support/bugcheck.h"
#include "support/parallel.h"

NTSTATUS NTAPI IoQueryFileDosDeviceName(PFILE_OBJECT FileObject, PVOID *ObjectNameInformation);
VOID NTAPI ExFreePoolWithTag(PVOID P, ULONG Tag);

#define READ FILE_GENERIC_READ

/* ---- Names ------------------------------------------------------------------------------ */

static void every_name_of_the_volume_finds_the_file(void **state)
{
	static const WCHAR *const names[] = {
		u"\\??\\Z:\\Windows\\note.txt",
		u"\\??\\C:\\Windows\\note.txt",
		u"\\DosDevices\\C:\\Windows\\note.txt",
		u"\\??\\GLOBALROOT\\Device\\HarddiskVolume1\\Windows\\note.txt",
		u"\\GLOBAL??\\HarddiskVolume1\\Windows\\note.txt",
		u"\\Device\\HarddiskVolume1\\Windows\\note.txt",
		u"\\Device\\BootDevice\\Windows\\note.txt",
		u"\\SystemRoot\\note.txt",
		u"\\SystemRoot\\note.txt::$DATA",
	};
	(void)state;
	mkdir(path_of("Windows"), 0777);
	put_file("Windows/note.txt", "found");
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char text[8] = "";
		HANDLE file = open_it(names[i], READ);
		assert_ntsuccess(read_at(file, text, 8, 0));
		assert_string_equal(text, "found");
		assert_ntsuccess(ZwClose(file));
	}
}

static void links_of_the_namespace_say_where_they_lead(void **state)
{
	static const struct {
		const WCHAR *name, *target;
	} rows[] = {
		{u"\\DosDevices\\C:", u"\\Device\\HarddiskVolume1"},
		{u"\\??\\Z:", u"\\Device\\HarddiskVolume1"},
		{u"\\SystemRoot", u"\\Device\\BootDevice\\Windows"},
		{u"\\KnownDlls\\KnownDllPath", u"C:\\Windows\\System32"},
	};
	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		HANDLE link;
		WCHAR room[64];
		UNICODE_STRING name = ustr(rows[i].name), target = {0, sizeof(room), room},
			       expected = ustr(rows[i].target);
		OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &name, OBJ_KERNEL_HANDLE};
		assert_ntsuccess(ZwOpenSymbolicLinkObject(&link, SYMBOLIC_LINK_QUERY, &attributes));
		assert_ntsuccess(ZwQuerySymbolicLinkObject(link, &target, NULL));
		assert_int_equal(target.Length, expected.Length);
		assert_memory_equal(target.Buffer, expected.Buffer, expected.Length);
		assert_ntsuccess(ZwClose(link));
	}
}

static void without_a_volume_there_are_no_files(void **state)
{
	(void)state;
	assert_status(try_open(u"\\??\\C:\\etc", READ, FILE_OPEN, 0), STATUS_OBJECT_PATH_NOT_FOUND);
	assert_status(try_open(u"\\SystemRoot\\etc", READ, FILE_OPEN, 0),
		      STATUS_OBJECT_PATH_NOT_FOUND);
}

static void case_does_not_matter_and_the_exact_name_comes_first(void **state)
{
	char text[8] = "";
	(void)state;
	mkdir(path_of("Some Folder"), 0777);
	put_file("Some Folder/File", "big");
	put_file("Some Folder/file", "small");
	put_file("Some Folder/\xc3\x84rger", "umlaut");
	HANDLE file = open_it(u"\\??\\Z:\\SOME FOLDER\\file", READ);
	assert_ntsuccess(read_at(file, text, 8, 0));
	assert_string_equal(text, "small");
	assert_ntsuccess(ZwClose(file));
	file = open_it(u"\\??\\Z:\\some folder\\File", READ);
	assert_ntsuccess(read_at(file, text, 3, 0));
	assert_memory_equal(text, "big", 3);
	assert_ntsuccess(ZwClose(file));
	file = open_it(u"\\??\\Z:\\some folder\\\u00e4RGER", READ);
	assert_ntsuccess(read_at(file, text, 6, 0));
	assert_memory_equal(text, "umlaut", 6);
	assert_ntsuccess(ZwClose(file));
}

static void characters_that_nt_forbids_are_in_the_private_area(void **state)
{
	(void)state;
	put_file("a:b*\x01\xff", "x");
	assert_ntsuccess(try_open(u"\\??\\Z:\\a\xF03A"
				  u"b\xF02A\xF001\xF0FF",
				  READ, FILE_OPEN, 0));
	/* No name becomes another component that way. */
	assert_status(try_open(u"\\??\\Z:\\\xF02E\xF02E\\etc", READ, FILE_OPEN, 0),
		      STATUS_OBJECT_PATH_NOT_FOUND);
	assert_status(try_open(u"\\??\\Z:\\a\xF02F"
			       u"b",
			       READ, FILE_OPEN, 0),
		      STATUS_OBJECT_NAME_NOT_FOUND);
}

static void names_that_no_file_has_are_invalid(void **state)
{
	static const WCHAR *const names[] = {
		u"\\??\\Z:\\a*b",      u"\\??\\Z:\\a?b", u"\\??\\Z:\\a/b",
		u"\\??\\Z:\\..\\etc",  u"\\??\\Z:\\.",   u"\\??\\Z:\\a\\\\b",
		u"\\??\\Z:\\a:stream", u"\\??\\Z:\\a<b", u"\\??\\Z:\\a\x01-",
		u"\\??\\Z:\\a\xD800",
	};
	(void)state;
	put_file("a", "");
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_status(try_open(names[i], READ, FILE_OPEN, 0), STATUS_OBJECT_NAME_INVALID);
}

static void missing_file_and_missing_folder_are_told_apart(void **state)
{
	(void)state;
	put_file("file", "");
	assert_status(try_open(u"\\??\\Z:\\none", READ, FILE_OPEN, 0),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	assert_status(try_open(u"\\??\\Z:\\none\\file", READ, FILE_OPEN, 0),
		      STATUS_OBJECT_PATH_NOT_FOUND);
	assert_status(try_open(u"\\??\\Z:\\file\\file", READ, FILE_OPEN, 0),
		      STATUS_OBJECT_PATH_NOT_FOUND);
	assert_status(try_open(u"\\??\\Q:\\file", READ, FILE_OPEN, 0),
		      STATUS_OBJECT_PATH_NOT_FOUND);
}

static void no_link_leads_out_of_the_root(void **state)
{
	char text[8] = "";
	(void)state;
	mkdir(path_of("etc"), 0777);
	put_file("etc/passwd", "inside");
	assert_int_equal(symlink("/etc/passwd", path_of("absolute")), 0);
	assert_int_equal(symlink("../../../../../../etc/passwd", path_of("relative")), 0);
	assert_int_equal(symlink("/", path_of("top")), 0);
	assert_int_equal(symlink("/proc/self/root", path_of("escape")), 0);
	static const WCHAR *const names[] = {u"\\??\\Z:\\absolute", u"\\??\\Z:\\relative",
					     u"\\??\\Z:\\top\\ETC\\passwd"};
	for (unsigned i = 0; i < 3; i++) {
		HANDLE file = open_it(names[i], READ);
		assert_ntsuccess(read_at(file, text, 8, 0));
		assert_string_equal(text, "inside");
		assert_ntsuccess(ZwClose(file));
	}
	assert_status(try_open(u"\\??\\Z:\\escape\\etc\\passwd", READ, FILE_OPEN, 0),
		      STATUS_OBJECT_PATH_NOT_FOUND);
}

static void name_begins_at_an_open_folder(void **state)
{
	HANDLE folder, file;
	(void)state;
	mkdir(path_of("folder"), 0777);
	put_file("folder/file", "x");
	assert_ntsuccess(
		create(u"\\??\\Z:\\folder", READ, FILE_OPEN, FILE_DIRECTORY_FILE, &folder));
	assert_ntsuccess(create_at(folder, u"FILE", READ, SHARE_ALL, FILE_OPEN, 0, &file));
	assert_ntsuccess(ZwClose(file));
	assert_status(create_at(folder, u"\\file", READ, SHARE_ALL, FILE_OPEN, 0, &file),
		      STATUS_OBJECT_NAME_INVALID);
	assert_status(create_at(folder, u"..\\file", READ, SHARE_ALL, FILE_OPEN, 0, &file),
		      STATUS_OBJECT_NAME_INVALID);
	assert_ntsuccess(ZwClose(folder));
}

static void file_object_has_its_name_and_its_dos_name(void **state)
{
	PVOID object;
	UNICODE_STRING *dos, expected = USTR(u"Z:\\sub\\file");
	(void)state;
	mkdir(path_of("sub"), 0777);
	put_file("sub/file", "");
	HANDLE folder = open_it(u"\\??\\Z:\\sub", READ), handle;
	assert_ntsuccess(create_at(folder, u"file", READ, FILE_SHARE_READ, FILE_OPEN, 0, &handle));
	assert_ntsuccess(ObReferenceObjectByHandle(handle, 0, IoFileObjectType, 0, &object, NULL));
	PFILE_OBJECT file = object;
	UNICODE_STRING name = USTR(u"\\sub\\file");
	assert_int_equal(file->FileName.Length, name.Length);
	assert_memory_equal(file->FileName.Buffer, name.Buffer, name.Length);
	assert_true(file->ReadAccess && !file->WriteAccess && !file->DeleteAccess);
	assert_true(file->SharedRead && !file->SharedWrite && !file->SharedDelete);
	assert_non_null(file->FsContext);
	assert_non_null(file->SectionObjectPointer);
	assert_int_equal(file->DeviceObject->DeviceType, 7);
	assert_ntsuccess(IoQueryFileDosDeviceName(file, (PVOID *)&dos));
	assert_int_equal(dos->Length, expected.Length);
	assert_memory_equal(dos->Buffer, expected.Buffer, expected.Length);
	ExFreePoolWithTag(dos, 0);
	rs_release(object);
	assert_ntsuccess(ZwClose(handle));
	assert_ntsuccess(ZwClose(folder));
}

static void file_object_of_an_image_is_opened_when_it_is_used(void **state)
{
	char text[8] = "";
	HANDLE handle;
	LARGE_INTEGER size;
	UNICODE_STRING here = USTR(u"\\Sub\\program"), gone = USTR(u"\\gone");
	(void)state;
	mkdir(path_of("sub"), 0777);
	put_file("sub/Program", "image");
	PFILE_OBJECT file = io_create_image_file(&here);
	assert_null(file->FsContext);
	assert_ntsuccess(FsRtlGetFileSize(file, &size));
	assert_int_equal(size.QuadPart, 5);
	assert_non_null(file->FsContext);
	assert_ntsuccess(ObOpenObjectByPointer(file, OBJ_KERNEL_HANDLE, NULL, FILE_READ_DATA,
					       IoFileObjectType, KernelMode, &handle));
	assert_ntsuccess(read_at(handle, text, 8, 0));
	assert_string_equal(text, "image");
	assert_ntsuccess(ZwClose(handle));
	rs_release(file);
	file = io_create_image_file(&gone);
	assert_status(FsRtlGetFileSize(file, &size), STATUS_FILE_DELETED);
	rs_release(file);
}

/* ---- Kinds and dispositions ----------------------------------------------------------------- */

static void folders_and_files_are_not_taken_for_each_other(void **state)
{
	(void)state;
	mkdir(path_of("folder"), 0777);
	put_file("file", "");
	assert_status(try_open(u"\\??\\Z:\\folder", READ, FILE_OPEN, FILE_NON_DIRECTORY_FILE),
		      STATUS_FILE_IS_A_DIRECTORY);
	assert_status(try_open(u"\\??\\Z:\\file", READ, FILE_OPEN, FILE_DIRECTORY_FILE),
		      STATUS_NOT_A_DIRECTORY);
	assert_status(try_open(u"\\??\\Z:\\file\\", READ, FILE_OPEN, 0),
		      STATUS_OBJECT_NAME_INVALID);
	assert_ntsuccess(try_open(u"\\??\\Z:\\folder\\", READ, FILE_OPEN, 0));
	assert_ntsuccess(try_open(u"\\??\\Z:\\", READ, FILE_OPEN, FILE_DIRECTORY_FILE));
}

static void what_waits_or_has_effects_is_not_opened(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(path_of("fifo"), 0666), 0);
	assert_status(try_open(u"\\??\\Z:\\fifo", READ, FILE_OPEN, 0), STATUS_ACCESS_DENIED);
	assert_ntsuccess(try_open(u"\\??\\Z:\\fifo", FILE_READ_ATTRIBUTES, FILE_OPEN, 0));
}

static void each_disposition_does_what_its_page_says(void **state)
{
	static const struct {
		ULONG disposition;
		NTSTATUS missing;
		ULONG made; /* Information */
		NTSTATUS there;
		ULONG found;
		const char *content;
	} rows[] = {
		{FILE_SUPERSEDE, 0, FILE_CREATED, 0, FILE_SUPERSEDED, ""},
		{FILE_OPEN, STATUS_OBJECT_NAME_NOT_FOUND, 0, 0, FILE_OPENED, "old"},
		{FILE_CREATE, 0, FILE_CREATED, STATUS_OBJECT_NAME_COLLISION, 0, "old"},
		{FILE_OPEN_IF, 0, FILE_CREATED, 0, FILE_OPENED, "old"},
		{FILE_OVERWRITE, STATUS_OBJECT_NAME_NOT_FOUND, 0, 0, FILE_OVERWRITTEN, ""},
		{FILE_OVERWRITE_IF, 0, FILE_CREATED, 0, FILE_OVERWRITTEN, ""},
	};
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		NTSTATUS status = try_open(u"\\??\\Z:\\new", FILE_GENERIC_WRITE,
					   rows[i].disposition, 0);
		assert_status(status, rows[i].missing);
		assert_int_equal(is_there("new"), NT_SUCCESS(status));
		if (NT_SUCCESS(status))
			assert_int_equal(v.result.Information, rows[i].made);
		put_file("new", "old");
		status = try_open(u"\\??\\Z:\\NEW", FILE_GENERIC_WRITE, rows[i].disposition, 0);
		assert_status(status, rows[i].there);
		if (NT_SUCCESS(status))
			assert_int_equal(v.result.Information, rows[i].found);
		assert_string_equal(get_file("new"), rows[i].content);
		assert_int_equal(unlink(path_of("new")), 0);
	}
}

static void folder_is_made(void **state)
{
	(void)state;
	assert_ntsuccess(try_open(u"\\??\\Z:\\made", READ, FILE_CREATE, FILE_DIRECTORY_FILE));
	assert_ntsuccess(try_open(u"\\??\\Z:\\MADE\\in\\", READ, FILE_CREATE, FILE_DIRECTORY_FILE));
	assert_true(is_there("made/in"));
	assert_status(try_open(u"\\??\\Z:\\made", READ, FILE_OVERWRITE_IF, 0),
		      STATUS_FILE_IS_A_DIRECTORY);
}

static void options_that_exclude_each_other_are_invalid(void **state)
{
	(void)state;
	assert_status(try_open(u"\\??\\Z:\\x", READ, FILE_OPEN,
			       FILE_DIRECTORY_FILE | FILE_NON_DIRECTORY_FILE),
		      STATUS_INVALID_PARAMETER);
	assert_status(try_open(u"\\??\\Z:\\x", READ, FILE_OVERWRITE, FILE_DIRECTORY_FILE),
		      STATUS_INVALID_PARAMETER);
	assert_status(try_open(u"\\??\\Z:\\x", READ, FILE_OPEN, FILE_DELETE_ON_CLOSE),
		      STATUS_INVALID_PARAMETER);
	assert_status(try_open(u"\\??\\Z:\\x", READ, 6, 0), STATUS_INVALID_PARAMETER);
}

/* ---- Read-only --------------------------------------------------------------------------------- */

static void volume_that_is_not_writable_refuses_and_reports(void **state)
{
	UNICODE_STRING name = USTR(u"\\??\\Z:\\file");
	OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &name, 0};
	static const struct {
		ACCESS_MASK access;
		ULONG disposition, options;
	} tries[] = {
		{FILE_GENERIC_WRITE, FILE_OPEN, 0},
		{FILE_APPEND_DATA, FILE_OPEN, 0},
		{DELETE, FILE_OPEN, 0},
		{READ, FILE_OVERWRITE, 0},
		{GENERIC_ALL, FILE_OPEN, 0},
		{READ, FILE_SUPERSEDE, 0},
		{DELETE, FILE_OPEN, FILE_DELETE_ON_CLOSE},
	};
	(void)state;
	put_file("file", "kept");
	for (unsigned i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		assert_status(try_open(u"\\??\\Z:\\file", tries[i].access, tries[i].disposition,
				       tries[i].options),
			      STATUS_MEDIA_WRITE_PROTECTED);
		assert_int_equal(v.refused, i + 1);
	}
	assert_string_equal(v.refused_name, "\\file");
	assert_status(try_open(u"\\??\\Z:\\new", READ, FILE_OPEN_IF, 0),
		      STATUS_MEDIA_WRITE_PROTECTED);
	assert_status(ZwDeleteFile(&attributes), STATUS_MEDIA_WRITE_PROTECTED);
	assert_ntsuccess(try_open(u"\\??\\Z:\\file", READ, FILE_OPEN_IF, 0));
	assert_string_equal(get_file("file"), "kept");
	assert_false(is_there("new"));
}

static void handle_that_may_only_read_does_not_write_for_the_kernel_either(void **state)
{
	(void)state;
	put_file("file", "kept");
	HANDLE file = open_it(u"\\??\\Z:\\file", READ);
	assert_status(write_at(file, "x", 1, 0), STATUS_MEDIA_WRITE_PROTECTED);
	assert_ntsuccess(ZwClose(file));
	assert_string_equal(get_file("file"), "kept");
}

static void file_with_the_read_only_attribute_is_left_alone(void **state)
{
	HANDLE file;
	(void)state;
	put_file("file", "kept");
	assert_int_equal(chmod(path_of("file"), 0444), 0);
	assert_status(try_open(u"\\??\\Z:\\file", FILE_GENERIC_WRITE, FILE_OPEN, 0),
		      STATUS_ACCESS_DENIED);
	assert_status(try_open(u"\\??\\Z:\\file", READ, FILE_SUPERSEDE, 0), STATUS_ACCESS_DENIED);
	assert_status(try_open(u"\\??\\Z:\\file", DELETE, FILE_OPEN, FILE_DELETE_ON_CLOSE),
		      STATUS_CANNOT_DELETE);
	assert_string_equal(get_file("file"), "kept");
	/* Who makes one may fill it. */
	UNICODE_STRING name = USTR(u"\\??\\Z:\\new");
	OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &name, OBJ_KERNEL_HANDLE};
	assert_ntsuccess(ZwCreateFile(&file, FILE_GENERIC_WRITE, &attributes, &v.result, NULL,
				      FILE_ATTRIBUTE_READONLY, 0, FILE_CREATE, SYNCHRONOUS, NULL,
				      0));
	assert_ntsuccess(write_at(file, "filled", 6, 0));
	assert_ntsuccess(ZwClose(file));
	assert_string_equal(get_file("new"), "filled");
	assert_status(try_open(u"\\??\\Z:\\new", FILE_GENERIC_WRITE, FILE_OPEN, 0),
		      STATUS_ACCESS_DENIED);
}

/* ---- Sharing and deleting ------------------------------------------------------------------------ */

static void opens_that_do_not_share_exclude_each_other(void **state)
{
	HANDLE first, second;
	(void)state;
	put_file("file", "");
	assert_ntsuccess(create_at(NULL, u"\\??\\Z:\\file", FILE_GENERIC_WRITE, FILE_SHARE_READ,
				   FILE_OPEN, 0, &first));
	assert_status(
		create_at(NULL, u"\\??\\C:\\FILE", READ, FILE_SHARE_READ, FILE_OPEN, 0, &second),
		STATUS_SHARING_VIOLATION); /* the first writes */
	assert_status(create_at(NULL, u"\\??\\C:\\FILE", FILE_GENERIC_WRITE, SHARE_ALL, FILE_OPEN,
				0, &second),
		      STATUS_SHARING_VIOLATION); /* the first shares only reading */
	assert_ntsuccess(
		create_at(NULL, u"\\??\\C:\\FILE", READ, SHARE_ALL, FILE_OPEN, 0, &second));
	assert_ntsuccess(ZwClose(second));
	assert_ntsuccess(create_at(NULL, u"\\??\\C:\\FILE", FILE_READ_ATTRIBUTES, 0, FILE_OPEN, 0,
				   &second)); /* asks for nothing that is shared */
	assert_ntsuccess(ZwClose(second));
	assert_ntsuccess(ZwClose(first));
	assert_ntsuccess(try_open(u"\\??\\Z:\\file", FILE_GENERIC_WRITE, FILE_OPEN, 0));
}

static void file_is_deleted_when_its_last_handle_closes(void **state)
{
	HANDLE first;
	(void)state;
	put_file("file", "");
	assert_ntsuccess(
		create(u"\\??\\Z:\\file", DELETE, FILE_OPEN, FILE_DELETE_ON_CLOSE, &first));
	HANDLE second = open_it(u"\\??\\Z:\\file", READ);
	assert_ntsuccess(ZwClose(first));
	assert_true(is_there("file"));
	assert_status(try_open(u"\\??\\Z:\\file", READ, FILE_OPEN, 0), STATUS_DELETE_PENDING);
	assert_ntsuccess(ZwClose(second));
	assert_false(is_there("file"));
}

static void file_is_deleted_by_name(void **state)
{
	UNICODE_STRING name = USTR(u"\\??\\Z:\\FILE");
	OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &name, 0};
	(void)state;
	put_file("file", "");
	assert_ntsuccess(ZwDeleteFile(&attributes));
	assert_false(is_there("file"));
	assert_status(ZwDeleteFile(&attributes), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void file_that_has_taken_the_name_is_not_deleted(void **state)
{
	HANDLE file;
	(void)state;
	put_file("file", "old");
	assert_ntsuccess(create(u"\\??\\Z:\\file", DELETE, FILE_OPEN, FILE_DELETE_ON_CLOSE, &file));
	put_file("other", "new");
	assert_int_equal(rename(path_of("other"), path_of("file")), 0);
	assert_ntsuccess(ZwClose(file));
	assert_string_equal(get_file("file"), "new");
}

/* ---- Reading and writing ---------------------------------------------------------------------------- */

static void reading_ends_with_the_file(void **state)
{
	char text[16] = "................";
	(void)state;
	put_file("file", "0123456789");
	HANDLE file = open_it(u"\\??\\Z:\\file", READ);
	assert_ntsuccess(read_at(file, text, 4, 2));
	assert_int_equal(v.result.Information, 4);
	assert_memory_equal(text, "2345..", 6);
	assert_ntsuccess(read_at(file, text, 16, -1)); /* goes on where it was */
	assert_int_equal(v.result.Information, 4);
	assert_memory_equal(text, "6789", 4);
	assert_status(read_at(file, text, 16, -1), STATUS_END_OF_FILE);
	assert_int_equal(v.result.Information, 77);
	assert_status(read_at(file, text, 1, 1000), STATUS_END_OF_FILE);
	assert_ntsuccess(read_at(file, text, 0, 0));
	assert_int_equal(v.result.Information, 0);
	assert_ntsuccess(ZwClose(file));
}

static void writing_goes_where_it_is_told(void **state)
{
	HANDLE file;
	(void)state;
	assert_ntsuccess(create(u"\\??\\Z:\\log", FILE_GENERIC_WRITE, FILE_CREATE, 0, &file));
	assert_ntsuccess(write_at(file, "abc", 3, 0));
	assert_int_equal(v.result.Information, 3);
	assert_ntsuccess(write_at(file, "def", 3, -2)); /* at the position */
	assert_ntsuccess(write_at(file, "g", 1, -1));   /* FILE_WRITE_TO_END_OF_FILE */
	assert_ntsuccess(write_at(file, "B", 1, 1));
	assert_ntsuccess(ZwFlushBuffersFile(file, &v.result));
	assert_ntsuccess(ZwClose(file));
	assert_string_equal(get_file("log"), "aBcdefg");
	assert_ntsuccess(create(u"\\??\\Z:\\log", FILE_APPEND_DATA, FILE_OPEN, 0, &file));
	assert_ntsuccess(write_at(file, "h", 1, 0)); /* may only append */
	assert_ntsuccess(ZwClose(file));
	assert_string_equal(get_file("log"), "aBcdefgh");
}

static void folder_is_neither_read_nor_written(void **state)
{
	char text[8];
	(void)state;
	HANDLE folder = open_it(u"\\??\\Z:\\", READ);
	assert_status(read_at(folder, text, 8, 0), STATUS_INVALID_DEVICE_REQUEST);
	assert_ntsuccess(ZwClose(folder));
	HANDLE whole = open_it(u"\\??\\Z:", READ);
	assert_status(read_at(whole, text, 8, 0), STATUS_INVALID_DEVICE_REQUEST);
	assert_ntsuccess(ZwClose(whole));
}

static void user_memory_that_is_not_there_is_an_access_violation(void **state)
{
	(void)state;
	put_file("file", "0123456789");
	HANDLE file = open_it(u"\\??\\Z:\\file", READ);
	assert_status(read_at(file, (void *)0x10000, 8, 0), STATUS_ACCESS_VIOLATION);
	assert_ntsuccess(ZwClose(file));
}

static void read_into_nothing(void *file)
{
	read_at(*(HANDLE *)file, (void *)0x7E0000000000, 8, 0);
}

static void kernel_memory_that_is_not_there_is_a_bug_check(void **state)
{
	(void)state;
	put_file("file", "0123456789");
	HANDLE file = open_it(u"\\??\\Z:\\file", READ);
	expect_bug_check(0x50, read_into_nothing, &file);
	assert_ntsuccess(ZwClose(file));
}

static void unaligned_transfer_without_buffering_is_invalid(void **state)
{
	HANDLE file;
	char buffer[512];
	(void)state;
	put_file("file", "0123456789");
	assert_ntsuccess(
		create(u"\\??\\Z:\\file", READ, FILE_OPEN, FILE_NO_INTERMEDIATE_BUFFERING, &file));
	assert_status(read_at(file, buffer, 8, 0), STATUS_INVALID_PARAMETER);
	assert_ntsuccess(read_at(file, buffer, 512, 0));
	assert_int_equal(v.result.Information, 10);
	assert_ntsuccess(ZwClose(file));
}

/* ---- Its device --------------------------------------------------------------------------- */

static struct {
	PDEVICE_OBJECT below;
	unsigned seen[IRP_MJ_MAXIMUM_FUNCTION + 1];
} watcher;

static NTSTATUS NTAPI pass_on(PDEVICE_OBJECT device, PIRP irp)
{
	(void)device;
	PIO_STACK_LOCATION here = irp->Tail.CurrentStackLocation;
	watcher.seen[here->MajorFunction]++;
	irp->CurrentLocation++; /* IoSkipCurrentIrpStackLocation */
	irp->Tail.CurrentStackLocation++;
	return IofCallDriver(watcher.below, irp);
}

static void driver_attached_to_the_volume_sees_all_requests(void **state)
{
	UNICODE_STRING name = USTR(u"Watcher"), path = USTR(u"\\??\\Z:\\file");
	OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &path, OBJ_KERNEL_HANDLE};
	FILE_STANDARD_INFORMATION standard;
	PDEVICE_OBJECT device;
	HANDLE file;
	char text[8];
	(void)state;
	put_file("file", "x");
	PDRIVER_OBJECT driver = io_create_driver(&name, &ldr_kernel_image(EXPORT_NTOS)->entry,
						 NULL);
	memset(&watcher, 0, sizeof(watcher));
	for (int i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
		driver->MajorFunction[i] = pass_on;
	assert_ntsuccess(IoCreateDevice(driver, 0, NULL, 7, 0, FALSE, &device));
	io_driver_started(driver);
	assert_ntsuccess(IoAttachDeviceToDeviceStackSafe(device, io_volume(), &watcher.below));
	assert_ptr_equal(watcher.below, io_volume());
	file = open_it(u"\\??\\Z:\\file", READ);
	assert_ntsuccess(read_at(file, text, 1, 0));
	assert_ntsuccess(ZwQueryInformationFile(file, &v.result, &standard, sizeof(standard), 5));
	assert_ntsuccess(ZwClose(file));
	static const UCHAR majors[] = {IRP_MJ_CREATE, IRP_MJ_READ, IRP_MJ_QUERY_INFORMATION,
				       IRP_MJ_CLEANUP, IRP_MJ_CLOSE};
	for (unsigned i = 0; i < sizeof(majors); i++)
		assert_int_equal(watcher.seen[majors[i]], 1);
	/* An open with a hint begins below. */
	assert_ntsuccess(IoCreateFileSpecifyDeviceObjectHint(
		&file, READ, &attributes, &v.result, NULL, 0, SHARE_ALL, FILE_OPEN, SYNCHRONOUS,
		NULL, 0, 0, NULL, 0, io_volume()));
	assert_int_equal(watcher.seen[IRP_MJ_CREATE], 1);
	assert_ntsuccess(ZwClose(file));
	assert_status(IoCreateFileSpecifyDeviceObjectHint(
			      &file, READ, &attributes, &v.result, NULL, 0, SHARE_ALL, FILE_OPEN,
			      SYNCHRONOUS, NULL, 0, 0, NULL, 0, (PDEVICE_OBJECT)(void *)driver),
		      STATUS_INVALID_DEVICE_OBJECT_PARAMETER);
	IoDetachDevice(watcher.below);
	IoDeleteDevice(device);
	io_delete_driver(driver);
}

static void volume_answers_for_its_letter_and_knows_no_control_code(void **state)
{
	UNICODE_STRING name;
	char buffer[8];
	(void)state;
	assert_ntsuccess(IoVolumeDeviceToDosName(io_volume(), &name));
	assert_int_equal(name.Length, 4);
	assert_memory_equal(name.Buffer, u"Z:", 6);
	ExFreePoolWithTag(name.Buffer, 0);
	assert_status(IoVolumeDeviceToDosName(NULL, &name), STATUS_INVALID_PARAMETER);
	HANDLE file = open_it(u"\\??\\Z:\\", READ);
	assert_status(
		ZwFsControlFile(file, NULL, NULL, NULL, &v.result, 0x900a8, NULL, 0, buffer, 8),
		STATUS_INVALID_DEVICE_REQUEST); /* FSCTL_GET_REPARSE_POINT */
	PVOID object;
	ULONG returned = 77;
	assert_ntsuccess(ObReferenceObjectByHandle(file, 0, IoFileObjectType, 0, &object, NULL));
	assert_status(FsRtlKernelFsControlFile(object, 0x900a8, NULL, 0, buffer, 8, &returned),
		      STATUS_INVALID_DEVICE_REQUEST);
	assert_status(
		FsRtlQueryKernelEaFile(object, buffer, 8, TRUE, NULL, 0, NULL, TRUE, &returned),
		STATUS_EAS_NOT_SUPPORTED);
	assert_int_equal(returned, 0);
	assert_status(FsRtlSetKernelEaFile(object, buffer, 8), STATUS_EAS_NOT_SUPPORTED);
	rs_release(object);
	assert_ntsuccess(ZwClose(file));
}

static void open_that_ignores_sharing_is_in_nobodys_way(void **state)
{
	UNICODE_STRING name = USTR(u"\\??\\Z:\\file");
	OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &name, OBJ_KERNEL_HANDLE};
	HANDLE first, ignoring;
	PVOID object;
	(void)state;
	put_file("file", "");
	assert_ntsuccess(create_at(NULL, u"\\??\\Z:\\file", READ, 0, FILE_OPEN, 0, &first));
	assert_status(try_open(u"\\??\\Z:\\file", READ, FILE_OPEN, 0), STATUS_SHARING_VIOLATION);
	assert_ntsuccess(IoCreateFile(&ignoring, READ, &attributes, &v.result, NULL, 0, 0,
				      FILE_OPEN, SYNCHRONOUS, NULL, 0, 0, NULL, 0x0800));
	assert_ntsuccess(
		ObReferenceObjectByHandle(ignoring, 0, IoFileObjectType, 0, &object, NULL));
	assert_true(IoIsFileObjectIgnoringSharing(object));
	rs_release(object);
	assert_ntsuccess(ZwClose(first));
	assert_ntsuccess(try_open(u"\\??\\Z:\\file", READ, FILE_OPEN, 0)); /* it shares nothing */
	assert_ntsuccess(ZwClose(ignoring));
}

static void name_of_a_file_object_is_replaced(void **state)
{
	UNICODE_STRING image = USTR(u"\\image"), first, rest, path = USTR(u"\\one\\two\\three");
	(void)state;
	PFILE_OBJECT file = io_create_image_file(&image);
	assert_ntsuccess(IoReplaceFileObjectName(file, (PWSTR)(uintptr_t)u"\\other", 12));
	assert_int_equal(file->FileName.Length, 12);
	assert_memory_equal(file->FileName.Buffer, u"\\other", 14);
	assert_ntsuccess(IoReplaceFileObjectName(file, (PWSTR)(uintptr_t)u"\\third", 12));
	assert_false(IoIsFileOriginRemote(file));
	rs_release(file);
	FsRtlDissectName(path, &first, &rest);
	assert_int_equal(first.Length, 6);
	assert_memory_equal(first.Buffer, u"one", 6);
	assert_int_equal(rest.Length, 18);
	assert_memory_equal(rest.Buffer, u"two\\three", 18);
	FsRtlDissectName(USTR(u"last"), &first, &rest);
	assert_int_equal(first.Length, 8);
	assert_int_equal(rest.Length, 0);
}

/* ---- Several at once -------------------------------------------------------------------------- */

#define ROUNDS 300

static NTSTATUS use_the_file(void)
{
	char text[8];
	HANDLE file;
	IO_STATUS_BLOCK result;
	UNICODE_STRING name = USTR(u"\\??\\Z:\\Folder\\file");
	OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &name, OBJ_KERNEL_HANDLE};
	NTSTATUS status = ZwOpenFile(&file, READ, &attributes, &result, SHARE_ALL, SYNCHRONOUS);
	if (!NT_SUCCESS(status))
		return status;
	status = ZwReadFile(file, NULL, NULL, NULL, &result, text, 4, NULL, NULL);
	ZwClose(file);
	return NT_SUCCESS(status) && memcmp(text, "text", 4) ? STATUS_UNSUCCESSFUL : status;
}

static void use_it_often(void *argument)
{
	NTSTATUS *status = argument;
	for (unsigned i = 0; i < ROUNDS && NT_SUCCESS(*status); i++)
		*status = use_the_file();
}

static void threads_use_one_file_at_the_same_time(void **state)
{
	struct job jobs[4];
	NTSTATUS status[4] = {0};
	(void)state;
	mkdir(path_of("folder"), 0777);
	put_file("folder/file", "text");
	for (unsigned i = 0; i < 4; i++)
		job_start(&jobs[i], use_it_often, &status[i]);
	for (unsigned i = 0; i < 4; i++)
		job_join(&jobs[i]);
	for (unsigned i = 0; i < 4; i++)
		assert_ntsuccess(status[i]);
}

/* ---- Without memory ------------------------------------------------------------------------------------- */

static void open_fails_cleanly_at_every_allocation(void **state)
{
	(void)state;
	mkdir(path_of("folder"), 0777);
	put_file("folder/file", "");
	NTSTATUS status = STATUS_UNSUCCESSFUL;
	for (unsigned n = 0; !NT_SUCCESS(status); n++) {
		fail_allocation(NULL, n);
		status = try_open(u"\\??\\Z:\\FOLDER\\file", READ, FILE_OPEN, 0);
		if (!stop_failing())
			break;
		if (!NT_SUCCESS(status))
			assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
		status = STATUS_UNSUCCESSFUL;
	}
	assert_ntsuccess(status);
}

static void second_volume_is_refused(void **state)
{
	(void)state;
	assert_int_equal(rs_mount("/", false), -EBUSY);
}

static void folder_that_is_none_cannot_be_mounted(void **state)
{
	(void)state;
	assert_int_equal(rs_mount("/nonexistent", false), -ENOENT);
	assert_int_equal(rs_mount("/etc/passwd", false), -ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		READ_TEST(every_name_of_the_volume_finds_the_file),
		READ_TEST(links_of_the_namespace_say_where_they_lead),
		WORLD_TEST(without_a_volume_there_are_no_files),
		READ_TEST(case_does_not_matter_and_the_exact_name_comes_first),
		READ_TEST(characters_that_nt_forbids_are_in_the_private_area),
		READ_TEST(names_that_no_file_has_are_invalid),
		READ_TEST(missing_file_and_missing_folder_are_told_apart),
		READ_TEST(no_link_leads_out_of_the_root),
		READ_TEST(name_begins_at_an_open_folder),
		READ_TEST(file_object_has_its_name_and_its_dos_name),
		READ_TEST(file_object_of_an_image_is_opened_when_it_is_used),
		READ_TEST(folders_and_files_are_not_taken_for_each_other),
		READ_TEST(what_waits_or_has_effects_is_not_opened),
		WRITE_TEST(each_disposition_does_what_its_page_says),
		WRITE_TEST(folder_is_made),
		WRITE_TEST(options_that_exclude_each_other_are_invalid),
		READ_TEST(volume_that_is_not_writable_refuses_and_reports),
		READ_TEST(handle_that_may_only_read_does_not_write_for_the_kernel_either),
		WRITE_TEST(file_with_the_read_only_attribute_is_left_alone),
		WRITE_TEST(opens_that_do_not_share_exclude_each_other),
		WRITE_TEST(file_is_deleted_when_its_last_handle_closes),
		WRITE_TEST(file_is_deleted_by_name),
		WRITE_TEST(file_that_has_taken_the_name_is_not_deleted),
		READ_TEST(reading_ends_with_the_file),
		WRITE_TEST(writing_goes_where_it_is_told),
		READ_TEST(folder_is_neither_read_nor_written),
		READ_TEST(user_memory_that_is_not_there_is_an_access_violation),
		READ_TEST(kernel_memory_that_is_not_there_is_a_bug_check),
		READ_TEST(unaligned_transfer_without_buffering_is_invalid),
		READ_TEST(driver_attached_to_the_volume_sees_all_requests),
		READ_TEST(volume_answers_for_its_letter_and_knows_no_control_code),
		READ_TEST(open_that_ignores_sharing_is_in_nobodys_way),
		READ_TEST(name_of_a_file_object_is_replaced),
		READ_TEST(threads_use_one_file_at_the_same_time),
		READ_TEST(open_fails_cleanly_at_every_allocation),
		READ_TEST(second_volume_is_refused),
		WORLD_TEST(folder_that_is_none_cannot_be_mounted),
	};
	return cmocka_run_group_tests_name("io: files of the volume", tests, NULL, NULL);
}

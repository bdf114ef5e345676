/* SPDX-License-Identifier: MIT */
/*
 * What is asked about files and folders of the volume, and changed of them. The WDK's pages
 * of ZwQueryInformationFile, ZwSetInformationFile, ZwQueryDirectoryFile and of the
 * structures are the reference.
 */
#include "io/information.h"
#include "io/folder.h"
#include "support/bugcheck.h"
#include <time.h>

KIRQL NTAPI KeRaiseIrqlToDpcLevel(void);
NTSTATUS NTAPI ZwCreateEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess,
			     POBJECT_ATTRIBUTES ObjectAttributes, ULONG EventType,
			     BOOLEAN InitialState);

#define READ FILE_GENERIC_READ
#define CHANGE (FILE_GENERIC_READ | FILE_GENERIC_WRITE | DELETE)

static NTSTATUS query(HANDLE file, ULONG class, void *buffer, ULONG length)
{
	v.result = (IO_STATUS_BLOCK){.Status = -1, .Information = 77};
	return ZwQueryInformationFile(file, &v.result, buffer, length, class);
}

static NTSTATUS set(HANDLE file, ULONG class, const void *buffer, ULONG length)
{
	return ZwSetInformationFile(file, &v.result, (PVOID)(uintptr_t)buffer, length, class);
}

static LONGLONG nt_time(time_t seconds)
{
	return ((LONGLONG)seconds + 11644473600) * 10000000;
}

/* ---- Of files ------------------------------------------------------------------------------- */

static void sizes_times_and_attributes_are_those_of_linux(void **state)
{
	FILE_STANDARD_INFORMATION standard;
	FILE_BASIC_INFORMATION basic;
	FILE_NETWORK_OPEN_INFORMATION network;
	struct timespec times[2] = {{1000000000, 0}, {1234567890, 500}};
	(void)state;
	put_file("file", "0123456789");
	assert_int_equal(utimensat(AT_FDCWD, path_of("file"), times, 0), 0);
	assert_int_equal(chmod(path_of("file"), 0444), 0);
	HANDLE file = open_it(u"\\??\\Z:\\file", READ);
	assert_ntsuccess(query(file, FileStandardInformation, &standard, sizeof(standard)));
	assert_int_equal(v.result.Information, sizeof(standard));
	assert_int_equal(standard.EndOfFile.QuadPart, 10);
	assert_int_equal(standard.NumberOfLinks, 1);
	assert_false(standard.Directory);
	assert_false(standard.DeletePending);
	assert_ntsuccess(query(file, FileBasicInformation, &basic, sizeof(basic)));
	assert_int_equal(basic.LastAccessTime.QuadPart, nt_time(1000000000));
	assert_int_equal(basic.LastWriteTime.QuadPart, nt_time(1234567890) + 5);
	assert_int_equal(basic.FileAttributes, FILE_ATTRIBUTE_ARCHIVE | FILE_ATTRIBUTE_READONLY);
	assert_ntsuccess(query(file, FileNetworkOpenInformation, &network, sizeof(network)));
	assert_int_equal(network.EndOfFile.QuadPart, 10);
	assert_int_equal(network.FileAttributes, basic.FileAttributes);
	assert_ntsuccess(ZwClose(file));
	HANDLE folder = open_it(u"\\??\\Z:\\", READ);
	assert_ntsuccess(query(folder, FileStandardInformation, &standard, sizeof(standard)));
	assert_true(standard.Directory);
	assert_int_equal(standard.EndOfFile.QuadPart, 0);
	assert_ntsuccess(query(folder, FileBasicInformation, &basic, sizeof(basic)));
	assert_int_equal(basic.FileAttributes, FILE_ATTRIBUTE_DIRECTORY);
	assert_ntsuccess(ZwClose(folder));
}

static void name_that_does_not_fit_is_cut(void **state)
{
	union {
		FILE_NAME_INFORMATION head;
		char room[256];
	} name;
	(void)state;
	put_file("LongName", "");
	HANDLE file = open_it(u"\\??\\Z:\\longname", READ);
	assert_ntsuccess(query(file, FileNameInformation, &name, sizeof(name)));
	assert_int_equal(name.head.FileNameLength, 18);
	assert_int_equal(v.result.Information, 4 + 18);
	assert_memory_equal(name.head.FileName, u"\\longname", 18);
	assert_ntsuccess(query(file, FileNormalizedNameInformation, &name, sizeof(name)));
	assert_memory_equal(name.head.FileName, u"\\LongName", 18);
	memset(&name, 0x55, sizeof(name));
	assert_status(query(file, FileNameInformation, &name, 4 + 8), STATUS_BUFFER_OVERFLOW);
	assert_int_equal(name.head.FileNameLength, 18);
	assert_memory_equal(name.head.FileName, u"\\lon", 8);
	assert_int_equal(name.head.FileName[4], 0x5555);
	assert_int_equal(v.result.Information, 4 + 8);
	assert_ntsuccess(ZwClose(file));
}

static void io_manager_knows_rights_mode_and_position(void **state)
{
	ULONG value;
	LONGLONG position;
	char buffer[8];
	union {
		FILE_ALL_INFORMATION head;
		char room[256];
	} all;
	(void)state;
	put_file("file", "0123456789");
	HANDLE file = open_it(u"\\??\\Z:\\file", READ);
	assert_ntsuccess(query(file, FileAccessInformation, &value, 4));
	assert_int_equal(value, READ);
	assert_ntsuccess(query(file, FileModeInformation, &value, 4));
	assert_int_equal(value, FILE_SYNCHRONOUS_IO_NONALERT);
	assert_ntsuccess(read_at(file, buffer, 3, 0));
	assert_ntsuccess(query(file, FilePositionInformation, &position, 8));
	assert_int_equal(position, 3);
	position = 7;
	assert_ntsuccess(set(file, FilePositionInformation, &position, 8));
	assert_ntsuccess(read_at(file, buffer, 1, -1));
	assert_int_equal(buffer[0], '7');
	position = -1;
	assert_status(set(file, FilePositionInformation, &position, 8), STATUS_INVALID_PARAMETER);
	assert_ntsuccess(query(file, FileAllInformation, &all, sizeof(all)));
	assert_int_equal(all.head.AccessFlags, READ);
	assert_int_equal(all.head.CurrentByteOffset.QuadPart, 8);
	assert_int_equal(all.head.StandardInformation.EndOfFile.QuadPart, 10);
	assert_int_equal(all.head.FileNameLength, 10);
	assert_memory_equal(all.head.FileName, u"\\file", 10);
	assert_ntsuccess(ZwClose(file));
}

static void wrong_classes_lengths_and_handles_are_told_apart(void **state)
{
	char buffer[256];
	HANDLE event;
	(void)state;
	put_file("file", "");
	HANDLE file = open_it(u"\\??\\Z:\\file", READ);
	assert_status(query(file, 0, buffer, 256), STATUS_INVALID_INFO_CLASS);
	assert_status(query(file, 9999, buffer, 256), STATUS_INVALID_INFO_CLASS);
	assert_status(query(file, FileDispositionInformation, buffer, 256),
		      STATUS_INVALID_INFO_CLASS);
	assert_status(query(file, FileStandardInformation, buffer, 23),
		      STATUS_INFO_LENGTH_MISMATCH);
	assert_status(query(file, FileNameInformation, buffer, 7), STATUS_INFO_LENGTH_MISMATCH);
	assert_status(query((HANDLE)0x7777, FileStandardInformation, buffer, 256),
		      STATUS_INVALID_HANDLE);
	assert_ntsuccess(ZwCreateEvent(&event, 0x1F0003, NULL, 0, FALSE));
	assert_status(query(event, FileStandardInformation, buffer, 256),
		      STATUS_OBJECT_TYPE_MISMATCH);
	assert_ntsuccess(ZwClose(event));
	assert_ntsuccess(ZwClose(file));
	assert_status(query(file, FileStandardInformation, buffer, 256), STATUS_INVALID_HANDLE);
	assert_status(ZwClose(file), STATUS_INVALID_HANDLE);
}

static void bad_buffers_of_users_are_access_violations(void **state)
{
	FILE_STANDARD_INFORMATION standard;
	(void)state;
	put_file("file", "");
	struct actor actor = actor_start("\\??\\C:\\user.exe");
	rs_become(actor.thread);
	HANDLE file;
	UNICODE_STRING name = USTR(u"\\??\\Z:\\file");
	OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &name, 0};
	assert_ntsuccess(NtOpenFile(&file, READ, &attributes, &v.result, 7, SYNCHRONOUS));
	assert_status(NtQueryInformationFile(file, &v.result, &standard, sizeof(standard),
					     FileStandardInformation),
		      STATUS_ACCESS_VIOLATION); /* kernel memory */
	assert_status(NtQueryInformationFile(file, &v.result, (void *)0x10000, sizeof(standard),
					     FileStandardInformation),
		      STATUS_ACCESS_VIOLATION); /* nothing */
	assert_ntsuccess(NtClose(file));
	rs_become(NULL);
	actor_end(&actor);
}

static void files_are_asked_about_by_name(void **state)
{
	UNICODE_STRING name = USTR(u"\\??\\Z:\\file");
	OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &name, 0};
	FILE_NETWORK_OPEN_INFORMATION network;
	FILE_BASIC_INFORMATION basic;
	(void)state;
	assert_status(ZwQueryFullAttributesFile(&attributes, &network),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	put_file("file", "123");
	assert_ntsuccess(ZwQueryFullAttributesFile(&attributes, &network));
	assert_int_equal(network.EndOfFile.QuadPart, 3);
	assert_ntsuccess(ZwQueryAttributesFile(&attributes, &basic));
	assert_int_equal(basic.FileAttributes, FILE_ATTRIBUTE_ARCHIVE);
}

/* ---- Changes ------------------------------------------------------------------------------------ */

static void end_of_file_is_set(void **state)
{
	LONGLONG size = 4;
	(void)state;
	put_file("file", "0123456789");
	HANDLE file = open_it(u"\\??\\Z:\\file", CHANGE);
	assert_ntsuccess(set(file, FileEndOfFileInformation, &size, 8));
	assert_string_equal(get_file("file"), "0123");
	size = 100;
	assert_ntsuccess(set(file, FileAllocationInformation, &size, 8));
	assert_string_equal(get_file("file"), "0123"); /* room is no content */
	size = 2;
	assert_ntsuccess(set(file, FileAllocationInformation, &size, 8));
	assert_string_equal(get_file("file"), "01");
	size = -1;
	assert_status(set(file, FileEndOfFileInformation, &size, 8), STATUS_INVALID_PARAMETER);
	assert_ntsuccess(ZwClose(file));
}

static void times_and_read_only_are_set(void **state)
{
	FILE_BASIC_INFORMATION to = {.LastWriteTime.QuadPart = nt_time(1234567890),
				     .FileAttributes = FILE_ATTRIBUTE_READONLY},
			       now;
	(void)state;
	put_file("file", "");
	HANDLE file = open_it(u"\\??\\Z:\\file", CHANGE);
	assert_ntsuccess(set(file, FileBasicInformation, &to, sizeof(to)));
	assert_ntsuccess(query(file, FileBasicInformation, &now, sizeof(now)));
	assert_int_equal(now.LastWriteTime.QuadPart, to.LastWriteTime.QuadPart);
	assert_true(now.FileAttributes & FILE_ATTRIBUTE_READONLY);
	to = (FILE_BASIC_INFORMATION){.FileAttributes = FILE_ATTRIBUTE_NORMAL};
	assert_ntsuccess(set(file, FileBasicInformation, &to, sizeof(to)));
	assert_ntsuccess(query(file, FileBasicInformation, &now, sizeof(now)));
	assert_int_equal(now.LastWriteTime.QuadPart, nt_time(1234567890));
	assert_false(now.FileAttributes & FILE_ATTRIBUTE_READONLY);
	assert_ntsuccess(ZwClose(file));
}

static NTSTATUS rename_to(HANDLE file, ULONG class, HANDLE root, const WCHAR *to, bool replace)
{
	union {
		FILE_RENAME_INFORMATION head;
		char room[256];
	} rename = {.head = {.ReplaceIfExists = replace, .RootDirectory = root}};
	UNICODE_STRING name = ustr(to);
	rename.head.FileNameLength = name.Length;
	memcpy((char *)&rename + 20, name.Buffer, name.Length);
	return set(file, class, &rename, sizeof(rename));
}

static void file_is_renamed_beside_itself_anywhere_and_below_a_folder(void **state)
{
	union {
		FILE_NAME_INFORMATION head;
		char room[256];
	} name;
	(void)state;
	mkdir(path_of("folder"), 0777);
	put_file("one", "1");
	put_file("taken", "2");
	HANDLE file = open_it(u"\\??\\Z:\\one", CHANGE),
	       folder = open_it(u"\\??\\Z:\\folder", READ);
	assert_ntsuccess(rename_to(file, FileRenameInformation, NULL, u"two", false));
	assert_string_equal(get_file("two"), "1");
	assert_ntsuccess(rename_to(file, FileRenameInformation, NULL, u"TWO", false));
	assert_true(is_there("TWO"));
	assert_status(rename_to(file, FileRenameInformation, NULL, u"Taken", false),
		      STATUS_OBJECT_NAME_COLLISION);
	assert_ntsuccess(
		rename_to(file, FileRenameInformation, NULL, u"\\??\\C:\\FOLDER\\three", false));
	assert_string_equal(get_file("folder/three"), "1");
	assert_ntsuccess(query(file, FileNameInformation, &name, sizeof(name)));
	assert_memory_equal(name.head.FileName, u"\\folder\\three", 26);
	assert_ntsuccess(rename_to(file, FileRenameInformation, folder, u"four", false));
	assert_ntsuccess(rename_to(file, FileRenameInformationEx, NULL, u"\\??\\C:\\taken", true));
	assert_string_equal(get_file("taken"), "1");
	assert_false(is_there("folder/four"));
	assert_status(rename_to(file, FileRenameInformation, NULL, u"..\\x", false),
		      STATUS_OBJECT_NAME_INVALID);
	assert_status(rename_to(file, FileRenameInformation, NULL, u"\\??\\C:\\none\\x", false),
		      STATUS_OBJECT_PATH_NOT_FOUND);
	assert_ntsuccess(rename_to(file, FileLinkInformation, NULL, u"hard", false));
	assert_string_equal(get_file("hard"), "1");
	assert_true(is_there("taken"));
	assert_ntsuccess(ZwClose(folder));
	assert_ntsuccess(ZwClose(file));
}

static void folder_with_something_open_below_keeps_its_name(void **state)
{
	(void)state;
	mkdir(path_of("folder"), 0777);
	mkdir(path_of("folder/in"), 0777);
	put_file("folder/in/file", "");
	HANDLE folder = open_it(u"\\??\\Z:\\folder", CHANGE),
	       file = open_it(u"\\??\\Z:\\folder\\in\\file", READ),
	       top = open_it(u"\\??\\Z:\\", READ | DELETE);
	assert_status(rename_to(folder, FileRenameInformation, NULL, u"other", false),
		      STATUS_ACCESS_DENIED);
	assert_ntsuccess(ZwClose(file));
	assert_ntsuccess(rename_to(folder, FileRenameInformation, NULL, u"other", false));
	assert_true(is_there("other/in/file"));
	assert_status(rename_to(top, FileRenameInformation, NULL, u"\\??\\Z:\\x", false),
		      STATUS_ACCESS_DENIED);
	assert_ntsuccess(ZwClose(top));
	assert_ntsuccess(ZwClose(folder));
}

static void disposition_deletes_at_the_last_close(void **state)
{
	BOOLEAN yes = TRUE, no = FALSE;
	FILE_STANDARD_INFORMATION standard;
	(void)state;
	mkdir(path_of("folder"), 0777);
	put_file("folder/file", "");
	HANDLE folder = open_it(u"\\??\\Z:\\folder", READ | DELETE);
	assert_status(set(folder, FileDispositionInformation, &yes, 1), STATUS_DIRECTORY_NOT_EMPTY);
	HANDLE file = open_it(u"\\??\\Z:\\folder\\file", READ | DELETE);
	assert_ntsuccess(set(file, FileDispositionInformation, &yes, 1));
	assert_ntsuccess(query(file, FileStandardInformation, &standard, sizeof(standard)));
	assert_true(standard.DeletePending);
	assert_ntsuccess(set(file, FileDispositionInformation, &no, 1));
	assert_ntsuccess(ZwClose(file));
	assert_true(is_there("folder/file"));
	file = open_it(u"\\??\\Z:\\folder\\file", READ | DELETE);
	assert_ntsuccess(set(file, FileDispositionInformation, &yes, 1));
	assert_ntsuccess(ZwClose(file));
	assert_false(is_there("folder/file"));
	assert_ntsuccess(set(folder, FileDispositionInformationEx, &(ULONG){1}, 4));
	assert_ntsuccess(ZwClose(folder));
	assert_false(is_there("folder"));
}

static void nothing_is_changed_below_a_root_that_may_be_read(void **state)
{
	LONGLONG size = 0;
	BOOLEAN yes = TRUE;
	FILE_BASIC_INFORMATION basic = {.FileAttributes = FILE_ATTRIBUTE_READONLY};
	(void)state;
	put_file("file", "kept");
	HANDLE file = open_it(u"\\??\\Z:\\file", READ | FILE_WRITE_ATTRIBUTES);
	assert_status(set(file, FileEndOfFileInformation, &size, 8), STATUS_MEDIA_WRITE_PROTECTED);
	assert_status(set(file, FileDispositionInformation, &yes, 1), STATUS_MEDIA_WRITE_PROTECTED);
	assert_status(set(file, FileBasicInformation, &basic, sizeof(basic)),
		      STATUS_MEDIA_WRITE_PROTECTED);
	assert_status(rename_to(file, FileRenameInformation, NULL, u"new", false),
		      STATUS_MEDIA_WRITE_PROTECTED);
	assert_int_equal(v.refused, 4);
	assert_ntsuccess(ZwClose(file));
	assert_string_equal(get_file("file"), "kept");
}

/* ---- Folders ---------------------------------------------------------------------------------------- */

static NTSTATUS list(HANDLE folder, ULONG class, void *buffer, ULONG length, bool single,
		     const WCHAR *pattern, bool restart)
{
	UNICODE_STRING text = pattern ? ustr(pattern) : (UNICODE_STRING){0};
	v.result = (IO_STATUS_BLOCK){.Status = -1, .Information = 77};
	return ZwQueryDirectoryFile(folder, NULL, NULL, NULL, &v.result, buffer, length, class,
				    single, pattern ? &text : NULL, restart);
}

/* The names of a listing, separated by spaces; `name` and `size` say where an entry has
 * its name and the name's length. */
static const char *names_in(const char *buffer, unsigned name, unsigned size)
{
	static char text[1024];
	char *end = text;
	ULONG next;
	do {
		ULONG length;
		memcpy(&next, buffer, 4);
		memcpy(&length, buffer + size, 4);
		for (unsigned i = 0; i < length / 2; i++)
			*end++ = buffer[name + 2 * i];
		*end++ = ' ';
		buffer += next;
	} while (next);
	end[-1] = 0;
	return text;
}

static void folder_is_listed_in_ntfs_order_in_every_class(void **state)
{
	static const struct {
		ULONG class;
		unsigned name, length;
	} classes[] = {
		{FileDirectoryInformation, 64, 60},        {FileFullDirectoryInformation, 68, 60},
		{FileBothDirectoryInformation, 94, 60},    {FileNamesInformation, 12, 8},
		{FileIdBothDirectoryInformation, 104, 60}, {FileIdFullDirectoryInformation, 80, 60},
	};
	static char buffer[4096] __attribute__((aligned(8)));
	(void)state;
	mkdir(path_of("dir"), 0777);
	put_file("dir/b", "12345");
	put_file("dir/A", "");
	put_file("dir/c.txt", "");
	for (unsigned i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		HANDLE folder = open_it(u"\\??\\Z:\\dir", READ);
		assert_ntsuccess(
			list(folder, classes[i].class, buffer, sizeof(buffer), false, NULL, false));
		assert_string_equal(names_in(buffer, classes[i].name, classes[i].length),
				    ". .. A b c.txt");
		assert_status(
			list(folder, classes[i].class, buffer, sizeof(buffer), false, NULL, false),
			STATUS_NO_MORE_FILES);
		assert_ntsuccess(ZwClose(folder));
	}
	HANDLE top = open_it(u"\\??\\Z:\\", READ); /* has no folder above it */
	assert_ntsuccess(
		list(top, FileNamesInformation, buffer, sizeof(buffer), false, NULL, false));
	assert_string_equal(names_in(buffer, 12, 8), "dir");
	assert_ntsuccess(ZwClose(top));
}

static void entries_come_one_by_one_and_from_the_start_again(void **state)
{
	char buffer[256] __attribute__((aligned(8)));
	(void)state;
	put_file("a", "12345");
	put_file("b", "");
	HANDLE top = open_it(u"\\??\\Z:\\", READ);
	assert_ntsuccess(list(top, FileDirectoryInformation, buffer, 256, true, NULL, false));
	assert_string_equal(names_in(buffer, 64, 60), "a");
	assert_int_equal(*(LONGLONG *)(void *)(buffer + 40), 5);
	assert_ntsuccess(list(top, FileDirectoryInformation, buffer, 256, true, NULL, false));
	assert_string_equal(names_in(buffer, 64, 60), "b");
	put_file("0", "");
	assert_ntsuccess(list(top, FileDirectoryInformation, buffer, 256, true, NULL, true));
	assert_string_equal(names_in(buffer, 64, 60), "0");
	assert_ntsuccess(ZwClose(top));
}

static void pattern_of_the_first_question_selects(void **state)
{
	char buffer[1024] __attribute__((aligned(8)));
	(void)state;
	put_file("one.TXT", "");
	put_file("two.txt", "");
	put_file("three", "");
	HANDLE top = open_it(u"\\??\\Z:\\", READ);
	assert_ntsuccess(list(top, FileNamesInformation, buffer, 1024, false, u"*.txt", false));
	assert_string_equal(names_in(buffer, 12, 8), "one.TXT two.txt");
	assert_ntsuccess(list(top, FileNamesInformation, buffer, 1024, false, u"three", true));
	assert_string_equal(names_in(buffer, 12, 8), "one.TXT two.txt");
	assert_ntsuccess(ZwClose(top));
	top = open_it(u"\\??\\Z:\\", READ);
	assert_status(list(top, FileNamesInformation, buffer, 1024, false, u"none", false),
		      STATUS_NO_SUCH_FILE);
	assert_ntsuccess(ZwClose(top));
}

static void small_buffer_gets_what_fits(void **state)
{
	char buffer[64] __attribute__((aligned(8)));
	(void)state;
	put_file("aaaaaaaa", "");
	put_file("bbbbbbbb", "");
	HANDLE top = open_it(u"\\??\\Z:\\", READ);
	assert_status(list(top, FileNamesInformation, buffer, 11, false, NULL, false),
		      STATUS_INFO_LENGTH_MISMATCH);
	assert_ntsuccess(list(top, FileNamesInformation, buffer, 40, false, NULL, false));
	assert_string_equal(names_in(buffer, 12, 8), "aaaaaaaa");
	assert_int_equal(v.result.Information, 28);
	memset(buffer, 0x55, sizeof(buffer));
	assert_status(list(top, FileNamesInformation, buffer, 16, false, NULL, false),
		      STATUS_BUFFER_OVERFLOW);
	assert_int_equal(v.result.Information, 16);
	assert_int_equal(*(ULONG *)(void *)(buffer + 8), 16); /* what the whole name takes */
	assert_memory_equal(buffer + 12, u"bb", 4);
	assert_int_equal(buffer[16], 0x55);
	assert_ntsuccess(ZwClose(top));
}

static void what_cannot_be_listed_says_why(void **state)
{
	char buffer[256] __attribute__((aligned(8)));
	(void)state;
	put_file("file", "");
	HANDLE file = open_it(u"\\??\\Z:\\file", READ), top = open_it(u"\\??\\Z:\\", READ);
	assert_status(list(file, FileNamesInformation, buffer, 256, false, NULL, false),
		      STATUS_INVALID_PARAMETER);
	assert_status(list(top, FileBasicInformation, buffer, 256, false, NULL, false),
		      STATUS_INVALID_INFO_CLASS);
	assert_status(list(top, FileNamesInformation, (void *)0x10000, 256, false, NULL, false),
		      STATUS_ACCESS_VIOLATION);
	assert_status(list((HANDLE)0x7778, FileNamesInformation, buffer, 256, false, NULL, false),
		      STATUS_INVALID_HANDLE);
	assert_ntsuccess(ZwClose(top));
	assert_ntsuccess(ZwClose(file));
}

/* ---- Without memory ---------------------------------------------------------------------- */

static NTSTATUS list_all(void)
{
	static char buffer[4096] __attribute__((aligned(8)));
	HANDLE top;
	NTSTATUS status = create(u"\\??\\Z:\\", READ, FILE_OPEN, 0, &top);
	if (!NT_SUCCESS(status))
		return status;
	status = list(top, FileDirectoryInformation, buffer, sizeof(buffer), false, u"*", false);
	assert_ntsuccess(ZwClose(top));
	return status;
}

static NTSTATUS rename_there_and_back(void)
{
	HANDLE file;
	const WCHAR *to = is_there("one") ? u"\\??\\Z:\\two" : u"one",
		    *from = is_there("one") ? u"\\??\\Z:\\one" : u"\\??\\Z:\\two";
	NTSTATUS status = create(from, CHANGE, FILE_OPEN, 0, &file);
	if (!NT_SUCCESS(status))
		return status;
	status = rename_to(file, FileRenameInformation, NULL, to, false);
	assert_ntsuccess(ZwClose(file));
	return status;
}

static void questions_fail_cleanly_at_every_allocation(void **state)
{
	NTSTATUS (*const calls[])(void) = {list_all, rename_there_and_back};
	(void)state;
	put_file("one", "");
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned n = 0;; n++) {
			fail_allocation(NULL, n);
			NTSTATUS status = calls[i]();
			if (!stop_failing())
				break;
			if (!NT_SUCCESS(status))
				assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
		}
		assert_ntsuccess(calls[i]());
	}
}

/* ---- The volume -------------------------------------------------------------------------------------- */

static NTSTATUS query_volume(HANDLE file, ULONG class, void *buffer, ULONG length)
{
	return ZwQueryVolumeInformationFile(file, &v.result, buffer, length, class);
}

static void volume_says_how_large_it_is_and_what_it_can_do(void **state)
{
	FILE_FS_SIZE_INFORMATION size;
	FILE_FS_FULL_SIZE_INFORMATION full;
	FILE_FS_DEVICE_INFORMATION device;
	union {
		FILE_FS_ATTRIBUTE_INFORMATION head;
		char room[256];
	} attributes;
	FILE_FS_VOLUME_INFORMATION name;
	(void)state;
	HANDLE whole = open_it(u"\\??\\C:", FILE_READ_ATTRIBUTES);
	assert_ntsuccess(query_volume(whole, FileFsSizeInformation, &size, sizeof(size)));
	assert_true(size.TotalAllocationUnits.QuadPart > 0);
	assert_true(size.AvailableAllocationUnits.QuadPart <= size.TotalAllocationUnits.QuadPart);
	assert_int_equal(size.BytesPerSector, 512);
	assert_ntsuccess(query_volume(whole, FileFsFullSizeInformation, &full, sizeof(full)));
	assert_int_equal(full.TotalAllocationUnits.QuadPart, size.TotalAllocationUnits.QuadPart);
	assert_ntsuccess(query_volume(whole, FileFsDeviceInformation, &device, sizeof(device)));
	assert_int_equal(device.DeviceType, 7);
	assert_ntsuccess(
		query_volume(whole, FileFsAttributeInformation, &attributes, sizeof(attributes)));
	assert_int_equal(attributes.head.FileSystemNameLength, 8);
	assert_memory_equal(attributes.head.FileSystemName, u"NTFS", 8);
	assert_true(attributes.head.FileSystemAttributes & 0x80000); /* read-only */
	assert_ntsuccess(query_volume(whole, FileFsVolumeInformation, &name, sizeof(name)));
	assert_int_equal(name.VolumeLabelLength, 0);
	assert_status(query_volume(whole, FileFsSizeInformation, &size, 8),
		      STATUS_INFO_LENGTH_MISMATCH);
	assert_status(query_volume(whole, 99, &size, sizeof(size)), STATUS_INVALID_INFO_CLASS);
	assert_status(query(whole, FileStandardInformation, &full, sizeof(full)),
		      STATUS_INVALID_PARAMETER);
	assert_ntsuccess(ZwClose(whole));
}

/* The thunk refuses before it looks at an argument. */
static void raise_and_call(void *name)
{
	NTSTATUS(NTAPI * call)(void) = (NTSTATUS(NTAPI *)(void))export_of(name);
	KeRaiseIrqlToDpcLevel();
	call();
}

static void questions_are_asked_at_passive_level(void **state)
{
	static const char *const names[] = {
		"ZwQueryInformationFile", "ZwSetInformationFile",
		"ZwQueryDirectoryFile",   "ZwQueryVolumeInformationFile",
		"ZwDeleteFile",           "ZwQueryFullAttributesFile"};
	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		expect_bug_check(0xC4, raise_and_call, (void *)(uintptr_t)names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		READ_TEST(sizes_times_and_attributes_are_those_of_linux),
		READ_TEST(name_that_does_not_fit_is_cut),
		READ_TEST(io_manager_knows_rights_mode_and_position),
		READ_TEST(wrong_classes_lengths_and_handles_are_told_apart),
		READ_TEST(bad_buffers_of_users_are_access_violations),
		READ_TEST(files_are_asked_about_by_name),
		WRITE_TEST(end_of_file_is_set),
		WRITE_TEST(times_and_read_only_are_set),
		WRITE_TEST(file_is_renamed_beside_itself_anywhere_and_below_a_folder),
		WRITE_TEST(folder_with_something_open_below_keeps_its_name),
		WRITE_TEST(disposition_deletes_at_the_last_close),
		READ_TEST(nothing_is_changed_below_a_root_that_may_be_read),
		READ_TEST(folder_is_listed_in_ntfs_order_in_every_class),
		READ_TEST(entries_come_one_by_one_and_from_the_start_again),
		READ_TEST(pattern_of_the_first_question_selects),
		READ_TEST(small_buffer_gets_what_fits),
		READ_TEST(what_cannot_be_listed_says_why),
		WRITE_TEST(questions_fail_cleanly_at_every_allocation),
		READ_TEST(volume_says_how_large_it_is_and_what_it_can_do),
		READ_TEST(questions_are_asked_at_passive_level),
	};
	return cmocka_run_group_tests_name("io: information about files", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Names of files, and their parts. */
#include "filters.h"
#include "flt/name.h"
#include "ob/object.h"
#include "ps/file.h"
#include "support/bugcheck.h"

static FILE_OBJECT *file;

static int begin(void **state)
{
	UNICODE_STRING name = USTR(u"\\Device\\HarddiskVolume1\\usr\\lib\\some.lib.so");
	world_documented(state);
	file = ps_create_file_object(&name);
	assert_non_null(file);
	return 0;
}

static int end(void **state)
{
	ob_dereference(file);
	return world_end(state);
}

#define FLT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void assert_text(const UNICODE_STRING *text, const char *expected)
{
	char ascii[256];
	assert_true(text->Length < 2 * sizeof(ascii));
	for (unsigned i = 0; i < text->Length / 2u; i++)
		ascii[i] = (char)text->Buffer[i];
	ascii[text->Length / 2] = 0;
	assert_string_equal(ascii, expected);
}

static PFLT_FILE_NAME_INFORMATION query(ULONG format)
{
	PFLT_FILE_NAME_INFORMATION info;
	assert_ntsuccess(FLT(FltGetFileNameInformationUnsafe)(
		file, NULL, format | FLT_FILE_NAME_QUERY_DEFAULT, &info));
	return info;
}

static void name_of_a_file_has_its_volume(void **state)
{
	(void)state;
	PFLT_FILE_NAME_INFORMATION info = query(FLT_FILE_NAME_NORMALIZED);
	assert_int_equal(info->Size, 120);
	assert_int_equal(info->Format, FLT_FILE_NAME_NORMALIZED);
	assert_int_equal(info->NamesParsed, 0);
	assert_text(&info->Name, "\\Device\\HarddiskVolume1\\usr\\lib\\some.lib.so");
	assert_text(&info->Volume, "\\Device\\HarddiskVolume1");
	FLT(FltReferenceFileNameInformation)(info);
	FLT(FltReleaseFileNameInformation)(info);
	FLT(FltReleaseFileNameInformation)(info);
}

static void name_is_parsed_into_its_parts(void **state)
{
	(void)state;
	PFLT_FILE_NAME_INFORMATION info = query(FLT_FILE_NAME_OPENED);
	assert_ntsuccess(FLT(FltParseFileNameInformation)(info));
	assert_int_equal(info->NamesParsed, 15);
	assert_text(&info->Extension, "so");
	assert_text(&info->FinalComponent, "some.lib.so");
	assert_text(&info->ParentDir, "\\usr\\lib\\");
	assert_int_equal(info->Stream.Length, 0);
	assert_int_equal(info->Share.Length, 0);
	FLT(FltReleaseFileNameInformation)(info);
}

static void streams_and_odd_names_are_parsed(void **state)
{
	(void)state;
	static const struct {
		UNICODE_STRING name;
		const char *extension, *stream, *final;
	} rows[] = {
		{USTR_INIT(u"\\a\\TestRe~1.txt:stream1:$DATA"), "txt", ":stream1:$DATA",
		 "TestRe~1.txt:stream1:$DATA"},
		{USTR_INIT(u"TestRe~1.txt"), "txt", "", "TestRe~1.txt"},
		{USTR_INIT(u"\\a.b\\plain"), "", "", "plain"},
		{USTR_INIT(u"\\a\\dot."), "", "", "dot."},
		{USTR_INIT(u"\\a\\"), "", "", ""},
		{USTR_INIT(u"\\a\\x:s.t"), "", ":s.t", "x:s.t"},
		{{0}, "", "", ""},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		UNICODE_STRING extension, stream, final;
		assert_ntsuccess(FLT(FltParseFileName)(&rows[i].name, &extension, &stream, &final));
		assert_text(&extension, rows[i].extension);
		assert_text(&stream, rows[i].stream);
		assert_text(&final, rows[i].final);
	}
}

static void short_name_is_that_of_a_short_file_alone(void **state)
{
	(void)state;
	PFLT_FILE_NAME_INFORMATION info;
	UNICODE_STRING name = USTR(u"\\Device\\HarddiskVolume1\\bin\\true.exe");
	assert_status(FLT(FltGetFileNameInformationUnsafe)(file, NULL, FLT_FILE_NAME_SHORT | 0x100,
							   &info),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	ob_dereference(file);
	file = ps_create_file_object(&name);
	info = query(FLT_FILE_NAME_SHORT);
	assert_text(&info->Name, "true.exe");
	assert_int_equal(info->Volume.Length, 0);
	FLT(FltReleaseFileNameInformation)(info);
}

static void unknown_format_is_invalid_parameter(void **state)
{
	(void)state;
	PFLT_FILE_NAME_INFORMATION info;
	assert_status(FLT(FltGetFileNameInformationUnsafe)(file, NULL, 4, &info),
		      STATUS_INVALID_PARAMETER);
	assert_status(FLT(FltGetFileNameInformationUnsafe)(file, NULL, 0x501, &info),
		      STATUS_INVALID_PARAMETER);
	assert_status(FLT(FltGetFileNameInformation)(NULL, 0x101, &info), STATUS_INVALID_PARAMETER);
	fail_allocation("ex/pool.c", 0);
	assert_status(FLT(FltGetFileNameInformationUnsafe)(file, NULL, 0x101, &info),
		      STATUS_INSUFFICIENT_RESOURCES);
	assert_int_equal(stop_failing(), 1);
}

static void release_twice(void *unused)
{
	(void)unused;
	PFLT_FILE_NAME_INFORMATION info = query(FLT_FILE_NAME_OPENED);
	FLT(FltReleaseFileNameInformation)(info);
	FLT(FltReleaseFileNameInformation)(info);
}

static void name_released_twice_is_bug_check_f5(void **state)
{
	(void)state;
	assert_int_equal(expect_bug_check(0xF5, release_twice, NULL)->parameter[0], 0x68);
}

static struct _FLT_INSTANCE *some_instance(struct minifilter *m)
{
	static const FLT_REGISTRATION registration = {.Size = sizeof(registration),
						      .Version = FLT_REGISTRATION_VERSION_0203};
	PFLT_INSTANCE instance;
	make_minifilter(m, "one", "370000");
	assert_ntsuccess(register_filter(m, &registration));
	assert_ntsuccess(FLT(FltStartFiltering)(m->filter));
	assert_ntsuccess(FLT(FltGetTopInstance)(the_volume(), &instance));
	FLT(FltObjectDereference)(instance);
	return instance;
}

static void destination_is_beside_the_file(void **state)
{
	(void)state;
	struct minifilter m;
	PFLT_FILE_NAME_INFORMATION info;
	PFLT_INSTANCE instance = some_instance(&m);
	WCHAR to[] = u"new.txt";
	assert_ntsuccess(FLT(FltGetDestinationFileNameInformation)(instance, file, NULL, to, 14,
								   0x101, &info));
	assert_text(&info->Name, "\\Device\\HarddiskVolume1\\usr\\lib\\new.txt");
	FLT(FltReleaseFileNameInformation)(info);
	drop_minifilter(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLT_TEST(name_of_a_file_has_its_volume),
		FLT_TEST(name_is_parsed_into_its_parts),
		FLT_TEST(streams_and_odd_names_are_parsed),
		FLT_TEST(short_name_is_that_of_a_short_file_alone),
		FLT_TEST(unknown_format_is_invalid_parameter),
		FLT_TEST(name_released_twice_is_bug_check_f5),
		FLT_TEST(destination_is_beside_the_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Descriptions of events as TraceLoggingProvider.h lays them out, and damaged ones. */
#include "etw/decode.h"
#include "support/world.h"
#include <stdlib.h>
#include <string.h>

/* A description or a payload, while it is put together. */
struct blob {
	UCHAR bytes[512];
	size_t size;
};

static struct blob meta, data;
static struct etw_decoded *decoded;

static void add(struct blob *blob, const void *bytes, size_t size)
{
	assert_true(blob->size + size <= sizeof(blob->bytes));
	memcpy(blob->bytes + blob->size, bytes, size);
	blob->size += size;
}

static void add_u8(struct blob *blob, unsigned value)
{
	add(blob, &(UCHAR){(UCHAR)value}, 1);
}

static void add_u16(struct blob *blob, unsigned value)
{
	add(blob, &(USHORT){(USHORT)value}, 2);
}

static void add_string(struct blob *blob, const char *text)
{
	add(blob, text, strlen(text) + 1);
}

#define ADD(blob, literal) add(blob, literal, sizeof(literal) - 1)

/* in: with its array bits; out: 0 for none. */
static void add_field(const char *name, unsigned in, unsigned out)
{
	add_string(&meta, name);
	add_u8(&meta, out ? in | 0x80 : in);
	if (out)
		add_u8(&meta, out);
}

static int begin(void **state)
{
	(void)state;
	meta.size = data.size = 0;
	add_u16(&meta, 0);
	add_u8(&meta, 0);
	add_string(&meta, "Event");
	decoded = malloc(sizeof(*decoded));
	return decoded ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	free(decoded);
	return 0;
}

/* From heap copies of the exact size, where a sanitizer sees one byte too many. */
static bool decode(void)
{
	static UCHAR *description, *payload;
	meta.bytes[0] = (UCHAR)meta.size;
	meta.bytes[1] = (UCHAR)(meta.size >> 8);
	free(description);
	free(payload);
	description = memcpy(malloc(meta.size + 1), meta.bytes, meta.size);
	payload = memcpy(malloc(data.size + 1), data.bytes, data.size);
	return etw_decode(description, meta.size, payload, data.size, decoded);
}

static void expect(unsigned index, const char *name, const char *value)
{
	assert_true(index < decoded->count);
	assert_string_equal(decoded->field[index].name, name);
	assert_string_equal(decoded->field[index].value, value);
}

/* One field alone, and its value. */
static void expect_alone(unsigned in, unsigned out, const void *bytes, size_t size,
			 const char *value)
{
	begin(NULL);
	add_field("x", in, out);
	add(&data, bytes, size);
	assert_true(decode());
	expect(0, "x", value);
	end(NULL);
}

#define EXPECT(in, out, literal, value) expect_alone(in, out, literal, sizeof(literal) - 1, value)

static void an_event_without_fields_has_a_name(void **state)
{
	(void)state;
	assert_true(decode());
	assert_string_equal(decoded->name, "Event");
	assert_int_equal(decoded->count, 0);
}

static void integers_have_their_sign_and_the_form_that_is_asked_for(void **state)
{
	(void)state;
	end(NULL);
	EXPECT(ETW_IN_INT8, 0, "\xff", "-1");
	EXPECT(ETW_IN_UINT8, 0, "\xff", "255");
	EXPECT(ETW_IN_INT16, 0, "\x00\x80", "-32768");
	EXPECT(ETW_IN_UINT16, 7, "\x01\xbb", "443");
	EXPECT(ETW_IN_INT32, 0, "\xfe\xff\xff\xff", "-2");
	EXPECT(ETW_IN_INT32, 18, "\xfe\xff\xff\xff", "4294967294");
	EXPECT(ETW_IN_UINT32, 17, "\xfe\xff\xff\xff", "-2");
	EXPECT(ETW_IN_UINT32, 4, "\xfe\xff\xff\xff", "0xfffffffe");
	EXPECT(ETW_IN_UINT32, 8, "\x7f\0\0\1", "127.0.0.1");
	EXPECT(ETW_IN_UINT32, 14, "\x22\0\0\xc0", "STATUS_ACCESS_DENIED");
	EXPECT(ETW_IN_UINT32, 14, "\x34\x12\0\xe0", "0xE0001234");
	EXPECT(ETW_IN_UINT8, 3, "\1", "true");
	EXPECT(ETW_IN_INT64, 0, "\0\0\0\0\0\0\0\x80", "-9223372036854775808");
	EXPECT(ETW_IN_UINT64, 0, "\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615");
	EXPECT(ETW_IN_HEX32, 0, "\x10\0\0\0", "0x10");
	EXPECT(ETW_IN_HEX64, 37, "\x10\0\0\0\0\0\0\0", "0x10");
	begin(NULL);
}

static void other_values_are_as_people_write_them(void **state)
{
	(void)state;
	end(NULL);
	EXPECT(ETW_IN_FLOAT, 0, "\0\0\xc0\x3f", "1.5");
	EXPECT(ETW_IN_DOUBLE, 0, "\0\0\0\0\0\0\xf8\xbf", "-1.5");
	EXPECT(ETW_IN_BOOL32, 0, "\2\0\0\0", "true");
	EXPECT(ETW_IN_GUID, 0, "\1\0\0\0\2\0\3\0\4\5\6\7\10\11\12\13",
	       "{00000001-0002-0003-0405-060708090A0B}");
	EXPECT(ETW_IN_FILETIME, 0, "\1\x80\x3e\xd5\xde\xb1\x9d\1", "1970-01-01T00:00:00.0000001Z");
	EXPECT(ETW_IN_SYSTEMTIME, 0, "\xea\7\2\0\1\0\3\0\4\0\5\0\6\0\7\0",
	       "2026-02-03T04:05:06.007");
	EXPECT(ETW_IN_SID, 0, "\1\2\0\0\0\0\0\5\x20\0\0\0\x20\2\0\0", "S-1-5-32-544");
	EXPECT(ETW_IN_BINARY, 0, "\3\0\1\2\xff", "0102ff");
	EXPECT(ETW_IN_BINARY, 9, "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", "::1");
	EXPECT(ETW_IN_COUNTED_BINARY, 0, "\0\0", "");
	EXPECT(ETW_IN_NULL, 0, "", "null");
	begin(NULL);
}

static void strings_end_in_nul_or_with_the_payload_or_are_counted(void **state)
{
	(void)state;
	end(NULL);
	EXPECT(ETW_IN_UNICODE, 0, "a\0\xac\x20\0\0", "a€");
	EXPECT(ETW_IN_UNICODE, 0, "a\0b\0", "ab");
	EXPECT(ETW_IN_UNICODE, 0, "\x3d\xd8\x00\xde\0\0", "😀");
	EXPECT(ETW_IN_UNICODE, 0, "\x3d\xd8", "\uFFFD");
	EXPECT(ETW_IN_UNICODE, 0, "a\0b", "a");
	EXPECT(ETW_IN_ANSI, 0, "ab\xff\0", "ab\uFFFD");
	EXPECT(ETW_IN_ANSI, 0, "ab", "ab");
	EXPECT(ETW_IN_COUNTED_UNICODE, 0, "\4\0a\0b\0", "ab");
	EXPECT(ETW_IN_COUNTED_ANSI, 35, "\2\0ab", "ab");
	EXPECT(ETW_IN_INT8, 2, "a", "a");
	begin(NULL);
}

static void arrays_have_brackets_and_characters_are_text(void **state)
{
	(void)state;
	add_field("Constant", ETW_IN_UINT16 | 0x20, 0);
	add_u16(&meta, 2);
	add_field("Variable", ETW_IN_UINT8 | 0x40, 0);
	add_field("Text", ETW_IN_INT8 | 0x40, 2);
	add_field("Own", 0x60, 0);
	add_u16(&meta, 3);
	ADD(&meta, "xyz");
	ADD(&data, "\1\0\2\0"
		   "\3\0\7\x8\x9"
		   "\2\0hi"
		   "\1\0\xee");
	assert_true(decode());
	expect(0, "Constant", "[1, 2]");
	expect(1, "Variable", "[7, 8, 9]");
	expect(2, "Text", "hi");
	expect(3, "Own", "ee");
	assert_false(decoded->field[1].is_number);
}

static void structures_are_part_of_the_names(void **state)
{
	(void)state;
	add_field("One", ETW_IN_STRUCT, 2);
	add_field("a", ETW_IN_UINT8, 0);
	add_field("Inner", ETW_IN_STRUCT, 1);
	add_field("b", ETW_IN_UINT8, 0);
	add_field("Many", ETW_IN_STRUCT | 0x40, 1);
	add_field("c", ETW_IN_UINT8, 0);
	add_field("None", ETW_IN_STRUCT | 0x40, 1);
	add_field("d", ETW_IN_UINT8 | 0x40, 0);
	add_field("last", ETW_IN_UINT8, 0);
	ADD(&data, "\1\2\2\0\3\4\0\0\5");
	assert_true(decode());
	assert_int_equal(decoded->count, 5);
	expect(0, "One.a", "1");
	expect(1, "One.Inner.b", "2");
	expect(2, "Many[0].c", "3");
	expect(3, "Many[1].c", "4");
	expect(4, "last", "5");
	assert_true(decoded->field[4].is_number);
}

static void tags_are_passed_over(void **state)
{
	(void)state;
	meta.size = 2;
	ADD(&meta, "\x81\x82\x03");
	add_string(&meta, "Event");
	add_string(&meta, "x");
	ADD(&meta, "\x84\x81\xff\x01");
	ADD(&data, "\5");
	assert_true(decode());
	expect(0, "x", "5");
}

/* Every prefix of a description, with the size it says changed or not, and every prefix of
 * its payload. */
static void what_is_cut_off_is_refused(void **state)
{
	(void)state;
	add_field("Variable", ETW_IN_COUNTED_UNICODE | 0x40, 2);
	add_field("Sid", ETW_IN_SID, 0);
	add_field("Guid", ETW_IN_GUID, 0);
	ADD(&data, "\1\0\2\0a\0"
		   "\1\1\0\0\0\0\0\5\1\0\0\0"
		   "0123456789abcdef");
	assert_true(decode());
	size_t whole = data.size;
	while (data.size--)
		assert_false(decode());
	data.size = whole;
	assert_true(decode());
	while (meta.size-- > 2)
		assert_false(decode());
}

static void what_is_left_over_is_refused(void **state)
{
	(void)state;
	add_field("x", ETW_IN_UINT8, 0);
	ADD(&data, "\1\2");
	assert_false(decode());
	data.size = 1;
	assert_true(decode());
	assert_false(etw_decode(meta.bytes, meta.size - 1, data.bytes, 1, decoded));
	assert_false(etw_decode(NULL, 0, NULL, 0, decoded));
}

static void a_type_that_nobody_knows_is_refused(void **state)
{
	(void)state;
	add_field("x", 26, 0);
	assert_false(decode());
}

/* An array of arrays of empty structures would cost 65535 to the power of the depth. */
static void empty_structures_cost_bounded_time(void **state)
{
	(void)state;
	for (unsigned depth = 0; depth < 7; depth++) {
		add_field("x", ETW_IN_STRUCT | 0x20, 1);
		meta.bytes[meta.size - 1] = 1;
		add_u16(&meta, 65535);
	}
	assert_false(decode());
}

static void nesting_has_an_end(void **state)
{
	(void)state;
	for (unsigned depth = 0; depth < 40; depth++)
		add_field("x", ETW_IN_STRUCT, 1);
	add_field("x", ETW_IN_UINT8, 0);
	ADD(&data, "\1");
	assert_false(decode());
}

static void more_text_or_fields_than_there_is_room_for_is_refused(void **state)
{
	(void)state;
	add_field("x", ETW_IN_NULL | 0x20, 0);
	add_u16(&meta, 65535);
	assert_false(decode());
	end(NULL);
	begin(NULL);
	add_field("x", ETW_IN_STRUCT | 0x40, 1);
	add_field("y", ETW_IN_NULL, 0);
	add_u16(&data, ETW_MAX_FIELDS);
	assert_true(decode());
	assert_int_equal(decoded->count, ETW_MAX_FIELDS);
	data.bytes[0]++;
	assert_false(decode());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_without_fields_has_a_name),
		TEST(integers_have_their_sign_and_the_form_that_is_asked_for),
		TEST(other_values_are_as_people_write_them),
		TEST(strings_end_in_nul_or_with_the_payload_or_are_counted),
		TEST(arrays_have_brackets_and_characters_are_text),
		TEST(structures_are_part_of_the_names),
		TEST(tags_are_passed_over),
		TEST(what_is_cut_off_is_refused),
		TEST(what_is_left_over_is_refused),
		TEST(a_type_that_nobody_knows_is_refused),
		TEST(empty_structures_cost_bounded_time),
		TEST(nesting_has_an_end),
		TEST(more_text_or_fields_than_there_is_room_for_is_refused),
	};
	return cmocka_run_group_tests_name("etw/decode", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Trace providers that somebody asked for, and what they write. */
#include "etw/provider.h"
#include "memory.h"
#include "support/bugcheck.h"
#include "support/world.h"
#include <ringside/event.h>
#include <string.h>
#include <sys/mman.h>

static const GUID id = {1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};
static const char id_text[] = "00000001-0002-0003-0405-060708090a0b";
static const EVENT_DESCRIPTOR descriptor = {
	.Id = 7, .Version = 1, .Channel = 16, .Level = 4, .Opcode = 2, .Task = 3, .Keyword = 5};

/* As a driver gets it, IRQL check included. */
#define CALL(name, ...) ((__typeof__(&name))rs_find_export("ntoskrnl.exe", #name))(__VA_ARGS__)

/* The events that were told, and the last of them. */
static struct {
	unsigned count;
	struct rs_event last;
	char provider_name[64], name[64], field[64], value[64], data[64];
	GUID activity, related;
} heard;

static void keep(char to[64], const char *text)
{
	strcpy(to, "");
	if (text)
		strncat(to, text, 63);
}

static void hear(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type != RS_TRACE)
		return;
	heard.count++;
	heard.last = *event;
	keep(heard.provider_name, event->trace.provider_name);
	keep(heard.name, event->trace.name);
	if (event->trace.field_count) {
		keep(heard.field, event->trace.fields[0].name);
		keep(heard.value, event->trace.fields[0].value);
	}
	if (event->trace.size && event->trace.size <= sizeof(heard.data))
		memcpy(heard.data, event->trace.data, event->trace.size);
	if (event->trace.activity)
		heard.activity = *event->trace.activity;
	if (event->trace.related)
		heard.related = *event->trace.related;
}

static struct {
	unsigned count;
	KIRQL irql;
	ULONG code;
	UCHAR level;
	ULONGLONG any, all;
	PVOID context;
} enabled;

static VOID NTAPI on_enable(const GUID *source, ULONG code, UCHAR level, ULONGLONG any,
			    ULONGLONG all, PVOID filter, PVOID context)
{
	assert_non_null(source);
	assert_null(filter);
	enabled.count++;
	enabled.irql = ((KIRQL(NTAPI *)(void))export_of("KeGetCurrentIrql"))();
	enabled.code = code;
	enabled.level = level;
	enabled.any = any;
	enabled.all = all;
	enabled.context = context;
}

static REGHANDLE begin(const char *which)
{
	REGHANDLE handle = 0;
	memset(&heard, 0, sizeof(heard));
	memset(&enabled, 0, sizeof(enabled));
	assert_int_equal(rs_listen(hear, NULL), 0);
	assert_int_equal(rs_trace(which), 0);
	assert_ntsuccess(CALL(EtwRegister, &id, on_enable, &heard, &handle));
	return handle;
}

static void end(REGHANDLE handle)
{
	assert_ntsuccess(CALL(EtwUnregister, handle));
	rs_unlisten(hear, NULL);
}

static void set_traits(REGHANDLE handle)
{
	UCHAR traits[] = {7, 0, 'M', 'i', 'n', 'e', 0};
	assert_ntsuccess(
		CALL(EtwSetInformation, handle, EventProviderSetTraits, traits, sizeof(traits)));
}

static EVENT_DATA_DESCRIPTOR piece(const void *bytes, size_t size, UCHAR type)
{
	return (EVENT_DATA_DESCRIPTOR){.Ptr = (uintptr_t)bytes, .Size = (ULONG)size, .Type = type};
}

static void the_callback_hears_that_everything_is_wanted(void **state)
{
	(void)state;
	REGHANDLE handle = begin(NULL);
	assert_int_equal(enabled.count, 1);
	assert_int_equal(enabled.code, EVENT_CONTROL_CODE_ENABLE_PROVIDER);
	assert_int_equal(enabled.irql, PASSIVE_LEVEL);
	assert_int_equal(enabled.level, 0xFF);
	assert_true(enabled.any == ~0ull && enabled.all == 0);
	assert_ptr_equal(enabled.context, &heard);
	assert_true(CALL(EtwProviderEnabled, handle, 255, 1ull << 63));
	assert_true(CALL(EtwEventEnabled, handle, &descriptor));
	assert_false(CALL(EtwProviderEnabled, handle + 1, 0, 0));
	end(handle);
	assert_false(CALL(EtwProviderEnabled, handle, 0, 0));
}

static void an_event_has_its_descriptor_and_pieces_in_order(void **state)
{
	(void)state;
	REGHANDLE handle = begin(id_text);
	GUID other = {9, 0, 0, {0}};
	EVENT_DATA_DESCRIPTOR data[] = {piece("ab", 2, 0), piece(NULL, 0, 0), piece("cd", 3, 0)};
	assert_ntsuccess(CALL(EtwWriteTransfer, handle, &descriptor, &id, &other, 3, data));
	assert_int_equal(heard.count, 1);
	assert_memory_equal(&heard.last.trace.provider, &id, sizeof(id));
	assert_null(heard.last.trace.provider_name);
	assert_null(heard.last.trace.name);
	assert_int_equal(heard.last.trace.id, 7);
	assert_int_equal(heard.last.trace.version, 1);
	assert_int_equal(heard.last.trace.channel, 16);
	assert_int_equal(heard.last.trace.level, 4);
	assert_int_equal(heard.last.trace.opcode, 2);
	assert_int_equal(heard.last.trace.task, 3);
	assert_int_equal(heard.last.trace.keyword, 5);
	assert_int_equal(heard.last.trace.size, 5);
	assert_string_equal(heard.data, "abcd");
	assert_memory_equal(&heard.activity, &id, sizeof(id));
	assert_memory_equal(&heard.related, &other, sizeof(id));
	assert_non_null(heard.last.trace.module);
	end(handle);
}

static void a_string_is_an_event_with_level_and_keyword(void **state)
{
	(void)state;
	REGHANDLE handle = begin(NULL);
	assert_ntsuccess(CALL(EtwWriteString, handle, 3, 9, NULL, u"text"));
	assert_int_equal(heard.last.trace.level, 3);
	assert_int_equal(heard.last.trace.keyword, 9);
	assert_int_equal(heard.last.trace.size, 10);
	assert_memory_equal(heard.data, u"text", 10);
	end(handle);
}

static void a_provider_asked_for_by_name_is_enabled_when_it_says_it(void **state)
{
	(void)state;
	REGHANDLE handle = begin("mine");
	assert_int_equal(enabled.count, 0);
	assert_ntsuccess(CALL(EtwWrite, handle, &descriptor, NULL, 0, NULL));
	assert_int_equal(heard.count, 0);
	set_traits(handle);
	set_traits(handle);
	assert_int_equal(enabled.count, 1);
	assert_ntsuccess(CALL(EtwWrite, handle, &descriptor, NULL, 0, NULL));
	assert_string_equal(heard.provider_name, "Mine");
	end(handle);
}

static void any_other_provider_stays_off(void **state)
{
	(void)state;
	REGHANDLE handle = begin("00000001-0002-0003-0405-060708090a0");
	set_traits(handle);
	assert_int_equal(enabled.count, 0);
	assert_false(CALL(EtwProviderEnabled, handle, 0, 0));
	end(handle);
}

/* Size; no tags; "E"; "x", UINT8. */
static const UCHAR metadata[] = {8, 0, 0, 'E', 0, 'x', 0, 4};

/* EVENT_INFO_CLASS: older drivers leave the field uninitialised. */
static void types_of_pieces_count_once_the_provider_says_so(void **state)
{
	(void)state;
	BOOLEAN yes = TRUE;
	REGHANDLE handle = begin(NULL);
	EVENT_DATA_DESCRIPTOR data[] = {piece(metadata, sizeof(metadata), 1), piece("\5", 1, 0)};
	assert_ntsuccess(CALL(EtwWrite, handle, &descriptor, NULL, 2, data));
	assert_string_equal(heard.name, "");
	assert_int_equal(heard.last.trace.size, 9);
	assert_status(CALL(EtwSetInformation, handle, EventProviderUseDescriptorType, &yes, 0),
		      STATUS_INVALID_PARAMETER);
	assert_ntsuccess(CALL(EtwSetInformation, handle, EventProviderUseDescriptorType, &yes, 1));
	assert_ntsuccess(CALL(EtwWrite, handle, &descriptor, NULL, 2, data));
	assert_string_equal(heard.name, "E");
	assert_string_equal(heard.field, "x");
	assert_string_equal(heard.value, "5");
	assert_int_equal(heard.last.trace.size, 1);
	end(handle);
}

static void an_events_own_provider_description_has_the_name(void **state)
{
	(void)state;
	static const UCHAR provider[] = {5, 0, 'O', 'n', 0};
	REGHANDLE handle = begin(NULL);
	set_traits(handle);
	EVENT_DATA_DESCRIPTOR data = piece(provider, sizeof(provider), 2);
	assert_ntsuccess(CALL(EtwWrite, handle, &descriptor, NULL, 1, &data));
	assert_string_equal(heard.provider_name, "On");
	data.Size = 4;
	assert_ntsuccess(CALL(EtwWrite, handle, &descriptor, NULL, 1, &data));
	assert_string_equal(heard.provider_name, "Mine");
	end(handle);
}

static void what_is_no_event_is_refused_and_not_told(void **state)
{
	(void)state;
	static UCHAR large[65536 - 80];
	REGHANDLE handle = begin(NULL);
	EVENT_DATA_DESCRIPTOR data[129] = {piece(large, sizeof(large), 0), piece(large, 1, 0)};
	assert_status(CALL(EtwWrite, handle, NULL, NULL, 0, NULL), STATUS_INVALID_PARAMETER);
	assert_status(CALL(EtwWrite, handle, &descriptor, NULL, 1, NULL), STATUS_INVALID_PARAMETER);
	assert_status(CALL(EtwWrite, handle, &descriptor, NULL, 129, data),
		      STATUS_INVALID_PARAMETER);
	assert_status(CALL(EtwWriteString, handle, 0, 0, NULL, NULL), STATUS_INVALID_PARAMETER);
	assert_status(CALL(EtwWrite, handle, &descriptor, NULL, 2, data), STATUS_INTEGER_OVERFLOW);
	data[1].Size = UINT32_MAX;
	assert_status(CALL(EtwWrite, handle, &descriptor, NULL, 2, data), STATUS_INTEGER_OVERFLOW);
	assert_int_equal(heard.count, 0);
	assert_ntsuccess(CALL(EtwWrite, handle, &descriptor, NULL, 1, data));
	assert_int_equal(heard.count, 1);
	end(handle);
}

static bool none_of_etw(const char *site)
{
	return strstr(site, "/etw/") != NULL;
}

static void without_memory_the_event_is_lost(void **state)
{
	(void)state;
	REGHANDLE handle = begin(NULL);
	host_fail_allocations(none_of_etw);
	NTSTATUS status = CALL(EtwWrite, handle, &descriptor, NULL, 0, NULL);
	int error = rs_trace("more");
	host_fail_allocations(NULL);
	assert_status(status, STATUS_NO_MEMORY);
	assert_true(error < 0);
	assert_int_equal(heard.count, 0);
	end(handle);
}

/* As if the driver had read it itself. */
static void write_from_nowhere(void *unused)
{
	(void)unused;
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(pages + 4096, 4096);
	REGHANDLE handle = begin(NULL);
	EVENT_DATA_DESCRIPTOR data = piece(pages + 4090, 7, 0);
	CALL(EtwWrite, handle, &descriptor, NULL, 1, &data);
}

static void memory_that_is_not_there_is_a_page_fault(void **state)
{
	(void)state;
	expect_bug_check(0x50, write_from_nowhere, NULL);
}

static void descriptors_from_nowhere(void *unused)
{
	(void)unused;
	REGHANDLE handle = begin(NULL);
	CALL(EtwWrite, handle, &descriptor, NULL, 1, (void *)0x7fff00000000);
}

static void descriptors_that_are_not_there_are_a_page_fault(void **state)
{
	(void)state;
	expect_bug_check(0x50, descriptors_from_nowhere, NULL);
}

static void traits_from_nowhere(void *unused)
{
	(void)unused;
	REGHANDLE handle = begin(NULL);
	CALL(EtwSetInformation, handle, EventProviderSetTraits, (void *)0x7fff00000000, 100);
}

static void traits_that_are_not_there_are_a_page_fault(void **state)
{
	(void)state;
	expect_bug_check(0x50, traits_from_nowhere, NULL);
}

static VOID NTAPI raises_irql(const GUID *source, ULONG code, UCHAR level, ULONGLONG any,
			      ULONGLONG all, PVOID filter, PVOID context)
{
	(void)source, (void)code, (void)level, (void)any, (void)all, (void)filter, (void)context;
	((KIRQL(NTAPI *)(KIRQL))export_of("KfRaiseIrql"))(DISPATCH_LEVEL);
}

static void register_with_that(void *unused)
{
	REGHANDLE handle;
	(void)unused;
	rs_trace(NULL);
	CALL(EtwRegister, &id, raises_irql, NULL, &handle);
}

static void an_enable_callback_must_lower_irql_again(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0xC8, register_with_that, NULL);
	assert_string_equal(seen->callback, "EtwRegister enable callback");
}

static void an_event_can_be_written_at_any_irql(void **state)
{
	(void)state;
	REGHANDLE handle = begin(NULL);
	KIRQL before = ((KIRQL(NTAPI *)(KIRQL))export_of("KfRaiseIrql"))(HIGH_LEVEL);
	NTSTATUS status = CALL(EtwWrite, handle, &descriptor, NULL, 0, NULL);
	((VOID(NTAPI *)(KIRQL))export_of("KeLowerIrql"))(before);
	assert_ntsuccess(status);
	assert_int_equal(heard.count, 1);
	end(handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(the_callback_hears_that_everything_is_wanted),
		WORLD_TEST(an_event_has_its_descriptor_and_pieces_in_order),
		WORLD_TEST(a_string_is_an_event_with_level_and_keyword),
		WORLD_TEST(a_provider_asked_for_by_name_is_enabled_when_it_says_it),
		WORLD_TEST(any_other_provider_stays_off),
		WORLD_TEST(types_of_pieces_count_once_the_provider_says_so),
		WORLD_TEST(an_events_own_provider_description_has_the_name),
		WORLD_TEST(what_is_no_event_is_refused_and_not_told),
		WORLD_TEST(without_memory_the_event_is_lost),
		WORLD_TEST(memory_that_is_not_there_is_a_page_fault),
		WORLD_TEST(descriptors_that_are_not_there_are_a_page_fault),
		WORLD_TEST(traits_that_are_not_there_are_a_page_fault),
		WORLD_TEST(an_enable_callback_must_lower_irql_again),
		WORLD_TEST(an_event_can_be_written_at_any_irql),
	};
	return cmocka_run_group_tests_name("etw/trace", tests, NULL, NULL);
}

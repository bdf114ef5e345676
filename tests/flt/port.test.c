/* SPDX-License-Identifier: MIT */
/* Communication ports, from both ends. */
#include "filters.h"
#include "flt/port.h"
#include "ke/thread.h"
#include "ob/handle.h"
#include "support/bugcheck.h"
#include "support/parallel.h"
#include <ringside/event.h>
#include <ringside/flt.h>
#include <ringside/io.h>

#define ERROR(code) ((HRESULT)(0x80070000u | (code)))

static struct minifilter m;
static PFLT_PORT server, client;
static struct actor actor;
static HANDLE port;
static char *user;
static NTSTATUS connect_answer;

/* ---- The minifilter's end ------------------------------------------------------------- */

static NTSTATUS NTAPI connected(PFLT_PORT from, PVOID cookie, PVOID context, ULONG size,
				PVOID *port_cookie)
{
	say("connect %s '%.*s';", (char *)cookie, (int)size, size ? (char *)context : "");
	client = from;
	*port_cookie = "guest";
	return connect_answer;
}

static VOID NTAPI disconnected(PVOID cookie)
{
	say("disconnect %s;", (char *)cookie);
	FLT(FltCloseClientPort)(m.filter, &client);
}

static NTSTATUS NTAPI message(PVOID cookie, PVOID in, ULONG in_size, PVOID out, ULONG out_size,
			      PULONG returned)
{
	say("message %s '%.*s' %u;", (char *)cookie, (int)in_size, in_size ? (char *)in : "",
	    out_size);
	if (out)
		memcpy(out, "answer", 6);
	*returned = 6;
	return in_size ? STATUS_SUCCESS : STATUS_OBJECT_NAME_COLLISION;
}

static const FLT_REGISTRATION registration = {.Size = sizeof(registration),
					      .Version = FLT_REGISTRATION_VERSION_0203};

static NTSTATUS create(const WCHAR *text, ULONG attributes, FLT_MESSAGE_NOTIFY *routine, LONG most)
{
	UNICODE_STRING name;
	VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING, PCWSTR);
	RtlInitUnicodeString(&name, text);
	OBJECT_ATTRIBUTES object = {sizeof(object), NULL, &name, attributes, NULL, NULL};
	return FLT(FltCreateCommunicationPort)(m.filter, &server, &object, "host", connected,
					       disconnected, routine, most);
}

static void hear(void *context, const struct rs_event *event)
{
	(void)context;
	note_rule(event);
}

static int begin(void **state)
{
	said[0] = rules[0] = 0;
	connect_answer = STATUS_SUCCESS;
	client = NULL;
	port = NULL;
	world_documented(state);
	assert_int_equal(rs_listen(hear, NULL), 0);
	make_minifilter(&m, "one", "370000");
	assert_ntsuccess(register_filter(&m, &registration));
	assert_ntsuccess(create(u"\\TestPort", OBJ_KERNEL_HANDLE, message, 1));
	actor = actor_start("\\??\\C:\\control.exe");
	user = rs_user_alloc(4096);
	rs_become(actor.thread);
	return 0;
}

static int end(void **state)
{
	if (port)
		assert_ntsuccess(NtClose(port));
	if (server)
		FLT(FltCloseCommunicationPort)(server);
	server = NULL;
	rs_become(NULL);
	actor_end(&actor);
	rs_user_free(user, 4096);
	if (m.filter)
		FLT(FltUnregisterFilter)(m.filter);
	drop_driver(&m);
	rs_unlisten(hear, NULL);
	return world_end(state);
}

#define FLT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static HRESULT open_port(void)
{
	return FilterConnectCommunicationPort(u"\\TestPort", 0, "hello", 5, NULL, &port);
}

/* ---- Making ----------------------------------------------------------------------------- */

static void port_needs_a_kernel_handle_and_room_for_clients(void **state)
{
	(void)state;
	PFLT_PORT first = server;
	assert_status(create(u"\\Other", 0, message, 1), STATUS_INVALID_PARAMETER);
	assert_status(create(u"\\Other", OBJ_KERNEL_HANDLE, message, 0), STATUS_INVALID_PARAMETER);
	assert_status(create(u"\\testport", OBJ_KERNEL_HANDLE, message, 1),
		      STATUS_OBJECT_NAME_COLLISION);
	assert_ptr_equal(server, first);
}

static void close_twice(void *unused)
{
	(void)unused;
	FLT(FltCloseCommunicationPort)(server);
	FLT(FltCloseCommunicationPort)(server);
}

static void server_port_closed_twice_is_bug_check_93(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0x93, close_twice, NULL);
	assert_int_equal(seen->parameter[1], 1);
}

static void default_descriptor_is_valid(void **state)
{
	(void)state;
	PVOID descriptor;
	BOOLEAN NTAPI RtlValidSecurityDescriptor(PVOID);
	assert_ntsuccess(FLT(FltBuildDefaultSecurityDescriptor)(&descriptor, FLT_PORT_ALL_ACCESS));
	assert_true(RtlValidSecurityDescriptor(descriptor));
	FLT(FltFreeSecurityDescriptor)(descriptor);
}

/* ---- Connecting --------------------------------------------------------------------------- */

static void program_connects_sends_and_disconnects(void **state)
{
	(void)state;
	ULONG returned = 99;
	assert_int_equal(open_port(), 0);
	assert_said("connect host 'hello';");
	strcpy(user, "ask");
	assert_int_equal(FilterSendMessage(port, user, 3, user + 100, 50, &returned), 0);
	assert_said("message guest 'ask' 50;");
	assert_string_equal(user + 100, "answer");
	assert_int_equal(returned, 6);
	assert_ntsuccess(NtClose(port));
	port = NULL;
	assert_said("disconnect guest;");
	assert_null(client);
}

static void minifilter_refuses_and_fails_in_its_own_words(void **state)
{
	(void)state;
	ULONG returned;
	connect_answer = STATUS_ACCESS_DENIED;
	assert_int_equal(open_port(), ERROR(5));
	assert_ptr_equal(port, (HANDLE)(intptr_t)-1);
	connect_answer = STATUS_SUCCESS;
	assert_int_equal(open_port(), 0);
	assert_int_equal(FilterSendMessage(port, NULL, 0, NULL, 0, &returned), ERROR(183));
}

static void clients_beyond_the_limit_are_refused(void **state)
{
	(void)state;
	HANDLE second;
	assert_int_equal(open_port(), 0);
	assert_int_equal(FilterConnectCommunicationPort(u"\\TestPort", 0, NULL, 0, NULL, &second),
			 ERROR(1238));
	assert_int_equal(FilterConnectCommunicationPort(u"\\Nobody", 0, NULL, 0, NULL, &second),
			 ERROR(2));
	assert_int_equal(FilterConnectCommunicationPort(u"\\TestPort", 0, NULL, 3, NULL, &second),
			 ERROR(87));
}

static void closed_server_port_takes_no_clients_and_keeps_those_it_has(void **state)
{
	(void)state;
	ULONG returned;
	HANDLE second;
	assert_int_equal(open_port(), 0);
	FLT(FltCloseCommunicationPort)(server);
	server = NULL;
	assert_int_equal(FilterConnectCommunicationPort(u"\\TestPort", 0, NULL, 0, NULL, &second),
			 ERROR(2));
	strcpy(user, "ask");
	assert_int_equal(FilterSendMessage(port, user, 3, user + 100, 50, &returned), 0);
}

static void buffers_of_a_program_must_be_user_memory(void **state)
{
	(void)state;
	char ours[8] = "kernel";
	ULONG returned;
	assert_int_equal(open_port(), 0);
	said[0] = 0;
	assert_int_equal(FilterSendMessage(port, ours, 6, user, 50, &returned), ERROR(998));
	assert_int_equal(FilterSendMessage(port, user, 6, ours, 6, &returned), ERROR(998));
	assert_int_equal(FilterSendMessage(port, (void *)16, 6, NULL, 0, &returned), ERROR(998));
	assert_said("");
	assert_int_equal(FilterSendMessage((HANDLE)0x7770, user, 1, NULL, 0, &returned), ERROR(6));
}

static void port_without_a_message_routine_takes_none(void **state)
{
	(void)state;
	ULONG returned;
	FLT(FltCloseCommunicationPort)(server);
	assert_ntsuccess(create(u"\\TestPort", OBJ_KERNEL_HANDLE, NULL, 1));
	assert_int_equal(open_port(), 0);
	assert_int_equal(FilterSendMessage(port, user, 1, NULL, 0, &returned), ERROR(1));
}

static void client_port_closed_twice_is_told_and_then_a_bug_check(void **state)
{
	(void)state;
	assert_int_equal(open_port(), 0);
	PFLT_PORT copy = client;
	FLT(FltCloseClientPort)(m.filter, &client);
	assert_null(client);
	FLT(FltCloseClientPort)(m.filter, &client);
	assert_true(has_broken("FltCloseClientPort"));
	assert_false(NT_SUCCESS(FLT(FltSendMessage)(m.filter, &copy, user, 1, NULL, NULL, NULL)));
	ULONG returned;
	assert_int_equal(FilterSendMessage(port, user, 1, NULL, 0, &returned), ERROR(6));
	said[0] = 0;
	assert_ntsuccess(NtClose(port));
	port = NULL;
	assert_said(""); /* the driver has closed its end, so it is not told */
}

static void close_copy(void *unused)
{
	(void)unused;
	PFLT_PORT copy = client;
	FLT(FltCloseClientPort)(m.filter, &client);
	FLT(FltCloseClientPort)(m.filter, &copy);
}

static void copy_of_a_closed_client_port_is_bug_check_18(void **state)
{
	(void)state;
	assert_int_equal(open_port(), 0);
	expect_bug_check(0x18, close_copy, NULL);
}

/* ---- Messages of the driver ------------------------------------------------------------------ */

struct sent {
	const char *text;
	char reply[32];
	ULONG reply_size;
	LONGLONG timeout;
	NTSTATUS status;
};

static void send_from_driver(void *argument)
{
	struct sent *sent = argument;
	LARGE_INTEGER timeout = {.QuadPart = sent->timeout};
	sent->status = FltSendMessage(
		m.filter, &client, (PVOID)(uintptr_t)sent->text, (ULONG)strlen(sent->text),
		sent->reply_size ? sent->reply : NULL, sent->reply_size ? &sent->reply_size : NULL,
		sent->timeout ? &timeout : NULL);
}

struct incoming {
	FILTER_MESSAGE_HEADER header;
	char text[64];
};

struct outgoing {
	FILTER_REPLY_HEADER header;
	char text[64];
};

static void driver_asks_and_the_program_answers(void **state)
{
	(void)state;
	struct sent sent = {.text = "who?", .reply_size = 8};
	struct incoming in = {{0}, {0}};
	struct outgoing out = {.text = "me"};
	struct job job;
	assert_int_equal(open_port(), 0);
	job_start(&job, send_from_driver, &sent);
	assert_int_equal(FilterGetMessage(port, &in.header, 18, NULL), ERROR(122)); /* too small */
	assert_int_equal(FilterGetMessage(port, &in.header, sizeof(in), NULL), 0);
	assert_string_equal(in.text, "who?");
	assert_int_equal(in.header.ReplyLength, 8 + sizeof(FILTER_REPLY_HEADER));
	out.header.MessageId = in.header.MessageId + 1;
	assert_int_equal((ULONG)FilterReplyMessage(port, &out.header, 18), 0x801F0020u);
	out.header = (FILTER_REPLY_HEADER){STATUS_MORE_ENTRIES, in.header.MessageId};
	assert_int_equal(FilterReplyMessage(port, &out.header, sizeof(out.header) + 3), 0);
	job_join(&job);
	assert_status(sent.status, STATUS_MORE_ENTRIES);
	assert_string_equal(sent.reply, "me");
	assert_int_equal(sent.reply_size, 3);
}

static void reply_that_is_too_long_overflows(void **state)
{
	(void)state;
	struct sent sent = {.text = "who?", .reply_size = 2};
	struct incoming in;
	struct outgoing out = {.text = "everybody"};
	struct job job;
	assert_int_equal(open_port(), 0);
	job_start(&job, send_from_driver, &sent);
	assert_int_equal(FilterGetMessage(port, &in.header, sizeof(in), NULL), 0);
	out.header.MessageId = in.header.MessageId;
	assert_int_equal(FilterReplyMessage(port, &out.header, sizeof(out.header) + 9), 0);
	job_join(&job);
	assert_status(sent.status, STATUS_BUFFER_OVERFLOW);
	assert_memory_equal(sent.reply, "ev\0", 3);
}

static void message_that_nobody_gets_times_out(void **state)
{
	(void)state;
	struct sent sent = {.text = "who?", .timeout = -10000};
	struct incoming in;
	assert_int_equal(open_port(), 0);
	send_from_driver(&sent);
	assert_status(sent.status, STATUS_TIMEOUT);
	/* It is not there any more: the next one is. */
	struct sent second = {.text = "second"};
	struct job job;
	job_start(&job, send_from_driver, &second);
	assert_int_equal(FilterGetMessage(port, &in.header, sizeof(in), NULL), 0);
	assert_memory_equal(in.text, "second", 6);
	assert_int_equal(in.header.ReplyLength, 0);
	job_join(&job);
	assert_ntsuccess(second.status);
}

static void disconnecting_ends_the_drivers_wait(void **state)
{
	(void)state;
	struct sent sent = {.text = "who?", .reply_size = 4};
	struct incoming in;
	struct job job;
	assert_int_equal(open_port(), 0);
	job_start(&job, send_from_driver, &sent);
	assert_int_equal(FilterGetMessage(port, &in.header, sizeof(in), NULL), 0);
	assert_ntsuccess(NtClose(port));
	port = NULL;
	job_join(&job);
	assert_status(sent.status, STATUS_PORT_DISCONNECTED);
	send_from_driver(&sent); /* the variable is NULL by now */
	assert_status(sent.status, STATUS_PORT_DISCONNECTED);
}

static void get(void *argument)
{
	struct incoming in;
	rs_become(actor.thread);
	*(HRESULT *)argument = FilterGetMessage(port, &in.header, sizeof(in), NULL);
	rs_become(NULL);
}

static void program_that_waits_is_told_when_the_filter_goes(void **state)
{
	(void)state;
	HRESULT result = 0;
	struct job job;
	assert_int_equal(open_port(), 0);
	FLT(FltCloseCommunicationPort)(server);
	server = NULL;
	rs_become(NULL);
	job_start(&job, get, &result);
	said[0] = 0;
	FLT(FltUnregisterFilter)(m.filter);
	m.filter = NULL;
	job_join(&job);
	rs_become(actor.thread);
	assert_int_equal(result, ERROR(6));
	assert_said("disconnect guest;");
}

static void unregister(void *argument)
{
	FltUnregisterFilter(argument);
}

static void unregistering_waits_for_the_server_port(void **state)
{
	(void)state;
	struct job job;
	job_start(&job, unregister, m.filter);
	assert_true(eventually(has_broken, "communication port"));
	assert_true(job_is_stuck(&job));
	FLT(FltCloseCommunicationPort)(server);
	server = NULL;
	job_join(&job);
	m.filter = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLT_TEST(port_needs_a_kernel_handle_and_room_for_clients),
		FLT_TEST(server_port_closed_twice_is_bug_check_93),
		FLT_TEST(default_descriptor_is_valid),
		FLT_TEST(program_connects_sends_and_disconnects),
		FLT_TEST(minifilter_refuses_and_fails_in_its_own_words),
		FLT_TEST(clients_beyond_the_limit_are_refused),
		FLT_TEST(closed_server_port_takes_no_clients_and_keeps_those_it_has),
		FLT_TEST(buffers_of_a_program_must_be_user_memory),
		FLT_TEST(port_without_a_message_routine_takes_none),
		FLT_TEST(client_port_closed_twice_is_told_and_then_a_bug_check),
		FLT_TEST(copy_of_a_closed_client_port_is_bug_check_18),
		FLT_TEST(driver_asks_and_the_program_answers),
		FLT_TEST(reply_that_is_too_long_overflows),
		FLT_TEST(message_that_nobody_gets_times_out),
		FLT_TEST(disconnecting_ends_the_drivers_wait),
		FLT_TEST(program_that_waits_is_told_when_the_filter_goes),
		FLT_TEST(unregistering_waits_for_the_server_port),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Hand-made events, and a sink whose writes can be read back one by one. */
#ifndef TESTS_SINK_EVENTS_H
#define TESTS_SINK_EVENTS_H

#include "ob/object.h"
#include "sink/sink.h"
#include <fcntl.h>
#include <ringside/ringside.h>
#include <string.h>
#include <unistd.h>

/* Object types exist in a booted kernel only. */
static inline int boot(void **state)
{
	(void)state;
	return rs_boot(NULL);
}

static inline int shut_down(void **state)
{
	(void)state;
	rs_shutdown();
	return 0;
}

#define TEXT16(literal)                                                                            \
	(UNICODE_STRING)                                                                           \
	{                                                                                          \
		sizeof(literal) - sizeof(WCHAR), sizeof(literal), (PWSTR)(uintptr_t)(literal)      \
	}

/* A pipe in packet mode: one read(2) returns what one write(2) wrote, up to a page. */
struct paper {
	int out, in;
	struct sink *sink;
	char text[8192];
};

static inline struct paper paper_open(const struct sink_form *form, struct sink_options options)
{
	struct paper paper;
	int ends[2];
	assert_int_equal(pipe2(ends, O_DIRECT | O_NONBLOCK | O_CLOEXEC), 0);
	paper.out = ends[0];
	paper.in = options.fd = ends[1];
	paper.sink = sink_open(form, &options);
	assert_non_null(paper.sink);
	return paper;
}

static inline void paper_close(struct paper *paper)
{
	sink_close(paper->sink);
	close(paper->out);
	close(paper->in);
}

/* The next packet as a string; empty when there is none. */
static inline const char *paper_next(struct paper *paper)
{
	ssize_t length = read(paper->out, paper->text, sizeof(paper->text) - 1);
	paper->text[length < 0 ? 0 : length] = '\0';
	return paper->text;
}

static inline const char *paper_hear(struct paper *paper, const struct rs_event *event)
{
	sink_hear(paper->sink, event);
	return paper_next(paper);
}

static KLDR_DATA_TABLE_ENTRY warden = {
	.DllBase = (void *)0x7f1234500000,
	.SizeOfImage = 0x9000,
	.FullDllName = {40, 40, (PWSTR)(uintptr_t)u"\\??\\Z:\\warden.sys..."},
	.BaseDllName = {20, 20, (PWSTR)(uintptr_t)u"warden.sys"},
	.Flags = LDRP_IMAGE_INTEGRITY_FORCED,
};

#define SECOND 1000000000ull
#define START (1700000000ull * SECOND)

static inline struct rs_process_name a_process(ULONG64 pid, UNICODE_STRING image)
{
	return (struct rs_process_name){NULL, 100 * pid, pid, image};
}

static inline struct rs_event a_creation(ULONG64 pid, ULONG64 parent, NTSTATUS status)
{
	struct rs_event event = {.type = RS_PROCESS_CREATED, .time = START + 12000000};
	event.created.process = a_process(pid, TEXT16(u"\\??\\Z:\\usr\\bin\\sleep"));
	if (parent)
		event.created.parent = a_process(parent, TEXT16(u"\\??\\Z:\\usr\\bin\\dash"));
	event.created.command_line = TEXT16(u"sleep 1");
	event.created.status = status;
	event.created.vetoed_by = NT_SUCCESS(status) ? NULL : &warden;
	return event;
}

static inline struct rs_event an_exit(ULONG64 pid, int host_status)
{
	struct rs_event event = {.type = RS_PROCESS_EXITED, .time = START + SECOND};
	event.exited.process = a_process(pid, TEXT16(u"\\??\\Z:\\usr\\bin\\sleep"));
	event.exited.host_status = host_status;
	event.exited.status = host_status;
	event.exited.lifetime = 2100000;
	return event;
}

static inline struct rs_event a_handle(const char *reason, ACCESS_MASK desired, ACCESS_MASK granted)
{
	struct rs_event event = {.type = RS_HANDLE_OPERATION, .time = START + 2 * SECOND};
	event.handle.operation = OB_OPERATION_HANDLE_CREATE;
	event.handle.type = PsProcessType;
	event.handle.caller = a_process(100, TEXT16(u"\\??\\Z:\\usr\\bin\\dash"));
	event.handle.target = a_process(104, TEXT16(u"\\??\\Z:\\usr\\bin\\sleep"));
	event.handle.desired = desired;
	event.handle.granted = granted;
	event.handle.stripped_by = desired & ~granted ? &warden : NULL;
	event.handle.reason = reason;
	return event;
}

static inline struct rs_event a_callback(enum rs_callback_kind kind, bool create, ULONG64 duration)
{
	struct rs_event event = {.type = RS_CALLBACK_RETURNED, .time = START};
	event.callback.kind = kind;
	event.callback.create = create;
	event.callback.module = &warden;
	event.callback.routine = (char *)warden.DllBase + 0x1450;
	event.callback.duration = duration;
	event.callback.process_id = 10400;
	return event;
}

#endif

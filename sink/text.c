/* SPDX-License-Identifier: MIT */
/*
 * The report for a person: time, the process tree in lanes, and what happened.
 *
 * Every event type has a teller; one that says nothing about an event leaves the
 * line empty and nothing is written. Numbers of processes are Linux pids where
 * there are any, because that is what the reader's other tools show; the NT id,
 * which drivers print, stands beside it once, where the process begins.
 */
#include "sink/form.h"
#include "etw/text.h"
#include "ke/report.h"
#include "ps/process.h"
#include "sink/names.h"
#include "sink/summary.h"
#include <string.h>

/* Where things stand in a line. */
enum { TREE = 10, TEXT = 20, NT_ID = 28, PARENT = 37, IMAGE = 45 };

/* Of the answer to a request: bytes in a row, and in all. */
enum { DUMP_COLUMNS = 16, DUMP_MOST = 1024 };

/* Lines narrower than this show an image by its last component. */
#define WIDE 120

static bool is_narrow(const struct sink *sink)
{
	return sink->options.width && sink->options.width < WIDE;
}

static unsigned command_column(const struct sink *sink)
{
	return is_narrow(sink) ? IMAGE + 10 : IMAGE + 31;
}

static struct sink_line empty_line(struct sink *sink)
{
	return (struct sink_line){.text = sink->buffer,
				  .size = sizeof(sink->buffer),
				  .limit = sink->options.width,
				  .colour = sink->options.colour};
}

static void say_time(struct sink *sink, struct sink_line *line, const struct rs_event *event)
{
	/* The wall clock may have been set back. */
	ULONG64 passed = event->time > sink->start ? event->time - sink->start : 0;
	unsigned long ms = (unsigned long)(passed / 1000000);
	sink_paint(line, SINK_DIM);
	sink_sayf(line, "%4lu.%03lu", ms / 1000, ms % 1000);
	sink_paint(line, SINK_PLAIN);
	sink_pad(line, TREE);
}

/* The start of a line that is not about the tree itself. */
static void begin(struct sink *sink, struct sink_line *line, const struct rs_event *event)
{
	say_time(sink, line, event);
	if (sink->lanes.count == 0)
		return;
	sink_lanes_draw(&sink->lanes, line);
	sink_pad(line, TEXT);
}

static struct sink_lane lane_of(const struct rs_process_name *process)
{
	return (struct sink_lane){process->id, process->host_id};
}

static ULONG64 number_of(const struct rs_process_name *process)
{
	return process->host_id ? process->host_id : process->id;
}

static void say_process(struct sink_line *line, const struct rs_process_name *process)
{
	UNICODE_STRING name = sink_base_name(&process->image);
	sink_sayf(line, "%lu", (unsigned long)number_of(process));
	if (!name.Length)
		return;
	sink_say(line, " ");
	sink_quote_utf16(line, &name);
}

static void say_failure(struct sink_line *line, NTSTATUS status)
{
	sink_paint(line, SINK_RED);
	sink_say_status(line, status);
	sink_paint(line, SINK_PLAIN);
}

/* ---- Drivers --------------------------------------------------------------- */

static void begin_driver(struct sink *sink, struct sink_line *line, const struct rs_event *event,
			 const KLDR_DATA_TABLE_ENTRY *module)
{
	begin(sink, line, event);
	sink_paint(line, SINK_BOLD);
	sink_say_module(line, module);
	sink_paint(line, SINK_PLAIN);
}

static void tell_driver_loaded(struct sink *sink, struct sink_line *line,
			       const struct rs_event *event)
{
	const KLDR_DATA_TABLE_ENTRY *module = event->driver.module;
	begin_driver(sink, line, event, module);
	sink_sayf(line, " loaded at %p, %u KiB, %u imports bound", module->DllBase,
		  (module->SizeOfImage + 1023) / 1024, event->driver.imports);
	if (event->driver.missing) {
		sink_paint(line, SINK_YELLOW);
		sink_sayf(line, ", %u missing here", event->driver.missing);
		sink_paint(line, SINK_PLAIN);
	}
	sink_say(line, module->Flags & LDRP_IMAGE_INTEGRITY_FORCED ? ", integrity flag set"
								   : ", no integrity flag");
	sink_say(line, ", in ");
	sink_say_duration(line, event->driver.duration);
}

static void tell_driver_started(struct sink *sink, struct sink_line *line,
				const struct rs_event *event)
{
	begin_driver(sink, line, event, event->driver.module);
	if (NT_SUCCESS(event->driver.status)) {
		sink_say(line, " started: DriverEntry took ");
		sink_say_duration(line, event->driver.duration);
	} else {
		sink_say(line, " did not start: DriverEntry returned ");
		say_failure(line, event->driver.status);
	}
}

static void tell_driver_unloaded(struct sink *sink, struct sink_line *line,
				 const struct rs_event *event)
{
	begin_driver(sink, line, event, event->driver.module);
	sink_say(line, " unloaded: DriverUnload took ");
	sink_say_duration(line, event->driver.duration);
}

#define TAB 8

/* One line of what was printed, without the carriage return that may end it. */
static void say_printed(struct sink_line *line, const char *text, size_t length)
{
	unsigned start = line->columns;
	if (length && text[length - 1] == '\r')
		length--;
	for (const char *tab; (tab = memchr(text, '\t', length));) {
		sink_quote_counted(line, text, (size_t)(tab - text));
		sink_pad(line, line->columns + TAB - (line->columns - start) % TAB);
		length -= (size_t)(tab - text) + 1;
		text = tab + 1;
	}
	sink_quote_counted(line, text, length);
}

/* A driver that prints several lines at once gets them below each other; empty ones,
 * which only make room in a debugger's log, are left out. */
static void tell_debug_print(struct sink *sink, struct sink_line *line,
			     const struct rs_event *event)
{
	const char *text = event->print.text + strspn(event->print.text, "\r\n");
	begin(sink, line, event);
	sink_paint(line, SINK_CYAN);
	sink_say_module(line, event->print.module);
	sink_say(line, " says ");
	sink_paint(line, SINK_PLAIN);
	unsigned column = line->columns;
	for (size_t length; *text; text += length + strspn(text + length, "\r\n")) {
		if (line->columns > column) {
			sink_say(line, "\n");
			begin(sink, line, event);
			sink_pad(line, column);
		}
		length = strcspn(text, "\n");
		say_printed(line, text, length);
	}
}

static void say_altitude_and_types(struct sink_line *line, const struct rs_event *event)
{
	const char *type, *separator = " for ";
	if (event->registration.altitude.Length) {
		sink_say(line, " at altitude ");
		sink_quote_utf16(line, &event->registration.altitude);
	}
	for (unsigned bit = 0; (type = sink_type_of_bit(bit)); bit++) {
		if (!(event->registration.types & 1u << bit))
			continue;
		sink_sayf(line, "%s%s handles", separator, type);
		separator = " and ";
	}
}

static void tell_registered(struct sink *sink, struct sink_line *line, const struct rs_event *event)
{
	begin_driver(sink, line, event, event->registration.module);
	sink_say(line, " registers with ");
	sink_paint(line, SINK_GREEN);
	sink_say(line, event->registration.routine);
	sink_paint(line, SINK_PLAIN);
	say_altitude_and_types(line, event);
	if (NT_SUCCESS(event->registration.status)) {
		if (event->registration.module && !event->registration.altitude.Length) {
			sink_say(line, ": ");
			sink_say_address(line, event->registration.module,
					 event->registration.address);
		}
		return;
	}
	sink_say(line, ": ");
	say_failure(line, event->registration.status);
}

static void tell_unregistered(struct sink *sink, struct sink_line *line,
			      const struct rs_event *event)
{
	begin_driver(sink, line, event, event->registration.module);
	sink_say(line, " unregisters with ");
	sink_say(line, event->registration.routine);
	if (!NT_SUCCESS(event->registration.status)) {
		sink_say(line, ": ");
		say_failure(line, event->registration.status);
	}
}

/* ---- Processes --------------------------------------------------------------- */

static void say_head(struct sink *sink, struct sink_line *line)
{
	if (sink->head_shown)
		return;
	sink->head_shown = true;
	sink_say(line, "\n");
	sink_paint(line, SINK_DIM);
	sink_say(line, "    time");
	sink_pad(line, TREE);
	sink_say(line, "tree");
	sink_pad(line, TEXT);
	sink_say(line, "pid");
	sink_pad(line, NT_ID);
	sink_say(line, "NT id");
	sink_pad(line, PARENT);
	sink_say(line, "parent");
	sink_pad(line, IMAGE);
	sink_say(line, "image");
	sink_pad(line, command_column(sink));
	sink_say(line, "command line\n");
	sink_paint(line, SINK_PLAIN);
}

static void say_refusal(struct sink *sink, struct sink_line *line, const struct rs_event *event)
{
	sink_say(line, "\n");
	sink_pad(line, TREE);
	sink_lanes_draw(&sink->lanes, line);
	sink_pad(line, TEXT);
	sink_paint(line, SINK_RED);
	sink_say_module(line, event->created.vetoed_by);
	sink_say(line, " refused it: ");
	sink_say_status(line, event->created.status);
	sink_paint(line, SINK_PLAIN);
}

/* Whose child the tree shows it to be. A fork that has not executed anything yet, a
 * subshell for instance, is a process that NT is silent about (PS-55); its children
 * are drawn below its parent. */
static ULONG64 shown_parent(const struct sink *sink, const struct rs_process_name *parent)
{
	if (sink_lanes_has(&sink->lanes, parent->id) || !parent->object)
		return parent->id;
	return parent->object->parent_id;
}

static void tell_process_created(struct sink *sink, struct sink_line *line,
				 const struct rs_event *event)
{
	const struct rs_process_name *process = &event->created.process;
	UNICODE_STRING base = sink_base_name(&process->image);
	bool refused = !NT_SUCCESS(event->created.status);
	ULONG64 parent = shown_parent(sink, &event->created.parent);
	say_head(sink, line);
	say_time(sink, line, event);
	if (refused)
		sink_lanes_refuse(&sink->lanes, line, parent);
	else
		sink_lanes_begin(&sink->lanes, line, parent, lane_of(process));
	sink_pad(line, TEXT);
	sink_paint(line, refused ? SINK_RED : SINK_BOLD);
	sink_sayf(line, "%lu", (unsigned long)number_of(process));
	sink_paint(line, SINK_PLAIN);
	sink_pad(line, NT_ID);
	sink_sayf(line, "%lu", (unsigned long)process->id);
	sink_pad(line, PARENT);
	if (event->created.parent.id)
		sink_sayf(line, "%lu", (unsigned long)number_of(&event->created.parent));
	sink_pad(line, IMAGE);
	sink_paint(line, SINK_DIM);
	sink_quote_utf16(line, is_narrow(sink) ? &base : &process->image);
	sink_paint(line, SINK_PLAIN);
	sink_say(line, " ");
	sink_pad(line, command_column(sink));
	sink_quote_utf16(line, &event->created.command_line);
	if (refused)
		say_refusal(sink, line, event);
}

/* NT's number in itself says little to a person unless it is a status, and for a
 * live process the wait status says more. */
static void say_exit(const struct sink *sink, struct sink_line *line, const struct rs_event *event)
{
	if (sink_lanes_succeeded(&sink->lanes, lane_of(&event->exited.process))) {
		sink_say(line, "became another program");
		return;
	}
	if (event->exited.process.host_id) {
		sink_say_wait_status(line, event->exited.host_status);
		return;
	}
	sink_say(line, "exited with ");
	if (event->exited.status >= 0)
		sink_sayf(line, "%d", event->exited.status);
	else
		sink_say_status(line, event->exited.status);
}

/* A process without a lane was refused, and its exit is no news. */
static void tell_process_exited(struct sink *sink, struct sink_line *line,
				const struct rs_event *event)
{
	say_time(sink, line, event);
	if (!sink_lanes_end(&sink->lanes, line, event->exited.process.id)) {
		line->length = 0;
		return;
	}
	sink_pad(line, TEXT);
	sink_paint(line, SINK_DIM);
	say_process(line, &event->exited.process);
	sink_say(line, " ");
	sink_paint(line, SINK_PLAIN);
	if (event->exited.status != 0)
		sink_paint(line, SINK_YELLOW);
	say_exit(sink, line, event);
	sink_paint(line, SINK_PLAIN);
	sink_paint(line, SINK_DIM);
	sink_say(line, " after ");
	sink_say_duration(line, event->exited.lifetime);
	sink_paint(line, SINK_PLAIN);
	if (sink->lanes.count == 0)
		sink_say(line, "\n"); /* the tree is over */
}

static void tell_thread(struct sink *sink, struct sink_line *line, const struct rs_event *event)
{
	if (sink->options.detail != SINK_VERBOSE)
		return;
	begin(sink, line, event);
	sink_sayf(line, "thread %lu of ", (unsigned long)event->thread.id);
	say_process(line, &event->thread.process);
	sink_say(line, event->type == RS_THREAD_CREATED ? " begins" : " ends");
}

static void tell_image(struct sink *sink, struct sink_line *line, const struct rs_event *event)
{
	if (sink->options.detail != SINK_VERBOSE)
		return;
	begin(sink, line, event);
	if (event->image.process.object)
		say_process(line, &event->image.process);
	else
		sink_say(line, "the kernel");
	sink_sayf(line, " maps %lu KiB at %p: ", (unsigned long)(event->image.size + 1023) / 1024,
		  event->image.base);
	sink_quote_utf16(line, &event->image.name);
}

/* ---- Handles and callbacks --------------------------------------------------- */

static bool comes_with_creation(const struct rs_event *event)
{
	return event->handle.reason && strcmp(event->handle.reason, RS_REASON_CREATED) == 0;
}

static bool is_worth_telling(const struct sink *sink, const struct rs_event *event)
{
	bool explained = event->handle.reason && !comes_with_creation(event);
	return explained || event->handle.stripped_by || !NT_SUCCESS(event->handle.status) ||
	       sink->options.detail == SINK_VERBOSE;
}

static void say_deed(struct sink_line *line, const struct rs_event *event)
{
	if (comes_with_creation(event)) {
		sink_say(line, " gets its creator's handle to ");
	} else if (event->handle.reason) {
		sink_say(line, ": ");
		sink_quote(line, event->handle.reason);
		sink_say(line, " on ");
	} else if (event->handle.operation == OB_OPERATION_HANDLE_DUPLICATE) {
		sink_say(line, " duplicates a handle to ");
	} else {
		sink_say(line, " opens ");
	}
}

/* What a live process does in one system call needs all the rights it asks for. */
static void say_outcome(struct sink_line *line, const struct rs_event *event)
{
	ACCESS_MASK stripped = sink_stripped_rights(event);
	if (stripped && event->handle.reason && !comes_with_creation(event))
		sink_say(line, " fails");
	sink_say(line, ": ");
	if (stripped) {
		sink_paint(line, SINK_YELLOW);
		sink_say_module(line, event->handle.stripped_by);
		sink_say(line, " took ");
		sink_say_rights(line, event->handle.type, stripped);
		sink_paint(line, SINK_PLAIN);
	} else if (NT_SUCCESS(event->handle.status)) {
		sink_say(line, "granted ");
		sink_say_rights(line, event->handle.type, event->handle.granted);
	}
	if (NT_SUCCESS(event->handle.status))
		return;
	sink_say(line, stripped ? ", and it ended in " : "ended in ");
	say_failure(line, event->handle.status);
}

static void tell_handle(struct sink *sink, struct sink_line *line, const struct rs_event *event)
{
	if (!is_worth_telling(sink, event))
		return;
	begin(sink, line, event);
	say_process(line, &event->handle.caller);
	say_deed(line, event);
	if (event->handle.thread_id)
		sink_sayf(line, "thread %lu of ", (unsigned long)event->handle.thread_id);
	say_process(line, &event->handle.target);
	say_outcome(line, event);
}

static void say_change(struct sink_line *line, const struct rs_event *event)
{
	if (event->callback.status_before != event->callback.status_after) {
		sink_say(line, ", stored ");
		sink_say_status(line, event->callback.status_after);
	}
	if (event->callback.access_before != event->callback.access_after)
		sink_sayf(line, ", changed the access 0x%x to 0x%x", event->callback.access_before,
			  event->callback.access_after);
}

static void tell_callback(struct sink *sink, struct sink_line *line, const struct rs_event *event)
{
	enum rs_callback_kind kind = event->callback.kind;
	if (sink->options.detail != SINK_VERBOSE)
		return;
	begin(sink, line, event);
	sink_paint(line, SINK_DIM);
	sink_say_address(line, event->callback.module, event->callback.routine);
	sink_sayf(line, " (%s%s) returned after ", sink_kind_name(kind),
		  !sink_kind_has_phases(kind) ? ""
		  : event->callback.create    ? ", create"
					      : ", exit");
	sink_say_duration(line, event->callback.duration);
	say_change(line, event);
	sink_paint(line, SINK_PLAIN);
}

/* Sixteen bytes, and what they are as text. */
static void dump_row(struct sink_line *line, const UCHAR *bytes, SIZE_T offset, SIZE_T size)
{
	sink_say(line, "\n");
	sink_pad(line, TEXT);
	sink_sayf(line, "%04lx ", (unsigned long)offset);
	for (SIZE_T i = 0; i < DUMP_COLUMNS; i++)
		if (i < size)
			sink_sayf(line, " %02x", bytes[i]);
		else
			sink_say(line, "   ");
	sink_say(line, "  ");
	for (SIZE_T i = 0; i < size; i++)
		sink_sayf(line, "%c", bytes[i] >= ' ' && bytes[i] < 0x7F ? bytes[i] : '.');
}

static void dump(struct sink_line *line, const UCHAR *bytes, SIZE_T size)
{
	SIZE_T shown = size < DUMP_MOST ? size : DUMP_MOST;
	for (SIZE_T at = 0; at < shown; at += DUMP_COLUMNS)
		dump_row(line, bytes + at, at,
			 shown - at < DUMP_COLUMNS ? shown - at : DUMP_COLUMNS);
	if (shown < size) {
		sink_say(line, "\n");
		sink_pad(line, TEXT);
		sink_sayf(line, "and %lu bytes more", (unsigned long)(size - shown));
	}
}

static void tell_lasting(struct sink *sink, struct sink_line *line, const struct rs_event *event)
{
	begin_driver(sink, line, event, event->lasting.module);
	sink_paint(line, SINK_YELLOW);
	sink_sayf(line, ": routine running for %lu s in PID %lu",
		  (unsigned long)(event->lasting.duration / 1000000000),
		  (unsigned long)event->lasting.host_id);
	sink_paint(line, SINK_PLAIN);
}

static void tell_request(struct sink *sink, struct sink_line *line, const struct rs_event *event)
{
	NTSTATUS status = event->request.status;
	begin(sink, line, event);
	sink_say(line, event->request.kind);
	sink_say(line, " ");
	sink_quote(line, event->request.device);
	if (!strcmp(event->request.kind, "ioctl"))
		sink_sayf(line, " 0x%x", event->request.code);
	sink_say(line, ": ");
	if (NT_SUCCESS(status))
		sink_say_status(line, status);
	else
		say_failure(line, status);
	if (status != STATUS_PENDING && (ULONG)status >> 30 != 3)
		sink_sayf(line, ", %lu bytes", (unsigned long)event->request.information);
	dump(line, event->request.data, event->request.size);
}

static void say_provider(struct sink_line *line, const struct rs_event *event)
{
	char guid[ETW_GUID_TEXT];
	etw_guid_to_text(&event->trace.provider, guid);
	sink_quote(line, event->trace.provider_name ? event->trace.provider_name : guid);
}

static void say_fields(struct sink_line *line, const struct rs_event *event)
{
	sink_quote(line, event->trace.name);
	for (unsigned i = 0; i < event->trace.field_count; i++) {
		sink_say(line, i ? ", " : ": ");
		sink_quote(line, event->trace.fields[i].name);
		sink_say(line, "=");
		sink_quote(line, event->trace.fields[i].value);
	}
}

/* What does not describe itself is known by its number. */
static void tell_trace(struct sink *sink, struct sink_line *line, const struct rs_event *event)
{
	begin_driver(sink, line, event, event->trace.module);
	sink_say(line, " traces ");
	sink_paint(line, SINK_CYAN);
	say_provider(line, event);
	sink_paint(line, SINK_PLAIN);
	sink_say(line, " ");
	if (event->trace.name) {
		say_fields(line, event);
		return;
	}
	sink_sayf(line, "event %u, version %u, level %u, opcode %u, keyword 0x%llx, %lu bytes",
		  event->trace.id, event->trace.version, event->trace.level, event->trace.opcode,
		  (unsigned long long)event->trace.keyword, (unsigned long)event->trace.size);
	dump(line, event->trace.data, event->trace.size);
}

/* Lines that are there already, at the left edge and uncut; the last newline is the
 * event's own. */
static void say_stack(struct sink_line *line, const struct rs_stack *stack)
{
	if (!stack->count)
		return;
	sink_say(line, "\n");
	line->length += ke_format_stack(line->text + line->length, line->size - line->length - 64,
					stack);
	if (line->text[line->length - 1] == '\n')
		line->length--;
}

static void tell_missing(struct sink *sink, struct sink_line *line, const struct rs_event *event)
{
	if (!event->missing.first)
		return;
	begin_driver(sink, line, event, event->missing.module);
	sink_paint(line, SINK_YELLOW);
	sink_say(line, " calls ");
	sink_quote(line, event->missing.name);
	sink_say(line, ", which is not here, and gets ");
	sink_say_status(line, event->missing.status);
	sink_paint(line, SINK_PLAIN);
	say_stack(line, &event->missing.stack);
}

static void tell_rule_broken(struct sink *sink, struct sink_line *line,
			     const struct rs_event *event)
{
	begin_driver(sink, line, event, event->rule.module);
	sink_paint(line, SINK_YELLOW);
	sink_sayf(line, " breaks %s: ", event->rule.clause);
	sink_say(line, event->rule.text);
	sink_paint(line, SINK_PLAIN);
}

static void tell_write_refused(struct sink *sink, struct sink_line *line,
			       const struct rs_event *event)
{
	begin_driver(sink, line, event, event->write_refused.module);
	sink_paint(line, SINK_YELLOW);
	sink_say(line, " may not change ");
	sink_quote_utf16(line, &event->write_refused.name);
	sink_say(line, event->write_refused.allowed
			       ? ": it is the file of a loaded driver"
			       : ": files may only be read without --root DIR --root-write");
	sink_paint(line, SINK_PLAIN);
}

/* The report is lines of its own, at the left edge and uncut. */
static void tell_bug_check(struct sink *sink, struct sink_line *line, const struct rs_event *event)
{
	(void)sink;
	sink_say(line, "\n");
	sink_paint(line, SINK_RED);
	line->length += ke_format_bug_check(line->text + line->length,
					    line->size - line->length - 64, event);
	if (line->text[line->length - 1] == '\n')
		line->length--;
	sink_paint(line, SINK_PLAIN);
}

/* ---- The form ------------------------------------------------------------------ */

typedef void teller(struct sink *sink, struct sink_line *line, const struct rs_event *event);

static teller *const tellers[RS_EVENT_TYPES] = {
	[RS_DRIVER_LOADED] = tell_driver_loaded,
	[RS_DRIVER_STARTED] = tell_driver_started,
	[RS_DRIVER_UNLOADED] = tell_driver_unloaded,
	[RS_DEBUG_PRINT] = tell_debug_print,
	[RS_REGISTERED] = tell_registered,
	[RS_UNREGISTERED] = tell_unregistered,
	[RS_PROCESS_CREATED] = tell_process_created,
	[RS_PROCESS_EXITED] = tell_process_exited,
	[RS_THREAD_CREATED] = tell_thread,
	[RS_THREAD_EXITED] = tell_thread,
	[RS_IMAGE_LOADED] = tell_image,
	[RS_HANDLE_OPERATION] = tell_handle,
	[RS_CALLBACK_RETURNED] = tell_callback,
	[RS_CALLBACK_LASTS] = tell_lasting,
	[RS_DEVICE_REQUEST] = tell_request,
	[RS_TRACE] = tell_trace,
	[RS_MISSING_CALLED] = tell_missing,
	[RS_WRITE_REFUSED] = tell_write_refused,
	[RS_RULE_BROKEN] = tell_rule_broken,
	[RS_BUG_CHECK] = tell_bug_check,
};

static void text_event(struct sink *sink, const struct rs_event *event)
{
	struct sink_line line = empty_line(sink);
	tellers[event->type](sink, &line, event);
	if (line.length == 0)
		return;
	sink_say(&line, "\n");
	sink_write(sink, line.text, line.length);
}

static void text_begin(struct sink *sink, const struct sink_run *run)
{
	struct sink_line line = empty_line(sink);
	sink_paint(&line, SINK_BOLD);
	sink_sayf(&line, "Ringside %s", run->version);
	sink_paint(&line, SINK_PLAIN);
	sink_sayf(&line, ": %s profile, Linux processes shown as %s processes\n", run->profile,
		  run->present);
	sink_write(sink, line.text, line.length);
}

static void text_end(struct sink *sink, const struct sink_outcome *outcome)
{
	struct sink_line line = empty_line(sink);
	sink_say_summary(&line, &sink->tally, outcome);
	sink_write(sink, line.text, line.length);
}

const struct sink_form sink_text = {text_begin, text_event, text_end};

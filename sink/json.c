/* SPDX-License-Identifier: MIT */
/*
 * The report for a program: one JSON object a line. docs/events.md describes the
 * fields; they may grow, but what is there keeps its name and meaning.
 *
 * Every function here returns a new reference or NULL; a NULL passed to json_pack
 * as "o*" leaves the field out. Without memory for an event, the line is left out
 * and the next one says how many are missing.
 */
#include "sink/form.h"
#include "etw/text.h"
#include "ke/symbol.h"
#include "sink/names.h"
#include "rtl/utf.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

/* ---- Values ---------------------------------------------------------------- */

static json_t *text_value(const UNICODE_STRING *string)
{
	char small[512], *text = small;
	size_t length;
	json_t *value;
	if (!string->Length)
		return NULL;
	length = rtl_to_utf8(small, sizeof(small), string);
	if (length >= sizeof(small)) {
		text = malloc(length + 1);
		if (!text)
			return NULL;
		rtl_to_utf8(text, length + 1, string);
	}
	value = json_stringn(text, length);
	if (text != small)
		free(text);
	return value;
}

/* What a driver printed is bytes; those that are no UTF-8 become U+FFFD. */
static json_t *bytes_value(const char *bytes)
{
	json_t *value = json_string(bytes);
	size_t left = strlen(bytes), length = 0;
	char *text;
	if (value || !(text = malloc(3 * left + 1)))
		return value;
	while (left) {
		uint32_t character;
		size_t taken = rtl_decode_utf8(bytes, left, &character);
		length += rtl_encode_utf8(character, text + length);
		bytes += taken;
		left -= taken;
	}
	value = json_stringn(text, length);
	free(text);
	return value;
}

static json_t *hex_value(ULONG64 number)
{
	return json_sprintf("0x%llx", (unsigned long long)number);
}

static json_t *address_value(const void *address)
{
	return address ? hex_value((uintptr_t)address) : NULL;
}

static json_t *status_value(NTSTATUS status)
{
	const char *name = rs_status_name(status);
	return name ? json_string(name) : json_sprintf("0x%08X", (unsigned)status);
}

/* RFC 3339, with all nine digits: a double would lose the last three. */
static json_t *time_value(ULONG64 nanoseconds)
{
	time_t seconds = (time_t)(nanoseconds / 1000000000u);
	struct tm broken;
	char text[32];
	gmtime_r(&seconds, &broken);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &broken);
	return json_sprintf("%s.%09uZ", text, (unsigned)(nanoseconds % 1000000000u));
}

static json_t *module_value(const KLDR_DATA_TABLE_ENTRY *module)
{
	return module ? text_value(&module->BaseDllName) : NULL;
}

static json_t *process_value(const struct rs_process_name *process)
{
	if (!process->id && !process->host_id)
		return NULL;
	return json_pack("{s:I, s:o*, s:o*}", "id", (json_int_t)process->id, "pid",
			 process->host_id ? json_integer((json_int_t)process->host_id) : NULL,
			 "image", text_value(&process->image));
}

static json_t *rights_value(POBJECT_TYPE type, ACCESS_MASK rights)
{
	json_t *list = json_array();
	for (ACCESS_MASK left = rights; left; left &= left - 1) {
		ACCESS_MASK bit = left & -left;
		const char *name = sink_right_name(type, bit);
		json_array_append_new(list, name ? json_string(name) : hex_value(bit));
	}
	return json_pack("{s:o, s:o}", "mask", hex_value(rights), "rights", list);
}

/* ---- Events ---------------------------------------------------------------- */

static json_t *driver_loaded(const struct rs_event *event)
{
	const KLDR_DATA_TABLE_ENTRY *module = event->driver.module;
	return json_pack("{s:o*, s:o*, s:o, s:I, s:i, s:i, s:b, s:I}", "driver",
			 module_value(module), "path", text_value(&module->FullDllName), "base",
			 hex_value((uintptr_t)module->DllBase), "size",
			 (json_int_t)module->SizeOfImage, "imports", (int)event->driver.imports,
			 "missing", (int)event->driver.missing, "integrity",
			 (module->Flags & LDRP_IMAGE_INTEGRITY_FORCED) != 0, "duration_ns",
			 (json_int_t)event->driver.duration);
}

static json_t *driver_called(const struct rs_event *event)
{
	return json_pack("{s:o*, s:o, s:I}", "driver", module_value(event->driver.module), "status",
			 status_value(event->driver.status), "duration_ns",
			 (json_int_t)event->driver.duration);
}

static json_t *debug_print(const struct rs_event *event)
{
	return json_pack("{s:o*, s:I, s:I, s:o*}", "driver", module_value(event->print.module),
			 "component", (json_int_t)event->print.component, "level",
			 (json_int_t)event->print.level, "text", bytes_value(event->print.text));
}

static json_t *registration(const struct rs_event *event)
{
	json_t *types = event->registration.types ? json_array() : NULL;
	const char *type;
	for (unsigned bit = 0; types && (type = sink_type_of_bit(bit)); bit++)
		if (event->registration.types & 1u << bit)
			json_array_append_new(types, json_string(type));
	return json_pack("{s:o*, s:s, s:o*, s:o*, s:o*, s:o}", "driver",
			 module_value(event->registration.module), "routine",
			 event->registration.routine, "address",
			 address_value(event->registration.address), "altitude",
			 text_value(&event->registration.altitude), "types", types, "status",
			 status_value(event->registration.status));
}

static json_t *process_created(const struct rs_event *event)
{
	json_t *creator = json_pack("{s:I, s:I}", "process",
				    (json_int_t)(uintptr_t)event->created.creator.UniqueProcess,
				    "thread",
				    (json_int_t)(uintptr_t)event->created.creator.UniqueThread);
	return json_pack("{s:o*, s:o*, s:o*, s:o*, s:b, s:o, s:o*}", "process",
			 process_value(&event->created.process), "parent",
			 process_value(&event->created.parent), "command_line",
			 text_value(&event->created.command_line), "creator", creator, "subsystem",
			 event->created.subsystem, "status", status_value(event->created.status),
			 "vetoed_by", module_value(event->created.vetoed_by));
}

/* Linux's own words for the end of a live process: a status or a signal. */
static void add_wait_status(json_t *object, int status)
{
	if (WIFSIGNALED(status))
		json_object_set_new(object, "signal",
				    json_sprintf("SIG%s", sigabbrev_np(WTERMSIG(status)) ?: "?"));
	else
		json_object_set_new(object, "exit_status", json_integer(WEXITSTATUS(status)));
}

static json_t *process_exited(const struct rs_event *event)
{
	json_t *object = json_pack("{s:o*, s:o, s:I}", "process",
				   process_value(&event->exited.process), "status",
				   status_value(event->exited.status), "lifetime_ns",
				   (json_int_t)event->exited.lifetime);
	if (object && event->exited.process.host_id)
		add_wait_status(object, event->exited.host_status);
	return object;
}

static json_t *thread_created(const struct rs_event *event)
{
	return json_pack("{s:o*, s:I}", "process", process_value(&event->thread.process), "thread",
			 (json_int_t)event->thread.id);
}

static json_t *thread_exited(const struct rs_event *event)
{
	return json_pack("{s:o*, s:I, s:o}", "process", process_value(&event->thread.process),
			 "thread", (json_int_t)event->thread.id, "status",
			 status_value(event->thread.status));
}

static json_t *image_loaded(const struct rs_event *event)
{
	return json_pack("{s:o*, s:o*, s:o*, s:I}", "process", process_value(&event->image.process),
			 "name", text_value(&event->image.name), "base",
			 address_value(event->image.base), "size", (json_int_t)event->image.size);
}

static json_t *handle_operation(const struct rs_event *event)
{
	POBJECT_TYPE type = event->handle.type;
	ACCESS_MASK stripped = sink_stripped_rights(event);
	bool duplicate = event->handle.operation == OB_OPERATION_HANDLE_DUPLICATE;
	return json_pack("{s:s, s:s, s:o*, s:o*, s:o*, s:b, s:o, s:o, s:o*, s:o*, s:s*, s:o}",
			 "operation", duplicate ? "duplicate" : "create", "type",
			 sink_type_name(type), "caller", process_value(&event->handle.caller),
			 "target", process_value(&event->handle.target), "thread",
			 event->handle.thread_id ? json_integer((json_int_t)event->handle.thread_id)
						 : NULL,
			 "kernel_handle", event->handle.kernel_handle, "desired",
			 rights_value(type, event->handle.desired), "granted",
			 rights_value(type, event->handle.granted), "stripped",
			 stripped ? rights_value(type, stripped) : NULL, "stripped_by",
			 module_value(event->handle.stripped_by), "reason", event->handle.reason,
			 "status", status_value(event->handle.status));
}

static json_t *callback_returned(const struct rs_event *event)
{
	enum rs_callback_kind kind = event->callback.kind;
	json_t *object = json_pack("{s:s, s:o*, s:o*, s:I, s:I}", "kind", sink_kind_field(kind),
				   "driver", module_value(event->callback.module), "routine",
				   address_value(event->callback.routine), "duration_ns",
				   (json_int_t)event->callback.duration, "process_id",
				   (json_int_t)event->callback.process_id);
	if (!object)
		return NULL;
	if (sink_kind_has_phases(kind))
		json_object_set_new(object, "create", json_boolean(event->callback.create));
	if (event->callback.status_before != event->callback.status_after)
		json_object_set_new(object, "stored_status",
				    status_value(event->callback.status_after));
	if (kind == RS_OBJECT_PRE) {
		json_object_set_new(object, "access_before",
				    hex_value(event->callback.access_before));
		json_object_set_new(object, "access_after",
				    hex_value(event->callback.access_after));
	}
	return object;
}

/* Two hexadecimal digits a byte. */
static json_t *data_value(const UCHAR *bytes, SIZE_T size)
{
	char *text = malloc(2 * size + 1);
	if (!text)
		return NULL;
	for (SIZE_T i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	json_t *value = json_stringn(text, 2 * size);
	free(text);
	return value;
}

static json_t *device_request(const struct rs_event *event)
{
	bool ioctl = !strcmp(event->request.kind, "ioctl");
	return json_pack("{s:s, s:o*, s:o*, s:o, s:I, s:o*}", "kind", event->request.kind, "device",
			 bytes_value(event->request.device), "code",
			 ioctl ? hex_value(event->request.code) : NULL, "status",
			 status_value(event->request.status), "information",
			 (json_int_t)event->request.information, "data",
			 data_value(event->request.data, event->request.size));
}

static json_t *write_refused(const struct rs_event *event)
{
	return json_pack("{s:o*, s:o*}", "driver", module_value(event->write_refused.module),
			 "name", text_value(&event->write_refused.name));
}

static json_t *rule_broken(const struct rs_event *event)
{
	return json_pack("{s:o*, s:o*, s:s, s:o*}", "driver", module_value(event->rule.module),
			 "routine", address_value(event->rule.routine), "clause",
			 event->rule.clause, "text", bytes_value(event->rule.text));
}

static json_t *known_value(const char *text)
{
	return *text ? bytes_value(text) : NULL;
}

static json_t *stack_value(const struct rs_stack *stack, bool at_once)
{
	json_t *frames = json_array();
	struct ke_symbols symbols;
	ke_find_symbols(&symbols, stack, NULL, at_once);
	for (unsigned i = 0; i < stack->count; i++) {
		char name[128];
		ke_name_address(name, sizeof(name), stack->frame[i],
				i + 1 < stack->count ? stack->frame[i + 1] : NULL);
		json_array_append_new(
			frames, json_pack("{s:o, s:o*, s:b, s:o*, s:o*}", "address",
					  hex_value((uintptr_t)stack->frame[i]), "name",
					  bytes_value(name), "guessed", stack->guessed >> i & 1,
					  "function", known_value(symbols.place[i].function),
					  "source", known_value(symbols.place[i].source)));
	}
	return frames;
}

static json_t *callback_lasts(const struct rs_event *event)
{
	return json_pack("{s:o*, s:o*, s:I, s:I}", "driver", module_value(event->lasting.module),
			 "routine", address_value(event->lasting.routine), "duration_ns",
			 (json_int_t)event->lasting.duration, "pid",
			 (json_int_t)event->lasting.host_id);
}

static json_t *guid_value(const GUID *guid)
{
	char text[ETW_GUID_TEXT];
	if (!guid)
		return NULL;
	etw_guid_to_text(guid, text);
	return json_string(text);
}

/* A number that JSON readers would round stays text. */
static json_t *field_value(const struct rs_trace_field *field)
{
	long long number = field->is_number ? strtoll(field->value, NULL, 10) : INT64_MAX;
	return number < 1ll << 53 && number > -(1ll << 53) ? json_integer(number)
							   : bytes_value(field->value);
}

static json_t *fields_value(const struct rs_event *event)
{
	json_t *fields = event->trace.name ? json_array() : NULL;
	for (unsigned i = 0; fields && i < event->trace.field_count; i++) {
		const struct rs_trace_field *field = &event->trace.fields[i];
		json_array_append_new(fields,
				      json_pack("{s:o*, s:o*}", "name", bytes_value(field->name),
						"value", field_value(field)));
	}
	return fields;
}

static json_t *trace(const struct rs_event *event)
{
	const char *provider = event->trace.provider_name, *name = event->trace.name;
	return json_pack("{s:o*, s:o*, s:o*, s:o*, s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:o*, s:o*, "
			 "s:o*, s:o*}",
			 "driver", module_value(event->trace.module), "provider",
			 guid_value(&event->trace.provider), "provider_name",
			 provider ? bytes_value(provider) : NULL, "name",
			 name ? bytes_value(name) : NULL, "id", (int)event->trace.id, "version",
			 (int)event->trace.version, "channel", (int)event->trace.channel, "level",
			 (int)event->trace.level, "opcode", (int)event->trace.opcode, "task",
			 (int)event->trace.task, "keyword", hex_value(event->trace.keyword),
			 "activity", guid_value(event->trace.activity), "related_activity",
			 guid_value(event->trace.related), "fields", fields_value(event), "data",
			 name ? NULL : data_value(event->trace.data, event->trace.size));
}

static json_t *missing_called(const struct rs_event *event)
{
	return json_pack("{s:o*, s:o*, s:o*, s:o, s:o*}", "driver",
			 module_value(event->missing.module), "name",
			 bytes_value(event->missing.name), "address",
			 address_value(event->missing.address), "status",
			 status_value(event->missing.status), "stack",
			 stack_value(&event->missing.stack, true));
}

static json_t *bug_check(const struct rs_event *event)
{
	json_t *parameters = json_array();
	for (unsigned i = 0; i < 4; i++)
		json_array_append_new(parameters, hex_value(event->bug_check.parameter[i]));
	return json_pack("{s:o, s:s*, s:o, s:s*, s:o*, s:o*, s:s*, s:i, s:I, s:I, s:o}", "code",
			 hex_value(event->bug_check.code), "name", event->bug_check.name,
			 "parameters", parameters, "detail", event->bug_check.detail, "driver",
			 module_value(event->bug_check.module), "address",
			 address_value(event->bug_check.address), "callback",
			 event->bug_check.callback, "irql", (int)event->bug_check.irql,
			 "process_id", (json_int_t)event->bug_check.process_id, "thread_id",
			 (json_int_t)event->bug_check.thread_id, "stack",
			 stack_value(&event->bug_check.stack, false));
}

/* ---- Lines ------------------------------------------------------------------- */

static const struct {
	const char *name;
	json_t *(*value)(const struct rs_event *event);
} writers[RS_EVENT_TYPES] = {
	[RS_DRIVER_LOADED] = {"driver_loaded", driver_loaded},
	[RS_DRIVER_STARTED] = {"driver_started", driver_called},
	[RS_DRIVER_UNLOADED] = {"driver_unloaded", driver_called},
	[RS_DEBUG_PRINT] = {"debug_print", debug_print},
	[RS_REGISTERED] = {"registered", registration},
	[RS_UNREGISTERED] = {"unregistered", registration},
	[RS_PROCESS_CREATED] = {"process_created", process_created},
	[RS_PROCESS_EXITED] = {"process_exited", process_exited},
	[RS_THREAD_CREATED] = {"thread_created", thread_created},
	[RS_THREAD_EXITED] = {"thread_exited", thread_exited},
	[RS_IMAGE_LOADED] = {"image_loaded", image_loaded},
	[RS_HANDLE_OPERATION] = {"handle_operation", handle_operation},
	[RS_CALLBACK_RETURNED] = {"callback_returned", callback_returned},
	[RS_CALLBACK_LASTS] = {"callback_lasts", callback_lasts},
	[RS_DEVICE_REQUEST] = {"device_request", device_request},
	[RS_TRACE] = {"trace", trace},
	[RS_MISSING_CALLED] = {"missing_called", missing_called},
	[RS_WRITE_REFUSED] = {"write_refused", write_refused},
	[RS_RULE_BROKEN] = {"rule_broken", rule_broken},
	[RS_BUG_CHECK] = {"bug_check", bug_check},
};

static void write_line(struct sink *sink, const json_t *line)
{
	char *text = sink->buffer;
	size_t length = json_dumpb(line, text, SINK_BUFFER - 1, JSON_COMPACT);
	if (length >= SINK_BUFFER) {
		text = malloc(length + 1);
		length = text ? json_dumpb(line, text, length, JSON_COMPACT) : 0;
	}
	if (length) {
		text[length] = '\n';
		sink_write(sink, text, length + 1);
	} else {
		sink->missing++;
	}
	if (text != sink->buffer)
		free(text);
}

/* The name and the time come first in every line; takes the reference to `rest`. */
static void write_object(struct sink *sink, const char *name, json_t *time, json_t *rest)
{
	json_t *line = json_pack("{s:s, s:o*}", "event", name, "time", time);
	if (line && sink->missing)
		json_object_set_new(line, "missing_before",
				    json_integer((json_int_t)sink->missing));
	if (line && rest && json_object_update(line, rest) == 0) {
		sink->missing = 0;
		write_line(sink, line);
	} else {
		sink->missing++;
	}
	json_decref(line);
	json_decref(rest);
}

static void json_event(struct sink *sink, const struct rs_event *event)
{
	if (event->type == RS_MISSING_CALLED && !event->missing.first)
		return; /* the summary counts them: there may be very many */
	write_object(sink, writers[event->type].name, time_value(event->time),
		     writers[event->type].value(event));
}

static void json_begin(struct sink *sink, const struct sink_run *run)
{
	json_t *command = run->command ? json_array() : NULL;
	for (char *const *word = run->command; word && *word; word++)
		json_array_append_new(command, bytes_value(*word));
	write_object(sink, "run", time_value(sink->start),
		     json_pack("{s:i, s:s, s:s, s:s, s:o*}", "format", 1, "version", run->version,
			       "profile", run->profile, "present", run->present, "command",
			       command));
}

static json_t *callbacks_value(struct sink_callbacks *at)
{
	UNICODE_STRING driver = sink_name_string(&at->driver);
	json_t *object = json_pack(
		"{s:o*, s:s, s:I, s:I, s:b, s:I}", "driver", text_value(&driver), "kind",
		sink_kind_field(at->kind), "calls", (json_int_t)at->time.count, "median_ns",
		(json_int_t)sink_series_median(&at->time), "median_is_exact",
		sink_series_is_exact(&at->time), "longest_ns", (json_int_t)at->time.longest);
	if (object && sink_kind_has_phases(at->kind))
		json_object_set_new(object, "create", json_boolean(at->create));
	return object;
}

static json_t *missing_value(const struct sink_missing *missing)
{
	UNICODE_STRING driver = sink_name_string(&missing->driver);
	return json_pack("{s:o*, s:o*, s:I}", "driver", text_value(&driver), "name",
			 bytes_value(missing->name), "calls", (json_int_t)missing->calls);
}

static void json_end(struct sink *sink, const struct sink_outcome *outcome)
{
	const struct sink_tally *tally = &sink->tally;
	json_t *callbacks = json_array(), *missing = json_array(), *object;
	for (struct sink_callbacks *at = tally->callbacks; at; at = at->next)
		json_array_append_new(callbacks, callbacks_value(at));
	for (struct sink_missing *at = tally->missing; at; at = at->next)
		json_array_append_new(missing, missing_value(at));
	object = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o}", "processes",
			   (json_int_t)tally->processes, "vetoes", (json_int_t)tally->vetoes,
			   "exits", (json_int_t)tally->exits, "threads", (json_int_t)tally->threads,
			   "images", (json_int_t)tally->images, "handles",
			   (json_int_t)tally->handles, "stripped", (json_int_t)tally->stripped,
			   "rules_broken", (json_int_t)tally->rules, "bug_check", outcome->crashed,
			   "missing_called", missing, "callbacks", callbacks);
	if (object && outcome->ran) {
		add_wait_status(object, outcome->wait_status);
		json_object_set_new(object, "elapsed_ns",
				    json_integer((json_int_t)outcome->elapsed));
	}
	write_object(sink, "summary", NULL, object);
}

const struct sink_form sink_json = {json_begin, json_event, json_end};

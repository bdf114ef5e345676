/* SPDX-License-Identifier: MIT */
/*
 * Carrying requests out, as the control program of a driver would.
 *
 * The requester is a process of its own, silently there like one from before the drivers
 * were started. A device is opened at its first request and stays open, since drivers
 * keep state for a handle. Handles are asynchronous: a driver that keeps a request is
 * given PATIENCE, then the run goes on; at the end what still pends is cancelled.
 */
#include "cli/cli.h"
#include "cli/request.h"
#include "cli/request_port.h"
#include "ps/process.h"
#include "rtl/utf.h"
#include <ringside/io.h>
#include <ringside/ringside.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 1000 /* milliseconds */
#define PATIENCE_AT_END 200

/* In user memory, as it is the driver's to fill in at any time. */
struct exchange {
	IO_STATUS_BLOCK result;
	LARGE_INTEGER offset;
	char bytes[]; /* input, then output */
};

struct sent {
	const struct request *request;
	HANDLE device; /* NULL: could not be opened */
	bool owns;     /* the first with that device, which closes it */
	bool pending;
	struct exchange *exchange;
	size_t size;
	struct port_listener *listener; /* of a port that this one has opened, or NULL */
};

struct request_run {
	struct sink *sink;
	PEPROCESS process;
	PETHREAD thread;
	size_t count;
	struct sent sent[];
};

/* ---- The requester ------------------------------------------------------------------- */

static bool make_requester(struct request_run *run)
{
	char path[4096] = "ringside", name[4112];
	UNICODE_STRING image;
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (length > 0)
		path[length] = 0;
	snprintf(name, sizeof(name), "\\??\\Z:%s", path);
	for (char *at = name; *at; at++)
		*at = *at == '/' ? '\\' : *at;
	if (rtl_from_utf8(name, &image))
		return false;
	struct ps_process_spec spec = {.id = 100 * (ULONG64)getpid(),
				       .host_id = (ULONG64)getpid(),
				       .image = &image,
				       .native_image = &image,
				       .open_name_available = true,
				       .silent = true};
	NTSTATUS status = ps_create_process(&spec, &run->process);
	rtl_free_string(&image);
	return NT_SUCCESS(status) && NT_SUCCESS(rs_create_thread(run->process, &run->thread));
}

/* ---- Names --------------------------------------------------------------------------- */

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* \\.\X and X are \??\X; what begins with one backslash is a name of the kernel's. */
static bool native_name(const char *device, UNICODE_STRING *name)
{
	char text[1024];
	const char *rest = starts_with(device, "\\\\.\\") || starts_with(device, "\\\\?\\")
				   ? device + 4
				   : device;
	bool native = rest == device && device[0] == '\\';
	int length = snprintf(text, sizeof(text), "%s%s", native ? "" : "\\??\\", rest);
	return (size_t)length < sizeof(text) && rtl_from_utf8(text, name) == 0;
}

static NTSTATUS open_device(const char *device, HANDLE *handle)
{
	UNICODE_STRING name;
	IO_STATUS_BLOCK result;
	if (!native_name(device, &name))
		return STATUS_OBJECT_NAME_INVALID;
	OBJECT_ATTRIBUTES attributes = {sizeof(attributes),   NULL, &name,
					OBJ_CASE_INSENSITIVE, NULL, NULL};
	NTSTATUS status = NtCreateFile(handle, FILE_GENERIC_READ | FILE_GENERIC_WRITE, &attributes,
				       &result, NULL, 0, FILE_SHARE_READ | FILE_SHARE_WRITE,
				       FILE_OPEN, 0, NULL, 0);
	rtl_free_string(&name);
	return status;
}

/* ---- The report ------------------------------------------------------------------------- */

static void report(struct request_run *run, const struct sent *sent, NTSTATUS status)
{
	static const char *const kinds[] = {"ioctl", "read", "write", "port"};
	const struct request *request = sent->request;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	struct rs_event event = {.type = RS_DEVICE_REQUEST};
	event.time = (ULONG64)now.tv_sec * 1000000000u + (ULONG64)now.tv_nsec;
	event.request.kind = sent->device ? kinds[request->kind] : "open";
	event.request.device = request->device;
	event.request.code = request->code;
	event.request.status = status;
	if (sent->device && status != STATUS_PENDING && (ULONG)status >> 30 != 3) {
		SIZE_T room = request->kind == REQUEST_WRITE ? 0 : request->output_size;
		event.request.information = sent->exchange->result.Information;
		event.request.size = event.request.information < room ? event.request.information
								      : room;
		event.request.data = sent->exchange->bytes + request->input_size;
	}
	sink_hear(run->sink, &event);
}

/* ---- One request ------------------------------------------------------------------------ */

static NTSTATUS status_of(struct exchange *exchange)
{
	return __atomic_load_n(&exchange->result.Status, __ATOMIC_ACQUIRE);
}

static NTSTATUS wait_for(struct exchange *exchange, unsigned milliseconds)
{
	while (status_of(exchange) == STATUS_PENDING && milliseconds--)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return status_of(exchange);
}

static NTSTATUS issue(struct sent *sent)
{
	const struct request *request = sent->request;
	struct exchange *x = sent->exchange;
	ULONG in = (ULONG)request->input_size, out = (ULONG)request->output_size;
	char *input = in ? x->bytes : NULL, *output = out ? x->bytes + in : NULL;
	x->result.Status = STATUS_PENDING;
	switch (request->kind) {
	case REQUEST_READ:
		return NtReadFile(sent->device, NULL, NULL, NULL, &x->result, output, out,
				  &x->offset, NULL);
	case REQUEST_WRITE:
		return NtWriteFile(sent->device, NULL, NULL, NULL, &x->result, input, in,
				   &x->offset, NULL);
	case REQUEST_PORT:
		return port_send(sent->device, input, in, output, out, &x->result);
	default:
		return NtDeviceIoControlFile(sent->device, NULL, NULL, NULL, &x->result,
					     request->code, input, in, output, out);
	}
}

static bool prepare(struct sent *sent)
{
	const struct request *request = sent->request;
	sent->size = sizeof(*sent->exchange) + request->input_size + request->output_size;
	sent->exchange = rs_user_alloc(sent->size);
	if (sent->exchange && request->input_size)
		memcpy(sent->exchange->bytes, request->input, request->input_size);
	return sent->exchange != NULL;
}

static bool is_port(const struct sent *sent)
{
	return sent->request->kind == REQUEST_PORT;
}

/* The handle of an earlier request to the same device, or a new one. */
static NTSTATUS find_device(struct request_run *run, struct sent *sent)
{
	for (struct sent *before = run->sent; before < sent; before++)
		if (before->device && is_port(before) == is_port(sent) &&
		    !strcmp(before->request->device, sent->request->device)) {
			sent->device = before->device;
			return STATUS_SUCCESS;
		}
	const struct request *request = sent->request;
	const char *name = request->device;
	NTSTATUS status = is_port(sent) ? port_open(name, request->context,
						    (USHORT)request->context_size, &sent->device)
					: open_device(name, &sent->device);
	sent->owns = NT_SUCCESS(status);
	if (sent->owns && is_port(sent))
		sent->listener = port_listen(sent->device, name, run->sink);
	return status;
}

static void carry_out(struct request_run *run, struct sent *sent)
{
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	if (prepare(sent))
		status = find_device(run, sent);
	if (NT_SUCCESS(status)) {
		status = issue(sent);
		if (status == STATUS_PENDING)
			status = wait_for(sent->exchange, PATIENCE);
		sent->pending = status == STATUS_PENDING;
	}
	report(run, sent, status);
}

struct request_run *requests_begin(const struct requests *requests, struct sink *sink)
{
	if (!requests->count)
		return NULL;
	struct request_run *run = calloc(1, sizeof(*run) + requests->count * sizeof(run->sent[0]));
	if (!run || !make_requester(run)) {
		cli_complain("out of memory");
		free(run);
		return NULL;
	}
	run->sink = sink;
	PETHREAD before = rs_become(run->thread);
	for (size_t i = 0; i < requests->count; i++) {
		run->sent[i].request = &requests->all[i];
		run->count++;
		carry_out(run, &run->sent[i]);
	}
	rs_become(before);
	return run;
}

/* ---- The end ------------------------------------------------------------------------------- */

static void finish(struct request_run *run, struct sent *sent)
{
	IO_STATUS_BLOCK ignored;
	if (!sent->pending)
		return;
	if (status_of(sent->exchange) == STATUS_PENDING)
		NtCancelIoFileEx(sent->device, &sent->exchange->result, &ignored);
	NTSTATUS status = wait_for(sent->exchange, PATIENCE_AT_END);
	sent->pending = status == STATUS_PENDING;
	report(run, sent, status);
}

void requests_end(struct request_run *run)
{
	if (!run)
		return;
	PETHREAD before = rs_become(run->thread);
	for (size_t i = 0; i < run->count; i++)
		finish(run, &run->sent[i]);
	for (size_t i = 0; i < run->count; i++)
		if (run->sent[i].owns) {
			NtClose(run->sent[i].device);
			port_listener_end(run->sent[i].listener);
		}
	rs_become(before);
	rs_exit_process(run->process, STATUS_SUCCESS);
	rs_release(run->thread);
	rs_release(run->process);
	/* What a driver has not given back even now it may still write to. */
	for (size_t i = 0; i < run->count; i++)
		if (!run->sent[i].pending)
			rs_user_free(run->sent[i].exchange, run->sent[i].size);
	free(run);
}

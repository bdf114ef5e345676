/* SPDX-License-Identifier: MIT */
/* warden.sys on duty, for tests of it. */
#ifndef RINGSIDE_TEST_WARDEN_DUTY_H
#define RINGSIDE_TEST_WARDEN_DUTY_H

#include "ldr/module.h"
#include "ob/handle.h"
#include "ps/notify.h"
#include "ps/process.h"
#include "support/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARDEN TEST_BUILD "/drivers/warden.sys"
#define SHELL "\\??\\Z:\\bin\\sh"
#define GUARDED "\\??\\Z:\\usr\\bin\\guarded"
#define EXE "\\??\\C:\\tools\\miner.exe"

static struct rs_driver *warden;

/* What it printed, a line each, and what it registered and removed. */
static struct {
	char text[1 << 16];
	unsigned registered, unregistered, vetoes;
} said;

static inline bool is_warden(const KLDR_DATA_TABLE_ENTRY *entry)
{
	return warden && entry == &((struct ldr_module *)(void *)warden)->entry;
}

static inline void hear_warden(void *context, const struct rs_event *event)
{
	(void)context;
	size_t used = strlen(said.text);
	/* Not by module: a jump into DbgPrintEx looks like a call from the kernel, and the
	 * kernel is part of the module that this program has declared. */
	if (event->type == RS_DEBUG_PRINT && strncmp(event->print.text, "warden: ", 8) == 0)
		snprintf(said.text + used, sizeof(said.text) - used, "%s\n", event->print.text);
	else if (event->type == RS_REGISTERED && is_warden(event->registration.module))
		said.registered += NT_SUCCESS(event->registration.status);
	else if (event->type == RS_UNREGISTERED && is_warden(event->registration.module))
		said.unregistered += NT_SUCCESS(event->registration.status);
	else if (event->type == RS_PROCESS_CREATED && is_warden(event->created.vetoed_by))
		said.vetoes++;
}

static inline void assert_said(const char *line)
{
	if (!strstr(said.text, line))
		fail_msg("expected \"%s\" in:\n%s", line, said.text);
}

static inline void set_list(const char *name, const char *const *values, size_t count)
{
	assert_int_equal(rs_set_parameter(warden, name, values, count), 0);
}
#define SET(name, ...)                                                                             \
	set_list(name, (const char *const[]){__VA_ARGS__},                                         \
		 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* Loaded and heard, not yet started. */
static inline void load_warden(void)
{
	struct rs_error error = {""};
	memset(&said, 0, sizeof(said));
	assert_int_equal(rs_listen(hear_warden, NULL), 0);
	warden = rs_load(WARDEN, &error);
	if (!warden)
		fail_msg("%s", error.text);
}

static inline int on_duty(void **state)
{
	world_documented(state);
	load_warden();
	SET("DenyImages", "xxd", "miner.exe");
	SET("ProtectImages", "guarded");
	assert_ntsuccess(rs_start(warden));
	return 0;
}

static inline void unload_warden(void)
{
	assert_ntsuccess(rs_unload(warden));
	warden = NULL;
}

static inline int off_duty(void **state)
{
	rs_become(NULL);
	if (warden)
		unload_warden();
	rs_unlisten(hear_warden, NULL);
	return world_end(state);
}

#define DUTY_TEST(name) cmocka_unit_test_setup_teardown(name, on_duty, off_duty)

/* Tries to create a process of that image. */
static inline NTSTATUS try_start(const struct rs_process_spec *spec)
{
	PEPROCESS process;
	PETHREAD thread;
	NTSTATUS status = rs_create_user_process(spec, &process, &thread, NULL, NULL);
	if (NT_SUCCESS(status)) {
		struct actor actor = {process, thread};
		rs_run_thread(thread);
		actor_end(&actor);
	}
	return status;
}

static inline NTSTATUS try_image(const char *image)
{
	return try_start(&(struct rs_process_spec){.image = image});
}

/* The rights of a handle of the current process, which is closed. */
static inline ACCESS_MASK rights_of(HANDLE handle)
{
	struct ob_handle found;
	PEPROCESS process = PsGetCurrentProcess();
	assert_ntsuccess(ob_resolve_handle(process, handle, KernelMode, &found));
	rs_release(found.object);
	assert_ntsuccess(ob_close_handle(process, handle, KernelMode));
	return found.granted;
}

static inline HANDLE open_process(PEPROCESS process, ACCESS_MASK access)
{
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes)};
	CLIENT_ID id = {.UniqueProcess = PsGetProcessId(process)};
	HANDLE handle = NULL;
	assert_ntsuccess(NtOpenProcess(&handle, access, &attributes, &id));
	return handle;
}

static inline HANDLE open_thread(PETHREAD thread, ACCESS_MASK access)
{
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes)};
	CLIENT_ID id = {.UniqueThread = PsGetThreadId(thread)};
	HANDLE handle = NULL;
	assert_ntsuccess(NtOpenThread(&handle, access, &attributes, &id));
	return handle;
}

#endif

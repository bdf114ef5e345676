/* SPDX-License-Identifier: MIT */
/*
 * The kernel's boot order, and the part of <ringside/ringside.h> that makes
 * processes, threads and images happen.
 *
 * Boot is a list of steps, undone in reverse; each leaves nothing behind when it
 * fails. Every other part of the kernel may rely on those above it in the list.
 */
#include "cm/filter.h"
#include "etw/provider.h"
#include "ex/callback.h"
#include "ex/callbackobject.h"
#include "ex/pool.h"
#include "ex/restraint.h"
#include "ex/timerobject.h"
#include "ex/workitem.h"
#include "flt/flt.h"
#include "io/device.h"
#include "ke/boot.h"
#include "ke/bugcheck.h"
#include "ke/dpc.h"
#include "ke/helper.h"
#include "ke/symbol.h"
#include "ldr/bind.h"
#include "memory.h"
#include "mm/physical.h"
#include "mm/section.h"
#include "ob/callbacks.h"
#include "ob/directory.h"
#include "ps/notify.h"
#include "ps/process.h"
#include "rtl/utf.h"
#include "switches.h"
#include <errno.h>
#include <ringside/ringside.h>
#include <stdio.h>
#include <string.h>

/* Below is what simulated user memory may use; all of this process is above. */
#define KERNEL_BEGIN 0x500000000000ull

/* A position-independent program, its heap and its stacks lie above the line by
 * Linux's own layout; anything else would show drivers kernel pointers that look
 * like user pointers. */
static int check_layout(void)
{
	int on_stack;
	void *on_heap = host_alloc(1);
	bool above = (uintptr_t)&on_stack >= KERNEL_BEGIN && (uintptr_t)on_heap >= KERNEL_BEGIN &&
		     (uintptr_t)&ke_switches >= KERNEL_BEGIN;
	bool allocated = on_heap != NULL;
	host_free(on_heap);
	return above ? 0 : allocated ? -ENOTSUP : -ENOMEM;
}

static void nothing(void)
{
}

static void shut_memory(void)
{
	mm_shutdown_contiguous();
	ex_shutdown_pool();
}

/* The kernel's own host threads: none has to be started, all have to end before
 * anything that drivers use goes. */
static int start_no_threads(void)
{
	return 0;
}

static void wake_threads(void)
{
	ke_wake_dpc_thread();
	ex_wake_workers();
}

static void stop_threads(void)
{
	ke_stop_helpers(wake_threads);
	ob_delete_deferred();
}

static void shut_callbacks(void)
{
	cm_shutdown_callbacks();
	ex_shutdown_callback_objects();
	ob_shutdown_callbacks();
	ps_shutdown_notify();
	ex_shutdown_restraint();
	etw_shutdown();
	ex_shutdown_timers();
}

static const struct {
	int (*boot)(void);
	void (*shutdown)(void);
} steps[] = {
	{check_layout, shut_memory},
	{ex_boot_callbacks, nothing},
	{ob_boot_types, ob_shutdown_types},
	{ob_boot_namespace, ob_shutdown_namespace},
	{ex_boot_callback_objects, nothing},
	{ps_boot, ps_shutdown},
	{ke_boot, ke_shutdown},
	{ldr_boot, ldr_shutdown},
	{cm_boot, cm_shutdown},
	{io_boot, io_shutdown},
	{mm_boot_sections, mm_forget_all_views},
	{flt_boot, flt_shutdown},
	{ex_boot_callbacks, shut_callbacks},
	{start_no_threads, stop_threads},
};
#define STEPS (sizeof steps / sizeof steps[0])

static bool booted;

static void set_switches(const struct rs_options *options)
{
	bool observed = options && options->profile == RS_OBSERVED;
	unsigned mask = options ? options->switch_mask : 0;
	unsigned values = options ? options->switch_values : 0;
#define SET(number, field, documented, seen, text)                                                 \
	ke_switches.field = mask >> number & 1 ? values >> number & 1                              \
			    : observed         ? seen                                              \
					       : documented;
	RINGSIDE_SWITCH_LIST(SET)
#undef SET
}

/* The first `count` steps, backwards. */
static void shut_down(size_t count)
{
	while (count--)
		steps[count].shutdown();
	host_free_late();
}

int rs_boot(const struct rs_options *options)
{
	if (booted)
		return -EALREADY;
	set_switches(options);
	ke_uses_symbols = options && options->symbols;
	ldr_set_missing(options ? options->missing : RS_MISSING_BUG_CHECK,
			options ? options->missing_status : STATUS_SUCCESS);
	for (size_t i = 0; i < STEPS; i++) {
		int error = steps[i].boot();
		if (!error)
			continue;
		shut_down(i);
		return error;
	}
	booted = true;
	return 0;
}

void rs_shutdown(void)
{
	if (!booted)
		return;
	shut_down(STEPS);
	booted = false;
}

bool rs_crashed(void)
{
	return ke_crashed();
}

bool rs_guard(void (*fn)(void *), void *argument)
{
	return ke_guard(fn, argument);
}

/* ---- Processes and threads ---------------------------------------------------------- */

static NTSTATUS optional_from_utf8(const char *text, UNICODE_STRING *string)
{
	*string = (UNICODE_STRING){0};
	if (!text)
		return STATUS_SUCCESS;
	int error = rtl_from_utf8(text, string);
	return error == -ENAMETOOLONG ? STATUS_NAME_TOO_LONG
	       : error                ? STATUS_INSUFFICIENT_RESOURCES
				      : STATUS_SUCCESS;
}

NTSTATUS rs_create_process(const struct rs_process_spec *spec, PEPROCESS *process)
{
	UNICODE_STRING image, command_line = {0};
	NTSTATUS status = optional_from_utf8(spec->image, &image);
	if (NT_SUCCESS(status))
		status = optional_from_utf8(spec->command_line, &command_line);
	if (NT_SUCCESS(status))
		status = ps_create_process(
			&(struct ps_process_spec){
				.parent = spec->parent,
				.inherit_handles = !spec->without_inheritance,
				.image = &image,
				.native_image = &image,
				.command_line = &command_line,
				.open_name_available = image.Length != 0,
				.subsystem = spec->subsystem,
			},
			process);
	rtl_free_string(&image);
	rtl_free_string(&command_line);
	return status;
}

NTSTATUS rs_create_thread(PEPROCESS process, PETHREAD *thread)
{
	return ps_create_thread(&(struct ps_thread_spec){.process = process}, thread);
}

NTSTATUS rs_create_user_process(const struct rs_process_spec *spec, PEPROCESS *process,
				PETHREAD *thread, PHANDLE process_handle, PHANDLE thread_handle)
{
	PEPROCESS made;
	PETHREAD first;
	NTSTATUS status = rs_create_process(spec, &made);
	if (!NT_SUCCESS(status))
		return status;
	status = rs_create_thread(made, &first);
	if (!NT_SUCCESS(status)) {
		ob_dereference(made);
		return status;
	}
	status = ps_open_created(made, first, process_handle, thread_handle);
	if (!NT_SUCCESS(status)) {
		ps_exit_process(made, status, 0);
		ob_dereference(first);
		ob_dereference(made);
		return status;
	}
	*process = made;
	*thread = first;
	return STATUS_SUCCESS;
}

void rs_run_thread(PETHREAD thread)
{
	ps_thread_starts(thread);
}

void rs_exit_thread(PETHREAD thread, NTSTATUS status)
{
	ps_exit_thread(thread, status);
}

void rs_exit_process(PEPROCESS process, NTSTATUS status)
{
	ps_exit_process(process, status, 0);
}

void rs_release(void *object)
{
	ob_dereference(object);
}

PETHREAD rs_become(PETHREAD thread)
{
	return ke_switch_thread(thread);
}

void rs_deny_access(PEPROCESS process, ACCESS_MASK denied)
{
	process->denied_access = denied;
}

NTSTATUS rs_map_image(const struct rs_image_spec *spec)
{
	UNICODE_STRING name;
	NTSTATUS status = optional_from_utf8(spec->name, &name);
	if (!NT_SUCCESS(status))
		return status;
	ps_load_image(&(struct ps_image){
		.process = spec->process,
		.name = spec->name ? &name : NULL,
		.base = spec->base,
		.size = spec->size,
		.foreign_architecture = spec->foreign_architecture,
		.no_execute = spec->no_execute,
		.special_apcs_off = spec->special_apcs_off,
	});
	rtl_free_string(&name);
	return STATUS_SUCCESS;
}

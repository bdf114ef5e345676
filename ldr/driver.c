/* SPDX-License-Identifier: MIT */
/*
 * A loaded image's life as a driver: DriverEntry, DriverUnload, and what may be
 * left after it.
 *
 * A driver's object exists from just before DriverEntry until just after
 * DriverUnload. Both run at PASSIVE_LEVEL on a thread of the System process,
 * outside any critical region, with no lock of the kernel held. One thread at a
 * time starts or unloads a given driver; that is the embedding program's duty, as
 * it is the service manager's on NT. Clauses: PS-21, VF-17, VF-18, VF-19.
 */
#include "ldr/driver.h"
#include "ldr/bind.h"
#include "clock.h"
#include "cm/filter.h"
#include "ex/callbackobject.h"
#include "ex/event.h"
#include "ex/pool.h"
#include "ex/timerobject.h"
#include "ex/workitem.h"
#include "flt/flt.h"
#include "io/device.h"
#include "io/driver.h"
#include "ke/bugcheck.h"
#include "ke/callout.h"
#include "ke/dpc.h"
#include "ke/timer.h"
#include "ldr/kernel.h"
#include "memory.h"
#include "ob/callbacks.h"
#include "ps/notify.h"
#include "ps/systemthread.h"
#include "rtl/utf.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SERVICES "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services\\"
#define SERVICE_KERNEL_DRIVER 1
#define SERVICE_DEMAND_START 3
#define SERVICE_ERROR_NORMAL 1

struct service {
	UNICODE_STRING path; /* what DriverEntry gets as its RegistryPath */
	UNICODE_STRING name; /* its last component */
};

/* ---- Calling --------------------------------------------------------------------------- */

struct call {
	struct ke_callout callout;
	PKTHREAD before;
	uint64_t began;
};

/* Unlike notification routines, these two are not called in a critical region. */
static void begin_call(struct call *call, const char *what, const void *routine)
{
	call->before = ke_switch_thread(NULL);
	ke_callout_begin(&call->callout, what, routine, PASSIVE_LEVEL);
	ke_thread_of(ke_current_thread())->kernel_apc_disable++;
	call->began = host_clock();
}

/* Returns how long it took. */
static uint64_t end_call(struct call *call)
{
	uint64_t duration = host_clock() - call->began;
	ke_thread_of(ke_current_thread())->kernel_apc_disable--;
	ke_callout_end(&call->callout, PASSIVE_LEVEL);
	ke_switch_thread(call->before);
	return duration;
}

static void tell(enum rs_event_type type, struct ldr_module *module, NTSTATUS status,
		 uint64_t duration)
{
	struct rs_event event = {.type = type};
	event.driver.module = &module->entry;
	event.driver.imports = module->imports;
	event.driver.missing = module->missing;
	event.driver.status = status;
	event.driver.duration = duration;
	ex_tell(&event);
}

/* ---- What the service manager would have written ------------------------------------------ */

static bool name_service(const struct ldr_module *module, struct service *service)
{
	size_t length = strlen(module->name), prefix = sizeof(SERVICES) - 1;
	if (length > 4 && strcasecmp(module->name + length - 4, ".sys") == 0)
		length -= 4;
	char *text = host_alloc(prefix + length + 1);
	if (!text)
		return false;
	memcpy(text, SERVICES, prefix);
	memcpy(text + prefix, module->name, length);
	bool made = rtl_from_utf8(text, &service->path) == 0;
	host_free(text);
	if (!made)
		return false;
	service->name = service->path;
	service->name.Buffer += prefix;
	service->name.Length -= prefix * sizeof(WCHAR);
	service->name.MaximumLength -= prefix * sizeof(WCHAR);
	return true;
}

static NTSTATUS set_number(const struct service *service, const WCHAR *name, USHORT length,
			   ULONG value)
{
	UNICODE_STRING value_name = {length, length, (PWSTR)(uintptr_t)name};
	return cm_set_value(&service->path, &value_name, REG_DWORD, &value, sizeof(value));
}

#define SET_NUMBER(service, name, value)                                                           \
	set_number(service, u"" name, sizeof(u"" name) - sizeof(WCHAR), value)

static bool is_minifilter(const struct ldr_module *module)
{
	const struct ldr_load_imports *imports = module->entry.LoadedImports;
	for (SIZE_T i = 0; imports && i < imports->count; i++)
		if (imports->module[i] == ldr_kernel_image(EXPORT_FLTMGR))
			return true;
	return false;
}

static NTSTATUS write_service_key(const struct service *service, const struct ldr_module *module)
{
	UNICODE_STRING name = {sizeof(u"ImagePath") - sizeof(WCHAR), sizeof(u"ImagePath"),
			       (PWSTR)(uintptr_t)u"ImagePath"};
	const UNICODE_STRING *path = &module->entry.FullDllName;
	NTSTATUS status = SET_NUMBER(service, "Type", SERVICE_KERNEL_DRIVER);
	if (NT_SUCCESS(status))
		status = SET_NUMBER(service, "Start", SERVICE_DEMAND_START);
	if (NT_SUCCESS(status))
		status = SET_NUMBER(service, "ErrorControl", SERVICE_ERROR_NORMAL);
	if (NT_SUCCESS(status))
		status = cm_set_value(&service->path, &name, REG_EXPAND_SZ, path->Buffer,
				      path->Length + (ULONG)sizeof(WCHAR));
	if (NT_SUCCESS(status) && is_minifilter(module))
		status = flt_write_default_instance(&service->path);
	return status;
}

/* ---- What it left behind ------------------------------------------------------------------ */

static void blame_registration(const struct ldr_module *module, const char *kind,
			       const void *routine)
{
	/* On NT nothing happens until the next event, which jumps into the void: the
	 * parameters are those of that fault. */
	struct ke_bug_check what = {
		.code = (ULONG)KE_DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS,
		.parameter = {(ULONG64)routine, 8, (ULONG64)routine, 0},
		.address = routine,
	};
	ke_bug_check(&what, "%s left %s routine %s+0x%llx registered", module->name, kind,
		     module->name,
		     (unsigned long long)((uintptr_t)routine - (uintptr_t)module->entry.DllBase));
}

static void found_notify_routine(void *context, const void *routine)
{
	blame_registration(context, "its notify", routine);
}

static void found_object_callback(void *context, const void *routine)
{
	blame_registration(context, "its object callback", routine);
}

static void found_registry_callback(void *context, const void *routine)
{
	blame_registration(context, "its registry callback", routine);
}

static void found_minifilter(void *context, const void *routine)
{
	blame_registration(context, "its minifilter with", routine);
}

static void found_timer_or_dpc(const struct ldr_module *module, ULONG kind, const void *object,
			       const void *routine)
{
	const void *base = module->entry.DllBase;
	struct ke_bug_check what = {
		.code = (ULONG)KE_TIMER_OR_DPC_INVALID,
		.parameter = {kind, (uintptr_t)object, (uintptr_t)base,
			      (uintptr_t)base + module->entry.SizeOfImage},
		.address = routine,
	};
	ke_bug_check(&what, "%s left a %s behind", module->name,
		     kind ? "queued DPC" : "timer that is set");
}

/* What would run its code later, or does so now. The parameters of 0xCE are those of the
 * fault that would follow. */
static void check_to_run_later(const struct ldr_module *module)
{
	const void *base = module->entry.DllBase, *found, *dpc;
	SIZE_T size = module->entry.SizeOfImage;
	if ((found = ke_find_timer(base, size)) || (found = ex_find_timer(base, size)))
		found_timer_or_dpc(module, 0, found, NULL);
	if ((found = ke_find_dpc(base, size, &dpc)))
		found_timer_or_dpc(module, 1, dpc, found);
	found = ex_find_callback(base, size);
	if (found)
		blame_registration(module, "its callback object's", found);
	const char *kind = "a system thread";
	found = ps_find_system_thread(base, size);
	if (!found) {
		kind = "a work item";
		found = ex_find_work(base, size);
	}
	if (!found)
		return;
	struct ke_bug_check what = {
		.code = (ULONG)KE_DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS,
		.parameter = {(ULONG64)found, 8, (ULONG64)found, 0},
		.address = found,
	};
	ke_bug_check(&what, "%s left %s behind that runs %s+0x%llx", module->name, kind,
		     module->name, (unsigned long long)((uintptr_t)found - (uintptr_t)base));
}

/* The code is about to go away, or the driver has said that it failed. */
static void check_left_behind(struct ldr_module *module)
{
	const void *base = module->entry.DllBase;
	SIZE_T size = module->entry.SizeOfImage;
	ps_find_registrations(base, size, found_notify_routine, module);
	ob_find_registrations(base, size, found_object_callback, module);
	cm_find_callbacks(base, size, found_registry_callback, module);
	flt_find_registrations(base, size, found_minifilter, module);
	check_to_run_later(module);
	ob_check_types(module->entry.EntryPoint);
	ex_check_pool_at_unload(base, size, &module->entry.BaseDllName);
}

/* ---- Kernel DLLs -------------------------------------------------------------------------- */

typedef NTSTATUS NTAPI dll_initialize(PUNICODE_STRING RegistryPath);
typedef NTSTATUS NTAPI dll_unload(void);

static void *find_export(const struct ldr_module *module, const char *name, bool *imported)
{
	ldr_lock();
	void *found = ldr_export_by_name(module, name);
	*imported = module->entry.LoadCount > 1;
	ldr_unlock();
	return found;
}

static NTSTATUS start_dll(struct ldr_module *module, dll_initialize *initialize,
			  struct service *service)
{
	struct call call;
	begin_call(&call, "DllInitialize", (const void *)initialize);
	NTSTATUS status = initialize(&service->path);
	uint64_t duration = end_call(&call);
	module->is_dll = NT_SUCCESS(status);
	if (!module->is_dll)
		check_left_behind(module);
	tell(RS_DRIVER_STARTED, module, status, duration);
	return status;
}

static NTSTATUS unload_dll(struct ldr_module *module)
{
	bool imported;
	dll_unload *unload = (dll_unload *)find_export(module, "DllUnload", &imported);
	struct call call;
	if (imported)
		return STATUS_DEVICE_BUSY;
	if (!unload)
		return STATUS_INVALID_DEVICE_REQUEST;
	begin_call(&call, "DllUnload", (const void *)unload);
	NTSTATUS status = unload();
	uint64_t duration = end_call(&call);
	if (!NT_SUCCESS(status))
		return status;
	check_left_behind(module);
	module->is_dll = false;
	tell(RS_DRIVER_UNLOADED, module, STATUS_SUCCESS, duration);
	ldr_discard(module);
	return STATUS_SUCCESS;
}

/* ---- The interface ------------------------------------------------------------------------ */

static NTSTATUS call_entry(struct ldr_module *module, struct service *service)
{
	PDRIVER_INITIALIZE entry = (PDRIVER_INITIALIZE)module->entry.EntryPoint;
	struct call call;
	begin_call(&call, "DriverEntry", module->entry.EntryPoint);
	NTSTATUS status = entry(module->driver, &service->path);
	uint64_t duration = end_call(&call);
	if (!NT_SUCCESS(status)) {
		check_left_behind(module);
		io_delete_driver(module->driver);
		module->driver = NULL;
	} else {
		io_driver_started(module->driver);
	}
	tell(RS_DRIVER_STARTED, module, status, duration);
	return status;
}

static NTSTATUS start_driver(struct ldr_module *module, struct service *service)
{
	if (!module->entry.EntryPoint)
		return STATUS_INVALID_IMAGE_FORMAT;
	module->driver = io_create_driver(&service->name, &module->entry,
					  (PDRIVER_INITIALIZE)module->entry.EntryPoint);
	return module->driver ? call_entry(module, service) : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS ldr_start(struct ldr_module *module)
{
	struct service service;
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	bool imported;
	if (module->driver || module->is_dll)
		return STATUS_IMAGE_ALREADY_LOADED;
	dll_initialize *initialize = (dll_initialize *)find_export(module, "DllInitialize",
								   &imported);
	if (!name_service(module, &service))
		return status;
	if (!NT_SUCCESS(write_service_key(&service, module)))
		status = STATUS_INSUFFICIENT_RESOURCES;
	else if (initialize && imported)
		status = start_dll(module, initialize, &service);
	else
		status = start_driver(module, &service);
	/* NT too promises RegistryPath only for the length of the call. */
	rtl_free_string(&service.path);
	return status;
}

NTSTATUS ldr_unload(struct ldr_module *module)
{
	PDRIVER_OBJECT driver = module->driver;
	struct call call;
	if (module->is_dll)
		return unload_dll(module);
	if (!driver || (!driver->DriverUnload && !flt_may_unload(driver)))
		return STATUS_INVALID_DEVICE_REQUEST;
	/* NT would wait for the last file to be closed. */
	if (io_driver_is_in_use(driver))
		return STATUS_DEVICE_BUSY;
	begin_call(&call, "DriverUnload", (const void *)driver->DriverUnload);
	NTSTATUS status = flt_unload(driver);
	if (NT_SUCCESS(status) && driver->DriverUnload)
		driver->DriverUnload(driver);
	uint64_t duration = end_call(&call);
	if (!NT_SUCCESS(status))
		return status;
	check_left_behind(module);
	io_delete_driver(driver);
	module->driver = NULL;
	tell(RS_DRIVER_UNLOADED, module, STATUS_SUCCESS, duration);
	ldr_discard(module);
	return STATUS_SUCCESS;
}

void ldr_discard(struct ldr_module *module)
{
	ldr_lock_for_change();
	ldr_release_module(module);
	ldr_unlock_after_change();
}

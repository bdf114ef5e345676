/* SPDX-License-Identifier: MIT */
/*
 * The life of processes and threads.
 *
 * A process object comes into being silently and is announced when its first
 * thread is inserted, on the inserting thread (PS-34 to PS-37); a driver's veto
 * ends it there. It ends with its last thread, on that thread (PS-56, PS-57).
 *
 * REFERENCES: a thread holds one on its process; a thread that has not ended holds
 * one on itself. The list of all processes and the id table hold none: the objects
 * leave both when they are deleted.
 *
 * LOCKS: process->lock protects the thread list, the counters, the flags and the
 * handle table; list_lock the list of all processes. Neither is held during a dispatch.
 *
 * Clauses: PS-34 to PS-38, PS-44 to PS-49, PS-52 to PS-61, PS-69, PS-84, C-3 to C-5.
 */
#include "ps/process.h"
#include "clock.h"
#include "ex/event.h"
#include "ke/apc.h"
#include "ke/bugcheck.h"
#include "ke/mutex.h"
#include "ldr/module.h"
#include "mm/virtual.h"
#include "ob/handle.h"
#include "ps/cid.h"
#include "ps/file.h"
#include "ps/notify.h"
#include "rtl/utf.h"
#include "switches.h"
#include <errno.h>
#include <string.h>

PEPROCESS PsInitialSystemProcess;
PETHREAD ps_system_thread;

static LIST_ENTRY all_processes = {&all_processes, &all_processes};
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;

static void link_last(LIST_ENTRY *list, LIST_ENTRY *entry)
{
	entry->Flink = list;
	entry->Blink = list->Blink;
	list->Blink->Flink = entry;
	list->Blink = entry;
}

static void unlink_entry(LIST_ENTRY *entry)
{
	entry->Blink->Flink = entry->Flink;
	entry->Flink->Blink = entry->Blink;
}

/* ---- Objects -------------------------------------------------------------------- */

static void delete_process(void *body)
{
	PEPROCESS process = body;
	ULONG threads = atomic_load_explicit(&process->thread_objects, memory_order_acquire);
	if (threads) /* each holds a reference: somebody gave away one that was not his (VF-13) */
		KE_BUG_CHECK(KE_REFERENCE_BY_POINTER, (uintptr_t)PsProcessType, (uintptr_t)process,
			     threads, 0,
			     "process %llu was dereferenced more often than referenced: %u of its "
			     "threads still refer to it",
			     (unsigned long long)process->id, threads);
	pthread_mutex_lock(&list_lock);
	if (process->all_link.Flink)
		unlink_entry(&process->all_link);
	pthread_mutex_unlock(&list_lock);
	if (process->id)
		ps_free_id(process->id);
	ob_close_all_handles(process);
	mm_forget_process(process);
	if (process->token)
		ob_dereference(process->token);
	rtl_free_string(&process->image);
	rtl_free_string(&process->native_image);
	rtl_free_string(&process->command_line);
	pthread_mutex_destroy(&process->lock);
}

static void delete_thread(void *body)
{
	PETHREAD thread = body;
	if (thread->id)
		ps_free_id(thread->id);
	atomic_fetch_sub_explicit(&thread->process->thread_objects, 1, memory_order_release);
	ob_dereference(thread->process);
}

/* Counted, as drivers are shown it (PS-47): behind the text comes what is no text, so
 * that a driver which looks for a terminating NUL does not work by luck. */
static bool copy_optional(PCUNICODE_STRING from, UNICODE_STRING *to)
{
	static const WCHAR behind[] = {0xFFFF, 0};
	if (!from || !from->Buffer)
		return true;
	WCHAR *buffer = host_alloc(from->Length + sizeof behind);
	if (!buffer)
		return false;
	memcpy(buffer, from->Buffer, from->Length);
	memcpy(buffer + from->Length / sizeof(WCHAR), behind, sizeof behind);
	*to = (UNICODE_STRING){from->Length, from->Length, buffer};
	return true;
}

/* The last component, cut to 14 characters, as PsGetProcessImageFileName has it. */
static void set_short_name(PEPROCESS process)
{
	UNICODE_STRING name = process->image;
	for (USHORT i = 0; i < process->image.Length / 2; i++)
		if (process->image.Buffer[i] == '\\' || process->image.Buffer[i] == '/') {
			name.Buffer = process->image.Buffer + i + 1;
			name.Length = process->image.Length - (USHORT)(2 * (i + 1));
		}
	if (name.Length)
		rtl_to_utf8(process->short_name, sizeof process->short_name, &name);
}

/* As Windows makes it: the boot in the upper 16 bits (the shared page's BootId), and a
 * number that counts processes. Every run is a boot with the same id here, so the number
 * begins where the clock stands: 2,400 processes a second would be too many. */
static ULONG64 next_start_key(void)
{
	static _Atomic ULONG64 last;
	ULONG64 unused = 0;
	atomic_compare_exchange_strong(&last, &unused, (ULONG64)host_nt_time() >> 12);
	return 1ull << 48 | (atomic_fetch_add(&last, 1) + 1);
}

static bool fill_process(PEPROCESS process, const struct ps_process_spec *spec)
{
	process->parent_id = spec->parent ? spec->parent->id : 0;
	process->told_parent_id = spec->inherit_handles || ke_switches.parent_always_told
					  ? process->parent_id
					  : 0;
	process->host_id = spec->host_id;
	process->create_time.QuadPart = (LONGLONG)host_nt_time();
	process->created_at = host_clock();
	process->start_key = next_start_key();
	process->open_name_available = spec->open_name_available;
	process->subsystem = spec->subsystem;
	process->silent = spec->silent;
	process->host_context = spec->host_context;
	process->host_ops = spec->host_ops;
	process->session = 1;
	if (!copy_optional(spec->image, &process->image) ||
	    !copy_optional(spec->native_image, &process->native_image) ||
	    !copy_optional(spec->command_line, &process->command_line))
		return false;
	set_short_name(process);
	process->id = ps_take_id(process, spec->id);
	return process->id != 0;
}

NTSTATUS ps_create_process(const struct ps_process_spec *spec, PEPROCESS *made)
{
	PEPROCESS process = ob_create(PsProcessType, sizeof *process);
	if (!process)
		return STATUS_INSUFFICIENT_RESOURCES;
	ke_init_header(&process->header, KE_PROCESS, sizeof *process, 0);
	pthread_mutex_init(&process->lock, NULL);
	process->threads.Flink = process->threads.Blink = &process->threads;
	if (!fill_process(process, spec) ||
	    (spec->parent && spec->inherit_handles &&
	     !NT_SUCCESS(ob_inherit_handles(spec->parent, process)))) {
		ob_dereference(process);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	pthread_mutex_lock(&list_lock);
	link_last(&all_processes, &process->all_link);
	pthread_mutex_unlock(&list_lock);
	*made = process;
	return STATUS_SUCCESS;
}

static PETHREAD new_thread(const struct ps_thread_spec *spec)
{
	PETHREAD thread = ob_create(PsThreadType, sizeof *thread);
	if (!thread)
		return NULL;
	ke_init_thread(&thread->ke);
	ob_reference(spec->process);
	thread->process = thread->ke.process = spec->process;
	atomic_fetch_add_explicit(&spec->process->thread_objects, 1, memory_order_relaxed);
	thread->ke.previous_mode = spec->system ? KernelMode : UserMode;
	thread->host_id = spec->host_id;
	thread->system = spec->system;
	thread->start_address = spec->start_address;
	thread->host_context = spec->host_context;
	thread->create_time.QuadPart = (LONGLONG)host_nt_time();
	thread->id = ps_take_id(thread, spec->id);
	if (thread->id)
		return thread;
	ob_dereference(thread);
	return NULL;
}

/* Puts a thread among the living. Sets `initial` for the first one ever. */
static NTSTATUS insert_thread(PEPROCESS process, PETHREAD thread)
{
	NTSTATUS status = STATUS_PROCESS_IS_TERMINATING;
	pthread_mutex_lock(&process->lock);
	if (!process->exiting) {
		status = STATUS_SUCCESS;
		thread->initial = !process->had_thread;
		process->had_thread = true;
		process->live_threads++;
		link_last(&process->threads, &thread->process_link);
		ob_reference(thread);
	}
	pthread_mutex_unlock(&process->lock);
	return status;
}

/* Takes it from the living. Returns whether it was the last, which from then on
 * nothing can join. */
static bool remove_thread(PEPROCESS process, PETHREAD thread)
{
	pthread_mutex_lock(&process->lock);
	unlink_entry(&thread->process_link);
	bool last = --process->live_threads == 0;
	if (last)
		process->exiting = true;
	pthread_mutex_unlock(&process->lock);
	return last;
}

/* ---- Creation ---------------------------------------------------------------------- */

static void tell_created(PEPROCESS process, const PS_CREATE_NOTIFY_INFO *info,
			 const KLDR_DATA_TABLE_ENTRY *vetoed_by)
{
	if (!ex_heard())
		return;
	PEPROCESS parent = ps_find_process(process->parent_id);
	struct rs_event event = {.type = RS_PROCESS_CREATED};
	ps_name(process, &event.created.process);
	ps_name(parent, &event.created.parent);
	event.created.command_line = process->command_line;
	event.created.creator = info->CreatingThreadId;
	event.created.subsystem = process->subsystem;
	event.created.status = info->CreationStatus;
	event.created.vetoed_by = vetoed_by;
	ex_tell(&event);
	if (parent)
		ob_dereference(parent);
}

/* The creation dispatch, on the current thread; returns the verdict. The file object
 * and the information die with it (PS-40): both are overwritten, so that a driver
 * that kept a pointer finds nothing it could mistake for data (VF-22). */
static NTSTATUS announce(PEPROCESS process)
{
	PETHREAD creator = ke_current_thread();
	FILE_OBJECT *file = NULL;
	if (process->native_image.Length) {
		file = ps_create_file_object(&process->native_image);
		if (!file)
			return STATUS_INSUFFICIENT_RESOURCES;
	}
	UNICODE_STRING image = process->image, command_line = process->command_line;
	PS_CREATE_NOTIFY_INFO info = {
		.Size = sizeof info,
		.FileOpenNameAvailable = process->open_name_available,
		.IsSubsystemProcess = process->subsystem,
		.ParentProcessId = (HANDLE)process->told_parent_id,
		.CreatingThreadId = {(HANDLE)creator->process->id, (HANDLE)creator->id},
		.FileObject = file,
		.ImageFileName = image.Buffer ? &image : NULL,
		.CommandLine = command_line.Buffer ? &command_line : NULL,
	};
	const KLDR_DATA_TABLE_ENTRY *vetoed_by = NULL;
	ps_notify_process_create(process, &info, &vetoed_by);
	process->created_notified = true;
	NTSTATUS status = info.CreationStatus;
	tell_created(process, &info, vetoed_by);
	memset(&info, 0xDD, sizeof info);
	memset(&image, 0xDD, sizeof image);
	memset(&command_line, 0xDD, sizeof command_line);
	__asm__ volatile("" : : "r"(&info), "r"(&image), "r"(&command_line) : "memory");
	if (file)
		ob_dereference(file);
	return status;
}

static void end_process(PEPROCESS process, NTSTATUS status);

/* PS-54: the vetoed process ends on its initial thread, which never ran and of
 * which no thread routine hears. */
static void end_vetoed(PETHREAD thread, NTSTATUS status)
{
	PEPROCESS process = thread->process;
	thread->exiting = true;
	process->vetoed = true;
	PETHREAD before = ke_switch_thread(thread);
	if (remove_thread(process, thread))
		end_process(process, status);
	ke_switch_thread(before);
	ke_signal_end(&thread->ke.header);
	ob_dereference(thread);
}

static void tell_thread(enum rs_event_type type, PETHREAD thread)
{
	if (!ex_heard())
		return;
	struct rs_event event = {.type = type};
	ps_name(thread->process, &event.thread.process);
	event.thread.id = thread->id;
	event.thread.status = thread->exit_status;
	ex_tell(&event);
}

NTSTATUS ps_create_thread(const struct ps_thread_spec *spec, PETHREAD *made)
{
	PETHREAD thread = new_thread(spec);
	if (!thread)
		return STATUS_INSUFFICIENT_RESOURCES;
	NTSTATUS status = insert_thread(spec->process, thread);
	if (NT_SUCCESS(status) && thread->initial && !spec->process->silent) {
		status = announce(spec->process);
		if (!NT_SUCCESS(status))
			end_vetoed(thread, status);
	}
	if (!NT_SUCCESS(status)) {
		ob_dereference(thread);
		return status;
	}
	if (!spec->process->silent) {
		ps_notify_thread_create(thread);
		tell_thread(RS_THREAD_CREATED, thread);
	}
	*made = thread;
	return STATUS_SUCCESS;
}

void ps_thread_starts(PETHREAD thread)
{
	PETHREAD before = ke_switch_thread(thread);
	if (!thread->non_system_notified && !thread->system && !thread->process->silent) {
		thread->non_system_notified = true;
		ps_notify_thread_starts(thread);
	}
	ke_switch_thread(before);
}

/* ---- End ------------------------------------------------------------------------------ */

static bool exit_is_told(PEPROCESS process)
{
	if (process->silent)
		return false;
	if (!process->had_thread)
		return !ke_switches.threadless_exit_silent; /* C-4 */
	if (!process->created_notified) /* its creation failed before the dispatch */
		return false;
	return !process->vetoed || !ke_switches.vetoed_exit_silent; /* C-5 */
}

static void tell_exited(PEPROCESS process)
{
	if (!ex_heard())
		return;
	struct rs_event event = {.type = RS_PROCESS_EXITED};
	ps_name(process, &event.exited.process);
	event.exited.status = process->exit_status;
	event.exited.host_status = process->host_status;
	event.exited.lifetime = host_clock() - process->created_at;
	ex_tell(&event);
}

/* On the last thread, current and no longer among the living. */
static void end_process(PEPROCESS process, NTSTATUS status)
{
	if (process->critical)
		KE_BUG_CHECK(KE_CRITICAL_PROCESS_DIED, (uintptr_t)process, 0, 0, 0,
			     "process %llu, which a driver made critical, has ended",
			     (unsigned long long)process->id);
	process->exit_status = status;
	process->exit_time.QuadPart = (LONGLONG)host_nt_time();
	if (exit_is_told(process)) {
		process->exit_notified = true;
		ps_notify_process_exit(process);
		tell_exited(process);
	}
	ob_close_all_handles(process);
	ke_signal_end(&process->header);
}

void ps_exit_thread(PETHREAD thread, NTSTATUS status)
{
	PEPROCESS process = thread->process;
	KE_ASSERT(!thread->exiting);
	thread->exit_status = status;
	thread->exit_time.QuadPart = (LONGLONG)host_nt_time();
	/* Others look without a lock (systemthread.c). */
	__atomic_store_n(&thread->exiting, true, __ATOMIC_RELEASE);
	PETHREAD before = ke_switch_thread(thread);
	if (!process->silent) {
		ps_notify_thread_exit(thread);
		tell_thread(RS_THREAD_EXITED, thread);
	}
	ke_check_no_mutex_held(&thread->ke);
	ke_run_down_apcs(&thread->ke);
	if (remove_thread(process, thread))
		end_process(process, status);
	ke_switch_thread(before);
	ke_signal_end(&thread->ke.header);
	ob_dereference(thread);
}

/* A living thread, referenced; NULL when there is none. */
static PETHREAD any_thread(PEPROCESS process)
{
	PETHREAD thread = NULL;
	pthread_mutex_lock(&process->lock);
	if (process->threads.Flink != &process->threads) {
		thread = (PETHREAD)((char *)process->threads.Flink -
				    offsetof(struct _ETHREAD, process_link));
		ob_reference(thread);
	}
	pthread_mutex_unlock(&process->lock);
	return thread;
}

void ps_exit_process(PEPROCESS process, NTSTATUS status, int host_status)
{
	PETHREAD thread;
	process->host_status = host_status;
	while ((thread = any_thread(process))) {
		ps_exit_thread(thread, status);
		ob_dereference(thread);
	}
	pthread_mutex_lock(&process->lock);
	bool never_ran = !process->had_thread && !process->exiting;
	if (never_ran)
		process->exiting = true;
	pthread_mutex_unlock(&process->lock);
	if (never_ran)
		end_process(process, status);
}

void ps_load_image(const struct ps_image *image)
{
	if (!image->no_execute) /* PS-80 */
		ps_notify_image(image);
	if (!ex_heard())
		return;
	struct rs_event event = {.type = RS_IMAGE_LOADED};
	ps_name(image->process, &event.image.process);
	if (image->name)
		event.image.name = *image->name;
	event.image.base = image->base;
	event.image.size = image->size;
	ex_tell(&event);
}

/* ---- Finding --------------------------------------------------------------------------- */

PEPROCESS ps_find_process(ULONG64 id)
{
	return ps_find_id(id, PsProcessType);
}

PETHREAD ps_find_thread(ULONG64 id)
{
	return ps_find_id(id, PsThreadType);
}

void ps_name(PEPROCESS process, struct rs_process_name *name)
{
	*name = (struct rs_process_name){0};
	if (!process)
		return;
	name->object = process;
	name->id = process->id;
	name->host_id = process->host_id;
	name->image = process->image;
}

/* The first living process at or behind `link`, referenced. Under list_lock. */
static PEPROCESS living_from(LIST_ENTRY *link)
{
	for (; link != &all_processes; link = link->Flink) {
		PEPROCESS process = (PEPROCESS)((char *)link -
						offsetof(struct _EPROCESS, all_link));
		if (!process->exiting && ob_reference_unless_dead(process))
			return process;
	}
	return NULL;
}

void ps_visit_processes(bool (*visit)(PEPROCESS, void *context), void *context)
{
	pthread_mutex_lock(&list_lock);
	PEPROCESS process = living_from(all_processes.Flink);
	pthread_mutex_unlock(&list_lock);
	while (process) {
		bool more = visit(process, context);
		pthread_mutex_lock(&list_lock);
		PEPROCESS next = more ? living_from(process->all_link.Flink) : NULL;
		pthread_mutex_unlock(&list_lock);
		ob_dereference(process);
		process = next;
	}
}

/* ---- Boot ------------------------------------------------------------------------------- */

/* A thread for a host thread that nobody claims: it is not of the simulated world, so
 * nobody is told. */
static PKTHREAD make_own_thread(void)
{
	struct ps_thread_spec spec = {.process = PsInitialSystemProcess, .system = true};
	PETHREAD thread = new_thread(&spec);
	if (!thread)
		return NULL;
	insert_thread(PsInitialSystemProcess, thread);
	return thread;
}

static void release_own_thread(PKTHREAD thread)
{
	thread->exiting = true;
	remove_thread(thread->process, thread);
	ob_dereference(thread); /* as a living thread */
	ob_dereference(thread);
}

int ps_boot(void)
{
	static const UNICODE_STRING name = {12, 14, (PWSTR)(uintptr_t)u"System"};
	PsProcessType->delete_body = delete_process;
	PsThreadType->delete_body = delete_thread;
	struct ps_process_spec process = {.id = 4, .image = &name, .silent = true};
	if (!NT_SUCCESS(ps_create_process(&process, &PsInitialSystemProcess))) {
		ps_shutdown_ids();
		return -ENOMEM;
	}
	PsInitialSystemProcess->system = true;
	PsInitialSystemProcess->session = 0;
	struct ps_thread_spec thread = {.process = PsInitialSystemProcess, .id = 8, .system = true};
	if (NT_SUCCESS(ps_create_thread(&thread, &ps_system_thread))) {
		ke_make_own_thread = make_own_thread;
		ke_release_own_thread = release_own_thread;
		ke_claim_own_threads();
		PsInitialSystemProcess->silent = false; /* its later threads are told of */
		return 0;
	}
	ob_dereference(PsInitialSystemProcess);
	PsInitialSystemProcess = NULL;
	ps_shutdown_ids();
	return -ENOMEM;
}

/* Nobody runs any more: objects that somebody still holds stay with them, the rest
 * goes. */
void ps_shutdown(void)
{
	if (!ps_system_thread)
		return;
	ke_drop_own_threads();
	ob_close_all_handles(PsInitialSystemProcess);
	remove_thread(PsInitialSystemProcess, ps_system_thread);
	ob_dereference(ps_system_thread); /* as a living thread */
	ob_dereference(ps_system_thread); /* ours */
	ob_dereference(PsInitialSystemProcess);
	ps_system_thread = NULL;
	PsInitialSystemProcess = NULL;
	ps_shutdown_ids();
}

/* SPDX-License-Identifier: MIT */
/*
 * Processes and threads.
 *
 * A process object is made first and is silent; the creation dispatch comes when
 * its first thread is inserted (PS-34, PS-35), the exit dispatch when its last
 * thread has ended (PS-56). Both run in the context that the contract names.
 * Objects outlive their end while somebody holds a reference; ids live as long as
 * the object.
 */
#ifndef RINGSIDE_PS_PROCESS_H
#define RINGSIDE_PS_PROCESS_H

#include "ke/thread.h"
#include "ob/object.h"
#include <pthread.h>
#include <ringside/event.h>
#include <ringside/nt.h>

struct ob_handle_table;
struct ps_host_ops;

struct _EPROCESS {
	DISPATCHER_HEADER header; /* signalled when the process has ended */

	/* Fixed once the object exists. */
	ULONG64 id, parent_id;  /* parent_id: whom it inherited from, 0 if nobody */
	ULONG64 told_parent_id; /* what notify routines are told (PS-45) */
	ULONG64 host_id;        /* Linux pid, 0 if not live */
	LARGE_INTEGER create_time;
	ULONG64 created_at;          /* host_clock() */
	ULONG64 start_key;           /* never that of another process, in another run either */
	UNICODE_STRING image;        /* as opened: \??\Z:\usr\bin\sleep */
	UNICODE_STRING native_image; /* as located: \Device\HarddiskVolume1\usr\bin\sleep */
	UNICODE_STRING command_line; /* Buffer NULL when not available (PS-46) */
	CHAR short_name[15];         /* PsGetProcessImageFileName: last component, cut */
	bool open_name_available, subsystem, silent, system;
	bool wow64;                /* 32-bit user code */
	ACCESS_MASK denied_access; /* what security refuses to user-mode openers (OB-30) */
	ULONG session;
	ULONG_PTR inherited_from;
	void *host_context;                 /* the source's own */
	const struct ps_host_ops *host_ops; /* NULL: it lives in this program (host.h) */

	/* Under `lock`. */
	pthread_mutex_t lock;
	LIST_ENTRY threads; /* _ETHREAD.process_link, of live threads */
	ULONG live_threads;
	bool had_thread, created_notified, exiting, exit_notified, vetoed;
	struct ob_handle_table *handles;
	_Atomic ULONG thread_objects; /* each has a reference; without the lock */
	LIST_ENTRY all_link;          /* every process object in creation order; ps_list_lock */

	/* Written by the exiting thread before exit_notified. */
	NTSTATUS exit_status;
	int host_status;
	LARGE_INTEGER exit_time;

	/* Attributes that exports report and set. */
	PVOID peb, section_base;
	PVOID token, job; /* token: under `lock`, referenced, made when first asked for */
	bool critical;    /* its end is the system's (bug check 0xEF) */
	KPROCESSOR_MODE reserved_mode;
	UCHAR protection, signature_level;
};

struct _ETHREAD {
	struct ke_thread ke; /* first: a PKTHREAD is the same pointer */
	ULONG64 id;
	ULONG64 host_id;   /* Linux tid, 0 if not live */
	PEPROCESS process; /* referenced */
	bool system, initial, exiting, non_system_notified;
	NTSTATUS exit_status;
	PVOID start_address;
	LARGE_INTEGER create_time, exit_time;
	void *host_context;
	LIST_ENTRY process_link; /* process->lock */
};

extern PEPROCESS PsInitialSystemProcess; /* id 4, exported data */
extern PETHREAD ps_system_thread;        /* its first thread, current on unclaimed host threads */

struct ps_process_spec {
	PEPROCESS parent;     /* inherited from; NULL: none */
	bool inherit_handles; /* C-3: false hides the parent id (PS-45) */
	ULONG64 id;           /* wish, or 0; taken when free, otherwise the next free + 8*n */
	ULONG64 host_id;
	PCUNICODE_STRING image, native_image, command_line; /* copied; command_line may be NULL */
	bool open_name_available; /* image is exactly the name used for the open (PS-42) */
	bool subsystem;           /* pico: only Ex2 routines see it (PS-33) */
	bool silent;              /* a clone: no notification of it or its threads (PS-55) */
	void *host_context;
	const struct ps_host_ops *host_ops; /* of a process outside of this program, or NULL */
};

/* Makes a process object without threads; no notification (PS-35). One reference
 * for the caller. Errors: INSUFFICIENT_RESOURCES. */
NTSTATUS ps_create_process(const struct ps_process_spec *spec, PEPROCESS *process);

struct ps_thread_spec {
	PEPROCESS process;
	ULONG64 id; /* wish, or 0 */
	ULONG64 host_id;
	PVOID start_address;
	bool system;
	void *host_context;
};

/*
 * Inserts a thread, on the creating thread, which must be current: for the first
 * one of a process the creation dispatch, which may veto (the status is returned,
 * the thread ends, the exit dispatch follows per C-5), then the thread-create
 * dispatch. One reference for the caller.
 * Errors: the veto, PROCESS_IS_TERMINATING, INSUFFICIENT_RESOURCES.
 */
NTSTATUS ps_create_thread(const struct ps_thread_spec *spec, PETHREAD *thread);

/*
 * The two handles that the creator of a process gets, in the current process's table:
 * the object callbacks for them come after the creation dispatches (PS-84). A NULL
 * pointer skips that handle. On failure no handle is left open.
 */
NTSTATUS ps_open_created(PEPROCESS process, PETHREAD thread, PHANDLE process_handle,
			 PHANDLE thread_handle);

/* The thread starts to run: on the new thread, current (PS-70, PS-71). */
void ps_thread_starts(PETHREAD thread);

/* The thread ends, and is current meanwhile. The last of a process also ends the
 * process, with `status` as its exit status: thread-exit, then process-exit
 * dispatch (PS-58). The caller keeps its reference. */
void ps_exit_thread(PETHREAD thread, NTSTATUS status);

/* Ends a process that has live threads (each on itself, the last with the exit
 * dispatch) or never had one (PS-60). host_status is for the listeners. */
void ps_exit_process(PEPROCESS process, NTSTATUS status, int host_status);

/* Tells the image routines of an image mapped by the current process (user) or of
 * a driver (process NULL). */
struct ps_image {
	PEPROCESS process;
	PCUNICODE_STRING name; /* may be NULL */
	PVOID base;
	SIZE_T size;
	struct _FILE_OBJECT *file; /* for IMAGE_INFO_EX, or NULL */
	bool foreign_architecture, no_execute, special_apcs_off;
};
void ps_load_image(const struct ps_image *image);

/* The object with that id, referenced, or NULL. */
PEPROCESS ps_find_process(ULONG64 id);
PETHREAD ps_find_thread(ULONG64 id);

/* Calls `visit` for every process that has not ended, referenced during the call,
 * in order of creation; false stops. */
void ps_visit_processes(bool (*visit)(PEPROCESS, void *context), void *context);

/* How events name it; NULL gives an empty one. */
void ps_name(PEPROCESS process, struct rs_process_name *name);

int ps_boot(void); /* 0 or -ENOMEM */
void ps_shutdown(void);

/* Exports. */
PEPROCESS NTAPI PsGetCurrentProcess(void);
HANDLE NTAPI PsGetCurrentProcessId(void);
HANDLE NTAPI PsGetCurrentThreadId(void);
HANDLE NTAPI PsGetProcessId(PEPROCESS Process);
HANDLE NTAPI PsGetThreadId(PETHREAD Thread);
HANDLE NTAPI PsGetThreadProcessId(PETHREAD Thread);
PEPROCESS NTAPI PsGetThreadProcess(PETHREAD Thread);
PEPROCESS NTAPI IoThreadToProcess(PETHREAD Thread);
HANDLE NTAPI PsGetProcessInheritedFromUniqueProcessId(PEPROCESS Process);
PCHAR NTAPI PsGetProcessImageFileName(PEPROCESS Process);
LONGLONG NTAPI PsGetProcessCreateTimeQuadPart(PEPROCESS Process);
NTSTATUS NTAPI PsGetProcessExitStatus(PEPROCESS Process);
NTSTATUS NTAPI PsLookupProcessByProcessId(HANDLE ProcessId, PEPROCESS *Process);
NTSTATUS NTAPI PsLookupThreadByThreadId(HANDLE ThreadId, PETHREAD *Thread);
BOOLEAN NTAPI PsIsSystemThread(PETHREAD Thread);
NTSTATUS NTAPI SeLocateProcessImageName(PEPROCESS Process, PUNICODE_STRING *ImageFileName);
NTSTATUS NTAPI NtOpenProcess(PHANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
			     POBJECT_ATTRIBUTES ObjectAttributes, PCLIENT_ID ClientId);
NTSTATUS NTAPI ZwOpenProcess(PHANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
			     POBJECT_ATTRIBUTES ObjectAttributes, PCLIENT_ID ClientId);
NTSTATUS NTAPI NtOpenThread(PHANDLE ThreadHandle, ACCESS_MASK DesiredAccess,
			    POBJECT_ATTRIBUTES ObjectAttributes, PCLIENT_ID ClientId);
NTSTATUS NTAPI ZwOpenThread(PHANDLE ThreadHandle, ACCESS_MASK DesiredAccess,
			    POBJECT_ATTRIBUTES ObjectAttributes, PCLIENT_ID ClientId);

#endif

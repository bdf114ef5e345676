/* SPDX-License-Identifier: MIT */
/*
 * What happens in the kernel, told as it happens.
 *
 * A listener gets every event on the host thread on which it happened, at the
 * moment it happened, with no lock of the kernel held. The event and all that
 * it points to belong to the kernel and are valid only during the call; a
 * listener copies what it keeps. Events can arrive on several threads at once.
 * A listener must not call back into the kernel.
 */
#ifndef RINGSIDE_EVENT_H
#define RINGSIDE_EVENT_H

#include <ringside/nt.h>
#include <stdbool.h>

/* Which table a registration is in, and so which callback type it has. */
enum rs_callback_kind {
	RS_PROCESS_LEGACY,    /* PsSetCreateProcessNotifyRoutine */
	RS_PROCESS_EX,        /* ...Ex */
	RS_PROCESS_EX2,       /* ...Ex2, PsCreateProcessNotifySubsystems */
	RS_THREAD,            /* PsSetCreateThreadNotifyRoutine */
	RS_THREAD_NON_SYSTEM, /* ...Ex, PsCreateThreadNotifyNonSystem */
	RS_THREAD_SUBSYSTEMS, /* ...Ex, PsCreateThreadNotifySubsystems */
	RS_IMAGE,             /* PsSetLoadImageNotifyRoutine(Ex) */
	RS_OBJECT_PRE,        /* ObRegisterCallbacks, PreOperation */
	RS_OBJECT_POST,       /* ObRegisterCallbacks, PostOperation */
	RS_REGISTRY,          /* CmRegisterCallback(Ex), pre and post */
	RS_FILE_PRE,          /* FltRegisterFilter, PreOperation */
	RS_FILE_POST,         /* FltRegisterFilter, PostOperation */
	RS_CALLBACK_KINDS
};

enum rs_event_type {
	RS_DRIVER_LOADED,     /* the image is mapped and bound, not yet called */
	RS_DRIVER_STARTED,    /* DriverEntry returned */
	RS_DRIVER_UNLOADED,   /* DriverUnload returned, the image is gone */
	RS_DEBUG_PRINT,       /* DbgPrint and its relatives */
	RS_REGISTERED,        /* a call that registers callbacks returned */
	RS_UNREGISTERED,      /* a call that removes callbacks returned */
	RS_PROCESS_CREATED,   /* after the last create routine; status may be a veto */
	RS_PROCESS_EXITED,    /* after the last exit routine */
	RS_THREAD_CREATED,    /* after the last thread-create routine */
	RS_THREAD_EXITED,     /* after the last thread-exit routine */
	RS_IMAGE_LOADED,      /* after the last image routine */
	RS_HANDLE_OPERATION,  /* a handle to a process, thread or desktop was made or refused */
	RS_CALLBACK_RETURNED, /* one callback of one driver returned */
	RS_CALLBACK_LASTS,    /* a routine of a driver has been running for a long time */
	RS_DEVICE_REQUEST,    /* a request that the command line asked for has an answer */
	RS_TRACE,             /* a driver wrote an event of a provider that rs_trace enabled */
	RS_MISSING_CALLED,    /* a driver called an import that is not here, and got a status */
	RS_WRITE_REFUSED,     /* a file was to be changed below a folder that may only be read */
	RS_RULE_BROKEN,       /* a driver broke a rule that Windows lets pass; it goes on */
	RS_BUG_CHECK, /* a driver broke a rule or faulted; nothing follows from the kernel */
	RS_EVENT_TYPES
};

#define RS_REASON_CREATED "created it"

/* A process as people name it. Strings may have Length 0, never a NULL Buffer
 * with a Length. */
struct rs_process_name {
	PEPROCESS object;
	ULONG64 id;           /* the NT process id */
	ULONG64 host_id;      /* the Linux pid, or 0 for a process that is not live */
	UNICODE_STRING image; /* as it was opened */
};

/* One field of an event that describes itself. UTF-8 of the driver's choice, not checked. */
struct rs_trace_field {
	const char *name;  /* "Size", "Range.Begin", "Parts[2].Name" */
	const char *value; /* text; "[1, 2, 3]" of an array */
	bool is_number;    /* the value is a decimal integer */
};

struct rs_stack {
	unsigned count;
	const void *frame[32]; /* return addresses, innermost first */
	ULONG guessed; /* bit n: frame n was found by scanning the stack, not by unwinding */
};

struct rs_event {
	enum rs_event_type type;
	ULONG64 time; /* nanoseconds of CLOCK_REALTIME */
	union {
		struct {
			const KLDR_DATA_TABLE_ENTRY *module;
			unsigned imports, missing; /* bound, and bound to a trap */
			NTSTATUS status;           /* of DriverEntry (RS_DRIVER_STARTED) */
			ULONG64 duration;          /* ns: map and bind, DriverEntry, DriverUnload */
		} driver;
		struct {
			const KLDR_DATA_TABLE_ENTRY *module; /* of the caller, or NULL */
			ULONG component, level;
			const char *text; /* UTF-8, as printed, without a trailing newline */
		} print;
		struct {
			const KLDR_DATA_TABLE_ENTRY *module; /* whose routine ran, or NULL */
			UNICODE_STRING name; /* of the file, on the volume: \etc\passwd */
			bool allowed;        /* elsewhere: it is a loaded driver's own file */
		} write_refused;
		struct {
			const char *routine; /* the call: "ObRegisterCallbacks" */
			const KLDR_DATA_TABLE_ENTRY *module;
			const void *address; /* the routine, or the object registration handle */
			UNICODE_STRING altitude; /* object and registry callbacks, minifilters */
			unsigned types; /* object callbacks: bit 0 process, 1 thread, 2 desktop */
			NTSTATUS status;
		} registration;
		struct {
			struct rs_process_name process, parent;
			UNICODE_STRING command_line;
			CLIENT_ID creator;
			bool subsystem;
			NTSTATUS status; /* CreationStatus as the last routine left it */
			const KLDR_DATA_TABLE_ENTRY *vetoed_by; /* who stored it, or NULL */
		} created;
		struct {
			struct rs_process_name process;
			NTSTATUS status;  /* NT exit status */
			int host_status;  /* as waitpid(2) gives it, for a live process */
			ULONG64 lifetime; /* ns since creation */
		} exited;
		struct {
			struct rs_process_name process;
			ULONG64 id;
			NTSTATUS status; /* exit status (RS_THREAD_EXITED) */
		} thread;
		struct {
			struct rs_process_name process; /* object NULL for a driver image */
			UNICODE_STRING name;
			const void *base;
			ULONG64 size;
		} image;
		struct {
			OB_OPERATION operation;
			POBJECT_TYPE type;
			struct rs_process_name caller, target; /* of a thread: its process */
			ULONG64 thread_id;                     /* target thread, or 0 */
			bool kernel_handle;
			ACCESS_MASK desired, granted;
			NTSTATUS status;
			/* What the caller did ("kill(SIGKILL)"); RS_REASON_CREATED for the
			 * handles that come with a process's creation; or NULL. */
			const char *reason;
			const KLDR_DATA_TABLE_ENTRY *stripped_by; /* first that took a right */
		} handle;
		struct {
			enum rs_callback_kind kind;
			const KLDR_DATA_TABLE_ENTRY *module;
			const void *routine;
			ULONG64 duration;                        /* ns */
			bool create;                             /* Ps kinds: creation, not exit */
			NTSTATUS status_before, status_after;    /* process creation */
			ACCESS_MASK access_before, access_after; /* object pre */
			ULONG64 process_id;                      /* the process it was told about */
		} callback;
		struct {
			const KLDR_DATA_TABLE_ENTRY *module;
			const void *routine;
			ULONG64 duration; /* ns, until now */
			ULONG64 host_id;  /* the Linux pid of whom it was called for */
		} lasting;
		struct {
			/* "open" (which failed), "ioctl", "read", "write", "port"; "message": a
			 * minifilter's own, through its port */
			const char *kind;
			const char *device; /* or port, as it was given */
			ULONG code;         /* of an ioctl */
			NTSTATUS status;    /* STATUS_PENDING: the driver keeps it */
			ULONG64 information;
			const void *data; /* the output */
			SIZE_T size;
		} request;
		struct {
			const KLDR_DATA_TABLE_ENTRY *module; /* that wrote it, or NULL */
			GUID provider;
			const char *provider_name; /* or NULL; as it describes itself */
			USHORT id, task;
			UCHAR version, channel, level, opcode;
			ULONG64 keyword;
			const GUID *activity, *related; /* or NULL */
			/* Its name and fields, if it describes itself (TraceLogging) and all of
			 * it could be read; else NULL and none. */
			const char *name;
			const struct rs_trace_field *fields;
			unsigned field_count;
			const void *data; /* the payload */
			SIZE_T size;
		} trace;
		struct {
			const char *name;                    /* "ntoskrnl.exe!ExFoo" */
			const KLDR_DATA_TABLE_ENTRY *module; /* that imports it */
			const void *address; /* in it, behind the call; NULL after a tail call */
			NTSTATUS status;     /* what the call returned */
			bool first;          /* from this place; only then is there a stack */
			struct rs_stack stack;
		} missing;
		struct {
			const char *clause; /* "VF-24" */
			const char *text;   /* what the driver did, in a sentence */
			const KLDR_DATA_TABLE_ENTRY *module;
			const void *routine;
		} rule;
		struct {
			ULONG code;
			ULONG64 parameter[4];
			const char *name;                    /* "DRIVER_IRQL_NOT_LESS_OR_EQUAL" */
			const char *detail;                  /* what happened, in a sentence */
			const KLDR_DATA_TABLE_ENTRY *module; /* to blame, or NULL */
			const void *address;                 /* in it, or NULL */
			const char *callback; /* the routine kind it was inside, or NULL */
			KIRQL irql;
			ULONG64 process_id, thread_id; /* current at the time */
			ULONG64 host_id;               /* Linux pid of that process, or 0 */
			struct rs_stack stack;
		} bug_check;
	};
};

typedef void rs_listener(void *context, const struct rs_event *event);

/*
 * Adds a listener; it hears everything from now on. At most 8.
 * Returns 0, or -ENOSPC. PASSIVE_LEVEL; not while events are under way on
 * other threads.
 */
int rs_listen(rs_listener *listener, void *context);

/* Takes away what rs_listen added. Same conditions. */
void rs_unlisten(rs_listener *listener, void *context);

#endif

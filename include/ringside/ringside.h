/* SPDX-License-Identifier: MIT */
/*
 * Ringside: the NT kernel's process, thread, image and object callbacks as a
 * library.
 *
 * One process holds one kernel. Boot it, load drivers or register callbacks from
 * C, make things happen, listen (<ringside/event.h>), shut it down:
 *
 *	rs_boot(NULL);
 *	struct rs_driver *driver = rs_load("warden.sys", &error);
 *	rs_start(driver);
 *	...
 *	rs_unload(driver);
 *	rs_shutdown();
 *
 * Everything that NT names has NT's name and is called as a driver would call it
 * (PsSetCreateProcessNotifyRoutineEx2, ObRegisterCallbacks, NtOpenProcess, ...);
 * what only an embedding program can do begins with rs_.
 *
 * Unless a function says otherwise it is called at PASSIVE_LEVEL from any thread.
 */
#ifndef RINGSIDE_H
#define RINGSIDE_H

#include <ringside/event.h>
#include <ringside/nt.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Which answer counts where documentation and measured Windows differ. */
enum rs_profile { RS_DOCUMENTED, RS_OBSERVED };

/* What happens when a driver calls an import that does not exist here. */
enum rs_missing {
	RS_MISSING_BUG_CHECK, /* a bug check names it, its caller and the stack */
	RS_MISSING_STATUS,    /* the call returns missing_status, and RS_MISSING_CALLED is told */
	RS_MISSING_FAIL,      /* it comes to no call: rs_load refuses the driver */
};

struct rs_options {
	enum rs_profile profile;
	/* Switches of the contract's Appendix C that differ from the profile:
	 * bit n set in switch_mask means that C-n takes its value from bit n of
	 * switch_values. */
	unsigned switch_mask, switch_values;
	enum rs_missing missing;
	NTSTATUS missing_status;
	/* Reports name a driver's functions and lines from its symbols: in the file, or in
	 * the PDB beside it. They may run llvm-symbolizer for that. */
	bool symbols;
};

/*
 * Boots the kernel of this process. NULL means the documented profile.
 * Returns 0; -EALREADY when it is up; -ENOTSUP when the program is not position
 * independent (kernel memory must lie above user memory) or the machine lacks
 * what is needed; -ENOMEM.
 */
int rs_boot(const struct rs_options *options);

/* Ends it: drivers must be unloaded, callbacks unregistered, no thread inside.
 * What is still there is freed without being called. */
void rs_shutdown(void);

/*
 * Enables the trace providers (EtwRegister) that `which` names, a GUID or the name that a
 * provider gives itself, NULL for all: those that register from now on are told that a
 * session wants every level and keyword, and RS_TRACE tells what they write. Adds to what
 * was enabled before. Without it nobody wants events, and drivers can tell. 0 or -ENOMEM.
 */
int rs_trace(const char *which);

/* Whether a provider that rs_trace(which) asked for has registered, until rs_shutdown. */
bool rs_trace_found(const char *which);

/* ---- Drivers ------------------------------------------------------------ */

struct rs_driver;

struct rs_error {
	char text[512]; /* one line for a person: file, offset, what was expected */
};

/* Maps and binds the Windows x64 driver at `path` without calling it. NULL with
 * `error` filled in when it cannot be. The driver is named after the file. */
struct rs_driver *rs_load(const char *path, struct rs_error *error);

/* Puts a value into the driver's Parameters registry key: a DWORD when the text
 * is a number (decimal or 0x...), else a REG_SZ, or a REG_MULTI_SZ when there are
 * several; a number that a DWORD cannot hold is text. Before rs_start. 0, -ENOMEM, or
 * -ENAMETOOLONG. */
int rs_set_parameter(struct rs_driver *driver, const char *name, const char *const *values,
		     size_t count);

/* Where a minifilter stands among the others: a decimal number with or without a fraction,
 * the highest is asked first. Before rs_start; without it each is above those that were
 * started before. 0, -EINVAL, -ENOMEM or -ENAMETOOLONG. */
int rs_set_altitude(struct rs_driver *driver, const char *altitude);

/* Calls DriverEntry; its status. */
NTSTATUS rs_start(struct rs_driver *driver);

/* Calls DriverUnload and unmaps; the driver is gone unless the status is
 * STATUS_INVALID_DEVICE_REQUEST (it has no unload routine) or STATUS_DEVICE_BUSY (a file
 * is open on one of its devices, or another driver's device attached to one). */
NTSTATUS rs_unload(struct rs_driver *driver);

/* Unmaps a driver that was never started, or whose DriverEntry failed. */
void rs_discard(struct rs_driver *driver);

/* Lets C code of this program register callbacks: declares the memory
 * [base, base+size) as a module. integrity: whether it passes the FORCE_INTEGRITY
 * test (PS-15). Returns 0 or -ENOMEM. */
int rs_declare_module(const char *name, const void *base, size_t size, bool integrity);

/* The executable's own code as such a module. */
int rs_declare_program(const char *name, bool integrity);

/* The export as a driver would get it by importing `name` from `dll`, IRQL check
 * included; NULL if there is none. */
void *rs_find_export(const char *dll, const char *name);

/* ---- Processes and threads ----------------------------------------------- */

struct rs_process_spec {
	PEPROCESS parent;         /* inherited from, or NULL */
	bool without_inheritance; /* created without handle inheritance: PS-45 */
	bool subsystem;           /* a pico process: PS-33, PS-43 */
	const char *image; /* UTF-8, as opened: "\\??\\C:\\Windows\\notepad.exe"; NULL: none */
	const char *command_line; /* UTF-8; NULL: not available (PS-46) */
};

/* Makes a process object without a thread: no notification yet (PS-35). The
 * caller gets a reference, given back with rs_release. Errors:
 * INSUFFICIENT_RESOURCES. */
NTSTATUS rs_create_process(const struct rs_process_spec *spec, PEPROCESS *process);

/* Inserts a thread into it, on the current thread; the first one causes the
 * creation dispatch (PS-34), whose veto is returned. A reference for the caller. */
NTSTATUS rs_create_thread(PEPROCESS process, PETHREAD *thread);

/* Both, and the creator's two handles, in NtCreateUserProcess's order (PS-84).
 * Either handle pointer may be NULL, then no handle of that kind is made. */
NTSTATUS rs_create_user_process(const struct rs_process_spec *spec, PEPROCESS *process,
				PETHREAD *thread, PHANDLE process_handle, PHANDLE thread_handle);

/* The thread begins to run (PS-70), on itself. */
void rs_run_thread(PETHREAD thread);

/* Ends a thread on itself; the last one ends the process with that status. */
void rs_exit_thread(PETHREAD thread, NTSTATUS status);

/* Ends a process with all its threads, or one that never had any (PS-60). */
void rs_exit_process(PEPROCESS process, NTSTATUS status);

/* Gives back a reference to any object. */
void rs_release(void *object);

/* Makes `thread` the current thread of this host thread (NULL: the system
 * thread) and returns the one before. The mode it last came from becomes
 * UserMode for threads of user processes. */
PETHREAD rs_become(PETHREAD thread);

/* Maps an image into the current process, or as a driver when `process` is NULL,
 * as far as image routines can tell (PS-78). */
struct rs_image_spec {
	PEPROCESS process;
	const char *name; /* UTF-8, or NULL */
	PVOID base;
	SIZE_T size;
	bool foreign_architecture; /* PS-75 */
	bool no_execute;           /* PS-80 */
	bool special_apcs_off;     /* PS-81 */
};
NTSTATUS rs_map_image(const struct rs_image_spec *spec);

/* What security refuses to user-mode openers of the process (OB-30). */
void rs_deny_access(PEPROCESS process, ACCESS_MASK denied);

/* Whether a bug check has ended the kernel of this process. */
bool rs_crashed(void);

/* Runs fn(argument) so that a bug check in it comes back here instead of ending
 * the process: true when fn returned. After a bug check only rs_crashed may be
 * called. */
bool rs_guard(void (*fn)(void *), void *argument);

#ifdef __cplusplus
}
#endif
#endif

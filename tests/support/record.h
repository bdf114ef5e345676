/* SPDX-License-Identifier: MIT */
/*
 * Callbacks that write down what they were told and in which state they ran, so that
 * a test reads as the list of what must have been heard:
 *
 *	PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE);
 *	actor_live("child.exe");
 *	assert_heard("ex0+ ex0-");
 *
 * Process and thread routines are written with their number and + for a creation, - for
 * an exit; image routines as "image0"; object callbacks with their letter and < for
 * pre, > for post: "A< B< B> A>".
 *
 * Any thread may be called back. Checks are made while nothing runs.
 */
#ifndef RINGSIDE_TEST_RECORD_H
#define RINGSIDE_TEST_RECORD_H

#include "support/world.h"
#include "ob/callbacks.h"
#include "ps/notify.h"

enum family { LEGACY, EX, THREAD, IMAGE, PRE, POST, FAMILIES };

/* One call, as it was while it ran. */
struct call {
	enum family family;
	unsigned who; /* the routine's number, or the letter of an object callback */
	bool create;
	ULONG64 process_id, thread_id, parent_id;
	PEPROCESS process; /* Ex */

	/* Ex creations. info is NULL outside of the call, told is its copy. */
	PPS_CREATE_NOTIFY_INFO info;
	PS_CREATE_NOTIFY_INFO told;
	char image[128], command_line[128]; /* "" for none; of images the name */
	bool has_name;                      /* images: FullImageName was not NULL */

	PIMAGE_INFO image_info; /* NULL outside of the call */
	IMAGE_INFO image_told;

	/* Object callbacks: the pointers NULL outside of the call. */
	POB_PRE_OPERATION_INFORMATION pre;
	POB_POST_OPERATION_INFORMATION post;
	PVOID registration_context, call_context, object;
	POBJECT_TYPE type;
	OB_OPERATION operation;
	ULONG flags;
	ACCESS_MASK desired, original; /* pre */
	PVOID source, target;          /* pre of a duplication */
	NTSTATUS status;               /* post */
	bool has_parameters;
	ACCESS_MASK granted;

	/* Where it ran. */
	PEPROCESS current_process;
	PETHREAD current_thread;
	KIRQL irql;
	bool apcs_off, all_apcs_off;
	LONG kernel_apc_disable; /* the thread's count */
};

/* What a callback does besides; `call` has been filled in and is not yet in the record. */
typedef void call_hook(struct call *call);
void on_call(enum family family, unsigned who, call_hook *hook);

/* Compares with everything since the last comparison, separated by blanks. */
#define assert_heard(expected) record_compare(expected, __FILE__, __LINE__)
void record_compare(const char *expected, const char *file, int line);

/* The n-th call of what was compared last. */
const struct call *heard(unsigned n);

/* How many calls of a family there have been since the last comparison. */
unsigned count_heard(enum family family);

/* Forgets what has been heard, but not the hooks; or everything. */
void record_reset_heard(void);
void record_reset(void);

/* ---- Routines to register ----------------------------------------------------------- */

#define ROUTINES 70 /* of a family; a table has 64 slots */

PCREATE_PROCESS_NOTIFY_ROUTINE legacy_routine(unsigned n);
PCREATE_PROCESS_NOTIFY_ROUTINE_EX ex_routine(unsigned n);
PCREATE_THREAD_NOTIFY_ROUTINE thread_routine(unsigned n);
PLOAD_IMAGE_NOTIFY_ROUTINE image_routine(unsigned n);

OB_PRE_OPERATION_CALLBACK record_pre;
OB_POST_OPERATION_CALLBACK record_post;

/* What a pre callback returns; OB_PREOP_SUCCESS after a reset. */
extern OB_PREOP_CALLBACK_STATUS record_pre_result;

/* Which object callbacks; without a type or an operation: processes, both operations. */
enum watched {
	PROCESSES = 1,
	THREADS = 2,
	DESKTOPS = 4,
	CREATES = 8,
	DUPLICATES = 16,
	PRE_ONLY = 32,
	POST_ONLY = 64
};

/* ObRegisterCallbacks of a letter at an altitude. */
NTSTATUS try_watch(char letter, const char *altitude, unsigned watched, PVOID *handle);

/* The same, which must succeed. */
PVOID watch(char letter, const char *altitude, unsigned watched);

/* ---- Rules that were reported as broken ------------------------------------------------ */

/* Starts to listen for RS_RULE_BROKEN; the end of the world stops it. */
void record_listen_for_rules(void);
void record_stop_listening(void);

/* The clauses told since the last comparison: "VF-24 VF-25"; "" for none. */
#define assert_rules_broken(expected) record_compare_rules(expected, __FILE__, __LINE__)
void record_compare_rules(const char *expected, const char *file, int line);

#endif

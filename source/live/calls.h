/* SPDX-License-Identifier: MIT */
/*
 * The system calls that the source answers: one table.
 *
 * A row names the call as libseccomp does and the function that answers it. From
 * the rows come the filter (for 64-bit, 32-bit and x32 callers alike) and the
 * dispatch of notifications.
 */
#ifndef RINGSIDE_LIVE_CALLS_H
#define RINGSIDE_LIVE_CALLS_H

#include "source/live/credentials.h"
#include "source/live/task.h"
#include <linux/seccomp.h>
#include <stdint.h>

/* One call that waits for its answer. */
struct live_notice {
	const struct seccomp_notif *request;
	int listener;
	unsigned pointer_size;  /* of the caller: 4 or 8 */
	struct live_task *task; /* borrowed */
};

/* What becomes of it. */
struct live_answer {
	enum { LIVE_GO_ON, LIVE_RETURN, LIVE_WAIT } what; /* LIVE_WAIT: somebody else answers */
	int64_t value; /* LIVE_RETURN: the result, or a negative errno */
};

#define LIVE_CONTINUE ((struct live_answer){LIVE_GO_ON, 0})
#define LIVE_LATER ((struct live_answer){LIVE_WAIT, 0})
#define LIVE_RESULT(value_) ((struct live_answer){LIVE_RETURN, (value_)})

enum live_row_option {
	LIVE_ALWAYS = 0,
	LIVE_IF_ALL_IMAGES = 1, /* and then for files that are mapped executable */
	LIVE_IF_PROC_OPENS = 2,
};

struct live_call {
	const char *name;
	struct live_answer (*answer)(const struct live_call *call,
				     const struct live_notice *notice);
	int denied;      /* the negative errno when the driver took a right away */
	uint64_t if_any; /* only with any of these bits in the first argument; 0: always */
	enum live_row_option only; /* the row is there only with that option */
	bool own_is_0;             /* 0 as the first argument is the caller, and nothing is asked */

	/* For the answers in open.c. */
	ACCESS_MASK access;              /* to the process, or to the thread */
	enum live_permission permission; /* what Linux asks for */
	unsigned zero;                   /* the argument that must be 0; 0: none */
};

extern const struct live_call live_calls[];
extern const unsigned live_call_count;

/* The row for a call as seccomp reports it, or NULL. After live_number_calls. */
const struct live_call *live_call_of(uint32_t arch, int number);

/* Looks the rows' numbers up, for every architecture. Once, before the above. */
void live_number_calls(void);

/* Whether the caller still waits: what was read from its memory is its own. */
bool live_still_waits(const struct live_notice *notice);

/* The answers, one function a kind of call. */
struct live_answer live_answer_execve(const struct live_call *call,
				      const struct live_notice *notice);
struct live_answer live_answer_execveat(const struct live_call *call,
					const struct live_notice *notice);
struct live_answer live_answer_kill(const struct live_call *call, const struct live_notice *notice);
struct live_answer live_answer_tkill(const struct live_call *call,
				     const struct live_notice *notice);
struct live_answer live_answer_tgkill(const struct live_call *call,
				      const struct live_notice *notice);
struct live_answer live_answer_sigqueue(const struct live_call *call,
					const struct live_notice *notice);
struct live_answer live_answer_tgsigqueue(const struct live_call *call,
					  const struct live_notice *notice);
struct live_answer live_answer_pidfd_send_signal(const struct live_call *call,
						 const struct live_notice *notice);

/* Those of open.c: the target is named by the first argument, a process (or any
 * thread of it), a descriptor of one, or a thread. */
struct live_answer live_answer_process(const struct live_call *call,
				       const struct live_notice *notice);
struct live_answer live_answer_process_of_descriptor(const struct live_call *call,
						     const struct live_notice *notice);
struct live_answer live_answer_thread(const struct live_call *call,
				      const struct live_notice *notice);
struct live_answer live_answer_pidfd_open(const struct live_call *call,
					  const struct live_notice *notice);
struct live_answer live_answer_kcmp(const struct live_call *call, const struct live_notice *notice);
struct live_answer live_answer_ptrace(const struct live_call *call,
				      const struct live_notice *notice);
struct live_answer live_answer_prlimit(const struct live_call *call,
				       const struct live_notice *notice);
struct live_answer live_answer_priority(const struct live_call *call,
					const struct live_notice *notice);
struct live_answer live_answer_ioprio(const struct live_call *call,
				      const struct live_notice *notice);
struct live_answer live_answer_move_pages(const struct live_call *call,
					  const struct live_notice *notice);

/* Files in /proc (procopen.c). */
struct live_answer live_answer_open(const struct live_call *call, const struct live_notice *notice);
struct live_answer live_answer_openat(const struct live_call *call,
				      const struct live_notice *notice);
struct live_answer live_answer_openat2(const struct live_call *call,
				       const struct live_notice *notice);

/* The caller maps a file executable (loads.c). */
struct live_answer live_answer_mmap(const struct live_call *call, const struct live_notice *notice);

struct live_answer live_answer_estranging(const struct live_call *call,
					  const struct live_notice *notice);

/* Whether the last exec that a driver refused was this process's first one. */
bool live_refused_first_exec(pid_t pid);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Everything of the live source that enters the kernel in ntos/, and so may call
 * drivers. Nothing here is called with the map lock held. After a bug check all
 * of it does nothing and allows everything.
 */
#ifndef RINGSIDE_LIVE_KERNEL_H
#define RINGSIDE_LIVE_KERNEL_H

#include "source/live/task.h"
#include <ringside/nt.h>
#include <stdbool.h>

/* How processes are shown from now on. */
void live_present_subsystem(bool subsystem);

/* This process itself, as the one that launches the command: a silent NT process
 * with the calling thread in it. NULL without memory. It is in the map. */
struct live_task *live_make_launcher(void);

/* `creator` forked `child`, which is placed: the clone gets its objects. */
void live_tell_fork(struct live_task *creator, struct live_task *child);

/* `creator` made the thread `child`, which is placed: thread-create dispatch. */
void live_tell_thread(struct live_task *creator, struct live_task *child);

/* `task` is about to run its first instruction. */
void live_tell_start(struct live_task *task);

/*
 * `task` is about to execute `image`: creation dispatch, then the creator's two
 * handles. Returns 0 with the creation in *pending (to be put into the task;
 * NULL after a bug check), or the negative errno that the exec must get.
 */
int live_tell_exec(struct live_task *task, const struct live_image *image,
		   const struct live_arguments *arguments, struct live_pending **pending);

/* The exec happened: the new process stands for the task from now on, the old one
 * ends. Takes the pending creation over. */
void live_tell_exec_done(struct live_task *task, struct live_pending *pending);

/* The exec failed after all: the creation is taken back. NULL is nothing. */
void live_take_back(struct live_pending *pending);

/* The exec of `task` could not be let go on: the task was killed meanwhile, or a signal
 * interrupted its call. A creation that was told is taken back, here if the task has ended or
 * has stopped since `stops` was read from it, and otherwise at the stop or the end that is to
 * come. */
void live_give_up(struct live_task *task, unsigned stops);

/* `task` ends; status as waitpid gives it. The last task of a process ends it. */
void live_tell_end(struct live_task *task, int status);

/* `caller` opens a process or thread object. Whether the driver left it all of
 * `access`. */
bool live_may_open(struct live_task *caller, void *object, ACCESS_MASK access, const char *reason);

/* Runs call(argument) with the task's NT thread current, if there is one still. */
void live_call_as(struct live_task *task, void (*call)(void *argument), void *argument);

/* The name under which drivers see a file that is mapped. 0, -ENOMEM or -ENAMETOOLONG. */
int live_image_name(const char *path, UNICODE_STRING *out);

/* Gives a reference to an NT object back; NULL is nothing. */
void live_release(void *object);

/* The NT exit status for what waitpid gives. */
NTSTATUS live_exit_status(int status);

#endif

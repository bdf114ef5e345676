/* SPDX-License-Identifier: MIT */
/*
 * execve and execveat: told to the kernel before they take effect.
 *
 * The creation that was told waits in the task until the tracer sees the exec
 * happen (EVENT_EXEC) or sees the task do anything else, which means that it
 * failed. A call that cannot succeed goes on without an event; one that cannot be
 * read (a task that nobody may look at) goes on too, and is told by the tracer
 * when it has happened.
 */
#include "source/live/calls.h"
#include "source/live/kernel.h"
#include "source/live/remote.h"
#include "source/live/warn.h"
#include "memory.h"
#include <fcntl.h>
#include <stdatomic.h>

static _Atomic pid_t refused;

bool live_refused_first_exec(pid_t pid)
{
	return atomic_load(&refused) == pid;
}

static bool fetch(const struct live_notice *notice, uint64_t path, uint64_t arguments,
		  struct live_exec *exec)
{
	exec->tid = notice->task->tid;
	exec->pid = notice->task->process->pid;
	exec->estranged = atomic_load(&notice->task->process->estranged);
	if (live_read_command(exec->tid, path, exec->path, sizeof exec->path, arguments,
			      notice->pointer_size, &exec->arguments))
		return false;
	if (!exec->arguments.count && live_prepend_argument(&exec->arguments, ""))
		return false; /* the kernel adds an empty one too */
	return live_still_waits(notice);
}

static struct live_answer tell(const struct live_call *call, const struct live_notice *notice,
			       struct live_exec *exec)
{
	struct live_task *task = notice->task;
	struct live_image image;
	struct live_pending *pending;
	if (live_find_image(exec, &image))
		return LIVE_CONTINUE;
	if (image.set_id) {
		atomic_store(&task->process->estranged, true);
		live_warn_of_lost_privileges(task->tid, &image);
	}
	int error = live_tell_exec(task, &image, &exec->arguments, &pending);
	if (error == call->denied && !task->process->announced)
		atomic_store(&refused, task->process->pid);
	if (error)
		return LIVE_RESULT(error);
	live_map_lock();
	task->pending = pending;
	live_map_unlock();
	return LIVE_CONTINUE;
}

static struct live_answer answer(const struct live_call *call, const struct live_notice *notice,
				 int directory, const uint64_t *argument, int flags)
{
	static _Thread_local struct live_exec exec; /* too large to be cleared each time */
	struct live_answer answer = LIVE_CONTINUE;
	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) /* a check, or EINVAL */
		return LIVE_CONTINUE;
	exec.directory = directory;
	exec.flags = flags;
	exec.arguments = (struct live_arguments){0};
	if (fetch(notice, argument[0], argument[1], &exec))
		answer = tell(call, notice, &exec);
	host_free(exec.arguments.text);
	return answer;
}

struct live_answer live_answer_execve(const struct live_call *call,
				      const struct live_notice *notice)
{
	const __u64 *a = notice->request->data.args;
	return answer(call, notice, AT_FDCWD, (uint64_t[]){a[0], a[1]}, 0);
}

struct live_answer live_answer_execveat(const struct live_call *call,
					const struct live_notice *notice)
{
	const __u64 *a = notice->request->data.args;
	return answer(call, notice, (int)a[0], (uint64_t[]){a[1], a[2]}, (int)a[4]);
}

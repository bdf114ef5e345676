/* SPDX-License-Identifier: MIT */
/*
 * System threads: a host thread each, which is the thread object from its first to its
 * last moment.
 *
 * The thread is created like any other, on the thread that asks for it: notify routines
 * are told then. It ends on itself when its routine returns or calls
 * PsTerminateSystemThread, which goes back to the routine's caller past the
 * driver's frames. `running.lock`, a leaf, protects the list of those that have not
 * ended; it is what an unloading driver is held against. A thread that the kernel's
 * shutdown ends is not told of any more.
 *
 * REFERENCES: the record holds one on its thread until its host thread has left it.
 *
 * Pages: PsCreateSystemThread, PsTerminateSystemThread, bug check 0xCE.
 */
#include "ps/systemthread.h"
#include "ke/bugcheck.h"
#include "ke/callout.h"
#include "ke/helper.h"
#include "ke/list.h"
#include "memory.h"
#include "ob/handle.h"
#include "ps/process.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <time.h>

#define LAST_INSTRUCTIONS 500000000 /* ns that they may take */

struct system_thread {
	PETHREAD thread;
	PKSTART_ROUTINE routine;
	PVOID context;
	struct ke_callout callout;
	sigjmp_buf terminated;
	NTSTATUS status;
	bool ended;
	LIST_ENTRY link;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	LIST_ENTRY list;
} running = {.lock = PTHREAD_MUTEX_INITIALIZER,
	     .changed = PTHREAD_COND_INITIALIZER,
	     .list = {&running.list, &running.list}};

static _Thread_local struct system_thread *current;

/* ---- Its life ---------------------------------------------------------------------------- */

static void enlist(struct system_thread *self)
{
	pthread_mutex_lock(&running.lock);
	list_add_last(&running.list, &self->link);
	pthread_mutex_unlock(&running.lock);
}

static void delist(struct system_thread *self)
{
	pthread_mutex_lock(&running.lock);
	list_remove(&self->link);
	pthread_cond_broadcast(&running.changed);
	pthread_mutex_unlock(&running.lock);
}

static void run(void *argument)
{
	struct system_thread *self = argument;
	current = self;
	if (sigsetjmp(self->terminated, 0) == 0) {
		ke_call_begin(&self->callout, "system thread", (const void *)self->routine,
			      PASSIVE_LEVEL);
		self->routine(self->context);
		ke_call_end(&self->callout, PASSIVE_LEVEL);
	}
	ps_exit_thread(self->thread, self->status);
	self->ended = true;
}

static void finish(void *argument)
{
	struct system_thread *self = argument;
	delist(self);
	if (self->ended)
		ob_dereference(self->thread);
	else
		ke_release_own_thread(self->thread);
	host_free(self);
}

/* ---- Creating ------------------------------------------------------------------------------ */

static NTSTATUS find_process(HANDLE handle, PEPROCESS *process)
{
	if (!handle) {
		ob_reference(PsInitialSystemProcess);
		*process = PsInitialSystemProcess;
		return STATUS_SUCCESS;
	}
	PVOID object;
	NTSTATUS status = ob_reference_by_handle(handle, PROCESS_CREATE_THREAD, PsProcessType,
						 KernelMode, &object);
	if (NT_SUCCESS(status))
		*process = object;
	return status;
}

static NTSTATUS create(struct system_thread *made, HANDLE process_handle)
{
	PEPROCESS process;
	NTSTATUS status = find_process(process_handle, &process);
	if (!NT_SUCCESS(status))
		return status;
	struct ps_thread_spec spec = {
		.process = process, .start_address = (PVOID)made->routine, .system = true};
	status = ps_create_thread(&spec, &made->thread);
	ob_dereference(process);
	return status;
}

static NTSTATUS open_and_start(struct system_thread *made, ULONG access,
			       const OBJECT_ATTRIBUTES *attributes, PHANDLE handle)
{
	struct ob_handle_request request = {
		.operation = OB_OPERATION_HANDLE_CREATE,
		.object = made->thread,
		.table_of = PsGetCurrentProcess(),
		.desired = access,
		.attributes = attributes ? attributes->Attributes : 0,
		.mode = KernelMode,
	};
	NTSTATUS status = ob_make_handle(&request, handle, NULL);
	if (!NT_SUCCESS(status))
		return status;
	enlist(made);
	if (ke_start_helper(&(struct ke_helper_work){run, finish, made, made->thread}))
		return STATUS_SUCCESS;
	delist(made);
	ob_close_handle(PsGetCurrentProcess(), *handle, KernelMode);
	return STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS NTAPI PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess,
				    POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle,
				    PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
				    PVOID StartContext)
{
	HANDLE handle;
	struct system_thread *made = host_alloc(sizeof(*made));
	if (!made)
		return STATUS_INSUFFICIENT_RESOURCES;
	made->routine = StartRoutine;
	made->context = StartContext;
	NTSTATUS status = create(made, ProcessHandle);
	if (!NT_SUCCESS(status)) {
		host_free(made);
		return status;
	}
	PETHREAD thread = made->thread;
	CLIENT_ID id = {(HANDLE)thread->process->id, (HANDLE)thread->id};
	status = open_and_start(made, DesiredAccess, ObjectAttributes, &handle);
	if (!NT_SUCCESS(status)) {
		ps_exit_thread(thread, status);
		ob_dereference(thread);
		host_free(made);
		return status;
	}
	/* From here on the thread may be gone. */
	*ThreadHandle = handle;
	if (ClientId)
		*ClientId = id;
	return STATUS_SUCCESS;
}

/* ---- Ending -------------------------------------------------------------------------------- */

/* What must be in order when a thread ends in the middle of its routine. */
static void check_end(struct system_thread *self)
{
	struct ke_processor *processor = ke_processor();
	const struct ke_thread *thread = &self->thread->ke;
	if (thread->kernel_apc_disable || thread->special_apc_disable)
		KE_BUG_CHECK(KE_KERNEL_APC_PENDING_DURING_EXIT, 0,
			     (ULONG)(USHORT)thread->special_apc_disable << 16 |
				     (USHORT)thread->kernel_apc_disable,
			     processor->pcr.irql, 0,
			     "PsTerminateSystemThread inside %d critical and %d guarded regions",
			     -thread->kernel_apc_disable, -thread->special_apc_disable);
	if (processor->callout != &self->callout)
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, processor->callout->routine, self->routine,
			     0, 0, "PsTerminateSystemThread inside a %s", processor->callout->what);
}

NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS ExitStatus)
{
	struct system_thread *self = current;
	PETHREAD thread = ke_current_thread();
	if (!thread->system)
		return STATUS_INVALID_PARAMETER;
	if (!self || self->thread != thread)
		KE_BUG_CHECK(KE_ACTIVE_EX_WORKER_THREAD_TERMINATION, thread, 0, 0, 0,
			     "PsTerminateSystemThread on a system thread that the driver did not "
			     "create");
	check_end(self);
	self->status = ExitStatus;
	ke_processor()->callout = self->callout.outer;
	siglongjmp(self->terminated, 1);
}

/* ---- What is asked of threads ---------------------------------------------------------------- */

/* Under the lock. */
static const void *routine_within(const void *base, SIZE_T size)
{
	for (LIST_ENTRY *entry = running.list.Flink; entry != &running.list; entry = entry->Flink) {
		const void *routine =
			(const void *)LIST_OWNER(entry, struct system_thread, link)->routine;
		if ((uintptr_t)routine - (uintptr_t)base < size)
			return routine;
	}
	return NULL;
}

const void *ps_find_system_thread(const void *base, SIZE_T size)
{
	struct timespec until;
	const void *found;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LAST_INSTRUCTIONS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&running.lock);
	while ((found = routine_within(base, size)) &&
	       pthread_cond_timedwait(&running.changed, &running.lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&running.lock);
	return found;
}

BOOLEAN NTAPI PsIsThreadTerminating(PETHREAD Thread)
{
	return __atomic_load_n(&Thread->exiting, __ATOMIC_ACQUIRE);
}

NTSTATUS NTAPI PsGetThreadExitStatus(PETHREAD Thread)
{
	return PsIsThreadTerminating(Thread) ? Thread->exit_status : STATUS_PENDING;
}

LONG NTAPI KeSetPriorityThread(PKTHREAD Thread, LONG Priority)
{
	struct ke_thread *thread = ke_thread_of(Thread);
	ke_enter_dispatcher(&thread->header, "KeSetPriorityThread");
	LONG before = thread->priority;
	thread->priority = Priority;
	ke_unlock_dispatcher();
	return before;
}

LONG NTAPI KeQueryPriorityThread(PKTHREAD Thread)
{
	struct ke_thread *thread = ke_thread_of(Thread);
	ke_enter_dispatcher(&thread->header, "KeQueryPriorityThread");
	LONG priority = thread->priority;
	ke_unlock_dispatcher();
	return priority;
}

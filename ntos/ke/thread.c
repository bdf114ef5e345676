/* SPDX-License-Identifier: MIT */
/*
 * Processors, one for every host thread that enters the kernel.
 *
 * A processor is made by the first ke_processor() on its host thread and freed by a
 * pthread key destructor when that thread ends. Until then only its own thread
 * reads or writes it, with one exception: ex/callback.c reads other threads' marks,
 * from ke_visit_processors. The list of all processors is under `all.lock`, a leaf
 * lock: `visit` functions take no other.
 *
 * The GS base of the host thread points to the KPCR at the head of the processor
 * (AB-2, and IRQL for the export thunks). Linux leaves GS alone in user space.
 *
 * The thread that is current while nobody claims the host thread is its own, because
 * the APC counts of a thread are written without locks by whoever has it current.
 * The first host thread gets ps_system_thread, further ones get a system thread
 * each from ps/. Before the boot there are no thread objects, and a bare ETHREAD
 * inside the processor stands in, so that a program can call into the kernel
 * library at any time.
 *
 * After fork() the child has one thread, and keeps that one's processor, GS base and
 * alternate signal stack, all of which Linux copies. The processors of threads
 * that were not copied are put aside: nobody will ever leave their marks.
 *
 * Clauses: AB-2, PS-62 (what the APC exports answer inside a callback), VF-6.
 */
#include "ke/thread.h"
#include "ke/apc.h"
#include "ke/bugcheck.h"
#include "ke/list.h"
#include "ke/processor.h"
#include "memory.h"
#include "ps/process.h"
#include <asm/prctl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A bug check is told from the alternate stack, listeners with their stdio
 * included, and sanitizers multiply every frame. */
#define ALTERNATE_STACK_SIZE ((size_t)512 * 1024)
#define PAGE_SIZE ((size_t)4096)

#define HWCAP2_FSGSBASE_BIT 2 /* Linux: user space may use wrgsbase */

/* A processor and what only this file needs of it. */
struct host_thread {
	struct ke_processor processor; /* first */
	struct _ETHREAD bare;          /* own_thread before there are thread objects */
	stack_t previous_stack;        /* a sanitizer's, given back at the end */
};

_Thread_local struct ke_processor *ke_self __attribute__((tls_model("initial-exec")));

PKTHREAD (*ke_make_own_thread)(void);
void (*ke_release_own_thread)(PKTHREAD thread);

static struct {
	pthread_mutex_t lock;
	struct ke_processor *first;
	struct ke_processor *before_fork; /* of threads that a fork left behind */
	ULONG next_number;
	bool system_thread_taken; /* ps_system_thread is somebody's own */
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static struct host_thread *host_thread_of(struct ke_processor *processor)
{
	return (struct host_thread *)processor;
}

static void set_gs_base(const void *base)
{
	if (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT)
		__asm__ volatile("wrgsbase %0" : : "r"(base) : "memory");
	else
		syscall(SYS_arch_prctl, (long)ARCH_SET_GS, base);
}

void ke_init_thread(struct ke_thread *thread)
{
	ke_init_header(&thread->header, KE_THREAD, sizeof(*thread), 0);
	thread->priority = KE_SYSTEM_THREAD_PRIORITY;
	list_init(&thread->mutants);
	list_init(&thread->apcs[KernelMode]);
	list_init(&thread->apcs[UserMode]);
}

/* ---- A thread of its own --------------------------------------------------- */

static bool take_system_thread(void)
{
	pthread_mutex_lock(&all.lock);
	bool ours = ps_system_thread && !all.system_thread_taken;
	if (ours)
		all.system_thread_taken = true;
	pthread_mutex_unlock(&all.lock);
	return ours;
}

static PKTHREAD bare_thread(struct host_thread *self)
{
	self->bare.process = self->bare.ke.process = PsInitialSystemProcess;
	self->bare.id = ps_system_thread ? ps_system_thread->id : 0;
	self->bare.system = true;
	return &self->bare;
}

static void claim_own_thread(struct ke_processor *processor)
{
	struct host_thread *self = host_thread_of(processor);
	PKTHREAD before = processor->own_thread;
	if (before && before != &self->bare)
		return;
	PKTHREAD thread = NULL;
	if (take_system_thread())
		thread = ps_system_thread;
	else if (ps_system_thread && ke_make_own_thread)
		thread = ke_make_own_thread();
	if (!thread)
		thread = bare_thread(self);
	processor->own_thread = thread;
	if (processor->pcr.current_thread == before)
		processor->pcr.current_thread = thread;
}

static void drop_own_thread(struct ke_processor *processor)
{
	struct host_thread *self = host_thread_of(processor);
	PKTHREAD thread = processor->own_thread;
	self->bare = (struct _ETHREAD){.system = true};
	ke_init_thread(&self->bare.ke);
	processor->own_thread = processor->pcr.current_thread = &self->bare;
	if (thread == &self->bare)
		return;
	if (thread != ps_system_thread) {
		if (ke_release_own_thread)
			ke_release_own_thread(thread);
		return;
	}
	pthread_mutex_lock(&all.lock);
	all.system_thread_taken = false;
	pthread_mutex_unlock(&all.lock);
}

void ke_claim_own_threads(void)
{
	claim_own_thread(ke_processor());
	/* Processors come and go only on their own threads, which are quiet now. */
	for (struct ke_processor *p = all.first; p; p = p->next)
		claim_own_thread(p);
}

void ke_drop_own_threads(void)
{
	for (struct ke_processor *p = all.first; p; p = p->next)
		drop_own_thread(p);
}

PKTHREAD ke_switch_thread(PKTHREAD thread)
{
	struct ke_processor *self = ke_processor();
	if (!thread)
		claim_own_thread(self);
	PKTHREAD before = self->pcr.current_thread;
	self->pcr.current_thread = thread ? thread : self->own_thread;
	return before;
}

/* ---- Arrival and departure of host threads ----------------------------------- */

/* A guard page, the stack, and the two pages for struct ke_step, in one mapping. */
static void give_alternate_stack(struct host_thread *self)
{
	char *stack = host_map(ALTERNATE_STACK_SIZE);
	if (!stack)
		return; /* only a stack overflow cannot be reported then */
	host_protect(stack, PAGE_SIZE, HOST_NONE);
	stack_t alternate = {.ss_sp = stack + PAGE_SIZE,
			     .ss_size = ALTERNATE_STACK_SIZE - 3 * PAGE_SIZE};
	sigaltstack(&alternate, &self->previous_stack);
	self->processor.alternate_stack = stack;
	self->processor.shared_page = stack + ALTERNATE_STACK_SIZE - 2 * PAGE_SIZE;
	self->processor.scratch_page = stack + ALTERNATE_STACK_SIZE - PAGE_SIZE;
}

static void take_alternate_stack(struct host_thread *self)
{
	if (!self->processor.alternate_stack)
		return;
	sigaltstack(&self->previous_stack, NULL);
	host_unmap(self->processor.alternate_stack, ALTERNATE_STACK_SIZE);
}

static struct ke_stack_limits host_stack(void)
{
	pthread_attr_t attributes;
	void *low = NULL;
	size_t size = 0;
	if (pthread_getattr_np(pthread_self(), &attributes))
		return (struct ke_stack_limits){0};
	pthread_attr_getstack(&attributes, &low, &size);
	pthread_attr_destroy(&attributes);
	return (struct ke_stack_limits){(uintptr_t)low, (uintptr_t)low + size};
}

static void detach_host_thread(void *argument)
{
	struct ke_processor *self = argument;
	drop_own_thread(self);
	pthread_mutex_lock(&all.lock);
	struct ke_processor **link = &all.first;
	while (*link != self)
		link = &(*link)->next;
	*link = self->next;
	pthread_mutex_unlock(&all.lock);
	set_gs_base(NULL);
	ke_self = NULL;
	take_alternate_stack(host_thread_of(self));
	ke_free_kernel_stack(self);
	host_free(self);
}

static void lock_before_fork(void)
{
	pthread_mutex_lock(&all.lock);
}

static void unlock_in_parent(void)
{
	pthread_mutex_unlock(&all.lock);
}

static void keep_own_processor_in_child(void)
{
	struct ke_processor *p = all.first;
	all.first = ke_self;
	while (p) {
		struct ke_processor *next = p->next;
		if (p != ke_self) {
			p->next = all.before_fork;
			all.before_fork = p;
		}
		p = next;
	}
	if (ke_self)
		ke_self->next = NULL;
	pthread_mutex_unlock(&all.lock);
}

static void make_key(void)
{
	KE_ASSERT(pthread_key_create(&key, detach_host_thread) == 0);
	pthread_atfork(lock_before_fork, unlock_in_parent, keep_own_processor_in_child);
}

struct ke_processor *ke_attach_host_thread(void)
{
	return ke_attach_as(NULL);
}

struct ke_processor *ke_attach_as(PKTHREAD thread)
{
	pthread_once(&key_once, make_key);
	struct host_thread *made = host_alloc_aligned(sizeof(*made), 64);
	if (!made) {
		fputs("ringside: no memory for a thread's processor block\n", stderr);
		_exit(125);
	}
	struct ke_processor *self = &made->processor;
	self->pcr.self = &self->pcr;
	self->pcr.prcb = (char *)&self->pcr + 0x180;
	ke_init_thread(&made->bare.ke);
	self->pcr.current_thread = self->own_thread = thread ? thread : &made->bare;
	made->bare.system = true;
	self->stack = host_stack();
	ke_make_kernel_stack(self);
	give_alternate_stack(made);

	pthread_mutex_lock(&all.lock);
	self->pcr.number = self->pcr.prcb_number = all.next_number++ % ke_count_processors();
	self->next = all.first;
	all.first = self;
	pthread_mutex_unlock(&all.lock);

	pthread_setspecific(key, self);
	set_gs_base(&self->pcr);
	ke_self = self;
	claim_own_thread(self);
	return self;
}

void ke_leave_thread(void)
{
	struct host_thread *self = host_thread_of(ke_self);
	ke_self->own_thread = ke_self->pcr.current_thread = bare_thread(self);
}

bool ke_visit_processors(bool (*visit)(struct ke_processor *, void *context), void *context)
{
	pthread_mutex_lock(&all.lock);
	struct ke_processor *p = all.first;
	while (p && visit(p, context))
		p = p->next;
	pthread_mutex_unlock(&all.lock);
	return p == NULL;
}

/* ---- Exports ------------------------------------------------------------------ */

KIRQL NTAPI KeGetCurrentIrql(void)
{
	return ke_processor()->pcr.irql;
}

KIRQL NTAPI KfRaiseIrql(KIRQL NewIrql)
{
	KIRQL current = ke_processor()->pcr.irql;
	if (NewIrql < current || NewIrql > HIGH_LEVEL)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x30, current, NewIrql, 0,
			     "KeRaiseIrql from %u to %u", current, NewIrql);
	return ke_set_irql(NewIrql);
}

VOID NTAPI KfLowerIrql(KIRQL NewIrql)
{
	KIRQL current = ke_processor()->pcr.irql;
	if (NewIrql > current)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x31, current, NewIrql, 0,
			     "KeLowerIrql from %u to %u", current, NewIrql);
	ke_set_irql(NewIrql);
	ke_check_apcs();
}

VOID NTAPI KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql)
{
	*OldIrql = KfRaiseIrql(NewIrql);
}

VOID NTAPI KeLowerIrql(KIRQL NewIrql)
{
	KfLowerIrql(NewIrql);
}

KIRQL NTAPI KeRaiseIrqlToDpcLevel(void)
{
	return KfRaiseIrql(DISPATCH_LEVEL);
}

PKTHREAD NTAPI KeGetCurrentThread(void)
{
	return ke_current_thread();
}

static struct ke_thread *current(void)
{
	return ke_thread_of(ke_current_thread());
}

VOID NTAPI KeEnterCriticalRegion(void)
{
	current()->kernel_apc_disable--;
}

VOID NTAPI KeLeaveCriticalRegion(void)
{
	if (current()->kernel_apc_disable >= 0)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x3E, 0, 0, 0,
			     "KeLeaveCriticalRegion outside of a critical region");
	current()->kernel_apc_disable++;
	ke_check_apcs();
}

VOID NTAPI KeEnterGuardedRegion(void)
{
	current()->special_apc_disable--;
}

VOID NTAPI KeLeaveGuardedRegion(void)
{
	static const char rule[] = "GuardedRegions";
	if (current()->special_apc_disable >= 0)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x4000E, (uintptr_t)rule, 0, 0,
			     "KeLeaveGuardedRegion outside of a guarded region");
	current()->special_apc_disable++;
	ke_check_apcs();
}

BOOLEAN NTAPI KeAreApcsDisabled(void)
{
	return current()->kernel_apc_disable != 0 || KeAreAllApcsDisabled();
}

BOOLEAN NTAPI KeAreAllApcsDisabled(void)
{
	return current()->special_apc_disable != 0 || KeGetCurrentIrql() >= APC_LEVEL;
}

KPROCESSOR_MODE NTAPI ExGetPreviousMode(void)
{
	return current()->previous_mode;
}

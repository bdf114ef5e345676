/* SPDX-License-Identifier: MIT */
/*
 * What compiled drivers do below the level of C, done here in assembly: AB-1 to AB-5.
 */
#include "clock.h"
#include "ke/thread.h"
#include "support/parallel.h"
#include "support/record.h"
#include <string.h>

/* ---- AB-1: calling exports ------------------------------------------------------------------ */

/* What the registers that a function must preserve have after a call, and rax. */
struct registers {
	uint64_t rax, rbx, rdi, rsi, r12, r13, r14, r15;
	uint64_t xmm[10][2]; /* 6 to 15 */
};

/* Calls fn with four arguments as a Windows compiler would, with a known pattern in all
 * registers that it must preserve, and tells what has become of them. */
void ab_probe(void *fn, const uint64_t argument[4], struct registers *after);

extern const uint64_t ab_pattern[20];

__asm__("	.section .rodata\n"
	"	.align	16\n"
	"ab_pattern:\n"
	"	.quad	0x0601060106010601, 0x0602060206020602\n"
	"	.quad	0x0701070107010701, 0x0702070207020702\n"
	"	.quad	0x0801080108010801, 0x0802080208020802\n"
	"	.quad	0x0901090109010901, 0x0902090209020902\n"
	"	.quad	0x1001100110011001, 0x1002100210021002\n"
	"	.quad	0x1101110111011101, 0x1102110211021102\n"
	"	.quad	0x1201120112011201, 0x1202120212021202\n"
	"	.quad	0x1301130113011301, 0x1302130213021302\n"
	"	.quad	0x1401140114011401, 0x1402140214021402\n"
	"	.quad	0x1501150115011501, 0x1502150215021502\n"
	"	.text\n"
	"ab_probe:\n"
	"	push	%rbp\n"
	"	push	%rbx\n"
	"	push	%r12\n"
	"	push	%r13\n"
	"	push	%r14\n"
	"	push	%r15\n"
	"	sub	$56, %rsp\n" /* home area, the result's address, alignment */
	"	mov	%rdx, 32(%rsp)\n"
	"	mov	%rdi, %rax\n"
	"	mov	%rsi, %r10\n"
	"	lea	ab_pattern(%rip), %r11\n"
	"	movups	0(%r11), %xmm6\n"
	"	movups	16(%r11), %xmm7\n"
	"	movups	32(%r11), %xmm8\n"
	"	movups	48(%r11), %xmm9\n"
	"	movups	64(%r11), %xmm10\n"
	"	movups	80(%r11), %xmm11\n"
	"	movups	96(%r11), %xmm12\n"
	"	movups	112(%r11), %xmm13\n"
	"	movups	128(%r11), %xmm14\n"
	"	movups	144(%r11), %xmm15\n"
	"	mov	0(%r10), %rcx\n"
	"	mov	8(%r10), %rdx\n"
	"	mov	16(%r10), %r8\n"
	"	mov	24(%r10), %r9\n"
	"	mov	$0x1B, %rbx\n"
	"	mov	$0x1D1, %rdi\n"
	"	mov	$0x151, %rsi\n"
	"	mov	$0x112, %r12\n"
	"	mov	$0x113, %r13\n"
	"	mov	$0x114, %r14\n"
	"	mov	$0x115, %r15\n"
	"	call	*%rax\n"
	"	mov	32(%rsp), %r11\n"
	"	mov	%rax, 0(%r11)\n"
	"	mov	%rbx, 8(%r11)\n"
	"	mov	%rdi, 16(%r11)\n"
	"	mov	%rsi, 24(%r11)\n"
	"	mov	%r12, 32(%r11)\n"
	"	mov	%r13, 40(%r11)\n"
	"	mov	%r14, 48(%r11)\n"
	"	mov	%r15, 56(%r11)\n"
	"	movups	%xmm6, 64(%r11)\n"
	"	movups	%xmm7, 80(%r11)\n"
	"	movups	%xmm8, 96(%r11)\n"
	"	movups	%xmm9, 112(%r11)\n"
	"	movups	%xmm10, 128(%r11)\n"
	"	movups	%xmm11, 144(%r11)\n"
	"	movups	%xmm12, 160(%r11)\n"
	"	movups	%xmm13, 176(%r11)\n"
	"	movups	%xmm14, 192(%r11)\n"
	"	movups	%xmm15, 208(%r11)\n"
	"	add	$56, %rsp\n"
	"	pop	%r15\n"
	"	pop	%r14\n"
	"	pop	%r13\n"
	"	pop	%r12\n"
	"	pop	%rbx\n"
	"	pop	%rbp\n"
	"	ret\n");

/* Calls and checks; the low 32 bits of rax. */
static uint32_t probe(const char *export, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct registers after;
	ab_probe(export_of(export), (uint64_t[]){a, b, c, d}, &after);
	assert_int_equal(after.rbx, 0x1B);
	assert_int_equal(after.rdi, 0x1D1);
	assert_int_equal(after.rsi, 0x151);
	assert_int_equal(after.r12, 0x112);
	assert_int_equal(after.r13, 0x113);
	assert_int_equal(after.r14, 0x114);
	assert_int_equal(after.r15, 0x115);
	assert_memory_equal(after.xmm, ab_pattern, sizeof after.xmm);
	return (uint32_t)after.rax;
}

#define GARBAGE 0xDEADBEEF00000000ull

static void ab_01_exports_preserve_what_windows_code_expects_inferred(void **state)
{
	(void)state;
	HANDLE handle;
	CLIENT_ID id = {(HANDLE)4, NULL};
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof attributes};
	attributes.Attributes = OBJ_KERNEL_HANDLE;
	watch('A', "1000", 0);
	assert_int_equal(probe("ObGetFilterVersion", 0, 0, 0, 0) & 0xFFFF, 0x100);
	assert_int_equal(
		probe("PsSetCreateProcessNotifyRoutineEx", (uintptr_t)ex_routine(0), 0, 0, 0), 0);
	assert_int_equal(
		probe("PsSetCreateProcessNotifyRoutineEx", (uintptr_t)ex_routine(0), 1, 0, 0), 0);
	assert_int_equal(probe("ZwOpenProcess", (uintptr_t)&handle, PROCESS_VM_READ,
			       (uintptr_t)&attributes, (uintptr_t)&id),
			 0);
	assert_heard("A< A>");
	assert_int_equal(probe("ZwClose", (uintptr_t)handle, 0, 0, 0), 0);
	assert_int_equal(probe("PsGetCurrentProcessId", 0, 0, 0, 0), 4);
}

/* Of a BOOLEAN the low 8 bits count, of an enum or ULONG the low 32. */
static void ab_01_high_bits_of_narrow_arguments_do_not_count_inferred(void **state)
{
	(void)state;
	HANDLE handle;
	CLIENT_ID id = {(HANDLE)4, NULL};
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof attributes};
	attributes.Attributes = OBJ_KERNEL_HANDLE;
	uint64_t legacy = (uintptr_t)legacy_routine(0), ex = (uintptr_t)ex_routine(1);
	static const char set_legacy[] = "PsSetCreateProcessNotifyRoutine";
	static const char set_ex2[] = "PsSetCreateProcessNotifyRoutineEx2";
	assert_int_equal(probe(set_legacy, legacy, GARBAGE | 0xFFFFFF00, 0, 0), 0); /* adds */
	assert_int_equal(probe(set_ex2, GARBAGE, ex, GARBAGE | 0x100, 0), 0);       /* adds */
	actor_live("a.exe");
	assert_heard("legacy0+ ex1+ legacy0- ex1-");
	assert_int_equal(probe(set_legacy, legacy, GARBAGE | 0xFFFFFF01, 0, 0), 0); /* removes */
	assert_int_equal(probe(set_ex2, GARBAGE, ex, GARBAGE | 0x101, 0), 0);       /* removes */
	assert_int_equal(probe(set_ex2, GARBAGE | 1, ex, 0, 0), 0xC000000D);
	actor_live("a.exe");
	assert_heard("");
	watch('A', "1000", 0);
	assert_int_equal(probe("ZwOpenProcess", (uintptr_t)&handle, GARBAGE | PROCESS_VM_READ,
			       (uintptr_t)&attributes, (uintptr_t)&id),
			 0);
	assert_heard("A< A>");
	assert_int_equal(heard(0)->original, PROCESS_VM_READ);
	assert_ntsuccess(ZwClose(handle));
}

/* The fifth argument and those after it lie above the home area. */
static void ab_01_further_arguments_are_on_the_stack_inferred(void **state)
{
	(void)state;
	HANDLE handle;
	watch('A', "1000", 0);
	uint32_t(NTAPI * open)(void *, uint64_t, void *, uint64_t, void *, uint64_t,
			       HANDLE *) = export_of("ObOpenObjectByPointer");
	assert_int_equal(open(PsInitialSystemProcess, GARBAGE | OBJ_KERNEL_HANDLE, NULL,
			      GARBAGE | PROCESS_VM_READ, PsProcessType,
			      GARBAGE | 0xFFFFFF00 /* KernelMode in its low 8 bits */, &handle),
			 0);
	assert_heard("A< A>");
	assert_int_equal(heard(0)->original, PROCESS_VM_READ);
	assert_int_equal(heard(0)->flags, 1);
	assert_ntsuccess(ZwClose(handle));
}

/* ---- AB-1: being called ------------------------------------------------------------------------- */

/* A routine of any type that destroys all that it may, its home area included, and
 * returns 0 with garbage above the 32 bits that count. */
void ab_vandal(void);
extern unsigned ab_vandal_calls, ab_vandal_misaligned;

__asm__("	.bss\n"
	"	.align	4\n"
	"ab_vandal_calls:	.zero	4\n"
	"ab_vandal_misaligned:	.zero	4\n"
	"	.text\n"
	"ab_vandal:\n"
	"	incl	ab_vandal_calls(%rip)\n"
	"	lea	8(%rsp), %rax\n"
	"	and	$15, %eax\n"
	"	or	%eax, ab_vandal_misaligned(%rip)\n"
	"	mov	$-1, %rcx\n"
	"	mov	%rcx, %rdx\n"
	"	mov	%rcx, %r8\n"
	"	mov	%rcx, %r9\n"
	"	mov	%rcx, %r10\n"
	"	mov	%rcx, %r11\n"
	"	mov	%rcx, 8(%rsp)\n"
	"	mov	%rcx, 16(%rsp)\n"
	"	mov	%rcx, 24(%rsp)\n"
	"	mov	%rcx, 32(%rsp)\n"
	"	pcmpeqd	%xmm0, %xmm0\n"
	"	pcmpeqd	%xmm1, %xmm1\n"
	"	pcmpeqd	%xmm2, %xmm2\n"
	"	pcmpeqd	%xmm3, %xmm3\n"
	"	pcmpeqd	%xmm4, %xmm4\n"
	"	pcmpeqd	%xmm5, %xmm5\n"
	"	movabs	$0xDEADBEEF00000000, %rax\n"
	"	ret\n");

static void ab_01_routines_may_destroy_what_windows_code_may_inferred(void **state)
{
	(void)state;
	PVOID vandal = (PVOID)(uintptr_t)ab_vandal;
	HANDLE handle;
	OB_OPERATION_REGISTRATION entry = {&PsProcessType, OB_OPERATION_HANDLE_CREATE, vandal,
					   vandal};
	OB_CALLBACK_REGISTRATION registration = {0x0100, 1, USTR_INIT(u"2000"), NULL, &entry};
	record_listen_for_rules();
	ab_vandal_calls = ab_vandal_misaligned = 0;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(vandal, FALSE));
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(vandal, FALSE));
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(vandal));
	assert_ntsuccess(PsSetLoadImageNotifyRoutine(vandal));
	assert_ntsuccess(ObRegisterCallbacks(&registration, &handle));
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE));
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(1)));
	assert_ntsuccess(PsSetLoadImageNotifyRoutine(image_routine(2)));
	watch('A', "1000", 0);
	struct actor child = actor_start("a.exe");
	assert_ntsuccess(rs_map_image(&(struct rs_image_spec){.name = "a.exe", .size = 1}));
	assert_ntsuccess(ObOpenObjectByPointer(child.process, OBJ_KERNEL_HANDLE, NULL,
					       PROCESS_VM_READ, NULL, KernelMode, &handle));
	ULONG64 id = id_of(child.process);
	actor_end(&child);
	assert_heard("ex0+ thread1+ image2 A< A> thread1- ex0-");
	assert_int_equal(heard(0)->process_id, id);
	assert_string_equal(heard(0)->image, "a.exe");
	assert_int_equal(heard(1)->process_id, id);
	assert_string_equal(heard(2)->image, "a.exe");
	assert_int_equal(heard(3)->original, PROCESS_VM_READ);
	assert_int_equal(heard(4)->granted, PROCESS_VM_READ);
	assert_int_equal(heard(6)->process_id, id);
	assert_int_equal(ab_vandal_calls, 9);
	assert_int_equal(ab_vandal_misaligned, 0); /* the stack is aligned at the call */
	assert_rules_broken("");                   /* only 32 bits of the result count: no VF-25 */
	assert_ntsuccess(ZwClose(handle));
}

/* ---- AB-2: the current thread -------------------------------------------------------------------- */

static PKTHREAD read_gs_188(void)
{
	PKTHREAD thread;
	__asm__ volatile("mov %%gs:0x188, %0" : "=r"(thread));
	return thread;
}

static PKTHREAD seen_in_callback;

static void look_at_gs(struct call *call)
{
	(void)call;
	seen_in_callback = read_gs_188();
}

static void compare_on_new_thread(void *same)
{
	PKTHREAD current = KeGetCurrentThread();
	*(bool *)same = current && read_gs_188() == current;
}

static void ab_02_gs_188_is_the_current_thread_everywhere(void **state)
{
	(void)state;
	bool same = false;
	struct job job;
	struct actor child = actor_start("a.exe");
	assert_ptr_equal(read_gs_188(), KeGetCurrentThread());
	rs_become(child.thread);
	assert_ptr_equal(read_gs_188(), child.thread);
	rs_become(NULL);
	assert_ptr_not_equal(read_gs_188(), child.thread);
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(0)));
	on_call(THREAD, 0, look_at_gs);
	PETHREAD thread = child.thread;
	rs_exit_process(child.process, STATUS_SUCCESS);
	assert_heard("thread0-");
	assert_ptr_equal(seen_in_callback, thread);
	rs_release(child.thread);
	rs_release(child.process);
	job_start(&job, compare_on_new_thread, &same);
	job_join(&job);
	assert_true(same);
}

/* ---- AB-3: IRQL as CR8 -------------------------------------------------------------------------------- */

static uint64_t read_cr8(void)
{
	uint64_t irql;
	__asm__ volatile("mov %%cr8, %0" : "=r"(irql));
	return irql;
}

static void write_cr8(uint64_t irql)
{
	__asm__ volatile("mov %0, %%cr8" : : "r"(irql) : "memory");
}

static uint64_t cr8_in_callback;

static void look_at_cr8(struct call *call)
{
	if (call->create)
		cr8_in_callback = read_cr8();
}

static void ab_03_cr8_is_irql(void **state)
{
	(void)state;
	assert_int_equal(read_cr8(), PASSIVE_LEVEL);
	write_cr8(DISPATCH_LEVEL);
	uint64_t read = read_cr8();
	KIRQL irql = KeGetCurrentIrql();
	write_cr8(PASSIVE_LEVEL);
	assert_int_equal(read, DISPATCH_LEVEL);
	assert_int_equal(irql, DISPATCH_LEVEL);
	assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
	KIRQL old = ke_set_irql(APC_LEVEL);
	read = read_cr8();
	ke_set_irql(old);
	assert_int_equal(read, APC_LEVEL);
}

static void ab_03_cr8_in_a_thread_routine_at_apc_level(void **state)
{
	(void)state;
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(0)));
	on_call(THREAD, 0, look_at_cr8);
	actor_live("a.exe");
	assert_int_equal(cr8_in_callback, APC_LEVEL); /* the observed profile: C-10 */
}

/* ---- AB-4: the shared page -------------------------------------------------------------------------------- */

static uint64_t read_shared(uint64_t offset)
{
	uint64_t value;
	__asm__ volatile("mov (%1), %0" : "=r"(value) : "r"(0xFFFFF78000000000 + offset));
	return value;
}

static void ab_04_shared_page_has_the_times(void **state)
{
	(void)state;
	uint64_t before = host_boot_clock() / 100;
	uint64_t interrupt_time = read_shared(0x8);
	uint64_t after = host_boot_clock() / 100;
	assert_in_range(interrupt_time, before, after);
	before = host_nt_time();
	uint64_t system_time = read_shared(0x14);
	after = host_nt_time();
	assert_in_range(system_time, before, after);
	/* High1Time is followed by High2Time, by which readers tell a torn value. */
	assert_int_equal(read_shared(0x18) & 0xFFFFFFFF, read_shared(0x18) >> 32);
	assert_true(read_shared(0x8) > interrupt_time); /* time goes on */
}

/* ---- AB-5: imported data -------------------------------------------------------------------------------------- */

static void ab_05_types_are_imported_as_addresses_of_pointer_variables(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		POBJECT_TYPE *variable;
	} rows[] = {{"PsProcessType", &PsProcessType},
		    {"PsThreadType", &PsThreadType},
		    {"ExDesktopObjectType", &ExDesktopObjectType}};
	for (unsigned i = 0; i < 3; i++) {
		POBJECT_TYPE *slot = export_of(rows[i].name);
		assert_ptr_equal(slot, rows[i].variable);
		assert_non_null(*slot);
		assert_ptr_equal(*slot, *rows[i].variable);
	}
	/* As a driver compares it with what a callback is told. */
	HANDLE handle;
	POBJECT_TYPE *imported = export_of("PsProcessType");
	watch('A', "1000", 0);
	assert_ntsuccess(ObOpenObjectByPointer(PsInitialSystemProcess, OBJ_KERNEL_HANDLE, NULL, 1,
					       *imported, KernelMode, &handle));
	assert_heard("A< A>");
	assert_ptr_equal(heard(0)->type, *imported);
	assert_ntsuccess(ZwClose(handle));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ab_01_exports_preserve_what_windows_code_expects_inferred),
		WORLD_TEST(ab_01_high_bits_of_narrow_arguments_do_not_count_inferred),
		WORLD_TEST(ab_01_further_arguments_are_on_the_stack_inferred),
		WORLD_TEST(ab_01_routines_may_destroy_what_windows_code_may_inferred),
		WORLD_TEST(ab_02_gs_188_is_the_current_thread_everywhere),
		WORLD_TEST(ab_03_cr8_is_irql),
		OBSERVED_TEST(ab_03_cr8_in_a_thread_routine_at_apc_level),
		WORLD_TEST(ab_04_shared_page_has_the_times),
		WORLD_TEST(ab_05_types_are_imported_as_addresses_of_pointer_variables),
	};
	return cmocka_run_group_tests_name("ab/machine", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * CR8 and the shared data page, as the instructions that compilers emit reach them. The
 * functions below are the driver's.
 */
#include "clock.h"
#include "ke/callout.h"
#include "ke/exception.h"
#include "ke/shared.h"
#include "ldr/module.h"
#include "support/asmdriver.h"
#include "support/bugcheck.h"
#include <pthread.h>
#include <ringside/ringside.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
/* last: needs what is above */
#include <cmocka.h>

DRIVER_BEGIN();

#define SHARED "mov r8, 0xFFFFF78000000000\n"

DRIVER_FUNCTION(get_cr8, "mov rax, cr8");
DRIVER_FUNCTION(get_cr8_r15, "push r15\nmov r15, cr8\nmov rax, r15\npop r15");
DRIVER_FUNCTION(set_cr8, "mov cr8, rcx");
DRIVER_FUNCTION(set_cr8_r12, "push r12\nmov r12, rcx\nmov cr8, r12\npop r12");

/* Loads. rcx is the offset; rax begins as all ones where part of it must stay. */
DRIVER_FUNCTION(load_64, SHARED "mov rax, [r8+rcx]");
DRIVER_FUNCTION(load_32, SHARED "mov rax, -1\nmov eax, [r8+rcx]");
DRIVER_FUNCTION(load_16, SHARED "mov rax, -1\nmov ax, [r8+rcx]");
DRIVER_FUNCTION(load_8, SHARED "mov rax, -1\nmov al, [r8+rcx]");
DRIVER_FUNCTION(load_high_8, SHARED "mov rax, -1\nadd r8, rcx\nmov rcx, r8\nmov ah, [rcx]");
DRIVER_FUNCTION(load_sil, SHARED "push rsi\nmov rsi, -1\nmov sil, [r8+rcx]\nmov rax, rsi\npop rsi");
DRIVER_FUNCTION(load_over_address, SHARED "lea rax, [r8+rcx]\nmov rax, [rax]");
DRIVER_FUNCTION(load_moffs_64, "movabs rax, [0xFFFFF78000000030]");
DRIVER_FUNCTION(load_moffs_32, "mov rax, -1\nmovabs eax, [0xFFFFF78000000260]");
DRIVER_FUNCTION(load_moffs_8, "mov rax, -1\nmovabs al, [0xFFFFF78000000268]");
DRIVER_FUNCTION(load_zx_8, SHARED "mov rax, -1\nmovzx eax, byte ptr [r8+rcx]");
DRIVER_FUNCTION(load_zx_16, SHARED "mov rax, -1\nmovzx rax, word ptr [r8+rcx]");
DRIVER_FUNCTION(load_sx_16, SHARED "movsx rax, word ptr [r8+rcx]");
DRIVER_FUNCTION(load_sx_16_32, SHARED "mov rax, -1\nmovsx eax, word ptr [r8+rcx]");
DRIVER_FUNCTION(load_sxd, SHARED "movsxd rax, dword ptr [r8+rcx]");

/* Everything else. The result of a comparison comes from the flags. */
DRIVER_FUNCTION(cmp_mem_imm, SHARED "xor eax, eax\ncmp dword ptr [r8+rcx], 19045\nsete al");
DRIVER_FUNCTION(cmp_reg_mem, SHARED "xor eax, eax\ncmp rdx, [r8+rcx]\nseta al");
DRIVER_FUNCTION(test_byte, SHARED "xor eax, eax\ntest byte ptr [r8+rcx], 1\nsetnz al");
DRIVER_FUNCTION(add_mem, SHARED "mov rax, rdx\nadd eax, [r8+rcx]");
DRIVER_FUNCTION(sub_mem, SHARED "mov rax, rdx\nsub eax, [r8+rcx]");
DRIVER_FUNCTION(and_mem, SHARED "mov rax, rdx\nand eax, [r8+rcx]");
DRIVER_FUNCTION(or_mem, SHARED "mov rax, rdx\nor eax, [r8+rcx]");
DRIVER_FUNCTION(xor_mem, SHARED "mov rax, rdx\nxor eax, [r8+rcx]");
DRIVER_FUNCTION(adc_mem, SHARED "mov rax, rdx\nstc\nadc eax, [r8+rcx]");
DRIVER_FUNCTION(sbb_mem, SHARED "mov rax, rdx\nstc\nsbb eax, [r8+rcx]");
DRIVER_FUNCTION(imul_mem, SHARED "mov rax, rdx\nimul eax, [r8+rcx]");
DRIVER_FUNCTION(imul_over_address, SHARED "lea rax, [r8+rcx]\nimul eax, [rax], 3");
DRIVER_FUNCTION(push_mem, SHARED "push qword ptr [r8+rcx]\npop rax");
DRIVER_FUNCTION(index_only, SHARED "lea rdx, [r8+rcx]\nxor eax, eax\nadd rax, [rdx*1]");
DRIVER_FUNCTION(load_sse, SHARED "movups xmm0, [r8+rcx]\nmovq rax, xmm0\npsrldq xmm0, 8\n"
				 "movq rdx, xmm0\nxor rax, rdx");
DRIVER_FUNCTION(load_dqu, SHARED "movdqu xmm5, [r8+rcx]\nmovq rax, xmm5");
DRIVER_FUNCTION(convert, SHARED "cvtsi2sd xmm0, dword ptr [r8+rcx]\ncvttsd2si rax, xmm0");
DRIVER_FUNCTION(copy_string, SHARED "push rsi\npush rdi\nlea rsi, [r8+rcx]\nmov rdi, rdx\n"
				    "mov ecx, 22\ncld\nrep movsb\nlea rax, [r8+0x30+22]\n"
				    "sub rax, rsi\npop rdi\npop rsi");
DRIVER_FUNCTION(load_string, SHARED "push rsi\nlea rsi, [r8+rcx]\ncld\nlodsd\nsub rsi, r8\n"
				    "shl rsi, 32\nor rax, rsi\npop rsi");

/* What stays a fault. */
DRIVER_FUNCTION(store, SHARED "mov dword ptr [r8+rcx], 1");
DRIVER_FUNCTION(increment, SHARED "inc dword ptr [r8+rcx]");
DRIVER_FUNCTION(jump_into, SHARED "add r8, rcx\njmp r8");
DRIVER_FUNCTION(copy_to_nowhere, SHARED "push rsi\npush rdi\nlea rsi, [r8+rcx]\nmov edi, 8\n"
					"movsq\npop rdi\npop rsi");
DRIVER_END();

#define ONES 0xFFFFFFFFFFFFFFFFull
#define BUILD 19045ull
enum { BUILD_OFFSET = 0x260, MACHINE_OFFSET = 0x2C, ROOT_OFFSET = 0x30, VALID_OFFSET = 0x268 };

static void ab_3_cr8_reads_the_irql(void **state)
{
	(void)state;
	assert_int_equal(get_cr8(0, 0), PASSIVE_LEVEL);
	KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
	assert_int_equal(get_cr8(0, 0), DISPATCH_LEVEL);
	assert_int_equal(get_cr8_r15(0, 0), DISPATCH_LEVEL);
	KfLowerIrql(old);
}

static void ab_3_cr8_writes_the_irql(void **state)
{
	(void)state;
	set_cr8(APC_LEVEL, 0);
	assert_int_equal(KeGetCurrentIrql(), APC_LEVEL);
	set_cr8_r12(HIGH_LEVEL, 0);
	assert_int_equal(KeGetCurrentIrql(), HIGH_LEVEL);
	set_cr8(PASSIVE_LEVEL, 0);
	assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void set_reserved_cr8(void *unused)
{
	(void)unused;
	set_cr8(16, 0);
}

static void ab_3_reserved_bits_of_cr8_are_a_fault(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0x7E, set_reserved_cr8, NULL);
	assert_string_equal(seen->module, "asm.sys");
}

static void ab_4_loads_keep_to_their_width(void **state)
{
	(void)state;
	assert_int_equal(load_32(BUILD_OFFSET, 0), BUILD);
	assert_int_equal(load_64(BUILD_OFFSET, 0), BUILD | 1ull << 32);
	assert_int_equal(load_16(BUILD_OFFSET, 0), (ONES & ~0xFFFFull) | BUILD);
	assert_int_equal(load_8(BUILD_OFFSET, 0), (ONES & ~0xFFull) | (BUILD & 0xFF));
	assert_int_equal(load_high_8(BUILD_OFFSET, 0), (ONES & ~0xFF00ull) | (BUILD & 0xFF) << 8);
	assert_int_equal(load_sil(BUILD_OFFSET, 0), (ONES & ~0xFFull) | (BUILD & 0xFF));
	assert_int_equal(load_over_address(BUILD_OFFSET, 0), BUILD | 1ull << 32);
	assert_int_equal(load_zx_8(BUILD_OFFSET, 0), BUILD & 0xFF);
	assert_int_equal(load_zx_16(BUILD_OFFSET, 0), BUILD);
	assert_int_equal(load_sx_16(MACHINE_OFFSET, 0), (ULONG64)(int16_t)0x8664);
	assert_int_equal(load_sx_16_32(MACHINE_OFFSET, 0), (ULONG)(int16_t)0x8664);
	assert_int_equal(load_sxd(MACHINE_OFFSET, 0), (ULONG64)(int32_t)0x86648664);
}

static void ab_4_absolute_loads_work(void **state)
{
	(void)state;
	assert_int_equal(load_moffs_64(0, 0), 0x005C003A0043u | (ULONG64)'W' << 48);
	assert_int_equal(load_moffs_32(0, 0), BUILD);
	assert_int_equal(load_moffs_8(0, 0), (ONES & ~0xFFull) | 1);
}

static void ab_4_any_other_read_runs_on_a_copy(void **state)
{
	(void)state;
	ULONG b = BUILD, v = 0x12345678;
	assert_int_equal(cmp_mem_imm(BUILD_OFFSET, 0), 1);
	assert_int_equal(cmp_reg_mem(BUILD_OFFSET, 1), 0);
	assert_int_equal(cmp_reg_mem(BUILD_OFFSET, ONES), 1);
	assert_int_equal(test_byte(VALID_OFFSET, 0), 1);
	assert_int_equal(test_byte(0x2D4, 0), 0); /* KdDebuggerEnabled */
	assert_int_equal(add_mem(BUILD_OFFSET, v), v + b);
	assert_int_equal(sub_mem(BUILD_OFFSET, v), v - b);
	assert_int_equal(and_mem(BUILD_OFFSET, v), v & b);
	assert_int_equal(or_mem(BUILD_OFFSET, v), v | b);
	assert_int_equal(xor_mem(BUILD_OFFSET, v), v ^ b);
	assert_int_equal(adc_mem(BUILD_OFFSET, v), v + b + 1);
	assert_int_equal(sbb_mem(BUILD_OFFSET, v), v - b - 1);
	assert_int_equal(imul_mem(BUILD_OFFSET, 7), 7 * b);
	assert_int_equal(imul_over_address(BUILD_OFFSET, 0), 3 * b);
	assert_int_equal(push_mem(BUILD_OFFSET, 0), BUILD | 1ull << 32);
	assert_int_equal(index_only(BUILD_OFFSET, 0), BUILD | 1ull << 32);
	assert_int_equal(convert(BUILD_OFFSET, 0), BUILD);
	assert_int_equal(load_dqu(BUILD_OFFSET, 0), BUILD | 1ull << 32);
	ULONG64 text[2];
	memcpy(text, u"C:\\Windo", sizeof(text));
	assert_int_equal(load_sse(ROOT_OFFSET, 0), text[0] ^ text[1]);
}

static void ab_4_string_instructions_advance(void **state)
{
	(void)state;
	WCHAR root[11] = {0};
	assert_int_equal(copy_string(ROOT_OFFSET, (uintptr_t)root), 0);
	assert_memory_equal(root, u"C:\\Windows", sizeof(root));
	assert_int_equal(load_string(BUILD_OFFSET, 0), BUILD | (ULONG64)(BUILD_OFFSET + 4) << 32);
}

static void ab_4_exports_may_be_given_a_pointer_into_the_page(void **state)
{
	(void)state;
	struct {
		ULONG major, minor;
	} version;
	/* Not memcpy: a sanitizer's would look up the address in its own tables first. */
	const char *from = (const char *)KE_SHARED_DATA + 0x26C;
	char *to = (char *)&version;
	size_t count = sizeof(version);
	__asm__ volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
	assert_int_equal(version.major, 10);
	assert_int_equal(version.minor, 0);
	assert_ptr_equal(from, KE_SHARED_DATA + 0x26C + sizeof(version));
}

/* ---- Clocks ----------------------------------------------------------------------- */

static ULONG64 read_clock(unsigned offset)
{
	ULONG high, low;
	do {
		high = (ULONG)load_32(offset + 4, 0);
		low = (ULONG)load_32(offset, 0);
	} while (high != (ULONG)load_32(offset + 8, 0));
	return (ULONG64)high << 32 | low;
}

static void ab_4_system_time_is_the_wall_clock_now(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		ULONG64 before = host_nt_time();
		ULONG64 seen = read_clock(0x14);
		assert_in_range(seen, before, host_nt_time());
		usleep(1000);
	}
}

static void ab_4_interrupt_time_and_ticks_count_since_boot(void **state)
{
	(void)state;
	ULONG64 before = host_boot_clock() / 100;
	ULONG64 interrupt = read_clock(0x8), ticks = read_clock(0x320);
	ULONG64 after = host_boot_clock() / 100;
	assert_in_range(interrupt, before, after);
	assert_in_range(ticks, before / 156250, after / 156250);
	/* Ticks times the multiplier is milliseconds, as KeQueryTickCount's users compute. */
	ULONG64 ms = ticks * load_32(0x4, 0) >> 24;
	assert_in_range(ms, before / 10000 - 16, after / 10000);
}

static void ab_4_version_is_a_supported_windows(void **state)
{
	(void)state;
	assert_int_equal(load_32(0x26C, 0), 10);
	assert_int_equal(load_32(0x270, 0), 0);
	assert_int_equal(load_32(0x264, 0), 1);
	assert_int_equal(load_8(0x274 + 10, 0) & 0xFF, 1); /* SSE2 */
	assert_int_equal(load_32(0x3C0, 0), sysconf(_SC_NPROCESSORS_ONLN));
	assert_int_equal(load_32(0x2E8, 0), sysconf(_SC_PHYS_PAGES));
}

/* ---- Faults ------------------------------------------------------------------------ */

static void call_function(void *function)
{
	struct ke_callout callout;
	ke_callout_begin(&callout, "test routine", function, PASSIVE_LEVEL);
	((driver_function *)function)(0x260, 0);
}

static void ab_4_writing_the_page_is_a_fault(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0x50, call_function, (void *)store);
	assert_int_equal(seen->parameter[0], KE_SHARED_DATA + BUILD_OFFSET);
	assert_int_equal(seen->parameter[1], 1);
	expect_bug_check(0x50, call_function, (void *)increment);
}

static void ab_4_running_the_page_is_a_fault(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0x50, call_function,
							     (void *)jump_into);
	assert_int_equal(seen->parameter[0], KE_SHARED_DATA + BUILD_OFFSET);
	assert_int_equal(seen->parameter[1], 8);
}

/* An instruction that runs on the copy can fault for another reason; the driver's registers
 * are then as they were, and its handlers are shown those. */
static void check_context(void *unused, const struct rs_event *event)
{
	(void)unused;
	if (event->type != RS_BUG_CHECK)
		return;
	const CONTEXT *context = (const CONTEXT *)event->bug_check.parameter[3];
	if (context->Rsi != KE_SHARED_DATA + BUILD_OFFSET || context->Rdi != 8 ||
	    context->Rip != event->bug_check.parameter[1])
		abort();
}

static void fault_in_a_copy(void *unused)
{
	(void)unused;
	rs_listen(check_context, NULL);
	call_function((void *)copy_to_nowhere);
}

static void ab_4_fault_of_a_stepped_instruction_is_the_drivers(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0x7E, fault_in_a_copy, NULL);
	assert_int_equal((ULONG)seen->parameter[0], 0xC0000005);
	assert_non_null(strstr(seen->detail, "write to 0x8 "));
	assert_string_equal(seen->module, "asm.sys");
}

/* ---- Threads ------------------------------------------------------------------------ */

static void *use_traps(void *argument)
{
	bool *right = argument;
	for (int i = 0; i < 3000 && *right; i++) {
		set_cr8(i % 3, 0);
		*right = get_cr8(0, 0) == (ULONG64)(i % 3) && load_32(BUILD_OFFSET, 0) == BUILD &&
			 add_mem(BUILD_OFFSET, i) == BUILD + (unsigned)i;
	}
	set_cr8(0, 0);
	return NULL;
}

static void each_host_thread_has_its_own_cr8_and_steps(void **state)
{
	(void)state;
	pthread_t thread[4];
	bool right[4] = {true, true, true, true};
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, use_traps, &right[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		assert_true(right[i]);
	}
}

static void *read_gs(void *result)
{
	*(ULONG64 *)result = get_cr8(0, 0);
	return NULL;
}

static void host_thread_new_to_the_kernel_may_start_in_a_driver(void **state)
{
	(void)state;
	pthread_t thread;
	ULONG64 irql = 99;
	assert_int_equal(pthread_create(&thread, NULL, read_gs, &irql), 0);
	pthread_join(thread, NULL);
	assert_int_equal(irql, PASSIVE_LEVEL);
}

static int boot(void **state)
{
	(void)state;
	int error = rs_boot(NULL);
	return error ? error : declare_asm_driver();
}

static int shut_down(void **state)
{
	(void)state;
	rs_shutdown();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ab_3_cr8_reads_the_irql),
		cmocka_unit_test(ab_3_cr8_writes_the_irql),
		cmocka_unit_test(ab_3_reserved_bits_of_cr8_are_a_fault),
		cmocka_unit_test(ab_4_loads_keep_to_their_width),
		cmocka_unit_test(ab_4_absolute_loads_work),
		cmocka_unit_test(ab_4_any_other_read_runs_on_a_copy),
		cmocka_unit_test(ab_4_string_instructions_advance),
		cmocka_unit_test(ab_4_exports_may_be_given_a_pointer_into_the_page),
		cmocka_unit_test(ab_4_system_time_is_the_wall_clock_now),
		cmocka_unit_test(ab_4_interrupt_time_and_ticks_count_since_boot),
		cmocka_unit_test(ab_4_version_is_a_supported_windows),
		cmocka_unit_test(ab_4_writing_the_page_is_a_fault),
		cmocka_unit_test(ab_4_running_the_page_is_a_fault),
		cmocka_unit_test(ab_4_fault_of_a_stepped_instruction_is_the_drivers),
		cmocka_unit_test(each_host_thread_has_its_own_cr8_and_steps),
		cmocka_unit_test(host_thread_new_to_the_kernel_may_start_in_a_driver),
	};
	return cmocka_run_group_tests(tests, boot, shut_down);
}

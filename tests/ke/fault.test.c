/* SPDX-License-Identifier: MIT */
/* Faults of drivers: each ends in the bug check that Windows documents for it. */
#include "ke/callout.h"
#include "ps/process.h"
#include "support/asmdriver.h"
#include "support/bugcheck.h"
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
/* last: needs what is above */
#include <cmocka.h>

DRIVER_BEGIN();
DRIVER_FUNCTION(read_it, "mov eax, [rcx]");
DRIVER_FUNCTION(write_it, "mov dword ptr [rcx], 7");
DRIVER_FUNCTION(call_it, "sub rsp, 0x28\ncall rcx\nadd rsp, 0x28");
DRIVER_FUNCTION(call_twice, "sub rsp, 0x28\nmov rax, rcx\nmov rcx, rdx\ncall rax\nadd rsp, 0x28");
DRIVER_FUNCTION(load_aligned, "movaps xmm0, [rcx]");
DRIVER_FUNCTION(divide, "mov eax, 1\nxor edx, edx\nmov r8, rcx\ndiv r8");
DRIVER_FUNCTION(divide_memory, "mov eax, 1\nxor edx, edx\npush 0\ndiv dword ptr [rsp]\npop rcx");
DRIVER_FUNCTION(divide_high, "mov ax, 1\nmov edx, 0x00FF\ndiv dh");
DRIVER_FUNCTION(divide_low, "mov eax, 1\nxor edx, edx\nmov r8, 0x100000000\ndiv r8d");
DRIVER_FUNCTION(overflow_quotient, "mov edx, 5\nmov eax, 0\nmov r8d, 2\ndiv r8d");
DRIVER_FUNCTION(undefined, "ud2");
DRIVER_FUNCTION(breakpoint, "int3");
DRIVER_FUNCTION(fail_fast, "int 0x29");
DRIVER_FUNCTION(assert_failed, "int 0x2C");
DRIVER_FUNCTION(debug_service, "int 0x2D");
DRIVER_FUNCTION(other_interrupt, "int 0x2E");
DRIVER_FUNCTION(disable_interrupts, "cli");
DRIVER_FUNCTION(enable_interrupts, "sti");
DRIVER_FUNCTION(halt, "hlt");
DRIVER_FUNCTION(read_port, "mov edx, 0x60\nin al, dx");
DRIVER_FUNCTION(write_port, "mov edx, 0x60\nout dx, al");
DRIVER_FUNCTION(read_msr, "mov ecx, 0xC0000082\nrdmsr");
DRIVER_FUNCTION(write_msr, "mov ecx, 0xC0000082\nwrmsr");
DRIVER_FUNCTION(read_cr0, "mov rax, cr0");
DRIVER_FUNCTION(write_cr3, "mov cr3, rax");
DRIVER_FUNCTION(invalidate, "wbinvd");
DRIVER_FUNCTION(recurse, "sub rsp, 0x1008\nmov [rsp], rcx\ncall recurse\nadd rsp, 0x1008");
DRIVER_END();

#define UNMAPPED_KERNEL 0xFFFF800000001000ull

struct call {
	driver_function *function;
	ULONG64 first, second;
	KIRQL irql;
	KPROCESSOR_MODE previous_mode;
};

/* As a routine of the driver is called. */
static void make_call(void *argument)
{
	const struct call *call = argument;
	struct ke_callout callout;
	ke_thread_of(ke_current_thread())->previous_mode = call->previous_mode;
	ke_callout_begin(&callout, "test routine", (void *)call->function, call->irql);
	call->function(call->first, call->second);
	ke_callout_end(&callout, call->irql);
}

static const struct bug_check_seen *expect(ULONG code, struct call call)
{
	const struct bug_check_seen *seen = expect_bug_check(code, make_call, &call);
	assert_string_equal(seen->callback, "test routine");
	assert_int_equal(seen->irql, call.irql);
	return seen;
}

/* An exception that nobody handled, in the System process. */
static const struct bug_check_seen *expect_exception(NTSTATUS status, struct call call)
{
	const struct bug_check_seen *seen = expect(0x7E, call);
	assert_int_equal(seen->parameter[0], (ULONG)status);
	assert_int_equal(seen->parameter[1], seen->address);
	assert_string_equal(seen->module, "asm.sys");
	assert_int_equal(seen->offset, seen->parameter[1] - (uintptr_t)asm_driver_begin);
	return seen;
}

/* Where in asm.sys: at most 24 bytes into the function. */
#define assert_inside(seen, function)                                                              \
	assert_in_range((seen)->address, (uintptr_t)(function), (uintptr_t)(function) + 24)

/* ---- Page faults ------------------------------------------------------------------- */

static void null_read_in_a_system_thread_is_7e(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_exception(STATUS_ACCESS_VIOLATION,
							     (struct call){read_it, 0x10});
	assert_inside(seen, read_it);
	assert_string_equal(seen->detail, "read from 0x10 by mov eax, [rcx]");
	assert_int_equal(seen->process_id, 4);
	assert_string_equal(seen->frame[0], "asm.sys+0x0");
}

static void null_read_in_a_system_service_is_3b(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect(
		0x3B, (struct call){read_it, 0, .previous_mode = UserMode});
	assert_int_equal(seen->parameter[0], 0xC0000005);
	assert_int_equal(seen->parameter[1], (uintptr_t)read_it);
}

static void vf_14_any_page_fault_at_dispatch_level_is_d1(void **state)
{
	(void)state;
	static const ULONG64 address[] = {0x10, UNMAPPED_KERNEL};
	for (int i = 0; i < 2; i++) {
		const struct bug_check_seen *seen = expect(
			0xD1, (struct call){write_it, address[i], .irql = DISPATCH_LEVEL});
		assert_int_equal(seen->parameter[0], address[i]);
		assert_int_equal(seen->parameter[1], DISPATCH_LEVEL);
		assert_int_equal(seen->parameter[2], 1);
		assert_int_equal(seen->parameter[3], (uintptr_t)write_it);
	}
}

/* An export that reads what it was given. */
static ULONG64 NTAPI read_for_driver(ULONG64 first, ULONG64 second)
{
	(void)second;
	ULONG64 value;
	__asm__ volatile("mov (%1), %0" : "=r"(value) : "r"(first));
	return value;
}

static void vf_14_bad_pointer_given_to_an_export_at_dispatch_level_is_a(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect(
		0xA, (struct call){call_twice, (uintptr_t)read_for_driver, 0x10,
				   .irql = DISPATCH_LEVEL});
	assert_int_equal(seen->parameter[0], 0x10);
	assert_string_equal(seen->module, "asm.sys"); /* the caller is to blame */
	assert_inside(seen, call_twice);
}

static void bad_pointer_given_to_an_export_blames_the_driver(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect(
		0x7E, (struct call){call_twice, (uintptr_t)read_for_driver, 0x10});
	assert_string_equal(seen->module, "asm.sys");
	assert_inside(seen, call_twice);
}

static void unmapped_kernel_memory_is_50(void **state)
{
	(void)state;
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(page, 4096);
	const struct bug_check_seen *seen = expect(0x50, (struct call){read_it, (uintptr_t)page});
	assert_int_equal(seen->parameter[0], (uintptr_t)page);
	assert_int_equal(seen->parameter[1], 0);
	assert_int_equal(seen->parameter[2], (uintptr_t)read_it);
	seen = expect(0x50, (struct call){write_it, UNMAPPED_KERNEL});
	assert_int_equal(seen->parameter[0], UNMAPPED_KERNEL);
	assert_int_equal(seen->parameter[1], 1);
}

static void writing_read_only_memory_is_be(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect(0xBE,
						   (struct call){write_it, (uintptr_t)read_it});
	assert_int_equal(seen->parameter[0], (uintptr_t)read_it);
}

static void running_data_is_fc(void **state)
{
	(void)state;
	static ULONG64 data;
	const struct bug_check_seen *seen = expect(0xFC, (struct call){call_it, (uintptr_t)&data});
	assert_int_equal(seen->parameter[0], (uintptr_t)&data);
	assert_string_equal(seen->module, "asm.sys");
	assert_inside(seen, call_it);
}

static void call_through_null_names_the_caller(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect(0x7E, (struct call){call_it, 0});
	assert_int_equal(seen->parameter[0], 0xC0000005);
	assert_int_equal(seen->parameter[1], 0);
	assert_inside(seen, call_it);
	assert_string_equal(seen->detail, "execution at 0x0, where there is no code");
	assert_int_equal(seen->guessed & 2, 0); /* the return address is where the call put it */
}

static void access_to_no_address_is_an_access_violation(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_exception(
		STATUS_ACCESS_VIOLATION, (struct call){read_it, 0x8000000000000000});
	assert_non_null(strstr(seen->detail, "0x8000000000000000, which is no address"));
}

static void misaligned_sse_access_is_an_access_violation(void **state)
{
	(void)state;
	static UCHAR buffer[64] __attribute__((aligned(16)));
	const struct bug_check_seen *seen = expect_exception(
		STATUS_ACCESS_VIOLATION, (struct call){load_aligned, (uintptr_t)buffer + 4});
	assert_non_null(strstr(seen->detail, "which is not aligned"));
}

static void page_beyond_the_end_of_a_file_is_an_in_page_error(void **state)
{
	(void)state;
	FILE *file = tmpfile();
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fileno(file), 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	expect_exception(STATUS_IN_PAGE_ERROR, (struct call){read_it, (uintptr_t)page});
	fclose(file);
}

/* ---- Stack ------------------------------------------------------------------------- */

static void vf_16_used_up_stack_is_a_double_fault(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect(0x7F, (struct call){recurse});
	assert_int_equal(seen->parameter[0], 8);
	assert_inside(seen, recurse);
	assert_true(seen->frames > 10);
	assert_string_equal(seen->module, "asm.sys");
}

static void *make_call_on_thread(void *call)
{
	make_call(call);
	return NULL;
}

static void recurse_on_another_thread(void *unused)
{
	(void)unused;
	struct call call = {recurse};
	pthread_t thread;
	pthread_create(&thread, NULL, make_call_on_thread, &call);
	pthread_join(thread, NULL);
}

static void vf_16_every_host_thread_can_report_a_used_up_stack(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0x7F, recurse_on_another_thread, NULL);
	assert_int_equal(seen->parameter[0], 8);
}

/* ---- Other exceptions --------------------------------------------------------------- */

static void division_by_zero_is_c0000094(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_exception(STATUS_INTEGER_DIVIDE_BY_ZERO,
							     (struct call){divide});
	assert_string_equal(seen->detail, "division by zero at div r8");
	expect_exception(STATUS_INTEGER_DIVIDE_BY_ZERO, (struct call){divide_memory});
	expect_exception(STATUS_INTEGER_DIVIDE_BY_ZERO, (struct call){divide_high});
	expect_exception(STATUS_INTEGER_DIVIDE_BY_ZERO, (struct call){divide_low});
}

static void overflow_of_a_quotient_is_c0000095(void **state)
{
	(void)state;
	expect_exception(STATUS_INTEGER_OVERFLOW, (struct call){overflow_quotient});
}

static void exception_at_dispatch_level_is_1e(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect(0x1E,
						   (struct call){divide, .irql = DISPATCH_LEVEL});
	assert_int_equal(seen->parameter[0], 0xC0000094);
	assert_inside(seen, divide);
}

static void undefined_instruction_is_c000001d(void **state)
{
	(void)state;
	expect_exception(STATUS_ILLEGAL_INSTRUCTION, (struct call){undefined});
}

static void breakpoint_is_80000003_at_the_int3(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_exception(STATUS_BREAKPOINT,
							     (struct call){breakpoint});
	assert_int_equal(seen->address, (uintptr_t)breakpoint);
	expect_exception(STATUS_BREAKPOINT, (struct call){debug_service});
}

static void fast_fail_is_139_with_its_code(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect(0x139, (struct call){fail_fast, 3});
	assert_int_equal(seen->parameter[0], 3);
	assert_string_equal(seen->detail, "fast fail 3: a LIST_ENTRY is corrupt");
	assert_string_equal(seen->module, "asm.sys");
	seen = expect(0x139, (struct call){fail_fast, 1000});
	assert_string_equal(seen->detail, "fast fail 1000: no documented reason");
}

static void failed_assertion_is_c0000420(void **state)
{
	(void)state;
	expect_exception(STATUS_ASSERTION_FAILURE, (struct call){assert_failed});
}

static void other_software_interrupt_is_an_access_violation(void **state)
{
	(void)state;
	expect_exception(STATUS_ACCESS_VIOLATION, (struct call){other_interrupt});
}

static void privileged_instructions_are_named(void **state)
{
	(void)state;
	static const struct {
		driver_function *function;
		const char *text;
	} row[] = {
		{disable_interrupts, "cli"},
		{enable_interrupts, "sti"},
		{halt, "hlt"},
		{read_port, "in al, dx"},
		{write_port, "out dx, al"},
		{read_msr, "rdmsr"},
		{write_msr, "wrmsr"},
		{read_cr0, "mov rax, cr0"},
		{write_cr3, "mov cr3, rax"},
		{invalidate, "wbinvd"},
	};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char detail[64];
		const struct bug_check_seen *seen = expect_exception(
			STATUS_PRIVILEGED_INSTRUCTION, (struct call){row[i].function});
		snprintf(detail, sizeof(detail), "privileged instruction: %s", row[i].text);
		assert_string_equal(seen->detail, detail);
		assert_inside(seen, row[i].function);
	}
}

/* ---- The report --------------------------------------------------------------------- */

static void report_says_what_where_and_during_what(void **state)
{
	(void)state;
	char expected[512];
	const struct bug_check_seen *seen = expect(
		0xD1, (struct call){read_it, 0x10, .irql = DISPATCH_LEVEL});
	snprintf(expected, sizeof(expected),
		 "*** BUG CHECK 0xD1 DRIVER_IRQL_NOT_LESS_OR_EQUAL (0000000000000010, "
		 "0000000000000002, 0000000000000000, %016" PRIX64 ")\n"
		 "    read from 0x10 by mov eax, [rcx]\n"
		 "    in      asm.sys+0x0 at IRQL 2\n"
		 "    during  test routine, process 4, thread 8\n"
		 "    stack  #0  asm.sys+0x0\n",
		 (ULONG64)(uintptr_t)read_it);
	assert_string_equal(seen->report, expected);
}

/* ---- What is none of a driver's business ------------------------------------------- */

static void fault_of_our_own(void *unused)
{
	(void)unused;
	read_for_driver(0x10, 0);
}

static void breakpoint_of_our_own(void *unused)
{
	(void)unused;
	__asm__ volatile("int3");
}

static void send_segv(void *unused)
{
	(void)unused;
	struct ke_callout callout;
	ke_callout_begin(&callout, "test routine", (void *)read_it, PASSIVE_LEVEL);
	raise(SIGSEGV);
}

static bool default_action_is_ours(void)
{
	struct sigaction action;
	rs_shutdown();
	sigaction(SIGSEGV, NULL, &action);
	rs_boot(NULL);
	declare_asm_driver();
	return action.sa_handler == SIG_DFL;
}

static void fault_outside_of_drivers_keeps_its_default_action(void **state)
{
	(void)state;
	struct bug_check_seen seen;
	if (!default_action_is_ours())
		skip(); /* a sanitizer reports it and exits */
	run_for_bug_check(fault_of_our_own, NULL, &seen);
	assert_false(seen.happened);
	assert_true(WIFSIGNALED(seen.wait_status));
	assert_int_equal(WTERMSIG(seen.wait_status), SIGSEGV);
	run_for_bug_check(send_segv, NULL, &seen);
	assert_false(seen.happened);
	assert_int_equal(WTERMSIG(seen.wait_status), SIGSEGV);
	run_for_bug_check(breakpoint_of_our_own, NULL, &seen);
	assert_false(seen.happened);
	assert_int_equal(WTERMSIG(seen.wait_status), SIGTRAP);
}

static sigjmp_buf recovery;
static void *recovered_address;

static void recover(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	recovered_address = info->si_addr;
	siglongjmp(recovery, 1);
}

static void fault_outside_of_drivers_goes_to_the_handler_before_ours(void **state)
{
	(void)state;
	struct sigaction mine = {.sa_sigaction = recover, .sa_flags = SA_SIGINFO}, original, now;
	rs_shutdown();
	sigaction(SIGSEGV, &mine, &original);
	assert_int_equal(rs_boot(NULL), 0);
	if (!sigsetjmp(recovery, 1))
		read_for_driver(0x18, 0);
	assert_ptr_equal(recovered_address, 0x18);
	rs_shutdown();
	sigaction(SIGSEGV, &original, &now);
	assert_ptr_equal(now.sa_sigaction, recover); /* put back */
	assert_int_equal(rs_boot(NULL), 0);
	assert_int_equal(declare_asm_driver(), 0);
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
		cmocka_unit_test(null_read_in_a_system_thread_is_7e),
		cmocka_unit_test(null_read_in_a_system_service_is_3b),
		cmocka_unit_test(vf_14_any_page_fault_at_dispatch_level_is_d1),
		cmocka_unit_test(vf_14_bad_pointer_given_to_an_export_at_dispatch_level_is_a),
		cmocka_unit_test(bad_pointer_given_to_an_export_blames_the_driver),
		cmocka_unit_test(unmapped_kernel_memory_is_50),
		cmocka_unit_test(writing_read_only_memory_is_be),
		cmocka_unit_test(running_data_is_fc),
		cmocka_unit_test(call_through_null_names_the_caller),
		cmocka_unit_test(access_to_no_address_is_an_access_violation),
		cmocka_unit_test(misaligned_sse_access_is_an_access_violation),
		cmocka_unit_test(page_beyond_the_end_of_a_file_is_an_in_page_error),
		cmocka_unit_test(vf_16_used_up_stack_is_a_double_fault),
		cmocka_unit_test(vf_16_every_host_thread_can_report_a_used_up_stack),
		cmocka_unit_test(division_by_zero_is_c0000094),
		cmocka_unit_test(overflow_of_a_quotient_is_c0000095),
		cmocka_unit_test(exception_at_dispatch_level_is_1e),
		cmocka_unit_test(undefined_instruction_is_c000001d),
		cmocka_unit_test(breakpoint_is_80000003_at_the_int3),
		cmocka_unit_test(fast_fail_is_139_with_its_code),
		cmocka_unit_test(failed_assertion_is_c0000420),
		cmocka_unit_test(other_software_interrupt_is_an_access_violation),
		cmocka_unit_test(privileged_instructions_are_named),
		cmocka_unit_test(report_says_what_where_and_during_what),
		cmocka_unit_test(fault_outside_of_drivers_keeps_its_default_action),
		cmocka_unit_test(fault_outside_of_drivers_goes_to_the_handler_before_ours),
	};
	return cmocka_run_group_tests(tests, boot, shut_down);
}

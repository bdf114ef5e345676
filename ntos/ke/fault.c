/* SPDX-License-Identifier: MIT */
/*
 * From a processor exception to what Windows makes of it.
 *
 * A trap is a driver's when its code is in a module, or when it is in our own code
 * while a driver's routine is on this thread: then an export was handed a bad
 * pointer. Anything else is a fault of this program and goes on to whoever handled it
 * before us.
 *
 * Windows has two kinds of answers, and so has this file. Some page faults end the
 * system at once (stop): at raised IRQL (0xD1, 0xA), at a kernel address (0x50, 0xBE,
 * 0xFC), for want of stack (0x7F). Everything else is an exception (raise_exception),
 * which a driver can handle.
 *
 * All of it runs on the signal stack of the thread that trapped, reads other memory
 * with host_read only, and takes no locks.
 *
 * Clauses: VF-14; the bug-check reference for the parameters.
 */
#include "ke/fault.h"
#include "ke/bugcheck.h"
#include "ke/callout.h"
#include "ke/emulate.h"
#include "ke/exception.h"
#include "ke/instruction.h"
#include "ke/stackwalk.h"
#include "rtl/exception.h"
#include "user.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KERNEL_BEGIN 0x500000000000ull /* user addresses are below */

/* A stack that has overflowed: the fault is at most this far below its end, and
 * the stack pointer at most as far above. */
#define BELOW_STACK 0x100000u
#define NEAR_END_OF_STACK 0x10000u

/* Not in the list of statuses, since nothing returns them. */
#define STATUS_FLOAT_MULTIPLE_FAULTS ((NTSTATUS)0xC00002B4)
#define STATUS_FLOAT_MULTIPLE_TRAPS ((NTSTATUS)0xC00002B5)

/* Of the flags register. */
#define FLAG_TRAP 0x100
#define FLAG_DIRECTION 0x400
#define FLAG_ALIGNMENT 0x40000

struct fault {
	struct host_trap *trap;
	bool in_driver; /* a driver's code, not ours on behalf of one */
	ULONG64 at;     /* the instruction */
	char instruction[96];
	char sentence[256];
};

static void say(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct fault *fault, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(fault->sentence, sizeof(fault->sentence), format, arguments);
	va_end(arguments);
}

static _Noreturn void stop(const struct fault *fault, ULONG code, ULONG64 p1, ULONG64 p2,
			   ULONG64 p3, ULONG64 p4)
{
	struct ke_frame frame = {.pc = fault->at, .known = 0xFFFF};
	struct ke_bug_check check = {.code = code, .parameter = {p1, p2, p3, p4}, .from = &frame};
	memcpy(frame.reg, fault->trap->reg, sizeof(frame.reg));
	if (fault->in_driver)
		check.address = (const void *)fault->at;
	ke_bug_check(&check, "%s", fault->sentence);
}

/* ---- Exceptions ------------------------------------------------------------------- */

/* Exceptions leave the red zone of our own functions alone: they may go on. */
#define RED_ZONE 128

static void fill_context(const struct host_trap *trap, CONTEXT *context)
{
	_Static_assert(offsetof(CONTEXT, Rip) - offsetof(CONTEXT, Rax) == sizeof(trap->reg), "");
	memset(context, 0, sizeof(*context));
	context->ContextFlags = CONTEXT_CONTROL_AND_INTEGER;
	memcpy(&context->Rax, trap->reg, sizeof(trap->reg));
	context->EFlags = (ULONG)trap->rflags;
	context->Rip = trap->rip;
	context->SegCs = 0x10; /* the selectors of Windows' kernel */
	context->SegSs = 0x18;
	context->SegDs = context->SegEs = context->SegGs = 0x2B;
	context->SegFs = 0x53;
	if (trap->floats) {
		context->ContextFlags = CONTEXT_FULL;
		memcpy(&context->FltSave, trap->floats, sizeof(context->FltSave));
		context->MxCsr = context->FltSave.MxCsr;
	}
}

/* Goes on at rtl_exception_entry when the signal handler returns, with the exception
 * below the interrupted stack. False when there is no room for it. */
static bool divert(struct host_trap *trap, const struct ke_exception *exception)
{
	ULONG64 to = (trap->reg[KE_RSP] - RED_ZONE - sizeof(*exception)) & ~15ull;
	if (to < ke_processor()->stack.low ||
	    host_write((void *)to, exception, sizeof(*exception)) != sizeof(*exception))
		return false;
	trap->reg[KE_RSP] = to;
	trap->rip = (uintptr_t)rtl_exception_entry;
	trap->rflags &= ~(uint64_t)(FLAG_TRAP | FLAG_DIRECTION | FLAG_ALIGNMENT);
	return true;
}

/* Here a fault has become a Windows exception, and leaves the signal's context: a
 * driver's handlers run where the fault was (rtl/exception.c). */
static void raise_exception(const struct fault *fault, NTSTATUS status, ULONG count, ULONG64 first,
			    ULONG64 second)
{
	struct ke_exception exception = {
		.record = {.ExceptionCode = status,
			   .ExceptionAddress = (void *)fault->at,
			   .NumberParameters = count,
			   .ExceptionInformation = {first, second}},
		.fault = true,
		.in_driver = fault->in_driver,
	};
	fill_context(fault->trap, &exception.context);
	exception.context.Rip = fault->at;
	memcpy(exception.sentence, fault->sentence, sizeof(exception.sentence));
	if (!divert(fault->trap, &exception))
		ke_unhandled_exception(&exception);
}

/* ---- Page faults ------------------------------------------------------------------ */

enum { ACCESS_READ = 0, ACCESS_WRITE = 1, ACCESS_EXECUTE = 8 };

static ULONG64 access_of(const struct host_trap *trap)
{
	return trap->execute ? ACCESS_EXECUTE : trap->write ? ACCESS_WRITE : ACCESS_READ;
}

static bool is_stack_overflow(const struct host_trap *trap)
{
	uintptr_t low = ke_processor()->stack.low;
	return low && trap->address < low && trap->address >= low - BELOW_STACK &&
	       trap->reg[KE_RSP] < low + NEAR_END_OF_STACK &&
	       trap->reg[KE_RSP] >= low - BELOW_STACK;
}

static bool is_readable(ULONG64 address)
{
	char byte;
	return host_read(&byte, (const void *)address, 1) == 1;
}

static void say_access(struct fault *fault)
{
	const struct host_trap *trap = fault->trap;
	if (trap->execute)
		say(fault, "execution at 0x%" PRIx64 ", where there is no code", trap->address);
	else
		say(fault, "%s 0x%" PRIx64 " by %s", trap->write ? "write to" : "read from",
		    trap->address, fault->instruction);
}

/* Memory that is wanted must be there at a kernel address, or at DISPATCH_LEVEL at any:
 * there is nobody who could bring it in, and no handler is asked. */
static _Noreturn void kernel_page_fault(const struct fault *fault)
{
	const struct host_trap *trap = fault->trap;
	bool there = is_readable(trap->address);

	if (trap->write && there)
		stop(fault, KE_ATTEMPTED_WRITE_TO_READONLY_MEMORY, trap->address, 0, 0, 0);
	if (trap->execute && there)
		stop(fault, KE_ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY, trap->address, 0, 0, 0);
	stop(fault, KE_PAGE_FAULT_IN_NONPAGED_AREA, trap->address, access_of(trap), fault->at, 0);
}

static void page_fault(struct fault *fault)
{
	const struct host_trap *trap = fault->trap;
	KIRQL irql = KeGetCurrentIrql();

	if (is_stack_overflow(trap)) {
		/* 8 is the double fault: there is no stack to report the first one on. */
		say(fault, "the kernel stack is used up, at %s", fault->instruction);
		stop(fault, KE_UNEXPECTED_KERNEL_MODE_TRAP, 8, trap->address, trap->reg[KE_RSP],
		     fault->at);
	}
	say_access(fault);
	if (irql >= DISPATCH_LEVEL)
		stop(fault,
		     fault->in_driver ? KE_DRIVER_IRQL_NOT_LESS_OR_EQUAL
				      : KE_IRQL_NOT_LESS_OR_EQUAL,
		     trap->address, irql, access_of(trap), fault->at);
	if (!trap->in_file && trap->address >= KERNEL_BEGIN)
		kernel_page_fault(fault);
	raise_exception(fault, trap->in_file ? STATUS_IN_PAGE_ERROR : STATUS_ACCESS_VIOLATION, 2,
			access_of(trap), trap->address);
}

/* ---- Protection faults ------------------------------------------------------------ */

static const char *fast_fail_name(ULONG64 code)
{
	static const char *const name[] = {
		[0] = "a stack buffer was overrun (legacy /GS)",
		[1] = "an illegal virtual function table was used",
		[2] = "a stack buffer was overrun (/GS)",
		[3] = "a LIST_ENTRY is corrupt",
		[4] = "the stack pointer is outside of the stack",
		[5] = "an invalid argument was passed",
		[6] = "the security cookie is not initialised",
		[7] = "the program asked for its end",
		[8] = "an array index is out of bounds",
		[10] = "an indirect call has an invalid target",
		[14] = "a reference count is invalid",
		[29] = "a balanced tree is corrupt",
	};
	return code < sizeof(name) / sizeof(name[0]) && name[code] ? name[code]
								   : "no documented reason";
}

static _Noreturn void fast_fail(struct fault *fault)
{
	ULONG64 code = (ULONG)fault->trap->reg[1]; /* ecx */
	EXCEPTION_RECORD record = {.ExceptionCode = STATUS_STACK_BUFFER_OVERRUN,
				   .ExceptionAddress = (void *)fault->at,
				   .NumberParameters = 1,
				   .ExceptionInformation = {code}};
	CONTEXT context;
	fill_context(fault->trap, &context);
	say(fault, "fast fail %" PRIu64 ": %s", code, fast_fail_name(code));
	stop(fault, KE_KERNEL_SECURITY_CHECK_FAILURE, code, (uintptr_t)&context, (uintptr_t)&record,
	     0);
}

/* int n, of which Linux lets user space have only 3, 4 and 80h. False: like any other
 * instruction that is not allowed. */
static bool software_interrupt(struct fault *fault, ULONG64 vector)
{
	switch (vector) {
	case 0x29:
		fast_fail(fault);
	case 0x2C:
		say(fault, "an assertion of the driver failed (int 2Ch)");
		raise_exception(fault, STATUS_ASSERTION_FAILURE, 0, 0, 0);
		return true;
	case 0x2D:
		say(fault, "call of the kernel debugger (int 2Dh), and there is none");
		raise_exception(fault, STATUS_BREAKPOINT, 1, fault->trap->reg[0], 0);
		return true;
	default:
		return false;
	}
}

static bool is_privileged(const struct ke_instruction *instruction)
{
	if (instruction->decoded.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED)
		return true;
	switch (instruction->decoded.mnemonic) {
	case ZYDIS_MNEMONIC_CLI: /* those that depend on the I/O privilege level */
	case ZYDIS_MNEMONIC_STI:
	case ZYDIS_MNEMONIC_IN:
	case ZYDIS_MNEMONIC_OUT:
	case ZYDIS_MNEMONIC_INSB:
	case ZYDIS_MNEMONIC_INSD:
	case ZYDIS_MNEMONIC_INSW:
	case ZYDIS_MNEMONIC_OUTSB:
	case ZYDIS_MNEMONIC_OUTSD:
	case ZYDIS_MNEMONIC_OUTSW:
		return true;
	default:
		return false;
	}
}

static bool is_canonical(ULONG64 address)
{
	return (ULONG64)((LONGLONG)(address << 16) >> 16) == address;
}

/* The processor does not say which address it was. */
static void say_bad_operand(struct fault *fault, const struct ke_instruction *instruction)
{
	for (unsigned i = 0; i < instruction->decoded.operand_count; i++) {
		const ZydisDecodedOperand *operand = &instruction->operand[i];
		if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		ULONG64 address = ke_operand_address(fault->trap, instruction, operand);
		if (!is_canonical(address))
			say(fault, "access to 0x%" PRIx64 ", which is no address, by %s", address,
			    fault->instruction);
		else if (operand->size >= 128 && address % 16)
			say(fault, "access to 0x%" PRIx64 ", which is not aligned, by %s", address,
			    fault->instruction);
		else
			continue;
		return;
	}
}

/* The processor does not load an address that is none: it is still on the stack. */
static void say_bad_return(struct fault *fault)
{
	ULONG64 target;
	if (host_read(&target, (const void *)fault->trap->reg[KE_RSP], sizeof(target)) ==
		    sizeof(target) &&
	    !is_canonical(target))
		say(fault, "return to 0x%" PRIx64 ", which is no address: the stack is overwritten",
		    target);
}

static void protection_fault(struct fault *fault)
{
	struct ke_instruction instruction;
	say(fault, "general protection fault at %s", fault->instruction);
	if (ke_decode(fault->trap, &instruction)) {
		if (instruction.decoded.mnemonic == ZYDIS_MNEMONIC_INT &&
		    software_interrupt(fault, instruction.operand[0].imm.value.u))
			return;
		if (is_privileged(&instruction)) {
			say(fault, "privileged instruction: %s", fault->instruction);
			raise_exception(fault, STATUS_PRIVILEGED_INSTRUCTION, 0, 0, 0);
			return;
		}
		if (instruction.decoded.mnemonic == ZYDIS_MNEMONIC_RET)
			say_bad_return(fault);
		else
			say_bad_operand(fault, &instruction);
	}
	/* Windows knows no more of the address either. */
	raise_exception(fault, STATUS_ACCESS_VIOLATION, 2, ACCESS_READ, UINT64_MAX);
}

/* ---- The rest --------------------------------------------------------------------- */

static ULONG64 operand_value(const struct host_trap *trap, const struct ke_instruction *instruction,
			     const ZydisDecodedOperand *operand)
{
	ULONG64 value = 0;
	if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY) {
		ULONG64 address = ke_operand_address(trap, instruction, operand);
		host_read(&value, (const void *)address, operand->size / 8);
		return value;
	}
	bool high = operand->reg.value >= ZYDIS_REGISTER_AH &&
		    operand->reg.value <= ZYDIS_REGISTER_BH;
	value = trap->reg[ke_register_number(operand->reg.value)] >> (high ? 8 : 0);
	return operand->size < 64 ? value & ((1ull << operand->size) - 1) : value;
}

/* One exception of the processor, two of Windows. */
static void divide_fault(struct fault *fault)
{
	struct ke_instruction instruction;
	bool overflow = ke_decode(fault->trap, &instruction) &&
			operand_value(fault->trap, &instruction, &instruction.operand[0]) != 0;
	say(fault, "%s at %s", overflow ? "the quotient overflows" : "division by zero",
	    fault->instruction);
	raise_exception(fault, overflow ? STATUS_INTEGER_OVERFLOW : STATUS_INTEGER_DIVIDE_BY_ZERO,
			0, 0, 0);
}

/* Those whose number says everything. */
static NTSTATUS status_of(struct fault *fault)
{
	switch (fault->trap->number) {
	case HOST_TRAP_STEP:
		say(fault, "single step, and there is no debugger");
		return STATUS_SINGLE_STEP;
	case HOST_TRAP_OPCODE:
		say(fault, "illegal instruction: %s", fault->instruction);
		return STATUS_ILLEGAL_INSTRUCTION;
	case HOST_TRAP_X87:
		say(fault, "floating-point exception at %s", fault->instruction);
		return STATUS_FLOAT_MULTIPLE_FAULTS;
	case HOST_TRAP_SIMD:
		say(fault, "floating-point exception at %s", fault->instruction);
		return STATUS_FLOAT_MULTIPLE_TRAPS;
	case HOST_TRAP_ALIGNMENT:
		say(fault, "misaligned access by %s", fault->instruction);
		return STATUS_DATATYPE_MISALIGNMENT;
	default:
		say(fault, "processor exception %d at %s", (int)fault->trap->number,
		    fault->instruction);
		stop(fault, KE_UNEXPECTED_KERNEL_MODE_TRAP, fault->trap->number, 0, 0, fault->at);
	}
}

static void answer(struct fault *fault)
{
	switch (fault->trap->number) {
	case HOST_TRAP_PAGE:
		page_fault(fault);
		break;
	case HOST_TRAP_PROTECTION:
	case HOST_TRAP_STACK:
		protection_fault(fault);
		break;
	case HOST_TRAP_DIVIDE:
		divide_fault(fault);
		break;
	case HOST_TRAP_BREAKPOINT:
		say(fault, "breakpoint, and there is no debugger");
		raise_exception(fault, STATUS_BREAKPOINT, 1, 0, 0);
		break;
	default:
		raise_exception(fault, status_of(fault), 0, 0, 0);
	}
}

bool ke_fault(struct host_trap *trap)
{
	if (ke_end_step(trap))
		return true;
	const struct ldr_module *module = ldr_module_of((const void *)trap->rip);
	if (module && !ke_self) {
		/* A host thread that is new to the kernel and without a KPCR: once more. */
		ke_attach_host_thread();
		return true;
	}
	if (ke_emulate(trap, module != NULL))
		return true;
	if (!module && !(ke_self && ke_self->callout))
		return false;
	struct fault fault = {.trap = trap, .in_driver = ke_is_driver(module), .at = trap->rip};
	if (trap->number == HOST_TRAP_BREAKPOINT)
		fault.at--; /* the processor points behind it, Windows at it */
	ke_format_instruction(trap, fault.instruction, sizeof(fault.instruction));
	answer(&fault);
	return true;
}

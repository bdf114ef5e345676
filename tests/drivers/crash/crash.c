/* SPDX-License-Identifier: MIT */
/*
 * Ends in the bug check that its own name asks for: a link to the file under another name
 * is another mistake.
 */
#include <ntddk.h>

/* The export, which an inline function of the headers hides. */
__declspec(dllimport) KIRQL NTAPI exported_raise_irql(KIRQL irql) __asm__("KfRaiseIrql");

/* The chain that a stack must show: none of them may be inlined or become a jump. */
#define LINK __attribute__((noinline, noclone))

static volatile LONG after_call;
static PDRIVER_OBJECT driver_object;

static LINK void innermost(volatile ULONG *address)
{
	UCHAR buffer[200]; /* room that only unwind information tells of */
	for (ULONG i = 0; i < sizeof(buffer); i++)
		((volatile UCHAR *)buffer)[i] = (UCHAR)i;
	*address = buffer[7];
}

static LINK void middle(volatile ULONG *address)
{
	innermost(address);
	after_call++;
}

static LINK void outermost(volatile ULONG *address)
{
	middle(address);
	after_call++;
}

static void null_write(void)
{
	outermost((volatile ULONG *)16);
}

static void write_at_dispatch_level(void)
{
	KIRQL old;
	KeRaiseIrql(DISPATCH_LEVEL, &old); /* inline: CR8 */
	outermost((volatile ULONG *)16);
	KeLowerIrql(old);
}

static void bad_pointer_to_export(void)
{
	UNICODE_STRING from = {64, 64, (PWSTR)64}, to;
	WCHAR buffer[32];
	to.Length = 0;
	to.MaximumLength = sizeof(buffer);
	to.Buffer = buffer;
	RtlCopyUnicodeString(&to, &from);
	after_call++;
}

static LINK void raise_to_passive_level(void)
{
	exported_raise_irql(PASSIVE_LEVEL);
	after_call++;
}

static void break_rule_of_export(void)
{
	exported_raise_irql(DISPATCH_LEVEL);
	raise_to_passive_level();
}

static void stay_at_dispatch_level(void)
{
	KIRQL old;
	KeRaiseIrql(DISPATCH_LEVEL, &old);
}

static LINK ULONG recurse(ULONG depth)
{
	volatile UCHAR buffer[400];
	buffer[depth % sizeof(buffer)] = 1;
	return depth == MAXULONG ? 0 : recurse(depth + 1) + buffer[depth % 10];
}

static void use_up_stack(void)
{
	after_call = (LONG)recurse(0);
}

/* What follows the array upwards: its own return address, the callers' frames. */
static LINK void overrun(ULONG size)
{
	volatile UCHAR buffer[64];
	for (ULONG i = 0; i < size; i++)
		((volatile UCHAR *)buffer)[i] = 0x41;
}

static void overrun_stack(void)
{
	overrun(600);
	after_call = 1;
}

static void overrun_whole_stack(void)
{
	overrun(MAXULONG);
	after_call = 1;
}

/* The device's memory is not pool: behind it lies whatever this program keeps. */
static void overrun_extension(void)
{
	PDEVICE_OBJECT device;
	if (!NT_SUCCESS(IoCreateDevice(driver_object, 64, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE,
				       &device)))
		return;
	for (volatile char *at = device->DeviceExtension;; at++)
		*at = 0x41;
}

static VOID NTAPI on_process(HANDLE parent, HANDLE process, BOOLEAN create)
{
	(void)parent;
	(void)process;
	if (create)
		outermost((volatile ULONG *)0);
}

static void fault_in_callback(void)
{
	PsSetCreateProcessNotifyRoutine(on_process, FALSE);
}

static void divide_by_zero(void)
{
	volatile LONG zero = 0;
	after_call = 100 / zero;
}

static void fail_fast(void)
{
	__asm__ volatile("mov $2, %ecx\n\tint $0x29");
}

static void disable_interrupts(void)
{
	__asm__ volatile("cli");
}

static void end_it(void)
{
	KeBugCheckEx(MANUALLY_INITIATED_CRASH, 1, 2, 3, 4);
}

static const struct {
	PCWSTR name;
	void (*act)(void);
} action[] = {
	{L"null-write", null_write},
	{L"write-at-dispatch-level", write_at_dispatch_level},
	{L"bad-pointer-to-export", bad_pointer_to_export},
	{L"break-rule-of-export", break_rule_of_export},
	{L"stay-at-dispatch-level", stay_at_dispatch_level},
	{L"use-up-stack", use_up_stack},
	{L"overrun-stack", overrun_stack},
	{L"overrun-whole-stack", overrun_whole_stack},
	{L"overrun-extension", overrun_extension},
	{L"fault-in-callback", fault_in_callback},
	{L"divide-by-zero", divide_by_zero},
	{L"fail-fast", fail_fast},
	{L"disable-interrupts", disable_interrupts},
	{L"end-it", end_it},
};

/* RegistryPath ends in the driver's name. */
static BOOLEAN ends_in(PCUNICODE_STRING path, PCWSTR name)
{
	ULONG length = 0;
	while (name[length])
		length++;
	ULONG count = path->Length / sizeof(WCHAR);
	for (ULONG i = 0; i < length; i++) {
		if (length > count || path->Buffer[count - length + i] != name[i])
			return FALSE;
	}
	return TRUE;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	driver_object = driver;
	for (ULONG i = 0; i < sizeof(action) / sizeof(action[0]); i++) {
		if (ends_in(path, action[i].name)) {
			action[i].act();
			return STATUS_SUCCESS;
		}
	}
	return STATUS_NOT_FOUND;
}

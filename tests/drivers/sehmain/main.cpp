// SPDX-License-Identifier: MIT
//
// A driver in C++ with objects that are made before DriverEntry, built with Control Flow
// Guard, that imports functions, data and a forwarder from a kernel DLL.

typedef unsigned int ULONG;
typedef int NTSTATUS;
typedef unsigned char UCHAR;

extern "C" {
__declspec(dllimport) ULONG DbgPrint(const char *format, ...);
__declspec(dllimport) extern int Counter;
__declspec(dllimport) int Add(int a, int b);
__declspec(dllimport) void Call(void (*function)());
__declspec(dllimport) UCHAR Forwarded();
int _fltused;

// What the compiler's run-time library has of Control Flow Guard: until the kernel puts
// in its own, a check that lets everything pass.
void check_nothing(unsigned long long target)
{
	(void)target;
}
void (*__guard_check_icall_fptr)(unsigned long long) = check_nothing;
__asm__(".text\n.globl dispatch_nothing\ndispatch_nothing:\n\tjmpq *%rax\n");
void dispatch_nothing();
void (*__guard_dispatch_icall_fptr)() = dispatch_nothing;
}

struct driver_object {
	UCHAR before[0x68];
	void (*unload)(driver_object *);
};

struct base {
	virtual int value() = 0;
};

struct made : base {
	int n;
	made() : n(Add(20, 22)) {}
	int value() override { return n; }
};

static made object;
static base *volatile pointer = &object;

// As the entry code of Microsoft's run-time library runs what stands between its marks.
typedef void (*initializer)();
#pragma section(".CRT$XCA", read)
#pragma section(".CRT$XCZ", read)
__declspec(allocate(".CRT$XCA")) initializer first_initializer = nullptr;
__declspec(allocate(".CRT$XCZ")) initializer last_initializer = nullptr;

static void run_initializers()
{
	initializer *volatile from = &first_initializer;
	initializer *volatile to = &last_initializer;
	for (initializer *i = from; i < to; i++)
		if (*i)
			(*i)();
}

static void fault()
{
	*(volatile int *)16 = 1;
}

static NTSTATUS call_with_fault()
{
	__try {
		Call(fault);
	} __except (1) {
		return 1;
	}
	return 0;
}

static void unload(driver_object *)
{
	DbgPrint("unload %d", Counter);
}

extern "C" NTSTATUS DriverEntry(driver_object *driver, void *)
{
	driver->unload = unload;
	run_initializers();
	DbgPrint("value %d, counter %d, irql %d, handled %d", pointer->value(), Counter,
		 Forwarded(), call_with_fault());
	return 0;
}

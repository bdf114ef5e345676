/* SPDX-License-Identifier: MIT */
/* A kernel DLL: functions, data and a forwarder for another driver. */
typedef unsigned int ULONG;
typedef int NTSTATUS;

__declspec(dllimport) ULONG DbgPrint(const char *format, ...);

int Counter = 40;

int Add(int a, int b)
{
	Counter++;
	return a + b;
}

/* So that an exception can pass through a frame of another image. */
void Call(void (*function)(void))
{
	function();
	Counter += 100;
}

NTSTATUS DllInitialize(const void *path)
{
	DbgPrint("DllInitialize %wZ", path);
	return 0;
}

NTSTATUS DllUnload(void)
{
	DbgPrint("DllUnload");
	return 0;
}

NTSTATUS DriverEntry(void *driver, const void *path)
{
	(void)driver;
	(void)path;
	DbgPrint("DriverEntry of the DLL");
	return 0;
}

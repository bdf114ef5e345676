/* SPDX-License-Identifier: MIT */
/*
 * A driver in the ABI and with the linker of Microsoft's world: clang compiles it for
 * windows-msvc, lld-link links it (lld.test.c). It has what mingw's do not: a load
 * configuration with a security cookie, and read-only import slots.
 */
typedef unsigned long long ULONG64;
typedef unsigned int ULONG;
typedef long NTSTATUS;

__declspec(dllimport) ULONG DbgPrint(const char *format, ...);

#define DEFAULT_COOKIE 0x00002B992DDFA232ull

ULONG64 __security_cookie = DEFAULT_COOKIE;
int _fltused;

struct load_config {
	ULONG size;
	char unused[0x58 - 4];
	const ULONG64 *security_cookie;
	char rest[0x94 - 0x60];
};

const struct load_config _load_config_used = {
	.size = sizeof(struct load_config),
	.security_cookie = &__security_cookie,
};

/* Pointers that have to be relocated. */
static const char *const words[] = {"relocated", "pointers"};

struct driver_object {
	char before[0x68];
	void (*unload)(struct driver_object *);
};

static void unload(struct driver_object *driver)
{
	(void)driver;
	DbgPrint("unload");
}

NTSTATUS DriverEntry(struct driver_object *driver, void *path);
NTSTATUS DriverEntry(struct driver_object *driver, void *path)
{
	(void)path;
	driver->unload = unload;
	for (int i = 0; i < 2; i++)
		DbgPrint("%s", ((const char *const volatile *)words)[i]);
	/* What the entry stub of Microsoft's compiler demands. */
	if (*(volatile ULONG64 *)&__security_cookie == DEFAULT_COOKIE)
		return (NTSTATUS)0xC0000001;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * A driver whose functions and lines a test knows by heart: DriverEntry calls outer on
 * line 302, outer calls inner on line 202, inner ends the system on line 102. Built by
 * mingw with DWARF here, without it in ../symbolscoff, by clang and lld-link with a PDB
 * in ../symbolspdb.
 */
#define NOINLINE __attribute__((noinline))

__declspec(dllimport) void KeBugCheckEx(unsigned code, unsigned long long p1, unsigned long long p2,
					unsigned long long p3, unsigned long long p4);
long DriverEntry(void *driver, void *path);
__declspec(dllexport) long outer(volatile long *n);

/* clang-format off */
#line 101
NOINLINE static long inner(volatile long *n) {
	KeBugCheckEx(0xE2, (unsigned long long)++*n, 0, 0, 0);
	return ++*n;
}

#line 201
NOINLINE long outer(volatile long *n) {
	long result = inner(n);
	return result + ++*n;
}

#line 301
long DriverEntry(void *driver, void *path) {
	long n = 0, result = outer(&n);
	return driver && path ? result : n;
}

/* SPDX-License-Identifier: MIT */
/* The same without unwind information, as mingw can be told to build drivers. */
#include "../crash/crash.c"

/* SPDX-License-Identifier: MIT */
/*
 * DbgPrint and its relatives: what a driver says to a debugger.
 *
 * Every call becomes one RS_DEBUG_PRINT event with the caller's module; its text
 * goes without its last newline, since that is how a line ends. As on NT, a call
 * transmits at most 512 bytes (Windows-1252 or UTF-8 as the driver has it; the
 * event's text is UTF-8), and returns STATUS_BUFFER_OVERFLOW when that cut it off.
 *
 * Differs: NT sends a message only where the component's filter mask has its level;
 * here every message is told, with component and level, and the listener chooses. On
 * the other hand nothing is formatted while nobody listens.
 */
#ifndef RINGSIDE_KD_PRINT_H
#define RINGSIDE_KD_PRINT_H

#include <ringside/nt.h>

#define DPFLTR_IHVDRIVER_ID 77
#define DPFLTR_DEFAULT_ID 101 /* what DbgPrint prints as, with DPFLTR_INFO_LEVEL */

#define DPFLTR_ERROR_LEVEL 0
#define DPFLTR_WARNING_LEVEL 1
#define DPFLTR_TRACE_LEVEL 2
#define DPFLTR_INFO_LEVEL 3

ULONG NTAPI DbgPrint(PCSTR Format, ...);
ULONG NTAPI DbgPrintReturnControlC(PCSTR Format, ...);
ULONG NTAPI DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...);
ULONG NTAPI vDbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, __builtin_ms_va_list arglist);
ULONG NTAPI vDbgPrintExWithPrefix(PCSTR Prefix, ULONG ComponentId, ULONG Level, PCSTR Format,
				  __builtin_ms_va_list arglist);

#endif

/* SPDX-License-Identifier: MIT */
/* Unwinding by a module's .pdata: what compilers for Windows x64 write about frames. */
#ifndef RINGSIDE_RTL_UNWIND_H
#define RINGSIDE_RTL_UNWIND_H

#include "ke/exception.h"
#include "ldr/module.h"

typedef struct _RUNTIME_FUNCTION {
	ULONG BeginAddress, EndAddress, UnwindData; /* RVAs */
} RUNTIME_FUNCTION, *PRUNTIME_FUNCTION;

/* Flags of unwind information, and what RtlVirtualUnwind looks for. */
#define UNW_FLAG_NHANDLER 0
#define UNW_FLAG_EHANDLER 1
#define UNW_FLAG_UHANDLER 2
#define UNW_FLAG_CHAININFO 4

typedef enum _EXCEPTION_DISPOSITION {
	ExceptionContinueExecution,
	ExceptionContinueSearch,
	ExceptionNestedException,
	ExceptionCollidedUnwind,
} EXCEPTION_DISPOSITION;

struct _DISPATCHER_CONTEXT;
typedef EXCEPTION_DISPOSITION NTAPI
EXCEPTION_ROUTINE(PEXCEPTION_RECORD ExceptionRecord, PVOID EstablisherFrame, PCONTEXT ContextRecord,
		  struct _DISPATCHER_CONTEXT *DispatcherContext);
typedef EXCEPTION_ROUTINE *PEXCEPTION_ROUTINE;

typedef struct _DISPATCHER_CONTEXT {
	ULONG64 ControlPc, ImageBase;
	PRUNTIME_FUNCTION FunctionEntry;
	ULONG64 EstablisherFrame, TargetIp;
	PCONTEXT ContextRecord;
	PEXCEPTION_ROUTINE LanguageHandler;
	PVOID HandlerData;
	PVOID HistoryTable;
	ULONG ScopeIndex, Fill0;
} DISPATCHER_CONTEXT, *PDISPATCHER_CONTEXT;
_Static_assert(offsetof(DISPATCHER_CONTEXT, ContextRecord) == 0x28 &&
		       offsetof(DISPATCHER_CONTEXT, ScopeIndex) == 0x48 &&
		       sizeof(DISPATCHER_CONTEXT) == 0x50,
	       "winnt.h");

/* Where the caller's registers were found; NULL for those that were not saved. */
typedef struct _KNONVOLATILE_CONTEXT_POINTERS {
	PM128A FloatingContext[16];
	PULONG64 IntegerContext[16];
} KNONVOLATILE_CONTEXT_POINTERS, *PKNONVOLATILE_CONTEXT_POINTERS;

/* ---- Inside the kernel ------------------------------------------------------------ */

/* An image in memory that may be damaged or gone: reads are checked. */
struct rtl_image {
	ULONG64 base, size;
	ULONG64 table; /* of functions: RVA; 0 when there is none */
	ULONG functions;
};

struct rtl_image rtl_image_of(const struct ldr_module *module);

/* The function that contains `rva`, chained descriptions of one function followed.
 * Returns the address of its entry in the table, or 0. */
ULONG64 rtl_find_function(const struct rtl_image *image, ULONG rva, RUNTIME_FUNCTION *found);

/* One frame out of a function. */
struct rtl_unwinding {
	const struct rtl_image *image;
	CONTEXT *context; /* becomes the caller's */
	unsigned known;   /* bit n: general register n is what the frame had in it */
	PKNONVOLATILE_CONTEXT_POINTERS pointers; /* or NULL */

	/* Results. */
	ULONG64 establisher;
	ULONG handler; /* RVA of the language handler; 0: none, or not for this place */
	ULONG handler_data;
};

/* Undoes `function`'s frame at control address image + rva. `wanted` are the flags of
 * handlers looked for. False when the information makes no sense or the stack cannot be
 * read; the context is then undefined. */
bool rtl_unwind_function(struct rtl_unwinding *unwinding, const RUNTIME_FUNCTION *function,
			 ULONG rva, ULONG wanted);

/* Pops a return address, which is all that a leaf has on the stack. */
bool rtl_unwind_leaf(struct rtl_unwinding *unwinding);

/* ---- Exports ---------------------------------------------------------------------- */

PRUNTIME_FUNCTION NTAPI RtlLookupFunctionEntry(ULONG64 ControlPc, PULONG64 ImageBase,
					       PVOID HistoryTable);
PEXCEPTION_ROUTINE NTAPI RtlVirtualUnwind(ULONG HandlerType, ULONG64 ImageBase, ULONG64 ControlPc,
					  PRUNTIME_FUNCTION FunctionEntry, PCONTEXT ContextRecord,
					  PVOID *HandlerData, PULONG64 EstablisherFrame,
					  PKNONVOLATILE_CONTEXT_POINTERS ContextPointers);
PVOID NTAPI RtlPcToFileHeader(PVOID PcValue, PVOID *BaseOfImage);

#endif

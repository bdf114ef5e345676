/* SPDX-License-Identifier: MIT */
/*
 * What is known of each process: who has been called for it, how often, and in which
 * order. Made when the first callback hears of it, kept until unload.
 *
 * Some processes play a part, which their image's name says: what is to be done to them
 * and expected of them.
 */
#ifndef CONFORM_RECORD_H
#define CONFORM_RECORD_H

#include "conform.h"

/* The name's part behind "conform-". Short, since a process's own name has 14 letters. */
#define CONFORM_ROLES(X)                                                                           \
	X(Child, "child")   /* an ordinary process, created with handle inheritance */             \
	X(Veto, "veto")     /* refused with ACCESS_DENIED */                                       \
	X(Warn, "warn")     /* refused with a status of warning severity */                        \
	X(Pardon, "pardon") /* refused, and let pass by a later routine */                         \
	X(Split, "split")   /* process object and first thread made by different processes */      \
	X(Foster, "foster") /* inherits from another process than its creator */                   \
	X(Orphan, "orphan") /* created without handle inheritance */                               \
	X(Mute, "mute")     /* has no command line */                                              \
	X(Clone, "clone")   /* forks */                                                            \
	X(Empty, "empty")   /* a process object that never gets a thread */                        \
	X(Pico, "pico")     /* of the Linux subsystem, started with arguments */                   \
	X(Target, "target") /* loses what can be lost when an opener opens it */                   \
	X(Opener, "opener") /* opens the target, asking for a kernel handle */                     \
	X(Heir, "heir")     /* child of a process that opened the target once, inheritably */      \
	X(Fort, "fort")     /* security denies others to terminate it */

typedef enum _ROLE {
	RoleNone,
#define CONFORM_ROLE_ENUM(Name, Text) Role##Name,
	CONFORM_ROLES(CONFORM_ROLE_ENUM)
#undef CONFORM_ROLE_ENUM
} ROLE;

typedef struct _RECORD {
	LIST_ENTRY Link; /* under the lock */
	BOOLEAN Ended;   /* its id may be somebody else's by now */
	HANDLE ProcessId;
	PVOID Process; /* the object; not referenced, only compared */
	ROLE Role;

	/* Of the creation. */
	BOOLEAN Watched; /* announced when all routines had been registered */
	BOOLEAN Subsystem, Vetoed;
	BOOLEAN InDispatch; /* between the first and the last of our routines */
	HANDLE ParentTold;  /* to the legacy routine */
	HANDLE CreatorThread;
	WCHAR Name[40];    /* last component of the image */
	USHORT NameLength; /* in bytes; 0: none, or longer */

	/* Who was called in the present dispatch, a letter each. */
	CHAR Order[8];
	ULONG OrderLength;

	/* How often. */
	volatile LONG Creations, LegacyCalls, ExCalls, TwiceCalls, ThriceCalls, LateCalls;
	volatile LONG ThreadCreates, ThreadExits, PlainCreates, TwiceCreates, Starts;
	volatile LONG Images;

	HANDLE InitialThread, LastExited;

	/* Of handles to it. */
	BOOLEAN OpenedBefore;     /* before it was announced */
	BOOLEAN OpenedInDispatch; /* before the last of our create routines */
	HANDLE FirstOpener;
	HANDLE LastOpener;
	ULONG OpensByLast; /* in a row */
	ULONG CreatorEvents;
} RECORD;

VOID InitialiseRecords(VOID);
VOID FreeRecords(VOID);

/* The record of a process, made if there is none; NULL without memory. Up to APC_LEVEL,
 * like all of these. */
RECORD *RecordOf(PEPROCESS Process);

/* The record of the process that has this id now, or NULL. */
RECORD *RecordOfId(HANDLE ProcessId);

/* A process that plays this part and has not ended, or NULL. */
RECORD *RecordOfRole(ROLE Role);

/* The process is gone for good: its id means nothing any more. */
VOID RecordEnd(RECORD *Record);

ROLE RoleOf(PEPROCESS Process);

/* Notes that a routine was called in this dispatch; and whether they were these. */
VOID RecordCall(RECORD *Record, CHAR Letter);
BOOLEAN RecordCallsWere(RECORD *Record, PCSTR Letters);

/* creation.c and exit.c: what every Ex and Ex2 routine checks. */
VOID CheckCreation(RECORD *Record, PEPROCESS Process, HANDLE ProcessId,
		   PPS_CREATE_NOTIFY_INFO CreateInfo);
VOID CheckCreationByRole(RECORD *Record, PPS_CREATE_NOTIFY_INFO CreateInfo);
VOID CheckExit(RECORD *Record, PEPROCESS Process, HANDLE ProcessId);

/* Set once everything has been registered. */
extern volatile BOOLEAN Watching;

/* Of the routine Late (process.c): not added yet, added inside a dispatch, removed inside
 * another. */
enum { LateAbsent, LateAdded, LateRemoved };
extern volatile LONG LateState;

/* Handles to, and exits of, processes that never had a thread (exit.c). */
extern volatile LONG EmptyOpened, EmptyExits;

/* Checks that can be made only when nothing follows any more. */
VOID CheckExitsAtTheEnd(VOID);

#endif

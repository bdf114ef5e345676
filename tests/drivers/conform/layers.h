/* SPDX-License-Identifier: MIT */
/*
 * Registrations of object callbacks for checks that DriverEntry makes: what each was
 * told is written down, and each does what it was asked to.
 *
 * Handles are opened all the time on a live system. What happens on other threads than
 * the one that called LayersBegin is let pass and not written down.
 */
#ifndef CONFORM_LAYERS_H
#define CONFORM_LAYERS_H

#include "conform.h"

typedef struct _LAYER {
	/* What to do, set before something happens. */
	CHAR Letter;        /* in the trace */
	ACCESS_MASK Remove; /* from DesiredAccess */
	ACCESS_MASK Add;    /* to it, afterwards */
	PVOID Cookie;       /* left in CallContext */
	OB_PREOP_CALLBACK_STATUS Result;
	BOOLEAN PostWrites; /* over everything it is given */
	VOID (*Hook)(struct _LAYER *Layer, POB_PRE_OPERATION_INFORMATION Information);

	/* What the last calls were told. */
	ULONG PreCalls, PostCalls;
	OB_PRE_OPERATION_INFORMATION Pre; /* as it was on entry */
	OB_PRE_OPERATION_PARAMETERS PreParameters;
	OB_POST_OPERATION_INFORMATION Post;
	OB_POST_OPERATION_PARAMETERS PostParameters;
	KIRQL Irql;
	BOOLEAN ApcsDisabled, AllApcsDisabled;

	PVOID Handle; /* of the registration */
} LAYER;

/* A layer of a letter, otherwise all zero. */
VOID LayerInitialise(LAYER *Layer, CHAR Letter);

/* Registers it for both operations on processes and threads, with pre and post. */
NTSTATUS LayerRegister(LAYER *Layer, PCWSTR Altitude);

/* Registers it as told; the layer is the registration context. */
NTSTATUS LayerRegisterAs(LAYER *Layer, PCWSTR Altitude, OB_OPERATION_REGISTRATION *Entries,
			 USHORT Count);

/* Unregisters, if it was registered. */
VOID LayerUnregister(LAYER *Layer);

OB_PREOP_CALLBACK_STATUS LayerPre(PVOID RegistrationContext,
				  POB_PRE_OPERATION_INFORMATION Information);
VOID LayerPost(PVOID RegistrationContext, POB_POST_OPERATION_INFORMATION Information);

/* From here on calls on this thread are written down: "A<B<B>A>" for a pre call of A,
 * one of B, and their post calls. */
VOID LayersBegin(VOID);
VOID LayersEnd(VOID);

/* Whether that is what has been written since the last comparison. */
BOOLEAN LayersWere(PCSTR Expected);

/* Whether the pre calls ('<') or the post calls ('>') among them were of these letters, in
 * this order. */
BOOLEAN LayersHave(CHAR What, PCSTR Letters);

/* ---- Operations, all by the kernel ------------------------------------------------- */

/* Opens the System process, or this thread, by its id. NULL when it fails. */
HANDLE OpenSystem(ACCESS_MASK Access, ULONG Attributes);
HANDLE OpenThisThread(ACCESS_MASK Access, ULONG Attributes);

/* The rights that a handle has. */
ACCESS_MASK RightsOf(HANDLE Handle);

/* Opens the System process with kernel attributes, closes it again: the rights it had. */
ACCESS_MASK OpenAndClose(ACCESS_MASK Access);
ACCESS_MASK OpenAndCloseThread(ACCESS_MASK Access);

#endif

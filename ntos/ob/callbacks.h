/* SPDX-License-Identifier: MIT */
/*
 * Object callbacks: the calls around a handle operation.
 *
 * Registration is in ob/registration.c, the calls in ob/callbacks.c.
 */
#ifndef RINGSIDE_OB_CALLBACKS_H
#define RINGSIDE_OB_CALLBACKS_H

#include "ex/callback.h"
#include "ob/handle.h"

#define OB_OPERATIONS (OB_OPERATION_HANDLE_CREATE | OB_OPERATION_HANDLE_DUPLICATE)

/* One OB_OPERATION_REGISTRATION that was accepted: an entry of its type's list. */
struct ob_entry {
	struct ex_callback callback; /* first */
	struct ob_registration *registration;
	POBJECT_TYPE type;
	OB_OPERATION operations;
	POB_PRE_OPERATION_CALLBACK pre;
	POB_POST_OPERATION_CALLBACK post;
};

/* One ObRegisterCallbacks call; the registration handle points to it. */
struct ob_registration {
	LIST_ENTRY link; /* all registrations */
	UNICODE_STRING altitude;
	PVOID context;
	unsigned count;
	struct ob_entry entry[];
};

/*
 * Runs `insert` between the pre and the post callbacks of the object's type.
 * `access` is what was asked for, mapped and checked (OB-47, OB-48); `insert`
 * gets what the callbacks left of it, and returns the operation's real outcome,
 * which the post callbacks are told and which is returned. *stripped_by becomes
 * the module whose callback first took a right, or NULL.
 * INSUFFICIENT_RESOURCES, told to the posts owed so far, without memory to remember
 * the calls.
 */
NTSTATUS ob_call_around(const struct ob_handle_request *request, ACCESS_MASK access,
			NTSTATUS (*insert)(void *context, ACCESS_MASK granted), void *context,
			const KLDR_DATA_TABLE_ENTRY **stripped_by);

USHORT NTAPI ObGetFilterVersion(void);
NTSTATUS NTAPI ObRegisterCallbacks(POB_CALLBACK_REGISTRATION CallbackRegistration,
				   PVOID *RegistrationHandle);
VOID NTAPI ObUnRegisterCallbacks(PVOID RegistrationHandle);

/* Live registrations whose code lies in [base, base+size): those a driver left
 * behind (VF-18). Calls `found` for each routine. */
void ob_find_registrations(const void *base, SIZE_T size,
			   void (*found)(void *context, const void *routine), void *context);

/* Frees what is still registered, uncalled. */
void ob_shutdown_callbacks(void);

#endif

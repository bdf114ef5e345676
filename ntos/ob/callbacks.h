/* SPDX-License-Identifier: MIT */
/* Object callbacks: ObRegisterCallbacks and the calls around a handle operation. */
#ifndef RINGSIDE_OB_CALLBACKS_H
#define RINGSIDE_OB_CALLBACKS_H

#include "ob/handle.h"

/* One operation on its way through the callbacks; on the caller's stack. */
struct ob_operation;

/*
 * Runs `insert` between the pre and the post callbacks of the object's type.
 * `access` is what was asked for, mapped and checked (OB-47, OB-48); `insert`
 * gets what the callbacks left of it, and returns the operation's real outcome,
 * which the post callbacks are told and which is returned.
 */
NTSTATUS ob_call_around(const struct ob_handle_request *request, ACCESS_MASK access,
			NTSTATUS (*insert)(void *context, ACCESS_MASK granted), void *context);

USHORT NTAPI ObGetFilterVersion(void);
NTSTATUS NTAPI ObRegisterCallbacks(POB_CALLBACK_REGISTRATION CallbackRegistration,
				   PVOID *RegistrationHandle);
VOID NTAPI ObUnRegisterCallbacks(PVOID RegistrationHandle);

/* Live registrations whose code lies in [base, base+size): those a driver left
 * behind (VF-18). Calls `found` for each with its handle. */
void ob_find_registrations(const void *base, SIZE_T size,
			   void (*found)(void *context, const void *routine), void *context);

void ob_shutdown_callbacks(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Callback objects: named places where drivers register routines and others call them.
 *
 * At boot there are \Callback\SetSystemTime, \Callback\PowerState and
 * \Callback\ProcessorAdd, which nothing here ever notifies: neither the clock nor the
 * power nor the processors change.
 */
#ifndef RINGSIDE_EX_CALLBACKOBJECT_H
#define RINGSIDE_EX_CALLBACKOBJECT_H

#include <ringside/nt.h>

typedef struct _CALLBACK_OBJECT *PCALLBACK_OBJECT;
typedef VOID NTAPI CALLBACK_FUNCTION(PVOID CallbackContext, PVOID Argument1, PVOID Argument2);
typedef CALLBACK_FUNCTION *PCALLBACK_FUNCTION;

/* Opens it, or makes it when Create says so; referenced for the caller. UNSUCCESSFUL
 * without a name, OBJECT_NAME_NOT_FOUND, OBJECT_TYPE_MISMATCH, INSUFFICIENT_RESOURCES. */
NTSTATUS NTAPI ExCreateCallback(PCALLBACK_OBJECT *CallbackObject,
				POBJECT_ATTRIBUTES ObjectAttributes, BOOLEAN Create,
				BOOLEAN AllowMultipleCallbacks);

/* NULL without memory, and when the object has its one routine. */
PVOID NTAPI ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
			       PVOID CallbackContext);

/* Waits until no call of it is in flight. Bug check 0x7E for what is no registration; from
 * inside a call of it, the report of a wait for oneself. */
VOID NTAPI ExUnregisterCallback(PVOID CallbackRegistration);

/* Calls the routines in the order of their registration, at the caller's IRQL. */
VOID NTAPI ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2);

/* A routine in [base, base + size) that is registered, or NULL. */
const void *ex_find_callback(const void *base, SIZE_T size);

/* Makes the three objects: 0 or -ENOMEM. Frees what is still registered, uncalled. */
int ex_boot_callback_objects(void);
void ex_shutdown_callback_objects(void);

#endif

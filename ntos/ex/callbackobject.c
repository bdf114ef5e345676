/* SPDX-License-Identifier: MIT */
/*
 * Callback objects.
 *
 * An object's routines are a callback list (ex/callback.h), oldest first; a registration
 * holds a reference to its object. All registrations are on one list as well, so that a
 * handle can be told from a stale one, and a driver that leaves one behind is found.
 *
 * LOCKS: registrations.lock, then the object's list's. Neither is held during a call, or
 * while a removal waits.
 *
 * Pages: ExCreateCallback, ExRegisterCallback, ExUnregisterCallback, ExNotifyCallback.
 */
#include "ex/callbackobject.h"
#include "ex/callback.h"
#include "ke/bugcheck.h"
#include "ke/callout.h"
#include "ke/list.h"
#include "ob/directory.h"
#include <errno.h>

#define SIGNATURE 0x6C6C6143 /* 'Call', as NT's begin */

struct _CALLBACK_OBJECT {
	ULONG signature;
	BOOLEAN multiple;
	struct ex_callback_list list;
};

struct registration {
	struct ex_callback callback; /* first */
	LIST_ENTRY link;
	PCALLBACK_OBJECT object; /* referenced */
	PCALLBACK_FUNCTION routine;
	PVOID context;
	ULONG64 number; /* counts up: the order of calls */
};

static struct {
	pthread_mutex_t lock;
	LIST_ENTRY list;
	ULONG64 last;
} registrations = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.list = {&registrations.list, &registrations.list},
};

/* ---- Objects -------------------------------------------------------------------------- */

static void delete_object(void *body)
{
	PCALLBACK_OBJECT object = body;
	ex_free_list(&object->list);
}

static PCALLBACK_OBJECT make_object(BOOLEAN multiple)
{
	PCALLBACK_OBJECT object = ob_create(ExCallbackObjectType, sizeof(*object));
	if (!object)
		return NULL;
	object->signature = SIGNATURE;
	object->multiple = multiple;
	atomic_init(&object->list.array, &ex_empty_array);
	pthread_mutex_init(&object->list.lock, NULL);
	return object;
}

static NTSTATUS create(const OBJECT_ATTRIBUTES *attributes, BOOLEAN multiple,
		       PCALLBACK_OBJECT *made)
{
	PCALLBACK_OBJECT object = make_object(multiple);
	if (!object)
		return STATUS_INSUFFICIENT_RESOURCES;
	NTSTATUS status = ob_insert(object, NULL, attributes->ObjectName,
				    attributes->Attributes & OBJ_PERMANENT);
	if (!NT_SUCCESS(status)) {
		ob_dereference(object);
		return status;
	}
	*made = object;
	return STATUS_SUCCESS;
}

static NTSTATUS open(const OBJECT_ATTRIBUTES *attributes, PCALLBACK_OBJECT *opened)
{
	PVOID object;
	NTSTATUS status = ObReferenceObjectByName(attributes->ObjectName, attributes->Attributes,
						  NULL, 0, ExCallbackObjectType, KernelMode, NULL,
						  &object);
	if (NT_SUCCESS(status))
		*opened = object;
	return status;
}

/* Whoever loses the race to create it opens it. */
NTSTATUS NTAPI ExCreateCallback(PCALLBACK_OBJECT *CallbackObject,
				POBJECT_ATTRIBUTES ObjectAttributes, BOOLEAN Create,
				BOOLEAN AllowMultipleCallbacks)
{
	if (!ObjectAttributes || !ObjectAttributes->ObjectName ||
	    !ObjectAttributes->ObjectName->Length)
		return STATUS_UNSUCCESSFUL;
	for (;;) {
		NTSTATUS status = open(ObjectAttributes, CallbackObject);
		if (status != STATUS_OBJECT_NAME_NOT_FOUND || !Create)
			return status;
		status = create(ObjectAttributes, AllowMultipleCallbacks, CallbackObject);
		if (status != STATUS_OBJECT_NAME_COLLISION)
			return status;
	}
}

/* ---- Registrations ---------------------------------------------------------------------- */

static int by_number(const struct ex_callback *a, const struct ex_callback *b)
{
	ULONG64 x = ((const struct registration *)a)->number;
	ULONG64 y = ((const struct registration *)b)->number;
	return (x > y) - (x < y);
}

static bool publish(struct registration *made)
{
	struct ex_callback_list *list = &made->object->list;
	uint32_t place = 0;
	bool added = false;
	pthread_mutex_lock(&registrations.lock);
	pthread_mutex_lock(&list->lock);
	made->number = ++registrations.last;
	if (made->object->multiple || !ex_each(list, &place))
		added = ex_add(list, &made->callback, by_number) == EX_ADDED;
	pthread_mutex_unlock(&list->lock);
	if (added)
		list_add_last(&registrations.list, &made->link);
	pthread_mutex_unlock(&registrations.lock);
	return added;
}

PVOID NTAPI ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
			       PVOID CallbackContext)
{
	struct registration *made = host_alloc(sizeof(*made));
	if (!made)
		return NULL;
	made->callback.routine = (const void *)CallbackFunction;
	made->routine = CallbackFunction;
	made->context = CallbackContext;
	made->object = CallbackObject;
	ob_reference(CallbackObject);
	if (publish(made))
		return made;
	ob_dereference(CallbackObject);
	host_free(made);
	return NULL;
}

/* Under the lock. */
static bool is_registered(const void *handle)
{
	for (LIST_ENTRY *link = registrations.list.Flink; link != &registrations.list;
	     link = link->Flink)
		if (LIST_OWNER(link, struct registration, link) == handle)
			return true;
	return false;
}

static void unpublish(struct registration *made)
{
	struct ex_callback_list *list = &made->object->list;
	list_remove(&made->link);
	pthread_mutex_lock(&list->lock);
	ex_unpublish(list, &made->callback);
	pthread_mutex_unlock(&list->lock);
}

VOID NTAPI ExUnregisterCallback(PVOID CallbackRegistration)
{
	struct registration *made = CallbackRegistration;
	pthread_mutex_lock(&registrations.lock);
	bool known = is_registered(made);
	bool inside = known && ex_inside(&made->callback);
	if (known && !inside)
		unpublish(made);
	pthread_mutex_unlock(&registrations.lock);
	if (!known)
		KE_BUG_CHECK(KE_SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, STATUS_ACCESS_VIOLATION,
			     (uintptr_t)__builtin_return_address(0), (uintptr_t)made, 0,
			     "ExUnregisterCallback was given %p, which is no live registration",
			     CallbackRegistration);
	if (inside)
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, 20, (uintptr_t)made,
			     (uintptr_t)made->callback.routine, 0,
			     "ExUnregisterCallback was called from inside a call of that routine: "
			     "it would wait for itself for ever");
	ex_drain(&made->callback);
	ob_dereference(made->object);
	host_free(made);
}

VOID NTAPI ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2)
{
	PCALLBACK_OBJECT object = CallbackObject;
	const KIRQL irql = KeGetCurrentIrql();
	struct ex_walk walk;
	struct ex_callback *callback;
	ex_walk_begin(&walk, &object->list);
	while ((callback = ex_walk_next(&walk))) {
		const struct registration *made = (const struct registration *)callback;
		struct ke_callout callout;
		ke_call_begin(&callout, "ExRegisterCallback routine", callback->routine, irql);
		made->routine(made->context, Argument1, Argument2);
		ke_call_end(&callout, irql);
	}
	ex_walk_end(&walk);
}

/* ---- From boot to shutdown ------------------------------------------------------------------ */

const void *ex_find_callback(const void *base, SIZE_T size)
{
	const void *found = NULL;
	pthread_mutex_lock(&registrations.lock);
	for (LIST_ENTRY *link = registrations.list.Flink; link != &registrations.list;
	     link = link->Flink) {
		const void *routine = LIST_OWNER(link, struct registration, link)->callback.routine;
		if ((uintptr_t)routine - (uintptr_t)base < size)
			found = routine;
	}
	pthread_mutex_unlock(&registrations.lock);
	return found;
}

#define NAME(literal)                                                                              \
	{                                                                                          \
		sizeof(literal) - 2, sizeof(literal), (PWSTR)(uintptr_t)literal                    \
	}

int ex_boot_callback_objects(void)
{
	static UNICODE_STRING names[] = {
		NAME(u"\\Callback\\SetSystemTime"),
		NAME(u"\\Callback\\PowerState"),
		NAME(u"\\Callback\\ProcessorAdd"),
	};
	ExCallbackObjectType->delete_body = delete_object;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const OBJECT_ATTRIBUTES attributes = {.ObjectName = &names[i],
						      .Attributes = OBJ_PERMANENT};
		PCALLBACK_OBJECT object;
		if (!NT_SUCCESS(create(&attributes, TRUE, &object)))
			return -ENOMEM;
		ob_dereference(object); /* its name keeps it */
	}
	return 0;
}

void ex_shutdown_callback_objects(void)
{
	while (!list_empty(&registrations.list)) {
		struct registration *made = LIST_OWNER(registrations.list.Flink,
						       struct registration, link);
		unpublish(made);
		ob_dereference(made->object);
		host_free(made);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * Registry callbacks: registrations (filter.c), the calls around an operation
 * (around.c), and what a driver has tied to a key object (context.c).
 */
#ifndef RINGSIDE_CM_FILTER_H
#define RINGSIDE_CM_FILTER_H

#include "cm/key.h"
#include "cm/notify.h"
#include "ex/callback.h"

struct cm_filter {
	struct ex_callback callback; /* first */
	LONGLONG cookie;
	PEX_CALLBACK_FUNCTION routine;
	PVOID context;
	bool legacy; /* CmRegisterCallback: above every altitude */
	UNICODE_STRING altitude;

	/* Under cm_filters.lock. */
	LIST_ENTRY contexts; /* struct cm_context */
	unsigned cleaning;   /* threads that use it without being inside */

	WCHAR text[];
};

/* Its lock also protects the contexts of keys; it is a leaf but for the processor
 * list's. */
extern struct ex_callback_list cm_filters;

/* The order of calls: negative when `a` is called before `b`. */
int cm_compare_filters(const struct ex_callback *a, const struct ex_callback *b);

/* The filter of a cookie, or NULL. The caller holds the lock. */
struct cm_filter *cm_find_filter(LONGLONG cookie);

/* Whether anybody may have to be told. */
static inline bool cm_filtered(void)
{
	return atomic_load_explicit(&cm_filters.array, memory_order_relaxed) != &ex_empty_array;
}

/* Callbacks whose code lies in [base, base+size): those a driver left behind. */
void cm_find_callbacks(const void *base, SIZE_T size,
		       void (*found)(void *context, const void *routine), void *context);

/* Frees what is still registered, uncalled. */
void cm_shutdown_callbacks(void);

/* ---- Around an operation ------------------------------------------------------ */

/* One kind of operation: its classes, and how it is done. `information` is the
 * REG_..._INFORMATION of the pre class, and holds the operation's arguments. */
struct cm_operation {
	REG_NOTIFY_CLASS pre, post;
	size_t size, contexts;               /* of that structure, and where its CallContext lies */
	PVOID *(*result)(void *information); /* creates and opens: where the new key goes */
	NTSTATUS (*carry_out)(const void *information);
};

#define CM_MAX_INFORMATION sizeof(REG_CREATE_KEY_INFORMATION_V1)

/*
 * Calls the callbacks around operation->carry_out, which gets `information` as it was
 * before any routine saw it; the routines see the structure itself. `key` is the object
 * whose context they are shown. Returns what the caller of the operation is told.
 * PASSIVE_LEVEL, no lock held.
 */
NTSTATUS cm_carry_out(const struct cm_operation *operation, struct cm_key *key, void *information);

/* The same for the key of a handle, whose object becomes the structure's first member. */
NTSTATUS cm_carry_out_by_handle(HANDLE handle, const struct cm_operation *operation,
				void *information);

/* The last reference is gone: tells it, and has the key's contexts cleaned up. */
void cm_tell_close(struct cm_key *key);

/* Calls one routine. */
NTSTATUS cm_call_filter(struct cm_filter *filter, REG_NOTIFY_CLASS class, void *information);

/* Whether this thread is in a call of the filter, or between its pre and its post. */
bool cm_is_inside(const struct cm_filter *filter);

/* ---- Object contexts ------------------------------------------------------------- */

PVOID cm_context_of(struct cm_key *key, const struct cm_filter *filter);

/* Has all contexts of a key that goes cleaned up; and all of a filter that is in no list
 * any more and that nobody is inside. Both wait for what the other has begun. */
void cm_clean_key(struct cm_key *key);
void cm_clean_filter(struct cm_filter *filter);

/* At shutdown: frees a filter's contexts, uncalled. */
void cm_forget_contexts(struct cm_filter *filter);

#endif

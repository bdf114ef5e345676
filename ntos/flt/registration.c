/* SPDX-License-Identifier: MIT */
/*
 * What a driver hands to FltRegisterFilter: checked, and captured into the filter, so
 * that nothing is read from the driver's tables later. No state; nothing is locked.
 *
 * Pages: FLT_REGISTRATION, FLT_CONTEXT_REGISTRATION, FLT_OPERATION_REGISTRATION.
 */
#include "flt/flt.h"
#include "memory.h"
#include "rtl/utf.h"
#include <ringside/io.h>
#include <string.h>

#define MAX_FIXED_SIZES 3 /* of one type */
#define KNOWN_CONTEXTS 0x7F

/* Older versions end earlier. */
static size_t size_of_version(USHORT version)
{
	return version < FLT_REGISTRATION_VERSION_0202
		       ? offsetof(FLT_REGISTRATION, TransactionNotificationCallback)
	       : version < FLT_REGISTRATION_VERSION_0203
		       ? offsetof(FLT_REGISTRATION, SectionNotificationCallback)
		       : sizeof(FLT_REGISTRATION);
}

/* ---- Operations -------------------------------------------------------------------- */

/* Operations beyond IRP_MJ_MAXIMUM_FUNCTION (fast I/O, FSFilter) exist, and never happen
 * here. */
static NTSTATUS capture_operation(PFLT_FILTER filter, const FLT_OPERATION_REGISTRATION *asked)
{
	if (asked->MajorFunction == IRP_MJ_POWER)
		return STATUS_INVALID_PARAMETER;
	if (asked->MajorFunction == IRP_MJ_SHUTDOWN && asked->PostOperation)
		return STATUS_INVALID_PARAMETER;
	if (asked->MajorFunction > IRP_MJ_MAXIMUM_FUNCTION)
		return STATUS_SUCCESS;
	struct flt_routines *routines = &filter->routines[asked->MajorFunction];
	if (routines->pre || routines->post)
		return STATUS_FLT_DUPLICATE_ENTRY;
	*routines = (struct flt_routines){asked->PreOperation, asked->PostOperation};
	return STATUS_SUCCESS;
}

static NTSTATUS capture_operations(PFLT_FILTER filter, const FLT_OPERATION_REGISTRATION *asked)
{
	NTSTATUS status = STATUS_SUCCESS;
	for (; asked && NT_SUCCESS(status) && asked->MajorFunction != IRP_MJ_OPERATION_END; asked++)
		status = capture_operation(filter, asked);
	return status;
}

/* ---- Contexts ------------------------------------------------------------------------- */

struct of_type {
	unsigned own, variable, fixed;
};

static bool is_valid(const FLT_CONTEXT_REGISTRATION *asked, struct of_type *seen)
{
	USHORT type = asked->ContextType;
	if (!type || type & (type - 1) || type & ~KNOWN_CONTEXTS)
		return false;
	if (asked->ContextAllocateCallback)
		seen->own++;
	else if (asked->Size == FLT_VARIABLE_SIZED_CONTEXTS)
		seen->variable++;
	else
		seen->fixed++;
	if (!asked->ContextAllocateCallback != !asked->ContextFreeCallback)
		return false;
	if (!asked->ContextAllocateCallback && !asked->PoolTag)
		return false;
	return seen->own + (seen->variable || seen->fixed) <= 1 && seen->variable <= 1 &&
	       seen->fixed <= MAX_FIXED_SIZES;
}

/* Which of the types one is, 0 to 6. */
static unsigned index_of(USHORT type)
{
	return type & KNOWN_CONTEXTS ? (unsigned)__builtin_ctz(type) : 0;
}

static NTSTATUS capture_contexts(PFLT_FILTER filter, const FLT_CONTEXT_REGISTRATION *asked)
{
	struct of_type seen[7] = {{0}};
	unsigned count = 0;
	for (; asked && asked[count].ContextType != FLT_CONTEXT_END; count++)
		if (!is_valid(&asked[count], &seen[index_of(asked[count].ContextType)]))
			return STATUS_FLT_INVALID_CONTEXT_REGISTRATION;
	if (!count)
		return STATUS_SUCCESS;
	filter->contexts = host_alloc(count * sizeof(*filter->contexts));
	if (!filter->contexts)
		return STATUS_INSUFFICIENT_RESOURCES;
	memcpy(filter->contexts, asked, count * sizeof(*filter->contexts));
	filter->context_count = count;
	return STATUS_SUCCESS;
}

/* ---- All of it --------------------------------------------------------------------------- */

NTSTATUS flt_capture(PFLT_FILTER filter, const FLT_REGISTRATION *asked)
{
	USHORT version = asked->Version;
	if (version < FLT_REGISTRATION_VERSION_0200 || version > FLT_REGISTRATION_VERSION_0203)
		return STATUS_INVALID_PARAMETER;
	memcpy(&filter->registration, asked, size_of_version(version));
	NTSTATUS status = capture_operations(filter, asked->OperationRegistration);
	return NT_SUCCESS(status) ? capture_contexts(filter, asked->ContextRegistration) : status;
}

void flt_free_filter(PFLT_FILTER filter)
{
	for (unsigned i = 0; i < filter->definition_count; i++) {
		rtl_free_string(&filter->definitions[i].name);
		rtl_free_string(&filter->definitions[i].altitude);
	}
	rtl_free_string(&filter->name);
	host_free(filter->definitions);
	host_free(filter->contexts);
	filter->object.kind = 0;
	host_free(filter);
}

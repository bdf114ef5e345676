/* SPDX-License-Identifier: MIT */
/*
 * The filter manager's objects: filters, volumes, and the instances that connect them.
 *
 * All three begin with a struct flt_object: what kind it is and who refers to it.
 * One lock, flt_lock, protects the lists; nothing but the dispatcher's lock is taken
 * inside it, and nothing of a driver's called or touched.
 */
#ifndef RINGSIDE_FLT_FLT_H
#define RINGSIDE_FLT_FLT_H

#include "ex/rundown.h"
#include "flt/abi.h"
#include "ke/list.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

extern pthread_mutex_t flt_lock;

enum flt_kind {
	FLT_FILTER_KIND = 0x46466C74, /* "tlFF" */
	FLT_VOLUME_KIND = 0x56466C74,
	FLT_INSTANCE_KIND = 0x49466C74,
};

struct flt_object {
	ULONG kind;
	EX_RUNDOWN_REF references; /* FltObjectReference, contexts, ports, work items */
};

/* Of one IRP_MJ: what the minifilter registered. */
struct flt_routines {
	FLT_PRE_OPERATION_CALLBACK *pre;
	FLT_POST_OPERATION_CALLBACK *post;
};

/* An instance that the service key defines (its Instances key). */
struct flt_definition {
	UNICODE_STRING name, altitude; /* rtl_free_string */
	ULONG flags;
};
#define FLT_NO_AUTOMATIC_ATTACHMENT 0x1
#define FLT_NO_MANUAL_ATTACHMENT 0x2

struct _FLT_FILTER {
	struct flt_object object; /* first */
	/* Constant from registration on. */
	PDRIVER_OBJECT driver;
	UNICODE_STRING name;
	PDRIVER_UNLOAD driver_unload; /* what DriverUnload was before */
	FLT_REGISTRATION registration;
	struct flt_routines routines[IRP_MJ_MAXIMUM_FUNCTION + 1];
	FLT_CONTEXT_REGISTRATION *contexts; /* those it registered, in order */
	unsigned context_count;
	struct flt_definition *definitions; /* the default one first */
	unsigned definition_count;
	EX_RUNDOWN_REF starting; /* FltStartFiltering, which looks at it until it returns */
	/* Under flt_lock. */
	LIST_ENTRY link;
	LIST_ENTRY instances;    /* struct _FLT_INSTANCE.of_filter */
	LIST_ENTRY all_contexts; /* struct flt_context.of_filter */
	LIST_ENTRY ports;        /* struct _FLT_PORT.of_filter */
	unsigned server_ports;
	atomic_bool started, leaving; /* changed under it */
	ULONG unload_reason;          /* what teardown routines are told */
};

struct _FLT_VOLUME {
	struct flt_object object;
	UNICODE_STRING name; /* \Device\HarddiskVolume1 */
	/* Under flt_lock. */
	LIST_ENTRY link;
	LIST_ENTRY instances; /* of_volume, the highest altitude first */
};

struct _FLT_INSTANCE {
	struct flt_object object;
	PFLT_FILTER filter;
	PFLT_VOLUME volume;
	UNICODE_STRING name, altitude;
	EX_RUNDOWN_REF operations; /* those that its routines know of */
	/* Under flt_lock. */
	LIST_ENTRY of_filter, of_volume;
	bool attached; /* its setup routine has agreed: it gets operations */
	bool leaving;  /* it is being torn down, and is in no list any more */
};

/* ---- Objects (object.c) ----------------------------------------------------------------- */

bool flt_reference(struct flt_object *object); /* false: it is being torn down */
void flt_dereference(struct flt_object *object);

/* The pointer's kind is checked where a driver can hand in another: STATUS_SUCCESS, or
 * INVALID_PARAMETER. */
NTSTATUS flt_check_kind(const void *object, enum flt_kind kind);

/* Lets no new references in and returns when the last one is gone. When it has to wait, the
 * listeners are told what for: `what` is a sentence's subject. */
void flt_run_down(struct flt_object *object, const char *what, const void *routine);

/* Calls of a minifilter's routines. */
#define FLT_CALL(filter_routine, what, call)                                                       \
	do {                                                                                       \
		struct ke_callout callout_;                                                        \
		KIRQL irql_ = KeGetCurrentIrql();                                                  \
		ke_call_begin(&callout_, what, (const void *)(filter_routine), irql_);             \
		call;                                                                              \
		ke_call_end(&callout_, irql_);                                                     \
	} while (0)

/* ---- Volumes (volume.c) ------------------------------------------------------------------- */

int flt_boot(void); /* 0 or -ENOMEM */
void flt_shutdown(void);

/* The volume that a file lies on, referenced, or NULL. `file` may be an image file. */
PFLT_VOLUME flt_volume_of_file(const FILE_OBJECT *file);

/* The n-th volume, referenced, or NULL. */
PFLT_VOLUME flt_volume_at(unsigned index);

/* ---- Unloading (filter.c) ------------------------------------------------------------------ */

/* Whether the driver's minifilter has to be asked before its DriverUnload is called, and
 * asking it: what its unload callback returned, SUCCESS when there is none to ask. */
bool flt_may_unload(PDRIVER_OBJECT driver);
NTSTATUS flt_unload(PDRIVER_OBJECT driver);

/* ---- Instances (instance.c) ---------------------------------------------------------------- */

/* Attaches: checks that name and altitude are free on the volume, asks the setup routine. */
NTSTATUS flt_attach(PFLT_FILTER filter, PFLT_VOLUME volume, const struct flt_definition *definition,
		    PCUNICODE_STRING name, ULONG flags, PFLT_INSTANCE *attached);

/* Tears an instance down in the documented order and frees it. */
void flt_tear_down(PFLT_INSTANCE instance, ULONG reason);

/* Takes an instance from its filter's list: the caller tears it down. False, or NULL where it
 * is the first: there is none, or somebody else tears it down already. */
bool flt_take_instance(PFLT_INSTANCE instance);
PFLT_INSTANCE flt_take_first_instance(PFLT_FILTER filter);

/* What a routine of the instance is shown. */
FLT_RELATED_OBJECTS flt_related(PFLT_INSTANCE instance, struct _FILE_OBJECT *file);

/* ---- Filters (filter.c, registration.c) ------------------------------------------------------- */

/* Captures and checks what a driver registers. */
NTSTATUS flt_capture(PFLT_FILTER filter, const FLT_REGISTRATION *asked);
void flt_free_filter(PFLT_FILTER filter);
void flt_free_filters(void); /* at shutdown, those that are left */

/* Reads the Instances key of the driver's service (definition.c). */
NTSTATUS flt_read_definitions(PFLT_FILTER filter);

/* Calls `found` for each filter that a driver in [base, base + size) left registered. */
void flt_find_registrations(const void *base, SIZE_T size,
			    void (*found)(void *context, const void *routine), void *context);

/* What an INF file writes into a minifilter's service key, for one that has none: an
 * instance at an altitude among the activity monitors. */
NTSTATUS flt_write_default_instance(PCUNICODE_STRING service_path);

/* ---- Exports --------------------------------------------------------------------------------- */

NTSTATUS NTAPI FltObjectReference(PVOID FltObject);
VOID NTAPI FltObjectDereference(PVOID FltObject);

NTSTATUS NTAPI FltRegisterFilter(PDRIVER_OBJECT Driver, const FLT_REGISTRATION *Registration,
				 PFLT_FILTER *RetFilter);
NTSTATUS NTAPI FltStartFiltering(PFLT_FILTER Filter);
VOID NTAPI FltUnregisterFilter(PFLT_FILTER Filter);
NTSTATUS NTAPI FltGetFilterFromName(PCUNICODE_STRING FilterName, PFLT_FILTER *RetFilter);
PVOID NTAPI FltGetRoutineAddress(PCSTR FltMgrRoutineName);

NTSTATUS NTAPI FltAttachVolume(PFLT_FILTER Filter, PFLT_VOLUME Volume,
			       PCUNICODE_STRING InstanceName, PFLT_INSTANCE *RetInstance);
NTSTATUS NTAPI FltAttachVolumeAtAltitude(PFLT_FILTER Filter, PFLT_VOLUME Volume,
					 PCUNICODE_STRING Altitude, PCUNICODE_STRING InstanceName,
					 PFLT_INSTANCE *RetInstance);
NTSTATUS NTAPI FltDetachVolume(PFLT_FILTER Filter, PFLT_VOLUME Volume,
			       PCUNICODE_STRING InstanceName);
NTSTATUS NTAPI FltEnumerateInstances(PFLT_VOLUME Volume, PFLT_FILTER Filter,
				     PFLT_INSTANCE *InstanceList, ULONG InstanceListSize,
				     PULONG NumberInstancesReturned);
NTSTATUS NTAPI FltGetVolumeInstanceFromName(PFLT_FILTER Filter, PFLT_VOLUME Volume,
					    PCUNICODE_STRING InstanceName,
					    PFLT_INSTANCE *RetInstance);
NTSTATUS NTAPI FltGetTopInstance(PFLT_VOLUME Volume, PFLT_INSTANCE *Instance);
NTSTATUS NTAPI FltGetBottomInstance(PFLT_VOLUME Volume, PFLT_INSTANCE *Instance);
NTSTATUS NTAPI FltGetUpperInstance(PFLT_INSTANCE CurrentInstance, PFLT_INSTANCE *UpperInstance);
NTSTATUS NTAPI FltGetLowerInstance(PFLT_INSTANCE CurrentInstance, PFLT_INSTANCE *LowerInstance);
NTSTATUS NTAPI FltGetFilterFromInstance(PFLT_INSTANCE Instance, PFLT_FILTER *RetFilter);
NTSTATUS NTAPI FltGetVolumeFromInstance(PFLT_INSTANCE Instance, PFLT_VOLUME *RetVolume);
LONG NTAPI FltCompareInstanceAltitudes(PFLT_INSTANCE Instance1, PFLT_INSTANCE Instance2);

NTSTATUS NTAPI FltEnumerateVolumes(PFLT_FILTER Filter, PFLT_VOLUME *VolumeList,
				   ULONG VolumeListSize, PULONG NumberVolumesReturned);
NTSTATUS NTAPI FltGetVolumeName(PFLT_VOLUME Volume, PUNICODE_STRING VolumeName,
				PULONG BufferSizeNeeded);
NTSTATUS NTAPI FltGetVolumeFromName(PFLT_FILTER Filter, PCUNICODE_STRING VolumeName,
				    PFLT_VOLUME *RetVolume);
NTSTATUS NTAPI FltGetVolumeFromFileObject(PFLT_FILTER Filter, PFILE_OBJECT FileObject,
					  PFLT_VOLUME *RetVolume);
NTSTATUS NTAPI FltGetVolumeFromDeviceObject(PFLT_FILTER Filter, struct _DEVICE_OBJECT *DeviceObject,
					    PFLT_VOLUME *RetVolume);
NTSTATUS NTAPI FltGetDiskDeviceObject(PFLT_VOLUME Volume, struct _DEVICE_OBJECT **DiskDeviceObject);
NTSTATUS NTAPI FltGetFileSystemType(PVOID FltObject, FLT_FILESYSTEM_TYPE *FileSystemType);
NTSTATUS NTAPI FltIsVolumeWritable(PVOID FltObject, PBOOLEAN IsWritable);
NTSTATUS NTAPI FltGetVolumeProperties(PFLT_VOLUME Volume, PFLT_VOLUME_PROPERTIES VolumeProperties,
				      ULONG VolumePropertiesLength, PULONG LengthReturned);

#endif

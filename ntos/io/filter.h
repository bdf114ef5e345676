/* SPDX-License-Identifier: MIT */
/*
 * Where a filter manager sees the requests to files of the volume.
 *
 * Every request that reaches the volume (io/volume.c) passes one place, which calls the
 * two functions of a table that somebody may have set. They run in the thread of the
 * request, at its IRQL, with no lock held, and may send requests of their own.
 */
#ifndef RINGSIDE_IO_FILTER_H
#define RINGSIDE_IO_FILTER_H

#include "io/irp.h"

/*
 * One request. Its parameters are those of `location`, where `before` may change them; its
 * buffers are the IRP's, as a file system gets them: SystemBuffer for information of
 * files and volumes, MdlAddress or UserBuffer for reads, writes and directory control.
 */
struct io_operation {
	PDEVICE_OBJECT device;
	PFILE_OBJECT file;
	PIRP irp;
	PIO_STACK_LOCATION location; /* MajorFunction, MinorFunction, Parameters */
	/* The answer: the volume's, which `after` may change; or that of `before`. */
	NTSTATUS status;
	ULONG_PTR information;
};

struct io_filter {
	/* False: the request goes no further, status and information are its answer, and
	 * `after` is not called. *context is handed to `after`. */
	bool (*before)(struct io_operation *operation, void **context);
	void (*after)(struct io_operation *operation, void *context);
};

/* NULL: nobody. The table stays valid until the kernel is shut down, which unsets it;
 * calls may be under way when it is unset. */
void io_set_filter(const struct io_filter *filter);

/* What the volume makes of a request, without the filter: for requests of a filter's own.
 * `irp` is at the volume's stack location and is not completed. */
NTSTATUS io_carry_out(PIRP irp, ULONG_PTR *information);

/* \Device\HarddiskVolume1, not referenced; NULL while there is none. */
PDEVICE_OBJECT io_volume(void);

#endif

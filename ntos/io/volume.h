/* SPDX-License-Identifier: MIT */
/*
 * The volume: \Device\HarddiskVolume1, which shows a folder of Linux as NT's file systems
 * show theirs. Inside io/volume*.c, except where said.
 *
 * A file object of the volume has an open in FsContext2 and, in FsContext, the node that
 * all opens of that file share. Sharing, deletion and names are those of nodes; what
 * other Linux processes have open counts for nothing here.
 */
#ifndef RINGSIDE_IO_VOLUME_H
#define RINGSIDE_IO_VOLUME_H

#include "io/filter.h"
#include "tree.h"
#include <limits.h>

/* ---- For the rest of the kernel -------------------------------------------------------- */

#define IO_VOLUME_NAME u"\\Device\\HarddiskVolume1"

/* At shutdown. */
void io_unmount(void);

/* The file object goes: gives back what it still has of the volume. */
void io_leave_volume(PFILE_OBJECT file);

/* A descriptor of a regular file of the volume, opened anew, for a section; the caller
 * closes it. INVALID_FILE_FOR_SECTION for what is no such file, ACCESS_DENIED,
 * MEDIA_WRITE_PROTECTED. From then on the file has a section more, until it is told that
 * it has not. */
NTSTATUS io_file_for_section(PFILE_OBJECT file, bool write, bool image, int *fd);
void io_section_is_gone(PFILE_OBJECT file, bool write, bool image);

/* How many opens and sections of the file with that SectionObjectPointer may write it. */
ULONG io_writers_of(const void *section_pointers);

/* ---- Nodes and opens ---------------------------------------------------------------------- */

struct volume_header { /* FSRTL_COMMON_FCB_HEADER */
	CSHORT NodeTypeCode, NodeByteSize;
	UCHAR Flags, IsFastIoPossible, Flags2, Version;
	PVOID Resource, PagingIoResource;
	LARGE_INTEGER AllocationSize, FileSize, ValidDataLength;
};
_Static_assert(sizeof(struct volume_header) == 0x30, "ntifs.h");

struct volume_node {
	struct volume_header header; /* first: filters look at it */
	PVOID section[3];            /* SECTION_OBJECT_POINTERS */
	/* Constant. */
	ULONG64 device, inode;
	enum host_file_kind kind;
	bool folder, supplied; /* supplied: not below the root, a loaded driver's file */
	/* Under the volume's lock. */
	LIST_ENTRY link;
	char *path;   /* Linux's, from the root */
	bool renamed; /* so the names in file objects are no more */
	unsigned references;
	unsigned users;                             /* opens that are not cleaned up yet */
	unsigned opens, readers, writers, deleters; /* those of them that sharing concerns */
	unsigned shared_read, shared_write, shared_delete;
	bool delete_pending;
	unsigned sections, image_sections, writable_sections; /* sections of the file */
};

struct volume_scan { /* of a folder, as it was when the scan began */
	char **name; /* Linux's, sorted as NTFS has them */
	size_t count, next;
	UNICODE_STRING pattern; /* upper case; rtl_free_string */
};

struct volume_open {
	struct volume_node *node; /* referenced */
	int fd;                   /* for looking */
	bool is_volume;           /* the volume itself was opened, not a file */
	bool appends;             /* may write at the end only */
	/* Under the volume's lock. */
	int reader, writer; /* -1: not opened yet */
	bool counted;       /* in the node's numbers, until it is cleaned up */
	bool delete_on_close;
	struct volume_scan *scan; /* or NULL */
};

/* What is mounted; constant while it is. */
extern struct volume {
	PDRIVER_OBJECT driver;
	PDEVICE_OBJECT device;
	int root;
	bool writable;
	ULONG serial;
} volume;

void volume_lock(void);
void volume_unlock(void);

/* The open of a file object, made now if it has none; NULL with *status. */
struct volume_open *volume_open_of(PFILE_OBJECT file, NTSTATUS *status);

/* A descriptor for the contents, opened at its first use. Negative errno. */
int volume_contents(struct volume_open *open, bool write);

/* Whether `file` may be written now: MEDIA_WRITE_PROTECTED, which is reported, or SUCCESS. */
NTSTATUS volume_check_writable(PFILE_OBJECT file);

void volume_free_scan(struct volume_scan *scan);

/* Under the lock: whether something is open in a folder, or below. */
bool volume_has_opens_below(const struct volume_node *folder);

/* USER_MAPPED_FILE when the file has sections, whose pages may not be cut off. */
NTSTATUS volume_check_cut(const struct volume_node *node);

/* What Linux's error is in NT. */
NTSTATUS volume_status(int error);

/* ---- Names -------------------------------------------------------------------------------- */

struct volume_found {
	char path[PATH_MAX];
	int fd;                     /* for looking; -1: there is no such file, but its folder is */
	struct host_file_info info; /* of the file, if there is one */
	bool as_folder;             /* the name ends with a backslash */
	bool supplied;              /* see volume_node */
};

/* Looks `name` up, from the root and with a backslash first: as it is written, or else in any
 * case. OBJECT_NAME_INVALID, OBJECT_PATH_NOT_FOUND, ACCESS_DENIED, ... */
NTSTATUS volume_find(PCUNICODE_STRING name, struct volume_found *found);

/* The NT name of a Linux path from the root, with a backslash first (rtl_free_string). */
NTSTATUS volume_name(const char *path, UNICODE_STRING *name);

/* ---- Requests: one function each, in files of their own ------------------------------------- */

typedef NTSTATUS volume_request(PIRP irp, PIO_STACK_LOCATION location, ULONG_PTR *information);
volume_request volume_create, volume_cleanup, volume_close;
volume_request volume_read, volume_write, volume_flush;
volume_request volume_query_file, volume_set_file, volume_query_volume;
volume_request volume_directory;

/* Puts an answer into a buffer of `length` bytes: what does not fit of `size` bytes is left
 * out, and then BUFFER_OVERFLOW. */
NTSTATUS volume_answer(PVOID buffer, ULONG length, const void *answer, size_t size,
		       ULONG_PTR *information);

/* As FILE_*_INFORMATION have it. */
ULONG volume_attributes(const struct host_file_info *info);

#endif

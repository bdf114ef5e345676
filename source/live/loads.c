/* SPDX-License-Identifier: MIT */
/*
 * Image loads of live processes.
 *
 * An image is a file that is mapped executable, from its first mapped byte to its last: what
 * the dynamic linker maps in several pieces, as sections, is one image here as there. Where it
 * lies is read from /proc/PID/maps, in which the pieces of a file follow each other.
 *
 * After an exec, and before the first instruction, exactly the program and its interpreter
 * are mapped: they are told then, the program first, as NT tells of the executable and of
 * ntdll (PS-86). Everything later comes by mmap; those calls are in the table only when all images
 * were asked for, since each costs a notification and a stop. The caller is interrupted
 * while it waits for its answer, so that it stops when the mapping exists and before it returns
 * to the program (mmap rows, answer below; the stop is the tracer's).
 *
 * The calls run in the process, on the thread that executes or maps. Clauses: PS-75, PS-78 to
 * PS-83, PS-86.
 */
#include "source/live/loads.h"
#include "source/live/calls.h"
#include "source/live/deputy.h"
#include "source/live/kernel.h"
#include "source/live/name.h"
#include "source/live/remote.h"
#include "memory.h"
#include "ob/object.h"
#include "ps/file.h"
#include "ps/notify.h"
#include "ps/process.h"
#include "rtl/utf.h"
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static enum live_images wanted;

void live_tell_images(enum live_images which)
{
	wanted = which;
}

static bool somebody_hears(void)
{
	struct ex_walk walk;
	ex_walk_begin(&walk, &ps_image_routines);
	bool any = ex_walk_next(&walk) != NULL;
	ex_walk_end(&walk);
	return any;
}

bool live_wants_images(void)
{
	return wanted == LIVE_IMAGES_AUTO ? somebody_hears() : wanted != LIVE_IMAGES_NONE;
}

/* ---- What is mapped -------------------------------------------------------------------- */

struct mapped {
	uint64_t start, end;
	bool executable;
	uint64_t device, inode;
	char path[PATH_MAX];
};

/* A line of /proc/PID/maps; false for what is no file. */
static bool read_line(const char *line, struct mapped *m)
{
	unsigned long start, end, inode;
	unsigned major, minor;
	char access[5];
	int path = 0;
	if (sscanf(line, "%lx-%lx %4s %*x %x:%x %lu %n", &start, &end, access, &major, &minor,
		   &inode, &path) < 6 ||
	    !inode || line[path] != '/')
		return false;
	*m = (struct mapped){.start = start,
			     .end = end,
			     .executable = access[2] == 'x',
			     .device = makedev(major, minor),
			     .inode = inode};
	snprintf(m->path, sizeof m->path, "%.*s", (int)strcspn(line + path, "\n"), line + path);
	return true;
}

static bool is_same_file(const struct mapped *a, const struct mapped *b)
{
	return a->inode == b->inode && a->device == b->device;
}

/* Calls `found` for every image, in the order of addresses. */
static void each_image(pid_t pid, void (*found)(const struct mapped *image, void *context),
		       void *context)
{
	char name[40], *line = NULL;
	size_t size = 0;
	struct mapped image = {0}, piece;
	snprintf(name, sizeof name, "/proc/%d/maps", pid);
	FILE *maps = fopen(name, "re");
	if (!maps)
		return;
	while (getline(&line, &size, maps) > 0) {
		if (!read_line(line, &piece))
			continue;
		if (image.inode && is_same_file(&image, &piece)) {
			image.end = piece.end;
			image.executable |= piece.executable;
			continue;
		}
		if (image.executable)
			found(&image, context);
		image = piece;
	}
	if (image.executable)
		found(&image, context);
	free(line);
	fclose(maps);
}

/* ---- Telling ------------------------------------------------------------------------------- */

struct telling {
	struct ps_image image;
};

static void tell(void *argument)
{
	const struct telling *t = argument;
	ps_load_image(&t->image);
}

/* Whether it is an image for another processor mode than ours. */
static bool is_foreign(pid_t tid, uint64_t base)
{
	unsigned char ident[EI_NIDENT];
	return !live_read(tid, base, ident, sizeof ident) && !memcmp(ident, ELFMAG, SELFMAG) &&
	       ident[EI_CLASS] != ELFCLASS64;
}

static void tell_image(struct live_task *task, const struct mapped *mapped, bool by_call)
{
	UNICODE_STRING name = {0};
	if (live_image_name(mapped->path, &name))
		return;
	PEPROCESS process = live_nt_process(task->process);
	FILE_OBJECT *file = ps_create_file_object(&name);
	struct telling t = {.image = {.process = process,
				      .name = &name,
				      .base = (void *)mapped->start, // NOLINT: user memory
				      .size = mapped->end - mapped->start,
				      .file = file,
				      .foreign_architecture = is_foreign(task->tid, mapped->start),
				      .special_apcs_off = by_call}};
	if (process)
		live_call_as(task, tell, &t);
	live_release(file);
	live_release(process);
	rtl_free_string(&name);
}

struct program {
	struct live_task *task;
	struct stat file; /* of the executable */
	bool rest;        /* tell of the others */
};

static void tell_of_program(const struct mapped *image, void *context)
{
	const struct program *p = context;
	bool is_program = image->inode == p->file.st_ino && image->device == p->file.st_dev;
	if (is_program != p->rest)
		tell_image(p->task, image, false);
}

void live_tell_program(struct live_task *task)
{
	struct program p = {.task = task};
	char exe[40];
	snprintf(exe, sizeof exe, "/proc/%d/exe", task->tid);
	if (stat(exe, &p.file))
		return;
	each_image(task->tid, tell_of_program, &p);
	p.rest = true;
	each_image(task->tid, tell_of_program, &p);
}

struct mapping {
	struct live_task *task;
	uint64_t address;
};

static void tell_of_mapping(const struct mapped *image, void *context)
{
	const struct mapping *m = context;
	if (m->address >= image->start && m->address < image->end)
		tell_image(m->task, image, true);
}

void live_tell_mapping(struct live_task *task, uint64_t address)
{
	struct mapping m = {task, address};
	each_image(task->tid, tell_of_mapping, &m);
}

/* ---- mmap -------------------------------------------------------------------------------------- */

struct live_answer live_answer_mmap(const struct live_call *call, const struct live_notice *notice)
{
	struct live_task *task = notice->task;
	(void)call;
	if (!atomic_load(&task->foreign) && live_begin_visit()) {
		task->mapping = true;
		live_ptrace(PTRACE_INTERRUPT, task->tid, 0, 0);
		live_end_visit();
	}
	return LIVE_CONTINUE;
}

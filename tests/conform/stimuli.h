/* SPDX-License-Identifier: MIT */
/*
 * Something happens: what conform.sys waits for, made by the library. The names of images
 * are the parts that tests/drivers/conform/record.h lists.
 */
#ifndef RINGSIDE_TEST_CONFORM_STIMULI_H
#define RINGSIDE_TEST_CONFORM_STIMULI_H

#include "ob/handle.h"
#include "ps/file.h"
#include "ps/notify.h"
#include "ps/process.h"
#include "support/world.h"
#include <string.h>

#define EXE(part) "\\??\\C:\\conform\\conform-" part ".exe"

#define ITSELF ((HANDLE)(uintptr_t)-1) /* the pseudo-handle of the current process */

/* Who makes the others: started before the driver is, so that it is nobody's stimulus. */
static struct actor shell, other;

/* ---- Handles, by the current thread in user mode --------------------------------------- */

static NTSTATUS try_open(PEPROCESS process, ACCESS_MASK access, ULONG attributes, HANDLE *handle)
{
	OBJECT_ATTRIBUTES asked = {.Length = sizeof asked, .Attributes = attributes};
	CLIENT_ID id = {.UniqueProcess = PsGetProcessId(process)};
	return NtOpenProcess(handle, access, &asked, &id);
}

static HANDLE open_as(PEPROCESS process, ACCESS_MASK access, ULONG attributes)
{
	HANDLE handle = NULL;
	assert_ntsuccess(try_open(process, access, attributes, &handle));
	return handle;
}

static HANDLE open_thread_as(PETHREAD thread, ACCESS_MASK access, ULONG attributes)
{
	OBJECT_ATTRIBUTES asked = {.Length = sizeof asked, .Attributes = attributes};
	CLIENT_ID id = {.UniqueThread = PsGetThreadId(thread)};
	HANDLE handle = NULL;
	assert_ntsuccess(NtOpenThread(&handle, access, &asked, &id));
	return handle;
}

/* ---- Images ----------------------------------------------------------------------------- */

static void map_image(PEPROCESS process, const char *name)
{
	assert_ntsuccess(rs_map_image(&(struct rs_image_spec){
		.process = process, .name = name, .base = (PVOID)0x10000, .size = 0x1000}));
}

static void map_image_with_file(PEPROCESS process)
{
	UNICODE_STRING name = USTR(u"\\Device\\HarddiskVolume1\\conform\\conform-child.exe");
	FILE_OBJECT *file = ps_create_file_object(&name);
	assert_non_null(file);
	ps_load_image(&(struct ps_image){.process = process,
					 .name = &name,
					 .base = (PVOID)0x400000,
					 .size = 0x2000,
					 .file = file});
	rs_release(file);
}

static void map_images_of_all_kinds(PEPROCESS process)
{
	const struct rs_image_spec images[] = {
		{.name = "C:\\conform\\conform-foreign.dll", .foreign_architecture = true},
		{.name = "C:\\conform\\conform-data.dll", .no_execute = true},
		{.name = "C:\\conform\\conform-after.dll"},
		{.name = NULL},
		{.name = "C:\\conform\\guarded.dll", .special_apcs_off = true},
	};
	for (unsigned i = 0; i < sizeof images / sizeof images[0]; i++) {
		struct rs_image_spec image = images[i];
		image.process = process;
		image.base = (PVOID)0x10000;
		image.size = 0x1000;
		assert_ntsuccess(rs_map_image(&image));
	}
}

static void load_another_driver(void)
{
	struct rs_error error = {""};
	struct rs_driver *driver = rs_load(TEST_BUILD "/drivers/warden.sys", &error);
	if (!driver)
		fail_msg("%s", error.text);
	rs_discard(driver);
}

/* ---- Processes, made by the shell -------------------------------------------------------- */

static const struct rs_process_spec *spec_of(struct rs_process_spec *spec, const char *image)
{
	*spec = (struct rs_process_spec){
		.parent = shell.process, .image = image, .command_line = image};
	return spec;
}

static struct actor start(const char *image)
{
	struct rs_process_spec spec;
	return actor_start_as(spec_of(&spec, image));
}

/* With the two handles of its creator, images, and a second thread of its own. */
static void live_an_ordinary_life(void)
{
	struct rs_process_spec spec;
	struct actor child;
	PETHREAD second;
	HANDLE process_handle, thread_handle;
	assert_ntsuccess(rs_create_user_process(spec_of(&spec, EXE("child")), &child.process,
						&child.thread, &process_handle, &thread_handle));
	rs_run_thread(child.thread);
	rs_become(child.thread);
	map_image_with_file(child.process);
	map_image(child.process, "\\Device\\HarddiskVolume1\\Windows\\System32\\ntdll.dll");
	map_images_of_all_kinds(child.process);
	assert_ntsuccess(rs_create_thread(child.process, &second));
	rs_run_thread(second);
	rs_become(shell.thread);
	rs_exit_thread(second, STATUS_SUCCESS);
	rs_release(second);
	actor_end(&child);
	assert_ntsuccess(NtClose(process_handle));
	assert_ntsuccess(NtClose(thread_handle));
}

static NTSTATUS try_to_start(const char *image)
{
	struct rs_process_spec spec;
	struct actor actor;
	NTSTATUS status = rs_create_user_process(spec_of(&spec, image), &actor.process,
						 &actor.thread, NULL, NULL);
	if (NT_SUCCESS(status)) {
		rs_run_thread(actor.thread);
		actor_end(&actor);
	}
	return status;
}

static void be_refused(void)
{
	assert_status(try_to_start(EXE("veto")), STATUS_ACCESS_DENIED);
	assert_status(try_to_start(EXE("warn")), STATUS_BUFFER_OVERFLOW);
	assert_ntsuccess(try_to_start(EXE("pardon")));
}

/* The process object by the shell, its first thread by another process. */
static void be_made_by_two(void)
{
	struct rs_process_spec spec;
	struct actor split;
	assert_ntsuccess(rs_create_process(spec_of(&spec, EXE("split")), &split.process));
	HANDLE handle = open_as(split.process, PROCESS_ALL_ACCESS, 0);
	rs_become(other.thread);
	assert_ntsuccess(rs_create_thread(split.process, &split.thread));
	rs_become(shell.thread);
	rs_run_thread(split.thread);
	actor_end(&split);
	assert_ntsuccess(NtClose(handle));
}

static void have_unusual_parents(void)
{
	struct actor actor;
	actor = actor_start_as(&(struct rs_process_spec){
		.parent = other.process, .image = EXE("foster"), .command_line = "foster"});
	actor_end(&actor);
	actor = actor_start_as(&(struct rs_process_spec){.parent = shell.process,
							 .without_inheritance = true,
							 .image = EXE("orphan"),
							 .command_line = "orphan"});
	actor_end(&actor);
	actor = actor_start_as(
		&(struct rs_process_spec){.parent = shell.process, .image = EXE("mute")});
	actor_end(&actor);
}

/* A process and its fork, which is opened. */
static void fork_silently(void)
{
	UNICODE_STRING image = USTR(u"\\??\\C:\\conform\\conform-clone.exe");
	struct actor original = start(EXE("clone")), clone;
	assert_ntsuccess(ps_create_process(&(struct ps_process_spec){.parent = original.process,
								     .inherit_handles = true,
								     .image = &image,
								     .silent = true},
					   &clone.process));
	assert_ntsuccess(ps_create_thread(&(struct ps_thread_spec){.process = clone.process},
					  &clone.thread));
	assert_ntsuccess(NtClose(open_as(clone.process, SYNCHRONIZE, 0)));
	actor_end(&clone);
	actor_end(&original);
}

static void never_have_a_thread(void)
{
	struct rs_process_spec spec;
	PEPROCESS empty;
	assert_ntsuccess(rs_create_process(spec_of(&spec, EXE("empty")), &empty));
	HANDLE handle = open_as(empty, SYNCHRONIZE, 0);
	rs_exit_process(empty, STATUS_SUCCESS);
	assert_ntsuccess(NtClose(handle));
	rs_release(empty);
}

static void live_as_pico(PCUNICODE_STRING image, PCUNICODE_STRING command_line)
{
	struct actor pico;
	assert_ntsuccess(ps_create_process(&(struct ps_process_spec){.parent = shell.process,
								     .inherit_handles = true,
								     .image = image,
								     .native_image = image,
								     .command_line = command_line,
								     .subsystem = true},
					   &pico.process));
	assert_ntsuccess(rs_create_thread(pico.process, &pico.thread));
	rs_run_thread(pico.thread);
	actor_end(&pico);
}

static void be_linux(void)
{
	UNICODE_STRING image = USTR(u"/usr/bin/conform-pico");
	UNICODE_STRING arguments = USTR(u"conform-pico\0--with\0arguments");
	live_as_pico(&image, &arguments);
	live_as_pico(NULL, NULL);
}

/* ---- Handles that play a part ---------------------------------------------------------------- */

/* User mode asks for kernel handles and gets others, of which all is taken that can be. */
static void open_and_be_stripped(struct actor *target, struct actor *friend)
{
	struct actor opener = start(EXE("opener"));
	rs_become(opener.thread);
	HANDLE to_friend = open_as(friend->process, PROCESS_DUP_HANDLE, 0);
	HANDLE process = open_as(target->process, PROCESS_ALL_ACCESS, OBJ_KERNEL_HANDLE);
	HANDLE thread = open_thread_as(target->thread, THREAD_ALL_ACCESS, OBJ_KERNEL_HANDLE);
	HANDLE copy;
	assert_ntsuccess(
		NtDuplicateObject(ITSELF, process, to_friend, &copy, 0, 0, DUPLICATE_SAME_ACCESS));
	assert_ntsuccess(NtClose(thread));
	assert_ntsuccess(NtClose(process));
	assert_ntsuccess(NtClose(to_friend));
	rs_become(shell.thread);
	actor_end(&opener);
}

/* The child of one that opened the target inheritably knows the handle by its value. */
static void inherit(struct actor *target)
{
	struct actor parent = start(EXE("parent"));
	rs_become(parent.thread);
	HANDLE handle = open_as(target->process, PROCESS_QUERY_LIMITED_INFORMATION, OBJ_INHERIT);
	struct actor heir = actor_start_as(&(struct rs_process_spec){
		.parent = parent.process, .image = EXE("heir"), .command_line = "heir"});
	struct ob_handle found;
	assert_ntsuccess(ob_resolve_handle(heir.process, handle, UserMode, &found));
	assert_ptr_equal(found.object, target->process);
	rs_release(found.object);
	rs_become(shell.thread);
	actor_end(&heir);
	actor_end(&parent);
}

static void be_denied_by_security(void)
{
	struct actor fort = start(EXE("fort"));
	HANDLE handle;
	rs_deny_access(fort.process, PROCESS_TERMINATE);
	assert_status(try_open(fort.process, PROCESS_TERMINATE, 0, &handle), STATUS_ACCESS_DENIED);
	assert_ntsuccess(NtClose(open_as(fort.process, PROCESS_QUERY_LIMITED_INFORMATION, 0)));
	actor_end(&fort);
}

/* Nothing enters the table of a process that has ended. */
static void give_to_the_dead(void)
{
	struct actor dead = start(EXE("dead"));
	HANDLE handle = open_as(dead.process, PROCESS_DUP_HANDLE, 0), copy;
	actor_end(&dead);
	assert_status(NtDuplicateObject(ITSELF, ITSELF, handle, &copy, SYNCHRONIZE, 0, 0),
		      STATUS_PROCESS_IS_TERMINATING);
	assert_ntsuccess(NtClose(handle));
}

static void open_a_desktop(void)
{
	void *desktop = ob_create(ExDesktopObjectType, 64);
	HANDLE handle;
	assert_non_null(desktop);
	assert_ntsuccess(ObOpenObjectByPointer(desktop, 0, NULL, 0x1FF, ExDesktopObjectType,
					       UserMode, &handle));
	assert_ntsuccess(NtClose(handle));
	rs_release(desktop);
}

static void make_handles(void)
{
	struct actor target = start(EXE("target")), friend = start(EXE("friend"));
	open_and_be_stripped(&target, &friend);
	inherit(&target);
	actor_end(&friend);
	actor_end(&target);
	be_denied_by_security();
	give_to_the_dead();
	open_a_desktop();
}

/* ---- All of it ---------------------------------------------------------------------------------- */

static void begin_before_the_driver(void)
{
	shell = actor_start(EXE("shell"));
	other = actor_start(EXE("other"));
}

static void let_everything_happen(void)
{
	rs_become(shell.thread);
	live_an_ordinary_life();
	live_an_ordinary_life();
	be_refused();
	be_made_by_two();
	have_unusual_parents();
	fork_silently();
	never_have_a_thread();
	be_linux();
	make_handles();
	load_another_driver();
	rs_become(NULL);
	actor_end(&other);
}

static void end_after_the_driver(void)
{
	actor_end(&shell);
}

#endif

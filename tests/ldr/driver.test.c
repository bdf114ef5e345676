/* SPDX-License-Identifier: MIT */
/* Loading, starting and unloading: the embedding program's interface to drivers. */
#include "ke/bugcheck.h"
#include "ldr/damage.h"
#include "ldr/driver.h"
#include "ldr/files.h"
#include "ldr/image.h"
#include "memory.h"
#include "support/bugcheck.h"
#include "support/world.h"

static struct rs_driver *load(const char *path)
{
	struct rs_error error;
	struct rs_driver *driver = rs_load(path, &error);
	if (!driver)
		fail_msg("%s", error.text);
	return driver;
}

/* The fixture under the name of what it shall do. */
static struct rs_driver *load_as(const char *name)
{
	struct rs_driver *driver = load(loader_as(name));
	scratch_remove(name);
	return driver;
}

static void run_to_the_end(const char *name)
{
	struct rs_driver *driver = load_as(name);
	assert_ntsuccess(rs_start(driver));
	assert_ntsuccess(rs_unload(driver));
}

/* ---- Life ---------------------------------------------------------------------------------- */

static void driver_entry_is_given_what_it_expects(void **state)
{
	(void)state;
	run_to_the_end("looks-around.sys");
}

static void the_service_key_exists(void **state)
{
	(void)state;
	run_to_the_end("reads-its-key.sys");
}

static void a_driver_can_walk_the_kernel_s_exports(void **state)
{
	(void)state;
	run_to_the_end("walks-exports.sys");
}

static void a_driver_can_be_loaded_again(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		run_to_the_end("again.sys");
}

static void a_failing_driver_entry_leaves_the_image(void **state)
{
	(void)state;
	struct rs_driver *driver = load_as("fails.sys");
	struct ldr_module *module = (struct ldr_module *)(void *)driver;
	assert_status(rs_start(driver), STATUS_NOT_SUPPORTED);
	assert_null(module->driver);
	assert_ptr_equal(ldr_module_of(module->entry.DllBase), module);
	assert_status(rs_unload(driver), STATUS_INVALID_DEVICE_REQUEST);
	rs_discard(driver);
}

static void a_driver_without_an_unload_routine_stays(void **state)
{
	(void)state;
	struct rs_driver *driver = load_as("no-unload.sys");
	assert_ntsuccess(rs_start(driver));
	assert_status(rs_start(driver), STATUS_IMAGE_ALREADY_LOADED);
	assert_status(rs_unload(driver), STATUS_INVALID_DEVICE_REQUEST);
	/* The end of the world frees it. */
}

static void an_image_without_an_entry_point_cannot_start(void **state)
{
	(void)state;
	struct sample s = sample_make();
	sample_poke(&s, SAMPLE_FIELD(optional.entry_point), 0, 4);
	struct rs_driver *driver = load(scratch_file("no-entry.sys", s.bytes, s.size));
	assert_status(rs_start(driver), STATUS_INVALID_IMAGE_FORMAT);
	rs_discard(driver);
	scratch_remove("no-entry.sys");
}

/* ---- What listeners hear ------------------------------------------------------------------- */

static struct {
	char text[256];
	unsigned imports, missing;
	NTSTATUS status;
} heard;

static void hear(void *unused, const struct rs_event *event)
{
	static const char *const names[] = {"loaded ", "started ", "unloaded "};
	(void)unused;
	if (event->type == RS_IMAGE_LOADED) {
		strcat(heard.text, event->image.process.object ? "user " : "image ");
		return;
	}
	if (event->type > RS_DRIVER_UNLOADED)
		return;
	strcat(heard.text, names[event->type]);
	heard.imports = event->driver.imports;
	heard.missing = event->driver.missing;
	heard.status = event->driver.status;
}

static void every_step_is_told(void **state)
{
	(void)state;
	struct sample s = sample_make();
	memset(&heard, 0, sizeof(heard));
	assert_int_equal(rs_listen(hear, NULL), 0);
	struct rs_driver *driver = load(scratch_file("sample.sys", s.bytes, s.size));
	assert_string_equal(heard.text, "loaded image ");
	assert_int_equal(heard.imports, 5);
	assert_int_equal(heard.missing, 3);
	rs_discard(driver);
	scratch_remove("sample.sys");
	heard.text[0] = 0;
	run_to_the_end("told.sys");
	assert_string_equal(heard.text, "loaded image started unloaded ");
	driver = load_as("fails.sys");
	rs_start(driver);
	assert_status(heard.status, STATUS_NOT_SUPPORTED);
	rs_discard(driver);
	rs_unlisten(hear, NULL);
}

static IMAGE_INFO told_info;
static HANDLE told_process;
static char told_name[128];
static unsigned told;

static void NTAPI on_image(PUNICODE_STRING name, HANDLE process, PIMAGE_INFO info)
{
	for (int i = 0; i < name->Length / 2; i++)
		told_name[i] = (char)name->Buffer[i];
	told_info = *info;
	told_process = process;
	told++;
}

static void ps_79_image_routines_hear_of_a_driver(void **state)
{
	(void)state;
	NTSTATUS NTAPI PsSetLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE);
	NTSTATUS NTAPI PsRemoveLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE);
	told_process = (HANDLE)1;
	assert_ntsuccess(PsSetLoadImageNotifyRoutine(on_image));
	struct rs_driver *driver = load_as("heard.sys");
	struct ldr_module *module = (struct ldr_module *)(void *)driver;
	assert_int_equal(told, 1);
	assert_null(told_process);
	assert_true(told_info.SystemModeImage);
	assert_ptr_equal(told_info.ImageBase, module->entry.DllBase);
	assert_int_equal(told_info.ImageSize, module->entry.SizeOfImage);
	assert_string_equal(told_name, "\\SystemRoot\\System32\\drivers\\heard.sys");
	assert_ntsuccess(PsRemoveLoadImageNotifyRoutine(on_image));
	rs_discard(driver);
}

/* ---- Files that cannot be loaded ----------------------------------------------------------- */

static void assert_refused(const char *path, const char *reason)
{
	struct rs_error error = {0};
	uint64_t before = host_live_allocations();
	if (rs_load(path, &error))
		fail_msg("%s was loaded", path);
	if (!strstr(error.text, reason))
		fail_msg("expected \"%s\", said \"%s\"", reason, error.text);
	assert_non_null(strstr(error.text, path));
	assert_int_equal(host_live_allocations(), before);
}

static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	assert_refused("/nonexistent/a.sys", "No such file or directory");
	assert_refused("/tmp", "not a regular file");
	assert_refused("/dev/null", "not a regular file");
	assert_refused(scratch_file("empty.sys", "", 0), "offset 0x0: the file ends inside");
	scratch_remove("empty.sys");
}

static void damage_is_reported_with_file_and_offset(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLE_DAMAGES; i++) {
		const struct sample_damage *damage = &sample_damages[i];
		struct sample s = sample_damaged(damage);
		char expected[32];
		snprintf(expected, sizeof(expected), ": offset 0x%x: ", damage->reported);
		assert_refused(scratch_file("damaged.sys", s.bytes, s.size), expected);
		assert_refused(scratch("damaged.sys"), damage->text);
	}
	scratch_remove("damaged.sys");
}

static void a_windows_program_is_no_driver(void **state)
{
	(void)state;
	struct sample s = sample_make();
	sample_poke(&s, SAMPLE_FIELD(optional.subsystem), 3, 2);
	sample_put_text(&s, SAMPLE_DLL_NTOS, "KERNEL32.dll");
	assert_refused(scratch_file("tool.exe", s.bytes, s.size),
		       "a program of subsystem 3 that imports nothing from the kernel");
	scratch_remove("tool.exe");
	/* But a driver that a careless linker gave that subsystem is one. */
	s = sample_make();
	sample_poke(&s, SAMPLE_FIELD(optional.subsystem), 3, 2);
	rs_discard(load(scratch_file("odd.sys", s.bytes, s.size)));
	scratch_remove("odd.sys");
}

static void a_name_is_loaded_once(void **state)
{
	(void)state;
	struct rs_driver *driver = load_as("twice.sys");
	assert_refused(loader_as("twice.sys"), "a module named twice.sys is already loaded");
	assert_refused(loader_as("TWICE.sys"), "already loaded");
	assert_refused(loader_as("HAL.dll"), "already loaded");
	scratch_remove("TWICE.sys");
	scratch_remove("HAL.dll");
	scratch_remove("twice.sys");
	rs_discard(driver);
}

static void a_real_driver_cut_at_every_length_is_refused(void **state)
{
	(void)state;
	size_t size;
	uint8_t *bytes = read_whole(LOADER_SYS, &size);
	struct pe pe;
	struct pe_error error;
	assert_true(pe_parse(bytes, size, &pe, &error));
	/* Debugging symbols, which mingw appends, do not belong to the image. */
	const struct pe_section *last = &pe.section[pe.section_count - 1];
	size_t image_end = last->file_offset + last->file_size;
	assert_in_range(image_end, 4096, size);
	for (size_t length = 0; length < image_end; length++) {
		/* Exactly that much memory, so that AddressSanitizer sees a byte too many. */
		uint8_t *cut = malloc(length ? length : 1);
		void *base;
		memcpy(cut, bytes, length);
		if (ldr_map_image(cut, length, &pe, &base, &error))
			fail_msg("%zu of %zu bytes were accepted", length, image_end);
		free(cut);
	}
	free(bytes);
}

/* ---- Without memory ------------------------------------------------------------------------ */

static unsigned allocations_left;

static bool after_some(const char *site)
{
	(void)site;
	return allocations_left == 0 || allocations_left-- == 0;
}

/* Fails the first allocation, then the second, ... until all succeed. */
static void every_allocation_may_fail(void **state)
{
	(void)state;
	char path[512];
	strcpy(path, loader_as("hungry.sys"));
	struct rs_driver *driver = NULL;
	unsigned n = 0;
	for (; !driver; n++) {
		struct rs_error error = {0};
		uint64_t before = host_live_allocations();
		assert_true(n < 1000);
		allocations_left = n;
		host_fail_allocations(after_some);
		driver = rs_load(path, &error);
		host_fail_allocations(NULL);
		if (driver)
			break;
		assert_non_null(strstr(error.text, "no memory"));
		assert_int_equal(host_live_allocations(), before);
	}
	assert_in_range(n, 5, 100);
	for (n = 0;; n++) {
		allocations_left = n;
		host_fail_allocations(after_some);
		NTSTATUS status = rs_start(driver);
		host_fail_allocations(NULL);
		if (NT_SUCCESS(status))
			break;
		assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
		assert_true(n < 1000);
	}
	assert_ntsuccess(rs_unload(driver));
	scratch_remove("hungry.sys");
}

/* ---- What is left behind --------------------------------------------------------------------- */

static void start_and_unload(void *name)
{
	struct rs_driver *driver = load_as(name);
	if (NT_SUCCESS(rs_start(driver)))
		rs_unload(driver);
}

static void vf_17_a_notify_routine_left_behind(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(
		(ULONG)KE_DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, start_and_unload,
		"leaves-notify.sys");
	assert_string_equal(seen->module, "leaves-notify.sys");
	assert_non_null(strstr(seen->detail, "left its notify routine leaves-notify.sys+0x"));
	assert_int_equal(seen->parameter[0], seen->address);
}

static void vf_17_also_after_a_driver_entry_that_failed(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(
		(ULONG)KE_DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, start_and_unload,
		"fails-registered.sys");
	assert_string_equal(seen->module, "fails-registered.sys");
}

static void vf_18_an_object_callback_left_behind(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(
		(ULONG)KE_DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, start_and_unload,
		"leaves-callback.sys");
	assert_non_null(strstr(seen->detail, "left its object callback routine leaves-callback"));
}

static void vf_19_pool_left_behind(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(
		(ULONG)KE_DRIVER_VERIFIER_DETECTED_VIOLATION, start_and_unload, "leaves-pool.sys");
	assert_int_equal(seen->parameter[0], 0x62);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(driver_entry_is_given_what_it_expects),
		WORLD_TEST(the_service_key_exists),
		WORLD_TEST(a_driver_can_walk_the_kernel_s_exports),
		WORLD_TEST(a_driver_can_be_loaded_again),
		WORLD_TEST(a_failing_driver_entry_leaves_the_image),
		WORLD_TEST(a_driver_without_an_unload_routine_stays),
		WORLD_TEST(an_image_without_an_entry_point_cannot_start),
		WORLD_TEST(every_step_is_told),
		WORLD_TEST(ps_79_image_routines_hear_of_a_driver),
		WORLD_TEST(what_is_no_file_is_refused),
		WORLD_TEST(damage_is_reported_with_file_and_offset),
		WORLD_TEST(a_windows_program_is_no_driver),
		WORLD_TEST(a_name_is_loaded_once),
		WORLD_TEST(a_real_driver_cut_at_every_length_is_refused),
		WORLD_TEST(every_allocation_may_fail),
		WORLD_TEST(vf_17_a_notify_routine_left_behind),
		WORLD_TEST(vf_17_also_after_a_driver_entry_that_failed),
		WORLD_TEST(vf_18_an_object_callback_left_behind),
		WORLD_TEST(vf_19_pool_left_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

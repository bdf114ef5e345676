/* SPDX-License-Identifier: MIT */
/* Binding: by name and by ordinal, forwarders, kernel DLLs, and what is missing. */
#include "ldr/bind.h"
#include "ke/bugcheck.h"
#include "ldr/driver.h"
#include "ldr/files.h"
#include "ob/object.h"
#include "support/bugcheck.h"
#include "support/world.h"

static struct ldr_module *load(const struct sample *s, const char *name)
{
	struct ldr_error error;
	const char *path = scratch_file(name, s->bytes, s->size);
	struct ldr_module *m = ldr_load(path, &error);
	if (!m)
		fail_msg("%s", error.text);
	scratch_remove(name);
	return m;
}

static void *slot(const struct ldr_module *m, uint32_t table, unsigned index)
{
	void *address;
	memcpy(&address, (char *)m->entry.DllBase + table + index * 8, sizeof(address));
	return address;
}

/* The kernel's ordinals are not those of any Windows, so importing by one fails. */
static void names_are_bound(void **state)
{
	(void)state;
	struct sample s = sample_make();
	struct ldr_module *m = load(&s, "sample.sys");
	assert_int_equal(m->imports, 5);
	assert_int_equal(m->missing, 3);
	assert_ptr_equal(slot(m, SAMPLE_IAT_NTOS, 0), ldr_find_export("ntoskrnl.exe", "DbgPrint"));
	assert_ptr_equal(slot(m, SAMPLE_IAT_NTOS, 1), &PsProcessType);
	assert_null(slot(m, SAMPLE_IAT_NTOS, 4));
	/* What is missing leads somewhere, but into no image. */
	for (unsigned i = 2; i < 4; i++) {
		assert_non_null(slot(m, SAMPLE_IAT_NTOS, i));
		assert_null(ldr_module_of(slot(m, SAMPLE_IAT_NTOS, i)));
	}
	assert_ptr_not_equal(slot(m, SAMPLE_IAT_NTOS, 2), slot(m, SAMPLE_IAT_CNG, 0));
	ldr_discard(m);
}

/* ---- Kernel DLLs ------------------------------------------------------------------------ */

/* A second sample that imports from the first, which is called dll.sys: Alpha, Gamma,
 * the forwarder Beta, ordinal 5; and ordinal 6, which is a gap. */
static struct sample importer(void)
{
	struct sample s = sample_make();
	sample_put_text(&s, SAMPLE_DLL_NTOS, "DLL.sys");
	sample_put_text(&s, SAMPLE_DLL_CNG, "dll.sys");
	sample_put_text(&s, SAMPLE_NAMES + 2, "Alpha");
	sample_put_text(&s, SAMPLE_NAMES + 0x12, "Gamma");
	sample_put_text(&s, SAMPLE_NAMES + 0x22, "Beta");
	sample_poke(&s, sample_offset(SAMPLE_LOOKUP_NTOS) + 24, PE_IMPORT_BY_ORDINAL | 5, 8);
	sample_poke(&s, sample_offset(SAMPLE_LOOKUP_CNG), PE_IMPORT_BY_ORDINAL | 6, 8);
	return s;
}

static void another_image_s_exports_are_bound(void **state)
{
	(void)state;
	struct sample library = sample_make(), user = importer();
	struct ldr_module *dll = load(&library, "dll.sys");
	struct ldr_module *m = load(&user, "user.sys");
	char *base = dll->entry.DllBase;
	assert_ptr_equal(slot(m, SAMPLE_IAT_NTOS, 0), base + SAMPLE_ALPHA);
	assert_ptr_equal(slot(m, SAMPLE_IAT_NTOS, 1), base + SAMPLE_POINTER);
	assert_ptr_equal(slot(m, SAMPLE_IAT_NTOS, 2), ldr_find_export("ntoskrnl.exe", "DbgPrint"));
	assert_ptr_equal(slot(m, SAMPLE_IAT_NTOS, 3), base + SAMPLE_ALPHA);
	assert_int_equal(m->missing, 1);
	ldr_discard(m);
	ldr_discard(dll);
}

static void a_dll_stays_until_its_last_importer_is_gone(void **state)
{
	(void)state;
	struct sample library = sample_make(), user = importer();
	struct ldr_module *dll = load(&library, "dll.sys");
	struct ldr_module *m = load(&user, "user.sys");
	char *base = dll->entry.DllBase;
	assert_int_equal(dll->entry.LoadCount, 2);
	ldr_discard(dll);
	assert_ptr_equal(ldr_module_of(base), dll);
	ldr_discard(m);
	assert_null(ldr_module_of(base));
}

static void forwarders_in_a_circle_lead_nowhere(void **state)
{
	(void)state;
	struct sample library = sample_make(), user = importer();
	sample_put_text(&library, SAMPLE_EXPORT_TEXT + 0x30, "dll.Beta");
	struct ldr_module *dll = load(&library, "dll.sys");
	struct ldr_module *m = load(&user, "user.sys");
	assert_int_equal(m->missing, 2);
	ldr_discard(m);
	ldr_discard(dll);
}

static void forwarders_may_name_ordinals(void **state)
{
	(void)state;
	struct sample library = sample_make(), user = importer();
	sample_put_text(&library, SAMPLE_EXPORT_TEXT + 0x30, "dll.#8");
	struct ldr_module *dll = load(&library, "dll.sys");
	struct ldr_module *m = load(&user, "user.sys");
	assert_ptr_equal(slot(m, SAMPLE_IAT_NTOS, 2), (char *)dll->entry.DllBase + SAMPLE_POINTER);
	ldr_discard(m);
	ldr_discard(dll);
}

/* ---- What is missing, when it is called ---------------------------------------------------- */

/* sub rsp, 28h; call [slot]; add rsp, 28h; ret; or just a jump to it. */
static void put_call(struct sample *s, uint32_t at, uint32_t target, bool tail)
{
	uint8_t code[] = {0x48, 0x83, 0xEC, 0x28, 0xFF, 0x15, 0,   0,
			  0,    0,    0x48, 0x83, 0xC4, 0x28, 0xC3};
	uint8_t *call = code + (tail ? 0 : 4);
	int32_t distance = (int32_t)(target - (at + (uint32_t)(call - code) + 6));
	call[0] = 0xFF;
	call[1] = tail ? 0x25 : 0x15;
	memcpy(call + 2, &distance, sizeof(distance));
	sample_put(s, at, code, sizeof(code));
}

struct call {
	uint32_t slot;
	bool tail;
};

static void start_caller(void *argument)
{
	const struct call *call = argument;
	struct sample s = sample_make();
	put_call(&s, SAMPLE_ENTRY, call->slot, call->tail);
	ldr_start(load(&s, "caller.sys"));
}

static const struct bug_check_seen *expect_missing(uint32_t table, unsigned index, bool tail)
{
	struct call call = {table + index * 8, tail};
	return expect_bug_check((ULONG)KE_MISSING_EXPORT_CALLED, start_caller, &call);
}

static void a_missing_name_is_named_when_called(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_missing(SAMPLE_IAT_NTOS, 2, false);
	assert_string_equal(seen->detail, "caller.sys called NTOSKRNL.exe!NotThereAtAll, which "
					  "does not exist here");
	assert_string_equal(seen->module, "caller.sys");
	assert_int_equal(seen->offset, SAMPLE_ENTRY + 10); /* behind the call */
	assert_string_equal(seen->callback, "DriverEntry");
	assert_true(seen->frames > 0);
	assert_string_equal(seen->frame[0], "caller.sys+0x100a");
}

static void an_unknown_dll_is_named_when_called(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_missing(SAMPLE_IAT_CNG, 0, false);
	assert_non_null(strstr(seen->detail, "caller.sys called cng.sys!BCryptFoo"));
}

/* The return address is then ours, not the driver's. */
static void a_tail_call_is_still_the_driver_s(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_missing(SAMPLE_IAT_NTOS, 2, true);
	assert_non_null(strstr(seen->detail, "caller.sys called NTOSKRNL.exe!NotThereAtAll"));
	assert_string_equal(seen->module, "caller.sys");
}

/* DriverEntry calls Alpha, and Alpha what is missing; both have a frame of 28h bytes, as
 * the row of unwind data says. */
static void start_nested_caller(void *unused)
{
	static const uint8_t entry[] = {0x48, 0x83, 0xEC, 0x28,    /* sub rsp, 28h */
					0xE8, 0x07, 0,    0,    0, /* call Alpha */
					0x48, 0x83, 0xC4, 0x28, 0xC3};
	static const uint8_t unwind[] = {1, 4, 1, 0, 4, 0x42}; /* at 4: 28h bytes allocated */
	struct sample s = sample_make();
	(void)unused;
	sample_put(&s, SAMPLE_ENTRY, entry, sizeof(entry));
	put_call(&s, SAMPLE_ALPHA, SAMPLE_IAT_NTOS + 16, false);
	sample_put(&s, SAMPLE_UNWIND, unwind, sizeof(unwind));
	ldr_start(load(&s, "caller.sys"));
}

static void the_stack_begins_with_the_call(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check((ULONG)KE_MISSING_EXPORT_CALLED,
							     start_nested_caller, NULL);
	assert_true(seen->frames >= 2);
	assert_string_equal(seen->frame[0], "caller.sys+0x101a");
	assert_string_equal(seen->frame[1], "caller.sys+0x1009");
	assert_int_equal(seen->guessed & 3, 0);
}

static void start_ordinal_caller(void *unused)
{
	struct sample s = sample_make();
	(void)unused;
	sample_poke(&s, sample_offset(SAMPLE_LOOKUP_NTOS) + 24, PE_IMPORT_BY_ORDINAL | 1234, 8);
	put_call(&s, SAMPLE_ENTRY, SAMPLE_IAT_NTOS + 24, false);
	ldr_start(load(&s, "caller.sys"));
}

static void a_missing_ordinal_is_named_when_called(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check((ULONG)KE_MISSING_EXPORT_CALLED,
							     start_ordinal_caller, NULL);
	assert_non_null(strstr(seen->detail, "NTOSKRNL.exe!#1234"));
}

static void start_odd_caller(void *unused)
{
	struct sample s = sample_make();
	(void)unused;
	sample_put_text(&s, SAMPLE_NAMES + 0x22, "\x1B[31mred");
	put_call(&s, SAMPLE_ENTRY, SAMPLE_IAT_NTOS + 16, false);
	ldr_start(load(&s, "caller.sys"));
}

static void names_from_a_file_reach_no_terminal_raw(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check((ULONG)KE_MISSING_EXPORT_CALLED,
							     start_odd_caller, NULL);
	assert_non_null(strstr(seen->detail, "NTOSKRNL.exe!?[31mred"));
}

/* The check of the thunk, met by a driver: mov byte ptr gs:[50h], 2; call DbgPrint's
 * neighbour. */
static void start_at_dispatch_level(void *unused)
{
	static const uint8_t raise[] = {0x65, 0xC6, 0x04, 0x25, 0x50, 0, 0, 0, 2};
	struct sample s = sample_make();
	(void)unused;
	sample_put_text(&s, SAMPLE_NAMES + 2, "ZwClose");
	sample_put(&s, SAMPLE_ENTRY, raise, sizeof(raise));
	put_call(&s, SAMPLE_ENTRY + sizeof(raise), SAMPLE_IAT_NTOS, false);
	ldr_start(load(&s, "caller.sys"));
}

static void vf_09_names_the_driver_s_call(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(
		(ULONG)KE_DRIVER_VERIFIER_DETECTED_VIOLATION, start_at_dispatch_level, NULL);
	assert_string_equal(seen->module, "caller.sys");
	assert_int_equal(seen->offset, SAMPLE_ENTRY + 9 + 10);
	assert_non_null(strstr(seen->detail, "caller.sys called ZwClose at DISPATCH_LEVEL (2)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(names_are_bound),
		WORLD_TEST(another_image_s_exports_are_bound),
		WORLD_TEST(a_dll_stays_until_its_last_importer_is_gone),
		WORLD_TEST(forwarders_in_a_circle_lead_nowhere),
		WORLD_TEST(forwarders_may_name_ordinals),
		WORLD_TEST(a_missing_name_is_named_when_called),
		WORLD_TEST(an_unknown_dll_is_named_when_called),
		WORLD_TEST(a_tail_call_is_still_the_driver_s),
		WORLD_TEST(the_stack_begins_with_the_call),
		WORLD_TEST(a_missing_ordinal_is_named_when_called),
		WORLD_TEST(names_from_a_file_reach_no_terminal_raw),
		WORLD_TEST(vf_09_names_the_driver_s_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

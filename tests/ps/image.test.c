/* SPDX-License-Identifier: MIT */
/*
 * Image notify routines: PS-74 to PS-83, VF-23.
 */
#include "ps/file.h"
#include "support/record.h"

#define BASE ((PVOID)0x140000000)

static NTSTATUS add(unsigned n)
{
	return PsSetLoadImageNotifyRoutine(image_routine(n));
}

static NTSTATUS add_with_flags(unsigned n, ULONG_PTR flags)
{
	return PsSetLoadImageNotifyRoutineEx(image_routine(n), flags);
}

static void map(const struct rs_image_spec *spec)
{
	assert_ntsuccess(rs_map_image(spec));
}

/* ---- The table ---------------------------------------------------------------------------- */

static void ps_74_table_has_64_slots_and_full_is_insufficient_resources(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 64; i++)
		assert_ntsuccess(i % 2 ? add(i) : add_with_flags(i, 1));
	assert_status(add(64), STATUS_INSUFFICIENT_RESOURCES);
	assert_status(add_with_flags(64, 0), STATUS_INSUFFICIENT_RESOURCES);
	map(&(struct rs_image_spec){.base = BASE});
	assert_int_equal(count_heard(IMAGE), 64);
	assert_ntsuccess(PsRemoveLoadImageNotifyRoutine(image_routine(63)));
	assert_ntsuccess(add(64));
}

static void ps_74_no_memory_is_insufficient_resources(void **state)
{
	(void)state;
	for (unsigned n = 0;; n++) {
		fail_allocation(NULL, n);
		NTSTATUS status = add(0);
		if (stop_failing() == 0) {
			assert_true(n >= 2);
			assert_ntsuccess(status);
			break;
		}
		assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
	}
	map(&(struct rs_image_spec){.base = BASE});
	assert_heard("image0");
}

static void ps_75_flags_but_bit_0_are_invalid_parameter_2(void **state)
{
	(void)state;
	static const ULONG_PTR bad[] = {2, 3, 0x80000000, 0x100000000ull, ~(ULONG_PTR)0};
	for (unsigned i = 0; i < 5; i++)
		assert_status(add_with_flags(0, bad[i]), STATUS_INVALID_PARAMETER_2);
	assert_ntsuccess(add_with_flags(0, 0));
	assert_ntsuccess(add_with_flags(1, 1));
	map(&(struct rs_image_spec){.base = BASE});
	assert_heard("image0 image1");
}

static void ps_75_foreign_images_are_told_only_where_asked_for(void **state)
{
	(void)state;
	assert_ntsuccess(add(0));
	assert_ntsuccess(add_with_flags(1, 0));
	assert_ntsuccess(add_with_flags(2, PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE));
	map(&(struct rs_image_spec){.base = BASE, .foreign_architecture = true});
	assert_heard("image2");
	map(&(struct rs_image_spec){.base = BASE});
	assert_heard("image0 image1 image2");
}

static void ps_76_plain_is_ex_with_flags_0_and_one_remove_serves_both(void **state)
{
	(void)state;
	assert_ntsuccess(add_with_flags(0, 0));
	assert_ntsuccess(add(1));
	assert_ntsuccess(add_with_flags(2, 1));
	assert_ntsuccess(PsRemoveLoadImageNotifyRoutine(image_routine(0)));
	assert_ntsuccess(PsRemoveLoadImageNotifyRoutine(image_routine(2)));
	assert_ntsuccess(add(3)); /* the one table: the lowest free slot */
	map(&(struct rs_image_spec){.base = BASE});
	assert_heard("image3 image1");
	assert_ntsuccess(PsRemoveLoadImageNotifyRoutine(image_routine(1)));
	assert_ntsuccess(PsRemoveLoadImageNotifyRoutine(image_routine(3)));
	map(&(struct rs_image_spec){.base = BASE});
	assert_heard("");
}

static void ps_77_removing_the_unknown_is_procedure_not_found(void **state)
{
	(void)state;
	assert_status(PsRemoveLoadImageNotifyRoutine(image_routine(0)), STATUS_PROCEDURE_NOT_FOUND);
	assert_ntsuccess(add(0));
	assert_ntsuccess(PsRemoveLoadImageNotifyRoutine(image_routine(0)));
	assert_status(PsRemoveLoadImageNotifyRoutine(image_routine(0)), STATUS_PROCEDURE_NOT_FOUND);
}

/* ---- The calls --------------------------------------------------------------------------------- */

static void ps_78_name_may_be_null(void **state)
{
	(void)state;
	assert_ntsuccess(add(0));
	struct actor child = actor_start("a.exe");
	map(&(struct rs_image_spec){
		.process = child.process, .name = "a.exe", .base = BASE, .size = 0x5000});
	map(&(struct rs_image_spec){.process = child.process, .base = BASE, .size = 0x6000});
	assert_heard("image0 image0");
	assert_true(heard(0)->has_name);
	assert_string_equal(heard(0)->image, "a.exe");
	assert_false(heard(1)->has_name);
	/* Mapped before the call: where it lies and how large it is are known. */
	assert_ptr_equal(heard(0)->image_told.ImageBase, BASE);
	assert_int_equal(heard(0)->image_told.ImageSize, 0x5000);
	assert_int_equal(heard(1)->image_told.ImageSize, 0x6000);
	actor_end(&child);
}

static void ps_79_driver_images_have_process_0_and_the_system_flag(void **state)
{
	(void)state;
	assert_ntsuccess(add(0));
	struct actor child = actor_start("a.exe");
	map(&(struct rs_image_spec){.name = "b.sys", .base = BASE});
	map(&(struct rs_image_spec){.process = child.process, .name = "c.dll", .base = BASE});
	assert_heard("image0 image0");
	assert_int_equal(heard(0)->process_id, 0);
	assert_int_equal(heard(0)->image_told.SystemModeImage, 1);
	assert_int_equal(heard(1)->process_id, id_of(child.process));
	assert_int_equal(heard(1)->image_told.SystemModeImage, 0);
	actor_end(&child);
}

static void ps_80_images_mapped_without_execution_are_not_told(void **state)
{
	(void)state;
	assert_ntsuccess(add(0));
	assert_ntsuccess(add_with_flags(1, 1));
	map(&(struct rs_image_spec){.base = BASE, .no_execute = true});
	assert_heard("");
}

/* which images have special APCs off as well is up to their source. */
static void ps_81_passive_level_normal_apcs_off_special_ones_sometimes(void **state)
{
	(void)state;
	assert_ntsuccess(add(0));
	map(&(struct rs_image_spec){.base = BASE});
	map(&(struct rs_image_spec){.base = BASE, .special_apcs_off = true});
	assert_heard("image0 image0");
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(heard(i)->irql, PASSIVE_LEVEL);
		assert_true(heard(i)->apcs_off);
	}
	assert_false(heard(0)->all_apcs_off);
	assert_true(heard(1)->all_apcs_off);
	assert_false(KeAreApcsDisabled());
}

static void ps_82_mode_is_3_and_what_means_nothing_is_0(void **state)
{
	(void)state;
	assert_ntsuccess(add_with_flags(0, 1));
	map(&(struct rs_image_spec){.base = BASE, .size = 0x1000});
	map(&(struct rs_image_spec){.base = BASE, .size = 0x1000, .foreign_architecture = true});
	assert_heard("image0 image0");
	for (unsigned i = 0; i < 2; i++) {
		const IMAGE_INFO *told = &heard(i)->image_told;
		assert_int_equal(told->ImageAddressingMode, 3);
		assert_int_equal(told->ImageMappedToAllPids, 0);
		assert_int_equal(told->MachineTypeMismatch, 0);
		assert_int_equal(told->ImageSelector, 0);
		assert_int_equal(told->ImageSectionNumber, 0);
		assert_int_equal(told->Properties & 0xFFF00000, 0);
	}
}

/* ---- The extended structure ---------------------------------------------------------------------- */

static IMAGE_INFO_EX seen;

static void look_at_extended(struct call *call)
{
	if (call->image_info->ExtendedInfoPresent)
		seen = *(IMAGE_INFO_EX *)((char *)call->image_info - 8);
}

static void ps_83_extended_information_surrounds_the_structure(void **state)
{
	(void)state;
	UNICODE_STRING name = USTR(u"\\Device\\HarddiskVolume1\\a.dll");
	FILE_OBJECT *file = ps_create_file_object(&name);
	struct actor child = actor_start("a.exe");
	assert_ntsuccess(add(0));
	on_call(IMAGE, 0, look_at_extended);
	ps_load_image(&(struct ps_image){.process = child.process,
					 .name = &name,
					 .base = BASE,
					 .size = 0x1000,
					 .file = file});
	assert_heard("image0");
	assert_int_equal(heard(0)->image_told.ExtendedInfoPresent, 1);
	assert_int_equal(seen.Size, sizeof(IMAGE_INFO_EX));
	assert_ptr_equal(seen.FileObject, file);
	assert_memory_equal(&seen.ImageInfo, &heard(0)->image_told, sizeof seen.ImageInfo);
	/* Without a file object there is nothing more to say, and the flag says so. */
	map(&(struct rs_image_spec){.base = BASE});
	assert_heard("image0");
	assert_int_equal(heard(0)->image_told.ExtendedInfoPresent, 0);
	actor_end(&child);
	rs_release(file);
}

/* ---- What may be written (VF-23) --------------------------------------------------------------------- */

static unsigned field_to_write;

static void write_a_field(struct call *call)
{
	PIMAGE_INFO info = call->image_info;
	switch (field_to_write) {
	case 0:
		info->ImageSignatureLevel = 1;
		break;
	case 1:
		info->ImageBase = NULL;
		break;
	case 2:
		info->ImageSelector = 1;
		break;
	case 3:
		info->ImageSize++;
		break;
	case 4:
		info->ImageSectionNumber = 1;
		break;
	}
}

static void vf_23_writing_image_information_is_told(void **state)
{
	(void)state;
	record_listen_for_rules();
	assert_ntsuccess(add(0));
	assert_ntsuccess(add(1));
	on_call(IMAGE, 0, write_a_field);
	for (field_to_write = 0; field_to_write < 6; field_to_write++) {
		map(&(struct rs_image_spec){.base = BASE, .size = 0x1000});
		assert_rules_broken(field_to_write < 5 ? "VF-23" : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ps_74_table_has_64_slots_and_full_is_insufficient_resources),
		WORLD_TEST(ps_74_no_memory_is_insufficient_resources),
		WORLD_TEST(ps_75_flags_but_bit_0_are_invalid_parameter_2),
		WORLD_TEST(ps_75_foreign_images_are_told_only_where_asked_for),
		WORLD_TEST(ps_76_plain_is_ex_with_flags_0_and_one_remove_serves_both),
		WORLD_TEST(ps_77_removing_the_unknown_is_procedure_not_found),
		WORLD_TEST(ps_78_name_may_be_null),
		WORLD_TEST(ps_79_driver_images_have_process_0_and_the_system_flag),
		WORLD_TEST(ps_80_images_mapped_without_execution_are_not_told),
		WORLD_TEST(ps_81_passive_level_normal_apcs_off_special_ones_sometimes),
		WORLD_TEST(ps_82_mode_is_3_and_what_means_nothing_is_0),
		WORLD_TEST(ps_83_extended_information_surrounds_the_structure),
		WORLD_TEST(vf_23_writing_image_information_is_told),
	};
	return cmocka_run_group_tests_name("ps/image", tests, NULL, NULL);
}

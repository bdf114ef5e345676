/* SPDX-License-Identifier: MIT */
/*
 * From a file to a running driver and back.
 */
#ifndef RINGSIDE_LDR_DRIVER_H
#define RINGSIDE_LDR_DRIVER_H

#include "ldr/module.h"
#include <stdint.h>

/* Why a file cannot be loaded, in a line for a person. */
struct ldr_error {
	char text[512]; /* "warden.sys: offset 0x3c: e_lfanew points past the end" */
};

/*
 * Maps, relocates and binds the image at `path`, and calls nothing in it. The
 * driver's name is the file's without ".sys". NULL with `error` filled in when the file is
 * damaged, foreign or cannot be read. PASSIVE_LEVEL.
 */
struct ldr_module *ldr_load(const char *path, struct ldr_error *error);

/* Makes the DRIVER_OBJECT and calls DriverEntry in the System process with the
 * RegistryPath \REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Services\NAME. On a
 * failing status the driver object is gone again; the image is still loaded.
 * IMAGE_ALREADY_LOADED when it has been started, INVALID_IMAGE_FORMAT when it has no entry
 * point.
 *
 * An image that exports DllInitialize, and that another loaded image imports from, is a
 * kernel DLL: DllInitialize(RegistryPath) is called and DriverEntry never, as on NT when
 * such an image is loaded for its importer. */
NTSTATUS ldr_start(struct ldr_module *module);

/* Calls DriverUnload, if there is one, checks what the driver left behind
 * (VF-17 to VF-19), and unmaps the image. INVALID_DEVICE_REQUEST if it has none. Of a
 * kernel DLL it is DllUnload, whose failing status keeps the image; DEVICE_BUSY while
 * an image that imports from it is there. */
NTSTATUS ldr_unload(struct ldr_module *module);

/* Unmaps an image that was never started or whose DriverEntry failed. */
void ldr_discard(struct ldr_module *module);

#endif

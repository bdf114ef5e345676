/* SPDX-License-Identifier: MIT */
/* The kernel's own images: ntoskrnl.exe, hal.dll and the others of exports.h. */
#ifndef RINGSIDE_LDR_KERNEL_H
#define RINGSIDE_LDR_KERNEL_H

#include "exports.h"
#include "ldr/module.h"

/*
 * Makes the images from the export table and lists them, first of all modules.
 * Returns 0, -ENOMEM, or -ENOTSUP when no place can be found below the C
 * variables that are exported.
 */
int ldr_boot_kernel_images(void);

/* One of them; NULL before the boot. */
struct ldr_module *ldr_kernel_image(enum export_dll dll);

#endif

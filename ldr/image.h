/* SPDX-License-Identifier: MIT */
/* Putting a PE image into memory. */
#ifndef RINGSIDE_LDR_IMAGE_H
#define RINGSIDE_LDR_IMAGE_H

#include "ldr/pe.h"

/*
 * Maps, checks and relocates the image that the `size` bytes at `file` are, and
 * gives it a security cookie. *base gets a host mapping of pe->image_size bytes,
 * still writable; *pe its headers. False with *error when the file is damaged or
 * there is no memory; nothing is mapped then.
 */
bool ldr_map_image(const void *file, size_t size, struct pe *pe, void **base,
		   struct pe_error *error);

/* Makes an image that is laid out at `base` one for that place. False with *error when it
 * cannot be moved, or is damaged and moved in part. */
bool ldr_relocate_image(const struct pe *pe, void *base, struct pe_error *error);

/* Gives headers and sections the protection that they ask for. 0 or -errno. */
int ldr_protect_image(const struct pe *pe, void *base);

#endif

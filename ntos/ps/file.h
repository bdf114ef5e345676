/* SPDX-License-Identifier: MIT */
/* The file object of an image, as CreateInfo->FileObject shows it (AB-21). */
#ifndef RINGSIDE_PS_FILE_H
#define RINGSIDE_PS_FILE_H

#include <ringside/nt.h>

/* A file object whose FileName is the part of `native` behind the device, with one
 * reference for the caller; NULL without memory. */
FILE_OBJECT *ps_create_file_object(PCUNICODE_STRING native);

#endif

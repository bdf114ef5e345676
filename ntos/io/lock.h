/* SPDX-License-Identifier: MIT */
/* The lock of the device lists and stacks (device.c). */
#ifndef RINGSIDE_IO_LOCK_H
#define RINGSIDE_IO_LOCK_H

#include <pthread.h>

extern pthread_mutex_t io_device_lock;

#endif

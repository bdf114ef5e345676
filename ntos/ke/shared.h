/* SPDX-License-Identifier: MIT */
/* The page that every Windows driver reads at a fixed address (AB-4). */
#ifndef RINGSIDE_KE_SHARED_H
#define RINGSIDE_KE_SHARED_H

#include <stdint.h>

#define KE_SHARED_DATA 0xFFFFF78000000000ull /* KUSER_SHARED_DATA */
#define KE_SHARED_DATA_SIZE 0x1000u

/* What does not change, at boot. */
void ke_fill_shared_data(void);

/* Copies the page as it is at this moment. Any thread, signal handlers included. */
void ke_copy_shared_data(uint8_t page[KE_SHARED_DATA_SIZE]);

#endif

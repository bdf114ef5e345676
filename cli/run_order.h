/* SPDX-License-Identifier: MIT */
/* The order in which several driver files are loaded. */
#ifndef RINGSIDE_CLI_RUN_ORDER_H
#define RINGSIDE_CLI_RUN_ORDER_H

#include <stddef.h>

/* Puts files that others import from before those others, and otherwise keeps the order.
 * A file that cannot be read stays where it is: loading it says why. */
void run_order_drivers(char *paths[], size_t count);

#endif

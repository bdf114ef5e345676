/* SPDX-License-Identifier: MIT */
#include "../symbols/symbols.c"

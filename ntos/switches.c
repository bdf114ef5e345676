/* SPDX-License-Identifier: MIT */
#include "switches.h"

struct ke_switches ke_switches;

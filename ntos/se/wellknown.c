/* SPDX-License-Identifier: MIT */
/* SeExports: constant. What each member is stands in ntifs.h under SE_EXPORTS. */
#include "se/wellknown.h"

#define NT(count, ...) SE_SID(SE_NT_AUTHORITY, count, __VA_ARGS__)
#define LABEL(level) SE_SID(SE_LABEL_AUTHORITY, 1, level)
#define BUILTIN 32

static SID first[SE_FIRST_SIDS] = {
	SE_SID(0, 1, 0),     /* null */
	SE_SID(1, 1, 0),     /* world */
	SE_SID(2, 1, 0),     /* local */
	SE_SID(3, 1, 0),     /* creator owner */
	SE_SID(3, 1, 1),     /* creator group */
	NT(0, 0),            /* NT authority */
	NT(1, 1),            /* dial-up */
	NT(1, 2),            /* network */
	NT(1, 3),            /* batch */
	NT(1, 4),            /* interactive */
	NT(1, 18),           /* local system */
	NT(2, BUILTIN, 544), /* administrators */
	NT(2, BUILTIN, 545), /* users */
	NT(2, BUILTIN, 546), /* guests */
	NT(2, BUILTIN, 547), /* power users */
	NT(2, BUILTIN, 548), /* account operators */
	NT(2, BUILTIN, 549), /* system operators */
	NT(2, BUILTIN, 550), /* print operators */
	NT(2, BUILTIN, 551), /* backup operators */
	NT(1, 11),           /* authenticated users */
	NT(1, 12),           /* restricted */
	NT(1, 7),            /* anonymous logon */
};

static SID local_service = NT(1, 19), network_service = NT(1, 20), iuser = NT(1, 17);
static SID untrusted = LABEL(0), low = LABEL(0x1000), medium = LABEL(0x2000);
static SID high = LABEL(0x3000), system_label = LABEL(0x4000);
static SID owner_rights = SE_SID(3, 1, 4);

#define S(n) &first[n]

/* Privileges are numbered in another order than the structure has them. */
static const struct se_exports exports = {
	.privileges = {{2},  {3},  {4},  {5},  {6},  {7},  {8},  {9},  {10}, {15}, {14}, {11},
		       {12}, {13}, {16}, {17}, {18}, {19}, {20}, {21}, {22}, {23}, {24}},
	.sids = {S(0),  S(1),  S(2),  S(3),  S(4),  S(5),  S(6),  S(7),  S(8),  S(9),  S(10),
		 S(11), S(12), S(13), S(14), S(15), S(16), S(17), S(18), S(19), S(20), S(21)},
	.undock = {25},
	.sync_agent = {26},
	.enable_delegation = {27},
	.local_service = &local_service,
	.network_service = &network_service,
	.manage_volume = {28},
	.impersonate = {29},
	.create_global = {30},
	.trusted_cred_man = {31},
	.relabel = {32},
	.increase_working_set = {33},
	.time_zone = {34},
	.create_symbolic_link = {35},
	.iuser = &iuser,
	.untrusted = &untrusted,
	.low = &low,
	.medium = &medium,
	.high = &high,
	.system = &system_label,
	.owner_rights = &owner_rights,
};

const struct se_exports *SeExports = &exports;

/* SPDX-License-Identifier: MIT */
/* SeExports: the privileges and SIDs that drivers do not have to build. */
#ifndef RINGSIDE_SE_WELLKNOWN_H
#define RINGSIDE_SE_WELLKNOWN_H

#include "se/sid.h"

#define SE_FIRST_LUIDS 23
#define SE_FIRST_SIDS 22

/* In groups, as ntifs.h has grown them. */
struct se_exports {
	LUID privileges[SE_FIRST_LUIDS]; /* SeCreateTokenPrivilege .. SeRemoteShutdownPrivilege */
	PSID sids[SE_FIRST_SIDS];        /* SeNullSid .. SeAnonymousLogonSid */
	LUID undock, sync_agent, enable_delegation;
	PSID local_service, network_service;
	LUID manage_volume, impersonate, create_global, trusted_cred_man, relabel;
	LUID increase_working_set, time_zone, create_symbolic_link;
	PSID iuser, untrusted, low, medium, high, system, owner_rights;
};
_Static_assert(offsetof(struct se_exports, sids) == 184, "ntifs.h");
_Static_assert(offsetof(struct se_exports, local_service) == 384, "ntifs.h");
_Static_assert(sizeof(struct se_exports) == 520, "ntifs.h");

extern const struct se_exports *SeExports;

#endif

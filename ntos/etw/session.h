/* SPDX-License-Identifier: MIT */
/* The one trace session: which providers a person asked for. */
#ifndef RINGSIDE_ETW_SESSION_H
#define RINGSIDE_ETW_SESSION_H

#include <ringside/nt.h>
#include <stdbool.h>

/* Whether a provider with that GUID and name (NULL: none) was asked for. */
bool etw_wants(const GUID *id, const char *name);

/* Nobody has asked for anything. */
void etw_end_session(void);

#endif

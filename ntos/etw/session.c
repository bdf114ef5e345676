/* SPDX-License-Identifier: MIT */
/*
 * What rs_trace asked for: a list of patterns, added to before drivers run and read without
 * a lock afterwards. A pattern stays until shutdown.
 */
#include "etw/session.h"
#include "etw/text.h"
#include "memory.h"
#include <errno.h>
#include <ringside/ringside.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>

struct pattern {
	struct pattern *next;
	atomic_bool found; /* a provider that it names has registered */
	char text[];       /* empty: every provider */
};

static struct pattern *_Atomic patterns;

int rs_trace(const char *which)
{
	size_t size = which ? strlen(which) + 1 : 1;
	struct pattern *pattern = host_alloc(sizeof(*pattern) + size);
	if (!pattern)
		return -ENOMEM;
	memcpy(pattern->text, which ? which : "", size);
	pattern->next = patterns;
	patterns = pattern;
	return 0;
}

void etw_end_session(void)
{
	struct pattern *at = patterns, *next;
	for (patterns = NULL; at; at = next) {
		next = at->next;
		host_free(at);
	}
}

/* With or without braces. */
static bool is_guid(const char *pattern, const char *guid)
{
	const size_t inside = ETW_GUID_TEXT - 3;
	return strcasecmp(pattern, guid) == 0 ||
	       (strlen(pattern) == inside && strncasecmp(pattern, guid + 1, inside) == 0);
}

static bool names(const struct pattern *pattern, const char *guid, const char *name)
{
	return !*pattern->text || is_guid(pattern->text, guid) ||
	       (name && strcasecmp(pattern->text, name) == 0);
}

bool etw_wants(const GUID *id, const char *name)
{
	char guid[ETW_GUID_TEXT];
	bool wanted = false;
	etw_guid_to_text(id, guid);
	for (struct pattern *at = patterns; at; at = at->next)
		if (names(at, guid, name)) {
			at->found = true;
			wanted = true;
		}
	return wanted;
}

bool rs_trace_found(const char *which)
{
	struct pattern *at = patterns;
	while (at && strcmp(at->text, which ? which : "") != 0)
		at = at->next;
	return at && at->found;
}

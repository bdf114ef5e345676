/* SPDX-License-Identifier: MIT */
#include "cli/missing.h"
#include "cli/cli.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* By its name, or as a number. */
static bool read_status(const char *text, NTSTATUS *status)
{
	static const struct {
		const char *name;
		uint32_t value;
	} names[] = {
#define NAME(name, value) {"STATUS_" #name, value},
		RINGSIDE_STATUS_LIST(NAME)
#undef NAME
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(names[i].name, text) == 0) {
			*status = (NTSTATUS)names[i].value;
			return true;
		}
	}
	char *end;
	errno = 0;
	unsigned long long number = strtoull(text, &end, 0);
	*status = (NTSTATUS)number;
	return isdigit((unsigned char)*text) && !*end && !errno && number <= UINT32_MAX;
}

static bool read_status_form(const char *text, struct missing_option *option)
{
	static const char word[] = "status=";
	option->what = RS_MISSING_STATUS;
	return strncmp(text, word, strlen(word)) == 0 &&
	       read_status(text + strlen(word), &option->status);
}

bool missing_read(struct missing_option *option, const char *text)
{
	struct missing_option read = {.status = STATUS_NOT_IMPLEMENTED};
	bool good = true;
	if (strcmp(text, "bugcheck") == 0)
		read.what = RS_MISSING_BUG_CHECK;
	else if (strcmp(text, "fail") == 0)
		read.what = RS_MISSING_FAIL;
	else if (strcmp(text, "status") == 0)
		read.what = RS_MISSING_STATUS;
	else
		good = read_status_form(text, &read);
	if (!good)
		cli_complain("--missing is bugcheck, fail, or status[=NTSTATUS], not \"%s\"", text);
	else
		*option = read;
	return good;
}

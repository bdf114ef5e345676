/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"Ringside runs Windows drivers that watch processes and handles, on Linux.\n"
	"\n"
	"usage:\n"
	"  ringside run [DRIVER.sys ...] [options] -- COMMAND [ARG ...]\n"
	"                             run COMMAND and let the drivers watch and guard it\n"
	"  ringside inspect FILE.sys  what a driver file contains and needs; runs nothing\n"
	"  ringside exports           what a driver can call here\n"
	"  ringside VERB --help       more about one of them\n"
	"  ringside --version\n"
	"\n"
	"The manual page is ringside(1).\n";

static const struct {
	const char *name;
	int (*run)(int argc, char *argv[]);
} verbs[] = {
	{"run", cli_run},
	{"inspect", cli_inspect},
	{"exports", cli_exports},
};

void cli_complain(const char *format, ...)
{
	char text[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fprintf(stderr, "ringside: %s\n", text);
}

int cli_print(const char *text)
{
	if (fputs(text, stdout) != EOF && fflush(stdout) != EOF)
		return CLI_OK;
	cli_complain("standard output: %s", strerror(errno));
	return CLI_FAILED;
}

int main(int argc, char *argv[])
{
	if (argc < 2) {
		fputs(help, stderr);
		return CLI_FAILED;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return cli_print(help);
	if (!strcmp(argv[1], "--version"))
		return cli_print("ringside " RINGSIDE_VERSION "\n");
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	cli_complain("there is no verb \"%s\"; see ringside --help", argv[1]);
	return CLI_FAILED;
}

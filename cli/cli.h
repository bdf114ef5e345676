/* SPDX-License-Identifier: MIT */
/* The ringside command: a function for each verb. */
#ifndef RINGSIDE_CLI_H
#define RINGSIDE_CLI_H

/* Exit statuses of the command's own; `run` gives COMMAND's otherwise. */
enum {
	CLI_OK = 0,
	CLI_BUG_CHECK = 123,      /* a driver ended the kernel */
	CLI_FAILED = 125,         /* usage, or Ringside or a driver could not start */
	CLI_NOT_EXECUTABLE = 126, /* COMMAND is there and may not be run */
	CLI_NOT_FOUND = 127,      /* no such COMMAND */
};

/* Each verb gets its own name as argv[0] and returns the exit status. Complaints
 * are one line on standard error that begins with "ringside: ". */
int cli_run(int argc, char *argv[]);
int cli_inspect(int argc, char *argv[]); /* headers and imports of a file; runs nothing */
int cli_exports(int argc, char *argv[]); /* what a driver can call */

/* A whole text to standard output: the exit status. */
int cli_print(const char *text);

/* Writes "ringside: ...\n" to standard error. */
void cli_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

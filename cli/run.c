/* SPDX-License-Identifier: MIT */
/*
 * ringside run: load all drivers, start all, ask their devices what is asked of them, run
 * the command, unload in reverse order, sum up. Whatever fails, what was started before it is unloaded again.
 *
 * Everything that can call a driver runs inside rs_guard. After a bug check the
 * kernel is gone, so nothing of it is taken down: the report is finished and the
 * process ends.
 */
#include "cli/cli.h"
#include "cli/damage.h"
#include "cli/request.h"
#include "cli/run_options.h"
#include "cli/run_order.h"
#include <ringside/io.h>
#include "sink/tree.h"
#include "source/live/live.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct session {
	struct run_options options;
	int output;
	struct sink *sink;
	struct sink_tree *tree;     /* --tree, or NULL */
	struct rs_driver **drivers; /* as many as options.driver_count; NULL: not loaded */
	size_t loaded, started;     /* the first so many of them */
	struct sink_outcome outcome;
	int exit_status;
};

static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* ---- The report -------------------------------------------------------------- */

static bool wants_colour(int fd)
{
	const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
	return isatty(fd) && !(no_colour && *no_colour) &&
	       !(terminal && strcmp(terminal, "dumb") == 0);
}

static unsigned width_of(int fd)
{
	struct winsize size;
	return isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static struct sink_options report_options(const struct session *session)
{
	return (struct sink_options){.fd = session->output,
				     .detail = session->options.detail,
				     .colour = wants_colour(session->output),
				     .width = width_of(session->output)};
}

static bool open_report(struct session *session)
{
	const struct run_options *options = &session->options;
	int fd = STDERR_FILENO;
	if (options->output)
		fd = open(options->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0) {
		cli_complain("%s: %s", options->output, strerror(errno));
		return false;
	}
	session->output = fd;
	struct sink_options form = report_options(session);
	session->sink = sink_open(options->json ? &sink_json : &sink_text, &form);
	session->tree = options->tree ? sink_tree_open() : NULL;
	bool complete = session->sink && (session->tree || !options->tree);
	if (!complete)
		cli_complain("out of memory");
	return complete;
}

static void begin_report(struct session *session)
{
	const struct run_options *options = &session->options;
	sink_begin(session->sink,
		   &(struct sink_run){.version = RINGSIDE_VERSION,
				      .profile = options->profile == RS_OBSERVED ? "observed"
										 : "documented",
				      .present = options->live.subsystem ? "subsystem" : "win32",
				      .command = options->command});
	rs_listen(sink_hear, session->sink);
	if (session->tree)
		rs_listen(sink_tree_hear, session->tree);
}

/* A report that is not complete is a failure, except on a terminal or pipe whose
 * reader has gone away. */
static void end_report(struct session *session)
{
	int error;
	session->outcome.crashed = rs_crashed();
	sink_end(session->sink, &session->outcome);
	error = sink_error(session->sink);
	if (session->tree && !error) {
		struct sink_options options = report_options(session);
		error = -sink_tree_draw(session->tree, &options);
	}
	if (error && error != EPIPE) {
		cli_complain("the report is incomplete: %s", strerror(error));
		session->exit_status = CLI_FAILED;
	}
}

static void close_report(struct session *session)
{
	sink_close(session->sink);
	sink_tree_close(session->tree);
	if (session->output != STDERR_FILENO)
		close(session->output);
}

/* ---- Drivers ------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool set_parameters(struct session *session, size_t index)
{
	const struct run_options *options = &session->options;
	for (size_t i = 0; i < options->parameter_count; i++) {
		const struct run_parameter *parameter = &options->parameters[i];
		if (!run_parameter_is_for(parameter, options->drivers[index]))
			continue;
		int error = rs_set_parameter(session->drivers[index], parameter->name,
					     parameter->values, parameter->count);
		if (error) {
			cli_complain("--param %s: %s", parameter->name, strerror(-error));
			return false;
		}
	}
	for (size_t i = 0; i < options->altitude_count; i++) {
		const struct run_parameter *altitude = &options->altitudes[i];
		if (!run_parameter_is_for(altitude, options->drivers[index]))
			continue;
		int error = rs_set_altitude(session->drivers[index], altitude->name);
		if (error) {
			cli_complain("--altitude %s: %s", altitude->name,
				     error == -EINVAL ? "no decimal number" : strerror(-error));
			return false;
		}
	}
	return true;
}

static bool load_drivers(struct session *session)
{
	struct rs_error error;
	run_order_drivers(session->options.drivers, session->options.driver_count);
	while (session->loaded < session->options.driver_count) {
		size_t index = session->loaded;
		session->drivers[index] = rs_load(session->options.drivers[index], &error);
		if (!session->drivers[index]) {
			cli_complain("%s", error.text);
			return false;
		}
		session->loaded++;
		if (!set_parameters(session, index))
			return false;
	}
	return true;
}

static void complain_of_status(const char *path, const char *what, NTSTATUS status)
{
	const char *name = rs_status_name(status);
	cli_complain("%s: %s 0x%08X%s%s%s", base_name(path), what, (unsigned)status,
		     name ? " (" : "", name ? name : "", name ? ")" : "");
}

static bool start_drivers(struct session *session)
{
	while (session->started < session->loaded) {
		NTSTATUS status = rs_start(session->drivers[session->started]);
		if (!NT_SUCCESS(status)) {
			complain_of_status(session->options.drivers[session->started],
					   "DriverEntry returned", status);
			return false;
		}
		session->started++;
	}
	return true;
}

static void unload_drivers(struct session *session)
{
	while (session->loaded) {
		size_t index = --session->loaded;
		NTSTATUS status = STATUS_SUCCESS;
		if (index < session->started)
			status = rs_unload(session->drivers[index]);
		else
			rs_discard(session->drivers[index]);
		if (status == STATUS_INVALID_DEVICE_REQUEST)
			cli_complain("%s: has no DriverUnload and stays loaded to the end",
				     base_name(session->options.drivers[index]));
		else if (!NT_SUCCESS(status))
			complain_of_status(session->options.drivers[index], "unloading gave",
					   status);
	}
}

/* ---- The run -------------------------------------------------------------------- */

static int status_of_failure(int error)
{
	return error == -ENOENT   ? CLI_NOT_FOUND
	       : error == -EACCES ? CLI_NOT_EXECUTABLE
				  : CLI_FAILED;
}

static void warn(const char *line)
{
	cli_complain("%s", line);
}

static void run_command(struct session *session)
{
	struct sink_outcome *outcome = &session->outcome;
	struct rs_error error;
	uint64_t start = now();
	session->options.live.warn = warn;
	int result = live_run(session->options.command, &session->options.live,
			      &outcome->wait_status, &error);
	outcome->elapsed = now() - start;
	if (result < 0) {
		cli_complain("%s", error.text);
		session->exit_status = status_of_failure(result);
		return;
	}
	outcome->ran = true;
	session->exit_status = WIFSIGNALED(outcome->wait_status)
				       ? 128 + WTERMSIG(outcome->wait_status)
				       : WEXITSTATUS(outcome->wait_status);
}

/* A name that was mistyped would look like a driver that has nothing to say. */
static void complain_of_traces(const struct session *session)
{
	for (size_t i = 0; i < session->options.trace_count; i++) {
		const char *which = session->options.traces[i];
		if (rs_trace_found(which))
			continue;
		if (which)
			cli_complain("--trace=%s: no driver registered a provider of that name or "
				     "GUID",
				     which);
		else
			cli_complain("--trace: no driver registered a provider");
	}
}

static void run_session(void *argument)
{
	struct session *session = argument;
	session->exit_status = CLI_FAILED;
	struct request_run *requests = NULL;
	if (load_drivers(session) && start_drivers(session)) {
		requests = requests_begin(&session->options.requests, session->sink);
		run_command(session);
	}
	if (rs_crashed())
		return;
	requests_end(requests);
	unload_drivers(session);
	if (!rs_crashed())
		complain_of_traces(session);
}

/* Z: is where processes' images are said to be, so without a word it is all of Linux. */
static bool mount(const struct session *session)
{
	const struct run_options *options = &session->options;
	int error = rs_mount(options->root ? options->root : "/", options->root_write);
	if (error)
		cli_complain("--root %s: %s", options->root ? options->root : "/",
			     strerror(-error));
	return error == 0;
}

static bool enable_traces(const struct session *session)
{
	for (size_t i = 0; i < session->options.trace_count; i++) {
		int error = rs_trace(session->options.traces[i]);
		if (error) {
			cli_complain("--trace: %s", strerror(-error));
			return false;
		}
	}
	return true;
}

static bool boot(const struct session *session)
{
	int error = rs_boot(&(struct rs_options){
		.profile = session->options.profile,
		.missing = session->options.missing.what,
		.missing_status = session->options.missing.status,
		.symbols = true,
	});
	if (error) {
		cli_complain("the kernel does not boot: %s", strerror(-error));
		return false;
	}
	if (mount(session) && enable_traces(session))
		return true;
	rs_shutdown();
	return false;
}

static void run_booted(struct session *session)
{
	begin_report(session);
	if (!rs_guard(run_session, session) || rs_crashed())
		session->exit_status = CLI_BUG_CHECK;
	end_report(session);
	if (rs_crashed())
		return;
	rs_unlisten(sink_hear, session->sink);
	rs_unlisten(sink_tree_hear, session->tree);
	rs_shutdown();
}

static void do_nothing(int signal)
{
	(void)signal;
}

/* A reader of the report that goes away must not end the command's run. A handler,
 * because an ignored signal would stay ignored in COMMAND. */
static void survive_closed_pipes(void)
{
	struct sigaction action = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};
	sigaction(SIGPIPE, &action, NULL);
}

int cli_run(int argc, char *argv[])
{
	struct session session = {.exit_status = CLI_FAILED, .output = STDERR_FILENO};
	int status = run_options_read(&session.options, argc, argv);
	if (status >= 0) {
		run_options_free(&session.options);
		return status;
	}
	survive_closed_pipes();
	cli_expect_damage();
	session.drivers = calloc(session.options.driver_count + 1, sizeof(struct rs_driver *));
	if (session.drivers && open_report(&session) && boot(&session))
		run_booted(&session);
	close_report(&session);
	free(session.drivers);
	run_options_free(&session.options);
	return session.exit_status;
}

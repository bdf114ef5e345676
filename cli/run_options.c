/* SPDX-License-Identifier: MIT */
#include "cli/run_options.h"
#include "cli/cli.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: ringside run [DRIVER.sys ...] [options] -- COMMAND [ARG ...]\n"
	"\n"
	"Loads and starts the drivers, runs COMMAND with everything that comes of it\n"
	"under their eyes, unloads them and sums up. Without a driver it traces\n"
	"processes. The report goes to standard error.\n"
	"\n"
	"options:\n"
	"  --param [DRIVER:]NAME=VALUE[,VALUE...]\n"
	"                     a value under the Parameters registry key of every\n"
	"                     driver, or of that one: a DWORD if it is a number, else\n"
	"                     a string, or several of them; may be repeated\n"
	"  --altitude [DRIVER:]NUMBER\n"
	"                     where a minifilter stands: the highest is asked first\n"
	"                     (370000, and each further driver one higher)\n"
	"  --ioctl DEVICE,CODE[,INPUT[,LENGTH]]\n"
	"                     before COMMAND, a control request to \\\\.\\NAME,\n"
	"                     \\Device\\NAME or just NAME; INPUT in hexadecimal or\n"
	"                     @FILE; LENGTH of the output buffer (4096); may be\n"
	"                     repeated\n"
	"  --read DEVICE[,LENGTH], --write DEVICE,INPUT\n"
	"                     likewise; all in the order given\n"
	"  --port NAME[,INPUT[,LENGTH[,CONTEXT]]]\n"
	"                     likewise, a message to a minifilter through its port,\n"
	"                     connected with CONTEXT, in the form of INPUT; what it\n"
	"                     sends itself is reported until COMMAND ends\n"
	"  --root DIR         the files that drivers see as C: and Z:, and nothing\n"
	"                     outside of it (/); they may only be read\n"
	"  --root-write       with --root: drivers may also change and delete them\n"
	"  --present win32|subsystem\n"
	"                     show Linux processes as Win32 processes, which every\n"
	"                     routine sees (the default), or as subsystem processes,\n"
	"                     which only Ex2 routines see\n"
	"  --profile documented|observed\n"
	"                     where the documentation and measured Windows differ,\n"
	"                     which to follow (documented)\n"
	"  --missing bugcheck|status[=NTSTATUS]|fail\n"
	"                     calling an import that does not exist here ends in a bug\n"
	"                     check (the default), or returns that status\n"
	"                     (STATUS_NOT_IMPLEMENTED) to the driver and is reported; or\n"
	"                     a driver that has such an import is not loaded\n"
	"  --on-exit kill|release, --on-bugcheck kill|release\n"
	"                     what becomes of the tree when Ringside is killed, and after\n"
	"                     a bug check: it ends (the default), or goes on, seen by\n"
	"                     no driver any more\n"
	"  --images none|main|all\n"
	"                     which images of processes image routines hear of: a new\n"
	"                     program's and its interpreter's (the default, if a driver\n"
	"                     has such routines), or every file that is mapped\n"
	"                     executable, which costs about 0.1 ms each\n"
	"  --proc-opens       opening a file of another process in /proc opens that\n"
	"                     process; every open of the tree costs 20 to 50 us more then\n"
	"  --trace[=PROVIDER]\n"
	"                     enable drivers' ETW providers, that one (a GUID or a name)\n"
	"                     or all, and report their events; drivers can tell, and do\n"
	"                     more then; may be repeated\n"
	"  --tree             at the end, draw the whole tree: when each process began,\n"
	"                     how long it lasted, how it ended, whom it opened for what;\n"
	"                     with -q that alone\n"
	"  --json             report as one JSON object a line\n"
	"  -o, --output FILE  report to FILE\n"
	"  -q, --quiet        report bug checks alone\n"
	"  -v, --verbose      report every callback, thread, image and handle\n"
	"  -h, --help\n"
	"\n"
	"exit status: COMMAND's, 128 + its signal, or\n"
	"  123  a bug check: a driver broke a rule or crashed\n"
	"  125  Ringside or a driver could not start\n"
	"  126  COMMAND could not be run    127  COMMAND was not found\n";

enum {
	OPTION_PARAM = 256,
	OPTION_ALTITUDE,
	OPTION_PRESENT,
	OPTION_PROFILE,
	OPTION_MISSING,
	OPTION_ON_EXIT,
	OPTION_IMAGES,
	OPTION_TRACE,
	OPTION_TREE,
	OPTION_PROC_OPENS,
	OPTION_ON_BUGCHECK,
	OPTION_JSON,
	OPTION_IOCTL,
	OPTION_PORT,
	OPTION_READ,
	OPTION_WRITE,
	OPTION_ROOT,
	OPTION_ROOT_WRITE
};

static const struct option long_options[] = {
	{"param", required_argument, NULL, OPTION_PARAM},
	{"altitude", required_argument, NULL, OPTION_ALTITUDE},
	{"present", required_argument, NULL, OPTION_PRESENT},
	{"profile", required_argument, NULL, OPTION_PROFILE},
	{"missing", required_argument, NULL, OPTION_MISSING},
	{"images", required_argument, NULL, OPTION_IMAGES},
	{"proc-opens", no_argument, NULL, OPTION_PROC_OPENS},
	{"trace", optional_argument, NULL, OPTION_TRACE},
	{"tree", no_argument, NULL, OPTION_TREE},
	{"on-exit", required_argument, NULL, OPTION_ON_EXIT},
	{"on-bugcheck", required_argument, NULL, OPTION_ON_BUGCHECK},
	{"json", no_argument, NULL, OPTION_JSON},
	{"ioctl", required_argument, NULL, OPTION_IOCTL},
	{"port", required_argument, NULL, OPTION_PORT},
	{"read", required_argument, NULL, OPTION_READ},
	{"write", required_argument, NULL, OPTION_WRITE},
	{"root", required_argument, NULL, OPTION_ROOT},
	{"root-write", no_argument, NULL, OPTION_ROOT_WRITE},
	{"output", required_argument, NULL, 'o'},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* One of two words; false after a complaint. */
static bool read_choice(const char *option, const char *word, const char *off, const char *on,
			bool *value)
{
	if (strcmp(word, off) != 0 && strcmp(word, on) != 0) {
		cli_complain("%s is %s or %s, not \"%s\"", option, off, on, word);
		return false;
	}
	*value = strcmp(word, on) == 0;
	return true;
}

static bool read_fate(const char *option, const char *word, enum live_fate *fate)
{
	bool release;
	if (!read_choice(option, word, "kill", "release", &release))
		return false;
	*fate = release ? LIVE_RELEASE : LIVE_KILL;
	return true;
}

static bool read_images(const char *word, enum live_images *images)
{
	static const char *const words[] = {[LIVE_IMAGES_NONE] = "none",
					    [LIVE_IMAGES_MAIN] = "main",
					    [LIVE_IMAGES_ALL] = "all"};
	for (unsigned i = LIVE_IMAGES_NONE; i <= LIVE_IMAGES_ALL; i++) {
		if (strcmp(word, words[i]) == 0) {
			*images = (enum live_images)i;
			return true;
		}
	}
	cli_complain("--images is none, main or all, not \"%s\"", word);
	return false;
}

static size_t count_words(const char *text)
{
	size_t count = 1;
	for (; (text = strchr(text, ',')); text++)
		count++;
	return count;
}

/* Cuts `text` at its commas. */
static bool read_values(struct run_parameter *parameter, char *text)
{
	parameter->values = calloc(count_words(text), sizeof(*parameter->values));
	if (!parameter->values) {
		cli_complain("out of memory");
		return false;
	}
	for (char *word; (word = strsep(&text, ","));)
		parameter->values[parameter->count++] = word;
	return true;
}

/* [DRIVER:]NAME=VALUE[,VALUE...]; a colon after the equals sign belongs to a value. */
static bool read_parameter(struct run_options *options, char *text)
{
	struct run_parameter *all, *parameter;
	char *equals = strchr(text, '='), *name = text, *colon;
	colon = memchr(text, ':', equals ? (size_t)(equals - text) : strlen(text));
	if (colon)
		name = colon + 1;
	if (!equals || name == equals || colon == text) {
		cli_complain("--param needs [DRIVER:]NAME=VALUE[,VALUE...], not \"%s\"", text);
		return false;
	}
	*equals = '\0';
	all = reallocarray(options->parameters, options->parameter_count + 1, sizeof(*all));
	if (!all) {
		cli_complain("out of memory");
		return false;
	}
	options->parameters = all;
	parameter = &all[options->parameter_count++];
	*parameter = (struct run_parameter){.driver = colon ? text : NULL, .name = name};
	if (colon)
		*colon = '\0';
	return read_values(parameter, equals + 1);
}

/* [DRIVER:]ALTITUDE */
static bool read_altitude(struct run_options *options, char *text)
{
	char *colon = strchr(text, ':');
	struct run_parameter *all = reallocarray(options->altitudes, options->altitude_count + 1,
						 sizeof(*all));
	if (!all) {
		cli_complain("out of memory");
		return false;
	}
	if (colon)
		*colon = '\0';
	options->altitudes = all;
	all[options->altitude_count++] = (struct run_parameter){.driver = colon ? text : NULL,
								.name = colon ? colon + 1 : text};
	return true;
}

static bool read_trace(struct run_options *options, const char *which)
{
	const char **all;
	if (which && !*which) {
		cli_complain("--trace= needs the GUID or the name of a provider");
		return false;
	}
	all = reallocarray(options->traces, options->trace_count + 1, sizeof(*all));
	if (!all) {
		cli_complain("out of memory");
		return false;
	}
	options->traces = all;
	all[options->trace_count++] = which;
	return true;
}

static bool read_option(struct run_options *options, int option)
{
	bool observed = false;
	switch (option) {
	case OPTION_PARAM:
		return read_parameter(options, optarg);
	case OPTION_ALTITUDE:
		return read_altitude(options, optarg);
	case OPTION_PRESENT:
		return read_choice("--present", optarg, "win32", "subsystem",
				   &options->live.subsystem);
	case OPTION_IMAGES:
		return read_images(optarg, &options->live.images);
	case OPTION_PROC_OPENS:
		return options->live.proc_opens = true;
	case OPTION_TRACE:
		return read_trace(options, optarg);
	case OPTION_TREE:
		return options->tree = true;
	case OPTION_ON_EXIT:
		return read_fate("--on-exit", optarg, &options->live.on_exit);
	case OPTION_ON_BUGCHECK:
		return read_fate("--on-bugcheck", optarg, &options->live.on_bugcheck);
	case OPTION_PROFILE:
		if (!read_choice("--profile", optarg, "documented", "observed", &observed))
			return false;
		options->profile = observed ? RS_OBSERVED : RS_DOCUMENTED;
		return true;
	case OPTION_MISSING:
		return missing_read(&options->missing, optarg);
	case OPTION_IOCTL:
		return request_read(&options->requests, REQUEST_IOCTL, optarg);
	case OPTION_PORT:
		return request_read(&options->requests, REQUEST_PORT, optarg);
	case OPTION_READ:
		return request_read(&options->requests, REQUEST_READ, optarg);
	case OPTION_WRITE:
		return request_read(&options->requests, REQUEST_WRITE, optarg);
	case OPTION_ROOT:
		options->root = optarg;
		return true;
	case OPTION_ROOT_WRITE:
		return options->root_write = true;
	case OPTION_JSON:
		return options->json = true;
	case 'o':
		options->output = optarg;
		return true;
	case 'q':
		options->detail = SINK_QUIET;
		return true;
	case 'v':
		options->detail = SINK_VERBOSE;
		return true;
	default: /* getopt has complained */
		return false;
	}
}

bool run_parameter_is_for(const struct run_parameter *parameter, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t length;
	if (!parameter->driver || strcasecmp(parameter->driver, base) == 0)
		return true;
	length = strlen(parameter->driver);
	return strncasecmp(parameter->driver, base, length) == 0 &&
	       strcasecmp(base + length, ".sys") == 0;
}

static bool names_a_driver(const struct run_options *options, const char *option,
			   const struct run_parameter *parameter)
{
	for (size_t i = 0; i < options->driver_count; i++)
		if (run_parameter_is_for(parameter, options->drivers[i]))
			return true;
	cli_complain(options->driver_count ? "%s names a driver that is not given: \"%s\""
					   : "%s without a driver",
		     option, parameter->driver);
	return false;
}

static bool make_sense(const struct run_options *options)
{
	if (!options->command || !*options->command) {
		cli_complain("no COMMAND: put it after --, see ringside run --help");
		return false;
	}
	if (options->root_write && !options->root) {
		cli_complain("--root-write needs --root DIR: the folder that may be changed");
		return false;
	}
	if (options->tree && options->json) {
		cli_complain("--tree is for people: not together with --json");
		return false;
	}
	for (size_t i = 0; i < options->parameter_count; i++)
		if (!names_a_driver(options, "--param", &options->parameters[i]))
			return false;
	for (size_t i = 0; i < options->altitude_count; i++)
		if (!names_a_driver(options, "--altitude", &options->altitudes[i]))
			return false;
	return true;
}

/* getopt_long would mix the drivers and COMMAND, so it gets only what comes before
 * the "--" that parts them. */
static char **part_command(int *argc, char *argv[])
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		*argc = i;
		argv[i] = NULL;
		return argv + i + 1;
	}
	return NULL;
}

int run_options_read(struct run_options *options, int argc, char *argv[])
{
	*options = (struct run_options){.detail = SINK_NORMAL};
	options->command = part_command(&argc, argv);
	argv[0] = "ringside";
	for (int option; (option = getopt_long(argc, argv, "o:qvh", long_options, NULL)) != -1;) {
		if (option == 'h')
			return cli_print(help);
		if (!read_option(options, option))
			return CLI_FAILED;
	}
	options->drivers = argv + optind;
	options->driver_count = (size_t)(argc - optind);
	return make_sense(options) ? -1 : CLI_FAILED;
}

void run_options_free(struct run_options *options)
{
	for (size_t i = 0; i < options->parameter_count; i++)
		free(options->parameters[i].values);
	free(options->parameters);
	free(options->altitudes);
	free(options->traces);
	requests_free(&options->requests);
}

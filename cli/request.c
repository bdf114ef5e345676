/* SPDX-License-Identifier: MIT */
/*
 * The command line of a request: DEVICE,CODE[,INPUT[,LENGTH]] and its relatives.
 */
#include "cli/request.h"
#include "cli/cli.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_OUTPUT 4096
#define MOST ((size_t)64 << 20)

static const char *const forms[] = {
	[REQUEST_IOCTL] = "--ioctl needs DEVICE,CODE[,INPUT[,LENGTH]]",
	[REQUEST_READ] = "--read needs DEVICE[,LENGTH]",
	[REQUEST_WRITE] = "--write needs DEVICE,INPUT",
	[REQUEST_PORT] = "--port needs NAME[,INPUT[,LENGTH[,CONTEXT]]]",
};

static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 0);
	if (!isdigit((unsigned char)*text) || *end || errno || value > most)
		return false;
	*number = value;
	return true;
}

static bool read_file(const char *path, struct request *request)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return false;
	size_t room = 4096, length = 0;
	char *bytes = malloc(room);
	while (bytes) {
		length += fread(bytes + length, 1, room - length, file);
		if (length < room || room >= MOST)
			break;
		char *more = realloc(bytes, room *= 2);
		if (!more)
			free(bytes);
		bytes = more;
	}
	if (!bytes)
		errno = ENOMEM;
	else if (length == room)
		errno = EFBIG;
	bool read = bytes && length < room && !ferror(file);
	fclose(file);
	request->input = bytes;
	request->input_size = length;
	return read;
}

static int digit(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

static bool read_hex(const char *text, struct request *request)
{
	size_t length = strlen(text);
	if (length % 2 || !(request->input = malloc(length / 2 + 1)))
		return false;
	for (size_t i = 0; i < length / 2; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		request->input[i] = (char)(high << 4 | low);
	}
	request->input_size = length / 2;
	return true;
}

static bool read_input(const char *text, struct request *request)
{
	if (text[0] == '@' && !read_file(text + 1, request)) {
		cli_complain("%s: %s", text + 1, strerror(errno));
		return false;
	}
	if (text[0] != '@' && !read_hex(text, request)) {
		cli_complain("INPUT is pairs of hexadecimal digits or @FILE, not \"%s\"", text);
		return false;
	}
	return true;
}

static bool read_length(const char *text, struct request *request)
{
	uint64_t length;
	if (!read_number(text, MOST, &length)) {
		cli_complain("LENGTH is a number of bytes up to %zu, not \"%s\"", MOST, text);
		return false;
	}
	request->output_size = (size_t)length;
	return true;
}

/* Written as INPUT is. */
static bool read_context(const char *text, struct request *request)
{
	struct request read = {0};
	bool done = read_input(text, &read);
	request->context = read.input;
	request->context_size = read.input_size;
	if (done && read.input_size > UINT16_MAX) {
		cli_complain("CONTEXT has at most %d bytes", UINT16_MAX);
		return false;
	}
	return done;
}

static bool read_words(struct request *request, char *words[4])
{
	uint64_t code;
	switch (request->kind) {
	case REQUEST_READ:
		return !words[1] || read_length(words[1], request);
	case REQUEST_WRITE:
		request->output_size = 0;
		return read_input(words[1], request);
	case REQUEST_PORT:
		return (!words[1] || !*words[1] || read_input(words[1], request)) &&
		       (!words[2] || !*words[2] || read_length(words[2], request)) &&
		       (!words[3] || read_context(words[3], request));
	default:
		if (!read_number(words[1], UINT32_MAX, &code)) {
			cli_complain("CODE is a number of 32 bits, decimal or 0x..., not \"%s\"",
				     words[1]);
			return false;
		}
		request->code = (uint32_t)code;
		return (!words[2] || !*words[2] || read_input(words[2], request)) &&
		       (!words[3] || read_length(words[3], request));
	}
}

bool request_read(struct requests *requests, enum request_kind kind, char *text)
{
	static const size_t fewest[] = {2, 1, 2, 1}, most[] = {4, 2, 2, 4};
	char *words[5] = {NULL};
	size_t count = 0;
	for (char *rest = text, *word; count < 5 && (word = strsep(&rest, ","));)
		words[count++] = word;
	if (count < fewest[kind] || count > most[kind] || !*words[0]) {
		cli_complain("%s", forms[kind]);
		return false;
	}
	struct request *all = reallocarray(requests->all, requests->count + 1, sizeof(*all));
	if (!all) {
		cli_complain("out of memory");
		return false;
	}
	requests->all = all;
	struct request *request = &all[requests->count++];
	*request = (struct request){
		.kind = kind, .device = words[0], .output_size = DEFAULT_OUTPUT};
	return read_words(request, words);
}

void requests_free(struct requests *requests)
{
	for (size_t i = 0; i < requests->count; i++) {
		free(requests->all[i].input);
		free(requests->all[i].context);
	}
	free(requests->all);
}

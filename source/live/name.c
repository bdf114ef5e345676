/* SPDX-License-Identifier: MIT */
/*
 * Names for NT.
 *
 * Characters that NT does not have in names, and bytes that are none, are as
 * rtl/filename.h has them.
 *
 * Command lines follow the rules of CommandLineToArgvW. They are different for
 * the first argument, where a backslash never escapes anything: there a double
 * quote cannot be expressed at all and becomes U+F022.
 */
#include "source/live/name.h"
#include "memory.h"
#include "rtl/filename.h"
#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct writer {
	WCHAR *units;
	size_t count, capacity;
	bool cut;
};

static void put(struct writer *w, uint32_t code)
{
	WCHAR units[2];
	size_t n = rtl_encode_utf16(code, units);
	if (w->cut || w->count + n > w->capacity) {
		w->cut = true;
		return;
	}
	memcpy(w->units + w->count, units, n * sizeof units[0]);
	w->count += n;
}

static bool begin(struct writer *w, size_t most)
{
	w->capacity = most < RTL_MAX_UNITS ? most : RTL_MAX_UNITS;
	w->count = 0;
	w->cut = false;
	w->units = host_alloc((w->capacity + 1) * sizeof w->units[0]);
	return w->units != NULL;
}

static void finish(const struct writer *w, UNICODE_STRING *out)
{
	out->Length = (USHORT)(w->count * sizeof w->units[0]);
	out->MaximumLength = (USHORT)(out->Length + sizeof w->units[0]);
	out->Buffer = w->units;
}

static int finish_name(struct writer *w, UNICODE_STRING *out)
{
	if (w->cut) {
		host_free(w->units);
		return -ENAMETOOLONG;
	}
	finish(w, out);
	return 0;
}

/* ---- File names --------------------------------------------------------------- */

static int file_name(const char *prefix, const char *path, UNICODE_STRING *out)
{
	struct writer w;
	size_t size = strlen(path), length;
	if (!begin(&w, strlen(prefix) + size))
		return -ENOMEM;
	for (const char *p = prefix; *p; p++)
		put(&w, (unsigned char)*p);
	for (size_t i = 0; i < size; i += length)
		put(&w, rtl_next_path_character(path + i, size - i, &length));
	return finish_name(&w, out);
}

int live_open_name(const char *path, UNICODE_STRING *out)
{
	return file_name("\\??\\Z:", path, out);
}

int live_native_name(const char *path, UNICODE_STRING *out)
{
	return file_name("\\Device\\HarddiskVolume1", path, out);
}

int live_pico_name(const char *path, UNICODE_STRING *out)
{
	struct writer w;
	size_t size = strlen(path), length;
	if (!begin(&w, size))
		return -ENOMEM;
	for (size_t i = 0; i < size; i += length)
		put(&w, rtl_next_character(path + i, size - i, &length));
	return finish_name(&w, out);
}

/* ---- Arguments ------------------------------------------------------------------- */

/* FNV-1a. */
uint64_t live_hash_arguments(const struct live_arguments *arguments)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < arguments->size; i++)
		hash = (hash ^ (unsigned char)arguments->text[i]) * 0x100000001b3u;
	return hash;
}

/* ---- Command lines -------------------------------------------------------------- */

/* CommandLineToArgvW ends an unquoted first argument at any character up to the
 * space; the others end only at space and tab, but quotes do them no harm. */
static bool needs_quotes(const char *argument, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)argument[i] <= ' ')
			return true;
	}
	return size == 0;
}

static void put_program(struct writer *w, const char *argument, size_t size)
{
	bool quotes = needs_quotes(argument, size);
	size_t length;
	if (quotes)
		put(w, '"');
	for (size_t i = 0; i < size; i += length) {
		uint32_t code = rtl_next_character(argument + i, size - i, &length);
		put(w, code == '"' ? RTL_PRIVATE_BASE + code : code);
	}
	if (quotes)
		put(w, '"');
}

static void put_backslashes(struct writer *w, size_t count)
{
	while (count--)
		put(w, '\\');
}

/* Backslashes count as escapes only in front of a quote, the closing one
 * included. */
static void put_argument(struct writer *w, const char *argument, size_t size)
{
	bool quotes = needs_quotes(argument, size);
	size_t length, backslashes = 0;
	if (quotes)
		put(w, '"');
	for (size_t i = 0; i < size; i += length) {
		uint32_t code = rtl_next_character(argument + i, size - i, &length);
		if (code == '\\') {
			backslashes++;
			continue;
		}
		put_backslashes(w, code == '"' ? 2 * backslashes + 1 : backslashes);
		backslashes = 0;
		put(w, code);
	}
	put_backslashes(w, quotes ? 2 * backslashes : backslashes);
	if (quotes)
		put(w, '"');
}

int live_command_line(const struct live_arguments *arguments, UNICODE_STRING *out)
{
	struct writer w;
	if (!begin(&w, 2 * arguments->size + 3 * (size_t)arguments->count + 2))
		return -ENOMEM;
	const char *argument = arguments->text;
	for (unsigned i = 0; i < arguments->count; i++) {
		size_t size = strlen(argument);
		if (i)
			put(&w, ' ');
		if (i)
			put_argument(&w, argument, size);
		else
			put_program(&w, argument, size);
		argument += size + 1;
	}
	finish(&w, out);
	return 0;
}

int live_pico_command_line(const struct live_arguments *arguments, UNICODE_STRING *out)
{
	struct writer w;
	if (!begin(&w, arguments->size + 1))
		return -ENOMEM;
	size_t size = arguments->size ? arguments->size - 1 : 0, length;
	for (size_t i = 0; i < size; i += length)
		put(&w, rtl_next_character(arguments->text + i, size - i, &length));
	finish(&w, out);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The report of a bug check. It is made after something has gone wrong, perhaps in a
 * signal handler, so it neither allocates nor locks, and whatever is said of addresses
 * comes from symbol.c, which trusts nobody's memory.
 */
#include "ke/report.h"
#include "ke/stackwalk.h"
#include "ke/symbol.h"
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define NAME_SIZE 512

struct text {
	char *at, *end;
};

static void put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text->at, (size_t)(text->end - text->at), format, arguments);
	va_end(arguments);
	if (length > 0)
		text->at += length < text->end - text->at ? length : text->end - text->at - 1;
}

static void put_address(struct text *text, const struct rs_event *event,
			const struct ke_symbols *symbols)
{
	char name[NAME_SIZE];
	if (event->bug_check.address) {
		ke_name_place(name, sizeof(name), event->bug_check.address, NULL,
			      &symbols->place[KE_ADDRESS]);
		put(text, "    in      %s at IRQL %u\n", name, event->bug_check.irql);
	} else {
		put(text, "    at      IRQL %u\n", event->bug_check.irql);
	}
}

static void put_context(struct text *text, const struct rs_event *event)
{
	put(text, "    during  ");
	if (event->bug_check.callback)
		put(text, "%s, ", event->bug_check.callback);
	put(text, "process %" PRIu64, event->bug_check.process_id);
	if (event->bug_check.host_id)
		put(text, " (Linux %" PRIu64 ")", event->bug_check.host_id);
	put(text, ", thread %" PRIu64 "\n", event->bug_check.thread_id);
}

/* Frames beyond the outermost driver's are how this program came to call it: they say
 * nothing about the driver. */
static unsigned worth_showing(const struct rs_stack *stack)
{
	unsigned count = stack->count;
	while (count && !ke_is_driver(ldr_module_of(stack->frame[count - 1])))
		count--;
	return count;
}

/* A recursion fills a stack with one line. */
static unsigned repeats(const struct rs_stack *stack, unsigned from, unsigned count)
{
	unsigned n = 1;
	while (from + n < count && stack->frame[from + n] == stack->frame[from])
		n++;
	return n;
}

/* Each of its lines in brackets. */
static void put_note(struct text *text, const char *note)
{
	for (const char *end; (end = strchr(note, '\n')); note = end + 1)
		put(text, "           (%.*s)\n", (int)(end - note), note);
}

static void put_stack(struct text *text, const struct rs_stack *stack,
		      const struct ke_symbols *symbols)
{
	unsigned count = worth_showing(stack), same;
	bool guessed = false;
	for (unsigned i = 0; i < count; i += same) {
		char name[NAME_SIZE];
		const void *caller = i + 1 < stack->count ? stack->frame[i + 1] : NULL;
		bool guess = stack->guessed & 1u << i;
		guessed |= guess;
		same = repeats(stack, i, count);
		ke_name_place(name, sizeof(name), stack->frame[i], caller, &symbols->place[i]);
		put(text, "    %s  #%-2u %s%s", i ? "     " : "stack", i, name, guess ? " ?" : "");
		if (same > 1)
			put(text, ", %u times", same);
		put(text, "\n");
	}
	if (guessed)
		put(text, "           (? = found on the stack, not by unwinding)\n");
	put_note(text, symbols->note);
}

size_t ke_format_stack(char *buffer, size_t size, const struct rs_stack *stack)
{
	struct text text = {buffer, buffer + size};
	struct ke_symbols symbols;
	ke_find_symbols(&symbols, stack, NULL, true);
	put_stack(&text, stack, &symbols);
	return (size_t)(text.at - buffer);
}

size_t ke_format_bug_check(char *buffer, size_t size, const struct rs_event *event)
{
	struct text text = {buffer, buffer + size};
	const ULONG64 *p = event->bug_check.parameter;
	struct ke_symbols symbols;

	ke_find_symbols(&symbols, &event->bug_check.stack, event->bug_check.address, false);
	put(&text,
	    "*** BUG CHECK 0x%X %s (%016" PRIX64 ", %016" PRIX64 ", %016" PRIX64 ", %016" PRIX64
	    ")\n    %s\n",
	    event->bug_check.code, event->bug_check.name, p[0], p[1], p[2], p[3],
	    event->bug_check.detail);
	put_address(&text, event, &symbols);
	put_context(&text, event);
	put_stack(&text, &event->bug_check.stack, &symbols);
	return (size_t)(text.at - buffer);
}

void ke_report_bug_check(FILE *stream, const struct rs_event *event)
{
	char text[8192];
	fwrite(text, 1, ke_format_bug_check(text, sizeof(text), event), stream);
}

/* SPDX-License-Identifier: MIT */
/*
 * A node for each process, in the order in which they began, kept until the end: only
 * then is it known whose child is the last one, which is drawn differently. What a process did
 * (its deeds) is kept as the text that will be shown; the same deed again is only counted.
 *
 * One lock protects everything. Memory is the C library's: events come from inside drivers'
 * calls, but never from a place where memory cannot be had, a bug check apart, which is not
 * listened to.
 */
#include "sink/tree.h"
#include "ps/process.h"
#include "rtl/utf.h"
#include "sink/line.h"
#include "sink/names.h"
#include "sink/tally.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NONE ((size_t)-1)

/* Where things stand in a line. */
enum { LASTED = 10, ENDED = 20, PROCESS = 42 };

struct deed {
	struct deed *next;
	unsigned times;
	bool refused;
	char text[];
};

struct node {
	ULONG64 id, host_id;
	ULONG64 began, lasted; /* ns; `began` since the first */
	enum { RUNS, HAS_ENDED, WAS_REFUSED } fate;
	int status;    /* as waitpid gives it */
	bool replaced; /* it executed another program */
	char *name;
	struct deed *deeds, *last_deed;
	size_t parent, first_child, last_child, next; /* NONE: none */
};

struct sink_tree {
	pthread_mutex_t lock;
	struct node *node;
	size_t count, room;
	ULONG64 start;
	unsigned long left_out;
};

/* ---- Collecting ------------------------------------------------------------------------ */

/* The latest of that id; most often one of the last. */
static size_t find(const struct sink_tree *tree, ULONG64 id)
{
	size_t i = tree->count;
	while (i && tree->node[i - 1].id != id)
		i--;
	return i ? i - 1 : NONE;
}

static struct node *add(struct sink_tree *tree)
{
	if (tree->count == tree->room) {
		size_t room = tree->room ? 2 * tree->room : 64;
		struct node *more = reallocarray(tree->node, room, sizeof *more);
		if (!more)
			return NULL;
		tree->node = more;
		tree->room = room;
	}
	return &tree->node[tree->count++];
}

static char *copy(const UNICODE_STRING *text)
{
	size_t size = (size_t)text->Length * 3 / 2 + 1;
	char *made = malloc(size);
	if (made)
		rtl_to_utf8(made, size, text);
	return made;
}

static void hang(struct sink_tree *tree, size_t child, size_t parent)
{
	struct node *above = &tree->node[parent];
	if (above->first_child == NONE)
		above->first_child = child;
	else
		tree->node[above->last_child].next = child;
	above->last_child = child;
}

/* A forked child is a clone, of which nothing is told: its maker stands for it. Of a clone's
 * clone the maker is not known any more; such a process hangs on the first one, which
 * everything comes from. */
static size_t parent_of(const struct sink_tree *tree, const struct rs_event *event)
{
	const struct rs_process_name *parent = &event->created.parent;
	size_t found = find(tree, parent->id);
	if (found == NONE && parent->object)
		found = find(tree, parent->object->parent_id);
	return found == NONE && parent->object && tree->count ? 0 : found;
}

static void on_created(struct sink_tree *tree, const struct rs_event *event)
{
	const UNICODE_STRING *name = event->created.command_line.Length
					     ? &event->created.command_line
					     : &event->created.process.image;
	size_t parent = parent_of(tree, event);
	struct node *node = add(tree);
	if (!node) {
		tree->left_out++;
		return;
	}
	if (!tree->start)
		tree->start = event->time;
	*node = (struct node){.id = event->created.process.id,
			      .host_id = event->created.process.host_id,
			      .began = event->time - tree->start,
			      .fate = NT_SUCCESS(event->created.status) ? RUNS : WAS_REFUSED,
			      .name = copy(name),
			      .parent = parent,
			      .first_child = NONE,
			      .last_child = NONE,
			      .next = NONE};
	if (parent != NONE)
		hang(tree, tree->count - 1, parent);
}

/* Of the same Linux process, so it goes on as its successor. */
static bool has_successor(const struct sink_tree *tree, const struct node *node)
{
	size_t last = node->last_child;
	return last != NONE && node->host_id && tree->node[last].host_id == node->host_id &&
	       tree->node[last].fate == RUNS;
}

static void on_exited(struct sink_tree *tree, const struct rs_event *event)
{
	size_t found = find(tree, event->exited.process.id);
	if (found == NONE || tree->node[found].fate == WAS_REFUSED)
		return;
	struct node *node = &tree->node[found];
	node->fate = HAS_ENDED;
	node->lasted = event->exited.lifetime;
	node->status = event->exited.host_status;
	node->replaced = has_successor(tree, node);
}

static bool is_deed(const struct rs_event *event)
{
	const char *reason = event->handle.reason;
	return (reason && strcmp(reason, RS_REASON_CREATED) != 0) || event->handle.stripped_by;
}

static void say_deed(struct sink_line *line, const struct rs_event *event)
{
	ACCESS_MASK stripped = sink_stripped_rights(event);
	UNICODE_STRING target = sink_base_name(&event->handle.target.image);
	ULONG64 number = event->handle.target.host_id ? event->handle.target.host_id
						      : event->handle.target.id;
	sink_quote(line, event->handle.reason ? event->handle.reason : "open");
	sink_sayf(line, " on %s%lu ", event->handle.thread_id ? "a thread of " : "",
		  (unsigned long)number);
	sink_quote_utf16(line, &target);
	sink_say(line, ": ");
	if (stripped) {
		sink_say_module(line, event->handle.stripped_by);
		sink_say(line, " took ");
	}
	sink_say_rights(line, event->handle.type, stripped ? stripped : event->handle.granted);
}

static void on_handle(struct sink_tree *tree, const struct rs_event *event)
{
	char text[512] = "";
	struct sink_line line = {.text = text, .size = sizeof text - 1};
	size_t found = find(tree, event->handle.caller.id);
	if (found == NONE || !is_deed(event))
		return;
	say_deed(&line, event);
	text[line.length] = 0;
	struct node *node = &tree->node[found];
	if (node->last_deed && !strcmp(node->last_deed->text, text)) {
		node->last_deed->times++;
		return;
	}
	struct deed *deed = calloc(1, sizeof *deed + line.length + 1);
	if (!deed) {
		tree->left_out++;
		return;
	}
	memcpy(deed->text, text, line.length + 1);
	deed->times = 1;
	deed->refused = sink_stripped_rights(event) || !NT_SUCCESS(event->handle.status);
	if (node->last_deed)
		node->last_deed->next = deed;
	else
		node->deeds = deed;
	node->last_deed = deed;
}

void sink_tree_hear(void *context, const struct rs_event *event)
{
	struct sink_tree *tree = context;
	if (event->type != RS_PROCESS_CREATED && event->type != RS_PROCESS_EXITED &&
	    event->type != RS_HANDLE_OPERATION)
		return;
	pthread_mutex_lock(&tree->lock);
	if (event->type == RS_PROCESS_CREATED)
		on_created(tree, event);
	else if (event->type == RS_PROCESS_EXITED)
		on_exited(tree, event);
	else
		on_handle(tree, event);
	pthread_mutex_unlock(&tree->lock);
}

/* ---- Drawing ------------------------------------------------------------------------------ */

struct drawing {
	const struct sink_tree *tree;
	const struct sink_options *options;
	int error;
};

static void write_line(struct drawing *d, struct sink_line *line)
{
	sink_say(line, "\n");
	const char *bytes = line->text;
	for (size_t left = line->length; left && !d->error;) {
		ssize_t written = write(d->options->fd, bytes, left);
		if (written < 0 && errno != EINTR)
			d->error = -errno;
		if (written > 0) {
			bytes += written;
			left -= (size_t)written;
		}
	}
}

#define LINE(d, space)                                                                             \
	{                                                                                          \
		.text = (space), .size = sizeof(space), .limit = (d)->options->width,              \
		.colour = (d)->options->colour                                                     \
	}

static void say_end(struct sink_line *line, const struct node *node)
{
	enum sink_colour colour = SINK_PLAIN;
	if (node->fate == WAS_REFUSED)
		colour = SINK_YELLOW;
	else if (node->fate == HAS_ENDED && node->status)
		colour = SINK_RED;
	sink_paint(line, colour);
	if (node->fate == WAS_REFUSED)
		sink_say(line, "refused");
	else if (node->fate == RUNS)
		sink_say(line, "runs");
	else if (node->replaced)
		sink_say(line, "became the next");
	else
		sink_say_wait_status(line, node->status);
	sink_paint(line, SINK_PLAIN);
}

/* The strokes that lead to a node: of each ancestor but the roots, from the top. */
static void say_strokes(struct sink_line *line, const struct sink_tree *tree, size_t index,
			bool own)
{
	size_t parent = tree->node[index].parent;
	bool last = tree->node[index].next == NONE;
	if (parent == NONE)
		return;
	say_strokes(line, tree, parent, false);
	if (own)
		sink_say(line, last ? "└─ " : "├─ ");
	else
		sink_say(line, last ? "   " : "│  ");
}

static void draw_node(struct drawing *d, size_t index)
{
	char space[8192];
	struct sink_line line = LINE(d, space);
	const struct node *node = &d->tree->node[index];
	unsigned long ms = (unsigned long)(node->began / 1000000);
	sink_paint(&line, SINK_DIM);
	sink_sayf(&line, "%4lu.%03lu", ms / 1000, ms % 1000);
	sink_pad(&line, LASTED);
	if (node->fate == HAS_ENDED)
		sink_say_duration(&line, node->lasted);
	sink_paint(&line, SINK_PLAIN);
	sink_pad(&line, ENDED);
	say_end(&line, node);
	sink_pad(&line, PROCESS);
	say_strokes(&line, d->tree, index, true);
	sink_paint(&line, SINK_BOLD);
	sink_sayf(&line, "%lu ", (unsigned long)(node->host_id ? node->host_id : node->id));
	sink_paint(&line, SINK_PLAIN);
	sink_quote(&line, node->name ? node->name : "");
	write_line(d, &line);
}

static void draw_deed(struct drawing *d, size_t index, const struct deed *deed)
{
	char space[2048];
	struct sink_line line = LINE(d, space);
	const struct node *node = &d->tree->node[index];
	sink_pad(&line, PROCESS);
	say_strokes(&line, d->tree, index, false);
	sink_say(&line, node->first_child == NONE ? "     " : "│    ");
	sink_paint(&line, deed->refused ? SINK_YELLOW : SINK_DIM);
	sink_say(&line, deed->text);
	if (deed->times > 1)
		sink_sayf(&line, ", %u times", deed->times);
	sink_paint(&line, SINK_PLAIN);
	write_line(d, &line);
}

/* The node that is drawn after this one: its first child, or the next of itself or of an
 * ancestor. A loop, because a tree can be as deep as programs care to make it. */
static size_t after(const struct sink_tree *tree, size_t index)
{
	if (tree->node[index].first_child != NONE)
		return tree->node[index].first_child;
	while (index != NONE && tree->node[index].next == NONE)
		index = tree->node[index].parent;
	return index == NONE ? NONE : tree->node[index].next;
}

static void draw_below(struct drawing *d, size_t root)
{
	for (size_t i = root; i != NONE; i = after(d->tree, i)) {
		draw_node(d, i);
		for (const struct deed *deed = d->tree->node[i].deeds; deed; deed = deed->next)
			draw_deed(d, i, deed);
	}
}

static void draw_head(struct drawing *d)
{
	char space[256];
	struct sink_line line = LINE(d, space);
	sink_say(&line, "\n");
	sink_paint(&line, SINK_DIM);
	sink_say(&line, "   began");
	sink_pad(&line, LASTED);
	sink_say(&line, "lasted");
	sink_pad(&line, ENDED);
	sink_say(&line, "end");
	sink_pad(&line, PROCESS);
	sink_say(&line, "process");
	sink_paint(&line, SINK_PLAIN);
	write_line(d, &line);
}

int sink_tree_draw(struct sink_tree *tree, const struct sink_options *options)
{
	struct drawing d = {.tree = tree, .options = options};
	pthread_mutex_lock(&tree->lock);
	if (tree->count)
		draw_head(&d);
	for (size_t i = 0; i < tree->count; i++) {
		if (tree->node[i].parent == NONE)
			draw_below(&d, i);
	}
	if (tree->left_out) {
		char space[128];
		struct sink_line line = LINE(&d, space);
		sink_sayf(&line, "%lu more were left out for want of memory", tree->left_out);
		write_line(&d, &line);
	}
	pthread_mutex_unlock(&tree->lock);
	return d.error;
}

/* ---- Beginning and end ---------------------------------------------------------------------- */

struct sink_tree *sink_tree_open(void)
{
	struct sink_tree *tree = calloc(1, sizeof *tree);
	if (tree)
		pthread_mutex_init(&tree->lock, NULL);
	return tree;
}

void sink_tree_close(struct sink_tree *tree)
{
	if (!tree)
		return;
	for (size_t i = 0; i < tree->count; i++) {
		for (struct deed *deed = tree->node[i].deeds, *next; deed; deed = next) {
			next = deed->next;
			free(deed);
		}
		free(tree->node[i].name);
	}
	free(tree->node);
	pthread_mutex_destroy(&tree->lock);
	free(tree);
}

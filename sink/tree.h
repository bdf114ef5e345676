/* SPDX-License-Identifier: MIT */
/*
 * The whole tree of processes, drawn at the end: each under the one that made it, when it
 * began, how long it lasted, how it ended, and what it did to others.
 *
 *	struct sink_tree *tree = sink_tree_open();
 *	rs_listen(sink_tree_hear, tree);
 *	...
 *	rs_unlisten(sink_tree_hear, tree);
 *	sink_tree_draw(tree, &options);
 *	sink_tree_close(tree);
 */
#ifndef RINGSIDE_SINK_TREE_H
#define RINGSIDE_SINK_TREE_H

#include "sink/sink.h"

struct sink_tree;

/* NULL without memory. */
struct sink_tree *sink_tree_open(void);
void sink_tree_close(struct sink_tree *tree);

/* An rs_listener; the context is the tree. Without memory it leaves things out, and the
 * drawing says how many. */
void sink_tree_hear(void *tree, const struct rs_event *event);

/* Writes it to options->fd, in colour and cut at the width if those are asked for. 0 or
 * -errno. */
int sink_tree_draw(struct sink_tree *tree, const struct sink_options *options);

#endif

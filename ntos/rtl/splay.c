/* SPDX-License-Identifier: MIT */
/*
 * Splay links.
 *
 * A node's parent pointer leads up, the root's to itself. Splaying rotates a node up to
 * the root, two levels at a time where there are two, so that what is used often stays
 * near the top. No state beyond the links, no lock: the driver keeps others away.
 *
 * Pages: RtlSplay, RtlDelete, RtlDeleteNoSplay, RtlRealSuccessor and the like.
 */
#include "rtl/generictable.h"
#include <stdbool.h>

static bool is_root(const RTL_SPLAY_LINKS *node)
{
	return node->Parent == node;
}

static bool is_right(const RTL_SPLAY_LINKS *node)
{
	return node->Parent->RightChild == node;
}

static void set_left(PRTL_SPLAY_LINKS node, PRTL_SPLAY_LINKS child)
{
	node->LeftChild = child;
	if (child)
		child->Parent = node;
}

static void set_right(PRTL_SPLAY_LINKS node, PRTL_SPLAY_LINKS child)
{
	node->RightChild = child;
	if (child)
		child->Parent = node;
}

/* Puts `to`, which may be NULL, where `node` hangs. */
static void replace(PRTL_SPLAY_LINKS node, PRTL_SPLAY_LINKS to)
{
	if (is_root(node)) {
		if (to)
			to->Parent = to;
	} else if (is_right(node)) {
		set_right(node->Parent, to);
	} else {
		set_left(node->Parent, to);
	}
}

static void rotate_up(PRTL_SPLAY_LINKS node)
{
	PRTL_SPLAY_LINKS parent = node->Parent;
	bool right = is_right(node);
	replace(parent, node);
	if (right) {
		set_right(parent, node->LeftChild);
		set_left(node, parent);
	} else {
		set_left(parent, node->RightChild);
		set_right(node, parent);
	}
}

PRTL_SPLAY_LINKS NTAPI RtlSplay(PRTL_SPLAY_LINKS Links)
{
	while (!is_root(Links)) {
		PRTL_SPLAY_LINKS parent = Links->Parent;
		if (!is_root(parent))
			rotate_up(is_right(Links) == is_right(parent) ? parent : Links);
		rotate_up(Links);
	}
	return Links;
}

/* ---- Neighbours ------------------------------------------------------------------ */

PRTL_SPLAY_LINKS NTAPI RtlSubtreeSuccessor(PRTL_SPLAY_LINKS Links)
{
	PRTL_SPLAY_LINKS node = Links->RightChild;
	while (node && node->LeftChild)
		node = node->LeftChild;
	return node;
}

PRTL_SPLAY_LINKS NTAPI RtlSubtreePredecessor(PRTL_SPLAY_LINKS Links)
{
	PRTL_SPLAY_LINKS node = Links->LeftChild;
	while (node && node->RightChild)
		node = node->RightChild;
	return node;
}

PRTL_SPLAY_LINKS NTAPI RtlRealSuccessor(PRTL_SPLAY_LINKS Links)
{
	PRTL_SPLAY_LINKS node = Links;
	if (Links->RightChild)
		return RtlSubtreeSuccessor(Links);
	while (!is_root(node) && is_right(node))
		node = node->Parent;
	return is_root(node) ? NULL : node->Parent;
}

PRTL_SPLAY_LINKS NTAPI RtlRealPredecessor(PRTL_SPLAY_LINKS Links)
{
	PRTL_SPLAY_LINKS node = Links;
	if (Links->LeftChild)
		return RtlSubtreePredecessor(Links);
	while (!is_root(node) && !is_right(node))
		node = node->Parent;
	return is_root(node) ? NULL : node->Parent;
}

/* ---- Removal ---------------------------------------------------------------------- */

/* Takes the node out and returns one of the tree: where the tree was changed. */
static PRTL_SPLAY_LINKS remove_node(PRTL_SPLAY_LINKS node)
{
	if (!node->LeftChild || !node->RightChild) {
		PRTL_SPLAY_LINKS child = node->LeftChild ? node->LeftChild : node->RightChild;
		PRTL_SPLAY_LINKS parent = is_root(node) ? child : node->Parent;
		replace(node, child);
		return parent;
	}
	/* Its neighbour, which has no right child, comes out first and takes its place. */
	PRTL_SPLAY_LINKS neighbour = RtlSubtreePredecessor(node);
	PRTL_SPLAY_LINKS changed = remove_node(neighbour);
	replace(node, neighbour);
	set_left(neighbour, node->LeftChild);
	set_right(neighbour, node->RightChild);
	return changed == node ? neighbour : changed;
}

VOID NTAPI RtlDeleteNoSplay(PRTL_SPLAY_LINKS Links, PRTL_SPLAY_LINKS *Root)
{
	PRTL_SPLAY_LINKS node = remove_node(Links);
	while (node && !is_root(node))
		node = node->Parent;
	*Root = node;
}

PRTL_SPLAY_LINKS NTAPI RtlDelete(PRTL_SPLAY_LINKS Links)
{
	PRTL_SPLAY_LINKS node = remove_node(Links);
	return node ? RtlSplay(node) : NULL;
}

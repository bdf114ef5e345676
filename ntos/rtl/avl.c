/* SPDX-License-Identifier: MIT */
/*
 * AVL trees: nodes whose two sides differ in height by at most one.
 *
 * The tree hangs as the right child under a node of the table's own, so that the root has
 * a parent like any other. Insertion and removal walk up from where a height has changed
 * and stop where it has not. Written for both sides at once: a side is 0 or 1, its sign -1
 * or 1, which is also how a node leans.
 */
#include "rtl/generictable.h"
#include <stdbool.h>

static PRTL_BALANCED_LINKS *child(PRTL_BALANCED_LINKS node, bool right)
{
	return right ? &node->RightChild : &node->LeftChild;
}

static bool is_right(const RTL_BALANCED_LINKS *node)
{
	return node->Parent->RightChild == node;
}

static void link_child(PRTL_BALANCED_LINKS parent, bool right, PRTL_BALANCED_LINKS node)
{
	*child(parent, right) = node;
	if (node)
		node->Parent = parent;
}

static CCHAR sign_of(bool right)
{
	return right ? 1 : -1;
}

/* ---- Neighbours -------------------------------------------------------------------- */

static PRTL_BALANCED_LINKS utmost(PRTL_BALANCED_LINKS node, bool right)
{
	while (*child(node, right))
		node = *child(node, right);
	return node;
}

static PRTL_BALANCED_LINKS neighbour(PRTL_BALANCED_LINKS root, PRTL_BALANCED_LINKS node, bool right)
{
	if (*child(node, right))
		return utmost(*child(node, right), !right);
	while (node->Parent != root && is_right(node) == right)
		node = node->Parent;
	return node->Parent == root ? NULL : node->Parent;
}

PRTL_BALANCED_LINKS rtl_avl_first(PRTL_BALANCED_LINKS root)
{
	return root->RightChild ? utmost(root->RightChild, false) : NULL;
}

PRTL_BALANCED_LINKS rtl_avl_next(PRTL_BALANCED_LINKS root, PRTL_BALANCED_LINKS node)
{
	return neighbour(root, node, true);
}

PRTL_BALANCED_LINKS rtl_avl_previous(PRTL_BALANCED_LINKS root, PRTL_BALANCED_LINKS node)
{
	return neighbour(root, node, false);
}

/* ---- Balance ------------------------------------------------------------------------- */

/* Rotates the node above its parent. */
static void rotate_up(PRTL_BALANCED_LINKS node)
{
	PRTL_BALANCED_LINKS parent = node->Parent;
	bool right = is_right(node);
	link_child(parent->Parent, is_right(parent), node);
	link_child(parent, right, *child(node, !right));
	link_child(node, !right, parent);
}

/* Puts a node right whose one side is two higher than the other; the subtree's new top.
 * It is as high as before only if that side leaned to neither. */
static PRTL_BALANCED_LINKS rebalance(PRTL_BALANCED_LINKS node, bool right, bool *shrunk)
{
	const CCHAR sign = sign_of(right);
	PRTL_BALANCED_LINKS high = *child(node, right);
	*shrunk = true;
	if (high->Balance == -sign) {
		PRTL_BALANCED_LINKS middle = *child(high, !right);
		rotate_up(middle);
		rotate_up(middle);
		node->Balance = middle->Balance == sign ? (CCHAR)-sign : 0;
		high->Balance = middle->Balance == -sign ? sign : 0;
		middle->Balance = 0;
		return middle;
	}
	rotate_up(high);
	*shrunk = high->Balance == sign;
	node->Balance = *shrunk ? 0 : sign;
	high->Balance = *shrunk ? 0 : (CCHAR)-sign;
	return high;
}

int rtl_avl_insert(PRTL_BALANCED_LINKS root, PRTL_BALANCED_LINKS parent, PRTL_BALANCED_LINKS node,
		   BOOLEAN right)
{
	*node = (RTL_BALANCED_LINKS){.Parent = parent};
	*child(parent, right) = node;
	for (; node->Parent != root; node = node->Parent) {
		bool shrunk, side = is_right(node);
		parent = node->Parent;
		if (parent->Balance == sign_of(side)) {
			rebalance(parent, side, &shrunk);
			return 0;
		}
		parent->Balance += sign_of(side);
		if (parent->Balance == 0)
			return 0;
	}
	return 1;
}

/* The side of `node` has lost a level. */
static int lower(PRTL_BALANCED_LINKS root, PRTL_BALANCED_LINKS node, bool right)
{
	while (node != root) {
		bool shrunk = true;
		PRTL_BALANCED_LINKS top = node;
		if (node->Balance == -sign_of(right)) {
			top = rebalance(node, !right, &shrunk);
		} else {
			shrunk = node->Balance != 0;
			node->Balance -= sign_of(right);
		}
		if (!shrunk)
			return 0;
		right = is_right(top);
		node = top->Parent;
	}
	return -1;
}

int rtl_avl_remove(PRTL_BALANCED_LINKS root, PRTL_BALANCED_LINKS node)
{
	PRTL_BALANCED_LINKS taken = node;
	/* A node with two children is replaced by its neighbour, from the higher side. */
	if (node->LeftChild && node->RightChild)
		taken = neighbour(root, node, node->Balance > 0);
	PRTL_BALANCED_LINKS from = taken->Parent;
	bool right = is_right(taken);
	link_child(from, right, taken->LeftChild ? taken->LeftChild : taken->RightChild);
	if (taken != node) {
		link_child(node->Parent, is_right(node), taken);
		link_child(taken, false, node->LeftChild);
		link_child(taken, true, node->RightChild);
		taken->Balance = node->Balance;
		from = from == node ? taken : from;
	}
	return lower(root, from, right);
}

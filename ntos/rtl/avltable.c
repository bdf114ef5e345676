/* SPDX-License-Identifier: MIT */
/*
 * Generic tables of AVL trees.
 *
 * An element is one allocation of the driver's, the links and then the data. The table
 * remembers where RtlEnumerateGenericTableAvl stands, which a removal sets back, and which
 * element was asked for last by its place, which any change forgets.
 *
 * Pages: RtlInitializeGenericTableAvl and those that it leads to,
 * RtlEnumerateGenericTableLikeADirectory.
 */
#include "rtl/generictable.h"
#include <stdbool.h>
#include <string.h>

static PVOID data_of(PRTL_BALANCED_LINKS node)
{
	return node ? node + 1 : NULL;
}

static void forget_place(PRTL_AVL_TABLE table)
{
	table->OrderedPointer = NULL;
	table->WhichOrderedElement = 0;
}

VOID NTAPI RtlInitializeGenericTableAvl(PRTL_AVL_TABLE Table,
					RTL_AVL_COMPARE_ROUTINE *CompareRoutine,
					RTL_AVL_ALLOCATE_ROUTINE *AllocateRoutine,
					RTL_AVL_FREE_ROUTINE *FreeRoutine, PVOID TableContext)
{
	*Table = (RTL_AVL_TABLE){
		.BalancedRoot.Parent = &Table->BalancedRoot,
		.CompareRoutine = CompareRoutine,
		.AllocateRoutine = AllocateRoutine,
		.FreeRoutine = FreeRoutine,
		.TableContext = TableContext,
	};
}

/* ---- Searching ------------------------------------------------------------------------ */

static TABLE_SEARCH_RESULT search(PRTL_AVL_TABLE table, PVOID buffer, PRTL_BALANCED_LINKS *place)
{
	PRTL_BALANCED_LINKS node = table->BalancedRoot.RightChild;
	*place = &table->BalancedRoot;
	if (!node)
		return TableEmptyTree;
	for (;;) {
		*place = node;
		RTL_GENERIC_COMPARE_RESULTS order = table->CompareRoutine(table, buffer,
									  data_of(node));
		if (order != GenericLessThan && order != GenericGreaterThan)
			return TableFoundNode;
		node = order == GenericLessThan ? node->LeftChild : node->RightChild;
		if (!node)
			return order == GenericLessThan ? TableInsertAsLeft : TableInsertAsRight;
	}
}

PVOID NTAPI RtlLookupElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer,
						PVOID *NodeOrParent,
						TABLE_SEARCH_RESULT *SearchResult)
{
	PRTL_BALANCED_LINKS place;
	*SearchResult = search(Table, Buffer, &place);
	*NodeOrParent = place;
	return *SearchResult == TableFoundNode ? data_of(place) : NULL;
}

PVOID NTAPI RtlLookupElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer)
{
	PRTL_BALANCED_LINKS place;
	return search(Table, Buffer, &place) == TableFoundNode ? data_of(place) : NULL;
}

/* Elements that are equal for this routine are neighbours. */
PVOID NTAPI RtlLookupFirstMatchingElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer,
							 PVOID *RestartKey)
{
	PRTL_BALANCED_LINKS node = Table->BalancedRoot.RightChild, found = NULL;
	while (node) {
		RTL_GENERIC_COMPARE_RESULTS order = Table->CompareRoutine(Table, Buffer,
									  data_of(node));
		if (order == GenericEqual)
			found = node;
		node = order == GenericGreaterThan ? node->RightChild : node->LeftChild;
	}
	*RestartKey = found;
	return data_of(found);
}

/* ---- Changing --------------------------------------------------------------------------- */

PVOID NTAPI RtlInsertElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer,
						ULONG BufferSize, PBOOLEAN NewElement,
						PVOID NodeOrParent,
						TABLE_SEARCH_RESULT SearchResult)
{
	if (NewElement)
		*NewElement = FALSE;
	if (SearchResult == TableFoundNode)
		return data_of(NodeOrParent);
	PRTL_BALANCED_LINKS node = Table->AllocateRoutine(Table,
							  sizeof(RTL_BALANCED_LINKS) + BufferSize);
	if (!node)
		return NULL;
	PRTL_BALANCED_LINKS root = &Table->BalancedRoot;
	PRTL_BALANCED_LINKS parent = SearchResult == TableEmptyTree ? root : NodeOrParent;
	Table->DepthOfTree += (ULONG)rtl_avl_insert(root, parent, node,
						    SearchResult != TableInsertAsLeft);
	Table->NumberGenericTableElements++;
	forget_place(Table);
	memcpy(data_of(node), Buffer, BufferSize);
	if (NewElement)
		*NewElement = TRUE;
	return data_of(node);
}

PVOID NTAPI RtlInsertElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer, ULONG BufferSize,
					    PBOOLEAN NewElement)
{
	PRTL_BALANCED_LINKS place;
	TABLE_SEARCH_RESULT result = search(Table, Buffer, &place);
	return RtlInsertElementGenericTableFullAvl(Table, Buffer, BufferSize, NewElement, place,
						   result);
}

VOID NTAPI RtlDeleteElementGenericTableAvlEx(PRTL_AVL_TABLE Table, PVOID NodeOrParent)
{
	PRTL_BALANCED_LINKS root = &Table->BalancedRoot, node = NodeOrParent;
	if (Table->RestartKey == node)
		Table->RestartKey = rtl_avl_previous(root, node);
	Table->DepthOfTree += (ULONG)rtl_avl_remove(root, node);
	Table->NumberGenericTableElements--;
	Table->DeleteCount++;
	forget_place(Table);
	Table->FreeRoutine(Table, node);
}

BOOLEAN NTAPI RtlDeleteElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer)
{
	PRTL_BALANCED_LINKS place;
	if (search(Table, Buffer, &place) != TableFoundNode)
		return FALSE;
	RtlDeleteElementGenericTableAvlEx(Table, place);
	return TRUE;
}

/* ---- Going through it ----------------------------------------------------------------------- */

static PRTL_BALANCED_LINKS after(PRTL_AVL_TABLE table, PRTL_BALANCED_LINKS node)
{
	PRTL_BALANCED_LINKS root = &table->BalancedRoot;
	return node ? rtl_avl_next(root, node) : rtl_avl_first(root);
}

PVOID NTAPI RtlEnumerateGenericTableWithoutSplayingAvl(PRTL_AVL_TABLE Table, PVOID *RestartKey)
{
	PRTL_BALANCED_LINKS node = after(Table, *RestartKey);
	if (node)
		*RestartKey = node;
	return data_of(node);
}

PVOID NTAPI RtlEnumerateGenericTableAvl(PRTL_AVL_TABLE Table, BOOLEAN Restart)
{
	PRTL_BALANCED_LINKS node = after(Table, Restart ? NULL : Table->RestartKey);
	if (node)
		Table->RestartKey = node;
	return data_of(node);
}

/* The element that is equal to Buffer, or the first that comes after it. *exact says
 * which. */
static PRTL_BALANCED_LINKS seek(PRTL_AVL_TABLE table, PVOID buffer, bool *exact)
{
	PRTL_BALANCED_LINKS place;
	TABLE_SEARCH_RESULT result = search(table, buffer, &place);
	*exact = result == TableFoundNode;
	if (result == TableEmptyTree)
		return NULL;
	return result == TableInsertAsRight ? after(table, place) : place;
}

PVOID NTAPI RtlEnumerateGenericTableLikeADirectory(PRTL_AVL_TABLE Table,
						   RTL_AVL_MATCH_FUNCTION *MatchFunction,
						   PVOID MatchData, ULONG NextFlag,
						   PVOID *RestartKey, PULONG DeleteCount,
						   PVOID Buffer)
{
	bool exact = true;
	PRTL_BALANCED_LINKS node = *RestartKey;
	if (!node || *DeleteCount != Table->DeleteCount)
		node = seek(Table, Buffer, &exact);
	if (node && exact && NextFlag)
		node = after(Table, node);
	*DeleteCount = Table->DeleteCount;
	for (; node; node = after(Table, node)) {
		NTSTATUS status = MatchFunction ? MatchFunction(Table, data_of(node), MatchData)
						: STATUS_SUCCESS;
		if (status == STATUS_NO_MORE_MATCHES)
			return NULL;
		if (status != STATUS_NO_MATCH)
			break;
	}
	if (node)
		*RestartKey = node;
	return data_of(node);
}

PVOID NTAPI RtlGetElementGenericTableAvl(PRTL_AVL_TABLE Table, ULONG I)
{
	if (I >= Table->NumberGenericTableElements)
		return NULL;
	if (I + 1 < Table->WhichOrderedElement)
		forget_place(Table);
	while (Table->WhichOrderedElement <= I) {
		Table->OrderedPointer = after(Table, Table->OrderedPointer);
		Table->WhichOrderedElement++;
	}
	return data_of(Table->OrderedPointer);
}

ULONG NTAPI RtlNumberGenericTableElementsAvl(PRTL_AVL_TABLE Table)
{
	return Table->NumberGenericTableElements;
}

BOOLEAN NTAPI RtlIsGenericTableEmptyAvl(PRTL_AVL_TABLE Table)
{
	return Table->NumberGenericTableElements == 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Generic tables of splay trees.
 *
 * An element is one allocation of the driver's: links into the tree, a link into the list
 * of insertions, the data. The table remembers which element was asked for last by its
 * place, so that going through all of them by place is linear; a removal forgets it.
 *
 * Pages: RtlInitializeGenericTable and those that it leads to.
 */
#include "rtl/generictable.h"
#include "ke/list.h"
#include <string.h>

struct element {
	RTL_SPLAY_LINKS links;
	LIST_ENTRY order;
	char data[];
};
_Static_assert(offsetof(struct element, data) == 0x28, "what drivers allocate in addition");

static struct element *element_of(PRTL_SPLAY_LINKS links)
{
	return (struct element *)(void *)links;
}

static PVOID data_of(PRTL_SPLAY_LINKS links)
{
	return links ? element_of(links)->data : NULL;
}

static void forget_place(PRTL_GENERIC_TABLE table)
{
	table->OrderedPointer = &table->InsertOrderList;
	table->WhichOrderedElement = 0;
}

VOID NTAPI RtlInitializeGenericTable(PRTL_GENERIC_TABLE Table,
				     RTL_GENERIC_COMPARE_ROUTINE *CompareRoutine,
				     RTL_GENERIC_ALLOCATE_ROUTINE *AllocateRoutine,
				     RTL_GENERIC_FREE_ROUTINE *FreeRoutine, PVOID TableContext)
{
	*Table = (RTL_GENERIC_TABLE){
		.CompareRoutine = CompareRoutine,
		.AllocateRoutine = AllocateRoutine,
		.FreeRoutine = FreeRoutine,
		.TableContext = TableContext,
	};
	list_init(&Table->InsertOrderList);
	forget_place(Table);
}

/* ---- Searching ------------------------------------------------------------------------ */

static TABLE_SEARCH_RESULT search(PRTL_GENERIC_TABLE table, PVOID buffer, PRTL_SPLAY_LINKS *place)
{
	PRTL_SPLAY_LINKS node = table->TableRoot;
	*place = node;
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

PVOID NTAPI RtlLookupElementGenericTableFull(PRTL_GENERIC_TABLE Table, PVOID Buffer,
					     PVOID *NodeOrParent, TABLE_SEARCH_RESULT *SearchResult)
{
	PRTL_SPLAY_LINKS place;
	*SearchResult = search(Table, Buffer, &place);
	*NodeOrParent = place;
	if (*SearchResult != TableFoundNode)
		return NULL;
	Table->TableRoot = RtlSplay(place);
	return data_of(place);
}

PVOID NTAPI RtlLookupElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
	PVOID place;
	TABLE_SEARCH_RESULT result;
	return RtlLookupElementGenericTableFull(Table, Buffer, &place, &result);
}

/* ---- Changing --------------------------------------------------------------------------- */

static void link_element(PRTL_GENERIC_TABLE table, struct element *element, PRTL_SPLAY_LINKS parent,
			 TABLE_SEARCH_RESULT where)
{
	element->links = (RTL_SPLAY_LINKS){.Parent = parent ? parent : &element->links};
	if (where == TableInsertAsLeft)
		parent->LeftChild = &element->links;
	else if (where == TableInsertAsRight)
		parent->RightChild = &element->links;
	list_add_last(&table->InsertOrderList, &element->order);
	table->NumberGenericTableElements++;
}

PVOID NTAPI RtlInsertElementGenericTableFull(PRTL_GENERIC_TABLE Table, PVOID Buffer,
					     ULONG BufferSize, PBOOLEAN NewElement,
					     PVOID NodeOrParent, TABLE_SEARCH_RESULT SearchResult)
{
	PRTL_SPLAY_LINKS place = NodeOrParent;
	bool found = SearchResult == TableFoundNode;
	struct element *element;
	if (NewElement)
		*NewElement = FALSE;
	if (found) {
		element = element_of(place);
	} else {
		element = Table->AllocateRoutine(Table,
						 offsetof(struct element, data) + BufferSize);
		if (!element)
			return NULL;
		link_element(Table, element, SearchResult == TableEmptyTree ? NULL : place,
			     SearchResult);
		memcpy(element->data, Buffer, BufferSize);
	}
	Table->TableRoot = RtlSplay(&element->links);
	if (NewElement)
		*NewElement = !found;
	return element->data;
}

PVOID NTAPI RtlInsertElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer, ULONG BufferSize,
					 PBOOLEAN NewElement)
{
	PRTL_SPLAY_LINKS place;
	TABLE_SEARCH_RESULT result = search(Table, Buffer, &place);
	return RtlInsertElementGenericTableFull(Table, Buffer, BufferSize, NewElement, place,
						result);
}

BOOLEAN NTAPI RtlDeleteElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
	PRTL_SPLAY_LINKS place;
	if (search(Table, Buffer, &place) != TableFoundNode)
		return FALSE;
	Table->TableRoot = RtlDelete(place);
	list_remove(&element_of(place)->order);
	Table->NumberGenericTableElements--;
	forget_place(Table);
	Table->FreeRoutine(Table, place);
	return TRUE;
}

/* ---- Going through it ----------------------------------------------------------------------- */

static PRTL_SPLAY_LINKS first(PRTL_GENERIC_TABLE table)
{
	PRTL_SPLAY_LINKS node = table->TableRoot;
	while (node && node->LeftChild)
		node = node->LeftChild;
	return node;
}

/* The root is where it stands. */
PVOID NTAPI RtlEnumerateGenericTable(PRTL_GENERIC_TABLE Table, BOOLEAN Restart)
{
	PRTL_SPLAY_LINKS node = Table->TableRoot;
	if (node)
		node = Restart ? first(Table) : RtlRealSuccessor(node);
	if (node)
		Table->TableRoot = RtlSplay(node);
	return data_of(node);
}

PVOID NTAPI RtlEnumerateGenericTableWithoutSplaying(PRTL_GENERIC_TABLE Table, PVOID *RestartKey)
{
	PRTL_SPLAY_LINKS node = *RestartKey ? RtlRealSuccessor(*RestartKey) : first(Table);
	if (node)
		*RestartKey = node;
	return data_of(node);
}

PVOID NTAPI RtlGetElementGenericTable(PRTL_GENERIC_TABLE Table, ULONG I)
{
	if (I >= Table->NumberGenericTableElements)
		return NULL;
	const ULONG wanted = I + 1;
	if (wanted < Table->WhichOrderedElement / 2)
		forget_place(Table);
	while (Table->WhichOrderedElement < wanted) {
		Table->OrderedPointer = Table->OrderedPointer->Flink;
		Table->WhichOrderedElement++;
	}
	while (Table->WhichOrderedElement > wanted) {
		Table->OrderedPointer = Table->OrderedPointer->Blink;
		Table->WhichOrderedElement--;
	}
	return LIST_OWNER(Table->OrderedPointer, struct element, order)->data;
}

ULONG NTAPI RtlNumberGenericTableElements(PRTL_GENERIC_TABLE Table)
{
	return Table->NumberGenericTableElements;
}

BOOLEAN NTAPI RtlIsGenericTableEmpty(PRTL_GENERIC_TABLE Table)
{
	return !Table->TableRoot;
}

/* SPDX-License-Identifier: MIT */
/*
 * Generic tables: ordered sets of the driver's elements, as splay trees or as AVL trees,
 * and the splay links by themselves.
 *
 * The table lies in the driver; elements are what its AllocateRoutine gives, links first
 * and then the data. The driver keeps other threads away. Every call may call the driver's
 * routines, at the caller's IRQL. A parent that is the node itself marks the root of a
 * splay tree; that of an AVL tree is the right child of BalancedRoot.
 */
#ifndef RINGSIDE_RTL_GENERICTABLE_H
#define RINGSIDE_RTL_GENERICTABLE_H

#include <ringside/nt.h>
#include <stddef.h>

typedef enum _TABLE_SEARCH_RESULT {
	TableEmptyTree,
	TableFoundNode,
	TableInsertAsLeft,
	TableInsertAsRight
} TABLE_SEARCH_RESULT;

typedef enum _RTL_GENERIC_COMPARE_RESULTS {
	GenericLessThan,
	GenericGreaterThan,
	GenericEqual
} RTL_GENERIC_COMPARE_RESULTS;

/* ---- Splay links -------------------------------------------------------------- */

typedef struct _RTL_SPLAY_LINKS {
	struct _RTL_SPLAY_LINKS *Parent, *LeftChild, *RightChild;
} RTL_SPLAY_LINKS, *PRTL_SPLAY_LINKS;

/* Moves the node to the root, which is returned. */
PRTL_SPLAY_LINKS NTAPI RtlSplay(PRTL_SPLAY_LINKS Links);

/* Takes the node out. RtlDelete splays its parent and returns the root, or NULL. */
PRTL_SPLAY_LINKS NTAPI RtlDelete(PRTL_SPLAY_LINKS Links);
VOID NTAPI RtlDeleteNoSplay(PRTL_SPLAY_LINKS Links, PRTL_SPLAY_LINKS *Root);

/* The neighbour in order: in the node's own subtree, or anywhere; or NULL. */
PRTL_SPLAY_LINKS NTAPI RtlSubtreeSuccessor(PRTL_SPLAY_LINKS Links);
PRTL_SPLAY_LINKS NTAPI RtlSubtreePredecessor(PRTL_SPLAY_LINKS Links);
PRTL_SPLAY_LINKS NTAPI RtlRealSuccessor(PRTL_SPLAY_LINKS Links);
PRTL_SPLAY_LINKS NTAPI RtlRealPredecessor(PRTL_SPLAY_LINKS Links);

/* ---- Tables of splay trees ------------------------------------------------------- */

struct _RTL_GENERIC_TABLE;
typedef RTL_GENERIC_COMPARE_RESULTS NTAPI
RTL_GENERIC_COMPARE_ROUTINE(struct _RTL_GENERIC_TABLE *Table, PVOID FirstStruct,
			    PVOID SecondStruct);
typedef PVOID NTAPI RTL_GENERIC_ALLOCATE_ROUTINE(struct _RTL_GENERIC_TABLE *Table, ULONG ByteSize);
typedef VOID NTAPI RTL_GENERIC_FREE_ROUTINE(struct _RTL_GENERIC_TABLE *Table, PVOID Buffer);

typedef struct _RTL_GENERIC_TABLE {
	PRTL_SPLAY_LINKS TableRoot;
	LIST_ENTRY InsertOrderList;
	PLIST_ENTRY OrderedPointer; /* the element that was asked for last by its place, */
	ULONG WhichOrderedElement;  /* and that place, from 1; 0: the list's head */
	ULONG NumberGenericTableElements;
	RTL_GENERIC_COMPARE_ROUTINE *CompareRoutine;
	RTL_GENERIC_ALLOCATE_ROUTINE *AllocateRoutine;
	RTL_GENERIC_FREE_ROUTINE *FreeRoutine;
	PVOID TableContext;
} RTL_GENERIC_TABLE, *PRTL_GENERIC_TABLE;
_Static_assert(sizeof(RTL_GENERIC_TABLE) == 0x48, "drivers embed it");
_Static_assert(offsetof(RTL_GENERIC_TABLE, CompareRoutine) == 0x28, "ntddk.h");

VOID NTAPI RtlInitializeGenericTable(PRTL_GENERIC_TABLE Table,
				     RTL_GENERIC_COMPARE_ROUTINE *CompareRoutine,
				     RTL_GENERIC_ALLOCATE_ROUTINE *AllocateRoutine,
				     RTL_GENERIC_FREE_ROUTINE *FreeRoutine, PVOID TableContext);

/* The element's data: the one that is equal, or a new one with a copy of Buffer; NULL
 * when AllocateRoutine gives nothing. */
PVOID NTAPI RtlInsertElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer, ULONG BufferSize,
					 PBOOLEAN NewElement);
PVOID NTAPI RtlInsertElementGenericTableFull(PRTL_GENERIC_TABLE Table, PVOID Buffer,
					     ULONG BufferSize, PBOOLEAN NewElement,
					     PVOID NodeOrParent, TABLE_SEARCH_RESULT SearchResult);
BOOLEAN NTAPI RtlDeleteElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer);
PVOID NTAPI RtlLookupElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer);

/* Also where it is, or where it would be inserted. */
PVOID NTAPI RtlLookupElementGenericTableFull(PRTL_GENERIC_TABLE Table, PVOID Buffer,
					     PVOID *NodeOrParent,
					     TABLE_SEARCH_RESULT *SearchResult);

/* In order; NULL at the end. */
PVOID NTAPI RtlEnumerateGenericTable(PRTL_GENERIC_TABLE Table, BOOLEAN Restart);
PVOID NTAPI RtlEnumerateGenericTableWithoutSplaying(PRTL_GENERIC_TABLE Table, PVOID *RestartKey);

/* The I-th in the order of insertion, from 0; NULL beyond the last. */
PVOID NTAPI RtlGetElementGenericTable(PRTL_GENERIC_TABLE Table, ULONG I);
ULONG NTAPI RtlNumberGenericTableElements(PRTL_GENERIC_TABLE Table);
BOOLEAN NTAPI RtlIsGenericTableEmpty(PRTL_GENERIC_TABLE Table);

/* ---- Tables of AVL trees ----------------------------------------------------------- */

typedef struct _RTL_BALANCED_LINKS {
	struct _RTL_BALANCED_LINKS *Parent, *LeftChild, *RightChild;
	CCHAR Balance; /* the right side's height minus the left one's */
	UCHAR Reserved[3];
} RTL_BALANCED_LINKS, *PRTL_BALANCED_LINKS;
_Static_assert(sizeof(RTL_BALANCED_LINKS) == 0x20, "ntddk.h");

struct _RTL_AVL_TABLE;
typedef RTL_GENERIC_COMPARE_RESULTS NTAPI
RTL_AVL_COMPARE_ROUTINE(struct _RTL_AVL_TABLE *Table, PVOID FirstStruct, PVOID SecondStruct);
typedef PVOID NTAPI RTL_AVL_ALLOCATE_ROUTINE(struct _RTL_AVL_TABLE *Table, ULONG ByteSize);
typedef VOID NTAPI RTL_AVL_FREE_ROUTINE(struct _RTL_AVL_TABLE *Table, PVOID Buffer);
typedef NTSTATUS NTAPI RTL_AVL_MATCH_FUNCTION(struct _RTL_AVL_TABLE *Table, PVOID UserData,
					      PVOID MatchData);

typedef struct _RTL_AVL_TABLE {
	RTL_BALANCED_LINKS BalancedRoot;
	PVOID OrderedPointer;
	ULONG WhichOrderedElement;
	ULONG NumberGenericTableElements;
	ULONG DepthOfTree;
	PRTL_BALANCED_LINKS RestartKey; /* of RtlEnumerateGenericTableAvl */
	ULONG DeleteCount;
	RTL_AVL_COMPARE_ROUTINE *CompareRoutine;
	RTL_AVL_ALLOCATE_ROUTINE *AllocateRoutine;
	RTL_AVL_FREE_ROUTINE *FreeRoutine;
	PVOID TableContext;
} RTL_AVL_TABLE, *PRTL_AVL_TABLE;
_Static_assert(sizeof(RTL_AVL_TABLE) == 0x68, "drivers embed it");
_Static_assert(offsetof(RTL_AVL_TABLE, RestartKey) == 0x38, "ntddk.h");
_Static_assert(offsetof(RTL_AVL_TABLE, CompareRoutine) == 0x48, "ntddk.h");

/* Of an AVL tree's node, in order; or NULL. `root` is the table's BalancedRoot. */
PRTL_BALANCED_LINKS rtl_avl_first(PRTL_BALANCED_LINKS root);
PRTL_BALANCED_LINKS rtl_avl_next(PRTL_BALANCED_LINKS root, PRTL_BALANCED_LINKS node);
PRTL_BALANCED_LINKS rtl_avl_previous(PRTL_BALANCED_LINKS root, PRTL_BALANCED_LINKS node);

/* Puts a new leaf under `parent`; takes any node out. How much the tree's height grew. */
int rtl_avl_insert(PRTL_BALANCED_LINKS root, PRTL_BALANCED_LINKS parent, PRTL_BALANCED_LINKS node,
		   BOOLEAN right);
int rtl_avl_remove(PRTL_BALANCED_LINKS root, PRTL_BALANCED_LINKS node);

/* As those above, but that RtlGetElementGenericTableAvl counts in the order of the keys, as
 * it does on Windows, for all that its page says: nodes have no place for another order. */
VOID NTAPI RtlInitializeGenericTableAvl(PRTL_AVL_TABLE Table,
					RTL_AVL_COMPARE_ROUTINE *CompareRoutine,
					RTL_AVL_ALLOCATE_ROUTINE *AllocateRoutine,
					RTL_AVL_FREE_ROUTINE *FreeRoutine, PVOID TableContext);
PVOID NTAPI RtlInsertElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer, ULONG BufferSize,
					    PBOOLEAN NewElement);
PVOID NTAPI RtlInsertElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer,
						ULONG BufferSize, PBOOLEAN NewElement,
						PVOID NodeOrParent,
						TABLE_SEARCH_RESULT SearchResult);
BOOLEAN NTAPI RtlDeleteElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer);
VOID NTAPI RtlDeleteElementGenericTableAvlEx(PRTL_AVL_TABLE Table, PVOID NodeOrParent);
PVOID NTAPI RtlLookupElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer);
PVOID NTAPI RtlLookupElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer,
						PVOID *NodeOrParent,
						TABLE_SEARCH_RESULT *SearchResult);
PVOID NTAPI RtlLookupFirstMatchingElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer,
							 PVOID *RestartKey);
PVOID NTAPI RtlEnumerateGenericTableAvl(PRTL_AVL_TABLE Table, BOOLEAN Restart);
PVOID NTAPI RtlEnumerateGenericTableWithoutSplayingAvl(PRTL_AVL_TABLE Table, PVOID *RestartKey);
PVOID NTAPI RtlEnumerateGenericTableLikeADirectory(PRTL_AVL_TABLE Table,
						   RTL_AVL_MATCH_FUNCTION *MatchFunction,
						   PVOID MatchData, ULONG NextFlag,
						   PVOID *RestartKey, PULONG DeleteCount,
						   PVOID Buffer);
PVOID NTAPI RtlGetElementGenericTableAvl(PRTL_AVL_TABLE Table, ULONG I);
ULONG NTAPI RtlNumberGenericTableElementsAvl(PRTL_AVL_TABLE Table);
BOOLEAN NTAPI RtlIsGenericTableEmptyAvl(PRTL_AVL_TABLE Table);

#endif

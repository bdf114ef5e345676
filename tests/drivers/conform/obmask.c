/* SPDX-License-Identifier: MIT */
/*
 * Access masks: what a pre routine is shown, what it can take, and what it cannot.
 *
 * Clauses: OB-47, OB-48, OB-50 to OB-58.
 */
#include "layers.h"

#define UPPER L"385960.7021"
#define LOWER L"385960.7020"

/* What the documentation lets a driver remove. */
#define LISTED_PROCESS_RIGHTS 0xBEBu
#define LISTED_THREAD_RIGHTS 0x7B3u

static VOID CheckMapping(LAYER *Layer)
{
	static const ACCESS_MASK generic[] = {GENERIC_READ, GENERIC_WRITE, GENERIC_EXECUTE,
					      GENERIC_ALL, MAXIMUM_ALLOWED};
	const ACCESS_MASK never = GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL |
				  MAXIMUM_ALLOWED;
	PACCESS_MASK original = &Layer->PreParameters.CreateHandleInformation.OriginalDesiredAccess;
	ULONG i;

	for (i = 0; i < RTL_NUMBER_OF(generic); i++) {
		OpenAndClose(generic[i]);
		CHECK("OB-47", *original != 0 && !(*original & never),
		      "generic rights and MAXIMUM_ALLOWED are resolved before pre, of processes");
		OpenAndCloseThread(generic[i]);
		CHECK("OB-47", *original != 0 && !(*original & never), "and of threads");
	}
	OpenAndClose(GENERIC_ALL);
	CHECK("OB-47", *original == PROCESS_ALL_ACCESS, "GENERIC_ALL is 0x1FFFFF");

	OpenAndClose(PROCESS_QUERY_INFORMATION);
	CHECK("OB-48", *original == (PROCESS_QUERY_INFORMATION | PROCESS_QUERY_LIMITED_INFORMATION),
	      "0x400 brings 0x1000 along");
	OpenAndClose(PROCESS_SET_INFORMATION);
	CHECK("OB-48", *original == (PROCESS_SET_INFORMATION | PROCESS_SET_LIMITED_INFORMATION),
	      "0x200 brings 0x2000 along");
}

static VOID CheckRetained(LAYER *Layer)
{
	Layer->Remove = ~0u;
	CHECK("OB-53", OpenAndClose(PROCESS_ALL_ACCESS) == PROCESS_RETAINED,
	      "of all rights to a process, 0x101000 cannot be removed");
	CHECK("OB-54", OpenAndCloseThread(THREAD_ALL_ACCESS) == THREAD_RETAINED,
	      "of all rights to a thread, 0x101800 cannot be removed (inferred)");
	CHECK("OB-53", OpenAndClose(PROCESS_VM_READ | SYNCHRONIZE) == SYNCHRONIZE,
	      "what cannot be removed is kept only where it was asked for");
	CHECK("OB-52", OpenAndClose(PROCESS_VM_READ) == 0,
	      "removing everything leaves a handle without rights (inferred)");
	Layer->Remove = 0;
}

static VOID CheckRemovable(LAYER *Layer)
{
	ACCESS_MASK bit;

	for (bit = 1; bit < 0x1000; bit <<= 1) {
		Layer->Remove = bit;
		if (LISTED_PROCESS_RIGHTS & bit)
			CHECK("OB-55", !(OpenAndClose(PROCESS_ALL_ACCESS) & bit),
			      "each listed right to a process can be removed");
		if (LISTED_THREAD_RIGHTS & bit)
			CHECK("OB-57", !(OpenAndCloseThread(THREAD_ALL_ACCESS) & bit),
			      "each listed right to a thread can be removed");
	}
	Layer->Remove = PROCESS_VM_READ | PROCESS_QUERY_INFORMATION;
	CHECK("OB-56", OpenAndClose(PROCESS_ALL_ACCESS) == (PROCESS_ALL_ACCESS & ~0x410u),
	      "VM_READ and QUERY_INFORMATION can be too");
	CHECK("OB-58", OpenAndClose(PROCESS_VM_READ) == 0 && Layer->Post.KernelHandle,
	      "kernel handles are masked as well (inferred)");
	Layer->Remove = 0;
}

static VOID CheckAdding(LAYER *Layer)
{
	Layer->Add = PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION;
	CHECK("OB-51", OpenAndClose(PROCESS_VM_READ) == PROCESS_VM_READ,
	      "rights that were not asked for cannot be added");
	Layer->Remove = PROCESS_VM_READ;
	CHECK("OB-52", OpenAndClose(PROCESS_VM_READ) == 0,
	      "excess rights vanish silently (inferred)");
	Layer->Remove = Layer->Add = 0;
}

static VOID CheckChain(LAYER *Upper)
{
	OB_PRE_CREATE_HANDLE_INFORMATION *told;
	LAYER lower;

	LayerInitialise(&lower, 'B');
	if (!NT_SUCCESS(LayerRegister(&lower, LOWER)))
		return;
	told = &lower.PreParameters.CreateHandleInformation;
	Upper->Remove = PROCESS_VM_READ;
	CHECK("OB-50",
	      OpenAndClose(PROCESS_VM_READ | SYNCHRONIZE) == SYNCHRONIZE &&
		      told->DesiredAccess == SYNCHRONIZE,
	      "a lower altitude is shown what a higher one left");
	CHECK("OB-50", told->OriginalDesiredAccess == (PROCESS_VM_READ | SYNCHRONIZE),
	      "and what was asked for");
	lower.Add = PROCESS_VM_READ;
	CHECK("OB-50",
	      OpenAndClose(PROCESS_VM_READ | SYNCHRONIZE) == (PROCESS_VM_READ | SYNCHRONIZE),
	      "it can restore what the higher one removed");
	lower.Add = 0;
	lower.Remove = SYNCHRONIZE;
	CHECK("OB-52",
	      OpenAndClose(PROCESS_VM_READ | PROCESS_TERMINATE | SYNCHRONIZE) ==
		      (PROCESS_TERMINATE | SYNCHRONIZE),
	      "granted is what the last one left and what is retained, of what was asked "
	      "(inferred)");
	Upper->Remove = 0;
	LayerUnregister(&lower);
}

VOID CheckAccessMasks(VOID)
{
	LAYER layer;

	LayerInitialise(&layer, 'A');
	if (!NT_SUCCESS(LayerRegister(&layer, UPPER)))
		return;
	LayersBegin();
	CheckMapping(&layer);
	CheckRetained(&layer);
	CheckRemovable(&layer);
	CheckAdding(&layer);
	CheckChain(&layer);
	LayersEnd();
	LayerUnregister(&layer);
}

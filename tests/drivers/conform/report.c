/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a check.
 *
 *	conform: PS-06 ok a full table is INVALID_PARAMETER
 *	conform: PS-06 FAILED a full table is INVALID_PARAMETER (psregister.c:71: got ...)
 *	conform: PS-43 not seen a Linux process has a Linux path
 *	conform: 312 ok, 0 failed, 4 not seen
 *
 * A check is counted once however often it was made, and has failed when it failed
 * once. Callbacks make checks on any thread, so the counters are interlocked.
 */
#include "conform.h"

/* A check that fails all the time is not to fill the log. */
#define FAILURES_TOLD 5

CONFORM_SECTION("conform$a") CONFORM_CHECK FirstCheck = {0};
CONFORM_SECTION("conform$c") CONFORM_CHECK LastCheck = {0};

static PCSTR FileName(PCSTR Path)
{
	PCSTR last = Path;

	for (; *Path != '\0'; Path++) {
		if (*Path == '/' || *Path == '\\')
			last = Path + 1;
	}
	return last;
}

VOID ConformReport(CONFORM_CHECK *Check, BOOLEAN Holds)
{
	if (Holds) {
		if (InterlockedIncrement(&Check->Passed) == 1)
			ConformPrint("%s ok %s\n", Check->Clause, Check->Text);
	} else if (InterlockedIncrement(&Check->Failed) <= FAILURES_TOLD) {
		ConformPrint("%s FAILED %s (%s:%lu)\n", Check->Clause, Check->Text,
			     FileName(Check->File), Check->Line);
	}
}

VOID ConformReportStatus(CONFORM_CHECK *Check, NTSTATUS Status, NTSTATUS Expected)
{
	if (Status == Expected)
		ConformReport(Check, TRUE);
	else if (InterlockedIncrement(&Check->Failed) <= FAILURES_TOLD)
		ConformPrint("%s FAILED %s (%s:%lu: got 0x%08lX, not 0x%08lX)\n", Check->Clause,
			     Check->Text, FileName(Check->File), Check->Line, Status, Expected);
}

VOID ConformSummarise(VOID)
{
	CONFORM_CHECK *check;
	ULONG ok = 0, failed = 0, unseen = 0;

	for (check = &FirstCheck + 1; check < &LastCheck; check++) {
		if (check->Clause == NULL)
			continue;
		if (check->Failed != 0) {
			failed++;
		} else if (check->Passed != 0) {
			ok++;
		} else {
			unseen++;
			ConformPrint("%s not seen %s\n", check->Clause, check->Text);
		}
	}
	ConformPrint("%lu ok, %lu failed, %lu not seen\n", ok, failed, unseen);
}

/* SPDX-License-Identifier: MIT */
/* Protected processes: what EPROCESS.protection says, in NT's PS_PROTECTION. */
#include "ps/attribute.h"
#include "ps/process.h"

#define TYPE_MASK 7
#define TYPE_LIGHT 1

UCHAR NTAPI PsGetProcessProtection(PEPROCESS Process)
{
	return Process->protection;
}

BOOLEAN NTAPI PsIsProtectedProcess(PEPROCESS Process)
{
	return (Process->protection & TYPE_MASK) != 0;
}

BOOLEAN NTAPI PsIsProtectedProcessLight(PEPROCESS Process)
{
	return (Process->protection & TYPE_MASK) == TYPE_LIGHT;
}

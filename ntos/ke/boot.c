/* SPDX-License-Identifier: MIT */
#include "ke/boot.h"
#include "ke/shared.h"
#include "ke/thread.h"
#include "ke/fault.h"
#include "trap.h"

int ke_boot(void)
{
	ke_fill_shared_data();
	ke_claim_own_threads();
	int error = host_catch_traps(ke_fault);
	if (error)
		ke_drop_own_threads();
	return error;
}

void ke_shutdown(void)
{
	host_release_traps();
	ke_drop_own_threads();
}

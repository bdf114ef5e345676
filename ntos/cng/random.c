/* SPDX-License-Identifier: MIT */
/* Random numbers: those of Linux. No state. Page: BCryptGenRandom. */
#include "cng/object.h"
#include "ke/bugcheck.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>

NTSTATUS NTAPI BCryptGenRandom(BCRYPT_ALG_HANDLE hAlgorithm, PUCHAR pbBuffer, ULONG cbBuffer,
			       ULONG dwFlags)
{
	const struct cng_provider *provider = hAlgorithm ? cng_provider_of(hAlgorithm) : NULL;
	const bool preferred = dwFlags & BCRYPT_USE_SYSTEM_PREFERRED_RNG;
	if (hAlgorithm ? !provider : !preferred)
		return STATUS_INVALID_HANDLE;
	if (!pbBuffer || (hAlgorithm && preferred) ||
	    (dwFlags & ~(BCRYPT_USE_SYSTEM_PREFERRED_RNG | BCRYPT_RNG_USE_ENTROPY_IN_BUFFER)))
		return STATUS_INVALID_PARAMETER;
	if (provider && provider->algorithm->class != CNG_RNG)
		return STATUS_NOT_SUPPORTED;
	while (cbBuffer) {
		UCHAR some[256]; /* so that a bad buffer is its owner's fault, not Linux's error */
		const ULONG wanted = cbBuffer < sizeof(some) ? cbBuffer : (ULONG)sizeof(some);
		ssize_t got = getrandom(some, wanted, 0);
		KE_ASSERT(got > 0 || errno == EINTR);
		if (got <= 0)
			continue;
		memcpy(pbBuffer, some, (size_t)got);
		pbBuffer += got;
		cbBuffer -= (ULONG)got;
	}
	return STATUS_SUCCESS;
}

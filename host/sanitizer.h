/* SPDX-License-Identifier: MIT */
/* Whether this is a build under a sanitizer that follows memory: such a one knows only of
 * the stacks and the heap that the system gave. */
#ifndef RINGSIDE_HOST_SANITIZER_H
#define RINGSIDE_HOST_SANITIZER_H

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                     \
	__has_feature(memory_sanitizer)
#define HOST_SANITIZED 1
#else
#define HOST_SANITIZED 0
#endif

#endif

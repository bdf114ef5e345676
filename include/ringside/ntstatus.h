/* SPDX-License-Identifier: MIT */
/*
 * The NTSTATUS values that Ringside returns or names in reports.
 *
 * A status is 32 bits: severity in the top two (0 success, 1 information,
 * 2 warning, 3 error). NT_SUCCESS holds for the first two severities. The list
 * is an X-macro so that the values and their printed names cannot drift apart:
 * rs_status_name() is made from the same rows.
 */
#ifndef RINGSIDE_NTSTATUS_H
#define RINGSIDE_NTSTATUS_H

#include <stdint.h>

#define NT_SUCCESS(status) ((int32_t)(status) >= 0)

#define RINGSIDE_STATUS_LIST(X)                                                                    \
	X(SUCCESS, 0x00000000)                                                                     \
	X(WAIT_1, 0x00000001)                                                                      \
	X(ALERTED, 0x00000101)                                                                     \
	X(TIMEOUT, 0x00000102)                                                                     \
	X(PENDING, 0x00000103)                                                                     \
	X(REPARSE, 0x00000104)                                                                     \
	X(MORE_ENTRIES, 0x00000105)                                                                \
	X(SOME_NOT_MAPPED, 0x00000107)                                                             \
	X(OBJECT_NAME_EXISTS, 0x40000000)                                                          \
	X(GUARD_PAGE_VIOLATION, 0x80000001)                                                        \
	X(DATATYPE_MISALIGNMENT, 0x80000002)                                                       \
	X(BREAKPOINT, 0x80000003)                                                                  \
	X(SINGLE_STEP, 0x80000004)                                                                 \
	X(BUFFER_OVERFLOW, 0x80000005)                                                             \
	X(NO_MORE_FILES, 0x80000006)                                                               \
	X(NO_MORE_ENTRIES, 0x8000001A)                                                             \
	X(UNSUCCESSFUL, 0xC0000001)                                                                \
	X(NOT_IMPLEMENTED, 0xC0000002)                                                             \
	X(INVALID_INFO_CLASS, 0xC0000003)                                                          \
	X(INFO_LENGTH_MISMATCH, 0xC0000004)                                                        \
	X(ACCESS_VIOLATION, 0xC0000005)                                                            \
	X(IN_PAGE_ERROR, 0xC0000006)                                                               \
	X(INVALID_HANDLE, 0xC0000008)                                                              \
	X(INVALID_PARAMETER_MIX, 0xC0000030)                                                       \
	X(INVALID_CID, 0xC000000B)                                                                 \
	X(INVALID_PARAMETER, 0xC000000D)                                                           \
	X(NO_SUCH_DEVICE, 0xC000000E)                                                              \
	X(NO_SUCH_FILE, 0xC000000F)                                                                \
	X(INVALID_DEVICE_REQUEST, 0xC0000010)                                                      \
	X(END_OF_FILE, 0xC0000011)                                                                 \
	X(MORE_PROCESSING_REQUIRED, 0xC0000016)                                                    \
	X(NO_MEMORY, 0xC0000017)                                                                   \
	X(ILLEGAL_INSTRUCTION, 0xC000001D)                                                         \
	X(ACCESS_DENIED, 0xC0000022)                                                               \
	X(BUFFER_TOO_SMALL, 0xC0000023)                                                            \
	X(OBJECT_TYPE_MISMATCH, 0xC0000024)                                                        \
	X(OBJECT_NAME_INVALID, 0xC0000033)                                                         \
	X(OBJECT_NAME_NOT_FOUND, 0xC0000034)                                                       \
	X(OBJECT_NAME_COLLISION, 0xC0000035)                                                       \
	X(OBJECT_PATH_INVALID, 0xC0000039)                                                         \
	X(OBJECT_PATH_NOT_FOUND, 0xC000003A)                                                       \
	X(OBJECT_PATH_SYNTAX_BAD, 0xC000003B)                                                      \
	X(MUTANT_NOT_OWNED, 0xC0000046)                                                            \
	X(SEMAPHORE_LIMIT_EXCEEDED, 0xC0000047)                                                    \
	X(THREAD_IS_TERMINATING, 0xC000004B)                                                       \
	X(REVISION_MISMATCH, 0xC0000059)                                                           \
	X(PROCEDURE_NOT_FOUND, 0xC000007A)                                                         \
	X(INVALID_IMAGE_FORMAT, 0xC000007B)                                                        \
	X(INTEGER_DIVIDE_BY_ZERO, 0xC0000094)                                                      \
	X(INTEGER_OVERFLOW, 0xC0000095)                                                            \
	X(PRIVILEGED_INSTRUCTION, 0xC0000096)                                                      \
	X(INSUFFICIENT_RESOURCES, 0xC000009A)                                                      \
	X(DEVICE_NOT_READY, 0xC00000A3)                                                            \
	X(FILE_IS_A_DIRECTORY, 0xC00000BA)                                                         \
	X(NOT_SUPPORTED, 0xC00000BB)                                                               \
	X(INVALID_PARAMETER_1, 0xC00000EF)                                                         \
	X(INVALID_PARAMETER_2, 0xC00000F0)                                                         \
	X(INVALID_PARAMETER_3, 0xC00000F1)                                                         \
	X(INVALID_PARAMETER_4, 0xC00000F2)                                                         \
	X(INVALID_PARAMETER_5, 0xC00000F3)                                                         \
	X(STACK_OVERFLOW, 0xC00000FD)                                                              \
	X(NOT_A_DIRECTORY, 0xC0000103)                                                             \
	X(NAME_TOO_LONG, 0xC0000106)                                                               \
	X(PROCESS_IS_TERMINATING, 0xC000010A)                                                      \
	X(IMAGE_ALREADY_LOADED, 0xC000010E)                                                        \
	X(CANCELLED, 0xC0000120)                                                                   \
	X(CANNOT_DELETE, 0xC0000121)                                                               \
	X(DELETE_PENDING, 0xC0000056)                                                              \
	X(KEY_DELETED, 0xC000017C)                                                                 \
	X(CHILD_MUST_BE_VOLATILE, 0xC0000181)                                                      \
	X(CONTROL_C_EXIT, 0xC000013A)                                                              \
	X(DLL_NOT_FOUND, 0xC0000135)                                                               \
	X(ENTRYPOINT_NOT_FOUND, 0xC0000139)                                                        \
	X(INVALID_ADDRESS, 0xC0000141)                                                             \
	X(NOT_FOUND, 0xC0000225)                                                                   \
	X(INVALID_IMAGE_HASH, 0xC0000428)                                                          \
	X(FAIL_FAST_EXCEPTION, 0xC0000602)                                                         \
	X(STACK_BUFFER_OVERRUN, 0xC0000409)                                                        \
	X(ASSERTION_FAILURE, 0xC0000420)                                                           \
	X(INVALID_PARAMETER_8, 0xC00000F6)                                                         \
	X(INVALID_SID, 0xC0000078)                                                                 \
	X(INVALID_ACL, 0xC0000077)                                                                 \
	X(UNKNOWN_REVISION, 0xC0000058)                                                            \
	X(INVALID_SECURITY_DESCR, 0xC0000079)                                                      \
	X(ALLOTTED_SPACE_EXCEEDED, 0xC0000099)                                                     \
	X(FLT_INSTANCE_ALTITUDE_COLLISION, 0xC01C0011)                                             \
	X(FLT_NOT_INITIALIZED, 0xC01C0007)                                                         \
	X(FLT_ALREADY_ENLISTED, 0xC01C001B)                                                        \
	X(FLT_CONTEXT_ALREADY_DEFINED, 0xC01C0002)

enum {
#define RINGSIDE_STATUS_ENUM(name, value) STATUS_##name = (int32_t)(value),
	RINGSIDE_STATUS_LIST(RINGSIDE_STATUS_ENUM)
#undef RINGSIDE_STATUS_ENUM
};

/* The name of `status` as the documentation writes it ("STATUS_ACCESS_DENIED"),
 * or NULL for a value that is not in the list above. Any IRQL. */
const char *rs_status_name(int32_t status);

#endif

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
	X(DEVICE_BUSY, 0x80000011)                                                                 \
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
	X(NONCONTINUABLE_EXCEPTION, 0xC0000025)                                                    \
	X(INVALID_DISPOSITION, 0xC0000026)                                                         \
	X(UNWIND, 0xC0000027)                                                                      \
	X(BAD_STACK, 0xC0000028)                                                                   \
	X(INVALID_UNWIND_TARGET, 0xC0000029)                                                       \
	X(OBJECT_NAME_INVALID, 0xC0000033)                                                         \
	X(OBJECT_NAME_NOT_FOUND, 0xC0000034)                                                       \
	X(OBJECT_NAME_COLLISION, 0xC0000035)                                                       \
	X(OBJECT_PATH_INVALID, 0xC0000039)                                                         \
	X(OBJECT_PATH_NOT_FOUND, 0xC000003A)                                                       \
	X(OBJECT_PATH_SYNTAX_BAD, 0xC000003B)                                                      \
	X(SHARING_VIOLATION, 0xC0000043)                                                           \
	X(MUTANT_NOT_OWNED, 0xC0000046)                                                            \
	X(SEMAPHORE_LIMIT_EXCEEDED, 0xC0000047)                                                    \
	X(THREAD_IS_TERMINATING, 0xC000004B)                                                       \
	X(REVISION_MISMATCH, 0xC0000059)                                                           \
	X(PROCEDURE_NOT_FOUND, 0xC000007A)                                                         \
	X(INVALID_IMAGE_FORMAT, 0xC000007B)                                                        \
	X(INTEGER_DIVIDE_BY_ZERO, 0xC0000094)                                                      \
	X(INTEGER_OVERFLOW, 0xC0000095)                                                            \
	X(PRIVILEGE_NOT_HELD, 0xC0000061)                                                          \
	X(PRIVILEGED_INSTRUCTION, 0xC0000096)                                                      \
	X(INSUFFICIENT_RESOURCES, 0xC000009A)                                                      \
	X(DEVICE_NOT_CONNECTED, 0xC000009D)                                                        \
	X(DEVICE_NOT_READY, 0xC00000A3)                                                            \
	X(IO_TIMEOUT, 0xC00000B5)                                                                  \
	X(FILE_IS_A_DIRECTORY, 0xC00000BA)                                                         \
	X(NOT_SUPPORTED, 0xC00000BB)                                                               \
	X(DEVICE_DOES_NOT_EXIST, 0xC00000C0)                                                       \
	X(INVALID_USER_BUFFER, 0xC00000E8)                                                         \
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
	X(INVALID_BUFFER_SIZE, 0xC0000206)                                                         \
	X(IO_DEVICE_ERROR, 0xC0000185)                                                             \
	X(NOT_FOUND, 0xC0000225)                                                                   \
	X(INVALID_IMAGE_HASH, 0xC0000428)                                                          \
	X(FAIL_FAST_EXCEPTION, 0xC0000602)                                                         \
	X(STACK_BUFFER_OVERRUN, 0xC0000409)                                                        \
	X(ASSERTION_FAILURE, 0xC0000420)                                                           \
	X(FILE_INVALID, 0xC0000098)                                                                \
	X(PARTIAL_COPY, 0x8000000D)                                                                \
	X(NOT_MAPPED_VIEW, 0xC0000019)                                                             \
	X(UNABLE_TO_FREE_VM, 0xC000001A)                                                           \
	X(INVALID_SID, 0xC0000078)                                                                 \
	X(INVALID_ACL, 0xC0000077)                                                                 \
	X(UNKNOWN_REVISION, 0xC0000058)                                                            \
	X(INVALID_SECURITY_DESCR, 0xC0000079)                                                      \
	X(BAD_DESCRIPTOR_FORMAT, 0xC00000E7)                                                       \
	X(ALLOTTED_SPACE_EXCEEDED, 0xC0000099)                                                     \
	X(NO_TOKEN, 0xC000007C)                                                                    \
	X(PORT_NOT_SET, 0xC0000353)                                                                \
	X(CONFLICTING_ADDRESSES, 0xC0000018)                                                       \
	X(INVALID_PAGE_PROTECTION, 0xC0000045)                                                     \
	X(NOT_COMMITTED, 0xC000002D)                                                               \
	X(MEMORY_NOT_ALLOCATED, 0xC00000A0)                                                        \
	X(NO_IMPERSONATION_TOKEN, 0xC000005C)                                                      \
	X(BAD_IMPERSONATION_LEVEL, 0xC00000A5)                                                     \
	X(NOT_ALL_ASSIGNED, 0x00000106)                                                            \
	X(FREE_VM_NOT_AT_BASE, 0xC000009F)                                                         \
	X(INVALID_PARAMETER_8, 0xC00000F6)                                                         \
	X(INVALID_PARAMETER_6, 0xC00000F4)                                                         \
	X(HANDLE_NOT_CLOSABLE, 0xC0000235)                                                         \
	X(NO_MATCH, 0xC0000272)                                                                    \
	X(NO_MORE_MATCHES, 0xC0000273)                                                             \
	X(CALLBACK_BYPASS, 0xC0000503)                                                             \
	X(INVALID_SIGNATURE, 0xC000A000)                                                           \
	X(AUTH_TAG_MISMATCH, 0xC000A002)                                                           \
	X(FLT_INSTANCE_ALTITUDE_COLLISION, 0xC01C0011)                                             \
	X(FLT_INVALID_NAME_REQUEST, 0xC01C0005)                                                    \
	X(FLT_FILTER_NOT_READY, 0xC01C0008)                                                        \
	X(FLT_DELETING_OBJECT, 0xC01C000B)                                                         \
	X(FLT_MUST_BE_NONPAGED_POOL, 0xC01C000C)                                                   \
	X(FLT_DUPLICATE_ENTRY, 0xC01C000D)                                                         \
	X(FLT_DO_NOT_ATTACH, 0xC01C000F)                                                           \
	X(FLT_DO_NOT_DETACH, 0xC01C0010)                                                           \
	X(FLT_INSTANCE_NAME_COLLISION, 0xC01C0012)                                                 \
	X(FLT_FILTER_NOT_FOUND, 0xC01C0013)                                                        \
	X(FLT_VOLUME_NOT_FOUND, 0xC01C0014)                                                        \
	X(FLT_INSTANCE_NOT_FOUND, 0xC01C0015)                                                      \
	X(FLT_CONTEXT_ALLOCATION_NOT_FOUND, 0xC01C0016)                                            \
	X(FLT_INVALID_CONTEXT_REGISTRATION, 0xC01C0017)                                            \
	X(FLT_NO_DEVICE_OBJECT, 0xC01C0019)                                                        \
	X(FLT_CONTEXT_ALREADY_LINKED, 0xC01C001C)                                                  \
	X(FLT_NO_WAITER_FOR_REPLY, 0xC01C0020)                                                     \
	X(PORT_DISCONNECTED, 0xC0000037)                                                           \
	X(CONNECTION_COUNT_LIMIT, 0xC0000246)                                                      \
	X(FLT_NOT_INITIALIZED, 0xC01C0007)                                                         \
	X(FLT_ALREADY_ENLISTED, 0xC01C001B)                                                        \
	X(FLT_CONTEXT_ALREADY_DEFINED, 0xC01C0002)                                                 \
	X(IMAGE_NOT_AT_BASE, 0x40000003)                                                           \
	X(MEDIA_WRITE_PROTECTED, 0xC00000A2)                                                       \
	X(DISK_FULL, 0xC000007F)                                                                   \
	X(DIRECTORY_NOT_EMPTY, 0xC0000101)                                                         \
	X(TOO_MANY_OPENED_FILES, 0xC000011F)                                                       \
	X(NOT_SAME_DEVICE, 0xC00000D4)                                                             \
	X(INVALID_FILE_FOR_SECTION, 0xC0000020)                                                    \
	X(SECTION_PROTECTION, 0xC000004E)                                                          \
	X(SECTION_TOO_BIG, 0xC0000040)                                                             \
	X(MAPPED_FILE_SIZE_ZERO, 0xC000011E)                                                       \
	X(MAPPED_ALIGNMENT, 0xC0000220)                                                            \
	X(INVALID_VIEW_SIZE, 0xC000001F)                                                           \
	X(INVALID_IMAGE_NOT_MZ, 0xC000012F)                                                        \
	X(SECTION_NOT_IMAGE, 0xC0000049)                                                           \
	X(USER_MAPPED_FILE, 0xC0000243)                                                            \
	X(INVALID_PARAMETER_7, 0xC00000F5)                                                         \
	X(INVALID_PARAMETER_9, 0xC00000F7)                                                         \
	X(INVALID_DEVICE_OBJECT_PARAMETER, 0xC0000369)                                             \
	X(REPARSE_POINT_NOT_RESOLVED, 0xC0000280)                                                  \
	X(FILE_DELETED, 0xC0000123)                                                                \
	X(FILE_CLOSED, 0xC0000128)                                                                 \
	X(COMMITMENT_LIMIT, 0xC000012D)                                                            \
	X(EAS_NOT_SUPPORTED, 0xC000004F)

enum {
#define RINGSIDE_STATUS_ENUM(name, value) STATUS_##name = (int32_t)(value),
	RINGSIDE_STATUS_LIST(RINGSIDE_STATUS_ENUM)
#undef RINGSIDE_STATUS_ENUM
};

/* The name of `status` as the documentation writes it ("STATUS_ACCESS_DENIED"),
 * or NULL for a value that is not in the list above. Any IRQL. */
const char *rs_status_name(int32_t status);

#endif

# SPDX-License-Identifier: MIT
# warden.sys is an image that Windows would take: checked with binutils, not with our
# own parser.
set -u
sys=$1/drivers/warden.sys
objdump=x86_64-w64-mingw32-objdump
failures=0

check() { # check DESCRIPTION COMMAND...
	local what=$1
	shift
	if "$@"; then
		echo "ok: $what"
	else
		echo "FAILED: $what"
		failures=$((failures + 1))
	fi
}

headers=$($objdump -p "$sys") || exit 1
imports=$(sed -n '/DLL Name/,/^$/s/^\t[0-9a-f]*\t *[0-9]*  //p' <<<"$headers" | sort)
expected='DbgPrintEx
ExAcquireFastMutex
ExAllocatePoolWithTag
ExFreePoolWithTag
ExReleaseFastMutex
KeInitializeEvent
ObRegisterCallbacks
ObUnRegisterCallbacks
PsGetCurrentProcessId
PsGetProcessId
PsGetThreadProcessId
PsProcessType
PsSetCreateProcessNotifyRoutineEx2
PsThreadType
RtlEqualUnicodeString
RtlInitUnicodeString
ZwClose
ZwOpenKey
ZwQueryValueKey
memset'

has() {
	grep -qE "$1" <<<"$headers"
}

check 'ps_15: FORCE_INTEGRITY' has '^[[:space:]]+FORCE_INTEGRITY$'
check 'dynamic base' has '^[[:space:]]+DYNAMIC_BASE$'
check 'no-execute' has '^[[:space:]]+NX_COMPAT$'
check 'native subsystem' has '^Subsystem[[:space:]]+0*1[[:space:]]'
check 'relocations' has 'Virtual Address: [0-9a-f]+ Chunk size'
check 'unwind information' has 'The Function Table'
check 'one DLL' [ "$(grep -c 'DLL Name' <<<"$headers")" = 1 ]
check 'the kernel' has 'DLL Name: ntoskrnl.exe'
if ! diff <(echo "$expected") <(echo "$imports"); then
	echo 'FAILED: the imports above (<) and what it imports (>)'
	failures=$((failures + 1))
fi
exit $((failures != 0))

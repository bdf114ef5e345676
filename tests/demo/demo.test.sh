#!/bin/bash
# SPDX-License-Identifier: MIT
# The demo shows what it is there to show. One run; a case looks for a line of it.
set -u
build=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
# shellcheck source=tests/cli/cases.sh
. "$here/../cli/cases.sh"

"$here/../../demo/demo" "$build" >all 2>&1 </dev/null
status=$?
half=$(grep -n -- '--present subsystem' all | head -n 1 | cut -d: -f1)
head -n $((half - 1)) all >win32
tail -n +"$half" all >subsystem

shows() { # FILE REGEX...
	local file=$1 regex
	shift
	for regex in "$@"; do
		grep -qE -- "$regex" "$file" || fail "nothing like \"$regex\""
	done
}

it_ends_well() {
	expect_status 0
}

the_driver_is_described() {
	shows win32 'warden.sys loaded at 0x[0-9a-f]+, [0-9]+ KiB, [0-9]+ imports bound, integrity flag set, in [0-9.]+ .s$'
}

its_registrations_are_shown() {
	shows win32 'registers with PsSetCreateProcessNotifyRoutineEx2: warden.sys\+0x' \
		'registers with ObRegisterCallbacks at altitude [0-9.]+ for process handles and thread handles'
}

pipelines_and_compilers_grow_a_tree() {
	shows win32 '╮[│ ]* .*\\sort +sort -rn' '│├╮ .*\\cc1 ' 'gcc exited with 0 after'
}

the_refused_program_gets_permission_denied() {
	shows win32 '├✗ .*\\shred +shred -u notes.txt' 'warden.sys refused it: STATUS_ACCESS_DENIED' \
		'shred: Permission denied' '^the only copy$'
}

the_protected_process_outlives_kill_9() {
	shows win32 'sh: kill\(SIGKILL\) on .* keeper fails: warden.sys took PROCESS_TERMINATE' \
		'kill: .*Operation not permitted' 'keeper exited with 0 after 2'
}

the_post_callback_knows_the_outcome() {
	shows win32 'the handle to process [0-9]+ got 0x000000'
}

the_summary_has_times() {
	shows win32 'refused     1 × shred by warden.sys' 'callbacks +calls +median +longest' \
		'warden.sys +process Ex2, create +16 '
}

it_unloads_cleanly() {
	shows win32 'warden.sys unloaded: DriverUnload took'
	shows subsystem 'warden.sys unloaded: DriverUnload took'
}

subsystem_processes_look_like_linux() {
	shows subsystem '╮ .* /usr/bin/sleep +sleep␀0.2' '✗ .* /usr/bin/shred +shred␀-u␀notes.txt'
}

run_cases \
	it_ends_well \
	the_driver_is_described \
	its_registrations_are_shown \
	pipelines_and_compilers_grow_a_tree \
	the_refused_program_gets_permission_denied \
	the_protected_process_outlives_kill_9 \
	the_post_callback_knows_the_outcome \
	the_summary_has_times \
	it_unloads_cleanly \
	subsystem_processes_look_like_linux

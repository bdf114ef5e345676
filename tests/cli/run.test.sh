#!/bin/bash
# SPDX-License-Identifier: MIT
# What `ringside run` promises to a script: exit statuses, where output goes, what is
# left behind. One "ok" line a case.
set -u
build=$1
ringside=$build/ringside
warden=$build/drivers/warden.sys
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
cp "$warden" warden.sys
cp "$warden" second.sys
cp "$build/tests/drivers/absent.sys" .
cp "$(command -v sleep)" keeper
# shellcheck source=tests/cli/cases.sh
. "$here/cases.sh"

usage_errors_are_125_with_one_line() {
	local arguments
	while read -r -a arguments; do
		run "${arguments[@]}"
		[ "$status" = 125 ] || fail "status $status for: ${arguments[*]}"
		[ "$(wc -l <err)" = 1 ] || fail "not one line for: ${arguments[*]}"
		grep -q '^ringside: ' err || fail "not from ringside: ${arguments[*]}"
	done <<-'end'
		frobnicate
		run
		run warden.sys
		run warden.sys --
		run --present linux -- true
		run --profile wrong -- true
		run --param X=1 --param Y -- true
		run warden.sys --param =1 -- true
		run warden.sys --param :X=1 -- true
		run warden.sys --param other:X=1 -- true
		run --missing=sometimes -- true
		run --missing=status=STATUS_NONE_SUCH -- true
		run --missing=status=0x100000000 -- true
		run --no-such-option -- true
		run --tree --json -- true
		run --on-exit stay -- true
		run --images some -- true
		run -o /no/such/folder/file -- true
	end
}

help_goes_to_standard_output() {
	local verb
	for verb in '' run inspect exports; do
		# shellcheck disable=SC2086 # the empty word is to vanish
		run $verb --help
		[ "$status" = 0 ] && [ -s out ] && [ ! -s err ] || fail "ringside $verb --help"
	done
}

help_that_cannot_be_written_is_125() {
	local verb
	[ -c /dev/full ] || return 0
	for verb in '' run inspect exports; do
		# shellcheck disable=SC2086 # the empty word is to vanish
		"$ringside" $verb --help >/dev/full 2>err
		status=$?
		expect_status 125
		expect_complaint 'standard output'
	done
}

a_wrong_parameter_is_shown_as_it_was_written() {
	run run warden.sys --param warden:=1 -- true
	expect_status 125
	expect_complaint '"warden:=1"'
}

version_is_a_number() {
	run --version
	[ "$status" = 0 ] && grep -qE '^ringside [0-9]+\.[0-9]+\.[0-9]+$' out || fail "$(cat out)"
}

status_of_the_command_is_passed_on() {
	run run -- sh -c 'exit 7'
	expect_status 7
}

status_of_a_killed_command_is_128_and_the_signal() {
	run run -- sh -c 'kill -TERM $$'
	expect_status 143
}

a_command_that_is_not_there_is_127() {
	run run warden.sys -- /no/such/command
	expect_status 127
	expect_complaint /no/such/command
	run run -- no-such-command
	expect_status 127
}

a_command_that_cannot_be_run_is_126() {
	echo text >plain
	run run warden.sys -- ./plain
	expect_status 126
	expect_complaint plain
	run run -- /
	expect_status 126
}

a_command_that_the_driver_refuses_is_126() {
	run run warden.sys --param DenyImages=keeper -- ./keeper 0
	expect_status 126
	expect_complaint keeper
	grep -q 'warden.sys refused it' err || fail "$(cat err)"
}

a_missing_driver_is_125_and_nothing_runs() {
	run run nothing.sys -- touch ran
	expect_status 125
	expect_complaint nothing.sys
	! grep -q '^  processes' err || fail "a summary of nothing: $(cat err)"
	[ ! -e ran ] || fail "the command ran"
}

a_file_that_is_no_driver_is_125_and_nothing_runs() {
	echo "MZ, or so it says" >text.sys
	run run warden.sys text.sys -- touch ran
	expect_status 125
	expect_complaint text.sys
	[ ! -e ran ] || fail "the command ran"
}

an_entry_point_that_fails_is_125_and_the_others_are_unloaded() {
	run run warden.sys second.sys -- touch ran # both want the same altitude
	expect_status 125
	expect_complaint second.sys STATUS_FLT_INSTANCE_ALTITUDE_COLLISION
	grep -q 'warden.sys unloaded' err || fail "$(cat err)"
	[ ! -e ran ] || fail "the command ran"
}

standard_files_are_the_commands_own() {
	echo input | "$ringside" run warden.sys -- sh -c 'cat; echo error >&2' >out 2>err
	[ "$(cat out)" = input ] || fail "$(cat out)"
	grep -qx error err || fail "$(cat err)"
}

a_report_file_takes_everything() {
	run run warden.sys -o report -- sh -c 'echo out; echo error >&2'
	[ "$(cat out)" = out ] && [ "$(cat err)" = error ] || fail "$(cat out err)"
	grep -q 'processes   1 created' report || fail "$(cat report)"
	! grep -q $'\e' report || fail "escapes in a file"
}

quiet_reports_nothing_of_a_clean_run() {
	run run warden.sys -q -- true
	expect_status 0
	[ ! -s err ] || fail "$(cat err)"
}

json_is_one_object_a_line_from_run_to_summary() {
	run run warden.sys --json -o report --param DenyImages=keeper -- sh -c './keeper 1; true'
	expect_status 0
	head -n 1 report | grep -q '^{"event":"run",' || fail "$(head -n 1 report)"
	tail -n 1 report | grep -q '^{"event":"summary",' || fail "$(tail -n 1 report)"
	! grep -vq '^{.*}$' report || fail "$(grep -v '^{.*}$' report)"
	grep '"event":"process_created"' report | grep '"vetoed_by":"warden.sys"' |
		grep -q '"status":"STATUS_ACCESS_DENIED"' || fail "no veto in $(cat report)"
}

a_parameter_can_be_meant_for_one_driver() {
	run run warden.sys --param WARDEN:DenyImages=keeper -- sh -c './keeper 0'
	expect_status 126
	run run warden.sys --param warden.sys:DenyImages=true,keeper -- sh -c './keeper 0'
	expect_status 126
}

a_refused_program_leaves_the_shell_going() {
	run run warden.sys --param DenyImages=keeper -- sh -c './keeper 0; echo went on'
	expect_status 0
	[ "$(cat out)" = "went on" ] || fail "$(cat out)"
	grep -q 'keeper: Permission denied' err || fail "$(cat err)"
}

a_protected_process_outlives_kill_9() {
	run run warden.sys --param ProtectImages=keeper -- \
		sh -c './keeper 0.5 & sleep 0.1; kill -9 $!; echo "kill $?"; wait $!; echo "keeper $?"'
	expect_status 0
	[ "$(cat out)" = $'kill 1\nkeeper 0' ] || fail "$(cat out)"
	grep -q 'kill(SIGKILL) on .* keeper fails: warden.sys took PROCESS_TERMINATE' err ||
		fail "$(cat err)"
}

subsystem_processes_have_linux_paths_and_nuls() {
	run run warden.sys --present subsystem -- sh -c 'sleep 0; true'
	grep -qE '/bin/sleep +sleep␀0$' err || fail "$(cat err)"
}

without_a_driver_processes_are_traced() {
	run run -- sh -c 'sleep 0; true'
	expect_status 0
	grep -qE '├╮ .*\\bin\\sleep +sleep 0$' err || fail "$(cat err)"
}

the_tree_shows_every_process_under_its_maker() {
	run run -q warden.sys --param DenyImages=keeper --tree -- sh -c \
		'sleep 300 & until grep -q sleep /proc/$!/comm; do :; done; kill $!; wait; ./keeper 0; exec sh -c "(true | cat); exit 3"'
	expect_status 3
	local line
	while read -r line; do
		grep -qE "$line" err || fail "no $line in: $(cat err)"
	done <<-'end'
		became the next +[0-9]+ sh -c "sleep
		exited with 0 +├─ [0-9]+ grep
		^ +│ +kill\(SIGTERM\) on [0-9]+ (sleep|sh): PROCESS_TERMINATE$
		killed by SIGTERM +├─ [0-9]+ sleep 300$
		refused +├─ [0-9]+ ./keeper 0$
		exited with 3 +└─ [0-9]+ sh -c
		exited with 0 +[├└]─ [0-9]+ cat$
	end
}

a_reader_that_goes_away_does_not_end_the_run() {
	"$ringside" run warden.sys -- sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 0; done; echo done' \
		2> >(true) >out
	[ "$?" = 0 ] && [ "$(cat out)" = done ] || fail "status $?, $(cat out)"
}

a_full_disk_is_reported() {
	[ -c /dev/full ] || return 0
	run run -o /dev/full -- true
	expect_status 125
	grep -q 'report is incomplete' err || fail "$(cat err)"
}

nothing_outlives_a_supervisor_that_is_killed() {
	"$ringside" run -q -- sh -c './keeper 54.321 & ./keeper 54.321' &
	local supervisor=$!
	wait_for 'keepers 2' || fail "the tree did not start"
	kill -KILL $supervisor
	wait $supervisor 2>/dev/null
	wait_for 'keepers 0' || fail "a process is left"
}

a_crashing_driver_is_123_and_the_command_ends() {
	run run "$build/tests/drivers/clumsy.sys" -- sh -c 'sleep 0; echo went on; sleep 300'
	expect_status 123
	[ ! -s out ] || fail "$(cat out)"
}

a_driver_that_also_damages_this_program_is_123() {
	ln -s "$build/tests/drivers/crash.sys" overrun-extension.sys
	run run overrun-extension.sys -- true
	expect_status 123
	grep -q 'BUG CHECK 0x' err || fail "$(cat err)"
}

a_crashing_driver_is_123_and_a_released_command_goes_on() {
	run run "$build/tests/drivers/clumsy.sys" --on-bugcheck=release -- sh -c 'sleep 0; echo went on'
	expect_status 123
	[ "$(cat out)" = "went on" ] || fail "$(cat out err)"
	grep -q 'BUG CHECK 0x' err && grep -q 'in  *clumsy.sys+0x' err || fail "$(cat err)"
	grep -q 'ended by a bug check' err || fail "no word of it in the summary"
}

a_crash_is_an_event_of_its_own_in_json() {
	run run "$build/tests/drivers/clumsy.sys" --json -q -- true
	expect_status 123
	grep -q '^{"event":"bug_check",.*"driver":"clumsy.sys"' err || fail "$(cat err)"
}

a_missing_import_that_is_called_is_a_bug_check_with_its_name() {
	run run absent.sys -- true
	expect_status 123
	grep -q '^    absent.sys called ntoskrnl.exe!ExNobodyHasThis, which does not exist here$' err ||
		fail "$(cat err)"
	grep -qE '^    stack  #0  absent\.sys\+0x' err || fail "no stack: $(cat err)"
}

stacks_have_names_and_lines() {
	cp "$build/tests/drivers/symbols.sys" .
	RINGSIDE_SYMBOLIZER=/no/such/program run run symbols.sys -- true
	expect_status 123
	grep -qE '^           #2  symbols\.sys\+0x[0-9a-f]+ outer\+0x[0-9a-f]+$' err || fail "$(cat err)"
	grep -qx '           (no llvm-symbolizer was found to read DWARF and PDBs)' err ||
		fail "$(cat err)"
	command -v llvm-symbolizer >/dev/null || return 0
	run run symbols.sys -- true
	grep -qE '^           #2  symbols\.sys\+0x[0-9a-f]+ outer\+0x[0-9a-f]+ at symbols\.c:202$' err ||
		fail "$(cat err)"
	run run symbols.sys --json -- true
	grep '^{"event":"bug_check"' err | grep -qE \
		'"name":"symbols.sys\+0x[0-9a-f]+","guessed":false,"function":"outer\+0x[0-9a-f]+","source":"[^"]*/symbols\.c:202"' ||
		fail "$(cat err)"
}

missing_imports_can_return_a_status_instead() {
	run run absent.sys --missing=status=0 -- true
	expect_status 0
	[ "$(grep -c ' calls ntoskrnl.exe!.*, which is not here, and gets STATUS_SUCCESS$' err)" = 3 ] ||
		fail "$(cat err)"
	grep -q '^  missing     4 × ntoskrnl.exe!ExNobodyHasThis called by absent.sys$' err ||
		fail "$(cat err)"
	run run absent.sys --missing=status=STATUS_ACCESS_DENIED -- true
	expect_status 125
	expect_complaint 'DriverEntry returned 0xC0000022 (STATUS_ACCESS_DENIED)'
	run run absent.sys --missing status -- true
	expect_complaint 'DriverEntry returned 0xC0000002 (STATUS_NOT_IMPLEMENTED)'
}

missing_imports_can_be_refused() {
	run run absent.sys --missing=fail -- touch ran
	expect_status 125
	expect_complaint absent.sys '3 of its' ntoskrnl.exe!ExNobodyHasThis ntoskrnl.exe!PsNobodyHasThat
	[ ! -e ran ] || fail "the command ran"
	run run warden.sys --missing=fail -- true
	expect_status 0
}

keepers() { # COUNT
	[ "$(cat /proc/[0-9]*/comm 2>/dev/null | grep -cx keeper)" = "$1" ]
}

run_cases \
	usage_errors_are_125_with_one_line \
	help_goes_to_standard_output \
	help_that_cannot_be_written_is_125 \
	a_wrong_parameter_is_shown_as_it_was_written \
	version_is_a_number \
	status_of_the_command_is_passed_on \
	status_of_a_killed_command_is_128_and_the_signal \
	a_command_that_is_not_there_is_127 \
	a_command_that_cannot_be_run_is_126 \
	a_command_that_the_driver_refuses_is_126 \
	a_missing_driver_is_125_and_nothing_runs \
	a_file_that_is_no_driver_is_125_and_nothing_runs \
	an_entry_point_that_fails_is_125_and_the_others_are_unloaded \
	standard_files_are_the_commands_own \
	a_report_file_takes_everything \
	quiet_reports_nothing_of_a_clean_run \
	json_is_one_object_a_line_from_run_to_summary \
	a_parameter_can_be_meant_for_one_driver \
	a_refused_program_leaves_the_shell_going \
	a_protected_process_outlives_kill_9 \
	subsystem_processes_have_linux_paths_and_nuls \
	without_a_driver_processes_are_traced \
	the_tree_shows_every_process_under_its_maker \
	a_reader_that_goes_away_does_not_end_the_run \
	a_full_disk_is_reported \
	a_crashing_driver_is_123_and_the_command_ends \
	a_driver_that_also_damages_this_program_is_123 \
	a_crashing_driver_is_123_and_a_released_command_goes_on \
	a_crash_is_an_event_of_its_own_in_json \
	a_missing_import_that_is_called_is_a_bug_check_with_its_name \
	stacks_have_names_and_lines \
	missing_imports_can_return_a_status_instead \
	missing_imports_can_be_refused \
	nothing_outlives_a_supervisor_that_is_killed

#!/bin/bash
# SPDX-License-Identifier: MIT
# ringside run --port and --altitude, against tests/drivers/minifilter.
set -u
build=$1
ringside=$build/ringside
driver=$build/tests/drivers/minifilter.sys
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
# shellcheck source=tests/cli/cases.sh
. "$here/cases.sh"

# A word as the option wants it.
hex() {
	printf %s "$1" | od -An -tx1 | tr -d ' \n'
}

expect_line() {
	tr -s ' ' <err | grep -qF -- "$1" || fail "no \"$1\" in: $(cat err)"
}

a_message_reports_status_length_and_answer() {
	run run "$driver" --port "RingsideFilter,$(hex locks)" -- true
	expect_status 0
	expect_line 'port RingsideFilter: STATUS_SUCCESS, 2 bytes'
	expect_line '0000 6f 6b ok'
}

a_port_without_a_message_is_only_connected_to() {
	run run "$driver" --port '\RingsideFilter' -- true
	expect_status 0
	expect_line 'says connected with 0 bytes'
	expect_line 'port \RingsideFilter: STATUS_SUCCESS, 0 bytes'
	expect_line 'says disconnected'
}

a_port_that_nobody_has_is_reported() {
	run run "$driver" --port "Nobody,00" -- true
	expect_status 0
	expect_line 'open Nobody: STATUS_OBJECT_NAME_NOT_FOUND'
}

what_the_minifilter_asks_gets_an_empty_reply() {
	run run "$driver" --port "RingsideFilter,$(hex ask)" --port "RingsideFilter,$(hex walks)" \
		-- true
	expect_status 0
	expect_line 'message RingsideFilter: STATUS_SUCCESS, 8 bytes'
	expect_line '0000 71 75 65 73 74 69 6f 6e question'
	expect_line 'says reply 0 of 0:'
	[ "$(grep -c 'connected with' err)" = 1 ] || fail "$(cat err)"
}

what_is_no_port_is_refused() {
	run run "$driver" --port ,00 -- true
	expect_status 125
	grep -q -- '--port needs NAME' err || fail "$(cat err)"
}

a_bug_check_in_the_message_routine_ends_the_run() {
	run run "$driver" --port "RingsideFilter,$(hex 'release twice')" -- true
	expect_status 123
	grep -q FLTMGR_FILE_SYSTEM err || fail "$(cat err)"
}

the_altitude_can_be_chosen() {
	run run "$driver" --altitude minifilter:123.5 -- true
	expect_status 0
	expect_line 'registers with FltRegisterFilter at altitude 123.5'
}

what_is_no_altitude_is_refused() {
	run run "$driver" --altitude high -- true
	expect_status 125
	grep -q -- '--altitude high: no decimal number' err || fail "$(cat err)"
	run run "$driver" --altitude nobody:1 -- true
	expect_status 125
	grep -q -- '--altitude names a driver that is not given' err || fail "$(cat err)"
}

run_cases \
	a_message_reports_status_length_and_answer \
	a_port_without_a_message_is_only_connected_to \
	a_port_that_nobody_has_is_reported \
	what_the_minifilter_asks_gets_an_empty_reply \
	what_is_no_port_is_refused \
	a_bug_check_in_the_message_routine_ends_the_run \
	the_altitude_can_be_chosen \
	what_is_no_altitude_is_refused

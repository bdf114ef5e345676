#!/bin/bash
# SPDX-License-Identifier: MIT
# ringside run --trace, against tests/drivers/tracer.
set -u
build=$1
ringside=$build/ringside
driver=$build/tests/drivers/tracer.sys
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
# shellcheck source=tests/cli/cases.sh
. "$here/cases.sh"

expect_line() {
	grep -qF -- "$1" err || fail "no \"$1\" in: $(cat err)"
}

expect_no_line() {
	! grep -qF -- "$1" err || fail "\"$1\" in: $(cat err)"
}

without_the_option_no_provider_is_enabled_and_nothing_told() {
	run run "$driver" -- true
	expect_status 0
	expect_line 'says provider is off'
	expect_line 'says wrote 00000000'
	expect_no_line enabled
	expect_no_line traces
}

the_enable_callback_hears_of_it() {
	run run "$driver" --trace -- true
	expect_status 0
	expect_line 'says enabled: code 1, level 255, context mine'
	expect_line 'says provider is on'
}

an_event_that_describes_itself_has_its_names_and_values() {
	run run "$driver" --trace -- true
	expect_line 'tracer.sys traces Ringside.Tracer Started: Count=7, Image=a b, Status=STATUS_ACCESS_DENIED'
}

any_other_event_is_shown_by_number_and_bytes() {
	run run "$driver" --trace -- true
	expect_line 'traces Ringside.Tracer event 300, version 2, level 3, opcode 1, keyword 0x8000000000000010, 4 bytes'
	expect_line '0000  66 6f 75 72'
}

a_damaged_description_is_shown_in_bytes() {
	run run "$driver" --trace -- true
	expect_line 'traces Ringside.Tracer event 0, version 0, level 4, opcode 0, keyword 0x0, 16 bytes'
	expect_line '0000  07 00 00 00 61 00 20 00 62'
}

a_provider_is_chosen_by_guid_or_name() {
	for which in ringside.tracer 5b0f1d3a-6c2e-4f7b-9a10-000102030405 \
		'{5B0F1D3A-6C2E-4F7B-9A10-000102030405}'; do
		run run "$driver" --trace=Nobody --trace="$which" -- true
		expect_line 'says enabled'
		expect_line 'Started: Count=7'
	done
	run run "$driver" --trace=Nobody -- true
	expect_no_line traces
}

json_has_names_numbers_and_bytes() {
	run run "$driver" --trace --json -o json -- true
	expect_status 0
	grep '"event":"trace"' json >traces
	[ "$(wc -l <traces)" = 3 ] || fail "$(cat json)"
	local word
	for word in '"driver":"tracer.sys"' '"provider":"{5B0F1D3A-6C2E-4F7B-9A10-000102030405}"' \
		'"provider_name":"Ringside.Tracer"' '"name":"Started"' \
		'{"name":"Count","value":7}' '{"name":"Image","value":"a b"}'; do
		sed -n 1p traces | grep -qF -- "$word" || fail "no $word in: $(sed -n 1p traces)"
	done
	for word in '"id":300' '"keyword":"0x8000000000000010"' '"data":"666f7572"' \
		'"activity":"{5B0F1D3A-6C2E-4F7B-9A10-000102030405}"'; do
		sed -n 3p traces | grep -qF -- "$word" || fail "no $word in: $(sed -n 3p traces)"
	done
}

a_name_that_is_none_is_refused() {
	run run "$driver" --trace= -- true
	expect_status 125
	expect_complaint --trace= GUID
}

a_provider_that_never_came_is_named() {
	run run "$driver" --trace=Nobody --trace=ringside.tracer -- true
	expect_status 0
	expect_complaint --trace=Nobody 'no driver registered'
	run run --trace -- true
	expect_status 0
	expect_complaint --trace: 'no driver registered'
	run run "$driver" --trace -- true
	expect_no_line 'no driver registered'
}

run_cases \
	without_the_option_no_provider_is_enabled_and_nothing_told \
	the_enable_callback_hears_of_it \
	an_event_that_describes_itself_has_its_names_and_values \
	any_other_event_is_shown_by_number_and_bytes \
	a_damaged_description_is_shown_in_bytes \
	a_provider_is_chosen_by_guid_or_name \
	json_has_names_numbers_and_bytes \
	a_name_that_is_none_is_refused \
	a_provider_that_never_came_is_named

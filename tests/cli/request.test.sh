#!/bin/bash
# SPDX-License-Identifier: MIT
# ringside run --ioctl, --read, --write and --port, against tests/drivers/iodevice.
set -u
build=$1
ringside=$build/ringside
driver=$build/tests/drivers/iodevice.sys
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
# shellcheck source=tests/cli/cases.sh
. "$here/cases.sh"

upper=0x80002004 wait=0x80002014 release=0x80002018 twice=0x80002050

# A line of the report, its spaces made single.
expect_line() {
	tr -s ' ' <err | grep -qF -- "$1" || fail "no \"$1\" in: $(cat err)"
}

a_control_request_reports_status_length_and_output() {
	run run "$driver" --ioctl "\\\\.\\RingsideIo,$upper,68656c6c6f" -- true
	expect_status 0
	expect_line "ioctl \\\\.\\RingsideIo $upper: STATUS_SUCCESS, 5 bytes"
	expect_line "0000 48 45 4c 4c 4f HELLO"
}

the_code_may_be_decimal_and_the_output_short() {
	run run "$driver" --ioctl "RingsideIo,$((upper)),68656c6c6f,4" -- true
	expect_status 0
	expect_line "ioctl RingsideIo $upper: STATUS_BUFFER_TOO_SMALL"
}

what_is_written_from_a_file_is_read_back_in_order() {
	printf stored >data
	run run "$driver" --write 'RingsideIo,@data' --read '\Device\RingsideIo,3' -- true
	expect_status 0
	expect_line 'write RingsideIo: STATUS_SUCCESS, 6 bytes'
	expect_line 'read \Device\RingsideIo: STATUS_SUCCESS, 3 bytes'
	expect_line '0000 73 74 6f sto'
}

requests_come_before_the_command_and_the_handle_stays_open() {
	run run "$driver" --json --ioctl "RingsideIo,$upper,6161" -- true
	expect_status 0
	grep -nE 'device_request|process_created|"cleanup ours' err | cut -d'"' -f4 | xargs >order
	[ "$(cat order)" = 'device_request process_created debug_print' ] || fail "$(cat order)"
	grep -q '"data":"4141"' err || fail "$(cat err)"
}

a_request_that_the_driver_keeps_is_cancelled_at_the_end() {
	run run "$driver" --ioctl "RingsideIo,$wait" -- true
	expect_status 0
	expect_line "ioctl RingsideIo $wait: STATUS_PENDING"
	expect_line "ioctl RingsideIo $wait: STATUS_CANCELLED"
}

a_port_is_connected_with_the_context_that_is_given() {
	local minifilter=$build/tests/drivers/minifilter.sys
	run run "$minifilter" --port 'RingsideFilter,,,616263' -- true
	expect_status 0
	expect_line 'minifilter.sys says connected with 3 bytes'
	run run "$minifilter" --port RingsideFilter,,,6 -- true
	expect_complaint INPUT
	run run "$minifilter" --port RingsideFilter,,,61,62 -- true
	expect_complaint --port
}

a_request_that_another_releases_is_reported_with_its_result() {
	run run "$driver" --ioctl "RingsideIo,$wait" --ioctl "RingsideIo,$release" -- true
	expect_status 0
	expect_line "ioctl RingsideIo $wait: STATUS_SUCCESS, 0 bytes"
}

a_device_that_is_not_there_is_reported_and_the_command_runs() {
	run run "$driver" --read Nobody -- echo ran
	expect_status 0
	expect_line 'open Nobody: STATUS_OBJECT_NAME_NOT_FOUND'
	[ "$(cat out)" = ran ] || fail "$(cat out)"
}

a_request_that_crashes_the_driver_is_a_bug_check() {
	run run "$driver" --ioctl "RingsideIo,$twice" -- echo ran
	expect_status 123
	grep -q 'BUG CHECK 0x44' err || fail "$(cat err)"
	[ ! -s out ] || fail "the command ran"
}

what_is_no_request_is_refused() {
	local request
	for request in Name Name,zz Name,0x100000000 Name,1,4 Name,1,xy Name,1,@/no/such ,1 \
		Name,1,,-1 Name,1,,99999999999 Name,1,2,3,4; do
		run run --ioctl "$request" -- true
		expect_status 125
		expect_complaint
	done
	run run --read Name,1,2 -- true
	expect_complaint --read
	run run --write Name -- true
	expect_complaint --write
}

run_cases \
	a_control_request_reports_status_length_and_output \
	the_code_may_be_decimal_and_the_output_short \
	what_is_written_from_a_file_is_read_back_in_order \
	requests_come_before_the_command_and_the_handle_stays_open \
	a_request_that_the_driver_keeps_is_cancelled_at_the_end \
	a_port_is_connected_with_the_context_that_is_given \
	a_request_that_another_releases_is_reported_with_its_result \
	a_device_that_is_not_there_is_reported_and_the_command_runs \
	a_request_that_crashes_the_driver_is_a_bug_check \
	what_is_no_request_is_refused

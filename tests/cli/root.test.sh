#!/bin/bash
# SPDX-License-Identifier: MIT
# What --root and --root-write show and allow. One "ok" line a case.
set -u
build=$1
ringside=$build/ringside
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
cp "$build/tests/drivers/files.sys" .
mkdir -p disk/Files
echo -n mode=quiet >disk/Files/settings.ini
# shellcheck source=tests/cli/cases.sh
. "$here/cases.sh"

a_driver_reads_below_the_root_and_its_own_file() {
	run run files.sys --root disk -- true
	[ "$status" = 0 ] || fail "status $status: $(cat err)"
	grep -q 'settings: mode=quiet, 10 bytes, 0x00000000' err || fail "settings: $(cat err)"
	grep -q 'own file: MZ, 0x00000000' err || fail "own file: $(cat err)"
	grep -q 'image: as large, the same code' err || fail "image: $(cat err)"
}

a_write_is_refused_and_reported_with_the_option() {
	run run files.sys --root disk -- true
	grep -q 'log: 0xc00000a2' err || fail "the driver's status: $(cat err)"
	grep -q 'files.sys may not change .Files.driver.log: .*--root DIR --root-write' err ||
		fail "no report: $(cat err)"
	[ ! -e disk/Files/driver.log ] || fail "it was written all the same"
	run run files.sys --root disk --json -- true
	grep -q '"event":"write_refused","time":.*"driver":"files.sys","name":"\\\\Files\\\\driver.log"' err ||
		fail "json: $(grep write err)"
}

root_write_allows_it() {
	run run files.sys --root disk --root-write -- true
	[ "$status" = 0 ] && [ "$(cat disk/Files/driver.log)" = $'started\r' ] || fail "$(cat err)"
	rm -f disk/Files/driver.log
}

without_an_option_the_root_is_all_of_linux_and_only_read() {
	run run files.sys -- true
	[ "$status" = 0 ] || fail "status $status"
	grep -q 'settings: 0xc000003a' err || fail "there is no /Files: $(cat err)"
	grep -q 'own file: MZ, 0x00000000' err || fail "own file: $(cat err)"
	grep -q 'program: .*true, ELF, 0x00000000' err || fail "program: $(cat err)"
}

root_write_needs_a_root_and_the_root_a_folder() {
	run run files.sys --root-write -- true
	[ "$status" = 125 ] && grep -q '^ringside: --root-write needs --root' err || fail "$(cat err)"
	run run files.sys --root nowhere -- true
	[ "$status" = 125 ] && grep -q '^ringside: --root nowhere: No such file' err || fail "$(cat err)"
}

run_cases \
	a_driver_reads_below_the_root_and_its_own_file \
	a_write_is_refused_and_reported_with_the_option \
	root_write_allows_it \
	without_an_option_the_root_is_all_of_linux_and_only_read \
	root_write_needs_a_root_and_the_root_a_folder

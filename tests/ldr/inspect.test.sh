#!/bin/bash
# SPDX-License-Identifier: MIT
# What `ringside inspect` and `ringside exports` say, and their exit statuses.
set -u
build=$1
ringside=$build/ringside
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
cp "$build/drivers/warden.sys" "$build/tests/drivers/loader.sys" .
cp "$build/tests/drivers/absent.sys" .
cp "$here/pe.corpus/plain.sys" .
# shellcheck source=tests/cli/cases.sh
. "$here/../cli/cases.sh"

expect_line() { # extended regular expression
	grep -qE "$1" out || fail "no line /$1/ in: $(cat out)"
}

# Changes a byte of plain.sys: OFFSET, VALUE in octal.
poke() {
	printf '%b' "\\0$2" | dd of=plain.sys bs=1 seek="$1" conv=notrunc status=none
}

headers_are_shown() {
	run inspect plain.sys
	expect_status 0
	[ ! -s err ] || fail "$(cat err)"
	expect_line '^plain.sys: Windows driver for x64 \(PE32\+\), 4096 bytes$'
	expect_line 'image base +0x140000000, 0x7000 bytes in memory'
	expect_line 'entry point +RVA 0x1000 in \.text'
	expect_line 'subsystem +native \(1\) 10\.0'
	expect_line 'flags +0x01c0 FORCE_INTEGRITY DYNAMIC_BASE NX_COMPAT$'
	expect_line 'security cookie +at RVA 0x3000'
	expect_line 'relocations +3$'
	expect_line '\.reloc +0x006000 +0x00000018 +0x00000200 +r--  discardable'
	expect_line '\.data +0x003000 +0x00001800 +0x00000200 +rw-$'
	expect_line 'EXPORTS \(4, of which 3 have names\)'
	expect_line '^    Gamma$'
}

imports_are_shown_with_what_is_missing() {
	run inspect plain.sys
	expect_line 'IMPORTS OF NTOSKRNL.exe$'
	expect_line '^    DbgPrint +here, up to HIGH_LEVEL$'
	expect_line '^    PsProcessType +here, data$'
	expect_line '^    NotThereAtAll +MISSING$'
	expect_line '^    #1 +MISSING$'
	expect_line 'IMPORTS OF cng.sys$'
	[ "$(tail -n 1 out)" = "5 imports, 3 missing: NTOSKRNL.exe!NotThereAtAll, NTOSKRNL.exe!#1, cng.sys!BCryptFoo" ] ||
		fail "$(tail -n 1 out)"
	sed 's/cng\.sys/tbs.sys/' plain.sys >stranger.sys
	run inspect stranger.sys
	expect_line 'IMPORTS OF tbs.sys, which is unknown here$'
}

uses_of_what_is_missing_are_shown() {
	run inspect absent.sys
	expect_status 0
	grep -A2 '^    ExNobodyHasThis  *MISSING$' out >uses
	grep -qE '^      (called|loaded) at absent\.sys\+0x[0-9a-f]+ call_from_a_loop\+0x' uses ||
		fail "$(cat out)"
	grep -qE '^      called at absent\.sys\+0x[0-9a-f]+ DriverEntry\+0x' uses || fail "$(cat out)"
	grep -A1 '^    PsNobodyHasThat  *MISSING$' out | tail -n 1 |
		grep -qE '^      jumped to at absent\.sys\+0x[0-9a-f]+ call_through_a_stub' ||
		fail "$(cat out)"
	grep -A1 '^    ObNobodyHasThese  *MISSING$' out | tail -n 1 |
		grep -qE '^      kept in data at absent\.sys\+0x[0-9a-f]+$' || fail "$(cat out)"
	run inspect plain.sys
	grep -A1 '^    NotThereAtAll  *MISSING$' out | tail -n 1 |
		grep -qx '      used nowhere that could be found' || fail "$(cat out)"
}

lines_are_shown_where_there_are_some() {
	RINGSIDE_SYMBOLIZER=/no/such/program run inspect absent.sys
	expect_status 0
	expect_line '^      called at absent\.sys\+0x[0-9a-f]+ DriverEntry\+0x[0-9a-f]+$'
	expect_line '^  \(no llvm-symbolizer was found to read DWARF and PDBs\)$'
	command -v llvm-symbolizer >/dev/null || return 0
	run inspect absent.sys
	expect_line '^      called at absent\.sys\+0x[0-9a-f]+ DriverEntry\+0x[0-9a-f]+ \(absent\.c:[0-9]+\)$'
}

names_that_it_may_look_up_are_shown() {
	run inspect absent.sys
	expect_line '^    PsSetCreateProcessNotifyRoutineEx2 +here, up to PASSIVE_LEVEL$'
	expect_line '^    ZwNobodyHasThisYet +NOT HERE$'
	! grep -q '^    call_from_a_loop' out || fail "its own names are no exports"
	run inspect plain.sys # which has no such text
	! grep -q 'MAY LOOK UP' out || fail "$(cat out)"
}

symbols_are_named() {
	run inspect plain.sys
	expect_line '^  symbols +none$'
	run inspect absent.sys
	expect_line '^  symbols +COFF table, DWARF lines$'
	run inspect "$build/tests/drivers/symbolscoff.sys"
	expect_line '^  symbols +COFF table$'
	[ -e "$build/tests/drivers/symbolspdb.pdb" ] || return 0
	cp "$build/tests/drivers/symbolspdb.sys" .
	run inspect symbolspdb.sys
	expect_line '^  symbols +its PDB is symbolspdb.pdb, which does not lie beside it$'
	echo "no PDB" >symbolspdb.pdb
	run inspect symbolspdb.sys
	expect_line '^  symbols +symbolspdb.pdb beside it is damaged or no PDB: not used$'
	cp "$build/tests/drivers/symbolspdb.pdb" .
	run inspect symbolspdb.sys
	expect_line '^  symbols +symbolspdb.pdb beside it$'
}

integrity_is_said_in_words() {
	run inspect plain.sys
	expect_line 'integrity +forced: the process notify calls Ex and Ex2 and$'
	cp plain.sys saved
	poke 222 100 # the low byte of DllCharacteristics: DYNAMIC_BASE alone
	run inspect plain.sys
	mv saved plain.sys
	expect_status 0
	expect_line 'integrity +not forced'
	expect_line 'ACCESS_DENIED'
}

our_own_drivers_lack_nothing() {
	run inspect warden.sys
	expect_status 0
	expect_line '^[0-9]+ imports, 0 missing$'
	run inspect loader.sys
	expect_line '^[0-9]+ imports, 0 missing$'
}

a_bad_file_is_125_with_one_line() {
	run inspect /nonexistent.sys
	expect_status 125
	expect_complaint /nonexistent.sys 'No such file'
	run inspect "$here"
	expect_status 125
	expect_complaint 'not a regular file'
	run inspect "$here/inspect.test.sh"
	expect_status 125
	expect_complaint 'offset 0x0' 'expected "MZ"'
	head -c 2000 warden.sys >cut.sys
	run inspect cut.sys
	expect_status 125
	expect_complaint cut.sys 'offset 0x'
	[ ! -s out ] || fail "half of it was shown: $(cat out)"
}

a_32_bit_driver_is_named_as_such() {
	cp plain.sys saved
	poke 132 114
	poke 133 001 # machine 014c
	run inspect plain.sys
	mv saved plain.sys
	expect_status 125
	expect_complaint 'offset 0x84' '32-bit x86' 'expected x64'
}

names_do_not_reach_the_terminal_raw() {
	cp plain.sys saved
	poke 1762 033 # the first letter of NotThereAtAll, at RVA 20e2
	run inspect plain.sys
	mv saved plain.sys
	expect_status 0
	! grep -q $'\033' out || fail "an escape came through"
	expect_line 'x1botThereAtAll +MISSING'
}

wrong_arguments_are_one_line() {
	local arguments
	while read -r -a arguments; do
		run "${arguments[@]}"
		expect_status 125
		expect_complaint "see ringside ${arguments[0]} --help"
	done <<-'end'
		inspect
		inspect a b
		inspect --no-such-option
		exports --no-such-option
		exports --json more
	end
}

exports_are_listed() {
	run exports
	expect_status 0
	expect_line '^ntoskrnl.exe +STATUS +ARGUMENTS +UP TO +REFERENCE$'
	expect_line '^  PsSetCreateProcessNotifyRoutineEx2 +implemented +3 +PASSIVE_LEVEL +PS-2$'
	expect_line '^  PsProcessType +data +- +- +AB-5$'
	expect_line '^  DbgPrint +implemented +any +HIGH_LEVEL'
	expect_line '^[0-9]+ functions, [0-9]+ of them partial; [0-9]+ variables; [0-9]+ names that '
}

what_drivers_use_and_is_not_here_is_listed_by_how_many_do() {
	run exports
	sed -n '/^not implemented/,/^$/p' out >lacking
	[ "$(wc -l <lacking)" -gt 2 ] || fail "nothing is missing? then this test can go"
	awk '/ of 72 drivers, in / { if (last && $2 > last) exit 1; last = $2 }' lacking ||
		fail "not sorted: $(cat lacking)"
	grep -oE '^  [A-Za-z]\w+' lacking | sort >missing
	sed '/^not implemented/,$d' out | grep -oE '^  [A-Za-z_]\w+' | sort >here
	[ -z "$(comm -12 missing here)" ] || fail "here and missing: $(comm -12 missing here)"
}

the_page_says_the_same() {
	local name
	run exports --markdown
	expect_status 0
	expect_line '^\| `PsSetCreateProcessNotifyRoutineEx2` \| implemented \| 3 \| PASSIVE_LEVEL \| PS-2 \|$'
	expect_line '^\| `KeAttachProcess` \| [a-z]'
	"$ringside" exports | sed -n '/^not implemented/,/^$/s/^  \([A-Za-z]\w*\) .*/\1/p' >missing
	while read -r name; do
		grep -qE "^\| \`$name\` \| [a-z.]+ \| [0-9]+ \| [0-9]+ \|$" out || fail "no $name"
	done <missing
}

exports_as_json_are_one_object_a_line() {
	run exports --json
	expect_status 0
	[ "$(grep -c '^{.*}$' out)" = "$(wc -l <out)" ] || fail "not one object a line"
	grep -F '"name":"PsSetCreateProcessNotifyRoutineEx2"' out | grep -F '"arguments":3' |
		grep -F '"irql":"PASSIVE_LEVEL"' | grep -qF '"reference":"PS-2"' ||
		fail "$(grep Ex2 out)"
	grep -F '"name":"PsProcessType"' out | grep -qF '"kind":"data"' || fail "no data"
	grep -F '"status":"not implemented"' out | grep -qE '"drivers":[0-9]+' || fail "nothing missing"
	[ "$(wc -l <out)" = "$("$ringside" exports | grep -cE '^  [A-Za-z_]')" ] ||
		fail "another number of rows than the text has"
}

a_full_disk_is_reported() {
	"$ringside" exports >/dev/full 2>err
	status=$?
	expect_status 125
	expect_complaint 'standard output'
	"$ringside" inspect plain.sys >/dev/full 2>err
	status=$?
	expect_status 125
}

run_cases \
	headers_are_shown \
	imports_are_shown_with_what_is_missing \
	uses_of_what_is_missing_are_shown \
	lines_are_shown_where_there_are_some \
	names_that_it_may_look_up_are_shown \
	symbols_are_named \
	integrity_is_said_in_words \
	our_own_drivers_lack_nothing \
	a_bad_file_is_125_with_one_line \
	a_32_bit_driver_is_named_as_such \
	names_do_not_reach_the_terminal_raw \
	wrong_arguments_are_one_line \
	exports_are_listed \
	what_drivers_use_and_is_not_here_is_listed_by_how_many_do \
	the_page_says_the_same \
	exports_as_json_are_one_object_a_line \
	a_full_disk_is_reported

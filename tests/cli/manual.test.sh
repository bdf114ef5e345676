#!/bin/bash
# SPDX-License-Identifier: MIT
# The manual page and --help say the same, and the page has no mistakes.
set -u
ringside=$1/ringside
here=$(cd "$(dirname "$0")" && pwd)
page=$here/../../docs/ringside.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
# shellcheck source=tests/cli/cases.sh
. "$here/cases.sh"

options_of_help() {
	local verb
	for verb in run inspect exports; do
		"$ringside" $verb --help
	done | grep -oE -- '--[a-z]+[a-z-]*' | grep -vx -- '--help' | sort -u
}

# In mdoc, --json is "Fl -json".
options_of_page() {
	grep -oE 'Fl -[a-z]+[a-z-]*' "$page" | sed 's/Fl -/--/' | grep -vxE -- '--(help|version)' | sort -u
}

the_page_is_free_of_warnings() {
	local said
	command -v groff >/dev/null || return 0
	said=$(groff -mdoc -ww -z -Tutf8 -k "$page" 2>&1)
	[ -z "$said" ] || fail "$said"
}

help_and_page_have_the_same_options() {
	local difference
	difference=$(diff <(options_of_help) <(options_of_page)) || fail "$difference"
}

help_and_page_have_the_same_exit_statuses() {
	local code
	for code in 123 125 126 127; do
		"$ringside" run --help | grep -q "  $code  " || fail "help has no $code"
		grep -qx ".It $code" "$page" || fail "the page has no $code"
	done
}

help_fits_a_terminal() {
	local wide
	wide=$(for verb in '' run inspect exports; do
		# shellcheck disable=SC2086 # the empty word is to vanish
		"$ringside" $verb --help
	done | grep -E '.{81}')
	[ -z "$wide" ] || fail "$wide"
}

run_cases \
	the_page_is_free_of_warnings \
	help_and_page_have_the_same_options \
	help_and_page_have_the_same_exit_statuses \
	help_fits_a_terminal

# SPDX-License-Identifier: MIT
# For the scripts here: cases are functions that call fail; each is an "ok" line.

# Runs the command with its output in files; sets status.
run() {
	"$ringside" "$@" >out 2>err </dev/null
	status=$?
}

fail() {
	printf '%s\n' "$*" | sed 's/^/# /' >>complaints
}

expect_status() {
	[ "$status" = "$1" ] || fail "status $status, not $1: $(cat err)"
}

# One line from ringside that has all the words.
expect_complaint() {
	local line word
	line=$(grep '^ringside: ' err)
	[ "$(wc -l <<<"$line")" = 1 ] || fail "several lines: $line"
	for word in "$@"; do
		[[ $line == *"$word"* ]] || fail "no \"$word\" in: $line"
	done
}

# Up to 5 seconds for a condition to hold.
wait_for() {
	local tries
	for ((tries = 0; tries < 100; tries++)); do
		# shellcheck disable=SC2086 # a command with arguments
		$1 && return 0
		sleep 0.05
	done
	return 1
}

run_cases() {
	local number=0 failures=0 case
	for case in "$@"; do
		number=$((number + 1))
		rm -f complaints out err ran report
		"$case"
		if [ -e complaints ]; then
			failures=$((failures + 1))
			echo "not ok $number - $case"
			cat complaints
		else
			echo "ok $number - $case"
		fi
	done
	[ "$failures" = 0 ]
}

#!/bin/bash
# SPDX-License-Identifier: MIT
# The callback protocol, checked exhaustively with Spin; and the same model without one
# of its three safeguards at a time, in which Spin must find a violation.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0

check() { # NAME EXPECTED-ERRORS DEFINE...
	local name=$1 expected=$2
	shift 2
	spin "$@" -a "$here/callback.pml" >spin.log
	gcc -O2 -w -DSAFETY -DMEMLIM=4096 -DVECTORSZ=2048 -DCOLLAPSE -o pan pan.c
	./pan -m1000000 >pan.log 2>&1 || true
	local errors states
	errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.log)
	states=$(sed -n 's/ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log)
	if grep -q 'max search depth too small\|out of memory' pan.log; then
		errors=incomplete
	fi
	if [ "$errors" = "$expected" ]; then
		echo "[       OK ] $name ($states states, errors: $errors)"
	else
		echo "[  FAILED  ] $name ($states states, errors: $errors, expected $expected)"
		tail -5 pan.log
		failed=$((failed + 1))
	fi
}

total=5
check ps_22_ps_24_ob_62_removal_waits_for_two_walkers_in_every_interleaving 0 -DREMOVERS=1
check ps_28_two_removers_and_a_second_life_in_every_interleaving 0 -DWALKERS=1 -DSECOND_LIFE
check ps_24_model_without_the_fence_is_refuted 1 -DWALKERS=1 -DNO_FENCE
check ps_24_model_that_says_any_only_at_its_beginning_is_refuted 1 -DWALKERS=1 -DNO_ANY
check ps_30_model_that_frees_arrays_eagerly_is_refuted 1 -DWALKERS=1 -DEAGER_FREE
echo "[  PASSED  ] $((total - failed)) test(s)."
[ "$failed" = 0 ] || { echo "[  FAILED  ] $failed test(s)"; exit 1; }

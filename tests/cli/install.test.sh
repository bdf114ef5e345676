#!/bin/bash
# SPDX-License-Identifier: MIT
# What is installed can be used: a program that embeds the kernel builds and runs.
set -u
build=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
# shellcheck source=tests/cli/cases.sh
. "$here/cases.sh"

pkg_config_has_all_that_a_program_needs() {
	local flags
	cmake --install "$build" --prefix "$work/prefix" >out 2>&1 || fail "$(cat out)"
	flags=$(PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name ringside.pc)") \
		pkg-config --define-prefix --cflags --libs ringside) || fail "no flags"
	cat >program.c <<-'end'
		#include <ringside/ringside.h>
		int main(void)
		{
			return rs_boot(&(struct rs_options){.profile = RS_DOCUMENTED}) != 0;
		}
	end
	# shellcheck disable=SC2086 # several words
	cc program.c $flags -o program 2>out || fail "$(tail -n 3 out)"
	./program || fail "status $?"
}

run_cases pkg_config_has_all_that_a_program_needs

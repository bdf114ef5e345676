# SPDX-License-Identifier: MIT
# The additions of ddk/ to mingw's headers compile, have the right layout, and import.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$source/tools/make-import-library" x86_64-w64-mingw32-dlltool ntoskrnl.exe "$work/libntoskrnl.a"

for options in -DNTDDI_VERSION=0x0A000000 '-DNTDDI_VERSION=0x0A000000 -DWITH_NTIFS' \
	'-DNTDDI_VERSION=0x0A000000 -DWITH_FLTKERNEL' \
	'-DNTDDI_VERSION=0x06010000 -D_WIN32_WINNT=0x0601'; do
	# shellcheck disable=SC2086 # several words
	x86_64-w64-mingw32-gcc -std=gnu17 -O2 -Wall -Wextra -Werror -Wno-multichar \
		-Wno-unknown-pragmas -ffreestanding $options \
		-isystem /usr/share/mingw-w64/include/ddk -I"$source/ddk" \
		-o "$work/layout.sys" "$source/tests/ddk/layout.c" \
		-shared -nostdlib -Wl,--subsystem,native -Wl,--entry,DriverEntry \
		-L"$work" -lntoskrnl -lgcc
	echo "ok: $options"
done

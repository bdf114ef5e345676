# SPDX-License-Identifier: MIT
# The same driver, but processes look as Windows 10 shows those of Linux: see demo.
set -v
sleep 0.2 | cat
shred -u notes.txt
cat notes.txt

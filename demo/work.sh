# SPDX-License-Identifier: MIT
# Some work for a driver to watch: see demo.
set -v

# Pipelines and background jobs.
seq 1 2000 | sort -rn | head -n 2
sleep 0.5 &
(sleep 0.2; echo "a background job") &
wait

# A compiler and what it starts.
gcc -o hello hello.c
./hello

# A program that the driver refuses: it would overwrite the file and remove it.
shred -u notes.txt
cat notes.txt

# A process that the driver protects from being killed.
./keeper 2 &
sleep 0.5
kill -9 $!
wait $!

# A symbol table, and no DWARF.
set(DRIVER_EXTRA LDFLAGS -Wl,--strip-debug)

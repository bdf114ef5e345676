# gcc takes mingw's own gs:[0x188] for an access to an object at address 0x188.
set(DRIVER_EXTRA CFLAGS -Wno-array-bounds)

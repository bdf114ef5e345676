set(DRIVER_EXTRA CFLAGS -fno-asynchronous-unwind-tables)

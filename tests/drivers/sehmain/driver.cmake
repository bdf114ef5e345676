set(DRIVER_MSVC TRUE)
set(DRIVER_NEEDS sehdll) # its import library
set(DRIVER_EXTRA CFLAGS -Xclang -cfguard LDFLAGS /guard:cf,nolongjmp,noehcont)

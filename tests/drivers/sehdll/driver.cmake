set(DRIVER_MSVC TRUE)
set(DRIVER_EXTRA LDFLAGS /export:DllInitialize,PRIVATE /export:DllUnload,PRIVATE /export:Add
  /export:Call /export:Counter,DATA /export:Forwarded=ntoskrnl.KeGetCurrentIrql)

# Windows drivers, built here into real .sys files: every folder of drivers/ becomes
# build/drivers/NAME.sys, every folder of tests/drivers/ becomes
# build/tests/drivers/NAME.sys.
#
# The import libraries are made from ntos/exports.def, since mingw's lack the newer
# names.

find_program(MINGW_CC x86_64-w64-mingw32-gcc REQUIRED)
find_program(MINGW_DLLTOOL x86_64-w64-mingw32-dlltool REQUIRED)

set(IMPORT_LIBRARIES "")
foreach(dll IN ITEMS ntoskrnl.exe hal.dll fltmgr.sys)
  get_filename_component(stem ${dll} NAME_WE)
  set(library ${CMAKE_BINARY_DIR}/lib${stem}.a)
  add_custom_command(OUTPUT ${library}
    COMMAND ${CMAKE_SOURCE_DIR}/tools/make-import-library ${MINGW_DLLTOOL} ${dll} ${library}
    DEPENDS ${CMAKE_SOURCE_DIR}/ntos/exports.def ${CMAKE_SOURCE_DIR}/tools/make-import-library
    VERBATIM)
  list(APPEND IMPORT_LIBRARIES ${library})
endforeach()

set(DRIVER_CFLAGS -std=gnu17 -O2 -g -Wall -Wextra -Werror -Wno-unknown-pragmas -Wno-multichar
  -ffreestanding -fno-builtin -mno-red-zone -fno-stack-protector
  -fasynchronous-unwind-tables -DNTDDI_VERSION=0x0A000000 -D_WIN32_WINNT=0x0A00
  -isystem /usr/share/mingw-w64/include/ddk -I${CMAKE_SOURCE_DIR}/ddk)
set(DRIVER_LDFLAGS -shared -nostdlib -Wl,--subsystem,native -Wl,--entry,DriverEntry
  -Wl,--image-base,0x140000000 -Wl,--dynamicbase -Wl,--nxcompat -Wl,--forceinteg
  -Wl,--exclude-all-symbols)

# add_driver(NAME OUTPUT SOURCES ... [HEADERS ...] [CFLAGS ...] [LDFLAGS ...]): NAME.sys
# in folder OUTPUT.
function(add_driver name output)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;CFLAGS;LDFLAGS" ${ARGN})
  set(sys ${output}/${name}.sys)
  file(GLOB ddk_headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/ddk/*.h)
  file(MAKE_DIRECTORY ${output})
  add_custom_command(OUTPUT ${sys}
    COMMAND ${MINGW_CC} ${DRIVER_CFLAGS} ${ARG_CFLAGS} -o ${sys} ${ARG_SOURCES} ${DRIVER_LDFLAGS}
            ${ARG_LDFLAGS} -L${CMAKE_BINARY_DIR} -lntoskrnl -lhal -lfltmgr -lgcc
    DEPENDS ${ARG_SOURCES} ${ARG_HEADERS} ${IMPORT_LIBRARIES} ${ddk_headers}
    VERBATIM)
  add_custom_target(driver-${name} ALL DEPENDS ${sys})
endfunction()

function(add_drivers_below folder output)
  file(GLOB folders CONFIGURE_DEPENDS ${folder}/*)
  foreach(dir IN LISTS folders)
    file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.c)
    if(NOT sources)
      continue()
    endif()
    file(GLOB headers CONFIGURE_DEPENDS ${dir}/*.h)
    get_filename_component(name ${dir} NAME)
    set(DRIVER_EXTRA "")
    include(${dir}/driver.cmake OPTIONAL) # may set DRIVER_EXTRA: CFLAGS ... LDFLAGS ...
    add_driver(${name} ${output} SOURCES ${sources} HEADERS ${headers} ${DRIVER_EXTRA})
  endforeach()
endfunction()

add_drivers_below(${CMAKE_SOURCE_DIR}/drivers ${CMAKE_BINARY_DIR}/drivers)
if(BUILD_TESTING)
  add_drivers_below(${CMAKE_SOURCE_DIR}/tests/drivers ${CMAKE_BINARY_DIR}/tests/drivers)
endif()

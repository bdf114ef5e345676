# Windows drivers, built here into real .sys files: every folder of drivers/ becomes
# build/drivers/NAME.sys, every folder of tests/drivers/ becomes
# build/tests/drivers/NAME.sys.
#
# The import libraries are made from ntos/exports.def, since mingw's lack the newer
# names.

find_program(MINGW_CC x86_64-w64-mingw32-gcc REQUIRED)
find_program(MINGW_DLLTOOL x86_64-w64-mingw32-dlltool REQUIRED)
find_program(CLANG clang)
find_program(LLD_LINK lld-link)

set(IMPORT_LIBRARIES "")
foreach(dll IN ITEMS ntoskrnl.exe hal.dll fltmgr.sys ksecdd.sys)
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
            ${ARG_LDFLAGS} -L${CMAKE_BINARY_DIR} -lntoskrnl -lhal -lfltmgr -lksecdd -lgcc
    DEPENDS ${ARG_SOURCES} ${ARG_HEADERS} ${IMPORT_LIBRARIES} ${ddk_headers}
    VERBATIM)
  add_custom_target(driver-${name} ALL DEPENDS ${sys})
endfunction()

# The same in the binary interface of Microsoft's compiler, whose __try, __except and
# __finally clang knows: C and assembly sources, one object each. Without clang and
# lld-link there is no such driver, and its tests are skipped.
set(MSVC_CFLAGS --target=x86_64-pc-windows-msvc -O2 -g -Wall -Wextra -Werror
  -ffreestanding -fms-extensions -fasync-exceptions -mno-red-zone -fno-stack-protector
  -fasynchronous-unwind-tables)
set(MSVC_LDFLAGS /nologo /driver /subsystem:native /entry:DriverEntry /nodefaultlib
  /integritycheck /dynamicbase)

function(add_msvc_driver name output)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;NEEDS;CFLAGS;LDFLAGS" ${ARGN})
  if(NOT CLANG OR NOT LLD_LINK)
    return()
  endif()
  set(sys ${output}/${name}.sys)
  set(objects "")
  file(MAKE_DIRECTORY ${output}/${name}.objects)
  foreach(source IN LISTS ARG_SOURCES)
    get_filename_component(file ${source} NAME)
    set(object ${output}/${name}.objects/${file}.obj)
    set(flags --target=x86_64-pc-windows-msvc)
    if(file MATCHES "\\.c$")
      set(flags ${MSVC_CFLAGS} -std=gnu17 ${ARG_CFLAGS})
    elseif(file MATCHES "\\.cpp$")
      set(flags ${MSVC_CFLAGS} -std=gnu++17 -fno-exceptions -fno-rtti
        -fno-threadsafe-statics ${ARG_CFLAGS})
    endif()
    add_custom_command(OUTPUT ${object}
      COMMAND ${CLANG} ${flags} -c ${source} -o ${object}
      DEPENDS ${source} ${ARG_HEADERS} VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  set(needed "")
  foreach(dll IN LISTS ARG_NEEDS)
    list(APPEND needed ${output}/${dll}.lib)
  endforeach()
  add_custom_command(OUTPUT ${sys} ${output}/${name}.lib
    COMMAND ${LLD_LINK} ${MSVC_LDFLAGS} ${ARG_LDFLAGS} /out:${sys}
            /implib:${output}/${name}.lib ${objects} ${needed} ${IMPORT_LIBRARIES}
    COMMAND ${CMAKE_COMMAND} -E touch ${output}/${name}.lib # there is none without exports
    DEPENDS ${objects} ${needed} ${IMPORT_LIBRARIES} VERBATIM)
  add_custom_target(driver-${name} ALL DEPENDS ${sys})
endfunction()

# A folder's driver.cmake may set DRIVER_EXTRA (CFLAGS ... LDFLAGS ...), DRIVER_MSVC, and
# DRIVER_NEEDS: the drivers of Microsoft's kind that it imports from.
function(add_drivers_below folder output)
  file(GLOB folders CONFIGURE_DEPENDS ${folder}/*)
  foreach(dir IN LISTS folders)
    file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.c ${dir}/*.cpp ${dir}/*.s)
    if(NOT sources)
      continue()
    endif()
    file(GLOB headers CONFIGURE_DEPENDS ${dir}/*.h)
    get_filename_component(name ${dir} NAME)
    set(DRIVER_EXTRA "")
    set(DRIVER_MSVC FALSE)
    set(DRIVER_NEEDS "")
    include(${dir}/driver.cmake OPTIONAL)
    if(DRIVER_MSVC)
      add_msvc_driver(${name} ${output} SOURCES ${sources} HEADERS ${headers}
        NEEDS ${DRIVER_NEEDS} ${DRIVER_EXTRA})
    else()
      add_driver(${name} ${output} SOURCES ${sources} HEADERS ${headers} ${DRIVER_EXTRA})
    endif()
  endforeach()
endfunction()

add_drivers_below(${CMAKE_SOURCE_DIR}/drivers ${CMAKE_BINARY_DIR}/drivers)
if(BUILD_TESTING)
  add_drivers_below(${CMAKE_SOURCE_DIR}/tests/drivers ${CMAKE_BINARY_DIR}/tests/drivers)
endif()

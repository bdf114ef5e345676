# Every tests/COMPONENT/NAME.test.c is a cmocka program of its own, run by CTest;
# every tests/COMPONENT/NAME.test.sh likewise, with the build folder as argument.
# tests/support/*.c is linked into each.

pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
file(GLOB TEST_SUPPORT CONFIGURE_DEPENDS tests/support/*.c)
file(GLOB TEST_PROGRAMS CONFIGURE_DEPENDS tests/*/*.test.c)
file(GLOB TEST_SCRIPTS CONFIGURE_DEPENDS tests/*/*.test.sh)

set(TEST_DEFINITIONS _GNU_SOURCE TEST_BUILD="${CMAKE_BINARY_DIR}"
  TEST_SOURCE="${CMAKE_SOURCE_DIR}")
add_library(test-support OBJECT ${TEST_SUPPORT}) # compiled once, all of it in each program
target_include_directories(test-support PRIVATE tests)
target_compile_definitions(test-support PRIVATE ${TEST_DEFINITIONS})
target_link_libraries(test-support PUBLIC ringside PkgConfig::CMOCKA)

foreach(source IN LISTS TEST_PROGRAMS)
  get_filename_component(stem ${source} NAME)
  string(REPLACE ".test.c" "" stem ${stem})
  get_filename_component(folder ${source} DIRECTORY)
  get_filename_component(component ${folder} NAME)
  set(target test-${component}-${stem})
  add_executable(${target} ${source})
  target_include_directories(${target} PRIVATE tests)
  target_compile_definitions(${target} PRIVATE ${TEST_DEFINITIONS})
  target_link_libraries(${target} PRIVATE test-support ringside PkgConfig::CMOCKA)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${component}/${stem} COMMAND ${target})
  set_tests_properties(${component}/${stem} PROPERTIES TIMEOUT 300)
endforeach()

foreach(script IN LISTS TEST_SCRIPTS)
  get_filename_component(stem ${script} NAME)
  string(REPLACE ".test.sh" "" stem ${stem})
  get_filename_component(folder ${script} DIRECTORY)
  get_filename_component(component ${folder} NAME)
  add_test(NAME ${component}/${stem} COMMAND bash ${script} ${CMAKE_BINARY_DIR})
  set_tests_properties(${component}/${stem} PROPERTIES TIMEOUT 300)
endforeach()

file(GLOB BENCH_PROGRAMS CONFIGURE_DEPENDS bench/*.c)
foreach(source IN LISTS BENCH_PROGRAMS)
  get_filename_component(stem ${source} NAME_WE)
  add_executable(bench-${stem} ${source})
  target_compile_definitions(bench-${stem} PRIVATE _GNU_SOURCE TEST_BUILD="${CMAKE_BINARY_DIR}")
  target_link_libraries(bench-${stem} PRIVATE ringside)
  set_target_properties(bench-${stem} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endforeach()

# Fuzz targets: tests/COMPONENT/NAME.fuzz.c, built only with RINGSIDE_FUZZ.
if(RINGSIDE_FUZZ)
  file(GLOB FUZZ_PROGRAMS CONFIGURE_DEPENDS tests/*/*.fuzz.c)
  foreach(source IN LISTS FUZZ_PROGRAMS)
    get_filename_component(stem ${source} NAME)
    string(REPLACE ".fuzz.c" "" stem ${stem})
    add_executable(fuzz-${stem} ${source})
    target_compile_definitions(fuzz-${stem} PRIVATE _GNU_SOURCE)
    target_link_libraries(fuzz-${stem} PRIVATE ringside -fsanitize=fuzzer)
    set_target_properties(fuzz-${stem} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  endforeach()
endif()

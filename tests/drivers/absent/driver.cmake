# An import library for what nobody exports.
set(ABSENT_LIBRARY ${CMAKE_BINARY_DIR}/libabsent.a)
execute_process(COMMAND ${MINGW_DLLTOOL} -d ${dir}/absent.def -l ${ABSENT_LIBRARY}
  COMMAND_ERROR_IS_FATAL ANY)
set(DRIVER_EXTRA LDFLAGS ${ABSENT_LIBRARY})

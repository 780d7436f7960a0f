# cmake -D SOURCE= -D COMPILER= -D INCLUDE= -D INCLUDE_AFTER= -D FLAGS= -P compile_test.cmake
# Compiles SOURCE. If its first line is `// expect: REGEX` (CMake's regular expressions), it must fail and its output must
# match; otherwise it must compile.
separate_arguments(FLAGS)
set(includes "")
foreach(dir IN LISTS INCLUDE_AFTER)
  list(APPEND includes -idirafter ${dir})  # may hold /usr/include, which must stay behind the library's own
endforeach()
execute_process(
  COMMAND ${COMPILER} -std=c++20 -fsyntax-only ${FLAGS} -I${INCLUDE} ${includes} ${SOURCE}
  RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)

file(STRINGS ${SOURCE} first LIMIT_COUNT 1)
if(NOT first MATCHES "^// expect: (.+)$")
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${SOURCE} does not compile:\n${output}")
  endif()
  return()
endif()
set(expected "${CMAKE_MATCH_1}")
if(code EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles, and must not")
elseif(NOT output MATCHES "${expected}")
  message(FATAL_ERROR "${SOURCE} does not compile, as it should, but the message does not match `${expected}`:\n${output}")
endif()

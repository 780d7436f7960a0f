# cmake -D FOLDER= -D COMPILER= -D INCLUDE= -D WORK= -P bare_test.cmake
# All headers of gt/FOLDER/ compile where there is no file system, no thread and no exception, as for a browser or a
# microcontroller, and include none of the headers that would need them. What does is named with the chain that leads to it.
cmake_minimum_required(VERSION 3.24)
set(forbidden filesystem thread mutex shared_mutex condition_variable future stop_token omp.h)

file(GLOB headers RELATIVE ${INCLUDE} ${INCLUDE}/gt/${FOLDER}/*.hpp)
list(TRANSFORM headers REPLACE "(.+)" "#include <\\1>\n")
list(JOIN headers "" text)
file(WRITE ${WORK}/bare_${FOLDER}.cpp "${text}")
execute_process(
  COMMAND ${COMPILER} -std=c++20 -fno-exceptions -fsyntax-only -Wall -Wextra -Werror -H -I${INCLUDE} ${WORK}/bare_${FOLDER}.cpp
  RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(headers STREQUAL "" OR NOT code EQUAL 0)
  message(FATAL_ERROR "The headers of gt/${FOLDER}/ must compile with -fno-exceptions and their own includes:\n${output}")
endif()

# Under -H a compiler prints each header that it opens, behind as many dots as it is deep.
string(REGEX MATCHALL "(^|\n)\\.+ [^\n]+" lines "${output}")
set(wrong "")
foreach(line IN LISTS lines)
  string(REGEX MATCH "(\\.+) (.+)" line "${line}")
  set(header "${CMAKE_MATCH_2}")
  string(LENGTH "${CMAKE_MATCH_1}" depth)
  set(chain_${depth} "${header}")
  cmake_path(GET header FILENAME name)
  if(name IN_LIST forbidden)
    set(chain "")
    foreach(i RANGE 1 ${depth})
      string(APPEND chain "\n  ${chain_${i}}")
    endforeach()
    string(APPEND wrong "\ngt/${FOLDER}/ must not include <${name}>, which is reached through${chain}")
  endif()
endforeach()
if(lines STREQUAL "" OR wrong)
  message(FATAL_ERROR "${wrong}")
endif()

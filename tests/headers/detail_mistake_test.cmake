# cmake -D WORK= -P detail_mistake_test.cmake
# detail_test.cmake finds each way to name `detail`, says where it is, and takes nothing else for it.
cmake_minimum_required(VERSION 3.24)
file(REMOVE_RECURSE ${WORK})

# The tree is refused, or accepted when nothing is said, with these words.
function(expect)
  execute_process(COMMAND ${CMAKE_COMMAND} -D ROOT=${WORK} -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/detail_test.cmake
    RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")  # CMake wraps what it prints
  if((ARGN AND code EQUAL 0) OR (NOT ARGN AND NOT code EQUAL 0))
    message(FATAL_ERROR "expected '${ARGN}' (empty: no fault), got ${code}:\n${output}")
  endif()
  foreach(words IN LISTS ARGN)
    string(FIND "${output}" "${words}" at)
    if(at LESS 0)
      message(FATAL_ERROR "expected '${words}', got:\n${output}")
    endif()
  endforeach()
endfunction()

expect("of 0 files")

file(WRITE ${WORK}/include/gt/a.hpp "namespace gt::detail {\n}\nint x = detail::y;\n")
file(WRITE ${WORK}/examples/01_first.cpp "// gt::detail::hidden is not for users\nint detailed = in_detail::x[0]; char c = ';';\n")
file(WRITE ${WORK}/programs/grow.cpp "std::string detail = \"a\";\nauto n = detail.size();\n")
expect()

file(WRITE ${WORK}/programs/support/run.hpp "#pragma once\n\n  gt::detail::Staging staging[2]; int x;\n")
expect("programs/support/run.hpp:3: gt::detail::Staging staging(2), int x,")

file(REMOVE ${WORK}/programs/support/run.hpp)
file(WRITE ${WORK}/benchmarks/ops.cpp "using namespace gt;\nauto const cut = gt::ops::detail::cut;\nauto const it = detail::cut;\n")
expect("benchmarks/ops.cpp:2: auto const cut = gt::ops::detail::cut," "benchmarks/ops.cpp:3: auto const it = detail::cut,")

file(REMOVE ${WORK}/benchmarks/ops.cpp)
file(WRITE ${WORK}/examples/support/text.hpp "using namespace gt::detail;\nnamespace detail {\n}\n")
expect("examples/support/text.hpp:1: using namespace gt::detail," "examples/support/text.hpp:2: namespace detail {")

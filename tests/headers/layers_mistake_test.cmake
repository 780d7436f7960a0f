# cmake -D WORK= -P layers_mistake_test.cmake
# layers_test.cmake finds each kind of wrong include, and says where it is and what it breaks.
cmake_minimum_required(VERSION 3.24)
file(REMOVE_RECURSE ${WORK})
file(WRITE ${WORK}/docs/architecture.md [[
| | in `include/gt/` | seen only by | holds |
| --- | --- | --- | --- |
| 1 | `base/` | | errors |
| 2 | `ops/` | | formulas |
| 2 | `backend/` | `ops/*/cpu*.hpp` | lanes |
| 3 | `ops/*/cpu*.hpp` | `all.hpp` | kernels |
| 4 | `nn/` | | models |
| 5 | `all.hpp` | | the umbrella |

| library | as | in |
| --- | --- | --- |
| Eigen | `<Eigen/*>` | `base/` `nn/solve.hpp` |
]])

# Writes a header of a tree that is right, or of one that gets the lines given.
function(header path)
  list(JOIN ARGN "\n" text)
  file(WRITE ${WORK}/include/gt/${path} "// A comment; with [brackets\n#pragma once\n\n${text}\n")
endfunction()
function(right_tree)
  file(REMOVE_RECURSE ${WORK}/include)
  header(base/error.hpp "#include <Eigen/Core>" "#include <vector>")
  header(ops/add.hpp "#include \"gt/base/error.hpp\"")
  header(ops/mul/mul.hpp "#include \"gt/ops/add.hpp\"")
  header(ops/mul/cpu_tile.hpp "  #  include <gt/backend/lane.hpp>  // why; and [so on")
  header(backend/lane.hpp "#include \"gt/base/error.hpp\"")
  header(nn/block.hpp "#include \"gt/ops/mul/mul.hpp\"" "// #include \"gt/all.hpp\"")
  header(nn/solve.hpp "#include <Eigen/Eigenvalues>")
  header(all.hpp "#include \"gt/nn/block.hpp\"" "#include \"gt/ops/mul/cpu_tile.hpp\"")
endfunction()
# The tree is refused, or accepted when nothing is said, with these words.
function(expect)
  execute_process(COMMAND ${CMAKE_COMMAND} -D ROOT=${WORK} -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/layers_test.cmake
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

right_tree()
expect()

header(base/error.hpp "" "#include \"gt/nn/block.hpp\"")
expect("include/gt/base/error.hpp:5: #include \"gt/nn/block.hpp\": base/ (1) must not see nn/ (4), which stands below it")

right_tree()
header(ops/add.hpp "#include <gt/backend/lane.hpp>")
expect("include/gt/ops/add.hpp:4: #include <gt/backend/lane.hpp>: ops/ and backend/ (both 2) know nothing of each other")

right_tree()
header(nn/block.hpp "#include \"gt/backend/lane.hpp\"" "#include \"gt/ops/mul/cpu_tile.hpp\"")
expect("include/gt/nn/block.hpp:4: #include \"gt/backend/lane.hpp\": backend/ is seen only by ops/*/cpu*.hpp"
  "include/gt/nn/block.hpp:5: #include \"gt/ops/mul/cpu_tile.hpp\": ops/*/cpu*.hpp is seen only by all.hpp")

right_tree()
header(nn/block.hpp "#include \"gt/new/thing.hpp\"" "#include \"solve.hpp\"" "#include <Eigen/Core>" "#include <zlib.h>")
header(new/thing.hpp "#include <vector>")
expect("include/gt/nn/block.hpp:4: #include \"gt/new/thing.hpp\": no row of the table holds what it names"
  "include/gt/nn/block.hpp:5: #include \"solve.hpp\": headers of gt are named from include/"
  "include/gt/nn/block.hpp:6: #include <Eigen/Core>: Eigen is named only in base/, nn/solve.hpp"
  "include/gt/nn/block.hpp:7: #include <zlib.h>: no library of the table has it"
  "include/gt/new/thing.hpp: no row of the table holds it; add its folder to docs/architecture.md")

right_tree()
file(REMOVE ${WORK}/include/gt/ops/mul/cpu_tile.hpp)
header(all.hpp "#include \"gt/nn/block.hpp\"")
expect("the table's `ops/*/cpu*.hpp` holds no header")

file(WRITE ${WORK}/docs/architecture.md "no table\n")
expect("docs/architecture.md must have a table of folders and one of libraries")

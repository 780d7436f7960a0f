# cmake -D GT_SOURCE= -D WORK= -D COMPILER= -P amalgamate.cmake
# tools/amalgamate.cmake on headers that include each other in awkward ways.
function(must_hold)
  if(NOT (${ARGV}))
    list(JOIN ARGV " " condition)
    message(FATAL_ERROR "must hold: ${condition} (got ${output})")
  endif()
endfunction()
# amalgamate(): sets code and output.
macro(amalgamate)
  execute_process(COMMAND ${CMAKE_COMMAND} -D FILE=${WORK}/one/gt/gt.hpp -D INCLUDE=${WORK}/many
    -P ${GT_SOURCE}/tools/amalgamate.cmake
    RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
endmacro()

file(REMOVE_RECURSE ${WORK})
file(WRITE ${WORK}/many/gt/base/version.hpp
  "#pragma once\n#define GT_VERSION_MAJOR 3\n#define GT_VERSION_MINOR 2\n#define GT_VERSION_PATCH 10\n")
file(WRITE ${WORK}/many/gt/deep.hpp [[
// SPDX-License-Identifier: MIT
#pragma once
#include <array>
struct Deep { std::array<int, 2> two{}; };
]])
file(WRITE ${WORK}/many/gt/sometimes.hpp [[
// SPDX-License-Identifier: MIT
#pragma once
#include "gt/deep.hpp"
#include <vector>
struct Sometimes { Deep deep; std::vector<int> many; };
]])
file(WRITE ${WORK}/many/gt/always.hpp [[
// SPDX-License-Identifier: MIT
#pragma once
#  include <gt/sometimes.hpp>
#include <vector>
inline Sometimes always() { return {}; }
]])
file(WRITE ${WORK}/many/gt/gt.hpp [[
// SPDX-License-Identifier: MIT
#pragma once
#include "gt/base/version.hpp"
#if defined(WANTS_SOMETIMES)
  #include "gt/sometimes.hpp"
inline Sometimes early() { return {}; }
#endif
#if __has_include("gt/none.hpp")
  #include "gt/none.hpp"
  #error "there is no gt/none.hpp"
#endif
#if !__has_include("gt/deep.hpp") || __has_include(<gt/none.hpp>)
  #error "there is a gt/deep.hpp, and no gt/none.hpp"
#endif
#include "gt/always.hpp"
#include "gt/deep.hpp"
]])
amalgamate()
must_hold(code EQUAL 0)
file(READ ${WORK}/one/gt/gt.hpp output)
must_hold(output MATCHES "gt 3\\.2\\.10 " AND output MATCHES "Permission is hereby granted")
must_hold(NOT output MATCHES "include *[\"<]gt/")
string(REGEX MATCHALL "SPDX-License-Identifier" licences "${output}")
string(REGEX MATCHALL "#pragma once" guards "${output}")
must_hold(licences STREQUAL SPDX-License-Identifier AND guards STREQUAL "#pragma once")

file(WRITE ${WORK}/main.cpp [[
#include "gt/gt.hpp"
#include "gt/gt.hpp"
int main() { return static_cast<int>(always().many.size()) + always().deep.two[0]; }
]])
foreach(wanted IN ITEMS -UWANTS_SOMETIMES -DWANTS_SOMETIMES)
  execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only -Wall -Werror ${wanted} -I${WORK}/one ${WORK}/main.cpp
    RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  must_hold(code EQUAL 0)
endforeach()

# What cannot be made leaves what was there before, and nothing else.
file(APPEND ${WORK}/many/gt/always.hpp "#include \"gt/lost.hpp\"\n")
file(SHA256 ${WORK}/one/gt/gt.hpp before)
amalgamate()
must_hold(NOT code EQUAL 0)
must_hold(output MATCHES "gt/always\\.hpp: \"gt/lost\\.hpp\" must be a header in ")
file(SHA256 ${WORK}/one/gt/gt.hpp after)
file(GLOB left RELATIVE ${WORK}/one/gt ${WORK}/one/gt/*)
must_hold(before STREQUAL after AND left STREQUAL "gt.hpp")
file(WRITE ${WORK}/many/gt/always.hpp "#if 1\n")
amalgamate()
must_hold(NOT code EQUAL 0)
must_hold(output MATCHES "gt/always\\.hpp: every #if must have its #endif")

# A folder is no FILE, and gets nothing in it.
file(WRITE ${WORK}/many/gt/always.hpp "#pragma once\n")
foreach(folder IN ITEMS one/gt one/none/)
  execute_process(COMMAND ${CMAKE_COMMAND} -D FILE=${WORK}/${folder} -D INCLUDE=${WORK}/many
    -P ${GT_SOURCE}/tools/amalgamate.cmake
    RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  must_hold(NOT code EQUAL 0)
  must_hold(output MATCHES "^gt: amalgamate: FILE must not be a folder \\(got [^\n]*/${folder}\\)[^\n]*\n")
endforeach()
file(GLOB_RECURSE left LIST_DIRECTORIES true RELATIVE ${WORK}/one ${WORK}/one/*)
list(JOIN left " " output)
must_hold(output STREQUAL "gt gt/gt.hpp")

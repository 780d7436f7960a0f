# cmake [-D ROOT=] [-D MANIFEST=] [-D MOST=] [-D ACCEPT=ON] -P public_names.cmake
# What gt/gt.hpp and its neighbours offer by name is what MANIFEST lists: all that their headers declare in namespace gt and
# in those within it (`simd::Lane`), outside of `detail`, and the macros that they leave defined; a line each, `name header`,
# sorted. ACCEPT writes the list instead of comparing it.
#
# Of what gt/gt.hpp reaches, at most MOST names stand directly in gt: what a program needs. Names in a namespace of their own,
# which are for who writes kernels, blocks or formats, and macros do not count, and a name that several headers declare counts
# once.
#
# It reads headers as clang-format leaves them: what stands in a namespace begins in the first column, what stands inside of
# anything else does not, and a namespace ends with a comment that names it. No compiler is needed.
cmake_minimum_required(VERSION 3.24)
if(NOT ROOT)
  cmake_path(SET ROOT NORMALIZE ${CMAKE_CURRENT_LIST_DIR}/../..)
endif()
if(NOT MANIFEST)
  set(MANIFEST ${CMAKE_CURRENT_LIST_DIR}/public_names.txt)
endif()
if(NOT MOST)
  set(MOST 200)
endif()
set(include ${ROOT}/include)
set(names "")
string(ASCII 1 semicolon)
string(ASCII 2 open)
string(ASCII 3 close)

# The name that a declaration declares, without its body: empty where there is none.
function(name_in declaration out)
  set(d "${declaration}")
  set(${out} "" PARENT_SCOPE)
  # No name, one that is declared elsewhere, or an operator.
  if(d MATCHES "^ *(static_assert|template <> )" OR d MATCHES "[^A-Za-z0-9_]operator *[^A-Za-z0-9_ ]")
    return()
  endif()
  while(d MATCHES "\\([^()]*\\)")
    string(REGEX REPLACE "\\([^()]*\\)" "@" d "${d}")  # what stands in parentheses
  endwhile()
  while(d MATCHES "<[^<>]*>")
    string(REGEX REPLACE "<[^<>]*>" "" d "${d}")  # parameters and arguments of templates
  endwhile()
  string(REGEX REPLACE "[{=${semicolon}].*$" " " d "${d}")  # bodies and initial values
  string(REGEX REPLACE "${open}${open}[^${close}]*${close}${close}" "" d "${d}")
  string(REGEX REPLACE "(requires|noexcept|decltype|alignas|__attribute__) *@" "" d "${d}")
  foreach(twice IN ITEMS 1 2)  # as neighbours share a space
    string(REGEX REPLACE "(^| )(template|inline|constexpr|extern|static|GT_[A-Z_]+) " " " d "${d}")
  endforeach()
  if(d MATCHES "[A-Za-z0-9_]::[A-Za-z_][A-Za-z0-9_]* *@")
    return()  # the body of what a class declares
  elseif(d MATCHES "([A-Za-z_][A-Za-z0-9_]*) *@")
    set(name "${CMAKE_MATCH_1}")  # a function: what stands before its parameters
  elseif(d MATCHES "(^| )(concept|using|enum class|enum|struct|class|union) +([A-Za-z_][A-Za-z0-9_]*)")
    set(name "${CMAKE_MATCH_3}")
  elseif(d MATCHES "([A-Za-z_][A-Za-z0-9_]*)(${open}[^${close}]*${close})? *$")
    set(name "${CMAKE_MATCH_1}")  # a variable
  else()
    message(FATAL_ERROR "this declaration must have a name (got '${declaration}')")
  endif()
  set(${out} "${name}" PARENT_SCOPE)
endfunction()

# Adds the names of a header to `names`, and the headers that it includes to `headers`.
macro(read_header header)
  file(STRINGS ${include}/${header} lines REGEX "^[ \t]*#[ \t]*include[ \t]*[\"<]gt/")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "gt/[^\">]+" line "${line}")
    if(NOT line IN_LIST headers)
      list(APPEND headers ${line})
    endif()
  endforeach()
  string(REGEX REPLACE "^gt/" "" short "${header}")
  string(REPLACE "_impl.hpp" ".hpp" short "${short}")  # bodies of what the header itself declares

  file(READ ${include}/${header} text)
  string(REPLACE ";" "${semicolon}" text "${text}")
  string(REPLACE "[" "${open}" text "${text}")
  string(REPLACE "]" "${close}" text "${text}")
  string(REPLACE "\\" "" text "\n${text}\n")
  # Macros that stay defined.
  string(REGEX MATCHALL "\n[ \t]*#[ \t]*define[ \t]+GT_[A-Z0-9_]+" macros "${text}")
  foreach(name IN LISTS macros)
    string(REGEX MATCH "GT_[A-Z0-9_]+" name "${name}")
    if(NOT text MATCHES "#[ \t]*undef[ \t]+${name}[^A-Z0-9_]")
      list(APPEND names "${name} ${short}")
    endif()
  endforeach()
  # Raw strings, comments, directives and the space at the end of lines go; a declaration becomes one line.
  while(text MATCHES "R\"([a-z]+)\\(")
    set(mark "${CMAKE_MATCH_1}")
    string(FIND "${text}" "R\"${mark}(" begin)
    string(FIND "${text}" ")${mark}\"" end)
    string(LENGTH ")${mark}\"" length)
    math(EXPR end "${end} + ${length}")
    string(SUBSTRING "${text}" 0 ${begin} before)
    string(SUBSTRING "${text}" ${end} -1 text)
    string(PREPEND text "${before}\"\"")
  endwhile()
  string(REPLACE "gt::inline GT_ABI" "gt" text "${text}")  # its name depends on the compiler's flags, and is nobody's to say
  string(REGEX REPLACE "}  // namespace [a-z0-9_:]+\n" "@end\n" text "${text}")
  string(REGEX REPLACE "(^|[^:])//[^\n]*" "\\1" text "${text}")
  string(REGEX REPLACE "\n[ \t]*#[^\n]*" "\n" text "${text}")
  string(REGEX REPLACE "[ \t]+\n" "\n" text "${text}")
  string(REGEX REPLACE "([^\n{}:${semicolon}])\n[ \t]+" "\\1 " text "${text}")
  string(REGEX REPLACE "\n[ \t][^\n]*" "" text "${text}")  # bodies
  string(REGEX REPLACE "\n+" ";" text "${text}")

  set(space "")
  set(pending "")
  foreach(line IN LISTS text)
    if(line MATCHES "^(inline )?namespace ([A-Za-z0-9_:]+) {$")
      list(APPEND space "${CMAKE_MATCH_2}")
    elseif(line STREQUAL "@end")
      list(POP_BACK space)
    elseif(line STREQUAL "" OR line MATCHES "^(}|&&|[|][|])")  # an end, or a concept that goes on
    else()
      string(APPEND pending " ${line}")
      if(line MATCHES "^template <.*>$" OR NOT line MATCHES "[{=${semicolon}]")
        continue()  # what follows belongs to it
      endif()
      list(JOIN space "::" scope)
      if(scope MATCHES "^gt(::|$)" AND NOT scope MATCHES "detail")
        name_in("${pending}" name)
        if(name)
          string(REGEX REPLACE "^gt(::)?" "" scope "${scope}")
          if(scope)
            string(PREPEND name "${scope}::")
          endif()
          list(APPEND names "${name} ${short}")
        endif()
      endif()
      set(pending "")
    endif()
  endforeach()
  if(NOT "${space}" STREQUAL "")
    message(FATAL_ERROR "include/${header}: each namespace must end with '}  // namespace NAME' (got none for ${space})")
  endif()
endmacro()

# Adds the names of `headers` and of all that these include.
macro(read_all)
  while(headers)
    set(seen ${seen} ${headers})
    set(now ${headers})
    foreach(header IN LISTS now)
      set(headers ${seen})
      read_header(${header})
      set(seen ${headers})
    endforeach()
    set(headers ${seen})
    set(done ${done} ${now})
    list(REMOVE_ITEM headers ${done})
  endwhile()
endmacro()

set(headers gt/gt.hpp)
read_all()
set(direct ${names})
list(TRANSFORM direct REPLACE " .*" "")
list(FILTER direct EXCLUDE REGEX "::|^GT_")
list(REMOVE_DUPLICATES direct)
list(LENGTH direct direct)
file(GLOB headers RELATIVE ${include} ${include}/gt/*.hpp)
list(REMOVE_ITEM headers ${done})
read_all()
list(REMOVE_DUPLICATES names)
list(SORT names)
list(LENGTH names count)
if(direct GREATER MOST)
  message(FATAL_ERROR "gt/gt.hpp must offer at most ${MOST} names directly in namespace gt (got ${direct}): what a program does "
    "not need goes to a namespace of its own, or to a header that gt.hpp leaves out")
endif()
if(ACCEPT)
  list(JOIN names "\n" text)
  file(WRITE ${MANIFEST} "${text}\n")
  message(STATUS "${MANIFEST}: ${count} names; of gt/gt.hpp ${direct} stand directly in gt, of at most ${MOST}")
  return()
endif()

file(STRINGS ${MANIFEST} listed)
set(added ${names})
list(REMOVE_ITEM added ${listed})
set(missing ${listed})
list(REMOVE_ITEM missing ${names})
if(added OR missing OR count EQUAL 0)
  list(TRANSFORM added PREPEND "\n  + ")
  list(TRANSFORM missing PREPEND "\n  - ")
  list(JOIN added "" added)
  list(JOIN missing "" missing)
  message(FATAL_ERROR "What gt/gt.hpp and its neighbours offer by name has changed:${added}${missing}\n"
    "If it was meant so, say it in CHANGELOG.md, and:\n  cmake -D ACCEPT=ON -P tests/headers/public_names.cmake")
endif()
message(STATUS "gt/gt.hpp and its neighbours offer ${count} names, as listed; of gt/gt.hpp ${direct} stand directly in gt, of at "
  "most ${MOST}")

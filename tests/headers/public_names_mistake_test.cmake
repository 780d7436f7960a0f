# cmake -D WORK= -P public_names_mistake_test.cmake
# public_names.cmake finds every kind of declaration, nothing else, and says what was added and what is missing.
cmake_minimum_required(VERSION 3.24)
file(REMOVE_RECURSE ${WORK})
file(WRITE ${WORK}/include/gt/gt.hpp "#pragma once\n\n#include \"gt/a/kinds.hpp\"\n#include \"gt/b.hpp\"\n")
file(WRITE ${WORK}/include/gt/a/unreached.hpp "namespace gt {\n\nstruct Unreached {};\n\n}  // namespace gt\n")
file(WRITE ${WORK}/include/gt/b.hpp "#include \"gt/gt.hpp\"  // a circle\n\nnamespace gt {\n\nusing Alias = int;\n\n}  // namespace gt\n")
file(WRITE ${WORK}/include/gt/a/kinds.hpp [=[
// namespace gt { struct Commented; }
#pragma once

#define GT_KEPT(x) ((void)0)
#define GT_DROPPED 1
#define OTHER 1
#undef GT_DROPPED

namespace other {
struct Foreign {};
}  // namespace other

namespace gt {

/// A struct; with "quotes", and braces {.
struct Plain {
  int member = 0;  ///< x[i]
  void method() const {}
};
struct Declared;
template <class T, int N = (3 > 2) ? 1 : 2>
class Templated : public Plain {
 public:
  Templated() = default;
};
template <>
struct Templated<int, 1> {
  int x;
};
template <class T>
Templated(T) -> Templated<T, 1>;
enum class Kind { one, two };
template <class T>
concept Sized = requires(T t) {
  t.size();
}
&&requires(T t) { t.data(); };
template <class T>
requires Sized<T>
struct Constrained {
  T value;
};
inline constexpr int number = 3, *const pointer = nullptr;
template <class T>
inline constexpr bool is_good = false;
template <>
inline constexpr bool is_good<int> = true;
constexpr char const* words[] = {"a;b", "c"};
static_assert(number == 3);
constexpr int one_line(int x) { return x; }
template <class T, class... Rest>
requires(Sized<T>&&... && Sized<Rest>) Constrained<T>
    two_lines(T const& x = T(), int (*f)(int) = nullptr) noexcept(noexcept(f(1))) {
  return {x};
}
[[nodiscard]] GT_KEPT_INLINE decltype(number + 1) attributed(int x);
inline Plain operator+(Plain a, Plain) { return a; }

namespace detail {
struct Hidden {};
}  // namespace detail

namespace nest8d {
inline void inner() {
  // {
}
}  // namespace nest8d

constexpr char const* text = R"css(
struct InAString {};
)css";
struct AfterIt {};

}  // namespace gt

namespace gt::detail::deeper {
struct HiddenToo {};
}  // namespace gt::detail::deeper
]=])
set(right Alias=b AfterIt Constrained Declared GT_KEPT Kind Plain Sized Templated attributed is_good nest8d::inner number one_line
  text two_lines words)
list(TRANSFORM right APPEND " a/kinds.hpp")
list(TRANSFORM right REPLACE "=b .*" " b.hpp")
list(SORT right)

function(run out)
  execute_process(COMMAND ${CMAKE_COMMAND} -D ROOT=${WORK} -D MANIFEST=${WORK}/names.txt ${ARGN}
    -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/public_names.cmake RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(code ${code} PARENT_SCOPE)
  set(${out} "${output}" PARENT_SCOPE)
endfunction()

run(output -D ACCEPT=ON)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "${output}")
endif()
file(STRINGS ${WORK}/names.txt names)
if(NOT names STREQUAL right)
  message(FATAL_ERROR "expected ${right}\ngot      ${names}\n${output}")
endif()
run(output)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "what was accepted must pass:\n${output}")
endif()
run(output -D MOST=15)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "macros and names of nested namespaces must not count:\n${output}")
endif()
run(output -D MOST=14)
string(REGEX REPLACE "[ \n]+" " " output "${output}")
if(code EQUAL 0 OR NOT output MATCHES "must offer at most 14 names directly in namespace gt [(]got 15[)]")
  message(FATAL_ERROR "too many names must be an error (got ${code}):\n${output}")
endif()
file(APPEND ${WORK}/include/gt/b.hpp "\nnamespace gt {\n\nvoid added();\n\n}  // namespace gt\n")
file(APPEND ${WORK}/names.txt "gone b.hpp\n")
run(output)
if(code EQUAL 0 OR NOT output MATCHES "[+] added b.hpp" OR NOT output MATCHES "- gone b.hpp" OR NOT output MATCHES "ACCEPT=ON")
  message(FATAL_ERROR "what was added and what is gone must be named (got ${code}):\n${output}")
endif()
file(APPEND ${WORK}/include/gt/b.hpp "\nnamespace gt {\n")
run(output)
if(code EQUAL 0 OR NOT output MATCHES "each namespace must end")
  message(FATAL_ERROR "a namespace that does not end must be an error (got ${code}):\n${output}")
endif()

// SPDX-License-Identifier: MIT
// The one exception type of the library, and the check that throws it. Compiled without exceptions it ends the program.
#pragma once

#if !defined(__cpp_exceptions)
  #include <cstdio>
  #include <cstdlib>
#endif
#include <charconv>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace gt {

/// What every public function throws on bad input. The text reads `gt: where: what must hold (got ...); hint`.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

inline std::string to_text(std::string_view text) { return std::string{text}; }
inline std::string to_text(std::string const& text) { return text; }
inline std::string to_text(char const* text) { return text; }
inline std::string to_text(char character) { return std::string(1, character); }
template <class T>
requires std::is_integral_v<T> std::string to_text(T value) { return std::to_string(value); }
/// Six decimals and a point, in every locale.
template <class T>
requires std::is_floating_point_v<T> std::string to_text(T value) {
  char buffer[std::numeric_limits<T>::max_exponent10 + 16];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, 6).ptr};
}

/// The text with `?` for control characters: one quoted from a file must not break a line or command a terminal.
inline std::string on_one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

}  // namespace detail

/// Joins texts and numbers: `text("got ", 3, " rows")`.
template <class... Parts>
std::string text(Parts const&... parts) {
  std::string joined;
  (joined.append(detail::to_text(parts)), ...);
  return joined;
}

/// Throws `gt: where: what` as an E, a kind of Error. `what` is a sentence: what must hold (got ...); a hint. It is one
/// line: a control character, which may come from a file, is shown as `?`.
/// Where exceptions are switched off (-fno-exceptions, in all translation units of a program) it prints the sentence to
/// stderr and aborts.
template <class E, class... Parts>
[[noreturn]] void fail_as(std::string_view where, Parts const&... what) {
#if defined(__cpp_exceptions)
  throw E(detail::on_one_line(text("gt: ", where, ": ", what...)));
#else
  std::fputs((detail::on_one_line(text("gt: ", where, ": ", what...)) + "\n").c_str(), stderr);
  std::abort();
#endif
}

/// Throws `gt: where: what` as an Error.
template <class... Parts>
[[noreturn]] void fail(std::string_view where, Parts const&... what) {
  fail_as<Error>(where, what...);
}

/// Throws `gt: where: what` unless `holds`. The parts are joined only when it fails.
template <class... Parts>
void check(bool holds, std::string_view where, Parts const&... what) {
  if (!holds) fail(where, what...);
}

}  // namespace gt

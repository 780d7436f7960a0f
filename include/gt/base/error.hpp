// SPDX-License-Identifier: MIT
// The one exception type of the library, and the check that throws it.
#pragma once

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
requires std::is_arithmetic_v<T> std::string to_text(T value) { return std::to_string(value); }

}  // namespace detail

/// Joins texts and numbers: `text("got ", 3, " rows")`.
template <class... Parts>
std::string text(Parts const&... parts) {
  std::string joined;
  (joined.append(detail::to_text(parts)), ...);
  return joined;
}

/// Throws `gt: where: what`. `what` is a sentence: what must hold (got ...); a hint.
template <class... Parts>
[[noreturn]] void fail(std::string_view where, Parts const&... what) {
  throw Error(text("gt: ", where, ": ", what...));
}

/// Throws `gt: where: what` unless `holds`. The parts are joined only when it fails.
template <class... Parts>
void check(bool holds, std::string_view where, Parts const&... what) {
  if (!holds) fail(where, what...);
}

}  // namespace gt

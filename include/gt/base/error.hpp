// SPDX-License-Identifier: MIT
// The one exception type of the library, and the check that throws it. Compiled without exceptions it ends the program.
#pragma once

#if !defined(__cpp_exceptions)
  #include <cstdlib>
#endif
#include <version>
#if !defined(__cpp_exceptions) || !defined(__cpp_lib_to_chars)
  #include <cmath>
  #include <cstdio>
#endif
#include <charconv>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// What every public function throws on bad input. The text reads `gt: where: what must hold (got ...); hint`.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

/// Six decimals and a point, in every locale.
inline std::string six_decimals(double value) {
  char buffer[std::numeric_limits<double>::max_exponent10 + 16];
#if defined(__cpp_lib_to_chars)
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, 6).ptr};
#else  // libc++ had none for floating-point numbers, or does not say that it has
  std::string digits(buffer, static_cast<std::size_t>(std::snprintf(buffer, sizeof buffer, "%.6f", value)));
  auto const point = digits.find_first_not_of("-0123456789");
  if (std::isfinite(value) && point != digits.npos) digits.replace(point, digits.size() - 6 - point, ".");
  return digits;
#endif
}

/// One part of a sentence with its type forgotten, so that no sentence costs a function of its own. It refers to a
/// text; a number is kept.
class Piece {
 public:
  constexpr Piece(std::string_view text) : text_{text} {}
  Piece(std::string const& text) : text_{text} {}
  constexpr Piece(char const* text) : text_{text} {}
  constexpr Piece(char character) : kind_{Kind::character}, character_{character} {}
  template <class T>
  requires std::is_integral_v<T>
  constexpr Piece(T value) : kind_{std::is_signed_v<T> ? Kind::integer : Kind::natural} {
    if constexpr (std::is_signed_v<T>)
      integer_ = value;
    else
      natural_ = value;
  }
  constexpr Piece(float value) : kind_{Kind::single}, single_{value} {}
  constexpr Piece(double value) : kind_{Kind::real}, real_{value} {}

  /// A number with six decimals where its type has them.
  void append_to(std::string& joined) const {
    char buffer[32];
    auto const number = [&](auto value) {
      joined.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
    };
    switch (kind_) {
      case Kind::text:
        joined.append(text_);
        break;
      case Kind::character:
        joined.push_back(character_);
        break;
      case Kind::integer:
        number(integer_);
        break;
      case Kind::natural:
        number(natural_);
        break;
      case Kind::single:
        joined += six_decimals(single_);
        break;
      case Kind::real:
        joined += six_decimals(real_);
        break;
    }
  }

 private:
  enum class Kind : unsigned char { text, character, integer, natural, single, real };
  Kind kind_ = Kind::text;
  union {
    std::string_view text_;
    char character_;
    long long integer_;
    unsigned long long natural_;
    float single_;
    double real_;
  };
};

inline std::string join(Piece const* pieces, std::size_t count) {
  std::string joined;
  for (std::size_t i = 0; i < count; ++i) pieces[i].append_to(joined);
  return joined;
}

/// The text with `?` for control characters: one quoted from a file must not break a line or command a terminal.
inline std::string on_one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

/// `gt: where: what` as an E.
template <class E>
[[noreturn]] void fail_joined(std::string_view where, Piece const* what, std::size_t count) {
  Piece const head[] = {"gt: ", where, ": "};
  auto sentence = on_one_line(join(head, 3) + join(what, count));
#if defined(__cpp_exceptions)
  throw E(std::move(sentence));
#else
  std::fputs((sentence + "\n").c_str(), stderr);
  std::abort();
#endif
}

}  // namespace detail

/// Joins texts and numbers: `text("got ", 3, " rows")`.
template <class... Parts>
GT_INLINE std::string text(Parts const&... parts) {
  detail::Piece const pieces[] = {parts..., ""};
  return detail::join(pieces, sizeof...(parts));
}

namespace detail {

// Text from a file, fit for one line of a message: control characters hidden, cut after 80 bytes.
inline std::string in_quotes(std::string_view raw) {
  constexpr std::size_t longest = 80;
  return text("'", on_one_line(std::string{raw.substr(0, longest)}), raw.size() > longest ? "...'" : "'");
}

}  // namespace detail

/// Throws `gt: where: what` as an E, a kind of Error. `what` is a sentence: what must hold (got ...); a hint. It is one
/// line: a control character, which may come from a file, is shown as `?`.
/// Where exceptions are switched off (-fno-exceptions, in all translation units of a program) it prints the sentence to
/// stderr and aborts.
template <class E, class... Parts>
[[noreturn]] GT_INLINE void fail_as(std::string_view where, Parts const&... what) {
  detail::Piece const pieces[] = {what..., ""};
  detail::fail_joined<E>(where, pieces, sizeof...(what));
}

/// Throws `gt: where: what` as an Error.
template <class... Parts>
[[noreturn]] GT_INLINE void fail(std::string_view where, Parts const&... what) {
  fail_as<Error>(where, what...);
}

/// Throws `gt: where: what` unless `holds`. The parts are joined only when it fails.
template <class... Parts>
GT_INLINE void check(bool holds, std::string_view where, Parts const&... what) {
  if (!holds) [[unlikely]]
    fail(where, what...);
}

}  // namespace gt

// SPDX-License-Identifier: MIT
// UTF-8, strictly: decoding that never loses a byte, encoding, and whole characters for streams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI::utf8 {

/// One unit of a text: a code point, or one byte that belongs to no well-formed character.
struct Unit {
  char32_t value = 0;     ///< the code point, or the value of the malformed byte
  std::uint8_t size = 1;  ///< bytes that it takes in the text, 1 to 4
  bool valid = true;      ///< false: a malformed byte
  friend constexpr bool operator==(Unit const&, Unit const&) = default;
};

namespace detail {

/// Length of the character that `lead` opens, or 0 where no character starts with it.
constexpr std::size_t utf8_length_from_lead(unsigned char lead) {
  return lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
}

/// May `next` be the i-th byte (i >= 1) of a character with this lead? The second byte excludes overlong forms,
/// surrogates and all above U+10FFFF (Unicode 15, table 3-7).
constexpr bool utf8_continues(unsigned char lead, std::size_t i, unsigned char next) {
  unsigned char const low = i > 1 ? 0x80 : lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned char const high = i > 1 ? 0xBF : lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return low <= next && next <= high;
}

/// How many bytes of `text` from `at` on agree with the character that starts there; `length` receives its length.
constexpr std::size_t utf8_agreeing(std::string_view text, std::size_t at, std::size_t& length) {
  auto const lead = static_cast<unsigned char>(text[at]);
  length = utf8_length_from_lead(lead);
  if (length == 0) return 0;
  std::size_t i = 1;
  while (i < length && at + i < text.size() && utf8_continues(lead, i, static_cast<unsigned char>(text[at + i]))) ++i;
  return i;
}

}  // namespace detail

/// The unit that starts at byte `at` < text.size(). Overlong forms, surrogates, values above U+10FFFF and truncated
/// characters are malformed: each of their bytes is a unit of its own.
constexpr Unit decode(std::string_view text, std::size_t at) {
  auto const lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return {lead, 1, true};
  std::size_t length = 0;
  if (detail::utf8_agreeing(text, at, length) != length || length == 0) return {lead, 1, false};
  char32_t value = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) value = value << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
  return {value, static_cast<std::uint8_t>(length), true};
}

/// A Unicode scalar value: what UTF-8 can encode.
constexpr bool is_scalar_value(char32_t c) { return c < 0xD800 || (c > 0xDFFF && c <= 0x10FFFF); }

/// Appends a scalar value as UTF-8; anything else appends U+FFFD.
inline void append(std::string& text, char32_t c) {
  if (!is_scalar_value(c)) c = 0xFFFD;
  auto const tail = [&](int shift) { text += static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) {
    text += static_cast<char>(c);
  } else if (c < 0x800) {
    text += static_cast<char>(0xC0 | c >> 6), tail(0);
  } else if (c < 0x10000) {
    text += static_cast<char>(0xE0 | c >> 12), tail(6), tail(0);
  } else {
    text += static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0);
  }
}

/// A scalar value as UTF-8.
inline std::string encode(char32_t c) {
  std::string text;
  append(text, c);
  return text;
}

/// The units of a text, in order, every byte in exactly one of them:
/// `for (gt::utf8::Unit unit : gt::utf8::Units{text}) …`
class Units {
 public:
  /// A forward iterator over the units.
  class Iterator {
   public:
    using value_type = Unit;                              ///< made when asked for
    using difference_type = std::ptrdiff_t;               ///< for the standard library
    using iterator_category = std::forward_iterator_tag;  ///< multi-pass
    using pointer = void;                                 ///< a unit has no address
    using reference = Unit;                               ///< a unit is a value
    constexpr Iterator() = default;
    /// At byte `at`, where a unit must begin.
    constexpr Iterator(std::string_view text, std::size_t at) : text_{text}, at_{at} {}
    constexpr Unit operator*() const { return decode(text_, at_); }  ///< the unit here
    /// To the next unit.
    constexpr Iterator& operator++() {
      at_ += decode(text_, at_).size;
      return *this;
    }
    /// To the next unit; returns where it was.
    constexpr Iterator operator++(int) {
      Iterator const old = *this;
      ++*this;
      return old;
    }
    constexpr std::size_t offset() const { return at_; }  ///< in bytes
    /// Whether both stand at the same byte.
    friend constexpr bool operator==(Iterator const& a, Iterator const& b) { return a.at_ == b.at_; }

   private:
    std::string_view text_;
    std::size_t at_ = 0;
  };
  /// Views the text, which must outlive it.
  constexpr explicit Units(std::string_view text) : text_{text} {}
  constexpr Iterator begin() const { return {text_, 0}; }           ///< the first unit
  constexpr Iterator end() const { return {text_, text_.size()}; }  ///< behind the last

 private:
  std::string_view text_;
};

/// Number of units: characters, and malformed bytes one by one.
constexpr std::size_t length(std::string_view text) {
  std::size_t units = 0;
  for (std::size_t at = 0; at < text.size(); ++units) at += decode(text, at).size;
  return units;
}

/// Is every unit a character?
constexpr bool is_valid(std::string_view text) {
  for (Unit const unit : Units{text})
    if (!unit.valid) return false;
  return true;
}

/// The text with U+FFFD in place of each malformed byte: well-formed, for files that must be.
inline std::string replace_malformed(std::string_view text) {
  std::string sound;
  for (Unit const unit : Units{text}) append(sound, unit.valid ? unit.value : char32_t{0xFFFD});
  return sound;
}

/// How many leading bytes form whole characters: all but a last character that the next bytes may still complete.
/// Malformed bytes count as whole, for nothing that follows can mend them. A stream prints this many and keeps the
/// rest.
constexpr std::size_t complete_prefix(std::string_view text) {
  for (std::size_t kept = 1; kept <= 3 && kept <= text.size(); ++kept) {
    std::size_t length = 0;
    std::size_t const at = text.size() - kept;
    if (detail::utf8_agreeing(text, at, length) == kept && kept < length) return at;
  }
  return text.size();
}

static_assert(complete_prefix("a\xE2\x82") == 1 && complete_prefix("a\xED\xA0") == 3);

}  // namespace gt::utf8

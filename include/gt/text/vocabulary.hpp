// SPDX-License-Identifier: MIT
// The tokens of a tokenizer: their strings, kinds and ids.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gt/base/error.hpp"

namespace gt::inline GT_ABI {

/// What a token stands for.
enum class TokenKind : std::uint8_t {
  character,  ///< one code point
  ngram,      ///< several code points, made by merges
  byte,       ///< one raw byte, written `<0xE2>`: characters without a token are spelled with these
  special,    ///< control, such as `<s>`: text never becomes one of these unless asked
  unused,     ///< a place without a meaning, written `<unused_1234>`
};

/// The string of a byte token: `<0xE2>`.
std::string byte_token(unsigned char value);

/// The byte that a token string names, if it has the form `<0xE2>` (upper-case digits).
constexpr std::optional<unsigned char> byte_of_token(std::string_view token) {
  auto const digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return std::nullopt;
  int const high = digit(token[3]), low = digit(token[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<unsigned char>(high * 16 + low);
}

/// Is this the string of a placeholder, `<unused_1234>`?
constexpr bool is_unused_token(std::string_view token) {
  if (token.size() < 10 || token.substr(0, 8) != "<unused_" || token.back() != '>') return false;
  return token.substr(8, token.size() - 9).find_first_not_of("0123456789") == std::string_view::npos;
}

namespace detail {

/// A flat hash map from 64-bit keys to ids >= 0, for the tables that encoding reads at every character. Keys that were
/// chosen to fall on one place, as a file may have them, are spread by another multiplier.
class IdMap {
 public:
  /// The value of `key`, or -1.
  std::int32_t find(std::uint64_t key) const;
  /// False, and nothing changes, if the key is there already.
  bool insert(std::uint64_t key, std::int32_t value);

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::int32_t value = -1;
  };
  static constexpr std::size_t most_steps = 256;  // by chance there are some tens among millions of keys
  static constexpr int most_respreads = 64;       // who finds keys against so many multipliers at once may wait

  std::size_t place(std::uint64_t key) const { return static_cast<std::size_t>((key * multiplier_) >> shift_); }
  void rebuild(std::size_t size);
  std::vector<Slot> slots_;
  std::size_t count_ = 0;
  std::uint64_t multiplier_ = 0x9E3779B97F4A7C15u;
  int shift_ = 60, respread_ = 0;
};

}  // namespace detail

/// Token strings in id order, each with its kind; ids are 0, 1, 2, … without holes.
class Vocabulary {
 public:
  Vocabulary();

  /// Appends a token and returns its id. The string must be UTF-8, not empty, and new.
  std::int32_t add(std::string token, TokenKind kind);

  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }  ///< V
  std::vector<std::string> const& tokens() const { return tokens_; }               ///< as they are drawn, by id
  /// The string of an id below size().
  std::string const& token(std::int32_t id) const { return tokens_[static_cast<std::size_t>(id)]; }
  /// The kind of an id below size().
  TokenKind kind(std::int32_t id) const { return kinds_[static_cast<std::size_t>(id)]; }
  bool contains(std::int64_t id) const { return id >= 0 && id < size(); }  ///< whether it is an id

  /// The id of a token string of any kind.
  std::optional<std::int32_t> id(std::string_view token) const;
  /// The id of a string that text can become: a character or an n-gram; -1 if there is none.
  std::int32_t text_id(std::string_view token) const;
  /// Is this a character or an n-gram?
  bool is_text(std::int32_t id) const { return kind(id) == TokenKind::character || kind(id) == TokenKind::ngram; }
  /// The id of a code point's own token, or -1.
  std::int32_t character(char32_t c) const { return c < 128 ? ascii_[c] : characters_.find(c); }
  /// The id of a byte token, or -1.
  std::int32_t byte(unsigned char value) const { return bytes_[value]; }

  static constexpr std::int64_t max_size = std::int64_t{1} << 24;  ///< tokens

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view token) const { return std::hash<std::string_view>{}(token); }
  };
  static constexpr std::size_t most_of_a_hash = 64;  // by chance there are some ten among millions

  std::vector<std::string> tokens_;
  std::vector<TokenKind> kinds_;
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> ids_;
  std::array<std::int32_t, 128> ascii_;
  std::array<std::int32_t, 256> bytes_;
  detail::IdMap characters_;
};

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/text/vocabulary_impl.hpp"
#endif

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
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/text/utf8.hpp"

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
inline std::string byte_token(unsigned char value) {
  constexpr char digits[] = "0123456789ABCDEF";
  return text("<0x", std::string(1, digits[value >> 4]), std::string(1, digits[value & 15]), ">");
}

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
  std::int32_t find(std::uint64_t key) const {
    if (slots_.empty()) return -1;
    for (std::size_t i = place(key);; i = (i + 1) & (slots_.size() - 1))
      if (slots_[i].value < 0 || slots_[i].key == key) return slots_[i].value;
  }
  /// False, and nothing changes, if the key is there already.
  bool insert(std::uint64_t key, std::int32_t value) {
    if (2 * (count_ + 1) > slots_.size()) rebuild(slots_.empty() ? 16 : 2 * slots_.size());
    for (;;) {
      std::size_t i = place(key), steps = 0;
      for (; slots_[i].value >= 0; i = (i + 1) & (slots_.size() - 1), ++steps)
        if (slots_[i].key == key) return false;
      if (steps > most_steps && respread_ < most_respreads) {
        ++respread_, multiplier_ *= 0xD1342543DE82EF95u;  // odd times odd
        rebuild(slots_.size());
        continue;
      }
      slots_[i] = {key, value};
      ++count_;
      return true;
    }
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::int32_t value = -1;
  };
  static constexpr std::size_t most_steps = 256;  // by chance there are some tens among millions of keys
  static constexpr int most_respreads = 64;       // who finds keys against so many multipliers at once may wait

  std::size_t place(std::uint64_t key) const { return static_cast<std::size_t>((key * multiplier_) >> shift_); }
  void rebuild(std::size_t size) {
    std::vector<Slot> old(size);
    old.swap(slots_);
    for (shift_ = 64; std::size_t{1} << (64 - shift_) < size;) --shift_;
    for (Slot const& slot : old) {
      if (slot.value < 0) continue;
      std::size_t i = place(slot.key);
      while (slots_[i].value >= 0) i = (i + 1) & (size - 1);
      slots_[i] = slot;
    }
  }
  std::vector<Slot> slots_;
  std::size_t count_ = 0;
  std::uint64_t multiplier_ = 0x9E3779B97F4A7C15u;
  int shift_ = 60, respread_ = 0;
};

}  // namespace detail

/// Token strings in id order, each with its kind; ids are 0, 1, 2, … without holes.
class Vocabulary {
 public:
  Vocabulary() {
    ascii_.fill(-1);
    bytes_.fill(-1);
  }

  /// Appends a token and returns its id. The string must be UTF-8, not empty, and new.
  std::int32_t add(std::string token, TokenKind kind) {
    constexpr std::string_view where = "Vocabulary::add";
    check(!token.empty() && is_utf8(token), where,
          "a token must be well-formed UTF-8 and not empty (got otherwise for id ", size(), ")");
    check(size() < max_size, where, "a vocabulary holds at most ", max_size, " tokens");
    auto const next = static_cast<std::int32_t>(size());
    auto const first = decode_utf8(token, 0);
    check(kind != TokenKind::character || first.size == token.size(), where,
          "a character token is one code point (got '", token, "')");
    auto const byte = byte_of_token(token);
    check(kind != TokenKind::byte || byte.has_value(), where, "a byte token is written <0x00> to <0xFF> (got '", token,
          "')");
    check(ids_.emplace(token, next).second, where, "every token must be there once (got '", token, "' twice)");
    check(ids_.bucket_size(ids_.bucket(token)) <= most_of_a_hash, where, "at most ", most_of_a_hash,
          " tokens may share a place of a hash table (got '", token,
          "' as one more); the vocabulary was made to take long");
    if (kind == TokenKind::byte) bytes_[*byte] = next;
    if (kind == TokenKind::character) {
      if (first.value < 128) ascii_[first.value] = next;
      characters_.insert(first.value, next);
    }
    tokens_.push_back(std::move(token));
    kinds_.push_back(kind);
    return next;
  }

  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }  ///< V
  std::vector<std::string> const& tokens() const { return tokens_; }               ///< as they are drawn, by id
  /// The string of an id below size().
  std::string const& token(std::int32_t id) const { return tokens_[static_cast<std::size_t>(id)]; }
  /// The kind of an id below size().
  TokenKind kind(std::int32_t id) const { return kinds_[static_cast<std::size_t>(id)]; }
  bool contains(std::int64_t id) const { return id >= 0 && id < size(); }  ///< whether it is an id

  /// The id of a token string of any kind.
  std::optional<std::int32_t> id(std::string_view token) const {
    auto const found = ids_.find(token);
    return found == ids_.end() ? std::nullopt : std::optional{found->second};
  }
  /// The id of a string that text can become: a character or an n-gram; -1 if there is none.
  std::int32_t text_id(std::string_view token) const {
    auto const found = ids_.find(token);
    return found == ids_.end() || !is_text(found->second) ? -1 : found->second;
  }
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

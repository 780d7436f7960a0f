// SPDX-License-Identifier: MIT
// What gt/text/vocabulary.hpp declares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

GT_FN std::string byte_token(unsigned char value) {
  constexpr char digits[] = "0123456789ABCDEF";
  return text("<0x", std::string(1, digits[value >> 4]), std::string(1, digits[value & 15]), ">");
}

namespace detail {

GT_FN std::int32_t IdMap::find(std::uint64_t key) const {
  if (slots_.empty()) return -1;
  for (std::size_t i = place(key);; i = (i + 1) & (slots_.size() - 1))
    if (slots_[i].value < 0 || slots_[i].key == key) return slots_[i].value;
}

GT_FN bool IdMap::insert(std::uint64_t key, std::int32_t value) {
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

GT_FN void IdMap::rebuild(std::size_t size) {
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

}  // namespace detail

GT_FN Vocabulary::Vocabulary() {
  ascii_.fill(-1);
  bytes_.fill(-1);
}

GT_FN std::int32_t Vocabulary::add(std::string token, TokenKind kind) {
  constexpr std::string_view where = "Vocabulary::add";
  check(!token.empty() && utf8::is_valid(token), where,
        "a token must be well-formed UTF-8 and not empty (got otherwise for id ", size(), ")");
  check(size() < max_size, where, "a vocabulary holds at most ", max_size, " tokens");
  auto const next = static_cast<std::int32_t>(size());
  auto const first = utf8::decode(token, 0);
  check(kind != TokenKind::character || first.size == token.size(), where, "a character token is one code point (got '",
        token, "')");
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

GT_FN std::optional<std::int32_t> Vocabulary::id(std::string_view token) const {
  auto const found = ids_.find(token);
  return found == ids_.end() ? std::nullopt : std::optional{found->second};
}

GT_FN std::int32_t Vocabulary::text_id(std::string_view token) const {
  auto const found = ids_.find(token);
  return found == ids_.end() || !is_text(found->second) ? -1 : found->second;
}

}  // namespace gt

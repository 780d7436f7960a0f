// SPDX-License-Identifier: MIT
// What gt/text/tokens.hpp declares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/text/tokens.hpp"

namespace gt::inline GT_ABI {

GT_FN Tokens Tokens::from_ids(std::span<std::int32_t const> ids, std::int64_t vocab_size) {
  check(vocab_size >= 0 && vocab_size <= INT32_MAX, "Tokens::from_ids", "vocab_size must be in [0, 2^31) (got ",
        vocab_size, ")");
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (ids[i] < 0 || ids[i] >= vocab_size)
      fail("Tokens::from_ids", "every id must be in [0, ", vocab_size, ") (got ", ids[i], " at position ", i, ")");
  return vocab_size <= narrow_limit ? stored<std::uint16_t>(ids, vocab_size) : stored<std::uint32_t>(ids, vocab_size);
}

GT_FN Tokens Tokens::view(std::shared_ptr<void const> owner, std::span<std::uint16_t const> ids,
                          std::int64_t vocab_size) {
  return {std::move(owner), ids.data(), nullptr, ids.size(), vocab_size};
}

GT_FN Tokens Tokens::view(std::shared_ptr<void const> owner, std::span<std::uint32_t const> ids,
                          std::int64_t vocab_size) {
  return {std::move(owner), nullptr, ids.data(), ids.size(), vocab_size};
}

GT_FN std::int32_t Tokens::operator[](std::int64_t i) const noexcept {
  return wide_ ? static_cast<std::int32_t>(wide_[i]) : static_cast<std::int32_t>(narrow_[i]);
}

GT_FN void Tokens::copy(std::int64_t begin, std::span<std::int32_t> out) const {
  auto const count = static_cast<std::int64_t>(out.size());
  check(begin >= 0 && begin <= size_ && count <= size_ - begin, "Tokens::copy", "[", begin, ", ", begin, " + ", count,
        ") must lie in [0, ", size_, ")");
  auto const widen = [&](auto const* from) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::int32_t>(from[i]);
  };
  wide_ ? widen(wide_ + begin) : widen(narrow_ + begin);
}

GT_FN std::span<std::byte const> Tokens::bytes() const noexcept {
  auto const count = static_cast<std::size_t>(size_);
  return wide_ ? std::as_bytes(std::span{wide_, count}) : std::as_bytes(std::span{narrow_, count});
}

GT_FN Tokens Tokens::slice(std::int64_t begin, std::int64_t count) const {
  check(begin >= 0 && count >= 0 && begin <= size_ && count <= size_ - begin, "Tokens::slice", "[", begin, ", ", begin,
        " + ", count, ") must lie in [0, ", size_, ")");
  return {owner_, narrow_ ? narrow_ + begin : nullptr, wide_ ? wide_ + begin : nullptr, static_cast<std::size_t>(count),
          vocab_size_};
}

GT_FN Tokens::Tokens(std::shared_ptr<void const> owner, std::uint16_t const* narrow, std::uint32_t const* wide,
                     std::size_t size, std::int64_t vocab_size)
    : owner_{std::move(owner)},
      narrow_{narrow},
      wide_{wide},
      size_{static_cast<std::int64_t>(size)},
      vocab_size_{vocab_size} {}

}  // namespace gt

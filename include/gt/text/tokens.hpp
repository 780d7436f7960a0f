// SPDX-License-Identifier: MIT
// A sequence of token ids, in memory or in a mapped file, two or four bytes each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"

namespace gt::inline GT_ABI {

/// Read-only token ids. A copy shares the ids and keeps their owner (a vector, a mapped file) alive.
class Tokens {
 public:
  Tokens() = default;

  /// Copies ids into two bytes each where the vocabulary allows, else four. Every id must be in [0, vocab_size).
  static Tokens from_ids(std::span<std::int32_t const> ids, std::int64_t vocab_size) {
    check(vocab_size >= 0 && vocab_size <= INT32_MAX, "Tokens::from_ids", "vocab_size must be in [0, 2^31) (got ",
          vocab_size, ")");
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (ids[i] < 0 || ids[i] >= vocab_size)
        fail("Tokens::from_ids", "every id must be in [0, ", vocab_size, ") (got ", ids[i], " at position ", i, ")");
    return vocab_size <= narrow_limit ? stored<std::uint16_t>(ids, vocab_size) : stored<std::uint32_t>(ids, vocab_size);
  }
  /// Views ids that `owner` keeps alive; the caller has checked that they are in [0, vocab_size).
  static Tokens view(std::shared_ptr<void const> owner, std::span<std::uint16_t const> ids, std::int64_t vocab_size) {
    return {std::move(owner), ids.data(), nullptr, ids.size(), vocab_size};
  }
  /// The same of four bytes each.
  static Tokens view(std::shared_ptr<void const> owner, std::span<std::uint32_t const> ids, std::int64_t vocab_size) {
    return {std::move(owner), nullptr, ids.data(), ids.size(), vocab_size};
  }

  std::int64_t size() const noexcept { return size_; }              ///< ids
  bool empty() const noexcept { return size_ == 0; }                ///< whether there are none
  std::int64_t vocab_size() const noexcept { return vocab_size_; }  ///< every id is below
  int width() const noexcept { return wide_ ? 4 : 2; }              ///< bytes an id takes

  /// The i-th id, 0 <= i < size().
  std::int32_t operator[](std::int64_t i) const noexcept {
    return wide_ ? static_cast<std::int32_t>(wide_[i]) : static_cast<std::int32_t>(narrow_[i]);
  }
  /// Copies out.size() ids from `begin` on. The range must lie inside.
  void copy(std::int64_t begin, std::span<std::int32_t> out) const {
    auto const count = static_cast<std::int64_t>(out.size());
    check(begin >= 0 && begin <= size_ && count <= size_ - begin, "Tokens::copy", "[", begin, ", ", begin, " + ", count,
          ") must lie in [0, ", size_, ")");
    auto const widen = [&](auto const* from) {
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::int32_t>(from[i]);
    };
    wide_ ? widen(wide_ + begin) : widen(narrow_ + begin);
  }
  /// The ids as they lie in memory.
  std::span<std::byte const> bytes() const noexcept {
    auto const count = static_cast<std::size_t>(size_);
    return wide_ ? std::as_bytes(std::span{wide_, count}) : std::as_bytes(std::span{narrow_, count});
  }
  /// `count` ids from `begin` on, shared.
  Tokens slice(std::int64_t begin, std::int64_t count) const {
    check(begin >= 0 && count >= 0 && begin <= size_ && count <= size_ - begin, "Tokens::slice", "[", begin, ", ",
          begin, " + ", count, ") must lie in [0, ", size_, ")");
    return {owner_, narrow_ ? narrow_ + begin : nullptr, wide_ ? wide_ + begin : nullptr,
            static_cast<std::size_t>(count), vocab_size_};
  }

  static constexpr std::int64_t narrow_limit = 65536;  ///< largest vocabulary whose ids take two bytes

 private:
  Tokens(std::shared_ptr<void const> owner, std::uint16_t const* narrow, std::uint32_t const* wide, std::size_t size,
         std::int64_t vocab_size)
      : owner_{std::move(owner)},
        narrow_{narrow},
        wide_{wide},
        size_{static_cast<std::int64_t>(size)},
        vocab_size_{vocab_size} {}
  template <class Id>
  static Tokens stored(std::span<std::int32_t const> ids, std::int64_t vocab_size) {
    auto owner = std::make_shared<std::vector<Id>>();
    owner->reserve(ids.size());
    for (std::int32_t const id : ids) owner->push_back(static_cast<Id>(id));
    std::span<Id const> const all{*owner};
    return view(std::move(owner), all, vocab_size);
  }

  std::shared_ptr<void const> owner_;
  std::uint16_t const* narrow_ = nullptr;
  std::uint32_t const* wide_ = nullptr;
  std::int64_t size_ = 0;
  std::int64_t vocab_size_ = 0;
};

/// A corpus as ids, with the bytes of text behind them, which turn a loss into bits per byte.
struct TokenizedCorpus {
  Tokens train;                       ///< all but the end
  Tokens validation;                  ///< the held-out end
  std::int64_t train_bytes = 0;       ///< of the text behind `train`
  std::int64_t validation_bytes = 0;  ///< of the text behind `validation`
};

}  // namespace gt

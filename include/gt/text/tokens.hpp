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
  static Tokens from_ids(std::span<std::int32_t const> ids, std::int64_t vocab_size);
  /// Views ids that `owner` keeps alive; the caller has checked that they are in [0, vocab_size).
  static Tokens view(std::shared_ptr<void const> owner, std::span<std::uint16_t const> ids, std::int64_t vocab_size);
  /// The same of four bytes each.
  static Tokens view(std::shared_ptr<void const> owner, std::span<std::uint32_t const> ids, std::int64_t vocab_size);

  std::int64_t size() const noexcept { return size_; }              ///< ids
  bool empty() const noexcept { return size_ == 0; }                ///< whether there are none
  std::int64_t vocab_size() const noexcept { return vocab_size_; }  ///< every id is below
  int width() const noexcept { return wide_ ? 4 : 2; }              ///< bytes an id takes

  /// The i-th id, 0 <= i < size().
  std::int32_t operator[](std::int64_t i) const noexcept;
  /// Copies out.size() ids from `begin` on. The range must lie inside.
  void copy(std::int64_t begin, std::span<std::int32_t> out) const;
  /// The ids as they lie in memory.
  std::span<std::byte const> bytes() const noexcept;
  /// `count` ids from `begin` on, shared.
  Tokens slice(std::int64_t begin, std::int64_t count) const;

  static constexpr std::int64_t narrow_limit = 65536;  ///< largest vocabulary whose ids take two bytes

 private:
  Tokens(std::shared_ptr<void const> owner, std::uint16_t const* narrow, std::uint32_t const* wide, std::size_t size,
         std::int64_t vocab_size);
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

#if !defined(GT_PREBUILT)
  #include "gt/text/tokens_impl.hpp"
#endif

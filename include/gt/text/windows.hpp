// SPDX-License-Identifier: MIT
// Training windows in a shuffled order that is a pure function of the sample number, and windows for evaluation.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/base/philox.hpp"
#include "gt/text/tokens.hpp"

namespace gt::inline GT_ABI {

/// A permutation of [0, size) without a table: a Feistel network on the next even power of two, walked until it lands
/// inside (four tries on average at most). The same (size, seed, epoch) gives the same permutation everywhere.
/// Source: Black & Rogaway 2002, "Ciphers with arbitrary finite domains", section 4.
class Permutation {
 public:
  /// Other epochs of a seed are other permutations.
  constexpr Permutation(std::uint64_t size, Seed seed, std::uint32_t epoch)
      : size_{size},
        half_bits_{size < 2 ? 1u : (std::bit_width(size - 1) + 1) / 2},
        random_{seed, Purpose::data, epoch} {}
  /// Where i < size goes.
  constexpr std::uint64_t operator()(std::uint64_t i) const {
    do i = shuffled(i);
    while (i >= size_);
    return i;
  }

 private:
  constexpr std::uint64_t shuffled(std::uint64_t i) const {
    std::uint64_t const mask = (std::uint64_t{1} << half_bits_) - 1;
    std::uint64_t left = i >> half_bits_, right = i & mask;
    for (std::uint64_t round = 0; round < 8; ++round) {
      std::uint64_t const mixed = left ^ (random_.bits(round << 32 | right) & mask);
      left = right;
      right = mixed;
    }
    return left << half_bits_ | right;
  }
  std::uint64_t size_;
  std::uint64_t half_bits_;
  Random random_;
};

/// Batches of training windows. Window w of the fixed grid has inputs tokens[w T, w T + T) and, as targets, the same
/// shifted by one. Epoch e visits every window once, in an order drawn from (seed, Purpose::data, e). Nothing advances:
/// a position in the data is the number of samples seen, one integer.
///
///     gt::WindowLoader loader(corpus.train, 256, gt::seed(1));
///     loader.fill(samples_seen, 8, inputs, targets);  // [8 * 256] each
class WindowLoader {
 public:
  /// Throws if the tokens do not fill one window and the target after it.
  WindowLoader(Tokens tokens, std::int64_t context, Seed seed)
      : tokens_{std::move(tokens)}, context_{context}, seed_{seed} {
    check(context >= 1, "WindowLoader", "context must be at least 1 (got ", context, ")");
    windows_ = std::max<std::int64_t>(tokens_.size() - 1, 0) / context;
    check(windows_ >= 1, "WindowLoader", "the training part must hold one window of context + 1 = ", context + 1,
          " tokens (got ", tokens_.size(), "); take more text or a shorter context");
  }

  std::int64_t windows() const { return windows_; }                            ///< samples in an epoch
  std::int64_t context() const { return context_; }                            ///< T
  std::int64_t epoch(std::int64_t sample) const { return sample / windows_; }  ///< from 0

  /// The window of the grid that sample n >= 0 shows.
  std::int64_t sample_window(std::int64_t sample) const {
    check(sample >= 0, "WindowLoader", "a sample number must not be negative (got ", sample, ")");
    return window_in(permutation(epoch(sample)), sample);
  }
  /// Copies samples first_sample, first_sample + 1, … one after the other. inputs, targets: [batch * T].
  void fill(std::int64_t first_sample, std::int64_t batch, std::span<std::int32_t> inputs,
            std::span<std::int32_t> targets) const {
    check(first_sample >= 0 && batch >= 0, "WindowLoader::fill", "sample and batch must not be negative (got ",
          first_sample, ", ", batch, ")");
    auto const length = static_cast<std::size_t>(context_), rows = static_cast<std::size_t>(batch);
    check(inputs.size() == rows * length && targets.size() == inputs.size(), "WindowLoader::fill",
          "inputs and targets must hold batch * context = ", rows * length, " ids (got ", inputs.size(), ", ",
          targets.size(), ")");
    for (std::size_t row = 0; row < rows; ++row) {
      std::int64_t const sample = first_sample + static_cast<std::int64_t>(row);
      std::int64_t const begin = window_in(permutation(epoch(sample)), sample) * context_;
      tokens_.copy(begin, inputs.subspan(row * length, length));
      tokens_.copy(begin + 1, targets.subspan(row * length, length));
    }
  }

 private:
  Permutation permutation(std::int64_t epoch) const {
    return {static_cast<std::uint64_t>(windows_), seed_, static_cast<std::uint32_t>(epoch)};
  }
  std::int64_t window_in(Permutation const& order, std::int64_t sample) const {
    return static_cast<std::int64_t>(order(static_cast<std::uint64_t>(sample % windows_)));
  }

  Tokens tokens_;
  std::int64_t context_;
  Seed seed_;
  std::int64_t windows_ = 0;
};

/// The windows that evaluate a text: side by side, the last one shorter, every token but the first a target exactly
/// once. (The first has nothing before it to be predicted from.)
class EvaluationWindows {
 public:
  /// Throws if there is no target.
  EvaluationWindows(Tokens tokens, std::int64_t context) : tokens_{std::move(tokens)}, context_{context} {
    check(context >= 1, "EvaluationWindows", "context must be at least 1 (got ", context, ")");
    check(tokens_.size() >= 2, "EvaluationWindows", "the text must hold 2 tokens or more (got ", tokens_.size(), ")");
  }

  std::int64_t targets() const { return tokens_.size() - 1; }                     ///< in all windows
  std::int64_t windows() const { return (targets() + context_ - 1) / context_; }  ///< the last may be shorter
  /// Targets in window w.
  std::int64_t length(std::int64_t window) const {
    check(window >= 0 && window < windows(), "EvaluationWindows", "the window must be in [0, ", windows(), ") (got ",
          window, ")");
    return std::min(context_, targets() - window * context_);
  }
  /// Copies window w to the front of inputs and targets, [T] each, and returns its length.
  std::int64_t fill(std::int64_t window, std::span<std::int32_t> inputs, std::span<std::int32_t> targets) const {
    auto const count = static_cast<std::size_t>(length(window));
    check(inputs.size() >= count && targets.size() >= count, "EvaluationWindows::fill", "room for ", count,
          " ids is needed (got ", inputs.size(), ", ", targets.size(), ")");
    tokens_.copy(window * context_, inputs.first(count));
    tokens_.copy(window * context_ + 1, targets.first(count));
    return static_cast<std::int64_t>(count);
  }

 private:
  Tokens tokens_;
  std::int64_t context_;
};

}  // namespace gt

// SPDX-License-Identifier: MIT
// Training windows in a shuffled order that is a pure function of the sample number, and windows for evaluation.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

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
  WindowLoader(Tokens tokens, std::int64_t context, Seed seed);

  std::int64_t windows() const { return windows_; }                            ///< samples in an epoch
  std::int64_t context() const { return context_; }                            ///< T
  std::int64_t epoch(std::int64_t sample) const { return sample / windows_; }  ///< from 0

  /// The window of the grid that sample n >= 0 shows.
  std::int64_t sample_window(std::int64_t sample) const;
  /// Copies samples first_sample, first_sample + 1, … one after the other. inputs, targets: [batch * T].
  void fill(std::int64_t first_sample, std::int64_t batch, std::span<std::int32_t> inputs,
            std::span<std::int32_t> targets) const;

 private:
  Permutation permutation(std::int64_t epoch) const;
  std::int64_t window_in(Permutation const& order, std::int64_t sample) const;

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
  EvaluationWindows(Tokens tokens, std::int64_t context);

  std::int64_t targets() const { return tokens_.size() - 1; }                     ///< in all windows
  std::int64_t windows() const { return (targets() + context_ - 1) / context_; }  ///< the last may be shorter
  /// Targets in window w.
  std::int64_t length(std::int64_t window) const;
  /// Copies window w to the front of inputs and targets, [T] each, and returns its length.
  std::int64_t fill(std::int64_t window, std::span<std::int32_t> inputs, std::span<std::int32_t> targets) const;

 private:
  Tokens tokens_;
  std::int64_t context_;
};

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/text/windows_impl.hpp"
#endif

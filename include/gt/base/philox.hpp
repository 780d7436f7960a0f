// SPDX-License-Identifier: MIT
// Counter-based random numbers: the same key and counter give the same bits on every machine and thread.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// Philox4x32-10: four 32-bit words from a 128-bit counter and a 64-bit key.
/// Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3.
GT_HD constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                        std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    std::uint64_t const a = std::uint64_t{0xD2511F53u} * counter[0];
    std::uint64_t const b = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

/// What a random stream is for: two purposes never share numbers.
enum class Purpose : std::uint32_t { init = 1, data = 2, sampling = 3, substrate = 4, test = 5, lora = 6 };

/// A seed, as a type, so that it is never mistaken for a size.
struct Seed {
  std::uint64_t value = 1;  ///< any number; each gives other streams
};
/// `gt::seed(1)`: short for `gt::Seed{1}`.
constexpr Seed seed(std::uint64_t value) { return {value}; }

/// A random stream keyed by (seed, purpose, stream, substream); its i-th numbers are a pure function of i.
class Random {
 public:
  /// Streams differ in any of the four; of `substream` the low 24 bits count.
  constexpr Random(Seed seed, Purpose purpose, std::uint32_t stream = 0, std::uint32_t substream = 0)
      : key_{static_cast<std::uint32_t>(seed.value), static_cast<std::uint32_t>(seed.value >> 32)},
        purpose_{static_cast<std::uint32_t>(purpose) << 24 | (substream & 0xFFFFFFu)},
        stream_{stream} {}

  /// 64 random bits, the i-th of the stream.
  constexpr std::uint64_t bits(std::uint64_t i) const {
    auto const r =
        philox4x32({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32), stream_, purpose_}, key_);
    return std::uint64_t{r[1]} << 32 | r[0];
  }
  /// Uniform in [0, 1), 53 bits.
  constexpr double uniform(std::uint64_t i) const { return static_cast<double>(bits(i) >> 11) * 0x1.0p-53; }
  /// Uniform integer in [0, n), n > 0, by multiplication: the bias is below n / 2^64.
  constexpr std::uint64_t below(std::uint64_t n, std::uint64_t i) const {
    std::uint64_t const b = bits(i), high = b >> 32, low = b & 0xFFFFFFFFu;
    std::uint64_t const nh = n >> 32, nl = n & 0xFFFFFFFFu;  // the high word of the 128-bit product b * n
    std::uint64_t const middle = high * nl + (low * nl >> 32);
    return high * nh + (middle >> 32) + ((low * nh + (middle & 0xFFFFFFFFu)) >> 32);
  }
  /// Standard normal, the i-th of the stream (Box-Muller; one number from each pair of words).
  double normal(std::uint64_t i) const {
    auto const r =
        philox4x32({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32), stream_, purpose_}, key_);
    double const u = (static_cast<double>(r[0]) + 1.0) * 0x1.0p-32;  // (0, 1]
    double const v = static_cast<double>(r[1]) * 0x1.0p-32;
    return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * v);
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint32_t purpose_;
  std::uint32_t stream_;
};

}  // namespace gt

// SPDX-License-Identifier: MIT
// A float of 16 bits: the range of float, 8 bits of precision. A type to store, not to compute with.
#pragma once

#include <cstdint>
#include <limits>

#include "gt/base/bit_cast.hpp"
#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// The upper half of a float: 1 sign, 8 exponent and 7 fraction bits. To float is exact and implicit, so that
/// arithmetic happens there; from float is rounded and explicit.
///
///     gt::Bf16 const stored(x);          // |stored - x| <= 2^-8 |x|, as long as x is a normal float
///     float const y = 2.0F * stored;     // computed in float
///
/// Rounds to nearest, ties to even; subnormals are kept; beyond the greatest Bf16 and half a step it is infinite; a NaN
/// stays a NaN of its sign, and quiet. Equal to torch.Tensor.bfloat16() but for the NaNs' bits.
struct Bf16 {
  std::uint16_t bits = 0;  ///< as in memory; the default is +0

  Bf16() = default;
  /// Rounds.
  GT_HD explicit constexpr Bf16(float x) : bits{rounded(detail::bit_cast<std::uint32_t>(x))} {}
  /// The number with these bits.
  GT_HD static constexpr Bf16 from_bits(std::uint16_t bits) {
    Bf16 x;
    x.bits = bits;
    return x;
  }
  /// The same number.
  GT_HD constexpr operator float() const { return detail::bit_cast<float>(std::uint32_t{bits} << 16); }

 private:
  GT_HD static constexpr std::uint16_t rounded(std::uint32_t x) {
    // Half a step, less one when the lower neighbour is even; a carry goes on into the exponent, where it belongs.
    std::uint32_t const nearest = (x + 0x7FFFu + (x >> 16 & 1u)) >> 16, quiet_nan = x >> 16 | 0x40u;
    return static_cast<std::uint16_t>((x & 0x7FFFFFFFu) > 0x7F800000u ? quiet_nan : nearest);
  }
};
static_assert(sizeof(Bf16) == 2 && std::numeric_limits<float>::is_iec559);

}  // namespace gt

// SPDX-License-Identifier: MIT
// IEEE's float of 16 bits: 11 bits of precision, up to 65504. A type to store, not to compute with.
#pragma once

#include <cstdint>
#include <limits>

#include "gt/base/bit_cast.hpp"
#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// 1 sign, 5 exponent and 10 fraction bits. To float is exact and implicit; from float is rounded and explicit.
///
///     gt::F16 const stored(x);           // |stored - x| <= 2^-11 |x| for 2^-14 <= |x| <= 65504, below it 2^-25
///     float const y = 2.0F * stored;     // computed in float
///
/// Rounds to nearest, ties to even; subnormals are kept; from 65520 on it is infinite; a NaN stays a NaN of its sign,
/// and quiet. Equal to torch.Tensor.half() but for the NaNs' bits.   Source: IEEE 754-2019, binary16.
struct F16 {
  std::uint16_t bits = 0;  ///< as in memory; the default is +0

  F16() = default;
  /// Rounds.
  GT_HD explicit constexpr F16(float x) : bits{rounded(detail::bit_cast<std::uint32_t>(x))} {}
  /// The number with these bits.
  GT_HD static constexpr F16 from_bits(std::uint16_t bits) {
    F16 x;
    x.bits = bits;
    return x;
  }
  /// The same number.
  GT_HD constexpr operator float() const {
    std::uint32_t const sign = std::uint32_t{bits & 0x8000u} << 16, exponent = bits >> 10 & 31u,
                        fraction = bits & 1023u;
    if (exponent == 0) {  // zero or subnormal: a multiple of 2^-24
      float const size = static_cast<float>(fraction) * 0x1p-24F;
      return sign != 0 ? -size : size;
    }
    std::uint32_t const wide = exponent == 31 ? 255u : exponent + 112;  // biases: 127 - 15 = 112
    return detail::bit_cast<float>(sign | wide << 23 | fraction << 13);
  }

 private:
  /// x / 2^shift, to nearest, ties to even.
  GT_HD static constexpr std::uint32_t shifted(std::uint32_t x, std::uint32_t shift) {
    return (x + (1u << (shift - 1)) - 1 + (x >> shift & 1u)) >> shift;
  }
  GT_HD static constexpr std::uint16_t rounded(std::uint32_t x) {
    std::uint32_t const sign = x >> 16 & 0x8000u, size = x & 0x7FFFFFFFu, exponent = size >> 23;
    std::uint32_t const significand = (size & 0x7FFFFFu) | 0x800000u;
    std::uint32_t const nearest = size > 0x7F800000u    ? 0x7E00u | (size >> 13 & 0x1FFu)   // a NaN
                                  : size >= 0x47800000u ? 0x7C00u                           // from 2^16 on
                                  : size >= 0x38800000u ? shifted(size - (112u << 23), 13)  // a carry reaches infinity
                                  : size >= 0x33000000u ? shifted(significand, 126 - exponent)  // in steps of 2^-24
                                                        : 0u;                                   // below 2^-25
    return static_cast<std::uint16_t>(sign | nearest);
  }
};
static_assert(sizeof(F16) == 2 && std::numeric_limits<float>::is_iec559);

}  // namespace gt

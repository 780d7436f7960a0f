// SPDX-License-Identifier: MIT
// F16 against its definition: every number of 16 bits, and the floats around and halfway between any two.
#include "gt/base/f16.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <type_traits>

namespace f16_test {

using gt::F16;

static_assert(std::is_trivially_copyable_v<F16> && !std::is_convertible_v<float, F16>);
static_assert(F16(1.0F) == 1.0F && F16(-0.0F).bits == 0x8000 && F16{}.bits == 0 && F16(65504.0F).bits == 0x7BFF);

namespace {

std::uint32_t bits_of(float x) { return std::bit_cast<std::uint32_t>(x); }
float float_of(std::uint32_t bits) { return std::bit_cast<float>(bits); }
/// The value of 15 bits by the standard's formula, infinity where the formula goes on: (-1)^s 2^(e-15) (1 + f / 1024).
double value_of(std::uint32_t b) {
  int const exponent = static_cast<int>(b >> 10), fraction = static_cast<int>(b & 1023);
  return exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
}

}  // namespace

TEST_CASE("F16: each of the 65536 is the number of its formula, and comes back") {
  int wrong = 0;
  for (std::uint32_t b = 0; b < 0x10000; ++b) {
    float const x = F16::from_bits(static_cast<std::uint16_t>(b));
    std::uint32_t const size = b & 0x7FFF;
    bool const nan = size > 0x7C00;
    wrong += std::isnan(x) != nan || std::signbit(x) != (b >> 15 == 1);
    if (size < 0x7C00) wrong += std::abs(static_cast<double>(x)) != value_of(size);
    if (size == 0x7C00) wrong += !std::isinf(x);
    wrong += F16(x).bits != (nan ? b | 0x200 : b);
  }
  CHECK(wrong == 0);
}

TEST_CASE("F16: the nearest of two neighbours, and halfway the even one, up to infinity and down to zero") {
  int wrong = 0;
  for (std::uint32_t sign : {0u, 0x8000u}) {
    for (std::uint32_t b = 0; b < 0x7C00; ++b) {  // b and b + 1: neighbours, subnormal ones and 2^16 included
      double const middle = (value_of(b) + value_of(b + 1)) / 2;  // exact, as a float too
      auto const half = static_cast<float>(sign == 0 ? middle : -middle);
      auto const here = static_cast<std::uint16_t>(sign | b), next = static_cast<std::uint16_t>(here + 1);
      wrong += std::abs(static_cast<double>(half)) != middle;
      wrong += F16(half).bits != (b % 2 == 0 ? here : next);
      wrong += F16(float_of(bits_of(half) - 1)).bits != here || F16(float_of(bits_of(half) + 1)).bits != next;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("F16: what is too great, too small, or no number") {
  float const infinity = std::numeric_limits<float>::infinity();
  CHECK(std::isinf(float(F16(65520.0F))));
  CHECK(float(F16(std::nextafter(65520.0F, 0.0F))) == 65504.0F);
  CHECK(float(F16(-std::numeric_limits<float>::max())) == -infinity);
  CHECK(float(F16(-infinity)) == -infinity);
  CHECK(F16(0x1p-25F).bits == 0);  // halfway to the least one, and 0 is even
  CHECK(F16(std::nextafter(0x1p-25F, 1.0F)).bits == 1);
  CHECK(F16(-std::numeric_limits<float>::denorm_min()).bits == 0x8000);
  for (std::uint32_t fraction : {1u, 0x1FFFu, 0x2000u, 0x7FFFFFu}) {
    CAPTURE(fraction);
    CHECK(std::isnan(float(F16(float_of(0x7F800000u | fraction)))));
    CHECK(F16(float_of(0xFF800000u | fraction)).bits >= 0x8000);
  }
}

}  // namespace f16_test

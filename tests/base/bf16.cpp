// SPDX-License-Identifier: MIT
// Bf16 against its definition: every number of 16 bits, and the floats around and halfway between any two.
#include "gt/base/bf16.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <type_traits>

namespace bf16_test {

using gt::Bf16;

static_assert(std::is_trivially_copyable_v<Bf16> && !std::is_convertible_v<float, Bf16>);
static_assert(Bf16(1.0F) == 1.0F && Bf16(-0.0F).bits == 0x8000 && Bf16{}.bits == 0);

namespace {

std::uint32_t bits_of(float x) { return std::bit_cast<std::uint32_t>(x); }
float float_of(std::uint32_t bits) { return std::bit_cast<float>(bits); }
std::uint16_t stored(std::uint32_t bits) { return Bf16(float_of(bits)).bits; }

}  // namespace

TEST_CASE("Bf16: each of the 65536 goes to float and comes back, and a NaN comes back quiet") {
  int wrong = 0;
  for (std::uint32_t b = 0; b < 0x10000; ++b) {
    auto const x = Bf16::from_bits(static_cast<std::uint16_t>(b));
    wrong += bits_of(float(x)) != b << 16;
    bool const nan = (b & 0x7FFF) > 0x7F80;
    wrong += Bf16(float(x)).bits != (nan ? b | 0x40 : b) || std::isnan(float(x)) != nan;
  }
  CHECK(wrong == 0);
}

TEST_CASE("Bf16: the nearest of two neighbours, and halfway the even one, up to infinity") {
  int wrong = 0;
  for (std::uint32_t sign : {0u, 0x80000000u}) {
    for (std::uint32_t b = 0; b < 0x7F80; ++b) {  // b and b + 1: neighbours, subnormal ones and infinity included
      std::uint32_t const low = sign | b << 16;
      auto const here = static_cast<std::uint16_t>(low >> 16), next = static_cast<std::uint16_t>(here + 1);
      wrong += stored(low + 1) != here || stored(low + 0x7FFF) != here;
      wrong += stored(low + 0x8000) != (b % 2 == 0 ? here : next);
      wrong += stored(low + 0x8001) != next || stored(low + 0xFFFF) != next;
    }
  }
  CHECK(wrong == 0);
  CHECK(std::isinf(float(Bf16(std::numeric_limits<float>::max()))));
  CHECK(float(Bf16(-std::numeric_limits<float>::infinity())) == -std::numeric_limits<float>::infinity());
}

TEST_CASE("Bf16: a NaN whose bits lie all in the lost half stays a NaN, with its sign") {
  for (std::uint32_t fraction : {1u, 0x8000u, 0xFFFFu, 0x10000u, 0x7FFFFFu}) {
    CAPTURE(fraction);
    CHECK(std::isnan(float(Bf16(float_of(0x7F800000u | fraction)))));
    CHECK(std::isnan(float(Bf16(float_of(0xFF800000u | fraction)))));
    CHECK((stored(0xFF800000u | fraction) >> 15) == 1);
  }
}

TEST_CASE("Bf16: off by 2^-8 of a normal number at most") {
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    float const x = float_of(0x00800000u + i * 104'729u);  // all binades
    if (!(x < 3.38e38F)) break;
    CHECK(std::abs(double{Bf16(x)} - double{x}) <= 0x1p-8 * double{x});
  }
}

}  // namespace bf16_test

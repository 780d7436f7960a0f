// SPDX-License-Identifier: MIT
// Philox against published answers; the moments, ranges and independence of the streams built on it.
#include "gt/base/philox.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>

namespace philox_test {

using Words = std::array<std::uint32_t, 4>;

TEST_CASE("philox4x32: known answers of the authors' Random123") {
  constexpr auto ones = 0xffffffffu;
  static_assert(gt::philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  static_assert(gt::philox4x32({ones, ones, ones, ones}, {ones, ones}) ==
                Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(gt::philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
}

TEST_CASE("Random: uniform numbers have the moments of [0, 1)") {
  constexpr int n = 100'000;
  gt::Random const random(gt::seed(7), gt::Purpose::test);
  double sum = 0, squares = 0, lowest = 1, highest = 0;
  for (int i = 0; i < n; ++i) {
    double const u = random.uniform(static_cast<std::uint64_t>(i));
    sum += u;
    squares += u * u;
    lowest = std::min(lowest, u);
    highest = std::max(highest, u);
  }
  CHECK(lowest >= 0.0);
  CHECK(highest < 1.0);
  double const mean = sum / n, variance = squares / n - mean * mean;
  CHECK(std::abs(mean - 1.0 / 2) < 5 * std::sqrt(1.0 / 12 / n));        // 5 standard errors
  CHECK(std::abs(variance - 1.0 / 12) < 5 * std::sqrt(1.0 / 180 / n));  // of the variance: 1/80 - 1/144 = 1/180
}

TEST_CASE("Random: normal numbers have the moments of N(0, 1)") {
  constexpr int n = 100'000;
  gt::Random const random(gt::seed(7), gt::Purpose::test, 1);
  double moment[5] = {};
  for (int i = 0; i < n; ++i) {
    double const z = random.normal(static_cast<std::uint64_t>(i));
    REQUIRE(std::isfinite(z));
    double power = 1;
    for (int k = 1; k <= 4; ++k) moment[k] += (power *= z) / n;
  }
  // Expected 0, 1, 0, 3; E z^2k - (E z^k)^2 = 1, 2, 15, 96.
  CHECK(std::abs(moment[1] - 0) < 5 * std::sqrt(1.0 / n));
  CHECK(std::abs(moment[2] - 1) < 5 * std::sqrt(2.0 / n));
  CHECK(std::abs(moment[3] - 0) < 5 * std::sqrt(15.0 / n));
  CHECK(std::abs(moment[4] - 3) < 5 * std::sqrt(96.0 / n));
}

TEST_CASE("Random: below(n) stays below n, reaches every value, and is even") {
  gt::Random const random(gt::seed(7), gt::Purpose::test, 2);
  constexpr int draws = 10'000;
  for (std::uint64_t n : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{10}}) {
    CAPTURE(n);
    std::array<int, 10> count{};
    for (std::uint64_t i = 0; i < draws; ++i) {
      auto const value = random.below(n, i);
      REQUIRE(value < n);
      ++count[value];
    }
    double const expected = static_cast<double>(draws) / static_cast<double>(n);
    for (std::uint64_t value = 0; value < n; ++value)
      CHECK(std::abs(count[value] - expected) <= 5 * std::sqrt(expected));
  }
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  for (std::uint64_t i = 0; i < 1000; ++i) {
    CHECK(random.below(most, i) < most);
    // The high word of bits * 2^k is a shift: the 128-bit product is exact.
    CHECK(random.below(std::uint64_t{1} << 40, i) == random.bits(i) >> 24);
  }
}

TEST_CASE("Random: the same key and counter give the same bits; any other differs") {
  using gt::Purpose, gt::Random, gt::seed;
  static_assert(Random(seed(1), Purpose::init).bits(5) == Random(seed(1), Purpose::init).bits(5));
  std::array const streams{
      Random(seed(1), Purpose::init), Random(seed(2), Purpose::init),    Random(seed(1ull << 32), Purpose::init),
      Random(seed(1), Purpose::data), Random(seed(1), Purpose::init, 1), Random(seed(1), Purpose::init, 0, 1),
  };
  std::set<std::uint64_t> seen;
  for (auto const& stream : streams)
    for (std::uint64_t i : {0ull, 1ull, 2ull, 1ull << 32}) seen.insert(stream.bits(i));
  CHECK(seen.size() == streams.size() * 4);
}

}  // namespace philox_test

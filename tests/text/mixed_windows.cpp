// SPDX-License-Identifier: MIT
// Windows of several texts: shares kept to within one, one text as WindowLoader has it, any position by its number.
#include "gt/text/mixed_windows.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mixed_windows_test {

using gt::Error, gt::MixedWindows, gt::MixturePhase, gt::Tokens, gt::WindowLoader;

namespace {

constexpr std::int64_t T = 4;
/// 40 windows whose ids tell the text.
Tokens text_of(int k, std::int64_t windows = 40) {
  std::vector<std::int32_t> ids;
  for (std::int64_t i = 0; i <= windows * T; ++i) ids.push_back(static_cast<std::int32_t>(1000 * k + i));
  return Tokens::from_ids(ids, 5000);
}
std::vector<std::int32_t> sample(MixedWindows& windows, std::int64_t at) {
  std::vector<std::int32_t> in(T), out(T);
  windows.fill(at, 1, in, out);
  for (std::size_t i = 0; i < T; ++i) CHECK(out[i] == in[i] + 1);
  return in;
}

}  // namespace

TEST_CASE("MixedWindows: one text is WindowLoader's, whatever its share") {
  MixedWindows windows({text_of(0)}, T, gt::seed(3), {{0, {0.3}}});
  WindowLoader const loader(text_of(0), T, gt::seed(3));
  CHECK(windows.windows() == loader.windows());
  std::vector<std::int32_t> in(8 * T), out(8 * T), in2(8 * T), out2(8 * T);
  for (std::int64_t first : {0, 8, 16, 72, 8}) {
    windows.fill(first, 8, in, out);
    loader.fill(first, 8, in2, out2);
    CHECK(in == in2);
    CHECK(out == out2);
  }
}

TEST_CASE("MixedWindows: after n samples each text has given its share to within one, in every phase") {
  std::vector<MixturePhase> const phases{{30, {1, 1, 0}}, {50, {0, 3, 2}}, {0, {5, 3, 2}}};
  MixedWindows windows({text_of(0), text_of(1), text_of(2)}, T, gt::seed(3), phases);
  CHECK(windows.windows() == 120);
  std::int64_t at = 0;
  for (std::size_t p = 0; p < 3; ++p) {
    double const sum = phases[p].shares[0] + phases[p].shares[1] + phases[p].shares[2];
    std::vector<double> taken(3);
    for (std::int64_t n = 1; n <= (p < 2 ? phases[p].samples : 100); ++n, ++at) {
      taken[static_cast<std::size_t>(sample(windows, at)[0] / 1000)] += 1;
      for (std::size_t k = 0; k < 3; ++k) {
        CAPTURE(n);
        CHECK(std::abs(taken[k] - static_cast<double>(n) * phases[p].shares[k] / sum) < 1);
        if (phases[p].shares[k] == 0) CHECK(taken[k] == 0);
      }
    }
  }
}

TEST_CASE("MixedWindows: each text shows all of its windows before one comes again, also across phases") {
  MixedWindows windows({text_of(0), text_of(1)}, T, gt::seed(3), {{30, {1, 2}}, {0, {3, 1}}});
  std::vector<int> seen(5000);
  int first_epoch = 0;
  for (std::int64_t at = 0; at < 60; ++at) {
    auto const id = static_cast<std::size_t>(sample(windows, at)[0]);
    if (id >= 1000) continue;
    CHECK(++seen[id] <= 1);
    ++first_epoch;  // 10 and 22 or 23, of 40
  }
  CHECK(first_epoch > 30);
}

TEST_CASE("MixedWindows: a position is its number alone") {
  std::vector<MixturePhase> const phases{{7, {1, 2}}, {0, {3, 1}}};
  MixedWindows windows({text_of(0), text_of(1)}, T, gt::seed(3), phases);
  std::vector<std::vector<std::int32_t>> all;
  for (std::int64_t at = 0; at < 20; ++at) all.push_back(sample(windows, at));
  for (std::int64_t at : {19, 3, 8, 7, 6, 0, 12}) {
    MixedWindows fresh({text_of(0), text_of(1)}, T, gt::seed(3), phases);
    CHECK(sample(fresh, at) == all[static_cast<std::size_t>(at)]);
    CHECK(sample(windows, at) == all[static_cast<std::size_t>(at)]);
  }
}

TEST_CASE("MixedWindows: what is refused") {
  auto const made = [](std::vector<Tokens> const& texts, std::vector<MixturePhase> const& phases) {
    MixedWindows(texts, T, gt::seed(1), phases);
  };
  CHECK_THROWS_WITH_AS(made({}, {{0, {}}}), "gt: MixedWindows: there must be a text and a phase (got 0 and 1)", Error);
  CHECK_THROWS_WITH_AS(made({text_of(0)}, {}), doctest::Contains("(got 1 and 0)"), Error);
  CHECK_THROWS_WITH_AS(made({text_of(0)}, {{0, {1, 1}}}), doctest::Contains("to each of the 1 texts (got 2)"), Error);
  CHECK_THROWS_WITH_AS(made({text_of(0)}, {{0, {-1}}}), doctest::Contains("must not be negative (got -1.000000)"),
                       Error);
  CHECK_THROWS_WITH_AS(made({text_of(0)}, {{0, {0}}}), doctest::Contains("a positive sum (got 0.000000)"), Error);
  CHECK_THROWS_WITH_AS(made({text_of(0, 0)}, {{0, {1}}}), doctest::Contains("must hold one window"), Error);
}

}  // namespace mixed_windows_test

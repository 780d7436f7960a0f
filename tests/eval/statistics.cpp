// SPDX-License-Identifier: MIT
// Intervals against numbers worked out elsewhere, and at the ends.
#include "gt/eval/statistics.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace statistics_test {

using gt::Proportion, gt::RunStatistics;

TEST_CASE("Proportion: Wilson's interval contains exactly the shares that the count does not reject") {
  // The bounds are the p0 with (p - p0)^2 = z^2 p0 (1 - p0) / n: the definition, from which the formula follows.
  for (auto const& p : {Proportion{7, 20}, Proportion{1, 3}, Proportion{19, 20}, Proportion{250, 1000}}) {
    for (double const p0 : {p.low(), p.high()}) {
      double const z = (p.value() - p0) / std::sqrt(p0 * (1 - p0) / static_cast<double>(p.count));
      CHECK(std::abs(z) == doctest::Approx(1.959963984540054).epsilon(1e-12));
    }
    CHECK(p.low() < p.value());
    CHECK(p.high() > p.value());
  }
  CHECK(Proportion{0, 10}.low() == 0);
  CHECK(Proportion{0, 10}.high() == doctest::Approx(0.2775).epsilon(1e-3));  // z^2 / (n + z^2)
  CHECK(Proportion{10, 10}.high() == 1);
  CHECK(Proportion{10, 10}.low() == doctest::Approx(1 - 0.2775).epsilon(1e-3));
  CHECK(Proportion{}.value() == 0);
  CHECK(Proportion{}.low() == 0);
  CHECK(Proportion{}.high() == 1);
}

TEST_CASE("Proportion: counts") {
  Proportion p;
  p.add(true), p.add(false), p.add(false), p.add(true), p.add(false);
  CHECK(p.hits == 2);
  CHECK(p.count == 5);
  CHECK(p.value() == 0.4);
}

TEST_CASE("RunStatistics: the mean, the population's deviation, 1.96 of it by the root of the runs") {
  RunStatistics const s{{1, 2, 3, 4}};
  CHECK(s.mean() == 2.5);
  CHECK(s.deviation() == doctest::Approx(std::sqrt(1.25)));
  CHECK(s.ci95() == doctest::Approx(1.96 * std::sqrt(1.25) / 2));
  CHECK(RunStatistics{{7}}.ci95() == 0);
}

}  // namespace statistics_test

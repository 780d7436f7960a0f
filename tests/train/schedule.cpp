// SPDX-License-Identifier: MIT
// Learning rates, at the steps where something changes.
#include "gt/train/schedule.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>

namespace schedule_test {

using gt::Decay, gt::Schedule;

TEST_CASE("Schedule: a linear warm-up that ends at the peak") {
  Schedule const s{.lr = 2, .warmup = 4};
  for (std::int64_t step = 0; step < 4; ++step) CHECK(s.at(step, 100) == 0.5 * static_cast<double>(step + 1));
  CHECK(s.at(4, 100) == 2);
  CHECK(s.at(5, 100) < 2);
  CHECK(Schedule{.lr = 2, .warmup = 0}.at(0, 100) == 2);
}

TEST_CASE("Schedule: the warm-up takes a tenth of the steps at most") {
  Schedule const s{.lr = 1, .warmup = 20};
  CHECK(s.at(0, 50) == 1.0 / 5);  // 5 of 50
  CHECK(s.at(4, 50) == 1);
  CHECK(s.at(0, 200) == 1.0 / 20);
  CHECK(s.at(0, 9) == 1);  // none of 9
  CHECK(s.at(0, 1) == 1);
}

TEST_CASE("Schedule: cosine and linear decay end at their fraction, in the middle halfway") {
  for (Decay const decay : {Decay::cosine, Decay::linear}) {
    Schedule const s{.lr = 3, .warmup = 10, .decay = decay, .final_fraction = 0.2};
    CHECK(s.at(110, 111) == doctest::Approx(0.6).epsilon(1e-12));
    CHECK(s.at(60, 111) == doctest::Approx(0.5 * (3 + 0.6)).epsilon(1e-12));
    for (std::int64_t step = 11; step < 111; ++step) CHECK(s.at(step, 111) < s.at(step - 1, 111));
  }
  Schedule const cosine{.lr = 1, .warmup = 0, .final_fraction = 0};
  CHECK(cosine.at(1, 5) == doctest::Approx(0.5 * (1 + std::sqrt(0.5))).epsilon(1e-12));
  Schedule const linear{.lr = 1, .warmup = 0, .decay = Decay::linear, .final_fraction = 0};
  CHECK(linear.at(1, 5) == doctest::Approx(0.75).epsilon(1e-12));
}

TEST_CASE("Schedule: constant stays at the peak; a stable part delays the decay") {
  Schedule const constant{.lr = 1, .warmup = 2, .decay = Decay::constant};
  for (std::int64_t step = 2; step < 100; ++step) CHECK(constant.at(step, 100) == 1);
  Schedule const stable{.lr = 1, .warmup = 0, .decay = Decay::linear, .final_fraction = 0, .stable_fraction = 0.5};
  for (std::int64_t step = 0; step <= 50; ++step) CHECK(stable.at(step, 101) == 1);
  CHECK(stable.at(75, 101) == doctest::Approx(0.5).epsilon(1e-12));
  CHECK(stable.at(100, 101) == doctest::Approx(0).epsilon(1e-12));
}

}  // namespace schedule_test

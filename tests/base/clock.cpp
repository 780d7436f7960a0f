// SPDX-License-Identifier: MIT
// The clock never goes back, and counts seconds.
#include "gt/base/clock.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

namespace clock_test {

TEST_CASE("seconds_now, seconds_since: as the standard's steady clock has them") {
  double const before = gt::seconds_now();
  auto const start = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  double const passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  double const since = gt::seconds_since(before);
  CHECK(since >= passed);  // began before, ends after
  CHECK(passed >= 0.02);
  double last = before;
  for (int i = 0; i < 1000; ++i) {
    double const now = gt::seconds_now();
    CHECK(now >= last);
    last = now;
  }
}

}  // namespace clock_test

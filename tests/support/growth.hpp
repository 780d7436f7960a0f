// SPDX-License-Identifier: MIT
// How the time of something grows with its size, as a ratio: no test asks how long a thing takes on some machine.
#pragma once

#include <algorithm>
#include <limits>

#include "gt/base/clock.hpp"

namespace gt::test {

/// How many times longer `make(16 n)()` takes than `make(n)()`, by the shortest of several runs: 16 where the time is
/// linear, 256 where it is quadratic. What `make` does is not counted.
template <class Make>
double growth_by_sixteen(Make const& make, int n) {
  auto const shortest = [](auto const& run) {
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 9; ++i) {
      double const began = seconds_now();
      run();
      least = std::min(least, seconds_since(began));
    }
    return least;
  };
  double const of_small = shortest(make(n));
  return shortest(make(16 * n)) / of_small;
}
inline constexpr double at_most_linear = 80;  ///< between the two, with room for logarithms and caches

}  // namespace gt::test

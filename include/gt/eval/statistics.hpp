// SPDX-License-Identifier: MIT
// How sure a result is: a share with its interval, and the spread of repeated runs.
#pragma once

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// A share of a count, with the interval in which the true one lies with a confidence of 95 %.
struct Proportion {
  std::int64_t hits = 0, count = 0;  ///< of the trials those that hit; all

  /// Counts one more.
  void add(bool hit) { hits += hit ? 1 : 0, ++count; }
  /// hits / count; 0 of nothing.
  double value() const { return count > 0 ? static_cast<double>(hits) / static_cast<double>(count) : 0; }
  double low() const { return bound(-1); }  ///< the lower end of Wilson's score interval; 0 of nothing
  double high() const { return bound(1); }  ///< the upper end of Wilson's score interval; 1 of nothing

 private:
  // (p + z^2/2n ± z sqrt(p (1 - p) / n + z^2/4n^2)) / (1 + z^2/n), with z = 1.96 (Wilson 1927). Unlike p ± z sigma it
  // stays within 0 ... 1 and has a width at 0 and at 1.
  double bound(double side) const {
    if (count == 0) return side < 0 ? 0 : 1;
    double const n = static_cast<double>(count), p = value(), z = 1.959963984540054;
    double const middle = p + z * z / (2 * n), spread = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    if ((side < 0 && hits == 0) || (side > 0 && hits == count)) return p;  // exact, where rounding would miss it
    return (middle + side * spread) / (1 + z * z / n);
  }
};

/// One number from each of several runs over the same samples.
struct RunStatistics {
  std::vector<double> runs;  ///< at least one

  double mean() const {  ///< of the runs
    return std::accumulate(runs.begin(), runs.end(), 0.0) / static_cast<double>(runs.size());
  }
  /// Population standard deviation: sqrt(1/n * sum of squared distances from the mean).
  double deviation() const {
    double const m = mean();
    double squares = 0;
    for (double const run : runs) squares += (run - m) * (run - m);
    return std::sqrt(squares / static_cast<double>(runs.size()));
  }
  /// Half the width of the paper's interval around the mean, 1.96 * deviation / sqrt(n). It measures how far the
  /// sampling of tokens moves the result, not how far other questions would.
  double ci95() const { return 1.96 * deviation() / std::sqrt(static_cast<double>(runs.size())); }
};

}  // namespace gt

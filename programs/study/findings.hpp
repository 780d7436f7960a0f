// SPDX-License-Identifier: MIT
// What the rows of a study say about the claims of the papers: a sentence, the numbers, and whether they bear it out.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <gt/gt.hpp>
#include <optional>
#include <string>
#include <vector>

#include "results.hpp"

namespace study {

/// Numbers of several seeds.
struct Sample {
  std::vector<double> values;

  double mean() const {
    double sum = 0;
    for (double const v : values) sum += v;
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
  }
  /// Half of the 95 % interval of the mean, by Student's t; none of fewer than two values.
  std::optional<double> half_width() const {
    std::size_t const n = values.size();
    if (n < 2) return {};
    // The 97.5 % points of Student's distribution with 1 to 10 degrees of freedom; 1.96 is that of infinitely many.
    static constexpr double t[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228};
    double const m = mean();
    double squares = 0;
    for (double const v : values) squares += (v - m) * (v - m);
    double const deviation = std::sqrt(squares / static_cast<double>(n - 1));
    return (n - 2 < std::size(t) ? t[n - 2] : 1.96) * deviation / std::sqrt(static_cast<double>(n));
  }
  /// "1.986 ± 0.012".
  std::string text(int digits = 3) const {
    if (values.empty()) return "–";
    auto const half = half_width();
    return gt::decimals(mean(), digits) + (half ? " ± " + gt::decimals(*half, digits) : "");
  }
};

/// How far the rows bear a claim out.
enum class Verdict { held, weak, failed, missing, tested };
inline char const* to_text(Verdict v) {
  return v == Verdict::held     ? "held"
         : v == Verdict::weak   ? "weakly supported"
         : v == Verdict::failed ? "did not hold"
         : v == Verdict::tested ? "by its tests"
                                : "not measured";
}
/// A claim, the numbers beside it, the verdict, and what it takes to hold.
struct Finding {
  std::string claim, numbers;
  Verdict verdict = Verdict::missing;
  std::string rule{};
};

/// `key` of every row whose job begins so.
inline Sample sample(Results const& results, std::string const& prefix, std::string const& key = "bits") {
  Sample s;
  for (auto const& row : results.of(prefix)) s.values.push_back(row.at(key).get<double>());
  return s;
}
/// Differences of the same seeds, a - b.
inline Sample paired(Results const& results, std::string const& a, std::string const& b,
                     std::string const& key = "bits") {
  Sample s;
  for (auto const& row : results.of(a)) {
    auto const* const other = results.find(b + row.at("job").get<std::string>().substr(a.size()));
    if (other) s.values.push_back(row.at(key).get<double>() - other->at(key).get<double>());
  }
  return s;
}
/// Held where the whole interval lies on the side of `sign`, weak where only the mean does.
inline Verdict on_side(Sample const& s, double sign) {
  if (s.values.empty()) return Verdict::missing;
  double const m = sign * s.mean();
  if (m <= 0) return Verdict::failed;
  auto const half = s.half_width();
  return half && m > *half ? Verdict::held : Verdict::weak;
}

}  // namespace study

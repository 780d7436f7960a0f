// SPDX-License-Identifier: MIT
// What gt/report/plot_scale.hpp declares.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include "gt/base/format.hpp"
#include "gt/base/macros.hpp"
#include "gt/report/plot_scale.hpp"

namespace gt::inline GT_ABI::report {

GT_FN std::string place(double x) {
  std::string s = decimals(x, 1);
  if (s.ends_with(".0")) s.resize(s.size() - 2);
  return s;
}

namespace detail {

GT_FN bool plottable(double x, Scale scale) {
  return std::isfinite(x) && std::fabs(x) < 1e300 && (scale == Scale::linear || x > 1e-300);
}

/// The smallest of 1, 2, 5 times a power of ten that cuts `span` > 0 into `most` parts or fewer.
GT_FN double round_step(double span, int most) {
  double const raw = span / most, unit = std::pow(10.0, std::floor(std::log10(raw)));
  for (double const m : {1.0, 2.0, 5.0})
    if (raw <= m * unit * (1 + 1e-9)) return m * unit;
  return 10 * unit;
}

/// Where a number turns to thousands, millions, ...: its unit and its suffix.
GT_FN std::pair<double, char const*> si_unit(double largest) {
  for (auto const& [size, name] : {std::pair{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}})
    if (largest >= (size == 1e3 ? 1e4 : size)) return {size, name};
  return {1, ""};
}

GT_FN std::string value_text(double x) {
  auto const [unit, suffix] = std::fabs(x) < 1e15 ? si_unit(std::fabs(x)) : std::pair{1.0, ""};
  char buffer[32];
  auto const end = std::to_chars(buffer, buffer + sizeof buffer, x / unit, std::chars_format::general, 4).ptr;
  return std::string(buffer, end) + suffix;
}

/// A number as an axis tells it: 0.25, 1500, 20k, 1.5M. `largest` and `step` of the axis choose suffix and decimals.
GT_FN std::string tick_label(double x, double largest, double step) {
  if (largest >= 1e15 || largest < 1e-4) return value_text(x);
  auto const [unit, suffix] = si_unit(largest);
  int const digits = std::clamp(static_cast<int>(std::ceil(-std::log10(step / unit) - 1e-6)), 0, 12);
  return x == 0 ? "0" : decimals(x / unit, digits) + suffix;
}

}  // namespace detail

GT_FN PlotScale::PlotScale(Scale scale, double low, double high, int most, bool widened) : scale_{scale} {
  if (low > high) low = scale == Scale::log ? 1 : 0, high = scale == Scale::log ? 10 : 1;
  if (high - low <= 1e-9 * std::max(std::fabs(low), std::fabs(high))) {  // constant
    double const room = low == 0 ? 1 : 0.05 * std::fabs(low);
    low -= room, high += room;
  }
  double const step = detail::round_step(high - low, most);
  if (scale == Scale::linear && widened) {
    low = std::floor(low / step + 1e-9) * step, high = std::ceil(high / step - 1e-9) * step;
  }
  low_ = low, high_ = high;
  if (scale == Scale::log) log_ticks(most);
  if (ticks_.size() < 2) linear_ticks(step, most);
}

GT_FN double PlotScale::operator()(double x) const {
  double const share = scale_ == Scale::log ? std::log(x / low_) / std::log(high_ / low_) : (x - low_) / (high_ - low_);
  return from_ + share * (to_ - from_);
}

GT_FN void PlotScale::linear_ticks(double step, int most) {
  ticks_.clear();
  double const first = std::ceil(low_ / step - 1e-9), largest = std::max(std::fabs(low_), std::fabs(high_));
  for (int i = 0; i <= most + 1; ++i) {
    double const x = (first + i) * step;
    if (x > high_ + 1e-9 * step) break;
    ticks_.push_back({x, detail::tick_label(x, largest, step)});
  }
}

GT_FN void PlotScale::log_ticks(int most) {
  int const first = static_cast<int>(std::ceil(std::log10(low_) - 1e-9));
  int const last = static_cast<int>(std::floor(std::log10(high_) + 1e-9));
  int const stride = std::max(1, (last - first + most) / most);
  bool const between = 3 * (last - first + 1) <= most;
  for (int k = between ? first - 1 : first; k <= last; k += stride) {
    for (double const m : {1.0, 2.0, 5.0}) {
      double const x = m * std::pow(10.0, k);
      if ((m > 1 && !between) || x < low_ * (1 - 1e-9) || x > high_ * (1 + 1e-9)) continue;
      ticks_.push_back({x, detail::tick_label(x, x, x)});
    }
  }
}

}  // namespace gt::report

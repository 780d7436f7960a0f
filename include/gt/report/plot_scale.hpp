// SPDX-License-Identifier: MIT
// From numbers to places on paper: ranges, round ticks, and labels that no locale changes.
#pragma once

#include <string>
#include <vector>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI::report {

/// How an axis spaces its numbers.
enum class Scale { linear, log };

/// A place in a drawing: one decimal at most.
std::string place(double x);

namespace detail {

/// Can `x` stand on an axis?
bool plottable(double x, Scale scale);

/// A number on its own, up to four digits: 2.143, 1.5M, 1.2e-05.
std::string value_text(double x);

}  // namespace detail

/// One axis of a plot: maps [low, high] to [from, to] in the drawing, and knows its ticks.
class PlotScale {
 public:
  /// A number that the axis names.
  struct Tick {
    double value = 0;   ///< on the axis, not in the drawing
    std::string label;  ///< as it is written: 0.25, 1500, 20k
  };

  PlotScale() = default;
  /// A range that holds all of [low, high]; `most` >= 2 bounds the number of its ticks. A single number gets room
  /// around it, an empty range (low > high) is 0 to 1, or 1 to 10. With `widened`, a linear range grows to whole steps.
  PlotScale(Scale scale, double low, double high, int most, bool widened);

  double low() const { return low_; }                        ///< where the axis begins
  double high() const { return high_; }                      ///< where it ends
  std::vector<Tick> const& ticks() const { return ticks_; }  ///< rising
  /// Sets where the two ends are drawn, in pixels; `from` may be the larger, as on an upright axis.
  void draw_between(double from, double to) { from_ = from, to_ = to; }

  /// Where `x` is drawn.
  double operator()(double x) const;

 private:
  void linear_ticks(double step, int most);
  /// Powers of ten, every n-th where there are many; where there are few, their doubles and fivefolds too.
  void log_ticks(int most);

  Scale scale_ = Scale::linear;
  double low_ = 0, high_ = 1, from_ = 0, to_ = 1;
  std::vector<Tick> ticks_;
};

}  // namespace gt::report

#if !defined(GT_PREBUILT)
  #include "gt/report/plot_scale_impl.hpp"
#endif

// SPDX-License-Identifier: MIT
// Stacked bars as SVG: what a whole is made of.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gt/report/svg_style.hpp"

namespace gt::inline GT_ABI::report {

/// One bar: its parts lie end to end.
struct StackedBar {
  std::string label;          ///< above the bar, on the left; its sum stands on the right
  std::vector<double> parts;  ///< not negative; others are left out
};
/// Bars as a value, one below the other and all to one scale.
struct StackedBars {
  std::string title;                 ///< shown in a file of its own; in a page only read aloud
  std::string description{};         ///< what they show, for those who do not see it; all numbers are added
  std::string unit{};                ///< of the parts, such as "ms"
  std::vector<std::string> parts{};  ///< the names of the parts, for the legend
  std::vector<StackedBar> bars{};    ///< from the top
};

/// The bars as an SVG document, or as an element of a page (see SvgOptions); the height follows from what it holds.
/// Errors: a bar with another number of parts than there are names; a drawing narrower than 200.
std::string to_svg(StackedBars const& chart, SvgOptions options = {});

}  // namespace gt::report

#if !defined(GT_PREBUILT)
  #include "gt/report/svg_bars_impl.hpp"
#endif

// SPDX-License-Identifier: MIT
// What gt/report/svg_bars.hpp declares.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/report/plot_scale.hpp"
#include "gt/report/svg_bars.hpp"
#include "gt/report/svg_style.hpp"

namespace gt::inline GT_ABI::report {

GT_FN std::string to_svg(StackedBars const& chart, SvgOptions options) {
  check(options.width >= 200, "to_svg", "a drawing must have at least 200 pixels (got ", options.width, ")");
  auto const size_of = [](double part) { return std::isfinite(part) && part > 0 && part < 1e300 ? part : 0.0; };
  double most = 0;
  std::vector<double> totals;
  for (auto const& bar : chart.bars) {
    check(bar.parts.size() == chart.parts.size(), "to_svg", "bar '", bar.label, "' must have ", chart.parts.size(),
          " parts (got ", bar.parts.size(), ")");
    double total = 0;
    for (double const part : bar.parts) total += size_of(part);
    totals.push_back(total), most = std::max(most, total);
  }
  double const left = margin_of(options), width = options.width - 2 * left;
  double y = options.standalone ? 48 : 15;
  std::vector<LegendEntry> entries;
  for (std::size_t i = 0; i < chart.parts.size(); ++i)
    entries.push_back({chart.parts[i], text("<rect y=\"-6\" width=\"16\" height=\"12\"", fill_of(i), "/>")});
  std::string svg = svg_legend(entries, left, left + width, y);
  for (std::size_t b = 0; b < chart.bars.size(); ++b) {
    auto const& bar = chart.bars[b];
    svg += svg_text(left, y + 5, bar.label);
    svg += svg_text(left + width, y + 5,
                    (totals[b] < 1e4 ? decimals(totals[b], totals[b] < 100 ? 1 : 0) : detail::value_text(totals[b])) +
                        " " + chart.unit,
                    " text-anchor=\"end\" font-weight=\"600\"");
    double x = left;
    for (std::size_t i = 0; i < bar.parts.size(); ++i) {
      double const w = most > 0 ? size_of(bar.parts[i]) / most * width : 0;
      if (w < 0.1) continue;
      // A gap of one pixel tells neighbours apart without colour.
      svg += text("<rect x=\"", place(x), "\" y=\"", place(y + 12), "\" width=\"", place(std::max(w - 1, 0.1)),
                  "\" height=\"22\"", fill_of(i), "><title>", escape_markup(chart.parts[i]), ": ",
                  detail::value_text(bar.parts[i]), " ", escape_markup(chart.unit), "</title></rect>\n");
      x += w;
    }
    y += 56;
  }
  options.height = static_cast<int>(y) - 8;
  std::string words = chart.description;
  for (std::size_t b = 0; b < chart.bars.size(); ++b) {
    words += text(words.empty() ? "" : " ", chart.bars[b].label, ":");
    for (std::size_t i = 0; i < chart.parts.size(); ++i)
      words += text(i > 0 ? ", " : " ", chart.parts[i], " ", detail::value_text(size_of(chart.bars[b].parts[i])));
    words += text(" ", chart.unit, ".");
  }
  return svg_document(options, chart.title, words, svg);
}

}  // namespace gt::report

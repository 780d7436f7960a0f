// SPDX-License-Identifier: MIT
// What gt/report/svg_plot.hpp declares.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/report/plot_scale.hpp"
#include "gt/report/svg_plot.hpp"
#include "gt/report/svg_style.hpp"

namespace gt::inline GT_ABI::report {

namespace detail {

GT_FN PlotDrawing::PlotDrawing(LinePlot const& plot, SvgOptions const& options)
    : plot_{plot}, margin_{margin_of(options)}, w_{options.width - margin_}, h_{static_cast<double>(options.height)} {
  set_scales();
  std::string above = legend(options.standalone ? 48 : 15);
  lay_out();
  svg_ = std::move(above) + svg_text(margin_, label_y_, plot.y_label, muted);
  axes();
  marks();
  std::vector<EndLabel> ends;
  for (std::size_t i = 0; i < plot.series.size(); ++i) curve(i, ends);
  end_labels(std::move(ends));
}

GT_FN void PlotDrawing::set_scales() {
  constexpr double inf = std::numeric_limits<double>::infinity();
  double x_low = inf, x_high = -inf, y_low = inf, y_high = -inf;
  for (auto const& s : plot_.series) {
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (!there(s.x[i], s.y[i])) continue;
      x_low = std::min(x_low, s.x[i]), x_high = std::max(x_high, s.x[i]);
      y_low = std::min(y_low, s.y[i]), y_high = std::max(y_high, s.y[i]);
    }
  }
  empty_ = x_low > x_high;
  for (auto const& m : plot_.marks)
    if (!empty_ && plottable(m.x, plot_.x_scale)) x_low = std::min(x_low, m.x), x_high = std::max(x_high, m.x);
  x_ = PlotScale(plot_.x_scale, x_low, x_high, std::max(2, static_cast<int>(w_ / 95)), false);
  y_ = PlotScale(plot_.y_scale, y_low, y_high, std::max(2, static_cast<int>(h_ / 55)), true);
}

GT_FN std::string PlotDrawing::legend(double y) {
  std::vector<LegendEntry> entries;
  for (std::size_t i = 0; i < plot_.series.size(); ++i) {
    PlotStyle const style = plot_.series[i].style;
    std::string sample;
    if (style != PlotStyle::points) sample += text("<path d=\"M0 0H17\"", outline(i), "/>");
    if (style != PlotStyle::line) sample += circle(8.5, 0, i, style == PlotStyle::points) + "/>";
    entries.push_back({plot_.series[i].name, std::move(sample)});
  }
  if (entries.size() < 2) entries.clear();
  std::string svg = svg_legend(entries, margin_, w_, y);
  label_y_ = y;
  return svg;
}

GT_FN void PlotDrawing::lay_out() {
  double left = 0;
  right_ = w_ - 4;
  for (auto const& t : y_.ticks()) left = std::max(left, text_width(t.label));
  for (auto const& s : plot_.series)
    if (s.label_last && !empty_) right_ = w_ - 52;
  left_ = margin_ + left + 8, top_ = label_y_ + (plot_.marks.empty() ? 10 : 30), bottom_ = h_ - 44;
  x_.draw_between(left_, right_), y_.draw_between(bottom_, top_);
}

GT_FN void PlotDrawing::axes() {
  for (auto const& t : y_.ticks()) {
    double const y = y_(t.value);
    svg_ += svg_line(left_, y, right_, y, "stroke=\"currentColor\" stroke-opacity=\"0.15\"");
    svg_ += svg_text(left_ - 8, y + 4.5, t.label, " text-anchor=\"end\"");
  }
  svg_ += svg_line(left_, bottom_, right_, bottom_, axis);
  for (auto const& t : x_.ticks()) {
    double const x = x_(t.value);
    svg_ += svg_line(x, bottom_, x, bottom_ + 5, axis);
    svg_ += svg_text(std::min(x, w_ - text_width(t.label) / 2), bottom_ + 20, t.label, middle);
  }
  double const centre = (left_ + right_) / 2;
  svg_ += svg_text(centre, h_ - 6, plot_.x_label, text(middle, muted));
  if (empty_) svg_ += svg_text(centre, (top_ + bottom_) / 2, "no data", middle);
}

GT_FN void PlotDrawing::marks() {
  for (std::size_t i = 0; i < plot_.marks.size() && !empty_; ++i) {
    auto const& [at, label] = plot_.marks[i];
    if (!plottable(at, plot_.x_scale)) continue;
    double const x = x_(at), next = i + 1 < plot_.marks.size() ? x_(plot_.marks[i + 1].x) : w_;
    svg_ +=
        svg_line(x, top_ - 16, x, bottom_, "stroke=\"currentColor\" stroke-opacity=\"0.5\" stroke-dasharray=\"3 3\"");
    for (auto const& words : {label, label.substr(0, label.find(' '))}) {
      if (x + 5 + text_width(words) > next) continue;
      svg_ += svg_text(x + 5, top_ - 7, words, muted);
      break;
    }
  }
}

GT_FN void PlotDrawing::curve(std::size_t i, std::vector<EndLabel>& ends) {
  auto const& s = plot_.series[i];
  std::vector<Drawn> points;
  for (std::size_t k = 0, last = s.x.size(); k < s.x.size(); ++k) {
    if (!there(s.x[k], s.y[k])) continue;
    points.push_back({x_(s.x[k]), y_(s.y[k]), k, last + 1 == k});
    last = k;
  }
  if (points.empty()) return;
  bool const rings = s.style == PlotStyle::points;
  if (!rings) svg_ += text("<path d=\"", path(points), "\"", outline(i), "/>\n");
  bool const room = s.style == PlotStyle::line_and_points && 7 * static_cast<double>(points.size()) < w_;
  for (auto const& p : points) {
    if (!rings && !room && points.size() > 1) break;  // a line of one point would not be seen
    svg_ += text(circle(p.x, p.y, i, rings), "><title>", value_text(s.y[p.index]), " at ", value_text(s.x[p.index]),
                 "</title></circle>\n");
  }
  double const last = s.y[points.back().index];
  if (s.label_last) ends.push_back({points.back().y, std::fabs(last) < 100 ? decimals(last, 3) : value_text(last)});
}

GT_FN std::string PlotDrawing::path(std::vector<Drawn> const& points) {
  std::string d;
  for (std::size_t i = 0, end; i < points.size(); i = end) {
    std::size_t low = i, high = i;
    for (end = i + 1; end < points.size() && points[end].joined; ++end) {
      if (std::floor(points[end].x) != std::floor(points[i].x)) break;
      if (points[end].y < points[low].y) low = end;
      if (points[end].y > points[high].y) high = end;
    }
    std::array const kept{i, std::min(low, high), std::max(low, high), end - 1};
    for (std::size_t k = 0; k < kept.size(); ++k) {
      auto const& p = points[kept[k]];
      if (k == 0 || kept[k] != kept[k - 1]) d += text(k > 0 || p.joined ? "L" : "M", place(p.x), " ", place(p.y));
    }
  }
  return d;
}

GT_FN void PlotDrawing::end_labels(std::vector<EndLabel> labels) {
  std::sort(labels.begin(), labels.end(), [](auto const& a, auto const& b) { return a.y < b.y; });
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (i > 0) labels[i].y = std::max(labels[i].y, labels[i - 1].y + 15);
    svg_ += svg_text(right_ + 9, labels[i].y + 4.5, labels[i].words, " font-weight=\"600\"");
  }
}

GT_FN std::string PlotDrawing::outline(std::size_t series) {
  return stroke_of(series) + " fill=\"none\" stroke-width=\"2\" stroke-linejoin=\"round\"";
}

GT_FN std::string PlotDrawing::circle(double x, double y, std::size_t series, bool ring) {
  return text("<circle cx=\"", place(x), "\" cy=\"", place(y), "\" r=\"", ring ? "5\"" : "3\"",
              ring ? outline(series) : fill_of(series));
}

/// "loss: 7.6 at 1 to 4.2 at 3."
GT_FN std::string ends_in_words(LinePlot const& plot) {
  std::string words;
  for (auto const& s : plot.series) {
    std::vector<std::size_t> drawn;
    for (std::size_t i = 0; i < s.x.size(); ++i)
      if (plottable(s.x[i], plot.x_scale) && plottable(s.y[i], plot.y_scale)) drawn.push_back(i);
    auto const at = [&](std::size_t i) { return text(value_text(s.y[i]), " at ", value_text(s.x[i])); };
    if (!drawn.empty()) words += text(" ", s.name, ": ", at(drawn.front()));
    if (drawn.size() > 1) words += " to " + at(drawn.back());
    words += drawn.empty() ? "" : ".";
  }
  return words;
}

}  // namespace detail

GT_FN std::string to_svg(LinePlot const& plot, SvgOptions const& options) {
  check(options.width >= 200 && options.height >= 150, "to_svg", "a drawing must have at least 200 x 150 pixels (got ",
        options.width, " x ", options.height, ")");
  for (auto const& s : plot.series) {
    check(s.x.size() == s.y.size(), "to_svg", "series '", s.name, "' must have as many x as y (got ", s.x.size(),
          " and ", s.y.size(), ")");
  }
  return svg_document(options, plot.title, plot.description + detail::ends_in_words(plot),
                      detail::PlotDrawing(plot, options).svg());
}

}  // namespace gt::report

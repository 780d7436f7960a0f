// SPDX-License-Identifier: MIT
// The table as one page of HTML with bars, which loads nothing and runs no script.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "gt/report/html.hpp"
#include "gt/report/plot_scale.hpp"
#include "gt/report/report_style.hpp"
#include "gt/report/svg_style.hpp"
#include "table.hpp"

namespace gt::bench {

/// A horizontal bar: its name, what the names of its group have in common, and a value.
struct Bar {
  std::string label;
  double value = 0;
  std::string shown;       ///< beside the bar
  std::size_t colour = 0;  ///< of six
};

/// Bars one below the other, all to one scale; `mark` > 0 draws a line there.
inline std::string bars_svg(std::string const& title, std::vector<Bar> const& bars, double mark = 0) {
  constexpr double left = 330, right = 660, step = 22;
  double most = mark;
  for (auto const& b : bars) most = std::max(most, b.value);
  std::string body, words;
  double y = 4;
  for (auto const& b : bars) {
    double const w = most > 0 ? b.value / most * (right - left) : 0;
    body += gt::report::svg_text(left - 8, y + 13, b.label, " text-anchor=\"end\"");
    body += text("<rect x=\"", left, "\" y=\"", y + 2, "\" width=\"", gt::report::place(std::max(w, 0.5)),
                 "\" height=\"15\"", gt::report::fill_of(b.colour), "/>\n");
    body += gt::report::svg_text(left + w + 6, y + 13, b.shown);
    words += b.label + ": " + b.shown + ". ";
    y += step;
  }
  if (mark > 0) {
    double const x = left + mark / most * (right - left);
    body += gt::report::svg_line(x, 0, x, y, "stroke=\"currentColor\" stroke-dasharray=\"3 3\"");
  }
  report::SvgOptions const options{760, static_cast<int>(y) + 4, false};
  return gt::report::svg_document(options, title, words, body);
}

namespace parts {
inline std::string case_text(Row const& r) {
  return text(r.op, " ", r.shape, r.threads > 1 ? text(", ", r.threads, " threads") : "");
}

/// Shares of the limit, where the section has them.
inline std::string share_bars(Section const& section) {
  std::vector<Bar> bars;
  for (Row const* r : section.rows) {
    if (r->share > 0) bars.push_back({case_text(*r), r->share, number(r->share, 0) + " %", 0});
  }
  if (bars.empty()) return {};
  return report::html_figure(bars_svg("Share of this machine's limit", bars, 100),
                             "Share of this machine's limit, which the line marks.");
}

/// Times of ours and of the peers that ran by turns with it, a drawing for each model.
inline std::string peer_bars(Section const& section) {
  std::string html;
  for (Row const* r : section.rows) {
    std::vector<Bar> bars;
    for (auto const& [peer, ratio] : r->vs) {
      if (r->tokens > 0 && peer.starts_with("PyTorch")) bars.push_back({peer, ratio, number(ratio, 2) + "x", 1});
    }
    if (bars.empty()) continue;
    bars.insert(bars.begin(), {"gt", 1, time_text(r->seconds), 0});
    html += report::html_figure(bars_svg(case_text(*r), bars), case_text(*r) + ": time, and that of PyTorch over it");
  }
  return html;
}
}  // namespace parts

inline std::string page_of(Results const& results) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\"/><title>gt: benchmarks</title>\n<style>\n";
  html += report::plot_css() + gt::report::report_css +
          "body{max-width:72rem}\n</style></head><body>\n<h1>gt: benchmarks</h1>\n";
  html += "<p class=\"lead\">" + report::escape_markup(summary_of(results)) + "</p>\n<p>" +
          report::escape_markup(
              "Every number is the median of many runs. 'vs' is the "
              "time of another over ours: above 1x, gt is the "
              "faster one. They ran by turns, on as many threads.") +
          "</p>\n<dl>\n";
  for (auto const& [label, value] : results.facts)
    html += "<dt>" + report::escape_markup(label) + "</dt><dd>" + report::escape_markup(value) + "</dd>\n";
  html += "</dl>\n";
  for (auto const& section : sections_of(results)) {
    std::string body = parts::share_bars(section) + parts::peer_bars(section);
    body += report::to_html(report::HtmlTable{section.heading, section.head, section.cells}, "");
    html += report::html_section(section.heading, body);
  }
  return html + "</body></html>\n";
}

}  // namespace gt::bench

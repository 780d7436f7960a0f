// SPDX-License-Identifier: MIT
// What gt/report/svg_style.hpp declares.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/report/html.hpp"
#include "gt/report/plot_scale.hpp"
#include "gt/report/svg_style.hpp"

namespace gt::inline GT_ABI::report {

namespace detail {
GT_FN std::string colour_properties(std::array<char const*, colours> const& palette) {
  std::string css;
  for (std::size_t i = 0; i < colours; ++i) css += text("--gt-", i, ":", palette[i], ";");
  return css;
}
}  // namespace detail

GT_FN std::string stroke_of(std::size_t series) {
  return text(" class=\"gt-s", series % colours, "\" stroke=\"", light_colours[series % colours], "\"");
}

GT_FN std::string fill_of(std::size_t series) {
  return text(" class=\"gt-f", series % colours, "\" fill=\"", light_colours[series % colours], "\"");
}

GT_FN double text_width(std::string_view text) {
  double width = 0;
  for (utf8::Unit const unit : utf8::Units{text}) {
    bool const ascii = unit.value < 0x80;
    char const c = ascii ? static_cast<char>(unit.value) : 'x';
    width += std::string_view{"fijlrtI.,:;'| "}.find(c) != std::string_view::npos ? 5
             : std::string_view{"mwMW%"}.find(c) != std::string_view::npos        ? 12
             : unit.value < 0x1100                                                ? 8
                                                                                  : 14;
  }
  return width;
}

GT_FN std::string svg_text(double x, double y, std::string_view words, std::string_view attributes) {
  return text("<text x=\"", place(x), "\" y=\"", place(y), "\"", attributes, ">", escape_markup(words), "</text>\n");
}

GT_FN std::string svg_line(double x1, double y1, double x2, double y2, std::string_view attributes) {
  return text("<line x1=\"", place(x1), "\" y1=\"", place(y1), "\" x2=\"", place(x2), "\" y2=\"", place(y2), "\" ",
              attributes, "/>\n");
}

GT_FN std::string plot_css() {
  std::string css = ":root{" + detail::colour_properties(light_colours) +
                    "}\n@media (prefers-color-scheme:dark){:root{" + detail::colour_properties(dark_colours) +
                    "}}\n@media print{:root{" + detail::colour_properties(light_colours) + "}}\n";
  for (std::size_t i = 0; i < colours; ++i)
    css += text(".gt-s", i, "{stroke:var(--gt-", i, ")}.gt-f", i, "{fill:var(--gt-", i, ")}\n");
  return css;
}

GT_FN std::string svg_document(SvgOptions const& options, std::string_view title, std::string_view description,
                               std::string_view body) {
  std::string const size = text(options.width, " ", options.height);
  std::string svg = options.standalone ? "<svg xmlns=\"http://www.w3.org/2000/svg\" " : "<svg ";
  svg += text("viewBox=\"0 0 ", size, "\" width=\"", options.width, "\" height=\"", options.height, "\" role=\"img\" ",
              "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif\" ",
              "font-size=\"13\" fill=\"currentColor\">\n");
  svg += text("<title>", escape_markup(title), "</title>\n<desc>", escape_markup(description), "</desc>\n");
  if (options.standalone) {
    svg += "<style>\n" + plot_css() +
           "svg{color:#1b1f24}.gt-paper{fill:#fff}\n"
           "@media (prefers-color-scheme:dark){svg{color:#e4e7eb}.gt-paper{fill:#15181c}}\n"
           "@media print{svg{color:#000}.gt-paper{fill:#fff}}\n</style>\n"
           "<rect class=\"gt-paper\" width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
    svg += svg_text(margin_of(options), 24, title, " font-size=\"15\" font-weight=\"600\"");
  }
  svg += body;
  return svg + "</svg>\n";
}

GT_FN std::string svg_legend(std::vector<LegendEntry> const& entries, double left, double right, double& y) {
  std::string svg;
  double x = left;
  for (auto const& entry : entries) {
    double const needed = 23 + text_width(entry.name);
    if (x > left && x + needed > right) x = left, y += 20;
    svg += text("<g transform=\"translate(", place(x), " ", place(y - 4.5), ")\">", entry.sample, "</g>\n");
    svg += svg_text(x + 23, y, entry.name);
    x += needed + 18;
  }
  if (!entries.empty()) y += 26;
  return svg;
}

}  // namespace gt::report

// SPDX-License-Identifier: MIT
// What all drawings share: colours for light and dark, the frame of an SVG file, text.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/report/html.hpp"
#include "gt/report/plot_scale.hpp"

namespace gt::inline GT_ABI {

/// The size of a drawing, and where it will stand.
struct SvgOptions {
  int width = 760, height = 400;  ///< pixels; text has 13 of them
  bool standalone = true;  ///< a file of its own: with title, background and style; else for a page with `plot_css`
};

namespace detail {

inline constexpr std::size_t colours = 6;
/// Six colours in a fixed order. Each has a contrast of 3 or more to its background (WCAG 2.1), and two of them differ
/// by 20 or more in CIELAB for normal, protan, deutan and tritan eyes (simulated after Machado et al. 2009).
inline constexpr std::array<char const*, colours> light_colours{"#1a50c0", "#cf8105", "#24a08b",
                                                                "#7a1a72", "#7f6a3e", "#2b3030"};
inline constexpr std::array<char const*, colours> dark_colours{"#4f93ff", "#e0602f", "#58e0a8",
                                                               "#b56a9c", "#f6d646", "#dfeeee"};

inline std::string colour_properties(std::array<char const*, colours> const& palette) {
  std::string css;
  for (std::size_t i = 0; i < colours; ++i) css += text("--gt-", i, ":", palette[i], ";");
  return css;
}

/// An attribute that colours a part, for programs that know no CSS, and the class that CSS colours it by.
inline std::string stroke_of(std::size_t series) {
  return text(" class=\"gt-s", series % colours, "\" stroke=\"", light_colours[series % colours], "\"");
}
inline std::string fill_of(std::size_t series) {
  return text(" class=\"gt-f", series % colours, "\" fill=\"", light_colours[series % colours], "\"");
}

/// The margin of a drawing; in a page its text begins where the page's does.
inline double margin_of(SvgOptions const& options) { return options.standalone ? 12 : 0; }

/// About how wide a text is: the fonts of systems differ, and this is one of the wider.
inline double text_width(std::string_view text) {
  double width = 0;
  for (Utf8Unit const unit : Utf8Units{text}) {
    bool const ascii = unit.value < 0x80;
    char const c = ascii ? static_cast<char>(unit.value) : 'x';
    width += std::string_view{"fijlrtI.,:;'| "}.find(c) != std::string_view::npos ? 5
             : std::string_view{"mwMW%"}.find(c) != std::string_view::npos        ? 12
             : unit.value < 0x1100                                                ? 8
                                                                                  : 14;
  }
  return width;
}

inline std::string svg_text(double x, double y, std::string_view words, std::string_view attributes = "") {
  return text("<text x=\"", place(x), "\" y=\"", place(y), "\"", attributes, ">", escape_markup(words), "</text>\n");
}
inline std::string svg_line(double x1, double y1, double x2, double y2, std::string_view attributes) {
  return text("<line x1=\"", place(x1), "\" y1=\"", place(y1), "\" x2=\"", place(x2), "\" y2=\"", place(y2), "\" ",
              attributes, "/>\n");
}

}  // namespace detail

/// The style of drawings that stand inside a page: text in the colour of the page's text, series in six colours that
/// follow `prefers-color-scheme`; on paper always the light ones.
inline std::string plot_css() {
  std::string css = ":root{" + detail::colour_properties(detail::light_colours) +
                    "}\n@media (prefers-color-scheme:dark){:root{" + detail::colour_properties(detail::dark_colours) +
                    "}}\n@media print{:root{" + detail::colour_properties(detail::light_colours) + "}}\n";
  for (std::size_t i = 0; i < detail::colours; ++i)
    css += text(".gt-s", i, "{stroke:var(--gt-", i, ")}.gt-f", i, "{fill:var(--gt-", i, ")}\n");
  return css;
}

namespace detail {

/// An SVG element around `body`; `description` says in words what the drawing shows.
inline std::string svg_document(SvgOptions const& options, std::string_view title, std::string_view description,
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

struct LegendEntry {
  std::string name;
  std::string sample;  ///< markup around (8, 0)
};
/// The entries in as many lines as they need, the first at `y`, which moves to the line below them.
inline std::string svg_legend(std::vector<LegendEntry> const& entries, double left, double right, double& y) {
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

}  // namespace detail

}  // namespace gt

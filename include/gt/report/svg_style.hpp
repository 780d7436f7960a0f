// SPDX-License-Identifier: MIT
// What all drawings share: colours for light and dark, the frame of an SVG file, text.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"

namespace gt::inline GT_ABI::report {

/// The size of a drawing, and where it will stand.
struct SvgOptions {
  int width = 760, height = 400;  ///< pixels; text has 13 of them
  bool standalone = true;  ///< a file of its own: with title, background and style; else for a page with `plot_css`
};

inline constexpr std::size_t colours = 6;  ///< that series have, one after the other
/// Six colours in a fixed order. Each has a contrast of 3 or more to its background (WCAG 2.1), and two of them differ
/// by 20 or more in CIELAB for normal, protan, deutan and tritan eyes (simulated after Machado et al. 2009).
inline constexpr std::array<char const*, colours> light_colours{"#1a50c0", "#cf8105", "#24a08b",
                                                                "#7a1a72", "#7f6a3e", "#2b3030"};
/// The same on a dark page.
inline constexpr std::array<char const*, colours> dark_colours{"#4f93ff", "#e0602f", "#58e0a8",
                                                               "#b56a9c", "#f6d646", "#dfeeee"};

/// An attribute that colours a part, for programs that know no CSS, and the class that CSS colours it by.
std::string stroke_of(std::size_t series);
/// The same for what is filled.
std::string fill_of(std::size_t series);

/// The margin of a drawing; in a page its text begins where the page's does.
inline double margin_of(SvgOptions const& options) { return options.standalone ? 12 : 0; }

/// About how wide a text is: the fonts of systems differ, and this is one of the wider.
double text_width(std::string_view text);

/// Words that begin at (x, y), with further attributes.
std::string svg_text(double x, double y, std::string_view words, std::string_view attributes = "");
/// A line from (x1, y1) to (x2, y2), with its attributes.
std::string svg_line(double x1, double y1, double x2, double y2, std::string_view attributes);

/// The style of drawings that stand inside a page: text in the colour of the page's text, series in six colours that
/// follow `prefers-color-scheme`; on paper always the light ones.
std::string plot_css();

/// An SVG element around `body`; `description` says in words what the drawing shows.
std::string svg_document(SvgOptions const& options, std::string_view title, std::string_view description,
                         std::string_view body);

/// One series of a legend.
struct LegendEntry {
  std::string name;    ///< of the series
  std::string sample;  ///< markup around (8, 0)
};
/// The entries in as many lines as they need, the first at `y`, which moves to the line below them.
std::string svg_legend(std::vector<LegendEntry> const& entries, double left, double right, double& y);

}  // namespace gt::report

#if !defined(GT_PREBUILT)
  #include "gt/report/svg_style_impl.hpp"
#endif

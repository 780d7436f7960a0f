// SPDX-License-Identifier: MIT
// Line plots as SVG, for files and for pages.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/report/plot_scale.hpp"
#include "gt/report/svg_style.hpp"

namespace gt::inline GT_ABI::report {

/// How a series is drawn.
enum class PlotStyle { line, line_and_points, points };

/// One curve. Numbers that are not finite (and, on a logarithmic axis, not positive) leave a gap.
struct PlotSeries {
  std::string name;                   ///< for the legend, which is there from two series on
  std::vector<double> x{}, y{};       ///< of one length; x rises
  PlotStyle style = PlotStyle::line;  ///< points beside a line only where they have room
  bool label_last = false;            ///< writes the last value on the right, at its height
};
/// A vertical line, such as the start of a stage.
struct PlotMark {
  double x = 0;       ///< on the axis
  std::string label;  ///< above the line; its first word alone, or nothing, where there is no room before the next
};

/// A plot as a value.
///
///     gt::report::LinePlot const plot{.title = "Loss", .x_label = "steps", .y_label = "nats a token",
///                             .series = {{.name = "loss", .x = {1, 2, 3}, .y = {7.6, 5.1, 4.2}}}};
///     gt::io::write_file_atomically("loss.svg", gt::report::to_svg(plot));
struct LinePlot {
  std::string title;                 ///< shown in a file of its own; in a page only read aloud
  std::string description{};         ///< what it shows, for those who do not see it; the ends of the curves are added
  std::string x_label{}, y_label{};  ///< below and above the axes
  std::vector<PlotSeries> series{};  ///< six colours, then again from the first
  std::vector<PlotMark> marks{};     ///< from left to right
  Scale x_scale = Scale::linear, y_scale = Scale::linear;  ///< of the axes
};

namespace detail {

/// A plot on its paper.
class PlotDrawing {
 public:
  PlotDrawing(LinePlot const& plot, SvgOptions const& options);
  std::string const& svg() const { return svg_; }

 private:
  static constexpr auto muted = " fill-opacity=\"0.78\"", middle = " text-anchor=\"middle\"";
  static constexpr auto axis = "stroke=\"currentColor\" stroke-opacity=\"0.6\"";

  /// A point in pixels; `joined` to the one before.
  struct Drawn {
    double x, y;
    std::size_t index;
    bool joined;
  };
  struct EndLabel {
    double y;
    std::string words;
  };

  bool there(double x, double y) const { return plottable(x, plot_.x_scale) && plottable(y, plot_.y_scale); }

  void set_scales();

  /// The names of the series, where there are several; moves `label_y_` below them.
  std::string legend(double y);
  /// Margins: as wide as the labels of the ticks and of the ends of the curves.
  void lay_out();

  void axes();
  void marks();
  void curve(std::size_t i, std::vector<EndLabel>& ends);
  /// Of the points in one column of pixels only the first, lowest, highest and last are drawn: the picture is the same,
  /// and its size bounded.
  static std::string path(std::vector<Drawn> const& points);
  /// Labels that would lie on each other are moved apart, downward.
  void end_labels(std::vector<EndLabel> labels);

  static std::string outline(std::size_t series);
  /// Without its end: "/>" or a title may follow.
  static std::string circle(double x, double y, std::size_t series, bool ring);

  LinePlot const& plot_;
  double margin_, w_, h_, left_ = 0, right_ = 0, top_ = 0, bottom_ = 0, label_y_ = 0;
  PlotScale x_, y_;
  bool empty_ = false;
  std::string svg_;
};

}  // namespace detail

/// The plot as an SVG document, or as an element of a page (see SvgOptions). The same plot gives the same text.
/// Errors: a series whose x and y differ in length; a drawing smaller than 200 x 150.
std::string to_svg(LinePlot const& plot, SvgOptions const& options = {});

}  // namespace gt::report

#if !defined(GT_PREBUILT)
  #include "gt/report/svg_plot_impl.hpp"
#endif

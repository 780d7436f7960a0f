// SPDX-License-Identifier: MIT
// The figures and tables of a report, as values.
#pragma once

#include <cstdint>
#include <string>

#include "gt/base/error.hpp"
#include "gt/base/format.hpp"
#include "gt/report/html.hpp"
#include "gt/report/plot_scale.hpp"
#include "gt/report/run_report.hpp"
#include "gt/report/svg_bars.hpp"
#include "gt/report/svg_plot.hpp"

namespace gt::inline GT_ABI::report {

/// What the x axis of a curve counts.
enum class ReportAxis { tokens, time };

namespace detail {

inline bool has_begun(ReportStage const& s) { return s.done || s.result.steps > 0; }
inline std::string blocks_text(int depth) { return text(depth, depth == 1 ? " block" : " blocks"); }
inline std::string count_text(std::int64_t n) { return short_number(static_cast<double>(n)); }
inline std::string bytes_text(std::int64_t n) { return short_number(static_cast<double>(n), "B"); }
inline std::string bits_text(double bits) { return bits > 0 ? decimals(bits, 3) : "–"; }

/// Seconds, minutes or hours, whichever makes `most` seconds easy to read.
struct TimeUnit {
  double seconds;
  char const* name;
};
TimeUnit time_unit(double most);
double seconds_of(RunReport const& report);

/// A number of each logged step over tokens, with a gap where a stage begins.
PlotSeries steps_of(RunReport const& report, char const* name, double StepDone::*value);

}  // namespace detail

/// Held-out bits per byte over tokens or time: looks on the way as a line, those at the end of each stage as rings.
LinePlot bits_plot(RunReport const& report, ReportAxis axis);

/// Loss of the training batches over tokens.
LinePlot loss_plot(RunReport const& report);

/// Norm of the gradient over tokens, before it is clipped.
LinePlot gradient_plot(RunReport const& report);

/// Where the time of a training step goes, a bar a stage.
StackedBars profile_bars(RunReport const& report);

/// What each stage costs, as planned.
HtmlTable plan_table(RunReport const& report);

/// What came of each stage.
HtmlTable result_table(RunReport const& report);

/// The figures behind `profile_bars`, in shares of a step, and what the machine reached.
HtmlTable profile_table(RunReport const& report);

}  // namespace gt::report

#if !defined(GT_PREBUILT)
  #include "gt/report/report_figures_impl.hpp"
#endif

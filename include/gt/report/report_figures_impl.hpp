// SPDX-License-Identifier: MIT
// What gt/report/report_figures.hpp declares.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/format.hpp"
#include "gt/base/macros.hpp"
#include "gt/report/html.hpp"
#include "gt/report/report_figures.hpp"
#include "gt/report/run_report.hpp"
#include "gt/report/svg_bars.hpp"
#include "gt/report/svg_plot.hpp"

namespace gt::inline GT_ABI::report {

namespace detail {

GT_FN std::string percent_text(double part, double whole) {
  return whole > 0 ? decimals(100 * part / whole, 0) + " %" : "–";
}

GT_FN TimeUnit time_unit(double most) {
  return most < 200 ? TimeUnit{1, "seconds"} : most < 3 * 3600 ? TimeUnit{60, "minutes"} : TimeUnit{3600, "hours"};
}

GT_FN double seconds_of(RunReport const& report) {
  double most = 0;
  for (auto const& s : report.stages) most = std::max(most, s.seconds_before + s.result.seconds);
  return most;
}

/// A plot over the whole run, with a mark where each stage begins.
GT_FN LinePlot run_plot(RunReport const& report, ReportAxis axis) {
  LinePlot plot;
  TimeUnit const unit = time_unit(seconds_of(report));
  plot.x_label = axis == ReportAxis::tokens ? std::string{"tokens trained on"} : text("time (", unit.name, ")");
  for (auto const& s : report.stages) {
    if (!has_begun(s)) continue;
    double const at =
        axis == ReportAxis::tokens ? static_cast<double>(s.tokens_before) : s.seconds_before / unit.seconds;
    plot.marks.push_back({at, blocks_text(s.start.depth)});
  }
  return plot;
}

GT_FN PlotSeries steps_of(RunReport const& report, char const* name, double StepDone::*value) {
  PlotSeries series{.name = name};
  for (auto const& p : report.points) {
    if (!series.x.empty() && p.step == 1)
      series.x.push_back(static_cast<double>(p.tokens)), series.y.push_back(std::numeric_limits<double>::quiet_NaN());
    series.x.push_back(static_cast<double>(p.tokens)), series.y.push_back(p.*value);
  }
  return series;
}

}  // namespace detail

GT_FN LinePlot bits_plot(RunReport const& report, ReportAxis axis) {
  bool const tokens = axis == ReportAxis::tokens;
  double const unit = tokens ? 1 : detail::time_unit(detail::seconds_of(report)).seconds;
  LinePlot plot = detail::run_plot(report, axis);
  plot.title = tokens ? "Held-out bits per byte over tokens" : "Held-out bits per byte over time";
  plot.y_label = "bits per byte (lower is better)";
  PlotSeries looks{.name = "on the way", .style = PlotStyle::line_and_points};
  PlotSeries ends{.name = "at the end of a stage", .style = PlotStyle::points, .label_last = true};
  std::size_t stage = 0;
  for (auto const& p : report.points) {
    bool const at_end =
        p.stage < report.stages.size() && report.stages[p.stage].done && p.step == report.stages[p.stage].result.steps;
    if (!p.evaluated || p.bits_per_byte <= 0 || at_end) continue;
    double const x = tokens ? static_cast<double>(p.tokens) : p.run_seconds / unit;
    if (p.stage != stage && !looks.x.empty()) {  // new blocks: a gap
      looks.x.push_back(x), looks.y.push_back(std::numeric_limits<double>::quiet_NaN());
    }
    stage = p.stage;
    looks.x.push_back(x), looks.y.push_back(p.bits_per_byte);
  }
  for (auto const& s : report.stages) {
    double const bits = s.result.after.bits_per_byte();
    if (!s.done || bits <= 0) continue;
    ends.x.push_back(tokens ? static_cast<double>(s.result.tokens) : (s.seconds_before + s.result.seconds) / unit);
    ends.y.push_back(bits);
  }
  if (looks.x.empty()) ends.name = "held-out text", ends.style = PlotStyle::line_and_points;
  if (!looks.x.empty()) plot.series.push_back(std::move(looks));
  if (!ends.x.empty()) plot.series.push_back(std::move(ends));
  return plot;
}

GT_FN LinePlot loss_plot(RunReport const& report) {
  LinePlot plot = detail::run_plot(report, ReportAxis::tokens);
  plot.title = "Training loss over tokens";
  plot.y_label = "nats a token (lower is better)";
  plot.series.push_back(detail::steps_of(report, "training loss", &StepDone::loss));
  return plot;
}

GT_FN LinePlot gradient_plot(RunReport const& report) {
  LinePlot plot = detail::run_plot(report, ReportAxis::tokens);
  plot.title = "Gradient norm over tokens";
  plot.y_label = "norm before clipping";
  plot.series.push_back(detail::steps_of(report, "gradient norm", &StepDone::gradient_norm));
  return plot;
}

GT_FN StackedBars profile_bars(RunReport const& report) {
  StackedBars chart{.title = "Time of a training step", .unit = "ms"};
  chart.parts = {"frozen blocks, forward", "new blocks, forward", "head and loss", "backward", "AdamW", "the rest"};
  for (std::size_t i = 0; i < report.stages.size(); ++i) {
    auto const& s = report.stages[i];
    StepProfile const& p = s.result.profile;
    if (!s.done || s.result.steps < 1 || p.sum() <= 0) continue;
    double const ms = 1000 / static_cast<double>(s.result.steps);
    chart.bars.push_back({text("stage ", i + 1, ", ", detail::blocks_text(s.start.depth)),
                          {ms * p.prefix, ms * p.forward, ms * p.head, ms * p.backward, ms * p.update,
                           ms * std::max(0.0, s.result.train_seconds - p.sum())}});
  }
  return chart;
}

GT_FN HtmlTable plan_table(RunReport const& report) {
  HtmlTable table{.caption = "What each stage adds, trains and needs in memory",
                  .head = {"stage", "new blocks", "blocks", "parameters", "that train", "weights",
                           "gradients and moments", "activations"}};
  for (std::size_t i = 0; i < report.stages.size(); ++i) {
    auto const& s = report.stages[i].start;
    table.rows.push_back({text(i + 1), text(s.blocks), text(s.depth), detail::count_text(s.total_parameters),
                          detail::count_text(s.active_parameters), detail::bytes_text(4 * s.total_parameters),
                          detail::bytes_text(s.optimizer_bytes / 2 * 3), detail::bytes_text(s.activation_bytes)});
  }
  return table;
}

GT_FN HtmlTable result_table(RunReport const& report) {
  HtmlTable table{.caption = "What each stage did",
                  .head = {"stage", "steps", "tokens", "time", "of it evaluation", "tokens a second", "training loss",
                           "bits per byte before", "and after"}};
  for (std::size_t i = 0; i < report.stages.size(); ++i) {
    auto const& s = report.stages[i];
    auto const& r = s.result;
    std::int64_t const tokens = r.tokens - s.tokens_before;
    bool const timed = s.done && r.train_seconds > 0;
    table.rows.push_back(
        {text(i + 1), text(r.steps, s.done ? "" : " of " + std::to_string(s.start.steps)), detail::count_text(tokens),
         short_time(r.seconds), timed ? detail::percent_text(r.seconds - r.train_seconds, r.seconds) : "–",
         timed ? short_number(static_cast<double>(tokens) / r.train_seconds) : "–", s.done ? decimals(r.loss, 3) : "–",
         detail::bits_text(r.before.bits_per_byte()), detail::bits_text(r.after.bits_per_byte())});
  }
  return table;
}

GT_FN HtmlTable profile_table(RunReport const& report) {
  StackedBars const chart = profile_bars(report);
  HtmlTable table{.caption = "Shares of a training step", .head = {"stage"}};
  table.head.insert(table.head.end(), chart.parts.begin(), chart.parts.end());
  table.head.push_back("GFLOP/s");
  if (report.peak_flops > 0) table.head.push_back("of the machine's peak");
  std::size_t bar = 0;
  for (std::size_t i = 0; i < report.stages.size() && bar < chart.bars.size(); ++i) {
    auto const& s = report.stages[i];
    if (!s.done || s.result.steps < 1 || s.result.profile.sum() <= 0) continue;
    auto const& parts = chart.bars[bar++].parts;
    double whole = 0;
    for (double const part : parts) whole += part;
    std::vector<std::string> row{text(i + 1)};
    for (double const part : parts) row.push_back(detail::percent_text(part, whole));
    // Of what was computed, not taken from a prefix cache; older checkpoints do not know.
    double const flops = (s.result.step_flops > 0 ? s.result.step_flops : s.start.step_flops) / (whole / 1000);
    row.push_back(decimals(flops / 1e9, 1));
    if (report.peak_flops > 0) row.push_back(detail::percent_text(flops, report.peak_flops));
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace gt::report

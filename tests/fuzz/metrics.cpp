// SPDX-License-Identifier: MIT
// Any text as the metrics.jsonl of a run that goes on: its points are drawn.
#include "gt/runs/metrics.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "gt/report/report_figures.hpp"
#include "gt/report/svg_plot.hpp"
#include "json_mutator.hpp"

using namespace gt;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const path = fuzz::folder().put("metrics", fuzz::text_of(data, size));
  RunReport report;
  bool const read = fuzz::accepts(size, {.factor = 128}, [&] { report.points = MetricsLog::read(path); });
  if (!read || report.points.empty()) return 0;
  report.stages.resize(2);
  report.stages[0].done = true, report.stages[0].result.steps = 3, report.stages[0].result.seconds = 1;
  fuzz::accepts(size, {.constant = 1 << 20, .factor = 512}, [&] {
    for (auto const axis : {report::ReportAxis::tokens, report::ReportAxis::time})
      report::to_svg(report::bits_plot(report, axis));
    report::to_svg(report::loss_plot(report));
  });
  return 0;
}

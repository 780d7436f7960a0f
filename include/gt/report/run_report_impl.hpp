// SPDX-License-Identifier: MIT
// What gt/report/run_report.hpp declares.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "gt/base/macros.hpp"
#include "gt/grow/observer.hpp"
#include "gt/grow/plan.hpp"
#include "gt/report/run_report.hpp"

namespace gt::inline GT_ABI {

GT_FN void add_plan(RunReport& report, GrowthPlan const& plan, BlockConfig block, ModelSize model, BatchShape shape,
                    std::int64_t table_width, std::int64_t tokens_per_stage) {
  report.stages.resize(std::max(report.stages.size(), plan.size()));
  for (std::size_t i = 0; i < plan.size(); ++i) {
    StageStart& s = report.stages[i].start;
    s.stage = i, s.stages = plan.size(), s.blocks = plan[i].blocks, s.depth = model.depth + plan.depth(i);
    s.steps = plan.steps(i, tokens_per_stage, shape), s.tokens_per_step = shape.rows();
    s.active_parameters = plan.active_parameters(i, block, model);
    s.total_parameters = plan.weight_bytes(i, block, model, table_width) / 4 +
                         plan.adapted(i, model.depth) * plan[i].lora.parameters(block);
    s.optimizer_bytes = 8 * s.active_parameters;
    s.activation_bytes = plan.activation_bytes(i, block, shape, model.depth);
    s.step_flops = plan.step_flops(i, block, model, shape);
  }
}

GT_FN ReportObserver::ReportObserver(RunReport& report, GrowthState const* resumed) : report_{report} {
  if (resumed == nullptr) return;
  for (StageDone const& done : resumed->stages) {
    StageStart& start = begin(done.stage).start;  // not known any more, but for the plan
    start.depth = done.depth, start.active_parameters = done.active_parameters;
    stage_done(done);
  }
}

GT_FN void ReportObserver::stage_starts(StageStart const& start) {
  report_.stages.resize(std::max(report_.stages.size(), start.stages));
  ReportStage& s = begin(start.stage);
  s.start = start;
  s.result.steps = start.step, s.result.tokens = s.tokens_before + start.step * start.tokens_per_step;
}

GT_FN void ReportObserver::step_done(StepDone const& step) {
  StageDone& s = at(step.stage).result;
  s.steps = step.step, s.tokens = step.tokens, s.seconds = step.seconds;
  if (step.logged) report_.points.push_back(step);
}

GT_FN void ReportObserver::stage_done(StageDone const& done) {
  ReportStage& s = at(done.stage);
  s.result = done, s.done = true;
}

GT_FN ReportStage& ReportObserver::at(std::size_t i) {
  report_.stages.resize(std::max(report_.stages.size(), i + 1));
  return report_.stages[i];
}

GT_FN ReportStage& ReportObserver::begin(std::size_t i) {
  ReportStage& s = at(i);
  if (i > 0) {
    ReportStage const& last = report_.stages[i - 1];
    s.tokens_before = last.result.tokens, s.seconds_before = last.seconds_before + last.result.seconds;
  }
  return s;
}

}  // namespace gt

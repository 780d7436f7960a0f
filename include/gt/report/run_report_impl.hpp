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
    ReportStage& s = report.stages[i];
    s.blocks = plan[i].blocks, s.depth = model.depth + plan.depth(i), s.steps = plan.steps(i, tokens_per_stage, shape),
    s.tokens_per_step = shape.rows();
    s.active_parameters = plan.active_parameters(i, block, model);
    s.optimizer_bytes = 8 * s.active_parameters;
    s.weight_bytes = plan.weight_bytes(i, block, model, table_width) +
                     4 * plan.adapted(i, model.depth) * plan[i].lora.parameters(block);
    s.total_parameters = s.weight_bytes / 4;
    s.activation_bytes = plan.activation_bytes(i, block, shape, model.depth);
    s.step_flops = plan.step_flops(i, block, model, shape);
  }
}

GT_FN ReportObserver::ReportObserver(RunReport& report, GrowthState const* resumed) : report_{report} {
  if (resumed == nullptr) return;
  for (StageDone const& done : resumed->stages) {
    ReportStage& s = begin(done.stage);
    s.depth = done.depth, s.active_parameters = done.active_parameters;
    stage_done(done);
  }
}

GT_FN void ReportObserver::stage_starts(StageStart const& start) {
  report_.stages.resize(std::max(report_.stages.size(), start.stages));
  report_.look_tokens = start.look_tokens, report_.held_out_tokens = start.held_out_tokens;
  ReportStage& s = begin(start.stage);
  s.blocks = start.blocks, s.depth = start.depth, s.steps = start.steps, s.tokens_per_step = start.tokens_per_step;
  s.active_parameters = start.active_parameters, s.total_parameters = start.total_parameters;
  s.weight_bytes = 4 * start.total_parameters;
  s.optimizer_bytes = start.optimizer_bytes, s.activation_bytes = start.activation_bytes;
  s.step_flops = start.step_flops;
  s.steps_done = start.step, s.tokens = start.step * start.tokens_per_step;
}

GT_FN void ReportObserver::step_done(StepDone const& step) {
  ReportStage& s = at(step.stage);
  s.steps_done = step.step, s.tokens = step.tokens - s.tokens_before, s.seconds = step.seconds;
  if (!step.logged) return;
  report_.points.push_back({.stage = step.stage,
                            .step = step.step,
                            .tokens = step.tokens,
                            .seconds = s.seconds_before + step.seconds,
                            .loss = step.loss,
                            .bits_per_byte = step.evaluated ? step.bits_per_byte : 0,
                            .tokens_per_second = step.tokens_per_second,
                            .lr = step.lr,
                            .gradient_norm = step.gradient_norm});
}

GT_FN void ReportObserver::stage_done(StageDone const& done) {
  ReportStage& s = at(done.stage);
  s.steps = s.steps_done = done.steps;  // a policy may have ended it early
  s.tokens = done.tokens - s.tokens_before, s.seconds = done.seconds, s.train_seconds = done.train_seconds;
  s.loss = done.loss, s.bits_before = done.before.bits_per_byte(), s.bits_after = done.after.bits_per_byte();
  s.profile = done.profile, s.done = true;
  if (done.step_flops > 0) s.step_flops = done.step_flops;  // of what was computed, not taken from a prefix cache
}

GT_FN ReportStage& ReportObserver::at(std::size_t i) {
  report_.stages.resize(std::max(report_.stages.size(), i + 1));
  return report_.stages[i];
}

GT_FN ReportStage& ReportObserver::begin(std::size_t i) {
  ReportStage& s = at(i);
  if (i > 0) {
    ReportStage const& last = report_.stages[i - 1];
    s.tokens_before = last.tokens_before + last.tokens, s.seconds_before = last.seconds_before + last.seconds;
  }
  return s;
}

}  // namespace gt

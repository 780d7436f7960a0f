// SPDX-License-Identifier: MIT
// What `grow` prints in columns: its plan, and what came of each stage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <gt/gt.hpp>
#include <string>

namespace program {

inline std::string number(double x, char const* unit = "") { return gt::short_number(x, unit); }
inline std::string number(std::int64_t x, char const* unit = "") { return number(static_cast<double>(x), unit); }

inline void print_plan(gt::GrowthPlan const& plan, gt::BlockConfig block, gt::ModelSize model, gt::BatchShape shape,
                       std::int64_t table_width, std::int64_t tokens_per_stage) {
  std::printf("\n  stage     trains  depth   active parameters   weights  optimiser  activations   steps\n");
  for (std::size_t i = 0; i < plan.size(); ++i) {
    std::int64_t const active = plan.active_parameters(i, block, model);
    std::printf("  %5zu  %9s  %5d  %18s  %8s  %9s  %11s  %6lld\n", i + 1, to_text(gt::GrowthPlan{plan[i]}).c_str(),
                model.depth + plan.depth(i), number(active).c_str(),
                number(plan.weight_bytes(i, block, model, table_width), "B").c_str(), number(12 * active, "B").c_str(),
                number(plan.activation_bytes(i, block, shape, model.depth), "B").c_str(),
                static_cast<long long>(plan.steps(i, tokens_per_stage, shape)));
  }
  std::printf("\n");
  std::fflush(stdout);
}
inline void print_stages(gt::GrowthResult const& result) {
  if (result.stages.empty()) return;
  std::printf("\n  stage  depth   active     tokens  train loss   held-out bits/byte      time\n");
  for (auto const& s : result.stages) {
    std::printf("  %5zu  %5d  %7s  %9s  %10.3f   %.3f -> %.3f  %12s\n", s.stage + 1, s.depth,
                number(s.active_parameters).c_str(), number(s.tokens).c_str(), s.loss, s.before.bits_per_byte(),
                s.after.bits_per_byte(), gt::short_time(s.seconds).c_str());
  }
}

}  // namespace program

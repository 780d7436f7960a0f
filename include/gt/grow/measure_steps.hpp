// SPDX-License-Identifier: MIT
// What the steps of a plan take on this machine, before it runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gt/base/clock.hpp"
#include "gt/base/philox.hpp"
#include "gt/core/backend.hpp"
#include "gt/grow/grow.hpp"
#include "gt/grow/plan.hpp"
#include "gt/train/trainer.hpp"

namespace gt::inline GT_ABI {

/// Seconds of a training step, and of them those in the frozen blocks, which a prefix cache may save.
struct StepSeconds {
  double step = 0;    ///< the whole
  double prefix = 0;  ///< a part of it
};

/// What one training step of each stage takes here, measured on a copy of the model with random tokens: the second of
/// two steps. From it a wish for minutes becomes a number of tokens.
template <Backend B, class Model>
std::vector<StepSeconds> measure_steps(B const& on, Model const& model, GrowthPlan const& plan, BatchShape shape) {
  Model trial = model.clone();
  Random const random(Seed{1}, Purpose::data, 0xFFFFFFFFu);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(shape.rows()));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(model.vocab()), i));
  }
  std::vector<StepSeconds> seconds;
  for (std::size_t stage = 0; stage < plan.size(); ++stage) {
    enter_stage(trial, plan, stage, plan.depth());
    Trainer<B, Model> trainer(on, trial, shape);
    trainer.step(ids, ids, 0.0);
    double const before = trainer.profile().prefix;
    double const start = seconds_now();
    trainer.step(ids, ids, 0.0);
    double const step = seconds_since(start);
    seconds.push_back({step, trainer.profile().prefix - before});
    trial.drop_adapters();
  }
  return seconds;
}

}  // namespace gt

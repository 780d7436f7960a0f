// SPDX-License-Identifier: MIT
// What gt/runs/checkpoint.hpp declares.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gt/base/macros.hpp"
#include "gt/grow/observer.hpp"
#include "gt/runs/checkpoint.hpp"

namespace gt::inline GT_ABI {

namespace detail {

GT_FN bool is_sound(GrowthState const& state) {
  constexpr std::int64_t most = std::int64_t{1} << 60;
  auto const count = [](std::int64_t n) { return n >= 0 && n <= most; };
  auto const time = [](double seconds) { return seconds >= 0 && seconds < 1e9; };
  bool sound = count(state.step) && count(state.samples) && count(state.tokens) && count(state.tail_steps) &&
               state.stages.size() == state.stage && time(state.current.seconds) && time(state.current.train_seconds);
  for (std::size_t i = 0; i < state.stages.size(); ++i) {
    StageDone const& stage = state.stages[i];
    sound = sound && stage.stage == i && count(stage.steps) && count(stage.tokens) && stage.tokens <= state.tokens &&
            time(stage.seconds) && time(stage.train_seconds);
  }
  return sound;
}

}  // namespace detail

}  // namespace gt

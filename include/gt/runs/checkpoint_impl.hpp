// SPDX-License-Identifier: MIT
// What gt/runs/checkpoint.hpp declares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/grow/observer.hpp"
#include "gt/io/json.hpp"
#include "gt/runs/checkpoint.hpp"

namespace gt::inline GT_ABI {

namespace detail {

GT_FN Json to_json(Evaluation const& e) { return Json{{"nats", e.nats}, {"tokens", e.tokens}, {"bytes", e.bytes}}; }

GT_FN Evaluation evaluation_of(Json const& json, std::string const& where) {
  return {json_get<double>(json, "nats", where), json_get<std::int64_t>(json, "tokens", where),
          json_get<std::int64_t>(json, "bytes", where)};
}

GT_FN Json to_json(StageDone const& s) {
  return Json{{"stage", s.stage},
              {"depth", s.depth},
              {"steps", s.steps},
              {"tokens", s.tokens},
              {"active_parameters", s.active_parameters},
              {"loss", s.loss},
              {"before", to_json(s.before)},
              {"after", to_json(s.after)},
              {"seconds", s.seconds},
              {"train_seconds", s.train_seconds},
              {"step_flops", s.step_flops},
              {"profile", {s.profile.prefix, s.profile.forward, s.profile.head, s.profile.backward, s.profile.update}}};
}

GT_FN StageDone stage_of(Json const& json, std::string const& where) {
  StageDone s;
  s.stage = json_get<std::size_t>(json, "stage", where);
  s.depth = json_get<int>(json, "depth", where);
  s.steps = json_get<std::int64_t>(json, "steps", where);
  s.tokens = json_get<std::int64_t>(json, "tokens", where);
  s.active_parameters = json_get<std::int64_t>(json, "active_parameters", where);
  s.loss = json_get<double>(json, "loss", where);
  s.before = evaluation_of(json_get<Json>(json, "before", where), where);
  s.after = evaluation_of(json_get<Json>(json, "after", where), where);
  s.seconds = json_get<double>(json, "seconds", where);
  s.train_seconds = json_get<double>(json, "train_seconds", where);
  if (json.contains("step_flops")) s.step_flops = json_get<double>(json, "step_flops", where);  // younger than the rest
  auto const profile = json_get<std::vector<double>>(json, "profile", where);
  check(profile.size() == 5, where, "a profile must have 5 parts (got ", profile.size(), ")");
  s.profile = {profile[0], profile[1], profile[2], profile[3], profile[4]};
  return s;
}

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

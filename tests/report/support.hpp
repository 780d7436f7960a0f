// SPDX-License-Identifier: MIT
// A run of two short stages, for those that watch runs.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "gt/cpu.hpp"
#include "gt/grow/grow.hpp"
#include "gt/text/tokens.hpp"
#include "io/support.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace gt::test {

/// 25 steps a stage, of which those at 10, 20 and 25 look at held-out text; every fourth is logged.
template <class... Observers>
GrowthResult tiny_run(Observers&... observers) {
  constexpr std::int64_t V = 29, T = 8, B = 2;
  Transformer<> model(substrate_of(V, 8), BlockConfig{.d_model = 16, .heads = 2}, seed(1), {.context = T});
  TokenizedCorpus const text{Tokens::from_ids(ids_below(V, 400, 1), V), Tokens::from_ids(ids_below(V, 60, 2), V), 400,
                             60};
  GrowOptions const options{
      .batch = B, .tokens_per_stage = 25 * B * T, .seed = seed(4), .evaluate_every = 10, .log_every = 4};
  return grow(Cpu<>(1), model, GrowthPlan{deepen(2), deepen(1)}, text,
              std::vector<std::int32_t>(static_cast<std::size_t>(V), 1), options, observers...);
}

}  // namespace gt::test

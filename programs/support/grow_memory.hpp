// SPDX-License-Identifier: MIT
// What a run needs of memory, and whether it is there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <gt/gt.hpp>

#include "grow_arguments.hpp"
#include "grow_tables.hpp"
#include "memory.hpp"

namespace program {

/// Bytes of the weights of a model in stage `i`, its adapters included.
inline std::int64_t weights_of_stage(gt::GrowthPlan const& plan, std::size_t i, gt::BlockConfig block,
                                     gt::ModelSize model) {
  return plan.weight_bytes(i, block, model, model.table_width) + 4 * plan.adapted(i) * plan[i].lora.parameters(block);
}
/// Bytes that a training step of stage `i` needs: these; gradients and AdamW's moments; activations; and the frozen
/// blocks below all that trains once more, packed for their products.
inline std::int64_t memory_of_stage(gt::GrowthPlan const& plan, std::size_t i, gt::BlockConfig block,
                                    gt::ModelSize model, gt::BatchShape shape) {
  return weights_of_stage(plan, i, block, model) + 12 * plan.active_parameters(i, block, model) +
         plan.activation_bytes(i, block, shape) + 4 * plan.lowest(i) * block.parameters();
}

/// Bytes that the steps of some stage need, of a model of `vocab` tokens.
inline std::int64_t memory_needed(GrowArguments const& a, std::int64_t vocab) {
  gt::BlockConfig const block{.d_model = a.width, .heads = a.heads};
  auto const plan = gt::parse_plan(a.plan);
  std::int64_t need = 0;
  for (std::size_t i = 0; i < plan.size(); ++i)
    need =
        std::max(need, memory_of_stage(plan, i, block, {.vocab = vocab, .table_width = a.width}, {a.batch, a.context}));
  return need;
}
/// Throws where that is more than there is.
inline void check_memory(GrowArguments const& a, std::int64_t vocab) {
  std::int64_t const need = memory_needed(a, vocab), there = available_memory();
  gt::check(there == 0 || need < there, "grow", "there must be memory for the steps (they need about ",
            number(need, "B"), ", there are ", number(there, "B"),
            "); try a smaller --batch, --context, --width or --vocab");
}

}  // namespace program

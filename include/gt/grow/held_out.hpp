// SPDX-License-Identifier: MIT
// How much of the held-out text a run looks at, so that looking stays a small part of its work.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "gt/grow/grow_options.hpp"
#include "gt/grow/plan.hpp"

namespace gt::inline GT_ABI {

inline constexpr std::int64_t all_held_out = std::numeric_limits<std::int64_t>::max();  ///< for held_out_tokens

namespace growth {
inline constexpr std::int64_t fewest_looked_at = 2048;  ///< tokens of a look: fewer tell too little

/// Tokens that the looks of a run read, in windows spread evenly over the held-out text (see Evaluator): the same in
/// each look of a kind, in each stage, and when the run goes on.
struct HeldOutLooks {
  std::int64_t tokens = 0;   ///< before and after a stage
  std::int64_t between = 0;  ///< on the way
  std::int64_t there = 0;    ///< that the text has to predict
};

/// As GrowOptions say. Where held_out_tokens is 0, the most with which in every stage
///   (2 tokens + k between) f <= steps g / 20
/// of k looks on the way, f operations of a forward pass a token, and g those of a training step but for its frozen
/// blocks, which a prefix cache may give; but no fewer than `fewest_looked_at`, nor than a batch.
inline HeldOutLooks held_out_looks(GrowthPlan const& plan, BlockConfig block, ModelSize model, BatchShape shape,
                                   GrowOptions const& options, std::int64_t there) {
  std::int64_t const on_the_way = options.evaluation_tokens > 0 ? options.evaluation_tokens : all_held_out;
  std::int64_t tokens = options.held_out_tokens > 0 ? options.held_out_tokens : all_held_out;
  if (options.held_out_tokens == 0) {
    auto const rows = static_cast<double>(shape.rows());
    double const C = block.d_model, of_head = 2 * C * static_cast<double>(model.vocab),
                 of_block = 8 * C * C + 4 * C * block.ff() + 2 * C * static_cast<double>(shape.tokens),
                 few = std::ceil(static_cast<double>(on_the_way) / rows) * rows;
    double most = static_cast<double>(there);
    for (std::size_t i = 0; i < plan.size(); ++i) {
      auto const steps = plan.steps(i, options.tokens_per_stage, shape);
      double const looks = options.evaluate_every > 0 ? static_cast<double>((steps - 1) / options.evaluate_every) : 0;
      double const step = plan.step_flops(i, block, model, shape) - plan.lowest(i, model.depth) * of_block * rows;
      double const budget =
          static_cast<double>(steps) * step / 20 / ((model.depth + plan.depth(i)) * of_block + of_head);
      most = std::min(most, budget >= (2 + looks) * few ? (budget - looks * few) / 2 : budget / (2 + looks));
    }
    if (most < static_cast<double>(there)) {
      auto const batches = static_cast<std::int64_t>(most / rows);
      tokens = std::max({batches * shape.rows(), shape.rows(), fewest_looked_at});
    }
  }
  tokens = std::min(tokens, there);
  return {tokens, std::min(tokens, on_the_way), there};
}
}  // namespace growth

}  // namespace gt

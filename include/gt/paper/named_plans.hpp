// SPDX-License-Identifier: MIT
// The ways to grow that papers describe, as plans.
#pragma once

#include <algorithm>
#include <string_view>

#include "gt/base/error.hpp"
#include "gt/grow/plan.hpp"
#include "gt/nn/block_config.hpp"
#include "gt/nn/lora_config.hpp"

/// Ways to grow that papers describe, each as a GrowthPlan. What a paper does not state is said to be chosen here.
namespace gt::inline GT_ABI::plans {

/// `depth` blocks in stages of `each`, the last with what is left.
/// Source: arXiv:2507.07129v2, whose controlled study grows nine blocks three at a time.
constexpr GrowthPlan in_stages(int depth, int each, StageOptions o = {}) {
  if (depth < 1 || each < 1) fail("plans", "a plan needs blocks (got ", depth, " in stages of ", each, ")");
  GrowthPlan plan;
  for (int done = 0; done < depth; done += each) plan.push_back(deepen(std::min(each, depth - done), o));
  return plan;
}

/// One block at a time; from block `lora_from` on, adapters of all blocks below train together with it.
/// Source: arXiv:2507.07129v1, section 3.2, and the model cards of abs-bvv-5 and -6. The rank is not stated there: here
/// the adapters hold as many numbers as the new block, nn::lora_rank_within_budget(1, blocks below), but no rank is
/// above C.
constexpr GrowthPlan layer_by_layer(int depth, BlockConfig block, int lora_from = 5, StageOptions o = {}) {
  GrowthPlan plan;
  for (int l = 1; l <= depth; ++l) {
    StageOptions stage = o;
    if (l >= lora_from && l > 1)
      stage.lora.rank = std::min(block.d_model, nn::lora_rank_within_budget(1, l - 1, block));
    plan.push_back(deepen(1, stage));
  }
  return plan;
}

/// `depth` blocks in stages of `each`, and LoRA phases that hold the budget of a stage: after every second stage, and
/// after the last one, adapters of all blocks with nn::lora_rank_within_budget(each, blocks), for `lora_tokens` of a
/// stage's tokens. Source: arXiv:2507.07129v3, the bounded active budget with interleaved LoRA phases, measured after
/// the last merge; when its phases come and how long they are is not stated, and chosen here.
constexpr GrowthPlan within_budget(int depth, int each, BlockConfig block, double lora_tokens = 0.5,
                                   StageOptions o = {}) {
  GrowthPlan const dense = in_stages(depth, each, o);
  GrowthPlan plan;
  for (std::size_t i = 0; i < dense.size(); ++i) {
    plan.push_back(dense[i]);
    if (i % 2 == 0 && i + 1 < dense.size()) continue;
    StageOptions phase = o;
    phase.tokens = lora_tokens * o.tokens;
    int const rank = nn::lora_rank_within_budget(each, dense.depth(i), block);
    plan.push_back(adapt({.rank = std::clamp(rank, 1, block.d_model)}, phase));
  }
  return plan;
}

/// A shallow model, then once `times` as many blocks, copies of it stacked in order, and all train on together.
/// Source: Du et al. 2024, arXiv:2405.15319 (G_stack), which recommends four times and a small first share.
constexpr GrowthPlan stack(int shallow, int times = 4, double first_tokens = 0.25, StageOptions o = {}) {
  if (times < 2) fail("plans", "stacking needs at least twice the blocks (got ", times, " times)");
  StageOptions first = o, second = o;
  first.tokens = first_tokens * o.tokens;
  second.init = BlockInit::duplicate, second.all_blocks = true;
  return {deepen(shallow, first), deepen(shallow * (times - 1), second)};
}

/// A model of `base` blocks, then `added` copies without effect between them, which alone train, with the head.
/// Source: Wu et al. 2024, arXiv:2401.02415 (LLaMA Pro); there the head stays frozen.
constexpr GrowthPlan expand(int base, int added, StageOptions o = {}) {
  StageOptions second = o;
  second.init = BlockInit::expand;
  return {deepen(base, o), deepen(added, second)};
}

/// One expansion late on a stable learning rate: a model of `shallow` blocks at a constant rate, then all `depth`
/// blocks together, held at the peak for half of the stage and then taken down linearly to 0 (warm-up, stable, decay).
/// Source: the progressive training of arXiv:2511.04981, which begins with no block or one; shares are chosen here.
constexpr GrowthPlan expand_once(int shallow, int depth, double first_tokens = 1, StageOptions o = {}) {
  if (depth <= shallow) fail("plans", "an expansion needs more blocks than before (got ", depth, " of ", shallow, ")");
  StageOptions first = o, second = o;
  first.tokens = first_tokens * o.tokens;
  first.schedule.decay = Decay::constant;
  second.all_blocks = true;
  second.schedule.decay = Decay::linear, second.schedule.final_fraction = 0, second.schedule.stable_fraction = 0.5;
  return {deepen(shallow, first), deepen(depth - shallow, second)};
}

/// A LoRA phase cut in `restarts` + 1 equal parts: after each the adapters are merged and drawn anew, with a fresh
/// optimiser and a new warm-up, so that the sum of the updates may have a higher rank than one.
/// Source: Lialin et al. 2023, arXiv:2307.05695 (ReLoRA), which resets nearly all of the optimiser's state.
constexpr GrowthPlan with_restarts(GrowthPlan plan, LoraConfig lora, int restarts, StageOptions o = {}) {
  if (restarts < 0) fail("plans", "restarts must not be negative (got ", restarts, ")");
  o.tokens /= restarts + 1;
  for (int i = 0; i <= restarts; ++i) plan.push_back(adapt(lora, o));
  return plan;
}

/// A plan by name and depth, as "v2/9" on a command line: v1 (layer_by_layer), v2 (in_stages of three), v3
/// (within_budget of three), stack (a quarter of the blocks, four times), expand (two thirds, then the rest between
/// them), once (expand_once from one block).   Errors: another name; a depth that the plan cannot have.
constexpr GrowthPlan named(std::string_view name, int depth, BlockConfig block, StageOptions o = {}) {
  if (depth < 1 || depth > 4096) fail("plans", "a named plan needs a depth of 1 ... 4096 (got ", depth, ")");
  if (name == "v1") return layer_by_layer(depth, block, 5, o);
  if (name == "v2") return in_stages(depth, 3, o);
  if (name == "v3") return within_budget(depth, 3, block, 0.5, o);
  if (name == "stack") {
    if (depth % 4 != 0) fail("plans", "stack needs a depth that four divides (got ", depth, ")");
    return stack(depth / 4, 4, 0.25, o);
  }
  if (name == "expand") {
    if (depth < 2) fail("plans", "expand needs at least two blocks (got ", depth, ")");
    int const base = (2 * depth + 2) / 3;
    return expand(base, depth - base, o);
  }
  if (name == "once") return expand_once(1, depth, 1, o);
  fail("plans", "a named plan must be v1, v2, v3, stack, expand or once (got '", name, "')");
}

static_assert(in_stages(9, 3) == GrowthPlan{deepen(3), deepen(3), deepen(3)});
static_assert(in_stages(16, 3).size() == 6 && in_stages(16, 3).depth() == 16);

}  // namespace gt::plans

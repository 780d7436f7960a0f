// SPDX-License-Identifier: MIT
// A growth plan: the stages a model is grown in, checked and budgeted before anything runs.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "gt/base/error.hpp"
#include "gt/nn/block.hpp"
#include "gt/nn/block_config.hpp"
#include "gt/nn/lora_config.hpp"
#include "gt/train/schedule.hpp"

namespace gt::inline GT_ABI {

/// What a stage does with the output head: keeps it as the last stage left it, or draws a new one.
enum class HeadInit { carry, reset };

/// One stage: `blocks` new blocks on top of what there is; they, the final norm (if `train_final_norm`) and the head
/// train, all else is frozen; or the blocks below train as well, or adapters beside their matrices, or the table.
struct Stage {
  int blocks = 0;                      ///< new blocks
  BlockInit init = BlockInit::random;  ///< how they start
  HeadInit head = HeadInit::carry;     ///< how the head starts
  bool train_final_norm = true;        ///< false: as the paper counts, in which it does not train while growing
  Schedule schedule{};                 ///< learning rate over the steps of the stage
  bool all_blocks = false;             ///< trains the blocks below as well, not the new ones alone
  LoraConfig lora{};                   ///< adapters of the blocks below, merged when the stage ends; rank 0: none
  bool train_table = false;            ///< trains the table, which must be a LearnedEmbedding's
  double tokens = 1;                   ///< its share of GrowOptions::tokens_per_stage
  friend constexpr bool operator==(Stage const&, Stage const&) = default;
};

/// What a stage may differ in; see Stage.
struct StageOptions {
  BlockInit init = BlockInit::random;  ///< how the new blocks start
  HeadInit head = HeadInit::carry;     ///< how the head starts
  bool train_final_norm = true;        ///< beside the new blocks and the head
  Schedule schedule{};                 ///< learning rate over the steps of the stage
  LoraConfig lora{};                   ///< adapters of the blocks below; rank 0: none
  bool train_table = false;            ///< the table as well
  double tokens = 1;                   ///< share of the tokens that a stage gets
  bool all_blocks = false;             ///< the blocks below as well, not the new ones alone
};

/// A stage of `blocks` new blocks. With `lora`, adapters of the blocks below train together with them.
constexpr Stage deepen(int blocks, StageOptions o = {}) {
  return {blocks, o.init, o.head, o.train_final_norm, o.schedule, o.all_blocks, o.lora, o.train_table, o.tokens};
}

/// A stage without new blocks in which all blocks train together: a joint phase, usually the last.
constexpr Stage finetune(StageOptions o = {}) {
  return {0, o.init, o.head, o.train_final_norm, o.schedule, true, {}, o.train_table, o.tokens};
}

/// A LoRA phase: adapters beside the matrices of all blocks train, and the head; the blocks stay frozen. When it ends
/// the adapters are merged: the one declared change of frozen weights. Source: arXiv:2507.07129v3, its LoRA phases.
constexpr Stage adapt(LoraConfig lora, StageOptions o = {}) {
  return {0, o.init, o.head, o.train_final_norm, o.schedule, false, lora, o.train_table, o.tokens};
}

/// The sizes that budgets depend on beside the block's.
struct ModelSize {
  std::int64_t vocab = 4096;     ///< V
  bool head_bias = false;        ///< whether the head adds one number a token
  std::int64_t table_width = 0;  ///< n, where the table trains; 0 stands for C
  int depth = 0;                 ///< blocks that are there before the plan
};

/// Up to 64 stages, as a value: at compile time (`constexpr gt::GrowthPlan plan{gt::deepen(3), gt::deepen(3)}`) and at
/// run time (`parse_plan("3+3")`) alike. Budgets are the maxima over its stages and may stand in a `static_assert`.
/// Source of the scheme: arXiv:2507.07129, section 3.2.
class GrowthPlan {
 public:
  static constexpr std::size_t capacity = 64;  ///< stages

  constexpr GrowthPlan() = default;
  /// The stages in this order. Errors: as `push_back`.
  constexpr GrowthPlan(std::initializer_list<Stage> stages) {
    for (Stage const& s : stages) push_back(s);
  }
  /// Errors: a stage that neither adds blocks nor trains or adapts those that there are; one that adapts what it
  /// trains, or nothing; one without tokens; more than 64 stages.
  constexpr void push_back(Stage const& stage) {
    bool const adapts = stage.lora.rank > 0;
    if (stage.blocks < (stage.all_blocks || adapts ? 0 : 1))
      fail("GrowthPlan", "each stage must add at least one block (got ", stage.blocks, " in stage ", size_ + 1, ")");
    if (stage.lora.rank < 0 || (adapts && stage.all_blocks))
      fail("GrowthPlan", "adapters need frozen blocks and a rank above 0 (got rank ", stage.lora.rank, " in stage ",
           size_ + 1, ")");
    if (!(stage.tokens > 0 && stage.tokens <= 1e6))
      fail("GrowthPlan", "each stage must have a share of the tokens above 0 (got ", stage.tokens, " in stage ",
           size_ + 1, ")");
    if (size_ == capacity) fail("GrowthPlan", "a plan holds at most ", capacity, " stages");
    stages_[size_++] = stage;
  }

  constexpr std::size_t size() const { return size_; }                           ///< stages
  constexpr bool empty() const { return size_ == 0; }                            ///< whether there are none
  constexpr Stage const& operator[](std::size_t i) const { return stages_[i]; }  ///< stage i, from 0
  constexpr Stage& operator[](std::size_t i) { return stages_[i]; }              ///< stage i, to change it
  constexpr Stage const* begin() const { return stages_.data(); }                ///< the first stage
  constexpr Stage const* end() const { return stages_.data() + size_; }          ///< behind the last stage

  /// Blocks that have been added when stage `i` is done; of the whole plan by default.
  constexpr int depth(std::size_t i) const {
    int blocks = 0;
    for (std::size_t s = 0; s <= i && s < size_; ++s) blocks += stages_[s].blocks;
    return blocks;
  }
  constexpr int depth() const { return depth(capacity); }  ///< blocks that the plan adds
  /// Blocks that train in stage `i`; adapted ones do not. Here and below `first_depth` blocks were there before the
  /// plan.
  constexpr int trained(std::size_t i, int first_depth = 0) const {
    return stages_[i].all_blocks ? first_depth + depth(i) : stages_[i].blocks;
  }
  /// Blocks whose adapters train in stage `i`: those below the new ones.
  constexpr int adapted(std::size_t i, int first_depth = 0) const {
    return stages_[i].lora.rank > 0 ? first_depth + depth(i) - stages_[i].blocks : 0;
  }
  /// The lowest block that gradients reach in stage `i`: that of the new ones, or 0.
  constexpr int lowest(std::size_t i, int first_depth = 0) const {
    Stage const& s = stages_[i];
    if (s.all_blocks || s.lora.rank > 0 || s.train_table) return 0;
    int const below = first_depth + depth(i) - s.blocks;
    return s.init == BlockInit::expand ? nn::expanded_position(below, s.blocks, 0) : below;
  }
  /// Blocks that gradients pass through in stage `i`.
  constexpr int differentiated(std::size_t i, int first_depth = 0) const {
    return first_depth + depth(i) - lowest(i, first_depth);
  }
  /// Training steps of stage `i`, at least one, when a share of 1 is `tokens_per_stage` tokens.
  constexpr std::int64_t steps(std::size_t i, std::int64_t tokens_per_stage, BatchShape shape) const {
    double const tokens_of_stage = stages_[i].tokens * static_cast<double>(tokens_per_stage);
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(tokens_of_stage) / shape.rows());
  }
  /// The shares of the tokens of all stages together.
  constexpr double tokens() const {
    double sum = 0;
    for (std::size_t i = 0; i < size_; ++i) sum += stages_[i].tokens;
    return sum;
  }

 private:
  template <class F>
  constexpr std::int64_t most(F const& of_stage) const {
    std::int64_t best = 0;
    for (std::size_t i = 0; i < size_; ++i) best = std::max<std::int64_t>(best, of_stage(i));
    return best;
  }

 public:
  /// Numbers that train in stage `i`:  k P_block + V C (+ V with a head bias) (+ its numbers if the final norm trains)
  /// (+ those of adapters) (+ V n if the table trains).
  constexpr std::int64_t active_parameters(std::size_t i, BlockConfig block, ModelSize model) const {
    std::int64_t const C = block.d_model;
    std::int64_t const n = model.table_width > 0 ? model.table_width : C;
    return trained(i, model.depth) * block.parameters() + model.vocab * C + (model.head_bias ? model.vocab : 0) +
           (stages_[i].train_final_norm ? block.norm_parameters() : 0) +
           adapted(i, model.depth) * stages_[i].lora.parameters(block) + (stages_[i].train_table ? model.vocab * n : 0);
  }
  /// The most that train in any stage.
  constexpr std::int64_t active_parameters(BlockConfig block, ModelSize model) const {
    return most([&](std::size_t i) { return active_parameters(i, block, model); });
  }
  /// The same for a head without bias.
  constexpr std::int64_t active_parameters(BlockConfig block, std::int64_t vocab) const {
    return active_parameters(block, ModelSize{vocab});
  }
  /// AdamW's two moments of all that trains, in fp32: bytes.
  constexpr std::int64_t optimizer_bytes(BlockConfig block, ModelSize model) const {
    return 8 * active_parameters(block, model);
  }
  /// Activations kept for the backward pass of stage `i`, and its scratch memory, in fp32: bytes. With M = B T:
  ///   a block that gradients pass through: M (8 C + 2 F + 4 + H), with adapters M R more a matrix;  the rest:
  ///   M (3 C + 3), and scratch: M max(frozen block, Block's scratch_columns + adapters').
  constexpr std::int64_t activation_bytes(std::size_t i, BlockConfig block, BatchShape shape,
                                          int first_depth = 0) const {
    std::int64_t const C = block.d_model, F = block.ff(), saved = 7 * C + 2 * F + 4 + block.heads,
                       k = differentiated(i, first_depth), adapters = adapted(i, first_depth);
    LoraConfig const& lora = stages_[i].lora;
    auto const scratch = Block<>::scratch_columns(block);
    std::int64_t const backward = k > 0 ? scratch[0] + scratch[1] + (adapters > 0 ? lora.scratch_columns() : 0) : 0,
                       frozen = first_depth + depth(i) > k ? saved : 0;
    return 4 * shape.rows() *
           (k * (saved + C) + adapters * lora.rank * lora.targets.count() + 3 * C + 3 + std::max(frozen, backward));
  }
  /// The most that any stage takes.
  constexpr std::int64_t activation_bytes(BlockConfig block, BatchShape shape, int first_depth = 0) const {
    return most([&](std::size_t i) { return activation_bytes(i, block, shape, first_depth); });
  }
  /// Multiply-adds of one training step of stage `i`, times two: 2 a weight in the forward pass of all blocks and the
  /// head; in the backward pass 2 more of what gradients pass through, and 2 of what trains; attention counts its
  /// causal half: 2 T C forward and 5 T C backward a token and block.
  constexpr double step_flops(std::size_t i, BlockConfig block, ModelSize model, BatchShape shape) const {
    double const C = block.d_model, T = static_cast<double>(shape.tokens);
    double const matrices = 4 * C * C + 2 * C * block.ff(), all = model.depth + depth(i),
                 passed = differentiated(i, model.depth);
    double const a_token = all * (2 * matrices + 2 * T * C) + passed * (2 * matrices + 5 * T * C) +
                           trained(i, model.depth) * 2 * matrices +
                           6 * static_cast<double>(adapted(i, model.depth) * stages_[i].lora.parameters(block)) +
                           6 * C * static_cast<double>(model.vocab);
    return a_token * static_cast<double>(shape.rows());
  }
  /// Weights of the model behind stage `i` with its table of width `table_width`, in fp32: bytes.
  constexpr std::int64_t weight_bytes(std::size_t i, BlockConfig block, ModelSize model,
                                      std::int64_t table_width) const {
    std::int64_t const C = block.d_model;
    return 4 * ((model.depth + depth(i)) * block.parameters() +
                model.vocab * (C + table_width + (model.head_bias ? 1 : 0)) + block.norm_parameters());
  }
  friend constexpr bool operator==(GrowthPlan const&, GrowthPlan const&) = default;

 private:
  std::array<Stage, capacity> stages_{};
  std::size_t size_ = 0;
};

static_assert(GrowthPlan{deepen(3), deepen(3)}.depth() == 6);
// On a model of nine blocks: adapters beside all of them, or all of them.
static_assert(GrowthPlan{adapt({.rank = 16})}.active_parameters(BlockConfig{}, ModelSize{.vocab = 4096, .depth = 9}) ==
              9 * 18 * 256 * 16 + 4096 * 256 + 2 * 256);
static_assert(GrowthPlan{finetune()}.active_parameters(BlockConfig{}, ModelSize{.vocab = 4096, .depth = 9}) ==
              9 * BlockConfig{}.parameters() + 4096 * 256 + 2 * 256);
// The paper's growth stage of three blocks, V = 65,536, C = 1024: 104,950,784 (arXiv:2507.07129, 105.0M).
static_assert(GrowthPlan{deepen(3, {.train_final_norm = false})}.active_parameters(
                  BlockConfig{.d_model = 1024, .heads = 32, .qkv_bias = false, .out_bias = false},
                  ModelSize{.vocab = 65536, .head_bias = true}) == 104'950'784);

namespace growth {
/// Throws unless a model of such blocks, of which `depth` are there, can be grown by all of the plan's stages: those
/// before one that is impossible may take hours.   Errors: those of nn::check_lora; adapters where no block is yet.
inline void check_plan(GrowthPlan const& plan, BlockConfig const& block, int depth = 0) {
  for (std::size_t i = 0; i < plan.size(); ++i) {
    if (plan[i].lora.rank == 0) continue;
    std::string const where = text("GrowthPlan, stage ", i + 1);
    nn::check_lora(plan[i].lora, block, where);
    check(plan.adapted(i, depth) > 0, where, "there must be blocks to adapt, of the stages before (got none)");
  }
}
}  // namespace growth

}  // namespace gt

// SPDX-License-Identifier: MIT
// A growth plan: the stages a model is grown in, checked and budgeted before anything runs.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "gt/base/error.hpp"
#include "gt/nn/block.hpp"
#include "gt/nn/block_config.hpp"
#include "gt/train/schedule.hpp"

namespace gt {

/// What a stage does with the output head: keeps it as the last stage left it, or draws a new one.
enum class HeadInit { carry, reset };

/// One stage: `blocks` new blocks on top of what there is; they, the final norm (if `train_final_norm`) and the head
/// train, all else is frozen; or the blocks below train as well.
struct Stage {
  int blocks = 0;                      ///< new blocks
  BlockInit init = BlockInit::random;  ///< how they start
  HeadInit head = HeadInit::carry;     ///< how the head starts
  bool train_final_norm = true;        ///< false: as the paper counts, in which it does not train while growing
  Schedule schedule{};                 ///< learning rate over the steps of the stage
  bool all_blocks = false;             ///< trains the blocks below as well, not the new ones alone
  friend constexpr bool operator==(Stage const&, Stage const&) = default;
};

/// What a stage may differ in; see Stage.
struct StageOptions {
  BlockInit init = BlockInit::random;  ///< how the new blocks start
  HeadInit head = HeadInit::carry;     ///< how the head starts
  bool train_final_norm = true;        ///< beside the new blocks and the head
  Schedule schedule{};                 ///< learning rate over the steps of the stage
};

/// A stage of `blocks` new blocks.
constexpr Stage deepen(int blocks, StageOptions o = {}) {
  return {blocks, o.init, o.head, o.train_final_norm, o.schedule};
}

/// A stage without new blocks in which all blocks train together: a joint phase, usually the last.
constexpr Stage finetune(StageOptions o = {}) { return {0, o.init, o.head, o.train_final_norm, o.schedule, true}; }

/// The sizes that budgets depend on beside the block's.
struct ModelSize {
  std::int64_t vocab = 4096;  ///< V
  bool head_bias = false;     ///< whether the head adds one number a token
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
  /// Errors: a stage that neither adds blocks nor trains all of them, more than 64 stages.
  constexpr void push_back(Stage const& stage) {
    if (stage.blocks < (stage.all_blocks ? 0 : 1))
      fail("GrowthPlan", "each stage must add at least one block (got ", stage.blocks, " in stage ", size_ + 1, ")");
    if (size_ == capacity) fail("GrowthPlan", "a plan holds at most ", capacity, " stages");
    stages_[size_++] = stage;
  }

  constexpr std::size_t size() const { return size_; }                           ///< stages
  constexpr bool empty() const { return size_ == 0; }                            ///< whether there are none
  constexpr Stage const& operator[](std::size_t i) const { return stages_[i]; }  ///< stage i, from 0
  constexpr Stage& operator[](std::size_t i) { return stages_[i]; }              ///< stage i, to change it
  constexpr Stage const* begin() const { return stages_.data(); }                ///< the first stage
  constexpr Stage const* end() const { return stages_.data() + size_; }          ///< behind the last stage

  /// Blocks when stage `i` is done; of the whole plan by default.
  constexpr int depth(std::size_t i) const {
    int blocks = 0;
    for (std::size_t s = 0; s <= i && s < size_; ++s) blocks += stages_[s].blocks;
    return blocks;
  }
  constexpr int depth() const { return depth(capacity); }  ///< blocks of the finished model
  /// Blocks that train in stage `i`.
  constexpr int trained(std::size_t i) const { return stages_[i].all_blocks ? depth(i) : stages_[i].blocks; }

 private:
  template <class F>
  constexpr std::int64_t most(F const& of_stage) const {
    std::int64_t best = 0;
    for (std::size_t i = 0; i < size_; ++i) best = std::max<std::int64_t>(best, of_stage(i));
    return best;
  }

 public:
  /// Numbers that train in stage `i`:  k P_block + V C (+ V with a head bias) (+ its numbers if the final norm trains).
  constexpr std::int64_t active_parameters(std::size_t i, BlockConfig block, ModelSize model) const {
    std::int64_t const C = block.d_model;
    return trained(i) * block.parameters() + model.vocab * C + (model.head_bias ? model.vocab : 0) +
           (stages_[i].train_final_norm ? block.norm_parameters() : 0);
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
  ///   a trained block: M (8 C + 2 F + 4 + H);  the rest: M (3 C + 3), and scratch: M max(frozen block, max(F, 3 C) +
  ///   C).
  constexpr std::int64_t activation_bytes(std::size_t i, BlockConfig block, BatchShape shape) const {
    std::int64_t const C = block.d_model, F = block.ff(), saved = 7 * C + 2 * F + 4 + block.heads;
    std::int64_t const backward = std::max(F, 3 * C) + C, frozen = depth(i) > trained(i) ? saved : 0;
    return 4 * shape.rows() * (trained(i) * (saved + C) + 3 * C + 3 + std::max(frozen, backward));
  }
  /// The most that any stage takes.
  constexpr std::int64_t activation_bytes(BlockConfig block, BatchShape shape) const {
    return most([&](std::size_t i) { return activation_bytes(i, block, shape); });
  }
  /// Multiply-adds of one training step of stage `i`, times two: 2 a weight in the forward pass of all blocks and the
  /// head, 4 more in the backward pass of what trains; attention counts its causal half: 2 T C forward and 5 T C
  /// backward a token and block.
  constexpr double step_flops(std::size_t i, BlockConfig block, ModelSize model, BatchShape shape) const {
    double const C = block.d_model, T = static_cast<double>(shape.tokens);
    double const matrices = 4 * C * C + 2 * C * block.ff(), all = depth(i), changed = trained(i);
    double const a_token = all * (2 * matrices + 2 * T * C) + changed * (4 * matrices + 5 * T * C) +
                           6 * C * static_cast<double>(model.vocab);
    return a_token * static_cast<double>(shape.rows());
  }
  /// Weights of the finished model with its table of width `table_width`, in fp32: bytes.
  constexpr std::int64_t weight_bytes(std::size_t i, BlockConfig block, ModelSize model,
                                      std::int64_t table_width) const {
    std::int64_t const C = block.d_model;
    return 4 * (depth(i) * block.parameters() + model.vocab * (C + table_width + (model.head_bias ? 1 : 0)) +
                block.norm_parameters());
  }
  friend constexpr bool operator==(GrowthPlan const&, GrowthPlan const&) = default;

 private:
  std::array<Stage, capacity> stages_{};
  std::size_t size_ = 0;
};

/// A plan from text such as "3+3+3": the number of new blocks in each stage; "all" is a stage in which all blocks train
/// and none is new. `o` holds for all stages.   Errors: anything but positive numbers and "all" joined by '+', more
/// than 64 stages, more than 4,096 blocks in one stage.
inline GrowthPlan parse_plan(std::string_view text, StageOptions o = {}) {
  GrowthPlan plan;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t const end = std::min(text.find('+', begin), text.size());
    std::string_view const word = text.substr(begin, end - begin);
    int blocks = 0;
    bool valid = !word.empty() && word.size() <= 4;
    for (char c : word) {
      valid = valid && c >= '0' && c <= '9';
      if (valid) blocks = blocks * 10 + (c - '0');
    }
    bool const all = word == "all";
    check(all || (valid && blocks <= 4096), "parse_plan",
          "a plan must be numbers of blocks joined by '+', such as 3+3+3 (got '", word, "' in '", text, "')");
    plan.push_back(all ? finetune(o) : deepen(blocks, o));
    begin = end + 1;
  }
  return plan;
}
/// The text of a plan: "3+3+3", "3+3+all".
inline std::string to_text(GrowthPlan const& plan) {
  std::string joined;
  for (Stage const& s : plan) joined += (joined.empty() ? "" : "+") + (s.blocks > 0 ? std::to_string(s.blocks) : "all");
  return joined;
}

static_assert(GrowthPlan{deepen(3), deepen(3)}.depth() == 6);
// The paper's growth stage of three blocks, V = 65,536, C = 1024: 104,950,784 (arXiv:2507.07129, 105.0M).
static_assert(GrowthPlan{deepen(3, {.train_final_norm = false})}.active_parameters(
                  BlockConfig{.d_model = 1024, .heads = 32, .qkv_bias = false, .out_bias = false},
                  ModelSize{.vocab = 65536, .head_bias = true}) == 104'950'784);

}  // namespace gt

// SPDX-License-Identifier: MIT
// The models of the paper, by their numbers: blocks, heads, tables and plans whose counts are those it prints.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "gt/base/error.hpp"
#include "gt/grow/plan.hpp"
#include "gt/nn/block_config.hpp"
#include "gt/paper/named_plans.hpp"

namespace gt::inline GT_ABI {

/// The author's block: no biases of attention, biases in the MLP, LayerNorm: 12 C^2 + 9 C numbers. Which GELU, and
/// whether the norms come first, is not stated; all that is known agrees with gt's block.
/// Source: arXiv:2507.07129, and the counts of its models.
constexpr BlockConfig paper_block(int d_model, int heads) {
  return {.d_model = d_model, .heads = heads, .qkv_bias = false, .out_bias = false};
}

/// A model of the paper: enough to make it and to grow it.
struct Preset {
  std::string_view name;        ///< as on a command line
  std::string_view about;       ///< the author's name of it, and what is special
  BlockConfig block;            ///< of all blocks
  std::int64_t vocab;           ///< V
  int table_width;              ///< n, numbers a token
  GrowthPlan plan;              ///< the stages
  std::int64_t context = 1024;  ///< tokens a sequence may have

  /// V, the bias that the author's heads have, and n.
  constexpr ModelSize size() const { return {.vocab = vocab, .head_bias = true, .table_width = table_width}; }
  /// All numbers of the finished model, its table included.
  constexpr std::int64_t parameters() const {
    return plan.weight_bytes(plan.size() - 1, block, size(), table_width) / 4;
  }
  /// Numbers that train in stage `i`; of the most in any stage by default.
  constexpr std::int64_t active_parameters() const { return plan.active_parameters(block, size()); }
};

namespace detail {
// As the paper counts, the final norm does not train while a model grows, and does in a monolith.
inline constexpr StageOptions growing{.train_final_norm = false};
constexpr GrowthPlan three_by_three(bool train_table) {
  GrowthPlan plan = plans::in_stages(9, 3, growing);
  plan[0].train_table = train_table;
  return plan;
}
constexpr GrowthPlan abs_series(int depth) { return plans::layer_by_layer(depth, paper_block(4096, 32), 5, growing); }
}  // namespace detail

/// The models of arXiv:2507.07129: the controlled study of v2, the long run of v3, and the series of v1.
inline constexpr std::array presets{
    Preset{"growing-16-bit", "model-16-bit-1-9-181m: nine blocks grown by threes on the bits of the token id",
           paper_block(1024, 32), 65536, 16, detail::three_by_three(false)},
    Preset{"growing-unicode", "model-unicode-1-9-247m: the same on pictures of the tokens", paper_block(1024, 32),
           65536, 1024, detail::three_by_three(false)},
    Preset{"growing-unfrozen", "model-unfrozen-1-9-247m: the same on a table that trains in the first stage",
           paper_block(1024, 32), 65536, 1024, detail::three_by_three(true)},
    Preset{"monolith-16-bit", "frozen-16-bit-baseline-monolyth-181m: nine blocks at once", paper_block(1024, 32), 65536,
           16, GrowthPlan{deepen(9)}},
    Preset{"monolith-unicode", "frozen-unicode-baseline-monolyth-247m: nine blocks at once", paper_block(1024, 32),
           65536, 1024, GrowthPlan{deepen(9)}},
    Preset{"monolith-unfrozen", "unfrozen-baseline-monolyth-247m: nine blocks and the table at once",
           paper_block(1024, 32), 65536, 1024, GrowthPlan{deepen(9, {.train_table = true})}},
    Preset{"v3-16-bit", "the 16 blocks of v3's long run, with LoRA phases in the budget of a stage",
           paper_block(1024, 32), 65536, 16, plans::within_budget(16, 3, paper_block(1024, 32), 0.5, detail::growing)},
    Preset{"abs-bvv-1", "the series of v1, block by block: one", paper_block(4096, 32), 131072, 4096,
           detail::abs_series(1)},
    Preset{"abs-bvv-2", "two blocks of it", paper_block(4096, 32), 131072, 4096, detail::abs_series(2)},
    Preset{"abs-bvv-3", "three blocks of it", paper_block(4096, 32), 131072, 4096, detail::abs_series(3)},
    Preset{"abs-bvv-4", "four blocks of it", paper_block(4096, 32), 131072, 4096, detail::abs_series(4)},
    Preset{"abs-bvv-5", "five blocks of it, adapters of four beside the fifth", paper_block(4096, 32), 131072, 4096,
           detail::abs_series(5)},
    Preset{"abs-bvv-6", "six blocks of it, adapters of five beside the sixth", paper_block(4096, 32), 131072, 4096,
           detail::abs_series(6)},
};

/// A preset by its name.   Errors: no such preset; the names are then listed.
constexpr Preset const& preset(std::string_view name) {
  for (Preset const& p : presets) {
    if (p.name == name) return p;
  }
  std::string names;
  for (Preset const& p : presets) names += (names.empty() ? "" : ", ") + std::string(p.name);
  fail("preset", "there are ", names, " (got '", name, "')");
}

// The counts that the paper and its cards print: 181.6M, 247.6M, 269.7M, 180.5M, 105.0M, and 1.3 ... 2.3B.
static_assert(preset("growing-16-bit").parameters() == 181'554'176);
static_assert(preset("growing-unicode").parameters() == 247'614'464);
static_assert(preset("growing-unfrozen").parameters() == 247'614'464);
static_assert(preset("growing-16-bit").active_parameters() == 104'950'784);
static_assert(preset("growing-unicode").active_parameters() == 104'950'784);
static_assert(preset("growing-unfrozen").active_parameters() == 172'059'648);
static_assert(preset("monolith-16-bit").active_parameters() == 180'505'600);
static_assert(preset("monolith-unicode").active_parameters() == 180'505'600);
static_assert(preset("monolith-unfrozen").active_parameters() == 247'614'464);
static_assert(preset("v3-16-bit").parameters() == 269'699'072);
static_assert(preset("v3-16-bit").active_parameters() == 104'950'784);  // no LoRA phase has more than a stage of blocks
static_assert(preset("abs-bvv-1").parameters() == 1'275'244'544);
static_assert(preset("abs-bvv-2").parameters() == 1'476'608'000);
static_assert(preset("abs-bvv-3").parameters() == 1'677'971'456);
static_assert(preset("abs-bvv-4").parameters() == 1'879'334'912);
static_assert(preset("abs-bvv-5").parameters() == 2'080'698'368);
static_assert(preset("abs-bvv-6").parameters() == 2'282'061'824);
static_assert(preset("abs-bvv-4").active_parameters() == 738'365'440);

}  // namespace gt

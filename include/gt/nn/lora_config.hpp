// SPDX-License-Identifier: MIT
// Which matrices of a block a low-rank adapter changes, with what rank and scale.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gt/base/error.hpp"
#include "gt/nn/block_config.hpp"

namespace gt::inline GT_ABI {

/// The matrices of a block that an adapter changes; all six by default.
struct LoraTargets {
  bool q = true;     ///< queries
  bool k = true;     ///< keys
  bool v = true;     ///< values
  bool o = true;     ///< the attention's output projection
  bool fc = true;    ///< into the MLP
  bool proj = true;  ///< out of the MLP
  /// How many.
  constexpr int count() const { return int{q} + int{k} + int{v} + int{o} + int{fc} + int{proj}; }
  friend constexpr bool operator==(LoraTargets const&, LoraTargets const&) = default;
};

/// The names of the matrices as in PEFT's target_modules, joined by ',': "q_proj,v_proj".
inline std::string to_text(LoraTargets const& targets) {
  std::string joined;
  auto const add = [&](bool on, char const* name) {
    if (on) joined += (joined.empty() ? "" : ",") + std::string(name);
  };
  add(targets.q, "q_proj"), add(targets.k, "k_proj"), add(targets.v, "v_proj"), add(targets.o, "o_proj");
  add(targets.fc, "c_fc"), add(targets.proj, "c_proj");
  return joined;
}
namespace nn {
/// The matrices of such a text.   Errors: a name that is none of q_proj, k_proj, v_proj, o_proj, c_fc, c_proj.
inline LoraTargets lora_targets(std::string_view names) {
  LoraTargets targets{false, false, false, false, false, false};
  for (std::size_t begin = 0; begin <= names.size();) {
    std::size_t const end = std::min(names.find(',', begin), names.size());
    std::string_view const name = names.substr(begin, end - begin);
    bool* const on = name == "q_proj"   ? &targets.q
                     : name == "k_proj" ? &targets.k
                     : name == "v_proj" ? &targets.v
                     : name == "o_proj" ? &targets.o
                     : name == "c_fc"   ? &targets.fc
                     : name == "c_proj" ? &targets.proj
                                        : nullptr;
    check(on != nullptr, "lora_targets",
          "matrices must be named q_proj, k_proj, v_proj, o_proj, c_fc or c_proj, joined by ',' (got '", name, "')");
    *on = true;
    begin = end + 1;
  }
  return targets;
}
}  // namespace nn

/// A low-rank adapter of a block:  W becomes W + s B A,  A [R, K], B [N, R],  s = alpha / R,  or alpha / sqrt(R) when
/// rank-stabilised. Sources: Hu et al. 2021, arXiv:2106.09685; Kalajdzievski 2023, arXiv:2312.03732 (rsLoRA).
struct LoraConfig {
  int rank = 0;                  ///< R; 0: no adapter
  double alpha = 0;              ///< 0 stands for R, a scale of 1 (sqrt(R) when rank-stabilised)
  bool rank_stabilised = false;  ///< rsLoRA: the scale falls with sqrt(R) alone, so that large ranks learn as well
  LoraTargets targets{};         ///< the matrices it changes
  friend constexpr bool operator==(LoraConfig const&, LoraConfig const&) = default;

  /// s.
  double scale() const {
    double const a = alpha != 0 ? alpha : rank;
    return a / (rank_stabilised ? std::sqrt(static_cast<double>(rank)) : static_cast<double>(rank));
  }
  /// Numbers in the adapter of one block: R (K + N) a matrix; all six of a block with F = 4 C: 18 C R.
  constexpr std::int64_t parameters(BlockConfig block) const {
    std::int64_t const C = block.d_model, F = block.ff();
    std::int64_t const square = int{targets.q} + int{targets.k} + int{targets.v} + int{targets.o};
    return rank * (square * 2 * C + (int{targets.fc} + int{targets.proj}) * (C + F));
  }
  /// Numbers of scratch memory that the backward pass of such an adapter takes for each row: R, for queries, keys and
  /// values together.
  constexpr std::int64_t scratch_columns() const {
    return std::int64_t{rank} * std::max(1, int{targets.q} + int{targets.k} + int{targets.v});
  }
};

namespace nn {
/// Throws unless such an adapter fits such a block.   Errors: a rank below 1 or above the width, no matrix, a scale
/// that is not finite as fp32.
inline void check_lora(LoraConfig const& lora, BlockConfig const& block, std::string_view where = "LoraConfig") {
  check(lora.rank >= 1 && lora.rank <= block.d_model, where, "the rank must lie in 1 ... ", block.d_model,
        ", the width of the model (got ", lora.rank, ")");
  check(lora.targets.count() > 0, where, "at least one matrix must be adapted (got none)");
  check(std::isfinite(static_cast<float>(lora.alpha)) && lora.alpha >= 0, where,
        "alpha must be finite and not negative (got ", lora.alpha, ")");
}

/// The largest rank at which adapters on all six matrices of `adapted` blocks hold no more numbers than the matrices of
/// `blocks` new ones:  R = floor(blocks (4 C^2 + 2 C F) / (adapted (10 C + 2 F))),  with F = 4 C  floor(2 k C / (3 L)).
/// Source: the constant active budget of arXiv:2507.07129v3.
constexpr int lora_rank_within_budget(int blocks, int adapted, BlockConfig block) {
  std::int64_t const C = block.d_model, F = block.ff();
  return adapted > 0 ? static_cast<int>(blocks * (4 * C * C + 2 * C * F) / (adapted * (10 * C + 2 * F))) : 0;
}
}  // namespace nn

// Three blocks of the paper's width, adapters in 16: exactly 128, and as many numbers either way.
static_assert(nn::lora_rank_within_budget(3, 16, BlockConfig{.d_model = 1024, .heads = 32}) == 128);
static_assert(16 * LoraConfig{.rank = 128}.parameters(BlockConfig{.d_model = 1024, .heads = 32}) ==
              std::int64_t{3} * 12 * 1024 * 1024);

}  // namespace gt

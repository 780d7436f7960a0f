// SPDX-License-Identifier: MIT
// The shape of one Transformer block, as a value; a constant one is checked when it is compiled.
#pragma once

#include <concepts>
#include <cstdint>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/ops/gelu.hpp"

namespace gt::inline GT_ABI {

/// The norms of a block, and of the model's end: LayerNorm with gain and bias, or RMSNorm with a gain.
enum class Norm { layer, rms };

/// Shape of one block. A model names only what differs from the defaults, which are Starcoder2's.
struct BlockConfig {
  int d_model = 256;         ///< C, width of the residual stream
  int heads = 8;             ///< H; C = H * D
  int d_ff = 0;              ///< F, width of the MLP; 0 stands for 4 C
  bool qkv_bias = true;      ///< biases of the query, key and value projections
  bool out_bias = true;      ///< bias of the attention's output projection
  Norm norm = Norm::layer;   ///< LayerNorm or RMSNorm
  Gelu gelu = Gelu::tanh;    ///< of the MLP: the tanh form or the exact one
  double norm_eps = 1e-5;    ///< added to the variance in LayerNorm, to the mean square in RMSNorm
  double rope_base = 10000;  ///< base of the rotary angles

  GT_HD constexpr int d_head() const { return heads > 0 ? d_model / heads : 0; }  ///< D
  GT_HD constexpr int ff() const { return d_ff > 0 ? d_ff : 4 * d_model; }        ///< F
  friend constexpr bool operator==(BlockConfig const&, BlockConfig const&) = default;

  /// Numbers in one norm: 2 C in LayerNorm, C in RMSNorm.
  constexpr std::int64_t norm_parameters() const { return std::int64_t{norm == Norm::rms ? 1 : 2} * d_model; }
  /// Numbers in one block: 4 C^2 + 2 C F in matrices, biases, and two norms. All defaults: 12 C^2 + 13 C; with RMSNorm
  /// 12 C^2 + 11 C.
  constexpr std::int64_t parameters() const {
    std::int64_t const C = d_model, F = ff();
    return 4 * C * C + 2 * C * F + (qkv_bias ? 3 * C : 0) + (out_bias ? C : 0) + F + C + 2 * norm_parameters();
  }
};

namespace nn {
/// C > 0.
constexpr bool d_model_is_positive(BlockConfig c) { return c.d_model > 0; }
/// C = H D for a whole D.
constexpr bool heads_divide_d_model(BlockConfig c) { return c.heads > 0 && c.d_model % c.heads == 0; }
/// D is even: rotary positions turn pairs.
constexpr bool d_head_is_even(BlockConfig c) { return c.heads > 0 && (c.d_model / c.heads) % 2 == 0; }

/// F > 0, or 0, which stands for 4 C.
constexpr bool d_ff_is_not_negative(BlockConfig c) { return c.d_ff >= 0; }

/// A shape that is consistent; where it is not, the compiler names the predicate that fails.
template <BlockConfig Shape>
concept ValidBlock = d_model_is_positive(Shape) && heads_divide_d_model(Shape) && d_head_is_even(Shape) &&
    d_ff_is_not_negative(Shape);
}  // namespace nn

/// A constant shape, to be given in place of one: a wrong one does not compile. The model's type is the same.
///
///     constexpr gt::BlockConfig shape{.d_model = 256, .heads = 8};
///     gt::Transformer model(substrate, gt::fixed<shape>, gt::seed(1));
template <BlockConfig Shape>
requires nn::ValidBlock<Shape>
inline constexpr BlockConfig fixed = Shape;

namespace detail {
/// A number of heads with which the width of `c`, which is even, can be had: heads of 32 where these fit, otherwise the
/// number nearest to that asked for.
constexpr int heads_that_fit(BlockConfig c) {
  if (c.d_model % 32 == 0) return c.d_model / 32;
  int best = 1;
  for (int h = 1; h <= c.d_model / 2; ++h) {
    if ((c.d_model / h) % 2 != 0 || c.d_model % h != 0) continue;
    int const far = h > c.heads ? h - c.heads : c.heads - h, least = best > c.heads ? best - c.heads : c.heads - best;
    if (far < least) best = h;
  }
  return best;
}
}  // namespace detail

namespace nn {
/// The run-time form of the same checks. Throws `gt::Error`.
inline void check_block(BlockConfig c) {
  check(d_model_is_positive(c), "BlockConfig", "the width must be positive (got ", c.d_model, ")");
  check(c.heads < 1 || c.d_model % 2 == 0, "BlockConfig", "rotary positions need an even width (got ", c.d_model,
        "); try ", c.d_model < 3 ? 2 : c.d_model - 1);
  check(heads_divide_d_model(c), "BlockConfig", "the heads must divide the width (got ", c.heads,
        " heads for a width of ", c.d_model, "); try ", detail::heads_that_fit(c));
  check(d_head_is_even(c), "BlockConfig", "rotary positions need an even head width (got ", c.d_head(), "); try ",
        detail::heads_that_fit(c), " heads");
  check(d_ff_is_not_negative(c), "BlockConfig", "the width of the MLP must not be negative (got ", c.d_ff, ")");
}
}  // namespace nn

}  // namespace gt

// SPDX-License-Identifier: MIT
// The norm that a block's shape names.
#pragma once

#include "gt/core/backend.hpp"
#include "gt/core/view.hpp"
#include "gt/nn/block_config.hpp"
#include "gt/ops/layer_norm.hpp"
#include "gt/ops/rms_norm.hpp"

namespace gt::inline GT_ABI::nn {

/// y = norm(x) row by row: `ops::layer_norm`, or `ops::rms_norm`, which has neither bias nor mean.
/// Shapes: x, y [M, C], g, b [C], mean, rstd [M].
template <Backend B, class T>
void norm(B const& on, BlockConfig const& c, In<Matrix<T const>> x, In<Vector<T const>> g, In<Vector<T const>> b,
          Matrix<T> y, Vector<T> mean, Vector<T> rstd) {
  if (c.norm == Norm::rms) return ops::rms_norm(on, x, g, y, rstd, c.norm_eps);
  ops::layer_norm(on, x, g, b, y, mean, rstd, c.norm_eps);
}

/// dx, dg and db as of `ops::layer_norm_backward`, or `ops::rms_norm_backward`, for which db is null.
template <Backend B, class T>
void norm_backward(B const& on, BlockConfig const& c, In<Matrix<T const>> dy, In<Matrix<T const>> x,
                   In<Vector<T const>> g, In<Vector<T const>> mean, In<Vector<T const>> rstd,
                   In<Matrix<T const>> residual, Matrix<T> dx, Vector<T> dg, Vector<T> db) {
  if (c.norm == Norm::rms) return ops::rms_norm_backward(on, dy, x, g, rstd, residual, dx, dg);
  ops::layer_norm_backward(on, dy, x, g, mean, rstd, residual, dx, dg, db);
}

}  // namespace gt::nn

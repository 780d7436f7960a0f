// SPDX-License-Identifier: MIT
// Low-rank adaptation: a small product beside a large one that does not change.
#pragma once

#include "gt/core/backend.hpp"
#include "gt/core/profile.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/linear.hpp"
#include "gt/ops/rows.hpp"

namespace gt::inline GT_ABI::ops {

namespace detail {
/// x *= s, row by row.
template <Backend B, class T>
void scale_rows(B const& on, Matrix<T> x, T s) {
  Timer const timer(on, "lora scale", row_work<T>(x.size(), 1, 2));
  auto const lane = on.template lane<T>();
  for_each_row(on, x.rows(), x.columns(), [&](std::int64_t i) {
    T* const row = x.row(i);
    lane.each(x.columns(), [=](auto j) {
      auto const v = lane.load(row, j);
      lane.store(row, j, v * decltype(v)(s));
    });
  });
}
}  // namespace detail

/// u = s x A^T, the narrow half of   y = x W^T + s (x A^T) B^T.
/// Shapes: x [M, K], a [R, K], u [M, R].   The backward needs x, u, a and b.
/// Source: Hu et al. 2021, arXiv:2106.09685, section 4.1; s = alpha / R there.
template <Backend B, class T>
void lora_down(B const& on, In<Matrix<T const>> x, In<Matrix<T const>> a, T s, Matrix<T> u) {
  linear<B, T>(on, x, a, {}, u);
  if (s != T(1)) detail::scale_rows<B, T>(on, u, s);
}

/// y = u B^T, or y += u B^T, the wide half.
/// Shapes: u [M, R], b [N, R], y [M, N].
template <Backend B, class T>
void lora_up(B const& on, In<Matrix<T const>> u, In<Matrix<T const>> b, Matrix<T> y, bool accumulate) {
  linear<B, T>(on, u, b, {}, y, accumulate ? In<Matrix<T const>>(y) : In<Matrix<T const>>{});
}

/// du = s dy B,   dB += dy^T u: the gradient of both halves with respect to x A^T, and that of B.
/// Shapes: dy [M, N], u, du [M, R], b [N, R], db [N, R] or null.
template <Backend B, class T>
void lora_up_backward(B const& on, In<Matrix<T const>> dy, In<Matrix<T const>> u, In<Matrix<T const>> b, T s,
                      Matrix<T> du, Matrix<T> db) {
  linear_backward<B, T>(on, dy, u, b, du, db, {});
  if (s != T(1)) detail::scale_rows<B, T>(on, du, s);
}

/// dx = du A,   dA += du^T x.
/// Shapes: du [M, R], x [M, K], a [R, K], dx [M, K] or null, da [R, K] or null.
template <Backend B, class T>
void lora_down_backward(B const& on, In<Matrix<T const>> du, In<Matrix<T const>> x, In<Matrix<T const>> a, Matrix<T> dx,
                        Matrix<T> da) {
  linear_backward<B, T>(on, du, x, a, dx, da, {});
}

}  // namespace gt::ops

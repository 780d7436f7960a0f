// SPDX-License-Identifier: MIT
// The affine map of every projection: y = x W^T + b.
#pragma once

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/matrix_ref.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/rows.hpp"

namespace gt {

/// y = x W^T + b
/// Shapes: x [M, K], w [N, K], b [N] or null, y [M, N]. y must not overlap x.
/// Equals torch.nn.functional.linear.   Saves nothing: the backward needs x and w.   Errors: shapes that do not fit.
template <Backend B, class T>
void linear(B const& on, In<Matrix<T const>> x, In<Matrix<T const>> w, In<Vector<T const>> b, Matrix<T> y) {
  check(x.columns() == w.columns() && y.rows() == x.rows() && y.columns() == w.rows(), "linear",
        "x [M, K], w [N, K] and y [M, N] must fit (got [", x.rows(), ", ", x.columns(), "], [", w.rows(), ", ",
        w.columns(), "], [", y.rows(), ", ", y.columns(), "])");
  check(b.is_null() || b.extent(0) == w.rows(), "linear", "the bias must have N elements (got ", b.extent(0), ")");
  gemm(on, MatrixRef<T>(x), MatrixRef<T>(w).transposed(), GemmOutput<T>{y.data(), y.stride(), false, b.data()},
       GemmShape{x.rows(), w.rows(), x.columns()});
}

/// dx = dy W,   dW += dy^T x,   db += sum over rows of dy
/// Shapes: dy [M, N], x [M, K], w [N, K], dx [M, K], dw [N, K], db [N]; dx, dw and db may be null and are then skipped.
/// dx must not overlap dy.
template <Backend B, class T>
void linear_backward(B const& on, In<Matrix<T const>> dy, In<Matrix<T const>> x, In<Matrix<T const>> w, Matrix<T> dx,
                     Matrix<T> dw, Vector<T> db) {
  check(dy.columns() == w.rows() && dy.rows() == x.rows() && x.columns() == w.columns(), "linear_backward",
        "dy [M, N], x [M, K] and w [N, K] must fit (got [", dy.rows(), ", ", dy.columns(), "], [", x.rows(), ", ",
        x.columns(), "], [", w.rows(), ", ", w.columns(), "])");
  check((!dx || same_shape(dx, x)) && (!dw || same_shape(dw, w)) && (!db || db.extent(0) == w.rows()),
        "linear_backward", "dx, dw and db must have the shapes of x, w and the bias");
  if (dx) {
    gemm(on, MatrixRef<T>(dy), MatrixRef<T>(w), GemmOutput<T>{dx.data(), dx.stride(), false, nullptr},
         GemmShape{dy.rows(), w.columns(), w.rows()});
  }
  if (dw) {
    gemm(on, MatrixRef<T>(dy).transposed(), MatrixRef<T>(x), GemmOutput<T>{dw.data(), dw.stride(), true, nullptr},
         GemmShape{w.rows(), w.columns(), dy.rows()});
  }
  if (db) {
    auto const lane = on.template lane<T>();
    auto const add = [&](std::int64_t i, T* sum) {
      T const* const row = dy.row(i);
      lane.each(dy.columns(), [&](auto j) { lane.store(sum, j, lane.load(sum, j) + lane.load(row, j)); });
    };
    sum_over_rows(on, dy.rows(), dy.columns(), add, db.data());
  }
}

}  // namespace gt

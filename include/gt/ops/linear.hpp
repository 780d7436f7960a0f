// SPDX-License-Identifier: MIT
// The affine map of every projection: y = x W^T + b.
#pragma once

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/matrix_ref.hpp"
#include "gt/core/profile.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/rows.hpp"

namespace gt::inline GT_ABI::ops {

namespace detail {
template <class T>
Work product_work(GemmShape s) {
  auto const m = static_cast<double>(s.m), n = static_cast<double>(s.n), k = static_cast<double>(s.k);
  return {2 * m * n * k, static_cast<double>(sizeof(T)) * (m * k + k * n + m * n)};
}
template <class T>
void check_linear(Matrix<T const> x, Matrix<T const> w, Vector<T const> b, Matrix<T> y) {
  check(x.columns() == w.columns() && y.rows() == x.rows() && y.columns() == w.rows(), "linear",
        "x [M, K], w [N, K] and y [M, N] must fit (got [", x.rows(), ", ", x.columns(), "], [", w.rows(), ", ",
        w.columns(), "], [", y.rows(), ", ", y.columns(), "])");
  check(b.is_null() || b.extent(0) == w.rows(), "linear", "the bias must have N elements (got ", b.extent(0), ")");
}
}  // namespace detail

/// y = x W^T + b
/// Shapes: x [M, K], w [N, K], b [N] or null, y [M, N]. y must not overlap x. With `addend` [M, N], which may be y,
/// y = x W^T + b + addend: the residual that a projection is added to.
/// Equals torch.nn.functional.linear.   Saves nothing: the backward needs x and w.   Errors: shapes that do not fit.
template <Backend B, class T>
void linear(B const& on, In<Matrix<T const>> x, In<Matrix<T const>> w, In<Vector<T const>> b, Matrix<T> y,
            In<Matrix<T const>> addend = {}) {
  detail::check_linear<T>(x, w, b, y);
  check(!addend || same_shape(addend, y), "linear", "the addend must have the shape of y (got [", addend.rows(), ", ",
        addend.columns(), "])");
  GemmShape const shape{x.rows(), w.rows(), x.columns()};
  Timer const timer(on, "linear", detail::product_work<T>(shape));
  gemm(on, MatrixRef<T>(x), MatrixRef<T>(w).transposed(),
       GemmOutput<T>{y.data(), y.stride(), false, b.data(), addend.data(), addend.stride()}, shape);
}

/// dW += dy^T x,   db += sum over rows of dy
/// Shapes: dy [M, N], x [M, K], dw [N, K] or null, db [N] or null.
template <Backend B, class T>
void linear_backward_weights(B const& on, In<Matrix<T const>> dy, In<Matrix<T const>> x, Matrix<T> dw, Vector<T> db) {
  if (dw) {
    GemmShape const shape{dw.rows(), dw.columns(), dy.rows()};
    Timer const timer(on, "linear_backward dW", detail::product_work<T>(shape));
    gemm(on, MatrixRef<T>(dy).transposed(), MatrixRef<T>(x), GemmOutput<T>{dw.data(), dw.stride(), true}, shape);
  }
  if (db) {
    auto const elements = static_cast<double>(dy.size());
    Timer const timer(on, "linear_backward db", {elements, static_cast<double>(sizeof(T)) * elements});
    add_rows<B, T>(on, dy, db.data());
  }
}

/// dx = dy W (+ addend),   dW += dy^T x,   db += sum over rows of dy
/// Shapes: dy [M, N], x [M, K], w [N, K], dx [M, K], dw [N, K], db [N]; dx, dw and db may be null and are then skipped.
/// dx must not overlap dy. The addend [M, K], which may be dx, is what another path has left.
template <Backend B, class T>
void linear_backward(B const& on, In<Matrix<T const>> dy, In<Matrix<T const>> x, In<Matrix<T const>> w, Matrix<T> dx,
                     Matrix<T> dw, Vector<T> db, In<Matrix<T const>> addend = {}) {
  check(dy.columns() == w.rows() && dy.rows() == x.rows() && x.columns() == w.columns(), "linear_backward",
        "dy [M, N], x [M, K] and w [N, K] must fit (got [", dy.rows(), ", ", dy.columns(), "], [", x.rows(), ", ",
        x.columns(), "], [", w.rows(), ", ", w.columns(), "])");
  check((!dx || same_shape(dx, x)) && (!dw || same_shape(dw, w)) && (!db || db.extent(0) == w.rows()) &&
            (!addend || same_shape(addend, x)),
        "linear_backward", "dx, dw, db and the addend must have the shapes of x, w, the bias and x");
  if (dx) {
    GemmShape const shape{dy.rows(), w.columns(), w.rows()};
    Timer const timer(on, "linear_backward dx", detail::product_work<T>(shape));
    gemm(on, MatrixRef<T>(dy), MatrixRef<T>(w),
         GemmOutput<T>::sum(dx.data(), dx.stride(), addend.data(), addend.stride()), shape);
  }
  linear_backward_weights(on, dy, x, dw, db);
}

}  // namespace gt::ops

// SPDX-License-Identifier: MIT
// A projection and the GELU behind it in one go: the GELU is made of numbers that are still in the cache.
#pragma once

#include <cstdint>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/matrix_ref.hpp"
#include "gt/core/profile.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/gelu.hpp"
#include "gt/ops/linear.hpp"

namespace gt::inline GT_ABI::ops {

/// h = x W^T + b (+ addend),   y = gelu(h)
/// Shapes: x [M, K], w [N, K], b [N] or null, h, y and addend [M, N]; the addend may be h. The same numbers as `linear`
/// and `gelu`; the backward needs x, w and h.
template <Backend B, class T>
void linear_gelu(B const& on, In<Matrix<T const>> x, In<Matrix<T const>> w, In<Vector<T const>> b, Matrix<T> h,
                 Matrix<T> y, Gelu form = Gelu::tanh, In<Matrix<T const>> addend = {}) {
  detail::check_linear<T>(x, w, b, h);
  check(same_shape(h, y) && (!addend || same_shape(addend, h)), "linear_gelu",
        "h, y and the addend must have one shape");
  GemmShape const shape{x.rows(), w.rows(), x.columns()};
  Timer const timer(on, "linear_gelu", detail::product_work<T>(shape));
  auto const lane = on.template lane<T>();
  auto const activate = [&](std::int64_t i, std::int64_t j, std::int64_t rows, std::int64_t columns) noexcept {
    for (std::int64_t r = i; r < i + rows; ++r) detail::gelu_row(lane, form, h.row(r) + j, y.row(r) + j, columns);
  };
  gemm(on, MatrixRef<T>(x), MatrixRef<T>(w).transposed(),
       GemmOutput<T>{h.data(), h.stride(), false, b.data(), addend.data(), addend.stride()}, shape, activate);
}

/// With y = gelu(h) W^T + b:   dh = (dy W (+ addend)) gelu'(h),   dW += dy^T gelu(h),   db += sum over rows of dy
/// Shapes: dy [M, N], h, gelu_h, dh [M, K], w [N, K]; dw and db may be null. dh must not overlap dy. The addend [M, K],
/// which may be dh, is what another path has left of the gradient of gelu(h).
template <Backend B, class T>
void gelu_linear_backward(B const& on, In<Matrix<T const>> dy, In<Matrix<T const>> h, In<Matrix<T const>> gelu_h,
                          In<Matrix<T const>> w, Matrix<T> dh, Matrix<T> dw, Vector<T> db, Gelu form = Gelu::tanh,
                          In<Matrix<T const>> addend = {}) {
  check(dy.columns() == w.rows() && dy.rows() == h.rows() && h.columns() == w.columns() && same_shape(h, gelu_h) &&
            same_shape(dh, h) && (!dw || same_shape(dw, w)) && (!db || db.extent(0) == w.rows()) &&
            (!addend || same_shape(addend, h)),
        "gelu_linear_backward", "dy [M, N], h, gelu(h), dh and addend [M, K], w and dw [N, K] and db [N] must fit");
  {
    GemmShape const shape{dy.rows(), w.columns(), w.rows()};
    Timer const timer(on, "gelu_linear_backward dx", detail::product_work<T>(shape));
    auto const lane = on.template lane<T>();
    auto const differentiate = [&](std::int64_t i, std::int64_t j, std::int64_t rows, std::int64_t columns) noexcept {
      for (std::int64_t r = i; r < i + rows; ++r)
        detail::gelu_backward_row(lane, form, dh.row(r) + j, h.row(r) + j, dh.row(r) + j, columns);
    };
    gemm(on, MatrixRef<T>(dy), MatrixRef<T>(w),
         GemmOutput<T>::sum(dh.data(), dh.stride(), addend.data(), addend.stride()), shape, differentiate);
  }
  linear_backward_weights(on, dy, gelu_h, dw, db);
}

}  // namespace gt::ops

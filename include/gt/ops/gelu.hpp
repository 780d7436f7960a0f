// SPDX-License-Identifier: MIT
// GELU in its tanh form.
#pragma once

#include <cmath>
#include <complex>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/rows.hpp"

namespace gt {
namespace detail {
inline constexpr double gelu_scale = 0.7978845608028654;  // sqrt(2 / pi)
inline constexpr double gelu_cubic = 0.044715;
// sigmoid(2 u) with u = sqrt(2/pi) (x + 0.044715 x^3); (1 + tanh u) / 2 is the same number, from one exponential.
template <class T, class V>
V gelu_gate(V const& x) {
  using std::exp;
  V const u2 = x * (x * x * T(-2.0 * gelu_scale * gelu_cubic) + T(-2.0 * gelu_scale));
  return T(1) / (exp(u2) + T(1));
}
}  // namespace detail

/// y = x (1 + tanh(u)) / 2 = x sigmoid(2 u),   u = sqrt(2/pi) (x + 0.044715 x^3)
/// Shapes: x, y [M, F]; y may be x.   Source: Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2.
/// Equals torch.nn.functional.gelu(approximate="tanh").   The backward needs x.
template <Backend B, class T>
void gelu(B const& on, In<Matrix<T const>> x, Matrix<T> y) {
  check(same_shape(x, y), "gelu", "x and y must have one shape");
  auto const lane = on.template lane<T>();
  for_each_row(on, x.rows(), x.columns(), [&](std::int64_t i) {
    T const* const in = x.row(i);
    T* const out = y.row(i);
    lane.each(x.columns(), [=](auto j) {
      auto const v = lane.load(in, j);
      lane.store(out, j, v * detail::gelu_gate<T>(v));
    });
  });
}

/// dx = dy (s + x s (1 - s) 2 u'),   s = sigmoid(2 u),   u' = sqrt(2/pi) (1 + 3 * 0.044715 x^2)
/// Shapes: dy, x, dx [M, F]; dx may be dy.
template <Backend B, class T>
void gelu_backward(B const& on, In<Matrix<T const>> dy, In<Matrix<T const>> x, Matrix<T> dx) {
  check(same_shape(x, dy) && same_shape(x, dx), "gelu_backward", "x, dy and dx must have one shape");
  auto const lane = on.template lane<T>();
  for_each_row(on, x.rows(), x.columns(), [&](std::int64_t i) {
    T const *const in = x.row(i), *const d = dy.row(i);
    T* const out = dx.row(i);
    lane.each(x.columns(), [=](auto j) {
      auto const v = lane.load(in, j);
      auto const s = detail::gelu_gate<T>(v);
      auto const du2 = v * v * T(6.0 * detail::gelu_scale * detail::gelu_cubic) + T(2.0 * detail::gelu_scale);
      lane.store(out, j, lane.load(d, j) * (s + v * s * (T(1) - s) * du2));
    });
  });
}

}  // namespace gt

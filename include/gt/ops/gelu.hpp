// SPDX-License-Identifier: MIT
// GELU in its tanh form.
#pragma once

#include <cstdint>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/profile.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/rows.hpp"

namespace gt {
namespace detail {
inline constexpr double gelu_scale = 0.7978845608028654;                            // sqrt(2 / pi)
inline constexpr double gelu_cubic = 0.044715;                                      //
inline constexpr double gelu_exponent = -2.0 * gelu_scale * 1.4426950408889634074;  // for 2^x: e^(-2 u), by log2(e)

/// s = sigmoid(2 u), u = sqrt(2/pi) (x + 0.044715 x^3). (1 + tanh u) / 2 is the same number, from one exponential.
template <class Lane, class V>
V gelu_gate(Lane lane, V const& x) {
  using T = typename Lane::value_type;
  V const t = x * lane.fma(x * x, V(T(gelu_exponent * gelu_cubic)), V(T(gelu_exponent)));
  return V(T(1)) / (lane.exp2(t) + V(T(1)));
}
/// The derivative of x s:   s + x s (1 - s) 2 u',   u' = sqrt(2/pi) (1 + 3 * 0.044715 x^2)
template <class Lane, class V>
V gelu_slope(Lane lane, V const& x) {
  using T = typename Lane::value_type;
  V const s = gelu_gate(lane, x);
  V const du2 = lane.fma(x * x, V(T(6.0 * gelu_scale * gelu_cubic)), V(T(2.0 * gelu_scale)));
  return lane.fma(x * du2, s * (V(T(1)) - s), s);
}
/// y = gelu(x); y may be x.
template <class Lane, class T>
void gelu_row(Lane lane, T const* x, T* y, std::int64_t n) noexcept {
  lane.each(n, [=](auto j) {
    auto const v = lane.load(x, j);
    lane.store(y, j, v * gelu_gate(lane, v));
  });
}
/// dx = dy gelu'(x); dx may be dy.
template <class Lane, class T>
void gelu_backward_row(Lane lane, T const* dy, T const* x, T* dx, std::int64_t n) noexcept {
  lane.each(n, [=](auto j) { lane.store(dx, j, lane.load(dy, j) * gelu_slope(lane, lane.load(x, j))); });
}
}  // namespace detail

/// y = x (1 + tanh(u)) / 2 = x sigmoid(2 u),   u = sqrt(2/pi) (x + 0.044715 x^3)
/// Shapes: x, y [M, F]; y may be x.   Source: Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2.
/// Equals torch.nn.functional.gelu(approximate="tanh").   The backward needs x.
template <Backend B, class T>
void gelu(B const& on, In<Matrix<T const>> x, Matrix<T> y) {
  check(same_shape(x, y), "gelu", "x and y must have one shape");
  OpTimer const timer(on, "gelu", row_work<T>(x.size(), 25, 2));
  auto const lane = on.template lane<T>();
  for_each_row(on, x.rows(), x.columns(),
               [&](std::int64_t i) { detail::gelu_row(lane, x.row(i), y.row(i), x.columns()); });
}

/// dx = dy (s + x s (1 - s) 2 u'),   s = sigmoid(2 u),   u' = sqrt(2/pi) (1 + 3 * 0.044715 x^2)
/// Shapes: dy, x, dx [M, F]; dx may be dy.
template <Backend B, class T>
void gelu_backward(B const& on, In<Matrix<T const>> dy, In<Matrix<T const>> x, Matrix<T> dx) {
  check(same_shape(x, dy) && same_shape(x, dx), "gelu_backward", "x, dy and dx must have one shape");
  OpTimer const timer(on, "gelu_backward", row_work<T>(x.size(), 32, 3));
  auto const lane = on.template lane<T>();
  for_each_row(on, x.rows(), x.columns(),
               [&](std::int64_t i) { detail::gelu_backward_row(lane, dy.row(i), x.row(i), dx.row(i), x.columns()); });
}

}  // namespace gt

// SPDX-License-Identifier: MIT
// GELU, exactly and in its tanh form.
#pragma once

#include <cstdint>
#include <type_traits>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/profile.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/rows.hpp"

namespace gt::inline GT_ABI {

/// The two forms of GELU, which differ by at most 5e-4: x Phi(x), Phi the distribution function of N(0, 1), and the
/// approximation that GPT-2 uses.
enum class Gelu { tanh, erf };

}  // namespace gt

namespace gt::inline GT_ABI::ops {

namespace detail {
inline constexpr double gelu_scale = 0.7978845608028654;                            // sqrt(2 / pi)
inline constexpr double gelu_cubic = 0.044715;                                      //
inline constexpr double gelu_exponent = -2.0 * gelu_scale * 1.4426950408889634074;  // for 2^x: e^(-2 u), by log2(e)

/// y = x s. Tanh form: s = sigmoid(2 u), u = sqrt(2/pi) (x + 0.044715 x^3). (1 + tanh u) / 2 is the same number, from
/// one exponential. Exact form: s = Phi(x).
template <Gelu G, class Lane, class V>
V gelu_gate(Lane lane, V const& x) {
  using T = typename Lane::value_type;
  if constexpr (G == Gelu::erf) {
    return lane.normal_cdf(x);
  } else {
    V const t = x * lane.fma(x * x, V(T(gelu_exponent * gelu_cubic)), V(T(gelu_exponent)));
    return V(T(1)) / (lane.exp2(t) + V(T(1)));
  }
}
/// The derivative of x s. Tanh form: s + x s (1 - s) 2 u', u' = sqrt(2/pi) (1 + 3 * 0.044715 x^2). Exact form:
/// Phi(x) + x e^(-x^2 / 2) / sqrt(2 pi).
template <Gelu G, class Lane, class V>
V gelu_slope(Lane lane, V const& x) {
  using T = typename Lane::value_type;
  V const s = gelu_gate<G>(lane, x);
  if constexpr (G == Gelu::erf) {
    V const density = lane.exp2(x * x * V(T(-0.7213475204444817))) * V(T(gelu_scale / 2));  // log2(e) / 2
    return lane.fma(x, density, s);
  } else {
    V const du2 = lane.fma(x * x, V(T(6.0 * gelu_scale * gelu_cubic)), V(T(2.0 * gelu_scale)));
    return lane.fma(x * du2, s * (V(T(1)) - s), s);
  }
}
/// f with the form as a constant.
template <class F>
void with_gelu(Gelu form, F const& f) {
  if (form == Gelu::erf) return f(std::integral_constant<Gelu, Gelu::erf>{});
  f(std::integral_constant<Gelu, Gelu::tanh>{});
}
/// y = gelu(x); y may be x.
template <class Lane, class T>
void gelu_row(Lane lane, Gelu form, T const* x, T* y, std::int64_t n) noexcept {
  with_gelu(form, [=](auto g) {
    lane.each(n, [=](auto j) {
      auto const v = lane.load(x, j);
      lane.store(y, j, v * gelu_gate<decltype(g)::value>(lane, v));
    });
  });
}
/// dx = dy gelu'(x); dx may be dy.
template <class Lane, class T>
void gelu_backward_row(Lane lane, Gelu form, T const* dy, T const* x, T* dx, std::int64_t n) noexcept {
  with_gelu(form, [=](auto g) {
    lane.each(n, [=](auto j) {
      lane.store(dx, j, lane.load(dy, j) * gelu_slope<decltype(g)::value>(lane, lane.load(x, j)));
    });
  });
}
}  // namespace detail

/// y = x (1 + tanh(u)) / 2 = x sigmoid(2 u),   u = sqrt(2/pi) (x + 0.044715 x^3),   or exactly:   y = x Phi(x)
/// Shapes: x, y [M, F]; y may be x.   Source: Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2.
/// Equals torch.nn.functional.gelu(approximate="tanh"), or "none".   The backward needs x.
template <Backend B, class T>
void gelu(B const& on, In<Matrix<T const>> x, Matrix<T> y, Gelu form = Gelu::tanh) {
  check(same_shape(x, y), "gelu", "x and y must have one shape");
  Timer const timer(on, "gelu", row_work<T>(x.size(), 25, 2));
  auto const lane = on.template lane<T>();
  for_each_row(on, x.rows(), x.columns(),
               [&](std::int64_t i) { detail::gelu_row(lane, form, x.row(i), y.row(i), x.columns()); });
}

/// dx = dy (s + x s (1 - s) 2 u'),   s = sigmoid(2 u),   u' = sqrt(2/pi) (1 + 3 * 0.044715 x^2),   or exactly:
/// dx = dy (Phi(x) + x e^(-x^2 / 2) / sqrt(2 pi))
/// Shapes: dy, x, dx [M, F]; dx may be dy.
template <Backend B, class T>
void gelu_backward(B const& on, In<Matrix<T const>> dy, In<Matrix<T const>> x, Matrix<T> dx, Gelu form = Gelu::tanh) {
  check(same_shape(x, dy) && same_shape(x, dx), "gelu_backward", "x, dy and dx must have one shape");
  Timer const timer(on, "gelu_backward", row_work<T>(x.size(), 32, 3));
  auto const lane = on.template lane<T>();
  for_each_row(on, x.rows(), x.columns(), [&](std::int64_t i) {
    detail::gelu_backward_row(lane, form, dy.row(i), x.row(i), dx.row(i), x.columns());
  });
}

}  // namespace gt::ops

// SPDX-License-Identifier: MIT
// RMSNorm over the last dimension, with gain.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/profile.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/rows.hpp"

namespace gt::inline GT_ABI::ops {

namespace detail {
/// One row; y may be x. Returns r.
template <class Lane, class T>
T rms_norm_row(Lane lane, T const* x, T const* g, T* y, std::int64_t C, double eps) noexcept {
  using std::sqrt;
  T const mean_square = lane.sum(C, [=](auto j) {
    auto const v = lane.load(x, j);
    return v * v;
  }) * T(1.0 / static_cast<double>(C));
  T const r = T(1) / sqrt(mean_square + T(eps));
  lane.each(C, [=](auto j) { lane.store(y, j, lane.load(x, j) * r * lane.load(g, j)); });
  return r;
}

/// The operands of a backward pass; dx and residual may be null.
template <class T>
struct RmsNormGradient {
  Matrix<T const> dy, x, residual;
  Vector<T const> g, rstd;
  Matrix<T> dx;

  /// dx of row i, and, where Parameters, its terms of dg added to sum [C].
  template <bool Parameters, class Lane>
  void row(Lane lane, std::int64_t i, T* sum) const noexcept {
    std::int64_t const C = x.columns();
    T const *const dyr = dy.row(i), *const xr = x.row(i), *const gain = g.data();
    T const r = rstd[i];
    T const t = lane.sum(C, [=](auto j) {
      auto const d = lane.load(dyr, j), xhat = lane.load(xr, j) * r;
      if constexpr (Parameters) lane.store(sum, j, lane.fma(d, xhat, lane.load(sum, j)));
      return lane.load(gain, j) * d * xhat;
    });
    if (!dx) return;
    T const c = -t * T(1.0 / static_cast<double>(C));
    T const* const bypass = residual ? residual.row(i) : nullptr;
    T* const out = dx.row(i);
    lane.each(C, [=](auto j) {
      using Lanes = decltype(lane.load(xr, j));
      Lanes const e = lane.fma(lane.load(gain, j), lane.load(dyr, j), Lanes(lane.load(xr, j) * r * c));
      lane.store(out, j, bypass ? lane.fma(e, Lanes(r), lane.load(bypass, j)) : Lanes(e * r));
    });
  }
};
}  // namespace detail

/// y = x r g row by row,   r = 1 / sqrt(mean(x^2) + eps)
/// Shapes: x, y [M, C], g [C], rstd [M] (r, saved for the backward); y may be x.
/// Source: Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4.   Equals torch.nn.functional.rms_norm.
template <Backend B, class T>
void rms_norm(B const& on, In<Matrix<T const>> x, In<Vector<T const>> g, Matrix<T> y, Vector<T> rstd, double eps) {
  std::int64_t const C = x.columns();
  check(same_shape(x, y) && g.extent(0) == C, "rms_norm", "x and y must be [M, C], the gain [C] (got C ", C, ", ",
        y.columns(), ", ", g.extent(0), ")");
  check(rstd.extent(0) == x.rows(), "rms_norm", "rstd must be [M] (got M ", x.rows(), ", ", rstd.extent(0), ")");
  Timer const timer(on, "rms_norm", row_work<T>(x.size(), 5, 2));
  auto const lane = on.template lane<T>();
  for_each_row(on, x.rows(), C,
               [&](std::int64_t i) { rstd[i] = detail::rms_norm_row(lane, x.row(i), g.data(), y.row(i), C, eps); });
}

/// dx = r (g dy - xhat mean(g dy xhat)),   dg += sum dy xhat,   xhat = x r
/// Shapes: dy, x, dx, residual [M, C], g, dg [C], rstd [M]. dx and dg may be null. dx may be dy. Where `residual` is
/// given, it is added to dx: the gradient that bypasses the norm on the residual stream; dx may be residual as well.
template <Backend B, class T>
void rms_norm_backward(B const& on, In<Matrix<T const>> dy, In<Matrix<T const>> x, In<Vector<T const>> g,
                       In<Vector<T const>> rstd, In<Matrix<T const>> residual, Matrix<T> dx, Vector<T> dg) {
  std::int64_t const M = x.rows(), C = x.columns();
  check(same_shape(dy, x) && (!dx || same_shape(dx, x)) && (!residual || same_shape(residual, x)), "rms_norm_backward",
        "dy, x, dx and residual must have one shape (got widths ", dy.columns(), ", ", C, ", ", dx.columns(), ", ",
        residual.columns(), ")");
  check(g.extent(0) == C && (!dg || dg.extent(0) == C) && rstd.extent(0) == M, "rms_norm_backward",
        "gain and its gradient must be [C], rstd [M]");
  Timer const timer(on, "rms_norm_backward", row_work<T>(x.size(), 11, residual ? 4 : 3));
  auto const lane = on.template lane<T>();
  detail::RmsNormGradient<T> const of{dy, x, residual, g, rstd, dx};
  if (!dg) {
    if (dx) for_each_row(on, M, C, [&](std::int64_t i) { of.template row<false>(lane, i, nullptr); });
    return;
  }
  sum_over_rows(
      on, M, C, [&](std::int64_t i, T* sum) { of.template row<true>(lane, i, sum); }, dg.data());
}

}  // namespace gt::ops

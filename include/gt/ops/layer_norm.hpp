// SPDX-License-Identifier: MIT
// LayerNorm over the last dimension, with gain and bias.
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

/// One row:  y = (x - m) r g + b,   m = mean(x),   r = 1 / sqrt(mean((x - m)^2) + eps)
/// Shapes: x, y, g, b [C].   Source: Ba, Kiros & Hinton 2016, arXiv:1607.06450, eq. 4.   Returns m and r.
template <class Lane, class T>
void layer_norm_row(Lane lane, T const* x, T const* g, T const* b, T* y, std::int64_t C, double eps, T* mean,
                    T* rstd) noexcept {
  using std::sqrt;
  T const share = T(1.0 / static_cast<double>(C));
  T const m = lane.sum(C, [=](auto j) { return lane.load(x, j); }) * share;
  T const variance = lane.sum(C, [=](auto j) {
    auto const d = lane.load(x, j) - m;
    return d * d;
  }) * share;
  T const r = T(1) / sqrt(variance + T(eps));
  lane.each(C,
            [=](auto j) { lane.store(y, j, lane.fma((lane.load(x, j) - m) * r, lane.load(g, j), lane.load(b, j))); });
  *mean = m;
  *rstd = r;
}

namespace detail {
// Rows up to this width are normalised in pairs.
inline constexpr std::int64_t narrow_row = 256;

/// The same for rows i and k of narrow matrices: the machine adds the elements of one while it waits for the sum of the
/// other. i may be k, y may be x.
template <class Lane, class T>
void layer_norm_two_rows(Lane lane, std::int64_t i, std::int64_t k, Matrix<T const> x, T const* g, T const* b,
                         Matrix<T> y, double eps, T* mean, T* rstd) noexcept {
  using std::sqrt;
  std::int64_t const C = x.columns();
  T const share = T(1.0 / static_cast<double>(C));
  T const *const xi = x.row(i), *const xk = x.row(k);
  T *const yi = y.row(i), *const yk = y.row(k);
  auto const sums = lane.sum_pair(C, [=](auto j, auto& of_i, auto& of_k) {
    of_i = of_i + lane.load(xi, j);
    of_k = of_k + lane.load(xk, j);
  });
  T const mi = sums[0] * share, mk = sums[1] * share;
  auto const squares = lane.sum_pair(C, [=](auto j, auto& of_i, auto& of_k) {
    auto const di = lane.load(xi, j) - mi, dk = lane.load(xk, j) - mk;
    of_i = lane.fma(di, di, of_i);
    of_k = lane.fma(dk, dk, of_k);
  });
  T const ri = T(1) / sqrt(squares[0] * share + T(eps)), rk = T(1) / sqrt(squares[1] * share + T(eps));
  lane.each(C, [=](auto j) {
    auto const gj = lane.load(g, j), bj = lane.load(b, j);
    auto const hi = (lane.load(xi, j) - mi) * ri, hk = (lane.load(xk, j) - mk) * rk;  // before either row is written
    lane.store(yi, j, lane.fma(hi, gj, bj));
    lane.store(yk, j, lane.fma(hk, gj, bj));
  });
  mean[i] = mi, rstd[i] = ri;
  mean[k] = mk, rstd[k] = rk;
}
}  // namespace detail

/// y = layer_norm(x) row by row.
/// Shapes: x, y [M, C], g, b [C], mean, rstd [M] (saved for the backward).   Equals torch.nn.functional.layer_norm.
template <Backend B, class T>
void layer_norm(B const& on, In<Matrix<T const>> x, In<Vector<T const>> g, In<Vector<T const>> b, Matrix<T> y,
                Vector<T> mean, Vector<T> rstd, double eps) {
  std::int64_t const C = x.columns();
  check(y.rows() == x.rows() && y.columns() == C && g.extent(0) == C && b.extent(0) == C, "layer_norm",
        "x and y must be [M, C], gain and bias [C] (got C ", C, ", ", y.columns(), ", ", g.extent(0), ", ", b.extent(0),
        ")");
  check(mean.extent(0) == x.rows() && rstd.extent(0) == x.rows(), "layer_norm", "mean and rstd must be [M] (got M ",
        x.rows(), ", ", mean.extent(0), ", ", rstd.extent(0), ")");
  Timer const timer(on, "layer_norm", row_work<T>(x.size(), 8, 2));
  auto const lane = on.template lane<T>();
  T const *const gain = g.data(), *const bias = b.data();
  T *const m = mean.data(), *const r = rstd.data();
  if (C > detail::narrow_row) {
    for_each_row(on, x.rows(), C,
                 [&](std::int64_t i) { layer_norm_row(lane, x.row(i), gain, bias, y.row(i), C, eps, m + i, r + i); });
    return;
  }
  // A last row without a partner is its own.
  for_each_row(on, (x.rows() + 1) / 2, 2 * C, [&](std::int64_t pair) {
    std::int64_t const i = 2 * pair, k = std::min(i + 1, x.rows() - 1);
    detail::layer_norm_two_rows(lane, i, k, x, gain, bias, y, eps, m, r);
  });
}

namespace detail {
/// The operands of a backward pass; dx and residual may be null.
template <class T>
struct LayerNormGradient {
  Matrix<T const> dy, x, residual;
  Vector<T const> g, mean, rstd;
  Matrix<T> dx;

  /// dx of row i, and, where Parameters, its terms added to sum [2, C]: those of dg, and those of db. One pass makes
  /// all of the sums, one dx.
  template <bool Parameters, class Lane>
  void row(Lane lane, std::int64_t i, T* sum) const noexcept {
    std::int64_t const C = x.columns();
    T const *const dyr = dy.row(i), *const xr = x.row(i), *const gain = g.data();
    T const m = mean[i], r = rstd[i], share = T(1.0 / static_cast<double>(C));
    auto const [s, t] = lane.sum_pair(C, [=](auto j, auto& of_gdy, auto& of_gdy_xhat) {
      auto const d = lane.load(dyr, j), xhat = (lane.load(xr, j) - m) * r, gd = lane.load(gain, j) * d;
      of_gdy = of_gdy + gd;
      of_gdy_xhat = lane.fma(gd, xhat, of_gdy_xhat);
      if constexpr (Parameters) {
        lane.store(sum, j, lane.fma(d, xhat, lane.load(sum, j)));
        lane.store(sum + C, j, lane.load(sum + C, j) + d);
      }
    });
    if (!dx) return;
    T const a = -s * share, c = -t * share;
    T const* const bypass = residual ? residual.row(i) : nullptr;
    T* const out = dx.row(i);
    lane.each(C, [=](auto j) {
      using Lanes = decltype(lane.load(xr, j));
      Lanes const xhat = (lane.load(xr, j) - m) * r;
      Lanes const e = lane.fma(lane.load(gain, j), lane.load(dyr, j), lane.fma(xhat, Lanes(c), Lanes(a)));
      lane.store(out, j, bypass ? lane.fma(e, Lanes(r), lane.load(bypass, j)) : Lanes(e * r));
    });
  }
};
}  // namespace detail

/// dx = r (g dy - mean(g dy) - xhat mean(g dy xhat)),   dg += sum dy xhat,   db += sum dy,   xhat = (x - m) r
/// Shapes: dy, x, dx, residual [M, C], dg, db [C]. dg and db may be null. dx may be dy. Where `residual` is given, it
/// is added to dx: the gradient that bypasses the norm on the residual stream; dx may be residual as well.
template <Backend B, class T>
void layer_norm_backward(B const& on, In<Matrix<T const>> dy, In<Matrix<T const>> x, In<Vector<T const>> g,
                         In<Vector<T const>> mean, In<Vector<T const>> rstd, In<Matrix<T const>> residual, Matrix<T> dx,
                         Vector<T> dg, Vector<T> db) {
  std::int64_t const M = x.rows(), C = x.columns();
  check(same_shape(dy, x) && (!dx || same_shape(dx, x)) && (!residual || same_shape(residual, x)),
        "layer_norm_backward", "dy, x, dx and residual must have one shape (got widths ", dy.columns(), ", ", C, ", ",
        dx.columns(), ", ", residual.columns(), ")");
  check(g.extent(0) == C && (!dg || dg.extent(0) == C) && (!db || db.extent(0) == C) && mean.extent(0) == M &&
            rstd.extent(0) == M,
        "layer_norm_backward", "gain and its gradients must be [C], mean and rstd [M]");
  Timer const timer(on, "layer_norm_backward", row_work<T>(x.size(), 16, residual ? 4 : 3));
  auto const lane = on.template lane<T>();
  detail::LayerNormGradient<T> const of{dy, x, residual, g, mean, rstd, dx};
  if (!dg && !db) {
    if (dx) for_each_row(on, M, C, [&](std::int64_t i) { of.template row<false>(lane, i, nullptr); });
    return;
  }
  T* const total = on.template scratch<T>(scratch_row, 2 * C);
  std::fill_n(total, 2 * C, T{});
  auto const add = [&](std::int64_t i, std::int64_t end, T* sum) {
    for (; i < end; ++i) of.template row<true>(lane, i, sum);
  };
  sum_over_runs(on, M, 2 * C, add, total);
  for (std::int64_t j = 0; j < C; ++j) {
    if (dg) dg[j] += total[j];
    if (db) db[j] += total[C + j];
  }
}

}  // namespace gt::ops

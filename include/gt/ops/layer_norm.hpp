// SPDX-License-Identifier: MIT
// LayerNorm over the last dimension, with gain and bias.
#pragma once

#include <cmath>
#include <complex>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/rows.hpp"

namespace gt {

/// One row:  y = (x - m) r g + b,   m = mean(x),   r = 1 / sqrt(mean((x - m)^2) + eps)
/// Shapes: x, y, g, b [C].   Source: Ba, Kiros & Hinton 2016, arXiv:1607.06450, eq. 4.   Returns m and r.
template <class Lane, class T>
void layer_norm_row(Lane lane, T const* x, T const* g, T const* b, T* y, std::int64_t C, double eps, T* mean, T* rstd) {
  using std::sqrt;
  T const m = lane.sum(C, [=](auto i) { return lane.load(x, i); }) / T(static_cast<double>(C));
  T const variance = lane.sum(C, [=](auto i) {
    auto const d = lane.load(x, i) - m;
    return d * d;
  }) / T(static_cast<double>(C));
  T const r = T(1) / sqrt(variance + T(eps));
  lane.each(C, [=](auto i) { lane.store(y, i, (lane.load(x, i) - m) * r * lane.load(g, i) + lane.load(b, i)); });
  *mean = m;
  *rstd = r;
}

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
  auto const lane = on.template lane<T>();
  for_each_row(on, x.rows(), C, [&](std::int64_t i) {
    layer_norm_row(lane, x.row(i), g.data(), b.data(), y.row(i), C, eps, mean.data() + i, rstd.data() + i);
  });
}

/// dx = r (g dy - mean(g dy) - xhat mean(g dy xhat)),   dg += sum dy xhat,   db += sum dy,   xhat = (x - m) r
/// Shapes: dy, x, dx, residual [M, C], dg, db [C]. dg and db may be null. dx may be dy. Where `residual` is given, it
/// is added to dx: the gradient that bypasses the norm on the residual stream; dx may be residual as well.
template <Backend B, class T>
void layer_norm_backward(B const& on, In<Matrix<T const>> dy, In<Matrix<T const>> x, In<Vector<T const>> g,
                         In<Vector<T const>> mean, In<Vector<T const>> rstd, In<Matrix<T const>> residual, Matrix<T> dx,
                         Vector<T> dg, Vector<T> db) {
  std::int64_t const C = x.columns();
  check(same_shape(dy, x) && (!dx || same_shape(dx, x)) && (!residual || same_shape(residual, x)),
        "layer_norm_backward", "dy, x, dx and residual must have one shape (got widths ", dy.columns(), ", ", C, ", ",
        dx.columns(), ", ", residual.columns(), ")");
  check(g.extent(0) == C && (!dg || dg.extent(0) == C) && (!db || db.extent(0) == C) && mean.extent(0) == x.rows() &&
            rstd.extent(0) == x.rows(),
        "layer_norm_backward", "gain and its gradients must be [C], mean and rstd [M]");
  auto const lane = on.template lane<T>();
  if (dg || db) {
    // Gain and bias share one pass: the partial sums are [2, C].
    auto const add = [&](std::int64_t i, T* sum) {
      T const *const dyr = dy.row(i), *const xr = x.row(i);
      T const m = mean[i], r = rstd[i];
      lane.each(C, [&](auto j) {
        auto const d = lane.load(dyr, j);
        lane.store(sum, j, lane.load(sum, j) + d * ((lane.load(xr, j) - m) * r));
        lane.store(sum + C, j, lane.load(sum + C, j) + d);
      });
    };
    T* const total = on.template scratch<T>(scratch_row, 2 * C);
    std::fill_n(total, 2 * C, T{});
    sum_over_rows(on, x.rows(), 2 * C, add, total);
    for (std::int64_t j = 0; j < C; ++j) {
      if (dg) dg[j] += total[j];
      if (db) db[j] += total[C + j];
    }
  }
  if (!dx) return;
  for_each_row(on, x.rows(), C, [&](std::int64_t i) {
    T const *const dyr = dy.row(i), *const xr = x.row(i);
    T* const out = dx.row(i);
    T const *const gain = g.data(), *const bypass = residual ? residual.row(i) : nullptr;
    T const m = mean[i], r = rstd[i], n = T(static_cast<double>(C));
    T const a = lane.sum(C, [=](auto j) { return lane.load(gain, j) * lane.load(dyr, j); }) / n;
    T const c =
        lane.sum(C, [=](auto j) { return lane.load(gain, j) * lane.load(dyr, j) * ((lane.load(xr, j) - m) * r); }) / n;
    lane.each(C, [=](auto j) {
      auto const xhat = (lane.load(xr, j) - m) * r;
      auto d = (lane.load(gain, j) * lane.load(dyr, j) - a - xhat * c) * r;
      if (bypass) d = d + lane.load(bypass, j);
      lane.store(out, j, d);
    });
  });
}

}  // namespace gt

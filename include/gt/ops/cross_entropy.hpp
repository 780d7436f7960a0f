// SPDX-License-Identifier: MIT
// The output head fused with cross-entropy: logits exist for a few rows at a time, never for the whole batch.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/matrix_ref.hpp"
#include "gt/core/scalar.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/linear.hpp"
#include "gt/ops/rows.hpp"

namespace gt {

inline constexpr std::int32_t no_target = -1;  ///< a position that has no target: its loss and its gradient are zero

namespace detail {
// Rows of logits held at once: about four million numbers, whatever B, T and V are.
constexpr std::int64_t logit_rows(std::int64_t V) {
  return std::max<std::int64_t>(8, (std::int64_t{4} << 20) / std::max<std::int64_t>(1, V));
}

/// -log softmax(z)_target; z becomes its gradient, `scale` (softmax(z) - onehot(target)), where `scale` is not zero.
template <class Lane, class T>
T cross_entropy_row(Lane lane, T* z, std::int64_t V, std::int32_t target, T scale) {
  using std::exp;
  using std::log;
  if (target == no_target) {
    std::fill_n(z, V, T{});
    return T{};
  }
  T const m = T(real_part(lane.max(V, [=](auto j) { return lane.load(z, j); })));
  T const z_target = z[target];
  T const sum = lane.sum(V, [=](auto j) {
    auto const e = exp(lane.load(z, j) - m);
    lane.store(z, j, e);
    return e;
  });
  if (scale != T{}) {
    T const r = scale / sum;
    lane.each(V, [=](auto j) { lane.store(z, j, lane.load(z, j) * r); });
    z[target] -= scale;
  }
  return m + log(sum) - z_target;
}
}  // namespace detail

/// nll_i = -log softmax(W x_i + b)[target_i], and where `scale` is not zero, with d_i = scale dnll_i:
///   dx = dlogits W,   dW += dlogits^T x,   db += sum over rows of dlogits
/// Shapes: x, dx [M, C], w, dw [V, C], b, db [V] or null, targets [M] (or `no_target`), nll [M].
/// dw, db and dx may be null. Equals torch.nn.functional.cross_entropy(linear(x, w, b), targets, reduction="none").
/// Memory: about 4M numbers beside its arguments.   Errors: a target outside 0 ... V - 1.
template <Backend B, class T>
void head_cross_entropy(B const& on, In<Matrix<T const>> x, In<Matrix<T const>> w, In<Vector<T const>> b,
                        In<Vector<std::int32_t const>> targets, Vector<T> nll, In<T> scale, Matrix<T> dx, Matrix<T> dw,
                        Vector<T> db) {
  std::int64_t const M = x.rows(), V = w.rows();
  check(x.columns() == w.columns() && targets.extent(0) == M && nll.extent(0) == M, "head_cross_entropy",
        "x [M, C], w [V, C], targets [M] and nll [M] must fit");
  check((!dx || same_shape(dx, x)) && (!dw || same_shape(dw, w)) && (!db || db.extent(0) == V), "head_cross_entropy",
        "dx, dw and db must have the shapes of x, w and the bias");
  for (std::int64_t i = 0; i < M; ++i) {
    check(targets[i] == no_target || (targets[i] >= 0 && targets[i] < V), "head_cross_entropy",
          "targets must lie in 0 ... ", V - 1, " (got ", targets[i], ")");
  }
  std::int64_t const each = std::min(M, detail::logit_rows(V));
  Matrix<T> const logits(on.template scratch<T>(scratch_logits, each * V), each, V);
  auto const lane = on.template lane<T>();
  for (std::int64_t first = 0; first < M; first += each) {
    std::int64_t const rows = std::min(each, M - first);
    auto const z = logits.rows(0, rows);
    auto const xs = x.rows(first, rows);
    linear(on, xs, w, b, z);
    for_each_row(on, rows, V, [&](std::int64_t i) {
      nll[first + i] = detail::cross_entropy_row(lane, z.row(i), V, targets[first + i], scale);
    });
    if (scale != T{}) linear_backward(on, z, xs, w, dx ? dx.rows(first, rows) : dx, dw, db);
  }
}

}  // namespace gt

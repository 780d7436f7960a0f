// SPDX-License-Identifier: MIT
// The output head fused with cross-entropy: logits exist for a few rows at a time, never for the whole batch.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/matrix_ref.hpp"
#include "gt/core/profile.hpp"
#include "gt/core/scalar.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/rows.hpp"

namespace gt::inline GT_ABI {

inline constexpr std::int32_t no_target = -1;  ///< a position that has no target: its loss and its gradient are zero

}  // namespace gt

namespace gt::inline GT_ABI::ops {

namespace detail {
// Rows of logits held at once, whatever B and T are: enough that W is packed, and its gradient read and written, few
// times; four million numbers or, where V is large, up to 32 million.
constexpr std::int64_t logit_rows(std::int64_t V) {
  constexpr std::int64_t few = std::int64_t{4} << 20, many = std::int64_t{32} << 20, rows = 512;
  V = std::max<std::int64_t>(1, V);
  return std::max<std::int64_t>({8, few / V, std::min(rows, many / V)});
}

/// What `products` of the M, V, C products of the head do; each reads and writes W or x once.
template <class T>
Work head_work(std::int64_t M, std::int64_t V, std::int64_t C, int products) {
  auto const m = static_cast<double>(M), v = static_cast<double>(V), c = static_cast<double>(C);
  return {products * 2 * m * v * c, products * static_cast<double>(sizeof(T)) * (m + v) * c};
}

/// -log softmax(z)_target; z becomes its gradient, `scale` (softmax(z) - onehot(target)), unless `scale` is zero.
template <class Lane, class T>
T cross_entropy_row(Lane lane, T* z, std::int64_t V, std::int32_t target, T scale) noexcept {
  using std::log;
  if (target == no_target) {
    std::fill_n(z, V, T{});
    return T{};
  }
  T const m = T(real_part(lane.max(V, [=](auto j) { return lane.load(z, j); })));
  T const z_target = z[target];
  T const sum = lane.sum(V, [=](auto j) {
    auto const e = lane.exp(lane.load(z, j) - m);
    if (scale != T{}) lane.store(z, j, e);
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
/// Memory: 4M to 32M numbers beside its arguments, by V alone.   Errors: a target outside 0 ... V - 1.
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
  check(!b || b.extent(0) == V, "head_cross_entropy", "the bias must have V elements (got ", b.extent(0), ")");
  std::int64_t const C = w.columns(), each = std::min(M, detail::logit_rows(V));
  bool const backward = scale != T{};
  Timer const timer(on, "head_cross_entropy", detail::head_work<T>(M, V, C, 1 + (backward && dx) + (backward && dw)));
  Matrix<T> const logits(on.template scratch<T>(scratch_logits, each * V), each, V);
  auto const lane = on.template lane<T>();
  for (std::int64_t first = 0; first < M; first += each) {
    std::int64_t const rows = std::min(each, M - first);
    Matrix<T const> const xs = x.rows(first, rows);
    Matrix<T> const z = logits.rows(0, rows);
    gemm(on, MatrixRef<T>(xs), MatrixRef<T>(w).transposed(), GemmOutput<T>{z.data(), V, false, b.data()},
         GemmShape{rows, V, C});
    for_each_row(on, rows, V, [&](std::int64_t i) {
      nll[first + i] = detail::cross_entropy_row(lane, z.row(i), V, targets[first + i], scale);
    });
    if (!backward) continue;
    if (dx) {
      Matrix<T> const d = dx.rows(first, rows);
      gemm(on, MatrixRef<T>(z), MatrixRef<T>(w), GemmOutput<T>{d.data(), d.stride()}, GemmShape{rows, C, V});
    }
    if (dw) {
      gemm(on, MatrixRef<T>(z).transposed(), MatrixRef<T>(xs), GemmOutput<T>{dw.data(), dw.stride(), true},
           GemmShape{V, C, rows});
    }
    if (db) add_rows<B, T>(on, z, db.data());
  }
}

}  // namespace gt::ops

// SPDX-License-Identifier: MIT
// Embedding lookup from a frozen table, lifted to the width of the model.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/profile.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/rows.hpp"

namespace gt::inline GT_ABI::ops {

namespace detail {
/// out[j * Lift + k] = row[j], j < n, k < Lift. B tells apart what translation units compile for different instruction
/// sets.
template <std::int64_t Lift, Backend B, class T>
void repeat_each(B const&, T const* row, T* out, std::int64_t n) noexcept {
  for (std::int64_t j = 0; j < n; ++j) {
    for (std::int64_t k = 0; k < Lift; ++k) out[j * Lift + k] = row[j];
  }
}
}  // namespace detail

/// y[i, c] = table[id_i, c / lift],   lift = C / n
/// Shapes: table [V, n], ids [M], y [M, C]. Each component is repeated `lift` times in a row (repeat_interleave).
/// Source: arXiv:2507.07129, the author's lift of narrow tables.   Backward: `embedding_backward`, where a table
/// trains. Errors: an id outside 0 ... V - 1, a table width that does not divide C.
template <Backend B, class T>
void embedding(B const& on, In<Matrix<T const>> table, In<Vector<std::int32_t const>> ids, Matrix<T> y) {
  std::int64_t const n = table.columns(), C = y.columns(), V = table.rows();
  check(n > 0 && C % n == 0, "embedding", "the table's width must divide the model's (got ", n, " and ", C, ")");
  check(ids.extent(0) == y.rows(), "embedding", "there must be one row for each id (got ", ids.extent(0), " and ",
        y.rows(), ")");
  for (std::int64_t i = 0; i < ids.extent(0); ++i) {
    check(ids[i] >= 0 && ids[i] < V, "embedding", "ids must lie in 0 ... ", V - 1, " (got ", ids[i], ")");
  }
  std::int64_t const lift = C / n;
  Timer const timer(on, "embedding", row_work<T>(y.size(), 0, 1.0 + 1.0 / static_cast<double>(lift)));
  auto const lane = on.template lane<T>();
  for_each_row(on, y.rows(), C, [&](std::int64_t i) {
    T const* const row = table.row(ids[i]);
    T* const out = y.row(i);
    if (lift == 1) return lane.each(C, [=](auto j) { lane.store(out, j, lane.load(row, j)); });
    if (lift == 2) return detail::repeat_each<2>(on, row, out, n);
    if (lift == 4) return detail::repeat_each<4>(on, row, out, n);
    if (lift == 8) return detail::repeat_each<8>(on, row, out, n);
    if (lift == 16) return detail::repeat_each<16>(on, row, out, n);
    for (std::int64_t j = 0; j < n; ++j) {
      T* const lifted = out + j * lift;
      lane.each(lift, [=](auto k) { lane.store(lifted, k, decltype(lane.load(row, k))(row[j])); });
    }
  });
}

/// dtable[v, j] += sum of dy[i, j lift + k] over the rows i with id_i = v and k < lift,   lift = C / n
/// Shapes: dy [M, C], ids [M], dtable [V, n]. Rows are added in their order: the result does not depend on threads.
/// Equals torch.nn.functional.embedding's backward, after that of repeat_interleave.   Errors: as of `embedding`.
template <Backend B, class T>
void embedding_backward(B const& on, In<Matrix<T const>> dy, In<Vector<std::int32_t const>> ids, Matrix<T> dtable) {
  std::int64_t const n = dtable.columns(), C = dy.columns();
  check(n > 0 && C % n == 0 && ids.extent(0) == dy.rows(), "embedding_backward",
        "dy [M, C], ids [M] and the table [V, n] must fit, with n a divisor of C (got [", dy.rows(), ", ", C, "], ",
        ids.extent(0), " ids and [", dtable.rows(), ", ", n, "])");
  for (std::int64_t i = 0; i < ids.extent(0); ++i) {
    check(ids[i] >= 0 && ids[i] < dtable.rows(), "embedding_backward", "ids must lie in 0 ... ", dtable.rows() - 1,
          " (got ", ids[i], ")");
  }
  std::int64_t const lift = C / n, each = 64, jobs = (n + each - 1) / each;  // columns of the table, cut by shape
  Timer const timer(on, "embedding_backward", row_work<T>(dy.size(), 1, 1.0 + 2.0 / static_cast<double>(lift)));
  on.parallel_for(jobs, [&](std::int64_t job) {
    std::int64_t const first = job * each, last = std::min(n, first + each);
    for (std::int64_t i = 0; i < dy.rows(); ++i) {
      T* const row = dtable.row(ids[i]);
      for (std::int64_t j = first; j < last; ++j) {
        T sum = row[j];
        for (std::int64_t k = 0; k < lift; ++k) sum += dy.row(i)[j * lift + k];
        row[j] = sum;
      }
    }
  });
}

}  // namespace gt::ops

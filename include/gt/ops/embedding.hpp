// SPDX-License-Identifier: MIT
// Embedding lookup from a frozen table, lifted to the width of the model.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/rows.hpp"

namespace gt {

/// y[i, c] = table[id_i, c / lift],   lift = C / n
/// Shapes: table [V, n], ids [M], y [M, C]. Each component is repeated `lift` times in a row (repeat_interleave).
/// Source: arXiv:2507.07129, the author's lift of narrow tables.   No backward: the table is frozen.
/// Errors: an id outside 0 ... V - 1, a table width that does not divide C.
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
  for_each_row(on, y.rows(), C, [&](std::int64_t i) {
    T const* const row = table.row(ids[i]);
    T* out = y.row(i);
    if (lift == 1) {
      std::copy_n(row, C, out);
    } else {
      for (std::int64_t j = 0; j < n; ++j, out += lift) std::fill_n(out, lift, row[j]);
    }
  });
}

}  // namespace gt

// SPDX-License-Identifier: MIT
// The sum on the residual stream.
#pragma once

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/profile.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/rows.hpp"

namespace gt::inline GT_ABI::ops {

/// z = x + y
/// Shapes: x, y, z [M, C]; z may be x or y.   Backward: dx = dy = dz, so it needs no op of its own.
template <Backend B, class T>
void residual_add(B const& on, In<Matrix<T const>> x, In<Matrix<T const>> y, Matrix<T> z) {
  check(same_shape(x, y) && same_shape(x, z), "residual_add", "x, y and z must have one shape");
  Timer const timer(on, "residual_add", row_work<T>(x.size(), 1, 3));
  auto const lane = on.template lane<T>();
  for_each_row(on, x.rows(), x.columns(), [&](std::int64_t i) {
    T const *const a = x.row(i), *const b = y.row(i);
    T* const out = z.row(i);
    lane.each(x.columns(), [=](auto j) { lane.store(out, j, lane.load(a, j) + lane.load(b, j)); });
  });
}

}  // namespace gt::ops

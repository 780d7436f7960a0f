// SPDX-License-Identifier: MIT
// Rotary position embedding with half-split pairs.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/profile.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/rows.hpp"

namespace gt::inline GT_ABI::ops {

/// cos and sin of t * base^(-2 i / D) for positions t < positions and pairs i < D / 2, computed in double.
template <class T>
struct RopeTable {
  std::int64_t positions = 0;  ///< the longest context
  std::int64_t half = 0;       ///< D / 2
  Buffer<T> cos, sin;          ///< [positions, D / 2]

  RopeTable() = default;
  /// Errors: an odd head width.
  RopeTable(std::int64_t count, std::int64_t d_head, double base)
      : positions{count}, half{d_head / 2}, cos(count * half), sin(count * half) {
    check(d_head > 0 && d_head % 2 == 0, "RopeTable", "the head width must be even (got ", d_head, ")");
    for (std::int64_t t = 0; t < positions; ++t) {
      for (std::int64_t i = 0; i < half; ++i) {
        double const angle =
            static_cast<double>(t) * std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(d_head));
        cos[t * half + i] = T(static_cast<T>(std::cos(angle)));
        sin[t * half + i] = T(static_cast<T>(std::sin(angle)));
      }
    }
  }
};

/// By the angle, or back by it.
enum class Rotation { forward, backward };

namespace detail {
/// Turns the pairs of all heads of a row of `width` elements by cosines and sines [half]. Registers are no wider than
/// half a head, if there are such. B tells apart what translation units compile for different instruction sets.
template <Backend B, class Lane, class T>
void rope_row(Lane lane, T* row, std::int64_t width, T const* cosines, T const* sines, std::int64_t half,
              T sign) noexcept {
  using Narrower = typename Lane::Narrower;
  if constexpr (!std::is_same_v<Narrower, Lane>) {
    if (half < Lane::width) return rope_row<B>(Narrower{}, row, width, cosines, sines, half, sign);
  }
  for (std::int64_t at = 0; at < width; at += 2 * half) {
    T *const first = row + at, *const second = first + half;
    lane.each(half, [=](auto j) {
      auto const a = lane.load(first, j), b = lane.load(second, j);
      auto const c = lane.load(cosines, j), s = lane.load(sines, j) * sign;
      lane.store(first, j, a * c - b * s);
      lane.store(second, j, b * c + a * s);
    });
  }
}
}  // namespace detail

/// Rotates, in place, each pair (x_i, x_{i + D/2}) of every head by its position's angle:
///   x_i <- x_i cos - x_{i+D/2} sin,   x_{i+D/2} <- x_{i+D/2} cos + x_i sin;   the backward turns the other way.
/// Shapes: x [B * T, H * D], row b * T + t at position first + t.
/// Source: Su et al. 2021, arXiv:2104.09864, eq. 34, in the half-split pairing of GPT-NeoX.
template <Backend B, class T>
void rope(B const& on, Matrix<T> x, RopeTable<T> const& table, std::int64_t tokens, std::int64_t first, Rotation turn) {
  std::int64_t const half = table.half;
  check(half > 0 && x.columns() % (2 * half) == 0, "rope", "the width must be a multiple of the head width (got ",
        x.columns(), " and ", 2 * half, ")");
  check(tokens > 0 && x.rows() % tokens == 0, "rope", "the rows must be whole sequences (got ", x.rows(), " rows of ",
        tokens, " tokens)");
  check(first >= 0 && first + tokens <= table.positions, "rope", "positions must lie in the context of ",
        table.positions, " tokens (got ", first, " to ", first + tokens, ")");
  Timer const timer(on, "rope", row_work<T>(x.size(), 3, 2));
  auto const lane = on.template lane<T>();
  T const sign = turn == Rotation::forward ? T(1) : T(-1);
  for_each_row(on, x.rows(), x.columns(), [&](std::int64_t i) {
    std::int64_t const at = (first + i % tokens) * half;
    detail::rope_row<B>(lane, x.row(i), x.columns(), table.cos.data() + at, table.sin.data() + at, half, sign);
  });
}

}  // namespace gt::ops

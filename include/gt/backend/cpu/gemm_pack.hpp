// SPDX-License-Identifier: MIT
// Operands of a matrix product in the order in which the micro-kernel reads them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/panel.hpp"
#include "gt/backend/cpu/simd.hpp"
#include "gt/core/matrix_ref.hpp"

namespace gt::inline GT_ABI::simd {

/// An operand of a product, panel by panel, [k / terms][width] each.
template <class E>
struct PackedPanels {
  E const* data = nullptr;  ///< the first panel; null where there is none
  std::int64_t pitch = 0;   ///< elements from one panel to the next
};

}  // namespace gt::simd

namespace gt::inline GT_ABI::simd::detail {

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

inline constexpr std::int64_t rows_ahead = 12;  // rows that lie far apart are asked for this early

/// x [rows, k], whose rows are rows of A or columns of B, in panels [k / terms][Row] of elements E, of which Width
/// count.
template <Isa I, int Width, class T, class E, int Row = Width>
struct Packing {
  using P = Panel<I, T, E>;
  static constexpr std::int64_t terms = P::terms;

  /// Elements of a row of k terms.
  static constexpr std::int64_t steps(std::int64_t k) { return ceil_div(k, terms); }
  /// Elements from one panel to the next; not a multiple of the cache's way, for panels are written side by side and
  /// would evict each other.
  static constexpr std::int64_t pitch(std::int64_t k) {
    return Row * steps(k) + 64 / static_cast<std::int64_t>(sizeof(E));
  }

  /// panel[d * Row + r] = element d of row r; rows from `rows` on are zero.
  static void pack_panel(ops::MatrixRef<T> x, std::int64_t rows, std::int64_t k, E* GT_RESTRICT panel) noexcept {
    constexpr int block = transpose_block<I, T>;
    std::int64_t const whole = k / terms;
    std::int64_t d = 0;
    if (x.column_stride == 1) {
      // The last block of a row may write a few numbers too many, into the next row: that row is written later.
      constexpr int blocks = (Width + block - 1) / block;
      constexpr int behind = blocks * block > Row ? 1 : 0;
      for (; d + block + behind <= whole; d += block) {
        for (int b = blocks - 1; b >= 0; --b) {
          P::transpose(x.data + b * block * x.row_stride + d * terms, x.row_stride, rows - b * block,
                       panel + d * Row + b * block, Row);
        }
      }
    } else if (x.row_stride == 1 && rows == Width) {
      for (; d < whole; ++d) {
        T const* const from = x.data + d * terms * x.column_stride;
        for (int t = 0; t < terms; ++t) simd::prefetch(from + (rows_ahead + t) * x.column_stride);
        P::template gather<Width>(from, x.column_stride, panel + d * Row);
      }
    }
    for (; d < steps(k); ++d) {
      for (std::int64_t r = 0; r < Width; ++r) panel[d * Row + r] = r < rows ? P::make(x, r, d, k) : E{};
    }
  }

  /// Rows [0, rows) to panels that lie `apart` elements apart.
  static void pack_panels(ops::MatrixRef<T> x, std::int64_t rows, std::int64_t k, E* GT_RESTRICT panels,
                          std::int64_t apart) noexcept {
    std::int64_t r0 = 0;
    if (x.row_stride == 1 && x.column_stride != 1) {  // columns are contiguous: each is read once, into all panels
      std::int64_t const whole = k / terms;
      r0 = rows / Width * Width;
      for (std::int64_t d = 0; d < whole; ++d) {
        T const* const from = x.data + d * terms * x.column_stride;
        for (int t = 0; t < terms; ++t) {
          T const* const ahead = from + (rows_ahead + t) * x.column_stride;
          for (std::int64_t at = 0; at < rows; at += 64 / static_cast<std::int64_t>(sizeof(T)))
            simd::prefetch(ahead + at);
        }
        E* to = panels + d * Row;
        std::int64_t r = 0;
        for (; r + Row <= rows; r += Width, to += apart) P::template gather<Row>(from + r, x.column_stride, to);
        for (; r < r0; r += Width, to += apart) P::template gather<Width>(from + r, x.column_stride, to);
      }
      for (std::int64_t r = 0; r < r0 && whole < steps(k); ++r)
        panels[r / Width * apart + whole * Row + r % Width] = P::make(x, r, whole, k);
    }
    for (std::int64_t r = r0; r < rows; r += Width)
      pack_panel(x.from(r, 0), std::min<std::int64_t>(Width, rows - r), k, panels + r / Width * apart);
  }

  /// All of x to panels, `pitch(k)` apart, in jobs that `for_each(jobs, body)` runs.
  template <class ForEach>
  static void pack(ops::MatrixRef<T> x, std::int64_t rows, std::int64_t k, E* panels,
                   ForEach const& for_each) noexcept {
    std::int64_t const apart = pitch(k);
    if (x.row_stride == 1 && x.column_stride != 1) {
      constexpr std::int64_t each = 128;
      return for_each(ceil_div(k, each), [&](std::int64_t job) {
        std::int64_t const d = job * each;
        pack_panels(x.from(0, d), rows, std::min(each, k - d), panels + d / terms * Row, apart);
      });
    }
    for_each(ceil_div(rows, Width), [&](std::int64_t p) {
      pack_panel(x.from(p * Width, 0), std::min<std::int64_t>(Width, rows - p * Width), k, panels + p * apart);
    });
  }
};

}  // namespace gt::simd::detail

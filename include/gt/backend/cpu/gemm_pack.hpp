// SPDX-License-Identifier: MIT
// Operands of a matrix product in the order in which the micro-kernel reads them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "gt/backend/cpu/simd.hpp"
#include "gt/backend/cpu/simd_transpose.hpp"
#include "gt/core/matrix_ref.hpp"

namespace gt::detail {

inline constexpr std::int64_t rows_ahead = 12;  // rows that lie far apart are asked for this early

/// panel[d * Pitch + r] = x(r, d) for d < depth and r < Pitch; rows from `rows` on are zero.
/// Rows of x are rows of A, or columns of B.
template <Isa I, int Pitch, class T>
void pack_panel(MatrixRef<T> x, std::int64_t rows, std::int64_t depth, T* GT_RESTRICT panel) noexcept {
  constexpr int block = transpose_block<I, T>;
  std::int64_t d = 0;
  if (x.column_stride == 1) {
    // The last block of a row may write a few numbers too many, into the next row: that row is written later.
    constexpr int blocks = (Pitch + block - 1) / block;
    constexpr int behind = blocks * block > Pitch ? 1 : 0;
    for (; d + block + behind <= depth; d += block) {
      for (int b = blocks - 1; b >= 0; --b) {
        simd_transpose_block<I>(x.data + b * block * x.row_stride + d, x.row_stride, rows - b * block,
                                panel + d * Pitch + b * block, Pitch);
      }
    }
  } else if (x.row_stride == 1 && rows == Pitch) {
    for (; d < depth; ++d) {
      T const* const from = x.data + d * x.column_stride;
      simd_prefetch(from + rows_ahead * x.column_stride);
      std::memcpy(panel + d * Pitch, from, Pitch * sizeof(T));
    }
  }
  for (; d < depth; ++d) {
    for (std::int64_t r = 0; r < Pitch; ++r)
      panel[d * Pitch + r] = r < rows ? x.data[r * x.row_stride + d * x.column_stride] : T(0);
  }
}

/// Rows [0, rows) of x to panels of Pitch rows each, `apart` elements from one to the next.
template <Isa I, int Pitch, class T>
void pack_panels(MatrixRef<T> x, std::int64_t rows, std::int64_t depth, T* GT_RESTRICT panels,
                 std::int64_t apart) noexcept {
  std::int64_t const whole = x.row_stride == 1 && x.column_stride != 1 ? rows / Pitch : 0;
  // Where columns are contiguous, each is read once, into all panels.
  for (std::int64_t d = 0; whole > 0 && d < depth; ++d) {
    T const* from = x.data + d * x.column_stride;
    T const* const ahead = from + rows_ahead * x.column_stride;
    for (std::int64_t at = 0; at < rows; at += 64 / static_cast<std::int64_t>(sizeof(T))) simd_prefetch(ahead + at);
    T* to = panels + d * Pitch;
    for (std::int64_t p = 0; p < whole; ++p, from += Pitch, to += apart) std::memcpy(to, from, Pitch * sizeof(T));
  }
  for (std::int64_t r = whole * Pitch; r < rows; r += Pitch) {
    pack_panel<I, Pitch>(MatrixRef<T>(x.data + r * x.row_stride, x.row_stride, x.column_stride),
                         std::min<std::int64_t>(Pitch, rows - r), depth, panels + r / Pitch * apart);
  }
}

/// Elements from one panel of a whole operand to the next; not a multiple of the cache's way, for panels are written
/// side by side and would evict each other.
template <class T>
constexpr std::int64_t panel_pitch(int width, std::int64_t k) {
  return width * k + 64 / static_cast<std::int64_t>(sizeof(T));
}

/// All of x [rows, k] to panels, `panel_pitch` apart, in jobs that `for_each(jobs, body)` runs.
template <Isa I, int Pitch, class T, class ForEach>
void pack_operand(MatrixRef<T> x, std::int64_t rows, std::int64_t k, T* panels, ForEach const& for_each) noexcept {
  std::int64_t const apart = panel_pitch<T>(Pitch, k);
  if (x.row_stride == 1 && x.column_stride != 1) {
    constexpr std::int64_t each = 128;
    return for_each((k + each - 1) / each, [&](std::int64_t job) {
      std::int64_t const d = job * each;
      pack_panels<I, Pitch>(MatrixRef<T>(x.data + d * x.column_stride, 1, x.column_stride), rows, std::min(each, k - d),
                            panels + d * Pitch, apart);
    });
  }
  for_each((rows + Pitch - 1) / Pitch, [&](std::int64_t p) {
    pack_panel<I, Pitch>(MatrixRef<T>(x.data + p * Pitch * x.row_stride, x.row_stride, x.column_stride),
                         std::min<std::int64_t>(Pitch, rows - p * Pitch), k, panels + p * apart);
  });
}

}  // namespace gt::detail

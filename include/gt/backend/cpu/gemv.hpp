// SPDX-License-Identifier: MIT
// The product of one row: what generation is made of. It reads each weight once, from packed panels, or as it lies
// where none are kept.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gt/backend/cpu/gemm_pack.hpp"
#include "gt/backend/cpu/gemm_tile.hpp"
#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/row_products.hpp"
#include "gt/core/matrix_ref.hpp"

namespace gt::inline GT_ABI::simd::detail {

/// Panels that are read side by side: so many streams from memory, and chains of sums enough to hide a sum's latency.
inline constexpr int gemv_panels = 4;

/// c [Panels, nr] = start + bias + a B, for panels of B that lie one `pitch` apart, their rows one `stride`; every
/// element the same chain of multiply-adds as in a tile.
template <Isa I, class T, class E, int Panels>
void gemv_run(std::int64_t steps, E const* GT_RESTRICT a, PackedPanels<E> b, std::int64_t stride, T const* start,
              T const* bias, T* c) noexcept {
  using Tile = GemmTile<I, T, E>;
  using P = typename Tile::P;
  using V = typename Tile::V;
  V acc[Panels][Tile::nv];
#pragma GCC unroll 4
  for (int p = 0; p < Panels; ++p) {
#pragma GCC unroll 4
    for (int j = 0; j < Tile::nv; ++j) {
      std::int64_t const at = p * Tile::nr + j * Tile::width;
      acc[p][j] = start ? simd::load<V>(start + at) : V(T(0));
      if (bias) acc[p][j] = acc[p][j] + simd::load<V>(bias + at);
    }
  }
  E const* from = b.data;
  for (std::int64_t x = 0; x < steps; ++x, from += stride) {
    typename P::R const ax = P::broadcast(a[x]);
#pragma GCC unroll 4
    for (int p = 0; p < Panels; ++p) {
#pragma GCC unroll 4
      for (int j = 0; j < Tile::nv; ++j)
        acc[p][j] = P::add(ax, P::load(from + p * b.pitch + j * Tile::width), acc[p][j]);
    }
  }
#pragma GCC unroll 4
  for (int p = 0; p < Panels; ++p) {
#pragma GCC unroll 4
    for (int j = 0; j < Tile::nv; ++j) simd::store(c + p * Tile::nr + j * Tile::width, acc[p][j]);
  }
}

/// Row 0 of C, columns [j0, j1), of panels that are packed: C = start + bias + a B. j0 is a panel's first column.
template <Isa I, class T, class E>
void gemv_packed(std::int64_t steps, E const* a, PackedPanels<E> b, ops::GemmOutput<T> c, std::int64_t j0,
                 std::int64_t j1) noexcept {
  constexpr std::int64_t nr = GemmTile<I, T, E>::nr;
  b.data += j0 / nr * b.pitch, c = c.from(j0);
  std::int64_t const n = j1 - j0;
  std::int64_t j = 0;
  for (; j + gemv_panels * nr <= n; j += gemv_panels * nr, b.data += gemv_panels * b.pitch)
    gemv_run<I, T, E, gemv_panels>(steps, a, b, nr, c.from(j).start(), c.from(j).bias, c.data + j);
  for (; j < n; j += nr, b.data += b.pitch) {
    std::int64_t const columns = std::min(nr, n - j);
    alignas(64) T row[nr] = {};
    if (c.start()) std::copy_n(c.start() + j, columns, row);
    for (std::int64_t x = 0; c.bias && x < columns; ++x) row[x] += c.bias[j + x];
    gemv_run<I, T, E, 1>(steps, a, b, nr, row, nullptr, row);
    std::copy_n(row, columns, c.data + j);
  }
}

/// Whether `gemv_unpacked` can read B as it lies.
template <Isa I, class T>
bool has_gemv_unpacked(ops::MatrixRef<T> b) {
  return b.column_stride == 1 || (has_row_products<I, T> && b.row_stride == 1);
}

/// The same of B [k, n] as it lies, its rows or its columns without gaps.
template <Isa I, class T>
void gemv_unpacked(std::int64_t k, T const* a, ops::MatrixRef<T> b, ops::GemmOutput<T> c, std::int64_t j0,
                   std::int64_t j1) noexcept {
  using Tile = GemmTile<I, T>;
  using V = typename Tile::V;
  constexpr std::int64_t W = Tile::width, nr = Tile::nr;
  b = b.from(0, j0), c = c.from(j0);
  std::int64_t const n = j1 - j0;
  std::int64_t j = 0;
  if (b.column_stride == 1) {
    for (; j + gemv_panels * nr <= n; j += gemv_panels * nr) {
      gemv_run<I, T, T, gemv_panels>(k, a, {b.data + j, nr}, b.row_stride, c.from(j).start(), c.from(j).bias,
                                     c.data + j);
    }
  }
  auto const load = [](T const* p, std::int64_t count) {
    return count == W ? simd::load<V>(p) : simd::load_first<V>(p, count);
  };
  for (; j < n; j += W) {
    std::int64_t const columns = std::min(W, n - j);
    V sum = c.start() ? load(c.start() + j, columns) : V(T(0));
    if (c.bias) sum = sum + load(c.bias + j, columns);
    if (b.column_stride == 1) {
      for (std::int64_t d = 0; d < k; ++d) sum = simd::fma(V(a[d]), load(b.data + d * b.row_stride + j, columns), sum);
    } else if constexpr (has_row_products<I, T>) {
      sum = row_products<I>(a, k, b.data + j * b.column_stride, b.column_stride, columns, sum);
    }
    if (columns == W) {
      simd::store(c.data + j, sum);
    } else {
      simd::store_first(c.data + j, sum, columns);
    }
  }
}

}  // namespace gt::simd::detail

// SPDX-License-Identifier: MIT
// The product of one row with packed panels: what generation is made of. It reads each weight once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gt/backend/cpu/gemm_pack.hpp"
#include "gt/backend/cpu/gemm_tile.hpp"
#include "gt/core/matrix_ref.hpp"

namespace gt::detail {

/// Panels that are read side by side: so many streams from memory, and chains of sums enough to hide a sum's latency.
inline constexpr int gemv_panels = 4;

/// c [Panels, nr] = start + bias + a B, for panels of B that lie one `pitch` apart; every element the same chain of
/// multiply-adds as in a tile.
template <Isa I, class T, class E, int Panels>
void gemv_run(std::int64_t steps, E const* GT_RESTRICT a, PackedPanels<E> b, T const* start, T const* bias,
              T* c) noexcept {
  using Tile = GemmTile<I, T, E>;
  using P = typename Tile::P;
  using V = typename Tile::V;
  V acc[Panels][Tile::nv];
#pragma GCC unroll 4
  for (int p = 0; p < Panels; ++p) {
#pragma GCC unroll 4
    for (int j = 0; j < Tile::nv; ++j) {
      std::int64_t const at = p * Tile::nr + j * Tile::width;
      acc[p][j] = start ? simd_load<V>(start + at) : V(T(0));
      if (bias) acc[p][j] = acc[p][j] + simd_load<V>(bias + at);
    }
  }
  E const* from = b.data;
  for (std::int64_t x = 0; x < steps; ++x, from += Tile::nr) {
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
    for (int j = 0; j < Tile::nv; ++j) simd_store(c + p * Tile::nr + j * Tile::width, acc[p][j]);
  }
}

/// One row of C, columns of panels [p0, p1): C = start + bias + a B.
template <Isa I, class T, class E>
void gemv_block(std::int64_t steps, E const* a, PackedPanels<E> b, GemmOutput<T> c, std::int64_t n, std::int64_t p0,
                std::int64_t p1) noexcept {
  constexpr std::int64_t nr = GemmTile<I, T, E>::nr;
  T const* const start = c.start();
  std::int64_t p = p0;
  for (; p + gemv_panels <= p1 && (p + gemv_panels) * nr <= n; p += gemv_panels) {
    gemv_run<I, T, E, gemv_panels>(steps, a, {b.data + p * b.pitch, b.pitch}, start ? start + p * nr : nullptr,
                                   c.bias ? c.bias + p * nr : nullptr, c.data + p * nr);
  }
  for (; p < p1; ++p) {
    std::int64_t const j = p * nr, columns = std::min(nr, n - j);
    alignas(64) T row[nr] = {};
    if (start) std::copy_n(start + j, columns, row);
    for (std::int64_t x = 0; c.bias && x < columns; ++x) row[x] += c.bias[j + x];
    gemv_run<I, T, E, 1>(steps, a, {b.data + p * b.pitch, b.pitch}, row, nullptr, row);
    std::copy_n(row, columns, c.data + j);
  }
}

}  // namespace gt::detail

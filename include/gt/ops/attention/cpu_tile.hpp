// SPDX-License-Identifier: MIT
// What the attention kernels are made of: products tile by tile, and rows packed for them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/simd.hpp"
#include "gt/backend/cpu/simd_transpose.hpp"

namespace gt::inline GT_ABI::ops::detail {

/// The register tile of attention: `rows` queries or keys by one or two registers. It is smaller than GEMM's, because
/// what a tile computes beyond the diagonal is wasted.
template <Isa I>
struct AttentionTile {
  using V = typename simd::Register<I, float>::type;                          // the register
  static constexpr int width = simd::Register<I, float>::width;               // elements of it
  static constexpr int rows = simd::has_avx512(I) || I == Isa::neon ? 8 : 4;  // where there are 32 registers or 16
  static constexpr int panel = 2 * width;                                     // columns of a tile
  static constexpr bool narrow = width >= rows;  // whether one register covers the diagonal
};

constexpr std::int64_t round_up(std::int64_t n, std::int64_t step) { return (n + step - 1) / step * step; }

/// One head's columns of a matrix: where its row t begins.
template <class T>
struct HeadRows {
  T* data;
  std::int64_t stride;
  T* operator[](std::int64_t t) const { return data + t * stride; }
};

/// acc(i, v) += sum_k a(i, k) b(k, v), each element a chain of multiply-adds in ascending k. Rows of b are `b_stride`
/// apart; a(i, k) is a[i * a_stride + k], or a[k * a_stride + i] where `Transposed`.
template <bool Transposed, class V, int Rows, int Registers>
GT_INLINE void multiply(std::int64_t depth, float const* GT_RESTRICT a, std::int64_t a_stride,
                        float const* GT_RESTRICT b, std::int64_t b_stride, V (&acc)[Rows][Registers]) {
  constexpr int width = static_cast<int>(sizeof(V) / sizeof(float));
  for (std::int64_t k = 0; k < depth; ++k, b += b_stride) {
    V bv[Registers];
#pragma GCC unroll 2
    for (int v = 0; v < Registers; ++v) bv[v] = simd::load<V>(b + v * width);
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) {
      V const av(Transposed ? a[k * a_stride + i] : a[i * a_stride + k]);
#pragma GCC unroll 2
      for (int v = 0; v < Registers; ++v) acc[i][v] = simd::fma(av, bv[v], acc[i][v]);
    }
  }
}

/// C [Rows, Registers * width] = A B, or C += A B.
template <class V, int Rows, int Registers, bool Transposed>
void multiply_tile(std::int64_t depth, float const* a, std::int64_t a_stride, float const* b, std::int64_t b_stride,
                   float* GT_RESTRICT c, std::int64_t c_stride, bool accumulate) noexcept {
  constexpr int width = static_cast<int>(sizeof(V) / sizeof(float));
  V acc[Rows][Registers];
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < Registers; ++v) acc[i][v] = accumulate ? simd::load<V>(c + i * c_stride + v * width) : V(0.0F);
  }
  multiply<Transposed>(depth, a, a_stride, b, b_stride, acc);
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < Registers; ++v) simd::store(c + i * c_stride + v * width, acc[i][v]);
  }
}

/// C [Rows, columns] = A B, or C += A B, tile by tile; `columns` is a multiple of the width.
template <Isa I, int Rows, bool Transposed>
void multiply_rows(std::int64_t depth, float const* a, std::int64_t a_stride, float const* b, std::int64_t b_stride,
                   float* c, std::int64_t c_stride, std::int64_t columns, bool accumulate) noexcept {
  using Tile = AttentionTile<I>;
  using V = typename Tile::V;
  std::int64_t j = 0;
  for (; j + Tile::panel <= columns; j += Tile::panel)
    multiply_tile<V, Rows, 2, Transposed>(depth, a, a_stride, b + j, b_stride, c + j, c_stride, accumulate);
  if (j < columns)
    multiply_tile<V, Rows, 1, Transposed>(depth, a, a_stride, b + j, b_stride, c + j, c_stride, accumulate);
}

/// y = factor x, D elements, and zeros behind them up to a whole register.
template <Isa I>
void pack_row(float const* x, std::int64_t D, float factor, float* y) noexcept {
  using V = typename AttentionTile<I>::V;
  constexpr int width = AttentionTile<I>::width;
  std::int64_t d = 0;
  for (; d + width <= D; d += width) simd::store(y + d, V(simd::load<V>(x + d) * V(factor)));
  if (d < D) simd::store(y + d, V(simd::load_first<V>(x + d, D - d) * V(factor)));
}

/// y = factor x + 0, D elements; nothing is written behind them. The zero makes a zero of a minus zero.
template <Isa I>
void unpack_row(float const* x, std::int64_t D, float factor, float* y) noexcept {
  using V = typename AttentionTile<I>::V;
  constexpr int width = AttentionTile<I>::width;
  V const r(factor), zero(0.0F);
  std::int64_t d = 0;
  for (; d + width <= D; d += width) simd::store(y + d, simd::fma(simd::load<V>(x + d), r, zero));
  if (d < D) simd::store_first(y + d, simd::fma(simd::load<V>(x + d), r, zero), D - d);
}

/// Rows [from, end), times `factor`, to rows [all, n], n being D rounded up to whole registers; zeros behind them.
template <Isa I>
void pack_rows(HeadRows<float const> x, std::int64_t from, std::int64_t end, std::int64_t all, std::int64_t D,
               float factor, float* to, std::int64_t n) noexcept {
  for (std::int64_t t = from; t < end; ++t) pack_row<I>(x[t], D, factor, to + (t - from) * n);
  std::fill(to + (end - from) * n, to + all * n, 0.0F);
}

/// Rows [from, end) to panels [D][panel], a column for each row; zeros fill up the last panel.
template <Isa I>
void pack_columns(HeadRows<float const> x, std::int64_t from, std::int64_t end, std::int64_t D, float* to) noexcept {
  constexpr int panel = AttentionTile<I>::panel, N = simd::transpose_block<I, float>;
  for (; from < end; from += panel, to += panel * D) {
    for (std::int64_t r = 0; r < panel; r += N) {
      std::int64_t const rows = std::clamp<std::int64_t>(end - from - r, 0, N);
      float const* const corner = x[from + r];
      std::int64_t d = 0;
      for (; d + N <= D; d += N) {
        if (rows == N) {  // known to the compiler
          simd::transpose<I>(corner + d, x.stride, N, to + d * panel + r, panel);
        } else {
          simd::transpose<I>(corner + d, x.stride, rows, to + d * panel + r, panel);
        }
      }
      for (; d < D; ++d) {
        for (std::int64_t i = 0; i < N; ++i) to[d * panel + r + i] = i < rows ? corner[i * x.stride + d] : 0.0F;
      }
    }
  }
}

/// Asks for rows [from, end) long before they are read or written: they lie too far apart for the processor to guess.
template <class T>
GT_INLINE void prefetch_rows(HeadRows<T> x, std::int64_t from, std::int64_t end, std::int64_t D) noexcept {
#if defined(__GNUC__)
  for (std::int64_t t = from; t < end; ++t) {
    for (std::int64_t d = 0; d < D; d += 16) __builtin_prefetch(x[t] + d, 0, 2);
  }
#endif
}

}  // namespace gt::ops::detail

// SPDX-License-Identifier: MIT
// The GEMM micro-kernel: a tile of C held in registers.
#pragma once

#include <cstdint>
#include <utility>

#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/panel.hpp"
#include "gt/backend/cpu/simd.hpp"
#include "gt/core/matrix_ref.hpp"

namespace gt::inline GT_ABI::simd {

/// Where a tile of C begins and where it goes: C = start + bias + A B.
template <class T>
struct TileOutput {
  T* data;                    ///< element (0, 0) of the tile
  std::int64_t stride;        ///< from one row to the next
  T const* start;             ///< what is added, or null; may be `data`
  std::int64_t start_stride;  ///< from one row of it to the next
  T const* bias;              ///< one number a column, or null
};

/// What the next tiles will touch. A tile asks for it a little in every step: a tile's lines of C lie far apart, where
/// no hardware looks ahead, and asked for all at once they would wait for each other.
template <class T, class E>
struct TileAhead {
  E const* panel;           ///< a part of the next panel of B
  std::int64_t panel_step;  ///< elements of it a step of k
  T const* data;            ///< the next tile of C, with the strides of this one
  T const* start;           ///< and what it starts from
};

/// The register tile of an instruction set: mr rows by nv registers, for sums of T over panels of E. mr * nv
/// accumulators, nv registers of B and one broadcast of A fit the register file (32 registers for AVX-512 and NEON, 16
/// otherwise).
template <Isa I, class T, class E = T>
struct GemmTile {
  using P = Panel<I, T, E>;                            ///< how elements enter sums
  using V = typename Register<I, T>::type;             ///< the register
  static constexpr int width = Register<I, T>::width;  ///< elements of a register
  /// Rows of the tile.
  static constexpr int mr = has_avx512(I) ? 14 : I == Isa::neon ? 12 : I == Isa::scalar ? 4 : 6;
  static constexpr int nv = I == Isa::scalar || width == 1 ? 4 : 2;  ///< registers a row
  static constexpr int nr = nv * width;                              ///< columns of the tile
  /// Elements from one step of k in a panel of A to the next: each begins a cache line where it nearly fills one.
  static constexpr int step = has_avx512(I) && sizeof(E) == 4 ? 16 : mr;

  /// C [Rows, Nv * width] = start + bias + A B. a is a panel [depth][step], b a panel [depth][nr].
  /// Each element is a chain of multiply-adds in ascending order, whatever the tile it lies in.
  template <int Rows, int Nv>
  static void run(std::int64_t depth, E const* GT_RESTRICT a, E const* GT_RESTRICT b, TileOutput<T> c,
                  TileAhead<T, E> next) noexcept {
    V acc[Rows][Nv];
    if (c.start) {
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < Nv; ++j) acc[i][j] = simd::load<V>(c.start + i * c.start_stride + j * width);
      }
    } else {
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < Nv; ++j) acc[i][j] = V(T(0));
      }
    }
    if (c.bias) {
#pragma GCC unroll 4
      for (int j = 0; j < Nv; ++j) {
        V const bias = simd::load<V>(c.bias + j * width);
#pragma GCC unroll 16
        for (int i = 0; i < Rows; ++i) acc[i][j] = acc[i][j] + bias;
      }
    }
    std::int64_t const rows_a_step = (std::int64_t{Rows} << 16) / (depth + 1);  // in units of 2^-16
    std::int64_t row = 0;
    for (std::int64_t k = 0; k < depth; ++k, row += rows_a_step, next.panel += next.panel_step) {
      simd::prefetch(next.panel);
      T const *const line = next.data + (row >> 16) * c.stride, *const from = next.start + (row >> 16) * c.start_stride;
      simd::prefetch_to_write(line), simd::prefetch_to_write(line + (Nv - 1) * width);
      simd::prefetch(from), simd::prefetch(from + (Nv - 1) * width);
      typename P::R bv[Nv];
#pragma GCC unroll 4
      for (int j = 0; j < Nv; ++j) bv[j] = P::load(b + j * width);
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) {
        typename P::R const av = P::broadcast(a[i]);
#pragma GCC unroll 4
        for (int j = 0; j < Nv; ++j) acc[i][j] = P::add(av, bv[j], acc[i][j]);
      }
      a += step;
      b += nr;
    }
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < Nv; ++j) simd::store(c.data + i * c.stride + j * width, acc[i][j]);
    }
  }

  /// `run` for one number of rows, with its arguments.
  using Kernel = void (*)(std::int64_t, E const*, E const*, TileOutput<T>, TileAhead<T, E>) noexcept;

  /// The kernel for a tile of `rows` rows, 1 <= rows <= mr: a short tile costs no padded rows.
  static Kernel kernel(std::int64_t rows) noexcept { return table(std::make_integer_sequence<int, mr>{})[rows - 1]; }
  /// The kernel for the first `registers` registers of a whole panel's rows: what the last columns of B go through.
  static Kernel narrow_kernel(std::int64_t registers) noexcept { return registers <= 1 ? &run<mr, 1> : &run<mr, nv>; }

 private:
  template <int... R>
  static Kernel const* table(std::integer_sequence<int, R...>) noexcept {
    static constexpr Kernel kernels[] = {&run<R + 1, nv>...};
    return kernels;
  }
};

}  // namespace gt::simd

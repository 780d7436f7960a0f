// SPDX-License-Identifier: MIT
// The GEMM micro-kernel: a tile of C held in registers, and the packing of its operands into panels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "gt/backend/cpu/simd.hpp"
#include "gt/core/matrix_ref.hpp"

namespace gt {

/// The register tile of an instruction set: mr rows by nv registers. mr * nv accumulators, nv registers of B and one
/// broadcast of A fit the register file (32 registers for AVX-512 and NEON, 16 otherwise).
template <Isa I, class T>
struct GemmTile {
  using V = typename Register<I, T>::type;             ///< the register
  static constexpr int width = Register<I, T>::width;  ///< elements of a register
  /// Rows of the tile.
  static constexpr int mr = I == Isa::avx512 ? 14 : I == Isa::neon ? 12 : I == Isa::scalar ? 4 : 6;
  static constexpr int nv = I == Isa::scalar || width == 1 ? 4 : 2;  ///< registers a row
  static constexpr int nr = nv * width;                              ///< columns of the tile
  static constexpr std::int64_t kc = 256;  ///< depth of a panel: kc * nr elements of B stay in L1

  /// C [Rows, nr] = A B, started from C, from the bias, or from zero. a is a panel [kc][mr], b a panel [kc][nr].
  /// Each element is a chain of multiply-adds in ascending k, whatever the tile it lies in.
  template <int Rows>
  static void run(std::int64_t depth, T const* GT_RESTRICT a, T const* GT_RESTRICT b, T* GT_RESTRICT c,
                  std::int64_t stride, bool from_c, T const* bias) noexcept {
    V acc[Rows][nv];
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < nv; ++j) {
        acc[i][j] =
            from_c ? simd_load<V>(c + i * stride + j * width) : (bias ? simd_load<V>(bias + j * width) : V(T(0)));
      }
    }
    for (std::int64_t k = 0; k < depth; ++k) {
      V bv[nv];
#pragma GCC unroll 4
      for (int j = 0; j < nv; ++j) bv[j] = simd_load<V>(b + j * width);
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) {
        V const av(a[i]);
#pragma GCC unroll 4
        for (int j = 0; j < nv; ++j) acc[i][j] = simd_fma(av, bv[j], acc[i][j]);
      }
      a += mr;
      b += nr;
    }
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < nv; ++j) simd_store(c + i * stride + j * width, acc[i][j]);
    }
  }

  /// `run` for one number of rows, with its arguments.
  using Kernel = void (*)(std::int64_t, T const*, T const*, T*, std::int64_t, bool, T const*) noexcept;

  /// The kernel for a tile of `rows` rows, 1 <= rows <= mr: a short tile costs no padded rows.
  static Kernel kernel(std::int64_t rows) noexcept { return table(std::make_integer_sequence<int, mr>{})[rows - 1]; }

  /// Rows [i, end) of A, columns [k, k + depth), to panels [depth][mr], one behind the other; rows of the last panel
  /// behind `end` are left as they are.
  static void pack_a(MatrixRef<T> a, std::int64_t i, std::int64_t end, std::int64_t k, std::int64_t depth,
                     T* GT_RESTRICT panels) noexcept {
    if (a.row_stride != 1) {
      for (; i < end; i += mr, panels += mr * depth) {
        pack_transposed(&a(i, k), a.row_stride, a.column_stride, std::min<std::int64_t>(mr, end - i), depth, panels,
                        mr);
      }
      return;
    }
    // Columns of A are contiguous: each is read once, whole, into all panels.
    for (std::int64_t d = 0; d < depth; ++d) {
      T const* from = &a(i, k + d);
      T* to = panels + d * mr;
      std::int64_t rest = end - i;
      for (; rest >= mr; rest -= mr, from += mr, to += mr * depth) copy(from, to, mr, mr);
      if (rest > 0) copy(from, to, rest, mr);
    }
  }
  /// Rows [k, k + depth) of B, columns [j, j + columns), to a panel [depth][nr]; columns behind the last are zero.
  static void pack_b(MatrixRef<T> b, std::int64_t k, std::int64_t depth, std::int64_t j, std::int64_t columns,
                     T* GT_RESTRICT panel) noexcept {
    T const* from = &b(k, j);
    if (b.column_stride == 1) {
      for (std::int64_t d = 0; d < depth; ++d, from += b.row_stride, panel += nr) {
        copy(from, panel, columns, nr);
        for (std::int64_t x = columns; x < nr; ++x) panel[x] = T(0);
      }
      return;
    }
    pack_transposed(from, b.column_stride, b.row_stride, columns, depth, panel, nr);
    if (columns == nr) return;
    for (std::int64_t d = 0; d < depth; ++d) std::fill(panel + d * nr + columns, panel + (d + 1) * nr, T(0));
  }

 private:
  /// panel[d * pitch + r] = from[r * apart + d * step], r < rows, d < depth: in 4 x 4 blocks where `step` is 1.
  static void pack_transposed(T const* from, std::int64_t apart, std::int64_t step, std::int64_t rows,
                              std::int64_t depth, T* GT_RESTRICT panel, std::int64_t pitch) noexcept {
    std::int64_t d = 0;
    if (step == 1 && rows >= 4) {
      for (; d + 4 <= depth; d += 4) {
        T* const to = panel + d * pitch;
        std::int64_t r = 0;
        for (; r + 4 <= rows; r += 4) simd_transpose_4x4<I>(from + r * apart + d, apart, to + r, pitch);
        // The last block overlaps the one before it, which writes the same numbers again.
        if (r < rows) simd_transpose_4x4<I>(from + (rows - 4) * apart + d, apart, to + rows - 4, pitch);
      }
    }
    for (; d < depth; ++d) {
      for (std::int64_t r = 0; r < rows; ++r) panel[d * pitch + r] = from[r * apart + d * step];
    }
  }
  static GT_INLINE void copy(T const* from, T* to, std::int64_t count, int full) noexcept {
    if (count == full) {
      std::memcpy(to, from, static_cast<std::size_t>(full) * sizeof(T));
    } else {
      std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
    }
  }
  template <int... R>
  static Kernel const* table(std::integer_sequence<int, R...>) noexcept {
    static constexpr Kernel kernels[] = {&run<R + 1>...};
    return kernels;
  }
};

}  // namespace gt

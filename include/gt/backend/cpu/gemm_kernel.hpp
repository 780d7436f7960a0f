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
  using V = typename Register<I, T>::type;
  static constexpr int width = Register<I, T>::width;
  static constexpr int mr = I == Isa::avx512 ? 14 : I == Isa::neon ? 12 : I == Isa::scalar ? 4 : 6;
  static constexpr int nv = I == Isa::scalar || width == 1 ? 4 : 2;
  static constexpr int nr = nv * width;
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

  using Kernel = void (*)(std::int64_t, T const*, T const*, T*, std::int64_t, bool, T const*) noexcept;

  /// The kernel for a tile of `rows` rows, 1 <= rows <= mr: a short tile costs no padded rows.
  static Kernel kernel(std::int64_t rows) noexcept { return table(std::make_integer_sequence<int, mr>{})[rows - 1]; }

  /// Rows [i, i + rows) of A, columns [k, k + depth), to a panel [depth][mr]; rows behind the last are left as they
  /// are.
  static void pack_a(MatrixRef<T> a, std::int64_t i, std::int64_t rows, std::int64_t k, std::int64_t depth,
                     T* GT_RESTRICT panel) noexcept {
    T const* from = &a(i, k);
    if (a.row_stride == 1) {
      for (std::int64_t d = 0; d < depth; ++d, from += a.column_stride, panel += mr) copy(from, panel, rows, mr);
      return;
    }
    for (std::int64_t r = 0; r < rows; ++r) {
      T const* row = from + r * a.row_stride;
      for (std::int64_t d = 0; d < depth; ++d) panel[d * mr + r] = row[d * a.column_stride];
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
    // Columns of B are contiguous or strided: walk them in blocks of depth, so that both sides stay in L1.
    for (std::int64_t d0 = 0; d0 < depth; d0 += 16) {
      std::int64_t const d1 = std::min(depth, d0 + 16);
      for (std::int64_t x = 0; x < nr; ++x) {
        T const* column = from + x * b.column_stride;
        if (x < columns) {
          for (std::int64_t d = d0; d < d1; ++d) panel[d * nr + x] = column[d * b.row_stride];
        } else {
          for (std::int64_t d = d0; d < d1; ++d) panel[d * nr + x] = T(0);
        }
      }
    }
  }

 private:
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

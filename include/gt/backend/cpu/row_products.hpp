// SPDX-License-Identifier: MIT
// A vector's dot products with rows of a matrix that lie as they are: no panel is packed for numbers used once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/simd.hpp"
#include "gt/backend/cpu/simd_transpose.hpp"

namespace gt::inline GT_ABI::simd::detail {

/// Whether a register holds whole blocks to be transposed, as `row_products` needs.
template <Isa I, class T>
inline constexpr bool has_row_products = Register<I, T>::width % transpose_block<I, T> == 0;

/// sum_r + a . row_r for as many rows as a register holds, `stride` apart, of which only the first `rows` are read.
/// Each is a chain of multiply-adds in ascending order, as in a tile of a product. Columns are turned a few at a time,
/// so that the next are turned while these are multiplied.
template <Isa I, class T, class V = typename Register<I, T>::type>
GT_INLINE V row_products(T const* a, std::int64_t depth, T const* from, std::int64_t stride, std::int64_t rows, V sum) {
  constexpr int N = transpose_block<I, T>, W = Register<I, T>::width;
  std::int64_t d = 0;
  for (; d + N <= depth; d += N) {
    alignas(64) T turned[N * W];
    for (int r = 0; r < W; r += N) {
      if (rows == W) {  // known to the compiler
        simd::transpose<I>(from + r * stride + d, stride, N, &turned[r], W);
      } else {
        std::int64_t const some = std::clamp<std::int64_t>(rows - r, 0, N);
        simd::transpose<I>(from + (some > 0 ? r * stride : 0) + d, stride, some, &turned[r], W);
      }
    }
#pragma GCC unroll 16
    for (int e = 0; e < N; ++e) sum = simd::fma(V(a[d + e]), simd::load<V>(&turned[e * W]), sum);
  }
  for (; d < depth; ++d) {
    alignas(64) T column[W] = {};
    for (std::int64_t r = 0; r < rows; ++r) column[r] = from[r * stride + d];
    sum = simd::fma(V(a[d]), simd::load<V>(column), sum);
  }
  return sum;
}

}  // namespace gt::simd::detail

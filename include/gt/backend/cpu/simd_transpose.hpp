// SPDX-License-Identifier: MIT
// Square blocks of numbers, transposed in registers.
#pragma once

#include <cstdint>

#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/simd.hpp"

#if !defined(GT_NO_SIMD) && defined(__AVX512F__)
  #include <immintrin.h>
#endif

namespace gt::inline GT_ABI::simd {

/// Rows and columns of the block that `simd::transpose` takes.
template <Isa I, class T>
inline constexpr int transpose_block = has_avx512(I) && sizeof(T) == 4 ? 16 : 4;

/// to[c * to_stride + r] = from[r * from_stride + c] for r, c < transpose_block; of the rows of the source only the
/// first `rows` are read, and zeros stand for the rest. All of each row of the result is written, in ascending order.
template <Isa I, class T>
GT_INLINE void transpose(T const* from, std::int64_t from_stride, std::int64_t rows, T* to, std::int64_t to_stride) {
#if !defined(GT_NO_SIMD) && defined(__AVX512F__)
  if constexpr (transpose_block<I, T> == 16) {
    __m512 r[16], t[16];
  #pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) r[i] = i < rows ? _mm512_loadu_ps(from + i * from_stride) : _mm512_setzero_ps();
  #pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
      t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
    }
  #pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {  // r[4 i + c]: columns c, c + 4, c + 8, c + 12 of rows 4 i ... 4 i + 3
      auto const pair = [](__m512 x) { return _mm512_castps_pd(x); };
      r[4 * i] = _mm512_castpd_ps(_mm512_unpacklo_pd(pair(t[4 * i]), pair(t[4 * i + 2])));
      r[4 * i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(pair(t[4 * i]), pair(t[4 * i + 2])));
      r[4 * i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(pair(t[4 * i + 1]), pair(t[4 * i + 3])));
      r[4 * i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(pair(t[4 * i + 1]), pair(t[4 * i + 3])));
    }
  #pragma GCC unroll 4
    for (int c = 0; c < 4; ++c) {
      t[c] = _mm512_shuffle_f32x4(r[c], r[4 + c], 0x88);           // rows 0 ... 7, columns c and c + 8
      t[4 + c] = _mm512_shuffle_f32x4(r[c], r[4 + c], 0xdd);       // rows 0 ... 7, columns c + 4 and c + 12
      t[8 + c] = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0x88);  // the same of rows 8 ... 15
      t[12 + c] = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0xdd);
    }
  #pragma GCC unroll 8
    for (int c = 0; c < 8; ++c) {
      r[c] = _mm512_shuffle_f32x4(t[c], t[8 + c], 0x88);
      r[8 + c] = _mm512_shuffle_f32x4(t[c], t[8 + c], 0xdd);
    }
  #pragma GCC unroll 16
    for (int c = 0; c < 16; ++c) _mm512_storeu_ps(to + c * to_stride, r[c]);
    return;
  }
#endif
  if constexpr (transpose_block<I, T> == 4) {
    if (rows >= 4) return simd::transpose_4x4<I>(from, from_stride, to, to_stride);
    for (int c = 0; c < 4; ++c) {
      for (int r = 0; r < 4; ++r) to[c * to_stride + r] = r < rows ? from[r * from_stride + c] : T(0);
    }
  }
}

}  // namespace gt::simd

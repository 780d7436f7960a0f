// SPDX-License-Identifier: MIT
// What panels of a matrix product are made of: numbers as they are, or pairs of terms rounded to bf16.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/simd.hpp"
#include "gt/backend/cpu/simd_transpose.hpp"
#include "gt/base/bf16.hpp"
#include "gt/core/matrix_ref.hpp"

#if !defined(GT_NO_SIMD) && defined(__AVX512BF16__)
  #include <immintrin.h>
#endif

namespace gt::inline GT_ABI::simd {

/// Two neighbouring terms of a sum, rounded to bf16: what a bf16 dot product takes of each operand at a time.
struct Bf16Pair {
  Bf16 first, second;  ///< in the order of the sum
};

/// How elements E of a panel enter sums of type T: `terms` terms of the sum each.
template <Isa I, class T, class E>
struct Panel {
  using V = typename Register<I, T>::type;  ///< a register of sums
  using R = V;                              ///< a register of elements
  static constexpr int terms = 1;           ///< of a sum, in an element

  static GT_INLINE R load(T const* p) { return simd::load<V>(p); }  ///< a register of them
  static GT_INLINE R broadcast(T const& x) { return R(x); }         ///< one of them, everywhere
  static GT_INLINE V add(R const& a, R const& b, V const& c) { return simd::fma(a, b, c); }  ///< a b + c
  /// Element d of row r of x.
  static T make(ops::MatrixRef<T> x, std::int64_t r, std::int64_t d, std::int64_t) { return x(r, d); }
  /// to[d * pitch + r] = element d of row r, for a block of `transpose_block` elements of contiguous rows, the first
  /// `rows` of them.
  static GT_INLINE void transpose(T const* from, std::int64_t stride, std::int64_t rows, T* to, std::int64_t pitch) {
    simd::transpose<I>(from, stride, rows, to, pitch);
  }
  /// to[r] = element of row r, for Count rows that are contiguous: terms stand one `stride` apart.
  template <int Count>
  static GT_INLINE void gather(T const* from, std::int64_t, T* to) {
    std::memcpy(to, from, Count * sizeof(T));
  }
};

#if !defined(GT_NO_SIMD) && defined(__AVX512BF16__)
/// Products of floats rounded to bf16, summed in fp32: c + (a.first b.first + a.second b.second).
template <>
struct Panel<Isa::avx512_bf16, float, Bf16Pair> {
  using V = typename Register<Isa::avx512_bf16, float>::type;  ///< a register of sums
  using R = __m512i;                                           ///< a register of pairs
  static constexpr int terms = 2;                              ///< of a sum, in a pair

  /// A register of pairs.
  static GT_INLINE R load(Bf16Pair const* p) { return _mm512_loadu_si512(p); }
  /// One pair, everywhere.
  static GT_INLINE R broadcast(Bf16Pair const& x) {
    int bits;
    std::memcpy(&bits, &x, sizeof(bits));
    return _mm512_set1_epi32(bits);
  }
  /// c + a . b
  static GT_INLINE V add(R const& a, R const& b, V const& c) {
    return V(_mm512_dpbf16_ps(static_cast<__m512>(c), (__m512bh)a, (__m512bh)b));
  }
  /// Terms 2 d and 2 d + 1 of row r of x [., k]; zero behind the last term.
  static Bf16Pair make(ops::MatrixRef<float> x, std::int64_t r, std::int64_t d, std::int64_t k) {
    return {rounded(x(r, 2 * d)), rounded(2 * d + 1 < k ? x(r, 2 * d + 1) : 0.0F)};
  }
  /// As above, of rows of 32 floats.
  static GT_INLINE void transpose(float const* from, std::int64_t stride, std::int64_t rows, Bf16Pair* to,
                                  std::int64_t pitch) {
    alignas(64) float pairs[16 * 16];
  #pragma GCC unroll 16
    for (int r = 0; r < 16; ++r) {
      __m512i x = _mm512_setzero_si512();
      if (r < rows)
        x = (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + r * stride + 16), _mm512_loadu_ps(from + r * stride));
      _mm512_store_si512(pairs + 16 * r, x);
    }
    simd::transpose<Isa::avx512_bf16>(pairs, 16, 16, reinterpret_cast<float*>(to), pitch);
  }
  /// As above: to[r] = pair of from[r] and from[stride + r].
  template <int Count>
  static GT_INLINE void gather(float const* from, std::int64_t stride, Bf16Pair* to) {
    __m512i const order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  #pragma GCC unroll 4
    for (int r = 0; r < Count; r += 16) {
      __mmask16 const some = static_cast<__mmask16>(Count - r >= 16 ? 0xFFFF : (1 << (Count - r)) - 1);
      __m512 const a = _mm512_maskz_loadu_ps(some, from + r), b = _mm512_maskz_loadu_ps(some, from + stride + r);
      __m512i const pairs = _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(b, a));
      if (Count - r >= 16) {
        _mm512_storeu_si512(to + r, pairs);
      } else {
        alignas(64) Bf16Pair rest[16];
        _mm512_store_si512(rest, pairs);
        std::memcpy(to + r, rest, (Count % 16) * sizeof(Bf16Pair));
      }
    }
  }

 private:
  // As the instructions round: subnormal numbers count as zero, also those whose nearest Bf16 is not subnormal.
  static Bf16 rounded(float x) {
    return Bf16(std::abs(x) < std::numeric_limits<float>::min() ? std::copysign(0.0F, x) : x);
  }
};
#endif

}  // namespace gt::simd

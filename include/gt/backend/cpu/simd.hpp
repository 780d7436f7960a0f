// SPDX-License-Identifier: MIT
// The one header that names xsimd: registers of an instruction set, and the few operations kernels need on them.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "gt/backend/cpu/isa.hpp"
#include "gt/base/bit_cast.hpp"
#include "gt/base/macros.hpp"
#include "gt/core/scalar.hpp"

#if !defined(GT_NO_SIMD)
  // g++ 12 takes the "undefined" vectors inside its own AVX-512 intrinsics for uninitialised variables.
  #if defined(__GNUC__) && !defined(__clang__)
    #pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
    #pragma GCC diagnostic ignored "-Wuninitialized"
  #endif
  #include <xsimd/xsimd.hpp>
#endif

namespace gt::inline GT_ABI::simd {

/// The register of instruction set I for element type T. Without SIMD, and for other element types, it is T itself.
template <Isa I, class T>
struct Register {
  using type = T;                  ///< the register
  static constexpr int width = 1;  ///< elements of it
};

#if !defined(GT_NO_SIMD)
namespace detail {
template <Isa I>
struct xsimd_arch;
  #if defined(__SSE2__)
template <>
struct xsimd_arch<Isa::sse2> {
  using type = xsimd::sse2;
};
    #if defined(__AVX2__) && defined(__FMA__)
template <>
struct xsimd_arch<Isa::avx2> {
  using type = xsimd::fma3<xsimd::avx2>;
};
    #endif
    #if defined(__AVX512BW__)
template <>
struct xsimd_arch<Isa::avx512> {
  using type = xsimd::avx512bw;
};
template <>
struct xsimd_arch<Isa::avx512_bf16> {
  using type = xsimd::avx512bw;
};
    #endif
  #elif defined(__aarch64__)
template <>
struct xsimd_arch<Isa::neon> {
  using type = xsimd::neon64;
};
  #endif
}  // namespace detail

/// The xsimd batch of instruction set I.
template <Isa I>
requires(I != Isa::scalar) struct Register<I, float> {
  using type = xsimd::batch<float, typename detail::xsimd_arch<I>::type>;  ///< the register
  static constexpr int width = static_cast<int>(type::size);               ///< elements of it
};
#endif

/// Whether V is a SIMD register; otherwise it is a plain number, one lane wide.
template <class V>
inline constexpr bool is_register = requires {
  typename V::arch_type;
};

/// Whether V is a register of 16 floats: AVX-512 has operations on it that xsimd does not name.
template <class V>
inline constexpr bool is_avx512 = is_register<V> && sizeof(V) == 64;
namespace detail {
/// The mask of the first n of 16 elements.
GT_INLINE std::uint16_t first_of_16(std::int64_t n) { return static_cast<std::uint16_t>((1U << n) - 1U); }
}  // namespace detail

/// The operations below work on registers and on plain numbers alike.
template <class V, class T>
GT_INLINE V load(T const* p) {
  if constexpr (is_register<V>) {
    return V::load_unaligned(p);
  } else {
    return *p;
  }
}
/// All elements of v to p, at any address.
template <class V, class T>
GT_INLINE void store(T* p, V const& v) {
  if constexpr (is_register<V>) {
    v.store_unaligned(p);
  } else {
    *p = v;
  }
}
/// The first n elements, 0 <= n < width, and zeros behind them.
template <class V, class T>
GT_INLINE V load_first(T const* p, std::int64_t n) {
  if constexpr (is_avx512<V>) {
    return V(_mm512_maskz_loadu_ps(detail::first_of_16(n), p));
  } else {
    alignas(64) T padded[sizeof(V) / sizeof(T)] = {};
    std::memcpy(padded, p, static_cast<std::size_t>(n) * sizeof(T));
    return simd::load<V>(&padded[0]);
  }
}
/// The first n elements of v to p, 0 <= n < width.
template <class V, class T>
GT_INLINE void store_first(T* p, V const& v, std::int64_t n) {
  if constexpr (is_avx512<V>) {
    _mm512_mask_storeu_ps(p, detail::first_of_16(n), v);
  } else {
    alignas(64) T padded[sizeof(V) / sizeof(T)];
    simd::store(&padded[0], v);
    std::memcpy(p, padded, static_cast<std::size_t>(n) * sizeof(T));
  }
}
/// The first n elements of v, 0 <= n < width, and `other` behind them.
template <class V, class T>
GT_INLINE V keep_first(V const& v, std::int64_t n, T other) {
  if constexpr (is_avx512<V>) {
    return V(_mm512_mask_mov_ps(V(other), detail::first_of_16(n), v));
  } else {
    constexpr auto width = static_cast<std::int64_t>(sizeof(V) / sizeof(T));
    alignas(64) T all[width];
    simd::store(&all[0], v);
    for (std::int64_t k = n; k < width; ++k) all[k] = other;
    return simd::load<V>(&all[0]);
  }
}
/// Asks for the cache line of p, to be read.
GT_INLINE void prefetch(void const* p) {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(p, 0, 2);
#else
  (void)p;
#endif
}
/// Asks for the cache line of p, to be written.
GT_INLINE void prefetch_to_write(void const* p) {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(p, 1, 3);
#else
  (void)p;
#endif
}
/// a b + c, rounded once where the instruction set can.
template <class V>
GT_INLINE V fma(V const& a, V const& b, V const& c) {
  if constexpr (is_avx512<V>) {
    return V(_mm512_fmadd_ps(a, b, c));  // xsimd 8.1 writes a * b + c, which not every compiler fuses
#if defined(__FMA__) && !defined(GT_NO_SIMD)
  } else if constexpr (is_register<V> && sizeof(V) == 16) {
    return V(_mm_fmadd_ps(a, b, c));  // a compiler that may fuse does it here and not there, left to itself
#endif
  } else if constexpr (is_register<V>) {
    return fma(a, b, c);
  } else {
    return ops::multiply_add(a, b, c);
  }
}
/// Sum of all elements, in an order fixed by the register's width.
template <class V>
GT_INLINE auto sum(V const& v) {
  if constexpr (!is_register<V>) {
    return v;
  } else if constexpr (requires { reduce_add(v); }) {  // xsimd 10 and later
    return reduce_add(v);
  } else {
    return hadd(v);
  }
}
/// The root of x.
template <class V>
GT_INLINE V sqrt(V const& x) {
  using std::sqrt;
  return sqrt(x);
}
namespace detail {
/// x, which a compiler that may reorder sums cannot look through.
template <class V>
GT_INLINE V as_rounded(V const& x) {
  auto r = [&] {
    if constexpr (is_register<V>) {
      return typename V::register_type(x);
    } else {
      return x;
    }
  }();
#if defined(__SSE2__)
  asm("" : "+x"(r));
#elif defined(__aarch64__)
  asm("" : "+w"(r));
#elif defined(__GNUC__)
  asm("" : "+m"(r));
#endif
  return V(r);
}
}  // namespace detail
/// The nearest integers, ties to even, of numbers below 2^22 in size; AVX2 and AVX-512 know no bound.
template <class V>
GT_INLINE V round(V const& x) {
  if constexpr (is_register<V> && sizeof(V) >= 32) {
    return nearbyint(x);
  } else {
    V const no_fraction(0x1.8p23F);  // floats of this size have none
    return detail::as_rounded(V(x + no_fraction)) - no_fraction;
  }
}
/// v 2^n for integers n = -127 ... 128, of which 2^-127 may count as 0 and 2^128 as infinity. AVX-512 knows neither
/// bound.
template <class V>
GT_INLINE V scale(V const& v, V const& n) {
  if constexpr (is_avx512<V>) {
    return V(_mm512_scalef_ps(v, n));
  } else if constexpr (is_register<V>) {
    return ldexp(v, to_int(n));
  } else {
    auto const shifted = gt::detail::bit_cast<std::uint32_t>(n + 0x1.8p23F) << 23;  // n stood in the last bits
    return v * gt::detail::bit_cast<V>(shifted + 0x3F800000U);
  }
}
/// Transposes a 4 x 4 block: to[c * to_stride + r] = from[r * from_stride + c].
template <Isa I, class T>
GT_INLINE void transpose_4x4(T const* from, std::int64_t from_stride, T* to, std::int64_t to_stride) {
  using Quarter = typename Register<(I == Isa::neon || I == Isa::scalar) ? I : Isa::sse2, T>::type;
  if constexpr (is_register<Quarter>) {
    auto const a = simd::load<Quarter>(from), b = simd::load<Quarter>(from + from_stride);
    auto const c = simd::load<Quarter>(from + 2 * from_stride), d = simd::load<Quarter>(from + 3 * from_stride);
    auto const ac = zip_lo(a, c), bd = zip_lo(b, d), ac2 = zip_hi(a, c), bd2 = zip_hi(b, d);
    simd::store(to, zip_lo(ac, bd));
    simd::store(to + to_stride, zip_hi(ac, bd));
    simd::store(to + 2 * to_stride, zip_lo(ac2, bd2));
    simd::store(to + 3 * to_stride, zip_hi(ac2, bd2));
  } else {
    for (int c = 0; c < 4; ++c) {
      for (int r = 0; r < 4; ++r) to[c * to_stride + r] = from[r * from_stride + c];
    }
  }
}
/// The smaller of a and b, element by element; b where one is not a number.
template <class V>
GT_INLINE V min(V const& a, V const& b) {
  if constexpr (is_register<V>) {
    return min(a, b);
  } else {
    return a < b ? a : b;
  }
}
/// The larger of a and b, element by element; b where one is not a number.
template <class V>
GT_INLINE V max(V const& a, V const& b) {
  if constexpr (is_register<V>) {
    return max(a, b);
  } else {
    return a > b ? a : b;
  }
}
/// The largest of all elements.
template <class V>
GT_INLINE auto max_of(V const& v) {
  if constexpr (is_avx512<V>) {
    return _mm512_reduce_max_ps(v);
  } else if constexpr (is_register<V>) {
    constexpr std::size_t width = sizeof(V) / sizeof(typename V::value_type);
    alignas(64) typename V::value_type all[width];
    simd::store(&all[0], v);
    auto best = all[0];
    for (auto const x : all) best = x > best ? x : best;
    return best;
  } else {
    return v;
  }
}

}  // namespace gt::simd

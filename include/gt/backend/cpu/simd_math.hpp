// SPDX-License-Identifier: MIT
// Functions of registers that no instruction computes.
#pragma once

#include <cmath>
#include <type_traits>

#include "gt/backend/cpu/simd.hpp"

namespace gt::inline GT_ABI::simd {

namespace detail {
/// Whether the exponentials below have a formula of their own for V: a register of floats, or one float.
template <class V>
inline constexpr bool holds_floats = is_register<V> || std::is_same_v<V, float>;
}  // namespace detail

/// e^x of floats, for -87.33 <= x <= 88.37 within 0.9 units in the last place, or 1.2 where multiply-adds are rounded
/// twice. Below, it runs out to 0, which it is from -104 down; above, it is infinity from 88.73 up; NaN stays NaN.
/// Other element types: `std::exp`.
///   e^x = 2^n e^r,   n = x / log 2 rounded to even,   r = x - n log 2, |r| <= log(2) / 2,
/// log 2 in two parts, the first so short that n times it is exact. e^r = 1 + r + r^2 p(r), p of degree 4, chosen so
/// that the largest relative error of e^r is least: 3e-9.
template <class V>
GT_INLINE V exp(V const& x) {
  if constexpr (!detail::holds_floats<V>) {
    using std::exp;
    return exp(x);
  } else {
    // Where simd::scale has no bounds, infinity and NaN come out by themselves.
    V const y = is_avx512<V> ? simd::max(V(-104.0F), x) : simd::min(V(89.0F), simd::max(V(-88.0F), x));
    V const n = simd::round(V(y * V(0x1.715476p0F)));
    V r = simd::fma(n, V(-0x1.63p-1F), y);
    r = simd::fma(n, V(0x1.bd0106p-13F), r);
    V p = simd::fma(V(0x1.6a23dp-10F), r, V(0x1.123a2p-7F));
    p = simd::fma(p, r, V(0x1.5558f2p-5F));
    p = simd::fma(p, r, V(0x1.555492p-3F));
    p = simd::fma(p, r, V(0x1.fffffcp-2F));
    p = simd::fma(p, r, V(1.0F));
    p = simd::fma(p, r, V(1.0F));
    return simd::scale(p, n);
  }
}

/// 2^x of floats, for -126 <= x <= 127.49 as near as `simd::exp`. Below, it runs out to 0, which it is from -150 down;
/// above, it is infinity from 128 up; NaN stays NaN. Other element types: `std::exp2`.
///   2^x = 2^n 2^f,   n = x rounded to even, f = x - n,
/// with a polynomial of degree 6 for 2^f, chosen as that of `simd::exp`.
template <class V>
GT_INLINE V exp2(V const& x) {
  if constexpr (!detail::holds_floats<V>) {
    using std::exp2;
    return exp2(x);
  } else {
    V const y = is_avx512<V> ? x : simd::min(V(128.0F), simd::max(V(-127.0F), x));
    V const n = simd::round(y), f = y - n;
    V p = simd::fma(V(0x1.415fcap-13F), f, V(0x1.5f0934p-10F));
    p = simd::fma(p, f, V(0x1.3b2dfap-7F));
    p = simd::fma(p, f, V(0x1.c6af7ap-5F));
    p = simd::fma(p, f, V(0x1.ebfbdcp-3F));
    p = simd::fma(p, f, V(0x1.62e43p-1F));
    p = simd::fma(p, f, V(1.0F));
    return simd::scale(p, n);
  }
}

/// Phi(x), the distribution function of N(0, 1), of floats: within 6 * 2^-24, and for x < 0 within 7e-7 + 9e-8 x^2 of
/// itself. Other element types: by `std::erfc`.
///   Phi(x) = 1 - q(x) for x > 0, q(-x) otherwise,   q(z) = e^(-z^2 / 2) t p(t),   t = 1 / (1 + 0.26 z),
/// with p of degree 8, chosen so that the largest relative error of q is least: 3e-8. Its form is that of Hastings
/// 1955, Approximations for Digital Computers.
template <class V>
GT_INLINE V normal_cdf(V const& x) {
  if constexpr (!detail::holds_floats<V>) {
    return V(0.5) * std::erfc(x * V(-0.7071067811865476));
  } else {
    V const z = simd::max(V(V(0.0F) - x), x);
    V const t = V(1.0F) / simd::fma(z, V(0.26F), V(1.0F));
    V p = simd::fma(V(0.030230502F), t, V(-0.15149535F));
    p = simd::fma(p, t, V(0.24873497F));
    p = simd::fma(p, t, V(-0.14779123F));
    p = simd::fma(p, t, V(0.15875996F));
    p = simd::fma(p, t, V(0.05196435F));
    p = simd::fma(p, t, V(0.10278879F));
    p = simd::fma(p, t, V(0.10305096F));
    p = simd::fma(p, t, V(0.10375702F));
    V const q = simd::exp2(V(x * x * V(-0.72134752F))) * t * p;
    V const right = simd::min(simd::max(V(x * V(1e38F)), V(0.0F)), V(1.0F));  // 1 for x > 0; near 0 both forms agree
    return simd::fma(V(V(1.0F) - right - right), q, right);
  }
}

/// 1 / x, within one unit in the last place (on NEON 1.5) for 2^-126 <= |x| <= 2^126. On AVX-512 by one step of
/// Newton's, which leaves the divider to square roots and quotients beside it, and which makes NaN of 0 and of
/// infinity.
template <class V>
GT_INLINE V reciprocal(V const& x) {
  if constexpr (is_avx512<V>) {
    V const r(_mm512_rcp14_ps(x));
    return simd::fma(V(_mm512_fnmadd_ps(x, r, V(1.0F))), r, r);
  } else {
    return V(1) / x;
  }
}

}  // namespace gt::simd

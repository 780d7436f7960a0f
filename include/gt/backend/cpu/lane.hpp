// SPDX-License-Identifier: MIT
// The SIMD lane: row kernels one register at a time.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/simd.hpp"
#include "gt/backend/cpu/simd_math.hpp"

namespace gt::inline GT_ABI::simd {

namespace detail {
/// The instruction set of registers half as wide; itself where there is none.
constexpr Isa narrower(Isa isa) { return has_avx512(isa) ? Isa::avx2 : isa == Isa::avx2 ? Isa::sse2 : isa; }
}  // namespace detail

/// Runs a row kernel's body over registers of instruction set I. An index is a `Full` register's first element, or the
/// `Part` of one at the end of a row, which loads zeros behind the last element and stores none of them.
/// Sums run over four registers and a fixed tree, so a row's result depends on its length and on nothing else.
template <Isa I, class T>
struct Lane {
  using V = typename Register<I, T>::type;             ///< the register
  using value_type = T;                                ///< of an element
  static constexpr int width = Register<I, T>::width;  ///< elements of a register
  using Narrower = Lane<detail::narrower(I), T>;       ///< for rows that do not fill a register; this one at the end

  /// The elements of one whole register.
  struct Full {
    std::int64_t at;  ///< the first of them
  };
  /// The elements at the end of a row that fill no register.
  struct Part {
    std::int64_t at, count;  ///< the first of them, and how many
  };

  /// A register of x.
  GT_INLINE V load(T const* x, Full i) const { return simd::load<V>(x + i.at); }
  /// The last elements of x, zeros behind them.
  GT_INLINE V load(T const* x, Part i) const { return simd::load_first<V>(x + i.at, i.count); }
  /// A register to y.
  GT_INLINE void store(T* y, Full i, V const& v) const { simd::store(y + i.at, v); }
  /// The first elements of v to the end of y; nothing behind it is touched.
  GT_INLINE void store(T* y, Part i, V const& v) const { simd::store_first(y + i.at, v, i.count); }

  GT_INLINE V fma(V const& a, V const& b, V const& c) const { return simd::fma(a, b, c); }  ///< a b + c
  GT_INLINE V exp(V const& x) const { return simd::exp(x); }                                ///< e^x
  GT_INLINE V exp2(V const& x) const { return simd::exp2(x); }                              ///< 2^x
  GT_INLINE V normal_cdf(V const& x) const { return simd::normal_cdf(x); }                  ///< P(N(0, 1) <= x)
  GT_INLINE V sqrt(V const& x) const { return simd::sqrt(x); }                              ///< the root of x
  GT_INLINE V reciprocal(V const& x) const { return simd::reciprocal(x); }                  ///< 1 / x

  /// body(i) for all registers that hold the indices 0 ... n - 1.
  template <class F>
  GT_INLINE void each(std::int64_t n, F const& body) const {
    std::int64_t i = 0;
    for (; i + width <= n; i += width) body(Full{i});
    if (i < n) body(Part{i, n - i});
  }

  /// The sum of term(i), 0 for n = 0.
  template <class F>
  GT_INLINE T sum(std::int64_t n, F const& term) const {
    V a(T(0)), b(T(0)), c(T(0)), d(T(0));
    std::int64_t i = 0;
    for (; i + 4 * width <= n; i += 4 * width) {
      a += V(term(Full{i}));
      b += V(term(Full{i + width}));
      c += V(term(Full{i + 2 * width}));
      d += V(term(Full{i + 3 * width}));
    }
    // One by one: in a loop over the four they would live in memory.
    if (i + width <= n) a += V(term(Full{i})), i += width;
    if (i + width <= n) b += V(term(Full{i})), i += width;
    if (i + width <= n) c += V(term(Full{i})), i += width;
    if (i < n) d += simd::keep_first(V(term(Part{i, n - i})), n - i, T(0));
    return simd::sum(V((a + b) + (c + d)));
  }
  /// Two sums in one pass: add(i, a, b) adds the terms at i to the registers a and b.
  template <class F>
  GT_INLINE std::array<T, 2> sum_pair(std::int64_t n, F const& add) const {
    V a(T(0)), b(T(0)), c(T(0)), d(T(0));
    std::int64_t i = 0;
    for (; i + 2 * width <= n; i += 2 * width) {
      add(Full{i}, a, b);
      add(Full{i + width}, c, d);
    }
    if (i + width <= n) add(Full{i}, a, b), i += width;
    if (i < n) {
      V e(T(0)), f(T(0));
      add(Part{i, n - i}, e, f);
      c += simd::keep_first(e, n - i, T(0)), d += simd::keep_first(f, n - i, T(0));
    }
    return {simd::sum(V(a + c)), simd::sum(V(b + d))};
  }

  /// The largest element of all term(i); minus infinity for n = 0.
  template <class F>
  GT_INLINE T max(std::int64_t n, F const& term) const {
    T const lowest = -std::numeric_limits<T>::infinity();
    V a(lowest), b(lowest), c(lowest), d(lowest);
    std::int64_t i = 0;
    for (; i + 4 * width <= n; i += 4 * width) {
      a = simd::max(a, V(term(Full{i})));
      b = simd::max(b, V(term(Full{i + width})));
      c = simd::max(c, V(term(Full{i + 2 * width})));
      d = simd::max(d, V(term(Full{i + 3 * width})));
    }
    for (; i + width <= n; i += width) a = simd::max(a, V(term(Full{i})));
    if (i < n) b = simd::max(b, simd::keep_first(V(term(Part{i, n - i})), n - i, lowest));
    return simd::max_of(simd::max(simd::max(a, b), simd::max(c, d)));
  }
};

}  // namespace gt::simd

// SPDX-License-Identifier: MIT
// The SIMD lane: row kernels one register at a time.
#pragma once

#include <cstdint>
#include <limits>

#include "gt/backend/cpu/simd.hpp"

namespace gt {

/// Runs a row kernel's body over registers of instruction set I. An index is a `Full` register's first element, or the
/// `Part` of one at the end of a row, which loads zeros behind the last element and stores none of them.
/// Sums run over four registers and a fixed tree, so a row's result depends on its length and on nothing else.
template <Isa I, class T>
struct SimdLane {
  using V = typename Register<I, T>::type;             ///< the register
  using value_type = T;                                ///< of an element
  static constexpr int width = Register<I, T>::width;  ///< elements of a register

  /// The elements of one whole register.
  struct Full {
    std::int64_t at;  ///< the first of them
  };
  /// The elements at the end of a row that fill no register.
  struct Part {
    std::int64_t at, count;  ///< the first of them, and how many
  };

  /// A register of x.
  GT_INLINE V load(T const* x, Full i) const { return simd_load<V>(x + i.at); }
  /// The last elements of x, zeros behind them.
  GT_INLINE V load(T const* x, Part i) const { return simd_load_first<V>(x + i.at, i.count); }
  /// A register to y.
  GT_INLINE void store(T* y, Full i, V const& v) const { simd_store(y + i.at, v); }
  /// The first elements of v to the end of y; nothing behind it is touched.
  GT_INLINE void store(T* y, Part i, V const& v) const { simd_store_first(y + i.at, v, i.count); }

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
    V s0(T(0)), s1(T(0)), s2(T(0)), s3(T(0));
    std::int64_t i = 0;
    for (; i + 4 * width <= n; i += 4 * width) {
      s0 += V(term(Full{i}));
      s1 += V(term(Full{i + width}));
      s2 += V(term(Full{i + 2 * width}));
      s3 += V(term(Full{i + 3 * width}));
    }
    V* const rest[3] = {&s0, &s1, &s2};
    int r = 0;
    for (; i + width <= n; i += width) *rest[r++] += V(term(Full{i}));
    if (i < n) (r == 0 ? s0 : r == 1 ? s1 : r == 2 ? s2 : s3) += first(V(term(Part{i, n - i})), n - i, T(0));
    return simd_sum(V((s0 + s1) + (s2 + s3)));
  }

  /// The largest element of all term(i); minus infinity for n = 0.
  template <class F>
  GT_INLINE T max(std::int64_t n, F const& term) const {
    T const lowest = -std::numeric_limits<T>::infinity();
    V best(lowest);
    std::int64_t i = 0;
    for (; i + width <= n; i += width) best = simd_max(best, V(term(Full{i})));
    if (i < n) best = simd_max(best, first(V(term(Part{i, n - i})), n - i, lowest));
    alignas(64) T all[width];
    simd_store(&all[0], best);
    T result = all[0];
    for (int k = 1; k < width; ++k) result = all[k] > result ? all[k] : result;
    return result;
  }

 private:
  /// The first n elements of v, `other` behind them.
  static GT_INLINE V first(V const& v, std::int64_t n, T other) {
    alignas(64) T all[width];
    simd_store(&all[0], v);
    for (std::int64_t k = n; k < width; ++k) all[k] = other;
    return simd_load<V>(&all[0]);
  }
};

}  // namespace gt

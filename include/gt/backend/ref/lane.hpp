// SPDX-License-Identifier: MIT
// The scalar lane: row kernels one element at a time, in any scalar type.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "gt/core/scalar.hpp"

namespace gt::inline GT_ABI {

/// A lane runs the body of a row kernel over the indices 0 ... n - 1 and offers what differs between scalar and SIMD
/// code: `each`, `sum`, `sum_pair`, `max`, `load`, `store`, `fma`, `exp`, `exp2`, `normal_cdf`, `sqrt`, `reciprocal`. A
/// body takes the index as `auto`, for it may stand for several elements.
template <class T>
struct ScalarLane {
  static constexpr int width = 1;  ///< elements an index stands for
  using value_type = T;            ///< of an element
  using Narrower = ScalarLane;     ///< for rows shorter than `width`: there are none

  T load(T const* x, std::int64_t i) const { return x[i]; }          ///< element i of x
  void store(T* y, std::int64_t i, T value) const { y[i] = value; }  ///< value to element i of y

  T fma(T const& a, T const& b, T const& c) const { return ops::multiply_add(a, b, c); }  ///< a b + c
  /// e^x
  T exp(T const& x) const {
    using std::exp;
    return exp(x);
  }
  /// 2^x
  T exp2(T const& x) const {
    if constexpr (std::is_floating_point_v<T>) {
      return std::exp2(x);
    } else {
      return exp(x * T(0.6931471805599453));
    }
  }
  /// P(N(0, 1) <= x); of a complex number to first order in its imaginary part, which is what a complex step needs.
  T normal_cdf(T const& x) const {
    if constexpr (std::is_floating_point_v<T>) {
      return T(0.5) * std::erfc(x * T(-0.7071067811865476));
    } else {
      auto const a = x.real();
      using Real = decltype(x.real());
      Real const density = std::exp(-a * a / 2) * Real(0.3989422804014327);  // 1 / sqrt(2 pi)
      return {ScalarLane<Real>{}.normal_cdf(a), x.imag() * density};
    }
  }
  /// The root of x.
  T sqrt(T const& x) const {
    using std::sqrt;
    return sqrt(x);
  }
  T reciprocal(T const& x) const { return T(1) / x; }  ///< 1 / x

  /// body(i) for i = 0 ... n - 1, in this order.
  template <class F>
  void each(std::int64_t n, F const& body) const {
    for (std::int64_t i = 0; i < n; ++i) body(i);
  }
  /// The sum of term(i) in ascending order, 0 for n = 0.
  template <class F>
  T sum(std::int64_t n, F const& term) const {
    T total{};
    for (std::int64_t i = 0; i < n; ++i) total += term(i);
    return total;
  }
  /// Two sums in one pass: add(i, a, b) adds the terms at i to a and b.
  template <class F>
  std::array<T, 2> sum_pair(std::int64_t n, F const& add) const {
    std::array<T, 2> total{};
    for (std::int64_t i = 0; i < n; ++i) add(i, total[0], total[1]);
    return total;
  }
  /// The largest term by its real part; n >= 1.
  template <class F>
  T max(std::int64_t n, F const& term) const {
    T best = term(0);
    for (std::int64_t i = 1; i < n; ++i) {
      T const v = term(i);
      if (ops::real_part(v) > ops::real_part(best)) best = v;
    }
    return best;
  }
};

}  // namespace gt

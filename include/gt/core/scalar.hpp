// SPDX-License-Identifier: MIT
// What kernels ask of a scalar type beyond arithmetic.
#pragma once

#include <cmath>
#include <type_traits>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI::ops {

/// The part of a number that is compared: itself, or its real part (so that softmax stays analytic in complex steps).
template <class T>
GT_HD constexpr auto real_part(T value) {
  if constexpr (requires { value.real(); }) {
    return value.real();
  } else {
    return value;
  }
}
/// The real numbers of a scalar type.
template <class T>
using RealOf = decltype(real_part(T{}));

/// a b + c, rounded once where the machine can. Left to itself a compiler fuses some of these and not others, and an
/// element of a product would depend on the loop that computes it.
template <class T>
T multiply_add(T const& a, T const& b, T const& c) {
#if defined(__FMA__) || defined(__aarch64__)
  if constexpr (std::is_floating_point_v<T>) return std::fma(a, b, c);
#endif
  return a * b + c;
}

}  // namespace gt::ops

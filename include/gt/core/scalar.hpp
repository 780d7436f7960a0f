// SPDX-License-Identifier: MIT
// What kernels ask of a scalar type beyond arithmetic.
#pragma once

#include <complex>

#include "gt/base/macros.hpp"

namespace gt {

/// The part of a number that is compared: itself, or its real part (so that softmax stays analytic in complex steps).
template <class T>
GT_HD constexpr T real_part(T value) {
  return value;
}
template <class T>
constexpr T real_part(std::complex<T> value) {
  return value.real();
}

}  // namespace gt

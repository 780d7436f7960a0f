// SPDX-License-Identifier: MIT
// Derivatives without cancellation: one step along the imaginary axis.
#pragma once

#include <complex>
#include <cstddef>
#include <vector>

#include "support/close.hpp"

namespace gt::test {

using Complex = std::complex<double>;
inline constexpr double complex_step_size = 1e-30;  ///< its square vanishes beside 1: the step is exact to rounding

/// dLoss/dx_j = Im Loss(x + i h e_j) / h, for `loss(std::vector<Complex>) -> Complex` that is analytic.
/// Source: Squire & Trapp 1998, SIAM Review 40(1).
template <class Loss>
Numbers complex_step(Loss const& loss, Numbers const& x) {
  std::vector<Complex> z(x.begin(), x.end());
  Numbers gradient;
  for (std::size_t j = 0; j < x.size(); ++j) {
    z[j] = Complex(x[j], complex_step_size);
    gradient.push_back(loss(z).imag() / complex_step_size);
    z[j] = x[j];
  }
  return gradient;
}

/// sum of a_i z_i
inline Complex dot(Numbers const& a, std::vector<Complex> const& z) {
  Complex sum;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * z[i];
  return sum;
}

}  // namespace gt::test

// SPDX-License-Identifier: MIT
// When two tensors agree: within a stated tolerance, or bit by bit.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <limits>
#include <ostream>
#include <span>
#include <vector>

namespace gt::test {

using Numbers = std::vector<double>;  ///< of any tensor, row by row

/// Which of two tensors' numbers differ most, and by how much they may. A failed CHECK prints it.
struct Comparison {
  bool holds = true;
  std::size_t at = 0;
  double actual = 0, expected = 0, limit = 0;
  explicit operator bool() const { return holds; }
  friend std::ostream& operator<<(std::ostream& out, Comparison const& c) {
    return out << c.actual << " against " << c.expected << " at " << c.at << ", off by "
               << std::abs(c.actual - c.expected) << ", at most " << c.limit;
  }
};

inline double max_abs(Numbers const& x) {
  double largest = 0;
  for (double const v : x) largest = std::max(largest, std::abs(v));
  return largest;
}

/// |a_i - b_i| <= tolerance * scale for all i. The scale is max|b| unless one is given, as it must be where the terms
/// of b cancel. What is not a number, and tensors of different sizes, are never close.
inline Comparison close(Numbers const& a, Numbers const& b, double tolerance, double scale) {
  if (a.size() != b.size()) return {false, 0, static_cast<double>(a.size()), static_cast<double>(b.size()), 0};
  Comparison worst{.limit = tolerance * scale};
  double most = -1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    double const off = std::abs(a[i] - b[i]);
    if (off <= most) continue;
    worst.at = i, worst.actual = a[i], worst.expected = b[i];
    worst.holds = off <= worst.limit;
    if (std::isnan(off)) break;
    most = off;
  }
  return worst;
}
inline Comparison close(Numbers const& a, Numbers const& b, double tolerance) {
  return close(a, b, tolerance, max_abs(b));
}
inline Comparison close(double a, double b, double tolerance, double scale) {
  return close(Numbers{a}, Numbers{b}, tolerance, scale);
}

/// k eps sqrt(n): what rounding adds to a sum of n terms, relative to the size of the sum.
template <std::floating_point T>
double tol(double n, double k = 4) {
  return k * static_cast<double>(std::numeric_limits<T>::epsilon()) * std::sqrt(n);
}
/// What a gradient in T may differ from the complex step: 1e-10 in double; in float what rounding adds to n terms.
template <std::floating_point T>
double gradient_tol(double n, double k = 4) {
  return sizeof(T) == sizeof(double) ? 1e-10 : tol<T>(n, k);
}

template <class T>
bool bit_equal(std::span<T const> a, std::span<T const> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}
template <class T>
bool bit_equal(std::vector<T> const& a, std::vector<T> const& b) {
  return bit_equal(std::span<T const>{a}, std::span<T const>{b});
}

}  // namespace gt::test

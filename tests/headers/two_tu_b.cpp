// SPDX-License-Identifier: MIT
// The other half of two_tu_a.cpp.
#include "gt/gt.hpp"

namespace two_tu {
char const* version_of_b();
gt::Buffer<float> buffer_of_b();
double number_of_b();

char const* version_of_b() { return gt::version; }
gt::Buffer<float> buffer_of_b() {
  gt::Buffer<float> numbers(17);
  for (int i = 0; i < 17; ++i) numbers[i] = static_cast<float>(i);
  return numbers;
}
double number_of_b() { return gt::Random(gt::seed(1), gt::Purpose::test).uniform(3); }
}  // namespace two_tu

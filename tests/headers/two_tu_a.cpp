// SPDX-License-Identifier: MIT
// Two translation units with the umbrella header must link, and see the same library.
#include <cstdio>

#include "gt/gt.hpp"

namespace two_tu {
char const* version_of_b();
gt::Buffer<float> buffer_of_b();
double number_of_b();
}  // namespace two_tu

int main() {
  gt::Buffer<float> const a(17), shared = two_tu::buffer_of_b();
  bool const same = two_tu::version_of_b() == gt::version  // one address: one inline variable
                    && shared.size() == a.size() && shared[16] == 16.0f &&
                    two_tu::number_of_b() == gt::Random(gt::seed(1), gt::Purpose::test).uniform(3);
  if (!same) std::puts("the two translation units disagree");
  return same ? 0 : 1;
}

// SPDX-License-Identifier: MIT
// Compiled with flags that let clang reorder sums, which it tells no macro of: exponentials stay right.
#include <cmath>
#include <cstddef>
#include <cstdio>

#include "gt/backend/cpu/simd_math.hpp"

namespace {

// The largest relative error of e^x and 2^x on registers V.
template <class V>
double worst() {
  constexpr auto width = sizeof(V) / sizeof(float);
  double largest = 0;
  for (float x = -80; x < 80; x += 0.00731F) {
    float in[width], e[width], two[width];
    for (std::size_t i = 0; i < width; ++i) in[i] = x + 0.001F * static_cast<float>(i);
    gt::simd::store(&e[0], gt::simd::exp(gt::simd::load<V>(&in[0])));
    gt::simd::store(&two[0], gt::simd::exp2(gt::simd::load<V>(&in[0])));
    for (std::size_t i = 0; i < width; ++i) {
      auto const z = static_cast<double>(in[i]);
      largest = std::fmax(largest, std::fabs(static_cast<double>(e[i]) / std::exp(z) - 1));
      largest = std::fmax(largest, std::fabs(static_cast<double>(two[i]) / std::exp2(z) - 1));
    }
  }
  return largest;
}

}  // namespace

int main() {
  double const scalar = worst<float>(), native = worst<gt::simd::Register<gt::native_isa, float>::type>();
  std::printf("largest relative error: %.2e scalar, %.2e %s\n", scalar, native, gt::name(gt::native_isa));
  return scalar < 1.2e-7 && native < 1.2e-7 ? 0 : 1;
}

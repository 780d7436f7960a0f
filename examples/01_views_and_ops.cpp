// SPDX-License-Identifier: MIT
// Lesson 1: a Buffer owns numbers, a View looks at them, an op takes a backend and views.
// The same two ops run on `Ref` in double, scalar loops, and on `Cpu` in float, SIMD and threads: they agree to what
// float can hold.   Run it: ./01_views_and_ops
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <gt/backend/ref/ref.hpp>
#include <gt/base/philox.hpp>
#include <gt/cpu.hpp>
#include <gt/ops/layer_norm.hpp>
#include <gt/ops/linear.hpp>
#include <iostream>

#include "support/lesson.hpp"

constexpr std::int64_t M = 3, C = 64, N = 4;  // rows, width, outputs

// n random numbers. They are a pure function of seed, stream and index, so that every type and machine gets the same.
template <class T>
gt::Buffer<T> numbers(std::int64_t n, std::uint32_t stream) {
  gt::Random const random(gt::seed(1), gt::Purpose::test, stream);
  gt::Buffer<T> x(n);
  for (std::int64_t i = 0; i < n; ++i) x[i] = static_cast<T>(random.normal(static_cast<std::uint64_t>(i)));
  return x;
}

// y = layer_norm(x) W^T + b on any backend, in any type.
template <class T, gt::Backend B>
gt::Buffer<T> project(B const& on) {
  auto const x = numbers<T>(M * C, 1), w = numbers<T>(N * C, 2), b = numbers<T>(N, 3), gain = numbers<T>(C, 4);
  gt::Buffer<T> const bias(C), mean(M), rstd(M), normed(M * C), y(M * N);  // zeros
  gt::Matrix<T> const h(normed.data(), M, C);
  gt::ops::layer_norm(on, gt::Matrix<T>(x.data(), M, C), gt::Vector<T>(gain.data(), C), gt::Vector<T>(bias.data(), C),
                      h, gt::Vector<T>(mean.data(), M), gt::Vector<T>(rstd.data(), M), 1e-5);  // [M, C]
  gt::ops::linear(on, h, gt::Matrix<T>(w.data(), N, C), gt::Vector<T>(b.data(), N),            // [N, C], [N]
                  gt::Matrix<T>(y.data(), M, N));                                              // [M, N]
  return y;
}

int main() {
  gt::Buffer<double> const memory = numbers<double>(M * C, 1);
  gt::Matrix<double> const x(memory.data(), M, C);  // [M, C], rows C apart
  gt::Matrix<double> const part = x.columns(8, 2);  // [M, 2], rows still C apart: nothing was copied
  part(2, 1) = 42;
  std::cout << "x is [" << x.rows() << ", " << x.columns() << "]; columns 8 and 9 of it are [" << part.rows() << ", "
            << part.columns() << "], rows " << part.stride() << " apart\n";
  lesson::claim(x(2, 9) == 42 && memory[2 * C + 9] == 42, "what is written through a view is in the buffer");
  lesson::claim(gt::Buffer<double>(memory).shares_with(memory),
                "a copy of a buffer shares its numbers; clone() copies");

  gt::Cpu<> const cpu;  // all cores, or gt::Cpu<>(2) for two
  auto const exact = project<double>(gt::Ref{});
  auto const rounded = project<float>(cpu);
  std::printf("\n%-28s %s in float\n", "Ref in double", cpu.name());
  double most = 0;
  for (std::int64_t i = 0; i < M; ++i) {
    for (std::int64_t j = 0; j < N; ++j) std::printf("%7.3f", exact[i * N + j]);
    for (std::int64_t j = 0; j < N; ++j) std::printf("%7.3f", double{rounded[i * N + j]});
    std::printf("\n");
  }
  for (std::int64_t i = 0; i < M * N; ++i) most = std::max(most, std::abs(exact[i] - double{rounded[i]}));
  std::printf("they differ by at most %.1e\n", most);
  lesson::claim(most > 0 && most < 1e-4, "both backends compute the same, to the rounding of float");
  return lesson::verdict();
}

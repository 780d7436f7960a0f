// SPDX-License-Identifier: MIT
// The machine's own limit: how many multiply-adds a second its registers can make.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/simd.hpp"
#include "gt/backend/cpu/threads.hpp"
#include "gt/base/clock.hpp"

namespace gt::inline GT_ABI {

namespace detail {
/// `rounds` times a dozen independent chains of multiply-adds on one thread. Returns what keeps them from being
/// removed.
template <Isa I>
float multiply_add_chains(std::int64_t rounds) noexcept {
  using V = typename simd::Register<I, float>::type;
  constexpr int chains = 12;  // enough to hide the latency of two units
  // A compiler that knew these numbers would find the chain that they leave as it is, and drop it.
  float const volatile factor = 0.999F, addend = 1e-3F;
  V const b(static_cast<float>(factor)), d(static_cast<float>(addend));
  V a[chains];
  for (int c = 0; c < chains; ++c) a[c] = V(static_cast<float>(c));
  for (std::int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (int c = 0; c < chains; ++c) a[c] = simd::fma(a[c], b, d);
  }
  V sum(0.0F);
  for (int c = 0; c < chains; ++c) sum += a[c];
  return static_cast<float>(simd::sum(sum));
}
}  // namespace detail

/// Floating-point operations a second (a multiply-add is two) that the threads of `on` reach together on fp32
/// registers, each on a core of its own as far as there are cores. Each thread counts the fastest of its own short
/// runs, so that other programs disturb the result little.
template <Isa I>
double measure_peak(Cpu<I> const& on) {
  constexpr std::int64_t rounds = 200'000;  // about a millisecond
  constexpr double flops = 2.0 * 12 * simd::Register<I, float>::width * rounds;
  int const threads = std::min(on.threads(), available_threads());  // more of them share cores
  std::vector<double> rates(static_cast<std::size_t>(threads));
  on.parallel_for(threads, [&](std::int64_t job) {
    double fastest = 0;
    for (int run = 0; run < 20; ++run) {
      double const start = seconds_now();
      float volatile kept = detail::multiply_add_chains<I>(rounds);
      (void)kept;
      fastest = std::max(fastest, flops / seconds_since(start));
    }
    rates[static_cast<std::size_t>(job)] = fastest;
  });
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

}  // namespace gt

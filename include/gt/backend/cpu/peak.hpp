// SPDX-License-Identifier: MIT
// The machine's own limit: how many multiply-adds a second its registers can make.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "gt/backend/cpu/simd.hpp"
#include "gt/core/backend.hpp"

namespace gt {

namespace detail {
/// `rounds` times a dozen independent chains of multiply-adds on one thread. Returns what keeps them from being
/// removed.
template <Isa I>
float multiply_add_chains(std::int64_t rounds) noexcept {
  using V = typename Register<I, float>::type;
  constexpr int chains = 12;  // enough to hide the latency of two units
  V a[chains];
  for (int c = 0; c < chains; ++c) a[c] = V(static_cast<float>(c));
  V const b(0.999F), d(1e-3F);
  for (std::int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (int c = 0; c < chains; ++c) a[c] = simd_fma(a[c], b, d);
  }
  V sum(0.0F);
  for (int c = 0; c < chains; ++c) sum += a[c];
  return static_cast<float>(simd_sum(sum));
}
}  // namespace detail

/// Floating-point operations a second (a multiply-add is two) that all threads of `on` reach together on fp32
/// registers: the best of eight runs of about `milliseconds` each.
template <Isa I>
double measure_peak(Cpu<I> const& on, double milliseconds = 10) {
  using clock = std::chrono::steady_clock;
  constexpr std::int64_t flops_a_round = 2 * 12 * Register<I, float>::width;
  int const threads = on.threads();
  std::int64_t rounds = 100'000;
  double best = 0;
  for (int run = 0; run < 9; ++run) {
    auto const start = clock::now();
    on.parallel_for(threads, [&](std::int64_t) {
      float volatile kept = detail::multiply_add_chains<I>(rounds);
      (void)kept;
    });
    double const seconds = std::chrono::duration<double>(clock::now() - start).count();
    if (run > 0) best = std::max(best, static_cast<double>(rounds * flops_a_round * threads) / seconds);
    rounds = std::max<std::int64_t>(
        1000, static_cast<std::int64_t>(static_cast<double>(rounds) * milliseconds * 1e-3 / seconds));
  }
  return best;
}

}  // namespace gt

// SPDX-License-Identifier: MIT
// This machine's limits, which every share in the table is a share of: multiply-adds a second, bytes a second.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#if defined(__AVX512BF16__)
  #include <immintrin.h>
#endif

#include "gt/backend/cpu/peak.hpp"
#include "gt/backend/cpu/threads.hpp"
#include "gt/base/clock.hpp"
#include "gt/base/error.hpp"
#include "gt/core/buffer.hpp"
#include "gt/cpu.hpp"

namespace gt::bench {

template <class F>
double seconds_of(F const& f) {
  double const start = seconds_now();
  f();
  return seconds_since(start);
}

/// One thread and all of them.
inline std::vector<int> thread_counts() {
  int const all = available_threads();
  return all > 1 ? std::vector<int>{1, all} : std::vector<int>{1};
}
inline std::string cpu_name(int threads) { return text("cpu:", threads); }

namespace parts {
/// Operations a second of bf16 dot products in registers on one thread, 64 each; 0 where there is no such instruction.
inline double bf16_peak() {
#if defined(__AVX512BF16__)
  constexpr int chains = 12, rounds = 200'000;
  double best = 0;
  for (int run = 0; run < 20; ++run) {
    // Numbers that the compiler does not know, and chains that differ: equal ones would be made once.
    float const volatile first = 0.5F, second = 0.25F;
    __m512 a[chains];
    for (int c = 0; c < chains; ++c) a[c] = _mm512_set1_ps(static_cast<float>(c) + first);
    __m512bh const b = _mm512_cvtne2ps_pbh(_mm512_set1_ps(first), _mm512_set1_ps(second));
    double const seconds = seconds_of([&] {
      for (int r = 0; r < rounds; ++r) {
  #pragma GCC unroll 12
        for (auto& v : a) v = _mm512_dpbf16_ps(v, b, b);
      }
      for (auto const& v : a) benchmark::DoNotOptimize(_mm512_cvtss_f32(v));
    });
    best = std::max(best, 64.0 * chains * rounds / seconds);
  }
  return best;
#else
  return 0;
#endif
}
}  // namespace parts

/// What this machine can do at most. Each limit is measured when it is first asked for, and raised when a later
/// measurement is better: what else runs here only ever makes a measurement too low.
class Limits {
 public:
  /// Floating-point operations a second in fp32 registers.
  double fma(int threads) {
    if (!fma_.contains(threads)) measure_fma(threads);
    return fma_[threads];
  }
  /// The same of bf16 dot products that add up in fp32; 0 where the processor has none.
  double bf16(int threads) {
    if (!bf16_.contains(threads)) measure_bf16(threads);
    return bf16_[threads];
  }
  /// Bytes a second of adding up a buffer of `bytes` over and over: it comes from the cache that it fits, or from
  /// memory.
  double stream(std::int64_t bytes, int threads) {
    if (!stream_.contains({bytes, threads})) measure_stream(bytes, threads);
    return stream_[{bytes, threads}];
  }
  void measure_fma(int threads) {
    raise(fma_[threads], together(threads, [](std::int64_t) { return measure_peak(Cpu<>(1)); }));
  }
  void measure_bf16(int threads) {
    raise(bf16_[threads], together(threads, [](std::int64_t) { return parts::bf16_peak(); }));
  }
  void measure_stream(std::int64_t bytes, int threads) {
    Buffer<std::uint64_t> const buffer(std::max<std::int64_t>(threads, bytes / 8));
    std::int64_t const n = buffer.size();
    raise(stream_[{bytes, threads}], together(threads, [&](std::int64_t part) {
            std::uint64_t const* const first = buffer.data() + n * part / threads;
            std::uint64_t const* const last = buffer.data() + n * (part + 1) / threads;
            auto const pass = [&] {
              std::uint64_t sum = 0;  // of integers, so that the compiler may
                                      // use registers and any order
              for (auto const* p = first; p != last; ++p) sum += *p;
              benchmark::DoNotOptimize(sum);
            };
            pass();
            double best = std::numeric_limits<double>::infinity(), spent = 0;
            for (int runs = 0; runs < 5 || spent < 0.04; ++runs) {
              double const seconds = seconds_of(pass);
              best = std::min(best, seconds), spent += seconds;
            }
            return static_cast<double>(8 * (last - first)) / best;
          }));
  }

 private:
  /// What threads that measure at the same time measure together. Each takes the best of short runs on its own, so that
  /// a thread that has to wait for its core does not spoil the others' result.
  template <class F>
  static double together(int threads, F const& measure) {
    std::vector<double> each(static_cast<std::size_t>(threads));
    Cpu<>(threads).parallel_for(threads, [&](std::int64_t i) { each[static_cast<std::size_t>(i)] = measure(i); });
    double sum = 0;
    for (double const one : each) sum += one;
    return sum;
  }
  static void raise(double& limit, double measured) { limit = std::max(limit, measured); }
  std::map<int, double> fma_, bf16_;
  std::map<std::pair<std::int64_t, int>, double> stream_;
};
inline Limits& limits() {
  static Limits measured;
  return measured;
}

/// The machine's limits as rows: FMA and bf16 peak; bandwidth of half the second cache (of each thread) and of half the
/// last one, and of eight times the last.
inline void add_limits() {
  std::int64_t second = std::int64_t{1} << 20, last = std::int64_t{32} << 20;
  for (auto const& c : benchmark::CPUInfo::Get().caches) {
    if (c.level == 2) second = c.size;
    if (c.level >= 3) last = c.size;
  }
  auto const row = [](std::string const& name, int threads, auto const& measure) {
    auto const body = [=](benchmark::State& state) {
      for (auto _ : state) measure(state);
      state.counters["threads_used"] = threads;
    };
    benchmark::RegisterBenchmark(text("peak/", name, "/threads:", threads).c_str(), body)
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
  };
  for (int const threads : thread_counts()) {
    row("fma", threads, [=](benchmark::State& state) {
      limits().measure_fma(threads);
      state.counters["GFLOP/s"] = limits().fma(threads) * 1e-9;
    });
  }
  for (int const threads : thread_counts()) {
    if (parts::bf16_peak() == 0) break;
    row("bf16", threads, [=](benchmark::State& state) {
      limits().measure_bf16(threads);
      state.counters["GFLOP/s"] = limits().bf16(threads) * 1e-9;
    });
  }
  for (int const threads : thread_counts()) {
    for (auto const& [name, bytes] : {std::pair{"stream_l2", threads * second / 2}, std::pair{"stream_l3", last / 2},
                                      std::pair{"stream_memory", 8 * last}}) {
      row(name, threads, [=, bytes = bytes](benchmark::State& state) {
        limits().measure_stream(bytes, threads);
        state.counters["GB/s"] = limits().stream(bytes, threads) * 1e-9;
        state.counters["MiB"] = static_cast<double>(bytes) / (1 << 20);
      });
    }
  }
}

}  // namespace gt::bench

// SPDX-License-Identifier: MIT
// What all benchmarks share: this machine's limits, and cases that are verified once and then timed.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gt/backend/cpu/peak.hpp"
#include "gt/backend/cpu/threads.hpp"
#include "gt/base/error.hpp"
#include "gt/core/buffer.hpp"
#include "gt/cpu.hpp"

namespace gt::bench {

template <class F>
double seconds_of(F const& f) {
  auto const start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// One thread and all of them.
inline std::vector<int> thread_counts() {
  int const all = available_threads();
  return all > 1 ? std::vector<int>{1, all} : std::vector<int>{1};
}
inline std::string cpu_name(int threads) { return text("cpu:", threads); }

/// What this machine can do at most. Each limit is measured when it is first asked for, and raised when a later
/// measurement is better: what else runs here only ever makes a measurement too low.
class Limits {
 public:
  /// Floating-point operations a second in fp32 registers.
  double fma(int threads) {
    if (!fma_.contains(threads)) measure_fma(threads);
    return fma_[threads];
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
  void measure_stream(std::int64_t bytes, int threads) {
    Buffer<std::uint64_t> const buffer(std::max<std::int64_t>(threads, bytes / 8));
    std::int64_t const n = buffer.size();
    raise(stream_[{bytes, threads}], together(threads, [&](std::int64_t part) {
            std::uint64_t const* const first = buffer.data() + n * part / threads;
            std::uint64_t const* const last = buffer.data() + n * (part + 1) / threads;
            auto const pass = [&] {
              std::uint64_t sum = 0;  // of integers, so that the compiler may use registers and any order
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
  std::map<int, double> fma_;
  std::map<std::pair<std::int64_t, int>, double> stream_;
};
inline Limits& limits() {
  static Limits measured;
  return measured;
}

/// What one run of a case does. With `flops` its limit is the FMA peak, otherwise the bandwidth of `memory` bytes.
struct Work {
  double flops = 0;         ///< floating-point operations: those of the formula, not those that an algorithm adds
  double bytes = 0;         ///< that pass: each array counts once, even when it is read and written
  std::int64_t memory = 0;  ///< bytes of all arrays together: decides which cache they come from
  double tokens = 0;        ///< of a model that is trained or generates
};

/// One thing to time. The closures own what they work on.
struct Case {
  std::function<void()> run;
  std::function<double()> error;  ///< of one run against other code, in units of what is allowed
  Work work;
  int threads = 1;
};

/// The largest |a_i - b_i| in units of what may be: 16 eps sqrt(terms) max|b|, for sums of `terms` terms.
inline double error(std::span<float const> a, std::span<float const> b, double terms) {
  double worst = 0, scale = 1e-30;
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < a.size(); ++i) {
    double const off = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!std::isfinite(off)) return std::numeric_limits<double>::infinity();
    worst = std::max(worst, off);
    scale = std::max(scale, std::abs(static_cast<double>(b[i])));
  }
  return worst / (16.0 * std::numeric_limits<float>::epsilon() * std::sqrt(terms) * scale);
}

/// n numbers, uniform in [-1, 1), from a linear congruential generator: good enough here, and quick to make.
inline Buffer<float> numbers(std::int64_t n, std::uint64_t stream) {
  Buffer<float> x(n);
  std::uint64_t state = stream * 0x9E3779B97F4A7C15u + 1;
  for (float& v : x) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    v = static_cast<float>(static_cast<std::int32_t>(state >> 32)) * 0x1.0p-31F;
  }
  return x;
}
/// n ids below `vocab`.
inline std::vector<std::int32_t> ids_below(std::int64_t vocab, std::int64_t n, std::uint64_t stream) {
  std::vector<std::int32_t> ids;
  for (float const u : numbers(n, stream)) {
    double const share = (static_cast<double>(u) + 1) / 2;
    ids.push_back(
        static_cast<std::int32_t>(std::min(static_cast<double>(vocab) * share, static_cast<double>(vocab - 1))));
  }
  return ids;
}

namespace detail {
inline bool something_failed = false;

inline void skip(benchmark::State& state, std::string const& why) {
  something_failed = true;
  state.SkipWithError(why.c_str());
}

/// Times the case's run. Rates are of the median run; `best_%` is of the fastest, `spread_%` the middle half's width.
inline void time(benchmark::State& state, Case const& c) {
  std::vector<double> seconds;
  seconds.reserve(static_cast<std::size_t>(state.max_iterations));
  for (auto _ : state) {
    seconds.push_back(seconds_of(c.run));
    benchmark::ClobberMemory();
  }
  std::sort(seconds.begin(), seconds.end());
  auto const at = [&](double share) {
    return seconds[static_cast<std::size_t>(share * static_cast<double>(seconds.size() - 1))];
  };
  double const median = at(0.5), work = c.work.flops > 0 ? c.work.flops : c.work.bytes;
  double const limit = c.work.flops > 0 ? limits().fma(c.threads) : limits().stream(c.work.memory, c.threads);
  state.counters[c.work.flops > 0 ? "GFLOP/s" : "GB/s"] = work / median * 1e-9;
  state.counters["peak_%"] = 100 * work / median / limit;
  state.counters["best_%"] = 100 * work / seconds.front() / limit;
  state.counters["spread_%"] = 100 * (at(0.75) - at(0.25)) / median;
  if (c.work.tokens > 0) {
    state.counters["s/step"] = median;
    state.counters["tokens/s"] = c.work.tokens / median;
  }
}
}  // namespace detail

/// Registers a benchmark. `make()` returns its Case, once: Google Benchmark calls a benchmark several times to find how
/// often it must run, and the case is kept until the next benchmark begins. Nothing is timed that is wrong.
inline void add(std::string const& name, std::function<Case()> const& make,
                benchmark::TimeUnit unit = benchmark::kMicrosecond) {
  struct Current {
    std::string name;
    Case what;
    double error = 0;
  };
  static Current current;
  auto const body = [=](benchmark::State& state) {
    try {
      if (current.name != name) {
        current = {};  // before the next one takes memory
        current = {name, make(), 0};
        current.error = current.what.error();
      }
      if (!(current.error <= 1)) {
        return detail::skip(state, text("wrong result: off by ", current.error, " times what is allowed"));
      }
      detail::time(state, current.what);
    } catch (std::exception const& e) {
      detail::skip(state, e.what());
    }
  };
  benchmark::RegisterBenchmark(name.c_str(), body)->Unit(unit);
}

/// The machine's limits as the first rows: FMA peak, and bandwidth of half the last cache and of eight times it.
inline void add_limits() {
  std::int64_t cache = std::int64_t{32} << 20;
  for (auto const& c : benchmark::CPUInfo::Get().caches) {
    if (c.level >= 3) cache = c.size;
  }
  auto const row = [](std::string const& name, auto const& measure) {
    benchmark::RegisterBenchmark(name.c_str(),
                                 [=](benchmark::State& state) {
                                   for (auto _ : state) measure(state);
                                 })
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
  };
  for (int const threads : thread_counts()) {
    row(text("peak/fma/threads:", threads), [=](benchmark::State& state) {
      limits().measure_fma(threads);
      state.counters["GFLOP/s"] = limits().fma(threads) * 1e-9;
    });
  }
  for (int const threads : thread_counts()) {
    for (auto const& [name, bytes] : {std::pair{"cache", cache / 2}, std::pair{"memory", 8 * cache}}) {
      row(text("peak/stream_", name, "/threads:", threads), [=, bytes = bytes](benchmark::State& state) {
        limits().measure_stream(bytes, threads);
        state.counters["GB/s"] = limits().stream(bytes, threads) * 1e-9;
      });
    }
  }
}

/// The main of a benchmark program. `seconds` is the least time that a benchmark runs unless the arguments say another.
/// Returns 1 when a result was wrong.
inline int run_all(int argc, char** argv, char const* seconds) {
  std::string min_time = text("--benchmark_min_time=", seconds), tabular = "--benchmark_counters_tabular=true";
  std::vector<char*> arguments(argv, argv + argc);
  arguments.insert(arguments.begin() + 1, {min_time.data(), tabular.data()});
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return detail::something_failed ? 1 : 0;
}

}  // namespace gt::bench

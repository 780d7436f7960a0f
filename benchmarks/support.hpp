// SPDX-License-Identifier: MIT
// What all benchmarks share: cases that are verified once and then timed, by turns with what a user would pick instead.
#pragma once

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/backend/cpu/threads.hpp"
#include "gt/base/error.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/view.hpp"
#include "gt/cpu.hpp"
#include "limits.hpp"

namespace gt::bench {

/// What one run of a case does. With `flops` its limit is the FMA peak, otherwise the bandwidth of `memory` bytes,
/// unless the case has floors.
struct Work {
  double flops = 0;         ///< floating-point operations: those of the formula, not those that an algorithm adds
  double bytes = 0;         ///< that pass: each array counts once, even when it is read and written
  std::int64_t memory = 0;  ///< bytes of all arrays together: decides which cache they come from
  double tokens = 0;        ///< of a model that is trained or generates
  bool bf16 = false;        ///< the products are of bf16: the limit of `flops` is the peak of its dot products
  double extra_bytes = 0;   ///< memory beside inputs and outputs, where that is worth a column
};

/// Somebody else's code for the same work, run by turns with ours in one process.
struct Peer {
  std::string name;
  std::function<void()> run;
  std::function<double()> error;  ///< as of a Case
};

/// One thing to time. The closures own what they work on.
struct Case {
  std::function<void()> run;
  std::function<double()> error;  ///< of one run against other code, in units of what is allowed
  Work work;
  int threads = 1;
  std::vector<std::function<void()>> floors{};      ///< parts of it that nobody can leave out; the slowest is its limit
  std::vector<Peer> peers{};                        ///< on as many threads
  std::function<void(std::string const&)> write{};  ///< writes what a peer in another process must know into a file
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
/// All of a buffer as a matrix.
inline Matrix<float> rows(Buffer<float> const& b, std::int64_t columns) {
  return Matrix<float>(b.data(), b.size() / columns, columns);
}
/// All of a buffer as a vector.
inline Vector<float> all(Buffer<float> const& b) { return Vector<float>(b.data(), b.size()); }
/// All of them.
inline Vector<std::int32_t const> all(std::vector<std::int32_t> const& ids) {
  return Vector<std::int32_t const>(ids.data(), static_cast<std::int64_t>(ids.size()));
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

namespace parts {
inline bool something_failed = false;

inline void skip(benchmark::State& state, std::string const& why) {
  something_failed = true;
  state.SkipWithError(why.c_str());
}

/// Throws where a case is wrong; leaves out a peer that is, and says so.
inline void verify(std::string const& name, Case& c) {
  auto const wrong = [](double error) { return text("wrong result: off by ", error, " times what is allowed"); };
  if (double const off = c.error(); !(off <= 1)) throw Error(wrong(off));
  std::erase_if(c.peers, [&](Peer const& peer) {
    double const off = peer.error();
    if (off <= 1) return false;
    something_failed = true;
    std::cerr << name << ": " << peer.name << " is left out, " << wrong(off) << '\n';
    return true;
  });
}

/// The value below which `share` of all lie.
inline double quantile(std::vector<double>& values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

/// Times the case's run by turns with its floors and peers; who begins changes from turn to turn. Rates are of the
/// median run; `best_%` is of the fastest, also of a floor, `spread_%` the middle half's width. `vs_NAME`: the peer's
/// median over ours.
inline void time(benchmark::State& state, Case const& c) {
  std::size_t const first_peer = 1 + c.floors.size(), runners = first_peer + c.peers.size();
  auto const runner = [&](std::size_t i) -> auto const& {
    return i == 0 ? c.run : i < first_peer ? c.floors[i - 1] : c.peers[i - first_peer].run;
  };
  std::vector<std::vector<double>> seconds(runners);
  for (auto& s : seconds) s.reserve(static_cast<std::size_t>(state.max_iterations));
  std::size_t first = 0;
  for (auto _ : state) {
    for (std::size_t turn = 0; turn < runners; ++turn) {
      std::size_t const i = (first + turn) % runners;
      seconds[i].push_back(seconds_of(runner(i)));
      benchmark::ClobberMemory();
    }
    ++first;
  }
  double const median = quantile(seconds[0], 0.5), work = c.work.flops > 0 ? c.work.flops : c.work.bytes;
  double least = 0, least_best = 0;  // seconds at the limit
  for (std::size_t i = 1; i < first_peer; ++i) {
    least = std::max(least, quantile(seconds[i], 0.5));
    least_best = std::max(least_best, seconds[i].front());
  }
  if (c.floors.empty()) {
    bool const streams = !(c.work.flops > 0);
    if (streams) limits().measure_stream(c.work.memory, c.threads);  // once more: others use the memory too
    least = least_best = work / (streams       ? limits().stream(c.work.memory, c.threads)
                                 : c.work.bf16 ? limits().bf16(c.threads)
                                               : limits().fma(c.threads));
  }
  state.counters["seconds"] = median;
  state.counters["threads_used"] = c.threads;
  state.counters[c.work.flops > 0 ? "GFLOP/s" : "GB/s"] = work / median * 1e-9;
  state.counters["peak_%"] = 100 * least / median;
  state.counters["best_%"] = 100 * least_best / seconds[0].front();
  state.counters["spread_%"] = 100 * (quantile(seconds[0], 0.75) - quantile(seconds[0], 0.25)) / median;
  if (c.work.tokens > 0) state.counters["tokens/s"] = c.work.tokens / median;
  if (c.work.extra_bytes > 0) state.counters["extra_MB"] = c.work.extra_bytes * 1e-6;
  for (std::size_t i = first_peer; i < runners; ++i)
    state.counters["vs_" + c.peers[i - first_peer].name] = quantile(seconds[i], 0.5) / median;
}

/// All cases by name, in the order of registration.
struct Named {
  std::string name;
  std::function<Case()> make;
};
inline std::vector<Named>& cases() {
  static std::vector<Named> all;
  return all;
}
}  // namespace parts

/// Registers a benchmark. `make()` returns its Case, once: Google Benchmark calls a benchmark several times to find how
/// often it must run, and the case is kept until the next benchmark begins. Nothing is timed that is wrong.
inline void add(std::string const& name, std::function<Case()> const& make,
                benchmark::TimeUnit unit = benchmark::kMicrosecond) {
  struct Current {
    std::string name;
    Case what;
    std::string wrong;
  };
  static Current current;
  auto const body = [=](benchmark::State& state) {
    if (current.name != name) {
      current = {};  // before the next one takes memory
      current.name = name;
      try {
        current.what = make();
        parts::verify(name, current.what);
      } catch (std::exception const& e) {
        current.wrong = e.what();
      }
    }
    if (!current.wrong.empty()) return parts::skip(state, current.wrong);
    parts::time(state, current.what);
  };
  parts::cases().push_back({name, make});
  benchmark::RegisterBenchmark(name.c_str(), body)->Unit(unit);
}

namespace parts {

/// Says on one line of a terminal what has just been measured.
class Progress : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(Context const&) override { return true; }
  void ReportRuns(std::vector<Run> const& runs) override {
    for (auto const& run : runs) {
      if (run.error_occurred) std::cerr << erase() << run.benchmark_name() << ": " << run.error_message << '\n';
    }
    ++rows_;
    if (!::isatty(2)) return;
    std::cerr << "\r\033[Kgt: " << rows_ << " " << runs.front().run_name.function_name.substr(0, 90) << std::flush;
  }
  void Finalize() override { std::cerr << erase() << std::flush; }

 private:
  static char const* erase() { return ::isatty(2) ? "\r\033[K" : ""; }
  int rows_ = 0;
};

/// Runs cases at the wish of another process, which times its own code between: reads a command a line, and answers
/// each with a line of JSON. `case NAME` makes a case and verifies it, `write FILE` writes what its peer must know,
/// `time SECONDS` runs it that long. An answer with `error` says what went wrong.
inline int serve() {
  Case current;
  for (std::string line; std::getline(std::cin, line);) {
    std::size_t const space = std::min(line.find(' '), line.size());
    std::string const command = line.substr(0, space), argument = line.substr(std::min(space + 1, line.size()));
    try {
      if (command == "case") {
        current = {};
        auto const found =
            std::find_if(cases().begin(), cases().end(), [&](auto const& c) { return c.name == argument; });
        check(found != cases().end(), "serve", "'", argument, "' must be a case of this program");
        current = found->make();
        current.peers.clear();  // they had their turn
        verify(argument, current);
        std::cout << "{\"threads\": " << current.threads << "}" << std::endl;
      } else if (command == "write") {
        check(static_cast<bool>(current.write), "serve", "this case has nothing to write");
        current.write(argument);
        std::cout << "{}" << std::endl;
      } else {
        check(command == "time" && current.run, "serve", "a case must come first, then time SECONDS");
        double const enough = std::stod(argument);
        double spent = 0;
        std::cout << "{\"seconds\": [";
        for (int i = 0; i < 2 || spent < enough; ++i) {
          double const seconds = seconds_of(current.run);
          spent += seconds;
          std::cout << (i > 0 ? ", " : "") << seconds;
        }
        std::cout << "]}" << std::endl;
      }
    } catch (std::exception const& e) {
      std::string what = e.what();
      std::replace_if(
          what.begin(), what.end(), [](char c) { return c == '"' || c == '\\' || c < ' '; }, '\'');
      std::cout << "{\"error\": \"" << what << "\"}" << std::endl;
    }
  }
  return 0;
}

}  // namespace parts

/// The main of a benchmark program. `seconds` is the least time that a benchmark runs unless the arguments say another.
/// `--progress`: one line that changes instead of a table; `--serve`: see `parts::serve`. Returns 1 when a result was
/// wrong.
inline int run_all(int argc, char** argv, char const* seconds) {
  std::string min_time = text("--benchmark_min_time=", seconds), tabular = "--benchmark_counters_tabular=true";
  std::vector<char*> arguments(argv, argv + argc);
  bool const serves = std::erase_if(arguments, [](char* a) { return std::string_view(a) == "--serve"; }) > 0;
  bool const quiet = std::erase_if(arguments, [](char* a) { return std::string_view(a) == "--progress"; }) > 0;
  if (serves) return parts::serve();
  arguments.insert(arguments.begin() + 1, {min_time.data(), tabular.data()});
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
#if defined(GT_BENCH_FLAGS)
  benchmark::AddCustomContext("gt_flags", GT_BENCH_FLAGS);
#endif
  benchmark::AddCustomContext("gt_compiler", __VERSION__);
  benchmark::AddCustomContext("gt_isa", name(native_isa));
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  parts::Progress progress;
  if (quiet) {
    benchmark::RunSpecifiedBenchmarks(&progress);
  } else {
    benchmark::RunSpecifiedBenchmarks();
  }
  benchmark::Shutdown();
  return parts::something_failed ? 1 : 0;
}

}  // namespace gt::bench

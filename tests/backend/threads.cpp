// SPDX-License-Identifier: MIT
// Threads: each job once, nested calls on the caller's thread, scratch memory of each thread's own.
#include "gt/backend/cpu/threads.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"

namespace threads_test {

namespace {

template <gt::Backend B>
void runs_each_job_once(B const& on) {
  for (std::int64_t const jobs : {0, 1, 2, 7, 1000}) {
    CAPTURE(jobs);
    std::vector<std::atomic<int>> runs(static_cast<std::size_t>(jobs));
    on.parallel_for(jobs, [&](std::int64_t job) { ++runs[static_cast<std::size_t>(job)]; });
    CHECK(std::all_of(runs.begin(), runs.end(), [](auto const& n) { return n == 1; }));
  }
}

template <gt::Backend B>
void nests(B const& on) {
  std::vector<std::atomic<int>> runs(6 * 50);
  std::atomic<int> strangers{0};
  on.parallel_for(6, [&](std::int64_t outer) {
    auto const caller = std::this_thread::get_id();
    on.parallel_for(50, [&](std::int64_t inner) {
      ++runs[static_cast<std::size_t>(outer * 50 + inner)];
      if (std::this_thread::get_id() != caller) ++strangers;
    });
  });
  CHECK(std::all_of(runs.begin(), runs.end(), [](auto const& n) { return n == 1; }));
  CHECK(strangers == 0);
}

}  // namespace

TEST_CASE("parallel_for: each job once, on any number of threads") {
  for (int const threads : {1, 2, 4}) {
    CAPTURE(threads);
    runs_each_job_once(gt::Cpu<>(threads));
    nests(gt::Cpu<>(threads));
  }
  runs_each_job_once(gt::Ref{});
  nests(gt::Ref{});
}

TEST_CASE("parallel_for: jobs are done by no more than the asked number of threads") {
  for (int const threads : {1, 2, 3}) {
    CAPTURE(threads);
    std::set<std::thread::id> workers;
    std::mutex mutex;
    gt::Cpu<>(threads).parallel_for(200, [&](std::int64_t) {
      std::lock_guard const lock(mutex);
      workers.insert(std::this_thread::get_id());
    });
    CHECK(!workers.empty());
    CHECK(workers.size() <= static_cast<std::size_t>(threads));
  }
}

TEST_CASE("Cpu: all cores by default, never fewer than one thread") {
  CHECK(gt::Cpu<>().threads() >= 1);
  CHECK(gt::Cpu<>(0).threads() == gt::Cpu<>().threads());
  CHECK(gt::Cpu<>(3).threads() == (gt::has_threads ? 3 : 1));
  CHECK(gt::available_threads() >= 1);
  CHECK_THROWS_WITH_AS(gt::Cpu<>(-1), "gt: Cpu: the number of threads must not be negative (got -1); 0 takes all cores",
                       gt::Error);
}

TEST_CASE_TEMPLATE("scratch: a slot keeps its memory, slots and threads do not share", B, gt::Ref, gt::Cpu<>) {
  B const on{};
  float* const a = on.template scratch<float>(5, 100);
  std::fill_n(a, 100, 3.0f);
  float* const b = on.template scratch<float>(6, 100);
  std::fill_n(b, 100, 4.0f);
  double* const c = on.template scratch<double>(5, 100);
  std::fill_n(c, 100, 5.0);
  CHECK(on.template scratch<float>(5, 50) == a);
  CHECK(std::all_of(a, a + 100, [](float x) { return x == 3; }));
  CHECK(std::all_of(b, b + 100, [](float x) { return x == 4; }));
  float* const larger = on.template scratch<float>(5, 100'000);
  std::fill_n(larger, 100'000, 6.0f);
  CHECK(std::all_of(b, b + 100, [](float x) { return x == 4; }));

  float* of_other = nullptr;
  std::thread([&] { of_other = on.template scratch<float>(5, 100); }).join();
  CHECK(of_other != larger);
}

}  // namespace threads_test

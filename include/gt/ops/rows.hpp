// SPDX-License-Identifier: MIT
// How row kernels and sums over rows are cut into jobs: by shape alone, so that no result depends on the threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gt/core/backend.hpp"
#include "gt/core/profile.hpp"
#include "gt/core/view.hpp"

namespace gt {

inline constexpr int scratch_partial_sums = 2;        ///< scratch slots that ops use; the backend's GEMM has 0 and 1
inline constexpr int scratch_attention = 3;           ///< scores of a block of queries
inline constexpr int scratch_attention_gradient = 4;  ///< their gradients
inline constexpr int scratch_row = 5;                 ///< the sums over all rows
inline constexpr int scratch_logits = 6;              ///< rows of logits

namespace detail {
inline constexpr std::int64_t elements_per_job = 16384;  // about 5 us of work
// Less is one job. Two threads need about 1 us to begin and to end together where the other one waits actively, 8 us
// where it sleeps; this is 7 us of the lightest row kernels and 20 us of the heaviest.
inline constexpr std::int64_t elements_for_threads = 65536;

/// Rows of one job.
constexpr std::int64_t rows_per_job(std::int64_t rows, std::int64_t width) {
  if (rows * width < elements_for_threads) return std::max<std::int64_t>(1, rows);
  return std::max<std::int64_t>(1, elements_per_job / width);
}
/// Rows of one partial sum: whole blocks of 8, at most 64 sums.
constexpr std::int64_t rows_per_sum(std::int64_t rows, std::int64_t width) {
  return (std::max((rows + 63) / 64, rows_per_job(rows, width)) + 7) / 8 * 8;
}
}  // namespace detail

/// The work of an op that does `flops` operations an element and passes over `arrays` of its operands' size.
template <class T>
constexpr OpWork row_work(std::int64_t elements, double flops, double arrays) {
  auto const n = static_cast<double>(elements);
  return {flops * n, static_cast<double>(sizeof(T)) * arrays * n};
}

/// body(i) for every row i of a matrix that is `width` wide, in jobs of about equal work.
template <Backend B, class F>
void for_each_row(B const& on, std::int64_t rows, std::int64_t width, F const& body) {
  std::int64_t const each = detail::rows_per_job(rows, width);
  on.parallel_for((rows + each - 1) / each, [&](std::int64_t job) {
    std::int64_t const end = std::min(rows, (job + 1) * each);
    for (std::int64_t i = job * each; i < end; ++i) body(i);
  });
}

/// body(first, count) for consecutive runs of n elements: of 16,384, or one of all that is below `for_threads`.
template <Backend B, class F>
void for_each_run(B const& on, std::int64_t n, std::int64_t for_threads, F const& body) {
  std::int64_t const each = n < for_threads ? std::max<std::int64_t>(1, n) : detail::elements_per_job;
  on.parallel_for((n + each - 1) / each, [&](std::int64_t run) { body(run * each, std::min(each, n - run * each)); });
}

/// Sums over rows: `add(first, end, partial)` adds the terms of rows [first, end) to partial [width]; the sum of all is
/// added to total [width], where it is not null. The rows are cut into at most 64 runs by shape, and the runs added in
/// order: the same bits on any number of threads.
template <Backend B, class T, class F>
void sum_over_runs(B const& on, std::int64_t rows, std::int64_t width, F const& add, T* total) {
  std::int64_t const each = detail::rows_per_sum(rows, width), runs = (rows + each - 1) / each;
  T* const partial = on.template scratch<T>(scratch_partial_sums, runs * width);
  on.parallel_for(runs, [&](std::int64_t run) {
    T* const sum = partial + run * width;
    std::fill_n(sum, width, T{});
    add(run * each, std::min(rows, (run + 1) * each), sum);
  });
  auto const lane = on.template lane<T>();
  for (std::int64_t run = 0; run < runs; ++run) {
    T const* const sum = partial + run * width;
    lane.each(width, [&](auto j) { lane.store(total, j, lane.load(total, j) + lane.load(sum, j)); });
  }
}

/// The same with `add(i, partial)` for one row.
template <Backend B, class T, class F>
void sum_over_rows(B const& on, std::int64_t rows, std::int64_t width, F const& add, T* total) {
  auto const all = [&](std::int64_t i, std::int64_t end, T* sum) {
    for (; i < end; ++i) add(i, sum);
  };
  sum_over_runs(on, rows, width, all, total);
}

/// total_j += sum_i x_ij
/// Shapes: x [M, N], total [N].
template <Backend B, class T>
void add_rows(B const& on, In<Matrix<T const>> x, T* total) {
  auto const lane = on.template lane<T>();
  auto const add = [&](std::int64_t i, std::int64_t end, T* sum) {
    for (; i + 8 <= end; i += 8) {  // eight rows for each pass over the sums
      T const* const r = x.row(i);
      std::int64_t const s = x.stride();
      lane.each(x.columns(), [=](auto j) {
        auto const a = lane.load(r, j) + lane.load(r + s, j), b = lane.load(r + 2 * s, j) + lane.load(r + 3 * s, j);
        auto const c = lane.load(r + 4 * s, j) + lane.load(r + 5 * s, j);
        auto const d = lane.load(r + 6 * s, j) + lane.load(r + 7 * s, j);
        lane.store(sum, j, lane.load(sum, j) + ((a + b) + (c + d)));
      });
    }
    for (; i < end; ++i) {
      T const* const r = x.row(i);
      lane.each(x.columns(), [=](auto j) { lane.store(sum, j, lane.load(sum, j) + lane.load(r, j)); });
    }
  };
  sum_over_runs(on, x.rows(), x.columns(), add, total);
}

}  // namespace gt

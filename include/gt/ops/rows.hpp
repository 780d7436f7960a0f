// SPDX-License-Identifier: MIT
// How row kernels and sums over rows are cut into jobs: by shape alone, so that no result depends on the threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gt/core/backend.hpp"
#include "gt/core/profile.hpp"
#include "gt/core/view.hpp"

namespace gt::inline GT_ABI::ops {

inline constexpr int scratch_partial_sums = 2;        ///< scratch slots that ops use; the backend's GEMM has 0 and 1
inline constexpr int scratch_attention = 3;           ///< scores of a block of queries
inline constexpr int scratch_attention_gradient = 4;  ///< their gradients
inline constexpr int scratch_row = 5;                 ///< the sums over all rows
inline constexpr int scratch_logits = 6;              ///< rows of logits

/// Less than this is one job, and never leaves the caller's thread: 27 us of the lightest row kernel, 80 us of the
/// heaviest. To begin and end with a second thread takes 1 us where it waits actively, and 8 to 30 us where it sleeps.
inline constexpr std::int64_t elements_for_threads = 262144;

namespace detail {
inline constexpr std::int64_t elements_per_job = 16384;  // 2 to 5 us of work

/// Rows of one job.
constexpr std::int64_t rows_per_job(std::int64_t rows, std::int64_t width) {
  if (rows * width < elements_for_threads) return std::max<std::int64_t>(1, rows);
  return std::max<std::int64_t>(1, elements_per_job / width);
}
/// Rows of one partial sum: a multiple of 4; at most 64 sums.
constexpr std::int64_t rows_per_sum(std::int64_t rows, std::int64_t width) {
  std::int64_t const of_a_job = elements_per_job / std::max<std::int64_t>(1, width);
  return (std::max({(rows + 63) / 64, of_a_job, std::int64_t{1}}) + 3) / 4 * 4;
}
}  // namespace detail

/// The work of an op that does `flops` operations an element and passes over `arrays` of its operands' size.
template <class T>
constexpr Work row_work(std::int64_t elements, double flops, double arrays) {
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
/// added to total [width]. The rows are cut into at most 64 runs by shape, and the runs added in
/// order: the same bits on any number of threads.
template <Backend B, class T, class F>
void sum_over_runs(B const& on, std::int64_t rows, std::int64_t width, F const& add, T* total) {
  std::int64_t const each = detail::rows_per_sum(rows, width), runs = (rows + each - 1) / each;
  T* const partial = on.template scratch<T>(scratch_partial_sums, runs * width);
  for_each_row(on, runs, each * width, [&](std::int64_t run) {
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
    for (; i + 4 <= end; i += 4) {  // four rows for each pass over the sums
      T const *const r0 = x.row(i), *const r1 = x.row(i + 1), *const r2 = x.row(i + 2), *const r3 = x.row(i + 3);
      lane.each(x.columns(), [=](auto j) {
        auto const four = (lane.load(r0, j) + lane.load(r1, j)) + (lane.load(r2, j) + lane.load(r3, j));
        lane.store(sum, j, lane.load(sum, j) + four);
      });
    }
    for (; i < end; ++i) {
      T const* const r = x.row(i);
      lane.each(x.columns(), [=](auto j) { lane.store(sum, j, lane.load(sum, j) + lane.load(r, j)); });
    }
  };
  sum_over_runs(on, x.rows(), x.columns(), add, total);
}

}  // namespace gt::ops

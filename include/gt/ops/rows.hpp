// SPDX-License-Identifier: MIT
// How row kernels and sums over rows are cut into jobs: by shape alone, so that no result depends on the threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gt/core/backend.hpp"
#include "gt/core/view.hpp"

namespace gt {

inline constexpr int scratch_partial_sums = 2;        ///< scratch slots that ops use; the backend's GEMM has 0 and 1
inline constexpr int scratch_attention = 3;           ///< scores of a block of queries
inline constexpr int scratch_attention_gradient = 4;  ///< their gradients
inline constexpr int scratch_row = 5;                 ///< the sums over all rows
inline constexpr int scratch_logits = 6;              ///< rows of logits

namespace detail {
inline constexpr std::int64_t elements_per_job = 16384;  // about 5 us of work: what waking a thread costs
constexpr std::int64_t rows_per_job(std::int64_t width) {
  return std::max<std::int64_t>(1, elements_per_job / std::max<std::int64_t>(1, width));
}
}  // namespace detail

/// body(i) for every row i of a matrix that is `width` wide, in jobs of about equal work.
template <Backend B, class F>
void for_each_row(B const& on, std::int64_t rows, std::int64_t width, F const& body) {
  std::int64_t const each = detail::rows_per_job(width);
  on.parallel_for((rows + each - 1) / each, [&](std::int64_t job) {
    std::int64_t const end = std::min(rows, (job + 1) * each);
    for (std::int64_t i = job * each; i < end; ++i) body(i);
  });
}

/// Sums over rows: `add(i, partial)` adds row i's terms to partial [width]; the sum of all is added to total [width].
/// The rows are cut into at most 64 runs by shape, and the runs added in order: the same bits on any number of threads.
template <Backend B, class T, class F>
void sum_over_rows(B const& on, std::int64_t rows, std::int64_t width, F const& add, T* total) {
  std::int64_t const each = std::max<std::int64_t>((rows + 63) / 64, detail::rows_per_job(width));
  std::int64_t const runs = (rows + each - 1) / each;
  T* const partial = on.template scratch<T>(scratch_partial_sums, runs * width);
  on.parallel_for(runs, [&](std::int64_t run) {
    T* const sum = partial + run * width;
    std::fill_n(sum, width, T{});
    std::int64_t const end = std::min(rows, (run + 1) * each);
    for (std::int64_t i = run * each; i < end; ++i) add(i, sum);
  });
  auto const lane = on.template lane<T>();
  for (std::int64_t run = 0; run < runs; ++run) {
    T const* const sum = partial + run * width;
    lane.each(width, [&](auto j) { lane.store(total, j, lane.load(total, j) + lane.load(sum, j)); });
  }
}

}  // namespace gt

// SPDX-License-Identifier: MIT
// Threads: the one header that names OpenMP.
#pragma once

#include <cstdint>

#include "gt/base/macros.hpp"

#if defined(_OPENMP)
  #include <omp.h>

  #include <algorithm>
  #include <atomic>
  #include <cmath>

  #include "gt/base/machine_limits.hpp"
#endif

namespace gt::inline GT_ABI {

/// Whether this translation unit was compiled with OpenMP; without it everything runs on one thread.
#if defined(_OPENMP)
inline constexpr bool has_threads = true;
#else
inline constexpr bool has_threads = false;
#endif

inline constexpr int max_threads = 1024;  ///< that a backend may be asked for

/// The number of threads to use by default: one a core that this process may run on, and no more than its control
/// groups give it time for.
inline int available_threads() {
#if defined(_OPENMP)
  static double const quota = std::max(1.0, std::ceil(processor_quota()));
  return static_cast<int>(std::min<double>({double{max_threads}, quota, static_cast<double>(omp_get_num_procs())}));
#else
  return 1;
#endif
}

namespace detail {
/// body(0) ... body(jobs - 1), each once, on up to `threads` threads; whoever is free takes the next job, so jobs must
/// not depend on who runs them. Calls from inside a job run on the calling thread. `body` must not throw.
/// Threaded tells apart translation units with and without OpenMP.
template <bool Threaded = has_threads, class F>
void parallel_jobs(int threads, std::int64_t jobs, F const& body) {
#if defined(_OPENMP)
  if (threads > 1 && jobs > 1 && !omp_in_parallel()) {
    std::atomic<std::int64_t> next{0};
    int const team = static_cast<int>(jobs < threads ? jobs : threads);
  #pragma omp parallel num_threads(team)
    for (std::int64_t job = next++; job < jobs; job = next++) body(job);
    return;
  }
#endif
  (void)threads;
  for (std::int64_t job = 0; job < jobs; ++job) body(job);
}
}  // namespace detail

}  // namespace gt

// SPDX-License-Identifier: MIT
// Seconds on a clock that never goes back, without <chrono>, which costs every header above it.
#pragma once

#include <time.h>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// Seconds since some moment, the same for all of a program, to the nanosecond; never less than before.
inline double seconds_now() noexcept {
  timespec now{};
#if defined(CLOCK_MONOTONIC)
  ::clock_gettime(CLOCK_MONOTONIC, &now);
#else
  ::timespec_get(&now, TIME_UTC);
#endif
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}
/// Seconds since a moment of `seconds_now`.
inline double seconds_since(double moment) noexcept { return seconds_now() - moment; }

}  // namespace gt

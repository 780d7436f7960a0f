// SPDX-License-Identifier: MIT
// What is known of a step once the run has gone on: the same for metrics.jsonl, which holds it, and for reports.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// A logged step.
struct ReportPoint {
  std::size_t stage = 0;                 ///< from 0
  std::int64_t step = 0;                 ///< in its stage, from 1
  std::int64_t tokens = 0;               ///< trained on since the run began
  double seconds = 0;                    ///< since the run began, the looks at held-out text included
  double loss = 0;                       ///< nats a token
  double bits_per_byte = 0;              ///< held-out; 0: not looked at in this step
  double tokens_per_second = 0, lr = 0;  ///< of training alone, mean over the stage so far; learning rate
  double gradient_norm = 0;              ///< before clipping
};

}  // namespace gt

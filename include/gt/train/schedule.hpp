// SPDX-License-Identifier: MIT
// Learning rates over the steps of a stage.
#pragma once

#include <cmath>
#include <cstdint>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// The shape of the way down.
enum class Decay { cosine, linear, constant };

/// The learning rate of a stage: a linear warm-up, then a decay to a fraction of the peak.
struct Schedule {
  double lr = 1e-3;             ///< peak
  std::int64_t warmup = 20;     ///< steps; at most a tenth of the stage is used
  Decay decay = Decay::cosine;  ///< from the peak to the end
  double final_fraction = 0.1;  ///< of the peak, reached at the last step
  double stable_fraction = 0;   ///< share of the steps after warm-up held at the peak: warm-up, stable, decay

  /// Rate at step s of n, s = 0 ... n - 1:  lr (s + 1) / w in the warm-up; then with u from 0 to 1,
  /// lr (f + (1 - f) (1 + cos(pi u)) / 2) for cosine and lr (1 - (1 - f) u) for linear decay.
  /// Source of the cosine: Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5; of the stable part: arXiv:2404.06395.
  double at(std::int64_t step, std::int64_t steps) const {
    std::int64_t const w = warmup * 10 < steps ? warmup : steps / 10;
    if (step < w) return lr * static_cast<double>(step + 1) / static_cast<double>(w);
    double const whole = static_cast<double>(steps - w > 1 ? steps - w - 1 : 1);
    double u = static_cast<double>(step - w) / whole;
    u = u <= stable_fraction ? 0.0 : (u - stable_fraction) / (1.0 - stable_fraction);
    switch (decay) {
      case Decay::cosine:
        return lr * (final_fraction + (1 - final_fraction) * 0.5 * (1 + std::cos(3.14159265358979 * u)));
      case Decay::linear:
        return lr * (1 - (1 - final_fraction) * u);
      default:
        return lr;
    }
  }
  friend constexpr bool operator==(Schedule const&, Schedule const&) = default;
};

}  // namespace gt

// SPDX-License-Identifier: MIT
// The numbers that an optimiser moves: runs of them with their gradients and moments, and one AdamW step over all.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/ops/adamw.hpp"
#include "gt/train/step.hpp"

namespace gt::inline GT_ABI::train {

/// Runs of trainable numbers, in the order in which they were added.
template <class T>
class TrainedRuns {
 public:
  /// `size` numbers, their gradient, and AdamW's two moments.
  struct Run {
    T* weight;          ///< what trains
    T* gradient;        ///< of the loss, added up since the last update
    T* m;               ///< first moment
    T* v;               ///< second moment
    std::int64_t size;  ///< numbers
  };

  /// Numbers and where their gradient is. Neighbours in both memories are one run, updated in one go.
  void add(T* weight, T* gradient, std::int64_t size) {
    active_ += size;
    if (!runs_.empty() && runs_.back().weight + runs_.back().size == weight &&
        runs_.back().gradient + runs_.back().size == gradient) {
      runs_.back().size += size;
    } else {
      runs_.push_back({weight, gradient, nullptr, nullptr, size});
    }
  }
  /// Gives all that was added its moments: those of the same numbers when they lay elsewhere, or zeros.
  void take_moments(Buffer<T> kept = {}) {
    moments_ = kept.empty() ? Buffer<T>(2 * active_) : std::move(kept);
    T* next = moments_.data();
    for (auto& r : runs_) r.m = next, r.v = next + active_, next += r.size;
  }

  bool empty() const { return runs_.empty(); }     ///< whether nothing trains
  std::int64_t active() const { return active_; }  ///< numbers in all runs
  /// All first moments in the order of the runs, then all second ones, [2 active].
  Buffer<T> const& moments() const { return moments_; }
  /// Sets the gradients to zero.
  void clear_gradients() const {
    for (auto const& r : runs_) std::fill_n(r.gradient, r.size, T{});
  }

  /// Clips the mean of the gradients that `batches` batches have left, of losses with this sum, and makes AdamW's step
  /// number ++steps with learning rate `lr`. A loss or gradient that is not finite changes nothing: the result then
  /// says so.
  template <Backend B>
  StepResult update(B const& on, AdamWOptions const& o, double lr, int batches, double loss_sum,
                    std::int64_t& steps) const {
    StepResult result{.loss = loss_sum / batches};
    double sum = 0;
    for (auto const& r : runs_) sum += ops::sum_of_squares(on, r.gradient, r.size);
    result.gradient_norm = std::sqrt(sum) / batches;
    if (!std::isfinite(result.gradient_norm) || !std::isfinite(result.loss)) return result;
    double const clip =
        o.clip_norm > 0 && result.gradient_norm > o.clip_norm ? o.clip_norm / result.gradient_norm : 1.0;
    ops::AdamWStep const step{.lr = lr,
                              .beta1 = o.beta1,
                              .beta2 = o.beta2,
                              .eps = o.eps,
                              .weight_decay = o.weight_decay,
                              .gradient_scale = clip / batches,
                              .step = ++steps};
    for (auto const& r : runs_) ops::adamw(on, r.weight, r.gradient, r.m, r.v, r.size, step);
    return result;
  }

 private:
  std::vector<Run> runs_;
  std::int64_t active_ = 0;
  Buffer<T> moments_;
};

}  // namespace gt::train

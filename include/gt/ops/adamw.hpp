// SPDX-License-Identifier: MIT
// AdamW with decoupled weight decay, and the global norm that gradients are clipped to.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "gt/core/backend.hpp"
#include "gt/core/profile.hpp"
#include "gt/ops/rows.hpp"

namespace gt::inline GT_ABI::ops {

/// Hyper-parameters of one AdamW step.
struct AdamWStep {
  double lr = 1e-3;           ///< learning rate of this step
  double beta1 = 0.9;         ///< share of m that stays
  double beta2 = 0.95;        ///< share of v that stays
  double eps = 1e-8;          ///< added to the root of v
  double weight_decay = 0.1;  ///< times lr: the share of p that goes
  double gradient_scale = 1;  ///< multiplies the gradient first: clipping, and the mean over accumulated batches
  std::int64_t step = 1;      ///< from 1: corrects the bias of m and v
};

/// m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g^2,   p -= lr (mhat / (sqrt(vhat) + eps) + decay p)
/// Shapes: p, g, m, v [n].   Source: Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2.  Equals
/// torch.optim.AdamW.
template <Backend B, class T>
void adamw(B const& on, T* p, T const* g, T* m, T* v, std::int64_t n, AdamWStep s) {
  Timer const timer(on, "adamw", row_work<T>(n, 14, 7));
  double const t = static_cast<double>(s.step);
  T const b1 = T(s.beta1), b2 = T(s.beta2), scale = T(s.gradient_scale);
  T const keep = T(1.0 - s.lr * s.weight_decay);
  T const rate = T(s.lr / (1.0 - std::pow(s.beta1, t)));
  T const root = T(1.0 / std::sqrt(1.0 - std::pow(s.beta2, t))), eps = T(s.eps);
  auto const lane = on.template lane<T>();
  for_each_run(on, n, elements_for_threads, [&](std::int64_t o, std::int64_t count) {
    lane.each(count, [=](auto i) {
      using Lanes = decltype(lane.load(p, i));
      Lanes const gi = lane.load(g + o, i) * scale;
      Lanes const mi = lane.fma(lane.load(m + o, i), Lanes(b1), gi * (T(1) - b1));
      Lanes const vi = lane.fma(lane.load(v + o, i), Lanes(b2), gi * gi * (T(1) - b2));
      Lanes const over = lane.reciprocal(lane.fma(lane.sqrt(vi), Lanes(root), Lanes(eps)));
      lane.store(m + o, i, mi);
      lane.store(v + o, i, vi);
      lane.store(p + o, i, lane.fma(lane.load(p + o, i), Lanes(keep), mi * (-rate) * over));
    });
  });
}

/// sum of g_i^2, over runs of 16,384 added in order and in double: the same bits on any number of threads.
template <Backend B, class T>
double sum_of_squares(B const& on, T const* g, std::int64_t n) {
  Timer const timer(on, "sum_of_squares", row_work<T>(n, 2, 1));
  constexpr std::int64_t each = detail::elements_per_job;
  double* const sums = on.template scratch<double>(0, (n + each - 1) / each);
  auto const lane = on.template lane<T>();
  // Reading alone is four times as fast as what else is cut so.
  for_each_run(on, n, 4 * elements_for_threads, [&](std::int64_t o, std::int64_t count) {
    for (std::int64_t const end = o + count; o < end; o += each) {
      sums[o / each] = static_cast<double>(lane.sum(std::min(each, end - o), [=](auto i) {
        auto const x = lane.load(g + o, i);
        return x * x;
      }));
    }
  });
  double total = 0;
  for (std::int64_t run = 0; run * each < n; ++run) total += sums[run];
  return total;
}

}  // namespace gt::ops

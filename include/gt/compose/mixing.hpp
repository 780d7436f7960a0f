// SPDX-License-Identifier: MIT
// How the logits of several experts become one: their mean, fixed weights, or weights that follow the context.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/scalar.hpp"

namespace gt::inline GT_ABI {

/// z = sum_i w_i z_i  at every position, of raw logits z_i, with weights w_i >= 0 that sum to 1.
///
/// The softmax of such a z is the weighted geometric mean of the experts' distributions, made to sum to 1. So for every
/// token  -log p <= sum_i w_i (-log p_i)  (Hoelder's inequality; a theorem, not an observation): a mixture is never
/// worse than the mean of its experts' losses. It may be worse than the best of them.
/// Source of the mean: arXiv:2507.07129v1, section 3.1; it is parameter-free. The other two are ours.
struct Mixing {
  std::vector<double>
      weights{};           ///< one an expert, scaled to a sum of 1; empty: all alike. With `posterior`: the prior
  bool posterior = false;  ///< whether weights follow the context: see `posterior_weights`
  double decay = 1;        ///< of `posterior_weights`
  friend bool operator==(Mixing const&, Mixing const&) = default;
};

/// The paper's:  w_i = 1 / N.
inline Mixing mean_of_logits() { return {}; }
/// w_i = weights_i / sum of weights, the same at every position.
inline Mixing fixed_weights(std::vector<double> weights) { return {.weights = std::move(weights)}; }

/// What `posterior_weights` may be told.
struct PosteriorOptions {
  std::vector<double> prior{};  ///< one an expert, as fixed_weights takes them; empty: all alike
  double decay = 1;             ///< d in [0, 1]: what a token counts when one more has come; 1: all count alike
};
/// Weights by how well each expert predicted the tokens x_1 ... x_t that stand before a position:
///   w_i(t) = softmax_i(log prior_i + L_i(t)),   L_i(t) = d L_i(t - 1) + log p_i(x_t | x_1 ... x_(t-1)),   L_i(1) = 0
/// With d = 1 they are the probabilities, by Bayes' rule, that expert i is the author of the text so far. With d < 1
/// they forget: about 1 / (1 - d) tokens count. Nothing stands before x_1, which thus says nothing; nor does what a
/// session has forgotten, or what lies outside of a window.
inline Mixing posterior_weights(PosteriorOptions options = {}) {
  return {.weights = std::move(options.prior), .posterior = true, .decay = options.decay};
}

/// The weights of `mixing` for `experts` experts, scaled to a sum of 1: those of every position, or the prior.
/// Errors: another number of weights; one that is negative or not finite; a sum of 0; a decay outside of [0, 1].
inline std::vector<double> normalised_weights(Mixing const& mixing, std::size_t experts) {
  check(mixing.decay >= 0 && mixing.decay <= 1, "Mixing", "the decay must lie in [0, 1] (got ", mixing.decay, ")");
  if (mixing.weights.empty()) return std::vector<double>(experts, 1 / static_cast<double>(experts));
  check(mixing.weights.size() == experts, "Mixing", "there must be one weight for each of the ", experts,
        " experts (got ", mixing.weights.size(), ")");
  for (std::size_t i = 0; i < experts; ++i) {
    check(std::isfinite(mixing.weights[i]) && mixing.weights[i] >= 0, "Mixing", "every weight must be 0 or more (got ",
          mixing.weights[i], " for expert ", i + 1, ")");
  }
  double const sum = std::accumulate(mixing.weights.begin(), mixing.weights.end(), 0.0);
  check(sum > 0 && std::isfinite(sum), "Mixing", "the weights must have a sum above 0 (got ", sum, ")");
  auto weights = mixing.weights;
  for (double& w : weights) w /= sum;
  return weights;
}

/// The weights of a mixing along one text.
class MixingState {
 public:
  /// At the beginning of a text.   Errors: those of normalised_weights.
  MixingState(Mixing const& mixing, std::size_t experts)
      : prior_{normalised_weights(mixing, experts)},
        weights_{prior_},
        seen_(experts),
        posterior_{mixing.posterior},
        decay_{mixing.decay} {}

  /// [N], of the position behind all that was seen.
  std::span<double const> weights() const { return weights_; }
  /// The weights before a text.
  void reset() {
    std::fill(seen_.begin(), seen_.end(), 0.0);
    weights_ = prior_;
  }
  /// One more token has come, whose log p by expert i is `log_likelihood(i)`. Fixed weights stay.
  template <class F>
  void see(F const& log_likelihood) {
    if (!posterior_) return;
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      seen_[i] = decay_ * seen_[i] + static_cast<double>(log_likelihood(i));
      weights_[i] = std::log(prior_[i]) + seen_[i];  // -infinity for a prior of 0
    }
    double const top = *std::max_element(weights_.begin(), weights_.end());
    double sum = 0;
    for (double& w : weights_) sum += w = std::exp(w - top);
    for (double& w : weights_) w /= sum;
  }

 private:
  std::vector<double> prior_, weights_, seen_;
  bool posterior_;
  double decay_;
};

namespace detail {

/// y = sum_i w_i z_i, where row(i) is z_i, [n]; y may be row(0). As a running mean, y += w_i / (w_0 + ... + w_i) (z_i -
/// y), which has the bits of z_i where all are equal, or where all other weights are 0.
template <class Lane, class T, class Row>
void mix_row(Lane lane, std::span<double const> weights, Row const& row, T* y, std::int64_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] > 0)) continue;
    T const* const z = row(i);
    if (sum == 0 && z != y) std::copy_n(z, n, y);
    if (sum > 0) {
      T const share = T(static_cast<decltype(ops::real_part(T{}))>(weights[i] / (sum + weights[i])));
      lane.each(n, [=](auto j) {
        using Lanes = decltype(lane.load(y, j));
        Lanes const now = lane.load(y, j);
        lane.store(y, j, lane.fma(Lanes(share), lane.load(z, j) - now, now));
      });
    }
    sum += weights[i];
  }
}

}  // namespace detail
}  // namespace gt

// SPDX-License-Identifier: MIT
// Choosing the next token from logits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/philox.hpp"

namespace gt::inline GT_ABI {

/// How tokens are drawn. The cuts apply in this order: top-k, top-p, min-p, on probabilities at `temperature`.
struct SamplerOptions {
  double temperature = 0.8;  ///< logits are divided by it; 0 takes the likeliest token
  int top_k = 0;             ///< only the k likeliest; 0: all
  double top_p = 0.95;       ///< only the fewest whose probabilities sum to p (Holtzman et al. 2020, arXiv:1904.09751)
  double min_p = 0;          ///< only those with at least min_p times the largest probability (arXiv:2407.01082)
  Seed seed{};               ///< of the draws
};

/// Errors: a negative temperature or top-k, top-p outside (0, 1], min-p outside [0, 1].
inline void check_sampler(SamplerOptions const& o) {
  check(o.temperature >= 0 && std::isfinite(o.temperature), "Sampler", "the temperature must be 0 or more (got ",
        o.temperature, ")");
  check(o.top_k >= 0, "Sampler", "top-k must be 0 or more (got ", o.top_k, ")");
  check(o.top_p > 0 && o.top_p <= 1, "Sampler", "top-p must lie in (0, 1] (got ", o.top_p, ")");
  check(o.min_p >= 0 && o.min_p <= 1, "Sampler", "min-p must lie in [0, 1] (got ", o.min_p, ")");
}

/// Draws tokens; the n-th draw of a seed is a pure function of the logits and n.
class Sampler {
 public:
  /// Errors: those of check_sampler.
  explicit Sampler(SamplerOptions options = {}) : options_{options}, random_(options.seed, Purpose::sampling) {
    check_sampler(options);
  }

  /// The id of the next token. Tokens in `banned` are never drawn. Errors: no logit is finite.
  template <class T>
  std::int32_t operator()(std::span<T const> logits, std::span<std::int32_t const> banned = {}) {
    candidates_.clear();
    for (std::size_t i = 0; i < logits.size(); ++i) {
      auto const id = static_cast<std::int32_t>(i);
      double const z = static_cast<double>(logits[i]);
      if (std::isfinite(z) && std::find(banned.begin(), banned.end(), id) == banned.end())
        candidates_.push_back({z, id});
    }
    check(!candidates_.empty(), "Sampler", "there must be a token to choose from (no logit is finite and allowed)");
    auto const likelier = [](Candidate const& a, Candidate const& b) {
      return a.weight != b.weight ? a.weight > b.weight : a.id < b.id;
    };
    std::uint64_t const draw = draws_++;
    if (options_.temperature == 0) return std::min_element(candidates_.begin(), candidates_.end(), likelier)->id;
    std::sort(candidates_.begin(), candidates_.end(), likelier);
    if (options_.top_k > 0 && candidates_.size() > static_cast<std::size_t>(options_.top_k)) {
      candidates_.resize(static_cast<std::size_t>(options_.top_k));
    }
    double const top = candidates_.front().weight;
    double sum = 0;
    for (auto& c : candidates_) sum += c.weight = std::exp((c.weight - top) / options_.temperature);
    double kept = 0;
    std::size_t n = 0;
    while (n < candidates_.size() &&
           (n == 0 || (kept < options_.top_p * sum && candidates_[n].weight >= options_.min_p))) {
      kept += candidates_[n++].weight;
    }
    double rest = random_.uniform(draw) * kept;
    for (std::size_t i = 0; i + 1 < n; ++i) {
      rest -= candidates_[i].weight;
      if (rest < 0) return candidates_[i].id;
    }
    return candidates_[n - 1].id;
  }

 private:
  struct Candidate {
    double weight;  // the logit, then the probability relative to the likeliest token's
    std::int32_t id;
  };
  SamplerOptions options_;
  Random random_;
  std::uint64_t draws_ = 0;
  std::vector<Candidate> candidates_;
};

}  // namespace gt

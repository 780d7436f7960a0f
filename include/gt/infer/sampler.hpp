// SPDX-License-Identifier: MIT
// Choosing the next token from logits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gt/base/defaults.hpp"
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

/// Draws tokens; the n-th draw of a seed is a pure function of the logits and n. It takes time linear in the
/// vocabulary.
class Sampler {
 public:
  explicit Sampler(Defaults) : Sampler(SamplerOptions{}) {}  ///< `Sampler({})`
  /// Errors: those of check_sampler.
  explicit Sampler(SamplerOptions options = {}) : options_{options}, random_(options.seed, Purpose::sampling) {
    check_sampler(options);
  }

  /// The id of the next token. Tokens in `banned` are never drawn. Errors: no logit is finite.
  template <class T>
  std::int32_t operator()(std::span<T const> logits, std::span<std::int32_t const> banned = {}) {
    allowed_.assign(logits.size(), true);
    for (std::int32_t const id : banned) {
      if (id >= 0 && static_cast<std::size_t>(id) < logits.size()) allowed_[static_cast<std::size_t>(id)] = false;
    }
    candidates_.clear();
    for (std::size_t i = 0; i < logits.size(); ++i) {
      double const z = static_cast<double>(logits[i]);
      if (std::isfinite(z) && allowed_[i]) candidates_.push_back({z, static_cast<std::int32_t>(i)});
    }
    check(!candidates_.empty(), "Sampler", "there must be a token to choose from (no logit is finite and allowed)");
    std::uint64_t const draw = draws_++;
    Candidate const top = *std::min_element(candidates_.begin(), candidates_.end(), likelier);
    if (options_.temperature == 0) return top.id;
    if (auto const k = static_cast<std::size_t>(options_.top_k); k > 0 && k < candidates_.size()) {
      std::nth_element(candidates_.begin(), candidates_.begin() + options_.top_k, candidates_.end(), likelier);
      candidates_.resize(k);
    }
    for (auto& c : candidates_) c.weight = std::exp((c.weight - top.weight) / options_.temperature);
    double const all = sum(0, candidates_.size());
    std::erase_if(candidates_, [&](Candidate const& c) { return c.weight < options_.min_p; });
    if (options_.top_p < 1) candidates_.resize(likeliest(options_.top_p * all));
    return candidates_[likeliest(random_.uniform(draw) * sum(0, candidates_.size())) - 1].id;
  }

 private:
  struct Candidate {
    double weight;  // the logit, then the probability relative to the likeliest token's
    std::int32_t id;
  };
  static bool likelier(Candidate const& a, Candidate const& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.id < b.id;
  }
  double sum(std::size_t first, std::size_t last) const {
    double all = 0;
    for (std::size_t i = first; i < last; ++i) all += candidates_[i].weight;
    return all;
  }
  // The fewest of the likeliest whose weights sum to `mass`: they are moved to the front, the least likely of them
  // last, and counted; all, where there is no such sum. The half in which the sum is reached is halved again.
  std::size_t likeliest(double mass) {
    std::size_t first = 0, last = candidates_.size();
    while (last - first > 1) {
      std::size_t const middle = first + (last - first) / 2;
      auto const at = [&](std::size_t i) { return candidates_.begin() + static_cast<std::ptrdiff_t>(i); };
      std::nth_element(at(first), at(middle), at(last), likelier);
      double const upper = sum(first, middle);
      if (upper >= mass) {
        last = middle;
      } else {
        mass -= upper, first = middle;
      }
    }
    return last;
  }
  SamplerOptions options_;
  Random random_;
  std::uint64_t draws_ = 0;
  std::vector<bool> allowed_;
  std::vector<Candidate> candidates_;
};

}  // namespace gt

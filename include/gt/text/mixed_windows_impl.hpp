// SPDX-License-Identifier: MIT
// What gt/text/mixed_windows.hpp declares.
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
#include "gt/base/macros.hpp"
#include "gt/base/philox.hpp"
#include "gt/text/mixed_windows.hpp"
#include "gt/text/tokens.hpp"

namespace gt::inline GT_ABI {

GT_FN MixedWindows::MixedWindows(std::vector<Tokens> const& texts, std::int64_t context, Seed seed,
                                 std::vector<MixturePhase> phases)
    : phases_{std::move(phases)}, taken_(texts.size()), credit_(texts.size()) {
  check(!texts.empty() && !phases_.empty(), "MixedWindows", "there must be a text and a phase (got ", texts.size(),
        " and ", phases_.size(), ")");
  for (std::size_t k = 0; k < texts.size(); ++k)
    loaders_.emplace_back(texts[k], context, Seed{seed.value + 0x9E3779B97F4A7C15u * k});
  for (auto& phase : phases_) {
    check(phase.shares.size() == texts.size(), "MixedWindows", "each phase must give a share to each of the ",
          texts.size(), " texts (got ", phase.shares.size(), ")");
    for (double const s : phase.shares)
      check(std::isfinite(s) && s >= 0, "MixedWindows", "shares must not be negative (got ", s, ")");
    double const sum = std::accumulate(phase.shares.begin(), phase.shares.end(), 0.0);
    check(sum > 0 && std::isfinite(sum), "MixedWindows", "the shares of a phase must have a positive sum (got ", sum,
          ")");
    for (double& s : phase.shares) s /= sum;
  }
}

GT_FN std::int64_t MixedWindows::windows() const {
  std::int64_t all = 0;
  for (std::size_t k = 0; k < loaders_.size(); ++k) {
    bool const used = std::any_of(phases_.begin(), phases_.end(), [&](auto const& p) { return p.shares[k] > 0; });
    all += used ? loaders_[k].windows() : 0;
  }
  return all;
}

GT_FN void MixedWindows::fill(std::int64_t first_sample, std::int64_t batch, std::span<std::int32_t> inputs,
                              std::span<std::int32_t> targets) {
  if (first_sample < next_) restart();
  while (next_ < first_sample) advance();
  auto const length = static_cast<std::size_t>(loaders_.front().context());
  for (std::int64_t row = 0; row < batch; ++row) {
    std::size_t const k = advance();
    auto const at = static_cast<std::size_t>(row) * length;
    loaders_[k].fill(taken_[k] - 1, 1, inputs.subspan(at, length), targets.subspan(at, length));
  }
}

GT_FN void MixedWindows::restart() {
  std::fill(taken_.begin(), taken_.end(), 0);
  next_ = in_phase_ = 0, phase_ = 0;
  std::fill(credit_.begin(), credit_.end(), 0.0);
}

GT_FN std::size_t MixedWindows::advance() {
  if (phase_ + 1 < phases_.size() && in_phase_ == phases_[phase_].samples) {
    ++phase_, in_phase_ = 0;
    std::fill(credit_.begin(), credit_.end(), 0.0);
  }
  auto const& shares = phases_[phase_].shares;
  std::size_t best = 0;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    credit_[k] += shares[k];
    if (shares[k] > 0 && (shares[best] == 0 || credit_[k] > credit_[best])) best = k;
  }
  credit_[best] -= 1;
  ++taken_[best], ++next_, ++in_phase_;
  return best;
}

}  // namespace gt

// SPDX-License-Identifier: MIT
// Training windows from several texts, in shares that may change from one phase of training to the next.
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
#include "gt/base/philox.hpp"
#include "gt/text/tokens.hpp"
#include "gt/text/windows.hpp"

namespace gt::inline GT_ABI {

/// A run of training in which the texts keep their shares.
struct MixturePhase {
  std::int64_t samples = 0;      ///< windows; the last phase goes on for ever
  std::vector<double> shares{};  ///< [texts], not negative, of any positive sum
};

/// Batches of windows from several texts. Within a phase each sample comes from the text that is furthest behind its
/// share, so that after n samples text k has given n s_k / sum(s) of them to within one; each text is visited as
/// WindowLoader does, in epochs of its own. A position is the number of samples seen, as there: going back or on to any
/// is possible, at the price of counting up to it.
class MixedWindows {
 public:
  /// The first text is visited in the order that WindowLoader gives it.   Errors: no text, or one too short for a
  /// window; no phase; shares that do not fit the texts.
  MixedWindows(std::vector<Tokens> const& texts, std::int64_t context, Seed seed, std::vector<MixturePhase> phases)
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

  /// Windows of all texts that have a share in any phase.
  std::int64_t windows() const {
    std::int64_t all = 0;
    for (std::size_t k = 0; k < loaders_.size(); ++k) {
      bool const used = std::any_of(phases_.begin(), phases_.end(), [&](auto const& p) { return p.shares[k] > 0; });
      all += used ? loaders_[k].windows() : 0;
    }
    return all;
  }
  /// Copies samples first_sample, first_sample + 1, ... one after the other. inputs, targets: [batch * T].
  void fill(std::int64_t first_sample, std::int64_t batch, std::span<std::int32_t> inputs,
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

 private:
  void restart() {
    std::fill(taken_.begin(), taken_.end(), 0);
    next_ = in_phase_ = 0, phase_ = 0;
    std::fill(credit_.begin(), credit_.end(), 0.0);
  }
  // The text of the next sample, which is then taken.
  std::size_t advance() {
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

  std::vector<WindowLoader> loaders_;
  std::vector<MixturePhase> phases_;
  std::vector<std::int64_t> taken_;  // samples that each text has given
  std::vector<double> credit_;       // how far each is behind its share
  std::int64_t next_ = 0, in_phase_ = 0;
  std::size_t phase_ = 0;
};

}  // namespace gt

// SPDX-License-Identifier: MIT
// Training windows from several texts, in shares that may change from one phase of training to the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
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
  MixedWindows(std::vector<Tokens> const& texts, std::int64_t context, Seed seed, std::vector<MixturePhase> phases);

  /// Windows of all texts that have a share in any phase.
  std::int64_t windows() const;
  /// Copies samples first_sample, first_sample + 1, ... one after the other. inputs, targets: [batch * T].
  void fill(std::int64_t first_sample, std::int64_t batch, std::span<std::int32_t> inputs,
            std::span<std::int32_t> targets);

 private:
  void restart();
  // The text of the next sample, which is then taken.
  std::size_t advance();

  std::vector<WindowLoader> loaders_;
  std::vector<MixturePhase> phases_;
  std::vector<std::int64_t> taken_;  // samples that each text has given
  std::vector<double> credit_;       // how far each is behind its share
  std::int64_t next_ = 0, in_phase_ = 0;
  std::size_t phase_ = 0;
};

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/text/mixed_windows_impl.hpp"
#endif

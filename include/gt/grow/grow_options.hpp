// SPDX-License-Identifier: MIT
// How a plan is run, and what came of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "gt/base/philox.hpp"
#include "gt/grow/observer.hpp"
#include "gt/grow/prefix_cache.hpp"
#include "gt/text/tokens.hpp"
#include "gt/train/step.hpp"

namespace gt::inline GT_ABI {

/// How a plan is run; what belongs to one stage stands in the plan.
struct GrowOptions {
  std::int64_t batch = 8;                   ///< B, sequences a step
  std::int64_t context = 0;                 ///< T, tokens a sequence; 0: the model's context
  std::int64_t tokens_per_stage = 500'000;  ///< times the stage's share, rounded down to whole steps, at least one
  AdamWOptions adamw{};                     ///< a fresh optimiser in each stage
  Seed seed{};                              ///< of the order of the training windows
  std::int64_t evaluate_every = 50;         ///< steps; 0: at the ends of stages only
  /// Held-out tokens that a look before or after a stage reads, the same ones all run, evenly spread over the text;
  /// `all_held_out`: all; 0: as many as keep all looks at a twentieth of the work of any stage (see
  /// growth::held_out_looks).
  std::int64_t held_out_tokens = 0;
  std::int64_t evaluation_tokens = 10'240;  ///< the most that a look in between reads; 0: as many as the others
  std::int64_t log_every = 10;              ///< steps
  double look_seconds = 0.5;                ///< between two times that a look tells how far it is, and asks `stop`
  double checkpoint_seconds = 120;          ///< between two checkpoints inside a stage; observers write them
  /// What the outputs of frozen blocks may take, if windows come more than once over them. 0 bytes: none are kept.
  /// With CachedAs::exact the results do not depend on it, with bf16 only on whether there is a cache.
  PrefixCacheOptions prefix_cache{.bytes = 0};
  /// Further texts to train on beside that of the corpus, and the shares of all of them in each stage, [stages][1 +
  /// more]: a mixture of data that changes as the model grows. Held-out text is the corpus's alone.
  std::vector<Tokens> more_text{};
  std::vector<std::vector<double>> mixture{};  ///< see `more_text`; empty without them
  /// Asked after each step, and every `look_seconds` in a look at held-out text: true ends the run there, the step
  /// being whole. A look that was interrupted is made when the run goes on; the one before a stage with that stage.
  std::function<bool()> stop{};
  GrowthState const* resume = nullptr;  ///< the state that the model is in; null: the plan has not begun
};

/// How a run ended.
enum class GrowthEnd {
  finished,  ///< all stages are done
  stopped,   ///< `stop` said so
  diverged   ///< a loss, gradient or look at held-out text was not finite; go on from an earlier checkpoint
};
/// What a run did.
struct GrowthResult {
  GrowthEnd end = GrowthEnd::finished;  ///< why it ended
  std::vector<StageDone> stages;        ///< the finished ones
  std::int64_t tokens = 0;              ///< trained on
  std::size_t stage = 0;                ///< where it ended, from 0
  std::int64_t step = 0;                ///< in that stage, from 1; 0: stopped before its first
};

}  // namespace gt

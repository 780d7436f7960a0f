// SPDX-License-Identifier: MIT
// What a growth run tells those who watch it, and the state from which it can go on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "gt/core/buffer.hpp"
#include "gt/grow/prefix_cache.hpp"
#include "gt/train/evaluate.hpp"
#include "gt/train/trainer.hpp"

namespace gt::inline GT_ABI {

/// A stage that is about to start.
struct StageStart {
  std::size_t stage = 0, stages = 0;  ///< from 0
  int depth = 0, blocks = 0;          ///< blocks, the new ones included; the new ones
  /// Steps of the stage, numbers that train in it, and numbers of the model, its table included.
  std::int64_t steps = 0, active_parameters = 0, total_parameters = 0;
  std::int64_t optimizer_bytes = 0, activation_bytes = 0;  ///< AdamW's moments; activations and scratch
  std::int64_t step = 0;             ///< steps already done, when a run goes on in the middle of a stage
  std::int64_t tokens_per_step = 0;  ///< B T
  double step_flops = 0;             ///< floating-point operations of a step that finds nothing in a prefix cache
  char const* instruction_set = "";  ///< that the backend's kernels use
  int threads = 1;                   ///< of the backend
  bool prefix_cached = false;        ///< the outputs of the frozen blocks are kept
  /// Held-out tokens that the looks before and after the stage read, evenly spread, and that there are.
  std::int64_t look_tokens = 0, held_out_tokens = 0;
};
/// A look at held-out text that takes its time.
struct LookProgress {
  std::size_t stage = 0;          ///< from 0
  int depth = 0;                  ///< blocks
  std::int64_t done = 0, of = 0;  ///< tokens
  double seconds = 0;             ///< since it began
};
/// A step that was made. `bits_per_byte` is that of the last look at held-out text, and `evaluated` says that it is
/// new.
struct StepDone {
  std::size_t stage = 0;               ///< from 0
  std::int64_t step = 0, steps = 0;    ///< from 1, in this stage
  std::int64_t tokens = 0;             ///< trained on so far, all stages together
  double loss = 0;                     ///< nats a token, this step
  double gradient_norm = 0;            ///< before clipping
  double bits_per_byte = 0;            ///< held-out; 0 before the first look
  bool evaluated = false;              ///< held-out text was looked at after this step
  std::int64_t look_tokens = 0;        ///< that this look read; 0 without one
  double lr = 0, seconds = 0;          ///< seconds since the stage began
  double run_seconds = 0;              ///< since the run began: those of the stages before as well
  double tokens_per_second = 0;        ///< training alone, without the looks at held-out text
  double step_flops = 0;               ///< floating-point operations of a step, on average over the stage so far
  int depth = 0;                       ///< blocks
  std::int64_t active_parameters = 0;  ///< numbers that train
  bool logged = false;                 ///< a step to keep in a log: every `log_every`-th, evaluated ones, and the last
};
/// A stage that is done.
struct StageDone {
  std::size_t stage = 0;  ///< from 0
  int depth = 0;          ///< blocks, the new ones included
  /// Steps of the stage, tokens trained on so far in all stages together, and numbers that trained.
  std::int64_t steps = 0, tokens = 0, active_parameters = 0;
  double loss = 0;                        ///< mean over the last tenth of the steps, nats a token
  Evaluation before{}, after{};           ///< on held-out text: with the new blocks untrained, and at the end
  double seconds = 0, train_seconds = 0;  ///< with and without evaluation
  StepProfile profile{};                  ///< of all steps of the stage
  double step_flops = 0;                  ///< floating-point operations of a step, on average
  PrefixCacheUse prefix_cache{};          ///< its counts are those of this stage; all 0 without one
};

/// Where a run stands between two steps. With the model as it then is, the same plan, text and options, it is all that
/// `grow` needs to go on to the same bits (GrowOptions::resume).
struct GrowthState {
  std::size_t stage = 0;                 ///< that is running, or comes next; the number of stages when all are done
  std::int64_t step = 0;                 ///< steps of it that are done; 0: its blocks are not there yet
  std::int64_t samples = 0, tokens = 0;  ///< trained on, all stages together
  std::vector<StageDone> stages;         ///< that are finished
  StageDone current;                     ///< of the running stage, as far as it is known
  double bits_per_byte = 0;              ///< of the last look at held-out text
  double tail_loss = 0;                  ///< sum over the steps that count for the stage's loss
  std::int64_t tail_steps = 0;           ///< how many these are
  bool look_due = false;                 ///< the look after the last step was interrupted, and its report with it
  double loss = 0, gradient_norm = 0;    ///< of the last step, where a look is due
  Buffer<std::byte> moments;             ///< AdamW's (see Trainer::moments); empty between stages
};

namespace detail {
inline double seconds_of(std::vector<StageDone> const& stages) {
  return std::accumulate(stages.begin(), stages.end(), 0.0, [](double sum, auto const& s) { return sum + s.seconds; });
}
}  // namespace detail

/// Watches a run; override what is of interest. A run prints nothing unless an observer does.
class GrowthObserver {
 public:
  virtual ~GrowthObserver() = default;
  virtual void stage_starts(StageStart const&) {}  ///< its blocks are there; its steps follow
  virtual void step_done(StepDone const&) {}       ///< after every step, also those that no log keeps
  virtual void looking(LookProgress const&) {}     ///< in a look at held-out text, every look_seconds
  virtual void stage_done(StageDone const&) {}     ///< after its last step and the look that follows it
  virtual void notice(std::string const&) {}       ///< a sentence for the user, about the file of the prefix cache
  /// A state worth keeping: after each stage, every GrowOptions::checkpoint_seconds, and when the run is stopped; not
  /// when it diverges, for nobody could go on from there. The model is as it belongs to the state.
  virtual void checkpoint(GrowthState const&) {}
};

}  // namespace gt

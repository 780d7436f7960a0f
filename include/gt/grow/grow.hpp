// SPDX-License-Identifier: MIT
// Growing a model by a plan: stage after stage, each training only what it declares.
#pragma once

#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/grow/plan.hpp"
#include "gt/text/corpus.hpp"
#include "gt/text/windows.hpp"
#include "gt/train/evaluate.hpp"
#include "gt/train/trainer.hpp"

namespace gt {

/// How a plan is run; what belongs to one stage stands in the plan.
struct GrowOptions {
  std::int64_t batch = 8;                   ///< B, sequences a step
  std::int64_t context = 0;                 ///< T, tokens a sequence; 0: the model's context
  std::int64_t tokens_per_stage = 500'000;  ///< rounded down to whole steps, at least one
  AdamWOptions adamw{};                     ///< a fresh optimiser in each stage
  Seed seed{};                              ///< of the order of the training windows
  std::int64_t evaluate_every = 50;         ///< steps; 0: at the ends of stages only
  std::int64_t evaluation_tokens = 10'240;  ///< held-out tokens looked at in between; at the end of a stage: all
  std::int64_t log_every = 10;              ///< steps
  std::function<bool()> stop{};             ///< asked after each step; true ends the run there, the step being whole
};

/// A stage that is about to start.
struct StageStart {
  std::size_t stage = 0, stages = 0;  ///< from 0
  int depth = 0;                      ///< blocks, the new ones included
  std::int64_t steps = 0, active_parameters = 0, total_parameters = 0;
  std::int64_t optimizer_bytes = 0, activation_bytes = 0;
  std::int64_t tokens_per_step = 0;  ///< B T
  double step_flops = 0;             ///< floating-point operations of a step
  char const* instruction_set = "";  ///< that the backend's kernels use
  int threads = 1;
};
/// A step that was just made. `bits_per_byte` is that of the last look at held-out text, and `evaluated` says that it
/// is new.
struct StepDone {
  std::size_t stage = 0;
  std::int64_t step = 0, steps = 0;  ///< from 1, in this stage
  std::int64_t tokens = 0;           ///< trained on so far, all stages together
  double loss = 0;                   ///< nats a token, this step
  double gradient_norm = 0;          ///< before clipping
  double bits_per_byte = 0;          ///< held-out; 0 before the first look
  bool evaluated = false;
  double lr = 0, seconds = 0;    ///< seconds since the stage began
  double tokens_per_second = 0;  ///< training alone, without the looks at held-out text
  int depth = 0;
  std::int64_t active_parameters = 0;
  bool logged = false;  ///< a step to keep in a log: every `log_every`-th, evaluated ones, and the last
};
/// A stage that is done.
struct StageDone {
  std::size_t stage = 0;
  int depth = 0;
  std::int64_t steps = 0, tokens = 0, active_parameters = 0;
  double loss = 0;                        ///< mean over the last tenth of the steps
  Evaluation before, after;               ///< on all held-out text: with the new blocks untrained, and at the end
  double seconds = 0, train_seconds = 0;  ///< with and without evaluation
};

enum class GrowthEnd {
  finished,  ///< all stages are done
  stopped,   ///< `stop` said so
  diverged   ///< a loss or gradient was not finite; the weights are those before that step
};
/// What a run did.
struct GrowthResult {
  GrowthEnd end = GrowthEnd::finished;
  std::vector<StageDone> stages;  ///< the finished ones
  std::int64_t tokens = 0;        ///< trained on
  std::size_t stage = 0;          ///< where it ended, from 0
  std::int64_t step = 0;          ///< in that stage, from 1
};

/// Watches a run; override what is of interest. A run prints nothing unless an observer does.
class GrowthObserver {
 public:
  virtual ~GrowthObserver() = default;
  virtual void stage_starts(StageStart const&) {}
  virtual void step_done(StepDone const&) {}
  virtual void stage_done(StageDone const&) {}
};

namespace detail {

/// Freezes all, adds the blocks of a stage, and makes trainable what it declares.
template <class Model>
void enter_stage(Model& model, GrowthPlan const& plan, std::size_t stage, int final_depth) {
  Stage const& s = plan[stage];
  model.freeze();
  int const below = model.depth();
  model.append(s.blocks, s.init, final_depth);
  if (s.head == HeadInit::reset && stage > 0) model.reset_head(static_cast<int>(stage));
  for (int l = below; l < model.depth(); ++l)
    Model::set_block_trainable(model.blocks()[static_cast<std::size_t>(l)], true);
  model.set_head_trainable(s.train_final_norm, true);
}

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace detail

/// Grows `model` by `plan` on `data`: for each stage, everything is frozen, the new blocks are stacked on top, and
/// they, the head and (if the stage says so) the final norm train with a fresh optimiser. What a stage does not train
/// is bit-equal after it. `token_bytes[id]` is the length of each token, for bits per byte. Same seed, same weights, on
/// any number of threads.   Errors: an empty plan, a corpus smaller than one window. Source: arXiv:2507.07129,
/// section 3.2; head carried over and trained in each stage as in its v3.
template <Backend B, class Model, class... Observers>
requires(std::derived_from<std::remove_cvref_t<Observers>, GrowthObserver>&&...) GrowthResult
    grow(B const& on, Model& model, GrowthPlan const& plan, TokenizedCorpus const& data,
         std::vector<std::int32_t> const& bytes_of_tokens, GrowOptions const& options, Observers&&... observers) {
  check(!plan.empty(), "grow", "the plan must have at least one stage");
  std::int64_t const context = options.context > 0 ? options.context : model.context();
  check(options.batch > 0, "grow", "the batch must be positive (got ", options.batch, ")");
  check(context <= model.context(), "grow", "the windows must fit the model's context of ", model.context(), " (got ",
        context, ")");
  check(data.train.vocab_size() <= model.vocab() && data.validation.vocab_size() <= model.vocab(), "grow",
        "the corpus must be of the model's ", model.vocab(), " tokens (got a vocabulary of ", data.train.vocab_size(),
        " and ", data.validation.vocab_size(), ")");
  check(static_cast<std::int64_t>(bytes_of_tokens.size()) >= model.vocab(), "grow", "each of the ", model.vocab(),
        " tokens needs its bytes (got ", bytes_of_tokens.size(), ")");
  BatchShape const shape{options.batch, context};
  WindowLoader const windows(data.train, context, options.seed);
  check(data.validation.size() > 1, "grow", "the held-out part of the corpus must hold at least two tokens (got ",
        data.validation.size(), ")");
  std::int64_t const steps = std::max<std::int64_t>(1, options.tokens_per_stage / shape.rows());
  Evaluator<B, Model> evaluate(on, shape, bytes_of_tokens);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(shape.rows())), targets(ids.size());

  GrowthResult result;
  std::int64_t sample = 0;
  int const final_depth = model.depth() + plan.depth();
  for (std::size_t stage = 0; stage < plan.size(); ++stage) {
    auto const began = std::chrono::steady_clock::now();
    detail::enter_stage(model, plan, stage, final_depth);
    Trainer<B, Model> trainer(on, model, shape, options.adamw);
    std::int64_t const active = trainer.active_parameters();
    (observers.stage_starts({stage, plan.size(), model.depth(), steps, active, model.parameter_count(),
                             trainer.optimizer_bytes(), trainer.activation_bytes(), shape.rows(),
                             plan.step_flops(stage, model.config(), {model.vocab(), model.has_head_bias()}, shape),
                             on.name(), on.threads()}),
     ...);
    StageDone done;
    done.stage = stage, done.depth = model.depth(), done.steps = steps, done.active_parameters = active;
    done.before = evaluate(model, data.validation);
    double train_seconds = 0, last_bits = 0, tail_loss = 0;
    std::int64_t tail = 0;
    for (std::int64_t step = 1; step <= steps; ++step) {
      auto const start = std::chrono::steady_clock::now();
      windows.fill(sample, options.batch, ids, targets);
      double const lr = plan[stage].schedule.at(step - 1, steps);
      StepResult const r = trainer.step(ids, targets, lr);
      result.stage = stage, result.step = step;
      if (!std::isfinite(r.loss) || !std::isfinite(r.gradient_norm)) {
        result.end = GrowthEnd::diverged;
        return result;
      }
      train_seconds += detail::seconds_since(start);
      sample += options.batch;
      result.tokens += shape.rows();
      if (step > steps - (steps + 9) / 10) tail_loss += r.loss, ++tail;
      StepDone now{.stage = stage,
                   .step = step,
                   .steps = steps,
                   .tokens = result.tokens,
                   .loss = r.loss,
                   .gradient_norm = r.gradient_norm,
                   .bits_per_byte = last_bits,
                   .lr = lr};
      if (step == steps) {
        done.after = evaluate(model, data.validation);
        now.evaluated = true, last_bits = done.after.bits_per_byte();
      } else if (options.evaluate_every > 0 && step % options.evaluate_every == 0) {
        now.evaluated = true, last_bits = evaluate(model, data.validation, options.evaluation_tokens).bits_per_byte();
      }
      now.bits_per_byte = last_bits;
      now.seconds = detail::seconds_since(began);
      now.tokens_per_second = static_cast<double>(step * shape.rows()) / train_seconds;
      now.depth = model.depth(), now.active_parameters = active;
      now.logged = now.evaluated || step == 1 || (options.log_every > 0 && step % options.log_every == 0);
      (observers.step_done(now), ...);
      if (options.stop && options.stop() && !(step == steps && stage + 1 == plan.size())) {
        result.end = GrowthEnd::stopped;
        if (step < steps) return result;
      }
    }
    done.tokens = result.tokens;
    done.loss = tail_loss / static_cast<double>(std::max<std::int64_t>(1, tail));
    done.train_seconds = train_seconds, done.seconds = detail::seconds_since(began);
    result.stages.push_back(done);
    (observers.stage_done(done), ...);
    if (result.end == GrowthEnd::stopped) return result;
  }
  model.freeze();
  return result;
}

/// Seconds that one training step of each stage takes here, measured on a copy of the model with random tokens: the
/// second of two steps. From it a wish for minutes becomes a number of tokens.
template <Backend B, class Model>
std::vector<double> measure_steps(B const& on, Model const& model, GrowthPlan const& plan, BatchShape shape) {
  Model trial = model.clone();
  Random const random(Seed{1}, Purpose::data, 0xFFFFFFFFu);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(shape.rows()));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(model.vocab()), i));
  }
  std::vector<double> seconds;
  for (std::size_t stage = 0; stage < plan.size(); ++stage) {
    detail::enter_stage(trial, plan, stage, plan.depth());
    Trainer<B, Model> trainer(on, trial, shape);
    trainer.step(ids, ids, 0.0);
    auto const start = std::chrono::steady_clock::now();
    trainer.step(ids, ids, 0.0);
    seconds.push_back(detail::seconds_since(start));
  }
  return seconds;
}

}  // namespace gt

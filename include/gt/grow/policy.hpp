// SPDX-License-Identifier: MIT
// Growing without a plan: a policy looks at the run after every step and says when the model gets new blocks.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gt/base/clock.hpp"
#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/grow/grow.hpp"
#include "gt/grow/held_out.hpp"
#include "gt/grow/observer.hpp"
#include "gt/grow/plan.hpp"
#include "gt/grow/prefix_cache.hpp"
#include "gt/text/tokens.hpp"
#include "gt/text/windows.hpp"
#include "gt/train/evaluate.hpp"

namespace gt::inline GT_ABI {

/// Where a run stands after a step: all that a policy decides from. A stage lasts from one growth to the next.
struct TrainingStatus {
  int depth = 0;                                ///< blocks
  std::int64_t steps = 0, steps_left = 0;       ///< made so far, all stages together, and what the budget still holds
  std::int64_t stage_steps = 0;                 ///< made in this stage
  double loss = 0;                              ///< nats a token, this step
  double mean_loss = 0, best_loss = 0;          ///< running mean of `loss`, and its lowest in this stage
  std::int64_t steps_since_best = 0;            ///< since `mean_loss` was `best_loss`; 0 in the first `averaged` steps
  static constexpr std::int64_t averaged = 20;  ///< steps, about, that the mean is over: one lucky batch is no progress
};

/// What a policy answers: nothing, or a stage of new blocks.
struct Growth {
  Stage stage{};                                 ///< no blocks: go on as it is
  static constexpr Growth none() { return {}; }  ///< goes on as it is
  /// A stage of `blocks` new blocks.
  static constexpr Growth deepen(int blocks, StageOptions o = {}) { return {gt::deepen(blocks, o)}; }
  constexpr bool adds_blocks() const { return stage.blocks > 0; }  ///< whether a stage begins
  friend constexpr bool operator==(Growth const&, Growth const&) = default;
};

/// Decides when a model grows: a small value with one pure function. It is asked before the first step, where it must
/// add blocks, and after every step but the last.
template <class P>
concept GrowthPolicy = std::copyable<P> && requires(P const policy, TrainingStatus now) {
  { policy.next(now) } -> std::same_as<Growth>;
};

/// Adds blocks at the start, and again whenever the loss has stopped falling.
struct GrowOnPlateau {
  std::int64_t patience = 200;  ///< steps without a new best mean loss
  int max_depth = 12;           ///< blocks; reached, the last stage trains until the budget is spent
  int blocks = 1;               ///< at a time
  StageOptions stage{};         ///< of all stages; the schedule runs over what is left of the budget

  /// Asks for blocks before the first step, and when `patience` is over; never beyond `max_depth`.
  constexpr Growth next(TrainingStatus now) const {
    bool const due = now.steps == 0 || now.steps_since_best >= patience;
    return due && now.depth + blocks <= max_depth ? Growth::deepen(blocks, stage) : Growth::none();
  }
};
static_assert(GrowthPolicy<GrowOnPlateau>);

namespace detail {

/// Runs `grow` on one stage after another, each of all that is left of the budget, and stops it where the policy says.
/// It is the observer of each stage, and tells those of the whole run.
template <Backend B, class Model, GrowthPolicy P>
class PolicyRun final : public GrowthObserver {
 public:
  PolicyRun(B const& on, Model& model, P policy, std::int64_t steps, GrowOptions options,
            std::vector<GrowthObserver*> observers)
      : on_{on},
        model_{model},
        policy_{std::move(policy)},
        options_{std::move(options)},
        shape_{options_.batch, options_.context > 0 ? options_.context : model.context()},
        observers_{std::move(observers)} {
    now_.depth = model.depth(), now_.steps_left = steps;
  }

  GrowthResult run(TokenizedCorpus const& data, std::vector<std::int32_t> const& bytes_of_tokens) {
    next_ = policy_.next(now_);
    check(next_.adds_blocks(), "grow_by_policy",
          "a policy must begin with new blocks (got none before the first step)");
    check_growth(model_, {next_.stage}, data, bytes_of_tokens, options_);
    make_cache(data);
    // Nobody knows how long its stages will be: the looks at their ends read no more than those on the way.
    auto const looks = growth::held_out_looks(
        {next_.stage}, model_.config(), {model_.vocab(), model_.has_head_bias(), model_.table_width(), model_.depth()},
        shape_, of_all_steps(), data.validation.size() - 1);
    if (options_.held_out_tokens == 0) options_.held_out_tokens = std::max<std::int64_t>(1, looks.between);
    for (;;) {
      plan_.push_back(next_.stage);
      plan_[plan_.size() - 1].tokens = 1;  // of all that is left
      if (next_.stage.head == HeadInit::reset && plan_.size() > 1)
        model_.reset_head(static_cast<int>(plan_.size()) - 1);
      next_ = {}, now_.stage_steps = now_.steps_since_best = 0;
      GrowthState start;
      start.samples = now_.steps * shape_.batch, start.tokens = now_.steps * shape_.rows();
      GrowOptions options = of_all_steps();
      options.resume = &start;
      options.stop = [&] { return stage_ends(); };
      options.prefix_cache.bytes = 0;  // one for all stages
      GrowthPlan const stage{plan_[plan_.size() - 1]};
      GrowthRun<B, Model> run(on_, model_, stage, data, bytes_of_tokens, options, {this}, cache_ ? &*cache_ : nullptr);
      run.interrupt_looks(options_.stop);
      GrowthResult const ran = run.run();
      if (ran.end != GrowthEnd::stopped || !next_.adds_blocks())
        return {ran.end, stages_, ran.tokens, plan_.size() - 1, ran.step};
      model_.merge_adapters(on_);
      double const looking = seconds_now();
      Evaluator<B, Model> evaluate(on_, shape_, bytes_of_tokens);
      auto const after = look_at(evaluate, model_, data.validation, options_.held_out_tokens,
                                 {plan_.size() - 1, observers_, options_.stop, options_.look_seconds});
      if (!after) return {ran.end, stages_, ran.tokens, plan_.size() - 1, ran.step};
      reached_.after = *after;
      reached_.steps = ran.step, reached_.tokens = ran.tokens, reached_.loss = now_.mean_loss;
      reached_.seconds += seconds_since(looking);
      stage_done(reached_);
    }
  }

  void stage_starts(StageStart const& one) override {
    StageStart start = one;
    start.stage = plan_.size() - 1, start.stages = plan_.size();
    for (auto* o : observers_) o->stage_starts(start);
  }
  void step_done(StepDone const& one) override {
    now_.depth = one.depth, now_.stage_steps = one.step, now_.loss = one.loss;
    ++now_.steps, --now_.steps_left, ++now_.steps_since_best;
    auto const of = static_cast<double>(std::min(one.step, TrainingStatus::averaged));
    now_.mean_loss = one.step == 1 ? one.loss : now_.mean_loss + (one.loss - now_.mean_loss) / of;
    bool const settled = one.step > TrainingStatus::averaged;  // a mean of few steps may be lucky
    if (!settled || now_.mean_loss < now_.best_loss) now_.best_loss = now_.mean_loss, now_.steps_since_best = 0;
    StepDone done = one;
    done.stage = plan_.size() - 1, done.run_seconds += seconds_of(stages_);
    for (auto* o : observers_) o->step_done(done);
  }
  void stage_done(StageDone const& one) override {
    stages_.push_back(one);
    stages_.back().stage = plan_.size() - 1;
    for (auto* o : observers_) o->stage_done(stages_.back());
  }
  void looking(LookProgress const& one) override {
    LookProgress look = one;
    look.stage = plan_.size() - 1;
    for (auto* o : observers_) o->looking(look);
  }
  void notice(std::string const& sentence) override {
    for (auto* o : observers_) o->notice(sentence);
  }
  void checkpoint(GrowthState const& state) override { reached_ = state.current; }

 private:
  // As if there were one stage.
  GrowOptions of_all_steps() const {
    GrowOptions options = options_;
    options.tokens_per_stage = now_.steps_left * shape_.rows();
    return options;
  }
  // A prefix cache, if the budget shows any window twice.
  void make_cache(TokenizedCorpus const& data) {
    std::int64_t const windows = WindowLoader(data.train, shape_.tokens, options_.seed).windows();
    if (options_.prefix_cache.bytes > 0 && now_.steps_left * shape_.batch > windows)
      cache_.emplace(on_, model_, shape_, options_.prefix_cache, windows);
  }
  // Asked after each step: those who want the run to end come before the policy.
  bool stage_ends() {
    if (options_.stop && options_.stop()) return true;
    if (now_.steps_left > 0 && plan_.size() < GrowthPlan::capacity) next_ = policy_.next(now_);
    return next_.adds_blocks();
  }

  B const& on_;
  Model& model_;
  P policy_;
  GrowOptions options_;
  BatchShape shape_;
  std::vector<GrowthObserver*> observers_;
  TrainingStatus now_;
  Growth next_;      // what the policy answered last
  GrowthPlan plan_;  // the stages so far
  std::optional<PrefixCache<B, Model>> cache_;
  StageDone reached_;
  std::vector<StageDone> stages_;
};

}  // namespace detail

/// Grows `model` for about `tokens` tokens in stages that `policy` begins, at most 64: each freezes what there is and
/// stacks its blocks on top, exactly as a stage of a plan. All of `options` holds but `tokens_per_stage`. A stage's
/// schedule runs over what was left of the budget when it began; `random` blocks are scaled to the depth that they
/// reach, for nobody knows the last one. Observers are told as in `grow`, the number of stages being that so far and
/// their steps the most that they can have, but no checkpoints: a run by policy does not go on from one. Same seed,
/// same weights, on any number of threads.   Errors: those of `grow`; a policy without blocks before the first step.
template <Backend B, class Model, GrowthPolicy P, class... Observers>
requires(std::derived_from<std::remove_cvref_t<Observers>, GrowthObserver>&&...) GrowthResult
    grow_by_policy(B const& on, Model& model, P policy, std::int64_t tokens, TokenizedCorpus const& data,
                   std::vector<std::int32_t> const& bytes_of_tokens, GrowOptions const& options,
                   Observers&&... observers) {
  check(tokens > 0, "grow_by_policy", "the budget must be positive (got ", tokens, " tokens)");
  check(options.resume == nullptr, "grow_by_policy", "a run by policy does not go on from a state; leave resume null");
  check(options.more_text.empty() && options.mixture.empty(), "grow_by_policy",
        "a run by policy has one text, for nobody knows its stages; leave more_text and mixture empty");
  check(options.batch > 0, "grow_by_policy", "the batch must be positive (got ", options.batch, ")");
  std::int64_t const rows = options.batch * (options.context > 0 ? options.context : model.context());
  return detail::PolicyRun<B, Model, P>(on, model, std::move(policy), std::max<std::int64_t>(1, tokens / rows), options,
                                        {&observers...})
      .run(data, bytes_of_tokens);
}

}  // namespace gt

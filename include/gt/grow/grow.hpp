// SPDX-License-Identifier: MIT
// Growing a model by a plan: stage after stage, each training only what it declares.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "gt/base/clock.hpp"
#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/grow/grow_options.hpp"
#include "gt/grow/held_out.hpp"
#include "gt/grow/observer.hpp"
#include "gt/grow/plan.hpp"
#include "gt/grow/prefix_cache.hpp"
#include "gt/text/mixed_windows.hpp"
#include "gt/text/tokens.hpp"
#include "gt/train/evaluate.hpp"
#include "gt/train/trainer.hpp"

namespace gt::inline GT_ABI {

namespace detail {

/// Freezes all, and makes trainable what a stage declares: its blocks, which came to `below` others, or all of them,
/// adapters, the table, the head, the final norm.
template <class Model>
void thaw_stage(Model& model, Stage const& stage, int below) {
  model.freeze();
  auto const train = [&](int l) { Model::set_block_trainable(model.blocks()[static_cast<std::size_t>(l)], true); };
  if (stage.all_blocks) {
    for (int l = 0; l < model.depth(); ++l) train(l);
  } else {
    for (int i = 0; i < stage.blocks; ++i)
      train(stage.init == BlockInit::expand ? nn::expanded_position(below, stage.blocks, i) : below + i);
  }
  model.set_head_trainable(stage.train_final_norm, true);
  if (stage.lora.rank > 0) model.set_adapters_trainable(true);
  if (stage.train_table) model.set_table_trainable(true);
}
}  // namespace detail

/// What `grow` does first in a stage of a plan: adds its blocks and adapters, draws the head anew where it says so, and
/// makes trainable what it declares. `final_depth` scales new blocks (see Transformer::append): the depth that the plan
/// ends with.   Errors: those of `append` and `attach_adapters`.
template <class Model>
void enter_stage(Model& model, GrowthPlan const& plan, std::size_t stage, int final_depth) {
  int const below = model.depth();
  model.append(plan[stage].blocks, plan[stage].init, final_depth);
  if (plan[stage].lora.rank > 0)  // no two phases with one draw
    model.attach_adapters(plan[stage].lora, below, 64 * below + static_cast<int>(stage));
  if (plan[stage].head == HeadInit::reset && stage > 0) model.reset_head(static_cast<int>(stage));
  detail::thaw_stage(model, plan[stage], below);
}

namespace detail {

/// Who is told of a look at held-out text, and who may end it.
struct LookWatch {
  std::size_t stage;
  std::vector<GrowthObserver*> const& observers;
  std::function<bool()> const& interrupted;
  double every;  // seconds
};
/// A look at held-out text; nothing where it was interrupted.
template <Backend B, class Model>
std::optional<Evaluation> look_at(Evaluator<B, Model>& evaluate, Model const& model, Tokens const& text,
                                  std::int64_t tokens, LookWatch const& watch) {
  double const began = seconds_now();
  double told = began;
  auto const seen = evaluate(model, text, tokens, [&](std::int64_t done, std::int64_t of) {
    if (seconds_since(told) < watch.every) return true;
    told = seconds_now();
    for (auto* o : watch.observers) o->looking({watch.stage, model.depth(), done, of, told - began});
    return !watch.interrupted || !watch.interrupted();
  });
  return seen.complete ? std::optional(seen) : std::nullopt;
}

/// One run of `grow`: what its steps share. Each member function does one thing that `run` names.
template <Backend B, class Model>
class GrowthRun {
 public:
  using T = typename Model::scalar;

  GrowthRun(B const& on, Model& model, GrowthPlan const& stages, TokenizedCorpus const& data,
            std::vector<std::int32_t> const& bytes_of_tokens, GrowOptions const& options,
            std::vector<GrowthObserver*> observers, PrefixCache<B, Model>* shared = nullptr)
      : on_{on},
        model_{model},
        plan_{stages},
        data_{data},
        options_{options},
        shape_{options.batch, options.context > 0 ? options.context : model.context()},
        windows_(texts_of(data, options), shape_.tokens, options.seed, phases()),
        evaluate_(on, shape_, bytes_of_tokens),
        ids_(static_cast<std::size_t>(shape_.rows())),
        targets_(ids_.size()),
        observers_{std::move(observers)},
        interrupted_{options.stop},
        cache_{shared} {
    if (options.resume) state_ = *options.resume;
    int const planned = state_.step > 0    ? plan_.depth(state_.stage)
                        : state_.stage > 0 ? plan_.depth(state_.stage - 1)
                                           : 0;
    first_depth_ = model.depth() - planned;
    check((state_.stage < plan_.size() ? state_.step >= 0 && state_.step < steps_of(state_.stage) + state_.look_due
                                       : state_.stage == plan_.size() && state_.step == 0) &&
              first_depth_ >= 0 && state_.stages.size() == state_.stage,
          "grow", "the state to go on from must belong to this plan and model (got stage ", state_.stage + 1, ", step ",
          state_.step, " of ", steps_of(std::min(state_.stage, plan_.size() - 1)), ", at ", model.depth(), " blocks)");
    if (state_.stage < plan_.size()) growth::check_plan(plan_, model.config(), first_depth_);
    looks_ = growth::held_out_looks(plan_, model.config(), size(), shape_, options, data.validation.size() - 1);
    if (shared == nullptr) make_cache();
  }
  /// What ends a look, where it is not what ends the run after a step.
  void interrupt_looks(std::function<bool()> interrupted) { interrupted_ = std::move(interrupted); }

  GrowthResult run() {
    GrowthEnd end = GrowthEnd::finished;
    while (end == GrowthEnd::finished && state_.stage < plan_.size()) end = run_stage();
    if (end == GrowthEnd::finished) model_.freeze();
    return {end, state_.stages, state_.tokens, at_stage_, at_step_};
  }

 private:
  static std::vector<Tokens> texts_of(TokenizedCorpus const& data, GrowOptions const& options) {
    std::vector<Tokens> all{data.train};
    all.insert(all.end(), options.more_text.begin(), options.more_text.end());
    return all;
  }
  std::vector<MixturePhase> phases() const {
    if (options_.mixture.empty()) return {{0, {1.0}}};
    std::vector<MixturePhase> all;
    for (std::size_t s = 0; s < plan_.size(); ++s) all.push_back({steps_of(s) * shape_.batch, options_.mixture[s]});
    return all;
  }
  // Frozen blocks below all that trains in a stage.
  int prefix_of(std::size_t stage) const { return plan_.lowest(stage, first_depth_); }
  std::int64_t steps_of(std::size_t stage) const { return plan_.steps(stage, options_.tokens_per_stage, shape_); }
  GrowthEnd run_stage() {
    steps_ = steps_of(state_.stage);
    if (state_.step == 0) {
      state_.current = {}, state_.tail_loss = 0, state_.tail_steps = 0, state_.bits_per_byte = 0;
      enter_stage(model_, plan_, state_.stage, first_depth_ + plan_.depth());
    } else {
      thaw_stage(model_, plan_[state_.stage], model_.depth() - plan_[state_.stage].blocks);
    }
    began_ = seconds_now() - state_.current.seconds;
    Trainer<B, Model> trainer(on_, model_, shape_, options_.adamw);
    if (state_.step > 0) trainer.restore(moments_of(state_), state_.step);
    StepProfile const profile_before = state_.current.profile;
    enter_cache(trainer);
    announce(trainer);
    at_stage_ = state_.stage, at_step_ = state_.step;
    if (state_.step == 0) {
      auto const before = look(looks_.tokens);
      if (!before) return GrowthEnd::stopped;
      state_.current.before = *before;
    }
    if (!std::isfinite(state_.current.before.nats)) return at_step_ = state_.step + 1, GrowthEnd::diverged;
    kept_ = seconds_now();

    for (bool due = state_.look_due; due || state_.step < steps_; due = false) {
      GrowthEnd const made = due ? end_step() : step(trainer, profile_before);
      if (made == GrowthEnd::stopped) keep(trainer, profile_before);
      if (made != GrowthEnd::finished) return made;
      bool const last = state_.step == steps_;
      bool const stop = options_.stop && options_.stop() && !(last && state_.stage + 1 == plan_.size());
      if (last) finish_stage(trainer, profile_before);
      if (stop && !last) keep(trainer, profile_before);
      if (stop || last) return stop ? GrowthEnd::stopped : GrowthEnd::finished;
    }
    return GrowthEnd::finished;
  }
  // A prefix cache, if any window comes twice over a frozen prefix in the whole of the plan, wherever this run begins:
  // so that going on gives the same bits. What earlier stages kept in a file is carried on.
  void make_cache() {
    std::int64_t samples = 0;
    for (std::size_t s = 0; s < plan_.size(); ++s) {
      samples += prefix_of(s) > 0 ? steps_of(s) * shape_.batch : 0;
    }
    if (options_.prefix_cache.bytes <= 0 || samples <= windows_.windows() || state_.stage == plan_.size()) return;
    own_cache_.emplace(on_, model_, shape_, options_.prefix_cache, windows_.windows());
    cache_ = &*own_cache_;
    for (std::size_t s = 0; s < state_.stage; ++s) {
      if (prefix_of(s) > 0) cache_->set_depth(prefix_of(s));
    }
  }
  void enter_cache(Trainer<B, Model> const& trainer) {
    cached_ = cache_ != nullptr && trainer.prefix_depth() > 0;
    cache_seconds_ = 0, first_step_ = state_.step;
    if (!cached_) return;
    cache_->set_depth(trainer.prefix_depth());
    use_before_ = cache_->use();
  }
  // The loss of the batch, with its gradients.
  double forward_backward(Trainer<B, Model>& trainer) {
    if (!cached_) return trainer.forward_backward(ids_, targets_);
    double const start = seconds_now();
    Matrix<T const> const prefix = cache_->states(ids_);
    cache_seconds_ += seconds_since(start);
    if (auto const sentence = cache_->take_notice(); !sentence.empty())
      for (auto* o : observers_) o->notice(sentence);
    return trainer.forward_backward(prefix, targets_);
  }
  void add_costs(Trainer<B, Model> const& trainer, StepProfile const& before) {
    auto& now = state_.current;
    now.profile = before + trainer.profile() + StepProfile{.prefix = cache_seconds_};
    now.step_flops = step_flops();
    if (cached_) now.prefix_cache = cache_->use().since(use_before_);
    now.seconds = seconds_since(began_);
  }
  // Of one block's forward pass over one window, as GrowthPlan::step_flops counts.
  double block_flops() const {
    double const C = model_.config().d_model, F = model_.config().ff(), T_ = static_cast<double>(shape_.tokens);
    return T_ * (8 * C * C + 4 * C * F + 2 * T_ * C);
  }
  ModelSize size() const { return {model_.vocab(), model_.has_head_bias(), model_.table_width(), first_depth_}; }
  double planned_flops() const { return plan_.step_flops(state_.stage, model_.config(), size(), shape_); }
  // Of a step, without what the prefix cache gave, on average since this run entered the stage.
  double step_flops() const {
    double const steps = static_cast<double>(std::max<std::int64_t>(1, state_.step - first_step_));
    double const saved = cached_ ? static_cast<double>(cache_->use().blocks_saved - use_before_.blocks_saved) : 0;
    return planned_flops() - saved / steps * block_flops();
  }
  void announce(Trainer<B, Model> const& trainer) {
    auto& now = state_.current;
    now.stage = state_.stage, now.depth = model_.depth(), now.steps = steps_;
    now.active_parameters = trainer.active_parameters();
    StageStart const start{state_.stage,
                           plan_.size(),
                           model_.depth(),
                           plan_[state_.stage].blocks,
                           steps_,
                           now.active_parameters,
                           model_.parameter_count(),
                           trainer.optimizer_bytes(),
                           trainer.activation_bytes() + (cached_ ? cache_->activation_bytes() : 0),
                           state_.step,
                           shape_.rows(),
                           planned_flops(),
                           on_.name(),
                           on_.threads(),
                           cached_,
                           looks_.tokens,
                           looks_.there};
    for (auto* o : observers_) o->stage_starts(start);
  }
  std::optional<Evaluation> look(std::int64_t tokens) {
    return look_at(evaluate_, model_, data_.validation, tokens,
                   {state_.stage, observers_, interrupted_, options_.look_seconds});
  }
  // One training step and what follows it: finished, diverged when a loss, gradient or look at held-out text was not
  // finite, stopped when the look was interrupted. A checkpoint that is due is made when the loss of the next batch is
  // known to be finite: nobody could go on from another.
  GrowthEnd step(Trainer<B, Model>& trainer, StepProfile const& profile_before) {
    double start = seconds_now();
    windows_.fill(state_.samples, shape_.batch, ids_, targets_);
    double const lr = plan_[state_.stage].schedule.at(state_.step, steps_);
    at_stage_ = state_.stage, at_step_ = state_.step + 1;
    if (!std::isfinite(forward_backward(trainer))) return GrowthEnd::diverged;
    if (state_.step > 0 && seconds_since(kept_) > options_.checkpoint_seconds) {
      double const writing = seconds_now();
      keep(trainer, profile_before);
      kept_ = seconds_now();
      start += kept_ - writing;
    }
    StepResult const r = trainer.update(lr);
    if (!std::isfinite(r.gradient_norm)) return GrowthEnd::diverged;
    state_.current.train_seconds += seconds_since(start);
    ++state_.step;
    state_.samples += shape_.batch, state_.tokens += shape_.rows();
    if (state_.step > steps_ - (steps_ + 9) / 10) state_.tail_loss += r.loss, ++state_.tail_steps;
    state_.loss = r.loss, state_.gradient_norm = r.gradient_norm;
    return end_step();
  }
  // The look that is due after a step, and what observers are told of it.
  GrowthEnd end_step() {
    auto& now = state_.current;
    bool const last = state_.step == steps_,
               evaluated = last || (options_.evaluate_every > 0 && state_.step % options_.evaluate_every == 0);
    std::int64_t read = 0;
    if (evaluated) {
      // Adapters are merged before the last look: if that is interrupted, the run goes on from before they were.
      auto unmerged = last && model_.has_adapters() ? std::optional(model_.blocks()) : std::nullopt;
      if (last) model_.merge_adapters(on_);
      auto const seen = look(last ? looks_.tokens : looks_.between);
      if (state_.look_due = !seen.has_value(); state_.look_due) {
        if (unmerged) model_.blocks() = std::move(*unmerged);
        return GrowthEnd::stopped;
      }
      if (last) now.after = *seen;
      state_.bits_per_byte = seen->bits_per_byte();
      read = seen->tokens;
    }
    if (!std::isfinite(state_.bits_per_byte)) return GrowthEnd::diverged;
    now.seconds = seconds_since(began_);
    StepDone const done{
        .stage = state_.stage,
        .step = state_.step,
        .steps = steps_,
        .tokens = state_.tokens,
        .loss = state_.loss,
        .gradient_norm = state_.gradient_norm,
        .bits_per_byte = state_.bits_per_byte,
        .evaluated = evaluated,
        .look_tokens = read,
        .lr = plan_[state_.stage].schedule.at(state_.step - 1, steps_),
        .seconds = now.seconds,
        .run_seconds = seconds_of(state_.stages) + now.seconds,
        .tokens_per_second = static_cast<double>(state_.step * shape_.rows()) / now.train_seconds,
        .step_flops = step_flops(),
        .depth = model_.depth(),
        .active_parameters = now.active_parameters,
        .logged = evaluated || state_.step == 1 || (options_.log_every > 0 && state_.step % options_.log_every == 0)};
    for (auto* o : observers_) o->step_done(done);
    return GrowthEnd::finished;
  }
  void finish_stage(Trainer<B, Model> const& trainer, StepProfile const& profile_before) {
    auto& now = state_.current;
    now.tokens = state_.tokens;
    now.loss = state_.tail_loss / static_cast<double>(std::max<std::int64_t>(1, state_.tail_steps));
    add_costs(trainer, profile_before);
    StageDone const done = now;
    state_.stages.push_back(done);
    ++state_.stage;
    state_.step = 0, state_.moments = {}, state_.current = {};
    for (auto* o : observers_) o->stage_done(done);
    for (auto* o : observers_) o->checkpoint(state_);
  }
  // Shows the state inside a stage to those who keep it.
  void keep(Trainer<B, Model> const& trainer, StepProfile const& profile_before) {
    add_costs(trainer, profile_before);
    auto const moments = std::as_bytes(trainer.moments().span());
    state_.moments = Buffer<std::byte>(static_cast<std::int64_t>(moments.size()));  // its own, for who keeps the state
    std::copy(moments.begin(), moments.end(), state_.moments.begin());
    for (auto* o : observers_) o->checkpoint(state_);
    state_.moments = {};
  }
  static std::span<T const> moments_of(GrowthState const& state) {
    return {reinterpret_cast<T const*>(state.moments.data()),
            static_cast<std::size_t>(state.moments.size()) / sizeof(T)};
  }

  B const& on_;
  Model& model_;
  GrowthPlan const& plan_;
  TokenizedCorpus const& data_;
  GrowOptions const& options_;
  BatchShape shape_;
  MixedWindows windows_;
  std::int64_t steps_ = 1;  // of this stage
  Evaluator<B, Model> evaluate_;
  std::vector<std::int32_t> ids_, targets_;
  std::vector<GrowthObserver*> observers_;
  std::function<bool()> interrupted_;
  growth::HeldOutLooks looks_;
  std::optional<PrefixCache<B, Model>> own_cache_;
  PrefixCache<B, Model>* cache_;  // null: none
  bool cached_ = false;           // it serves this stage
  double cache_seconds_ = 0;      // this run spent in it, in this stage
  PrefixCacheUse use_before_;     // when this run entered the stage
  std::int64_t first_step_ = 0;   // at which it did
  GrowthState state_;
  int first_depth_ = 0;
  std::size_t at_stage_ = 0;
  std::int64_t at_step_ = 0;
  double began_ = 0, kept_ = 0;  // of seconds_now
};

/// What `grow` asks of its arguments.
template <class Model>
void check_growth(Model const& model, GrowthPlan const& plan, TokenizedCorpus const& data,
                  std::vector<std::int32_t> const& bytes_of_tokens, GrowOptions const& options) {
  check(!plan.empty(), "grow", "the plan must have at least one stage");
  std::int64_t const context = options.context > 0 ? options.context : model.context();
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();  // rows, which kernels count in ints
  check(options.batch > 0, "grow", "the batch must be positive (got ", options.batch, ")");
  check(options.batch <= most / std::max<std::int64_t>(1, context), "grow", "a batch must be of at most ", most,
        " tokens (got ", options.batch, " x ", context, ")");
  check(options.held_out_tokens >= 0 && options.evaluation_tokens >= 0 && options.evaluate_every >= 0, "grow",
        "held_out_tokens, evaluation_tokens and evaluate_every must not be negative (got ", options.held_out_tokens,
        ", ", options.evaluation_tokens, " and ", options.evaluate_every, ")");
  check(context <= model.context(), "grow", "the windows must fit the model's context of ", model.context(), " (got ",
        context, ")");
  check(data.train.vocab_size() <= model.vocab() && data.validation.vocab_size() <= model.vocab(), "grow",
        "the corpus must be of the model's ", model.vocab(), " tokens (got a vocabulary of ", data.train.vocab_size(),
        " and ", data.validation.vocab_size(), ")");
  check(static_cast<std::int64_t>(bytes_of_tokens.size()) >= model.vocab(), "grow", "each of the ", model.vocab(),
        " tokens needs its bytes (got ", bytes_of_tokens.size(), ")");
  for (Tokens const& more : options.more_text) {
    check(more.vocab_size() <= model.vocab(), "grow", "every text must be of the model's ", model.vocab(),
          " tokens (got one of a vocabulary of ", more.vocab_size(), ")");
  }
  check(options.mixture.size() == (options.more_text.empty() && options.mixture.empty() ? 0 : plan.size()), "grow",
        "a mixture must give shares for each of the ", plan.size(), " stages (got ", options.mixture.size(), ")");
  check(data.validation.size() > 1, "grow", "the held-out part of the corpus must hold at least two tokens (got ",
        data.validation.size(), ")");
}

/// `grow` once its observers are a list: one function a backend and a kind of model, which gt::prebuilt may have.
template <Backend B, class Model>
GrowthResult grow_observed(B const& on, Model& model, GrowthPlan const& plan, TokenizedCorpus const& data,
                           std::vector<std::int32_t> const& bytes_of_tokens, GrowOptions const& options,
                           std::vector<GrowthObserver*> observers) {
  check_growth(model, plan, data, bytes_of_tokens, options);
  return GrowthRun<B, Model>(on, model, plan, data, bytes_of_tokens, options, std::move(observers)).run();
}

}  // namespace detail

/// Grows `model` by `plan` on `data`: for each stage, everything is frozen, the new blocks are stacked on top, and
/// they, the head and (if the stage says so) the final norm train with a fresh optimiser. What a stage does not train
/// is bit-equal after it. `token_bytes[id]` is the length of each token, for bits per byte. Same seed, same weights, on
/// any number of threads, and also when a run was stopped and goes on from its last checkpoint.   Errors: an empty
/// plan, a corpus smaller than one window, a state of another plan. Source: arXiv:2507.07129, section 3.2; head
/// carried over and trained in each stage as in its v3.
template <Backend B, class Model, class... Observers>
requires(std::derived_from<std::remove_cvref_t<Observers>, GrowthObserver>&&...) GrowthResult
    grow(B const& on, Model& model, GrowthPlan const& plan, TokenizedCorpus const& data,
         std::vector<std::int32_t> const& bytes_of_tokens, GrowOptions const& options, Observers&&... observers) {
  return detail::grow_observed(on, model, plan, data, bytes_of_tokens, options, {&observers...});
}

}  // namespace gt

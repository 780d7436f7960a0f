// SPDX-License-Identifier: MIT
// A loop of one's own: forward, backward and update of whatever is trainable in a model.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "gt/base/clock.hpp"
#include "gt/base/error.hpp"
#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/scalar.hpp"
#include "gt/core/view.hpp"
#include "gt/nn/passes.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/ops/embedding.hpp"
#include "gt/train/gradients.hpp"
#include "gt/train/step.hpp"

namespace gt::inline GT_ABI {

/// Trains what is trainable in `model` when the trainer is made: holds gradients and AdamW's moments of those tensors,
/// and one arena for the activations from the lowest trainable block upward. Blocks below it save nothing, and their
/// weights are packed once. A step allocates nothing once each thread has its scratch memory. The model must outlive
/// the trainer; neither its depth nor what is frozen in it may change meanwhile.
///
///     model.freeze();
///     model.set_trainable("model.layers.2.*", true);
///     gt::Trainer trainer(gt::Cpu<>{}, model, {.batch = 8, .tokens = 256});
///     double const loss = trainer.step(ids, targets, 1e-3).loss;  // or in parts:
///     trainer.forward_backward(ids, targets);  // as often as gradients are to be accumulated
///     trainer.update(1e-3);
///     auto const states = trainer.forward(ids);  // with a loss of one's own on the states [B * T, C]
///     trainer.backward(d_states);
///     trainer.update(1e-3);
///
/// Wherever a call takes the ids of a batch, it also takes the states behind the lowest `prefix_depth()` blocks, the
/// frozen ones, [B * T, C], from who has them (PrefixCache). They must stay until the backward pass is done.
template <Backend B, class Model>
class Trainer {
 public:
  using T = typename Model::scalar;  ///< of gradients and moments

  /// Takes all memory for batches of `shape`; gradients and moments are zero.
  /// Errors: an empty batch, sequences longer than the context, a model with nothing trainable.
  Trainer(B on, Model& model, BatchShape shape, AdamWOptions options = {})
      : on_{keeping(on, nn::frozen_weights(model))},
        model_{model},
        shape_{shape},
        options_{options},
        lowest_{model.lowest_trainable()},
        gradients_(model) {
    check(shape.batch > 0 && shape.tokens > 0 && shape.tokens <= model.context(), "Trainer",
          "a batch must be positive and fit the context of ", model.context(), " tokens (got ", shape.batch, " x ",
          shape.tokens, ")");
    saved_.resize(model.blocks().size());
    inputs_.resize(model.blocks().size() + 1);
    arena_ = Arena(measure([&](Arena& arena) { lay_out(arena), measure_scratch(arena); }));
    lay_out(arena_);
  }

  /// The loss of a batch, in nats a token; its gradient, divided by the number of targets, is added to the gradients.
  /// Shapes: ids, targets [B * T] (`no_target` where there is none). Call it several times before `update` to
  /// accumulate.
  double forward_backward(std::span<std::int32_t const> ids, std::span<std::int32_t const> targets) {
    check_targets(targets);
    run_prefix(ids);
    return forward_backward(targets);
  }
  /// The same behind the frozen blocks. Errors: states of another shape.
  double forward_backward(In<Matrix<T const>> prefix, std::span<std::int32_t const> targets) {
    check_targets(targets);
    take_prefix(prefix);
    return forward_backward(targets);
  }
  /// The same in two calls, the head's product being made twice: here the loss of a batch alone, in nats a token.
  double forward(std::span<std::int32_t const> ids, std::span<std::int32_t const> targets) {
    check_targets(targets);
    run_prefix(ids);
    return forward_loss(targets);
  }
  /// The same behind the frozen blocks.   Errors: states of another shape.
  double forward(In<Matrix<T const>> prefix, std::span<std::int32_t const> targets) {
    check_targets(targets);
    take_prefix(prefix);
    return forward_loss(targets);
  }
  /// Adds the gradient of the last loss that `forward` gave. Errors: no `forward` with targets before it.
  void backward() {
    check(!targets_.empty(), "Trainer::backward", "a forward with targets must come first");
    run_head(targets_, true);
    back();
    loss_sum_ += loss_;
    targets_.clear();
  }
  /// For a loss of one's own: the states after the final norm, [B * T, C], valid until the next call.
  Matrix<T const> forward(std::span<std::int32_t const> ids) {
    run_prefix(ids);
    return forward_states();
  }
  /// The same behind the frozen blocks.   Errors: states of another shape.
  Matrix<T const> forward(In<Matrix<T const>> prefix) {
    take_prefix(prefix);
    return forward_states();
  }
  /// Takes the gradient of such a loss with respect to the states, [B * T, C], through the norm and the blocks. The
  /// head gets no gradient.   Errors: no `forward` without targets before it; another shape.
  void backward(In<Matrix<T const>> d_states) {
    check(ran_, "Trainer::backward", "a forward must come first");
    check(same_shape(d_states, normed_), "Trainer::backward", "the gradient must be of shape [", normed_.rows(), ", ",
          normed_.columns(), "] (got [", d_states.rows(), ", ", d_states.columns(), "])");
    for (std::int64_t i = 0; i < gradient_.rows(); ++i)
      std::copy_n(d_states.row(i), d_states.columns(), gradient_.row(i));
    back();
  }

  /// Clips the mean of the accumulated gradients, makes one AdamW step with learning rate `lr`, and clears them. A loss
  /// or gradient that is not finite changes nothing: the result then says so.
  StepResult update(double lr) {
    check(batches_ > 0, "Trainer::update", "a forward_backward must come first");
    double const start = seconds_now();
    gradients_.unshare();
    StepResult const result = gradients_.runs().update(on_, options_, lr, batches_, loss_sum_, steps_);
    clear_gradients();
    profile_.update += seconds_since(start);
    return result;
  }

  /// One whole step on one batch.
  StepResult step(std::span<std::int32_t const> ids, std::span<std::int32_t const> targets, double lr) {
    forward_backward(ids, targets);
    return update(lr);
  }
  /// The same behind the frozen blocks.   Errors: states of another shape.
  StepResult step(In<Matrix<T const>> prefix, std::span<std::int32_t const> targets, double lr) {
    forward_backward(prefix, targets);
    return update(lr);
  }

  /// Forgets what was accumulated since the last update.
  void clear_gradients() {
    gradients_.clear();
    batches_ = 0;
    loss_sum_ = 0;
    targets_.clear();
    ran_ = false;
  }

  BatchShape shape() const { return shape_; }    ///< of every batch
  int prefix_depth() const { return lowest_; }   ///< frozen blocks below all that trains
  std::int64_t steps() const { return steps_; }  ///< AdamW's, those of a restored state included
  std::int64_t active_parameters() const { return gradients_.runs().active(); }  ///< numbers that train
  /// AdamW's two moments.
  std::int64_t optimizer_bytes() const { return 2 * gradients_.runs().active() * static_cast<std::int64_t>(sizeof(T)); }
  std::int64_t activation_bytes() const { return arena_.capacity(); }  ///< with scratch, of one batch
  /// Gradient of block l, laid out like its weights, if one of its tensors trains, then that of its adapter, if one of
  /// its does; empty when all is frozen.
  Buffer<T> const& block_gradient(int l) const { return gradients_.of_block(l); }
  /// Gradient of final norm and head, laid out like `head_buffer()`.
  Buffer<T> const& head_gradient() const { return gradients_.of_head(); }
  /// Gradient of the table, [V, n]; empty when it is frozen.
  Buffer<T> const& table_gradient() const { return gradients_.of_table(); }
  /// -log p(target) of every position of the last batch, [B * T]; 0 where there was no target.
  std::vector<T> losses() const { return {nll_.data(), nll_.data() + shape_.rows()}; }
  StepProfile const& profile() const { return profile_; }  ///< of all steps so far

  /// AdamW's first and second moments of all that trains, in the order of the model's tensors, [2 active_parameters].
  /// With `steps()` and the weights they are all that a later trainer needs to go on to the same bits.
  Buffer<T> const& moments() const { return gradients_.runs().moments(); }
  /// Goes on where another trainer of the same tensors stood. Errors: moments of another size.
  void restore(std::span<T const> moments, std::int64_t steps) {
    check(static_cast<std::int64_t>(moments.size()) == gradients_.runs().moments().size() && steps >= 0,
          "Trainer::restore", "the optimiser's state must be of ", gradients_.runs().moments().size(), " numbers (got ",
          moments.size(), " after ", steps, " steps)");
    std::copy(moments.begin(), moments.end(), gradients_.runs().moments().begin());
    steps_ = steps;
  }

 private:
  void lay_out(Arena& arena) {
    std::int64_t const M = shape_.rows(), C = model_.config().d_model;
    auto const matrix = [&] { return Matrix<T>(arena.take<T>(M * C), M, C); };
    inputs_[static_cast<std::size_t>(lowest_)] = matrix();
    for (int l = lowest_; l < model_.depth(); ++l) {
      auto const i = static_cast<std::size_t>(l);
      saved_[i] = model_.blocks()[i].activations(arena, shape_);
      inputs_[i + 1] = matrix();
    }
    normed_ = matrix(), gradient_ = matrix();
    nll_ = Vector<T>(arena.take<T>(M), M);
    mean_ = Vector<T>(arena.take<T>(M), M), rstd_ = Vector<T>(arena.take<T>(M), M);
  }
  // The scratch memory of the frozen prefix's forward pass and of one block's backward pass: the larger of the two.
  void measure_scratch(Arena& arena) const {
    std::int64_t const mark = arena.mark();
    for (int l = 0; l < model_.depth(); ++l) {
      auto const& block = model_.blocks()[at(l)];
      l < lowest_ ? void(block.activations(arena, shape_)) : block.backward_scratch(arena, shape_);
      arena.release(mark);
    }
  }

  void check_targets(std::span<std::int32_t const> targets) const {
    check(static_cast<std::int64_t>(targets.size()) == shape_.rows(), "Trainer", "a batch must hold ", shape_.rows(),
          " targets (got ", targets.size(), ")");
  }
  void check_trained() const {
    check(gradients_.still_fit(), "Trainer",
          "what trains must not change while a trainer lives; make a new one after freezing or unfreezing");
  }
  // What the lowest trainable block reads: `prefix_`.
  void run_prefix(std::span<std::int32_t const> ids) {
    std::int64_t const M = shape_.rows();
    check(static_cast<std::int64_t>(ids.size()) == M, "Trainer", "a batch must hold ", M, " ids (got ", ids.size(),
          ")");
    check_trained();
    if (model_.table_trains()) ids_.assign(ids.begin(), ids.end());
    double const start = seconds_now();
    hidden_states(on_, model_, Vector<std::int32_t const>(ids.data(), M), shape_, inputs_[at(lowest_)], arena_,
                  lowest_);
    prefix_ = inputs_[at(lowest_)];
    profile_.prefix += seconds_since(start);
  }
  void take_prefix(Matrix<T const> prefix) {
    check(same_shape(prefix, normed_), "Trainer", "the states of the frozen blocks must be of shape [", normed_.rows(),
          ", ", normed_.columns(), "] (got [", prefix.rows(), ", ", prefix.columns(), "])");
    check_trained();
    check(!model_.table_trains(), "Trainer", "where the table trains, a batch must be given as ids");
    prefix_ = prefix;
  }
  double forward_backward(std::span<std::int32_t const> targets) {
    run_blocks();
    targets_.clear();
    double const loss = run_head(targets, true);
    back();
    loss_sum_ += loss;
    return loss;
  }
  double forward_loss(std::span<std::int32_t const> targets) {
    run_blocks();
    targets_.assign(targets.begin(), targets.end());
    return loss_ = run_head(targets, false);
  }
  Matrix<T const> forward_states() {
    run_blocks();
    targets_.clear();
    ran_ = true;
    return normed_;
  }
  // From `prefix_` up to the final norm: `inputs_`, `saved_` and `normed_`.
  void run_blocks() {
    double const start = seconds_now();
    for (int l = lowest_; l < model_.depth(); ++l) {
      model_.blocks()[at(l)].forward(on_, input(l), saved_[at(l)], inputs_[at(l + 1)], shape_, model_.rotary());
    }
    nn::final_norm(on_, model_, input(model_.depth()), normed_, mean_, rstd_);
    profile_.forward += seconds_since(start);
    ran_ = false;
  }
  // What block l reads; of the depth, what the final norm reads.
  Matrix<T const> input(int l) const { return l == lowest_ ? prefix_ : inputs_[at(l)]; }
  // The mean loss; with gradients, those of the head are added and that of `normed_` is left in `gradient_`.
  double run_head(std::span<std::int32_t const> targets, bool gradients) {
    double const start = seconds_now();
    std::int64_t const M = shape_.rows(), C = model_.config().d_model, V = model_.vocab();
    std::int64_t counted = 0;
    for (auto t : targets) counted += t != no_target;
    using real = decltype(std::abs(T{}));
    T const scale = T(1) / T(static_cast<real>(std::max<std::int64_t>(1, counted)));
    auto const trains = [&](int t) { return gradients && model_.head_tensor_trains(t); };
    ops::head_cross_entropy<B, T>(
        on_, normed_, model_.head(), model_.head_bias(), Vector<std::int32_t const>(targets.data(), M), nll_,
        gradients ? scale : T{}, gradients && below_head() ? gradient_ : Matrix<T>{},
        trains(Model::head_w) ? Matrix<T>(gradients_.of_head(Model::head_w), V, C) : Matrix<T>{},
        trains(Model::head_b) ? Vector<T>(gradients_.of_head(Model::head_b), V) : Vector<T>{});
    using Sum = std::conditional_t<std::is_same_v<T, float>, double, T>;
    Sum sum{};
    for (std::int64_t i = 0; i < M; ++i) sum += Sum(nll_[i]);
    profile_.head += seconds_since(start);
    return static_cast<double>(ops::real_part(sum * Sum(scale)));
  }
  bool below_norm() const { return lowest_ < model_.depth() || model_.table_trains(); }
  bool below_head() const { return below_norm() || model_.norm_trains(); }
  // Takes `gradient_`, which is that of the states after the final norm, down to the lowest trainable block.
  void back() {
    double const start = seconds_now();
    ++batches_;
    if (!below_head()) return;
    auto const of_norm = [&](int t) {
      return model_.head_tensor_trains(t) ? Vector<T>(gradients_.of_head(t), model_.head_tensor_size(t)) : Vector<T>{};
    };
    nn::norm_backward<B, T>(on_, model_.config(), gradient_, input(model_.depth()), model_.norm_gain(), mean_, rstd_,
                            {}, below_norm() ? gradient_ : Matrix<T>{}, of_norm(Model::norm_g), of_norm(Model::norm_b));
    for (int l = model_.depth() - 1; l >= lowest_; --l) {
      model_.blocks()[at(l)].backward(on_, gradient_, input(l), saved_[at(l)], gradients_.of_block(l), shape_,
                                      model_.rotary(), arena_, l > lowest_ || model_.table_trains());
    }
    if (model_.table_trains()) {
      Matrix<T> const table(gradients_.of_table().data(), model_.vocab(), model_.table_width());
      ops::embedding_backward<B, T>(on_, gradient_, Vector<std::int32_t const>(ids_.data(), shape_.rows()), table);
    }
    profile_.backward += seconds_since(start);
  }
  static std::size_t at(int l) { return static_cast<std::size_t>(l); }

  B on_;
  Model& model_;
  BatchShape shape_;
  AdamWOptions options_;
  int lowest_;
  train::Gradients<Model> gradients_;
  std::vector<std::int32_t> ids_;  // of the last batch, where the table trains
  std::int64_t steps_ = 0;
  int batches_ = 0;
  double loss_sum_ = 0, loss_ = 0;
  std::vector<std::int32_t> targets_;  // of the last `forward`, for `backward`
  bool ran_ = false;                   // a `forward` without targets came last
  StepProfile profile_;
  Arena arena_;
  std::vector<typename Model::block_type::Activations> saved_;
  std::vector<Matrix<T>> inputs_;  // inputs_[l]: what block l reads, but for the lowest that trains
  Matrix<T const> prefix_;         // what that one reads: inputs_[lowest_], or the caller's
  Matrix<T> normed_, gradient_;
  Vector<T> nll_, mean_, rstd_;
};

}  // namespace gt

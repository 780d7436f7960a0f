// SPDX-License-Identifier: MIT
// Training after merging: the heads of the experts, the adapter, or both, above states that stay frozen.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/compose/ensemble.hpp"
#include "gt/compose/fusion_adapter.hpp"
#include "gt/compose/passes.hpp"
#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/matrix_ref.hpp"
#include "gt/core/scalar.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/cross_entropy.hpp"
#include "gt/ops/linear.hpp"
#include "gt/ops/rows.hpp"
#include "gt/train/step.hpp"
#include "gt/train/trained_runs.hpp"

namespace gt::inline GT_ABI {

/// What an EnsembleTrainer trains.
struct EnsembleTrains {
  bool heads = false;   ///< the output matrix and bias of every expert whose weight is above 0; the final norms stay
  bool adapter = true;  ///< the ensemble's adapter, which must be there
};

/// Fine-tunes an ensemble on the loss of its mixed logits z = sum_i w_i (W_i h_i + b_i) + U a,  a = sum_i D_i h_i:
///   dz = (softmax(z) - onehot(target)) / targets
///   dW_i += w_i dz^T h_i,   db_i += w_i sum over rows of dz,   dU += dz^T a,   da = dz U,   dD_i += da^T h_i
/// No block, norm or table moves. Logits exist for a few rows at a time. What trains is copied first where it is
/// shared: models that the experts were made of keep their heads, and copies of the ensemble what they had. The
/// ensemble must outlive the trainer.
///
///     ensemble.add_adapter({.rank = 16});
///     gt::EnsembleTrainer trainer(gt::Cpu<>{}, ensemble, {.batch = 8, .tokens = 256}, {.heads = true});
///     double const loss = trainer.step(ids, targets, 1e-3).loss;
///
/// Source: arXiv:2507.07129v1: a merged model "can be further improved with minimal fine-tuning of the output layer".
template <Backend B, LanguageModel Model>
class EnsembleTrainer {
 public:
  using T = typename Model::scalar;  ///< of gradients and moments

  /// Takes all memory for batches of `shape`; gradients and moments are zero.
  /// Errors: an empty batch, sequences longer than the context, nothing to train, an adapter that is not there, heads
  /// under weights that follow the context (they would depend on the heads).
  EnsembleTrainer(B on, Ensemble<Model>& ensemble, BatchShape shape, EnsembleTrains what = {},
                  AdamWOptions options = {})
      : on_{on}, ensemble_{ensemble}, shape_{shape}, what_{what}, options_{options} {
    check(shape.batch > 0 && shape.tokens > 0 && shape.tokens <= ensemble.context(), "EnsembleTrainer",
          "a batch must be positive and fit the context of ", ensemble.context(), " tokens (got ", shape.batch, " x ",
          shape.tokens, ")");
    check(what.heads || what.adapter, "EnsembleTrainer", "something must train: the heads or the adapter");
    check(!what.adapter || ensemble.adapter() != nullptr, "EnsembleTrainer",
          "the ensemble must have an adapter to train; add_adapter gives it one");
    check(!what.heads || !ensemble.mixing().posterior, "EnsembleTrainer",
          "heads train under fixed weights only; an adapter trains under weights that follow the context too");
    std::int64_t const V = ensemble.vocab(), C = ensemble.config().d_model;
    if (what.heads) {
      ensemble_.train_heads();
      for (std::size_t i = 0; i < ensemble_.size(); ++i) {
        bool const trains = ensemble_.weights()[i] > 0, bias = static_cast<bool>(ensemble_.expert(i).head_bias());
        head_gradients_.push_back(Buffer<T>(trains ? V * C + (bias ? V : 0) : 0));
        if (trains) runs_.add(const_cast<T*>(ensemble_.expert(i).head().data()), head_gradients_[i].data(), V * C);
        if (trains && bias)
          runs_.add(const_cast<T*>(ensemble_.expert(i).head_bias().data()), head_gradients_[i].data() + V * C, V);
      }
    }
    if (what.adapter) {
      ensemble_.train_adapter();
      adapter_gradient_ = Buffer<T>(ensemble_.adapter()->buffer().size());
      runs_.add(ensemble_.adapter()->buffer().data(), adapter_gradient_.data(), adapter_gradient_.size());
    }
    runs_.take_moments();
    arena_ = Arena(measure([&](Arena& arena) { pass({}, {}, arena); }));
  }

  /// The loss of a batch, in nats a token; its gradient, divided by the number of targets, is added to the gradients.
  /// Shapes: ids, targets [B * T] (`no_target` where there is none). Call it several times before `update` to
  /// accumulate.   Errors: other shapes, ids or targets outside of the vocabulary.
  double forward_backward(std::span<std::int32_t const> ids, std::span<std::int32_t const> targets) {
    auto const rows = static_cast<std::size_t>(shape_.rows());
    check(ids.size() == rows && targets.size() == rows, "EnsembleTrainer", "a batch must hold ", rows,
          " ids and targets (got ", ids.size(), " and ", targets.size(), ")");
    detail::check_targets(Vector<std::int32_t const>(targets.data(), shape_.rows()), ensemble_.vocab(),
                          "EnsembleTrainer");
    arena_.reset();
    double const loss = pass(ids, targets, arena_);
    ++batches_;
    loss_sum_ += loss;
    return loss;
  }
  /// Clips the mean of the accumulated gradients, makes one AdamW step with learning rate `lr`, and clears them. A loss
  /// or gradient that is not finite changes nothing: the result then says so.
  StepResult update(double lr) {
    check(batches_ > 0, "EnsembleTrainer::update", "a forward_backward must come first");
    StepResult const result = runs_.update(on_, options_, lr, batches_, loss_sum_, steps_);
    clear_gradients();
    return result;
  }
  /// One whole step on one batch.
  StepResult step(std::span<std::int32_t const> ids, std::span<std::int32_t const> targets, double lr) {
    forward_backward(ids, targets);
    return update(lr);
  }
  /// Forgets what was accumulated since the last update.
  void clear_gradients() {
    runs_.clear_gradients();
    batches_ = 0;
    loss_sum_ = 0;
  }

  BatchShape shape() const { return shape_; }                        ///< of every batch
  std::int64_t steps() const { return steps_; }                      ///< AdamW's
  std::int64_t active_parameters() const { return runs_.active(); }  ///< numbers that train
  /// Of expert i's head [V, C], then of its bias [V]; empty where it does not train.
  Buffer<T> head_gradient(std::size_t i) const { return what_.heads ? head_gradients_[i] : Buffer<T>{}; }
  /// Laid out as the adapter's `buffer()`; empty where it does not train.
  Buffer<T> const& adapter_gradient() const { return adapter_gradient_; }

 private:
  using real = decltype(ops::real_part(T{}));

  double pass(std::span<std::int32_t const> id_span, std::span<std::int32_t const> target_span, Arena& arena) {
    std::int64_t const M = shape_.rows(), V = ensemble_.vocab(), C = ensemble_.config().d_model;
    Vector<std::int32_t const> const ids(id_span.data(), M), targets(target_span.data(), M);
    auto const states = ensemble_states(on_, ensemble_, ids, shape_, arena);
    auto const matrix = [&](std::int64_t columns, bool wanted) {
      return wanted ? Matrix<T>(arena.take<T>(M * columns), M, columns) : Matrix<T>{};
    };
    Matrix<T> const da = matrix(what_.adapter ? ensemble_.adapter()->rank() : 0, what_.adapter);
    Matrix<T> const weighted = matrix(C, what_.heads);          // w_i h_i of a few rows
    Vector<T> const db(arena.take<T>(what_.heads ? V : 0), V);  // the sum of dz over a few rows
    Vector<T> const nll(arena.take<T>(M), M);
    if (arena.measuring()) return 0;

    auto const counted = M - std::count(target_span.begin(), target_span.end(), no_target);
    T const scale = T(1) / T(static_cast<real>(std::max<std::int64_t>(1, counted)));
    auto const lane = on_.template lane<T>();
    for_mixed_logits(on_, ensemble_, states, ids, shape_, [&](std::int64_t first, Matrix<T> z) {
      std::int64_t const rows = z.rows();
      ops::for_each_row(on_, rows, V, [&](std::int64_t i) {
        nll[first + i] = ops::detail::cross_entropy_row(lane, z.row(i), V, targets[first + i], scale);
      });  // z is dz from here on
      if (what_.heads) heads_backward(z, states, first, weighted.rows(0, rows), db);
      if (what_.adapter) {
        ops::linear_backward<B, T>(on_, z, states.a.rows(first, rows), ensemble_.adapter()->up(), da.rows(first, rows),
                                   gradient_of(ensemble_.adapter()->up()), {});
      }
    });
    for (int i = 0; what_.adapter && i < ensemble_.adapter()->experts(); ++i) {
      ops::linear_backward_weights<B, T>(on_, da, states.h[static_cast<std::size_t>(i)],
                                         gradient_of(ensemble_.adapter()->down(i)), {});
    }
    using Sum = std::conditional_t<std::is_same_v<T, float>, double, T>;
    Sum sum{};
    for (std::int64_t i = 0; i < M; ++i) sum += Sum(nll[i]);
    return static_cast<double>(ops::real_part(sum * Sum(scale)));
  }
  // The gradient of one of the adapter's matrices.
  Matrix<T> gradient_of(Matrix<T> of) const {
    return Matrix<T>(adapter_gradient_.data() + (of.data() - ensemble_.adapter()->buffer().data()), of.rows(),
                     of.columns());
  }
  // Adds the gradients of all heads from dz of a few rows, which are scaled where they are narrow: in h.
  void heads_backward(Matrix<T> dz, EnsembleStates<T> const& states, std::int64_t first, Matrix<T> weighted,
                      Vector<T> db) {
    std::int64_t const V = dz.columns(), C = weighted.columns();
    std::fill_n(db.data(), V, T{});
    ops::add_rows<B, T>(on_, dz, db.data());
    auto const lane = on_.template lane<T>();
    for (std::size_t i = 0; i < ensemble_.size(); ++i) {
      if (head_gradients_[i].empty()) continue;
      T const w = T(static_cast<real>(ensemble_.weights()[i]));
      T* const gradient = head_gradients_[i].data();
      ops::for_each_row(on_, dz.rows(), C, [&](std::int64_t row) {
        T const* const h = states.h[i].row(first + row);
        T* const y = weighted.row(row);
        lane.each(C, [=](auto j) { lane.store(y, j, lane.load(h, j) * w); });
      });
      ops::linear_backward_weights<B, T>(on_, dz, weighted, Matrix<T>(gradient, V, C), {});
      if (!ensemble_.expert(i).head_bias()) continue;
      lane.each(V, [&](auto j) {
        T* const bias = gradient + V * C;
        lane.store(bias, j, lane.load(bias, j) + lane.load(db.data(), j) * w);
      });
    }
  }

  B on_;
  Ensemble<Model>& ensemble_;
  BatchShape shape_;
  EnsembleTrains what_;
  AdamWOptions options_;
  std::vector<Buffer<T>> head_gradients_;
  Buffer<T> adapter_gradient_;
  train::TrainedRuns<T> runs_;
  std::int64_t steps_ = 0;
  int batches_ = 0;
  double loss_sum_ = 0;
  Arena arena_;
};

}  // namespace gt

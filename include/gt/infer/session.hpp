// SPDX-License-Identifier: MIT
// One conversation with a const model: its key-value cache and its memory.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/scalar.hpp"
#include "gt/core/view.hpp"
#include "gt/infer/prepared.hpp"
#include "gt/nn/passes.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/ops/cross_entropy.hpp"
#include "gt/ops/linear.hpp"

namespace gt::inline GT_ABI {

/// Feeds tokens to a model and gives the logits of the next one. Feeding token by token gives the same bits as feeding
/// all at once. Any number of sessions may use one model at once, each on a thread of its own; those of one `Prepared`
/// have its packed weights together:
///
///     gt::Prepared const prepared(gt::Cpu<>(1), model);
///     gt::Session ann(prepared), ben(prepared);  // 2 caches, and the weights packed once
///
/// It keeps the model's weights alive as they are: who trains the model meanwhile trains a copy.
template <Backend B, class Model>
class Session {
 public:
  using T = typename Model::scalar;  ///< of the logits

  /// Nothing is fed yet. All memory is taken here: L caches [context, 2 C], and scratch for 256 tokens of a prompt; but
  /// for the packed weights, which the first call makes where no other session has.
  explicit Session(Prepared<B, Model> prepared) : prepared_{std::move(prepared)}, logits_(model().vocab()) {
    std::int64_t const C = model().config().d_model;
    for (int l = 0; l < model().depth(); ++l) caches_.emplace_back(model().context(), C);
    arena_ = Arena(measure([&](Arena& arena) { pass({}, std::min(chunk, model().context()), arena); }));
  }
  /// With packed weights of its own, as many numbers as the model has.
  Session(B on, Model const& model) : Session(Prepared<B, Model>(on, model)) {}

  /// Logits [V] of the token after `ids`, which stand behind all that was fed before. The span is valid until the next
  /// call. Errors: no ids; more than the context holds (`room()`).
  std::span<T const> feed(std::span<std::int32_t const> ids) { return feed(ids, {}); }
  /// The same, and how likely the model found what it is fed:  log_likelihoods[i] = log p(ids[i] | all that was fed
  /// before it), in nats; of the very first token, before which nothing stands, -log V, as `score` has it.
  /// Errors: room for another number than that of the ids; right after a rewind, which has lost the logits.
  std::span<T const> feed(std::span<std::int32_t const> ids, std::span<T> log_likelihoods) {
    auto const count = static_cast<std::int64_t>(ids.size());
    check(count > 0, "Session::feed", "at least one token must be fed");
    check(count <= room(), "Session::feed", "the context holds ", model().context(), " tokens (got ", count,
          " more after ", position_, ")");
    check(log_likelihoods.empty() || log_likelihoods.size() == ids.size(), "Session::feed",
          "there must be a log-likelihood for each of the ", count, " ids (got room for ", log_likelihoods.size(), ")");
    check(log_likelihoods.empty() || position_ == 0 || logits_at_ == position_, "Session::feed",
          "log-likelihoods need the logits of the token before, which a rewind has lost; feed one token without them");
    for (std::int64_t first = 0; first < count; first += chunk) {
      std::int64_t const n = std::min(chunk, count - first);
      pass(ids.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(n)), n, arena_,
           log_likelihoods.empty() ? nullptr : log_likelihoods.data() + first);
      logits_at_ = position_ += n;
    }
    return {logits_.data(), static_cast<std::size_t>(logits_.size())};
  }

  /// The state of the last token behind the final norm, [C], of which the head made the logits; valid until the next
  /// call of `feed`, null before the first.
  Vector<T const> state() const { return state_; }
  std::int64_t position() const { return position_; }                  ///< tokens fed so far
  std::int64_t room() const { return model().context() - position_; }  ///< tokens that still fit
  void reset() { position_ = 0; }                                      ///< forgets everything
  /// Forgets all but the first `position` tokens, which need not be fed again.   Errors: more than were fed.
  void rewind(std::int64_t position) {
    check(position >= 0 && position <= position_, "Session::rewind", "the position must lie in 0 ... ", position_,
          ", the tokens fed (got ", position, ")");
    position_ = position;
  }
  Model const& model() const { return prepared_.model(); }  ///< that it feeds: shares all weights with what was given
  Prepared<B, Model> const& prepared() const { return prepared_; }  ///< for more sessions like this one

 private:
  static constexpr std::int64_t chunk = 256;  // tokens of a prompt that are processed at once

  void pass(std::span<std::int32_t const> ids, std::int64_t n, Arena& arena, T* log_likelihoods = nullptr) {
    B const& on = prepared_.on();
    Model const& m = model();
    std::int64_t const C = m.config().d_model, V = m.vocab();
    arena.reset();
    Matrix<T> const x(arena.take<T>(n * C), n, C);
    Vector<T> const mean(arena.take<T>(n), n), rstd(arena.take<T>(n), n);
    hidden_states(on, m, Vector<std::int32_t const>(ids.data(), n), {1, n}, x, arena, -1, &caches_, position_);
    if (arena.measuring()) return;
    std::int64_t const first = log_likelihoods ? 0 : n - 1, rows = n - first;  // that the head reads
    Matrix<T> const normed = x.rows(first, rows);
    nn::final_norm(on, m, normed, normed, Vector<T>(mean.data(), rows), Vector<T>(rstd.data(), rows));
    if (log_likelihoods) {
      using std::log;
      *log_likelihoods = position_ == 0
                             ? log(T(static_cast<decltype(ops::real_part(T{}))>(V)))
                             : ops::detail::cross_entropy_row(on.template lane<T>(), logits_.data(), V, ids[0], T{});
      Vector<T> const later(log_likelihoods + 1, n - 1);
      if (n > 1) {
        ops::head_cross_entropy<B, T>(on, x.rows(0, n - 1), m.head(), m.head_bias(),
                                      Vector<std::int32_t const>(ids.data() + 1, n - 1), later, T{}, {}, {}, {});
      }
      for (std::int64_t i = 0; i < n; ++i) log_likelihoods[i] = -log_likelihoods[i];
    }
    state_ = Vector<T const>(x.row(n - 1), C);
    ops::linear(on, x.rows(n - 1, 1), m.head(), m.head_bias(), Matrix<T>(logits_.data(), 1, V));
  }

  Prepared<B, Model> prepared_;
  std::vector<KvCache<T>> caches_;
  Buffer<T> logits_;
  Arena arena_;
  Vector<T const> state_;
  std::int64_t position_ = 0, logits_at_ = 0;  // tokens fed; behind which of them `logits_` stand
};

}  // namespace gt

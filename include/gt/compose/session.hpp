// SPDX-License-Identifier: MIT
// One conversation with an ensemble: a session of each expert, and the weights between them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/compose/ensemble.hpp"
#include "gt/compose/fusion_adapter.hpp"
#include "gt/compose/mixing.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/scalar.hpp"
#include "gt/core/view.hpp"
#include "gt/infer/prepared.hpp"
#include "gt/infer/session.hpp"

namespace gt::inline GT_ABI {

/// Feeds tokens to all experts and gives the mixed logits of the next one; see the general Session. Feeding token by
/// token gives the same bits as a full pass. Where there are at least as many experts as threads they run side by side,
/// each on a thread of its own; else one after the other, each on all threads: the bits are the same. It keeps the
/// experts alive as they are. Weights are packed once, those too that several experts share.
template <Backend B, class Model>
class Session<B, Ensemble<Model>> {
 public:
  using T = typename Model::scalar;  ///< of the logits

  /// Nothing is fed yet: a Session for each expert.
  explicit Session(Prepared<B, Ensemble<Model>> prepared)
      : prepared_{std::move(prepared)}, mixing_(model().mixing(), model().size()), logits_(model().vocab()) {
    sessions_.reserve(model().size());
    last_logits_.resize(model().size());
    for (auto const& e : model().experts()) sessions_.emplace_back(prepared_.part(e.model));
    if (auto const* const adapter = model().adapter()) a_ = Buffer<T>(adapter->rank());
  }
  /// With packed weights of its own.
  Session(B on, Ensemble<Model> const& ensemble) : Session(Prepared<B, Ensemble<Model>>(on, ensemble)) {}

  /// Mixed logits [V] of the token after `ids`, which stand behind all that was fed before. The span is valid until the
  /// next call. Errors: no ids; ids outside of the vocabulary; more than the context holds (`room()`).
  std::span<T const> feed(std::span<std::int32_t const> ids) {
    auto const count = static_cast<std::int64_t>(ids.size());
    check(count > 0, "Session::feed", "at least one token must be fed");
    check(count <= room(), "Session::feed", "the context holds ", model().context(), " tokens (got ", count,
          " more after ", position(), ")");
    for (std::int32_t const id : ids) {
      check(id >= 0 && id < model().vocab(), "Session::feed", "ids must lie in 0 ... ", model().vocab() - 1, " (got ",
            id, ")");
    }
    bool const posterior = model().mixing().posterior, begins = position() == 0;
    std::size_t const N = model().size(), n = posterior ? ids.size() : 0;
    log_likelihoods_.resize(N * n);
    each_expert([&](std::size_t i) {
      last_logits_[i] = sessions_[i].feed(ids, std::span<T>(log_likelihoods_).subspan(i * n, n)).data();
    });
    for (std::size_t t = begins ? 1 : 0; t < n; ++t)
      mixing_.see([&](std::size_t i) { return ops::real_part(log_likelihoods_[i * n + t]); });
    mix();
    return {logits_.data(), static_cast<std::size_t>(logits_.size())};
  }

  std::int64_t position() const { return sessions_.front().position(); }  ///< tokens fed so far
  std::int64_t room() const { return model().context() - position(); }    ///< tokens that still fit
  /// Forgets everything; weights that follow the context are the prior again.
  void reset() {
    for (auto& session : sessions_) session.reset();
    mixing_.reset();
  }
  /// Forgets all but the first `position` tokens; the weights are those behind them.   Errors: more than were fed; of
  /// weights that follow the context, 0 < position < all that was fed: the next logits could not be weighed.
  void rewind(std::int64_t position) {
    check(!model().mixing().posterior || position == 0 || position == this->position(), "Session::rewind",
          "where weights follow the context a session goes back to its beginning only (got ", position, " of ",
          this->position(), ")");
    if (position == 0 && this->position() > 0) return reset();
    for (auto& session : sessions_) session.rewind(position);
  }
  std::span<double const> weights() const { return mixing_.weights(); }  ///< of the experts in the last logits, [N]
  Ensemble<Model> const& model() const { return prepared_.model(); }     ///< that it feeds
  Prepared<B, Ensemble<Model>> const& prepared() const { return prepared_; }  ///< for more sessions like this one

 private:
  // What is fed has been checked: nothing throws on another thread.
  template <class F>
  void each_expert(F const& feed) {
    auto const N = static_cast<std::int64_t>(sessions_.size());
    B const& on = prepared_.on();
    bool measured = false;  // times are added up on one thread
    if constexpr (requires { on.profile(); }) measured = on.profile() != nullptr;
    if (N >= on.threads() && !measured) {
      on.parallel_for(N, [&](std::int64_t i) { feed(static_cast<std::size_t>(i)); });
    } else {
      for (std::int64_t i = 0; i < N; ++i) feed(static_cast<std::size_t>(i));
    }
  }
  void mix() {
    B const& on = prepared_.on();
    std::int64_t const V = model().vocab(), C = model().config().d_model;
    auto const row = [&](std::size_t i) { return last_logits_[i]; };
    detail::mix_row(on.template lane<T>(), mixing_.weights(), row, logits_.data(), V);
    auto const* const adapter = model().adapter();
    if (!adapter) return;
    std::vector<Matrix<T const>> h;
    for (auto const& session : sessions_) h.emplace_back(session.state().data(), 1, C);
    Matrix<T> const a(a_.data(), 1, a_.size());
    fusion_down(on, *adapter, h, a);
    fusion_up(on, *adapter, a, Matrix<T>(logits_.data(), 1, V));
  }

  Prepared<B, Ensemble<Model>> prepared_;
  MixingState mixing_;
  std::vector<Session<B, Model>> sessions_;
  std::vector<T const*> last_logits_;
  std::vector<T> log_likelihoods_;
  Buffer<T> logits_, a_;
};

}  // namespace gt

// SPDX-License-Identifier: MIT
// Passes through an ensemble: the states of its experts, their mixed logits a few rows at a time, losses.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/compose/ensemble.hpp"
#include "gt/compose/fusion_adapter.hpp"
#include "gt/compose/mixing.hpp"
#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/scalar.hpp"
#include "gt/core/view.hpp"
#include "gt/infer/language_model.hpp"
#include "gt/nn/passes.hpp"
#include "gt/ops/cross_entropy.hpp"
#include "gt/ops/linear.hpp"
#include "gt/ops/rows.hpp"

namespace gt::inline GT_ABI {

namespace detail {
inline void check_targets(Vector<std::int32_t const> targets, std::int64_t V, char const* where) {
  for (std::int64_t i = 0; i < targets.extent(0); ++i) {
    check(targets[i] == no_target || (targets[i] >= 0 && targets[i] < V), where, "targets must lie in 0 ... ", V - 1,
          " (got ", targets[i], ")");
  }
}
}  // namespace detail

/// What the logits of a batch are made of.
template <class T>
struct EnsembleStates {
  std::vector<Matrix<T>> h;  ///< of each expert, behind its final norm, [B * T, C]
  Matrix<T> a;               ///< of the adapter, [B * T, r]; null without one
};

/// The states of all experts, one after the other, each on all threads. They lie in `arena`.
template <Backend B, LanguageModel Model, class T = typename Model::scalar>
EnsembleStates<T> ensemble_states(B const& on, Ensemble<Model> const& ensemble, In<Vector<std::int32_t const>> ids,
                                  BatchShape s, Arena& arena) {
  std::int64_t const M = s.rows(), C = ensemble.config().d_model;
  EnsembleStates<T> states;
  auto const* const adapter = ensemble.adapter();
  for (std::size_t i = 0; i < ensemble.size(); ++i) states.h.emplace_back(arena.take<T>(M * C), M, C);
  if (adapter) states.a = Matrix<T>(arena.take<T>(M * adapter->rank()), M, adapter->rank());
  for (std::size_t i = 0; i < ensemble.size(); ++i) final_states(on, ensemble.expert(i), ids, s, states.h[i], arena);
  if (adapter && !arena.measuring()) fusion_down(on, *adapter, states.h, states.a);
  return states;
}

/// Calls body(first, z) with the logits z [rows, V] of rows first, first + 1, ... of a batch, a few rows at a time;
/// body may overwrite them. Those of all experts exist for these rows only, in scratch memory of the size that
/// ops::head_cross_entropy takes for one model. With weights that follow the context every sequence begins at the
/// prior.
template <Backend B, LanguageModel Model, class T, class Body>
void for_mixed_logits(B const& on, Ensemble<Model> const& ensemble, EnsembleStates<T> const& states,
                      In<Vector<std::int32_t const>> ids, BatchShape s, Body const& body) {
  auto const N = static_cast<std::int64_t>(ensemble.size());
  std::int64_t const M = s.rows(), V = ensemble.vocab();
  std::int64_t const each = std::min(M, std::max<std::int64_t>(1, ops::detail::logit_rows(V) / N));
  T* const memory = on.template scratch<T>(ops::scratch_logits, N * each * V);
  auto const of_expert = [&](std::int64_t i, std::int64_t row) { return memory + (i * each + row) * V; };
  auto const lane = on.template lane<T>();
  bool const posterior = ensemble.mixing().posterior;
  MixingState mixing(ensemble.mixing(), ensemble.size());
  std::vector<double> weights(static_cast<std::size_t>(each * N));
  std::vector<T> nll(static_cast<std::size_t>(posterior ? each * N : 0));  // of the token behind each row
  auto const at = [&](std::int64_t row, std::int64_t i) { return static_cast<std::size_t>(row * N + i); };
  for (std::int64_t first = 0; first < M; first += each) {
    std::int64_t const rows = std::min(each, M - first);
    for (std::int64_t i = 0; i < N; ++i) {
      auto const& model = ensemble.expert(static_cast<std::size_t>(i));
      ops::linear<B, T>(on, states.h[static_cast<std::size_t>(i)].rows(first, rows), model.head(), model.head_bias(),
                        Matrix<T>(of_expert(i, 0), rows, V));
    }
    auto const ends = [&](std::int64_t row) { return (first + row + 1) % s.tokens == 0; };  // a sequence
    if (posterior) {
      ops::for_each_row(on, rows, N * V, [&](std::int64_t row) {
        for (std::int64_t i = 0; i < N && !ends(row); ++i)
          nll[at(row, i)] = ops::detail::cross_entropy_row(lane, of_expert(i, row), V, ids[first + row + 1], T{});
      });
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      std::copy_n(mixing.weights().begin(), N, weights.begin() + row * N);
      if (ends(row)) {
        mixing.reset();
      } else {
        mixing.see([&](std::size_t i) { return -ops::real_part(nll[at(row, static_cast<std::int64_t>(i))]); });
      }
    }
    ops::for_each_row(on, rows, N * V, [&](std::int64_t row) {
      std::span<double const> const w(weights.data() + row * N, static_cast<std::size_t>(N));
      auto const expert_row = [&](std::size_t i) { return of_expert(static_cast<std::int64_t>(i), row); };
      detail::mix_row(lane, w, expert_row, of_expert(0, row), V);
    });
    Matrix<T> const z(of_expert(0, 0), rows, V);
    if (states.a) fusion_up(on, *ensemble.adapter(), states.a.rows(first, rows), z);
    body(first, z);
  }
}

/// -log p(target) of every position, nll [B * T], as of one model; positions without a target (`no_target`) get 0.
/// Shapes: ids, targets, nll [B * T]. Measuring arenas learn the size.
template <Backend B, LanguageModel Model, class T = typename Model::scalar>
void token_losses(B const& on, Ensemble<Model> const& ensemble, In<Vector<std::int32_t const>> ids,
                  In<Vector<std::int32_t const>> targets, BatchShape s, In<Vector<T>> nll, Arena& arena) {
  std::int64_t const mark = arena.mark(), V = ensemble.vocab();
  auto const states = ensemble_states(on, ensemble, ids, s, arena);
  if (!arena.measuring()) {
    detail::check_targets(targets, V, "token_losses");
    auto const lane = on.template lane<T>();
    for_mixed_logits(on, ensemble, states, ids, s, [&](std::int64_t first, Matrix<T> z) {
      ops::for_each_row(on, z.rows(), V, [&](std::int64_t i) {
        nll[first + i] = ops::detail::cross_entropy_row(lane, z.row(i), V, targets[first + i], T{});
      });
    });
  }
  arena.release(mark);
}

/// The mixed logits of every position of one sequence, [T, V].   Errors: no ids, more than the context holds.
template <Backend B, LanguageModel Model, class T = typename Model::scalar>
nn::States<T> logits(B const& on, Ensemble<Model> const& ensemble, std::span<std::int32_t const> ids) {
  auto const n = static_cast<std::int64_t>(ids.size());
  check(n > 0, "logits", "there must be at least one token");
  Vector<std::int32_t const> const view(ids.data(), n);
  nn::States<T> all(n, ensemble.vocab());
  auto const run = [&](Arena& arena) { return ensemble_states(on, ensemble, view, {1, n}, arena); };
  Arena arena(measure(run));
  for_mixed_logits(on, ensemble, run(arena), view, {1, n}, [&](std::int64_t first, Matrix<T> z) {
    for (std::int64_t i = 0; i < z.rows(); ++i) std::copy_n(z.row(i), z.columns(), all.x.row(first + i));
  });
  return all;
}

}  // namespace gt

// SPDX-License-Identifier: MIT
// Forward passes through a const model: hidden states and losses.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/view.hpp"
#include "gt/nn/norm.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/ops/cross_entropy.hpp"
#include "gt/ops/embedding.hpp"
#include "gt/ops/linear.hpp"

namespace gt::inline GT_ABI {

namespace nn {
/// A model whose parts can be seen: a Transformer of any block.
template <class M>
concept HasBlocks = requires(M const& model) {
  typename M::block_type;
  model.blocks();
  model.head();
  model.rotary();
};
}  // namespace nn

namespace detail {
template <class T>
ConstantMemory memory_of(Buffer<T> const& weights) {
  return {weights.data(), weights.size() * static_cast<std::int64_t>(sizeof(T))};
}
}  // namespace detail

namespace nn {
/// All weights of a model, for as long as nobody trains it: what a backend may prepare once.
template <class Model>
std::vector<ConstantMemory> constant_weights(Model const& model) {
  if constexpr (HasBlocks<Model>) {
    std::vector<ConstantMemory> all{gt::detail::memory_of(model.head_buffer())};
    for (auto const& block : model.blocks()) all.push_back(gt::detail::memory_of(block.weights()));
    return all;
  } else {
    return model.constant_weights();
  }
}
/// The weights of what is wholly frozen: of blocks, and of the final norm and head.
template <HasBlocks Model>
std::vector<ConstantMemory> frozen_weights(Model const& model) {
  std::vector<ConstantMemory> all;
  for (auto const& block : model.blocks()) {
    if (!any_trainable(block)) all.push_back(detail::memory_of(block.weights()));
  }
  if (!model.norm_trains() && !model.head_trains()) all.push_back(detail::memory_of(model.head_buffer()));
  return all;
}
}  // namespace nn

/// x = the output of the lowest `layers` blocks (0: the embedding; by default all of them) before the final norm; x is
/// [B * T, C].
/// With `caches`, one a block, tokens stand at positions first, first + 1, ... and their keys and values are kept.
template <Backend B, nn::HasBlocks Model, class T = typename Model::scalar>
void hidden_states(B const& on, Model const& model, In<Vector<std::int32_t const>> ids, BatchShape s, In<Matrix<T>> x,
                   Arena& arena, int layers = -1, std::vector<KvCache<T>>* caches = nullptr, std::int64_t first = 0) {
  check(ids.extent(0) == s.rows() && first + s.tokens <= model.context(), "hidden_states",
        "there must be B x T ids within the context of ", model.context(), " (got ", ids.extent(0), " ids for ",
        s.batch, " x ", s.tokens, " from position ", first, ")");
  check(layers <= model.depth(), "hidden_states", "the model has ", model.depth(), " blocks (got layer ", layers, ")");
  if (!arena.measuring()) ops::embedding(on, model.table(), ids, x);
  std::int64_t const mark = arena.mark();
  int const depth = layers < 0 ? model.depth() : layers;
  for (int l = 0; l < depth; ++l) {
    auto const& block = model.blocks()[static_cast<std::size_t>(l)];
    arena.release(mark);
    auto activations = block.activations(arena, s);
    if (arena.measuring()) continue;
    block.forward(on, x, activations, x, s, model.rotary(), caches ? &(*caches)[static_cast<std::size_t>(l)] : nullptr,
                  first);
  }
  arena.release(mark);
}

namespace nn {
/// The final norm of x, [M, C]; y may be x.
template <Backend B, HasBlocks Model, class T = typename Model::scalar>
void final_norm(B const& on, Model const& model, In<Matrix<T const>> x, In<Matrix<T>> y, In<Vector<T>> mean,
                In<Vector<T>> rstd) {
  norm<B, T>(on, model.config(), x, model.norm_gain(), model.norm_bias(), y, mean, rstd);
}
}  // namespace nn

/// -log p(target) of every position, nll [B * T]; positions without a target (`no_target`) get 0.
/// Shapes: ids, targets, nll [B * T]. Logits exist for a few rows at a time. Measuring arenas learn the size.
template <Backend B, nn::HasBlocks Model, class T = typename Model::scalar>
void token_losses(B const& on, Model const& model, In<Vector<std::int32_t const>> ids,
                  In<Vector<std::int32_t const>> targets, BatchShape s, In<Vector<T>> nll, Arena& arena) {
  std::int64_t const M = s.rows(), C = model.config().d_model, mark = arena.mark();
  Matrix<T> const x(arena.take<T>(M * C), M, C);
  Vector<T> const mean(arena.take<T>(M), M), rstd(arena.take<T>(M), M);
  hidden_states(on, model, ids, s, x, arena);
  if (!arena.measuring()) {
    nn::final_norm(on, model, x, x, mean, rstd);
    ops::head_cross_entropy<B, T>(on, x, model.head(), model.head_bias(), targets, nll, T{}, {}, {}, {});
  }
  arena.release(mark);
}

namespace nn {
/// A matrix that owns its numbers.
template <class T>
struct States {
  Buffer<T> memory;  ///< owns the numbers of `x`
  Matrix<T> x;       ///< [T, columns]
  /// Zeros.
  States(std::int64_t rows, std::int64_t columns) : memory(rows * columns), x(memory.data(), rows, columns) {}
};
}  // namespace nn

/// The states of one sequence behind its lowest `layers` blocks (0: the embedding; by default all), before the final
/// norm, [T, C].
///
///     auto const states = gt::hidden_states(on, model, ids, 3);
///     float const* last = states.x.row(states.x.rows() - 1);
///
/// Errors: no ids, more than the context holds, a layer that is not there.
template <Backend B, nn::HasBlocks Model, class T = typename Model::scalar>
nn::States<T> hidden_states(B const& on, Model const& model, std::span<std::int32_t const> ids, int layers = -1) {
  check(!ids.empty(), "hidden_states", "there must be at least one token");
  auto const n = static_cast<std::int64_t>(ids.size());
  nn::States<T> states(n, model.config().d_model);
  auto const run = [&](Arena& arena) {
    hidden_states(on, model, Vector<std::int32_t const>(ids.data(), n), {1, n}, states.x, arena, layers);
  };
  Arena arena(measure(run));
  run(arena);
  return states;
}

/// The logits of every position of one sequence, [T, V].   Errors: no ids, more than the context holds.
template <Backend B, nn::HasBlocks Model, class T = typename Model::scalar>
nn::States<T> logits(B const& on, Model const& model, std::span<std::int32_t const> ids) {
  auto const states = hidden_states(on, model, ids);
  std::int64_t const n = states.x.rows();
  Buffer<T> const mean(n), rstd(n);
  nn::final_norm(on, model, states.x, states.x, Vector<T>(mean.data(), n), Vector<T>(rstd.data(), n));
  nn::States<T> z(n, model.vocab());
  ops::linear(on, states.x, model.head(), model.head_bias(), z.x);
  return z;
}

}  // namespace gt

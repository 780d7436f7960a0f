// SPDX-License-Identifier: MIT
// Transformer<> models with all of their numbers in use, and what tests ask of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/core/arena.hpp"
#include "gt/nn/passes.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/ops/linear.hpp"
#include "gt/substrate/frozen_table.hpp"
#include "support/close.hpp"
#include "support/data.hpp"

namespace gt::test {

/// V rows of n numbers.
inline FrozenTable substrate_of(std::int64_t V, int n, std::string const& method = "test") {
  Buffer<float> rows(V * n);
  auto const x = normal(rows.size(), 100);
  for (std::int64_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(x[static_cast<std::size_t>(i)]);
  return FrozenTable(method, V, n, std::move(rows), "test");
}

/// Every trained number gets a value of its own: gains around 1, all others around 0, larger than they start with.
template <class Model>
void scramble(Model& model, std::uint32_t stream = 200) {
  using T = typename Model::scalar;
  for (auto const& p : model.parameters()) {
    ++stream;
    if (p.name == "model.embed_tokens.weight") continue;
    bool const gain = p.shape.size() == 1 && p.name.ends_with("weight");
    auto const x = normal(p.size(), stream);
    for (std::int64_t i = 0; i < p.size(); ++i) {
      double const z = x[static_cast<std::size_t>(i)];
      p.data[i] = T(static_cast<float>(gain ? 1 + 0.25 * z : 0.25 * z));
    }
  }
}

/// A model whose every number counts.
template <class T = float>
Transformer<Block<T>> scrambled(BlockConfig shape, int depth, std::int64_t vocab, TransformerOptions options) {
  Transformer<Block<T>> model(substrate_of(vocab, shape.d_model / 2), shape, seed(3), options);
  model.append(depth);
  scramble(model);
  return model;
}

template <class Model>
void train_all(Model& model) {
  for (auto& block : model.blocks()) Model::set_block_trainable(block, true);
  model.set_head_trainable(true, true);
}

/// Logits of every position, [B * T, V].
template <Backend B, class Model>
std::vector<typename Model::scalar> logits(B const& on, Model const& model, std::vector<std::int32_t> const& ids,
                                           BatchShape s) {
  using T = typename Model::scalar;
  std::int64_t const M = s.rows(), C = model.config().d_model, V = model.vocab();
  Grid<T> const x(M, C), mean(1, M), rstd(1, M), z(M, V);
  Arena arena(measure([&](Arena& a) { hidden_states(on, model, view_of(ids), s, x.view(), a); }));
  hidden_states(on, model, view_of(ids), s, x.view(), arena);
  nn::final_norm(on, model, x.view(), x.view(), mean.vector(), rstd.vector());
  ops::linear(on, x.view(), model.head(), model.head_bias(), z.view());
  return z.elements();
}

/// -log p of every target, [B * T].
template <Backend B, class Model>
std::vector<typename Model::scalar> losses(B const& on, Model const& model, std::vector<std::int32_t> const& ids,
                                           std::vector<std::int32_t> const& targets, BatchShape s) {
  Grid<typename Model::scalar> const nll(1, s.rows());
  auto const run = [&](Arena& arena) {
    token_losses(on, model, view_of(ids), view_of(targets), s, nll.vector(), arena);
  };
  Arena arena(measure(run));
  run(arena);
  return nll.elements();
}

/// Copies of all tensors: what a model was.
template <class Model>
auto weights_of(Model const& model) {
  std::vector<std::pair<std::string, std::vector<typename Model::scalar>>> all;
  for (auto const& p : model.parameters()) all.emplace_back(p.name, std::vector(p.data, p.data + p.size()));
  return all;
}

/// The names of the tensors in which two states differ in any bit; all of `now` that are not in `before`.
template <class State>
std::vector<std::string> changes(State const& before, State const& now) {
  std::vector<std::string> names;
  for (auto const& [name, numbers] : now) {
    bool same = false;
    for (auto const& [old_name, old] : before) same = same || (name == old_name && bit_equal(numbers, old));
    if (!same) names.push_back(name);
  }
  return names;
}

/// The names of the tensors that train.
template <class Model>
std::vector<std::string> trainable_names(Model const& model) {
  std::vector<std::string> names;
  for (auto const& p : model.parameters()) {
    if (p.trainable) names.push_back(p.name);
  }
  return names;
}

}  // namespace gt::test

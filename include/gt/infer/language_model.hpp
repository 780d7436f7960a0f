// SPDX-License-Identifier: MIT
// What a model of any type offers to those who read its states, and copies of it that share all but one part.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/view.hpp"
#include "gt/nn/passes.hpp"
#include "gt/nn/transformer.hpp"

namespace gt::inline GT_ABI {

/// A model whose logits are  head() h + head_bias()  of its final states h: a Transformer, or a BasicAnyModel.
template <class M>
concept LanguageModel = std::copyable<M> && requires(M const& model) {
  typename M::scalar;
  { model.vocab() } -> std::convertible_to<std::int64_t>;
  { model.context() } -> std::convertible_to<std::int64_t>;
  { model.depth() } -> std::convertible_to<int>;
  { model.config() } -> std::convertible_to<BlockConfig>;
  { model.substrate_fingerprint() } -> std::convertible_to<std::string>;
  { model.table() } -> std::convertible_to<Matrix<typename M::scalar const>>;
  { model.head() } -> std::convertible_to<Matrix<typename M::scalar const>>;
  { model.head_bias() } -> std::convertible_to<Vector<typename M::scalar const>>;
  { model.head_buffer() } -> std::convertible_to<Buffer<typename M::scalar>>;
};

/// h = the states behind all blocks and the final norm, [B * T, C], of which the head makes logits. Measuring arenas
/// learn the size.
template <Backend B, nn::HasBlocks Model, class T = typename Model::scalar>
void final_states(B const& on, Model const& model, In<Vector<std::int32_t const>> ids, BatchShape s, In<Matrix<T>> h,
                  Arena& arena) {
  std::int64_t const M = s.rows(), mark = arena.mark();
  Vector<T> const mean(arena.take<T>(M), M), rstd(arena.take<T>(M), M);
  hidden_states(on, model, ids, s, h, arena);
  if (!arena.measuring()) nn::final_norm(on, model, h, h, mean, rstd);
  arena.release(mark);
}

/// A model like `model`, with which it shares blocks and head, that reads its embeddings from `table` [V, n].
/// Errors: another number of elements than the model's table has; a table that trains.
template <nn::HasBlocks Model>
Model with_table(Model model, In<Buffer<typename Model::scalar>> table) {
  model.set_table(std::move(table));
  return model;
}

/// A model like `model`, with which it shares table and blocks, whose final norm and head are `head`, laid out as
/// `head_buffer()` is.   Errors: another number of elements.
template <nn::HasBlocks Model>
Model with_head(Model model, In<Buffer<typename Model::scalar>> head) {
  check(head.size() == model.head_buffer().size(), "with_head", "norm and head must be of ", model.head_buffer().size(),
        " numbers (got ", head.size(), ")");
  model.head_buffer() = std::move(head);
  return model;
}

}  // namespace gt

// SPDX-License-Identifier: MIT
// What a block is to a model: a user's own block takes part by offering the same.
#pragma once

#include <concepts>
#include <cstdint>

#include "gt/base/philox.hpp"
#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/parameter.hpp"
#include "gt/core/view.hpp"
#include "gt/nn/block_config.hpp"
#include "gt/ops/rope.hpp"

namespace gt::inline GT_ABI {

/// How many sequences of how many tokens a pass sees; rows of activations are [B * T].
struct BatchShape {
  std::int64_t batch = 1;                                         ///< B
  std::int64_t tokens = 1;                                        ///< T
  constexpr std::int64_t rows() const { return batch * tokens; }  ///< B * T
};

/// Keys and values of the tokens that one block has seen: [context, 2 C], row t at position t.
template <class T>
struct KvCache {
  Buffer<T> memory;  ///< owns the numbers of `kv`
  Matrix<T> kv;      ///< keys in the first C columns, values in the last
  KvCache() = default;
  /// Zeros, for positions 0 to context - 1.
  KvCache(std::int64_t context, std::int64_t C) : memory(context * 2 * C), kv(memory.data(), context, 2 * C) {}
};

/// How new blocks start: `random` as in the paper; `identity` with output projections of zero, so that they add nothing
/// and no logit moves; `duplicate` as copies of the topmost blocks in their order, over and over where they are more,
/// random where there is none yet (the stacking of Du et al. 2024, arXiv:2405.15319); `expand` not on top but evenly
/// between the blocks, each a copy of the one below it whose projections onto the residual stream are zero, so that no
/// logit moves, random where there is none yet (the block expansion of Wu et al. 2024, arXiv:2401.02415).
enum class BlockInit { random, identity, duplicate, expand };

namespace nn {
/// Where the i-th of `count` expanded blocks stands when they are in place, above `below` old ones: in even groups.
constexpr int expanded_position(int below, int count, int i) { return (i + 1) * below / count + i; }
}  // namespace nn

namespace detail {
/// Stands for any backend where a concept asks whether a call would be well formed.
struct AnyBackend {
  using tag = ref_tag;
  int threads() const;
};
}  // namespace detail

namespace nn {
/// `K(config)`; all weights in one Buffer `weights()`, cut into `tensor_count` named tensors: tensor i is described by
/// `spec(i)` and begins at `offset(i)`. `K::tensors(config)[i]` is `spec(i)` before a block exists.
template <class K>
concept BlockHasNamedTensors = std::copyable<K> && std::constructible_from<K, BlockConfig> &&
    requires(K& k, K const& c, int i) {
  typename K::scalar;
  { K::tensor_count } -> std::convertible_to<int>;
  { K::tensors(BlockConfig{})[0] } -> std::convertible_to<TensorSpec>;
  { c.config() } -> std::convertible_to<BlockConfig>;
  { c.spec(i) } -> std::convertible_to<TensorSpec>;
  { c.offset(i) } -> std::convertible_to<std::int64_t>;
  { c.weights() } -> std::convertible_to<Buffer<typename K::scalar> const&>;
  { k.weights() } -> std::same_as<Buffer<typename K::scalar>&>;
};
/// Every tensor trains or is frozen by itself; a new block is frozen.
template <class K>
concept BlockFreezesByTensor = requires(K& k, K const& c, int i) {
  { c.is_trainable(i) } -> std::same_as<bool>;
  k.set_trainable(i, true);
};
/// `initialise(seed, index of the block, depth that the plan ends with, init)` fills the weights, the same for the same
/// arguments.
template <class K>
concept BlockInitialises = requires(K& k, Seed seed) {
  k.initialise(seed, 0, 1, BlockInit::random);
};
/// `activations(arena, shape)` takes from an arena what a forward pass leaves for the backward pass.
template <class K>
concept BlockLaysOutActivations = requires(K const& c, Arena& arena, BatchShape shape) {
  { c.activations(arena, shape) } -> std::same_as<typename K::Activations>;
};
/// `forward(on, x, activations, y, shape, rotary, cache, first)`: y = block(x), both [B * T, C], and y may be x. The
/// last two may be left out. With a cache of its own for the sequence, token t of the batch stands at position
/// first + t, and what came before is in the cache. Returns void.
template <class K>
concept BlockHasForward = requires(K const& c, detail::AnyBackend const& on, typename K::Activations& a,
                                   Matrix<typename K::scalar const> x, Matrix<typename K::scalar> y, BatchShape shape,
                                   ops::RopeTable<typename K::scalar> const& rotary,
                                   KvCache<typename K::scalar>* cache) {
  { c.forward(on, x, a, y, shape, rotary) } -> std::same_as<void>;
  { c.forward(on, x, a, y, shape, rotary, cache, std::int64_t{0}) } -> std::same_as<void>;
};
/// `backward(on, d, x, activations, gradient, shape, rotary, arena, needs_dx)`: d = dLoss/dy becomes dLoss/dx, and the
/// gradients of what trains are added to `gradient`, laid out like the weights. The arena lends scratch memory, as much
/// as `backward_scratch(arena, shape)` takes: it is called with an arena that only measures, and takes what `backward`
/// takes at most at once, an adapter's included. Both return void.
template <class K>
concept BlockHasBackward = requires(K const& c, detail::AnyBackend const& on, typename K::Activations const& a,
                                    Matrix<typename K::scalar> d, Matrix<typename K::scalar const> x,
                                    Buffer<typename K::scalar> const& gradient, BatchShape shape,
                                    ops::RopeTable<typename K::scalar> const& rotary, Arena& arena) {
  { c.backward_scratch(arena, shape) } -> std::same_as<void>;
  { c.backward(on, d, x, a, gradient, shape, rotary, arena, true) } -> std::same_as<void>;
};
}  // namespace nn

/// What a block offers so that a model can hold it, train it and grow with it. `Block` is the one that comes with gt;
/// examples/09 builds another. What is missing in a type is named by the first concept that it does not satisfy.
template <class K>
concept BlockLike = nn::BlockHasNamedTensors<K> && nn::BlockFreezesByTensor<K> && nn::BlockInitialises<K> &&
    nn::BlockLaysOutActivations<K> && nn::BlockHasForward<K> && nn::BlockHasBackward<K>;

namespace nn {
/// Whether one of a block's own tensors trains.
template <BlockFreezesByTensor K>
bool any_tensor_trains(K const& block) {
  for (int t = 0; t < K::tensor_count; ++t) {
    if (block.is_trainable(t)) return true;
  }
  return false;
}
/// Whether something of the block trains, its adapter included: whether its backward pass has a gradient to leave.
template <BlockFreezesByTensor K>
bool any_trainable(K const& block) {
  if constexpr (requires { block.adapter(); }) {
    if (block.adapter() && any_tensor_trains(*block.adapter())) return true;
  }
  return any_tensor_trains(block);
}
}  // namespace nn

}  // namespace gt

// SPDX-License-Identifier: MIT
// What a trainer holds of the tensors that train: their gradients and AdamW's moments.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/buffer.hpp"
#include "gt/nn/block_like.hpp"
#include "gt/nn/lora.hpp"
#include "gt/train/trained_runs.hpp"

namespace gt::inline GT_ABI::train {

/// Gradients and moments of what is trainable in a model when this is made; nothing of what is frozen.
template <class Model>
class Gradients {
 public:
  using T = typename Model::scalar;  ///< of gradients and moments
  /// All zero.   Errors: a model with nothing trainable.
  explicit Gradients(Model& model) : model_{model} {
    model_.unshare_trained();
    for (auto const& block : model.blocks()) {
      auto const* const adapter = nn::adapter_of(block);
      std::int64_t const own = nn::any_tensor_trains(block) ? block.weights().size() : 0;
      of_blocks_.push_back(
          Buffer<T>(own + (adapter && nn::any_tensor_trains(*adapter) ? adapter->weights().size() : 0)));
    }
    if (model.norm_trains() || model.head_trains()) of_head_ = Buffer<T>(model.head_buffer().size());
    if (model.table_trains()) of_table_ = Buffer<T>(model.table().size());
    collect_runs();
    check(!runs_.empty(), "Trainer", "something must be trainable (all tensors are frozen)");
  }

  /// Of block l, laid out like its weights, if one of its tensors trains, then that of its adapter, if one of its does;
  /// empty when all is frozen.
  Buffer<T> const& of_block(int l) const { return of_blocks_[static_cast<std::size_t>(l)]; }
  Buffer<T> const& of_head() const { return of_head_; }  ///< of final norm and head, laid out like `head_buffer()`
  /// Of the table, [V, n]; empty when it is frozen, as it is but for a LearnedEmbedding.
  Buffer<T> const& of_table() const { return of_table_; }
  /// Of one HeadTensor.
  T* of_head(int tensor) const { return of_head_.data() + model_.head_tensor_offset(tensor); }
  TrainedRuns<T> const& runs() const { return runs_; }  ///< all that trains, in the order of the model's tensors
  /// Whether the same tensors train now as when this was made.
  bool still_fit() const { return trainable_now() == trained_; }
  /// Before what trains is written: copies of the model that were made meanwhile keep the memory that they share.
  void unshare() {
    if (model_.unshare_trained()) collect_runs();
  }
  /// Sets the gradients to zero.
  void clear() {
    for (auto& g : of_blocks_) std::fill(g.begin(), g.end(), T{});
    std::fill(of_head_.begin(), of_head_.end(), T{});
    std::fill(of_table_.begin(), of_table_.end(), T{});
  }

 private:
  // f(what holds tensors, its gradient) for each block and each adapter.
  template <class F>
  void each_holder(F const& f) const {
    for (std::size_t l = 0; l < model_.blocks().size(); ++l) {
      auto const& block = model_.blocks()[l];
      Buffer<T> const& gradient = l < of_blocks_.size() ? of_blocks_[l] : Buffer<T>{};
      f(block, gradient.data());
      if (auto const* const adapter = nn::adapter_of(block); adapter && nn::any_tensor_trains(*adapter))
        f(*adapter, gradient.data() + (gradient.size() - adapter->weights().size()));
    }
  }
  // Which tensors train, as one number.
  std::uint64_t trainable_now() const {
    std::uint64_t hash = 14695981039346656037u;  // FNV-1a
    auto const add = [&](bool trains) { hash = (hash ^ (trains ? 1u : 0u)) * 1099511628211u; };
    each_holder([&](auto const& holder, T*) {
      for (int t = 0; t < std::remove_cvref_t<decltype(holder)>::tensor_count; ++t) add(holder.is_trainable(t));
    });
    for (int t = Model::norm_g; t <= Model::head_b; ++t) add(model_.head_tensor_trains(t));
    add(model_.table_trains());
    return hash;
  }
  void collect_runs() {
    auto const moments = runs_.moments();
    runs_ = {};
    if (model_.table_trains()) runs_.add(model_.table_buffer().data(), of_table_.data(), of_table_.size());
    each_holder([&](auto const& holder, T* gradient) {
      for (int t = 0; t < std::remove_cvref_t<decltype(holder)>::tensor_count; ++t) {
        if (holder.is_trainable(t))
          runs_.add(holder.weights().data() + holder.offset(t), gradient + holder.offset(t), holder.spec(t).size());
      }
    });
    for (int t = Model::norm_g; t <= Model::head_b; ++t) {
      if (model_.head_tensor_trains(t))
        runs_.add(model_.head_buffer().data() + model_.head_tensor_offset(t), of_head(t), model_.head_tensor_size(t));
    }
    trained_ = trainable_now();
    runs_.take_moments(moments);
  }

  Model& model_;
  std::vector<Buffer<T>> of_blocks_;
  Buffer<T> of_head_, of_table_;
  TrainedRuns<T> runs_;
  std::uint64_t trained_ = 0;
};

}  // namespace gt::train

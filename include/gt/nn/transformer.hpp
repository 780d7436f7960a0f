// SPDX-License-Identifier: MIT
// A Transformer of any width and any depth on a frozen table of token embeddings.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/philox.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/parameter.hpp"
#include "gt/core/scalar.hpp"
#include "gt/nn/block.hpp"
#include "gt/nn/block_config.hpp"
#include "gt/nn/block_like.hpp"
#include "gt/nn/lora.hpp"
#include "gt/nn/model_table.hpp"
#include "gt/substrate/frozen_table.hpp"

namespace gt::inline GT_ABI {

/// What is known of a model when it is made, beside the shape of its blocks.
struct TransformerOptions {
  std::int64_t context = 256;  ///< tokens a sequence may have
  bool head_bias = false;      ///< a bias on the output head, as in the paper
  bool draw_head = true;       ///< false leaves head and final norm zero, for who writes all of them next
};

/// logits = W_head norm(block_L(... block_1(lift(table[ids]))))
///
///     gt::Transformer model(substrate, gt::BlockConfig{.d_model = 256, .heads = 8}, gt::seed(1));
///
/// Shape, vocabulary and context are values; the kind of block and the scalar type are types. Depth starts at 0 and
/// grows with `append`. Copies share all weights; `clone` copies them. What trains, is merged or drawn anew is copied
/// first where it is shared: a const model never changes, and may be used by any number of threads, each with a Session
/// of its own, while copies of it train. Source of the architecture: arXiv:2507.07129, section 3; the
/// default block is Starcoder2's.
template <class BlockT = Block<float>>
requires BlockLike<BlockT>
class Transformer {
  using T = typename BlockT::scalar;

 public:
  using scalar = T;           ///< of weights and activations
  using block_type = BlockT;  ///< any BlockLike

  /// A model without blocks, which will be of `shape`: the table of `substrate`, which is shared where T is float, and
  /// a new head. All is frozen. A constant shape is checked by the compiler as `gt::fixed<shape>`.
  /// Errors: those of nn::check_block; no context; a width that the substrate's does not divide.
  template <Substrate S>
  Transformer(S const& substrate, BlockConfig shape, Seed seed, TransformerOptions options = {})
      : config_{checked(shape)},
        seed_{seed},
        context_{options.context},
        head_bias_{options.head_bias},
        table_(substrate),
        rotary_(options.context, config_.d_head(), config_.rope_base) {
    check(context_ > 0, "Transformer", "the context must be positive (got ", context_, ")");
    check(config_.d_model % table_.width() == 0, "Transformer", "the substrate's width must divide the model's (got ",
          table_.width(), " and ", config_.d_model, ")");
    head_ = Buffer<T>(head_tensor_offset(head_b) + head_tensor_size(head_b));
    if (options.draw_head) reset_head();
  }

  BlockConfig const& config() const { return config_; }                              ///< of each block, all sizes known
  std::int64_t context() const { return context_; }                                  ///< tokens a sequence may have
  std::int64_t vocab() const { return table_.vocab(); }                              ///< V
  int depth() const { return static_cast<int>(blocks_.size()); }                     ///< L
  bool has_head_bias() const { return head_bias_; }                                  ///< as TransformerOptions said
  Seed seed() const { return seed_; }                                                ///< of all weights that are drawn
  std::string const& substrate_method() const { return table_.method(); }            ///< "glyph", "binary", ...
  std::string const& substrate_fingerprint() const { return table_.fingerprint(); }  ///< names the table
  std::string const& substrate_origin() const { return table_.origin(); }  ///< the same before the table was trained
  std::int64_t table_width() const { return table_.width(); }              ///< n, which divides C
  ops::RopeTable<T> const& rotary() const { return rotary_; }              ///< one for all blocks

  std::vector<BlockT> const& blocks() const { return blocks_; }  ///< bottom to top
  std::vector<BlockT>& blocks() { return blocks_; }              ///< the same, to be changed
  /// The frozen embedding, [V, n].
  Matrix<T const> table() const { return table_.view(); }
  Buffer<T> const& table_buffer() const { return table_.buffer(); }  ///< its numbers
  /// Reads its embeddings from `table` [V, n] from now on: equal rows in other memory, such as those of a model that
  /// stands on the same substrate.   Errors: another number of elements; a table that trains.
  void set_table(Buffer<T> table) { table_.set_rows(std::move(table)); }
  /// Whether the table trains; never but where it is a LearnedEmbedding's.
  bool table_trains() const { return table_.trains(); }
  /// Makes the table trainable, in a copy of the model's own, or freezes it again: its fingerprint is then that of what
  /// it has become.   Errors: the table of another substrate than LearnedEmbedding.
  void set_table_trainable(bool on) { table_.set_trainable(on); }
  Buffer<T> const& head_buffer() const { return head_; }  ///< final norm and head, in the order of HeadTensor
  Buffer<T>& head_buffer() { return head_; }              ///< the same, to be changed
  /// Of the final norm, [C].
  Vector<T const> norm_gain() const { return head_vector(norm_g); }
  /// Of the final norm, [C]; null in RMSNorm.
  Vector<T const> norm_bias() const { return head_vector(norm_b); }
  /// The output head, [V, C]; never tied to the table.
  Matrix<T const> head() const {
    return Matrix<T const>(head_.data() + head_tensor_offset(head_w), vocab(), config_.d_model);
  }
  /// [V]; null without one.
  Vector<T const> head_bias() const { return head_vector(head_b); }

  /// Adds `count` new blocks on top, or, of BlockInit::expand, between. `final_depth` is the depth that the plan ends
  /// with; it scales `random` blocks.   Errors: a negative number; more expanded blocks than there are.
  void append(int count, BlockInit init = BlockInit::random, int final_depth = 0) {
    check(count >= 0, "Transformer::append", "the number of blocks must not be negative (got ", count, ")");
    if (init == BlockInit::expand && depth() > 0) return expand(count);
    int const below = depth(), copied = std::min(below, count);
    for (int i = 0; i < count; ++i) {
      BlockT block(config_);
      if (init == BlockInit::duplicate && below > 0) {
        block.weights() = blocks_[static_cast<std::size_t>(below - copied + i % copied)].weights().clone();
      } else {
        auto const drawn = init == BlockInit::identity ? init : BlockInit::random;
        block.initialise(seed_, depth(), std::max(final_depth, depth() + count - i), drawn);
      }
      blocks_.push_back(std::move(block));
    }
  }
  /// A new head: N(0, 0.02^2), unit gain, zero biases. `times` tells the draws apart when a plan resets it repeatedly.
  void reset_head(int times = 0) {
    Random const random(seed_, Purpose::init, 0, static_cast<std::uint32_t>(times));
    head_.unshare();
    std::fill_n(head_.data(), head_.size(), T(0));
    std::fill_n(head_.data(), head_tensor_size(norm_g), T(1));
    T* const weights = head_.data() + head_tensor_offset(head_w);
    for (std::int64_t i = 0; i < head_tensor_size(head_w); ++i)
      weights[i] = T(static_cast<real>(0.02 * random.normal(static_cast<std::uint64_t>(i))));
  }

  /// The tensors of `head_buffer()`, in its order.
  enum HeadTensor : int { norm_g, norm_b, head_w, head_b };
  /// Numbers in a HeadTensor; 0 where there is none.
  std::int64_t head_tensor_size(int t) const {
    std::int64_t const C = config_.d_model,
                       sizes[] = {C, config_.norm_parameters() - C, vocab() * C, head_bias_ ? vocab() : 0};
    return sizes[t];
  }
  /// Where it begins in `head_buffer()`.
  std::int64_t head_tensor_offset(int t) const {
    std::int64_t offset = 0;
    for (int before = norm_g; before < t; ++before) offset += head_tensor_size(before);
    return offset;
  }
  /// Whether a HeadTensor trains.
  bool head_tensor_trains(int t) const { return head_trainable_[static_cast<std::size_t>(t)]; }
  /// Whether the final norm trains, in part at least.
  bool norm_trains() const { return head_tensor_trains(norm_g) || head_tensor_trains(norm_b); }
  /// Whether the head or its bias trains.
  bool head_trains() const { return head_tensor_trains(head_w) || head_tensor_trains(head_b); }
  /// Makes the final norm, and the head with its bias, trainable or frozen.
  void set_head_trainable(bool norm, bool head) {
    head_trainable_ = {norm, norm && head_tensor_size(norm_b) > 0, head, head && head_bias_};
  }
  /// Whether blocks of this kind can have adapters: gt's can; one of a user's own can if it has `adapter()`.
  static constexpr bool takes_adapters = requires(BlockT & block) { block.adapter(); };
  /// Puts a new adapter, which changes nothing yet, beside the matrices of each of the lowest `count` blocks (by
  /// default all); all of its tensors are frozen. `draw` tells repeated phases apart.   Errors: those of
  /// nn::check_lora; more blocks than there are, or none; a model that has adapters already, or whose blocks take none.
  void attach_adapters(LoraConfig lora, int count = -1, int draw = 0) {
    nn::check_lora(lora, config_);
    if (count < 0) count = depth();
    check(count > 0 && count <= depth(), "attach_adapters", "there must be blocks to adapt, of the model's ", depth(),
          " (got ", count, ")");
    check(!has_adapters(), "attach_adapters", "the model must have no adapters yet; merge or drop them first");
    if constexpr (takes_adapters) {
      for (int l = 0; l < count; ++l) {
        LoraAdapter<T> adapter(config_, lora);
        adapter.initialise(seed_, l, draw);
        blocks_[static_cast<std::size_t>(l)].set_adapter(std::move(adapter));
      }
    } else {
      fail("attach_adapters", "the blocks of this model take no adapters; gt::Block does");
    }
  }
  /// Whether a block has an adapter.
  bool has_adapters() const { return adapted() > 0; }
  /// How many of the lowest blocks have one.
  int adapted() const {
    int count = 0;
    for (auto const& block : blocks_) count += nn::adapter_of(block) != nullptr;
    return count;
  }
  /// What the adapters are; of rank 0 where there are none.
  LoraConfig lora() const { return has_adapters() ? nn::adapter_of(blocks_.front())->lora() : LoraConfig{}; }
  /// Adds every adapter to its matrices, W += s B A, and takes it away: the same logits, up to rounding, in the
  /// precision of the weights.
  template <class B>
  void merge_adapters(B const& on) {
    if constexpr (requires { on.with(Products::fp32); }) {
      if (on.products() != Products::fp32) return merge_adapters(on.with(Products::fp32));
    }
    if constexpr (takes_adapters) {
      for (auto& block : blocks_) block.merge_adapter(on);
    }
  }
  /// Takes all adapters away, unmerged: the model is what it was before them.
  void drop_adapters() {
    if constexpr (takes_adapters) {
      for (auto& block : blocks_) block.set_adapter(std::nullopt);
    }
  }
  /// Makes the adapters, if there are any, trainable or frozen.
  void set_adapters_trainable(bool on) {
    if constexpr (takes_adapters) {
      for (auto& block : blocks_) {
        if (block.adapter()) on ? block.adapter()->unfreeze() : block.adapter()->freeze();
      }
    }
  }

  /// Freezes every tensor: the state before a stage says what trains.
  void freeze() {
    for (auto& block : blocks_) set_block_trainable(block, false);
    set_adapters_trainable(false);
    set_table_trainable(false);
    set_head_trainable(false, false);
  }
  /// Makes all tensors of a block trainable or frozen.
  static void set_block_trainable(BlockT& block, bool on) {
    for (int t = 0; t < BlockT::tensor_count; ++t) block.set_trainable(t, on);
  }
  /// Makes the tensors whose name is `pattern`, or begins with it where it ends in '*', trainable or frozen. Returns
  /// how many. Errors: no such tensor; the table of a frozen substrate.
  int set_trainable(std::string_view pattern, bool on) {
    if (pattern == "model.embed_tokens.weight") return set_table_trainable(on), 1;
    auto const fits = [&](std::string const& name) {
      return pattern.ends_with('*') ? std::string_view{name}.starts_with(pattern.substr(0, pattern.size() - 1))
                                    : name == pattern;
    };
    int count = 0;
    for (int l = 0; l < depth(); ++l) {
      each_tensor(blocks_[static_cast<std::size_t>(l)], [&](auto& holder, int t) {
        if (fits(text(block_prefix(l), holder.spec(t).name))) holder.set_trainable(t, on), ++count;
      });
    }
    for (int t = norm_g; t <= head_b; ++t) {
      if (head_tensor_size(t) > 0 && fits(head_names[t])) head_trainable_[static_cast<std::size_t>(t)] = on, ++count;
    }
    check(count > 0, "set_trainable", "no tensor is named ", pattern, "; `parameters()` lists the names");
    return count;
  }
  /// Every tensor, bottom to top: the table, the blocks, each with its adapter, the final norm, the head.
  std::vector<Parameter<T>> parameters() const {
    auto const shapes = tensor_shapes(config_, vocab(), table_.width(), depth(), head_bias_, lora(), adapted());
    std::vector<Parameter<T>> all;
    auto const add = [&](T* data, bool trainable) {
      auto const& [name, sizes] = shapes[all.size()];
      all.push_back({name, sizes, data, trainable});
    };
    add(table_.buffer().data(), table_trains());
    for (auto const& block : blocks_) {
      each_tensor(
          block, [&](auto& holder, int t) { add(holder.weights().data() + holder.offset(t), holder.is_trainable(t)); });
    }
    for (int t = norm_g; t <= head_b; ++t) {
      if (head_tensor_size(t) > 0) add(head_.data() + head_tensor_offset(t), head_tensor_trains(t));
    }
    return all;
  }
  /// Numbers in all tensors, the table included.
  std::int64_t parameter_count() const {
    std::int64_t n = 0;
    for (auto const& p : parameters()) n += p.size();
    return n;
  }
  /// The lowest block with a trainable tensor, 0 where the table trains, `depth()` when only the head does. Nothing
  /// below is differentiated.
  int lowest_trainable() const {
    if (table_trains()) return 0;
    for (int l = 0; l < depth(); ++l) {
      if (nn::any_trainable(blocks_[static_cast<std::size_t>(l)])) return l;
    }
    return depth();
  }
  /// Memory of its own for all weights that it shares with another model, but for a frozen substrate's table: for who
  /// writes to them next.
  void unshare() {
    unshare_if([](auto const&) { return true; }, true, true);
  }
  /// The same for what trains alone, as a trainer does before each update. Returns whether anything was shared.
  bool unshare_trained() {
    return unshare_if([](auto const& holder) { return nn::any_tensor_trains(holder); }, norm_trains() || head_trains(),
                      table_trains());
  }
  /// A model with weights of its own.
  Transformer clone() const {
    Transformer copy = *this;
    copy.unshare();
    return copy;
  }

  /// Names and shapes of all tensors of such a model, whose lowest `adapted` blocks have adapters, in the order of
  /// `parameters`; known before it is made.
  static std::vector<std::pair<std::string, std::vector<std::int64_t>>> tensor_shapes(
      BlockConfig block, std::int64_t vocab, std::int64_t table_width, int depth, bool head_bias, LoraConfig lora = {},
      int adapted = 0) {
    std::vector<std::pair<std::string, std::vector<std::int64_t>>> all{
        {"model.embed_tokens.weight", {vocab, table_width}}};
    auto const add = [&](int l, TensorSpec spec) {
      if (spec.size() == 0) return;
      all.push_back({text(block_prefix(l), spec.name), {spec.rows}});
      if (spec.columns > 0) all.back().second.push_back(spec.columns);
    };
    for (int l = 0; l < depth; ++l) {
      for (TensorSpec const& spec : BlockT::tensors(block)) add(l, spec);
      if (l >= adapted) continue;
      for (TensorSpec const& spec : LoraAdapter<T>::tensors(block, lora)) add(l, spec);
    }
    all.push_back({"model.norm.weight", {block.d_model}});
    if (block.norm == Norm::layer) all.push_back({"model.norm.bias", {block.d_model}});
    all.push_back({"lm_head.weight", {vocab, block.d_model}});
    if (head_bias) all.push_back({"lm_head.bias", {vocab}});
    return all;
  }
  /// The full name of a block's tensor, e.g. "model.layers.3.mlp.c_fc.weight".
  static std::string tensor_name(int layer, int tensor) {
    return text(block_prefix(layer), BlockT::tensors(BlockConfig{})[static_cast<std::size_t>(tensor)].name);
  }

 private:
  // Of blocks and adapters those that `wanted(holder)`.
  template <class F>
  bool unshare_if(F const& wanted, bool head, bool table) {
    bool shared = head && head_.unshare();
    if (table && table_.unshare()) shared = true;
    for (auto& block : blocks_) {
      if (wanted(block) && block.weights().unshare()) shared = true;
      if constexpr (takes_adapters) {
        if (auto* const adapter = block.adapter(); adapter && wanted(*adapter) && adapter->weights().unshare())
          shared = true;
      }
    }
    return shared;
  }
  void expand(int count) {
    int const below = depth();
    check(count <= below, "Transformer::append", "there must be a block to copy for each that is expanded (got ", count,
          " for ", below, ")");
    for (int i = 0; i < count; ++i) {
      int const at = nn::expanded_position(below, count, i);
      BlockT copy(config_);
      copy.weights() = blocks_[static_cast<std::size_t>(at - 1)].weights().clone();
      for (int t = 0; t < BlockT::tensor_count; ++t) {
        Fill const fill = copy.spec(t).fill;
        if (fill == Fill::residual || fill == Fill::residual_bias)
          std::fill_n(copy.weights().data() + copy.offset(t), copy.spec(t).size(), T(0));
      }
      blocks_.insert(blocks_.begin() + at, std::move(copy));
    }
  }
  static std::string block_prefix(int layer) { return text("model.layers.", layer, "."); }
  // f(the block or its adapter, tensor) for each tensor that has elements.
  template <class K, class F>
  static void each_tensor(K& block, F const& f) {
    auto const each = [&](auto& holder) {
      for (int t = 0; t < std::remove_cvref_t<decltype(holder)>::tensor_count; ++t) {
        if (holder.spec(t).size() > 0) f(holder, t);
      }
    };
    each(block);
    if constexpr (takes_adapters) {
      if (block.adapter()) each(*block.adapter());
    }
  }
  using real = ops::RealOf<T>;
  static constexpr char const* head_names[] = {"model.norm.weight", "model.norm.bias", "lm_head.weight",
                                               "lm_head.bias"};

  Vector<T const> head_vector(int t) const {
    std::int64_t const n = head_tensor_size(t);
    return n > 0 ? Vector<T const>(head_.data() + head_tensor_offset(t), n) : Vector<T const>{};
  }
  // Equal shapes are written alike: d_ff is 0 where F = 4 C.
  static BlockConfig checked(BlockConfig shape) {
    nn::check_block(shape);
    if (shape.d_ff == 4 * shape.d_model) shape.d_ff = 0;
    return shape;
  }

  BlockConfig config_;
  Seed seed_;
  std::int64_t context_;
  bool head_bias_;
  nn::ModelTable<T> table_;
  ops::RopeTable<T> rotary_;
  std::vector<BlockT> blocks_;
  Buffer<T> head_;  // final norm's gain [C] and bias [C] (not in RMSNorm), head [V, C], head's bias [V]
  std::array<bool, 4> head_trainable_{};
};

}  // namespace gt

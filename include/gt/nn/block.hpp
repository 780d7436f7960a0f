// SPDX-License-Identifier: MIT
// The default block: pre-norm, causal attention with rotary positions, GELU MLP.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/matrix_ref.hpp"
#include "gt/core/parameter.hpp"
#include "gt/core/scalar.hpp"
#include "gt/core/view.hpp"
#include "gt/nn/block_config.hpp"
#include "gt/nn/block_like.hpp"
#include "gt/nn/block_tensors.hpp"
#include "gt/nn/lora.hpp"
#include "gt/nn/norm.hpp"
#include "gt/ops/attention/attention.hpp"
#include "gt/ops/linear.hpp"
#include "gt/ops/linear_gelu.hpp"
#include "gt/ops/rope.hpp"

namespace gt::inline GT_ABI {

/// One block:  h = x + W_o attention(rope(W_qkv norm1(x))),   y = h + W_proj gelu(W_fc norm2(h))
/// Shapes: x, h, y [B * T, C]; all weights lie in one buffer, in the order of `tensors`, W_q, W_k, W_v side by side.
/// Sources: Vaswani et al. 2017, arXiv:1706.03762; pre-norm: Xiong et al. 2020, arXiv:2002.04745; the tensors' names
/// and the order of operations are Hugging Face's Starcoder2DecoderLayer.
template <class T = float>
class Block : public BlockTensors<T, 16> {
  using Base = BlockTensors<T, 16>;
  using Base::mat, Base::vec, Base::dmat, Base::dvec;
  using Adapter = LoraAdapter<T>;

 public:
  using Base::config, Base::weights, Base::offset, Base::spec, Base::is_trainable;
  /// The tensors, in the order of the buffer; `tensors` has their full names and shapes.
  enum Tensor : int {
    norm1_g,
    norm1_b,
    q_w,
    k_w,
    v_w,
    q_b,
    k_b,
    v_b,
    o_w,
    o_b,
    norm2_g,
    norm2_b,
    fc_w,
    fc_b,
    proj_w,
    proj_b
  };

  /// What a forward pass leaves for the backward pass (and, of a frozen block, only needs while it runs).
  struct Activations {
    /// Outputs of the ops in their order, M = B * T: [M, C], [M, 3 C], [M, C], [M, C], [M, C], [M, F], [M, F].
    Matrix<T> norm1, qkv, att, mid, norm2, fc, act;
    /// Statistics of the two norms, [M] each, and of the rows of attention, [B * H * T].
    Vector<T> mean1, rstd1, mean2, rstd2, log_sum;
    /// Of the adapter, if there is one.
    typename LoraAdapter<T>::Activations lora;
  };

  /// All weights zero, all tensors frozen; see `initialise`. Errors: those of nn::check_block.
  explicit Block(BlockConfig c) : Base(checked(c), tensors(c)) {}

  /// The memory of one pass, from an arena.
  Activations activations(Arena& arena, BatchShape s) const {
    std::int64_t const M = s.rows(), C = this->C(), F = config().ff();
    auto const matrix = [&](std::int64_t columns) { return Matrix<T>(arena.take<T>(M * columns), M, columns); };
    auto const vector = [&](std::int64_t n) { return Vector<T>(arena.take<T>(n), n); };
    return {matrix(C),
            matrix(3 * C),
            matrix(C),
            matrix(C),
            matrix(C),
            matrix(F),
            matrix(F),
            vector(M),
            vector(M),
            vector(M),
            vector(M),
            vector(M * config().heads),
            adapter_ ? adapter_->activations(arena, M) : typename LoraAdapter<T>::Activations{}};
  }

  /// y = block(x). y may be x when no backward pass follows. With a cache, the tokens stand at positions first, ...,
  /// their keys and values are added to it, and attention reads all of it.
  template <Backend B>
  void forward(B const& on, In<Matrix<T const>> x, Activations& a, Matrix<T> y, BatchShape s,
               ops::RopeTable<T> const& rotary, KvCache<T>* cache = nullptr, std::int64_t first = 0) const {
    std::int64_t const C = this->C();
    nn::norm<B, T>(on, config(), x, vec(norm1_g), vec(norm1_b), a.norm1, a.mean1, a.rstd1);
    ops::linear(on, a.norm1, qkv_weight(), qkv_bias(), a.qkv);
    if (adapter_) adapter_->forward(on, Adapter::qkv, a.norm1, a.lora, a.qkv, true);
    ops::rope(on, a.qkv.columns(0, 2 * C), rotary, s.tokens, first, ops::Rotation::forward);
    ops::AttentionShape const shape{s.batch, config().heads, config().d_head(), s.tokens, first};
    if (cache) {
      for (std::int64_t t = 0; t < s.tokens; ++t) std::copy_n(a.qkv.row(t) + C, 2 * C, cache->kv.row(first + t));
      ops::attention(on, a.qkv.columns(0, C), cache->kv.columns(0, C), cache->kv.columns(C, C), a.att, a.log_sum.data(),
                     shape);
    } else {
      ops::attention(on, a.qkv.columns(0, C), a.qkv.columns(C, C), a.qkv.columns(2 * C, C), a.att, a.log_sum.data(),
                     shape);
    }
    ops::linear(on, a.att, mat(o_w), vec(o_b), a.mid, x);
    if (adapter_) adapter_->forward(on, Adapter::o, a.att, a.lora, a.mid, true);
    nn::norm<B, T>(on, config(), a.mid, vec(norm2_g), vec(norm2_b), a.norm2, a.mean2, a.rstd2);
    bool const adapts_fc = adapter_ && adapter_->lora().targets.fc;
    if (adapts_fc) adapter_->forward(on, Adapter::fc, a.norm2, a.lora, a.fc, false);
    ops::linear_gelu(on, a.norm2, mat(fc_w), vec(fc_b), a.fc, a.act, config().gelu, adapts_fc ? a.fc : Matrix<T>{});
    ops::linear(on, a.act, mat(proj_w), vec(proj_b), y, a.mid);
    if (adapter_) adapter_->forward(on, Adapter::proj, a.act, a.lora, y, true);
  }

  /// What `backward` takes from its arena at most, beside an adapter's: numbers a row, in two pieces.
  static constexpr std::array<std::int64_t, 2> scratch_columns(BlockConfig c) {
    return {std::max<std::int64_t>(c.ff(), std::int64_t{3} * c.d_model), c.d_model};
  }
  /// The same, taken from an arena that measures.
  void backward_scratch(Arena& arena, BatchShape s) const {
    for (std::int64_t const columns : scratch_columns(config())) arena.take<T>(s.rows() * columns);
    if (adapter_) arena.take<T>(s.rows() * adapter_->lora().scratch_columns());
  }
  /// d = dLoss/dy becomes dLoss/dx (unless `needs_dx` is false), and the gradients of the trainable tensors are added
  /// to `gradient`: those of the block, laid out like `weights()`, if one of its tensors trains, then those of the
  /// adapter, if one of its does. The arena lends scratch memory.
  template <Backend B>
  void backward(B const& on, Matrix<T> d, In<Matrix<T const>> x, Activations const& a, Buffer<T> const& gradient,
                BatchShape s, ops::RopeTable<T> const& rotary, Arena& arena, bool needs_dx) const {
    std::int64_t const M = s.rows(), C = this->C(), F = config().ff();
    std::int64_t const mark = arena.mark();
    Matrix<T> const d_hidden(arena.take<T>(M * F), M, F), d_norm(arena.take<T>(M * C), M, C);
    // Null where none of the adapter's tensors train.
    std::int64_t const before = adapter_ ? gradient.size() - adapter_->weights().size() : -1;
    T* const of_adapter = before >= 0 ? gradient.data() + before : nullptr;
    // What the adapter leaves of the gradient of x, for the large product to be added to; null where it has no part.
    auto const low_rank = [&](typename Adapter::Input in, Matrix<T> dy, Matrix<T> input, Matrix<T> dx) {
      return adapter_ ? adapter_->backward(on, in, dy, input, a.lora, of_adapter, dx, arena) : Matrix<T const>{};
    };
    ops::gelu_linear_backward(on, d, a.fc, a.act, mat(proj_w), d_hidden, dmat(gradient, proj_w), dvec(gradient, proj_b),
                              config().gelu, low_rank(Adapter::proj, d, a.act, d_hidden));
    ops::linear_backward(on, d_hidden, a.norm2, mat(fc_w), d_norm, dmat(gradient, fc_w), dvec(gradient, fc_b),
                         low_rank(Adapter::fc, d_hidden, a.norm2, d_norm));
    nn::norm_backward<B, T>(on, config(), d_norm, a.mid, vec(norm2_g), a.mean2, a.rstd2, d, d, dvec(gradient, norm2_g),
                            dvec(gradient, norm2_b));
    arena.release(mark);

    Matrix<T> const d_qkv(arena.take<T>(M * 3 * C), M, 3 * C), d_att(arena.take<T>(M * C), M, C);
    ops::linear_backward(on, d, a.att, mat(o_w), d_att, dmat(gradient, o_w), dvec(gradient, o_b),
                         low_rank(Adapter::o, d, a.att, d_att));
    ops::AttentionShape const shape{s.batch, config().heads, config().d_head(), s.tokens, 0};
    ops::attention_backward(on, d_att, a.qkv.columns(0, C), a.qkv.columns(C, C), a.qkv.columns(2 * C, C), a.att,
                            a.log_sum.data(), d_qkv.columns(0, C), d_qkv.columns(C, C), d_qkv.columns(2 * C, C), shape);
    ops::rope(on, d_qkv.columns(0, 2 * C), rotary, s.tokens, 0, ops::Rotation::backward);
    bool const norm1_trains = is_trainable(norm1_g) || is_trainable(norm1_b);
    Matrix<T> const d_norm1 = needs_dx || norm1_trains ? d_att : Matrix<T>{};
    bool const qkv_trains = is_trainable(q_w) || is_trainable(k_w) || is_trainable(v_w);
    bool const bias_trains = is_trainable(q_b) || is_trainable(k_b) || is_trainable(v_b);
    ops::linear_backward(on, d_qkv, a.norm1, qkv_weight(), d_norm1,
                         qkv_trains ? Matrix<T>(gradient.data() + offset(q_w), 3 * C, C) : Matrix<T>{},
                         bias_trains ? Vector<T>(gradient.data() + offset(q_b), 3 * C) : Vector<T>{},
                         low_rank(Adapter::qkv, d_qkv, a.norm1, d_norm1));
    if (d_norm1) {
      nn::norm_backward<B, T>(on, config(), d_norm1, x, vec(norm1_g), a.mean1, a.rstd1, d, needs_dx ? d : Matrix<T>{},
                              dvec(gradient, norm1_g), dvec(gradient, norm1_b));
    }
    arena.release(mark);
  }

  /// The low-rank adapter beside the six matrices; null when there is none.
  Adapter const* adapter() const { return adapter_ ? &*adapter_ : nullptr; }
  /// The same, to be changed.
  Adapter* adapter() { return adapter_ ? &*adapter_ : nullptr; }
  /// Puts an adapter in place, or with nullopt takes it away: the block is then what it was without.
  void set_adapter(std::optional<Adapter> adapter) { adapter_ = std::move(adapter); }
  /// W += s B A for each adapted matrix, and takes the adapter away: the same function, up to rounding. The products
  /// are made in the precision of the weights.
  template <Backend B>
  void merge_adapter(B const& on) {
    if (!adapter_) return;
    weights().unshare();
    static constexpr Tensor matrices[] = {q_w, k_w, v_w, o_w, fc_w, proj_w};
    adapter_->for_each_matrix([&](int matrix, Matrix<T const> down, Matrix<T const> up) {
      int const t = matrices[matrix];
      Buffer<T> const scaled(up.rows() * up.columns());
      for (std::int64_t i = 0; i < scaled.size(); ++i)
        scaled[i] = up.data()[i] * T(static_cast<ops::RealOf<T>>(adapter_->lora().scale()));
      gemm(on, ops::MatrixRef<T>(scaled.data(), up.columns(), 1), ops::MatrixRef<T>(down),
           ops::GemmOutput<T>{weights().data() + offset(t), spec(t).columns, true},
           {up.rows(), down.columns(), down.rows()});
    });
    adapter_.reset();
  }

  /// The tensors of a block in the order of its buffer.
  static constexpr std::array<TensorSpec, 16> tensors(BlockConfig c) {
    std::int64_t const C = c.d_model, F = c.ff(), qkv = c.qkv_bias ? C : 0, out = c.out_bias ? C : 0;
    std::int64_t const norm_bias = c.norm == Norm::layer ? C : 0;
    return {{{"input_layernorm.weight", C, 0, Fill::one},
             {"input_layernorm.bias", norm_bias, 0, Fill::zero},
             {"self_attn.q_proj.weight", C, C, Fill::normal},
             {"self_attn.k_proj.weight", C, C, Fill::normal},
             {"self_attn.v_proj.weight", C, C, Fill::normal},
             {"self_attn.q_proj.bias", qkv, 0, Fill::zero},
             {"self_attn.k_proj.bias", qkv, 0, Fill::zero},
             {"self_attn.v_proj.bias", qkv, 0, Fill::zero},
             {"self_attn.o_proj.weight", C, C, Fill::residual},
             {"self_attn.o_proj.bias", out, 0, Fill::residual_bias},
             {"post_attention_layernorm.weight", C, 0, Fill::one},
             {"post_attention_layernorm.bias", norm_bias, 0, Fill::zero},
             {"mlp.c_fc.weight", F, C, Fill::normal},
             {"mlp.c_fc.bias", F, 0, Fill::zero},
             {"mlp.c_proj.weight", C, F, Fill::residual},
             {"mlp.c_proj.bias", C, 0, Fill::residual_bias}}};
  }

 private:
  static BlockConfig checked(BlockConfig c) {
    nn::check_block(c);
    return c;
  }
  // The three projections as one product.
  Matrix<T const> qkv_weight() const {
    return Matrix<T const>(weights().data() + offset(q_w), 3 * config().d_model, config().d_model);
  }
  Vector<T const> qkv_bias() const {
    return config().qkv_bias ? Vector<T const>(weights().data() + offset(q_b), 3 * config().d_model)
                             : Vector<T const>{};
  }

  std::optional<Adapter> adapter_;
};

static_assert(BlockConfig{}.parameters() == 12 * 256 * 256 + 13 * 256);
static_assert(BlockLike<Block<>>);

}  // namespace gt

// SPDX-License-Identifier: MIT
// The default block: pre-LayerNorm, causal attention with rotary positions, tanh-GELU MLP.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "gt/base/philox.hpp"
#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/parameter.hpp"
#include "gt/core/view.hpp"
#include "gt/nn/block_config.hpp"
#include "gt/nn/block_like.hpp"
#include "gt/ops/attention.hpp"
#include "gt/ops/gelu.hpp"
#include "gt/ops/layer_norm.hpp"
#include "gt/ops/linear.hpp"
#include "gt/ops/residual.hpp"
#include "gt/ops/rope.hpp"

namespace gt {

/// One block:  h = x + W_o attention(rope(W_qkv norm1(x))),   y = h + W_proj gelu(W_fc norm2(h))
/// Shapes: x, h, y [B * T, C]; all weights lie in one buffer, in the order of `tensors`, W_q, W_k, W_v side by side.
/// Sources: Vaswani et al. 2017, arXiv:1706.03762; pre-norm: Xiong et al. 2020, arXiv:2002.04745; the tensors' names
/// and the order of operations are Hugging Face's Starcoder2DecoderLayer.
template <BlockConfig Cfg, class T = float>
requires ValidBlock<Cfg>
class Block {
 public:
  using scalar = T;                                  ///< of weights and activations
  static constexpr BlockConfig static_config = Cfg;  ///< what the type fixes; `run_time` where the constructor does
  static constexpr int tensor_count = 16;            ///< those that a config leaves out have no elements
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
  };

  /// All weights zero, all tensors frozen; see `initialise`. Errors: those of check_block.
  explicit Block(BlockConfig config = Cfg) : config_{config}, specs_{tensors(config)} {
    check_block(config);
    std::int64_t size = 0;
    for (int i = 0; i < tensor_count; ++i) {
      offsets_[index(i)] = size;
      size += specs_[index(i)].size();
    }
    weights_ = Buffer<T>(size);
  }

  BlockConfig const& config() const { return config_; }                       ///< its shape, all sizes known
  Buffer<T> const& weights() const { return weights_; }                       ///< all tensors, one behind the other
  Buffer<T>& weights() { return weights_; }                                   ///< the same, to be changed
  std::int64_t offset(int tensor) const { return offsets_[index(tensor)]; }   ///< where it begins in `weights()`
  TensorSpec const& spec(int tensor) const { return specs_[index(tensor)]; }  ///< its name, shape and start

  /// Whether a tensor trains; one of no elements never does.
  bool is_trainable(int tensor) const { return trainable_[index(tensor)] && spec(tensor).size() > 0; }
  void set_trainable(int tensor, bool on) { trainable_[index(tensor)] = on; }  ///< trains or freezes it
  void freeze() { trainable_.fill(false); }                                    ///< all tensors
  void unfreeze() { trainable_.fill(true); }                                   ///< all tensors
  /// Whether a backward pass has a gradient to leave here.
  bool any_trainable() const {
    for (int i = 0; i < tensor_count; ++i) {
      if (is_trainable(i)) return true;
    }
    return false;
  }

  /// N(0, 0.02^2) weights, zero biases, unit gains; the two projections onto the residual stream are scaled by
  /// 1 / sqrt(2 final_depth) as in GPT-2, or zero for an identity block. Keyed by (seed, index of the block, tensor).
  void initialise(Seed seed, int block_index, int final_depth, BlockInit init) {
    double const residual = init == BlockInit::identity ? 0.0 : 1.0 / std::sqrt(2.0 * std::max(1, final_depth));
    for (int i = 0; i < tensor_count; ++i) {
      Random const random(seed, Purpose::init, static_cast<std::uint32_t>(block_index + 1),
                          static_cast<std::uint32_t>(i));
      T* const w = weights_.data() + offset(i);
      for (std::int64_t j = 0; j < spec(i).size(); ++j) {
        switch (spec(i).fill) {
          case Fill::zero:
            w[j] = T(0);
            break;
          case Fill::one:
            w[j] = T(1);
            break;
          case Fill::normal:
            w[j] = T(static_cast<real>(0.02 * random.normal(static_cast<std::uint64_t>(j))));
            break;
          case Fill::residual:
            w[j] = T(static_cast<real>(0.02 * residual * random.normal(static_cast<std::uint64_t>(j))));
            break;
        }
      }
    }
  }

  /// The memory of one pass, from an arena.
  Activations activations(Arena& arena, BatchShape s) const {
    std::int64_t const M = s.rows(), C = config_.d_model, F = config_.ff();
    auto const matrix = [&](std::int64_t columns) { return Matrix<T>(arena.take<T>(M * columns), M, columns); };
    auto const vector = [&](std::int64_t n) { return Vector<T>(arena.take<T>(n), n); };
    return {matrix(C), matrix(3 * C), matrix(C), matrix(C), matrix(C), matrix(F),
            matrix(F), vector(M),     vector(M), vector(M), vector(M), vector(M * config_.heads)};
  }

  /// y = block(x). y may be x when no backward pass follows. With a cache, the tokens stand at positions first, ...,
  /// their keys and values are added to it, and attention reads all of it.
  template <Backend B>
  void forward(B const& on, In<Matrix<T const>> x, Activations& a, Matrix<T> y, BatchShape s,
               RopeTable<T> const& rotary, KvCache<T>* cache = nullptr, std::int64_t first = 0) const {
    std::int64_t const C = config_.d_model;
    layer_norm(on, x, vec(norm1_g), vec(norm1_b), a.norm1, a.mean1, a.rstd1, config_.norm_eps);
    linear(on, a.norm1, qkv_weight(), qkv_bias(), a.qkv);
    rope(on, a.qkv.columns(0, 2 * C), rotary, s.tokens, first, Rotation::forward);
    AttentionShape const shape{s.batch, config_.heads, config_.d_head(), s.tokens, first};
    if (cache) {
      for (std::int64_t t = 0; t < s.tokens; ++t) std::copy_n(a.qkv.row(t) + C, 2 * C, cache->kv.row(first + t));
      attention(on, a.qkv.columns(0, C), cache->kv.columns(0, C), cache->kv.columns(C, C), a.att, a.log_sum.data(),
                shape);
    } else {
      attention(on, a.qkv.columns(0, C), a.qkv.columns(C, C), a.qkv.columns(2 * C, C), a.att, a.log_sum.data(), shape);
    }
    linear(on, a.att, mat(o_w), vec(o_b), a.mid);
    residual_add(on, a.mid, x, a.mid);
    layer_norm(on, a.mid, vec(norm2_g), vec(norm2_b), a.norm2, a.mean2, a.rstd2, config_.norm_eps);
    linear(on, a.norm2, mat(fc_w), vec(fc_b), a.fc);
    gelu(on, a.fc, a.act);
    linear(on, a.act, mat(proj_w), vec(proj_b), y);
    residual_add(on, y, a.mid, y);
  }

  /// d = dLoss/dy becomes dLoss/dx (unless `needs_dx` is false), and the gradients of the trainable tensors are added
  /// to `gradient`, laid out like `weights()`; it may be empty when nothing here trains. The arena lends scratch
  /// memory.
  template <Backend B>
  void backward(B const& on, Matrix<T> d, In<Matrix<T const>> x, Activations const& a, Buffer<T> const& gradient,
                BatchShape s, RopeTable<T> const& rotary, Arena& arena, bool needs_dx) const {
    std::int64_t const M = s.rows(), C = config_.d_model, F = config_.ff();
    std::int64_t const mark = arena.mark();
    Matrix<T> const d_hidden(arena.take<T>(M * F), M, F), d_norm(arena.take<T>(M * C), M, C);
    linear_backward(on, d, a.act, mat(proj_w), d_hidden, dmat(gradient, proj_w), dvec(gradient, proj_b));
    gelu_backward(on, d_hidden, a.fc, d_hidden);
    linear_backward(on, d_hidden, a.norm2, mat(fc_w), d_norm, dmat(gradient, fc_w), dvec(gradient, fc_b));
    layer_norm_backward(on, d_norm, a.mid, vec(norm2_g), a.mean2, a.rstd2, d, d, dvec(gradient, norm2_g),
                        dvec(gradient, norm2_b));
    arena.release(mark);

    Matrix<T> const d_qkv(arena.take<T>(M * 3 * C), M, 3 * C), d_att(arena.take<T>(M * C), M, C);
    linear_backward(on, d, a.att, mat(o_w), d_att, dmat(gradient, o_w), dvec(gradient, o_b));
    AttentionShape const shape{s.batch, config_.heads, config_.d_head(), s.tokens, 0};
    attention_backward(on, d_att, a.qkv.columns(0, C), a.qkv.columns(C, C), a.qkv.columns(2 * C, C), a.att,
                       a.log_sum.data(), d_qkv.columns(0, C), d_qkv.columns(C, C), d_qkv.columns(2 * C, C), shape);
    rope(on, d_qkv.columns(0, 2 * C), rotary, s.tokens, 0, Rotation::backward);
    bool const norm1_trains = is_trainable(norm1_g) || is_trainable(norm1_b);
    Matrix<T> const d_norm1 = needs_dx || norm1_trains ? d_att : Matrix<T>{};
    bool const qkv_trains = is_trainable(q_w) || is_trainable(k_w) || is_trainable(v_w);
    bool const bias_trains = is_trainable(q_b) || is_trainable(k_b) || is_trainable(v_b);
    linear_backward(on, d_qkv, a.norm1, qkv_weight(), d_norm1,
                    qkv_trains ? Matrix<T>(gradient.data() + offset(q_w), 3 * C, C) : Matrix<T>{},
                    bias_trains ? Vector<T>(gradient.data() + offset(q_b), 3 * C) : Vector<T>{});
    if (d_norm1) {
      layer_norm_backward(on, d_norm1, x, vec(norm1_g), a.mean1, a.rstd1, d, needs_dx ? d : Matrix<T>{},
                          dvec(gradient, norm1_g), dvec(gradient, norm1_b));
    }
    arena.release(mark);
  }

  /// The tensors of a block in the order of its buffer.
  static constexpr std::array<TensorSpec, tensor_count> tensors(BlockConfig c) {
    std::int64_t const C = c.d_model, F = c.ff(), qkv = c.qkv_bias ? C : 0, out = c.out_bias ? C : 0;
    return {{{"input_layernorm.weight", C, 0, Fill::one},
             {"input_layernorm.bias", C, 0, Fill::zero},
             {"self_attn.q_proj.weight", C, C, Fill::normal},
             {"self_attn.k_proj.weight", C, C, Fill::normal},
             {"self_attn.v_proj.weight", C, C, Fill::normal},
             {"self_attn.q_proj.bias", qkv, 0, Fill::zero},
             {"self_attn.k_proj.bias", qkv, 0, Fill::zero},
             {"self_attn.v_proj.bias", qkv, 0, Fill::zero},
             {"self_attn.o_proj.weight", C, C, Fill::residual},
             {"self_attn.o_proj.bias", out, 0, Fill::zero},
             {"post_attention_layernorm.weight", C, 0, Fill::one},
             {"post_attention_layernorm.bias", C, 0, Fill::zero},
             {"mlp.c_fc.weight", F, C, Fill::normal},
             {"mlp.c_fc.bias", F, 0, Fill::zero},
             {"mlp.c_proj.weight", C, F, Fill::residual},
             {"mlp.c_proj.bias", C, 0, Fill::zero}}};
  }

 private:
  using real = decltype(std::abs(T{}));
  static constexpr std::size_t index(int i) { return static_cast<std::size_t>(i); }

  Matrix<T const> mat(int t) const {
    return Matrix<T const>(weights_.data() + offset(t), spec(t).rows, spec(t).columns);
  }
  Vector<T const> vec(int t) const {
    return spec(t).size() > 0 ? Vector<T const>(weights_.data() + offset(t), spec(t).rows) : Vector<T const>{};
  }
  Matrix<T> dmat(Buffer<T> const& g, int t) const {
    return is_trainable(t) ? Matrix<T>(g.data() + offset(t), spec(t).rows, spec(t).columns) : Matrix<T>{};
  }
  Vector<T> dvec(Buffer<T> const& g, int t) const {
    return is_trainable(t) ? Vector<T>(g.data() + offset(t), spec(t).rows) : Vector<T>{};
  }
  Matrix<T const> qkv_weight() const {
    return Matrix<T const>(weights_.data() + offset(q_w), 3 * config_.d_model, config_.d_model);
  }
  Vector<T const> qkv_bias() const {
    return config_.qkv_bias ? Vector<T const>(weights_.data() + offset(q_b), 3 * config_.d_model) : Vector<T const>{};
  }

  BlockConfig config_;
  std::array<TensorSpec, tensor_count> specs_;
  std::array<std::int64_t, tensor_count> offsets_{};
  std::array<bool, tensor_count> trainable_{};
  Buffer<T> weights_;
};

static_assert(BlockConfig{}.parameters() == 12 * 256 * 256 + 13 * 256);
static_assert(BlockLike<Block<BlockConfig{}>>);

}  // namespace gt

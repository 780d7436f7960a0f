// SPDX-License-Identifier: MIT
// The low-rank adapter of a block: what a LoRA phase trains while the block itself stays frozen.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "gt/base/philox.hpp"
#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/parameter.hpp"
#include "gt/core/scalar.hpp"
#include "gt/core/view.hpp"
#include "gt/nn/block_config.hpp"
#include "gt/nn/block_like.hpp"
#include "gt/nn/block_tensors.hpp"
#include "gt/nn/lora_config.hpp"
#include "gt/ops/lora.hpp"

namespace gt::inline GT_ABI {

/// A and B of each adapted matrix, in one buffer: first all A, so that those of the queries, keys and values, which
/// read the same rows, are one matrix; then all B. A new adapter has B = 0 and changes nothing. The names are those of
/// Hugging Face's PEFT below the block's prefix.
template <class T>
class LoraAdapter : public BlockTensors<T, 12> {
  using Base = BlockTensors<T, 12>;

 public:
  using Base::offset, Base::spec, Base::is_trainable, Base::weights;
  /// What adapted matrices read: q, k and v the first norm; o what attention gives; fc the second norm; proj the GELU.
  enum Input : int { qkv, o, fc, proj };
  /// s x A^T of each Input, [M, R] for each matrix that reads it, side by side; null where there is none.
  using Activations = std::array<Matrix<T>, 4>;

  /// B = 0; see `initialise`. All is frozen.   Errors: those of nn::check_lora.
  LoraAdapter(BlockConfig c, LoraConfig lora) : Base(c, tensors(c, checked(lora, c))), lora_{lora} {}

  LoraConfig const& lora() const { return lora_; }  ///< its rank, scale and matrices

  /// A uniform in +-1 / sqrt(K), as PEFT and torch.nn.Linear; B zero. `draw` tells repeated draws apart.
  void initialise(Seed seed, int block_index, int draw = 0) {
    weights().unshare();
    for (int t = 0; t < 12; ++t) {
      Random const random(seed, Purpose::lora, static_cast<std::uint32_t>(block_index),
                          static_cast<std::uint32_t>(12 * draw + t));
      double const bound = t < 6 && spec(t).columns > 0 ? 1 / std::sqrt(static_cast<double>(spec(t).columns)) : 0;
      for (std::int64_t i = 0; i < spec(t).size(); ++i) {
        double const value = bound * (2 * random.uniform(static_cast<std::uint64_t>(i)) - 1);
        weights()[offset(t) + i] = T(static_cast<real>(t < 6 ? value : 0));
      }
    }
  }

  /// Memory for `rows` rows.
  Activations activations(Arena& arena, std::int64_t rows) const {
    Activations u;
    for (int in = qkv; in <= proj; ++in) {
      std::int64_t const columns = joined_rank(in);
      if (columns > 0) u[at(in)] = Matrix<T>(arena.take<T>(rows * columns), rows, columns);
    }
    return u;
  }

  /// y += s (x A^T) B^T for the matrices that read x, or y = that where `accumulate` is false.
  /// Shapes: x [M, K], y [M, N], for q, k and v side by side [M, 3 C].
  template <Backend B>
  void forward(B const& on, Input in, In<Matrix<T const>> x, Activations const& u, Matrix<T> y, bool accumulate) const {
    if (!adapts(in)) return;
    ops::lora_down<B, T>(on, x, joined_a(in), scale(), u[at(in)]);
    each(
        in,
        [&](int t, Matrix<T> part, std::int64_t column) {
          ops::lora_up<B, T>(on, part, b(t), y.columns(column, spec(t + 6).rows), accumulate);
        },
        u[at(in)]);
  }

  /// Given dLoss/dy of the whole, dy [M, N], leaves the adapter's share of dLoss/dx in dx [M, K] and returns it: the
  /// addend of the large product's backward pass. Null where nothing that reads x is adapted, or dx is null. Adds the
  /// gradients of what trains to `gradient`, laid out like `weights()`.
  template <Backend B>
  Matrix<T const> backward(B const& on, Input in, In<Matrix<T const>> dy, In<Matrix<T const>> x, Activations const& u,
                           T* gradient, Matrix<T> dx, Arena& arena) const {
    if (!adapts(in)) return {};
    std::int64_t const M = dy.rows(), columns = joined_rank(in), mark = arena.mark();
    Matrix<T> const du(arena.take<T>(M * columns), M, columns);
    bool a_trains = false;
    std::int64_t r = 0;
    each(
        in,
        [&](int t, Matrix<T> part, std::int64_t column) {
          Matrix<T> const db =
              is_trainable(t + 6) ? Matrix<T>(gradient + offset(t + 6), spec(t + 6).rows, lora_.rank) : Matrix<T>{};
          ops::lora_up_backward<B, T>(on, dy.columns(column, spec(t + 6).rows), part, b(t), scale(),
                                      du.columns(r, lora_.rank), db);
          r += lora_.rank;
          a_trains = a_trains || is_trainable(t);
        },
        u[at(in)]);
    Matrix<T> const da = a_trains ? Matrix<T>(gradient + offset(first(in)), columns, x.columns()) : Matrix<T>{};
    ops::lora_down_backward<B, T>(on, du, x, joined_a(in), dx, da);
    arena.release(mark);
    return dx;
  }

  /// Calls f(tensor index of the matrix among the six, A [R, K], B [N, R]) for each adapted matrix.
  template <class F>
  void for_each_matrix(F const& f) const {
    for (int t = 0; t < 6; ++t) {
      if (spec(t).size() > 0) f(t, Base::mat(t), b(t));
    }
  }

  /// The tensors of an adapter; of no elements where a matrix is not adapted.
  static constexpr std::array<TensorSpec, 12> tensors(BlockConfig c, LoraConfig lora) {
    std::int64_t const C = c.d_model, F = c.ff();
    auto const a = [&](char const* name, bool on, std::int64_t K) {
      return TensorSpec{name, on ? lora.rank : 0, K, Fill::normal};
    };
    auto const b = [&](char const* name, bool on, std::int64_t N) {
      return TensorSpec{name, on ? N : 0, lora.rank, Fill::zero};
    };
    LoraTargets const on = lora.targets;
    return {{a("self_attn.q_proj.lora_A.weight", on.q, C), a("self_attn.k_proj.lora_A.weight", on.k, C),
             a("self_attn.v_proj.lora_A.weight", on.v, C), a("self_attn.o_proj.lora_A.weight", on.o, C),
             a("mlp.c_fc.lora_A.weight", on.fc, C), a("mlp.c_proj.lora_A.weight", on.proj, F),
             b("self_attn.q_proj.lora_B.weight", on.q, C), b("self_attn.k_proj.lora_B.weight", on.k, C),
             b("self_attn.v_proj.lora_B.weight", on.v, C), b("self_attn.o_proj.lora_B.weight", on.o, C),
             b("mlp.c_fc.lora_B.weight", on.fc, F), b("mlp.c_proj.lora_B.weight", on.proj, C)}};
  }

 private:
  using real = ops::RealOf<T>;
  static LoraConfig checked(LoraConfig lora, BlockConfig c) {
    nn::check_lora(lora, c);
    return lora;
  }
  static constexpr std::size_t at(int in) { return static_cast<std::size_t>(in); }
  // The matrices that read an Input, among q, k, v, o, fc, proj: [first, last).
  static constexpr int begin(int in) { return in == qkv ? 0 : in + 2; }
  static constexpr int end(int in) { return in + 3; }
  int first(int in) const {
    int t = begin(in);
    while (t < end(in) && spec(t).size() == 0) ++t;
    return t;
  }
  bool adapts(int in) const { return first(in) < end(in); }
  std::int64_t joined_rank(int in) const {
    std::int64_t sum = 0;
    for (int t = begin(in); t < end(in); ++t) sum += spec(t).rows;
    return sum;
  }
  T scale() const { return T(static_cast<real>(lora_.scale())); }
  Matrix<T const> joined_a(int in) const {
    return Matrix<T const>(weights().data() + offset(first(in)), joined_rank(in), spec(first(in)).columns);
  }
  Matrix<T const> b(int t) const { return Base::mat(t + 6); }
  // f(matrix, its columns of u, the first of its columns of y) for each adapted matrix that reads `in`.
  template <class F>
  void each(int in, F const& f, Matrix<T> u) const {
    std::int64_t r = 0, column = 0;
    for (int t = begin(in); t < end(in); ++t) {
      if (spec(t).size() > 0) f(t, u.columns(r, lora_.rank), column), r += lora_.rank;
      column += this->C();  // q, k and v are of one width
    }
  }

  LoraConfig lora_;
};

namespace nn {
/// The adapter of a block; null where it has none, or where its type cannot have one.
template <class K>
auto adapter_of(K& block) {
  if constexpr (requires { block.adapter(); }) {
    return block.adapter();
  } else {
    return static_cast<LoraAdapter<typename K::scalar> const*>(nullptr);
  }
}
}  // namespace nn

}  // namespace gt

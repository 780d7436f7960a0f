// SPDX-License-Identifier: MIT
// The tensors of a block in one buffer: all that BlockLike asks of a block beside its arithmetic.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "gt/base/philox.hpp"
#include "gt/core/arena.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/parameter.hpp"
#include "gt/core/scalar.hpp"
#include "gt/core/view.hpp"
#include "gt/nn/block_config.hpp"
#include "gt/nn/block_like.hpp"

namespace gt::inline GT_ABI {

/// `Count` named tensors that lie one behind the other, each trainable or frozen, with their initialisation. A block of
/// one's own derives from it, and adds `tensors(config)`, `Activations`, `activations`, `forward`, `backward_scratch`
/// and `backward`; see BlockLike, and examples/09_own_block.cpp.
///
///     template <class T>
///     struct Mine : gt::BlockTensors<T, 2> {
///       enum Tensor : int { w, b };
///       static constexpr std::array<gt::TensorSpec, 2> tensors(gt::BlockConfig c) {
///         return {{{"weight", c.d_model, c.d_model, gt::Fill::residual}, {"bias", c.d_model, 0, gt::Fill::zero}}};
///       }
///       explicit Mine(gt::BlockConfig c) : gt::BlockTensors<T, 2>(c, tensors(c)) {}
///       ...
///     };
template <class T, int Count>
class BlockTensors {
 public:
  using scalar = T;                           ///< of weights and activations
  static constexpr int tensor_count = Count;  ///< those of no elements included

  /// All weights zero, all tensors frozen; `specs` in the order of the buffer.
  BlockTensors(BlockConfig config, std::array<TensorSpec, static_cast<std::size_t>(Count)> const& specs)
      : config_{config}, specs_{specs} {
    std::int64_t size = 0;
    for (int i = 0; i < Count; ++i) offsets_[index(i)] = std::exchange(size, size + spec(i).size());
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

  /// By `spec(i).fill`: zeros, ones, or N(0, 0.02^2) numbers; `residual` ones, of projections onto the residual stream,
  /// are scaled by 1 / sqrt(2 final_depth) as in GPT-2, or are zero for an identity block. Keyed by (seed, index of the
  /// block, tensor).
  void initialise(Seed seed, int block_index, int final_depth, BlockInit init) {
    weights_.unshare();
    double const residual = init == BlockInit::identity ? 0.0 : 1.0 / std::sqrt(2.0 * std::max(1, final_depth));
    for (int i = 0; i < Count; ++i) {
      Random const random(seed, Purpose::init, static_cast<std::uint32_t>(block_index + 1),
                          static_cast<std::uint32_t>(i));
      Fill const fill = spec(i).fill;
      double const scale = fill == Fill::normal ? 0.02 : 0.02 * residual;
      for (std::int64_t j = 0; j < spec(i).size(); ++j) {
        bool const drawn = fill == Fill::normal || fill == Fill::residual;
        double const value = drawn ? scale * random.normal(static_cast<std::uint64_t>(j)) : fill == Fill::one ? 1 : 0;
        weights_[offset(i) + j] = T(static_cast<real>(value));
      }
    }
  }

 protected:
  std::int64_t C() const { return config_.d_model; }  ///< width of the residual stream
  /// Memory for one matrix of activations, [B * T, C].
  Matrix<T> take(Arena& arena, BatchShape s) const { return Matrix<T>(arena.take<T>(s.rows() * C()), s.rows(), C()); }
  /// Tensor t as a matrix.
  Matrix<T const> mat(int t) const {
    return Matrix<T const>(weights_.data() + offset(t), spec(t).rows, spec(t).columns);
  }
  /// Tensor t as a vector; null where it has no elements.
  Vector<T const> vec(int t) const {
    return spec(t).size() > 0 ? Vector<T const>(weights_.data() + offset(t), spec(t).rows) : Vector<T const>{};
  }
  /// Where the gradient of tensor t is added in a buffer laid out like the weights; null where t does not train, which
  /// the backward of every op skips.
  Matrix<T> dmat(Buffer<T> const& gradient, int t) const {
    return is_trainable(t) ? Matrix<T>(gradient.data() + offset(t), spec(t).rows, spec(t).columns) : Matrix<T>{};
  }
  /// The same of a vector.
  Vector<T> dvec(Buffer<T> const& gradient, int t) const {
    return is_trainable(t) ? Vector<T>(gradient.data() + offset(t), spec(t).rows) : Vector<T>{};
  }

 private:
  using real = ops::RealOf<T>;
  static constexpr std::size_t index(int i) { return static_cast<std::size_t>(i); }

  BlockConfig config_;
  std::array<TensorSpec, static_cast<std::size_t>(Count)> specs_;
  std::array<std::int64_t, static_cast<std::size_t>(Count)> offsets_{};
  std::array<bool, static_cast<std::size_t>(Count)> trainable_{};
  Buffer<T> weights_;
};

}  // namespace gt

// SPDX-License-Identifier: MIT
// A low-rank correction of an ensemble's logits, read from the states of all of its experts.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/philox.hpp"
#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/parameter.hpp"
#include "gt/core/scalar.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/linear.hpp"

namespace gt::inline GT_ABI {

/// What makes a new FusionAdapter.
struct FusionOptions {
  int rank = 16;  ///< r: r (N C + V) numbers train
  Seed seed{};    ///< of the numbers that are drawn
};

/// z += U a,   a = sum_i D_i h_i
/// of the states h_i of N experts behind their final norms. U is zero at first: a fresh adapter changes no logit.
/// Shapes: h_i [M, C], D_i [r, C] (`down`), U [V, r] (`up`), a [M, r], z [M, V]. Copies share the numbers.
/// Source: arXiv:2507.07129v1 has an adapter on the experts' logits without saying which; of V x N V it cannot be. This
/// one is LoRA's pair of factors (arXiv:2106.09685, section 4.1) on what the logits are made of.
template <class T = float>
class FusionAdapter {
 public:
  using scalar = T;  ///< of its numbers

  /// D_i drawn from N(0, 1 / (N C)), so that a is about as large as a state is; U zero.   Errors: a size below 1.
  FusionAdapter(int experts, std::int64_t d_model, std::int64_t vocab, FusionOptions const& options = {})
      : experts_{experts}, rank_{options.rank}, d_model_{d_model}, vocab_{vocab} {
    check(experts >= 1 && d_model >= 1 && vocab >= 1, "FusionAdapter",
          "there must be experts, a width and a vocabulary (got ", experts, ", ", d_model, " and ", vocab, ")");
    check(options.rank >= 1, "FusionAdapter", "the rank must be 1 or more (got ", options.rank, ")");
    numbers_ = Buffer<T>(rank_ * (experts_ * d_model_ + vocab_));
    Random const random(options.seed, Purpose::init, 0xF5104);  // a stream that no block and no head draws from
    double const deviation = 1 / std::sqrt(static_cast<double>(experts_ * d_model_));
    for (std::int64_t i = 0; i < rank_ * experts_ * d_model_; ++i) {
      double const drawn = deviation * random.normal(static_cast<std::uint64_t>(i));
      numbers_[i] = T(static_cast<decltype(ops::real_part(T{}))>(drawn));
    }
  }

  int experts() const { return static_cast<int>(experts_); }  ///< N
  int rank() const { return static_cast<int>(rank_); }        ///< r
  std::int64_t d_model() const { return d_model_; }           ///< C
  std::int64_t vocab() const { return vocab_; }               ///< V
  /// D of expert i, [r, C].
  Matrix<T> down(int i) const { return Matrix<T>(numbers_.data() + i * rank_ * d_model_, rank_, d_model_); }
  /// U, [V, r].
  Matrix<T> up() const { return Matrix<T>(numbers_.data() + experts_ * rank_ * d_model_, vocab_, rank_); }
  Buffer<T> const& buffer() const { return numbers_; }  ///< D_0 ... D_(N-1), then U
  /// Its tensors, by the names they are saved under.
  std::vector<Parameter<T>> parameters() const {
    std::vector<Parameter<T>> all;
    for (int i = 0; i < experts(); ++i)
      all.push_back({text("fusion.down.", i, ".weight"), {rank_, d_model_}, down(i).data(), true});
    all.push_back({"fusion.up.weight", {vocab_, rank_}, up().data(), true});
    return all;
  }
  /// An adapter with numbers of its own.
  FusionAdapter clone() const {
    FusionAdapter copy = *this;
    copy.numbers_ = numbers_.clone();
    return copy;
  }

 private:
  std::int64_t experts_, rank_, d_model_, vocab_;
  Buffer<T> numbers_;
};

/// a = sum_i D_i h_i
/// Shapes: h: N times [M, C], a [M, r].
template <Backend B, class T, class State>
void fusion_down(B const& on, FusionAdapter<T> const& adapter, std::vector<Matrix<State>> const& h, Matrix<T> a) {
  for (int i = 0; i < adapter.experts(); ++i)
    ops::linear<B, T>(on, h[static_cast<std::size_t>(i)], adapter.down(i), {}, a, i > 0 ? a : Matrix<T>{});
}
/// z += U a
/// Shapes: a [M, r], z [M, V].
template <Backend B, class T>
void fusion_up(B const& on, FusionAdapter<T> const& adapter, In<Matrix<T const>> a, Matrix<T> z) {
  ops::linear<B, T>(on, a, adapter.up(), {}, z, z);
}

}  // namespace gt

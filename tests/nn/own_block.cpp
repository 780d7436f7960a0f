// SPDX-License-Identifier: MIT
// Blocks of one's own: their tensors, and that a model trains them, grows with them and feeds them as it does Block.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/infer/session.hpp"
#include "gt/nn/block_tensors.hpp"
#include "gt/ops/gelu.hpp"
#include "gt/ops/residual.hpp"
#include "gt/train/trainer.hpp"
#include "support/complex_step.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace own_block_test {

using gt::Arena, gt::Backend, gt::BatchShape, gt::Block, gt::BlockConfig, gt::BlockInit, gt::BlockLike,
    gt::BlockTensors;
using gt::Buffer, gt::Cpu, gt::Fill, gt::KvCache, gt::Matrix, gt::Ref, gt::ops::RopeTable, gt::TensorSpec, gt::Vector;
using gt::test::bit_equal, gt::test::ids_below;

namespace {

constexpr BlockConfig tiny{.d_model = 16, .heads = 2};
constexpr BatchShape shape{2, 8};
constexpr std::int64_t V = 29;

/// y = x + W gelu(e) + c,   e_t = (norm(x)_t + e_{t-1}) / 2
template <class T>
struct Echo : BlockTensors<T, 4> {
  enum Tensor : int { g, b, w, c };
  static constexpr std::array<TensorSpec, 4> tensors(BlockConfig config) {
    std::int64_t const C = config.d_model;
    return {{{"norm.weight", C, 0, Fill::one},
             {"norm.bias", C, 0, Fill::zero},
             {"mix.weight", C, C, Fill::residual},
             {"mix.bias", C, 0, Fill::zero}}};
  }
  explicit Echo(BlockConfig config) : BlockTensors<T, 4>(config, tensors(config)) {}
  using BlockTensors<T, 4>::vec, BlockTensors<T, 4>::mat, BlockTensors<T, 4>::dvec, BlockTensors<T, 4>::dmat;

  struct Activations {
    Matrix<T> norm, e, act;
    Vector<T> mean, rstd;
  };
  Activations activations(Arena& arena, BatchShape s) const {
    auto const vector = [&] { return Vector<T>(arena.take<T>(s.rows()), s.rows()); };
    return {this->take(arena, s), this->take(arena, s), this->take(arena, s), vector(), vector()};
  }
  void forward(Backend auto const& on, Matrix<T const> x, Activations& a, Matrix<T> y, BatchShape s,
               RopeTable<T> const&, KvCache<T>* cache = nullptr, std::int64_t first = 0) const {
    gt::ops::layer_norm(on, x, vec(g), vec(b), a.norm, a.mean, a.rstd, this->config().norm_eps);
    for (std::int64_t i = 0; i < s.rows(); ++i) {
      T const* const past = i % s.tokens > 0 ? a.e.row(i - 1) : first > 0 ? cache->kv.row(first - 1) : nullptr;
      for (std::int64_t j = 0; j < this->C(); ++j) a.e(i, j) = (a.norm(i, j) + (past ? past[j] : T{})) / T(2);
      if (cache) std::copy_n(a.e.row(i), this->C(), cache->kv.row(first + i % s.tokens));
    }
    gt::ops::gelu(on, a.e, a.act);
    gt::ops::linear(on, a.act, mat(w), vec(c), a.norm);
    gt::ops::residual_add(on, a.norm, x, y);
  }
  void backward_scratch(Arena& arena, BatchShape s) const { this->take(arena, s); }
  void backward(Backend auto const& on, Matrix<T> d, Matrix<T const> x, Activations const& a, Buffer<T> const& gradient,
                BatchShape s, RopeTable<T> const&, Arena& arena, bool needs_dx) const {
    std::int64_t const mark = arena.mark();
    Matrix<T> const de = this->take(arena, s);
    gt::ops::linear_backward(on, d, a.act, mat(w), de, dmat(gradient, w), dvec(gradient, c));
    gt::ops::gelu_backward(on, de, a.e, de);
    for (std::int64_t i = s.rows() - 1; i >= 0; --i) {
      T const* const next = (i + 1) % s.tokens > 0 ? de.row(i + 1) : nullptr;
      for (std::int64_t j = 0; j < this->C(); ++j) de(i, j) = (de(i, j) + (next ? next[j] : T{})) / T(2);
    }
    gt::ops::layer_norm_backward(on, de, x, vec(g), a.mean, a.rstd, d, needs_dx ? d : Matrix<T>{}, dvec(gradient, g),
                                 dvec(gradient, b));
    arena.release(mark);
  }
};
/// y = x + W_down p,   p = gelu(W_gate x) * W_up x,  whose backward pass needs more memory than gt's block.
template <class T>
struct Gated : BlockTensors<T, 3> {
  enum Tensor : int { gate, up, down };
  static constexpr std::array<TensorSpec, 3> tensors(BlockConfig config) {
    std::int64_t const C = config.d_model, F = config.ff();
    return {{{"gate.weight", F, C, Fill::normal},
             {"up.weight", F, C, Fill::normal},
             {"down.weight", C, F, Fill::residual}}};
  }
  explicit Gated(BlockConfig config) : BlockTensors<T, 3>(config, tensors(config)) {}
  using BlockTensors<T, 3>::mat, BlockTensors<T, 3>::dmat;

  struct Activations {
    Matrix<T> gated, upward, act, p, out;
  };
  Activations activations(Arena& arena, BatchShape s) const {
    return {wide(arena, s), wide(arena, s), wide(arena, s), wide(arena, s), this->take(arena, s)};
  }
  void forward(Backend auto const& on, Matrix<T const> x, Activations& a, Matrix<T> y, BatchShape, RopeTable<T> const&,
               KvCache<T>* = nullptr, std::int64_t = 0) const {
    gt::ops::linear(on, x, mat(gate), {}, a.gated);
    gt::ops::linear(on, x, mat(up), {}, a.upward);
    gt::ops::gelu(on, a.gated, a.act);
    each(a.p, [&](std::int64_t i, std::int64_t j) { a.p(i, j) = a.act(i, j) * a.upward(i, j); });
    gt::ops::linear(on, a.p, mat(down), {}, a.out);
    gt::ops::residual_add(on, a.out, x, y);
  }
  void backward_scratch(Arena& arena, BatchShape s) const { scratch(arena, s); }
  void backward(Backend auto const& on, Matrix<T> d, Matrix<T const> x, Activations const& a, Buffer<T> const& gradient,
                BatchShape s, RopeTable<T> const&, Arena& arena, bool) const {
    std::int64_t const mark = arena.mark();
    auto const [dp, d_gate, d_up, dx] = scratch(arena, s);
    gt::ops::linear_backward(on, d, a.p, mat(down), dp, dmat(gradient, down), {});
    each(dp, [&, &dp = dp, &d_gate = d_gate, &d_up = d_up](std::int64_t i, std::int64_t j) {
      d_gate(i, j) = dp(i, j) * a.upward(i, j), d_up(i, j) = dp(i, j) * a.act(i, j);
    });
    gt::ops::gelu_backward(on, d_gate, a.gated, d_gate);
    gt::ops::linear_backward(on, d_gate, x, mat(gate), dx, dmat(gradient, gate), {});
    gt::ops::residual_add(on, d, dx, d);
    gt::ops::linear_backward(on, d_up, x, mat(up), dx, dmat(gradient, up), {});
    gt::ops::residual_add(on, d, dx, d);
    arena.release(mark);
  }

 private:
  struct Scratch {
    Matrix<T> dp, d_gate, d_up, dx;
  };
  Matrix<T> wide(Arena& arena, BatchShape s) const {
    return Matrix<T>(arena.take<T>(s.rows() * this->config().ff()), s.rows(), this->config().ff());
  }
  Scratch scratch(Arena& arena, BatchShape s) const {
    return {wide(arena, s), wide(arena, s), wide(arena, s), this->take(arena, s)};
  }
  template <class F>
  static void each(Matrix<T> of, F const& f) {
    for (std::int64_t i = 0; i < of.rows(); ++i)
      for (std::int64_t j = 0; j < of.columns(); ++j) f(i, j);
  }
};
template <class T>
using Model = gt::Transformer<Echo<T>>;

struct Silent : BlockTensors<float, 4> {  // a near miss: tensors without arithmetic
  static constexpr auto tensors(BlockConfig config) { return Echo<float>::tensors(config); }
  explicit Silent(BlockConfig config) : BlockTensors(config, tensors(config)) {}
};
static_assert(BlockLike<Echo<float>> && BlockLike<Echo<std::complex<double>>> && BlockLike<Gated<float>>);
static_assert(gt::nn::BlockHasNamedTensors<Silent> && gt::nn::BlockFreezesByTensor<Silent> &&
              gt::nn::BlockInitialises<Silent>);
static_assert(!gt::nn::BlockLaysOutActivations<Silent> && !BlockLike<Silent>);

template <class T, template <class> class B = Echo>
gt::Transformer<B<T>> model_of(int depth) {
  gt::Transformer<B<T>> model(gt::test::substrate_of(V, 8), tiny, gt::seed(3), {.context = 8});
  model.append(depth);
  gt::test::scramble(model);
  return model;
}
std::vector<std::int32_t> const ids = ids_below(V, shape.rows(), 1), targets = ids_below(V, shape.rows(), 2);

/// The gradient of each tensor of the blocks of a model is that by the complex step.
template <template <class> class B>
void gradients_agree() {
  auto model = model_of<double, B>(2);
  gt::test::train_all(model);
  gt::Trainer trainer(Ref{}, model, shape);
  trainer.forward_backward(ids, targets);
  for (int l = 0; l < 2; ++l) {
    CAPTURE(l);
    auto const at = model.blocks()[static_cast<std::size_t>(l)].weights().span();
    auto const loss = [&](std::vector<std::complex<double>> const& z) {
      auto other = model_of<std::complex<double>, B>(2);
      std::copy(z.begin(), z.end(), other.blocks()[static_cast<std::size_t>(l)].weights().begin());
      std::complex<double> sum;
      for (auto const nll : gt::test::losses(Ref{}, other, ids, targets, shape)) sum += nll;
      return sum / static_cast<double>(shape.rows());
    };
    auto const exact = gt::test::complex_step(loss, {at.begin(), at.end()});
    auto const g = trainer.block_gradient(l).span();
    CHECK(gt::test::close({g.begin(), g.end()}, exact, 1e-10));
  }
}

}  // namespace

TEST_CASE("BlockTensors: with the tensors of Block it lies, freezes and starts as Block does") {
  struct Twin : BlockTensors<float, 16> {
    explicit Twin(BlockConfig config) : BlockTensors(config, Block<>::tensors(config)) {}
    using BlockTensors::dmat, BlockTensors::dvec, BlockTensors::mat, BlockTensors::vec;
  };
  constexpr BlockConfig without_bias{.d_model = 16, .heads = 2, .qkv_bias = false};
  for (auto const init : {BlockInit::random, BlockInit::identity}) {
    Block<> block(tiny);
    Twin twin(tiny);
    block.initialise(gt::seed(5), 3, 9, init), twin.initialise(gt::seed(5), 3, 9, init);
    CHECK(bit_equal<float>(block.weights().span(), twin.weights().span()));
    for (int t = 0; t < Twin::tensor_count; ++t) {
      CHECK(twin.offset(t) == block.offset(t));
      CHECK_FALSE(twin.is_trainable(t));
    }
  }
  Twin twin(without_bias);
  int const fc_w = Block<>::fc_w, fc_b = Block<>::fc_b, q_b = Block<>::q_b;
  Buffer<float> const gradient(twin.weights().size());
  CHECK((twin.mat(fc_w).rows() == 64 && twin.mat(fc_w).data() == twin.weights().data() + twin.offset(fc_w)));
  CHECK((twin.vec(fc_b).extent(0) == 64 && twin.vec(q_b).is_null()));  // a tensor of no elements is none
  CHECK((twin.dmat(gradient, fc_w).is_null() && twin.dvec(gradient, fc_b).is_null()));
  for (int const t : {fc_w, fc_b, q_b}) twin.set_trainable(t, true);
  CHECK(twin.dmat(gradient, fc_w).data() == gradient.data() + twin.offset(fc_w));
  CHECK(twin.dvec(gradient, fc_b).data() == gradient.data() + twin.offset(fc_b));
  CHECK((!twin.is_trainable(q_b) && twin.dvec(gradient, q_b).is_null()));
}

TEST_CASE("a block of one's own: the gradient of each of its tensors through a model by the complex step") {
  gradients_agree<Echo>();
}

TEST_CASE("a block of one's own: has the scratch memory that it asks for, more than gt's block takes") {
  auto const bytes = [](auto const& block) {
    return gt::measure([&](Arena& arena) { block.backward_scratch(arena, shape); });
  };
  REQUIRE(bytes(Gated<double>(tiny)) > 2 * bytes(Block<double>(tiny)));
  gradients_agree<Gated>();
}

TEST_CASE_TEMPLATE("a block of one's own: fed token by token it gives the bits of the whole", On, Ref, Cpu<>) {
  auto const model = model_of<float>(2);
  gt::Session<On, Model<float>> whole(On{}, model), parts(On{}, model);
  auto const eight = std::span(ids).first(8);
  auto const expected = whole.feed(eight);
  parts.feed(eight.first(3));
  for (std::size_t i = 3; i < 7; ++i) parts.feed(eight.subspan(i, 1));
  CHECK(bit_equal(parts.feed(eight.last(1)), expected));
}

TEST_CASE("a block of one's own: freezes by name; new ones as the identity change no logit") {
  auto model = model_of<float>(1);
  auto const before = gt::test::logits(Cpu<>(2), model, ids, shape);
  model.append(2, BlockInit::identity);
  CHECK(bit_equal(gt::test::logits(Cpu<>(2), model, ids, shape), before));
  CHECK(model.set_trainable("model.layers.2.mix.*", true) == 2);
  auto const was = gt::test::weights_of(model);
  gt::Trainer trainer(Cpu<>(2), model, shape);
  trainer.step(ids, targets, 1e-3);
  CHECK(gt::test::changes(was, gt::test::weights_of(model)) ==
        std::vector<std::string>{"model.layers.2.mix.weight", "model.layers.2.mix.bias"});
}

}  // namespace own_block_test

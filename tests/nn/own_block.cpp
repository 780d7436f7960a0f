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
using gt::Buffer, gt::Cpu, gt::Fill, gt::KvCache, gt::Matrix, gt::Ref, gt::RopeTable, gt::TensorSpec, gt::Vector;
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
    layer_norm(on, x, vec(g), vec(b), a.norm, a.mean, a.rstd, this->config().norm_eps);
    for (std::int64_t i = 0; i < s.rows(); ++i) {
      T const* const past = i % s.tokens > 0 ? a.e.row(i - 1) : first > 0 ? cache->kv.row(first - 1) : nullptr;
      for (std::int64_t j = 0; j < this->C(); ++j) a.e(i, j) = (a.norm(i, j) + (past ? past[j] : T{})) / T(2);
      if (cache) std::copy_n(a.e.row(i), this->C(), cache->kv.row(first + i % s.tokens));
    }
    gelu(on, a.e, a.act);
    linear(on, a.act, mat(w), vec(c), a.norm);
    residual_add(on, a.norm, x, y);
  }
  void backward(Backend auto const& on, Matrix<T> d, Matrix<T const> x, Activations const& a, Buffer<T> const& gradient,
                BatchShape s, RopeTable<T> const&, Arena& arena, bool needs_dx) const {
    std::int64_t const mark = arena.mark();
    Matrix<T> const de = this->take(arena, s);
    linear_backward(on, d, a.act, mat(w), de, dmat(gradient, w), dvec(gradient, c));
    gelu_backward(on, de, a.e, de);
    for (std::int64_t i = s.rows() - 1; i >= 0; --i) {
      T const* const next = (i + 1) % s.tokens > 0 ? de.row(i + 1) : nullptr;
      for (std::int64_t j = 0; j < this->C(); ++j) de(i, j) = (de(i, j) + (next ? next[j] : T{})) / T(2);
    }
    layer_norm_backward(on, de, x, vec(g), a.mean, a.rstd, d, needs_dx ? d : Matrix<T>{}, dvec(gradient, g),
                        dvec(gradient, b));
    arena.release(mark);
  }
};
template <class T>
using Model = gt::Transformer<Echo<T>>;

struct Silent : BlockTensors<float, 4> {  // a near miss: tensors without arithmetic
  static constexpr auto tensors(BlockConfig config) { return Echo<float>::tensors(config); }
  explicit Silent(BlockConfig config) : BlockTensors(config, tensors(config)) {}
};
static_assert(BlockLike<Echo<float>> && BlockLike<Echo<std::complex<double>>>);
static_assert(gt::BlockHasNamedTensors<Silent> && gt::BlockFreezesByTensor<Silent> && gt::BlockInitialises<Silent>);
static_assert(!gt::BlockLaysOutActivations<Silent> && !BlockLike<Silent>);

template <class T>
Model<T> model_of(int depth) {
  Model<T> model(gt::test::substrate_of(V, 8), tiny, gt::seed(3), {.context = 8});
  model.append(depth);
  gt::test::scramble(model);
  return model;
}
std::vector<std::int32_t> const ids = ids_below(V, shape.rows(), 1), targets = ids_below(V, shape.rows(), 2);

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
  auto model = model_of<double>(2);
  gt::test::train_all(model);
  gt::Trainer trainer(Ref{}, model, shape);
  trainer.forward_backward(ids, targets);
  for (int l = 0; l < 2; ++l) {
    CAPTURE(l);
    auto const at = model.blocks()[static_cast<std::size_t>(l)].weights().span();
    auto const loss = [&](std::vector<std::complex<double>> const& z) {
      auto other = model_of<std::complex<double>>(2);
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

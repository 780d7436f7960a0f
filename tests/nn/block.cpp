// SPDX-License-Identifier: MIT
// A block alone: its gradients by the complex step, its tensors, how it starts, and what freezing does.
#include "gt/nn/block.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/core/arena.hpp"
#include "support/complex_step.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace block_test {

using gt::Arena, gt::BatchShape, gt::Block, gt::BlockConfig, gt::BlockInit, gt::Buffer, gt::Ref, gt::ops::RopeTable;
using gt::test::bit_equal, gt::test::close, gt::test::Complex, gt::test::complex_step, gt::test::dot, gt::test::Grid;
using gt::test::normal, gt::test::Numbers;

namespace {

constexpr BlockConfig full{.d_model = 8, .heads = 2};
constexpr BlockConfig without_biases{.d_model = 8, .heads = 2, .d_ff = 12, .qkv_bias = false, .out_bias = false};
constexpr BatchShape shape{2, 3};

/// Weights, of which gains are around 1.
template <class B>
Numbers weights_for(B const& block) {
  auto w = normal(block.weights().size(), 1);
  for (double& x : w) x *= 0.25;
  for (int const gain : {B::norm1_g, B::norm2_g}) {
    for (std::int64_t i = 0; i < block.spec(gain).size(); ++i) w[static_cast<std::size_t>(block.offset(gain) + i)] += 1;
  }
  return w;
}

template <class T>
struct Pass {
  Block<T> block;
  RopeTable<T> rotary{shape.tokens, block.config().d_head(), block.config().rope_base};
  Arena arena{1 << 20};
  typename Block<T>::Activations saved = block.activations(arena, shape);
  Grid<T> x, y{shape.rows(), block.config().d_model};

  template <class U, class W>
  Pass(BlockConfig config, std::vector<U> const& inputs, std::vector<W> const& weights)
      : block(config), x(inputs, shape.rows(), config.d_model) {
    for (std::size_t i = 0; i < weights.size(); ++i) block.weights()[static_cast<std::int64_t>(i)] = T(weights[i]);
    block.forward(Ref{}, x.view(), saved, y.view(), shape, rotary);
  }
};

void gradients_agree(BlockConfig config) {
  auto const x = normal(shape.rows() * config.d_model, 2), dy = normal(shape.rows() * config.d_model, 3);
  auto const w = weights_for(Block<double>(config));
  auto const loss = [&](auto const& inputs, auto const& weights) {
    return dot(dy, Pass<Complex>(config, inputs, weights).y.elements());
  };
  auto const dx = complex_step([&](auto const& z) { return loss(z, w); }, x);
  auto const dw = complex_step([&](auto const& z) { return loss(x, z); }, w);

  Pass<double> pass(config, x, w);
  pass.block.unfreeze();
  auto const backward = [&](bool needs_dx) {
    Buffer<double> gradient(pass.block.weights().size());
    std::fill(gradient.begin(), gradient.end(), 0.5);  // gradients are added
    Grid<double> const d(dy, shape.rows(), config.d_model);
    pass.block.backward(Ref{}, d.view(), pass.x.view(), pass.saved, gradient, shape, pass.rotary, pass.arena, needs_dx);
    if (needs_dx) CHECK(close(d.values(), dx, 1e-10));
    return gradient;
  };
  auto const gradient = backward(true);
  for (int t = 0; t < pass.block.tensor_count; ++t) {
    auto const begin = pass.block.offset(t), end = begin + pass.block.spec(t).size();
    CAPTURE(pass.block.spec(t).name);
    Numbers actual(gradient.begin() + begin, gradient.begin() + end);
    for (double& g : actual) g -= 0.5;
    Numbers const exact(dw.begin() + begin, dw.begin() + end);
    CHECK((exact.empty() || gt::test::max_abs(exact) > 1e-3));
    CHECK(close(actual, exact, 1e-10));
  }
  CHECK(bit_equal<double>(backward(false).span(), gradient.span()));
}

}  // namespace

TEST_CASE("Block: gradients of x and of every tensor by the complex step") {
  SUBCASE("with all biases") { gradients_agree(full); }
  SUBCASE("without biases of queries, keys, values and output; F of its own") { gradients_agree(without_biases); }
}

TEST_CASE("Block: the gradient of a tensor does not depend on what else trains") {
  auto const w = weights_for(Block<double>(full));
  Pass<double> pass(full, normal(shape.rows() * 8, 2), w);
  auto const gradient = [&] {
    Buffer<double> g(pass.block.weights().size());
    Grid<double> const d(normal(shape.rows() * 8, 3), shape.rows(), 8);
    pass.block.backward(Ref{}, d.view(), pass.x.view(), pass.saved, g, shape, pass.rotary, pass.arena, false);
    return g;
  };
  pass.block.unfreeze();
  auto const all = gradient();
  for (int t = 0; t < pass.block.tensor_count; ++t) {
    CAPTURE(pass.block.spec(t).name);
    pass.block.freeze();
    CHECK(!gt::nn::any_trainable(pass.block));
    pass.block.set_trainable(t, true);
    CHECK(gt::nn::any_trainable(pass.block));
    auto const begin = static_cast<std::size_t>(pass.block.offset(t));
    auto const size = static_cast<std::size_t>(pass.block.spec(t).size());
    CHECK(bit_equal<double>(gradient().span().subspan(begin, size), all.span().subspan(begin, size)));
  }
}

TEST_CASE("Block: y may be x, and nothing is left of a frozen pass") {
  auto const x = normal(shape.rows() * 8, 2);
  Pass<double> apart(full, x, weights_for(Block<double>(full)));
  Grid<double> const both(x, shape.rows(), 8);
  apart.block.forward(Ref{}, both.view(), apart.saved, both.view(), shape, apart.rotary);
  CHECK(bit_equal(both.elements(), apart.y.elements()));
}

TEST_CASE("Block: its tensors lie one behind the other, as many numbers as the config says") {
  auto const fits = [](BlockConfig c) {
    Block<> const block(c);
    std::int64_t next = 0;
    for (int t = 0; t < block.tensor_count; ++t) {
      CHECK(block.offset(t) == next);
      next += block.spec(t).size();
    }
    CHECK(next == c.parameters());
    CHECK(block.weights().size() == c.parameters());
  };
  fits(full);
  fits(without_biases);
  constexpr BlockConfig odd{.d_model = 12, .heads = 3, .d_ff = 7, .qkv_bias = false};
  fits(odd);
  static_assert(full.parameters() == 12 * 64 + 13 * 8);
  constexpr BlockConfig rms{.d_model = 8, .heads = 2, .norm = gt::Norm::rms};
  fits(rms);
  static_assert(rms.parameters() == 12 * 64 + 11 * 8);
  static_assert(odd.parameters() == 4 * 144 + 2 * 12 * 7 + 12 + 7 + 12 + 4 * 12);  // o_b, fc_b, proj_b, two norms
}

TEST_CASE("Block: starts with N(0, 0.02^2), the projections onto the residual stream scaled by depth or zero") {
  using Wide = Block<>;
  Wide block(BlockConfig{.d_model = 64, .heads = 4});
  auto const numbers = [&](int t) {
    auto const* begin = block.weights().data() + block.offset(t);
    return std::vector<float>(begin, begin + block.spec(t).size());
  };
  auto const deviation = [&](int t) {
    double sum = 0;
    for (float const x : numbers(t)) sum += double{x} * double{x};
    return std::sqrt(sum / static_cast<double>(block.spec(t).size()));
  };
  auto const all = [&](int t, float value) {
    auto const x = numbers(t);
    return std::all_of(x.begin(), x.end(), [=](float v) { return v == value; });
  };
  block.initialise(gt::seed(1), 0, 8, BlockInit::random);
  for (int const t : {Wide::q_w, Wide::k_w, Wide::v_w, Wide::fc_w})
    CHECK(deviation(t) == doctest::Approx(0.02).epsilon(0.05));  // of 4,096 numbers: 5 standard errors
  for (int const t : {Wide::o_w, Wide::proj_w}) CHECK(deviation(t) == doctest::Approx(0.02 / 4).epsilon(0.05));
  for (int const t : {Wide::norm1_g, Wide::norm2_g}) CHECK(all(t, 1));
  for (int const t :
       {Wide::norm1_b, Wide::norm2_b, Wide::q_b, Wide::k_b, Wide::v_b, Wide::o_b, Wide::fc_b, Wide::proj_b})
    CHECK(all(t, 0));
  CHECK(numbers(Wide::q_w) != numbers(Wide::k_w));

  auto const first = block.weights().clone();
  block.initialise(gt::seed(1), 0, 8, BlockInit::random);
  CHECK(bit_equal<float>(block.weights().span(), first.span()));
  block.initialise(gt::seed(1), 1, 8, BlockInit::random);
  CHECK(!bit_equal<float>(block.weights().span(), first.span()));
  block.initialise(gt::seed(2), 0, 8, BlockInit::random);
  CHECK(!bit_equal<float>(block.weights().span(), first.span()));
  block.initialise(gt::seed(1), 0, 8, BlockInit::identity);
  CHECK((all(Wide::o_w, 0) && all(Wide::proj_w, 0) && !all(Wide::q_w, 0)));
}

TEST_CASE("Block: its shape is checked when it is made") {
  CHECK(Block<>(BlockConfig{.d_model = 12, .heads = 3}).weights().size() == 12 * 144 + 13 * 12);
  CHECK_THROWS_WITH_AS(Block<>(BlockConfig{.d_model = 96, .heads = 5}),
                       "gt: BlockConfig: the heads must divide the width (got 5 heads for a width of 96); try 3",
                       gt::Error);
  CHECK_THROWS_WITH_AS(Block<>(BlockConfig{.d_model = 100, .heads = 3}),
                       "gt: BlockConfig: the heads must divide the width (got 3 heads for a width of 100); try 2",
                       gt::Error);
  CHECK_THROWS_WITH_AS(Block<>(BlockConfig{.d_model = 12, .heads = 4}),
                       "gt: BlockConfig: rotary positions need an even head width (got 3); try 3 heads", gt::Error);
  CHECK_THROWS_WITH_AS(Block<>(BlockConfig{.d_model = 9, .heads = 3}),
                       "gt: BlockConfig: rotary positions need an even width (got 9); try 8", gt::Error);
  for (int width = 2; width <= 200; width += 2) {  // what it says fits
    for (int heads = 1; heads <= width; ++heads) {
      int const fits = gt::detail::heads_that_fit({.d_model = width, .heads = heads});
      CHECK((width % fits == 0 && width / fits % 2 == 0));
    }
  }
  CHECK_THROWS_WITH_AS(Block<>(BlockConfig{.d_model = 0, .heads = 3}),
                       "gt: BlockConfig: the width must be positive (got 0)", gt::Error);
  CHECK_THROWS_WITH_AS(Block<>(BlockConfig{.d_model = 8, .heads = 0}), doctest::Contains("got 0 heads"), gt::Error);
  CHECK_THROWS_WITH_AS(Block<>(BlockConfig{.d_model = 8, .heads = 2, .d_ff = -4}),
                       "gt: BlockConfig: the width of the MLP must not be negative (got -4)", gt::Error);
}

}  // namespace block_test

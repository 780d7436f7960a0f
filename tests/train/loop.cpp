// SPDX-License-Identifier: MIT
// A loop of one's own: forward and backward as two calls, a loss of one's own, a state that another trainer takes over.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/ops/linear.hpp"
#include "gt/train/trainer.hpp"
#include "support/complex_step.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace loop_test {

using gt::BatchShape, gt::BlockConfig, gt::Buffer, gt::Cpu, gt::Error, gt::Ref, gt::Trainer, gt::Transformer;
using gt::test::bit_equal, gt::test::changes, gt::test::close, gt::test::ids_below, gt::test::scrambled,
    gt::test::weights_of;

namespace {

constexpr BlockConfig tiny{.d_model = 16, .heads = 2};
constexpr std::int64_t V = 29, C = 16;
constexpr BatchShape shape{2, 8};
std::vector<std::int32_t> const ids = ids_below(V, shape.rows(), 1), targets = ids_below(V, shape.rows(), 2);

template <class T = float>
Transformer<gt::Block<T>> model_of_three() {
  auto model = scrambled<T>(tiny, 3, V, {.context = 8});
  model.set_trainable("model.layers.1.*", true);
  model.set_trainable("model.layers.2.mlp.*", true);
  model.set_head_trainable(true, true);
  return model;
}
template <class T>
std::vector<T> elements(Buffer<T> const& buffer) {
  return {buffer.begin(), buffer.end()};
}

}  // namespace

TEST_CASE_TEMPLATE("Trainer: forward and backward in two calls are forward_backward, bit for bit", B, Ref, Cpu<>) {
  auto one = model_of_three(), two = model_of_three();
  Trainer whole(B{}, one, shape), parts(B{}, two, shape);
  for (int batch = 1; batch <= 2; ++batch) {  // the second is added to the first
    CHECK(parts.forward(ids, targets) == whole.forward_backward(ids, targets));
    CHECK(bit_equal(parts.losses(), whole.losses()));
    parts.backward();
    for (int l = 1; l < 3; ++l) CHECK(bit_equal(elements(whole.block_gradient(l)), elements(parts.block_gradient(l))));
    CHECK(bit_equal(elements(whole.head_gradient()), elements(parts.head_gradient())));
  }
  auto const a = whole.update(1e-3), b = parts.update(1e-3);
  CHECK(a.loss == b.loss);
  CHECK(a.gradient_norm == b.gradient_norm);
  CHECK(changes(weights_of(one), weights_of(two)).empty());
}

TEST_CASE("Trainer: forward alone changes no gradient") {
  auto model = model_of_three();
  Trainer trainer(Ref{}, model, shape);
  double const loss = trainer.forward(ids, targets);
  for (float const g : trainer.block_gradient(1)) REQUIRE(g == 0);
  for (float const g : trainer.head_gradient()) REQUIRE(g == 0);
  CHECK(trainer.forward(ids, targets) == loss);
}

TEST_CASE("Trainer: the gradient of a loss of one's own agrees with the complex step") {
  // loss = sum w x^2 over the states x after the final norm; its gradient is 2 w x.
  auto const w = gt::test::normal(shape.rows() * C, 7);
  auto model = model_of_three<double>();
  Trainer trainer(Ref{}, model, shape);
  auto const x = trainer.forward(ids);
  std::vector<double> d(w.size());
  for (std::size_t i = 0; i < d.size(); ++i) d[i] = 2 * w[i] * x.data()[i];
  trainer.backward(gt::Matrix<double const>(d.data(), shape.rows(), C));

  auto const at = model.blocks()[1].offset(model.blocks()[1].fc_w);
  std::size_t const some = 20;
  std::vector<double> const weights(model.blocks()[1].weights().data() + at,
                                    model.blocks()[1].weights().data() + at + some);
  auto const loss = [&](auto const& z) {
    using S = typename std::decay_t<decltype(z)>::value_type;
    auto other = scrambled<S>(tiny, 3, V, {.context = 8});
    auto const into = other.blocks()[1].weights().data() + at;
    for (std::size_t i = 0; i < some; ++i) into[i] = z[i];
    other.set_trainable("model.layers.0.*", true);
    Trainer same(Ref{}, other, shape);
    auto const y = same.forward(ids);
    S sum{};
    for (std::size_t i = 0; i < w.size(); ++i) sum += w[i] * y.data()[i] * y.data()[i];
    return sum;
  };
  auto const gradient = trainer.block_gradient(1).data() + at;
  CHECK(close(std::vector<double>(gradient, gradient + some), gt::test::complex_step(loss, weights), 1e-10));
  for (std::int64_t i = 2 * C; i < trainer.head_gradient().size(); ++i) REQUIRE(trainer.head_gradient()[i] == 0);
}

TEST_CASE("Trainer: another one goes on from its moments") {
  auto whole = model_of_three(), first = model_of_three();
  Trainer all(Ref{}, whole, shape);
  for (int i = 0; i < 5; ++i) all.step(ids, targets, 1e-2);
  Trainer begins(Ref{}, first, shape);
  for (int i = 0; i < 2; ++i) begins.step(ids, targets, 1e-2);
  auto second = first.clone();
  Trainer goes_on(Ref{}, second, shape);
  goes_on.restore(begins.moments().span(), begins.steps());
  for (int i = 0; i < 3; ++i) goes_on.step(ids, targets, 1e-2);
  CHECK(goes_on.steps() == 5);
  CHECK(changes(weights_of(whole), weights_of(second)).empty());
  CHECK(changes(weights_of(whole), weights_of(first)).size() > 0);
}

TEST_CASE("Trainer: the profile counts each part, and a frozen prefix only where there is one") {
  auto model = model_of_three();
  Trainer trainer(Ref{}, model, shape);
  trainer.step(ids, targets, 1e-3);
  auto const p = trainer.profile();
  for (double const part : {p.prefix, p.forward, p.head, p.backward, p.update}) CHECK(part > 0);
  CHECK((p + p).sum() == doctest::Approx(2 * p.sum()));
}

TEST_CASE("Trainer: calls in the wrong order say so") {
  auto model = model_of_three();
  Trainer trainer(Ref{}, model, shape);
  std::vector<float> d(static_cast<std::size_t>(shape.rows() * C));
  gt::Matrix<float const> const gradient(d.data(), shape.rows(), C);
  CHECK_THROWS_WITH_AS(trainer.backward(), "gt: Trainer::backward: a forward with targets must come first", Error);
  CHECK_THROWS_WITH_AS(trainer.backward(gradient), "gt: Trainer::backward: a forward must come first", Error);
  trainer.forward(ids, targets);
  CHECK_THROWS_WITH_AS(trainer.backward(gradient), "gt: Trainer::backward: a forward must come first", Error);
  trainer.backward();
  CHECK_THROWS_WITH_AS(trainer.backward(), "gt: Trainer::backward: a forward with targets must come first", Error);
  trainer.forward(ids);
  CHECK_THROWS_WITH_AS(trainer.backward(), "gt: Trainer::backward: a forward with targets must come first", Error);
  CHECK_THROWS_WITH_AS(trainer.backward(gt::Matrix<float const>(d.data(), 8, C)),
                       "gt: Trainer::backward: the gradient must be of shape [16, 16] (got [8, 16])", Error);
  trainer.backward(gradient);
  CHECK_THROWS_WITH_AS(trainer.restore({}, 1),
                       doctest::Contains("gt: Trainer::restore: the optimiser's state must be of "), Error);
  // One tensor for another of its size: as many numbers train, but not the same ones.
  model.set_trainable("model.layers.2.mlp.c_fc.bias", false);
  model.set_trainable("model.layers.0.mlp.c_fc.bias", true);
  CHECK_THROWS_WITH_AS(trainer.step(ids, targets, 1e-3),
                       doctest::Contains("what trains must not change while a trainer lives"), Error);
}

}  // namespace loop_test

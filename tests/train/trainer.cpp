// SPDX-License-Identifier: MIT
// Training steps: what trains changes and nothing else, AdamW on clipped gradients, the same bits on any number of
// threads, batches in parts, given prefixes, and losses that are not finite.
#include "gt/train/trainer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/grow/prefix_cache.hpp"
#include "support/data.hpp"
#include "support/model.hpp"
#include "train/counting_new.hpp"

namespace trainer_test {

using gt::BatchShape, gt::BlockConfig, gt::Cpu, gt::Error, gt::Ref, gt::Trainer, gt::Transformer;
using gt::test::changes, gt::test::close, gt::test::ids_below, gt::test::Numbers, gt::test::scrambled;
using gt::test::trainable_names, gt::test::weights_of;

namespace {

constexpr BlockConfig tiny{.d_model = 16, .heads = 2};
constexpr std::int64_t V = 29;
constexpr BatchShape shape{2, 8};

struct Batch {
  std::vector<std::int32_t> ids = ids_below(V, shape.rows(), 1), targets = ids_below(V, shape.rows(), 2);
};

/// Three blocks, of which the last and the head train.
template <class T>
Transformer<gt::Block<T>> model_of_three() {
  auto model = scrambled<T>(tiny, 3, V, {.context = 8, .head_bias = true});
  model.set_block_trainable(model.blocks()[2], true);
  model.set_head_trainable(true, true);
  return model;
}

}  // namespace

TEST_CASE_TEMPLATE("Trainer: what trains changes, all else keeps its bits", B, Ref, Cpu<>) {
  auto model = model_of_three<float>();
  SUBCASE("a block and the head") {}
  SUBCASE("head frozen") { model.set_head_trainable(true, false); }
  SUBCASE("norm frozen") { model.set_head_trainable(false, true); }
  SUBCASE("single tensors") {
    model.freeze();
    model.set_trainable("model.layers.1.self_attn.v_proj.weight", true);
    model.set_trainable("model.layers.2.input_layernorm.*", true);
  }
  auto const names = trainable_names(model);
  auto const before = weights_of(model);
  Trainer trainer(B{}, model, shape);
  Batch const batch;
  for (int step = 0; step < 3; ++step) trainer.step(batch.ids, batch.targets, 1e-2);
  CHECK(changes(before, weights_of(model)) == names);
  std::int64_t active = 0;
  for (auto const& p : model.parameters()) active += p.trainable ? p.size() : 0;
  CHECK(trainer.active_parameters() == active);
  CHECK(trainer.optimizer_bytes() == 8 * active);  // two moments of what trains, and of nothing else
  CHECK(trainer.steps() == 3);
}

TEST_CASE("Trainer: no gradient is held for a frozen block") {
  auto model = model_of_three<float>();
  Trainer const trainer(Ref{}, model, shape);
  CHECK(trainer.block_gradient(0).empty());
  CHECK(trainer.block_gradient(1).empty());
  CHECK(trainer.block_gradient(2).size() == tiny.parameters());
}

TEST_CASE("Trainer: an update is AdamW's step on the gradient, scaled down to the norm it is clipped to") {
  for (double const clip : {0.0, 0.25, 1e9}) {
    CAPTURE(clip);
    auto model = model_of_three<double>();
    model.freeze();
    model.set_trainable("model.layers.2.mlp.c_fc.weight", true);
    auto const& block = model.blocks()[2];
    auto const at = block.offset(block.fc_w), n = block.spec(block.fc_w).size();
    auto const part = [&](gt::Buffer<double> const& all) { return Numbers(all.begin() + at, all.begin() + at + n); };
    gt::AdamWOptions const options{.beta1 = 0.8, .beta2 = 0.9, .eps = 0.01, .weight_decay = 0.2, .clip_norm = clip};
    Trainer trainer(Ref{}, model, shape, options);
    Batch const batch;
    Numbers p = part(block.weights()), m(p.size()), v(p.size());
    for (int t = 1; t <= 3; ++t) {
      trainer.forward_backward(batch.ids, batch.targets);
      auto const gradient = part(trainer.block_gradient(2));
      double squares = 0;
      for (double const g : gradient) squares += g * g;
      double const norm = std::sqrt(squares), scale = clip > 0 && norm > clip ? clip / norm : 1;
      REQUIRE(norm > 0.25);
      for (std::size_t i = 0; i < p.size(); ++i) {
        double const g = scale * gradient[i];
        m[i] = 0.8 * m[i] + 0.2 * g;
        v[i] = 0.9 * v[i] + 0.1 * g * g;
        double const m_hat = m[i] / (1 - std::pow(0.8, t)), v_hat = v[i] / (1 - std::pow(0.9, t));
        p[i] -= 0.05 * (m_hat / (std::sqrt(v_hat) + 0.01) + 0.2 * p[i]);
      }
      CHECK(trainer.update(0.05).gradient_norm == doctest::Approx(norm).epsilon(1e-12));
      CHECK(part(trainer.block_gradient(2)) == Numbers(p.size()));
    }
    CHECK(close(part(block.weights()), p, 1e-12));
  }
}

TEST_CASE("Trainer: the same weights, bit by bit, on 1, 2 and 4 threads") {
  constexpr BlockConfig wide{.d_model = 64, .heads = 4};
  BatchShape const batch{4, 48};
  auto const trained = [&](int threads) {
    auto model = scrambled(wide, 2, 300, {.context = 48});
    model.set_block_trainable(model.blocks()[1], true);
    model.set_head_trainable(true, true);
    Trainer trainer(Cpu<>(threads), model, batch);
    std::vector<double> losses;
    for (std::uint32_t step = 0; step < 5; ++step) {
      auto const ids = ids_below(300, batch.rows(), 10 + step), targets = ids_below(300, batch.rows(), 20 + step);
      losses.push_back(trainer.step(ids, targets, 1e-2).loss);
    }
    return std::pair{weights_of(model), losses};
  };
  auto const one = trained(1);
  for (int const threads : {2, 4}) {
    CAPTURE(threads);
    auto const many = trained(threads);
    CHECK(changes(one.first, many.first).empty());
    CHECK(one.second == many.second);
  }
}

TEST_CASE("Trainer: two halves accumulated make the step of the whole batch") {
  auto whole = model_of_three<double>(), halves = model_of_three<double>();
  Batch const batch;
  Trainer at_once(Ref{}, whole, shape), in_parts(Ref{}, halves, {1, shape.tokens});
  for (int step = 0; step < 2; ++step) {
    auto const half = static_cast<std::size_t>(shape.tokens);
    std::span const ids(batch.ids), targets(batch.targets);
    in_parts.forward_backward(ids.first(half), targets.first(half));
    in_parts.forward_backward(ids.last(half), targets.last(half));
    auto const expected = at_once.step(batch.ids, batch.targets, 1e-2), actual = in_parts.update(1e-2);
    CHECK(actual.loss == doctest::Approx(expected.loss).epsilon(1e-12));
    CHECK(actual.gradient_norm == doctest::Approx(expected.gradient_norm).epsilon(1e-12));
  }
  auto const expected = weights_of(whole), actual = weights_of(halves);
  for (std::size_t i = 0; i < actual.size(); ++i) {
    CAPTURE(actual[i].first);
    CHECK(close(actual[i].second, expected[i].second, 1e-9));  // AdamW divides by the root of squares: small g count
  }
}

TEST_CASE_TEMPLATE("Trainer: a loss or gradient that is not finite changes no weight and is reported", B, Ref, Cpu<>) {
  for (double const poison : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    for (std::string const name :
         {"model.layers.2.mlp.c_fc.weight", "model.layers.2.self_attn.q_proj.weight",
          "model.layers.2.post_attention_layernorm.weight", "model.norm.weight", "lm_head.weight"}) {
      INFO(name, " holds ", poison);
      auto model = model_of_three<float>();
      Trainer trainer(B{}, model, shape);
      Batch const batch;
      CHECK(std::isfinite(trainer.step(batch.ids, batch.targets, 1e-3).gradient_norm));
      auto const all = model.parameters();
      auto const p = std::find_if(all.begin(), all.end(), [&](auto const& tensor) { return tensor.name == name; });
      float const kept = std::exchange(p->data[7], static_cast<float>(poison));
      auto const before = weights_of(model);
      auto const result = trainer.step(batch.ids, batch.targets, 1e-3);
      CHECK(!(std::isfinite(result.loss) && std::isfinite(result.gradient_norm)));
      CHECK(changes(before, weights_of(model)).empty());
      CHECK(trainer.steps() == 1);
      p->data[7] = kept;  // and the trainer is none the worse for it
      CHECK(std::isfinite(trainer.step(batch.ids, batch.targets, 1e-3).loss));
      CHECK(trainer.steps() == 2);
    }
  }
}

TEST_CASE("Trainer: a frozen weight that is not finite is reported too") {
  auto model = model_of_three<float>();
  model.blocks()[0].weights()[7] = std::numeric_limits<float>::quiet_NaN();
  Trainer trainer(Cpu<>{}, model, shape);  // from now on what is frozen may not change
  Batch const batch;
  CHECK(!std::isfinite(trainer.step(batch.ids, batch.targets, 1e-3).loss));
  CHECK(trainer.steps() == 0);
}

TEST_CASE("Trainer: positions without a target neither count nor train") {
  auto model = model_of_three<double>();
  Batch batch;
  Trainer trainer(Ref{}, model, shape);
  std::fill(batch.targets.begin() + 8, batch.targets.end(), gt::no_target);
  double const loss = trainer.forward_backward(batch.ids, batch.targets);
  double const norm = trainer.update(0).gradient_norm;
  Trainer of_first(Ref{}, model, {1, 8});
  std::span const ids(batch.ids), targets(batch.targets);
  CHECK(of_first.forward_backward(ids.first(8), targets.first(8)) == doctest::Approx(loss).epsilon(1e-14));
  CHECK(of_first.update(0).gradient_norm == doctest::Approx(norm).epsilon(1e-12));
  std::fill(batch.targets.begin(), batch.targets.end(), gt::no_target);
  CHECK(trainer.forward_backward(batch.ids, batch.targets) == 0);
  CHECK(trainer.update(0).gradient_norm == 0);
}

TEST_CASE("Trainer: a small model learns a short text by heart") {
  constexpr BlockConfig cfg{.d_model = 32, .heads = 4};
  Transformer<> model(gt::test::substrate_of(16, 16), cfg, gt::seed(1), {.context = 32});
  model.append(2);
  gt::test::train_all(model);
  auto const text = ids_below(16, 33, 1);
  std::span const all(text);
  Trainer trainer(Cpu<>(2), model, {1, 32}, {.weight_decay = 0});
  double const first = trainer.step(all.first(32), all.last(32), 3e-3).loss;
  CHECK(first == doctest::Approx(std::log(16)).epsilon(0.05));
  double last = first;
  for (int step = 0; step < 150; ++step) last = trainer.step(all.first(32), all.last(32), 3e-3).loss;
  CHECK(last < 0.1);
}

TEST_CASE("Trainer: weights of two blocks side by side in foreign memory train like any others") {
  auto apart = scrambled(tiny, 2, V, {.context = 8});
  gt::test::train_all(apart);
  auto together = apart.clone();
  auto const size = tiny.parameters();
  gt::Buffer<float> both(2 * size);
  for (int l = 0; l < 2; ++l) {
    auto& weights = together.blocks()[static_cast<std::size_t>(l)].weights();
    std::copy_n(weights.data(), size, both.data() + l * size);
    weights = gt::Buffer<float>::wrap(
        std::shared_ptr<float>(std::make_shared<gt::Buffer<float>>(both), both.data() + l * size), size);
  }
  Batch const batch;
  Trainer one(Ref{}, apart, shape), other(Ref{}, together, shape);
  one.step(batch.ids, batch.targets, 1e-2), other.step(batch.ids, batch.targets, 1e-2);
  CHECK(changes(weights_of(apart), weights_of(together)).empty());
}

TEST_CASE("Trainer: a copy of the model that is made while it trains stays as it was, and changes nothing in the run") {
  auto alone = scrambled(tiny, 2, V, {.context = 8}), watched = alone.clone();
  gt::test::train_all(alone), gt::test::train_all(watched);
  Batch const batch;
  Trainer one(Ref{}, alone, shape), other(Ref{}, watched, shape);
  for (int step = 0; step < 3; ++step) {
    auto const before = watched;  // and between a gradient and its step
    auto const then = weights_of(before);
    other.forward_backward(batch.ids, batch.targets);
    auto const between = watched;
    other.update(1e-2);
    one.step(batch.ids, batch.targets, 1e-2);
    CHECK(changes(then, weights_of(before)).empty());
    CHECK(changes(then, weights_of(between)).empty());
    CHECK(!changes(then, weights_of(watched)).empty());
    CHECK(changes(weights_of(alone), weights_of(watched)).empty());
  }
}

TEST_CASE_TEMPLATE("Trainer: given the states of the frozen blocks it does what it does with ids, bit for bit", B, Ref,
                   Cpu<>) {
  int expected_depth = 2;
  auto model = model_of_three<float>();
  SUBCASE("a block and the head") {}
  SUBCASE("no frozen block") { model.set_block_trainable(model.blocks()[0], true), expected_depth = 0; }
  SUBCASE("the head alone") { model.set_block_trainable(model.blocks()[2], false), expected_depth = 3; }
  SUBCASE("the norm alone") { model.freeze(), model.set_head_trainable(true, false), expected_depth = 3; }
  auto twin = model.clone();
  Trainer by_ids(B{}, model, shape), by_states(B{}, twin, shape);
  CHECK(by_states.prefix_depth() == expected_depth);
  gt::nn::States<float> prefix(shape.rows(), tiny.d_model);
  Batch const batch;
  auto const run = [&](gt::Arena& arena) {
    gt::hidden_states(B{}, twin, gt::test::view_of(batch.ids), shape, prefix.x, arena, by_states.prefix_depth());
  };
  gt::Arena arena(gt::measure(run));
  run(arena);
  for (int step = 0; step < 2; ++step) {
    auto const a = by_ids.step(batch.ids, batch.targets, 1e-2), b = by_states.step(prefix.x, batch.targets, 1e-2);
    CHECK((a.loss == b.loss && a.gradient_norm == b.gradient_norm));
    CHECK(by_ids.forward(batch.ids, batch.targets) == by_states.forward(prefix.x, batch.targets));
    by_ids.backward(), by_states.backward();
    CHECK(by_ids.update(1e-2).gradient_norm == by_states.update(1e-2).gradient_norm);
    auto const x = by_ids.forward(batch.ids), y = by_states.forward(prefix.x);
    CHECK(std::equal(x.data(), x.data() + x.size(), y.data()));
    by_ids.backward(x), by_states.backward(y);
    by_ids.clear_gradients(), by_states.clear_gradients();
  }
  CHECK(changes(weights_of(model), weights_of(twin)).empty());
  CHECK(by_states.profile().prefix == 0);
}

TEST_CASE("Trainer: over a prefix cache no step allocates memory once all windows are held") {
  auto model = model_of_three<float>();
  Trainer trainer(Ref{}, model, shape);
  gt::PrefixCache cache(Ref{}, model, shape, {.bytes = 100'000});
  cache.set_depth(trainer.prefix_depth());
  Batch const batch;
  trainer.step(cache.states(batch.ids), batch.targets, 1e-3);
  auto const before = gt::test::allocations();
  trainer.step(cache.states(batch.ids), batch.targets, 1e-3);
  CHECK(gt::test::allocations() == before);
  CHECK(cache.use().found == shape.batch);
}

TEST_CASE("Trainer: errors say what must hold") {
  auto model = model_of_three<float>();
  auto const made = [&](BatchShape s) { Trainer const trainer(Ref{}, model, s); };
  CHECK_THROWS_WITH_AS(made({1, 9}),
                       "gt: Trainer: a batch must be positive and fit the context of 8 tokens (got 1 x 9)", Error);
  CHECK_THROWS_WITH_AS(made({0, 8}), doctest::Contains("(got 0 x 8)"), Error);
  CHECK_THROWS_WITH_AS(made({1, -1}), doctest::Contains("(got 1 x -1)"), Error);
  Trainer trainer(Ref{}, model, shape);
  CHECK_THROWS_WITH_AS(trainer.update(1e-3), "gt: Trainer::update: a forward_backward must come first", Error);
  Batch batch;
  CHECK_THROWS_WITH_AS(trainer.forward_backward(batch.ids, ids_below(V, 15, 1)),
                       "gt: Trainer: a batch must hold 16 targets (got 15)", Error);
  gt::Buffer<float> const states(16 * 16);
  gt::Matrix<float> const narrow(states.data(), 16, 15);
  CHECK_THROWS_WITH_AS(trainer.forward_backward(narrow, batch.targets),
                       "gt: Trainer: the states of the frozen blocks must be of shape [16, 16] (got [16, 15])", Error);
  CHECK_THROWS_WITH_AS(trainer.forward(gt::Matrix<float>{}), doctest::Contains("(got [0, 0])"), Error);
  batch.targets[5] = V;
  CHECK_THROWS_WITH_AS(trainer.forward_backward(batch.ids, batch.targets),
                       doctest::Contains("targets must lie in 0 ... 28 (got 29)"), Error);
  batch.ids[5] = -1;
  CHECK_THROWS_WITH_AS(trainer.forward_backward(batch.ids, batch.targets),
                       doctest::Contains("ids must lie in 0 ... 28 (got -1)"), Error);
  model.set_block_trainable(model.blocks()[1], true);
  CHECK_THROWS_WITH_AS(trainer.forward_backward(Batch{}.ids, Batch{}.targets),
                       doctest::Contains("what trains must not change while a trainer lives"), Error);
  CHECK_THROWS_WITH_AS(trainer.forward(gt::Matrix<float>(states.data(), 16, 16)),
                       doctest::Contains("what trains must not change while a trainer lives"), Error);
  model.freeze();
  CHECK_THROWS_WITH_AS(made(shape), "gt: Trainer: something must be trainable (all tensors are frozen)", Error);
}

}  // namespace trainer_test

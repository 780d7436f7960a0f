// SPDX-License-Identifier: MIT
// Adapters: nothing at first, merged as unmerged, what trains and what does not, and what is refused.
#include "gt/nn/lora.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/train/trainer.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace lora_test {

using gt::BatchShape, gt::BlockConfig, gt::Error, gt::LoraConfig, gt::LoraTargets, gt::Transformer;

namespace {

constexpr BlockConfig cfg{.d_model = 24, .heads = 2};
constexpr std::int64_t V = 19;
constexpr BatchShape shape{2, 7};

template <class T = float>
Transformer<gt::Block<T>> model_of(int depth = 3) {
  return gt::test::scrambled<T>(cfg, depth, V, {.context = 8, .head_bias = true});
}
/// Every number of the adapters counts.
template <class Model>
void scramble_adapters(Model& model) {
  using T = typename Model::scalar;
  std::uint32_t stream = 900;
  for (auto const& p : model.parameters()) {
    if (p.name.find("lora_") == p.name.npos) continue;
    auto const x = gt::test::normal(p.size(), ++stream);
    for (std::int64_t i = 0; i < p.size(); ++i) p.data[i] = T(static_cast<float>(0.2 * x[static_cast<std::size_t>(i)]));
  }
}
template <class Model>
auto logits_of(Model const& model) {
  return gt::test::logits(gt::Ref{}, model, gt::test::ids_below(V, shape.rows(), 1), shape);
}

}  // namespace

TEST_CASE("LoraConfig: scale and size") {
  CHECK(LoraConfig{.rank = 8}.scale() == 1);
  CHECK(LoraConfig{.rank = 8, .alpha = 16}.scale() == 2);
  CHECK(LoraConfig{.rank = 16, .alpha = 16, .rank_stabilised = true}.scale() == 4);
  CHECK(LoraConfig{.rank = 16, .rank_stabilised = true}.scale() == 4);
  static_assert(LoraConfig{.rank = 5}.parameters(cfg) == 18 * 24 * 5);
  static_assert(LoraConfig{.rank = 2, .targets = {.k = false, .o = false, .fc = false}}.parameters(cfg) ==
                2 * (2 * 2 * 24 + 24 + 96));
  static_assert(gt::nn::lora_rank_within_budget(1, 5, {.d_model = 4096, .heads = 32}) ==
                546);  // as the paper's abs series
  static_assert(gt::nn::lora_rank_within_budget(1, 6, {.d_model = 4096, .heads = 32}) == 455);
  static_assert(gt::nn::lora_rank_within_budget(3, 9, {.d_model = 1024, .heads = 32}) == 227);
  static_assert(gt::nn::lora_rank_within_budget(3, 0, cfg) == 0);
  CHECK(to_text(LoraTargets{}) == "q_proj,k_proj,v_proj,o_proj,c_fc,c_proj");
  CHECK(gt::nn::lora_targets("v_proj,c_fc") == LoraTargets{.q = false, .k = false, .o = false, .proj = false});
  CHECK_THROWS_WITH_AS(gt::nn::lora_targets("q_proj,up_proj"), doctest::Contains("(got 'up_proj')"), Error);
  CHECK_THROWS_WITH_AS(gt::nn::lora_targets(""), doctest::Contains("(got '')"), Error);
}

TEST_CASE("LoraAdapter: a new one changes no bit of the logits") {
  auto model = model_of();
  auto const before = logits_of(model);
  model.attach_adapters({.rank = 4});
  CHECK(model.adapted() == 3);
  CHECK(gt::test::bit_equal(logits_of(model), before));
  std::int64_t numbers = 0;
  bool a_is_drawn = false;
  for (auto const& p : model.parameters()) {
    if (p.name.find("lora_") == p.name.npos) continue;
    numbers += p.size();
    CHECK(!p.trainable);
    double const bound = 1 / std::sqrt(static_cast<double>(p.shape[1]));
    for (std::int64_t i = 0; i < p.size(); ++i) {
      double const x = static_cast<double>(p.data[i]);
      if (p.name.find("lora_B") != p.name.npos) CHECK(x == 0);
      CHECK(std::abs(x) <= bound);
      a_is_drawn = a_is_drawn || std::abs(x) > 0.8 * bound;
    }
  }
  CHECK(a_is_drawn);
  CHECK(numbers == 3 * LoraConfig{.rank = 4}.parameters(cfg));
  model.drop_adapters();
  CHECK(!model.has_adapters());
  CHECK(gt::test::bit_equal(logits_of(model), before));
}

TEST_CASE("LoraAdapter: merged is unmerged, for any of the six matrices, and differs from none") {
  for (int mask = 1; mask < 64; mask += (mask < 8 ? 1 : 5)) {
    CAPTURE(mask);
    auto const bit = [&](int i) { return (mask >> i & 1) != 0; };
    LoraConfig const lora{.rank = 3,
                          .alpha = 5,
                          .rank_stabilised = mask % 2 == 0,
                          .targets = {bit(0), bit(1), bit(2), bit(3), bit(4), bit(5)}};
    auto model = model_of<double>();
    auto const plain = logits_of(model);
    model.attach_adapters(lora);
    scramble_adapters(model);
    auto const unmerged = logits_of(model);
    CHECK(!gt::test::close(unmerged, plain, 1e-3));
    model.merge_adapters(gt::Ref{});
    CHECK(!model.has_adapters());
    CHECK(gt::test::close(logits_of(model), unmerged, 1e-12));
  }
}

TEST_CASE("LoraAdapter: on the CPU in float merged is unmerged to 1e-5") {
  auto model = model_of();
  model.attach_adapters({.rank = 5, .alpha = 10}, 2);
  scramble_adapters(model);
  gt::Cpu<> const on(2);
  auto const ids = gt::test::ids_below(V, shape.rows(), 1);
  auto const numbers = [&](auto const& backend) {
    auto const z = gt::test::logits(backend, model, ids, shape);
    return gt::test::Numbers(z.begin(), z.end());
  };
  auto const unmerged = numbers(on);
  CHECK(gt::test::close(unmerged, numbers(gt::Ref{}), gt::test::tol<float>(96, 16)));
  model.merge_adapters(on);
  CHECK(gt::test::close(numbers(on), unmerged, 1e-5));
}

TEST_CASE("LoraAdapter: a phase changes the adapters and what trains beside them, and nothing else") {
  auto model = model_of();
  model.attach_adapters({.rank = 4}, 2);
  model.freeze();
  model.set_adapters_trainable(true);
  model.set_head_trainable(false, true);
  CHECK(model.lowest_trainable() == 0);
  gt::Trainer trainer(gt::Cpu<>(2), model, shape);
  CHECK(trainer.active_parameters() == 2 * LoraConfig{.rank = 4}.parameters(cfg) + V * 24 + V);
  // Gradients are held of what trains alone.
  CHECK(trainer.block_gradient(0).size() == LoraConfig{.rank = 4}.parameters(cfg));
  CHECK(trainer.block_gradient(2).size() == 0);
  auto const before = gt::test::weights_of(model);
  auto const ids = gt::test::ids_below(V, shape.rows(), 1), targets = gt::test::ids_below(V, shape.rows(), 2);
  double const first = trainer.step(ids, targets, 1e-2).loss;
  for (int i = 0; i < 20; ++i) trainer.step(ids, targets, 1e-2);
  CHECK(trainer.forward(ids, targets) < first - 0.1);
  for (auto const& name : gt::test::changes(before, gt::test::weights_of(model)))
    CHECK((name.find("lora_") != name.npos || name.starts_with("lm_head")));
  CHECK(gt::test::changes(before, gt::test::weights_of(model)).size() == 2 * 12 + 2);
}

TEST_CASE("LoraAdapter: a clone has adapters of its own") {
  auto model = model_of();
  model.attach_adapters({.rank = 2});
  auto const copy = model.clone();
  scramble_adapters(model);
  CHECK(gt::test::changes(gt::test::weights_of(model), gt::test::weights_of(copy)).size() == 3 * 12);
}

TEST_CASE("attach_adapters: what is refused") {
  auto model = model_of();
  CHECK_THROWS_WITH_AS(model.attach_adapters({.rank = 0}),
                       "gt: LoraConfig: the rank must lie in 1 ... 24, the width of the model (got 0)", Error);
  CHECK_THROWS_WITH_AS(model.attach_adapters({.rank = 25}), doctest::Contains("(got 25)"), Error);
  CHECK_THROWS_WITH_AS(model.attach_adapters({.rank = 2, .alpha = -1}), doctest::Contains("alpha must be finite"),
                       Error);
  CHECK_THROWS_WITH_AS(
      model.attach_adapters({.rank = 2, .targets = gt::LoraTargets{false, false, false, false, false, false}}),
      doctest::Contains("at least one matrix must be adapted"), Error);
  CHECK_THROWS_WITH_AS(model.attach_adapters({.rank = 2}, 4), doctest::Contains("of the model's 3 (got 4)"), Error);
  CHECK(!model.has_adapters());
  model.attach_adapters({.rank = 2}, 1);
  CHECK_THROWS_WITH_AS(model.attach_adapters({.rank = 2}), doctest::Contains("merge or drop them first"), Error);
  auto empty = model_of(0);
  CHECK_THROWS_WITH_AS(empty.attach_adapters({.rank = 2}), doctest::Contains("there must be blocks to adapt"), Error);
}

}  // namespace lora_test

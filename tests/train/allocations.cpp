// SPDX-License-Identifier: MIT
// A training step in steady state allocates nothing.
#include <doctest/doctest.h>

#include <concepts>
#include <cstdint>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/train/trainer.hpp"
#include "support/data.hpp"
#include "support/model.hpp"
#include "train/counting_new.hpp"

namespace allocations_test {

TEST_CASE_TEMPLATE("Trainer: after the first step, none allocates memory", B, gt::Ref, gt::Cpu<>) {
  B on{};
  // One thread: of several, one may take its first job, and with it its scratch memory, in a later step.
  if constexpr (std::same_as<B, gt::Cpu<>>) on = B(1);
  constexpr gt::BlockConfig cfg{.d_model = 16, .heads = 2};
  auto model = gt::test::scrambled(cfg, 3, 29, {.context = 8, .head_bias = true});
  model.set_block_trainable(model.blocks()[1], true);
  model.set_block_trainable(model.blocks()[2], true);
  model.set_head_trainable(true, true);
  gt::BatchShape const shape{2, 8};
  auto const ids = gt::test::ids_below(29, 16, 1), targets = gt::test::ids_below(29, 16, 2);
  auto const count = [&](auto const& action) {
    auto const before = gt::test::allocations();
    action();
    return gt::test::allocations() - before;
  };
  gt::Trainer trainer(on, model, shape);
  trainer.step(ids, targets, 1e-3);
  CHECK(count([&] { trainer.step(ids, targets, 1e-3); }) == 0);
  CHECK(count([] { gt::Buffer<float> const one(100); }) > 0);  // so this program counts
}

}  // namespace allocations_test

// SPDX-License-Identifier: MIT
// A const model is served by one thread while others train what it shares with them: ThreadSanitizer, with which this
// program is compiled where that can be had, sees no race, and no number of the served model moves.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/infer/session.hpp"
#include "gt/train/trainer.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace const_models_test {

using gt::Ref;
using gt::test::ids_below, gt::test::substrate_of;

namespace {

constexpr gt::BlockConfig tiny{.d_model = 8, .heads = 2};
constexpr std::int64_t V = 20;
using Tiny = gt::Transformer<>;

std::vector<float> logits_of(Tiny const& model) {
  gt::Session session(Ref{}, model);
  auto const z = session.feed(ids_below(V, 6, 2));
  return {z.begin(), z.end()};
}
void train(Tiny& model) {
  auto const ids = ids_below(V, 9, 1);
  gt::Trainer trainer(Ref{}, model, {1, 8});
  for (int step = 0; step < 3; ++step) trainer.step(std::span(ids).first(8), std::span(ids).last(8), 1e-2);
}

}  // namespace

TEST_CASE("a const model is served while a copy grows, adapts, merges and learns its table") {
  Tiny grown(substrate_of(V, 8, "learned"), tiny, gt::seed(1), {.context = 8});
  grown.append(2);
  grown.attach_adapters({.rank = 2});
  gt::test::scramble(grown);
  Tiny const served = grown;
  auto const expected = logits_of(served);

  std::function<void()> const changes[] = {[&] { grown.set_head_trainable(true, true), train(grown); },
                                           [&] { grown.set_adapters_trainable(true), train(grown); },
                                           [&] { grown.merge_adapters(Ref{}); },
                                           [&] { grown.set_table_trainable(true), train(grown); },
                                           [&] { Tiny::set_block_trainable(grown.blocks()[0], true), train(grown); },
                                           [&] { grown.freeze(), grown.append(1), grown.reset_head(1); },
                                           [&] { grown.set_head_trainable(true, true), train(grown); }};
  for (auto const& change : changes) {
    std::optional<Tiny> mine = served;  // of the thread that serves, and given up by it while the other goes on
    std::atomic<bool> changed{false};
    bool same = true;
    std::thread serving([&, model = std::move(*mine)]() mutable {
      for (int pass = 0; pass < 3 || !changed; ++pass) same = same && logits_of(model) == expected;
    });
    change();
    changed = true;
    serving.join();
    CHECK(same);
  }
  CHECK(logits_of(served) == expected);
  CHECK(logits_of(grown) != expected);
}

TEST_CASE("what a thread read before it gave a model up comes before what its last owner then writes in place") {
  for (int round = 0; round < 20; ++round) {
    Tiny model(substrate_of(V, 8), tiny, gt::seed(1), {.context = 8});
    model.append(1);
    std::optional<Tiny> copy = model;
    std::thread reading([&, mine = std::move(*copy)]() mutable {
      CHECK(logits_of(mine).size() == V);
      Tiny const last = std::move(mine);
      static_cast<void>(last);
    });
    copy.reset();
    for (int spin = 0; spin < 1000 && model.head_buffer().is_shared(); ++spin) std::this_thread::yield();
    model.set_head_trainable(true, true);
    Tiny::set_block_trainable(model.blocks()[0], true);
    train(model);
    reading.join();
  }
}

}  // namespace const_models_test

// SPDX-License-Identifier: MIT
// Threads that talk with one prepared model from its first product on: weights are packed once, whoever comes first,
// and ThreadSanitizer sees no race.
#include "gt/infer/prepared.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "gt/cpu.hpp"
#include "gt/easy.hpp"
#include "gt/infer/session.hpp"
#include "gt/train/trainer.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace prepared_test {

namespace {

// Not the native instruction set, whose products gt::prebuilt may have, compiled without ThreadSanitizer.
using Plain = gt::Cpu<gt::Isa::scalar>;
constexpr std::int64_t V = 20;

template <class S>
std::vector<float> logits_of(S&& session) {
  auto const z = session.feed(gt::test::ids_below(V, 6, 2));
  return {z.begin(), z.end()};
}

}  // namespace

TEST_CASE("sessions of one prepared model pack its weights once, on any number of threads at once") {
  gt::Transformer<> model(gt::test::substrate_of(V, 8), {.d_model = 16, .heads = 2}, gt::seed(1), {.context = 8});
  model.append(2);
  gt::test::scramble(model);
  gt::Prepared const alone(Plain(1), model);
  auto const expected = logits_of(gt::Session(alone));
  for (int round = 0; round < 20; ++round) {
    gt::Prepared const prepared(Plain(1), model);
    gt::Prepared const hidden(Plain(1), gt::BasicAnyModel<Plain>(model));
    std::atomic<int> waiting{4};
    std::vector<int> same(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < same.size(); ++i) {
      threads.emplace_back([&, i] {
        --waiting;
        while (waiting > 0) std::this_thread::yield();
        for (int talk = 0; talk < 2; ++talk) {
          same[i] += logits_of(gt::Session(prepared)) == expected;
          same[i] += logits_of(gt::Session(hidden)) == expected;
          same[i] += prepared.bytes() <= alone.bytes();
        }
      });
    }
    auto trained = model;  // meanwhile a copy goes its own way
    trained.set_head_trainable(true, true);
    gt::Transformer<>::set_block_trainable(trained.blocks()[0], true);
    auto const ids = gt::test::ids_below(V, 9, 1);
    gt::Trainer trainer(Plain(1), trained, {1, 8});
    trainer.step(std::span(ids).first(8), std::span(ids).last(8), 1e-2);
    for (auto& thread : threads) thread.join();
    CHECK(same == std::vector<int>(4, 6));
    CHECK(prepared.bytes() == alone.bytes());
    CHECK(hidden.bytes() == alone.bytes());
  }
}

}  // namespace prepared_test

// SPDX-License-Identifier: MIT
// Models of any type seen from their states: what a session tells of what it is fed, and copies that share the rest.
#include "gt/infer/language_model.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gt/cpu.hpp"
#include "gt/easy.hpp"
#include "gt/infer/session.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace language_model_test {

using gt::AnyModel, gt::BlockConfig, gt::Cpu, gt::Error, gt::Session;
using gt::test::bit_equal, gt::test::ids_below, gt::test::view_of;

namespace {

constexpr std::int64_t V = 97;
constexpr BlockConfig shape{.d_model = 64, .heads = 4};
gt::Transformer<> model() { return gt::test::scrambled(shape, 2, V, {.context = 300}); }
std::vector<float> copy(std::span<float const> x) { return {x.begin(), x.end()}; }
static_assert(gt::LanguageModel<gt::Transformer<>> && gt::LanguageModel<AnyModel>);
static_assert(!gt::LanguageModel<BlockConfig>);

}  // namespace

TEST_CASE("Session: log-likelihoods of what it is fed are the losses of a full pass, however it is cut") {
  auto const m = model();
  auto const ids = ids_below(V, 300, 1);
  std::vector<std::int32_t> const targets(ids.begin() + 1, ids.end()), inputs(ids.begin(), ids.end() - 1);
  auto const nll = gt::test::losses(Cpu<>(1), m, inputs, targets, {1, 299});
  std::vector<float> expected{-std::log(static_cast<float>(V))};
  for (float const loss : nll) expected.push_back(-loss);
  auto const run = [&](auto const& any) {
    for (std::size_t const n : {1U, 7U, 300U}) {
      CAPTURE(n);
      Session session(Cpu<>(2), any), silent(Cpu<>(2), any);
      std::vector<float> told(300);
      for (std::size_t t = 0; t < 300; t += n) {
        std::size_t const count = std::min<std::size_t>(n, 300 - t);
        auto const logits = copy(session.feed(std::span(ids).subspan(t, count), std::span(told).subspan(t, count)));
        CHECK(bit_equal(logits, copy(silent.feed(std::span(ids).subspan(t, count)))));
      }
      CHECK(bit_equal(told, expected));
    }
    Session session(Cpu<>(2), any);
    std::vector<float> room(2);
    CHECK_THROWS_WITH_AS(session.feed(std::span(ids).first(3), room),
                         "gt: Session::feed: there must be a log-likelihood for each of the 3 ids (got room for 2)",
                         Error);
    CHECK(session.position() == 0);
  };
  run(m);
  run(AnyModel(m));
}

TEST_CASE("final_states: what a session's state is, and what the head makes the logits of") {
  auto const m = model();
  auto const ids = ids_below(V, 20, 1);
  Cpu<> const on(2);
  auto const states = [&](auto const& any) {
    gt::Buffer<float> const x(20 * 64);
    auto const run = [&](gt::Arena& arena) {
      gt::final_states(on, any, view_of(ids), {1, 20}, gt::Matrix<float>(x.data(), 20, 64), arena);
    };
    gt::Arena arena(gt::measure(run));
    run(arena);
    return std::vector<float>(x.begin(), x.end());
  };
  auto const h = states(m);
  CHECK(bit_equal(states(AnyModel(m)), h));
  std::vector<float> z(20 * V);
  gt::ops::linear<Cpu<>, float>(on, gt::Matrix<float const>(h.data(), 20, 64), AnyModel(m).head(),
                                AnyModel(m).head_bias(), gt::Matrix<float>(z.data(), 20, V));
  CHECK(bit_equal(z, gt::test::logits(on, m, ids, {1, 20})));
  Session session(on, m);
  Session<Cpu<>, AnyModel> hidden(on, AnyModel(m));
  session.feed(ids), hidden.feed(ids);
  CHECK(bit_equal(std::vector<float>(session.state().data(), session.state().data() + 64),
                  std::vector<float>(h.end() - 64, h.end())));
  CHECK(hidden.state()[5] == session.state()[5]);
}

TEST_CASE("with_table, with_head: a copy that shares all else") {
  auto m = model();
  m.set_trainable("lm_head.weight", true);
  m.set_trainable("model.layers.1.*", true);
  gt::Buffer<float> table(V * 32);
  std::copy_n(m.table().data(), table.size(), table.data());
  auto const on_it = gt::with_table(m, table);
  CHECK(on_it.table().data() == table.data());
  CHECK(on_it.blocks()[1].weights().shares_with(m.blocks()[1].weights()));
  CHECK(on_it.head_buffer().shares_with(m.head_buffer()));
  CHECK(gt::test::trainable_names(on_it) == gt::test::trainable_names(m));
  CHECK(gt::test::changes(gt::test::weights_of(m), gt::test::weights_of(on_it)).empty());

  auto const head = m.head_buffer().clone();
  std::fill_n(head.end() - 1, 1, 7.0F);
  auto const other = gt::with_head(AnyModel(m), head);
  CHECK(other.head()(V - 1, 63) == 7);
  CHECK(m.head()(V - 1, 63) != 7);
  CHECK(other.table().data() == m.table().data());
  CHECK(gt::with_table(other, table).head().data() == other.head().data());
  CHECK_THROWS_WITH_AS(gt::with_head(m, gt::Buffer<float>(2)),
                       doctest::Contains("gt: with_head: norm and head must be"), Error);
}

}  // namespace language_model_test

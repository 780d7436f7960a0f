// SPDX-License-Identifier: MIT
// Growing goes on from any checkpoint to the same bits, and refuses a state that is not its own.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/grow/grow.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace resume_test {

using gt::Cpu, gt::deepen, gt::Error, gt::GrowOptions, gt::GrowthEnd, gt::GrowthPlan, gt::GrowthState, gt::Ref;
using gt::test::changes, gt::test::ids_below, gt::test::substrate_of, gt::test::weights_of;

namespace {

constexpr gt::BlockConfig tiny{.d_model = 16, .heads = 2};
constexpr std::int64_t V = 29, T = 8, B = 2, steps = 6, all_steps = 6 * steps + steps / 2;
using Tiny = gt::Transformer<>;
std::vector<std::int32_t> const one_byte(static_cast<std::size_t>(V), 1);
GrowthPlan const plan{deepen(1, {.train_table = true}),
                      deepen(2, {.head = gt::HeadInit::reset}),
                      gt::finetune(),
                      gt::adapt({.rank = 2, .targets = {.k = false}}, {.tokens = 0.5}),
                      deepen(1, {.init = gt::BlockInit::identity}),
                      deepen(1, {.lora = {.rank = 3, .alpha = 6}}),
                      deepen(2, {.init = gt::BlockInit::expand})};

gt::TokenizedCorpus corpus() {
  return {gt::Tokens::from_ids(ids_below(V, 500, 1), V), gt::Tokens::from_ids(ids_below(V, 60, 2), V), 500, 60};
}
Tiny new_model(int depth = 0) {
  Tiny model(substrate_of(V, 8, "learned"), tiny, gt::seed(1), {.context = T});
  model.append(depth);
  return model;
}
GrowOptions options() {
  return {.batch = B, .tokens_per_stage = steps * B * T, .seed = gt::seed(4), .evaluate_every = 2};
}

/// Keeps every state with a copy of the model as it was, as a file would.
struct Keep : gt::GrowthObserver {
  explicit Keep(Tiny const& watched) : model{watched} {}
  void checkpoint(GrowthState const& now) override {
    state = now, copy = model.clone();
    ++count;
  }
  Tiny const& model;
  std::optional<GrowthState> state;
  std::optional<Tiny> copy;
  int count = 0;
};
struct Losses : gt::GrowthObserver {
  void step_done(gt::StepDone const& now) override { all.push_back(now.loss), bits.push_back(now.bits_per_byte); }
  std::vector<double> all, bits;
};

struct Whole {
  explicit Whole(int depth = 1) : model{new_model(depth)} {}
  Tiny model;
  Losses losses;
  gt::GrowthResult result = gt::grow(Ref{}, model, plan, corpus(), one_byte, options(), losses);
};

}  // namespace

TEST_CASE("grow: stopped after any step, it goes on from the checkpoint to the same bits") {
  Whole const whole;
  for (int stop_after = 1; stop_after <= all_steps; ++stop_after) {
    CAPTURE(stop_after);
    Tiny model = new_model(1);
    Keep keep(model);
    Losses losses;
    int made = 0;
    auto stopping = options();
    stopping.stop = [&] { return ++made == stop_after; };
    auto const first = gt::grow(Ref{}, model, plan, corpus(), one_byte, stopping, keep, losses);
    CHECK(first.end == (stop_after < all_steps ? GrowthEnd::stopped : GrowthEnd::finished));
    REQUIRE(keep.state);
    CHECK(keep.state->tokens == stop_after * B * T);

    Tiny again = std::move(*keep.copy);
    auto going_on = options();
    going_on.resume = &*keep.state;
    auto const second = gt::grow(Ref{}, again, plan, corpus(), one_byte, going_on, losses);
    CHECK(second.end == GrowthEnd::finished);
    CHECK(changes(weights_of(whole.model), weights_of(again)).empty());
    CHECK(again.substrate_fingerprint() == whole.model.substrate_fingerprint());
    CHECK(losses.all == whole.losses.all);
    CHECK(losses.bits == whole.losses.bits);
    REQUIRE(second.stages.size() == plan.size());
    for (std::size_t s = 0; s < plan.size(); ++s) {
      CHECK(second.stages[s].loss == whole.result.stages[s].loss);
      CHECK(second.stages[s].before.nats == whole.result.stages[s].before.nats);
      CHECK(second.stages[s].after.nats == whole.result.stages[s].after.nats);
      CHECK(second.stages[s].tokens == whole.result.stages[s].tokens);
    }
    CHECK(second.tokens == whole.result.tokens);
  }
}

TEST_CASE("grow: stopped in any look at held-out text, it makes that look when it goes on, to the same bits") {
  auto const asked = [] {
    auto o = options();
    o.look_seconds = 0;  // each batch of a look asks
    o.evaluate_every = 4;
    return o;
  };
  Tiny whole_model = new_model(1);
  Losses whole;
  auto const result = gt::grow(Ref{}, whole_model, plan, corpus(), one_byte, asked(), whole);
  int in_looks = 0, before_a_step = 0, stop_after = 0;
  for (bool finished = false; !finished;) {
    ++stop_after;
    CAPTURE(stop_after);
    Tiny model = new_model(1);
    Keep keep(model);
    Losses losses;
    int calls = 0;
    auto stopping = asked();
    stopping.stop = [&] { return ++calls >= stop_after; };
    auto const first = gt::grow(Ref{}, model, plan, corpus(), one_byte, stopping, keep, losses);
    finished = first.end == GrowthEnd::finished;
    in_looks += keep.state && keep.state->look_due;
    before_a_step += first.end == GrowthEnd::stopped && first.step == 0;
    if (stop_after % 3 != 0) continue;  // of all these, every third goes on

    Tiny again = keep.copy ? std::move(*keep.copy) : new_model(1);
    auto going_on = asked();
    if (keep.state) going_on.resume = &*keep.state;
    auto const second = gt::grow(Ref{}, again, plan, corpus(), one_byte, going_on, losses);
    CHECK(changes(weights_of(whole_model), weights_of(again)).empty());
    CHECK(losses.all == whole.all);
    CHECK(losses.bits == whole.bits);
    REQUIRE(second.stages.size() == plan.size());
    for (std::size_t s = 0; s < plan.size(); ++s) {
      CHECK(second.stages[s].before.nats == result.stages[s].before.nats);
      CHECK(second.stages[s].after.nats == result.stages[s].after.nats);
    }
  }
  CHECK(in_looks > 20);
  CHECK(before_a_step > 20);
}

TEST_CASE("grow: a mixture of texts changes with the stages, and a run goes on in it to the same bits") {
  auto asked = options();
  asked.more_text = {gt::Tokens::from_ids(ids_below(V, 300, 7), V), gt::Tokens::from_ids(ids_below(V, 200, 8), V)};
  for (std::size_t s = 0; s < plan.size(); ++s) asked.mixture.push_back({1, static_cast<double>(s), s % 2 ? 0.0 : 3.0});
  Tiny whole = new_model(1), alone = new_model(1);
  gt::grow(Ref{}, whole, plan, corpus(), one_byte, asked);
  gt::grow(Ref{}, alone, plan, corpus(), one_byte, options());
  CHECK(!changes(weights_of(whole), weights_of(alone)).empty());
  for (std::int64_t const stop_after : {std::int64_t{3}, 2 * steps + 1, 4 * steps}) {
    Tiny model = new_model(1);
    Keep keep(model);
    auto stopping = asked;
    stopping.stop = [made = std::int64_t{0}, stop_after]() mutable { return ++made == stop_after; };
    gt::grow(Ref{}, model, plan, corpus(), one_byte, stopping, keep);
    Tiny again = std::move(*keep.copy);
    auto going_on = asked;
    going_on.resume = &*keep.state;
    gt::grow(Ref{}, again, plan, corpus(), one_byte, going_on);
    CHECK(changes(weights_of(whole), weights_of(again)).empty());
  }
  asked.mixture.pop_back();
  CHECK_THROWS_WITH_AS(gt::grow(Ref{}, alone, plan, corpus(), one_byte, asked),
                       "gt: grow: a mixture must give shares for each of the 7 stages (got 6)", Error);
  asked.mixture.push_back({1, 1});
  CHECK_THROWS_WITH_AS(gt::grow(Ref{}, alone, plan, corpus(), one_byte, asked),
                       doctest::Contains("a share to each of the 3 texts (got 2)"), Error);
  asked.more_text = {gt::Tokens::from_ids(ids_below(V, 300, 7), V + 1)};
  CHECK_THROWS_WITH_AS(gt::grow(Ref{}, alone, plan, corpus(), one_byte, asked), doctest::Contains("every text must be"),
                       Error);
}

TEST_CASE("grow: checkpoints come after each stage, and as often inside as asked for") {
  Tiny model = new_model();
  Keep keep(model);
  gt::grow(Ref{}, model, plan, corpus(), one_byte, options(), keep);
  CHECK(keep.count == 7);
  CHECK(keep.state->stage == 7);
  CHECK(keep.state->moments.empty());
  Tiny other = new_model();
  Keep often(other);
  auto asked = options();
  asked.checkpoint_seconds = 0;
  gt::grow(Ref{}, other, plan, corpus(), one_byte, asked, often);
  CHECK(often.count == all_steps);

  auto done = options();  // a finished run has nothing left to do
  done.resume = &*keep.state;
  auto const before = weights_of(model);
  CHECK(gt::grow(Ref{}, model, plan, corpus(), one_byte, done).end == GrowthEnd::finished);
  CHECK(changes(before, weights_of(model)).empty());
}

TEST_CASE("grow: a loss that is not finite leaves a checkpoint that a run can go on from") {
  Tiny model = new_model();
  Keep keep(model);
  Losses losses;
  auto spoiled = options();
  spoiled.checkpoint_seconds = 0;
  spoiled.stop = [&] {  // in place of a rate that is too high: behind the fourth step a weight overflows
    if (losses.all.size() == 4) model.head_buffer()[0] = std::numeric_limits<float>::infinity();
    return false;
  };
  auto const result = gt::grow(Ref{}, model, plan, corpus(), one_byte, spoiled, keep, losses);
  CHECK(result.end == GrowthEnd::diverged);
  CHECK(result.stage == 0);
  CHECK(result.step == 5);
  CHECK(losses.all.size() == 4);
  REQUIRE(keep.state);
  CHECK(keep.state->step == 3);  // the last step whose weights gave a finite loss
  Tiny again = std::move(*keep.copy);
  auto going_on = options();
  going_on.resume = &*keep.state;
  CHECK(gt::grow(Ref{}, again, plan, corpus(), one_byte, going_on).end == GrowthEnd::finished);
  CHECK(changes(weights_of(Whole(0).model), weights_of(again)).empty());
}

TEST_CASE("grow: a look at held-out text that is not finite ends the run as a loss does") {
  Tiny model = new_model(1);
  model.head_buffer()[0] = std::numeric_limits<float>::infinity();
  Keep keep(model);
  Losses losses;
  auto const result = gt::grow(Ref{}, model, plan, corpus(), one_byte, options(), keep, losses);
  CHECK(result.end == GrowthEnd::diverged);
  CHECK(result.step == 1);
  CHECK(losses.all.empty());
  CHECK_FALSE(keep.state);
}

TEST_CASE("grow: a kept state is its own, and stays as it was while the run goes on") {
  struct First : Keep {
    using Keep::Keep;
    void checkpoint(GrowthState const& now) override {
      if (!kept) kept = now;
      sum = 0;
      for (auto const byte : kept->moments) sum += static_cast<int>(byte);
      sums.push_back(sum);
    }
    std::optional<GrowthState> kept;
    int sum = 0;
    std::vector<int> sums;
  };
  Tiny model = new_model();
  First first(model);
  auto asked = options();
  asked.checkpoint_seconds = 0;
  gt::grow(Ref{}, model, plan, corpus(), one_byte, asked, first);
  REQUIRE(first.sums.size() == all_steps);
  CHECK(first.kept->moments.size() > 0);
  for (int const sum : first.sums) CHECK(sum == first.sums.front());
}

TEST_CASE("grow: a state of another plan, model or length is refused") {
  Tiny model = new_model();
  Keep keep(model);
  int made = 0;
  auto stopping = options();
  stopping.stop = [&] { return ++made == steps + 2; };
  gt::grow(Ref{}, model, plan, corpus(), one_byte, stopping, keep);
  REQUIRE(keep.state->stage == 1);
  auto const refused = [&](Tiny const& shape, GrowthPlan const& other, auto const& change, char const* says) {
    GrowthState state = *keep.state;
    Tiny fresh = shape.clone();
    auto asked = options();
    asked.resume = &state;
    change(state, asked);
    CHECK_THROWS_WITH_AS(gt::grow(Ref{}, fresh, other, corpus(), one_byte, asked), says, Error);
  };
  auto const nothing = [](GrowthState&, GrowOptions&) {};
  refused(
      new_model(2), plan, nothing,
      "gt: grow: the state to go on from must belong to this plan and model (got stage 2, step 2 of 6, at 2 blocks)");
  refused(
      model, GrowthPlan{deepen(1)}, nothing,
      "gt: grow: the state to go on from must belong to this plan and model (got stage 2, step 2 of 6, at 3 blocks)");
  refused(
      model, plan, [](GrowthState&, GrowOptions& o) { o.tokens_per_stage = 2 * B * T; },
      "gt: grow: the state to go on from must belong to this plan and model (got stage 2, step 2 of 2, at 3 blocks)");
  refused(
      model, plan, [](GrowthState& s, GrowOptions&) { s.moments = gt::Buffer<std::byte>(8); },
      "gt: Trainer::restore: the optimiser's state must be of 14112 numbers (got 2 after 2 steps)");
}

}  // namespace resume_test

// SPDX-License-Identifier: MIT
// Growing by a policy: when it is asked, what it is told, and that its stages are those of a plan.
#include "gt/grow/policy.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace policy_test {

using gt::BlockConfig, gt::BlockInit, gt::Cpu, gt::Decay, gt::deepen, gt::Error, gt::grow_by_policy, gt::GrowOnPlateau;
using gt::GrowOptions, gt::Growth, gt::GrowthEnd, gt::GrowthPolicy, gt::Ref, gt::TrainingStatus;
using gt::test::changes, gt::test::ids_below, gt::test::weights_of;

namespace {

constexpr BlockConfig tiny{.d_model = 16, .heads = 2};
constexpr std::int64_t V = 29, T = 8, B = 2, step_tokens = B * T;
using Tiny = gt::Transformer<>;
std::vector<std::int32_t> const one_byte(static_cast<std::size_t>(V), 1);

gt::TokenizedCorpus corpus() {
  auto const text = [](std::int64_t n, std::uint32_t stream) {
    std::vector<std::int32_t> ids = ids_below(V, n, stream);
    for (std::size_t i = 1; i < ids.size(); ++i)
      if (ids[i] >= 4) ids[i] = (5 * ids[i - 1] + 3) % static_cast<std::int32_t>(V);
    return gt::Tokens::from_ids(ids, V);
  };
  return {text(400, 1), text(60, 2), 400, 60};
}
Tiny new_model(int depth = 0) {
  Tiny model(gt::test::substrate_of(V, 8), tiny, gt::seed(1), {.context = T});
  model.append(depth);
  return model;
}
GrowOptions options() { return {.batch = B, .seed = gt::seed(4), .evaluate_every = 0}; }

/// Grows at given steps, and keeps what it was told.
struct AtSteps {
  std::vector<std::int64_t> when;
  gt::StageOptions stage{};
  std::vector<TrainingStatus>* seen = nullptr;
  Growth next(TrainingStatus now) const {
    if (seen) seen->push_back(now);
    return std::count(when.begin(), when.end(), now.steps) > 0 ? Growth::deepen(1, stage) : Growth::none();
  }
};
static_assert(GrowthPolicy<AtSteps> && GrowthPolicy<GrowOnPlateau>);

struct AnswersInBlocks {  // near misses: another answer, a function that is not const
  int next(TrainingStatus) const { return 1; }
};
struct Changes {
  Growth next(TrainingStatus) { return {}; }
};
static_assert(!GrowthPolicy<AnswersInBlocks> && !GrowthPolicy<Changes>);

struct Record : gt::GrowthObserver {
  std::vector<gt::StageStart> starts;
  std::vector<gt::StepDone> steps;
  std::vector<gt::StageDone> dones;
  int checkpoints = 0;
  void stage_starts(gt::StageStart const& now) override { starts.push_back(now); }
  void step_done(gt::StepDone const& now) override { steps.push_back(now); }
  void stage_done(gt::StageDone const& now) override { dones.push_back(now); }
  void checkpoint(gt::GrowthState const&) override { ++checkpoints; }
};

}  // namespace

TEST_CASE("GrowOnPlateau: blocks at the start, and when patience is at an end, up to the greatest depth") {
  constexpr GrowOnPlateau policy{.patience = 5, .max_depth = 4, .blocks = 2, .stage = {.init = BlockInit::identity}};
  constexpr Growth two = Growth::deepen(2, {.init = BlockInit::identity});
  static_assert(policy.next({.depth = 0, .steps = 0}) == two);
  static_assert(policy.next({.depth = 2, .steps = 9, .steps_since_best = 4}) == Growth::none());
  static_assert(policy.next({.depth = 2, .steps = 9, .steps_since_best = 5}) == two);
  static_assert(policy.next({.depth = 3, .steps = 9, .steps_since_best = 5}) == Growth::none());  // 5 would be too many
  static_assert(policy.next({.depth = 4, .steps = 99, .steps_since_best = 50}) == Growth::none());
  CHECK(two.stage == deepen(2, {.init = BlockInit::identity}));
  CHECK((two.adds_blocks() && !Growth::none().adds_blocks()));
}

TEST_CASE_TEMPLATE("grow_by_policy: a policy that keeps to a plan's steps gives the plan's weights", On, Ref, Cpu<>) {
  // A constant rate and identity blocks: all else that a plan knows beforehand would differ.
  gt::StageOptions const stage{.init = BlockInit::identity,
                               .head = gt::HeadInit::reset,
                               .train_final_norm = false,
                               .schedule = {.lr = 1e-2, .warmup = 0, .decay = Decay::constant}};
  auto planned = new_model(1), by_policy = new_model(1);
  auto settings = options();
  settings.tokens_per_stage = 6 * step_tokens;
  auto const plan_result =
      grow(On{}, planned, {deepen(1, stage), deepen(1, stage), deepen(1, stage)}, corpus(), one_byte, settings);
  Record record;
  auto const result = grow_by_policy(On{}, by_policy, AtSteps{{0, 6, 12}, stage}, 18 * step_tokens, corpus(), one_byte,
                                     settings, record);
  CHECK(changes(weights_of(planned), weights_of(by_policy)).empty());
  CHECK(result.end == GrowthEnd::finished);
  CHECK((result.stage == 2 && result.step == 6 && result.tokens == 18 * step_tokens));
  REQUIRE((result.stages.size() == 3 && record.starts.size() == 3 && record.dones.size() == 3));
  CHECK(record.steps.size() == 18);
  CHECK(record.checkpoints == 0);
  gt::GrowthPlan const plan{deepen(1, stage), deepen(1, stage), deepen(1, stage)};
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    auto const& start = record.starts[i];
    auto const &done = record.dones[i], &of_plan = plan_result.stages[i];
    CHECK((start.stage == i && start.stages == i + 1 && start.depth == static_cast<int>(i) + 2 && start.blocks == 1));
    CHECK(start.steps == 18 - 6 * static_cast<std::int64_t>(i));
    CHECK(start.step_flops == plan.step_flops(i, tiny, {.vocab = V, .depth = 1}, {B, T}));
    CHECK((done.stage == i && done.depth == of_plan.depth && done.steps == 6 && done.tokens == of_plan.tokens));
    CHECK((done.before.nats == of_plan.before.nats && done.after.nats == of_plan.after.nats));
    CHECK(done.active_parameters == of_plan.active_parameters);
    CHECK(done.loss > 0);
    CHECK(done.train_seconds > 0);
    CHECK(done.profile.sum() > 0);
  }
  for (std::size_t s = 0; s < 18; ++s) {
    CHECK((record.steps[s].stage == s / 6 && record.steps[s].step == static_cast<std::int64_t>(s % 6) + 1));
    CHECK(record.steps[s].tokens == static_cast<std::int64_t>(s + 1) * step_tokens);
    double before = 0;
    for (std::size_t i = 0; i < s / 6; ++i) before += record.dones[i].seconds;
    CHECK(record.steps[s].run_seconds == before + record.steps[s].seconds);
  }
}

TEST_CASE("grow_by_policy: the status counts steps, and means over twenty of them, from each growth anew") {
  std::vector<TrainingStatus> seen;
  Record record;
  auto model = new_model();
  grow_by_policy(Ref{}, model, AtSteps{{0, 30}, {}, &seen}, 60 * step_tokens, corpus(), one_byte, options(), record);
  REQUIRE(seen.size() == 60);  // before the first step, and after all but the last
  CHECK((seen[0].steps == 0 && seen[0].steps_left == 60 && seen[0].depth == 0 && seen[0].loss == 0));
  double mean = 0, best = 0;
  std::int64_t since = 0;
  for (std::size_t s = 1; s < 60; ++s) {
    CAPTURE(s);
    auto const& now = seen[s];
    std::int64_t const step = s > 30 ? static_cast<std::int64_t>(s) - 30 : static_cast<std::int64_t>(s);
    double const loss = record.steps[s - 1].loss;
    mean = step == 1 ? loss : mean + (loss - mean) / static_cast<double>(std::min<std::int64_t>(step, 20));
    bool const is_best = step <= 20 || mean < best;
    since = is_best ? 0 : since + 1;
    if (is_best) best = mean;
    CHECK((now.steps == static_cast<std::int64_t>(s) && now.steps_left == 60 - now.steps && now.stage_steps == step));
    CHECK(now.depth == (s > 30 ? 2 : 1));
    CHECK((now.loss == loss && now.mean_loss == mean && now.best_loss == best && now.steps_since_best == since));
  }
  CHECK(best < record.steps[30].loss);
}

TEST_CASE("grow_by_policy: a loss that cannot fall is a plateau, one that falls is none") {
  auto const depths = [](double lr) {
    auto model = new_model();
    GrowOnPlateau const policy{
        .patience = 15, .max_depth = 3, .stage = {.schedule = {.lr = lr, .warmup = 0, .decay = Decay::constant}}};
    Record record;
    auto const result = grow_by_policy(Ref{}, model, policy, 120 * step_tokens, corpus(), one_byte, options(), record);
    CHECK(result.tokens == 120 * step_tokens);  // to the end of the budget, at the greatest depth too
    CHECK(result.stages.size() == record.dones.size());
    std::vector<std::int64_t> steps;
    for (auto const& done : record.dones) steps.push_back(done.steps);
    return std::pair(model.depth(), steps);
  };
  auto const [stuck_depth, stuck_steps] = depths(1e-12);  // moves, but nowhere
  CHECK(stuck_depth == 3);
  REQUIRE(stuck_steps.size() == 3);
  for (std::size_t i = 0; i < 2; ++i) CHECK((stuck_steps[i] > 15 && stuck_steps[i] < 80));
  auto const [learning_depth, learning_steps] = depths(3e-3);
  CHECK(learning_depth < 3);
  CHECK(learning_steps[0] > stuck_steps[0]);
}

TEST_CASE("grow_by_policy: what a stage does not train keeps its bits") {
  struct Watch : gt::GrowthObserver {
    explicit Watch(Tiny const& watched) : model{watched} {}
    void stage_starts(gt::StageStart const&) override {
      before = weights_of(model), trains = gt::test::trainable_names(model);
    }
    void stage_done(gt::StageDone const&) override {
      CHECK(changes(before, weights_of(model)) == trains);
      ++stages;
    }
    Tiny const& model;
    decltype(weights_of(std::declval<Tiny>())) before;
    std::vector<std::string> trains;
    int stages = 0;
  };
  auto model = new_model(1);
  Watch watch(model);
  grow_by_policy(Cpu<>(2), model, AtSteps{{0, 3, 7}}, 10 * step_tokens, corpus(), one_byte, options(), watch);
  CHECK(watch.stages == 3);
  CHECK(gt::test::trainable_names(model).empty());
}

TEST_CASE("grow_by_policy: the same seed grows the same depth and weights on 1, 2 and 4 threads") {
  auto const grown = [](int threads, gt::Seed seed) {
    auto model = new_model();
    auto settings = options();
    settings.seed = seed;
    grow_by_policy(Cpu<>(threads), model, GrowOnPlateau{.patience = 4, .max_depth = 3}, 60 * step_tokens, corpus(),
                   one_byte, settings);
    return weights_of(model);
  };
  auto const one = grown(1, gt::seed(4));
  for (int const threads : {1, 2, 4}) CHECK(changes(one, grown(threads, gt::seed(4))).empty());
  CHECK(!changes(one, grown(1, gt::seed(5))).empty());
}

TEST_CASE("grow_by_policy: stop ends the run, also where the policy would grow; sixty-four stages are the most") {
  auto model = new_model();
  auto settings = options();
  settings.stop = [asked = 0]() mutable { return ++asked == 5; };
  auto const stopped = grow_by_policy(Ref{}, model, AtSteps{{0, 3, 5}}, 20 * step_tokens, corpus(), one_byte, settings);
  CHECK((stopped.end == GrowthEnd::stopped && stopped.stages.size() == 1 && stopped.stage == 1 && stopped.step == 2));
  CHECK((stopped.tokens == 5 * step_tokens && model.depth() == 2));

  struct Always {
    Growth next(TrainingStatus) const { return Growth::deepen(1); }
  };
  auto deep = new_model();
  auto const all = grow_by_policy(Cpu<>(1), deep, Always{}, 70 * step_tokens, corpus(), one_byte, options());
  CHECK((all.end == GrowthEnd::finished && deep.depth() == 64 && all.stages.size() == 64));
  CHECK(all.tokens == 70 * step_tokens);
}

TEST_CASE("grow_by_policy: a run that blows up ends as diverged, with the stages that were done") {
  auto model = new_model();
  gt::StageOptions const wild{.schedule = {.lr = 1e30, .warmup = 0, .decay = Decay::constant}};
  auto const result =
      grow_by_policy(Ref{}, model, AtSteps{{0, 1}, wild}, 10 * step_tokens, corpus(), one_byte, options());
  CHECK(result.end == GrowthEnd::diverged);
  CHECK((result.stages.size() == 1 && result.stage == 1 && result.step == 1 && result.tokens == step_tokens));
}

TEST_CASE("grow_by_policy: errors say what must hold, and leave the model alone") {
  auto model = new_model();
  auto const run = [&](auto const& policy, std::int64_t tokens, GrowOptions const& settings) {
    grow_by_policy(Ref{}, model, policy, tokens, corpus(), one_byte, settings);
  };
  gt::GrowthState const state;
  auto resumed = options(), none = options(), long_context = options();
  resumed.resume = &state, none.batch = 0, long_context.context = T + 1;
  CHECK_THROWS_WITH_AS(run(AtSteps{{1}}, 100, options()),
                       "gt: grow_by_policy: a policy must begin with new blocks (got none before the first step)",
                       Error);
  CHECK_THROWS_WITH_AS(run(GrowOnPlateau{}, 0, options()),
                       "gt: grow_by_policy: the budget must be positive (got 0 tokens)", Error);
  CHECK_THROWS_WITH_AS(run(GrowOnPlateau{}, 100, resumed),
                       "gt: grow_by_policy: a run by policy does not go on from a state; leave resume null", Error);
  CHECK_THROWS_WITH_AS(run(GrowOnPlateau{}, 100, none), "gt: grow_by_policy: the batch must be positive (got 0)",
                       Error);
  CHECK_THROWS_WITH_AS(run(GrowOnPlateau{}, 100, long_context), doctest::Contains("fit the model's context of 8"),
                       Error);
  CHECK(model.depth() == 0);
}

}  // namespace policy_test

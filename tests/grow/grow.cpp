// SPDX-License-Identifier: MIT
// Growing: what each stage trains and leaves alone, what observers see, and how a run ends.
#include "gt/grow/grow.hpp"
#include "gt/grow/measure_steps.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace grow_test {

using gt::BlockConfig, gt::BlockInit, gt::Cpu, gt::deepen, gt::Error, gt::GrowOptions, gt::GrowthEnd, gt::GrowthPlan;
using gt::HeadInit, gt::Ref, gt::Tokens, gt::Transformer;
using gt::test::changes, gt::test::ids_below, gt::test::substrate_of, gt::test::trainable_names, gt::test::weights_of;

namespace {

constexpr BlockConfig tiny{.d_model = 16, .heads = 2};
constexpr std::int64_t V = 29, T = 8, B = 2;
using Tiny = Transformer<>;
using Names = std::vector<std::string>;

/// Ids that follow each other by a rule, so that there is something to learn: i -> 5 i + 3, with a jump now and then.
std::vector<std::int32_t> text_of(std::int64_t n, std::uint32_t stream) {
  auto const jumps = ids_below(V, n, stream);
  std::vector<std::int32_t> ids{1};
  for (std::size_t i = 1; i < static_cast<std::size_t>(n); ++i)
    ids.push_back(jumps[i] < 4 ? jumps[i] : (5 * ids[i - 1] + 3) % static_cast<std::int32_t>(V));
  return ids;
}
gt::TokenizedCorpus corpus(std::int64_t train = 400, std::int64_t validation = 60) {
  return {Tokens::from_ids(text_of(train, 1), V), Tokens::from_ids(text_of(validation, 2), V), train, validation};
}
std::vector<std::int32_t> const one_byte(static_cast<std::size_t>(V), 1);

template <class Model = Tiny>
Model new_model(int depth = 0, bool head_bias = false) {
  Model model(substrate_of(V, 8), tiny, gt::seed(1), {.context = T, .head_bias = head_bias});
  model.append(depth);
  return model;
}
/// `steps` of B sequences of T tokens in each stage.
GrowOptions options(std::int64_t steps) {
  return {.batch = B, .tokens_per_stage = steps * B * T, .seed = gt::seed(4), .evaluate_every = 0};
}

/// Keeps all that it is told.
struct Record : gt::GrowthObserver {
  std::vector<gt::StageStart> starts;
  std::vector<gt::StepDone> steps;
  std::vector<gt::StageDone> dones;
  void stage_starts(gt::StageStart const& now) override { starts.push_back(now); }
  void step_done(gt::StepDone const& now) override { steps.push_back(now); }
  void stage_done(gt::StageDone const& now) override { dones.push_back(now); }
};

/// Holds what a stage changed against what it said would train.
struct BitsWatch : gt::GrowthObserver {
  explicit BitsWatch(Tiny const& watched) : model{watched} {}
  void stage_starts(gt::StageStart const&) override {
    before = weights_of(model);
    trains = trainable_names(model);
    stages.push_back(trains);
  }
  void stage_done(gt::StageDone const&) override { CHECK(changes(before, weights_of(model)) == trains); }

  Tiny const& model;
  decltype(weights_of(std::declval<Tiny>())) before;
  Names trains;
  std::vector<Names> stages;
};

/// Names of the tensors of some blocks, bottom to top, then of the norm and the head.
Names names_of(int from, int to, bool norm) {
  Names names;
  for (int l = from; l < to; ++l) {
    for (int t = 0; t < Tiny::block_type::tensor_count; ++t) names.push_back(Tiny::tensor_name(l, t));
  }
  if (norm) names.insert(names.end(), {"model.norm.weight", "model.norm.bias"});
  names.push_back("lm_head.weight");
  return names;
}

bool all_finite(Tiny const& model) {
  for (auto const& p : model.parameters()) {
    if (!std::all_of(p.data, p.data + p.size(), [](float x) { return std::isfinite(x); })) return false;
  }
  return true;
}

}  // namespace

TEST_CASE_TEMPLATE("grow: each stage trains its new blocks and the head; all else keeps its bits", Backend, Ref,
                   Cpu<>) {
  auto model = new_model(1);
  GrowthPlan const plan{deepen(2), deepen(1, {.init = BlockInit::identity, .train_final_norm = false}), deepen(1)};
  BitsWatch watch(model);
  auto const result = grow(Backend{}, model, plan, corpus(), one_byte, options(4), watch);
  CHECK(result.end == GrowthEnd::finished);
  CHECK(watch.stages == std::vector<Names>{names_of(1, 3, true), names_of(3, 4, false), names_of(4, 5, true)});
  CHECK(model.depth() == 5);
  CHECK(trainable_names(model).empty());  // a grown model is frozen
  CHECK(all_finite(model));
}

TEST_CASE("grow: observers are told the figures of the plan, of every step, and of every stage") {
  auto model = new_model(0, true);
  GrowthPlan const plan{deepen(2), deepen(1)};
  auto settings = options(25);
  settings.evaluate_every = 10, settings.log_every = 4, settings.evaluation_tokens = 20;
  Record first, second;
  auto const result = grow(Cpu<>(2), model, plan, corpus(), one_byte, settings, first, second);
  gt::ModelSize const size{.vocab = V, .head_bias = true};

  REQUIRE(first.starts.size() == 2);
  REQUIRE(first.dones.size() == 2);
  REQUIRE(first.steps.size() == 50);
  CHECK((second.starts.size() == 2 && second.dones.size() == 2 && second.steps.size() == 50));
  for (std::size_t i = 0; i < 2; ++i) {
    CAPTURE(i);
    auto const& start = first.starts[i];
    auto const& done = first.dones[i];
    CHECK((start.stage == i && start.stages == 2 && start.steps == 25 && start.depth == plan.depth(i)));
    CHECK(start.active_parameters == plan.active_parameters(i, tiny, size));
    CHECK(start.optimizer_bytes == 8 * start.active_parameters);
    CHECK(4 * start.total_parameters == plan.weight_bytes(i, tiny, size, 8));
    CHECK((done.stage == i && done.steps == 25 && done.depth == plan.depth(i)));
    CHECK(done.active_parameters == start.active_parameters);
    CHECK(done.tokens == static_cast<std::int64_t>(i + 1) * 25 * B * T);
    CHECK((done.before.tokens == 59 && done.after.tokens == 59));
    CHECK(done.after.bits_per_byte() < done.before.bits_per_byte());
    CHECK(done.train_seconds <= done.seconds);
    double tail = 0;  // the last tenth: three of 25 steps
    for (std::size_t s = 22; s < 25; ++s) tail += first.steps[25 * i + s].loss / 3;
    CHECK(done.loss == doctest::Approx(tail).epsilon(1e-12));
  }
  for (std::size_t s = 0; s < 50; ++s) {
    CAPTURE(s);
    auto const& now = first.steps[s];
    auto const step = static_cast<std::int64_t>(s % 25) + 1;
    CHECK((now.stage == s / 25 && now.step == step && now.steps == 25));
    CHECK(now.tokens == static_cast<std::int64_t>(s + 1) * B * T);
    CHECK(now.lr == plan[0].schedule.at(step - 1, 25));
    CHECK(now.evaluated == (step % 10 == 0 || step == 25));
    CHECK(now.logged == (now.evaluated || step == 1 || step % 4 == 0));
    CHECK((now.bits_per_byte > 0) == (step >= 10));
    CHECK((now.loss > 0 && now.gradient_norm > 0 && now.tokens_per_second > 0));
    CHECK((now.loss == second.steps[s].loss && now.depth == plan.depth(s / 25)));
  }
  CHECK(result.stages.size() == 2);
  CHECK((result.tokens == 50 * B * T && result.stage == 1 && result.step == 25));
}

TEST_CASE("grow: the same seed grows the same weights on 1, 2 and 4 threads; another seed does not") {
  GrowthPlan const plan{deepen(1), deepen(1)};
  auto const grown = [&](int threads, gt::Seed seed) {
    auto model = new_model();
    auto settings = options(5);
    settings.seed = seed;
    grow(Cpu<>(threads), model, plan, corpus(), one_byte, settings);
    return weights_of(model);
  };
  auto const one = grown(1, gt::seed(4));
  for (int const threads : {1, 2, 4}) CHECK(changes(one, grown(threads, gt::seed(4))).empty());
  CHECK(!changes(one, grown(1, gt::seed(5))).empty());
}

TEST_CASE("grow: watching, evaluating and logging change no weight") {
  GrowthPlan const plan{deepen(1), deepen(1)};
  auto plain = new_model(), watched = new_model();
  grow(Ref{}, plain, plan, corpus(), one_byte, options(6));
  auto settings = options(6);
  settings.evaluate_every = 1;
  grow(Ref{}, watched, plan, corpus(), one_byte, settings, Record{});
  CHECK(changes(weights_of(plain), weights_of(watched)).empty());
}

TEST_CASE("grow: a stage may draw a new head; the first keeps what there is") {
  struct HeadWatch : gt::GrowthObserver {
    explicit HeadWatch(Tiny const& watched) : model{watched} {}
    void stage_starts(gt::StageStart const&) override { heads.push_back(weights_of(model).back()); }
    void stage_done(gt::StageDone const&) override { heads.push_back(weights_of(model).back()); }
    Tiny const& model;
    std::vector<std::pair<std::string, std::vector<float>>> heads;
  };
  for (HeadInit const head : {HeadInit::carry, HeadInit::reset}) {
    auto model = new_model();
    gt::test::scramble(model);
    auto const initial = weights_of(model).back();
    HeadWatch watch(model);
    grow(Ref{}, model, {deepen(1, {.head = head}), deepen(1, {.head = head})}, corpus(), one_byte, options(3), watch);
    CHECK(watch.heads[0] == initial);
    CHECK((watch.heads[2] == watch.heads[1]) == (head == HeadInit::carry));
    CHECK(watch.heads[2] != initial);
  }
}

TEST_CASE("grow: a stage of finetuning changes every block and adds none; growing goes on from there") {
  Record record;
  auto model = new_model();
  GrowthPlan const plan{deepen(2), gt::finetune(), deepen(1)};
  auto first = new_model();
  grow(Cpu<>(2), first, {deepen(2)}, corpus(), one_byte, options(10));
  grow(Cpu<>(2), model, plan, corpus(), one_byte, options(10), record);
  CHECK(model.depth() == 3);
  CHECK(record.dones[1].depth == 2);
  CHECK(record.dones[1].active_parameters == record.dones[0].active_parameters);
  CHECK(record.dones[1].before.nats == record.dones[0].after.nats);
  for (std::size_t l = 0; l < 2; ++l) {
    CAPTURE(l);
    CHECK(!gt::test::bit_equal<float>(first.blocks()[l].weights().span(), model.blocks()[l].weights().span()));
  }
}

TEST_CASE("grow: a stage that starts as the identity starts where the last one ended") {
  Record record;
  auto model = new_model();
  GrowthPlan const plan{deepen(1), deepen(2, {.init = BlockInit::identity})};
  grow(Cpu<>(2), model, plan, corpus(), one_byte, options(10), record);
  CHECK(record.dones[1].before.nats == record.dones[0].after.nats);
}

TEST_CASE_TEMPLATE("grow: weights that are not finite end the run as diverged, the weights as they were", Backend, Ref,
                   Cpu<>) {
  for (float const poison : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    for (char const* name : {"model.layers.0.self_attn.q_proj.weight", "model.norm.weight", "lm_head.weight"}) {
      INFO(name, " holds ", poison);
      auto model = new_model(1);
      for (auto const& p : model.parameters()) {
        if (p.name == name) p.data[3] = poison;
      }
      auto expected = model.clone();
      expected.append(1, BlockInit::random, 2);
      Record record;
      auto const result = grow(Backend{}, model, {deepen(1)}, corpus(), one_byte, options(5), record);
      CHECK(result.end == GrowthEnd::diverged);
      CHECK((result.stage == 0 && result.step == 1 && result.tokens == 0 && result.stages.empty()));
      CHECK(record.steps.empty());
      CHECK(changes(weights_of(expected), weights_of(model)).empty());
    }
  }
}

TEST_CASE_TEMPLATE("grow: a run that blows up stops with the last weights that were good", Backend, Ref, Cpu<>) {
  auto model = new_model(1), after_one_step = new_model(1);
  gt::Stage stage = deepen(1);
  stage.schedule = {.lr = 1e30, .warmup = 0, .decay = gt::Decay::constant};
  auto const result = grow(Backend{}, model, {stage}, corpus(), one_byte, options(10));
  CHECK(result.end == GrowthEnd::diverged);
  CHECK((result.step == 2 && result.tokens == B * T));
  CHECK(all_finite(model));
  auto settings = options(10);
  settings.stop = [] { return true; };
  grow(Backend{}, after_one_step, {stage}, corpus(), one_byte, settings);
  CHECK(changes(weights_of(after_one_step), weights_of(model)).empty());
}

TEST_CASE("grow: stop ends the run after a whole step, or with the stage that step completes") {
  auto const stopped_after = [](int steps) {
    auto model = new_model();
    auto settings = options(5);
    settings.stop = [asked = 0, steps]() mutable { return ++asked == steps; };
    Record record;
    auto const result = grow(Ref{}, model, {deepen(1), deepen(1)}, corpus(), one_byte, settings, record);
    CHECK(record.steps.size() == static_cast<std::size_t>(std::min(steps, 10)));
    CHECK(result.stages.size() == record.dones.size());
    CHECK(result.tokens == std::min(steps, 10) * B * T);
    CHECK(all_finite(model));
    return result;
  };
  auto const first = stopped_after(1), middle = stopped_after(3), stage_end = stopped_after(5),
             second = stopped_after(6), last = stopped_after(10), never = stopped_after(11);
  CHECK((first.end == GrowthEnd::stopped && first.step == 1 && first.stages.empty()));
  CHECK((middle.end == GrowthEnd::stopped && middle.step == 3 && middle.stages.empty()));
  CHECK((stage_end.end == GrowthEnd::stopped && stage_end.step == 5 && stage_end.stages.size() == 1));
  CHECK((second.end == GrowthEnd::stopped && second.stage == 1 && second.step == 1 && second.stages.size() == 1));
  CHECK((last.end == GrowthEnd::finished && last.stages.size() == 2));  // there was nothing left to stop
  CHECK((never.end == GrowthEnd::finished && never.stages.size() == 2));
}

TEST_CASE("grow: ten losses, recorded from the reference in double") {
  constexpr double recorded[10] = {3.364135125382, 3.246197400030, 3.218688095889, 3.171049543481, 3.027233677546,
                                   3.016730196542, 3.130024289692, 2.863549208845, 2.863632728984, 2.773396163941};
  struct Losses : gt::GrowthObserver {
    void step_done(gt::StepDone const& now) override { all.push_back(now.loss); }
    gt::test::Numbers all;
  };
  auto const run = [&](auto on, auto model, auto&& losses) {
    gt::Stage stage = deepen(1);
    stage.schedule = {.lr = 1e-2, .warmup = 0};
    grow(on, model, {stage, stage}, corpus(), one_byte, options(5), losses);
  };
  Losses exact, rounded;
  run(Ref{}, new_model<Transformer<gt::Block<double>>>(), exact);
  run(Cpu<>(2), new_model(), rounded);
  REQUIRE((exact.all.size() == 10 && rounded.all.size() == 10));
  for (std::size_t s = 0; s < 10; ++s) {
    CAPTURE(s);
    CHECK(exact.all[s] == doctest::Approx(recorded[s]).epsilon(1e-9));
    CHECK(std::abs(rounded.all[s] - recorded[s]) <= 1e-4 * recorded[s]);
  }
}

TEST_CASE("measure_steps: a time for each stage, and the model as it was") {
  auto const model = new_model(1);
  auto const before = weights_of(model);
  auto const seconds = measure_steps(Cpu<>(2), model, {deepen(1), deepen(2)}, {B, T});
  CHECK(seconds.size() == 2);
  CHECK(std::all_of(seconds.begin(), seconds.end(), [](auto const& s) { return s.step > 0 && s.step < 60; }));
  CHECK(std::all_of(seconds.begin(), seconds.end(), [](auto const& s) { return s.prefix > 0 && s.prefix < s.step; }));
  CHECK(model.depth() == 1);
  CHECK(changes(before, weights_of(model)).empty());
}

TEST_CASE("grow: errors say what must hold") {
  auto model = new_model();
  auto const run = [&](GrowthPlan const& plan, gt::TokenizedCorpus const& data, GrowOptions const& settings) {
    grow(Ref{}, model, plan, data, one_byte, settings);
  };
  auto none = options(5), long_context = options(5);
  none.batch = 0, long_context.context = T + 1;
  CHECK_THROWS_WITH_AS(run({}, corpus(), options(5)), "gt: grow: the plan must have at least one stage", Error);
  CHECK_THROWS_WITH_AS(run({deepen(1)}, corpus(), none), "gt: grow: the batch must be positive (got 0)", Error);
  CHECK_THROWS_WITH_AS(run({deepen(1)}, corpus(T), options(5)),
                       doctest::Contains("must hold one window of context + 1 = 9 tokens (got 8)"), Error);
  CHECK_THROWS_WITH_AS(run({deepen(1)}, corpus(400, 1), options(5)),
                       "gt: grow: the held-out part of the corpus must hold at least two tokens (got 1)", Error);
  CHECK(model.depth() == 0);
  CHECK_THROWS_WITH_AS(run({deepen(1)}, corpus(), long_context), doctest::Contains("fit the model's context of 8"),
                       Error);
  gt::TokenizedCorpus const foreign{Tokens::from_ids(ids_below(V + 9, 400, 1), V + 9),
                                    Tokens::from_ids(ids_below(V + 9, 60, 2), V + 9), 400, 60};
  CHECK_THROWS_WITH_AS(run({deepen(1)}, foreign, options(5)), doctest::Contains("must be of the model's 29 tokens"),
                       Error);
}

TEST_CASE("grow: what it refuses leaves the model as it was") {
  auto model = new_model();
  auto settings = options(5);
  settings.context = T + 1;
  CHECK_THROWS_WITH_AS(grow(Ref{}, model, {deepen(1)}, corpus(), one_byte, settings),
                       "gt: grow: the windows must fit the model's context of 8 (got 9)", Error);
  gt::TokenizedCorpus const foreign{Tokens::from_ids(text_of(400, 1), V + 9), Tokens::from_ids(text_of(60, 2), V), 1,
                                    1};
  CHECK_THROWS_WITH_AS(grow(Ref{}, model, {deepen(1)}, foreign, one_byte, options(5)),
                       doctest::Contains("must be of the model's 29 tokens (got a vocabulary of 38 and 29)"), Error);
  auto const late = [&](GrowthPlan const& plan) { grow(Ref{}, model, plan, corpus(), one_byte, options(5)); };
  CHECK_THROWS_WITH_AS(late({deepen(1), gt::adapt({.rank = 17})}),
                       "gt: GrowthPlan, stage 2: the rank must lie in 1 ... 16, the width of the model (got 17)",
                       Error);
  CHECK_THROWS_WITH_AS(late({gt::adapt({.rank = 4}), deepen(1)}),
                       "gt: GrowthPlan, stage 1: there must be blocks to adapt, of the stages before (got none)",
                       Error);
  CHECK_THROWS_WITH_AS(late(GrowthPlan{gt::Stage{.blocks = 2, .lora = {.rank = 4}}}),
                       doctest::Contains("there must be blocks to adapt, of the stages before"), Error);
  std::vector<std::int32_t> const short_table(28, 1);
  CHECK_THROWS_WITH_AS(grow(Ref{}, model, {deepen(1)}, corpus(), short_table, options(5)),
                       "gt: grow: each of the 29 tokens needs its bytes (got 28)", Error);
  CHECK(model.depth() == 0);
}

}  // namespace grow_test

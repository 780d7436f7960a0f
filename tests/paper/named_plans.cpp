// SPDX-License-Identifier: MIT
// The plans of papers: their stages, that they keep their budgets, and what they refuse.
#include "gt/paper/named_plans.hpp"

#include <doctest/doctest.h>

#include "gt/grow/plan_text.hpp"

namespace named_plans_test {

using gt::BlockConfig, gt::Error, gt::GrowthPlan, gt::plans::named;

namespace {
constexpr BlockConfig paper{.d_model = 1024, .heads = 32, .qkv_bias = false, .out_bias = false};
constexpr BlockConfig small{.d_model = 96, .heads = 4};
}  // namespace

TEST_CASE("plans: the stages of each") {
  CHECK(to_text(named("v1", 6, paper)) == "1+1+1+1+1,lora170+1,lora136");
  CHECK(to_text(named("v2", 9, paper)) == "3+3+3");
  CHECK(to_text(named("v2", 16, paper)) == "3+3+3+3+3+1");
  CHECK(to_text(named("v3", 16, paper)) == "3+3+lora341+3+3+lora170+3+1+lora128");
  CHECK(to_text(named("v3", 9, small)) == "3+3+lora32+3+lora21");
  CHECK(to_text(named("stack", 12, paper)) == "3+9,all");
  CHECK(to_text(named("expand", 9, paper)) == "6+3");
  CHECK(to_text(named("once", 9, paper)) == "1+8,all");
  CHECK(named("expand", 9, paper)[1].init == gt::BlockInit::expand);
  CHECK(named("stack", 12, paper)[1].init == gt::BlockInit::duplicate);
  CHECK(named("stack", 12, paper).tokens() == 1.25);
  CHECK(named("v3", 9, small).tokens() == 4);
  CHECK(to_text(gt::plans::with_restarts(gt::parse_plan("3+3"), {.rank = 8}, 2)) == "3+3+lora8+lora8+lora8");
  CHECK(gt::plans::with_restarts(gt::parse_plan("3"), {.rank = 8}, 3, {.tokens = 2}).tokens() == 3);
}

TEST_CASE("plans: LoRA phases hold no more than the stage of blocks whose budget they share") {
  for (int const depth : {6, 9, 12, 16, 30}) {
    GrowthPlan const plan = named("v3", depth, paper);
    gt::ModelSize const size{.vocab = 65536, .head_bias = true};
    std::int64_t const of_dense = plan.active_parameters(0, paper, size);
    for (std::size_t i = 0; i < plan.size(); ++i) {
      CAPTURE(depth);
      CAPTURE(i);
      CHECK(plan.active_parameters(i, paper, size) <= of_dense);
    }
    CHECK(plan.depth() == depth);
  }
}

TEST_CASE("plans: once, on a learning rate that is stable until it is taken down") {
  GrowthPlan const plan = named("once", 4, small, {.schedule = {.lr = 2e-3, .warmup = 0}});
  CHECK(plan[0].schedule.at(99, 100) == 2e-3);
  CHECK(plan[1].schedule.at(49, 100) == 2e-3);
  CHECK(plan[1].schedule.at(74, 100) < 1.1e-3);
  CHECK(plan[1].schedule.at(99, 100) == doctest::Approx(0));
  CHECK(plan.trained(1) == 4);
}

TEST_CASE("plans: what is refused") {
  CHECK_THROWS_WITH_AS(named("v4", 9, small),
                       "gt: plans: a named plan must be v1, v2, v3, stack, expand or once (got 'v4')", Error);
  CHECK_THROWS_WITH_AS(named("v2", 0, small), "gt: plans: a named plan needs a depth of 1 ... 4096 (got 0)", Error);
  CHECK_THROWS_WITH_AS(named("stack", 6, small), "gt: plans: stack needs a depth that four divides (got 6)", Error);
  CHECK_THROWS_WITH_AS(named("expand", 1, small), doctest::Contains("at least two blocks"), Error);
  CHECK_THROWS_WITH_AS(named("once", 1, small), doctest::Contains("more blocks than before (got 1 of 1)"), Error);
  CHECK_THROWS_WITH_AS(named("v1", 65, small), "gt: GrowthPlan: a plan holds at most 64 stages", Error);
  CHECK_THROWS_WITH_AS(gt::plans::stack(3, 1), doctest::Contains("at least twice the blocks"), Error);
  CHECK_THROWS_WITH_AS(gt::plans::in_stages(3, 0), doctest::Contains("(got 3 in stages of 0)"), Error);
  CHECK_THROWS_WITH_AS(gt::plans::with_restarts({}, {.rank = 2}, -1), doctest::Contains("must not be negative"), Error);
}

}  // namespace named_plans_test

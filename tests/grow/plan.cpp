// SPDX-License-Identifier: MIT
// Growth plans: at compile time and from text, what they refuse, and budgets that are the trainer's own.
#include "gt/grow/plan.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "gt/backend/ref/ref.hpp"
#include "gt/grow/grow.hpp"
#include "gt/grow/plan_text.hpp"
#include "gt/train/trainer.hpp"
#include "support/model.hpp"

namespace plan_test {

using gt::BatchShape, gt::BlockConfig, gt::deepen, gt::Error, gt::GrowthPlan, gt::ModelSize, gt::parse_plan;

// A plan is a value at compile time.
constexpr BlockConfig block{.d_model = 64, .heads = 4};
constexpr GrowthPlan plan{deepen(3), deepen(2, {.train_final_norm = false}), deepen(4)};
static_assert(plan.size() == 3);
static_assert(plan.depth() == 9 && plan.depth(0) == 3 && plan.depth(1) == 5);
static_assert(block.parameters() == 12 * 64 * 64 + 13 * 64);
static_assert(plan.active_parameters(0, block, {.vocab = 100}) == 3 * block.parameters() + 64 * 100 + 128);
static_assert(plan.active_parameters(1, block, {.vocab = 100, .head_bias = true}) ==
              2 * block.parameters() + 64 * 100 + 100);
static_assert(plan.active_parameters(block, 100) == 4 * block.parameters() + 64 * 100 + 128);  // the most of any stage
static_assert(plan.optimizer_bytes(block, {.vocab = 100}) == 8 * plan.active_parameters(block, 100));
static_assert(plan.weight_bytes(2, block, {.vocab = 100}, 16) ==
              4 * (9 * block.parameters() + 100 * 64 + 128 + 100 * 16));
static_assert(plan.activation_bytes(block, {2, 8}) == plan.activation_bytes(2, block, {2, 8}));
static_assert(GrowthPlan{}.empty() && GrowthPlan{}.depth() == 0 && GrowthPlan{}.active_parameters(block, 100) == 0);
static_assert(plan == GrowthPlan{deepen(3), deepen(2, {.train_final_norm = false}), deepen(4)});
static_assert(plan != GrowthPlan{deepen(3), deepen(2), deepen(4)});
constexpr GrowthPlan phases{deepen(2), gt::adapt({.rank = 4}, {.tokens = 0.25}), deepen(1, {.lora = {.rank = 2}}),
                            deepen(1, {.train_table = true})};
static_assert(phases.depth() == 4 && phases.tokens() == 3.25);
static_assert(phases.trained(1) == 0 && phases.adapted(1) == 2 && phases.differentiated(1) == 2);
static_assert(phases.trained(2) == 1 && phases.adapted(2) == 2 && phases.differentiated(2) == 3);
static_assert(phases.differentiated(3) == 4 && phases.adapted(3) == 0);
static_assert(phases.active_parameters(1, block, {.vocab = 100}) == 2 * 18 * 64 * 4 + 64 * 100 + 128);
static_assert(phases.active_parameters(2, block, {.vocab = 100}) ==
              2 * 18 * 64 * 2 + block.parameters() + 64 * 100 + 128);
static_assert(phases.active_parameters(3, block, {.vocab = 100, .table_width = 16}) ==
              block.parameters() + 64 * 100 + 128 + 16 * 100);
static_assert(phases.steps(0, 1000, {2, 8}) == 62 && phases.steps(1, 1000, {2, 8}) == 15);
// The paper's v3 stage: adapters of rank 128 in 16 blocks are as many numbers as the matrices of three new blocks.
static_assert(GrowthPlan{deepen(16), gt::adapt({.rank = 128})}.active_parameters(
                  1, BlockConfig{.d_model = 1024, .heads = 32, .qkv_bias = false, .out_bias = false},
                  ModelSize{.vocab = 65536, .head_bias = true}) ==
              std::int64_t{3} * 12 * 1024 * 1024 + 65536 * 1024 + 65536 + 2048);
constexpr GrowthPlan joint{deepen(3), deepen(2), gt::finetune()};
static_assert(joint.depth() == 5 && joint.trained(1) == 2 && joint.trained(2) == 5);
static_assert(joint.active_parameters(block, 100) == 5 * block.parameters() + 64 * 100 + 128);
static_assert(joint.step_flops(2, block, {.vocab = 100}, {2, 8}) ==
              GrowthPlan{deepen(5)}.step_flops(0, block, {.vocab = 100}, {2, 8}));

// Four blocks that were there before the plan are adapted, or train, with those that it adds.
static_assert(phases.trained(1, 4) == 0 && phases.adapted(1, 4) == 6 && phases.lowest(0, 4) == 4);
static_assert(phases.differentiated(0, 4) == 2 && phases.differentiated(2, 4) == 7 && joint.trained(2, 4) == 9);
static_assert(phases.active_parameters(1, block, {.vocab = 100, .depth = 4}) == 6 * 18 * 64 * 4 + 64 * 100 + 128);
static_assert(joint.optimizer_bytes(block, {.vocab = 100, .depth = 4}) ==
              8 * (9 * block.parameters() + 64 * 100 + 128));
static_assert(GrowthPlan{gt::finetune()}.activation_bytes(block, {2, 8}, 5) ==
              GrowthPlan{deepen(5)}.activation_bytes(block, {2, 8}));
static_assert(GrowthPlan{deepen(1)}.step_flops(0, block, {.vocab = 100, .depth = 4}, {2, 8}) ==
              GrowthPlan{deepen(4), deepen(1)}.step_flops(1, block, {.vocab = 100}, {2, 8}));
static_assert(plan.weight_bytes(0, block, {.vocab = 100, .depth = 6}, 16) ==
              plan.weight_bytes(2, block, {.vocab = 100}, 16));

TEST_CASE("parse_plan: numbers of blocks joined by plus signs, and back") {
  CHECK(parse_plan("3+3+12") == GrowthPlan{deepen(3), deepen(3), deepen(12)});
  CHECK(parse_plan("1") == GrowthPlan{deepen(1)});
  CHECK(parse_plan("4096").depth() == 4096);
  CHECK(parse_plan("007") == GrowthPlan{deepen(7)});
  CHECK(parse_plan("3+all") == GrowthPlan{deepen(3), gt::finetune()});
  CHECK(parse_plan("3+lora16") == GrowthPlan{deepen(3), gt::adapt({.rank = 16})});
  CHECK(parse_plan("3,table+1,lora8") ==
        GrowthPlan{deepen(3, {.train_table = true}), deepen(1, {.lora = {.rank = 8}})});
  CHECK(parse_plan("lora8,1+all,table") ==
        GrowthPlan{deepen(1, {.lora = {.rank = 8}}), gt::finetune({.train_table = true})});
  for (char const* text :
       {"3+3+3", "1", "12+1", "2+all+1", "all", "3,table+lora16+1,lora4", "lora2", "all,table", "3+6,all"})
    CHECK(to_text(parse_plan(text)) == text);
  CHECK(to_text(GrowthPlan{}).empty());
  auto const identity = parse_plan("2+1", {.init = gt::BlockInit::identity, .head = gt::HeadInit::reset});
  CHECK((identity[1].init == gt::BlockInit::identity && identity[1].head == gt::HeadInit::reset));
  int blocks = 0;
  for (gt::Stage const& stage : identity) blocks += stage.blocks;
  CHECK(blocks == 3);
}

TEST_CASE("parse_plan: what is no plan is refused with its text") {
  for (char const* text : {"",      "+",       "3+",    "+3",    "3++3",   "3+x",         "x",           "-3",
                           "3 + 3", "3,3",     "99999", "4097",  "3+0x2",  "3.5",         "3+All",       "alls",
                           "3,",    "all,all", "lora",  "lora0", "lora-1", "lora8,lora8", "table,table", "lora16384"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(parse_plan(text), doctest::Contains("a plan must be stages joined by '+'"), Error);
  }
  CHECK_THROWS_WITH_AS(parse_plan("3+x"),
                       "gt: parse_plan: a plan must be stages joined by '+', such as 3+3+lora16+3: numbers of new "
                       "blocks, loraR, table, or all (got 'x' in '3+x')",
                       Error);
  CHECK_THROWS_WITH_AS(parse_plan("3+all,lora2"),
                       "gt: GrowthPlan: adapters need frozen blocks and a rank above 0 (got rank 2 in stage 2)", Error);
  CHECK_THROWS_WITH_AS((GrowthPlan{deepen(1, {.lora = {.rank = -2}})}), doctest::Contains("(got rank -2 in stage 1)"),
                       Error);
  CHECK_THROWS_WITH_AS((GrowthPlan{deepen(1, {.tokens = 0})}), doctest::Contains("a share of the tokens above 0"),
                       Error);
  CHECK_THROWS_WITH_AS(parse_plan("table"), doctest::Contains("each stage must add at least one block"), Error);
  for (char const* text : {"0", "0+3"}) {
    CHECK_THROWS_WITH_AS(parse_plan(text), "gt: GrowthPlan: each stage must add at least one block (got 0 in stage 1)",
                         Error);
  }
  CHECK_THROWS_WITH_AS(parse_plan("3+0"), doctest::Contains("(got 0 in stage 2)"), Error);
}

TEST_CASE("GrowthPlan: 64 stages and no more") {
  std::string text = "1";
  for (int stage = 1; stage < 64; ++stage) text += "+1";
  CHECK(parse_plan(text).size() == 64);
  CHECK_THROWS_WITH_AS(parse_plan(text + "+1"), "gt: GrowthPlan: a plan holds at most 64 stages", Error);
  CHECK_THROWS_WITH_AS(GrowthPlan{deepen(-1)}, doctest::Contains("at least one block (got -1 in stage 1)"), Error);
}

namespace {

/// Calls check(stage, shape of the blocks, trainer, model) when each stage of a plan has been entered. `before` blocks
/// are there when it begins.
template <class Check>
void for_each_stage(BlockConfig c, GrowthPlan const& stages, int before, bool head_bias, BatchShape shape,
                    Check const& check) {
  gt::Transformer<> model(gt::test::substrate_of(37, c.d_model / 2, "learned"), c, gt::seed(1),
                          {.context = shape.tokens, .head_bias = head_bias});
  model.append(before);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    INFO("C ", c.d_model, ", ", before, " blocks before, stage ", i, ", head bias ", head_bias, ", ", shape.batch,
         " x ", shape.tokens);
    gt::enter_stage(model, stages, i, before + stages.depth());
    gt::Trainer const trainer(gt::Ref{}, model, shape);
    check(i, c, trainer, model);
    model.drop_adapters();
  }
}

/// Of several widths, head widths and biases, with and without a bias of the head, for several batches, grown from the
/// first block and from three that were there before.
template <class Check>
void for_many_models(Check const& check) {
  GrowthPlan const stages{deepen(1, {.train_table = true}),
                          deepen(3, {.train_final_norm = false}),
                          gt::finetune(),
                          gt::adapt({.rank = 5}),
                          deepen(1, {.lora = {.rank = 3, .targets = {.q = false, .fc = false}}}),
                          deepen(1, {.train_table = true}),
                          deepen(2),
                          deepen(2, {.init = gt::BlockInit::duplicate, .all_blocks = true}),
                          deepen(3, {.init = gt::BlockInit::expand})};
  for (bool const head_bias : {false, true}) {
    for (BatchShape const shape : {BatchShape{1, 3}, {2, 8}, {3, 33}}) {
      for (BlockConfig const c : {BlockConfig{.d_model = 8, .heads = 2},
                                  {.d_model = 24, .heads = 3, .d_ff = 20, .qkv_bias = false},
                                  {.d_model = 32, .heads = 16, .d_ff = 300, .out_bias = false},
                                  {.d_model = 24, .heads = 2, .norm = gt::Norm::rms}}) {
        auto const grown_from = [&](int before, GrowthPlan const& by) {
          for_each_stage(c, by, before, head_bias, shape,
                         [&](auto const&... of_stage) { check(by, before, of_stage...); });
        };
        grown_from(0, stages);
        grown_from(3, stages);
        grown_from(3, {gt::adapt({.rank = 2}), gt::finetune(), deepen(1, {.lora = {.rank = 4}})});
      }
    }
  }
}

}  // namespace

TEST_CASE("GrowthPlan: counts what a trainer trains, and what the model weighs, stage by stage") {
  for_many_models(
      [](GrowthPlan const& stages, int before, std::size_t i, BlockConfig c, auto const& trainer, auto const& model) {
        ModelSize const size{
            .vocab = 37, .head_bias = model.has_head_bias(), .table_width = model.table_width(), .depth = before};
        CHECK(stages.active_parameters(i, c, size) == trainer.active_parameters());
        CHECK(8 * stages.active_parameters(i, c, size) == trainer.optimizer_bytes());
        std::int64_t const beside = stages.adapted(i, before) * stages[i].lora.parameters(c);
        CHECK(stages.weight_bytes(i, c, size, c.d_model / 2) == 4 * (model.parameter_count() - beside));
      });
}

TEST_CASE("GrowthPlan: knows the lowest block that gradients reach") {
  for_many_models([](GrowthPlan const& stages, int before, std::size_t i, BlockConfig, auto const&, auto const& model) {
    CHECK(stages.lowest(i, before) == model.lowest_trainable());
    CHECK(before + stages.depth(i) == model.depth());
    CHECK(stages.adapted(i, before) == model.adapted());
  });
}

TEST_CASE("GrowthPlan: counts the activations that a trainer keeps") {
  for_many_models([](GrowthPlan const& stages, int before, std::size_t i, BlockConfig c, auto const& trainer,
                     auto const&) {
    // An arena rounds each tensor up to 64 bytes: 13 of a block that gradients pass through, 4 more with adapters, 6
    // more, and at most 13 of scratch.
    std::int64_t const tensors = 17 * stages.differentiated(i, before) + 6 + 13;
    std::int64_t const rounding = trainer.activation_bytes() - stages.activation_bytes(i, c, trainer.shape(), before);
    CHECK(rounding >= 0);
    CHECK(rounding < 64 * tensors);
  });
}

}  // namespace plan_test

// SPDX-License-Identifier: MIT
// Lesson 5: growing. A plan is a value; its budgets are known to the compiler; a stage freezes what is there, stacks
// new blocks on top, and trains them and the head. What is frozen keeps its bits, and blocks that start as the identity
// change no prediction.   Run it: ./05_grow [TEXT]
#include <cstdio>
#include <cstring>
#include <gt/gt.hpp>
#include <map>
#include <string>
#include <vector>

#include "support/lesson.hpp"

constexpr gt::BlockConfig block{.d_model = 64, .heads = 4};
using Model = gt::Transformer<>;

// Compares the model's tensors before and after each stage, and prints what it is told.
struct Watch : gt::GrowthObserver {
  explicit Watch(Model const& watched) : model{watched} {}

  void stage_starts(gt::StageStart const& now) override {
    before.clear(), frozen = 0;
    for (auto const& p : model.parameters()) before[p.name].assign(p.data, p.data + p.size());
    for (auto const& p : model.parameters()) frozen += p.trainable ? 0 : p.size();
    std::printf("stage %zu: %d blocks, %lld numbers train, %lld are frozen\n", now.stage + 1, now.depth,
                static_cast<long long>(now.active_parameters), static_cast<long long>(frozen));
  }
  void stage_done(gt::StageDone const& now) override {
    std::printf("  held-out bits per byte: %.3f -> %.3f\n", now.before.bits_per_byte(), now.after.bits_per_byte());
    for (auto const& p : model.parameters()) {
      bool const same = std::memcmp(p.data, before[p.name].data(), before[p.name].size() * sizeof(float)) == 0;
      if (!same) ++(p.trainable ? trained_moved : frozen_moved);
    }
    stages.push_back(now);
  }

  Model const& model;
  std::map<std::string, std::vector<float>> before;
  std::vector<gt::StageDone> stages;
  std::int64_t frozen = 0;
  int trained_moved = 0, frozen_moved = 0;  // tensors
};

int main(int argc, char** argv) {
  constexpr gt::StageOptions quietly{.init = gt::BlockInit::identity, .schedule = {.lr = 3e-3}};
  constexpr gt::GrowthPlan plan{gt::deepen(1, {.schedule = {.lr = 3e-3}}), gt::deepen(1, quietly),
                                gt::deepen(2, quietly)};
  constexpr int vocab = 400;
  static_assert(plan.depth() == 4);
  static_assert(plan.active_parameters(block, vocab) <= 130'000, "more than 130,000 numbers would train at once");

  auto const corpus = argc > 1 ? gt::Corpus::read({argv[1]}) : gt::Corpus::from_text(lesson::story);
  auto const tokenizer = gt::Tokenizer::build(corpus, {.vocab_size = vocab});
  auto const substrate = gt::BinaryEmbedding::of_ids(tokenizer.tokens(), {.d_model = block.d_model});
  Model model(substrate, block, gt::seed(1), {.context = 32});  // depth 0: it will grow
  Watch watch(model);
  auto const result = gt::grow(model, plan, gt::training_text(corpus, tokenizer), {.tokens_per_stage = 12'000}, watch);

  auto const& stages = watch.stages;
  lesson::claim(result.end == gt::GrowthEnd::finished && model.depth() == plan.depth(), "the plan ran to its end");
  lesson::claim(watch.trained_moved > 0 && watch.frozen_moved == 0,
                "what trained moved; nothing frozen changed one bit");
  lesson::claim(stages[1].before.nats == stages[0].after.nats && stages[2].before.nats == stages[1].after.nats,
                "identity blocks start exactly where the last stage ended");
  lesson::claim(stages[2].after.nats < stages[0].before.nats, "the text got likelier");
  return lesson::verdict();
}

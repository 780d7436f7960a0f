// SPDX-License-Identifier: MIT
// Lesson 6: growing without a plan. A policy is a small value with one pure function, asked after each step; it answers
// with nothing or with new blocks. Being pure, it is tested by the compiler, and the same seed grows the same model.
// Run it: ./06_policy
#include <cstdio>
#include <gt/gt.hpp>
#include <string>

#include "support/lesson.hpp"

constexpr gt::BlockConfig block{.d_model = 16, .heads = 2};
constexpr gt::StageOptions quietly{.init = gt::BlockInit::identity, .schedule = {.lr = 3e-3}};

// A policy of one's own: whenever the loss has not been better for a while, the model doubles.
struct Doubling {
  int patience = 10, max_depth = 8;
  constexpr gt::Growth next(gt::TrainingStatus now) const {
    if (now.steps == 0) return gt::Growth::deepen(1, quietly);
    bool const stuck = now.steps_since_best >= patience && now.steps_left > 20;  // too late: blocks would learn nothing
    return stuck && 2 * now.depth <= max_depth ? gt::Growth::deepen(now.depth, quietly) : gt::Growth::none();
  }
};
static_assert(gt::GrowthPolicy<Doubling>);
static_assert(Doubling{}.next({.steps = 0}) == gt::Growth::deepen(1, quietly));
static_assert(Doubling{}.next({.depth = 4, .steps = 90, .steps_left = 60, .steps_since_best = 9}) ==
              gt::Growth::none());
static_assert(Doubling{}.next({.depth = 4, .steps = 90, .steps_left = 60, .steps_since_best = 10}).stage.blocks == 4);
static_assert(!Doubling{}.next({.depth = 8, .steps = 90, .steps_left = 60, .steps_since_best = 10}).adds_blocks());

// Tells when blocks come, and why.
struct Tell : gt::GrowthObserver {
  void stage_starts(gt::StageStart const& now) override { std::printf("  depth %d", now.depth); }
  void stage_done(gt::StageDone const& now) override {
    std::printf(" for %3lld steps: held-out bits per byte %.3f -> %.3f\n", static_cast<long long>(now.steps),
                now.before.bits_per_byte(), now.after.bits_per_byte());
  }
};

int main() {
  auto const corpus = gt::Corpus::from_text(lesson::story);
  auto const tokenizer = gt::Tokenizer::build(corpus, {.vocab_size = 400});
  auto const substrate = gt::RandomEmbedding::draw(tokenizer.tokens(), {.width = block.d_model});
  auto const text = gt::training_text(corpus, tokenizer);

  auto const grown = [&](auto const& policy, gt::Cpu<> const& on) {
    gt::Transformer<> model(substrate, block, gt::seed(1), {.context = 32});
    std::printf("on %d thread%s\n", on.threads(), on.threads() > 1 ? "s" : "");
    auto const result = gt::grow_by_policy(on, model, policy, 60'000, text.tokens, text.bytes_of_tokens,
                                           {.batch = 4, .evaluate_every = 0}, Tell{});
    lesson::claim(model.depth() > 1, "it grew where the loss had stopped falling");
    lesson::claim(result.tokens <= 60'000 && model.depth() <= policy.max_depth, "within its budget and its depth");
    return model;
  };
  std::printf("gt::GrowOnPlateau, ");
  grown(gt::GrowOnPlateau{.patience = 10, .max_depth = 4, .stage = quietly}, gt::Cpu<>(1));
  std::printf("\nDoubling, ");
  auto const one = grown(Doubling{}, gt::Cpu<>(1));
  std::printf("\nDoubling, ");
  auto const two = grown(Doubling{}, gt::Cpu<>(2));

  bool same = one.depth() == two.depth();
  auto const all = one.parameters(), also = two.parameters();
  for (std::size_t i = 0; same && i < all.size(); ++i) {
    for (std::int64_t j = 0; j < all[i].size(); ++j) same = same && all[i].data[j] == also[i].data[j];
  }
  lesson::claim(same, "one thread and two grew the same blocks at the same steps, and the same weights");
  return lesson::verdict();
}

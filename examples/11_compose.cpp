// SPDX-License-Identifier: MIT
// Lesson 11: composing. Two models learn different halves of a story on one frozen table and one tokenizer. Their
// logits are averaged, without any training: no token then costs more than the mean of what it costs the two. Weights
// may follow the context instead; and an adapter, trained for a moment, makes the two one.   Run it: ./11_compose
#include <cstdio>
#include <gt/compose.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "support/lesson.hpp"

constexpr gt::BlockConfig block{.d_model = 64, .heads = 4};
using Model = gt::Transformer<>;

int main() {
  std::string const story = lesson::story,
                    halves[] = {story.substr(0, story.size() / 2), story.substr(story.size() / 2)};
  auto const tokenizer = gt::Tokenizer::build(gt::Corpus::from_text(story), {.vocab_size = 400});
  auto const substrate = gt::RandomEmbedding::draw(tokenizer.tokens(), {.width = block.d_model});
  auto const expert = [&](std::string const& text, int depth) {
    Model model(substrate, block, gt::seed(1), {.context = 32});
    gt::grow(model, {gt::deepen(depth, {.schedule = {.lr = 3e-3}})},
             gt::training_text(gt::Corpus::from_text(text), tokenizer), {.tokens_per_stage = 40'000});
    return model;
  };
  Model const first = expert(halves[0], 1), second = expert(halves[1], 2);  // depths may differ
  gt::Ensemble both({first, second});                                       // checked: one table, one vocabulary
  lesson::claim(both.table_count() == 1 && both.depth() == 2, "the frozen table is in memory once");

  auto const bits = [&](auto const& model, std::string const& text) {
    return gt::score(model, tokenizer, text).bits_per_byte();
  };
  std::printf("bits per byte       first half  second half\n");
  auto const row = [&](char const* name, auto const& model) {
    std::printf("  %-16s  %10.2f  %11.2f\n", name, bits(model, halves[0]), bits(model, halves[1]));
  };
  auto const led = both.with(gt::posterior_weights({.decay = 0.9}));
  row("first expert", first), row("second expert", second), row("mean of logits", both), row("led by context", led);
  lesson::claim(bits(both, halves[0]) < bits(second, halves[0]) && bits(both, halves[1]) < bits(first, halves[1]),
                "on what it did not learn each expert is worse than both together");
  lesson::claim(bits(led, story) < bits(both, story), "who predicted the last words well knows the next ones better");

  auto const a = gt::score(first, tokenizer, story), b = gt::score(second, tokenizer, story),
             mean = gt::score(both, tokenizer, story);
  bool never_above = true;
  for (std::size_t t = 0; t < mean.ids.size(); ++t)
    never_above = never_above && mean.log_likelihoods[t] > (a.log_likelihoods[t] + b.log_likelihoods[t]) / 2 - 1e-4;
  lesson::claim(never_above, "no token costs more than the mean of what it costs the two: a theorem");
  // A session shows who leads.
  gt::Session session(gt::Cpu<>{}, led);
  std::string const sentence = "Every morning Marta walked along the wall, wound the clock";
  session.feed(tokenizer.encode(sentence));
  std::printf("after this sentence of the first half its expert has %.0f %% of the weight:\n",
              100 * session.weights()[0]);
  lesson::claim(session.weights()[0] > 0.5, "the expert of the first half leads there");
  std::cout << "  " << sentence;
  gt::generate(led, tokenizer, sentence, {.max_tokens = 20}, std::cout);
  std::cout << std::endl;

  // Training after merging: 8 (2 C + V) numbers, zero in effect at first. No model moves.
  double const before = bits(both, story);
  both.add_adapter({.rank = 8});
  lesson::claim(bits(both, story) == before, "a fresh adapter changes nothing");
  gt::EnsembleTrainer trainer(gt::Cpu<>{}, both, {.batch = 8, .tokens = 32});
  gt::WindowLoader const windows(gt::Tokens::from_ids(mean.ids, 400), 32, gt::seed(1));
  std::vector<std::int32_t> ids(8 * 32), targets(8 * 32);
  for (int step = 0; step < 100; ++step) {
    windows.fill(8 * step, 8, ids, targets);
    trainer.step(ids, targets, 1e-2);
  }
  std::printf("both: %.2f bits per byte as merged, %.2f with an adapter\n", before, bits(both, story));
  lesson::claim(bits(both, story) < before, "the adapter makes the two better than their mean");
  return lesson::verdict();
}

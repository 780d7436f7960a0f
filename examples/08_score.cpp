// SPDX-License-Identifier: MIT
// Lesson 8: how likely a model finds a text: token by token, in bits per byte, and of two endings the likelier one. The
// model is grown here on a small story; then its hidden states are looked at, which see the past and never the future.
// Run it: ./08_score
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <gt/gt.hpp>
#include <span>
#include <string>

#include "support/lesson.hpp"

constexpr gt::BlockConfig block{.d_model = 64, .heads = 4};

int main() {
  auto const corpus = gt::Corpus::from_text(lesson::story);
  auto const tokenizer = gt::Tokenizer::build(corpus, {.vocab_size = 400});
  auto const substrate = gt::RandomEmbedding::draw(tokenizer.tokens(), {.width = block.d_model});
  gt::Transformer<> model(substrate, block, gt::seed(1), {.context = 32});
  auto const score = [&](std::string const& text) { return gt::score(model, tokenizer, text); };

  std::string const sentence = "Every morning Marta walked along the wall.";
  auto const untrained = score(sentence);
  gt::grow(model, {gt::deepen(2, {.schedule = {.lr = 3e-3}})}, gt::training_text(corpus, tokenizer),
           {.tokens_per_stage = 40'000});
  auto const trained = score(sentence);
  std::printf("bits that each token costs, given those before it:\n ");
  for (std::size_t i = 0; i < trained.ids.size(); ++i) {
    auto const& token = tokenizer.token(trained.ids[i]);
    std::printf(" %s %.1f ", token == " " ? "_" : token.c_str(), -trained.log_likelihoods[i] / std::log(2));
  }
  std::printf("\nbits per byte: %.2f before training, %.2f after\n", untrained.bits_per_byte(),
              trained.bits_per_byte());
  lesson::claim(std::abs(untrained.loss() - std::log(400)) < 0.1, "before training all 400 tokens are about as likely");
  lesson::claim(trained.bits_per_byte() < 0.6 * untrained.bits_per_byte(),
                "after it, six bits do where there were ten");

  // The likelier of two endings. Sums over texts of equal beginnings differ by their endings alone.
  std::string const beginning = "Marta walked along the wall and wound the ";
  std::printf("\n%s...\n", beginning.c_str());
  double const clock = score(beginning + "clock").log_likelihood();
  double const horses = score(beginning + "horses").log_likelihood();
  std::printf("  clock   log-likelihood %.2f\n  horses  log-likelihood %.2f\n", clock, horses);
  lesson::claim(clock > horses, "one winds a clock, not horses");

  // States of a layer, [T, C]: 0 is the frozen embedding, each block adds to it.
  auto const ids = tokenizer.encode(beginning + "clock");
  gt::Cpu<> const on;
  std::printf("\nlength of the last token's state: ");
  for (int layer = 0; layer <= model.depth(); ++layer) {
    auto const states = gt::hidden_states(on, model, ids, layer);
    float const* const last = states.x.row(states.x.rows() - 1);
    double sum = 0;
    for (int j = 0; j < block.d_model; ++j) sum += double{last[j]} * double{last[j]};
    std::printf("%s%.2f", layer > 0 ? ", then " : "", std::sqrt(sum));
  }
  std::printf("\n");
  auto const whole = gt::hidden_states(on, model, ids), half = gt::hidden_states(on, model, std::span(ids).first(6));
  lesson::claim(std::equal(half.x.row(0), half.x.row(6), whole.x.row(0)),
                "the first six states are the same bits, whatever comes after");
  return lesson::verdict();
}

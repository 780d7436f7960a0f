// SPDX-License-Identifier: MIT
// A user's program: it sees the library, and none of the library's own flags. It grows a model small enough for a test.
#include <gt/gt.hpp>
#include <iostream>
#include <string>

#if defined(__AVX__)
  #error "gt::gt passed an -march on to its user"
#endif
#if defined(CONSUMER_WANTS_THREADS) && !defined(_OPENMP)
  #error "gt::gt did not pass OpenMP on to its user"
#endif

constexpr gt::BlockConfig block{.d_model = 16, .heads = 2};
constexpr gt::GrowthPlan plan{gt::deepen(1, {.schedule = {.lr = 0.03}})};

int main() try {
  std::string story;
  for (int i = 0; i < 40; ++i) story += "She was there, and she was not there.\n";
  auto const corpus = gt::Corpus::from_text(story);
  auto const tokenizer = gt::Tokenizer::build(corpus, {.vocab_size = 300});
  auto const substrate = gt::BinaryEmbedding::of_ids(tokenizer.tokens(), {.d_model = block.d_model});
  auto model = gt::Transformer(substrate, gt::fixed<block>, gt::seed(1));

  auto const text = gt::training_text(corpus, tokenizer);
  gt::grow(model, plan, text, {.batch = 2, .context = 16, .tokens_per_stage = 1600});
  std::cout << "gt " << gt::version << ", depth " << model.depth() << ": She was";
  auto const said =
      gt::generate(model, tokenizer, "She was", {.max_tokens = 8, .sampler = {.temperature = 0}}, std::cout);
  std::cout << '\n';
  return said.tokens > 0 ? 0 : 1;
} catch (gt::Error const& error) {
  std::cerr << error.what() << '\n';
  return 1;
}

// SPDX-License-Identifier: MIT
// The program of the README: text to weights to text. Usage: first_program TEXT UNIFONT_HEX
#include <gt/gt.hpp>
#include <iostream>

constexpr gt::BlockConfig block{.d_model = 256, .heads = 8};  // sizes are values, checked
constexpr gt::GrowthPlan plan{gt::deepen(3), gt::deepen(3), gt::deepen(3)};
static_assert(plan.active_parameters(block, 4096) <= 4'000'000);  // budgets are compile-time facts

int main(int argc, char** argv) try {
  gt::check(argc == 3, "first_program", "needs a text and GNU Unifont's .hex file (got ", argc - 1, " arguments)");
  auto const corpus = gt::Corpus::read({argv[1]});
  auto const tokenizer = gt::Tokenizer::build(corpus, {.vocab_size = 4096});
  auto const substrate = gt::GlyphEmbedding::draw(tokenizer.tokens(), argv[2], {.width = block.d_model});
  auto model = gt::Transformer(substrate, gt::fixed<block>, gt::seed(1));  // depth 0: it will grow

  auto const text = gt::training_text(corpus, tokenizer);
  gt::grow(model, plan, text, {.tokens_per_stage = 2'000'000}, gt::progress_bar());
  gt::save(model, tokenizer, "my-model");
  gt::generate(model, tokenizer, "It is a truth", {.max_tokens = 100}, std::cout);
} catch (gt::Error const& error) {
  std::cerr << error.what() << '\n';
  return 1;
}

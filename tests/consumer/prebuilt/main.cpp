// SPDX-License-Identifier: MIT
// A user's program of a width and heads of its own: grown, saved, opened, continued. Usage: consumer FOLDER
#include <gt/gt.hpp>
#include <iostream>
#include <string>

constexpr gt::BlockConfig block{.d_model = 320, .heads = 5};
constexpr gt::GrowthPlan plan{gt::deepen(1, {.schedule = {.lr = 0.03}}), gt::adapt({.rank = 2})};

int main(int argc, char** argv) try {
  gt::check(argc == 2, "consumer", "needs a folder");
  std::string const folder = argv[1];
  std::string story;
  for (int i = 0; i < 40; ++i) story += "She was there, and she was not there.\n";
  auto const corpus = gt::Corpus::from_text(story);
  auto const tokenizer = gt::Tokenizer::build(corpus, {.vocab_size = 300});
  auto const substrate = gt::CodeEmbedding::draw(tokenizer.tokens(), {.recode = gt::seed(1), .d_model = block.d_model});
  auto model = gt::Transformer(substrate, gt::fixed<block>, gt::seed(1));
  auto const text = gt::training_text(corpus, tokenizer);
  gt::grow(model, plan, text, {.batch = 2, .context = 16, .tokens_per_stage = 320});
  gt::save(model, tokenizer, folder);
  std::cout << gt::sha256_hex(gt::read_text_file(folder + "/model.safetensors")) << ' '
            << gt::sha256_hex(gt::read_text_file(folder + "/tokenizer.json")) << '\n';
  auto const opened = gt::load_model(folder);
  gt::generate(opened, gt::Tokenizer::load(folder + "/tokenizer.json"), "She was", {.max_tokens = 8}, std::cout);
  std::cout << '\n' << gt::score(opened, tokenizer, "She was not there.\n").bits_per_byte() << '\n';
} catch (gt::Error const& error) {
  std::cerr << error.what() << '\n';
  return 1;
}

// SPDX-License-Identifier: MIT
// Lesson 10: a model inside a program. It is opened once, whatever its width, prepared once, and is const; threads
// share it, each with a session of its own; text comes through a function; what goes wrong is a gt::Error that reads as
// a sentence.
// Run it: ./10_in_a_program [MODEL]   (without a folder it makes a small model in the system's temporary folder)
#include <algorithm>
#include <filesystem>
#include <gt/gt.hpp>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "support/lesson.hpp"

std::string make_model() {
  constexpr gt::BlockConfig block{.d_model = 64, .heads = 4};
  auto const corpus = gt::Corpus::from_text(lesson::story);
  auto const tokenizer = gt::Tokenizer::build(corpus, {.vocab_size = 320});
  auto const substrate = gt::RandomEmbedding::draw(tokenizer.tokens(), {.width = block.d_model});
  gt::Transformer<> model(substrate, block, gt::seed(1), {.context = 16});
  gt::grow(model, {gt::deepen(2, {.schedule = {.lr = 3e-3}})}, gt::training_text(corpus, tokenizer),
           {.tokens_per_stage = 60'000, .evaluate_every = 0});
  std::string const folder = std::filesystem::temp_directory_path() / "gt-lesson-model";
  gt::save(model, tokenizer, folder);
  return folder;
}

// What a program keeps: everything in it is const in use and may be shared.
struct Assistant {
  gt::Tokenizer tokenizer;
  gt::Prepared<gt::Cpu<>, gt::AnyModel> model;  // its weights are packed once, for one thread a session
  explicit Assistant(std::string const& folder)
      : tokenizer{gt::Tokenizer::load(folder + "/tokenizer.json")},
        model{gt::Cpu<>(1), gt::load_any_model(gt::Cpu<>{}, folder)} {}

  // `generate` has a session of its own, and gives whole characters to the function as they come.
  std::string answer(std::string const& prompt, std::uint64_t seed) const {
    std::string said = prompt;
    gt::GenerateOptions const options{.max_tokens = 30, .sampler = {.temperature = 0.6, .seed = gt::seed(seed)}};
    gt::generate(model, tokenizer, prompt, options, [&](std::string_view piece) { said += piece; });
    return said;
  }
  // A session by hand: tokens go in, logits of the next one come out.
  std::string next_token(std::string const& prompt) const {
    gt::Session session(model);
    auto const logits = session.feed(tokenizer.encode(prompt));
    return tokenizer.token(static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
  }
};

int main(int argc, char** argv) try {
  Assistant const assistant(argc > 1 ? argv[1] : make_model());
  std::cout << "opened a model of width " << assistant.model.model().config().d_model << " and depth "
            << assistant.model.model().depth() << '\n';

  std::cout << "after 'Marta walked along ' it expects '" << assistant.next_token("Marta walked along ") << "'\n";
  std::vector<std::string> alone, together(4);
  for (std::uint64_t i = 0; i < 4; ++i) alone.push_back(assistant.answer("The clock", i));
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] { together[i] = assistant.answer("The clock", i); });
  for (auto& thread : threads) thread.join();
  for (auto const& text : together) std::cout << "\n> " << text << '\n';
  lesson::claim(alone == together, "four threads on one model say what one would have said");

  try {
    Assistant const missing("no-such-folder");
  } catch (gt::Error const& error) {
    std::cout << '\n' << error.what() << '\n';
    lesson::claim(std::string(error.what()).find("no-such-folder") != std::string::npos, "errors name what is wrong");
  }
  return lesson::verdict();
} catch (gt::Error const& error) {
  std::cerr << error.what() << '\n';
  return 1;
}

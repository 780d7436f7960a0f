// SPDX-License-Identifier: MIT
// Lesson 2: a tokenizer is built from the text that it will cut: all of its characters, every byte, and the letter
// groups that save most. It loses nothing, and it is saved as a tokenizer.json that Python's `tokenizers` reads.
// Run it: ./02_tokenizer [TEXT]   (it leaves a tokenizer.json in the system's folder for temporary files)
#include <cstdio>
#include <filesystem>
#include <gt/base/philox.hpp>
#include <gt/text/corpus.hpp>
#include <gt/text/tokenizer.hpp>
#include <gt/text/tokenizer_json.hpp>
#include <iostream>
#include <string>

#include "support/lesson.hpp"

int main(int argc, char** argv) {
  auto const corpus = argc > 1 ? gt::Corpus::read({argv[1]}) : gt::Corpus::from_text(lesson::story);

  std::cout << "vocabulary   tokens   bytes a token\n";
  for (std::int64_t const size : {320, 400, 512}) {
    auto const cut = corpus.tokens(gt::Tokenizer::build(corpus, {.vocab_size = size}));
    std::printf("%10lld %8lld %15.2f\n", static_cast<long long>(size), static_cast<long long>(cut.train.size()),
                static_cast<double>(cut.train_bytes) / static_cast<double>(cut.train.size()));
  }

  auto const tokenizer = gt::Tokenizer::build(corpus, {.vocab_size = 512});
  std::string const sentence = "Every morning Zoë wound the clock.";
  auto const ids = tokenizer.encode(sentence);
  std::cout << "\n" << sentence << "  is\n ";
  for (auto const id : ids) std::cout << ' ' << (tokenizer.token(id) == " " ? "_" : tokenizer.token(id));
  std::cout << "\n(_ is a space; a letter that the text lacks is spelled in bytes)\n";
  lesson::claim(tokenizer.decode(ids) == sentence, "decoding gives the sentence back");

  gt::Random const random(gt::seed(2), gt::Purpose::test);
  std::string noise;  // any bytes: zeros, halves of characters
  for (std::uint64_t i = 0; i < 10'000; ++i) noise += static_cast<char>(random.below(256, i));
  lesson::claim(tokenizer.decode(tokenizer.encode(noise)) == noise, "10,000 random bytes survive the round trip");
  lesson::claim(tokenizer.encode("<s>").size() > 1 && tokenizer.encode_with_specials("<s>").size() == 1,
                "text is only text: <s> becomes the special token only where one asks for it");

  std::string const path = std::filesystem::temp_directory_path() / "gt-lesson-tokenizer.json";
  tokenizer.save(path);
  auto const again = gt::Tokenizer::load(path);
  std::cout << "\nsaved as " << path << "\nfingerprint " << tokenizer.fingerprint() << "\n";
  lesson::claim(again.fingerprint() == tokenizer.fingerprint() && again.encode(sentence) == ids,
                "what was saved and loaded cuts alike, and its fingerprint says so");
  return lesson::verdict();
}

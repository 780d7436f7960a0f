// SPDX-License-Identifier: MIT
// A corpus reads whole files, refuses what is no text, and is cut where a paragraph ends.
#include "gt/text/corpus.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/text/tokenizer.hpp"
#include "text/support.hpp"

namespace corpus_test {

using gt::Corpus, gt::test::error_of, gt::test::has;

TEST_CASE("Corpus::read: documents, names, and errors that name the file") {
  gt::test::TemporaryFolder const folder;
  gt::test::put(folder / "a.txt", "first");
  gt::test::put(folder / "b.txt", "second\n");
  gt::test::put(folder / "empty.txt", "");
  gt::test::put(folder / "binary.txt", std::string_view{"a\0b", 3});
  auto const corpus = Corpus::read({folder / "a.txt", folder / "b.txt"});
  CHECK(corpus.text() == "first\nsecond\n");
  CHECK(corpus.bytes() == 13);
  CHECK(corpus.documents() == 2);
  CHECK(corpus.document(0) == "first\n");
  CHECK(corpus.document(1) == "second\n");
  CHECK(corpus.name(1) == folder / "b.txt");
  CHECK(has(error_of([&] { corpus.document(2); }), "must be in [0, 2) (got 2)"));

  CHECK(has(error_of([&] { Corpus::read({folder / "missing.txt"}); }), "missing.txt"));
  CHECK(has(error_of([&] { Corpus::read({folder.path()}); }), folder.path()));
  CHECK(has(error_of([&] { Corpus::read({folder / "empty.txt"}); }), "empty.txt' must hold text (got 0 bytes)"));
  CHECK(has(error_of([&] {
              Corpus::read({folder / "a.txt", folder / "binary.txt"});
            }),
            "binary.txt' must be a text file (got a NUL byte at offset 1)"));
  CHECK(has(error_of([&] { Corpus::read({}); }), "at least one file"));
  CHECK(has(error_of([&] { Corpus::from_text(""); }), "must hold text"));
}

TEST_CASE("Corpus::split: at the nearest end of a paragraph, of a line, of a character") {
  auto const parts = [](std::string text, double held_out) {
    auto const corpus = Corpus::from_text(text);
    auto const [train, validation] = corpus.split(held_out);
    CHECK(std::string{train} + std::string{validation} == text);
    return std::pair{std::string{train}, std::string{validation}};
  };
  CHECK(parts("one\ntwo\n\nthree\nfour\n\nfive", 0.05).second == "five");
  CHECK(parts("one\ntwo\n\nthree\nfour", 0.3).second == "three\nfour");
  CHECK(parts("one\ntwo\nthree\n", 0.05).second == "three\n");
  CHECK(parts("a\n\n\n\nb", 0.5).second == "b");
  CHECK(parts("абвгд", 0.25).first == "абв");
  CHECK(parts("абвгд", 0.5).first == "аб");
  CHECK(parts("abc\n\n", 0.5).first == "ab");
  CHECK(parts("abcd", 0).second.empty());
  for (double const bad : {-0.1, 1.0, 2.0, std::nan("")})
    CHECK(has(error_of([&] { parts("abc", bad); }), "must be in [0, 1)"));
  // A single break far away must not move the cut there.
  std::string const lines = "title\n\n" + [] {
    std::string text;
    for (int i = 0; i < 10000; ++i) text += "0123456789\n";
    return text;
  }();
  auto const [train, validation] = parts(lines, 0.05);
  CHECK(train.back() == '\n');
  CHECK(validation.size() == doctest::Approx(0.05 * static_cast<double>(lines.size())).epsilon(0.01));
}

TEST_CASE("Corpus::tokens: both parts, with their bytes") {
  auto const corpus = Corpus::from_text(gt::test::prose(500));
  auto const tokenizer = gt::Tokenizer::build(corpus, {.vocab_size = 400});
  auto const tokens = corpus.tokens(tokenizer, 0.1);
  auto const [train, validation] = corpus.split(0.1);
  CHECK(tokens.train_bytes == static_cast<std::int64_t>(train.size()));
  CHECK(tokens.validation_bytes == static_cast<std::int64_t>(validation.size()));
  std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens.validation.size()));
  tokens.validation.copy(0, ids);
  CHECK(ids == tokenizer.encode(validation));
  CHECK(tokens.train.size() == static_cast<std::int64_t>(tokenizer.encode(train).size()));
  CHECK(tokens.train.vocab_size() == 400);
}

}  // namespace corpus_test

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
  CHECK(parts("one\ntwo\n\nthree\nfour\n\nfive", 0.2).second == "five");
  CHECK(parts("one\ntwo\n\nthree\nfour", 0.5).second == "three\nfour");
  CHECK(parts("one\ntwo\nthree\n", 0.4).second == "three\n");
  CHECK(parts("a\n\n\n\nb", 0.34).second == "b");
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

TEST_CASE("Corpus::split: about the share is held out, whatever stands near an end of the text") {
  std::string lines;
  for (int i = 0; i < 1400; ++i) lines += "some forty-nine bytes of text that end in a line\n";
  std::string const words(20000, 'w');
  for (double const share : {0.05, 0.3, 0.9}) {
    for (std::string const& text : {lines + "\nThe end.\n", lines + "\n" + lines.substr(0, 1500) + "\nThe end.\n",
                                    "A title\n\n" + words, "A title\n\n" + lines, words + "\n\nThe end.",
                                    "Title\n\n" + words.substr(0, 900), "A title\n" + words + "\n"}) {
      auto const corpus = Corpus::from_text(text);
      auto const [train, validation] = corpus.split(share);
      CAPTURE(text.size());
      CAPTURE(share);
      double const wanted = share * static_cast<double>(text.size());
      CHECK(static_cast<double>(validation.size()) >= 0.5 * wanted - 1);
      CHECK(static_cast<double>(validation.size()) <= 1.5 * wanted + 1);
      CHECK(static_cast<double>(train.size()) >= 0.5 * (static_cast<double>(text.size()) - wanted) - 1);
    }
  }
  // A line end beside the wish beats the end of a paragraph that is far away.
  std::string text;
  for (int i = 0; i < 20000; ++i) text += i == 17900 ? "paragraph\n\n" : "0123456789\n";
  CHECK(Corpus::from_text(text).split(0.2).train.ends_with("789\n"));
  CHECK(Corpus::from_text(text).split(0.105).train.ends_with("paragraph\n\n"));
}

TEST_CASE("Corpus: what is not UTF-8 is refused where a mark tells, and else named with its share and first place") {
  using namespace std::string_view_literals;
  gt::test::TemporaryFolder const folder;
  auto const read = [&](std::vector<std::string_view> const& texts) {
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      paths.push_back(folder / (std::to_string(i) + ".txt"));
      gt::test::put(paths.back(), texts[i]);
    }
    return Corpus::read(paths);
  };
  for (auto const& [bytes, encoding] :
       {std::pair{"\xFF\xFE\x3F\x65"sv, "UTF-16"}, std::pair{"\xFE\xFF\x65\x3F"sv, "UTF-16"},
        std::pair{"\xFF\xFE\0\0a\0\0\0"sv, "UTF-32"}, std::pair{"\0\0\xFE\xFF\0\0\0a"sv, "UTF-32"}}) {
    std::string_view const text = bytes;  // which clang's lambdas can hold
    auto const error = error_of([&] { read({"sound", text}); });
    CHECK(has(error, "1.txt' must be UTF-8 (it begins with the mark of " + std::string(encoding)));
    CHECK(has(error_of([&] { Corpus::from_text(std::string(text)); }), encoding));
  }
  auto const marked =
      read({"\xEF\xBB\xBF"
            "one",
            "\xEF\xBB\xBFtwo\n", "three"});
  CHECK(marked.text() == "one\ntwo\nthree");
  CHECK(marked.warnings().empty());
  CHECK(Corpus::from_text("\xEF\xBB\xBFx").text() == "x");
  CHECK(has(error_of([&] { read({"\xEF\xBB\xBF"}); }), "must hold text"));

  auto const latin1 = read({"all is well: \xC3\xA9\n",
                            "\xEF\xBB\xBF"
                            "caf\xE9 cr\xE8me\n"});
  REQUIRE(latin1.warnings().size() == 1);
  CHECK(has(latin1.warnings()[0], "2 of 27 bytes (7.4 %) are not UTF-8, the first at offset 6 of '"));
  CHECK(has(latin1.warnings()[0], "1.txt'"));
  std::string const long_text(100000, 'a');
  CHECK(has(Corpus::from_text(long_text + "\xFF").warnings()[0], "1 of 100001 bytes (less than 0.1 %)"));

  auto const twice = read({"a text\n", "another", "a text", "another\n"});
  REQUIRE(twice.warnings().size() == 2);
  CHECK(has(twice.warnings()[0], "2.txt' is the same text as '"));
  CHECK(has(twice.warnings()[0], "0.txt'"));
  CHECK(has(twice.warnings()[1], "3.txt' is the same text as '"));
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

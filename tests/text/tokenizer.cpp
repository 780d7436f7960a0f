// SPDX-License-Identifier: MIT
// The tokenizer: exact size, no byte lost, and equal to byte-pair encoding as it is defined.
#include "gt/text/tokenizer.hpp"
#include "gt/text/utf8.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "text/support.hpp"

namespace tokenizer_test {

using namespace gt;
using test::error_of, test::has;

namespace {

Tokenizer prose_tokenizer(std::int64_t vocab_size) {
  return Tokenizer::build(Corpus::from_text(test::prose(3000)), {.vocab_size = vocab_size});
}

std::vector<std::string> strings(Tokenizer const& tokenizer, std::vector<std::int32_t> const& ids) {
  std::vector<std::string> tokens;
  for (auto const id : ids) tokens.push_back(tokenizer.token(id));
  return tokens;
}

}  // namespace

TEST_CASE("Tokenizer::build: the size is exact, the smallest one is stated, the largest is padded") {
  auto const corpus = Corpus::from_text("the cat and the hat, the end: é\n");
  CHECK(error_of([&] { Tokenizer::build(corpus, {.vocab_size = 100}); }) ==
        "gt: Tokenizer::build: vocab_size must be at least 259 for this corpus: 2 specials, 256 bytes, 1 characters "
        "beyond ASCII (got 100)");
  for (std::int64_t const size : {259, 260, 265, 400})
    CHECK(Tokenizer::build(corpus, {.vocab_size = size}).size() == size);
  CHECK(Tokenizer::build(corpus, {.vocab_size = 400}).id("<unused_399>") == 399);
  for (std::int64_t const size : {300, 512, 1024, 2048}) CHECK(prose_tokenizer(size).size() == size);
  CHECK(has(error_of([&] { Tokenizer::build(corpus, {.min_ngram = 1}); }), "2 <= min_ngram"));
  CHECK(has(error_of([&] { Tokenizer::build(corpus, {.specials = {"<s>", "<s>"}}); }), "twice"));
  for (std::string const bad : {"", "x", "a\n", "<0x0A>", "<unused_3>", "\xFFx"})
    CHECK(has(error_of([&] { Tokenizer::build(corpus, {.specials = {bad}}); }), "special token"));
}

TEST_CASE("Tokenizer::build: layout, placement and merges follow the rule") {
  auto const tokenizer = Tokenizer::build(Corpus::from_text("the then the then hat hat"),
                                          {.vocab_size = 265, .held_out = 0, .drop_unused = false});
  // count * (length - 1): "the" 8, "then" 6, "he" = "th" = "hat" 4, "hen" 4, ...; the ties by code points.
  CHECK(tokenizer.tokens()[0] == "<s>");
  CHECK(tokenizer.tokens()[2] == "<0x00>");
  CHECK(tokenizer.bos() == 0);
  CHECK(tokenizer.eos() == 1);
  CHECK(tokenizer.tokens()[252] == " ");
  CHECK(std::vector<std::string>(tokenizer.tokens().begin() + 258, tokenizer.tokens().end()) ==
        std::vector<std::string>{"then", "hat", "hen", "the", "at", "he", "th"});
  auto const merge = [&](std::string_view a, std::string_view b) {
    return bpe::Merge{*tokenizer.id(a), *tokenizer.id(b), *tokenizer.id(std::string{a} + std::string{b})};
  };
  CHECK(tokenizer.merges() == std::vector<bpe::Merge>{merge("t", "hen"), merge("the", "n"), merge("h", "at"),
                                                      merge("he", "n"), merge("t", "he"), merge("th", "e"),
                                                      merge("a", "t"), merge("h", "e"), merge("t", "h")});
}

TEST_CASE("Tokenizer::build: is deterministic, and every n-gram can be produced") {
  auto const tokenizer = prose_tokenizer(1500);
  CHECK(tokenizer.fingerprint() == prose_tokenizer(1500).fingerprint());
  CHECK(tokenizer.fingerprint() != prose_tokenizer(1501).fingerprint());
  int ngrams = 0;
  for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
    std::string const& token = tokenizer.token(id);
    if (tokenizer.vocabulary().kind(id) != TokenKind::ngram) continue;
    ++ngrams;
    CHECK(tokenizer.encode(token) == std::vector{id});
    CHECK((token.find('\n') == token.npos || token.find_first_not_of('\n') == token.npos));
    CHECK((token.find(' ') == token.npos || token.find_first_not_of(' ') == token.npos));
    auto const length = utf8::length(token);
    CHECK((2 <= length && length <= 7));
  }
  CHECK(ngrams > 1000);
  CHECK(tokenizer.id("\n\n").has_value());
  auto const& tokens = tokenizer.tokens();
  CHECK(std::any_of(tokens.begin(), tokens.end(), [](auto const& token) { return token.starts_with("你好"); }));
}

TEST_CASE("Tokenizer::build: n-grams that merging never makes of the text give way to others") {
  std::string const text = test::prose(4000);
  auto const corpus = Corpus::from_text(text);
  auto const unused =
      [&](Tokenizer const& tokenizer) {  // n-grams that neither stand in the text nor begin or end a merge
        std::vector<std::int64_t> uses(static_cast<std::size_t>(tokenizer.size()));
        for (auto const id : tokenizer.encode(text)) ++uses[static_cast<std::size_t>(id)];
        for (auto const& merge : tokenizer.merges()) {
          ++uses[static_cast<std::size_t>(merge.left)], ++uses[static_cast<std::size_t>(merge.right)];
        }
        int count = 0;
        for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
          count += tokenizer.vocabulary().kind(id) == TokenKind::ngram && uses[static_cast<std::size_t>(id)] == 0;
        }
        return count;
      };
  TokenizerOptions options{.vocab_size = 900, .held_out = 0};
  auto const dropped = Tokenizer::build(corpus, options);
  options.drop_unused = false;
  auto const ranked = Tokenizer::build(corpus, options);
  CHECK(dropped.size() == ranked.size());
  CHECK(dropped.encode(text).size() < ranked.encode(text).size());
  CHECK(unused(dropped) < unused(ranked));
  for (std::int32_t id = 0; id < dropped.size(); ++id) {
    if (dropped.vocabulary().kind(id) == TokenKind::ngram) CHECK(dropped.encode(dropped.token(id)) == std::vector{id});
  }
}

TEST_CASE("Tokenizer: the alphabet comes from the whole corpus, n-grams from the training part only") {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "abc abc abc\n";
  for (int i = 0; i < 20; ++i) text += "xyzé xyz\n";
  auto const tokenizer = Tokenizer::build(Corpus::from_text(text), {.vocab_size = 300, .held_out = 0.25});
  CHECK(tokenizer.id("é").has_value());
  CHECK(tokenizer.id("abc").has_value());
  CHECK_FALSE(tokenizer.id("xy").has_value());
}

TEST_CASE("Tokenizer: any bytes survive, and encoding equals plain byte-pair encoding of the whole text") {
  std::vector<std::string> const tricky{"the",      "th",   "'",  "é",    "на",  "народ", "你",  "好世",   "\n",
                                        "\n\n",     " ",    "  ", "\r\n", "\t",  "😀",     "<s>", "<0xE2>", "\xE2",
                                        "\xE2\x82", "\xFF", "e",  "s",    "ing", "0",     "_"};
  for (std::int64_t const size : {300, 700}) {
    auto const tokenizer = prose_tokenizer(size);
    bpe::EncodeCache cache;
    for (std::uint32_t stream = 0; stream < 8; ++stream) {
      for (auto const& text : {test::drawn(tricky, 60, stream), test::noise(60, stream), test::prose(10, stream)}) {
        auto const ids = tokenizer.encode(text);
        CHECK(ids == test::plain_bpe(tokenizer, text));
        CHECK(tokenizer.decode(ids) == text);
        std::vector<std::int32_t> again{-1};
        tokenizer.encode_into(text, again, cache);
        CHECK(std::vector<std::int32_t>(again.begin() + 1, again.end()) == ids);
        std::int64_t bytes = 0;
        for (auto const id : ids) bytes += tokenizer.token_bytes(id);
        CHECK(bytes == static_cast<std::int64_t>(text.size()));
      }
    }
    for (std::uint32_t stream = 0; stream < 20; ++stream) {
      std::string const text = test::noise(5000, 100 + stream);
      CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
    }
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
    CHECK(tokenizer.decode(tokenizer.encode(bytes)) == bytes);
    CHECK(tokenizer.encode("").empty());
    std::string const endless(100000, 'e');  // one segment: a naive encoder would be quadratic
    CHECK(tokenizer.decode(tokenizer.encode(endless)) == endless);
  }
}

TEST_CASE("Tokenizer: a cache may be full, and may meet another tokenizer") {
  auto const small = prose_tokenizer(300), large = prose_tokenizer(2000);
  std::string many;
  for (int i = 0; i < 150000; ++i) {
    for (int digit = i, place = 0; place < 6; ++place, digit /= 10) many += "thening'sr"[digit % 10];
    many += ' ';
  }
  bpe::EncodeCache cache;
  std::vector<std::int32_t> first, second;
  large.encode_into(many, first, cache);
  large.encode_into(many, second, cache);
  CHECK(first == second);
  CHECK(large.decode(first) == many);
  std::vector<std::int32_t> other;
  small.encode_into(many, other, cache);
  CHECK(small.decode(other) == many);
}

TEST_CASE("Tokenizer: special tokens are text unless asked for") {
  auto const tokenizer =
      Tokenizer::build(Corpus::from_text("a text </s> <s>"), {.vocab_size = 270, .specials = {"<s>", "</s>", "<s>>"}});
  CHECK(tokenizer.encode("<s>").size() == 3);
  CHECK(tokenizer.decode(tokenizer.encode("<s>a</s>")) == "<s>a</s>");
  CHECK(strings(tokenizer, tokenizer.encode_with_specials("<s>>a<s></s")) ==
        std::vector<std::string>{"<s>>", "a", "<s>", "<", "/", "s"});
  std::vector<std::int32_t> const ids{0, *tokenizer.id("a"), 1};
  CHECK(tokenizer.decode(ids) == "<s>a</s>");
  CHECK(tokenizer.decode(ids, Specials::skip) == "a");
  CHECK(tokenizer.token_bytes(0) == 0);
  CHECK(has(error_of([&] { tokenizer.decode(std::vector{270}); }), "must be in [0, 270) (got 270)"));
  CHECK(has(error_of([&] { tokenizer.token_bytes(-1); }), "(got -1)"));
}

TEST_CASE("Tokenizer: from parts, without byte tokens") {
  Vocabulary vocabulary;
  for (char const* c : {"a", "b"}) vocabulary.add(c, TokenKind::character);
  auto const ab = vocabulary.add("ab", TokenKind::ngram);
  vocabulary.add("xb", TokenKind::ngram);  // x has no token, so this can never be
  auto const unknown = vocabulary.add("<unk>", TokenKind::special);
  Tokenizer const tokenizer(vocabulary, bpe::merges(vocabulary, std::vector{ab}), unknown);
  CHECK(strings(tokenizer, tokenizer.encode("abxb\xFF")) == std::vector<std::string>{"ab", "<unk>", "b", "<unk>"});
  Tokenizer const strict(vocabulary, {{0, 1, ab}});
  CHECK(has(error_of([&] { strict.encode("ax"); }), "(got 'x')"));
  CHECK(has(error_of([&] { strict.encode("\xFF"); }), "(got '<0xFF>')"));
  CHECK(has(error_of([&] { Tokenizer(vocabulary, {{1, 0, ab}}); }), "concatenation"));
  CHECK(has(error_of([&] { Tokenizer(vocabulary, {{0, 1, ab}, {0, 1, ab}}); }), "twice"));
  CHECK(has(error_of([&] { Tokenizer(vocabulary, {{0, 9, ab}}); }), "must name ids"));
  CHECK(has(error_of([&] { Tokenizer(vocabulary, {{unknown, 1, ab}}); }), "must join characters and n-grams"));
  CHECK(has(error_of([&] { vocabulary.add("ab", TokenKind::ngram); }), "twice"));
  CHECK(has(error_of([&] { vocabulary.add("\xFF", TokenKind::ngram); }), "UTF-8"));
  CHECK(has(error_of([&] { vocabulary.add("<0xfg>", TokenKind::byte); }), "<0x00>"));
}

TEST_CASE("IdMap, Tokenizer: keys and text that were made to fall on one place take no longer than others") {
  std::uint64_t inverse = 1;  // of the map's multiplier, modulo 2^64: the products below are 0, 1, 2, ...
  for (int i = 0; i < 6; ++i) inverse *= 2 - 0x9E3779B97F4A7C15u * inverse;
  gt::detail::IdMap map;
  constexpr std::int32_t n = 300'000;  // some 5 * 10^10 steps, were they to stay there
  for (std::int32_t i = 0; i < n; ++i) REQUIRE(map.insert(inverse * static_cast<std::uint64_t>(i), i));
  for (std::int32_t i = 0; i < n; ++i) REQUIRE(map.find(inverse * static_cast<std::uint64_t>(i)) == i);
  CHECK_FALSE(map.insert(inverse * 5, 1));
  CHECK(map.find(inverse * 5) == 5);
  CHECK(map.find(5) == -1);

  std::unordered_set<std::string> table;
  for (int i = 0; i < 70; ++i) table.insert(text(i));
  Vocabulary crowded;
  auto const crowd = [&] {  // into one place of as great a table
    for (int i = 0; crowded.size() < 70; ++i)
      if (auto const token = text("t", i); table.bucket(token) == 0) crowded.add(token, TokenKind::ngram);
  };
  CHECK(has(error_of(crowd), "at most 64 tokens may share a place of a hash table (got 't"));

  // The hash of a segment does not depend on its first character.
  Vocabulary vocabulary;
  auto const a = vocabulary.add("a", TokenKind::character);
  std::vector<bpe::Merge> merges;
  std::string words;
  std::vector<std::int32_t> expected;
  for (char32_t c = 0x4E00; c < 0x4E00 + 3000; ++c) {
    std::string character;
    utf8::append(character, c);
    auto const first = vocabulary.add(character, TokenKind::character);
    auto const both = vocabulary.add(character + "a", TokenKind::ngram);
    merges.push_back({first, a, both});
    words += character + "a\n";
    expected.push_back(both);
  }
  auto const line = vocabulary.add("\n", TokenKind::character);
  for (std::size_t i = 1; i <= expected.size(); i += 2)
    expected.insert(expected.begin() + static_cast<std::ptrdiff_t>(i), line);
  Tokenizer const tokenizer(vocabulary, merges);
  CHECK(tokenizer.encode(words) == expected);
  CHECK(tokenizer.encode(words + words).size() == 2 * expected.size());
}

}  // namespace tokenizer_test

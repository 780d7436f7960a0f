// SPDX-License-Identifier: MIT
// A tokenizer as llama.cpp has it: merging by scores gives the ids of the merge list, or it is refused.
#include "gt/formats/gguf/tokenizer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/support.hpp"

namespace gguf_tokenizer_test {

using gt::bpe::Merge, gt::Tokenizer, gt::TokenKind, gt::Vocabulary;
using gt::test::error_of, gt::test::has, gt::test::tokenizer_of_prose;

namespace {

/// The merges as GGUF has them: of the neighbours whose concatenation is a token, the greatest score, leftmost first.
std::vector<std::int32_t> by_scores(gt::GgufTokenizer const& g, std::string_view text) {
  std::string escaped;
  for (char const c : text) c == ' ' ? escaped += "\u2581" : escaped += c;
  std::map<std::string, std::size_t, std::less<>> ids;
  for (std::size_t id = 0; id < g.tokens.size(); ++id) ids.emplace(g.tokens[id], id);
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < escaped.size(); at += gt::utf8::decode(escaped, at).size)
    pieces.push_back(escaped.substr(at, gt::utf8::decode(escaped, at).size));
  while (true) {
    std::optional<float> best;
    std::size_t place = 0;
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
      auto const found = ids.find(pieces[i] + pieces[i + 1]);
      if (found != ids.end() && (!best || g.scores[found->second] > *best)) best = g.scores[found->second], place = i;
    }
    if (!best) break;
    pieces[place] += pieces[place + 1];
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
  std::vector<std::int32_t> all;
  for (auto const& piece : pieces) {
    if (auto const found = ids.find(piece); found != ids.end()) {
      all.push_back(static_cast<std::int32_t>(found->second));
      continue;
    }
    for (char const c : piece)
      all.push_back(static_cast<std::int32_t>(ids.at(gt::byte_token(static_cast<unsigned char>(c)))));
  }
  return all;
}
Vocabulary with_bytes(std::vector<std::string> const& characters) {
  Vocabulary v;
  for (int b = 0; b < 256; ++b) {
    auto const c = static_cast<unsigned char>(b);
    if (std::find(characters.begin(), characters.end(), std::string(1, static_cast<char>(c))) == characters.end())
      v.add(gt::byte_token(c), TokenKind::byte);
  }
  for (auto const& c : characters) v.add(c, TokenKind::character);
  return v;
}
}  // namespace

TEST_CASE("gguf: tokens, scores and types; a space is U+2581") {
  auto const& tokenizer = tokenizer_of_prose();
  auto const g = gt::gguf_tokenizer(tokenizer);
  auto const at = [&](char const* token) {
    REQUIRE(tokenizer.id(token));
    return static_cast<std::size_t>(*tokenizer.id(token));
  };
  CHECK(g.tokens.size() == 420);
  CHECK(g.tokens[at(" ")] == "\u2581");
  CHECK(g.types[at(" ")] == 1);
  CHECK(g.types[at("<s>")] == 3);
  CHECK(g.types[at("<0xE2>")] == 6);
  CHECK(g.types[at("н")] == 1);
  CHECK(g.bos == 0);
  CHECK(g.eos == 1);
  CHECK(!g.unknown);
  std::set<float> scores;
  std::size_t ngrams = 0;
  for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
    if (tokenizer.vocabulary().kind(id) != TokenKind::ngram) continue;
    ++ngrams;
    scores.insert(g.scores[static_cast<std::size_t>(id)]);
  }
  CHECK(ngrams > 50);
  CHECK(scores.size() == ngrams);
  CHECK(*scores.rbegin() == 0);
  CHECK(*scores.begin() == 1 - static_cast<float>(ngrams));
  CHECK(g.scores[at("a")] == -static_cast<float>(ngrams));
}

TEST_CASE("gguf: merging by scores gives the ids of the merge list, for any text") {
  std::vector<Tokenizer> tokenizers{tokenizer_of_prose()};
  std::vector<std::string> const few{"a", "b", "ab", "ba", "aba", "bab", "c", " ", "  ", "\n"};
  for (std::uint32_t i = 0; i < 12; ++i) {  // full of borders and repetitions
    auto const text = gt::test::drawn(few, 3000, i);
    tokenizers.push_back(
        Tokenizer::build(gt::Corpus::from_text(text), {.vocab_size = 300 + 15 * i, .drop_unused = i % 2 == 0}));
  }
  int texts = 0;
  for (auto const& tokenizer : tokenizers) {
    auto const g = gt::gguf_tokenizer(tokenizer);
    for (std::uint32_t i = 0; i < 60; ++i) {
      std::string text = i % 3 == 0   ? gt::test::drawn(few, 1 + i, 100 + i)
                         : i % 3 == 1 ? gt::test::prose(1 + i / 4, i)
                                      : gt::test::drawn(tokenizer.vocabulary().tokens(), 1 + i / 2, i);
      CAPTURE(text);
      CHECK(by_scores(g, text) == tokenizer.encode(text));
      ++texts;
    }
  }
  CHECK(texts == 13 * 60);
}

TEST_CASE("gguf: a tokenizer that llama.cpp would apply otherwise is refused, with the token") {
  std::vector<std::string> const letters{"a", "b", "c", " "};
  auto const refusal = [](Tokenizer const& t) { return error_of([&] { gt::gguf_tokenizer(t); }); };
  auto const merges = [](Vocabulary const& v, std::vector<std::pair<char const*, char const*>> const& pairs) {
    std::vector<Merge> all;
    for (auto const& [a, b] : pairs) all.push_back({*v.id(a), *v.id(b), *v.id(std::string{a} + b)});
    return all;
  };
  auto v = with_bytes(letters);
  for (char const* token : {"ab", "bc", "abc"}) v.add(token, TokenKind::ngram);
  // Every list whose tokens are each merged in one way, whatever the order, agrees.
  CHECK(refusal(Tokenizer(v, merges(v, {{"a", "b"}, {"b", "c"}, {"ab", "c"}}))) == "no error");
  CHECK(refusal(Tokenizer(v, merges(v, {{"b", "c"}, {"a", "bc"}, {"a", "b"}}))) == "no error");
  // Here nothing makes "abc", which llama.cpp would make of "ab" and "c"; and there nothing makes "bc".
  CHECK(has(refusal(Tokenizer(v, merges(v, {{"a", "b"}, {"b", "c"}, {"a", "bc"}}))), "(got 'abc' of others)"));
  CHECK(has(refusal(Tokenizer(v, merges(v, {{"a", "b"}, {"ab", "c"}}))), "(got 'bc' of others)"));

  // A border: "aba" is a + ba here, where a list by results would take ab + a.
  auto borders = with_bytes(letters);
  for (char const* token : {"ab", "ba", "aba"}) borders.add(token, TokenKind::ngram);
  CHECK(refusal(Tokenizer(borders, merges(borders, {{"b", "a"}, {"a", "ba"}, {"a", "b"}, {"ab", "a"}}))) == "no error");

  auto repeated = with_bytes(letters);  // the leftmost of equal pairs comes first: "aaa" is aa + a
  for (char const* token : {"aa", "aaa"}) repeated.add(token, TokenKind::ngram);
  CHECK(refusal(Tokenizer(repeated, merges(repeated, {{"a", "a"}, {"aa", "a"}}))) == "no error");
  CHECK(has(refusal(Tokenizer(repeated, merges(repeated, {{"a", "a"}, {"a", "aa"}}))), "(got 'aaa' of others)"));

  auto special = with_bytes(letters);
  special.add("ab", TokenKind::special);
  CHECK(has(refusal(Tokenizer(special, {})), "text must never become the token 'ab'"));

  auto escaped = with_bytes({"a", "\u2581", " "});
  CHECK(has(refusal(Tokenizer(escaped, {})), "no token may have that character (got '\u2581')"));
  auto alike = with_bytes({"a", "b", " "});  // the same once spaces are written so
  alike.add(" a", TokenKind::ngram), alike.add("\u2581a", TokenKind::special);
  CHECK(
      refusal(Tokenizer(alike, {})) ==
      "gt: write_gguf: every token must be there once, with spaces as U+2581 (got ' a' with id 256 and '\u2581a' with "
      "id 257)");
  Vocabulary bare;
  for (char const* c : {"a", "b"}) bare.add(c, TokenKind::character);
  CHECK(has(refusal(Tokenizer(bare, {}, 0)), "(got none for <0x00>)"));
}

TEST_CASE("gguf: without a space, <s> or </s> in the vocabulary there are stand-ins") {
  auto v = with_bytes({"a", "b"});
  Tokenizer const tokenizer(v, {});
  auto const g = gt::gguf_tokenizer(tokenizer);
  auto const space = static_cast<std::size_t>(*tokenizer.id("<0x20>"));
  CHECK(g.tokens[space] == "\u2581");
  CHECK(g.types[space] == 1);
  CHECK(g.bos == *tokenizer.id("<0xFF>"));
  CHECK(g.eos == *tokenizer.id("<0xFF>"));
  CHECK(by_scores(g, "a b ©") == tokenizer.encode("a b ©"));
}

}  // namespace gguf_tokenizer_test

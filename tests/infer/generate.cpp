// SPDX-License-Identifier: MIT
// Generation: where it ends, what it holds back, what it does when the context is full.
#include "gt/infer/generate.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "gt/cpu.hpp"
#include "gt/easy.hpp"
#include "gt/text/utf8.hpp"
#include "infer/support.hpp"
#include "io/support.hpp"
#include "support/model.hpp"
#include "text/support.hpp"

namespace generate_test {

using gt::Cpu, gt::GenerateEnd, gt::GenerateOptions, gt::Sampler, gt::Session, gt::Tokenizer;
using gt::test::error_of, gt::test::has, gt::test::Recital;

namespace {

using Pieces = std::vector<std::string>;
constexpr gt::SamplerOptions greedy{.temperature = 0};

/// What the sink got, and what was done.
struct Said {
  Pieces pieces;
  gt::Generated done;
  std::string text() const {
    std::string all;
    for (auto const& piece : pieces) all += piece;
    return all;
  }
};
template <class Model>
Said say(Model const& model, Tokenizer const& tokenizer, std::string_view prompt, GenerateOptions const& options,
         int threads = 1) {
  Said said;
  said.done = generate(Cpu<>(threads), model, tokenizer, prompt, options,
                       [&](std::string_view piece) { said.pieces.emplace_back(piece); });
  return said;
}
/// The most likely text, of a recital.
Said say(Recital const& recital, std::string_view prompt, std::int64_t max_tokens, GenerateOptions options = {}) {
  options.max_tokens = max_tokens;
  options.sampler = greedy;
  return say(recital.model(), recital.tokenizer(), prompt, options);
}
Said say_until(Recital const& recital, std::vector<std::string> const& stops, std::int64_t max_tokens = 50) {
  return say(recital, "A", max_tokens, {.stop = stops});
}

/// Tokens of real text, characters in bytes among them, and a model that draws all of them.
struct Speaker {
  explicit Speaker(std::int64_t context)
      : model{gt::test::scrambled(gt::BlockConfig{.d_model = 32, .heads = 2}, 2, tokenizer.size(),
                                  {.context = context})} {}
  Tokenizer tokenizer = Tokenizer::build(gt::Corpus::from_text(gt::test::prose(600)), {.vocab_size = 420});
  gt::Transformer<> model;
};
constexpr gt::SamplerOptions wild{.temperature = 1.5, .top_p = 1, .seed = gt::seed(9)};

/// The same with nothing but a session and a sampler: what follows `history`, of which the last `keep` tokens are read
/// again whenever the context is full.
std::vector<std::int32_t> by_hand(Speaker const& s, std::vector<std::int32_t> history, int count, std::size_t keep) {
  Session session(Cpu<>(1), s.model);
  Sampler sampler(wild);
  std::vector<std::int32_t> const begin_of_text{*s.tokenizer.bos()};
  std::vector<std::int32_t> said;
  auto logits = session.feed(history);
  while (static_cast<int>(said.size()) < count) {
    said.push_back(sampler(logits, std::span(begin_of_text)));
    if (said.back() == s.tokenizer.eos()) break;
    history.push_back(said.back());
    if (session.room() > 0) {
      logits = session.feed(std::span(history).last(1));
    } else {
      session.reset();
      logits = session.feed(std::span(history).last(keep));
    }
  }
  return said;
}
/// Without what is left of a character that never came to its end.
std::string whole(std::string text) {
  text.resize(gt::utf8::complete_prefix(text));
  return text;
}

}  // namespace

TEST_CASE("generate: gives out what follows the prompt, token by token, up to max_tokens") {
  Recital const recital({"A", "b", "cd", " ", "e"});
  auto const said = say(recital, "A", 7);
  CHECK(said.pieces == Pieces{"b", "cd", " ", "e", "A", "b", "cd"});
  CHECK(said.done.end == GenerateEnd::max_tokens);
  CHECK(said.done.tokens == 7);
  CHECK(said.done.prompt_tokens == 1);
  CHECK(say(recital, "e bAb", 2).text() == "cd ");
  CHECK(say(recital, "A", 0).pieces.empty());
  CHECK(say(recital, "A", 0).done.end == GenerateEnd::max_tokens);
}

TEST_CASE("generate: is what a session, a sampler and the tokenizer do, on any number of threads") {
  Speaker const s(128);
  std::string const prompt = "the dar";
  auto const said = say(s.model, s.tokenizer, prompt, {.max_tokens = 80, .sampler = wild});
  auto const ids = by_hand(s, s.tokenizer.encode(prompt), 80, 0);
  CHECK(said.text() == whole(s.tokenizer.decode(ids)));
  CHECK(said.done.tokens == static_cast<std::int64_t>(ids.size()));
  CHECK(said.done.prompt_tokens == static_cast<std::int64_t>(s.tokenizer.encode(prompt).size()));
  CHECK(say(s.model, s.tokenizer, prompt, {.max_tokens = 80, .sampler = wild}, 2).pieces == said.pieces);
  auto other = wild;
  other.seed = gt::seed(10);
  CHECK(say(s.model, s.tokenizer, prompt, {.max_tokens = 80, .sampler = other}).text() != said.text());

  std::ostringstream out;
  gt::generate(s.model, s.tokenizer, prompt, {.max_tokens = 80, .sampler = wild}, out);
  CHECK(out.str() == said.text());
}

TEST_CASE("generate: ends before a stop text, which may lie in one token or in several") {
  Recital const recital({"A", "He", "llo", " wor", "ld", "!"});
  struct Case {
    std::string stop, text;
  };
  for (Case const& c : {Case{"llo", "He"}, Case{"l", "He"}, Case{"He", ""}, Case{"lo w", "Hel"},
                        Case{"ello world", "H"}, Case{" ", "Hello"}, Case{"d!A", "Hello worl"}}) {
    CAPTURE(c.stop);
    auto const said = say_until(recital, {c.stop});
    CHECK(said.text() == c.text);
    CHECK(said.done.end == GenerateEnd::stop_text);
  }
  CHECK(say_until(recital, {"lo w"}).done.tokens == 3);
}

TEST_CASE("generate: of several stop texts the one that comes first in the text ends it") {
  Recital const recital({"A", "abcd", "e"});
  CHECK(say_until(recital, {"c", "b"}).text() == "a");
  CHECK(say_until(recital, {"b", "c"}).text() == "a");
  CHECK(say_until(recital, {"never", "de", "bcd"}).text() == "a");
}

TEST_CASE("generate: what might have begun a stop text is given out once it has not") {
  Recital const recital({"A", "a", "aa", "b", "c"});  // aaab
  CHECK(say_until(recital, {"aab"}).text() == "a");
  CHECK(say_until(recital, {"ac"}, 4).text() == "aaabc");
  CHECK(say_until(recital, {"aaabcX"}, 5).text() == "aaabcA");
  CHECK(say_until(recital, {"aaabcX"}, 4).text() == "aaabc");    // its end comes first
  CHECK(say_until(recital, {"", "aaaX"}, 4).text() == "aaabc");  // an empty one never stops
  for (auto const& piece : say_until(recital, {"aab"}).pieces) CHECK(!piece.empty());
}

TEST_CASE("generate: ends at the tokenizer's end of text, which is not given out") {
  Recital const recital({"<s>", "A", "b", "c", "</s>"});
  auto const said = say(recital, "A", 50, {.stop = {"cX"}});
  CHECK(said.text() == "bc");
  CHECK(said.done.end == GenerateEnd::end_of_text);
  CHECK(said.done.tokens == 3);
}

TEST_CASE("generate: an empty prompt starts from the begin of a text, which is never said") {
  Recital const recital({"<s>", "It", " is"});
  auto const said = say(recital, "", 4);
  CHECK(said.text() == "It isIt is");  // " is" wants <s>, and may not
  CHECK(said.done.prompt_tokens == 0);
  CHECK(say(Recital({"A", "b"}), "", 3).text() == "bAb");  // without one, from token 0
}

TEST_CASE("generate: spellings of special tokens in a prompt are their letters, or on request these tokens") {
  Recital const recital({"<s>", "<", "s", ">", "a", "</s>"});
  gt::GenerateOptions options{.max_tokens = 1, .sampler = {.temperature = 0}};
  std::string said;
  auto const say = [&](std::string_view piece) { said += piece; };
  auto const letters = gt::generate(gt::Cpu<>(1), recital.model(), recital.tokenizer(), "<s>", options, say);
  CHECK((letters.prompt_tokens == 3 && said == "a"));
  options.special_tokens = true;
  said.clear();
  auto const token = gt::generate(gt::Cpu<>(1), recital.model(), recital.tokenizer(), "<s>", options, say);
  CHECK((token.prompt_tokens == 1 && said == "<"));
}

TEST_CASE("generate: characters that are spelled in bytes are given out whole") {
  Recital const euro({"A", "x", "<0xE2>", "<0x82>", "<0xAC>", "y"});
  CHECK(say(euro, "A", 5).pieces == Pieces{"x", "\xE2\x82\xAC", "y"});
  CHECK(say_until(euro, {"\xE2\x82\xAC"}).text() == "x");
  Recital const smile({"A", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>"});
  CHECK(say(smile, "A", 5).pieces == Pieces{"\xF0\x9F\x98\x80", "A"});
}

TEST_CASE("generate: what can no longer become a character is given out as it is; a cut one at the end is not") {
  Recital const recital({"A", "x", "<0xE2>", "<0x82>", "y", "<0x83>", "z"});
  CHECK(say(recital, "A", 6).text() == "x\xE2\x82y\x83z");
  CHECK(say(recital, "A", 6).pieces == Pieces{"x", "\xE2\x82y", "\x83", "z"});
  CHECK(say(recital, "A", 2).pieces == Pieces{"x"});
  CHECK(say(recital, "A", 3).pieces == Pieces{"x"});
}

TEST_CASE("generate: no piece of a long text cuts a character") {
  Speaker const s(64);
  auto const said = say(s.model, s.tokenizer, "", {.max_tokens = 1500, .sampler = wild, .stop = {"\xE4\xBD\xA0!!"}});
  auto const text = said.text();
  std::set<std::size_t> starts;  // of the characters and the malformed bytes
  for (std::size_t at = 0; at < text.size(); at += gt::utf8::decode(text, at).size) starts.insert(at);
  std::size_t at = 0, cut = 0;
  for (auto const& piece : said.pieces) {
    cut += !starts.contains(at);
    at += piece.size();
  }
  CHECK(cut == 0);
  CHECK(said.pieces.size() > 500);
  CHECK(!gt::utf8::is_valid(text));
}

TEST_CASE("generate: when the context is full, the older half is forgotten, and that is said once") {
  Speaker const s(16);
  auto const prompt = s.tokenizer.decode(std::vector<std::int32_t>(9, *s.tokenizer.id("e")));
  int slides = 0;
  auto const said =
      say(s.model, s.tokenizer, prompt, {.max_tokens = 100, .sampler = wild, .on_slide = [&] { ++slides; }});
  CHECK(slides == 1);
  auto const ids = by_hand(s, s.tokenizer.encode(prompt), 100, 8);
  CHECK(ids.size() == 100);
  CHECK(said.text() == whole(s.tokenizer.decode(ids)));
}

TEST_CASE("generate: a text that just fits the context does not slide") {
  Recital const recital({"A", "b", "c", "d", "e"}, 16);
  auto const slides = [&](std::int64_t max_tokens) {
    int n = 0;
    auto const said = say(recital, "AbcdeA", max_tokens, {.on_slide = [&] { ++n; }});
    CHECK(said.done.tokens == max_tokens);
    return n;
  };
  CHECK(slides(10) == 0);
  CHECK(slides(11) == 0);  // the last token is not read again
  CHECK(slides(12) == 1);
  CHECK(slides(60) == 1);
}

TEST_CASE("generate: of a prompt longer than the context the last part counts") {
  Speaker const s(16);
  auto const ids = s.tokenizer.encode(gt::test::prose(30, 5));
  REQUIRE(ids.size() > 40);
  for (std::size_t n : {std::size_t{16}, std::size_t{17}, ids.size()}) {
    CAPTURE(n);
    auto const prompt_ids = std::span(ids).first(n);
    auto const prompt = s.tokenizer.decode(prompt_ids);
    REQUIRE(s.tokenizer.encode(prompt).size() == n);
    int slides = 0;
    auto const said =
        say(s.model, s.tokenizer, prompt, {.max_tokens = 30, .sampler = wild, .on_slide = [&] { ++slides; }});
    CHECK(slides == 1);
    CHECK(said.done.prompt_tokens == static_cast<std::int64_t>(n));
    auto const last = prompt_ids.last(12);  // three quarters of the context, so that something fits behind
    CHECK(said.text() == whole(s.tokenizer.decode(by_hand(s, {last.begin(), last.end()}, 30, 8))));
  }
}

TEST_CASE("generate: contexts of one, two and three tokens slide at every step") {
  for (std::int64_t context : {1, 2, 3}) {
    CAPTURE(context);
    Recital const recital({"A", "b", "c", "d"}, context);
    int slides = 0;
    CHECK(say(recital, "cdAcdA", 9, {.on_slide = [&] { ++slides; }}).text() == "bcdAbcdAb");
    CHECK(slides == 1);
  }
}

TEST_CASE("generate: can be cancelled before each token; what was held back is given out") {
  Recital const recital({"A", "b", "c", "d"});
  for (int after : {0, 1, 3}) {
    CAPTURE(after);
    int asked = 0;
    auto const said = say(recital, "A", 50, {.stop = {"bcdX"}, .cancel = [&] { return asked++ == after; }});
    CHECK(said.done.end == GenerateEnd::cancelled);
    CHECK(said.done.tokens == after);
    CHECK(asked == after + 1);
    CHECK(said.text() == std::string("bcd").substr(0, static_cast<std::size_t>(after)));
  }
}

TEST_CASE("generate: ids without a token are never drawn") {
  Recital const recital({"A", "b", "c"});
  gt::Vocabulary shorter;
  for (std::int32_t id = 0; id + 1 < recital.tokenizer().size(); ++id)
    shorter.add(recital.tokenizer().token(id), recital.tokenizer().vocabulary().kind(id));
  Tokenizer const tokenizer(std::move(shorter), {});
  CHECK(tokenizer.size() + 1 == recital.model().vocab());
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto const said =
        say(recital.model(), tokenizer, "A", {.max_tokens = 5, .sampler = {.temperature = 9, .seed = gt::seed(seed)}});
    CHECK(said.done.tokens > 0);
    CHECK(said.text().find('c') == std::string::npos);
  }
}

TEST_CASE("generate: a tokenizer of another size, options that mean nothing and unknown characters are refused") {
  Recital const three({"A", "b", "c"}), four({"A", "b", "c", "d"});
  CHECK(has(error_of([&] { say(three.model(), four.tokenizer(), "A", {}); }),
            "the tokenizer must have as many tokens as the model (got 4 and 3)"));
  CHECK(has(error_of([&] { say(three.model(), three.tokenizer(), "A", {.sampler = {.temperature = -1}}); }),
            "the temperature must be 0 or more"));
  CHECK(error_of([&] { say(three, "z", 1); }) != "no error");
}

}  // namespace generate_test

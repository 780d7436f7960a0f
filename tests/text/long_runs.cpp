// SPDX-License-Identifier: MIT
// Text whose letters never pause, as DNA and Chinese: the tokens are those of the definition, and twice the text is
// twice the work.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/sha256.hpp"
#include "gt/text/tokenizer.hpp"
#include "text/support.hpp"

namespace long_runs_test {

using namespace gt;

namespace {

std::string dna(std::size_t letters, std::uint32_t stream = 1) {
  return test::drawn({"A", "C", "G", "T"}, letters, stream);
}
std::string han(std::size_t sentences) {
  std::vector<std::string> characters;
  for (char32_t i = 0; i < 300; ++i) characters.push_back(utf8::encode(U'\u4E00' + i * i % 7919));
  std::string all;
  for (std::uint32_t i = 0; i < sentences; ++i) all += test::drawn(characters, 3 + i % 17, 10 + i % 97) + "。";
  return all;
}
Tokenizer built(std::string const& text, std::int64_t size) {
  return Tokenizer::build(Corpus::from_text(text), {.vocab_size = size});
}
/// The least processor time of three calls.
template <class F>
double seconds(F const& f) {
  double least = 1e9;
  for (int i = 0; i < 3; ++i) {
    auto const began = std::clock();
    f();
    least = std::min(least, static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC);
  }
  return least;
}

}  // namespace

TEST_CASE("Tokenizer: a run of any length is merged as byte-pair encoding is defined") {
  std::vector<std::string> texts{dna(700), dna(700, 2), std::string(500, 'A')};
  std::string periodic, han_run;
  for (int i = 0; i < 300; ++i) periodic += i % 100 < 50 ? "AC" : "CA";
  for (char const c : dna(400)) han_run += utf8::encode(U'\u4E00' + static_cast<char32_t>(c % 7));
  texts.insert(texts.end(), {periodic, "T" + periodic, han_run});
  for (std::int64_t const size : {290, 420}) {
    auto const tokenizer = built(dna(4000) + periodic + std::string(200, 'A') + "\n" + han_run + han_run, size);
    for (auto const& text : texts) {
      CAPTURE(text.substr(0, 20));
      CAPTURE(size);
      CHECK(tokenizer.encode(text) == test::plain_bpe(tokenizer, text));
    }
  }
  // Merges whose order falls from the right to the left: one more letter at the end changes all tokens.
  Vocabulary vocabulary;
  std::vector<bpe::Merge> merges;
  std::string chain;
  for (char32_t c = 0x4E00; c < 0x4E00 + 200; ++c) vocabulary.add(utf8::encode(c), TokenKind::character);
  for (char32_t c = 0x4E00; c < 0x4E00 + 200; ++c) chain += utf8::encode(c);
  for (std::int32_t i = 198; i >= 0; --i) {
    auto const both = vocabulary.add(vocabulary.token(i) + vocabulary.token(i + 1), TokenKind::ngram);
    merges.push_back({i, i + 1, both});
  }
  Tokenizer const falling(vocabulary, merges);
  for (std::size_t const letters : {197U, 198U, 199U, 200U})
    CHECK(falling.encode(chain.substr(0, 3 * letters)) == test::plain_bpe(falling, chain.substr(0, 3 * letters)));
}

TEST_CASE("Tokenizer::build: tokenizers of long runs, recorded when all text was encoded in each round") {
  struct Recorded {
    std::string text;
    std::int64_t size;
    std::string_view tokenizer, ids;
  };
  for (auto const& r : {Recorded{dna(30000), 512, "58f26aaad5be284b", "6ddcd7a21c3dd1d0"},
                        Recorded{dna(30000), 900, "5ec5afebaf623d4d", "155b96c35e3fd736"},
                        Recorded{han(1500), 900, "daf35c1641fcce26", "397e1d0150666eb0"},
                        Recorded{test::prose(8000), 1024, "1d836bddf7da62a1", "59c55da12a96b1b9"}}) {
    auto const tokenizer = built(r.text, r.size);
    auto const ids = tokenizer.encode(r.text);
    CHECK(tokenizer.fingerprint().starts_with(r.tokenizer));
    Sha256 sum;
    for (auto const id : ids)
      for (int byte = 0; byte < 4; ++byte) sum.update(std::string(1, static_cast<char>(id >> 8 * byte & 255)));
    CHECK(sum.hex().starts_with(r.ids));
  }
}

TEST_CASE("Tokenizer: eight times the text is some eight times the work, and runs that come back are merged once") {
  auto const small = dna(30000), large = dna(8 * 30000);
  auto const tokenizer = built(small, 400);
  double const encode = seconds([&] { tokenizer.encode(small); }), encode8 = seconds([&] { tokenizer.encode(large); });
  CHECK(encode8 < 24 * encode);
  double const build = seconds([&] { built(small, 400); }), build8 = seconds([&] { built(large, 400); });
  CHECK(build8 < 24 * build);

  std::string lines, often;
  for (std::uint32_t i = 0; i < 150; ++i) lines += dna(200, i) + "\n";
  for (int i = 0; i < 30; ++i) often += lines;
  double const once = seconds([&] { built(lines + lines, 900); }), thirty = seconds([&] { built(often, 900); });
  CHECK(thirty < 5 * once);  // fifteen times the text
}

}  // namespace long_runs_test

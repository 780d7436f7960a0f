// SPDX-License-Identifier: MIT
// BLEU and chrF are sacreBLEU's, sentence by sentence and together.
#include "gt/eval/bleu.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eval/sacrebleu_golden.hpp"
#include "gt/eval/chrf.hpp"

namespace bleu_test {

using gt::Bleu, gt::BleuOptions, gt::BleuSmoothing, gt::BleuTokenizer, gt::Chrf, gt::Error;
using gt::test::golden_sentences, gt::test::GoldenScores;

namespace {

constexpr BleuTokenizer tokenizers[] = {BleuTokenizer::v13a, BleuTokenizer::zh, BleuTokenizer::character,
                                        BleuTokenizer::none};

// The nine ways of GoldenScores; a corpus differs from a sentence in its effective order.
std::vector<Bleu> bleus(bool effective_order) {
  std::vector<Bleu> all;
  for (auto const tokenizer : tokenizers)
    all.emplace_back(BleuOptions{.tokenizer = tokenizer, .effective_order = effective_order});
  all.emplace_back(BleuOptions{.smoothing = BleuSmoothing::none, .effective_order = effective_order});
  all.emplace_back(
      BleuOptions{.smoothing = BleuSmoothing::floor, .smoothing_value = 0.1, .effective_order = effective_order});
  all.emplace_back(
      BleuOptions{.smoothing = BleuSmoothing::add_k, .smoothing_value = 1, .effective_order = effective_order});
  return all;
}
std::vector<Chrf> chrfs() { return {Chrf{}, Chrf{{.word_order = 2}}}; }

// sacreBLEU computes in double too, in the same order but for log and exp: a few roundings of numbers below 100.
constexpr double tolerance = 1e-11;

void check_scores(std::vector<Bleu> const& bleu, std::vector<Chrf> const& chrf, GoldenScores const& golden) {
  for (std::size_t i = 0; i < bleu.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(bleu[i].score().score - golden[i]) <= tolerance);
  }
  for (std::size_t i = 0; i < chrf.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(chrf[i].score() - golden[bleu.size() + i]) <= tolerance);
  }
}

}  // namespace

TEST_CASE("BLEU and chrF of a sentence are sacreBLEU's") {
  for (auto const& row : golden_sentences) {
    CAPTURE(row.hypothesis);
    auto bleu = bleus(true);
    auto chrf = chrfs();
    for (auto& b : bleu) b.add(row.hypothesis, row.references);
    for (auto& c : chrf) c.add(row.hypothesis, row.references);
    check_scores(bleu, chrf, row.scores);
    if (row.references.size() > 1) continue;
    CHECK(gt::sentence_bleu(row.hypothesis, row.references[0]).score == bleu[0].score().score);
    CHECK(gt::sentence_chrf(row.hypothesis, row.references[0]) == chrf[0].score());
  }
}

TEST_CASE("BLEU and chrF of a corpus are sacreBLEU's, with one reference and with several") {
  std::vector<std::string> hypotheses, references;
  auto one = bleus(false), all = bleus(false);
  auto chrf_one = chrfs(), chrf_all = chrfs();
  for (auto const& row : golden_sentences) {
    hypotheses.push_back(row.hypothesis), references.push_back(row.references[0]);
    for (auto& b : one) b.add(row.hypothesis, row.references[0]);
    for (auto& b : all) b.add(row.hypothesis, row.references);
    for (auto& c : chrf_one) c.add(row.hypothesis, row.references[0]);
    for (auto& c : chrf_all) c.add(row.hypothesis, row.references);
  }
  check_scores(one, chrf_one, gt::test::golden_corpus_of_one);
  check_scores(all, chrf_all, gt::test::golden_corpus_of_all);
  CHECK(gt::corpus_bleu(hypotheses, references).score == one[0].score().score);
  CHECK(gt::corpus_chrf(hypotheses, references) == chrf_one[0].score());
}

TEST_CASE("BLEU: what it is made of") {
  auto const score = gt::sentence_bleu("the cat sat", std::string("the cat sat on the mat"));
  CHECK(score.matches == std::array<std::int64_t, 4>{3, 2, 1, 0});
  CHECK(score.totals == std::array<std::int64_t, 4>{3, 2, 1, 0});
  CHECK(score.hypothesis_words == 3);
  CHECK(score.reference_words == 6);
  CHECK(score.brevity_penalty == doctest::Approx(std::exp(-1.0)));
  CHECK(score.score == doctest::Approx(100 * std::exp(-1.0)));  // the order that is too long is left out
  CHECK(Bleu{}.score().score == 0);
  CHECK(Chrf{}.score() == 0);
}

TEST_CASE("BLEU's tokenizers have sacreBLEU's names") {
  for (auto const tokenizer : tokenizers) CHECK(gt::bleu_tokenizer(gt::name(tokenizer)) == tokenizer);
  CHECK(std::string_view(gt::name(BleuTokenizer::v13a)) == "13a");
  CHECK_THROWS_WITH_AS(gt::bleu_tokenizer("intl"),
                       "gt: bleu_tokenizer: the tokenizer must be 13a, zh, char or none (got 'intl')", Error);
  CHECK(gt::is_chinese_to_bleu(U'中'));
  CHECK(gt::is_chinese_to_bleu(U'“'));                 // as sacreBLEU's bounds have it
  CHECK_FALSE(gt::is_chinese_to_bleu(U'\U00020000'));  // likewise
  CHECK_FALSE(gt::is_chinese_to_bleu(U'が'));
}

TEST_CASE("BLEU and chrF: bad input says what must hold") {
  std::vector<std::string> const none, one{"a"};
  CHECK_THROWS_WITH_AS(Bleu{}.add("a", none), "gt: Bleu::add: a sentence must have at least one reference (got none)",
                       Error);
  CHECK_THROWS_WITH_AS(Chrf{}.add("a", none), "gt: Chrf::add: a sentence must have at least one reference (got none)",
                       Error);
  CHECK_THROWS_WITH_AS(gt::corpus_bleu(one, none),
                       "gt: corpus_bleu: there must be one reference for each hypothesis (got 0 for 1)", Error);
  CHECK_THROWS_WITH_AS(gt::corpus_chrf(one, none),
                       "gt: corpus_chrf: there must be one reference for each hypothesis (got 0 for 1)", Error);
  CHECK_THROWS_WITH_AS(Chrf({.char_order = 0}), "gt: Chrf: the character order must be positive (got 0)", Error);
  CHECK_THROWS_WITH_AS(Chrf({.word_order = -1}), "gt: Chrf: the word order must be 0 or more (got -1)", Error);
  CHECK_THROWS_WITH_AS(Chrf({.beta = 0}), "gt: Chrf: beta must be positive (got 0.000000)", Error);
}

}  // namespace bleu_test

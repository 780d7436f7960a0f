// SPDX-License-Identifier: MIT
// Choices are ranked by the likelihood that the plainest way gives them, prompts being run once.
#include "gt/eval/multiple_choice.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/easy.hpp"
#include "gt/eval/prompts.hpp"
#include "gt/infer/score.hpp"
#include "infer/support.hpp"
#include "support/model.hpp"
#include "text/support.hpp"

namespace multiple_choice_test {

using gt::BlockConfig, gt::ContinuationScorer, gt::Cpu, gt::Error, gt::MultipleChoice, gt::Ref;
using gt::test::Recital, gt::test::scrambled;

namespace {

constexpr BlockConfig tiny{.d_model = 16, .heads = 2};
using Texts = std::vector<std::string>;

gt::Tokenizer small_tokenizer() {
  static auto const made = gt::Tokenizer::build(
      gt::Corpus::from_text(gt::test::prose(2000) + " Question: Answer: Options: A) B)\n"), {.vocab_size = 400});
  return made;
}

/// log p of tokens [from, end) of a text, each after all before it, by `score`, which runs the whole text at once.
template <class B, class Model>
double plain(B const& on, Model const& model, std::vector<std::int32_t> const& ids, std::size_t from) {
  auto const all = gt::score(on, model, std::span<std::int32_t const>(ids), {.stride = model.context()});
  double sum = 0;
  for (std::size_t i = from; i < ids.size(); ++i) sum += all.log_likelihoods[i];
  return sum;
}

MultipleChoice question(std::string const& text, Texts const& choices, std::size_t answer,
                        std::string const& subject = "") {
  MultipleChoice q{.question = text, .choices = choices, .answer = answer, .labels = {}, .subject = subject};
  for (std::size_t i = 0; i < choices.size(); ++i) q.labels.emplace_back(1, static_cast<char>('A' + i));
  return q;
}

}  // namespace

TEST_CASE("ContinuationScorer: what a pass over prompt and continuation gives") {
  auto const tokenizer = small_tokenizer();
  auto const model = scrambled<double>(tiny, 2, tokenizer.size(), {.context = 64});
  ContinuationScorer scorer(Ref{}, model, tokenizer);
  Texts const continuations{" theread", " st", " наро", " \xFF", " thing, in"};
  for (std::string const prompt : {"an", "Question: stherelizdice?\nAnswer:", ""}) {
    CAPTURE(prompt);
    auto const scores = scorer(prompt, continuations);
    REQUIRE(scores.size() == continuations.size());
    auto const shared = tokenizer.encode(prompt).size();
    for (std::size_t i = 0; i < scores.size(); ++i) {
      CAPTURE(continuations[i]);
      auto const ids = tokenizer.encode(prompt + continuations[i]);
      CHECK(scores[i].tokens == static_cast<std::int64_t>(ids.size() - shared));
      CHECK(scores[i].bytes == static_cast<std::int64_t>(continuations[i].size()));
      // Two ways through the same sums of at most 64 numbers in double.
      CHECK(scores[i].log_likelihood == doctest::Approx(plain(Ref{}, model, ids, shared)).epsilon(1e-11));
      CHECK(scores[i].per_token() == scores[i].log_likelihood / static_cast<double>(scores[i].tokens));
      CHECK(scores[i].per_byte() == scores[i].log_likelihood / static_cast<double>(scores[i].bytes));
    }
  }
  CHECK(scorer.cut_prompts() == 0);
}

TEST_CASE("ContinuationScorer: a token across the border is scored whole, for every continuation") {
  gt::Vocabulary vocabulary;
  for (char const* token : {"a", "b", "c", "x"}) vocabulary.add(token, gt::TokenKind::character);
  vocabulary.add("ab", gt::TokenKind::ngram);
  gt::Tokenizer const merging(vocabulary, {{0, 1, 4}});
  REQUIRE(merging.encode("xab") == std::vector<std::int32_t>{3, 4});
  auto const model = scrambled<double>(tiny, 1, 5, {.context = 16});
  ContinuationScorer scorer(Ref{}, model, merging);
  auto const scores = scorer("xa", Texts{"b", "c"});
  CHECK(scores[0].tokens == 1);
  CHECK(scores[0].log_likelihood == doctest::Approx(plain(Ref{}, model, {3, 4}, 1)).epsilon(1e-11));
  CHECK(scores[1].tokens == 2);
  CHECK(scores[1].log_likelihood == doctest::Approx(plain(Ref{}, model, {3, 0, 2}, 1)).epsilon(1e-11));
}

TEST_CASE("ContinuationScorer: of a long prompt the end counts, the same for all continuations") {
  auto const tokenizer = small_tokenizer();
  auto const model = scrambled<double>(tiny, 2, tokenizer.size(), {.context = 8});
  ContinuationScorer scorer(Ref{}, model, tokenizer);
  std::string const prompt = "1234567890", longest = " abcd", shorter = " z";  // a token a character
  REQUIRE(tokenizer.encode(prompt + longest).size() == 15);
  auto const scores = scorer(prompt, Texts{longest, shorter});
  CHECK(scorer.cut_prompts() == 1);
  // 4 of the prompt's tokens and the first 4 of the longest fill the context.
  CHECK(scores[0].log_likelihood ==
        doctest::Approx(plain(Ref{}, model, tokenizer.encode("7890 abcd"), 4)).epsilon(1e-11));
  CHECK(scores[1].log_likelihood == doctest::Approx(plain(Ref{}, model, tokenizer.encode("7890 z"), 4)).epsilon(1e-11));
  CHECK_THROWS_WITH_AS(scorer("1", Texts{"23456789a"}),
                       "gt: ContinuationScorer: a continuation must fit the context of 8 tokens (got 9)", Error);
  CHECK(scorer("1", Texts{"23456789"}).size() == 1);
  CHECK_THROWS_WITH_AS(scorer("1", Texts{"a", ""}), "gt: ContinuationScorer: a continuation must not be empty", Error);
}

TEST_CASE("multiple_choice: counted raw and by length, by subject, the same bits on any threads and through AnyModel") {
  auto const tokenizer = small_tokenizer();
  auto const model = scrambled(tiny, 2, tokenizer.size(), {.context = 200});
  std::vector<MultipleChoice> questions;
  for (std::uint32_t i = 0; i < 12; ++i) {
    questions.push_back(question(gt::test::prose(3, 10 + i),
                                 {gt::test::prose(1, 30 + i), gt::test::prose(2, 50 + i), gt::test::prose(4, 70 + i)},
                                 i % 3, i % 2 == 0 ? "even" : ""));
  }
  for (auto const by : {gt::RankedBy::text, gt::RankedBy::label}) {
    auto const result = gt::multiple_choice(Cpu<>{1}, model, tokenizer, questions, {.by = by});
    std::int64_t raw = 0, per_token = 0, per_byte = 0;
    for (std::size_t q = 0; q < questions.size(); ++q) {
      auto const& asked = questions[q];
      bool const text = by == gt::RankedBy::text;
      auto const prompt = text ? "Question: " + asked.question + "\nAnswer:" : gt::options_by_line_prompt(asked);
      std::vector<double> sums, by_tokens, by_bytes;
      for (auto const& option : text ? asked.choices : asked.labels) {
        auto const ids = tokenizer.encode(prompt + " " + option);
        auto const from = tokenizer.encode(prompt).size();
        sums.push_back(plain(Cpu<>{1}, model, ids, from));
        by_tokens.push_back(sums.back() / static_cast<double>(ids.size() - from));
        by_bytes.push_back(sums.back() / static_cast<double>(option.size() + 1));
        CHECK(result.scores[q][sums.size() - 1].log_likelihood == doctest::Approx(sums.back()).epsilon(1e-4));
      }
      auto const best = [](std::vector<double> const& x) {
        return static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin());
      };
      raw += best(sums) == asked.answer, per_token += best(by_tokens) == asked.answer;
      per_byte += best(by_bytes) == asked.answer;
    }
    CHECK(result.all.raw.hits == raw);
    CHECK(result.all.per_token.hits == per_token);
    CHECK(result.all.per_byte.hits == per_byte);
    CHECK(result.all.raw.count == 12);
    CHECK(result.all.chance() == doctest::Approx(1.0 / 3));
    CHECK(result.subjects.size() == 1);
    CHECK(result.subjects.at("even").per_byte.count == 6);
    CHECK(result.complete);
    auto const again = gt::multiple_choice(Cpu<>{3}, gt::AnyModel(model), tokenizer, questions, {.by = by});
    for (std::size_t q = 0; q < questions.size(); ++q) {
      for (std::size_t i = 0; i < 3; ++i)
        CHECK(again.scores[q][i].log_likelihood == result.scores[q][i].log_likelihood);
    }
  }
}

TEST_CASE("multiple_choice: a model that knows the answer is right, and length may hide it") {
  // After ':' comes ' ', after ' ' comes 'y', and then 'e', 's', ... with certainty.
  Recital const recital({":", " ", "y", "e", "s", "n", "o", "Q", "u", "t", "i", "\n", "A", "w", "r", "?"}, 64);
  std::vector<MultipleChoice> const questions{question("?", {"no", "yes"}, 1), question("?", {"yes", "no"}, 0)};
  auto const result = gt::multiple_choice(Cpu<>{1}, recital.model(), recital.tokenizer(), questions);
  CHECK(result.all.per_byte.hits == 2);
  std::vector<std::int64_t> told;
  auto const part = gt::multiple_choice(Cpu<>{1}, recital.model(), recital.tokenizer(), questions,
                                        {.proceed = [&](std::int64_t done, std::int64_t of) {
                                          CHECK(of == 2);
                                          told.push_back(done);
                                          return false;
                                        }});
  CHECK(told == std::vector<std::int64_t>{1});
  CHECK_FALSE(part.complete);
  CHECK(part.all.raw.count == 1);
}

TEST_CASE("multiple_choice: bad input says what must hold") {
  Recital const recital({"a", "b"});
  auto const model = scrambled(tiny, 1, 29, {.context = 8});
  std::vector<MultipleChoice> const none, one{question("a", {"a", "b"}, 0)};
  CHECK_THROWS_WITH_AS(gt::multiple_choice(Cpu<>{1}, recital.model(), recital.tokenizer(), none),
                       "gt: multiple_choice: there must be at least one question (got none)", Error);
  CHECK_THROWS_WITH_AS(
      gt::multiple_choice(Cpu<>{1}, model, recital.tokenizer(), one),
      doctest::Contains("gt: ContinuationScorer: the tokenizer must have as many tokens as the model (got "), Error);
}

}  // namespace multiple_choice_test

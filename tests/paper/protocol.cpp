// SPDX-License-Identifier: MIT
// The paper's protocol: its prompts to the character, its judgements, its draws, and what its form costs.
#include "gt/paper/protocol.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "gt/cpu.hpp"
#include "gt/easy.hpp"
#include "infer/support.hpp"
#include "support/model.hpp"
#include "text/support.hpp"

namespace protocol_test {

using gt::ChoiceProtocol, gt::Cpu, gt::Error, gt::Extractive, gt::MultipleChoice, gt::ProtocolOptions, gt::Translation;
using gt::test::Recital, gt::test::scrambled;

namespace {

MultipleChoice const two{.question = "Q1", .choices = {"x", "y"}, .answer = 0, .labels = {"A", "B"}, .subject = ""};
ProtocolOptions const greedy{.runs = 2, .sampler = {.temperature = 0}};

/// Every character of the prompts below; after ':' come ' ', 'a', 'B'.
Recital reciter(std::int64_t context = 200) {
  std::vector<std::string> tokens{":", " ", "a", "B"};
  for (char const c : std::string("Questionprfwldmgx12y\nOARC)TETh"))
    if (std::find(tokens.begin(), tokens.end(), std::string(1, c)) == tokens.end()) tokens.emplace_back(1, c);
  return Recital(tokens, context);
}

}  // namespace

TEST_CASE("protocol: the prompts, to the character") {
  CHECK(gt::question_prompt(two) == "Question: Q1\nAnswer:");
  CHECK(gt::options_in_line_prompt(two) == "Question: Q1\nOptions: A) x B) y\nAnswer:");
  CHECK(gt::options_by_line_prompt(two) == "Question: Q1\nOptions:\nA) x\nB) y\nAnswer:");
  CHECK(gt::extractive_prompt({.context = "c", .question = "q", .answers = {"a"}}) ==
        "Context: c\nQuestion: q\nAnswer:");
  CHECK(gt::translation_prompt({.source = "s", .target = "t", .from = "English", .to = "Russian"}) ==
        "Translate from English to Russian:\ns\nAnswer:");
}

TEST_CASE("protocol: a space of its own spoils MMLU's one token, is seen, and leaves ARC's two alone") {
  auto const recital = reciter();
  auto const ask = [&](std::vector<MultipleChoice> const& questions, ChoiceProtocol form) {
    return gt::protocol_choices(Cpu<>{1}, recital.model(), recital.tokenizer(), questions, form, greedy);
  };
  auto const mmlu = ask({two}, ChoiceProtocol::mmlu);  // says " "
  CHECK(mmlu.score.runs == std::vector<double>{0, 0});
  CHECK(mmlu.blank.hits == 2);
  CHECK(mmlu.blank.count == 2);
  CHECK(mmlu.well_formed.hits == 0);
  CHECK(mmlu.samples == 1);

  auto b_is_right = two;
  b_is_right.answer = 1;
  auto const arc = ask({two, b_is_right}, ChoiceProtocol::arc);  // says " a"
  CHECK(arc.score.runs == std::vector<double>{50, 50});
  CHECK(arc.blank.hits == 0);
  CHECK(arc.well_formed.hits == 4);
  auto other_labels = two;
  other_labels.labels = {"1", "2"};
  auto const wrong = ask({other_labels}, ChoiceProtocol::arc);
  CHECK(wrong.score.mean() == 0);
  CHECK(wrong.well_formed.hits == 0);
  CHECK(wrong.blank.hits == 0);
}

TEST_CASE("protocol: an answer from a text is held by the output, as many tokens as it has characters") {
  auto const recital = reciter();
  auto const ask = [&](std::string const& answer) {
    std::vector<Extractive> const one{{.context = "C", .question = "Q", .answers = {answer, "B"}}};
    return gt::protocol_extractive(Cpu<>{1}, recital.model(), recital.tokenizer(), one, greedy);
  };
  CHECK(ask("A ").score.mean() == 0);    // says " a"
  CHECK(ask(" A").score.mean() == 100);  // in upper case
  CHECK(ask("B").score.mean() == 0);     // says " "
  CHECK(ask("B").well_formed.hits == 0);
  CHECK(ask("aB").score.mean() == 0);  // says " a": the space costs the answer its last character
  CHECK(ask(" aB").score.mean() == 100);
  std::vector<Extractive> const questions{
      {"c", "q", {"12345678"}}, {"c", "q", {"123456789", "1"}}, {"c", "q", {"жжжжжжжж"}}};
  auto const kept = gt::short_answers(questions);
  REQUIRE(kept.size() == 2);
  CHECK(kept[1].answers[0] == "жжжжжжжж");  // characters, not bytes
}

TEST_CASE("protocol: a translation's score is the mean of the sentences' BLEU in upper case") {
  auto const recital = reciter();
  std::vector<Translation> const sentences{{"T", "ab", "English", "Ru"}, {"T", "abQ", "English", "Ru"}};
  auto const result =
      gt::protocol_translation(Cpu<>{1}, recital.model(), recital.tokenizer(), sentences, greedy);  // " a", " aB"
  double const first = gt::sentence_bleu(" A", std::string("AB"), {}).score;
  double const second = gt::sentence_bleu(" AB", std::string("ABQ"), {}).score;
  CHECK(result.score.mean() == doctest::Approx((first + second) / 2));
  std::vector<Translation> const same{{"T", "ab", "English", "Ru"}};
  CHECK(first == 0);
  std::vector<Translation> const right{{"T", " aB", "English", "Ru"}};
  auto const whole = gt::protocol_translation(Cpu<>{1}, recital.model(), recital.tokenizer(), right, greedy);
  CHECK(whole.score.mean() == doctest::Approx(gt::sentence_bleu("AB", std::string("AB"), {}).score));
  CHECK(whole.well_formed.hits == 2);
}

TEST_CASE("protocol: runs draw from one stream, each as a session that starts anew would") {
  auto const tokenizer = gt::Tokenizer::build(
      gt::Corpus::from_text(gt::test::prose(2000) + " Question: Options: A) B) C) D)\nAnswer:"), {.vocab_size = 400});
  auto const model = scrambled(gt::BlockConfig{.d_model = 16, .heads = 2}, 2, tokenizer.size(), {.context = 48});
  std::vector<MultipleChoice> questions;
  for (std::uint32_t i = 0; i < 5; ++i) {
    questions.push_back({.question = gt::test::prose(2 + 3 * i, 20 + i),
                         .choices = {"a", "b"},
                         .answer = 0,
                         .labels = {"E", "T"},
                         .subject = ""});
  }
  ProtocolOptions const options{.runs = 6,
                                .sampler = {.temperature = 1.5, .top_k = 40, .top_p = 1, .seed = gt::seed(3)}};
  auto const result = gt::protocol_choices(Cpu<>{2}, model, tokenizer, questions, ChoiceProtocol::arc, options);

  gt::Sampler sampler(options.sampler);
  std::vector<double> right(6);
  std::int64_t cut = 0, well_formed = 0, blank = 0;
  for (auto const& question : questions) {
    for (double& run : right) {
      auto ids = tokenizer.encode(gt::options_by_line_prompt(question));
      if (ids.size() > 47) cut += &run == right.data(), ids.erase(ids.begin(), ids.end() - 47);
      std::vector<std::int32_t> said;
      for (int t = 0; t < 2; ++t) {
        gt::Session session(Cpu<>{1}, model);
        said.push_back(sampler(session.feed(ids)));
        ids.push_back(said.back());
      }
      auto const output = std::string(gt::strip(gt::upper_case(tokenizer.decode(said))));
      run += output.starts_with("E") ? 20 : 0;
      well_formed += output.starts_with("E") || output.starts_with("T"), blank += output.empty();
    }
  }
  CHECK(result.score.runs == right);
  CHECK(result.cut_prompts == cut);
  CHECK(cut > 0);
  CHECK(cut < 5);
  CHECK(result.well_formed.hits == well_formed);
  CHECK(well_formed > 0);
  CHECK(result.well_formed.count == 30);
  CHECK(result.blank.hits == blank);
  auto const again =
      gt::protocol_choices(Cpu<>{1}, gt::AnyModel(model), tokenizer, questions, ChoiceProtocol::arc, options);
  CHECK(again.score.runs == result.score.runs);
}

TEST_CASE("protocol: samples are drawn without replacement, in order, by the seed") {
  std::vector<int> all(100);
  for (int i = 0; i < 100; ++i) all[static_cast<std::size_t>(i)] = i;
  auto const some = gt::draw_samples(all, 30, gt::seed(1));
  REQUIRE(some.size() == 30);
  for (std::size_t i = 1; i < some.size(); ++i) CHECK(some[i - 1] < some[i]);
  CHECK(gt::draw_samples(all, 30, gt::seed(1)) == some);
  CHECK(gt::draw_samples(all, 30, gt::seed(2)) != some);
  CHECK(gt::draw_samples(all, 100, gt::seed(1)) == all);
  CHECK(gt::draw_samples(all, 1000, gt::seed(1)) == all);
  std::vector<int> drawn(4);  // each as likely as any: 1000 draws of 1 of 4, 250 each, deviation 13.7
  for (std::uint64_t s = 0; s < 1000; ++s)
    ++drawn[static_cast<std::size_t>(gt::draw_samples(std::vector<int>{0, 1, 2, 3}, 1, gt::seed(s))[0])];
  for (int const n : drawn) CHECK(std::abs(n - 250) < 5 * 14);
}

TEST_CASE("protocol: progress can end it; bad input says what must hold") {
  auto const recital = reciter();
  auto const ask = [&](std::vector<MultipleChoice> const& questions, ProtocolOptions const& options) {
    return gt::protocol_choices(Cpu<>{1}, recital.model(), recital.tokenizer(), questions, ChoiceProtocol::mmlu,
                                options);
  };
  auto stopping = greedy;
  stopping.proceed = [](std::int64_t done, std::int64_t of) { return done < 2 && of == 3; };
  auto const part = ask({two, two, two}, stopping);
  CHECK(part.samples == 2);
  CHECK_FALSE(part.complete);
  CHECK_THROWS_WITH_AS(ask({}, greedy), "gt: protocol: there must be at least one sample (got none)", Error);
  CHECK_THROWS_WITH_AS(ask({two}, {.runs = 0}), "gt: protocol: there must be at least one run (got 0)", Error);
  CHECK_THROWS_WITH_AS(ask({two}, {.sampler = {.temperature = -1}}),
                       "gt: Sampler: the temperature must be 0 or more (got -1.000000)", Error);
  auto words = two;
  words.labels = {"A", "no"};
  CHECK_THROWS_WITH_AS(ask({words}, greedy), "gt: protocol_choices: a label must be one character (got 'no')", Error);
}

}  // namespace protocol_test

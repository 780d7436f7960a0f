// SPDX-License-Identifier: MIT
// One model, one set of questions, asked in several ways: what a form of asking makes of what a model knows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <gt/eval/multiple_choice.hpp>
#include <gt/io/json.hpp>
#include <gt/paper/protocol.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "growth_jobs.hpp"
#include "setup.hpp"

namespace study {

/// Beginnings of held-out sentences with four endings each, the right one and those of three other sentences.
inline std::vector<gt::MultipleChoice> endings(std::string_view text, std::size_t most, gt::Seed seed) {
  struct Sentence {
    std::string begin, end;
  };
  std::vector<Sentence> sentences;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t const stop = std::min(text.find_first_of(".;!?\n", at), text.size());
    std::vector<std::string> words(1);
    for (char const c : text.substr(at, stop - at)) {
      if (c != ' ') {
        words.back() += c;
      } else if (!words.back().empty()) {
        words.emplace_back();
      }
    }
    if (words.back().empty()) words.pop_back();
    if (words.size() >= 10 && words.size() <= 16) {
      Sentence s;
      std::size_t const cut = words.size() - 4;
      for (std::size_t i = 0; i < words.size(); ++i) {
        std::string& part = i < cut ? s.begin : s.end;
        part += (part.empty() ? "" : " ") + words[i];
      }
      sentences.push_back(std::move(s));
    }
    at = stop + 1;
  }
  gt::check(sentences.size() >= 4, "study", "the held-out text must have four sentences of 10 to 16 words (got ",
            sentences.size(), ")");
  gt::Random const random(seed, gt::Purpose::test);
  std::vector<gt::MultipleChoice> questions;
  for (std::size_t i = 0; i < std::min(most, sentences.size()); ++i) {
    gt::MultipleChoice q;
    q.question = sentences[i].begin, q.labels = {"A", "B", "C", "D"};
    q.answer = random.below(4, 8 * i);
    for (std::size_t k = 0, other = 1 + random.below(sentences.size() - 3, 8 * i + 1); k < 4; ++k)
      q.choices.push_back(k == q.answer ? sentences[i].end : sentences[(i + other++) % sentences.size()].end);
    questions.push_back(std::move(q));
  }
  return questions;
}

/// The grown model of a seed, asked by likelihood and by the papers' protocol.
inline gt::Json ask(GrowthStudy const& growth, std::uint64_t seed, std::size_t questions, int runs) {
  auto const& g = growth;
  Model model(g.substrates("glyph", seed), g.scale.block(), gt::seed(seed), {.context = g.scale.context});
  run_plan(g.on, model, g.in_stages(false), g.text.data, g.scale, g.scale.tokens_per_stage, seed);
  auto const asked = endings(g.text.corpus.split().validation, questions, gt::seed(seed));
  auto const go_on = [](std::int64_t, std::int64_t) {
    if (program::interrupted != 0) throw Interrupted{};
    return true;
  };
  gt::Json row{{"seed", seed}, {"questions", asked.size()}};
  for (auto const by : {gt::RankedBy::text, gt::RankedBy::label}) {
    auto const ranked = gt::multiple_choice(g.on, model, g.text.tokenizer, asked, {.by = by, .proceed = go_on});
    auto const name = by == gt::RankedBy::text ? "by text" : "by label";
    row[name] = {{"raw", ranked.all.raw.value()},
                 {"per_token", ranked.all.per_token.value()},
                 {"per_byte", ranked.all.per_byte.value()}};
  }
  for (auto const form : {gt::ChoiceProtocol::mmlu, gt::ChoiceProtocol::arc}) {
    gt::ProtocolOptions options;
    options.runs = runs, options.proceed = go_on;
    auto const said = gt::protocol_choices(g.on, model, g.text.tokenizer, asked, form, options);
    row[form == gt::ChoiceProtocol::mmlu ? "one token" : "two tokens"] = {
        {"right", said.score.mean() / 100}, {"well_formed", said.well_formed.value()}, {"blank", said.blank.value()}};
  }
  return row;
}

}  // namespace study

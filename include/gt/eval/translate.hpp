// SPDX-License-Identifier: MIT
// Translations of a model, scored together: BLEU, chrF and chrF++ of a corpus.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/eval/bleu.hpp"
#include "gt/eval/chrf.hpp"
#include "gt/eval/jsonl.hpp"
#include "gt/eval/prompts.hpp"
#include "gt/eval/speaker.hpp"
#include "gt/infer/prepared.hpp"
#include "gt/infer/sampler.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/white_space.hpp"

namespace gt::inline GT_ABI {

/// How translate draws and scores.
struct TranslateOptions {
  std::int64_t max_tokens = 200;                                      ///< of a translation
  SamplerOptions sampler{.temperature = 0};                           ///< by default the likeliest token
  BleuTokenizer tokenizer = BleuTokenizer::v13a;                      ///< of BLEU: zh for Chinese
  std::function<bool(std::int64_t done, std::int64_t of)> proceed{};  ///< after each sentence; false ends it
};

/// What translate found.
struct TranslateResult {
  std::vector<std::string> hypotheses;  ///< what the model said, in one line each, stripped
  BleuScore bleu;                       ///< of the corpus
  double chrf = 0, chrf_plus_plus = 0;  ///< of the corpus
  std::int64_t cut_prompts = 0;         ///< that did not fit the context: their end was asked
  bool complete = true;                 ///< false: `proceed` ended it, and this is a part
};

/// Asks for the translation of each sentence by `translation_prompt` and takes the first line of what the model says,
/// white space before it left out.   Errors: no sentences; those of Speaker.
template <Backend B, class Model, class Tokenizer>
TranslateResult translate(Prepared<B, Model> const& prepared, Tokenizer const& tokenizer,
                          std::span<Translation const> sentences, TranslateOptions const& options = {}) {
  check(!sentences.empty(), "translate", "there must be at least one sentence (got none)");
  Speaker<B, Model, Tokenizer> speaker(prepared, tokenizer, options.sampler);
  TranslateResult result;
  Bleu bleu({.tokenizer = options.tokenizer});
  Chrf chrf, chrf_plus_plus({.word_order = 2});
  for (auto const& sentence : sentences) {
    auto const said = speaker(translation_prompt(sentence), options.max_tokens, 1, [](std::string const& so_far) {
      auto const begin = so_far.find_first_not_of(" \n");
      return begin != so_far.npos && so_far.find('\n', begin) != so_far.npos;
    });
    std::string const whole = utf8::replace_malformed(said.front());
    auto const answer = strip(whole);
    result.hypotheses.emplace_back(strip(answer.substr(0, answer.find('\n'))));
    bleu.add(result.hypotheses.back(), sentence.target);
    chrf.add(result.hypotheses.back(), sentence.target);
    chrf_plus_plus.add(result.hypotheses.back(), sentence.target);
    result.cut_prompts = speaker.cut_prompts();
    auto const done = static_cast<std::int64_t>(result.hypotheses.size());
    auto const of = static_cast<std::int64_t>(sentences.size());
    if (options.proceed && !options.proceed(done, of)) {
      result.complete = done == of;
      break;
    }
  }
  result.bleu = bleu.score();
  result.chrf = chrf.score();
  result.chrf_plus_plus = chrf_plus_plus.score();
  return result;
}
/// The same of a model that is prepared for this alone.
template <Backend B, class Model, class Tokenizer>
TranslateResult translate(B const& on, Model const& model, Tokenizer const& tokenizer,
                          std::span<Translation const> sentences, TranslateOptions const& options = {}) {
  return translate(Prepared<B, Model>(on, model), tokenizer, sentences, options);
}

}  // namespace gt

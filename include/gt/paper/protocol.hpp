// SPDX-License-Identifier: MIT
// The evaluation protocol of arXiv:2507.07129 and 2507.04886 as it is, to compare with their numbers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/philox.hpp"
#include "gt/core/backend.hpp"
#include "gt/eval/bleu.hpp"
#include "gt/eval/jsonl.hpp"
#include "gt/eval/prompts.hpp"
#include "gt/eval/speaker.hpp"
#include "gt/eval/statistics.hpp"
#include "gt/infer/prepared.hpp"
#include "gt/infer/sampler.hpp"
#include "gt/text/upper_case.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/white_space.hpp"

namespace gt::inline GT_ABI {

/// How the protocol draws. The authors publish neither temperature nor cuts: plain sampling is the default here.
struct ProtocolOptions {
  int runs = 10;                                                      ///< over the same samples
  SamplerOptions sampler{.temperature = 1, .top_p = 1};               ///< one stream of draws for all samples and runs
  std::function<bool(std::int64_t done, std::int64_t of)> proceed{};  ///< after each sample; false ends it
};

/// What the protocol found.
struct ProtocolResult {
  RunStatistics score;           ///< percent, of each run: right answers, or the mean BLEU of the sentences
  std::int64_t samples = 0;      ///< questions or sentences, in each run
  Proportion well_formed;        ///< outputs, of all runs, that could be right by their form: see each task
  Proportion blank;              ///< outputs of nothing but white space: a model that answers with a space first
  std::int64_t cut_prompts = 0;  ///< that did not fit the context: their end was asked
  bool complete = true;          ///< false: `proceed` ended it, and this is a part
};

/// `count` of the records, drawn without replacement by `seed`, in their order; all of them if there are not more.
template <class Record>
std::vector<Record> draw_samples(std::vector<Record> records, std::size_t count, Seed seed) {
  if (count >= records.size()) return records;
  std::vector<std::size_t> order(records.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random const random(seed, Purpose::data);
  for (std::size_t i = 0; i < count; ++i) std::swap(order[i], order[i + random.below(order.size() - i, i)]);
  order.resize(count);
  std::sort(order.begin(), order.end());
  std::vector<Record> drawn;
  for (std::size_t const i : order) drawn.push_back(std::move(records[i]));
  return drawn;
}

namespace detail {

// Runs a task: of each sample `prompt` and `tokens` are asked, and `judge` gives the worth of an output, 0 ... 100, and
// whether its form is right.
template <Backend B, class Model, class Tokenizer, class Sample, class Prompt, class TokenCount, class Judge>
ProtocolResult run_protocol(Prepared<B, Model> const& prepared, Tokenizer const& tokenizer,
                            std::span<Sample const> samples, ProtocolOptions const& options, Prompt const& prompt,
                            TokenCount const& tokens, Judge const& judge) {
  check(!samples.empty(), "protocol", "there must be at least one sample (got none)");
  check(options.runs > 0, "protocol", "there must be at least one run (got ", options.runs, ")");
  Speaker<B, Model, Tokenizer> speaker(prepared, tokenizer, options.sampler);
  ProtocolResult result;
  result.score.runs.resize(static_cast<std::size_t>(options.runs));
  for (Sample const& sample : samples) {
    auto const outputs = speaker(prompt(sample), tokens(sample), options.runs, [](auto const&) { return false; });
    for (std::size_t run = 0; run < outputs.size(); ++run) {
      std::string const output = upper_case(utf8::replace_malformed(outputs[run]));
      auto const [worth, well_formed] = judge(sample, output);
      result.score.runs[run] += worth;
      result.well_formed.add(well_formed);
      result.blank.add(strip(output).empty());
    }
    ++result.samples;
    result.cut_prompts = speaker.cut_prompts();
    auto const of = static_cast<std::int64_t>(samples.size());
    if (options.proceed && !options.proceed(result.samples, of)) {
      result.complete = result.samples == of;
      break;
    }
  }
  for (double& run : result.score.runs) run /= static_cast<double>(result.samples);
  return result;
}

// At most 100 tokens: as many as the right text has characters, which the protocol gives away.
inline std::int64_t tokens_for(std::string_view right) {
  return std::min<std::int64_t>(static_cast<std::int64_t>(utf8::length(right)), 100);
}

}  // namespace detail

/// How the protocol puts a multiple-choice question: MMLU has its options in one line and one new token, ARC and
/// CommonsenseQA have an option a line and two.
enum class ChoiceProtocol { mmlu, arc };

/// Multiple choice: right if the first character of the output, stripped and in upper case, is the right label;
/// well-formed if it is any of the labels. A model that answers " A" in two tokens, a space and a letter, says nothing
/// but white space to MMLU's one token, and is always wrong: `blank` counts it. `multiple_choice` has no such artefact.
/// Errors: no questions; labels that are not one character each; no run; a model and a tokenizer that do not fit.
template <Backend B, class Model, class Tokenizer>
ProtocolResult protocol_choices(Prepared<B, Model> const& prepared, Tokenizer const& tokenizer,
                                std::span<MultipleChoice const> questions, ChoiceProtocol form,
                                ProtocolOptions const& options = {}) {
  for (auto const& question : questions) {
    for (auto const& label : question.labels)
      check(utf8::length(label) == 1, "protocol_choices", "a label must be one character (got '", label, "')");
  }
  bool const mmlu = form == ChoiceProtocol::mmlu;
  auto const judge = [](MultipleChoice const& question, std::string const& output) {
    auto const answer = strip(output);
    auto const first = answer.empty() ? answer : answer.substr(0, utf8::decode(answer, 0).size);
    auto const is = [&](std::string const& label) { return !first.empty() && first == upper_case(label); };
    return std::pair(is(question.labels[question.answer]) ? 100.0 : 0.0,
                     std::any_of(question.labels.begin(), question.labels.end(), is));
  };
  return detail::run_protocol(
      prepared, tokenizer, questions, options,
      [&](auto const& q) { return mmlu ? options_in_line_prompt(q) : options_by_line_prompt(q); },
      [&](auto const&) -> std::int64_t { return mmlu ? 1 : 2; }, judge);
}
/// The same of a model that is prepared for this alone.
template <Backend B, class Model, class Tokenizer>
ProtocolResult protocol_choices(B const& on, Model const& model, Tokenizer const& tokenizer,
                                std::span<MultipleChoice const> questions, ChoiceProtocol form,
                                ProtocolOptions const& options = {}) {
  return protocol_choices(Prepared<B, Model>(on, model), tokenizer, questions, form, options);
}

/// Questions about a text (SQuAD): right if the output, in upper case, holds the first of the answers; well-formed if
/// it holds anything. As many tokens as that answer has characters. `short_answers` selects as the paper does.
template <Backend B, class Model, class Tokenizer>
ProtocolResult protocol_extractive(Prepared<B, Model> const& prepared, Tokenizer const& tokenizer,
                                   std::span<Extractive const> questions, ProtocolOptions const& options = {}) {
  auto const judge = [](Extractive const& question, std::string const& output) {
    bool const right = output.find(upper_case(question.answers.front())) != output.npos;
    return std::pair(right ? 100.0 : 0.0, !strip(output).empty());
  };
  return detail::run_protocol(
      prepared, tokenizer, questions, options, extractive_prompt,
      [](auto const& q) { return detail::tokens_for(q.answers.front()); }, judge);
}
/// The same of a model that is prepared for this alone.
template <Backend B, class Model, class Tokenizer>
ProtocolResult protocol_extractive(B const& on, Model const& model, Tokenizer const& tokenizer,
                                   std::span<Extractive const> questions, ProtocolOptions const& options = {}) {
  return protocol_extractive(Prepared<B, Model>(on, model), tokenizer, questions, options);
}
/// The questions whose first answer has at most so many characters; the paper keeps 8.
inline std::vector<Extractive> short_answers(std::vector<Extractive> questions, std::size_t characters = 8) {
  std::erase_if(questions, [&](auto const& question) { return utf8::length(question.answers.front()) > characters; });
  return questions;
}

/// Translation: the mean over sentences of their BLEU as corpora of one, both sides in upper case, the tokenizer 13a
/// whatever the language. Well-formed if the output holds anything. As many tokens as the reference has characters.
template <Backend B, class Model, class Tokenizer>
ProtocolResult protocol_translation(Prepared<B, Model> const& prepared, Tokenizer const& tokenizer,
                                    std::span<Translation const> sentences, ProtocolOptions const& options = {}) {
  auto const judge = [](Translation const& sentence, std::string const& output) {
    return std::pair(sentence_bleu(output, upper_case(sentence.target), BleuOptions{}).score, !strip(output).empty());
  };
  return detail::run_protocol(
      prepared, tokenizer, sentences, options, translation_prompt,
      [](auto const& s) { return detail::tokens_for(s.target); }, judge);
}
/// The same of a model that is prepared for this alone.
template <Backend B, class Model, class Tokenizer>
ProtocolResult protocol_translation(B const& on, Model const& model, Tokenizer const& tokenizer,
                                    std::span<Translation const> sentences, ProtocolOptions const& options = {}) {
  return protocol_translation(Prepared<B, Model>(on, model), tokenizer, sentences, options);
}

}  // namespace gt

// SPDX-License-Identifier: MIT
// Multiple choice by likelihood: which option a model finds likeliest, whatever it would say by itself.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/eval/jsonl.hpp"
#include "gt/eval/prompts.hpp"
#include "gt/eval/statistics.hpp"
#include "gt/infer/prepared.hpp"
#include "gt/infer/session.hpp"

namespace gt::inline GT_ABI {

/// How likely one continuation of a prompt is.
struct ContinuationScore {
  double log_likelihood = 0;  ///< log p(continuation | prompt), in nats
  std::int64_t tokens = 0;    ///< that were predicted
  std::int64_t bytes = 0;     ///< of the continuation
  double per_token() const { return log_likelihood / static_cast<double>(tokens); }  ///< nats a token
  double per_byte() const { return log_likelihood / static_cast<double>(bytes); }    ///< nats a byte
};

/// Scores continuations of prompts. The prompt is run once for all of its continuations; memory is taken once for all
/// prompts. The tokenizer must outlive it.
///
///     gt::ContinuationScorer scorer(on, model, tokenizer);
///     auto const scores = scorer("The capital of France is", {" Paris", " Rome"});
template <Backend B, class Model, class Tokenizer>
class ContinuationScorer {
 public:
  /// Errors: a model and a tokenizer that do not fit.
  ContinuationScorer(Prepared<B, Model> const& prepared, Tokenizer const& tokenizer)
      : tokenizer_{tokenizer}, session_(prepared) {
    std::int64_t const V = prepared.model().vocab();
    check(tokenizer.size() == V, "ContinuationScorer", "the tokenizer must have as many tokens as the model (got ",
          tokenizer.size(), " and ", V, ")");
  }
  /// With packed weights of its own.
  ContinuationScorer(B on, Model const& model, Tokenizer const& tokenizer)
      : ContinuationScorer(Prepared<B, Model>(on, model), tokenizer) {}

  /// One score for each continuation. Prompt and continuation are cut into tokens together, as a text is: where a token
  /// lies across their border, for any of the continuations, what is scored begins with that token for all. Of a prompt
  /// that does not fit the context together with the longest continuation, the end counts. Nothing stands before the
  /// first token of an empty prompt: as in `score`, it counts as drawn uniformly.
  /// Errors: an empty continuation, or one with more tokens than the context.
  std::vector<ContinuationScore> operator()(std::string_view prompt, std::span<std::string const> continuations) {
    auto const shared = tokenizer_.encode(prompt);
    std::size_t common = shared.size(), longest = 0;
    std::vector<std::vector<std::int32_t>> texts;
    for (auto const& continuation : continuations) {
      check(!continuation.empty(), "ContinuationScorer", "a continuation must not be empty");
      texts.push_back(tokenizer_.encode(text(prompt, continuation)));
      auto const& ids = texts.back();
      auto const at = std::mismatch(shared.begin(), shared.end(), ids.begin(), ids.end()).first;
      common = std::min(common, static_cast<std::size_t>(at - shared.begin()));
    }
    for (auto const& ids : texts) longest = std::max(longest, ids.size() - common);
    auto const context = static_cast<std::size_t>(session_.model().context());
    check(longest <= context, "ContinuationScorer", "a continuation must fit the context of ", context, " tokens (got ",
          longest, ")");
    std::size_t const kept = std::min(common, context + 1 - std::max<std::size_t>(longest, 1));  // the last is not fed
    cut_prompts_ += kept < common ? 1 : 0;

    session_.reset();
    std::vector<T> after(static_cast<std::size_t>(session_.model().vocab()));  // logits; of nothing: all equal
    if (kept > 0) keep(session_.feed(std::span(shared).subspan(common - kept, kept)), after);
    double const after_prompt = log_sum_exp(after);
    std::vector<ContinuationScore> scores;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      auto const ids = std::span<std::int32_t const>(texts[i]).subspan(common);
      ContinuationScore score{.log_likelihood = logit(after, ids[0]) - after_prompt,
                              .tokens = static_cast<std::int64_t>(ids.size()),
                              .bytes = static_cast<std::int64_t>(continuations[i].size())};
      session_.rewind(static_cast<std::int64_t>(kept));
      for (std::size_t t = 1; t < ids.size(); ++t) {
        std::span<T const> const logits = session_.feed(ids.subspan(t - 1, 1));
        score.log_likelihood += logit(logits, ids[t]) - log_sum_exp(logits);
      }
      check(std::isfinite(score.log_likelihood), "ContinuationScorer",
            "the model's logits must be finite (got others)");
      scores.push_back(score);
    }
    return scores;
  }

  std::int64_t cut_prompts() const { return cut_prompts_; }  ///< prompts so far that did not fit the context

 private:
  using T = typename Model::scalar;

  static void keep(std::span<T const> logits, std::vector<T>& copy) {
    std::copy(logits.begin(), logits.end(), copy.begin());
  }
  static double logit(std::span<T const> logits, std::int32_t id) {
    return static_cast<double>(logits[static_cast<std::size_t>(id)]);
  }
  static double log_sum_exp(std::span<T const> logits) {
    double const top = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
    double sum = 0;
    for (T const z : logits) sum += std::exp(static_cast<double>(z) - top);
    return top + std::log(sum);
  }

  Tokenizer const& tokenizer_;
  Session<B, Model> session_;
  std::int64_t cut_prompts_ = 0;
};

/// What is ranked: the texts of the options behind the question alone, or their labels behind a prompt that lists them.
enum class RankedBy { text, label };

/// How multiple_choice asks.
struct MultipleChoiceOptions {
  RankedBy by = RankedBy::text;                                       ///< see there
  std::function<bool(std::int64_t done, std::int64_t of)> proceed{};  ///< after each question; false ends it
};

/// How often the likeliest option was the right one.
struct ChoiceAccuracy {
  Proportion raw;          ///< by log-likelihood: short options are favoured
  Proportion per_token;    ///< by log-likelihood a token
  Proportion per_byte;     ///< by log-likelihood a byte: comparable across tokenizers
  double chance_hits = 0;  ///< expected of guessing
  double chance() const {  ///< the share of it
    return raw.count > 0 ? chance_hits / static_cast<double>(raw.count) : 0;
  }
};

/// What multiple_choice found.
struct MultipleChoiceResult {
  ChoiceAccuracy all;                                  ///< of all questions
  std::map<std::string, ChoiceAccuracy> subjects;      ///< of each subject that the file names
  std::vector<std::vector<ContinuationScore>> scores;  ///< of each option of each question
  std::int64_t cut_prompts = 0;                        ///< questions that did not fit the context
  bool complete = true;                                ///< false: `proceed` ended it, and this is a part
};

namespace detail {
/// The index of the greatest; of equals the first.
template <class Value>
std::size_t likeliest(std::vector<ContinuationScore> const& scores, Value const& value) {
  return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end(),
                                                   [&](auto const& a, auto const& b) { return value(a) < value(b); }) -
                                  scores.begin());
}
}  // namespace detail

/// Ranks the options of each question by log p(" " + option | prompt). Nothing is sampled, and no form of answer is
/// needed: what a model knows is not mixed with how it is used to answer.
/// Errors: no questions; those of ContinuationScorer.
template <Backend B, class Model, class Tokenizer>
MultipleChoiceResult multiple_choice(Prepared<B, Model> const& prepared, Tokenizer const& tokenizer,
                                     std::span<MultipleChoice const> questions,
                                     MultipleChoiceOptions const& options = {}) {
  check(!questions.empty(), "multiple_choice", "there must be at least one question (got none)");
  ContinuationScorer<B, Model, Tokenizer> scorer(prepared, tokenizer);
  MultipleChoiceResult result;
  for (auto const& question : questions) {
    bool const by_text = options.by == RankedBy::text;
    std::vector<std::string> continuations;
    for (auto const& option : by_text ? question.choices : question.labels) continuations.push_back(" " + option);
    auto const scores = scorer(by_text ? question_prompt(question) : options_by_line_prompt(question), continuations);
    auto const count = [&](ChoiceAccuracy& accuracy) {
      auto const right = [&](auto const& value) { return detail::likeliest(scores, value) == question.answer; };
      accuracy.raw.add(right([](auto const& s) { return s.log_likelihood; }));
      accuracy.per_token.add(right([](auto const& s) { return s.per_token(); }));
      accuracy.per_byte.add(right([](auto const& s) { return s.per_byte(); }));
      accuracy.chance_hits += 1 / static_cast<double>(question.choices.size());
    };
    count(result.all);
    if (!question.subject.empty()) count(result.subjects[question.subject]);
    result.scores.push_back(scores);
    result.cut_prompts = scorer.cut_prompts();
    auto const done = static_cast<std::int64_t>(result.scores.size()), of = static_cast<std::int64_t>(questions.size());
    if (options.proceed && !options.proceed(done, of)) {
      result.complete = done == of;
      break;
    }
  }
  return result;
}
/// The same of a model that is prepared for this alone.
template <Backend B, class Model, class Tokenizer>
MultipleChoiceResult multiple_choice(B const& on, Model const& model, Tokenizer const& tokenizer,
                                     std::span<MultipleChoice const> questions,
                                     MultipleChoiceOptions const& options = {}) {
  return multiple_choice(Prepared<B, Model>(on, model), tokenizer, questions, options);
}

}  // namespace gt

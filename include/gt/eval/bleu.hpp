// SPDX-License-Identifier: MIT
// BLEU of a sentence and of a corpus, equal to sacreBLEU's.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "gt/base/defaults.hpp"
#include "gt/base/error.hpp"
#include "gt/eval/bleu_tokenizer.hpp"
#include "gt/eval/ngrams.hpp"
#include "gt/text/white_space.hpp"

namespace gt::inline GT_ABI {

inline constexpr std::size_t bleu_max_order = 4;  ///< BLEU counts n-grams of 1 ... 4 words

/// What stands for the precision of an order without a match: nothing; `smoothing_value` matches; that many added to
/// matches and totals of all orders but the first; or 1/2, 1/4, ... matches, halved at each such order.
/// Source: Chen and Cherry 2014, "A Systematic Comparison of Smoothing Techniques for Sentence-Level BLEU".
enum class BleuSmoothing { none, floor, add_k, exponential };

/// How BLEU is computed; the defaults are those of sacreBLEU's corpus_bleu.
struct BleuOptions {
  BleuTokenizer tokenizer = BleuTokenizer::v13a;         ///< what a word is
  BleuSmoothing smoothing = BleuSmoothing::exponential;  ///< of orders without a match
  double smoothing_value = 1;                            ///< of floor (0.1 in the paper) and add_k; unused otherwise
  bool effective_order = false;                          ///< leave out the orders for which the sentence is too short
};

/// BLEU, and what it is made of.
struct BleuScore {
  double score = 0;                                 ///< 0 ... 100
  std::array<double, bleu_max_order> precisions{};  ///< of each order, 0 ... 100, smoothed; all 0 without any match
  double brevity_penalty = 1;                       ///< exp(1 - reference / hypothesis length) of the shorter, else 1
  std::array<std::int64_t, bleu_max_order> matches{}, totals{};  ///< n-grams of hypotheses: in a reference; all
  std::int64_t hypothesis_words = 0, reference_words = 0;        ///< the reference is the one closest in length
};

/// Collects hypotheses with their references, then scores them together:
/// BLEU = BP * exp(1/N * sum over n = 1 ... N of log precision_n), N = 4.
/// Source: Papineni et al. 2002; sacreBLEU 2.6 in every detail.
///
///     gt::Bleu bleu({.tokenizer = gt::BleuTokenizer::zh});
///     for (auto const& pair : pairs) bleu.add(pair.hypothesis, pair.reference);
///     double const score = bleu.score().score;
class Bleu {
 public:
  explicit Bleu(Defaults) : Bleu(BleuOptions{}) {}  ///< `Bleu({})`
  /// Nothing is added yet.
  explicit Bleu(BleuOptions options = {}) : options_{options} {}

  /// One sentence and at least one translation of it. Each n-gram may match as often as in the reference that has it
  /// most often.   Errors: no reference.
  void add(std::string_view hypothesis, std::span<std::string const> references) {
    check(!references.empty(), "Bleu::add", "a sentence must have at least one reference (got none)");
    auto const line = space_words(hypothesis, options_.tokenizer);
    auto const words = split_at_white_space(line);
    auto const length = static_cast<std::int64_t>(words.size());
    std::array<NgramCounts, bleu_max_order> most;
    std::int64_t closest = -1;
    for (auto const& reference : references) {
      auto const reference_line = space_words(reference, options_.tokenizer);
      auto const reference_words = split_at_white_space(reference_line);
      auto const candidate = static_cast<std::int64_t>(reference_words.size());
      auto const distance = std::abs(length - candidate), shortest = std::abs(length - closest);
      if (closest < 0 || distance < shortest || (distance == shortest && candidate < closest)) closest = candidate;
      for (std::size_t n = 0; n < bleu_max_order; ++n) {
        for (auto const& [ngram, count] : count_ngrams(reference_words, n + 1, " "))
          most[n][ngram] = std::max(most[n][ngram], count);
      }
    }
    sums_.hypothesis_words += length;
    sums_.reference_words += closest;
    for (std::size_t n = 0; n < bleu_max_order; ++n) {
      auto const counts = count_ngrams(words, n + 1, " ");
      sums_.totals[n] += total_count(counts);
      sums_.matches[n] += shared_count(counts, most[n]);
    }
  }
  /// One sentence and its translation.
  void add(std::string_view hypothesis, std::string const& reference) { add(hypothesis, std::span(&reference, 1)); }

  /// Of all that was added.
  BleuScore score() const {
    BleuScore result = sums_;
    if (result.hypothesis_words < result.reference_words) {
      result.brevity_penalty = result.hypothesis_words == 0
                                   ? 0
                                   : std::exp(1 - static_cast<double>(result.reference_words) /
                                                      static_cast<double>(result.hypothesis_words));
    }
    if (std::all_of(result.matches.begin(), result.matches.end(), [](auto n) { return n == 0; })) return result;
    double unmatched = 1;
    std::size_t order = bleu_max_order;
    for (std::size_t n = 0; n < bleu_max_order; ++n) {
      double const added = options_.smoothing == BleuSmoothing::add_k && n > 0 ? options_.smoothing_value : 0;
      double const matches = static_cast<double>(result.matches[n]) + added;
      double const totals = static_cast<double>(result.totals[n]) + added;
      if (totals == 0) break;
      if (options_.effective_order) order = n + 1;
      if (matches > 0) {
        result.precisions[n] = 100 * matches / totals;
      } else if (options_.smoothing == BleuSmoothing::exponential) {
        unmatched *= 2;
        result.precisions[n] = 100 / (unmatched * totals);
      } else if (options_.smoothing == BleuSmoothing::floor) {
        result.precisions[n] = 100 * options_.smoothing_value / totals;
      }
    }
    double logs = 0;
    for (std::size_t n = 0; n < order; ++n) logs += std::log(result.precisions[n]);  // -inf without smoothing: BLEU 0
    result.score = result.brevity_penalty * std::exp(logs / static_cast<double>(order));
    return result;
  }

 private:
  BleuOptions options_;
  BleuScore sums_;
};

/// BLEU of many sentences, one reference each: sacreBLEU's corpus_bleu.   Errors: not as many references as hypotheses.
inline BleuScore corpus_bleu(std::span<std::string const> hypotheses, std::span<std::string const> references,
                             BleuOptions const& options = {}) {
  check(hypotheses.size() == references.size(), "corpus_bleu", "there must be one reference for each hypothesis (got ",
        references.size(), " for ", hypotheses.size(), ")");
  Bleu bleu(options);
  for (std::size_t i = 0; i < hypotheses.size(); ++i) bleu.add(hypotheses[i], references[i]);
  return bleu.score();
}

/// BLEU of one sentence: sacreBLEU's sentence_bleu, which differs from a corpus of one in its effective order.
inline BleuScore sentence_bleu(std::string_view hypothesis, std::span<std::string const> references,
                               BleuOptions const& options = {.effective_order = true}) {
  Bleu bleu(options);
  bleu.add(hypothesis, references);
  return bleu.score();
}
/// The same with one reference.
inline BleuScore sentence_bleu(std::string_view hypothesis, std::string const& reference,
                               BleuOptions const& options = {.effective_order = true}) {
  return sentence_bleu(hypothesis, std::span(&reference, 1), options);
}

}  // namespace gt

// SPDX-License-Identifier: MIT
// chrF and chrF++ of a sentence and of a corpus, equal to sacreBLEU's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/defaults.hpp"
#include "gt/base/error.hpp"
#include "gt/eval/ngrams.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/white_space.hpp"

namespace gt::inline GT_ABI {

/// How chrF is computed; the defaults are sacreBLEU's. chrF++ has a word order of 2.
struct ChrfOptions {
  int char_order = 6;  ///< n-grams of 1 ... n characters, white space left out
  int word_order = 0;  ///< n-grams of 1 ... n words, marks at their ends apart
  double beta = 2;     ///< recall counts beta times as much as precision
};

namespace detail {

/// n-grams of one order: of the hypothesis, of the reference, of both.
struct ChrfCounts {
  std::int64_t hypothesis = 0, reference = 0, both = 0;
};

inline bool is_ascii_mark(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

// Words, with one mark at the end of each apart, or else one at its beginning: '(hi)' becomes '(hi' and ')'.
inline std::vector<std::string_view> words_and_marks(std::string_view sentence) {
  std::vector<std::string_view> words;
  for (auto const word : split_at_white_space(sentence)) {
    if (utf8::length(word) > 1 && is_ascii_mark(word.back())) {
      words.push_back(word.substr(0, word.size() - 1));
      words.push_back(word.substr(word.size() - 1));
    } else if (utf8::length(word) > 1 && is_ascii_mark(word.front())) {
      words.push_back(word.substr(0, 1));
      words.push_back(word.substr(1));
    } else {
      words.push_back(word);
    }
  }
  return words;
}

}  // namespace detail

/// Collects hypotheses with their references, then scores them together: with P and R the means of the n-gram
/// precisions and recalls over the orders that both texts have,
/// chrF = 100 * (1 + beta^2) * P * R / (beta^2 * P + R).
/// Source: Popović 2015 (chrF), 2017 (chrF++); sacreBLEU 2.6 in every detail.
class Chrf {
 public:
  explicit Chrf(Defaults) : Chrf(ChrfOptions{}) {}  ///< `Chrf({})`
  /// Errors: a character order below 1, a word order below 0, a beta that is not positive.
  explicit Chrf(ChrfOptions const& options = {}) : options_{options} {
    check(options.char_order >= 1, "Chrf", "the character order must be positive (got ", options.char_order, ")");
    check(options.word_order >= 0, "Chrf", "the word order must be 0 or more (got ", options.word_order, ")");
    check(options.beta > 0, "Chrf", "beta must be positive (got ", options.beta, ")");
    sums_.resize(orders());
  }

  /// One sentence and at least one translation of it, of which the closest counts.   Errors: no reference.
  void add(std::string_view hypothesis, std::span<std::string const> references) {
    check(!references.empty(), "Chrf::add", "a sentence must have at least one reference (got none)");
    auto const ngrams = ngrams_of(hypothesis);
    std::vector<detail::ChrfCounts> best;
    double best_score = -1;
    for (auto const& reference : references) {
      auto const others = ngrams_of(reference);
      std::vector<detail::ChrfCounts> counts(orders());
      for (std::size_t i = 0; i < counts.size(); ++i) {
        // An order that the reference is too short for says nothing against the hypothesis.
        counts[i] = {others[i].empty() ? 0 : total_count(ngrams[i]), total_count(others[i]),
                     shared_count(ngrams[i], others[i])};
      }
      double const score = score_of(counts);
      if (score > best_score) best_score = score, best = counts;
    }
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      sums_[i].hypothesis += best[i].hypothesis;
      sums_[i].reference += best[i].reference;
      sums_[i].both += best[i].both;
    }
  }
  /// One sentence and its translation.
  void add(std::string_view hypothesis, std::string const& reference) { add(hypothesis, std::span(&reference, 1)); }

  /// Of all that was added, 0 ... 100.
  double score() const { return score_of(sums_); }

 private:
  std::size_t orders() const { return static_cast<std::size_t>(options_.char_order + options_.word_order); }

  std::vector<NgramCounts> ngrams_of(std::string_view sentence) const {
    std::string joined;
    for (auto const part : split_at_white_space(sentence)) joined += part;
    auto const characters = characters_of(joined);
    std::vector<NgramCounts> all;
    for (int n = 1; n <= options_.char_order; ++n)
      all.push_back(count_ngrams(characters, static_cast<std::size_t>(n), ""));
    auto const words = detail::words_and_marks(sentence);
    for (int n = 1; n <= options_.word_order; ++n) all.push_back(count_ngrams(words, static_cast<std::size_t>(n), " "));
    return all;
  }
  double score_of(std::vector<detail::ChrfCounts> const& counts) const {
    double precision = 0, recall = 0;
    int effective = 0;
    for (auto const& n : counts) {
      if (n.hypothesis == 0 || n.reference == 0) continue;
      precision += static_cast<double>(n.both) / static_cast<double>(n.hypothesis);
      recall += static_cast<double>(n.both) / static_cast<double>(n.reference);
      ++effective;
    }
    if (precision + recall == 0) return 0;
    precision /= effective, recall /= effective;
    double const factor = options_.beta * options_.beta;
    return 100 * ((1 + factor) * precision * recall / (factor * precision + recall));
  }

  ChrfOptions options_;
  std::vector<detail::ChrfCounts> sums_;
};

/// chrF of many sentences, one reference each: sacreBLEU's corpus_chrf.   Errors: not as many references as hypotheses.
inline double corpus_chrf(std::span<std::string const> hypotheses, std::span<std::string const> references,
                          ChrfOptions const& options = {}) {
  check(hypotheses.size() == references.size(), "corpus_chrf", "there must be one reference for each hypothesis (got ",
        references.size(), " for ", hypotheses.size(), ")");
  Chrf chrf(options);
  for (std::size_t i = 0; i < hypotheses.size(); ++i) chrf.add(hypotheses[i], references[i]);
  return chrf.score();
}

/// chrF of one sentence: sacreBLEU's sentence_chrf.
inline double sentence_chrf(std::string_view hypothesis, std::string const& reference,
                            ChrfOptions const& options = {}) {
  Chrf chrf(options);
  chrf.add(hypothesis, reference);
  return chrf.score();
}

}  // namespace gt

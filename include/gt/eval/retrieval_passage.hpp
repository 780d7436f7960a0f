// SPDX-License-Identifier: MIT
// A small passage of text, a question about it, and the answer, which is a word of the passage.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/defaults.hpp"
#include "gt/base/error.hpp"
#include "gt/base/philox.hpp"
#include "gt/eval/retrieval.hpp"
#include "gt/ops/cross_entropy.hpp"
#include "gt/text/corpus.hpp"

namespace gt::inline GT_ABI {

/// The size of the passages.
struct PassageOptions {
  int people = 4;         ///< P, of 16: a sentence for each of them and each relation
  int relations = 1;      ///< R, of 3, drawn for each passage: where they live, what they keep, what they play
  int fillers = 1;        ///< sentences that answer nothing, of 6, anywhere between the others
  int fewest_people = 0;  ///< training passages are about fewest ... P people; 0: P, as held-out ones
  int questions = 1;      ///< about a training passage; held-out ones have one
  double terse = 0;       ///< share of training questions that are a name and nothing else, "Ida Rome"
  Seed seed{};            ///< other seeds, other passages
};

/// A question, and its answer: a word of the passage.
struct PassageQuestion {
  std::string question;  ///< without the passage
  std::string answer;    ///< a word of the passage
};
/// A passage with questions about it; the last one is what is to be answered.
struct Passage {
  std::string context;                     ///< sentences
  std::vector<PassageQuestion> questions;  ///< one or more

  /// The passage, a line for each question with its answer, and the last question: what a model is to go on from.
  std::string prompt() const {
    std::string all = context + '\n';
    for (auto const& q : questions) all += q.question + ' ' + (&q == &questions.back() ? "" : q.answer + '\n');
    return all;
  }
  std::string completion() const { return questions.back().answer + '\n'; }  ///< with this, and no more
  std::string text() const { return prompt() + completion(); }               ///< the whole
};

namespace detail::passage {
struct Relation {
  std::string_view verb, question_begin, question_end;
  std::array<std::string_view, 16> values;
};
inline constexpr std::array<std::string_view, 16> people{"Anna",  "Ben",  "Clara", "David", "Emma",  "Frank",
                                                         "Greta", "Hugo", "Ida",   "Jonas", "Karin", "Leo",
                                                         "Mia",   "Nils", "Olga",  "Paul"};
inline constexpr std::array<Relation, 3> relations{
    Relation{"lives in",
             "Where does",
             "live?",
             {"Athens", "Berlin", "Cairo", "Dublin", "Essen", "Genoa", "Havana", "Kyoto", "Lima", "Malmo", "Naples",
              "Oslo", "Paris", "Quito", "Rome", "Sofia"}},
    Relation{"keeps a",
             "Which animal does",
             "keep?",
             {"beetle", "cat", "dog", "duck", "ferret", "goat", "hen", "lizard", "mouse", "newt", "parrot", "pony",
              "rabbit", "snake", "toad", "turtle"}},
    Relation{"plays the",
             "What does",
             "play?",
             {"banjo", "bugle", "cello", "clarion", "drum", "fiddle", "flute", "guitar", "harp", "horn", "lute", "oboe",
              "organ", "piano", "tuba", "viola"}}};
inline constexpr std::array<std::string_view, 6> fillers{"It was raining.",    "The train was late.",
                                                         "Nobody was tired.",  "The soup was cold.",
                                                         "A bell rang twice.", "Snow fell all day."};

inline std::string sentence_of(Relation const& relation, std::string_view person, std::string_view value) {
  return text(person, ' ', relation.verb, ' ', value, '.');
}
inline std::string question_of(Relation const& relation, std::string_view person) {
  return text(relation.question_begin, ' ', person, ' ', relation.question_end);
}
}  // namespace detail::passage

/// Passages by number. All of a relation's values in one passage differ and are equally likely, as is the person who is
/// asked for: who does not know which value belongs to whom is right once in P times at most.
///
///     Emma lives in Oslo. It was raining. Paul lives in Cairo. Ida lives in Rome. Hugo lives in Lima.
///     Where does Ida live? Rome
///
/// It stands in for SQuAD (arXiv:2507.07129) at the size of models that learn in minutes: the answer is a span of the
/// text, found by what stands near it. A question needs what a name has said gathered at two places at once, behind the
/// question and at the answer, and a model sees no use in either without the other; terse questions need it at the
/// answer alone, and teach that first.
class Passages {
 public:
  explicit Passages(Defaults) : Passages(PassageOptions{}) {}  ///< `Passages({})`
  /// Errors: sizes outside of what there is.
  explicit Passages(PassageOptions options = {}) : options_{options} {
    auto const within = [](char const* what, int got, int least, std::size_t most) {
      check(got >= least && got <= static_cast<int>(most), "Passages", what, " must lie in ", least, " ... ", most,
            " (got ", got, ")");
    };
    within("people", options.people, 1, detail::passage::people.size());
    within("fewest_people", options.fewest_people, 0, static_cast<std::size_t>(options.people));
    if (options_.fewest_people == 0) options_.fewest_people = options.people;
    within("relations", options.relations, 1, detail::passage::relations.size());
    within("fillers", options.fillers, 0, detail::passage::fillers.size());
    within("questions", options.questions, 1, 64);
    check(options.terse >= 0 && options.terse <= 1, "Passages", "terse must lie in 0 ... 1 (got ", options.terse, ")");
  }

  PassageOptions const& options() const noexcept { return options_; }  ///< none left open
  double chance() const noexcept { return 1.0 / options_.people; }     ///< 1 / P

  /// Passage `sample` of a part.   Errors: a negative number.
  Passage operator()(TaskPart part, std::int64_t sample) const {
    check(sample >= 0, "Passages", "a sample number must not be negative (got ", sample, ")");
    detail::SampleDraws draw(options_.seed, part, 2, sample);
    auto const of = [](auto const& list, std::int32_t i) -> auto const& { return list[static_cast<std::size_t>(i)]; };
    std::int64_t const fewest = part == TaskPart::train ? options_.fewest_people : options_.people;
    std::int64_t const count = fewest + draw.below(options_.people - fewest + 1);
    auto const names = draw.choose(count, 16);
    std::vector<std::string> sentences;
    Passage passage;
    for (std::int32_t const r : draw.choose(options_.relations, 3)) {  // the first drawn is the one that is asked for
      auto const& relation = of(detail::passage::relations, r);
      auto const values = draw.choose(count, 16);
      for (std::size_t p = 0; p < names.size(); ++p)
        sentences.push_back(detail::passage::sentence_of(relation, of(detail::passage::people, names[p]),
                                                         of(relation.values, values[p])));
      if (!passage.questions.empty()) continue;
      for (int q = 0; q < (part == TaskPart::train ? options_.questions : 1); ++q) {
        auto const p = static_cast<std::size_t>(draw.below(count));
        auto const who = of(detail::passage::people, names[p]);
        bool const terse = part == TaskPart::train && options_.terse > 0 && draw.uniform() < options_.terse;
        passage.questions.push_back({terse ? std::string(who) : detail::passage::question_of(relation, who),
                                     std::string(of(relation.values, values[p]))});
      }
    }
    for (std::int32_t const f : draw.choose(options_.fillers, 6))
      sentences.emplace_back(of(detail::passage::fillers, f));
    auto const all = static_cast<std::int64_t>(sentences.size());
    for (std::int32_t const s : draw.choose(all, all))
      passage.context += (passage.context.empty() ? "" : " ") + of(sentences, s);
    return passage;
  }
  /// Passages 0 ... count - 1 of the training part one behind the other, for a tokenizer to be built from.
  std::string text(std::int64_t count) const {
    std::string all;
    for (std::int64_t i = 0; i < count; ++i) all += (*this)(TaskPart::train, i).text();
    return all;
  }

 private:
  PassageOptions options_;
};

/// The smallest encoder of passages: every word and every mark they can contain is a token, spaces are none. For models
/// that are to learn to find and not to spell; any other TextEncoder serves as well.
class PassageWords {
 public:
  /// The words of all people, relations and fillers, in that order.
  PassageWords() {
    for (auto const person : detail::passage::people) add(person);
    for (auto const& relation : detail::passage::relations) {
      add(detail::passage::sentence_of(relation, detail::passage::people[0], relation.values[0]));
      add(detail::passage::question_of(relation, detail::passage::people[0]));
      for (auto const value : relation.values) add(value);
    }
    for (auto const filler : detail::passage::fillers) add(filler);
    add("\n");
  }

  std::int64_t size() const { return static_cast<std::int64_t>(words_.size()); }  ///< V
  /// The word or mark of an id below `size()`.
  std::string const& token(std::int32_t id) const { return words_[static_cast<std::size_t>(id)]; }
  /// Appends the ids of a text.   Errors: a word that no passage has.
  void encode_into(std::string_view text, std::vector<std::int32_t>& ids) const {
    for_each_word(text, [&](std::string_view word) {
      auto const found = ids_.find(word);
      check(found != ids_.end(), "PassageWords", "a text must be made of the words of passages (got '", word, "')");
      ids.push_back(found->second);
    });
  }

 private:
  // A word is a run of letters; anything else but a space stands for itself.
  template <class F>
  static void for_each_word(std::string_view text, F const& f) {
    auto const letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end) {
      end = begin + 1;
      while (letter(text[begin]) && end < text.size() && letter(text[end])) ++end;
      if (text[begin] != ' ') f(text.substr(begin, end - begin));
    }
  }
  void add(std::string_view text) {
    for_each_word(text, [&](std::string_view word) {
      if (ids_.emplace(word, static_cast<std::int32_t>(words_.size())).second) words_.emplace_back(word);
    });
  }

  std::vector<std::string> words_;
  std::map<std::string, std::int32_t, std::less<>> ids_;
};
static_assert(TextEncoder<PassageWords>);

/// Passages as tokens: the ids of the text, then the last one again until T. Targets are the tokens of answers and the
/// newlines that end them, so that a held-out sample is exact where greedy decoding gives the answer and ends.
template <TextEncoder Encoder>
class PassageRetrieval {
 public:
  /// T is what the longest passage may take, if the encoder cuts text at spaces and newlines.
  explicit PassageRetrieval(Encoder tokenizer, PassageOptions options = {})
      : tokenizer_{std::move(tokenizer)}, passages_{options}, context_{longest(options)} {}

  Passages const& passages() const noexcept { return passages_; }                      ///< as text
  std::int64_t vocab() const { return static_cast<std::int64_t>(tokenizer_.size()); }  ///< V
  std::int64_t context() const noexcept { return context_; }                           ///< T
  double chance() const noexcept { return passages_.chance(); }                        ///< 1 / P

  /// Samples as RetrievalTask says.   Errors: spans of another size, a passage of more than T tokens.
  void fill(TaskPart part, std::int64_t first, std::int64_t batch, std::span<std::int32_t> ids,
            std::span<std::int32_t> targets) const {
    detail::check_fill("PassageRetrieval::fill", first, batch, context_, ids.size(), targets.size());
    std::vector<std::int32_t> tokens;
    for (std::int64_t b = 0; b < batch; ++b) {
      Passage const passage = passages_(part, first + b);
      auto const length = static_cast<std::size_t>(context_), row = static_cast<std::size_t>(b) * length;
      std::fill_n(targets.begin() + static_cast<std::ptrdiff_t>(row), length, no_target);
      tokens.clear();
      tokenizer_.encode_into(passage.context + '\n', tokens);
      for (auto const& q : passage.questions) {
        tokenizer_.encode_into(q.question + ' ', tokens);
        std::size_t const answer = tokens.size();
        tokenizer_.encode_into(q.answer + '\n', tokens);
        check(tokens.size() <= length + 1, "PassageRetrieval", "a passage must fit ", context_ + 1, " tokens (got ",
              tokens.size(), "); the encoder must cut text at spaces and newlines");
        std::copy(tokens.begin() + static_cast<std::ptrdiff_t>(answer), tokens.end(),
                  targets.begin() + static_cast<std::ptrdiff_t>(row + answer - 1));
      }
      for (std::size_t t = 0; t < length; ++t) ids[row + t] = tokens[std::min(t, tokens.size() - 1)];
    }
  }

 private:
  std::int64_t length_of(std::string const& text) const {
    std::vector<std::int32_t> ids;
    tokenizer_.encode_into(text, ids);
    return static_cast<std::int64_t>(ids.size());
  }
  std::int64_t longest(PassageOptions const& options) const {
    std::int64_t sentence = 0, filler = 0, question = 0, answer = 0;
    for (auto const& relation : detail::passage::relations) {
      for (auto const person : detail::passage::people) {
        question = std::max(question, length_of(detail::passage::question_of(relation, person) + ' '));
        for (auto const value : relation.values)
          sentence = std::max(sentence, length_of(detail::passage::sentence_of(relation, person, value) + ' '));
      }
      for (auto const value : relation.values) answer = std::max(answer, length_of(std::string(value) + '\n'));
    }
    for (auto const text : detail::passage::fillers) filler = std::max(filler, length_of(std::string(text) + ' '));
    return options.people * options.relations * sentence + options.fillers * filler + length_of("\n") +
           options.questions * (question + answer) - 1;
  }

  Encoder tokenizer_;
  Passages passages_;
  std::int64_t context_;
};

}  // namespace gt

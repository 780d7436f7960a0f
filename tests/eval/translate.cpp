// SPDX-License-Identifier: MIT
// Translations: the first line that the model says, scored as a corpus.
#include "gt/eval/translate.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "gt/cpu.hpp"
#include "infer/support.hpp"

namespace translate_test {

using gt::Cpu, gt::Error, gt::Translation;
using gt::test::Recital;

TEST_CASE("translate: the first line, without white space around it; BLEU and chrF of all") {
  // After ':' comes ' ', 'o', 'k', newline, 'x', ...
  Recital const recital({":", " ", "o", "k", "\n", "x", "T", "r", "a", "n", "s", "l", "t", "e", "f", "m", "A", "w"},
                        64);
  std::vector<Translation> const sentences{{"ax", "ok", "A", "x"}, {"xa", "ok or not", "A", "x"}};
  auto const result = gt::translate(Cpu<>{1}, recital.model(), recital.tokenizer(), sentences);
  CHECK(result.hypotheses == std::vector<std::string>{"ok", "ok"});
  std::vector<std::string> const references{"ok", "ok or not"};
  CHECK(result.bleu.score == gt::corpus_bleu(result.hypotheses, references).score);
  CHECK(result.bleu.matches[0] == 2);
  CHECK(result.chrf == gt::corpus_chrf(result.hypotheses, references));
  CHECK(result.chrf_plus_plus == gt::corpus_chrf(result.hypotheses, references, {.word_order = 2}));
  CHECK(result.chrf > 0);
  CHECK(result.complete);
  auto const by_character = gt::translate(Cpu<>{1}, recital.model(), recital.tokenizer(), sentences,
                                          {.max_tokens = 2, .tokenizer = gt::BleuTokenizer::character});
  CHECK(by_character.hypotheses == std::vector<std::string>{"o", "o"});
  CHECK(by_character.bleu.reference_words == 2 + 7);
}

TEST_CASE("translate: progress can end it; bad input says what must hold") {
  Recital const recital({":", " ", "o", "k", "\n", "x", "T", "r", "a", "n", "s", "l", "t", "e", "f", "m", "A", "w"},
                        64);
  std::vector<Translation> const none, two{{"ax", "ok", "A", "x"}, {"xa", "ok", "A", "x"}};
  auto const part = gt::translate(Cpu<>{1}, recital.model(), recital.tokenizer(), two,
                                  {.proceed = [](std::int64_t, std::int64_t) { return false; }});
  CHECK(part.hypotheses.size() == 1);
  CHECK_FALSE(part.complete);
  CHECK_THROWS_WITH_AS(gt::translate(Cpu<>{1}, recital.model(), recital.tokenizer(), none),
                       "gt: translate: there must be at least one sentence (got none)", Error);
  CHECK_THROWS_WITH_AS(gt::translate(Cpu<>{1}, recital.model(), recital.tokenizer(), two, {.max_tokens = 0}),
                       "gt: Speaker: tokens and times must be positive (got 0 and 1)", Error);
}

}  // namespace translate_test

// SPDX-License-Identifier: MIT
// Short answers: as often as asked for, until told, within the context.
#include "gt/eval/speaker.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "gt/cpu.hpp"
#include "infer/support.hpp"

namespace speaker_test {

using gt::Cpu, gt::Error, gt::SamplerOptions, gt::Speaker;
using gt::test::Recital;
using Texts = std::vector<std::string>;

namespace {

constexpr SamplerOptions greedy{.temperature = 0};
constexpr auto never = [](std::string const&) { return false; };

}  // namespace

TEST_CASE("Speaker: continuations end after the tokens, at the end of text, and when told") {
  Recital const recital({"<s>", "a", "b", "c", "d", "</s>", "x"});
  Speaker speaker(Cpu<>{1}, recital.model(), recital.tokenizer(), greedy);
  CHECK(speaker("a", 2, 3, never) == Texts{"bc", "bc", "bc"});
  CHECK(speaker("a", 9, 1, never) == Texts{"bcd"});
  CHECK(speaker("x", 3, 1, never) == Texts{"ab"});  // "<s>" is drawn, and left out
  CHECK(speaker("a", 9, 2, [](std::string const& so_far) { return so_far == "bc"; }) == Texts{"bc", "bc"});
  CHECK(speaker.cut_prompts() == 0);
}

TEST_CASE("Speaker: a prompt keeps three quarters of the context at least, and then the context ends it") {
  Recital const recital({"a", "b", "c", "d"}, 8);
  Speaker speaker(Cpu<>{1}, recital.model(), recital.tokenizer(), greedy);
  CHECK(speaker("abcdabcd", 1, 1, never) == Texts{"a"});  // the last token is not fed
  CHECK(speaker("abcda", 100, 2, never) == Texts{"bcda", "bcda"});
  CHECK(speaker("abcdabc", 100, 1, never) == Texts{"da"});
  CHECK(speaker.cut_prompts() == 0);
  CHECK(speaker("abcdabcda", 100, 1, never) == Texts{"bc"});
  CHECK(speaker.cut_prompts() == 1);
  CHECK(speaker("abcdabcda", 1, 1, never) == Texts{"b"});
  CHECK(speaker.cut_prompts() == 2);
}

TEST_CASE("Speaker: bad input says what must hold") {
  Recital const recital({"a", "b"}), other({"a", "b", "c"});
  Speaker speaker(Cpu<>{1}, recital.model(), recital.tokenizer(), greedy);
  CHECK_THROWS_WITH_AS(speaker("a", 0, 1, never), "gt: Speaker: tokens and times must be positive (got 0 and 1)",
                       Error);
  CHECK_THROWS_WITH_AS(speaker("a", 1, 0, never), "gt: Speaker: tokens and times must be positive (got 1 and 0)",
                       Error);
  CHECK_THROWS_WITH_AS(speaker("", 1, 1, never), "gt: Session::feed: at least one token must be fed", Error);
  CHECK_THROWS_WITH_AS(Speaker(Cpu<>{1}, recital.model(), other.tokenizer(), greedy),
                       "gt: Speaker: the tokenizer must have as many tokens as the model (got 3 and 2)", Error);
}

}  // namespace speaker_test

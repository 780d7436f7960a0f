// SPDX-License-Identifier: MIT
// tools/eval/convert.py turns published forms into files that the library reads; skipped where there is no Python.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "gt/eval/jsonl.hpp"
#include "io/support.hpp"
#include "programs/support.hpp"

namespace convert_test {

using gt::Extractive, gt::MultipleChoice, gt::Translation;
using gt::test::Ended, gt::test::has, gt::test::Lines, gt::test::Program, gt::test::put, gt::test::TemporaryFolder;

namespace {

std::string const python = "/usr/bin/python3";
bool const no_python = !std::filesystem::exists(python);

Ended convert(Lines arguments) {
  auto const root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  arguments.insert(arguments.begin(), (root / "tools/eval/convert.py").string());
  return Program(python, arguments).wait();
}
template <class Record>
std::vector<Record> converted(Lines const& arguments) {
  auto const ended = convert(arguments);
  CAPTURE(ended.err);
  REQUIRE(ended.status == 0);
  return gt::parse_jsonl<Record>(ended.out, "convert.py");
}
void check_refused(Lines const& arguments, std::string_view part) {
  auto const ended = convert(arguments);
  CAPTURE(ended.err);
  CHECK(ended.status == 1);
  CHECK(ended.out.empty());
  CHECK(ended.err.starts_with("convert.py: "));
  CHECK(has(ended.err, part));
}

}  // namespace

TEST_CASE("convert.py: MMLU, as CSV with quotes and as JSON lines" * doctest::skip(no_python)) {
  TemporaryFolder const folder;
  put(folder / "anatomy_test.csv", "\"What is \"\"it\"\",\nthen?\",a,b,\"c, d\",e,C\nq2,1,2,3,4,A\n");
  put(folder / "world.jsonl", R"({"input": "é?", "A": "1", "B": "2", "C": "3", "D": "4", "target": "D"})");
  auto const read = converted<MultipleChoice>({"mmlu", folder / "anatomy_test.csv", folder / "world.jsonl"});
  REQUIRE(read.size() == 3);
  CHECK(read[0].question == "What is \"it\",\nthen?");
  CHECK(read[0].choices == Lines{"a", "b", "c, d", "e"});
  CHECK(read[0].answer == 2);
  CHECK(read[0].subject == "anatomy");
  CHECK(read[2].question == "é?");
  CHECK(read[2].answer == 3);
  CHECK(read[2].subject == "world");
  put(folder / "bad.csv", "q,1,2,3,4,A\nq,1,2\n");
  check_refused({"mmlu", folder / "bad.csv"}, "bad.csv', line 2, must have six columns");
  put(folder / "bad.csv", "q,1,2,3,4,E\n");
  check_refused({"mmlu", folder / "bad.csv"}, "must name its right option among A, B, C, D (got 'E')");
}

TEST_CASE("convert.py: ARC and CommonsenseQA, in both forms, with their own labels" * doctest::skip(no_python)) {
  TemporaryFolder const folder;
  put(folder / "a", R"({"id": "x", "question": {"stem": "Why?", "choices": [{"text": "p", "label": "1"},
)");
  check_refused({"arc", folder / "a"}, "a', line 1, must be valid JSON");
  put(folder / "a", R"({"question": {"stem": "Why?", "choices": [{"text": "p", "label": "1"}, )"
                    R"({"text": "q", "label": "2"}]}, "answerKey": "2"})"
                    "\n"
                    R"({"question": "How?", "choices": {"text": ["r", "s"], "label": ["A", "B"]}, "answerKey": "A"})");
  for (char const* format : {"arc", "commonsense_qa"}) {
    auto const read = converted<MultipleChoice>({format, folder / "a"});
    REQUIRE(read.size() == 2);
    CHECK(read[0].question == "Why?");
    CHECK(read[0].labels == Lines{"1", "2"});
    CHECK(read[0].answer == 1);
    CHECK(read[1].choices == Lines{"r", "s"});
    CHECK(read[1].labels == Lines{"A", "B"});
    CHECK(read[1].answer == 0);
  }
  put(folder / "b", R"({"question": "How?", "choices": {"text": ["r", "s"], "label": ["A"]}, "answerKey": "A"})");
  check_refused({"arc", folder / "a", folder / "b"}, "b', line 1, must have as many labels as choices");
  put(folder / "b", R"({"question": "How?", "choices": {"text": ["r", "s"], "label": ["A", "B"]}})");
  check_refused({"arc", folder / "b"}, "must have the key 'answerKey' with a string");
}

TEST_CASE("convert.py: SQuAD without the questions that have no answer" * doctest::skip(no_python)) {
  TemporaryFolder const folder;
  put(folder / "s", R"({"version": "v2.0", "data": [{"title": "t", "paragraphs": [{"context": "c d", "qas": [
    {"question": "q?", "answers": [{"text": "c"}, {"text": "c"}, {"text": "c d"}], "is_impossible": false},
    {"question": "r?", "answers": [], "is_impossible": true}]}]}]})");
  auto const read = converted<Extractive>({"squad", folder / "s"});
  REQUIRE(read.size() == 1);
  CHECK(read[0].context == "c d");
  CHECK(read[0].question == "q?");
  CHECK(read[0].answers == Lines{"c", "c d"});
  put(folder / "s", R"({"data": [{"paragraphs": [{"qas": []}]}]})");
  check_refused({"squad", folder / "s"}, "must have the key 'context' with a string");
}

TEST_CASE("convert.py: OPUS-100, two files of as many lines" * doctest::skip(no_python)) {
  TemporaryFolder const folder;
  put(folder / "en", "a b\n\nc\n");
  put(folder / "ru", "х у\n\nц\n");
  auto const read = converted<Translation>({"opus", folder / "en", folder / "ru", "English", "Russian"});
  REQUIRE(read.size() == 2);
  CHECK(read[0].source == "a b");
  CHECK(read[0].target == "х у");
  CHECK(read[1].from == "English");
  CHECK(read[1].to == "Russian");
  put(folder / "ru", "х у\n");
  check_refused({"opus", folder / "en", folder / "ru", "English", "Russian"}, "must have as many lines (got 3 and 1)");
  check_refused({"opus", folder / "en"}, "opus needs SOURCE TARGET FROM TO");
  check_refused({"opus", folder / "en", folder / "none", "English", "Russian"}, "none' must be a readable UTF-8 file");
  put(folder / "en", "\n");
  put(folder / "ru", "\n");
  check_refused({"opus", folder / "en", folder / "ru", "English", "Russian"}, "there must be at least one record");
}

}  // namespace convert_test

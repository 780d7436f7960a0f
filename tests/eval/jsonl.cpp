// SPDX-License-Identifier: MIT
// JSONL files are read whole or not at all, and what is wrong is named with its line.
#include "gt/eval/jsonl.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "io/support.hpp"

namespace jsonl_test {

using gt::Extractive, gt::MultipleChoice, gt::parse_jsonl, gt::Translation;
using gt::test::error_of;

namespace {

std::string choice_error(std::string const& text) {
  return error_of([&] { parse_jsonl<MultipleChoice>(text, "f"); });
}

}  // namespace

TEST_CASE("jsonl: multiple choice, with what is optional and without") {
  auto const read = parse_jsonl<MultipleChoice>(
      "{\"question\": \"2 + 2?\", \"choices\": [\"3\", \"4\"], \"answer\": 1}\r\n"
      "\n \t \n"
      "{\"question\":\"é\",\"choices\":[\"x\",\"y\",\"z\"],\"answer\":0,\"labels\":[\"1\",\"2\",\"3\"],"
      "\"subject\":\"s\",\"unknown\":{}}",
      "f");
  REQUIRE(read.size() == 2);
  CHECK(read[0].question == "2 + 2?");
  CHECK(read[0].choices == std::vector<std::string>{"3", "4"});
  CHECK(read[0].answer == 1);
  CHECK(read[0].labels == std::vector<std::string>{"A", "B"});
  CHECK(read[0].subject.empty());
  CHECK(read[1].question == "é");
  CHECK(read[1].labels == std::vector<std::string>{"1", "2", "3"});
  CHECK(read[1].subject == "s");
}

TEST_CASE("jsonl: extractive and translation, from a file") {
  gt::test::TemporaryFolder const folder;
  gt::test::put(folder / "e", "{\"context\": \"c\", \"question\": \"q\", \"answers\": [\"a\", \"b\"]}\n");
  auto const extractive = gt::read_jsonl<Extractive>(folder / "e");
  REQUIRE(extractive.size() == 1);
  CHECK(extractive[0].context == "c");
  CHECK(extractive[0].question == "q");
  CHECK(extractive[0].answers == std::vector<std::string>{"a", "b"});
  gt::test::put(folder / "t", "{\"source\": \"s\", \"target\": \"t\", \"from\": \"English\", \"to\": \"Russian\"}");
  auto const translation = gt::read_jsonl<Translation>(folder / "t");
  REQUIRE(translation.size() == 1);
  CHECK(translation[0].source == "s");
  CHECK(translation[0].target == "t");
  CHECK(translation[0].from == "English");
  CHECK(translation[0].to == "Russian");
  CHECK(error_of([&] { gt::read_jsonl<Translation>(folder / "none"); }).find("must be a readable file") !=
        std::string::npos);
  CHECK(error_of([&] { gt::read_jsonl<Translation>(folder / "e"); }) ==
        "gt: " + (folder / "e") + ", line 1: key 'source' must be present and a string");
}

TEST_CASE("jsonl: what is wrong is named with its line") {
  std::string const good = "{\"question\":\"q\",\"choices\":[\"x\",\"y\"],\"answer\":0}\n";
  CHECK(choice_error(good + "\n{\"question\":") ==
        "gt: f: text must be valid JSON (got the end of the text at line 3, column 13)");
  CHECK(choice_error("{,}") ==
        "gt: f: text must be valid JSON (got ',}' at line 1, column 2): missing a name for object member");
  CHECK(choice_error(good + good + "[1]") == "gt: f, line 3: must be a JSON object (got array)");
  CHECK(choice_error(good + "{\"question\":\"\xff\"}") == "gt: f, line 2: text must be UTF-8");
  CHECK(choice_error("{\"question\":\"\",\"choices\":[\"x\",\"y\"],\"answer\":0}") ==
        "gt: f, line 1: key 'question' must not be empty");
  CHECK(choice_error("{\"question\":7,\"choices\":[\"x\",\"y\"],\"answer\":0}") ==
        "gt: f, line 1: key 'question' must be a string (got 7)");
  CHECK(choice_error("{\"choices\":[\"x\",\"y\"],\"answer\":0}") ==
        "gt: f, line 1: key 'question' must be present and a string");
  CHECK(choice_error("{\"question\":\"q\",\"choices\":[\"x\"],\"answer\":0}") ==
        "gt: f, line 1: key 'choices' must have at least 2 entries (got 1)");
  CHECK(choice_error("{\"question\":\"q\",\"choices\":[\"x\",3],\"answer\":0}") ==
        "gt: f, line 1: key 'choices'[1] must be a string (got 3)");
  CHECK(choice_error("{\"question\":\"q\",\"choices\":[\"x\",\"\"],\"answer\":0}") ==
        "gt: f, line 1: key 'choices' must have no empty entry");
  CHECK(choice_error("{\"question\":\"q\",\"choices\":[\"x\",\"y\"],\"answer\":2}") ==
        "gt: f, line 1: key 'answer' must be the index of a choice, 0 ... 1 (got 2)");
  CHECK(gt::test::has(choice_error("{\"question\":\"q\",\"choices\":[\"x\",\"y\"],\"answer\":-1}"),
                      "gt: f, line 1: key 'answer' must be an integer from 0 to "));
  CHECK(gt::test::has(choice_error("{\"question\":\"q\",\"choices\":[\"x\",\"y\"],\"answer\":\"A\"}"),
                      "gt: f, line 1: key 'answer' must be an integer from 0 to "));
  CHECK(choice_error("{\"question\":\"q\",\"choices\":[\"x\",\"y\"],\"answer\":0,\"labels\":[\"1\",\"2\",\"3\"]}") ==
        "gt: f, line 1: there must be one label for each choice (got 3 for 2)");
  CHECK(choice_error("{\"question\":\"q\",\"choices\":[\"x\",\"y\"],\"answer\":0,\"subject\":1}") ==
        "gt: f, line 1: key 'subject' must be a string (got 1)");
  CHECK(choice_error("{\"question\":\"q\",\"question\":\"q\"}") ==
        "gt: f, line 1: key 'question' must appear once in its JSON object");
  std::string many = "{\"question\":\"q\",\"answer\":0,\"choices\":[\"x\"";
  for (int i = 0; i < 26; ++i) many += ",\"y\"";
  CHECK(choice_error(many + "]}") ==
        "gt: f, line 1: more than 26 choices must have labels (got 27 and no key 'labels')");
  CHECK(choice_error("") == "gt: read_jsonl: 'f' must have at least one line (got none)");
  CHECK(choice_error(" \n\n") == "gt: read_jsonl: 'f' must have at least one line (got none)");
  CHECK(error_of([] { parse_jsonl<Extractive>("{\"context\":\"c\",\"question\":\"q\",\"answers\":[]}", "f"); }) ==
        "gt: f, line 1: key 'answers' must have at least 1 entry (got 0)");
}

}  // namespace jsonl_test

// SPDX-License-Identifier: MIT
// eval from outside: tables and JSON lines that agree, texts, questions and translations, bad input as a sentence.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "gt/io/json.hpp"
#include "gt/io/text_file.hpp"
#include "gt/text/utf8.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"
#include "text/support.hpp"

namespace eval_test {

using gt::test::check_complaint, gt::test::check_sentence, gt::test::Ended, gt::test::has, gt::test::lines_of;
using gt::test::Lines, gt::test::Program, gt::test::put, gt::test::Run, gt::test::TemporaryFolder;

namespace {

Ended eval(Lines const& files, Lines more) {
  Lines all{"--model", Run::once().model};
  all.insert(all.end(), more.begin(), more.end());
  all.insert(all.end(), files.begin(), files.end());
  return Program("eval", all).wait();
}
Ended eval(Lines const& arguments) {
  Lines all{"--model", Run::once().model, "--threads", "1"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return Program("eval", all).wait();
}
std::vector<gt::Json> json_of(Ended const& ended) {
  REQUIRE(ended.status == 0);
  std::vector<gt::Json> rows;
  for (auto const& line : lines_of(ended.out)) rows.push_back(gt::parse_json(line, "eval"));
  return rows;
}

}  // namespace

TEST_CASE("eval: every text by itself and all together; the table says what the JSON says") {
  TemporaryFolder const folder;
  auto const a = folder / "a.txt", b = folder / "b.txt";
  put(a, gt::test::prose(300, 5));
  put(b, gt::test::prose(100, 6) + "\u00e9\u4e2d");
  auto const rows = json_of(eval({a, b}, {"--json"}));
  REQUIRE(rows.size() == 3);
  CHECK(rows[0]["file"] == a);
  CHECK(rows[0]["stride"] == 16);  // half of a context of 32
  double nats = 0, bytes = 0;
  for (int i = 0; i < 2; ++i) {
    auto const& row = rows[static_cast<std::size_t>(i)];
    nats += row["nats"].get<double>(), bytes += row["bytes"].get<double>();
    CHECK(row["bits_per_byte"].get<double>() ==
          doctest::Approx(row["nats"].get<double>() / std::log(2.0) / row["bytes"].get<double>()));
    CHECK(row["perplexity"].get<double>() ==
          doctest::Approx(std::exp(row["nats"].get<double>() / row["tokens"].get<double>())));
  }
  CHECK(rows[1]["bytes"] == gt::read_text_file(b).size());
  CHECK(rows[1]["characters"] == gt::utf8::length(gt::read_text_file(b)));
  CHECK(rows[1]["bytes"].get<int>() > rows[1]["characters"].get<int>());
  CHECK(rows[2]["nats"].get<double>() == doctest::Approx(nats));
  CHECK(rows[2]["bits_per_byte"].get<double>() == doctest::Approx(nats / std::log(2.0) / bytes));

  auto const table = eval({a, b}, {});
  CHECK(table.status == 0);
  auto const lines = lines_of(table.out);
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "windows of 32 tokens, 16 apart");
  char cell[32];
  std::snprintf(cell, sizeof cell, "%9.4f", rows[0]["bits_per_byte"].get<double>());
  CHECK(has(lines[2], cell));
  CHECK(lines[2].ends_with(a));
  CHECK(lines[4].ends_with("all together"));
  CHECK(has(table.err, "running on "));
  CHECK(eval({a, b}, {"--threads", "3", "--batch", "1"}).out == table.out);
  auto const closer = json_of(eval({a}, {"--json", "--stride", "1"}))[0];
  CHECK(closer["stride"] == 1);
  CHECK(closer["nats"] != rows[0]["nats"]);
}

/// Questions with two options, of two subjects; a question about a text; two translations.
struct Sets {
  Sets() {
    for (int i = 0; i < 6; ++i) {
      choices_text += gt::text("{\"question\": \"the ", i, "?\", \"choices\": [\"an\", \"thing\"], \"answer\": ", i % 2,
                               ", \"subject\": \"", i < 2 ? "first" : "second", "\"}\n");
    }
    put(choices, choices_text);
    put(answers,
        "{\"context\": \"c\", \"question\": \"q\", \"answers\": [\"e\"]}\n"
        "{\"context\": \"c\", \"question\": \"q\", \"answers\": [\"too long to be asked\"]}\n");
    put(translations,
        "{\"source\": \"the\", \"target\": \"\u4f60\u597d\", \"from\": \"English\", \"to\": \"Chinese\"}\n"
        "{\"source\": \"an\", \"target\": \"\u4e16\u754c\", \"from\": \"English\", \"to\": \"Chinese\"}\n");
  }
  TemporaryFolder folder;
  std::string choices_text, choices = folder / "choices.jsonl", answers = folder / "answers.jsonl",
                            translations = folder / "translations.jsonl";
};

TEST_CASE("eval: options are ranked, raw and by length, for all questions and each subject") {
  Sets const sets;
  auto const rows = json_of(eval({"--choices", sets.choices, "--json"}));
  REQUIRE(rows.size() == 1);
  auto const& row = rows[0];
  CHECK(row["file"] == sets.choices);
  CHECK(row["by"] == "text");
  CHECK(row["questions"] == 6);
  CHECK(row["chance"] == 0.5);
  CHECK(row["subjects"].size() == 2);
  CHECK(row["subjects"]["first"]["questions"] == 2);
  for (auto const* way : {"raw", "per_token", "per_byte"}) {
    double const accuracy = row[way]["accuracy"].get<double>();
    CHECK(accuracy == doctest::Approx(row[way]["right"].get<double>() / 6));
    CHECK(row[way]["low"].get<double>() <= accuracy);
    CHECK(row[way]["high"].get<double>() >= accuracy);
    CHECK(row[way]["right"] ==
          row["subjects"]["first"][way]["right"].get<int>() + row["subjects"]["second"][way]["right"].get<int>());
  }
  auto const table = eval({"--choices", sets.choices, "--subjects"});
  auto const lines = lines_of(table.out);
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "options ranked by the likelihood of their texts: percent right");
  char cells[32];
  std::snprintf(cells, sizeof cells, "  %6.2f  %6.2f", 100 * row["raw"]["accuracy"].get<double>(),
                100 * row["per_token"]["accuracy"].get<double>());
  CHECK(lines[2].starts_with(cells));
  CHECK(lines[2].ends_with(sets.choices));
  CHECK(lines[4].ends_with("  second"));
  CHECK(lines_of(eval({"--choices", sets.choices}).out) == Lines(lines.begin(), lines.begin() + 3));
  auto const labels = json_of(eval({"--choices", sets.choices, "--choices", sets.choices, "--by", "label", "--json"}));
  REQUIRE(labels.size() == 2);
  CHECK(labels[0]["by"] == "label");
  CHECK(labels[0] == labels[1]);
  CHECK(json_of(eval({"--choices", sets.choices, "--samples", "4", "--json"}))[0]["questions"] == 4);
}

TEST_CASE("eval: the paper's protocol, with runs that the seed repeats and outputs whose form is counted") {
  Sets const sets;
  Lines const asked{"--choices",  sets.choices, "--answers", sets.answers, "--translate", sets.translations,
                    "--protocol", "--runs",     "3",         "--json",     "--seed",      "5"};
  auto const rows = json_of(eval(asked));
  REQUIRE(rows.size() == 3);
  for (auto const& row : rows) {
    CHECK(row["protocol"] == true);
    REQUIRE(row["runs"].size() == 3);
    double sum = 0;
    for (auto const& run : row["runs"]) sum += run.get<double>();
    CHECK(row["mean"].get<double>() == doctest::Approx(sum / 3));
    CHECK(row["ci95"].get<double>() == doctest::Approx(1.96 * row["deviation"].get<double>() / std::sqrt(3.0)));
    CHECK(row["outputs"] == 3 * row["samples"].get<int>());
    CHECK(row["blank"].get<int>() + row["well_formed"].get<int>() <= row["outputs"].get<int>());
    CHECK(row["seed"] == 5);
  }
  CHECK(rows[0]["samples"] == 6);
  CHECK(rows[1]["samples"] == 1);  // the long answer is left out
  CHECK(rows[2]["samples"] == 2);
  CHECK(json_of(eval(asked)) == rows);
  CHECK(json_of(eval({"--answers", sets.answers, "--answer-characters", "0", "--json"}))[0]["samples"] == 2);
  auto const table = eval({"--choices", sets.choices, "--protocol", "--form", "arc", "--runs", "2"});
  auto const lines = lines_of(table.out);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "the paper's protocol, choices: 2 runs at temperature 1.00");
  CHECK(lines[2].ends_with(sets.choices));
}

TEST_CASE("eval: translations are scored as a corpus, Chinese by character") {
  Sets const sets;
  auto const rows = json_of(eval({"--translate", sets.translations, "--max-tokens", "8", "--json"}));
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["bleu_tokenizer"] == "zh");
  CHECK(rows[0]["sentences"] == 2);
  CHECK(rows[0]["translations"].size() == 2);
  for (auto const* score : {"bleu", "chrf", "chrf_plus_plus"}) {
    CHECK(rows[0][score].get<double>() >= 0);
    CHECK(rows[0][score].get<double>() <= 100);
  }
  auto const table = eval({"--translate", sets.translations, "--bleu-tokenizer", "char", "--max-tokens", "8"});
  auto const lines = lines_of(table.out);
  REQUIRE(lines.size() == 3);
  CHECK(has(lines[2], "    char  "));
  CHECK(lines[2].ends_with(sets.translations));
}

TEST_CASE("eval: what is wrong with a file of questions is one sentence, and is said before anything is measured") {
  Sets const sets;
  auto const bad = sets.folder / "bad.jsonl", text = sets.folder / "a.txt";
  put(text, gt::test::prose(50));
  put(bad, sets.choices_text + "{\"question\": \"q\", \"choices\": [\"a\", \"b\"]}\n");
  auto const ended = eval({text, "--choices", sets.choices, "--choices", bad});
  check_sentence(ended, "bad.jsonl, line 7: key 'answer' must be present and an integer");
  CHECK(ended.out.empty());
  check_sentence(eval({"--choices", sets.folder / "none"}), "none' must be a readable file");
  check_sentence(eval({"--translate", sets.choices}), "choices.jsonl, line 1: key 'source' must be present");
  check_sentence(eval({"--answers", sets.answers, "--answer-characters", "0", "--runs", "0"}),
                 "there must be at least one run (got 0)");
  put(bad, "{\"context\": \"c\", \"question\": \"q\", \"answers\": [\"123456789\"]}");
  check_sentence(eval({"--answers", bad}), "bad.jsonl' must have an answer of at most 8 characters (got none)");
  check_sentence(eval({"--choices", sets.choices, "--protocol", "--temperature", "-1"}),
                 "temperature must be 0 or more");
  check_complaint(eval({"--choices", sets.choices, "--by", "guess"}), "--by");
  check_complaint(eval({"--choices", sets.choices, "--form", "guess"}), "--form");
  check_complaint(eval({"--translate", sets.translations, "--bleu-tokenizer", "intl"}), "--bleu-tokenizer");
}

TEST_CASE("eval: what it cannot do is one sentence") {
  TemporaryFolder const folder;
  auto const text = folder / "a.txt";
  put(text, gt::test::prose(50));
  put(folder / "empty.txt", "");
  put(folder / "binary.txt", std::string("a\0b", 3));
  check_sentence(eval({folder / "none.txt"}, {}), "none.txt' must be a readable file");
  check_sentence(eval({folder / "empty.txt"}, {}), "empty.txt' must hold text (got 0 bytes)");
  check_sentence(eval({folder / "binary.txt"}, {}), "binary.txt' must be a text file");
  check_sentence(eval({text}, {"--stride", "33"}), "the stride must lie in 1 ... 32, the model's context (got 33)");
  check_sentence(eval({text}, {"--batch", "0"}), "the batch must be positive (got 0)");
  check_sentence(eval(Lines{}), "there must be something to measure: texts, --choices, --answers or --translate");
  check_sentence(Program("eval", {"--model", folder / "none", text}).wait(), "none/config.json' must be a readable");
}

}  // namespace eval_test

// SPDX-License-Identifier: MIT
// depth from outside: a table and JSON lines that agree, the same on a second run, bad input as a sentence.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "gt/io/json.hpp"
#include "gt/io/text_file.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"

namespace depth_test {

using gt::test::check_complaint, gt::test::check_sentence, gt::test::has, gt::test::lines_of, gt::test::Program;
using gt::test::TemporaryFolder;

namespace {

gt::test::Ended depth(std::vector<std::string> const& arguments) { return Program("depth", arguments).wait(); }
std::vector<gt::Json> rows_of(std::string const& path) {
  auto rows = gt::test::metrics_of(path);
  for (auto& row : rows) row.erase("seconds");
  return rows;
}

}  // namespace

TEST_CASE("depth: a row for every plan, stage and seed, in the table and as JSON; the same again") {
  TemporaryFolder const folder;
  std::string const json = folder / "a.jsonl", again = folder / "b.jsonl";
  std::vector<std::string> const options{"--depths", "1,2",       "--seeds", "2",       "--steps",
                                         "3",        "--samples", "20",      "--pairs", "3"};
  auto with = options;
  with.insert(with.end(), {"--json", json});
  auto const ended = depth(with);
  REQUIRE(ended.status == 0);
  auto const rows = rows_of(json);
  REQUIRE(rows.size() == 2 * 4);  // two seeds of 1, 2, and both stages of 1+1
  CHECK(rows[1]["plan"] == "2");
  CHECK(rows[3]["plan"] == "1+1");
  CHECK(rows[3]["stage"] == 2);
  CHECK(rows[3]["depth"] == 2);
  CHECK(rows[3]["steps"] == 6);
  CHECK(rows[7]["seed"] == 2);
  for (auto const& row : rows) {
    CHECK(row["task"] == "recall");
    CHECK(row["answers"] == 20 * 6);
    CHECK(row["chance"].get<double>() == doctest::Approx(1.0 / 3));
    CHECK((row["accuracy"].get<double>() >= 0 && row["accuracy"].get<double>() <= 1));
    CHECK(row["loss"].get<double>() > 0);
  }
  CHECK(has(ended.out, "a guess among what the context shows: 33.3 %; 12 tokens a sequence, 12 symbols"));
  char mean[16];
  std::snprintf(mean, sizeof mean, "%.1f %%",
                50 * (rows[0]["accuracy"].get<double>() + rows[4]["accuracy"].get<double>()));
  auto const lines = lines_of(ended.out);
  REQUIRE(lines.size() == 1 + 8 + 2 + 4);
  CHECK(has(lines[11], mean));

  with.back() = again;
  with.insert(with.end(), {"--threads", "2"});
  REQUIRE(depth(with).status == 0);
  CHECK(rows_of(again) == rows);
}

TEST_CASE("depth: passages, and plans by name") {
  TemporaryFolder const folder;
  auto const ended = depth({"--task", "passage", "--plans", "2,1+all", "--seeds", "1", "--steps", "2", "--samples",
                            "10", "--people", "2", "--json", folder / "a.jsonl"});
  REQUIRE(ended.status == 0);
  auto const rows = rows_of(folder / "a.jsonl");
  REQUIRE(rows.size() == 3);
  CHECK(rows[2]["plan"] == "1+all");
  CHECK(rows[2]["depth"] == 1);
  CHECK(rows[0]["answers"] == 10);
  CHECK(rows[0]["chance"] == 0.5);
}

TEST_CASE("depth: two blocks find what one cannot") {
  TemporaryFolder const folder;
  REQUIRE(depth({"--plans", "1,2", "--seeds", "1", "--steps", "700", "--pairs", "4", "--samples", "200", "--json",
                 folder / "a.jsonl"})
              .status == 0);
  auto const rows = rows_of(folder / "a.jsonl");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0]["accuracy"].get<double>() < 0.5);  // chance is a quarter
  CHECK(rows[1]["accuracy"].get<double>() > 0.9);
}

TEST_CASE("depth: what it cannot do is one sentence, before anything is trained") {
  TemporaryFolder const folder;
  check_sentence(depth({"--depths", "0"}), "--depths must lie in 1 ... 16 (got 0)");
  check_sentence(depth({"--plans", "2,x"}), "a plan must be stages joined by '+'");
  check_sentence(depth({"--seeds", "0"}), "must be positive");
  check_sentence(depth({"--lr", "2"}), "--lr must lie between 0 and 1");
  check_sentence(depth({"--pairs", "0"}), "--pairs must lie in 1 ... 1024 (got 0)");
  check_sentence(depth({"--task", "passage", "--people", "17"}), "people must lie in 1 ... 16 (got 17)");
  check_sentence(depth({"--json", folder / "none/a.jsonl"}), "none/");
  check_complaint(depth({"--task", "chess"}), "chess");
  check_complaint(depth({"--depths", "1", "--plans", "1"}), "excludes");
}

}  // namespace depth_test

// SPDX-License-Identifier: MIT
// study from outside: it measures, reports, goes on where it stopped, and refuses what does not fit.
#include <doctest/doctest.h>

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "gt/io/text_file.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"
#include "report/xml.hpp"

namespace study_test {

using gt::read_text_file;
using gt::test::check_complaint, gt::test::check_sentence, gt::test::Ended, gt::test::eventually, gt::test::has;
using gt::test::Lines, gt::test::lines_of, gt::test::Place, gt::test::Program, gt::test::prose, gt::test::put;

namespace {

/// What a study of two languages is asked for.
Lines asked(Place const& place, Lines more) {
  Lines all{"--corpus", place / "corpus.txt", "--font", place / "font.hex", "--out", place / "study",
            "--quick",  "--threads",          "1"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}
/// A font of 26 letters, each a picture of its own.
struct WithFont : Place {
  WithFont() {
    std::string font;
    for (int c = 'a'; c <= 'z'; ++c) {
      char line[64];
      std::snprintf(line, sizeof line, "%04X:00000000%08X%08X00000000\n", c, c * 2654435761U, c * 40503U);
      font += line;
    }
    put(*this / "font.hex", font);
  }
};
std::vector<gt::Json> results_of(Place const& place) { return gt::test::metrics_of(place / "study/results.jsonl"); }

}  // namespace

TEST_CASE("study: a group of measurements, its report, and nothing to do the second time") {
  WithFont const place;
  auto const first = Program("study", asked(place, {"--only", "recode,merge"})).wait();
  CAPTURE(first.err);
  REQUIRE(first.status == 0);
  auto const rows = results_of(place);
  REQUIRE(rows.size() == 4);  // the settings, two seeds, the merge
  CHECK(rows[0].contains("settings"));
  CHECK(rows[1]["job"] == "recode/affine/1");
  CHECK(rows[1]["stages"].size() == 3);
  CHECK(rows[1]["frozen_kept"] == true);
  CHECK(rows[1]["bits"].get<double>() < rows[1]["stages"][0]["before"].get<double>());
  CHECK(rows[3]["largest_difference"].get<double>() < 1e-4);
  CHECK(has(first.out, "Merging adapters changes no logit (claim 12)"));
  CHECK(gt::test::Xml(read_text_file(place / "study/report.html")).error().empty());

  auto const bytes = read_text_file(place / "study/results.jsonl");
  auto const again = Program("study", asked(place, {"--only", "recode,merge"})).wait();
  CHECK(again.status == 0);
  CHECK(has(again.err, "3 measurements, of which 3 are there already"));
  CHECK(read_text_file(place / "study/results.jsonl") == bytes);

  put(place / "study/results.jsonl", bytes.substr(0, bytes.size() - 9));  // cut off in its last line
  CHECK(Program("study", asked(place, {"--only", "recode,merge"})).wait().status == 0);
  CHECK(results_of(place).size() == 4);
}

TEST_CASE("study: stopped by Ctrl-C it keeps what it has, and goes on from there") {
  WithFont const place;
  Program stopped("study", asked(place, {"--only", "recode"}));
  REQUIRE(eventually([&] {
    return (std::filesystem::exists(place / "study/results.jsonl") && results_of(place).size() == 2) ||
           !stopped.running();
  }));
  stopped.signal(SIGINT);
  auto const ended = stopped.wait();
  if (ended.status != 0) {  // else it was done before the signal came
    CHECK(ended.status == 130);
    CHECK(has(ended.err, "goes on from here"));
  }
  CHECK(Program("study", asked(place, {"--only", "recode"})).wait().status == 0);
  CHECK(results_of(place).size() == 3);
}

TEST_CASE("study: experts of two languages are merged") {
  WithFont const place;
  put(place / "one.txt", prose(3000, 7)), put(place / "two.txt", prose(3000, 8));
  auto const ended = Program("study", asked(place, {"--only", "compose", "--language", "one=" + (place / "one.txt"),
                                                    "--language", "two=" + (place / "two.txt")}))
                         .wait();
  CAPTURE(ended.err);
  REQUIRE(ended.status == 0);
  auto const rows = results_of(place);
  REQUIRE(rows.size() == 5);
  CHECK(rows[1]["tables"] == 1);  // pictures: one for both
  CHECK(rows[2]["tables"] == 2);  // learned apart
  for (std::size_t i = 1; i < 5; ++i) CHECK(rows[i]["worst_excess"].get<double>() < 1e-4);
}

TEST_CASE("study: what cannot be studied is one sentence") {
  WithFont const place;
  auto const refused = [&](Lines const& more, char const* says) {
    check_sentence(Program("study", asked(place, more)).wait(), says);
  };
  refused({"--only", "nothing"}, "--only must name groups that there are");
  refused({"--only", "compose"}, "--only must name groups that there are");
  refused({"--language", "en"}, "--language must be NAME=FILE (got 'en')");
  refused({"--language", "en=" + (place / "none.txt")}, "at least two languages");
  check_complaint(Program("study", {"--quick", "--hours", "2", "--corpus", "x"}).wait(), "excludes");
  std::filesystem::create_directories(place / "study");
  put(place / "study/results.jsonl", "{\"settings\":{}}\n");
  refused({"--only", "merge"}, "must be of the same settings");
  put(place / "study/results.jsonl", "no json\n");
  refused({"--only", "merge"}, "line 1");
  put(place / "corpus.txt", "short");
  refused({"--only", "merge", "--overwrite"}, "must hold one window");
}

}  // namespace study_test

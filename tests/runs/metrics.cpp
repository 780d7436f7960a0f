// SPDX-License-Identifier: MIT
// metrics.jsonl: whole lines with the promised keys, and an error when they cannot be kept.
#include "gt/runs/metrics.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gt/io/json.hpp"
#include "gt/io/text_file.hpp"
#include "report/support.hpp"

namespace metrics_test {

using gt::MetricsLog, gt::StepDone;
using gt::test::error_of, gt::test::has, gt::test::tiny_run, gt::test::TemporaryFolder;

namespace {

std::vector<gt::Json> lines_of(std::string const& path) {
  std::string const all = gt::read_text_file(path);
  std::vector<gt::Json> lines;
  for (std::size_t at = 0; at < all.size();) {
    auto const end = all.find('\n', at);
    REQUIRE(end != std::string::npos);  // only whole lines
    lines.push_back(gt::parse_json(all.substr(at, end - at), "a line of metrics"));
    at = end + 1;
  }
  return lines;
}

/// Keeps the logged steps as they were told, and looks at the file after each.
struct Witness : gt::GrowthObserver {
  explicit Witness(std::string p) : path{std::move(p)} {}
  void step_done(StepDone const& s) override {
    if (s.logged) steps.push_back(s);
    CHECK(lines_of(path).size() == steps.size());  // flushed: a run that is cut off here keeps them
  }
  std::string path;
  std::vector<StepDone> steps;
};

}  // namespace

TEST_CASE("MetricsLog: one line a logged step, with exactly the promised keys, flushed at once") {
  TemporaryFolder const folder;
  auto const path = folder / "metrics.jsonl";
  MetricsLog log(path);
  Witness witness(path);
  tiny_run(log, witness);

  auto const lines = lines_of(path);
  REQUIRE(lines.size() == witness.steps.size());
  REQUIRE(lines.size() > 8);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(i);
    auto const& line = lines[i];
    auto const& step = witness.steps[i];
    REQUIRE(line.is_object());
    std::set<std::string> keys;
    for (auto const& [key, value] : line.items()) keys.insert(key);
    CHECK(keys == std::set<std::string>{"stage", "step", "tokens", "loss", "gradient_norm", "val_bits_per_byte",
                                        "evaluated", "seconds", "tokens_per_second", "lr", "depth",
                                        "active_parameters"});
    for (char const* key : {"stage", "step", "tokens", "depth", "active_parameters"}) {
      CAPTURE(key);
      CHECK(line[key].is_number_integer());
    }
    for (char const* key : {"loss", "gradient_norm", "tokens_per_second", "lr"}) {
      CAPTURE(key);
      CHECK(line[key].is_number_float());
    }
    CHECK(line["stage"] == step.stage + 1);
    CHECK(line["step"] == step.step);
    CHECK(line["tokens"] == step.tokens);
    CHECK(line["loss"] == step.loss);  // every digit of it
    CHECK(line["gradient_norm"] == step.gradient_norm);
    CHECK(line["seconds"] == step.run_seconds);
    CHECK(line["tokens_per_second"] == step.tokens_per_second);
    CHECK(line["lr"] == step.lr);
    CHECK(line["depth"] == step.depth);
    CHECK(line["active_parameters"] == step.active_parameters);
    if (step.bits_per_byte > 0) {
      CHECK(line["val_bits_per_byte"] == step.bits_per_byte);
    } else {
      CHECK(line["val_bits_per_byte"].is_null());
    }
  }
  CHECK(lines.front()["val_bits_per_byte"].is_null());
  CHECK(lines.front()["stage"] == 1);
  CHECK(lines.back()["val_bits_per_byte"].is_number_float());
  CHECK(lines.back()["stage"] == 2);
}

TEST_CASE("MetricsLog: what is not to be logged is not, and what is no number is null") {
  TemporaryFolder const folder;
  auto const path = folder / "metrics.jsonl";
  MetricsLog log(path);
  log.step_done({.step = 1, .loss = 2});
  CHECK(lines_of(path).empty());
  log.step_done({.step = 2, .loss = std::numeric_limits<double>::quiet_NaN(), .logged = true});
  auto const lines = lines_of(path);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["loss"].is_null());
  CHECK(lines[0]["step"] == 2);
}

TEST_CASE("MetricsLog: a step is these bytes, and is read as it was told, also from lines without what is younger") {
  TemporaryFolder const folder;
  auto const path = folder / "metrics.jsonl";
  StepDone told{.stage = 1, .step = 3, .tokens = 48, .loss = 2.5, .gradient_norm = 0.5, .bits_per_byte = 2.25};
  told.evaluated = told.logged = true, told.lr = 0.25, told.run_seconds = 4.5, told.tokens_per_second = 1000.5;
  told.depth = 4, told.active_parameters = 100;
  MetricsLog(path).step_done(told);
  std::string const line =
      R"({"stage":2,"step":3,"tokens":48,"loss":2.5,"gradient_norm":0.5,"val_bits_per_byte":2.25,"evaluated":true,)"
      R"("seconds":4.5,"tokens_per_second":1000.5,"lr":0.25,"depth":4,"active_parameters":100})"
      "\n";
  CHECK(gt::read_text_file(path) == line);
  MetricsLog(folder / "again").step_done(MetricsLog::read(path).at(0));
  CHECK(gt::read_text_file(folder / "again") == line);
  auto older = line;
  older.erase(older.find("\"gradient_norm\""), std::string("\"gradient_norm\":0.5,").size());
  gt::test::put(path, older);
  CHECK(MetricsLog::read(path).at(0).gradient_norm == 0);
}

TEST_CASE("MetricsLog: a file that cannot be opened, and a disk that fills up, are errors with the file's name") {
  TemporaryFolder const folder;
  auto const missing = folder / "no/metrics.jsonl";
  CHECK(error_of([&] { MetricsLog log(missing); }) ==
        "gt: MetricsLog: '" + missing + "' must be writable (got: No such file or directory)");
  if (std::FILE* const full = std::fopen("/dev/full", "w")) {  // Linux
    std::fclose(full);
    CHECK(error_of([] {
            MetricsLog log("/dev/full");
            log.step_done({.step = 1});  // not logged
            log.step_done({.step = 2, .logged = true});
          }) == "gt: MetricsLog: '/dev/full' must take another line (got: No space left on device)");
    CHECK(has(error_of([] {
                MetricsLog log("/dev/full");
                tiny_run(log);
              }),
              "must take another line"));
  } else {
    MESSAGE("skipped: needs /dev/full");
  }
}

}  // namespace metrics_test

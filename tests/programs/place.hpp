// SPDX-License-Identifier: MIT
// A corpus, a small run on it, and what the tests of the programs ask of what they say.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "gt/io/json.hpp"
#include "gt/io/text_file.hpp"
#include "io/support.hpp"
#include "programs/support.hpp"
#include "text/support.hpp"

namespace gt::test {

/// A corpus, and a run on it that takes a second.
struct Place {
  Place() { put(folder / "corpus.txt", prose(5000)); }
  std::string operator/(std::string_view name) const { return folder / name; }
  Options options(std::string_view out) const {
    return {{"--corpus", folder / "corpus.txt"},
            {"--out", folder / out},
            {"--width", "64"},
            {"--heads", "2"},
            {"--plan", "1+1+1"},
            {"--vocab", "400"},
            {"--context", "32"},
            {"--batch", "4"},
            {"--tokens", "6000"},
            {"--substrate", "binary"},
            {"--threads", "1"}};
  }
  TemporaryFolder folder;
};

/// The folder of a finished run, made once.
struct Run {
  Place place;
  std::string model;
  static Run const& once() {
    static Run const made;
    return made;
  }

 private:
  Run() : model{place / "run/model"} { REQUIRE(run("grow", place.options("run")).status == 0); }
};
inline Options saying(std::string const& model, Options const& more = {}) {
  return with({{"--model", model}, {"--prompt", "The"}, {"--max-tokens", "40"}, {"--threads", "1"}}, more);
}
/// A copy of the model, to be spoiled.
inline std::string copied_model(TemporaryFolder const& folder) {
  std::filesystem::copy(Run::once().model, folder / "model");
  return folder / "model";
}

/// Exactly one line of complaint, which says `part`; no crash, and not one that passes for success.
inline void check_complaint(Ended const& ended, std::string_view part) {
  CAPTURE(ended.err);
  CHECK(ended.signal == 0);
  CHECK(ended.status > 0);
  CHECK(ended.status < 128);
  auto lines = lines_of(ended.err);
  if (lines.size() == 2 && lines[1] == "Run with --help for more information.") lines.pop_back();  // CLI11's
  std::erase_if(
      lines, [](auto const& line) { return line.starts_with("warning: built ") || line.starts_with("running on "); });
  REQUIRE(lines.size() == 1);
  CHECK(has(lines[0], part));
}
/// The same of the library, whose sentences have a form.
inline void check_sentence(Ended const& ended, std::string_view part) {
  check_complaint(ended, part);
  CHECK(has("\n" + ended.err, "\ngt: "));
}

inline std::vector<Json> metrics_of(std::string const& path) {
  std::string const all = read_text_file(path);
  CHECK((all.empty() || all.back() == '\n'));
  std::vector<Json> rows;
  for (auto const& line : lines_of(all)) rows.push_back(parse_json(line, path));
  return rows;
}
/// Whether the run in `out` has logged `row`.
inline bool has_logged(std::string const& out, std::string_view row) {
  std::string const metrics = out + "/metrics.jsonl";
  return std::filesystem::exists(metrics) && has(read_text_file(metrics), row);
}
/// Starts grow and sends it `signal` once it has logged `row`.
inline Ended signalled(Options const& options, std::string_view row, int signal) {
  Program growing("grow", arguments(options));
  REQUIRE(eventually([&] { return has_logged(options.at("--out"), row) || !growing.running(); }));
  CAPTURE(read_text_file(growing.err()));
  REQUIRE(growing.running());
  growing.signal(signal);
  return growing.wait();
}
/// The same without what differs between two runs of the same.
inline std::vector<Json> steps_of(std::string const& path) {
  auto rows = metrics_of(path);
  for (auto& row : rows) row.erase("tokens_per_second"), row.erase("seconds");
  return rows;
}

}  // namespace gt::test

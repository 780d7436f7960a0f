// SPDX-License-Identifier: MIT
// Output that is not taken is told by every command; mistakes in inputs come before an hour of work.
#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <string>

#include "gt/io/text_file.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"

namespace output_test {

using gt::read_text_file;
using gt::test::arguments, gt::test::check_sentence, gt::test::Ended, gt::test::eventually, gt::test::has;
using gt::test::Lines, gt::test::Options, gt::test::Place, gt::test::Program, gt::test::put, gt::test::Run;
using gt::test::run, gt::test::saying, gt::test::with;

namespace {

/// A command whose output goes to a device that is full.
Ended to_full(Lines arguments) {
  Lines all{"-c", "exec \"$@\" > /dev/full", "sh", GT_PROGRAM};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return Program("/bin/sh", all).wait();
}

}  // namespace

TEST_CASE("every command tells that its output was not taken, and returns 1") {
  if (!std::filesystem::exists("/dev/full")) return;  // Linux
  Place const place;
  auto const& model = Run::once().model;
  put(place / "text.txt", "some text to measure");
  auto grown = arguments(with(place.options("run"), {{"--plan", "1"}, {"--tokens", "400"}}));
  grown.insert(grown.begin(), "grow");
  Lines const commands[] = {
      grown,
      {"generate", "--model", model, "--prompt", "a", "--max-tokens", "3"},
      {"eval", "--model", model, place / "text.txt"},
      {"merge", model, place / "run/model", "--any-substrate", "--prompt", "a", "--max-tokens", "3"},
      {"plan", "--plan", "1", "--width", "32", "--heads", "2"},
      {"plan", "--list"},
      {"depth", "--depths", "1", "--steps", "1", "--seeds", "1", "--samples", "2"},
      {"embed", model, "--out", place / "m.hpp"},
      {"export", model, "--gguf", place / "m.gguf"},
      {"import", model, "--out", place / "imported"},
      {"help"},
      {"--version"},
      {"needs", "study"},
      {"grow", "--help"},
      {"help", "eval"}};
  for (auto const& command : commands) {
    CAPTURE(command[0]);
    auto const ended = to_full(command);
    CAPTURE(ended.err);
    CHECK(ended.status == 1);
    CHECK(has(ended.err, "the output must take all of the results (a full disk?)"));
  }
  CHECK(std::filesystem::exists(place / "run/model/config.json"));  // its work is not lost
  CHECK(std::filesystem::exists(place / "m.gguf"));
}

TEST_CASE("eval: all that is wrong with its inputs is found before anything is measured") {
  Place const place;
  auto const good = place / "a.txt";
  put(good, gt::test::prose(200));
  put(place / "empty.txt", "");
  put(place / "binary.txt", std::string("a\0b", 3));
  put(place / "wide.jsonl", R"({"question": "q", "choices": ["x", "y"], "labels": ["AA", "B"], "answer": 0})"
                            "\n");
  Lines const begin{"--model", Run::once().model, "--threads", "1", good};
  auto const refused = [&](Lines const& more, std::string const& says) {
    Lines all = begin;
    all.insert(all.end(), more.begin(), more.end());
    auto const ended = Program("eval", all).wait();
    check_sentence(ended, says);
    CHECK(ended.out.empty());
  };
  refused({place / "none.txt"}, "none.txt' must be a readable file");
  refused({place / "empty.txt"}, "empty.txt' must hold text");
  refused({place / "binary.txt"}, "binary.txt' must be a text file");
  refused({"--choices", place / "none.jsonl"}, "none.jsonl' must be a readable file");
  refused({"--choices", place / "wide.jsonl", "--protocol"}, "wide.jsonl' must have labels of one character");
  refused({"--stride", "33"}, "the stride must lie in 1 ... 32, the model's context (got 33)");
  refused({"--batch", "65537"}, "--batch must lie in 1 ... 65536 (got 65537)");
  refused({"--protocol", "--runs", "0"}, "there must be at least one run (got 0)");
}

TEST_CASE("grow: a font or a tokenizer that cannot be read is found before the text is") {
  Place const place;
  auto const unread = with(place.options("run"), {{"--corpus", place / "none.txt"}});
  put(place / "bad.json", "{}");
  auto with_tokenizer = with(unread, {{"--tokenizer", place / "bad.json"}});
  with_tokenizer.erase("--vocab");
  check_sentence(run("grow", with_tokenizer), "bad.json'");
  check_sentence(run("grow", with(unread, {{"--substrate", "glyph"}, {"--font", place / "none.ttf"}})), "none.ttf'");
}

TEST_CASE("grow: --held-out-tokens and --tokens take 5k; the report says what was looked at") {
  Place const place;
  auto const few = with(place.options("few"), {{"--plan", "1"}, {"--tokens", "0.4k"}, {"--held-out-tokens", "0.1k"}});
  auto const ended = run("grow", few);
  REQUIRE(ended.status == 0);
  CHECK(has(ended.out, "held-out text: 100 of "));
  CHECK(has(read_text_file(place / "few/run.json"), "\"tokens\": 400"));
  CHECK(has(read_text_file(place / "few/report.html"), "100 of its "));
  CHECK(has(read_text_file(place / "few/report.html"), "--held-out-tokens 0.1k"));
  CHECK(std::filesystem::exists(place / "few/gradient_norm.svg"));
  auto const all = run("grow", with(few, {{"--out", place / "all"}, {"--held-out-tokens", "all"}}));
  CHECK(has(all.out, "held-out text: all "));
  CHECK(read_text_file(place / "all/model/model.safetensors") == read_text_file(place / "few/model/model.safetensors"));
}

TEST_CASE("grow: Ctrl-C in the first look ends it, and the run goes on from its beginning") {
  Place const place;
  put(place / "corpus.txt", gt::test::prose(120'000));
  Options const options =
      with(place.options("run"),
           {{"--width", "256"}, {"--heads", "4"}, {"--plan", "6"}, {"--tokens", "400"}, {"--held-out-tokens", "all"}});
  Program growing("grow", arguments(options));
  auto const begun = [&] { return std::filesystem::exists(place / "run/metrics.jsonl") || !growing.running(); };
  REQUIRE(eventually(begun));
  growing.interrupt();
  auto const ended = growing.wait();
  CHECK(ended.status == 130);
  CHECK(has(ended.out, "stopped in stage 1 before its first step"));
  CHECK(read_text_file(place / "run/metrics.jsonl").empty());
  CHECK(!std::filesystem::exists(place / "run/model/config.json"));
  Program again("grow", {"--resume", place / "run", "--threads", "1"});
  REQUIRE(eventually([&] { return has(read_text_file(again.out()), "going on in stage 1 of 1 after step 0"); }));
}

TEST_CASE("generate: a model that was the best of few looks says so") {
  Place const place;
  REQUIRE(run("grow", with(place.options("run"), {{"--plan", "1"}, {"--keep-best", ""}})).status == 0);
  auto const said = run("generate", saying(place / "run/best"));
  CHECK(said.status == 0);
  CHECK(has(said.err, "is the best of 1 look at held-out text only, that of stage 1 after step "));
  CHECK(!has(run("generate", saying(place / "run/model")).err, "look"));
}

}  // namespace output_test

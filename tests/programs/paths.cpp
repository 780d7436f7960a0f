// SPDX-License-Identifier: MIT
// Files with any name and in any place: kept, quoted, read back; what is there is not lost to what cannot be.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gt/io/json.hpp"
#include "gt/io/json_path.hpp"
#include "gt/io/text_file.hpp"
#include "gt/text/utf8.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"

// g++ says it by a macro, clang by a feature.
#if defined(__has_feature)
  #define GT_TEST_ASAN __has_feature(address_sanitizer)
#else
  #define GT_TEST_ASAN 0
#endif

namespace paths_test {

using gt::read_text_file;
using gt::test::arguments, gt::test::check_sentence, gt::test::Ended, gt::test::has, gt::test::Lines;
using gt::test::lines_of, gt::test::Options, gt::test::Place, gt::test::Program, gt::test::put, gt::test::Run;
using gt::test::run, gt::test::saying, gt::test::signalled, gt::test::unfinished_files, gt::test::with,
    gt::test::without;

namespace {

/// What a shell makes of a line.
Ended shell(std::string const& line) { return Program("/bin/bash", {"-c", line}).wait(); }
/// The rest of the line of `out` that begins so.
std::string behind(std::string const& out, std::string const& beginning) {
  for (auto const& line : lines_of(out)) {
    if (line.starts_with(beginning)) return line.substr(beginning.size());
  }
  return {};
}
Options small(Place const& place, std::string const& out) {
  return with(place.options(out), {{"--plan", "1"}, {"--tokens", "400"}});
}
Options long_run(Place const& place, std::string const& out) {
  return with(place.options(out), {{"--plan", "1+1"}, {"--tokens", "120000"}});
}
/// All files of a folder with what they hold.
std::map<std::string, std::string> contents(std::string const& folder) {
  std::map<std::string, std::string> all;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().filename() != ".gt.lock")
      all[entry.path().string()] = read_text_file(entry.path().string());
  }
  return all;
}

}  // namespace

TEST_CASE("grow: a text whose name is no UTF-8 replaces a run, which names it and goes on with it") {
  Place const place;
  REQUIRE(run("grow", small(place, "run")).status == 0);
  std::string const name = place / "caf\xE9 'x'.txt";
  std::filesystem::copy_file(place / "corpus.txt", name);
  auto const replacing = with(long_run(place, "run"), {{"--corpus", name}, {"--overwrite", ""}});
  auto const stopped = signalled(replacing, "{\"stage\":1,\"step\":40,", SIGINT);
  REQUIRE(stopped.status == 130);
  auto const json = gt::parse_json(read_text_file(place / "run/run.json"), "run.json");
  CHECK(gt::path_of_json(json["arguments"]["corpus"][0], "run.json") == name);
  auto const html = read_text_file(place / "run/report.html");
  CHECK(gt::utf8::is_valid(html));
  CHECK(has(html, "caf\\351 \\"));  // as $'...' has it
  CHECK(shell(behind(stopped.out, "go on: ")).status == 0);
  REQUIRE(run("grow", long_run(place, "plain")).status == 0);
  CHECK(read_text_file(place / "run/model/model.safetensors") ==
        read_text_file(place / "plain/model/model.safetensors"));
}

TEST_CASE("grow: what it prints can be typed, whatever folders are called") {
  Place const place;
  std::string const out = "my runs/a 'b' $(c); d";
  auto const stopped = signalled(long_run(place, out), "{\"stage\":1,\"step\":40,", SIGINT);
  REQUIRE(stopped.status == 130);
  auto const done = shell(behind(stopped.out, "go on: "));
  CHECK(done.status == 0);
  auto const said = shell(behind(done.out, "talk to it: "));
  CHECK(said.status == 0);
  CHECK(said.out.starts_with("..."));
}

TEST_CASE("grow: --overwrite loses nothing where the new run cannot be written") {
  Place const place;
  REQUIRE(run("grow", small(place, "run")).status == 0);
  auto const again = with(small(place, "run"), {{"--overwrite", ""}});
  auto const refused = [&](std::string const& says) {
    auto const before = contents(place / "run");
    check_sentence(run("grow", again), says);
    CHECK(contents(place / "run") == before);
  };
  std::filesystem::create_directory(place / "run/gradient_norm.svg.old");
  std::filesystem::remove(place / "run/metrics.jsonl");
  std::filesystem::create_directory(place / "run/metrics.jsonl");
  refused("metrics.jsonl' must be a regular file, or not be there");
  std::filesystem::remove(place / "run/metrics.jsonl");
  put(place / "run/best", "mine");
  refused("run/best' must be a folder, or not be there");
  std::filesystem::remove(place / "run/best");
  // No file may grow beyond 8 blocks: the first checkpoint does not fit.
  auto const before = contents(place / "run");
  auto all = arguments(again);
  Lines limited{"-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "sh", GT_PROGRAM, "grow"};
  limited.insert(limited.end(), all.begin(), all.end());
  auto const full = Program("/bin/bash", limited).wait();
  CHECK(full.status == 1);
  CHECK(has(full.err, "(got: File too large)"));
  CHECK(contents(place / "run") == before);
  CHECK(unfinished_files(place / "run").empty());
  CHECK(run("grow", again).status == 0);
}

TEST_CASE(
    "grow: a run goes on in another folder, with a tokenizer that was named from here, and a text that has moved") {
  Place const place;
  std::filesystem::copy_file(Run::once().model + "/tokenizer.json", place / "tok.json");
  auto options = without(long_run(place, "run"), "--vocab");
  for (char const* name : {"--corpus", "--out"}) options.erase(name);
  auto line = "cd '" + place.folder.path() +
              "' && timeout -s INT 1 " GT_PROGRAM " grow --corpus corpus.txt --out run --tokenizer tok.json";
  for (auto const& word : arguments(with(options, {{"--tokens", "6000000"}}))) line += " '" + word + "'";
  auto const stopped = shell(line);
  REQUIRE(std::filesystem::exists(place / "run/run.json"));
  std::string const go_on =
      "cd / && timeout -s INT 1 " GT_PROGRAM " grow --threads 1 --resume '" + (place / "run") + "'";
  CHECK(has(shell(go_on).out, "going on in stage 1 of 2"));

  std::filesystem::create_directory(place / "new");
  std::filesystem::rename(place / "corpus.txt", place / "new/text.txt");
  check_sentence(shell(go_on),
                 "corpus.txt' must be where it was when the run began; if it has moved, name it: --corpus");
  auto const moved = go_on + " --corpus '" + (place / "new/text.txt") + "'";
  CHECK(has(shell(moved).out, "going on in stage 1 of 2"));
  CHECK(has(shell(go_on).out, "going on in stage 1 of 2"));  // it was noted
  std::filesystem::rename(place / "tok.json", place / "new/tok.json");
  check_sentence(shell(go_on),
                 "tok.json' must be where it was when the run began; if it has moved, name it: --tokenizer");
  CHECK(has(shell(go_on + " --tokenizer '" + (place / "new/tok.json") + "'").out, "going on in stage 1 of 2"));

  put(place / "other.txt", gt::test::prose(5000, 3));
  check_sentence(shell(go_on + " --corpus '" + (place / "other.txt") + "'"),
                 "the text of --corpus must be what it was when the run began (got '" + (place / "other.txt") + "')");
  REQUIRE(run("grow", with(place.options("b"), {{"--corpus", place / "new/text.txt"}, {"--vocab", "500"}})).status ==
          0);
  check_sentence(
      shell(go_on + " --tokenizer '" + (place / "b/model/tokenizer.json") + "'"),
      "the tokenizer must be what it was when the run began (got '" + (place / "b/model/tokenizer.json") + "')");
}

TEST_CASE("eval: a text whose name is no UTF-8 is measured, and JSON has the bytes of its name") {
  Place const place;
  std::string const name = place / "caf\xE9.txt";
  put(name, gt::test::prose(100));
  auto const done = Program("eval", {"--model", Run::once().model, "--json", "--threads", "1", name}).wait();
  REQUIRE(done.status == 0);
  CHECK(gt::path_of_json(gt::parse_json(done.out, "eval")["file"], "eval") == name);
}

TEST_CASE(
    "grow and eval: a pipe to which nothing is written can be left, one is read once, and what has no end is refused") {
  Place const place;
  std::string const pipe = place / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::string const model = Run::once().model;
  Lines const growing = arguments(with(place.options("run"), {{"--corpus", pipe}}));
  for (auto const& [command, arguments] :
       std::map<std::string, Lines>{{"grow", growing}, {"eval", {"--model", model, pipe}}}) {
    for (int const signal : {SIGINT, SIGTERM}) {
      Program waiting(command, arguments);
      int writer = -1;  // which can be opened once there is a reader
      REQUIRE(gt::test::eventually([&] { return (writer = ::open(pipe.c_str(), O_WRONLY | O_NONBLOCK)) >= 0; }));
      waiting.signal(signal);
      CHECK(waiting.wait().signal == signal);
      ::close(writer);
    }
  }
  CHECK(!std::filesystem::exists(place / "run"));

  // What a pipe has given is not asked of it again.
  Lines piped{"-c", "cat \"$1\" > \"$2\" & shift 2; exec \"$@\"", "sh", place / "corpus.txt", pipe, GT_PROGRAM, "grow"};
  for (auto const& each : arguments(with(small(place, "run"), {{"--corpus", pipe}}))) piped.push_back(each);
  CHECK(Program("/bin/sh", piped).wait().status == 0);

#if !defined(__SANITIZE_ADDRESS__) && !GT_TEST_ASAN  // which takes more address space than there is
  Lines endless{"-c", "ulimit -v 400000; exec \"$@\"", "sh", GT_PROGRAM, "grow"};
  for (auto const& each : arguments(with(place.options("endless"), {{"--corpus", "/dev/zero"}})))
    endless.push_back(each);
  check_sentence(Program("/bin/sh", endless).wait(), "'/dev/zero' must be at most ");
  std::filesystem::copy(model, place / "wordy");
  put(place / "wordy/config.json", "{\"model_type\":\"" + std::string(50'000'000, 'x') + "\"}");
  for (auto const* kilobytes : {"100000", "140000", "160000"}) {  // JSON takes more than its text
    CAPTURE(kilobytes);
    check_sentence(Program("/bin/sh", {"-c", gt::text("ulimit -v ", kilobytes, "; exec \"$@\""), "sh", GT_PROGRAM,
                                       "generate", "--model", place / "wordy", "--prompt", "a"})
                       .wait(),
                   "gt: ");
  }
#endif
}

}  // namespace paths_test

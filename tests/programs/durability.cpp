// SPDX-License-Identifier: MIT
// Runs that are killed at any moment, in stages of every kind, end with the bytes of a run that was left alone; a full
// disk, a folder that cannot be written, a damaged checkpoint and a second run cost nothing that was there.
#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gt/base/philox.hpp"
#include "gt/io/text_file.hpp"
#include "io/support.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"

namespace durability_test {

using gt::read_text_file;
using gt::test::arguments, gt::test::check_sentence, gt::test::Ended, gt::test::has, gt::test::Options, gt::test::Place,
    gt::test::Program, gt::test::put, gt::test::run, gt::test::signalled, gt::test::steps_of,
    gt::test::unfinished_files, gt::test::with;

namespace {

/// What a run leaves, times aside, is that of another.
void check_same(Place const& place, std::string const& a, std::string const& b) {
  for (char const* file : {"model/model.safetensors", "model/config.json", "model/tokenizer.json", "samples.jsonl"}) {
    CAPTURE(file);
    CHECK(read_text_file(place / (a + "/" + file)) == read_text_file(place / (b + "/" + file)));
  }
  CHECK(steps_of(place / (a + "/metrics.jsonl")) == steps_of(place / (b + "/metrics.jsonl")));
  CHECK(unfinished_files(place / b).empty());
  for (char const* folder : {"/model/.saving", "/best/.saving"})
    CHECK_FALSE(std::filesystem::exists(place / (b + folder)));
}
/// One sentence among the lines that tell of the run's progress.
void check_ends_with_sentence(Ended const& ended, std::string_view part) {
  CAPTURE(ended.err);
  CHECK(ended.signal == 0);
  CHECK(ended.status == 1);
  int sentences = 0;
  for (auto const& line : gt::test::lines_of(ended.err)) {
    bool const progress = line.empty() || line.starts_with("running on ") || line.starts_with("stage ");
    if (progress) continue;
    CHECK(line.starts_with("gt: "));
    CHECK(has(line, part));
    ++sentences;
  }
  CHECK(sentences == 1);
}
Options going_on(Place const& place, Options const& more = {}) {
  return with({{"--resume", place / "run"}, {"--threads", "1"}}, more);
}
/// Kills a run `kills` times at moments that `seed` draws, below `most` each; other threads each time. It saves a
/// checkpoint after every step, so that many of the moments lie inside a save. Returns how many kills met it alive.
int disturbed(Place const& place, Options const& options, Options const& again, std::uint64_t seed, int kills,
              std::chrono::milliseconds most) {
  gt::Random const random(gt::seed(seed), gt::Purpose::test);
  int met = 0;
  for (int i = 0; i < kills; ++i) {
    CAPTURE(i);
    bool const begun = std::filesystem::exists(place / "run/checkpoint.safetensors");
    Options const often{{"--checkpoint-seconds", "0"}, {"--threads", i % 2 ? "2" : "1"}};
    Program growing("grow", arguments(begun ? going_on(place, with(again, often))
                                            : with(options, with(often, {{"--overwrite", ""}}))));
    auto const wait = random.below(static_cast<std::uint64_t>(most.count()) * 1000, static_cast<std::uint64_t>(i));
    auto const end = std::chrono::steady_clock::now() + std::chrono::microseconds(wait);
    while (growing.running() && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    growing.signal(SIGKILL);
    auto const ended = growing.wait();
    CAPTURE(ended.err);
    CHECK((ended.signal == SIGKILL || ended.status == 0));
    met += ended.signal == SIGKILL;
  }
  auto const ended = run("grow", going_on(place, again));
  CAPTURE(ended.err);
  CHECK(ended.status == 0);
  return met;
}

/// A shell command in a mount namespace of its own, with arguments $1, $2, ...; none where none can be had.
std::optional<Ended> in_namespace(std::string const& command, std::vector<std::string> const& words) {
  static bool const can = [] {
    if (!std::filesystem::exists("/usr/bin/unshare")) return false;
    gt::test::TemporaryFolder const folder;
    return Program("/usr/bin/unshare", {"-rm", "sh", "-c", "mount -t tmpfs none \"$1\"", "sh", folder.path()})
               .wait()
               .status == 0;
  }();
  if (!can) {
    MESSAGE("skipped: unshare -rm cannot mount here");
    return std::nullopt;
  }
  std::vector<std::string> all{"-rm", "sh", "-c", command, "sh"};
  all.insert(all.end(), words.begin(), words.end());
  return Program("/usr/bin/unshare", all).wait();
}
/// A run of two stages, stopped in its second one.
struct Stopped {
  Place place;
  Options options = with(place.options("run"), {{"--plan", "1+1"}, {"--tokens", "60000"}});
  Stopped() {
    REQUIRE(run("grow", with(options, {{"--out", place / "whole"}})).status == 0);
    REQUIRE(signalled(options, "{\"stage\":2,\"step\":20,", SIGINT).status == 130);
  }
  std::string kept(std::string const& file) const { return read_text_file(place / ("run/" + file)); }
  /// All that was there goes on as if nothing had been.
  void check_goes_on() const {
    CHECK(run("grow", going_on(place)).status == 0);
    check_same(place, "whole", "run");
  }
};

}  // namespace

TEST_CASE("grow: killed at any moment in stages of every kind, by any number of threads, it ends with the same bytes") {
  struct Case {
    Options options, again;
  };
  Place const place;
  Options const all{{"--tokens", "7000"}, {"--keep-best", ""}, {"--keep", "3"}};
  std::string const cache = place / "prefix.cache";
  Case const cases[] = {
      {{{"--plan", "1,table+1+1,all+1,lora4+lora4"}, {"--substrate", "learned"}, {"--head", "reset"}}, {}},
      {{{"--plan", "1+1+2+all"}, {"--init", "duplicate"}}, {{"--prefix-cache", "300kB"}}},
      {{{"--plan", "1+1+2+lora2"}, {"--init", "expand"}}, {{"--prefix-cache-file", cache}}},
  };
  std::uint64_t seed = 0;
  int met = 0;
  for (auto const& [options, again] : cases) {
    std::string const plan = options.at("--plan");
    CAPTURE(plan);
    for (char const* folder : {"run", "whole"}) std::filesystem::remove_all(place / folder);
    auto const asked = with(with(place.options("run"), all), with(options, again));
    auto const start = std::chrono::steady_clock::now();
    auto const whole = run("grow", with(asked, {{"--out", place / "whole"}, {"--checkpoint-seconds", "0"}}));
    CAPTURE(whole.err);
    REQUIRE(whole.status == 0);
    auto const took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    met += disturbed(place, asked, again, ++seed, 4, took / 2);
    check_same(place, "whole", "run");
    CHECK(read_text_file(place / "whole/best/model.safetensors") ==
          read_text_file(place / "run/best/model.safetensors"));
    CHECK(read_text_file(place / "whole/best/look.json") == read_text_file(place / "run/best/look.json"));
    CHECK(std::filesystem::exists(place / "run/best/config.json"));
  }
  CHECK(met >= 4);  // of 12
}

TEST_CASE("grow: killed in a save, it leaves what the next run on the folder removes, and no other file") {
  Stopped const stopped;
  auto const& place = stopped.place;
  for (char const* left : {".checkpoint.safetensors.7.0.tmp", ".metrics.jsonl.8.12.tmp", ".report.html.9.3.tmp"})
    put(place / (std::string{"run/"} + left), "half");
  std::filesystem::create_directory(place / "run/model/.saving");
  put(place / "run/model/.saving/config.json", "whole");
  put(place / "run/model/.saving/.model.safetensors.7.1.tmp", "half");
  put(place / "run/.mine.7.0.tmp", "mine");
  {
    Program growing("grow", arguments(going_on(place)));  // removed at once, under the lock
    REQUIRE(gt::test::eventually(
        [&] { return !std::filesystem::exists(place / "run/model/.saving") || !growing.running(); }));
    check_sentence(run("grow", going_on(place)), "must not be in use");  // a second run changes nothing
    CHECK(growing.wait().status == 0);
  }
  CHECK(unfinished_files(place / "run") == gt::test::Lines{place / "run/.mine.7.0.tmp"});
  std::filesystem::remove(place / "run/.mine.7.0.tmp");
  check_same(place, "whole", "run");
}

TEST_CASE("grow: of damaged checkpoints it goes back to the newest that is whole, and says so") {
  Place const place;
  auto const options = with(place.options("run"), {{"--plan", "1+1+1"}, {"--keep", "3"}});
  REQUIRE(run("grow", with(options, {{"--out", place / "whole"}})).status == 0);
  REQUIRE(run("grow", options).status == 0);
  auto const newest = place / "run/checkpoint.safetensors", good = read_text_file(newest);
  auto const before = place / "run/checkpoint-3840.safetensors";
  REQUIRE(std::filesystem::exists(before));
  CHECK(std::filesystem::exists(place / "run/checkpoint-1920.safetensors"));

  put(newest, std::string_view(good).substr(0, good.size() / 2));
  auto const ended = run("grow", going_on(place));
  CHECK(ended.status == 0);
  CHECK(has(ended.err, "gt: safetensors '" + newest + "'"));
  CHECK(has(ended.err, "; going back to the checkpoint before, '" + before + "'"));
  CHECK(has(ended.out, "going on in stage 3 of 3 after step 0"));
  check_same(place, "whole", "run");
  CHECK(read_text_file(newest).size() > good.size() * 9 / 10);  // whole again; the times in it have digits

  std::filesystem::remove(newest);
  auto const without_newest = run("grow", going_on(place));
  CHECK(without_newest.status == 0);
  CHECK(has(without_newest.err, "'" + newest + "' must be a readable file"));
  check_same(place, "whole", "run");

  REQUIRE(run("grow", with(options, {{"--overwrite", ""}, {"--keep", "1"}})).status == 0);  // none of the others stays
  put(newest, "");
  check_sentence(run("grow", going_on(place)), "'" + newest + "'");
  check_sentence(run("grow", with(options, {{"--overwrite", ""}, {"--keep", "0"}})),
                 "--keep must lie in 1 ... 1000 (got 0)");
}

TEST_CASE("grow: without locks it goes on and says so; where all seems locked it soon gives up") {
  Place const place;
  auto const told = [&](int error, Options const& options) {
    return gt::test::where_flock_fails(error, [&] {
      std::filesystem::current_path(place.folder.path());
      return run("grow", options).err;
    });
  };
  auto const without_locks = told(ENOLCK, place.options("run"));
  if (without_locks == "skipped") return;
  CHECK(has(without_locks, "folder '" + place / "run" + "' lies on a file system without locks (No locks available)"));
  CHECK(std::filesystem::exists(place / "run/report.html"));
  auto numbered = place.options("");
  numbered.erase("--out");
  CHECK(has(told(ENOLCK, numbered), "folder 'runs/grow-1' lies on a file system without locks"));
  CHECK(std::filesystem::exists(place / "runs/grow-1/report.html"));
  CHECK(has(told(EWOULDBLOCK, numbered),
            "gt: grow: one of 100 folders must be free (got 'runs/grow-102' as the next one); choose a folder with "
            "--out"));
}

TEST_CASE("grow: on a full disk it ends with one sentence, keeps all that was there, and goes on when there is room") {
  Stopped const stopped;
  auto const& place = stopped.place;
  auto const weights = stopped.kept("model/model.safetensors"), checkpoint = stopped.kept("checkpoint.safetensors");
  auto const kept = [&] {
    CHECK(stopped.kept("model/model.safetensors") == weights);
    CHECK(stopped.kept("checkpoint.safetensors") == checkpoint);
    CHECK(unfinished_files(place / "run").empty());
  };
  // Files that may not grow beyond a half of the weights.
  auto const limited = Program("/bin/sh", {"-c", "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"", "sh",
                                           std::to_string(weights.size() / 2 / 512), GT_PROGRAM, "grow", "--resume",
                                           place / "run", "--threads", "1"})
                           .wait();
  check_ends_with_sentence(limited, "(got: File too large)");
  kept();
  // A disk of the size of the run, and a little more.
  std::filesystem::create_directory(place / "disk");
  auto const command =
      "mount -t tmpfs -o size=$3 none \"$1\" && cp -r \"$2\" \"$1/run\" && head -c 60000 /dev/zero > \"$1/run/room\" "
      "&& "
      "(cat /dev/zero > \"$1/fill\"; rm \"$1/run/room\"; true) 2>/dev/null; \"$4\" grow --resume \"$1/run\" --threads "
      "1; "
      "status=$?; rm -r \"$2\" && cp -r \"$1/run\" \"$2\"; exit $status";
  auto const full = in_namespace(command, {place / "disk", place / "run", "20m", GT_PROGRAM});
  if (full) {
    check_ends_with_sentence(*full, "(got: No space left on device)");
    kept();
  }
  stopped.check_goes_on();
}

TEST_CASE("grow: a folder that cannot be written is one sentence") {
  Stopped const stopped;
  auto const& place = stopped.place;
  auto const command = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && shift && exec \"$@\"";
  if (auto const ended =
          in_namespace(command, {place / "run", GT_PROGRAM, "grow", "--resume", place / "run", "--threads", "1"}))
    check_sentence(*ended, "must exist and be writable (got: Read-only file system)");
  auto fresh = arguments(with(stopped.options, {{"--out", place / "run/inside"}}));
  fresh.insert(fresh.begin(), {place / "run", GT_PROGRAM, "grow"});
  if (auto const ended = in_namespace(command, fresh)) check_sentence(*ended, "(got: Read-only file system)");
  CHECK_FALSE(std::filesystem::exists(place / "run/inside"));
  stopped.check_goes_on();
}

}  // namespace durability_test

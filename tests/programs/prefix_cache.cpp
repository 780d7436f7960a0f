// SPDX-License-Identifier: MIT
// grow with a prefix cache, as a user runs it: the same model with and without, in memory and in a file, stopped or
// not.
#include <doctest/doctest.h>

#include <signal.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "gt/io/text_file.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"

namespace prefix_cache_test {

using gt::read_text_file;
using gt::test::check_sentence, gt::test::Ended, gt::test::has, gt::test::Options, gt::test::Place, gt::test::put;
using gt::test::run, gt::test::signalled, gt::test::with;

namespace {

/// Of two stages; the second sees its windows several times.
Options two_stages(Place const& place, std::string_view out, Options const& more = {}) {
  return with(place.options(out), with({{"--plan", "1+1"}, {"--tokens", "60000"}}, more));
}
std::string model_of(Place const& place, std::string const& out) {
  return read_text_file(place / (out + "/model/model.safetensors"));
}
/// Interrupts a run in the middle of its second stage.
Ended interrupted(Place const& place, Options const& more) {
  std::filesystem::remove_all(place / "stopped");
  auto const ended = signalled(two_stages(place, "stopped", more), "{\"stage\":2,\"step\":120,", SIGINT);
  REQUIRE(ended.status == 130);
  return ended;
}
Ended resumed(Place const& place, Options const& more) {
  return run("grow", with({{"--resume", place / "stopped"}, {"--threads", "1"}}, more));
}

/// The last figure of the line about the cache, in percent.
int computed(Ended const& ended) {
  auto const end = ended.out.find(" % computed");
  REQUIRE(end != std::string::npos);
  return std::stoi(ended.out.substr(ended.out.rfind(' ', end - 1)));
}

}  // namespace

TEST_CASE("grow: the model is the same with a prefix cache of any size, in memory or in a file, and after a stop") {
  Place const place;
  auto const off = run("grow", two_stages(place, "off", {{"--prefix-cache", "off"}}));
  REQUIRE(off.status == 0);
  CHECK(!has(off.out, "prefix cache"));
  auto const model = model_of(place, "off");
  auto const file = place / "prefix.cache";
  for (Options const& more :
       {Options{}, Options{{"--prefix-cache", "300kB"}}, Options{{"--prefix-cache-file", file}}}) {
    auto const cached = run("grow", two_stages(place, "on", with(more, {{"--overwrite", ""}})));
    REQUIRE(cached.status == 0);
    CHECK(has(cached.out, "\nprefix cache: "));
    CHECK(model_of(place, "on") == model);
    CHECK(!std::filesystem::exists(file));  // of no use any more
  }
  Options const in_file{{"--prefix-cache-file", file}};
  CHECK(has(interrupted(place, in_file).out, " --prefix-cache-file " + file));
  auto const kept = read_text_file(file);
  CHECK(kept.size() > 100'000);
  auto const found = resumed(place, in_file);
  CHECK(found.status == 0);
  interrupted(place, in_file);
  std::filesystem::remove(file);
  auto const anew = resumed(place, in_file);  // to the same bits, but with more to compute
  CHECK(anew.status == 0);
  CHECK(computed(found) < computed(anew));
  CHECK(model_of(place, "stopped") == model);

  interrupted(place, in_file);
  auto damaged = kept;
  for (std::size_t i = 5000; i < damaged.size(); i += 999) damaged[i] = static_cast<char>(damaged[i] ^ 8);
  put(file, damaged);
  auto const repaired = resumed(place, in_file);
  CHECK(repaired.status == 0);
  CHECK(has(repaired.err, "the prefix cache '" + file + "' "));
  CHECK(model_of(place, "stopped") == model);
}

TEST_CASE("grow: with bf16 states a run that is stopped goes on to the same bits, with any budget") {
  Place const place;
  Options const bf16{{"--prefix-cache-type", "bf16"}};
  REQUIRE(run("grow", two_stages(place, "whole", bf16)).status == 0);
  REQUIRE(run("grow", two_stages(place, "exact")).status == 0);
  CHECK(model_of(place, "whole") != model_of(place, "exact"));
  for (char const* budget : {"off", "100k", "auto"}) {
    CAPTURE(budget);
    interrupted(place, bf16);
    CHECK(resumed(place, {{"--prefix-cache", budget}}).status == 0);
    CHECK(model_of(place, "stopped") == model_of(place, "whole"));
  }
}

TEST_CASE("grow: a prefix cache that cannot be is one sentence, and no other file is touched") {
  Place const place;
  REQUIRE(run("grow", with(place.options("run"), {{"--plan", "1"}, {"--tokens", "200"}})).status == 0);
  auto const before = model_of(place, "run");
  auto const complaint = [&](Options const& more, std::string_view part) {
    check_sentence(run("grow", two_stages(place, "run", with(more, {{"--overwrite", ""}}))), part);
    CHECK(model_of(place, "run") == before);  // what --overwrite would have replaced is still there
    CHECK(std::filesystem::exists(place / "run/metrics.jsonl"));
  };
  for (char const* size : {"2XB", "much", "1e30", "2 GB", "GB"}) {
    CAPTURE(size);
    complaint({{"--prefix-cache", size}},
              "--prefix-cache must be a size such as 2GB, off or auto (got '" + std::string(size) + "')");
  }
  complaint({{"--prefix-cache", "off"}, {"--prefix-cache-file", place / "x"}},
            "--prefix-cache-file needs a prefix cache (got --prefix-cache off)");
  auto const text = read_text_file(place / "corpus.txt");
  complaint({{"--prefix-cache-file", place / "corpus.txt"}}, "must be a prefix cache or not exist");
  CHECK(read_text_file(place / "corpus.txt") == text);
  complaint({{"--prefix-cache-file", place / "none/x"}}, "must be a writable file (got: No such file or directory)");
}

}  // namespace prefix_cache_test

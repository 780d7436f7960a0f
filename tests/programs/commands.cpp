// SPDX-License-Identifier: MIT
// gt from outside: its commands and their help, what a command needs fetched, and ./run help, which builds nothing.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "gt/base/version.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"

namespace commands_test {

using gt::test::check_sentence, gt::test::Ended, gt::test::has, gt::test::Lines, gt::test::lines_of, gt::test::Place;
using gt::test::Program, gt::test::put, gt::test::with, gt::test::without;

namespace {

Ended started(Lines const& arguments) { return Program(GT_PROGRAM, arguments).wait(); }
/// The words that `gt needs` prints.
Lines needs(Lines arguments) {
  auto const ended = Program("needs", std::move(arguments)).wait();
  CHECK(ended.status == 0);
  CHECK(ended.err.empty());
  return lines_of(ended.out);
}
/// The first words of the lines that are indented by two.
Lines listed(std::string_view text) {
  Lines names;
  for (auto const& line : lines_of(text)) {
    if (line.starts_with("  ") && line[2] != ' ') names.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return names;
}

}  // namespace

TEST_CASE("gt: it lists its commands, and each of them says how it is used") {
  auto const help = started({"help"});
  CHECK(help.status == 0);
  CHECK(help.out == started({}).out);
  CHECK(help.out == started({"--help"}).out);
  CHECK(started({"--version"}).out == std::string("gt ") + gt::version + "\n");
  auto const names = listed(help.out);
  CHECK(names.size() == 11);
  for (auto const& name : names) {
    CAPTURE(name);
    auto const usage = Program(name, {"--help"}).wait();
    CHECK(usage.status == 0);
    CHECK(has(usage.out, "\nUsage: gt " + name + " [OPTIONS]"));
    CHECK(started({"help", name}).out == usage.out);
  }
}

TEST_CASE("gt: a command that there is not is one sentence, and a status of 2") {
  for (auto const& unknown : {Lines{"growl"}, Lines{"--frobnicate"}, Lines{"help", "growl"}, Lines{""}}) {
    CAPTURE(unknown.back());
    auto const ended = started(unknown);
    CHECK(ended.status == 2);
    CHECK(ended.out.empty());
    check_sentence(ended, "there is no command '" + unknown.back() + "'");
  }
}

TEST_CASE("gt needs: what must be fetched before a command can run, and nothing where its arguments are wrong") {
  CHECK(needs({"grow", "--quick"}) == Lines{"austen", "font"});
  CHECK(needs({"grow", "--substrate=binary"}) == Lines{"austen"});
  CHECK(needs({"grow", "--corpus", "a.txt", "b.txt"}) == Lines{"font"});
  CHECK(needs({"grow", "--font", "a.ttf", "--seed", "2"}) == Lines{"austen"});
  CHECK(needs({"grow", "--resume", "runs/grow-1"}).empty());
  CHECK(needs({"study", "--quick"}) == Lines{"austen", "font", "languages"});
  CHECK(needs({"study", "--only", "matrix,lora"}) == Lines{"austen", "font"});
  CHECK(needs({"study", "--only=merge,compose/glyph", "--corpus=a"}) == Lines{"font", "languages"});
  CHECK(needs({"study", "--language", "a=a.txt", "--language", "b=b.txt"}) == Lines{"austen", "font"});
  CHECK(needs({"glyphs"}) == Lines{"font"});
  CHECK(needs({"glyphs", "--font", "a.hex"}).empty());
  for (auto const& none : {Lines{"grow", "--help"}, Lines{"grow", "--frobnicate"}, Lines{"grow", "--width", "wide"},
                           Lines{"study", "-h"}, Lines{"generate", "--model", "a"}, Lines{"growl"}, Lines{}})
    CHECK(needs(none).empty());
}

TEST_CASE("gt: what was fetched is found by the variables that name it") {
  Place const place;
  auto options = gt::test::arguments(without(with(place.options("run"), {{"--plan", "1"}}), "--corpus"));
  options.insert(options.begin(), {"GT_AUSTEN=" + (place / "corpus.txt"), GT_PROGRAM, "grow"});
  CHECK(Program("/usr/bin/env", options).wait().status == 0);
  CHECK(std::filesystem::exists(place / "run/model/model.safetensors"));

  std::filesystem::create_directory(place / "languages");
  put(place / "languages/en.txt", "one language");
  Lines const study{"GT_LANGUAGES=" + (place / "languages"),
                    "GT_UNIFONT_HEX=none",
                    GT_PROGRAM,
                    "study",
                    "--corpus",
                    place / "corpus.txt",
                    "--out",
                    place / "study",
                    "--only",
                    "compose",
                    "--quick"};
  check_sentence(Program("/usr/bin/env", study).wait(), "at least two languages (got 1)");
}

TEST_CASE("./run help lists the commands of gt, and what else there is, without building") {
  auto const ended = Program(GT_SOURCE "/run", {"help"}).wait();
  CHECK(ended.status == 0);
  CHECK(ended.err.empty());
  auto const ours = listed(started({"help"}).out), all = listed(ended.out);
  REQUIRE(all.size() > ours.size());
  CHECK(Lines(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(ours.size())) == ours);
  for (char const* line : {"  grow         grow a model on a text", "  test ", "  bench ", "  help "})
    CHECK(has(ended.out, line));
}

}  // namespace commands_test

// SPDX-License-Identifier: MIT
// What the programs print for people: commands that can be pasted, and text in whole characters.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "gt/io/text_file.hpp"
#include "gt/text/utf8.hpp"
#include "io/support.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"

namespace said_test {

using gt::test::Ended, gt::test::has, gt::test::lines_of, gt::test::Place, gt::test::Program, gt::test::put;
using gt::test::run, gt::test::signalled, gt::test::TemporaryFolder, gt::test::with;

namespace {

/// What stands behind `label` in its line.
std::string behind(std::string const& out, std::string const& label) {
  for (auto const& line : lines_of(out))
    if (line.starts_with(label)) return line.substr(label.size());
  return {};
}
Ended shell(std::string const& line) { return Program("/bin/sh", {"-c", line}).wait(); }

}  // namespace

TEST_CASE("grow: the commands that it prints can be pasted, whatever the folders are called") {
  Place const place;
  auto const folder = place / "it's; touch `echo oops` $(x) & a b";
  std::filesystem::create_directory(folder);
  auto const options = with(place.options("x"), {{"--out", folder + "/run 1"},
                                                 {"--plan", "1+1"},
                                                 {"--tokens", "120000"},
                                                 {"--prefix-cache-file", folder + "/cache 1"}});
  auto const stopped = signalled(options, "{\"stage\":1,\"step\":40,", SIGINT);
  auto const go_on = behind(stopped.out, "go on: ");
  REQUIRE(has(go_on, " --resume '"));
  auto const finished = shell(go_on);
  CAPTURE(finished.err);
  REQUIRE(finished.status == 0);
  auto const said = shell(behind(finished.out, "talk to it: ") + " --max-tokens 4 --threads 1");
  CAPTURE(said.err);
  CHECK(said.status == 0);
  CHECK(said.out.starts_with("..."));
  CHECK_FALSE(std::filesystem::exists("oops"));

  auto const copy = folder + "/gt";  // called by an awkward name itself
  std::filesystem::create_symlink(GT_PROGRAM, copy);
  auto const help = behind(Program(copy, {}).wait().out, "What a command takes: ");
  CHECK(shell(help.substr(0, help.find(" COMMAND")) + " --version").status == 0);
}

TEST_CASE("a name of a file that would steer a terminal is spelled") {
  TemporaryFolder const folder;
  std::string const name = folder / "a\x1B[2J\xC2\x9B.txt";
  put(name, "It is a truth.\n");
  std::string const& model = gt::test::Run::once().model;
  auto const row = Program("eval", {"--model", model, name}).wait();
  CHECK(row.status == 0);
  CHECK(has(row.out, "a\\x1B[2J\\x9B.txt\n"));
  CHECK(!has(row.out, "\x1B"));
  auto const refused = Program("eval", {"--model", model, name + "x"}).wait();
  CHECK(refused.status == 1);
  CHECK(has(refused.err, "[2J"));
  CHECK(!has(refused.err, "\x1B"));
}

TEST_CASE("grow: what it continues begins and ends at whole characters, also where no line ends") {
  Place const place;
  std::string text;
  for (std::size_t i = 0; i < 7001; ++i) text += gt::utf8::encode(U'\u4E00' + static_cast<char32_t>(i * i % 97));
  put(place / "corpus.txt", text);
  auto const grown = run("grow", with(place.options("run"), {{"--plan", "1+1"}, {"--tokens", "600"}}));
  REQUIRE(grown.status == 0);
  CHECK(has(grown.out, "\n> "));
  for (auto const& line : lines_of(grown.out))
    if (line.starts_with("> ")) CHECK(gt::utf8::is_valid(line.substr(0, 32)));
  auto const samples = gt::read_text_file(place / "run/samples.jsonl");
  CHECK_FALSE(has(samples, "\"prompt\":\"\xEF\xBF\xBD"));
}

}  // namespace said_test

// SPDX-License-Identifier: MIT
// A model as a header: a program that includes it says what `generate` says of the folder, opens no file, and is small.
#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gt/io/text_file.hpp"
#include "io/support.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"

namespace embed_test {

using gt::read_text_file;
using gt::test::check_complaint, gt::test::check_sentence, gt::test::copied_model, gt::test::has, gt::test::Program;
using gt::test::put, gt::test::run, gt::test::saying, gt::test::TemporaryFolder;

namespace {

gt::test::Ended embed(std::string const& model, std::vector<std::string> const& more) {
  std::vector<std::string> all{model};
  all.insert(all.end(), more.begin(), more.end());
  return Program("embed", all).wait();
}

}  // namespace

TEST_CASE(
    "embed: a program with the model in it says what generate says, without a file, and is below 1 MB beside it") {
  TemporaryFolder const folder;
  auto const model = copied_model(folder);
  auto const expected = run("generate", saying(model, {{"--prompt", "She was"}}));
  REQUIRE(expected.status == 0);
  auto const made = embed(model, {"--out", folder / "my_model.hpp"});
  CHECK(made.err.empty());
  REQUIRE(made.status == 0);
  CHECK(has(made.out, "my_model::model(), my_model::tokenizer()"));
  auto const weights = 4 * std::stoull(made.out.substr(made.out.find(": ") + 2));  // bytes of the parameters it names
  std::filesystem::remove_all(model);

  std::vector<std::string> command{"-std=gnu++20",
                                   "-O2",
                                   "-s",
                                   "-Wall",
                                   "-Wextra",
                                   "-Wpedantic",
                                   "-Werror",
                                   "-I",
                                   folder.path(),
                                   "-I",
                                   std::string{GT_SOURCE} + "/include",
                                   std::string{GT_SOURCE} + "/tests/consumer/embedded/main.cpp",
                                   "-o",
                                   folder / "program"};
  std::istringstream native(GT_NATIVE);
  for (std::string flag; native >> flag;) command.push_back(flag);
  Program compiling(GT_COMPILER, command);
  while (compiling.running()) std::this_thread::sleep_for(std::chrono::milliseconds(20));  // beside others: minutes
  auto const compiled = compiling.wait();
  CHECK(compiled.err == "");
  REQUIRE(compiled.status == 0);
  CHECK(std::filesystem::file_size(folder / "program") < weights + 1'000'000);
  std::filesystem::remove(folder / "my_model.hpp");

  auto const said = Program(folder / "program", {"She was"}).wait();
  CHECK(said.err == "");
  CHECK(said.status == 0);
  CHECK("She was" + said.out == expected.out);
}

TEST_CASE("embed: the name is the file's unless another is given, and an old header is replaced") {
  TemporaryFolder const folder;
  auto const model = copied_model(folder);
  put(folder / "austen.hpp", "// A language model as a C++ header: an old one\n");
  REQUIRE(embed(model, {"--out", folder / "austen.hpp"}).status == 0);
  CHECK(has(read_text_file(folder / "austen.hpp"), "namespace austen {"));
  auto const exact = std::filesystem::file_size(folder / "austen.hpp");
  REQUIRE(embed(model, {"--out", folder / "austen.hpp", "--name", "jane", "--type", "bf16"}).status == 0);
  CHECK(has(read_text_file(folder / "austen.hpp"), "namespace jane {"));
  CHECK(has(read_text_file(folder / "austen.hpp"), "parameters in bf16, rounded from fp32."));
  CHECK(std::filesystem::file_size(folder / "austen.hpp") < 6 * exact / 10);
}

TEST_CASE("embed: what it cannot do is one sentence, and writes nothing") {
  TemporaryFolder const folder;
  auto const model = copied_model(folder);
  auto const out = folder / "my-model.hpp";
  check_sentence(embed(model, {"--out", out}), "--name must be a name that C++ allows (got 'my-model')");
  check_sentence(embed(model, {"--out", out, "--name", "class"}),
                 "--name must be a name that C++ allows (got 'class')");
  check_sentence(embed(folder / "none", {"--out", out, "--name", "a"}), "must be a readable file");
  check_sentence(embed(model, {"--out", folder / "no/a.hpp"}), "must be in a writable folder");
  check_complaint(embed(model, {"--out", out, "--type", "int8"}), "int8");
  put(folder / "mine.hpp", "#pragma once\n");
  check_sentence(embed(model, {"--out", folder / "mine.hpp"}), "must be an embedded model or not exist (got another");
  CHECK(gt::read_text_file(folder / "mine.hpp") == "#pragma once\n");
  std::filesystem::remove(folder / "mine.hpp");
  check_complaint(embed(model, {}), "--out is required");
  auto weights = read_text_file(model + "/model.safetensors");
  weights[weights.size() / 2] = static_cast<char>(weights[weights.size() / 2] ^ 4);
  put(model + "/model.safetensors", weights);
  check_sentence(embed(model, {"--out", out, "--name", "a"}), "the file is damaged");
  CHECK(folder.entries() == 1);
}

}  // namespace embed_test

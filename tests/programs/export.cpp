// SPDX-License-Identifier: MIT
// export from outside: a file of each type, with a table of what is in it; bad input as a sentence, and nothing
// written.
#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "gt/io/text_file.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"

namespace export_test {

using gt::test::check_complaint, gt::test::check_sentence, gt::test::copied_model, gt::test::has, gt::test::Lines,
    gt::test::lines_of, gt::test::Program, gt::test::put, gt::test::Run, gt::test::TemporaryFolder;

namespace {

gt::test::Ended exported(Lines const& arguments) { return Program("export", arguments).wait(); }

}  // namespace

TEST_CASE("export: a GGUF file of each type, and a table that adds up") {
  TemporaryFolder const folder;
  std::uintmax_t previous = 0;
  for (std::string const type : {"f32", "f16", "bf16", "q8_0"}) {
    CAPTURE(type);
    std::string const path = folder / type + ".gguf";
    auto const done = exported({Run::once().model, "--gguf", path, "--type", type});
    CHECK(done.status == 0);
    CHECK(done.err.empty());
    auto const lines = lines_of(done.out);
    REQUIRE(lines.size() == (type == "f32" ? 4 : 5));
    CHECK(lines[0] == "  type  tensors   numbers     bytes");
    CHECK(has(lines[1], "  f32 "));
    CHECK(has(lines[lines.size() - 3], "  " + type + " "));
    CHECK(lines[lines.size() - 2].starts_with("  all        52 "));  // 3 blocks of 16, the table, the norm, the head
    CHECK(lines.back().starts_with(path + ": "));
    auto const size = std::filesystem::file_size(path);
    if (type == "f16" || type == "q8_0") CHECK(size < previous);
    if (type == "bf16") CHECK(size == previous);
    previous = size;
    auto const bytes = gt::read_text_file(path);
    CHECK(bytes.starts_with("GGUF"));
    CHECK(has(bytes, "starcoder2.block_count"));
    CHECK(has(bytes, std::string("general.name\x08\0\0\0\x05\0\0\0\0\0\0\0model", 29)));  // the folder's
  }
  CHECK(exported({Run::once().model + "/", "--gguf", folder / "named.gguf", "--name", "Jane"}).status == 0);
  CHECK(has(gt::read_text_file(folder / "named.gguf"), "Jane"));
}

TEST_CASE("export: what it cannot do is one sentence, and an old file stays") {
  TemporaryFolder const folder;
  put(folder / "old.gguf", "GGUFold");
  auto const& model = Run::once().model;
  check_complaint(exported({}), "model is required");
  check_complaint(exported({model}), "--gguf is required");
  check_complaint(exported({model, "--gguf", folder / "old.gguf", "--type", "q4"}), "q4");
  check_sentence(exported({folder / "none", "--gguf", folder / "old.gguf"}), "none/config.json' must be a readable");
  check_sentence(exported({model, "--gguf", folder / "none/x.gguf"}), "must be in a writable folder");
  check_sentence(exported({model, "--gguf", folder.path()}), "must be a regular file or not exist");

  auto const own = copied_model(folder);
  auto const weights = gt::read_text_file(own + "/model.safetensors");
  check_sentence(exported({own, "--gguf", own + "/model.safetensors"}),
                 "must be a GGUF file or not exist (got another file, which is left as it is)");
  CHECK(gt::read_text_file(own + "/model.safetensors") == weights);
  put(folder / "empty.gguf", "");
  CHECK(exported({own, "--gguf", folder / "empty.gguf"}).status == 0);

  std::filesystem::remove_all(own);
  auto const spoiled = copied_model(folder);
  auto config = gt::read_text_file(spoiled + "/config.json");
  config.replace(config.find("gelu_pytorch_tanh"), 17, "gelu");
  put(spoiled + "/config.json", config);
  auto const refused = exported({spoiled, "--gguf", folder / "old.gguf"});
  CHECK(refused.status == 1);
  CHECK(lines_of(refused.err).size() == 1);
  CHECK(gt::read_text_file(folder / "old.gguf") == "GGUFold");
  CHECK(gt::test::unfinished_files(folder.path()).empty());
}

}  // namespace export_test

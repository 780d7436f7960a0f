// SPDX-License-Identifier: MIT
// import from outside: folders, files with a map, adapters; bad input as a sentence, and nothing written.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "gt/cpu.hpp"
#include "gt/formats/hugging_face/folder_tokenizer.hpp"
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/formats/peft/peft.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/io/text_file.hpp"
#include "gt/substrate/random_embedding.hpp"
#include "gt/text/tokenizer_json.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"

namespace import_test {

using gt::test::check_complaint, gt::test::check_sentence, gt::test::has, gt::test::Lines, gt::test::Program,
    gt::test::put, gt::test::Run, gt::test::TemporaryFolder;

namespace {

using Model = gt::Transformer<>;

gt::test::Ended imported(Lines const& arguments) { return Program("import", arguments).wait(); }
std::string weights_of(std::string const& folder) { return gt::read_text_file(folder + "/model.safetensors"); }

}  // namespace

TEST_CASE("import: a folder in shards, and a file of weights with a map, are the model they were") {
  TemporaryFolder const folder;
  auto const& model = Run::once().model;
  auto const done = imported({model, "--out", folder / "shards", "--max-shard-bytes", "100000"});
  CAPTURE(done.err);
  REQUIRE(done.status == 0);
  CHECK(has(done.out, "blocks, width "));
  CHECK(std::filesystem::exists(folder / "shards/model.safetensors.index.json"));
  REQUIRE(imported({folder / "shards", "--out", folder / "whole"}).status == 0);
  CHECK(weights_of(folder / "whole") == weights_of(model));

  auto config = gt::parse_json(gt::read_text_file(model + "/config.json"), "config.json");
  put(folder / "map.json", gt::Json{{"config", config}}.dump());
  REQUIRE(imported({model + "/model.safetensors", "--map", folder / "map.json", "--tokenizer",
                    model + "/tokenizer.json", "--out", folder / "mapped"})
              .status == 0);
  CHECK(weights_of(folder / "mapped") == weights_of(model));
}

TEST_CASE("import: an adapter is merged into the weights") {
  TemporaryFolder const folder;
  auto const& path = Run::once().model;
  auto model = gt::load_model<Model>(path);
  model.attach_adapters({.rank = 2, .targets = {.k = false}});
  for (auto const& p : model.parameters())
    if (has(p.name, ".lora_B.")) p.data[0] = 0.5F;
  gt::save_adapter(model, folder / "adapter");
  auto const done = imported({path, "--adapter", folder / "adapter", "--out", folder / "merged"});
  CAPTURE(done.err);
  REQUIRE(done.status == 0);
  CHECK(has(done.out, "adapters of rank 2 merged"));
  model.merge_adapters(gt::Cpu<>(1));
  auto const merged = gt::load_model<Model>(folder / "merged");
  auto const a = model.parameters(), b = merged.parameters();
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(a[i].name);
    CHECK(std::equal(a[i].data, a[i].data + a[i].size(), b[i].data));
  }
  CHECK(weights_of(folder / "merged") != weights_of(path));
}

TEST_CASE("import: a field of an adapter that gt does not know is refused, and read over where it is named") {
  TemporaryFolder const folder;
  auto const& path = Run::once().model;
  auto model = gt::load_model<Model>(path);
  model.attach_adapters({.rank = 2});
  gt::save_adapter(model, folder / "adapter");
  std::string const file = folder / "adapter/adapter_config.json";
  auto config = gt::parse_json(gt::read_text_file(file), file);
  config["init_lora_weights"] = "pissa", config["of_next_year"] = true;
  put(file, config.dump());
  auto const with = [&](Lines const& more) {
    Lines all{path, "--adapter", folder / "adapter", "--out", folder / "out"};
    all.insert(all.end(), more.begin(), more.end());
    return imported(all);
  };
  check_sentence(with({}), "init_lora_weights must be");
  check_sentence(with({"--ignore-field", "init_lora_weights"}), "'of_next_year' must be null, false or empty");
  check_sentence(with({"--ignore-field", "of_this_year"}), "a field to ignore must be there (got 'of_this_year')");
  CHECK(!std::filesystem::exists(folder / "out"));
  CHECK(with({"--ignore-field", "init_lora_weights", "--ignore-field", "of_next_year"}).status == 0);
  CHECK(imported({path, "--ignore-field", "r", "--out", folder / "other"}).status != 0);
}

TEST_CASE("import: another table than the saved one, and ids without a token, are said in a sentence each") {
  TemporaryFolder const folder;
  auto const& path = Run::once().model;
  auto const model = gt::load_model<Model>(path);
  auto const tokenizer = gt::Tokenizer::load(path + "/tokenizer.json");
  auto const vocab = model.vocab() + 5;
  auto const rows = gt::RandomEmbedding::draw(gt::formats::with_unused_tokens(tokenizer, vocab).tokens(),
                                              {.width = model.config().d_model});
  Model padded(rows, model.config(), gt::seed(1), {.context = model.context()});
  padded.append(1);
  gt::save(padded, gt::formats::with_unused_tokens(tokenizer, vocab), folder / "padded");
  auto config = gt::parse_json(gt::read_text_file(folder / "padded/config.json"), "config.json");
  config["gt"]["substrate"]["rows_sha256"] = "of another table", config["gt"]["tokenizer"] = tokenizer.fingerprint();
  put(folder / "padded/config.json", config.dump());
  tokenizer.save(folder / "padded/tokenizer.json");
  {  // as another program writes weights: without a word on the configuration
    auto const file = gt::io::Safetensors::open(folder / "padded/model.safetensors");
    gt::io::write_safetensors(folder / "weights", file.tensors(), {{"format", "pt"}});
  }
  std::filesystem::rename(folder / "weights", folder / "padded/model.safetensors");

  std::string const changed = "are not the frozen ones that were saved (method random)";
  auto const done = imported({folder / "padded", "--out", folder / "out"});
  CHECK(done.status == 0);
  CHECK(has(done.err, "note: the token embeddings in '" + folder / "padded" + "' " + changed));
  CHECK(has(done.err, "note: 5 ids have no token: they are named <unused_N>\n"));
  auto const said = Program("generate", {"--model", folder / "padded", "--prompt", "She", "--max-tokens", "20"}).wait();
  CHECK(said.status == 0);
  CHECK(has(said.err, changed));
  CHECK(!has(said.out, "unused"));
  auto const again = Program("generate", {"--model", folder / "out", "--prompt", "She", "--max-tokens", "20"}).wait();
  CHECK(again.out == said.out);
  CHECK(!has(again.err, "note"));
  CHECK(gt::load_model<Model>(folder / "out").substrate_method() == "table");
}

TEST_CASE("import: what it cannot do is one sentence, and nothing is written") {
  TemporaryFolder const folder;
  auto const& model = Run::once().model;
  std::string const out = folder / "out";
  check_complaint(imported({model}), "--out is required");
  check_sentence(imported({model, "--out", model}), "--out must be a new or empty folder");
  check_sentence(imported({model + "/model.safetensors", "--out", out}), "a file of weights needs --map");
  check_sentence(imported({model, "--map", "x", "--out", out}), "--map belongs to a file of weights");
  check_sentence(imported({folder / "none", "--map", folder / "none", "--tokenizer", "x", "--out", out}),
                 "must be a readable file");
  check_sentence(imported({model, "--adapter", folder / "none", "--out", out}), "adapter_config.json");
  put(folder / "map.json", "{\"tensors\": 3}");
  check_sentence(imported({model + "/model.safetensors", "--map", folder / "map.json", "--out", out}),
                 "must be an object");
  CHECK(!std::filesystem::exists(out));
}

}  // namespace import_test

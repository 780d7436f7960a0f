// SPDX-License-Identifier: MIT
// Opens what other programs trained: Hugging Face's Starcoder2, PEFT's adapters, a state_dict under names of its own.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <gt/formats/import.hpp>
#include <gt/formats/peft/peft.hpp>
#include <gt/gt.hpp>
#include <gt/io/json.hpp>
#include <string>

#include "commands.hpp"
#include "support/program.hpp"

namespace program::importing {
namespace {

using Model = gt::Transformer<>;

struct Arguments {
  std::string weights, map, adapter, tokenizer, out;
  gt::LoadAdapterOptions reading;
  std::int64_t max_shard_bytes = gt::SaveOptions{}.max_shard_bytes;
  int threads = 0;
};

Model open(Arguments const& a) {
  bool const folder = std::filesystem::is_directory(a.weights);
  gt::check(folder || !a.map.empty(), "import",
            "a file of weights needs --map, which says what model they are; a folder has its config.json (got '",
            a.weights, "')");
  gt::check(!folder || a.map.empty(), "import", "--map belongs to a file of weights, not to a folder (got '", a.weights,
            "')");
  if (!folder) return gt::import_model<Model>(a.weights, a.map);
  auto const opened = gt::ModelFolder::open(a.weights);
  auto model = gt::load_model<Model>(opened);
  program::note(gt::formats::table_note(opened, model));
  return model;
}

int run(Arguments const& a) {
  gt::check(!std::filesystem::exists(a.out) || std::filesystem::is_empty(a.out), "import",
            "--out must be a new or empty folder (got '", a.out, "')");
  Model model = open(a);
  std::string const tokenizer_file = a.tokenizer.empty() ? a.weights + "/tokenizer.json" : a.tokenizer;
  gt::check(!a.tokenizer.empty() || a.map.empty(), "import", "--tokenizer must name the tokenizer.json of the model");
  auto const read = gt::Tokenizer::load(tokenizer_file);
  auto const tokenizer = gt::formats::with_unused_tokens(read, model.vocab());
  if (tokenizer.size() > read.size())
    program::note(gt::text(tokenizer.size() - read.size(), " ids have no token: they are named <unused_N>"));
  if (!a.adapter.empty()) {
    gt::Cpu<> const on(a.threads);
    program::introduce(on);
    gt::load_adapter(model, a.adapter, a.reading);
    std::printf("adapters of rank %d merged into %d blocks\n", model.lora().rank, model.adapted());
    model.merge_adapters(on);
  }
  gt::save(model, tokenizer, a.out, {.max_shard_bytes = a.max_shard_bytes});
  auto const& c = model.config();
  std::printf("%d blocks, width %d, %d heads, MLP %d, context %lld, vocabulary %lld: %lld parameters\nsaved: %s\n",
              model.depth(), c.d_model, c.heads, c.ff(), static_cast<long long>(model.context()),
              static_cast<long long>(model.vocab()), static_cast<long long>(model.parameter_count()), a.out.c_str());
  return 0;
}

}  // namespace
}  // namespace program::importing

int program::import_model(int argc, char** argv) {
  using namespace importing;
  CLI::App app{"Makes a folder of gt of a model that another program trained, or of one of gt's and an adapter.",
               "gt import"};
  Arguments a;
  app.add_option("weights", a.weights, "a folder with config.json and model.safetensors, or a file of weights")
      ->required();
  app.add_option("--out", a.out, "the new folder")->required();
  app.add_option("--map", a.map, "for a file: JSON that says what the model is and how its tensors are named");
  app.add_option("--tokenizer", a.tokenizer, "its tokenizer.json; a folder's own by default");
  auto* const adapter = app.add_option("--adapter", a.adapter, "a folder of PEFT's, merged into the weights");
  app.add_option("--ignore-field", a.reading.ignore_fields,
                 "a field of adapter_config.json to read as if it were not there; may be given again")
      ->type_size(1)
      ->allow_extra_args(false)
      ->needs(adapter);
  app.add_option("--max-shard-bytes", a.max_shard_bytes, "weights above this are cut into several files")
      ->capture_default_str();
  app.add_option("--threads", a.threads, "0: all cores")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  program::catch_interrupts();
  return program::guarded([&] { return run(a); });
}

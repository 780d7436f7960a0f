// SPDX-License-Identifier: MIT
// Writes a model that `grow` saved for other programs: as one GGUF file, which llama.cpp runs.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <gt/formats/gguf/gguf.hpp>
#include <gt/gt.hpp>
#include <map>
#include <string>
#include <utility>

#include "commands.hpp"
#include "support/program.hpp"

namespace program::exporting {
namespace {

using Model = gt::Transformer<>;

/// A table of the tensors by type: how many, numbers, bytes; then the file.
void print(gt::GgufWritten const& written, std::string const& path) {
  struct Sum {
    int tensors = 0;
    std::int64_t numbers = 0, bytes = 0;
  };
  std::map<gt::GgufType, Sum> sums;
  Sum all;
  for (auto const& t : written.tensors) {
    std::int64_t numbers = 1;
    for (auto const size : t.shape) numbers *= size;
    for (Sum* const sum : {&sums[t.type], &all}) sum->tensors += 1, sum->numbers += numbers, sum->bytes += t.bytes;
  }
  std::printf("  type  tensors   numbers     bytes\n");
  auto const row = [](std::string const& name, Sum const& sum) {
    std::printf("  %-4s  %7d  %8s  %8s\n", name.c_str(), sum.tensors,
                gt::short_number(static_cast<double>(sum.numbers)).c_str(),
                gt::short_number(static_cast<double>(sum.bytes)).c_str());
  };
  for (auto const& [type, sum] : sums) row(std::string{name(type)}, sum);
  row("all", all);
  if (written.f16_fallbacks > 0) {
    std::printf("%d matrices are f16: q8_0 needs rows of a multiple of %d numbers\n", written.f16_fallbacks,
                static_cast<int>(gt::gguf_block));
  }
  std::printf("%s: %s\n", path.c_str(), gt::short_number(static_cast<double>(written.bytes), "B").c_str());
}

}  // namespace
}  // namespace program::exporting

int program::export_model(int argc, char** argv) {
  using namespace exporting;
  CLI::App app{"Writes a model for other programs: as one GGUF file, which llama.cpp runs.", "gt export"};
  std::string folder, path, type = "f32";
  gt::GgufOptions options{.name = ""};
  std::map<std::string, gt::GgufType> const types{{"f32", gt::GgufType::f32},
                                                  {"f16", gt::GgufType::f16},
                                                  {"bf16", gt::GgufType::bf16},
                                                  {"q8_0", gt::GgufType::q8_0}};
  app.add_option("model", folder, "folder of the model")->required();
  app.add_option("--gguf", path, "the file to write, an old one is replaced")->required();
  app.add_option("--type", type, "of the matrices: f32, exact; f16 or bf16, half the size; q8_0, about a quarter")
      ->check(CLI::IsMember({"f32", "f16", "bf16", "q8_0"}))
      ->capture_default_str();
  app.add_option("--name", options.name, "that programs show; none: the folder's");
  CLI11_PARSE(app, argc, argv);

  return program::guarded([&] {
    program::check_replaceable(path, "GGUF", "export", "a GGUF file");
    auto const opened = gt::ModelFolder::open(folder);
    auto const tokenizer = gt::load_tokenizer(opened);
    auto const model = gt::load_model<Model>(opened);
    program::note(gt::formats::table_note(opened, model));
    options.type = types.at(type);
    if (options.name.empty()) {
      std::string const shown = folder.substr(0, folder.find_last_not_of('/') + 1);
      options.name = gt::utf8::replace_malformed(shown.substr(shown.find_last_of('/') + 1));
    }
    print(gt::write_gguf(model, tokenizer, path, options), path);
    return 0;
  });
}

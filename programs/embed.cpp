// SPDX-License-Identifier: MIT
// Turns a saved model and its tokenizer into one C++ header, from which a program generates without a file.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <gt/formats/embedded/embed.hpp>
#include <gt/gt.hpp>
#include <string>

#include "commands.hpp"
#include "support/program.hpp"

int program::embed(int argc, char** argv) {
  CLI::App app{"Turns a model into a C++ header that a program includes: it then needs no file.", "gt embed"};
  std::string folder, out, type = "fp32";
  gt::EmbedOptions options{.name = ""};
  app.add_option("model", folder, "folder of the model")->required();
  app.add_option("--out", out, "the header to write, FILE.hpp; an old one is replaced")->required();
  app.add_option("--name", options.name, "namespace of what it offers; by default FILE");
  app.add_option("--type", type,
                 "fp32: the same model; bf16: half the size, every weight rounded to 8 bits of precision")
      ->check(CLI::IsMember({"fp32", "bf16"}))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  return program::guarded([&] {
    program::check_replaceable(out, "// A language model as a C++ header", "embed", "an embedded model");
    if (options.name.empty()) {
      options.name = out.substr(out.rfind('/') + 1);
      options.name = options.name.substr(0, options.name.find('.'));
    }
    options.type = type == "bf16" ? gt::EmbeddedType::bf16 : gt::EmbeddedType::fp32;
    gt::check(gt::is_namespace_name(options.name), "embed", "--name must be a name that C++ allows (got '",
              options.name, "')");
    auto const opened = gt::ModelFolder::open(folder);
    auto const tokenizer = gt::load_tokenizer(opened);
    auto const model = gt::load_model(opened);
    program::note(gt::formats::table_note(opened, model));
    gt::write_embedded(model, tokenizer, out, options);
    std::printf(
        "%s: %lld parameters in %s\n\n"
        "  #include <gt/cpu.hpp>\n  #include <gt/infer/generate.hpp>\n  #include \"%s\"\n\n"
        "  gt::generate(gt::Cpu<>{}, %s::model(), %s::tokenizer(), \"...\", {.max_tokens = 100},\n"
        "               [](std::string_view piece) { std::fwrite(piece.data(), 1, piece.size(), stdout); });\n",
        harmless(out).c_str(), static_cast<long long>(model.parameter_count()), type.c_str(),
        out.substr(out.rfind('/') + 1).c_str(), options.name.c_str(), options.name.c_str());
    return 0;
  });
}

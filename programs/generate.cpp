// SPDX-License-Identifier: MIT
// Continues a text with a model that `grow` saved, of any width.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <gt/gt.hpp>
#include <string>

#include "commands.hpp"
#include "support/command_line.hpp"
#include "support/program.hpp"

int program::generate(int argc, char** argv) {
  CLI::App app{"Continues a text with a model.", "gt generate"};
  std::string folder, prompt;
  gt::GenerateOptions options;
  int threads = 0;
  bool bf16 = false;
  app.add_option("--model", folder, "folder of the model")->required();
  app.add_option("--prompt", prompt, "text to continue; none: the beginning of a text");
  app.add_option("--max-tokens", options.max_tokens, "most tokens to add")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--temperature", options.sampler.temperature, "0: always the likeliest token")->capture_default_str();
  app.add_option("--top-k", options.sampler.top_k, "only the k likeliest tokens; 0: all")->capture_default_str();
  app.add_option("--top-p", options.sampler.top_p, "only the likeliest tokens that sum to p")->capture_default_str();
  app.add_option("--min-p", options.sampler.min_p, "only tokens at least this likely, relative to the first")
      ->capture_default_str();
  takes_seed(app.add_option("--seed", options.sampler.seed.value, "same seed, same text")->capture_default_str());
  app.add_flag("--special-tokens", options.special_tokens,
               "spellings of special tokens in the prompt, such as <bos>, are these tokens and not their letters");
  app.add_option("--stop", options.stop, "texts that end it; they are not printed");
  app.add_option("--threads", threads, "0: all cores")->capture_default_str();
  app.add_flag("--bf16", bf16, "multiply in bf16, where the CPU can: half the memory to read, 8 bits of precision");
  CLI11_PARSE(app, argc, argv);

  program::catch_interrupts();
  return program::guarded([&] {
    gt::check_sampler(options.sampler);
    auto const on = gt::Cpu<>(threads).with(bf16 ? gt::Products::bf16 : gt::Products::fp32);
    if (auto const warning = gt::build_warning(); !warning.empty())
      std::fprintf(stderr, "warning: %s\n", warning.c_str());
    auto const [model, tokenizer] = program::open_model(on, folder);

    options.cancel = [] { return program::interrupted != 0; };
    options.on_slide = [] {
      std::fprintf(stderr, "\n(the context is full: from here on the oldest part is forgotten)\n");
    };
    program::print_text(prompt);
    auto const done = gt::generate(on, model, tokenizer, prompt, options, program::print_text);
    program::print_text("\n");
    return done.end == gt::GenerateEnd::cancelled ? program::interrupted_status() : 0;
  });
}

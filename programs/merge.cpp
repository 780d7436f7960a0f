// SPDX-License-Identifier: MIT
// Merges models that stand on one substrate and one tokenizer: scores texts with each and with all, and continues one.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <gt/compose.hpp>
#include <string>
#include <vector>

#include "commands.hpp"
#include "support/command_line.hpp"
#include "support/program.hpp"

namespace program::merging {
namespace {

using Ensemble = gt::Ensemble<gt::AnyModel>;

bool is_file(std::string const& path) {
  std::FILE* const file = std::fopen(path.c_str(), "r");
  return file != nullptr && std::fclose(file) == 0;
}
std::string last_part(std::string const& path) { return path.substr(path.find_last_of('/') + 1); }

struct Merged {
  Ensemble ensemble;
  gt::Tokenizer tokenizer;
};
/// Folders of models, or the folder of an ensemble. `mixing` is what was asked for, or null.
Merged open(gt::Cpu<> const& on, std::vector<std::string> const& folders, gt::Mixing const* mixing,
            gt::EnsembleOptions const& options) {
  auto const whole = [&](Ensemble const& ensemble) {
    auto const& first = ensemble.experts().front();
    auto const tokenizer = gt::Tokenizer::load(first.folder + "/tokenizer.json");
    gt::check(first.tokenizer.empty() || tokenizer.fingerprint() == first.tokenizer, "merge",
              "the model and the tokenizer.json in '", first.folder, "' must come from one save");
    return Merged{ensemble, gt::formats::with_unused_tokens(tokenizer, ensemble.vocab())};
  };
  if (folders.size() == 1 && is_file(folders[0] + "/ensemble.json")) {
    auto const saved = gt::load_any_ensemble(on, folders[0]);
    return whole(mixing ? saved.with(*mixing) : saved);
  }
  std::vector<gt::Expert<gt::AnyModel>> experts;
  for (auto const& folder : folders) {
    auto const opened = gt::ModelFolder::open(folder);
    experts.push_back(gt::load_any_expert(on, opened));
    program::note(gt::formats::table_note(opened, experts.back().model));
  }
  return whole(Ensemble(std::move(experts), mixing ? *mixing : gt::mean_of_logits(), options));
}

/// Sums over one text by one model.
struct Sums {
  double nats = 0;
  std::int64_t bytes = 0;
  std::vector<double> losses;  // of each token, in nats
};
template <class Model>
Sums sums_of(gt::Cpu<> const& on, Model const& model, gt::Tokenizer const& tokenizer, std::string_view text) {
  gt::ScoreOptions const options{.proceed = [](std::int64_t, std::int64_t) { return program::interrupted == 0; }};
  auto const score = gt::score(on, model, tokenizer, text, options);
  Sums sums{-score.log_likelihood(), score.bytes, score.log_likelihoods};
  for (double& x : sums.losses) x = -x;
  return sums;
}

void print_row(std::string const& name, std::size_t wide, std::vector<double> const& nats,
               std::vector<std::int64_t> const& bytes, std::vector<std::size_t> const& columns) {
  std::printf("  %-*s", static_cast<int>(wide), program::harmless(name).c_str());
  double all = 0, all_bytes = 0;
  auto const cell = [](double sum, double size, std::size_t column) {
    std::printf("  %*.4f", static_cast<int>(column), sum / 0.6931471805599453 / size);
  };
  for (std::size_t i = 0; i < nats.size(); ++i) {
    cell(nats[i], static_cast<double>(bytes[i]), columns[i]);
    all += nats[i], all_bytes += static_cast<double>(bytes[i]);
  }
  if (nats.size() > 1) cell(all, all_bytes, columns.back());
  std::printf("\n");
  std::fflush(stdout);
}

/// A table of bits per byte: a row for each expert, their mean, and the ensemble; a column for each text. True unless
/// it was interrupted.
bool score_all(gt::Cpu<> const& on, Merged const& merged, std::vector<std::string> const& files) {
  auto const& experts = merged.ensemble.experts();
  bool const bounded = !merged.ensemble.mixing().posterior && merged.ensemble.adapter() == nullptr;
  std::size_t const N = experts.size();
  std::vector<gt::Corpus> texts;
  std::vector<std::size_t> columns;
  std::vector<std::int64_t> bytes;
  for (auto const& file : files) {
    texts.push_back(program::read_corpus({file}));
    columns.push_back(std::max<std::size_t>(9, last_part(file).size()));
  }
  columns.push_back(9);
  std::size_t wide = 15;  // "mean of experts"
  for (auto const& e : experts) wide = std::max(wide, e.name.size());
  std::printf("bits per byte%*s", static_cast<int>(wide - 11), "");
  for (std::size_t i = 0; i < files.size(); ++i)
    std::printf("  %*s", static_cast<int>(columns[i]), program::harmless(last_part(files[i])).c_str());
  std::printf(files.size() > 1 ? "   together\n" : "\n");

  std::vector<double> mean(files.size());
  std::vector<std::vector<double>> means(files.size());  // of every token, by the weights of the mixture
  for (std::size_t row = 0; row <= N; ++row) {
    if (row == N) print_row("mean of experts", wide, mean, bytes, columns);
    std::vector<double> nats;
    std::size_t tokens = 0, above = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
      auto const sums = row < N ? sums_of(on, experts[row].model, merged.tokenizer, texts[i].text())
                                : sums_of(on, merged.ensemble, merged.tokenizer, texts[i].text());
      if (program::interrupted != 0) return false;
      nats.push_back(sums.nats);
      if (bytes.size() < files.size()) bytes.push_back(sums.bytes);
      mean[i] += row < N ? sums.nats / static_cast<double>(N) : 0;
      means[i].resize(sums.losses.size());
      for (std::size_t t = 0; t < sums.losses.size(); ++t) {
        if (row < N) means[i][t] += merged.ensemble.weights()[row] * sums.losses[t];
        above += row == N && sums.losses[t] > means[i][t] + 1e-4;  // beyond what rounding does to logits in fp32
      }
      tokens += sums.losses.size();
    }
    print_row(row < N ? experts[row].name : "ensemble", wide, nats, bytes, columns);
    if (row == N && bounded)
      std::printf("tokens that cost more than the experts' weighted mean: %zu of %zu\n", above, tokens);
  }
  return true;
}

}  // namespace
}  // namespace program::merging

int program::merge(int argc, char** argv) {
  using namespace merging;
  CLI::App app{"Merges models that stand on one substrate and one tokenizer by mixing their logits.", "gt merge"};
  std::vector<std::string> folders, files;
  std::vector<double> weights;
  gt::GenerateOptions options;
  std::string prompt, save;
  double decay = 1;
  int threads = 0;
  bool posterior = false;
  gt::EnsembleOptions merging;
  app.add_option("models", folders, "folders of two or more models, or of one saved ensemble")->required();
  app.add_option("--weights", weights, "one a model, as 2,1; the default: all alike")->delimiter(',');
  app.add_flag("--posterior", posterior, "weights follow the context: who predicted it best leads");
  auto const decays = app.add_option("--decay", decay, "with --posterior: what a token counts when one more has come")
                          ->capture_default_str();
  app.add_flag("--any-substrate", merging.any_substrate, "merge models on different substrates too: a control");
  app.add_option("--text", files, "UTF-8 texts to score with each model and with all")
      ->type_size(1)
      ->allow_extra_args(false);
  auto const prompts = app.add_option("--prompt", prompt, "text that all together continue");
  app.add_flag("--special-tokens", options.special_tokens,
               "spellings of special tokens in the prompt are these tokens");
  app.add_option("--max-tokens", options.max_tokens, "most tokens to add")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--temperature", options.sampler.temperature, "0: always the likeliest token")->capture_default_str();
  takes_seed(app.add_option("--seed", options.sampler.seed.value, "same seed, same text")->capture_default_str());
  app.add_option("--save", save, "folder for the ensemble, which names the models' folders");
  app.add_option("--threads", threads, "0: all cores")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  program::catch_interrupts();
  return program::guarded([&] {
    gt::check_sampler(options.sampler);
    gt::check(!files.empty() || prompts->count() > 0 || !save.empty(), "merge",
              "there must be something to do: --text FILE, --prompt TEXT or --save FOLDER");
    gt::check(posterior || decays->count() == 0, "merge", "--decay belongs to --posterior");
    gt::Cpu<> const on(threads);
    gt::Mixing const asked{.weights = weights, .posterior = posterior, .decay = decay};
    auto const merged = open(on, folders, posterior || !weights.empty() ? &asked : nullptr, merging);
    program::introduce(on);
    if (!save.empty()) gt::save_ensemble(merged.ensemble, save);  // before what takes long: it may not be possible
    if (!files.empty() && !score_all(on, merged, files)) return program::interrupted_status();
    if (prompts->count() > 0) {
      options.cancel = [] { return program::interrupted != 0; };
      program::print_text(prompt);
      auto const done = gt::generate(on, merged.ensemble, merged.tokenizer, prompt, options, program::print_text);
      program::print_text("\n");
      if (done.end == gt::GenerateEnd::cancelled) return program::interrupted_status();
    }
    return 0;
  });
}

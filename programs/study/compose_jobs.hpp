// SPDX-License-Identifier: MIT
// Experts of three languages on one table, merged by the mean of their logits; and the same where each has learned a
// table of its own.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <gt/compose.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "growth_jobs.hpp"
#include "results.hpp"
#include "setup.hpp"

namespace study {

/// A text in one of the languages.
struct Language {
  std::string name;
  gt::TrainingText data;
};

/// Three languages cut by one tokenizer.
struct Languages {
  gt::Tokenizer tokenizer;
  std::vector<Language> all;

  /// The first `characters` of each file, by name.   Errors: fewer than two files, those of reading them.
  static Languages read(std::vector<std::pair<std::string, std::string>> const& files, std::int64_t characters,
                        std::int64_t vocab) {
    gt::check(files.size() >= 2, "study", "experts need texts of at least two languages (got ", files.size(), ")");
    std::vector<gt::Corpus> corpora;
    std::string together;
    for (auto const& [name, path] : files) {
      auto const whole = program::read_corpus({path});
      std::string_view const text = whole.text();
      std::size_t end = 0;
      for (std::int64_t n = 0; n < characters && end < text.size(); ++n) end += gt::utf8::decode(text, end).size;
      corpora.push_back(gt::Corpus::from_text(std::string(text.substr(0, end))));
      together += corpora.back().text();
    }
    auto tokenizer = gt::Tokenizer::build(gt::Corpus::from_text(std::move(together)), {.vocab_size = vocab});
    std::vector<Language> all;
    for (std::size_t i = 0; i < files.size(); ++i)
      all.push_back({files[i].first, gt::training_text(corpora[i], tokenizer)});
    return {std::move(tokenizer), std::move(all)};
  }
};

/// Merging, with a frozen table and with learned ones.
struct ComposeStudy {
  gt::Cpu<> on;
  Scale scale;
  Languages const& languages;
  Substrates& substrates;

  std::vector<Job> jobs() const {
    std::vector<Job> all;
    for (int s = 1; s <= scale.seeds; ++s) {
      for (std::string const substrate : {"glyph", "learned"}) {
        all.push_back({gt::text("compose/", substrate, "/", s),
                       [=, this] { return merged(substrate, static_cast<std::uint64_t>(s)); }});
      }
    }
    return all;
  }

 private:
  using Ensemble = gt::Ensemble<Model>;

  template <class M>
  std::vector<double> bits_of(M const& model) const {
    std::vector<double> bits;
    gt::Evaluator<gt::Cpu<>, M> evaluate(on, scale.shape(), languages.all.front().data.bytes_of_tokens);
    for (auto const& l : languages.all)
      bits.push_back(evaluate(model, l.data.tokens.validation, 8 * 4096).bits_per_byte());
    return bits;
  }
  // -log p of every token of the first windows of each language's held-out text.
  template <class M>
  std::vector<float> token_losses_of(M const& model) const {
    std::vector<float> all;
    auto const n = static_cast<std::size_t>(scale.shape().rows());
    for (auto const& l : languages.all) {
      auto const& text = l.data.tokens.validation;
      if (text.size() <= scale.shape().rows()) continue;
      std::vector<std::int32_t> ids(n), targets(n);
      std::vector<float> nll(n);
      text.copy(0, ids), text.copy(1, targets);
      auto const run = [&](gt::Arena& arena) {
        gt::Vector<std::int32_t const> const in(ids.data(), scale.shape().rows()),
            out(targets.data(), scale.shape().rows());
        gt::token_losses(on, model, in, out, scale.shape(), gt::Vector<float>(nll.data(), scale.shape().rows()), arena);
      };
      gt::Arena arena(gt::measure(run));
      run(arena);
      all.insert(all.end(), nll.begin(), nll.end());
    }
    return all;
  }
  // The most by which the mean's loss is above the mean of the experts' losses, on any token: never more than rounding.
  double worst_excess(Ensemble const& ensemble) const {
    auto const merged = token_losses_of(ensemble);
    std::vector<double> mean(merged.size());
    for (auto const& e : ensemble.experts()) {
      auto const own = token_losses_of(e.model);
      for (std::size_t i = 0; i < own.size(); ++i)
        mean[i] += static_cast<double>(own[i]) / static_cast<double>(ensemble.size());
    }
    double worst = -1e30;
    for (std::size_t i = 0; i < merged.size(); ++i) worst = std::max(worst, static_cast<double>(merged[i]) - mean[i]);
    return worst;
  }

  gt::Json merged(std::string const& substrate, std::uint64_t seed) const {
    bool const learned = substrate == "learned";
    gt::StageOptions stage{.schedule = {.lr = GrowthStudy::plan_lr}};
    stage.train_table = learned;
    gt::GrowthPlan const plan{gt::deepen(scale.each, stage)};
    std::vector<gt::Expert<Model>> experts;
    gt::Json row{
        {"substrate", substrate}, {"seed", seed}, {"languages", gt::Json::array()}, {"experts", gt::Json::array()}};
    for (std::size_t i = 0; i < languages.all.size(); ++i) {
      auto const& language = languages.all[i];
      // Tables of their own, and blocks, from seeds of their own: nothing is shared but the vocabulary.
      std::uint64_t const own = 100 * seed + i;
      Model model(substrates(substrate, learned ? own : seed), scale.block(), gt::seed(own),
                  {.context = scale.context});
      run_plan(on, model, plan, language.data, scale, scale.tokens_per_stage, own);
      row["languages"].push_back(language.name);
      row["experts"].push_back(bits_of(model));
      experts.push_back({.model = model, .name = language.name});
    }
    Ensemble ensemble(experts, {}, {.any_substrate = learned});
    row["tables"] = ensemble.table_count();
    row["mean"] = bits_of(ensemble);
    row["worst_excess"] = worst_excess(ensemble);
    row["posterior"] = bits_of(ensemble.with(gt::posterior_weights({.decay = 0.95})));
    Ensemble const pair({experts[0], experts[1]}, {}, {.any_substrate = learned});
    row["pair"] = bits_of(pair);
    tune(ensemble, seed, row);
    return row;
  }
  // The heads alone, on all languages in turn, for a tenth of what an expert has seen.
  void tune(Ensemble& ensemble, std::uint64_t seed, gt::Json& row) const {
    std::vector<gt::Tokens> texts;
    for (auto const& l : languages.all) texts.push_back(l.data.tokens.train);
    gt::MixedWindows windows(texts, scale.context, gt::seed(seed), {{0, std::vector<double>(texts.size(), 1.0)}});
    gt::EnsembleTrainer trainer(on, ensemble, scale.shape(), {.heads = true, .adapter = false});
    auto const rows = static_cast<std::size_t>(scale.shape().rows());
    std::vector<std::int32_t> ids(rows), targets(rows);
    std::int64_t const steps = std::max<std::int64_t>(1, scale.tokens_per_stage / 10 / scale.shape().rows());
    gt::Schedule const schedule{.lr = 3e-4};
    for (std::int64_t step = 0; step < steps; ++step) {
      if (program::interrupted != 0) throw Interrupted{};
      windows.fill(step * scale.batch, scale.batch, ids, targets);
      trainer.step(ids, targets, schedule.at(step, steps));
    }
    row["tuned"] = bits_of(ensemble);
    row["tuned_tokens"] = steps * scale.shape().rows();
  }
};

}  // namespace study

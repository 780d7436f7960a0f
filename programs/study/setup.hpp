// SPDX-License-Identifier: MIT
// What the runs of a study share: sizes, a text with its tokenizer, tables of every kind, one growth run as a row.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <gt/gt.hpp>
#include <gt/io/checksum.hpp>
#include <gt/io/json.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../support/program.hpp"

namespace study {

using Model = gt::Transformer<>;

/// How large the runs of a study are.
struct Scale {
  int width = 96, heads = 4, each = 2;  ///< blocks a stage; three stages
  std::int64_t vocab = 1024, context = 128, batch = 8;
  std::int64_t tokens_per_stage = 200'000;
  int seeds = 3;
  int depth() const { return 3 * each; }
  gt::BatchShape shape() const { return {batch, context}; }
  gt::BlockConfig block() const { return {.d_model = width, .heads = heads}; }
  gt::Json json() const {
    return {{"width", width},
            {"heads", heads},
            {"blocks_per_stage", each},
            {"vocab", vocab},
            {"context", context},
            {"batch", batch},
            {"tokens_per_stage", tokens_per_stage}};
  }
};

/// A text with the tokenizer that was built from it.
struct Text {
  gt::Corpus corpus;
  gt::Tokenizer tokenizer;
  gt::TrainingText data;

  Text(gt::Corpus text, gt::Tokenizer made)
      : corpus{std::move(text)}, tokenizer{std::move(made)}, data{gt::training_text(corpus, tokenizer)} {}
  explicit Text(gt::Corpus text, std::int64_t vocab) : Text(text, gt::Tokenizer::build(text, {.vocab_size = vocab})) {}

  /// Bits a byte of the held-out part when each token is predicted by how often it comes in the rest, plus one.
  double unigram_bits() const {
    auto const& train = data.tokens.train;
    auto const& held_out = data.tokens.validation;
    std::vector<double> count(static_cast<std::size_t>(tokenizer.size()), 1.0);
    auto const ids_of = [](gt::Tokens const& t) {
      std::vector<std::int32_t> ids(static_cast<std::size_t>(t.size()));
      t.copy(0, ids);
      return ids;
    };
    for (auto const id : ids_of(train)) count[static_cast<std::size_t>(id)] += 1;
    double const all = static_cast<double>(train.size() + tokenizer.size());
    double bits = 0, bytes = 0;
    auto const ids = ids_of(held_out);
    for (std::size_t i = 1; i < ids.size(); ++i) {
      auto const id = static_cast<std::size_t>(ids[i]);
      bits -= std::log2(count[id] / all), bytes += data.bytes_of_tokens[id];
    }
    return bits / bytes;
  }
};

/// Tables by name, each drawn once a seed: glyph, binary, affine, random, learned.
class Substrates {
 public:
  Substrates(gt::Tokenizer const& tokenizer, std::vector<std::string> fonts, int width)
      : tokens_{tokenizer.tokens()}, fonts_{std::move(fonts)}, width_{width} {}
  gt::FrozenTable const& operator()(std::string const& name, std::uint64_t seed) {
    bool const drawn = name == "random" || name == "learned" || name == "affine";
    auto const key = gt::text(name, " ", drawn ? seed : 0);
    auto const found = tables_.find(key);
    return found != tables_.end() ? found->second : tables_.emplace(key, draw(name, seed)).first->second;
  }

 private:
  gt::FrozenTable draw(std::string const& name, std::uint64_t seed) const {
    if (name == "binary") return gt::BinaryEmbedding::of_ids(tokens_, {.d_model = width_});
    if (name == "affine") return gt::CodeEmbedding::draw(tokens_, {.recode = gt::seed(seed), .d_model = width_});
    if (name == "random") return gt::RandomEmbedding::draw(tokens_, {.width = width_, .seed = gt::seed(seed)});
    if (name == "learned") return gt::LearnedEmbedding::start(tokens_, {.width = width_, .seed = gt::seed(seed)});
    return gt::GlyphEmbedding::draw(tokens_, gt::fonts::FontFiles(fonts_), {.width = width_});
  }
  std::vector<std::string> tokens_, fonts_;
  int width_;
  std::map<std::string, gt::FrozenTable> tables_;
};

/// Collects a run as a row, and watches that what a stage freezes keeps its bytes.
class Watch : public gt::GrowthObserver {
 public:
  Watch(Model const& model, gt::GrowthPlan const& plan) : model_{model}, plan_{plan} {}
  void stage_starts(gt::StageStart const& s) override {
    start_ = s;
    frozen_ = hashes();
  }
  void step_done(gt::StepDone const& s) override {
    if (s.evaluated) curve_.push_back({s.tokens, s.bits_per_byte});
  }
  void stage_done(gt::StageDone const& s) override {
    if (plan_[s.stage].lora.rank == 0) {  // a merge is the one declared change of frozen weights
      auto const now = hashes();
      for (auto const& [name, hash] : frozen_) kept_ = kept_ && now.contains(name) && now.at(name) == hash;
    }
    double const flops = s.step_flops * static_cast<double>(s.steps);
    flops_ += flops, seconds_ += s.train_seconds, last_ = s;
    stages_.push_back({{"trains", to_text(gt::GrowthPlan{plan_[s.stage]})},
                       {"depth", s.depth},
                       {"tokens", s.tokens},
                       {"before", s.before.bits_per_byte()},
                       {"after", s.after.bits_per_byte()},
                       {"active", s.active_parameters},
                       {"optimizer_bytes", start_.optimizer_bytes},
                       {"activation_bytes", start_.activation_bytes},
                       {"step_seconds", s.train_seconds / static_cast<double>(s.steps)},
                       {"step_flops", s.step_flops}});
  }
  gt::Json row() const {
    return {{"parameters", model_.parameter_count()},
            {"bits", last_.after.bits_per_byte()},
            {"tokens", last_.tokens},
            {"flops", flops_},
            {"train_seconds", seconds_},
            {"frozen_kept", kept_},
            {"stages", stages_},
            {"curve", curve_}};
  }

 private:
  std::map<std::string, std::uint64_t> hashes() const {
    std::map<std::string, std::uint64_t> all;
    for (auto const& p : model_.parameters()) {
      if (p.trainable) continue;
      auto const bytes = std::as_bytes(std::span(p.data, static_cast<std::size_t>(p.size())));
      all[p.name] = gt::io::Xxh3{}.update(bytes).value();
    }
    return all;
  }
  Model const& model_;
  gt::GrowthPlan const& plan_;
  gt::StageStart start_;
  gt::StageDone last_;
  std::map<std::string, std::uint64_t> frozen_;
  gt::Json stages_ = gt::Json::array(), curve_ = gt::Json::array();
  double flops_ = 0, seconds_ = 0;
  bool kept_ = true;
};

/// Thrown where a run ends by Ctrl-C: what was measured before is kept.
struct Interrupted {};

/// Grows a model, and gives its row. The schedule is that of `./run grow`.
inline gt::Json run_plan(gt::Cpu<> const& on, Model& model, gt::GrowthPlan const& plan, gt::TrainingText const& text,
                         Scale const& scale, std::int64_t tokens_per_stage, std::uint64_t seed) {
  Watch watch(model, plan);
  gt::GrowOptions const options{.batch = scale.batch,
                                .tokens_per_stage = tokens_per_stage,
                                .seed = gt::seed(seed),
                                .evaluate_every = 25,
                                .held_out_tokens = gt::all_held_out,
                                .evaluation_tokens = 4096,
                                .stop = [] { return program::interrupted != 0; }};
  auto const result = gt::grow(on, model, plan, text.tokens, text.bytes_of_tokens, options, watch);
  if (result.end == gt::GrowthEnd::stopped) throw Interrupted{};
  gt::check(result.end == gt::GrowthEnd::finished, "study", "a run must stay finite (it diverged in stage ",
            result.stage + 1, ")");
  gt::Json row = watch.row();
  row["plan"] = to_text(plan), row["seed"] = seed;
  return row;
}

}  // namespace study

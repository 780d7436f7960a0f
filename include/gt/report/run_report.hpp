// SPDX-License-Identifier: MIT
// What a report tells of a run: plain data, and an observer that collects it while the run goes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gt/grow/observer.hpp"
#include "gt/grow/plan.hpp"
#include "gt/runs/record.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

/// A stage: what it costs by the plan, and what came of it.
struct ReportStage {
  int blocks = 0, depth = 0;           ///< new ones; all
  std::int64_t steps = 0;              ///< planned
  std::int64_t tokens_per_step = 0;    ///< B T
  std::int64_t active_parameters = 0;  ///< that train
  std::int64_t total_parameters = 0;   ///< of the model when the stage is done, its embedding included
  /// Memory for the model, for AdamW's moments, and for the activations of a step.
  std::int64_t weight_bytes = 0, optimizer_bytes = 0, activation_bytes = 0;
  double step_flops = 0;  ///< floating-point operations of a step

  std::int64_t steps_done = 0;             ///< of `steps`
  std::int64_t tokens_before = 0;          ///< of the run when the stage began
  double seconds_before = 0;               ///< of the run when the stage began
  std::int64_t tokens = 0;                 ///< trained on in this stage
  double seconds = 0;                      ///< of this stage, with evaluation
  bool done = false;                       ///< false: the figures below are not there
  double train_seconds = 0;                ///< without evaluation
  double loss = 0;                         ///< nats a token, mean over the last tenth of the steps
  double bits_before = 0, bits_after = 0;  ///< bits per byte on held-out text, `look_tokens` of it
  StepProfile profile{};                   ///< of all steps
};

/// What the model wrote after a stage.
struct ReportSample {
  std::size_t stage = 0;  ///< from 0
  std::string prompt;     ///< what it was given
  std::string text;       ///< that follows it
};

/// The picture of a token, as GlyphEmbedding::raster gives it.
struct ReportGlyph {
  std::string token;                ///< its spelling
  int side = 0;                     ///< S
  std::vector<unsigned char> bits;  ///< S * S, line by line, the leftmost in the top bit of its byte, 1 = black
};

/// All that a report tells.
struct RunReport {
  std::string title = "A growing Transformer";  ///< of the page
  std::string command{};                        ///< that repeats the run
  std::string note{};                           ///< a sentence on how the run ended, if not by its plan
  double peak_flops = 0;  ///< the machine's limit, operations a second (see measure_peak); 0: not known
  /// Held-out tokens that the looks before and after each stage read, evenly spread, and that there are; 0: not known.
  std::int64_t look_tokens = 0, held_out_tokens = 0;
  std::vector<std::pair<std::string, std::string>> facts{};  ///< label and value: corpus, tokenizer, seed, version, ...
  std::vector<ReportStage> stages{};                         ///< those of the plan, whether they have run or not
  std::vector<ReportPoint> points{};                         ///< logged steps, in the order of the run
  std::vector<ReportSample> samples{};                       ///< what the model wrote on the way
  std::vector<ReportGlyph> glyphs{};                         ///< what the model sees of some tokens; see add_glyphs
};

/// Fills the stages of a report with what a plan will cost, so that a run that ends early still shows all of it.
/// `model.depth` blocks were there before; `table_width` is the substrate's; `steps` those of each stage.
inline void add_plan(RunReport& report, GrowthPlan const& plan, BlockConfig block, ModelSize model, BatchShape shape,
                     std::int64_t table_width, std::int64_t tokens_per_stage) {
  report.stages.resize(std::max(report.stages.size(), plan.size()));
  for (std::size_t i = 0; i < plan.size(); ++i) {
    ReportStage& s = report.stages[i];
    s.blocks = plan[i].blocks, s.depth = model.depth + plan.depth(i), s.steps = plan.steps(i, tokens_per_stage, shape),
    s.tokens_per_step = shape.rows();
    s.active_parameters = plan.active_parameters(i, block, model);
    s.optimizer_bytes = 8 * s.active_parameters;
    s.weight_bytes = plan.weight_bytes(i, block, model, table_width) +
                     4 * plan.adapted(i, model.depth) * plan[i].lora.parameters(block);
    s.total_parameters = s.weight_bytes / 4;
    s.activation_bytes = plan.activation_bytes(i, block, shape, model.depth);
    s.step_flops = plan.step_flops(i, block, model, shape);
  }
}

/// Adds the pictures of up to `most` tokens: a third of them single characters, the rest n-grams, each evenly spread
/// over the vocabulary. For any substrate with `raster(id)` and `raster_side()`.
template <class Substrate>
void add_glyphs(RunReport& report, Substrate const& substrate, std::vector<std::string> const& tokens,
                std::size_t most = 96) {
  std::vector<std::size_t> characters, ngrams;
  for (std::size_t i = 0; i < tokens.size() && static_cast<std::int64_t>(i) < substrate.vocab(); ++i) {
    if (is_unused_token(tokens[i]) || byte_of_token(tokens[i])) continue;
    (utf8_length(tokens[i]) <= 1 ? characters : ngrams).push_back(i);
  }
  std::size_t const few = std::max(most / 3, most - std::min(most, ngrams.size()));
  auto const add = [&](std::vector<std::size_t> const& ids, std::size_t count) {
    count = std::min(count, ids.size());
    for (std::size_t k = 0; k < count; ++k) {
      std::size_t const id = ids[k * ids.size() / count];
      auto const bits = substrate.raster(static_cast<std::int64_t>(id));
      report.glyphs.push_back({tokens[id], substrate.raster_side(), {bits.begin(), bits.end()}});
    }
    return count;
  };
  std::size_t const added = add(characters, few);
  add(ngrams, most - added);
}

/// Collects stages and logged steps of a run. Of a run that goes on from a state, the stages already done are taken
/// from there; their steps are not known any more.
///
///     gt::RunReport report{.title = "Austen"};
///     gt::ReportObserver reporter(report);
///     gt::grow(model, plan, text, {}, gt::progress_bar(), reporter);
///     gt::write_report(report, "runs/austen");
class ReportObserver : public GrowthObserver {
 public:
  /// `report` must outlive the observer; `resumed` is only read here.
  explicit ReportObserver(RunReport& report, GrowthState const* resumed = nullptr) : report_{report} {
    if (resumed == nullptr) return;
    for (StageDone const& done : resumed->stages) {
      ReportStage& s = begin(done.stage);
      s.depth = done.depth, s.active_parameters = done.active_parameters;
      stage_done(done);
    }
  }

  void stage_starts(StageStart const& start) override {
    report_.stages.resize(std::max(report_.stages.size(), start.stages));
    report_.look_tokens = start.look_tokens, report_.held_out_tokens = start.held_out_tokens;
    ReportStage& s = begin(start.stage);
    s.blocks = start.blocks, s.depth = start.depth, s.steps = start.steps, s.tokens_per_step = start.tokens_per_step;
    s.active_parameters = start.active_parameters, s.total_parameters = start.total_parameters;
    s.weight_bytes = 4 * start.total_parameters;
    s.optimizer_bytes = start.optimizer_bytes, s.activation_bytes = start.activation_bytes;
    s.step_flops = start.step_flops;
    s.steps_done = start.step, s.tokens = start.step * start.tokens_per_step;
  }
  void step_done(StepDone const& step) override {
    ReportStage& s = at(step.stage);
    s.steps_done = step.step, s.tokens = step.tokens - s.tokens_before, s.seconds = step.seconds;
    if (!step.logged) return;
    report_.points.push_back({.stage = step.stage,
                              .step = step.step,
                              .tokens = step.tokens,
                              .seconds = s.seconds_before + step.seconds,
                              .loss = step.loss,
                              .bits_per_byte = step.evaluated ? step.bits_per_byte : 0,
                              .tokens_per_second = step.tokens_per_second,
                              .lr = step.lr,
                              .gradient_norm = step.gradient_norm});
  }
  void stage_done(StageDone const& done) override {
    ReportStage& s = at(done.stage);
    s.steps = s.steps_done = done.steps;  // a policy may have ended it early
    s.tokens = done.tokens - s.tokens_before, s.seconds = done.seconds, s.train_seconds = done.train_seconds;
    s.loss = done.loss, s.bits_before = done.before.bits_per_byte(), s.bits_after = done.after.bits_per_byte();
    s.profile = done.profile, s.done = true;
    if (done.step_flops > 0) s.step_flops = done.step_flops;  // of what was computed, not taken from a prefix cache
  }

 private:
  ReportStage& at(std::size_t i) {
    report_.stages.resize(std::max(report_.stages.size(), i + 1));
    return report_.stages[i];
  }
  /// Stage `i`, which follows on the one before.
  ReportStage& begin(std::size_t i) {
    ReportStage& s = at(i);
    if (i > 0) {
      ReportStage const& last = report_.stages[i - 1];
      s.tokens_before = last.tokens_before + last.tokens, s.seconds_before = last.seconds_before + last.seconds;
    }
    return s;
  }
  RunReport& report_;
};

}  // namespace gt

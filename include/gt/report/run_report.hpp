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
#include "gt/text/utf8.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

/// A stage: what it costs, and what came of it.
struct ReportStage {
  StageStart start{};  ///< as it is planned, or as it began
  StageDone result{};  ///< what is known of it: `steps`, `tokens` and `seconds` so far, and all when it is done
  bool done = false;   ///< it has ended
  std::int64_t tokens_before = 0;  ///< of the run when the stage began
  double seconds_before = 0;       ///< of the run when the stage began
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
  std::vector<std::pair<std::string, std::string>> facts{};  ///< label and value: corpus, tokenizer, seed, version, ...
  std::vector<ReportStage> stages{};                         ///< those of the plan, whether they have run or not
  std::vector<StepDone> points{};                            ///< logged steps, in the order of the run
  std::vector<ReportSample> samples{};                       ///< what the model wrote on the way
  std::vector<ReportGlyph> glyphs{};                         ///< what the model sees of some tokens; see add_glyphs
};

/// Fills the stages of a report with what a plan will cost, so that a run that ends early still shows all of it.
/// `model.depth` blocks were there before; `table_width` is the substrate's; `steps` those of each stage.
void add_plan(RunReport& report, GrowthPlan const& plan, BlockConfig block, ModelSize model, BatchShape shape,
              std::int64_t table_width, std::int64_t tokens_per_stage);

/// Adds the pictures of up to `most` tokens: a third of them single characters, the rest n-grams, each evenly spread
/// over the vocabulary. For any substrate with `raster(id)` and `raster_side()`.
template <class Substrate>
void add_glyphs(RunReport& report, Substrate const& substrate, std::vector<std::string> const& tokens,
                std::size_t most = 96) {
  std::vector<std::size_t> characters, ngrams;
  for (std::size_t i = 0; i < tokens.size() && static_cast<std::int64_t>(i) < substrate.vocab(); ++i) {
    if (is_unused_token(tokens[i]) || byte_of_token(tokens[i])) continue;
    (utf8::length(tokens[i]) <= 1 ? characters : ngrams).push_back(i);
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
  explicit ReportObserver(RunReport& report, GrowthState const* resumed = nullptr);

  void stage_starts(StageStart const& start) override;
  void step_done(StepDone const& step) override;
  void stage_done(StageDone const& done) override;

 private:
  ReportStage& at(std::size_t i);
  /// Stage `i`, which follows on the one before.
  ReportStage& begin(std::size_t i);
  RunReport& report_;
};

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/report/run_report_impl.hpp"
#endif

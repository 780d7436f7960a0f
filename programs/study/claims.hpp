// SPDX-License-Identifier: MIT
// The claims of the papers, one by one, against the rows of a study.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <gt/io/json.hpp>
#include <gt/paper/presets.hpp>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "findings.hpp"
#include "results.hpp"

namespace study {

/// What is known of the claims. `unigram` is the held-out loss of a model that knows frequencies alone, bits a byte.
class Claims {
 public:
  Claims(Results const& results, double unigram) : results_{results}, unigram_{unigram} {}

  std::vector<Finding> all() const {
    // Each with what it takes to hold, as the report prints it.
    constexpr auto interval = "the whole interval is above 0; weakly: the mean";
    std::pair<Finding (Claims::*)() const, char const*> const claims[] = {
        {&Claims::counts, "the presets' counts are the published ones"},
        {&Claims::exact, "tested elsewhere"},
        {&Claims::frozen, "every run"},
        {&Claims::learns, "both are 20 % below frequencies alone"},
        {&Claims::beside_trainable, "the means are within 0.1"},
        {&Claims::spike, interval},
        {&Claims::recovery, "every stage; weakly: the mean"},
        {&Claims::depth_helps, interval},
        {&Claims::depth_enables, "every seed: below 30 % and above 90 %; weakly: two twice as often as one"},
        {&Claims::passages, "every seed: below 50 % and above 90 %; weakly: two twice as often as one"},
        {&Claims::grown_depth, "1+1+1 right above 90 %"},
        {&Claims::budget, "the same number in every stage, and smaller"},
        {&Claims::step_cost, "below 3 times, and above once"},
        {&Claims::lora_fits, "no phase trains more than a stage"},
        {&Claims::lora_helps, interval},
        {&Claims::lora_merges, "below 1e-4"},
        {&Claims::trade_off, interval},
        {&Claims::equal_operations, interval},
        {&Claims::equal_time, interval},
        {&Claims::six_cells, interval},
        {&Claims::averaging, interval},
        {&Claims::theorem, "at most 1e-4 nats, for rounding"},
        {&Claims::beats_the_best, interval},
        {&Claims::tunes, interval},
        {&Claims::control, interval},
        {&Claims::recoding, "the intervals meet"},
        {&Claims::artefact, "ranking is ahead of both"}};
    std::vector<Finding> found;
    for (auto const& [claim, rule] : claims) {
      found.push_back((this->*claim)());
      found.back().rule = rule;
    }
    return found;
  }

 private:
  static std::string bits(Sample const& s) { return s.text() + " bits/byte"; }
  static std::string small(double x) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "%.1e", x);
    return digits;
  }
  static std::string percent(double share) { return gt::decimals(100 * share, 1) + " %"; }

  Finding counts() const {
    // As gt/paper/presets.hpp has their sources.
    constexpr std::pair<char const*, std::int64_t> published[] = {
        {"growing-16-bit", 181'554'176}, {"growing-unicode", 247'614'464}, {"monolith-16-bit", 181'554'176},
        {"v3-16-bit", 269'699'072},      {"abs-bvv-1", 1'275'244'544},     {"abs-bvv-2", 1'476'608'000},
        {"abs-bvv-3", 1'677'971'456},    {"abs-bvv-4", 1'879'334'912},     {"abs-bvv-5", 2'080'698'368},
        {"abs-bvv-6", 2'282'061'824}};
    int right = 0;
    for (auto const& [name, count] : published) right += gt::preset(name).parameters() == count;
    return {"The counts of the papers' models: 181.6M, 247.6M, 180.5M, 105.0M, 269.7M, and 1.3 to 2.3B (claim 1)",
            gt::text(right, " of ", std::size(published), " to the last parameter"),
            right == static_cast<int>(std::size(published)) ? Verdict::held : Verdict::failed};
  }
  Finding exact() const {
    return {"The author's tokenizers, pictures and codes, bit for bit (claims 2 to 4)",
            "tests/text/bvv241.cpp, tests/substrate/bvv241_glyphs.cpp and codes.cpp, with his n-gram lists",
            Verdict::tested};
  }
  Finding frozen() const {
    int rows = 0, kept = 0;
    for (auto const* group : {"matrix/", "equal/", "lora/", "recode/"}) {
      for (auto const& row : results_.of(group)) ++rows, kept += row.at("frozen_kept").get<bool>();
    }
    return {"What a stage freezes keeps every bit (claim 5)",
            gt::text(kept, " of ", rows, " runs, by hash of every frozen tensor"),
            rows == 0      ? Verdict::missing
            : kept == rows ? Verdict::held
                           : Verdict::failed};
  }
  Finding learns() const {
    Sample const glyph = sample(results_, "matrix/glyph/at once/"), binary = sample(results_, "matrix/binary/at once/");
    if (glyph.values.empty()) return {"A model learns on a frozen table (claim 6)", "", Verdict::missing};
    double const worst = std::max(glyph.mean(), binary.mean());
    return {"A model learns on a frozen table (claim 6)",
            gt::text("pictures ", glyph.text(), ", bits of the id ", binary.text(), "; frequencies alone ",
                     gt::decimals(unigram_, 3), " bits/byte"),
            worst < 0.8 * unigram_ ? Verdict::held : Verdict::failed};
  }
  Finding beside_trainable() const {
    Sample const gap = paired(results_, "matrix/glyph/at once/", "matrix/learned/at once/");
    return {"A frozen table costs little beside a trainable one, all blocks at once (claim 6)",
            "pictures less learned: " + bits(gap),
            gap.values.empty()           ? Verdict::missing
            : std::abs(gap.mean()) < 0.1 ? Verdict::held
                                         : Verdict::failed};
  }
  // before[k + 1] - after[k] of every grown run.
  Sample jumps(std::string const& prefix) const {
    Sample s;
    for (auto const& row : results_.of(prefix)) {
      auto const& stages = row.at("stages");
      for (std::size_t i = 1; i < stages.size(); ++i)
        s.values.push_back(stages[i].at("before").get<double>() - stages[i - 1].at("after").get<double>());
    }
    return s;
  }
  Sample gains(std::string const& prefix) const {
    Sample s;
    for (auto const& row : results_.of(prefix)) {
      auto const& stages = row.at("stages");
      for (std::size_t i = 1; i < stages.size(); ++i)
        s.values.push_back(stages[i - 1].at("after").get<double>() - stages[i].at("after").get<double>());
    }
    return s;
  }
  Finding spike() const {
    Sample const s = jumps("matrix/glyph/grown/");
    return {"Held-out loss jumps when random blocks are stacked (claim 7)", bits(s), on_side(s, 1)};
  }
  Finding recovery() const {
    Sample const s = gains("matrix/");
    int better = 0;
    for (double const v : s.values) better += v > 0;
    return {"Each stage ends below the one before (claim 7)",
            gt::text(better, " of ", s.values.size(), " stages, by ", bits(s), " on average"),
            s.values.empty()                              ? Verdict::missing
            : better == static_cast<int>(s.values.size()) ? Verdict::held
            : s.mean() > 0                                ? Verdict::weak
                                                          : Verdict::failed};
  }
  Finding depth_helps() const {
    Sample first, last;
    for (auto const& row : results_.of("matrix/glyph/grown/")) {
      first.values.push_back(row.at("stages").front().at("after").get<double>());
      last.values.push_back(row.at("stages").back().at("after").get<double>());
    }
    Sample difference;
    for (std::size_t i = 0; i < first.values.size(); ++i) difference.values.push_back(first.values[i] - last.values[i]);
    return {"Depth helps: the loss at the ends of the stages falls (claim 8; more blocks have also seen more tokens)",
            first.text() + " to " + bits(last), on_side(difference, 1)};
  }
  // The share of right answers of a plan's last stage.
  Sample recall(std::string const& plan) const { return sample(results_, "recall/" + plan + "/", "right"); }
  Finding depth_enables() const {
    Sample const one = recall("1"), two = recall("2"), three = recall("3");
    if (one.values.empty() || two.values.empty())
      return {"Recall: one block fails, two or three succeed (claim 8)", "", Verdict::missing};
    bool const held = *std::max_element(one.values.begin(), one.values.end()) < 0.3 &&
                      *std::min_element(two.values.begin(), two.values.end()) > 0.9;
    return {"Recall: one block fails, two or three succeed (claim 8)",
            gt::text("right: ", percent(one.mean()), ", ", percent(two.mean()), ", ", percent(three.mean()),
                     " with 1, 2, 3 blocks; a guess: ", percent(1.0 / 6)),
            held                          ? Verdict::held
            : two.mean() > 2 * one.mean() ? Verdict::weak
                                          : Verdict::failed};
  }
  Finding passages() const {
    Sample const one = sample(results_, "passage/1/", "exact"), two = sample(results_, "passage/2/", "exact"),
                 grown = sample(results_, "passage/1+1/", "exact");
    std::string const claim = "Extracting an answer from a passage: one block fails, two succeed (claim 8)";
    if (one.values.empty() || two.values.empty()) return {claim, "", Verdict::missing};
    bool const held = *std::max_element(one.values.begin(), one.values.end()) < 0.5 &&
                      *std::min_element(two.values.begin(), two.values.end()) > 0.9;
    return {claim,
            gt::text("whole answers right: ", percent(one.mean()), " and ", percent(two.mean()),
                     " with 1 and 2 blocks, 1+1: ", percent(grown.mean()), "; a guess: 25 %"),
            held                          ? Verdict::held
            : two.mean() > 2 * one.mean() ? Verdict::weak
                                          : Verdict::failed};
  }
  Finding grown_depth() const {
    Sample const grown = recall("1+1+1"), pair = recall("2+1");
    if (grown.values.empty())
      return {"An ability that one block lacks is grown a block at a time (claim 8)", "", Verdict::missing};
    return {"An ability that one block lacks is grown a block at a time (claim 8)",
            gt::text("1+1+1: ", percent(grown.mean()), " right; 2+1: ", percent(pair.mean())),
            grown.mean() > 0.9 ? Verdict::held : Verdict::failed};
  }
  Finding budget() const {
    bool constant = true;
    std::int64_t grown = 0, whole = 0;
    for (auto const& row : results_.of("matrix/glyph/grown/")) {
      for (auto const& stage : row.at("stages")) {
        auto const active = stage.at("active").get<std::int64_t>();
        constant = constant && (grown == 0 || active == grown), grown = active;
      }
    }
    for (auto const& row : results_.of("matrix/glyph/at once/"))
      whole = row.at("stages")[0].at("active").get<std::int64_t>();
    return {"What trains, and the optimiser's memory, are the same at any depth, and less than at once (claim 9)",
            gt::text(grown, " numbers in every stage, ", whole, " at once"),
            grown == 0 || whole == 0    ? Verdict::missing
            : constant && grown < whole ? Verdict::held
                                        : Verdict::failed};
  }
  Finding step_cost() const {
    Sample growth;
    for (auto const& row : results_.of("matrix/glyph/grown/")) {
      auto const& stages = row.at("stages");
      growth.values.push_back(stages.back().at("step_seconds").get<double>() /
                              stages.front().at("step_seconds").get<double>());
    }
    Sample whole;
    for (auto const& row : results_.of("matrix/glyph/at once/")) {
      auto const* const grown = results_.find("matrix/glyph/grown/" + row.at("job").get<std::string>().substr(21));
      if (grown)
        whole.values.push_back(row.at("stages")[0].at("step_seconds").get<double>() /
                               grown->at("stages").back().at("step_seconds").get<double>());
    }
    return {"The backward pass stops at the frozen blocks: a deeper stage costs their forward pass only (claim 10)",
            gt::text("a step of the last stage takes ", growth.text(2),
                     " times one of the first; all blocks at once take ", whole.text(2), " times that"),
            growth.values.empty()                   ? Verdict::missing
            : growth.mean() < 3 && whole.mean() > 1 ? Verdict::held
                                                    : Verdict::failed};
  }
  Finding lora_fits() const {
    bool fits = true, any = false;
    for (auto const& row : results_.of("lora/")) {
      std::int64_t dense = 0;
      for (auto const& stage : row.at("stages")) {
        auto const active = stage.at("active").get<std::int64_t>();
        if (stage.at("trains").get<std::string>().starts_with("lora")) {
          any = true, fits = fits && active <= dense;
        } else {
          dense = std::max(dense, active);
        }
      }
    }
    return {"A LoRA phase holds the budget of a stage: R = floor(2 k C / 3 L) (claim 11)",
            "128 at the paper's 16 layers, by static_assert; here in every phase",
            !any   ? Verdict::missing
            : fits ? Verdict::held
                   : Verdict::failed};
  }
  Finding lora_helps() const {
    Sample gain;
    for (auto const& row : results_.of("lora/")) {
      auto const& stages = row.at("stages");
      for (std::size_t i = 1; i < stages.size(); ++i) {
        if (stages[i].at("trains").get<std::string>().starts_with("lora"))
          gain.values.push_back(stages[i - 1].at("after").get<double>() - stages[i].at("after").get<double>());
      }
    }
    Sample const against = paired(results_, "matrix/glyph/grown/", "lora/glyph/");
    return {"A LoRA phase lowers the loss (claim 12); beside it: on equal tokens, growing without phases less with",
            gt::text("by ", bits(gain), "; on equal tokens ", bits(against)), on_side(gain, 1)};
  }
  Finding lora_merges() const {
    Sample const s = sample(results_, "merge/", "largest_difference");
    return {"Merging adapters changes no logit (claim 12)",
            s.values.empty()
                ? ""
                : "largest difference of a logit " + small(*std::max_element(s.values.begin(), s.values.end())),
            s.values.empty()                                             ? Verdict::missing
            : *std::max_element(s.values.begin(), s.values.end()) < 1e-4 ? Verdict::held
                                                                         : Verdict::failed};
  }
  Finding trade_off() const {
    Sample const s = paired(results_, "matrix/glyph/grown/", "matrix/glyph/at once/");
    return {"On equal tokens growing is behind training all blocks at once (claim 13)", "by " + bits(s), on_side(s, 1)};
  }
  Finding against_equal(std::string const& what, std::string const& claim) const {
    Sample const s = paired(results_, "equal/glyph/" + what + "/", "matrix/glyph/grown/");
    return {claim, "by " + bits(s), on_side(s, 1)};
  }
  Finding equal_operations() const {
    return against_equal("equal operations",
                         "On equal operations growing is ahead of training all blocks at once (claim 13)");
  }
  Finding equal_time() const {
    return against_equal("equal time", "In equal time growing is ahead of training all blocks at once (claim 13)");
  }
  Finding six_cells() const {
    Sample const s = paired(results_, "matrix/learned/grown/", "matrix/glyph/grown/");
    return {"Grown on pictures is ahead of grown on a table that trains in the first stage (claim 14, either may win)",
            "by " + bits(s), on_side(s, 1)};
  }

  // f(row, language index) for each language of each merging with such tables.
  template <class F>
  Sample over_languages(std::string const& substrate, F const& f) const {
    Sample s;
    for (auto const& row : results_.of("compose/" + substrate + "/")) {
      for (std::size_t l = 0; l < row.at("languages").size(); ++l) s.values.push_back(f(row, l));
    }
    return s;
  }
  static double off_domain(gt::Json const& row, std::size_t l) {
    double sum = 0;
    auto const& experts = row.at("experts");
    for (std::size_t e = 0; e < experts.size(); ++e) sum += e == l ? 0 : experts[e][l].get<double>();
    return sum / static_cast<double>(experts.size() - 1);
  }
  Finding averaging() const {
    return averaging_with(
        "glyph", "The mean of logits works without training: better than the experts of other languages (claim 15)");
  }
  Finding control() const {
    Finding f = averaging_with(
        "learned", "The same with tables learned apart: a frozen table is not what makes averaging work (claim 17)");
    return f;
  }
  Finding averaging_with(std::string const& substrate, std::string const& claim) const {
    Sample const s = over_languages(substrate, [](gt::Json const& row, std::size_t l) {
      return off_domain(row, l) - row.at("mean")[l].get<double>();
    });
    return {claim, "below their mean by " + bits(s), on_side(s, 1)};
  }
  Finding theorem() const {
    Sample s;
    for (auto const& row : results_.of("compose/")) s.values.push_back(row.at("worst_excess").get<double>());
    double const worst = s.values.empty() ? 0 : *std::max_element(s.values.begin(), s.values.end());
    return {"On every token the mean's loss is at most the mean of the experts' losses (claim 15, a theorem)",
            gt::text("largest excess ", small(worst), " nats"),
            s.values.empty() ? Verdict::missing
            : worst < 1e-4   ? Verdict::held
                             : Verdict::failed};
  }
  Finding beats_the_best() const {
    Sample const s = over_languages("glyph", [](gt::Json const& row, std::size_t l) {
      return row.at("experts")[l][l].get<double>() - row.at("mean")[l].get<double>();
    });
    return {"The merged model surpasses the expert of the language (claimed of MMLU in v1)", "ahead by " + bits(s),
            on_side(s, 1)};
  }
  Finding tunes() const {
    Sample const s = over_languages("glyph", [](gt::Json const& row, std::size_t l) {
      return row.at("mean")[l].get<double>() - row.at("tuned")[l].get<double>();
    });
    return {"A merged model improves when its heads alone train on (claim 16)", "by " + bits(s), on_side(s, 1)};
  }
  Finding recoding() const {
    Sample const recoded = sample(results_, "recode/affine/"), plain = sample(results_, "matrix/binary/grown/");
    if (recoded.values.empty() || plain.values.empty())
      return {"Any affine recoding of the ids does as well (claim 18)", "", Verdict::missing};
    double const gap = std::abs(recoded.mean() - plain.mean());
    double const spread = recoded.half_width().value_or(0) + plain.half_width().value_or(0);
    return {"Any affine recoding of the ids does as well (claim 18)",
            gt::text("recoded ", recoded.text(), ", as they are ", plain.text(), " bits/byte"),
            gap <= spread ? Verdict::held : Verdict::failed};
  }
  Finding artefact() const {
    Sample one, two, ranked;
    for (auto const& row : results_.of("artefact/")) {
      one.values.push_back(row.at("one token").at("right").get<double>());
      two.values.push_back(row.at("two tokens").at("right").get<double>());
      ranked.values.push_back(row.at("by text").at("per_byte").get<double>());
    }
    return {"The papers' way of asking measures form: one new token, two, and ranking by likelihood differ (claim 19)",
            gt::text("right: ", percent(one.mean()), ", ", percent(two.mean()), ", ", percent(ranked.mean()),
                     "; a guess: 25 %"),
            ranked.values.empty()                                      ? Verdict::missing
            : ranked.mean() > two.mean() && ranked.mean() > one.mean() ? Verdict::held
                                                                       : Verdict::failed};
  }

  Results const& results_;
  double unigram_;
};

}  // namespace study

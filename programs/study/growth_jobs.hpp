// SPDX-License-Identifier: MIT
// Growing against training at once, on every kind of table; LoRA phases; recoded ids.
#pragma once

#include <cstdint>
#include <functional>
#include <gt/paper/named_plans.hpp>
#include <string>
#include <vector>

#include "results.hpp"
#include "setup.hpp"

namespace study {

/// One measurement: it runs when the results have no row of its name.
struct Job {
  std::string name;
  std::function<gt::Json()> run;
};

/// What the jobs of growing share.
struct GrowthStudy {
  gt::Cpu<> on;
  Scale scale;
  Text const& text;
  Substrates& substrates;
  Results const& results;

  static constexpr double plan_lr = 1e-3;
  gt::StageOptions stage() const { return {.schedule = {.lr = plan_lr}}; }

  gt::Json grown(std::string const& substrate, gt::GrowthPlan const& plan, std::int64_t tokens_per_stage,
                 std::uint64_t seed) const {
    Model model(substrates(substrate, seed), scale.block(), gt::seed(seed), {.context = scale.context});
    gt::Json row = run_plan(on, model, plan, text.data, scale, tokens_per_stage, seed);
    row["substrate"] = substrate;
    return row;
  }
  gt::GrowthPlan in_stages(bool table) const {
    auto plan = gt::plans::in_stages(scale.depth(), scale.each, stage());
    plan[0].train_table = table;
    return plan;
  }
  gt::GrowthPlan at_once(bool table) const {
    gt::StageOptions o = stage();
    o.train_table = table;
    return {gt::deepen(scale.depth(), o)};
  }
  std::int64_t all_tokens() const { return 3 * scale.tokens_per_stage; }

  /// Tokens that a monolith may see for the operations, or the seconds, that a grown run of `seed` took.
  std::int64_t equal_tokens(std::string const& substrate, std::uint64_t seed, char const* what) const {
    auto const* const grown = results.find(gt::text("matrix/", substrate, "/grown/", seed));
    auto const* const whole = results.find(gt::text("matrix/", substrate, "/at once/", seed));
    gt::check(grown && whole, "study", "the runs of equal tokens must come first");
    double const a_token = (*whole)[what].get<double>() / (*whole)["tokens"].get<double>();
    return static_cast<std::int64_t>((*grown)[what].get<double>() / a_token);
  }

  /// The six cells, random rows, monoliths of equal operations and seconds, LoRA phases, recodings.
  std::vector<Job> jobs() const {
    std::vector<Job> all;
    auto const add = [&](std::string name, std::function<gt::Json()> run) {
      all.push_back({std::move(name), std::move(run)});
    };
    for (int s = 1; s <= scale.seeds; ++s) {
      auto const seed = static_cast<std::uint64_t>(s);
      for (std::string const substrate : {"glyph", "binary", "learned", "random"}) {
        bool const table = substrate == "learned";
        add(gt::text("matrix/", substrate, "/grown/", s),
            [=, this] { return grown(substrate, in_stages(table), scale.tokens_per_stage, seed); });
        if (substrate == "random") continue;
        add(gt::text("matrix/", substrate, "/at once/", s),
            [=, this] { return grown(substrate, at_once(table), all_tokens(), seed); });
      }
      for (auto const& [name, what] : {std::pair{"equal operations", "flops"}, {"equal time", "train_seconds"}}) {
        std::string const of = what;
        add(gt::text("equal/glyph/", name, "/", s),
            [=, this] { return grown("glyph", at_once(false), equal_tokens("glyph", seed, of.c_str()), seed); });
      }
      // LoRA phases on the tokens that growing without them has: the stages are shorter.
      add(gt::text("lora/glyph/", s), [=, this] {
        auto const plan = gt::plans::within_budget(scale.depth(), scale.each, scale.block(), 0.5, stage());
        auto const tokens = static_cast<std::int64_t>(static_cast<double>(all_tokens()) / plan.tokens());
        return grown("glyph", plan, tokens, seed);
      });
      add(gt::text("recode/affine/", s),
          [=, this] { return grown("affine", in_stages(false), scale.tokens_per_stage, seed); });
    }
    return all;
  }
};

}  // namespace study

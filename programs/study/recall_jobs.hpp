// SPDX-License-Identifier: MIT
// Recall and questions about passages by models of several depths; and what merging adapters does to logits.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <gt/eval/retrieval_recall.hpp>
#include <gt/gt.hpp>
#include <gt/io/json.hpp>
#include <string>
#include <vector>

#include "../support/task_run.hpp"
#include "growth_jobs.hpp"
#include "setup.hpp"

namespace study {

/// Six pairs, as `./run depth` asks them.
inline gt::AssociativeRecall recall_task(std::uint64_t seed) {
  return gt::AssociativeRecall(
      {.pairs = 6, .queries = 12, .keys = 12, .values = 12, .fewest_pairs = 1, .seed = gt::seed(seed)});
}

/// Models of several plans that learn a task, as a row each: `group`/plan/seed. `right` is the share of tokens asked
/// for, `exact` that of whole answers.
template <class MakeTask>
void add_task_jobs(std::vector<Job>& all, std::string const& group, std::vector<std::string> const& plans,
                   std::int64_t steps, double lr, int seeds, MakeTask const& task_of) {
  for (int s = 1; s <= seeds; ++s) {
    for (auto const& plan : plans) {
      all.push_back({gt::text(group, "/", plan, "/", s), [=] {
                       auto const seed = static_cast<std::uint64_t>(s);
                       gt::Json stages = gt::Json::array();
                       program::TaskRun const run{.plan = plan, .seed = seed, .steps = steps, .lr = lr};
                       bool const done =
                           program::train_on_task(gt::Cpu<>(1), task_of(seed), run, [&](auto const& stage) {
                             stages.push_back({{"depth", stage.depth},
                                               {"loss", stage.loss},
                                               {"right", stage.score.accuracy()},
                                               {"exact", stage.score.exact_match()}});
                           });
                       if (!done) throw Interrupted{};
                       return gt::Json{{"plan", plan},
                                       {"seed", seed},
                                       {"steps", steps},
                                       {"stages", stages},
                                       {"right", stages.back()["right"]},
                                       {"exact", stages.back()["exact"]}};
                     }});
    }
  }
}
/// Plans of one to three blocks, at once and grown; of the longer task the shortest of them.
inline std::vector<Job> task_jobs(bool quick, int seeds) {
  std::vector<Job> all;
  if (quick) seeds = 1;
  add_task_jobs(all, "recall", {"1", "2", "3", "1+1+1", "2+1"}, quick ? 500 : 1000, 3e-3, seeds, recall_task);
  add_task_jobs(all, "passage", {"1", "2", "1+1"}, quick ? 100 : 4000, 2e-3, seeds,
                [](std::uint64_t seed) { return program::passage_task(seed); });
  return all;
}

/// The largest change of a logit when adapters that have trained for `steps` steps are merged.
inline Job merge_job(GrowthStudy const& g, std::int64_t steps) {
  return {"merge/glyph", [=] {
            Model model(g.substrates("glyph", 1), g.scale.block(), gt::seed(1), {.context = g.scale.context});
            model.append(g.scale.depth());
            model.attach_adapters({.rank = 8, .alpha = 16});
            model.set_adapters_trainable(true);
            gt::Trainer trainer(g.on, model, g.scale.shape());
            gt::WindowLoader const windows(g.text.data.tokens.train, g.scale.context, gt::seed(1));
            auto const rows = static_cast<std::size_t>(g.scale.shape().rows());
            std::vector<std::int32_t> ids(rows), targets(rows);
            for (std::int64_t step = 0; step < steps; ++step) {
              windows.fill(step * g.scale.batch, g.scale.batch, ids, targets);
              trainer.step(ids, targets, 1e-3);
            }
            auto const window = std::span<std::int32_t const>(ids).first(static_cast<std::size_t>(g.scale.context));
            auto const before = gt::logits(g.on, model, window);
            model.merge_adapters(g.on);
            auto const after = gt::logits(g.on, model, window);
            double largest = 0;
            for (std::int64_t i = 0; i < before.memory.size(); ++i)
              largest = std::max(
                  largest, std::abs(static_cast<double>(before.memory[i]) - static_cast<double>(after.memory[i])));
            return gt::Json{{"largest_difference", largest}, {"steps", steps}};
          }};
}

}  // namespace study

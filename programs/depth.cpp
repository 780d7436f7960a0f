// SPDX-License-Identifier: MIT
// What depth is for: tasks that one block cannot solve, by models of several depths, from scratch and grown.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <gt/eval/retrieval_recall.hpp>
#include <gt/gt.hpp>
#include <gt/io/atomic_file.hpp>
#include <gt/io/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "support/program.hpp"
#include "support/task_run.hpp"

namespace program::deepening {
namespace {

struct Arguments {
  std::string task = "recall", json;
  std::vector<int> depths{1, 2, 3};
  std::vector<std::string> plans;
  std::int64_t seeds = 3, steps = 0, batch = 32, samples = 1024;
  int pairs = 6, people = 4, threads = 1;
  double lr = 0;
  bool quick = false;
};

// A line of the table, and of the file: a model at the end of a stage.
struct Row : program::TaskStage {
  std::string plan{};
  std::int64_t seed = 0;
};

gt::Json json(Row const& r, Arguments const& a, double chance) {
  return {{"task", a.task},       {"plan", r.plan},
          {"stage", r.stage + 1}, {"depth", r.depth},
          {"seed", r.seed},       {"steps", r.steps},
          {"batch", a.batch},     {"accuracy", r.score.accuracy()},
          {"loss", r.loss},       {"exact_match", r.score.exact_match()},
          {"chance", chance},     {"answers", a.task == "recall" ? r.score.tokens : r.score.samples},
          {"seconds", r.seconds}};
}

// The share of right answers: of recall a token each, of a passage all tokens of the completion.
double right(Row const& r, Arguments const& a) {
  return a.task == "recall" ? r.score.accuracy() : r.score.exact_match();
}

// One line a plan and stage: the mean over seeds, and between which of them it lies. A model has learnt the task or has
// not, so that seeds are not spread like a normal distribution.
void print(std::vector<Row> const& rows, Arguments const& a) {
  std::printf("\n  plan           blocks   steps   right, mean of %lld   lowest ... highest\n",
              static_cast<long long>(a.seeds));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto const same = [&](Row const& r) { return r.plan == rows[i].plan && r.stage == rows[i].stage; };
    if (std::any_of(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(i), same)) continue;
    double sum = 0, lowest = 1, highest = 0, count = 0;
    for (Row const& r : rows) {
      if (!same(r)) continue;
      double const share = right(r, a);
      sum += share, ++count, lowest = std::min(lowest, share), highest = std::max(highest, share);
    }
    auto const plan = gt::text(rows[i].plan, rows[i].stage > 0 ? gt::text(" (", rows[i].stage + 1, ")") : "");
    std::printf("  %-15s %5d  %6lld  %18.1f %%   %6.1f ... %.1f\n", plan.c_str(), rows[i].depth,
                static_cast<long long>(rows[i].steps), 100 * sum / count, 100 * lowest, 100 * highest);
  }
}

template <class MakeTask>
int compare(Arguments const& a, MakeTask const& task_of) {
  gt::Cpu<> const on(a.threads);
  program::introduce(on);
  std::optional<gt::io::AtomicFile> file;
  if (!a.json.empty()) program::check_replaceable(a.json, "{\"", "depth", "a file of JSON lines");
  if (!a.json.empty()) file.emplace(a.json);  // found to be writable before anything is trained
  std::vector<Row> rows;
  double const chance = task_of(1).chance();
  std::printf("a guess among what the context shows: %.1f %%; %lld tokens a sequence, %lld symbols, width %d\n",
              100 * chance, static_cast<long long>(task_of(1).context()), static_cast<long long>(task_of(1).vocab()),
              program::task_block.d_model);
  auto const done = [&](Row const& row) {
    rows.push_back(row);
    std::printf("  seed %lld  plan %-8s stage %zu  %d blocks  %5.1f %%  loss %.3f  %.1f s\n",
                static_cast<long long>(row.seed), row.plan.c_str(), row.stage + 1, row.depth, 100 * right(row, a),
                row.loss, row.seconds);
    std::fflush(stdout);
    if (file) file->write(json(row, a, chance).dump() + "\n");
  };
  bool complete = true;
  for (std::int64_t seed = 1; seed <= a.seeds && complete; ++seed) {
    auto const task = task_of(static_cast<std::uint64_t>(seed));
    for (auto const& plan : a.plans) {
      program::TaskRun const how{.plan = plan,
                                 .seed = static_cast<std::uint64_t>(seed),
                                 .steps = a.steps,
                                 .batch = a.batch,
                                 .samples = a.samples,
                                 .lr = a.lr};
      complete = complete && program::train_on_task(on, task, how, [&](program::TaskStage const& stage) {
                   done(Row{{stage}, plan, seed});
                 });
    }
  }
  if (!rows.empty()) print(rows, a);
  if (file) file->commit();
  return complete ? 0 : program::interrupted_status();
}

// What depends on other options; and what no run can have.
void settle(Arguments& a) {
  bool const recall = a.task == "recall";
  if (a.steps == 0) a.steps = a.quick ? 800 : recall ? 1000 : 4000;
  if (a.lr == 0) a.lr = recall ? 3e-3 : 2e-3;
  if (a.quick) a.seeds = 1;
  if (a.plans.empty()) {
    std::string grown;
    for (int const depth : a.depths) {
      gt::check(depth >= 1 && depth <= 16, "depth", "--depths must lie in 1 ... 16 (got ", depth, ")");
      a.plans.push_back(std::to_string(depth));
    }
    int const most = *std::max_element(a.depths.begin(), a.depths.end());
    for (int i = 0; i < most; ++i) grown += i > 0 ? "+1" : "1";
    if (most > 1) a.plans.push_back(grown);
    if (most > 2) a.plans.push_back(gt::text("2+", most - 2));
  }
  for (auto const& plan : a.plans) gt::parse_plan(plan);
  gt::check(a.seeds >= 1 && a.steps >= 1 && a.batch >= 1 && a.samples >= 1, "depth",
            "--seeds, --steps, --batch and --samples must be positive");
  gt::check(a.batch <= 65536, "depth", "--batch must lie in 1 ... 65536 (got ", a.batch, ")");
  gt::check(a.lr > 0 && a.lr < 1, "depth", "--lr must lie between 0 and 1 (got ", a.lr, ")");
}

}  // namespace
}  // namespace program::deepening

int program::depth(int argc, char** argv) {
  using namespace deepening;
  CLI::App app{"Trains models of several depths on a task that needs more than one block, and tells who learns it.",
               "gt depth"};
  Arguments a;
  auto const option = [&](char const* name, auto& value, char const* what) {
    return app.add_option(name, value, what)->capture_default_str();
  };
  option("--task", a.task, "recall: pairs of symbols; passage: a question about a small text")
      ->check(CLI::IsMember({"recall", "passage"}));
  auto const depths =
      option("--depths", a.depths, "blocks of the models trained at once; the deepest is also grown")->delimiter(',');
  app.add_option("--plans", a.plans, "instead: plans, such as 2,1+1,1+all")->delimiter(',')->excludes(depths);
  option("--seeds", a.seeds, "runs of each, seeds 1, 2, ...");
  option("--steps", a.steps, "training steps of each stage; 0: 1000 for recall, 4000 for passage, 800 if quick");
  option("--pairs", a.pairs, "recall: pairs in a sequence");
  option("--people", a.people, "passage: people in it, 1 to 16");
  option("--batch", a.batch, "sequences of a step");
  option("--lr", a.lr, "peak learning rate; 0: 3e-3 for recall, 2e-3 for passage");
  option("--samples", a.samples, "held-out sequences to answer");
  app.add_option("--json", a.json, "writes a JSON line for each model to this file");
  option("--threads", a.threads, "0: all cores; these models are too small to share");
  app.add_flag("--quick", a.quick, "one seed, fewer steps");
  CLI11_PARSE(app, argc, argv);

  program::catch_interrupts();
  return program::guarded([&] {
    settle(a);
    if (a.task == "recall") {
      gt::check(a.pairs >= 1 && a.pairs <= 1024, "depth", "--pairs must lie in 1 ... 1024 (got ", a.pairs, ")");
      return compare(a, [&](std::uint64_t seed) {
        return gt::AssociativeRecall({.pairs = a.pairs,
                                      .queries = 2 * a.pairs,
                                      .keys = 2 * a.pairs,
                                      .values = 2 * a.pairs,
                                      .fewest_pairs = 1,
                                      .seed = gt::seed(seed)});
      });
    }
    return compare(a, [&](std::uint64_t seed) { return program::passage_task(seed, a.people); });
  });
}

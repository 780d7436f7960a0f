// SPDX-License-Identifier: MIT
// A small model that learns a task by a plan, stage by stage: what `depth` and `study` share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <gt/eval/retrieval.hpp>
#include <gt/eval/retrieval_passage.hpp>
#include <gt/gt.hpp>
#include <string>
#include <vector>

#include "program.hpp"

namespace program {

inline constexpr gt::BlockConfig task_block{.d_model = 32, .heads = 2};  ///< of models that learn a task
using TaskModel = gt::Transformer<>;

/// How a task is learned.
struct TaskRun {
  std::string plan = "2";
  std::uint64_t seed = 1;
  std::int64_t steps = 1000, batch = 32, samples = 1024;  ///< steps a stage; held-out sequences to answer
  double lr = 3e-3;
};
/// A model at the end of a stage.
struct TaskStage {
  std::size_t stage = 0;
  int depth = 0;
  std::int64_t steps = 0;        ///< of all stages until then
  double loss = 0, seconds = 0;  ///< loss: mean of the last tenth of the stage
  gt::RetrievalScore score{};
};

/// Questions about passages of `people` people, as models of width 32 learn them in 4000 steps.
inline gt::PassageRetrieval<gt::PassageWords> passage_task(std::uint64_t seed, int people = 4) {
  return gt::PassageRetrieval(
      gt::PassageWords(),
      {.people = people, .fewest_people = 1, .questions = 12, .terse = 0.5, .seed = gt::seed(seed)});
}

/// Blocks start at N(0, 0.02^2), which suits a width of hundreds. At 32 attention then stays uniform for so long that
/// 2000 steps taught recall to no model. Five times that is 1 / sqrt(3 C), the deviation of torch.nn.Linear's start.
inline void widen_start(TaskModel& model, int from) {
  for (int l = from; l < model.depth(); ++l) {
    auto& b = model.blocks()[static_cast<std::size_t>(l)];
    for (int t = 0; t < TaskModel::block_type::tensor_count; ++t) {
      if (b.spec(t).columns == 0) continue;  // norms and biases
      float* const w = b.weights().data() + b.offset(t);
      std::for_each(w, w + b.spec(t).size(), [](float& x) { x *= 5; });
    }
  }
}

/// Runs a plan, stage by stage, with a loop of its own: targets are answers, which windows of a text have not. Calls
/// `done` with each stage; false if it was interrupted.
template <class Task, class F>
bool train_on_task(gt::Cpu<> const& on, Task const& task, TaskRun const& run, F const& done) {
  auto const plan = gt::parse_plan(run.plan, {.schedule = {.lr = run.lr, .warmup = 50}});
  std::vector<std::string> symbols;
  for (std::int64_t i = 0; i < task.vocab(); ++i) symbols.push_back("symbol " + std::to_string(i));
  auto const start = gt::seed(run.seed);
  TaskModel model(gt::RandomEmbedding::draw(symbols, {.width = task_block.d_model, .seed = start}),
                  gt::fixed<task_block>, start, {.context = task.context()});
  gt::BatchShape const shape{.batch = run.batch, .tokens = task.context()};
  std::vector<std::int32_t> ids(static_cast<std::size_t>(shape.rows())), targets(ids.size());
  double const began = gt::seconds_now();
  TaskStage now;
  for (std::size_t stage = 0; stage < plan.size(); ++stage) {
    int const below = model.depth();
    gt::detail::enter_stage(model, plan, stage, plan.depth());
    widen_start(model, below);
    gt::Trainer trainer(on, model, shape);
    now.loss = 0;
    for (std::int64_t step = 0; step < run.steps; ++step) {
      task.fill(gt::TaskPart::train, now.steps++ * run.batch, run.batch, ids, targets);
      double const loss = trainer.step(ids, targets, plan[stage].schedule.at(step, run.steps)).loss;
      if (step >= run.steps - (run.steps + 9) / 10) now.loss += loss / static_cast<double>((run.steps + 9) / 10);
      if (interrupted != 0) return false;
    }
    model.merge_adapters(on);
    now.stage = stage, now.depth = model.depth();
    now.score = gt::score_retrieval(on, model, task, {.samples = run.samples});
    now.seconds = gt::seconds_since(began);
    done(now);
  }
  return true;
}

}  // namespace program

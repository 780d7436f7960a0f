// SPDX-License-Identifier: MIT
// What a growth plan costs: parameters, memory and time, stage by stage, of a preset or of sizes of one's own; and,
// with
// --step, one stage's real training step on random weights.
#include <sys/resource.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <gt/backend/cpu/peak.hpp>
#include <gt/gt.hpp>
#include <gt/paper.hpp>
#include <string>
#include <vector>

#include "commands.hpp"
#include "support/grow_memory.hpp"
#include "support/grow_tables.hpp"
#include "support/memory.hpp"
#include "support/program.hpp"

namespace program::planning {
namespace {

struct Arguments {
  std::string preset, plan = "3+3+3";
  int width = 256, heads = 8, table_width = 0, stage = 0, threads = 0;
  std::int64_t vocab = 4096, batch = 8, context = 0, tokens = 0;
  bool head_bias = false, step = false, list = false;
};

// A model that a plan grows.
struct Planned {
  gt::BlockConfig block;
  gt::ModelSize size;
  gt::GrowthPlan plan;
  gt::BatchShape shape;
  std::string title;

  std::int64_t weights(std::size_t i) const { return program::weights_of_stage(plan, i, block, size); }
  // Gradients and AdamW's moments.
  std::int64_t optimiser(std::size_t i) const { return 12 * plan.active_parameters(i, block, size); }
  std::int64_t activations(std::size_t i) const { return plan.activation_bytes(i, block, shape); }
  std::int64_t memory(std::size_t i) const { return program::memory_of_stage(plan, i, block, size, shape); }
  double flops(std::size_t i) const { return plan.step_flops(i, block, size, shape); }
};

Planned planned(Arguments const& a) {
  if (!a.preset.empty()) {
    gt::Preset const& p = gt::preset(a.preset);
    return {p.block, p.size(), p.plan, {a.batch, a.context > 0 ? a.context : p.context}, std::string(p.about)};
  }
  gt::BlockConfig const block{.d_model = a.width, .heads = a.heads};
  gt::nn::check_block(block);
  gt::check(a.vocab > 0, "plan", "--vocab must be positive (got ", a.vocab, ")");
  gt::check(a.vocab < 1'000'000'000, "plan", "--vocab must be below 1000000000 (got ", a.vocab, ")");
  gt::check(a.table_width >= 0 && (a.table_width == 0 || a.width % a.table_width == 0), "plan",
            "--table-width must divide the width (got ", a.table_width, " and ", a.width, ")");
  auto const slash = a.plan.find('/');
  int const depth = slash == a.plan.npos ? 0 : gt::growth::small_number(std::string_view(a.plan).substr(slash + 1));
  gt::check(depth >= 0, "plan", "the depth of a named plan must lie in 1 ... 4096 (got '", a.plan, "')");
  auto const plan =
      slash == a.plan.npos ? gt::parse_plan(a.plan) : gt::plans::named(a.plan.substr(0, slash), depth, block);
  gt::growth::check_plan(plan, block);
  return {block,
          {.vocab = a.vocab, .head_bias = a.head_bias, .table_width = a.table_width > 0 ? a.table_width : a.width},
          plan,
          {a.batch, a.context > 0 ? a.context : 256},
          gt::text(a.plan, " at width ", a.width)};
}

// Operations a second of a training step of one block of this width and a head, on this machine; 0 where there is no
// memory for them.
double measured_speed(gt::Cpu<> const& on, Planned const& p, std::int64_t there) {
  std::int64_t const vocab = std::min<std::int64_t>(p.size.vocab, 8192),
                     T = std::min<std::int64_t>(p.shape.tokens, 256);
  gt::BatchShape const shape{std::max<std::int64_t>(1, 512 / T), T};
  gt::GrowthPlan const one{gt::deepen(1)};
  if (there != 0 && program::memory_of_stage(one, 0, p.block, {vocab, false, p.block.d_model}, shape) > there) return 0;
  gt::Transformer model(gt::BinaryEmbedding::of_ids(vocab, {.d_model = p.block.d_model}), p.block, gt::seed(1),
                        {.context = T});
  gt::enter_stage(model, one, 0, 1);
  gt::Trainer trainer(on, model, shape);
  std::vector<std::int32_t> const ids(static_cast<std::size_t>(shape.rows()), 1);
  trainer.step(ids, ids, 0);
  double const start = gt::seconds_now();
  trainer.step(ids, ids, 0);
  return one.step_flops(0, model.config(), {vocab}, shape) / gt::seconds_since(start);
}

void print(Planned const& p, double speed, std::int64_t tokens) {
  std::printf(
      "\n%s\n%s parameters; C %d, H %d, V %lld, %lld numbers a token in the table; steps of %lld x %lld tokens\n\n",
      p.title.c_str(), number(p.weights(p.plan.size() - 1) / 4).c_str(), p.block.d_model, p.block.heads,
      static_cast<long long>(p.size.vocab), static_cast<long long>(p.size.table_width),
      static_cast<long long>(p.shape.batch), static_cast<long long>(p.shape.tokens));
  std::printf("  stage      trains  depth    active  weights  optimiser  activations   memory   a step  1M tokens\n");
  double all = 0;
  for (std::size_t i = 0; i < p.plan.size(); ++i) {
    double const step = p.flops(i) / speed, tokens_a_step = static_cast<double>(p.shape.rows());
    std::printf("  %5zu  %10s  %5d  %8s  %7s  %9s  %11s  %7s  %7s  %9s\n", i + 1,
                to_text(gt::GrowthPlan{p.plan[i]}).c_str(), p.plan.depth(i),
                number(p.plan.active_parameters(i, p.block, p.size)).c_str(), number(p.weights(i), "B").c_str(),
                number(p.optimiser(i), "B").c_str(), number(p.activations(i), "B").c_str(),
                number(p.memory(i), "B").c_str(), speed > 0 ? gt::short_time(step).c_str() : "-",
                speed > 0 ? gt::short_time(step * 1e6 / tokens_a_step).c_str() : "-");
    all += p.plan[i].tokens / p.plan.tokens() * static_cast<double>(tokens) / tokens_a_step * step;
  }
  std::printf(
      "\ntrains: new blocks; all: those below too; loraR: adapters of rank R; table. optimiser: gradients and two "
      "moments.\nmemory: all of it, with the frozen blocks packed for their products. %s\n",
      speed > 0 ? ("Times by " + number(speed, "FLOP/s") + ", measured here with one block.").c_str()
                : "There is no memory to measure\ntimes with one block.");
  if (tokens > 0 && speed > 0) std::printf("%s tokens: %s\n", number(tokens).c_str(), gt::short_time(all).c_str());
  std::fflush(stdout);
}

std::int64_t peak_memory() {
  rusage usage{};
  return ::getrusage(RUSAGE_SELF, &usage) == 0 ? std::int64_t{usage.ru_maxrss} * 1024 : 0;  // kB on Linux
}

// Makes the model of a stage from random weights, and two training steps of it.
int take_step(gt::Cpu<> const& on, Planned const& p, std::size_t stage) {
  std::printf("\nstage %zu of %zu on random weights: needs about %s, of %s there are\n", stage + 1, p.plan.size(),
              number(p.memory(stage), "B").c_str(), number(program::available_memory(), "B").c_str());
  std::fflush(stdout);
  double start = gt::seconds_now();
  int const n = static_cast<int>(p.size.table_width);
  gt::Buffer<float> rows(p.size.vocab * n);
  gt::Random const random(gt::seed(1), gt::Purpose::substrate);
  for (std::int64_t i = 0; i < rows.size(); ++i)
    rows[i] = static_cast<float>(random.below(2, static_cast<std::uint64_t>(i)));
  gt::Transformer model(gt::FrozenTable(gt::LearnedEmbedding::name, p.size.vocab, n, std::move(rows), "random bits"),
                        p.block, gt::seed(1), {.context = p.shape.tokens, .head_bias = p.size.head_bias});
  for (std::size_t i = 0; i <= stage; ++i) {
    gt::check(program::interrupted == 0, "plan", "interrupted");
    if (i < stage) {
      model.append(p.plan[i].blocks, p.plan[i].init, p.plan.depth());
    } else {
      gt::enter_stage(model, p.plan, i, p.plan.depth());
    }
  }
  std::printf("made %s parameters in %s\n", number(model.parameter_count()).c_str(),
              gt::short_time(gt::seconds_since(start)).c_str());
  std::fflush(stdout);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(p.shape.rows())), targets = ids;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(p.size.vocab), 2 * i));
    targets[i] = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(p.size.vocab), 2 * i + 1));
  }
  gt::Trainer trainer(on, model, p.shape);
  double const peak = gt::measure_peak(on);
  for (int step = 1; step <= 2 && program::interrupted == 0; ++step) {
    start = gt::seconds_now();
    auto const result = trainer.step(ids, targets, 1e-3);
    double const seconds = gt::seconds_since(start);
    std::printf("step %d: loss %.4f, gradient norm %.3f, %s, %s, %.0f %% of the peak; %s in use at most\n", step,
                result.loss, result.gradient_norm, gt::short_time(seconds).c_str(),
                number(p.flops(stage) / seconds, "FLOP/s").c_str(), 100 * p.flops(stage) / seconds / peak,
                number(peak_memory(), "B").c_str());
    std::fflush(stdout);
    gt::check(std::isfinite(result.loss), "plan", "the loss must be finite (got ", result.loss, ")");
  }
  return program::interrupted != 0 ? program::interrupted_status() : 0;
}

int run(Arguments const& a, Planned const& p) {
  gt::check(a.stage >= 0 && a.stage <= static_cast<int>(p.plan.size()), "plan", "--stage must lie in 1 ... ",
            p.plan.size(), " (got ", a.stage, ")");
  std::size_t const stage = a.stage > 0 ? static_cast<std::size_t>(a.stage) - 1 : p.plan.size() - 1;
  std::int64_t const need = p.memory(stage), there = program::available_memory();
  gt::check(!a.step || there == 0 || need < there, "plan", "there must be memory for the step (needs about ",
            number(need, "B"), ", there are ", number(there, "B"), "); try a smaller --batch or --context");
  gt::Cpu<> const on(a.threads);
  program::introduce(on);
  print(p, measured_speed(on, p, there), a.tokens);
  return a.step ? take_step(on, p, stage) : 0;
}

}  // namespace
}  // namespace program::planning

int program::plan(int argc, char** argv) {
  using namespace planning;
  CLI::App app{"Says what a growth plan costs.", "gt plan"};
  Arguments a;
  app.add_option("preset", a.preset, "a model of the paper; --list names them");
  app.add_flag("--list", a.list, "the presets");
  app.add_option("--plan", a.plan,
                 "stages, as for grow: 3+3+lora16+3; or by name and depth: v1/6, v2/9, v3/16, stack/12, "
                 "expand/9, once/9")
      ->capture_default_str();
  app.add_option("--width", a.width, "d_model")->capture_default_str();
  app.add_option("--heads", a.heads, "attention heads")->capture_default_str();
  app.add_option("--vocab", a.vocab, "size of the vocabulary")->capture_default_str();
  app.add_option("--table-width", a.table_width, "numbers a token in the table; 0: the width");
  app.add_flag("--head-bias", a.head_bias, "a bias on the output head, as the presets have");
  app.add_option("--batch", a.batch, "sequences of a step")->capture_default_str();
  app.add_option("--context", a.context, "tokens of a sequence; 0: the preset's 1024, otherwise 256");
  takes_counts(app.add_option("--tokens", a.tokens, "says how long so many take, all stages together: 2000000 or 2M"));
  app.add_flag("--step", a.step, "makes the model of a stage from random weights and takes two training steps of it");
  app.add_option("--stage", a.stage, "of --step; 0: the last");
  app.add_option("--threads", a.threads, "0: all cores")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  program::catch_interrupts();
  return program::guarded([&] {
    if (a.list) {
      for (gt::Preset const& p : gt::presets)
        std::printf("  %-18s %7s  %s\n", std::string(p.name).c_str(), number(p.parameters()).c_str(),
                    std::string(p.about).c_str());
      return 0;
    }
    gt::check(a.tokens >= 0, "plan", "--tokens must not be negative (got ", a.tokens, ")");
    gt::check(a.batch > 0 && a.batch <= 65536, "plan", "--batch must lie in 1 ... 65536 (got ", a.batch, ")");
    gt::check(a.context >= 0 && a.context <= 65536, "plan", "--context must lie in 0 ... 65536 (got ", a.context, ")");
    return run(a, planned(a));
  });
}

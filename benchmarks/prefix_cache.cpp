// SPDX-License-Identifier: MIT
// A step of a stage of growth whose frozen prefix is in the cache: the same at any depth.
#include <unistd.h>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "gt/grow/prefix_cache.hpp"
#include "models.hpp"

namespace {

using namespace gt::bench;
using gt::Cpu, gt::text;

/// Steps on 32 batches in turn, 64 MB of states: they come from memory, not from its caches.
struct Stage {
  static constexpr std::uint64_t batches = 32;
  std::shared_ptr<Model> model;
  gt::BatchShape shape;
  std::vector<std::vector<std::int32_t>> ids;
  std::vector<std::int32_t> targets;
  Cpu<> on;
  gt::Trainer<Cpu<>, Model> trainer;
  gt::PrefixCache<Cpu<>, Model> cache;
  std::uint64_t next = 0;

  Stage(ModelShape s, int threads, gt::PrefixCacheOptions const& options)
      : model{make_model(s)},
        shape{s.B, s.T},
        targets{ids_below(s.V, shape.rows(), 1)},
        on(threads),
        trainer(on, *model, shape),
        cache(on, *model, shape, options, batches * s.B) {
    for (std::uint64_t b = 0; b < batches; ++b) ids.push_back(ids_below(s.V, shape.rows(), 2 + b));
    cache.set_depth(trainer.prefix_depth());
    if (trainer.prefix_depth() > 0) {
      for (auto const& batch : ids) cache.states(batch);
    }
  }
  void step() {
    auto const& batch = ids[next++ % batches];
    if (trainer.prefix_depth() > 0) {
      trainer.step(cache.states(batch), targets, 1e-4);
    } else {
      trainer.step(batch, targets, 1e-4);
    }
  }
  /// 0 when what is held is what the blocks give, bit for bit.
  double error() {
    gt::nn::States<float> states(shape.rows(), model->config().d_model);
    auto const run = [&](gt::Arena& arena) {
      gt::hidden_states(on, *model, view(ids[3]), shape, states.x, arena, trainer.prefix_depth());
    };
    gt::Arena arena(gt::measure(run));
    run(arena);
    auto const held = cache.states(ids[3]);
    bool const all_found =
        trainer.prefix_depth() == 0 || cache.use().windows == static_cast<std::int64_t>(batches) * shape.batch;
    bool const same = std::memcmp(held.data(), states.x.data(), static_cast<std::size_t>(held.size()) * 4) == 0;
    return same && all_found ? 0 : std::numeric_limits<double>::infinity();
  }
};

/// Floating-point operations count what is computed: the blocks that train, and the head.
void add_stage(ModelShape s, int threads, std::string const& file) {
  add(
      text("cached_stage/", file.empty() ? "memory" : "file", "/", cpu_name(threads), "/C", s.C, ",L", s.L, ",H", s.H,
           ",T", s.T, ",B", s.B, ",V", s.V),
      [=] {
        auto const stage = std::make_shared<Stage>(s, threads, gt::PrefixCacheOptions{.file = file});
        if (!file.empty()) ::unlink(file.c_str());  // it lives as long as it is open
        double const M = static_cast<double>(stage->shape.rows()), attention = 2.0 * static_cast<double>(s.T) * s.C;
        Work const work{
            .flops = M * (6.0 * static_cast<double>(stage->trainer.active_parameters()) + 3.0 * attention * s.trained),
            .tokens = M};
        return Case{[=] { stage->step(); }, [=] { return stage->error(); }, work, threads};
      },
      benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  add_limits();
  for (int const threads : thread_counts()) {
    for (int const depth : {3, 9, 30}) add_stage({256, depth, 8, 256, 8, 8192, 3}, threads, "");
  }
  add_stage({256, 30, 8, 256, 8, 8192, 3}, thread_counts().back(), text("prefix_cache.", ::getpid(), ".bench"));
  return run_all(argc, argv, "1.5");
}

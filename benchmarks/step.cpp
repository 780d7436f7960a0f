// SPDX-License-Identifier: MIT
// Whole training steps and stages of growth: what a user waits for.
#include <cstdio>
#include <memory>
#include <string_view>

#include "gt/backend/cpu/peak.hpp"
#include "gt/core/kernels.hpp"
#include "gt/report/profile_table.hpp"
#include "models.hpp"

namespace {

using namespace gt::bench;
using gt::text;

void add_step(std::string const& name, ModelShape s, int threads, gt::Products products = gt::Products::fp32) {
  auto const make = [=] {
    auto const t = std::make_shared<Training>(s, threads, products);
    bool const bf16 = products == gt::Products::bf16;
    Work const work{.flops = t->flops(s), .tokens = static_cast<double>(t->shape.rows()), .bf16 = bf16};
    Case c{[=] { t->trainer.step(t->ids, t->targets, 1e-4); }, [=] { return t->error(); }, work, threads};
    if (!bf16) c.write = [=](std::string const& path) { t->write(path); };
    return c;
  };
  add(text(name, "/", cpu_name(threads), "/C", s.C, ",L", s.L, ",H", s.H, ",T", s.T, ",B", s.B, ",V", s.V), make,
      benchmark::kMillisecond);
}

/// Where the time of a step goes, op by op.
int profile() {
  ModelShape const s{256, 6, 8, 256, 8, 8192, 6};
  Training t(s, thread_counts().back());
  gt::ops::Profile ops;
  gt::Trainer trainer(t.on.profiled(ops), *t.model, t.shape);
  trainer.step(t.ids, t.targets, 1e-4);  // takes memory
  ops.clear();
  constexpr int steps = 10;
  double const seconds = seconds_of([&] {
    for (int i = 0; i < steps; ++i) trainer.step(t.ids, t.targets, 1e-4);
  });
  std::printf(
      "%d steps of C %d, L %d, H %d, T %d, B %d, V %d on %d threads: %.1f ms each, %.1f ms of it in ops\n\n%s\n%s",
      steps, s.C, s.L, s.H, static_cast<int>(s.T), static_cast<int>(s.B), static_cast<int>(s.V), t.on.threads(),
      1e3 * seconds / steps, 1e3 * ops.seconds() / steps,
      gt::report::profile_table(ops, gt::measure_peak(t.on)).c_str(), gt::ops::kernel_report(t.on).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--profile") return profile();
  add_limits();
  int const all = thread_counts().back();
  for (int const threads : thread_counts()) add_step("step", {256, 6, 8, 256, 8, 8192, 6}, threads);
  add_step("step", {512, 8, 8, 256, 8, 8192, 8}, all);
  add_step("step", {768, 12, 12, 64, 4, 50257, 12}, all);
  add_step("step", {128, 6, 4, 256, 8, 8192, 6}, all);
  for (int const depth : {3, 6, 9, 30}) add_step("stage", {256, depth, 8, 256, 8, 8192, 3}, all);
  if constexpr (gt::has_bf16_products<gt::native_isa>) {
    for (int const threads : thread_counts())
      add_step("step_bf16", {256, 6, 8, 256, 8, 8192, 6}, threads, gt::Products::bf16);
    add_step("step_bf16", {512, 8, 8, 256, 8, 8192, 8}, all, gt::Products::bf16);
    add_step("step_bf16", {768, 12, 12, 64, 4, 50257, 12}, all, gt::Products::bf16);
  }
  for (int const width : {16, 32, 64, 128}) add_step("tiny", {width, 1, 2, 16, 16, 64, 1}, 1);
  return run_all(argc, argv, "1.5");
}

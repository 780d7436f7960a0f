// SPDX-License-Identifier: MIT
// Whole training steps and stages of growth: what a user waits for.
#include <memory>

#include "gt/nn/with_width.hpp"
#include "models.hpp"

namespace {

using namespace gt::bench;
using gt::text;

template <class Model>
void add_step(std::string const& name, ModelShape s, int threads) {
  auto const make = [=] {
    auto const t = std::make_shared<Training<Model>>(s, threads);
    Work const work{.flops = t->flops(s), .tokens = static_cast<double>(t->shape.rows())};
    Case c{[=] { t->trainer.step(t->ids, t->targets, 1e-4); }, [=] { return t->error(); }, work, threads};
    c.write = [=](std::string const& path) { t->write(path); };
    return c;
  };
  add(text(name, "/", cpu_name(threads), "/C", s.C, ",L", s.L, ",H", s.H, ",T", s.T, ",B", s.B, ",V", s.V), make,
      benchmark::kMillisecond);
}

/// Small enough for one thread, and of a static width: what templates are for.
template <int... Widths>
void add_tiny() {
  (add_step<WideModel<Widths>>("tiny", {Widths, 1, 2, 16, 16, 64, 1}, 1), ...);
}

}  // namespace

int main(int argc, char** argv) {
  add_limits();
  int const all = thread_counts().back();
  for (int const threads : thread_counts()) add_step<AnyWidthModel>("step", {256, 6, 8, 256, 8, 8192, 6}, threads);
  add_step<AnyWidthModel>("step", {512, 8, 8, 256, 8, 8192, 8}, all);
  add_step<AnyWidthModel>("step", {768, 12, 12, 64, 4, 50257, 12}, all);
  add_step<AnyWidthModel>("step", {128, 6, 4, 256, 8, 8192, 6}, all);
  for (int const depth : {3, 6, 9, 30}) add_step<AnyWidthModel>("stage", {256, depth, 8, 256, 8, 8192, 3}, all);
  add_tiny<16, 32, 64, 128>();
  return run_all(argc, argv, "1.5");
}

// SPDX-License-Identifier: MIT
// What it costs that a model's type is known at run time only: a token through AnyModel against the typed model.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gt/cpu.hpp"
#include "gt/easy.hpp"
#include "gt/infer/any_model.hpp"
#include "gt/substrate/random_embedding.hpp"
#include "support.hpp"

namespace {

using namespace gt::bench;
using gt::Cpu, gt::text;

/// One token after the other, by turns through the typed session and through the other: `cost_%` is the median of what
/// a turn of the other took longer, so that a slower minute of the machine counts for both.
template <class Model>
void add_dispatch(std::string const& name, int C, int H, int L, std::int64_t V) {
  benchmark::RegisterBenchmark(text(name, "/cpu:1/C", C, ",L", L, ",V", V).c_str(), [=](benchmark::State& state) {
    std::vector<std::string> tokens;
    for (std::int64_t i = 0; i < V; ++i) tokens.push_back(text(i));
    auto const rows = gt::RandomEmbedding::draw(tokens, {.width = C});
    constexpr bool width_later = Model::static_config.d_model == gt::BlockConfig::run_time;
    Model model(rows, gt::seed(1), {.context = 256, .d_model = width_later ? C : 0, .heads = H});
    model.append(L);
    gt::Cpu<> const on(1);
    gt::Session<Cpu<>, Model> typed(on, model);
    gt::Session<Cpu<>, gt::AnyModel> any(on, gt::AnyModel(model));
    auto const ids = ids_below(V, 256, 1);
    auto const turn = [&](auto& session) {
      session.reset();
      auto const start = std::chrono::steady_clock::now();
      for (std::size_t i = 0; i < 64; ++i) benchmark::DoNotOptimize(session.feed(std::span(ids).subspan(i, 1)));
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    std::vector<double> ratios, seconds;
    bool first = false;
    for (auto _ : state) {
      first = !first;  // who begins changes as well
      double const a = first ? turn(typed) : 0, b = turn(any), c = first ? a : turn(typed);
      ratios.push_back(b / c), seconds.push_back(c);
    }
    auto const a = typed.feed(std::span(ids).first(1)), b = any.feed(std::span(ids).subspan(0, 1));
    if (!std::equal(a.begin(), a.end(), b.begin())) detail::skip(state, "the two sessions disagree");
    auto const median = [](std::vector<double>& x) {
      std::sort(x.begin(), x.end());
      return x[x.size() / 2];
    };
    state.counters["cost_%"] = 100 * (median(ratios) - 1);
    state.counters["us/token"] = 1e6 * median(seconds) / 64;
  });
}

constexpr gt::BlockConfig of(int width) { return {.d_model = width, .heads = gt::BlockConfig::run_time}; }
using Generic = gt::Transformer<of(gt::BlockConfig::run_time)>;

}  // namespace

int main(int argc, char** argv) {
  add_dispatch<gt::Transformer<of(32)>>("any_model", 32, 2, 1, 64);
  add_dispatch<gt::Transformer<of(64)>>("any_model", 64, 2, 2, 1024);
  add_dispatch<gt::Transformer<of(256)>>("any_model", 256, 8, 6, 2048);
  add_dispatch<Generic>("any_model_generic", 256, 8, 6, 2048);
  return run_all(argc, argv, "2");
}

// SPDX-License-Identifier: MIT
// Growing with a prefix cache and without it is the same run, from any step on and with any budget.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/grow/grow.hpp"
#include "gt/grow/policy.hpp"
#include "gt/grow/prefix_cache.hpp"
#include "io/support.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace grow_prefix_cache_test {

using gt::BlockConfig, gt::CachedAs, gt::Cpu, gt::deepen, gt::GrowOptions, gt::GrowthEnd, gt::GrowthPlan;
using gt::GrowthState, gt::PrefixCacheOptions, gt::PrefixCacheUse, gt::Ref, gt::Transformer;
using gt::test::changes, gt::test::ids_below, gt::test::TemporaryFolder, gt::test::weights_of;

namespace {

constexpr BlockConfig tiny{.d_model = 16, .heads = 2};
constexpr std::int64_t V = 29, T = 8, B = 3, C = 16;
constexpr gt::BatchShape shape{B, T};
constexpr std::int64_t window = 64 + 64 + 4 * T * C;  // bytes of one in float: two heads and the states
using Tiny = Transformer<>;

void check_use(PrefixCacheUse const& use, std::int64_t found, std::int64_t continued, std::int64_t computed) {
  CHECK(use.found == found);
  CHECK(use.continued == continued);
  CHECK(use.computed == computed);
}

/// A text of 33 windows; a stage of 25 steps of three sees them more than twice.
gt::TokenizedCorpus corpus() {
  auto const train = ids_below(V, 33 * T + 5, 1);
  return {gt::Tokens::from_ids(train, V), gt::Tokens::from_ids(ids_below(V, 60, 2), V), 269, 60};
}
constexpr std::int64_t steps = 25;
std::vector<std::int32_t> const one_byte(static_cast<std::size_t>(V), 1);
GrowthPlan const plan{deepen(2), deepen(1, {.head = gt::HeadInit::reset}), deepen(2)};

Tiny new_model(int depth = 0) {
  Tiny model(gt::test::substrate_of(V, 8), tiny, gt::seed(1), {.context = T});
  model.append(depth);
  return model;
}
GrowOptions options(PrefixCacheOptions cache) {
  return {.batch = B,
          .tokens_per_stage = steps * B * T,
          .seed = gt::seed(4),
          .evaluate_every = 10,
          .prefix_cache = std::move(cache)};
}
PrefixCacheOptions const none{.bytes = 0};

struct Record : gt::GrowthObserver {
  void stage_starts(gt::StageStart const& now) override { starts.push_back(now); }
  void step_done(gt::StepDone const& now) override {
    losses.push_back(now.loss), bits.push_back(now.bits_per_byte), flops.push_back(now.step_flops);
  }
  void stage_done(gt::StageDone const& now) override { dones.push_back(now); }
  void notice(std::string const& sentence) override { notices.push_back(sentence); }
  std::vector<gt::StageStart> starts;
  std::vector<gt::StageDone> dones;
  std::vector<double> losses, bits, flops;
  std::vector<std::string> notices;
};
struct Grown {
  explicit Grown(int depth = 0) : model{new_model(depth)} {}
  template <class On>
  Grown(On const& on, GrowOptions const& how, int depth = 0) : Grown(depth) {
    gt::grow(on, model, plan, corpus(), one_byte, how, record);
  }
  Tiny model;
  Record record;
};
void check_same(Grown const& a, Grown const& b) {
  CHECK(a.record.losses == b.record.losses);
  CHECK(a.record.bits == b.record.bits);
  CHECK(changes(weights_of(a.model), weights_of(b.model)).empty());
}

}  // namespace

TEST_CASE_TEMPLATE("grow: with a prefix cache the losses and weights are the same, bit for bit", On, Ref, Cpu<>) {
  TemporaryFolder const folder;
  for (int const depth : {0, 1}) {
    CAPTURE(depth);
    Grown const plain(On{}, options(none), depth);
    CHECK(plain.record.losses.size() == 3 * steps);
    for (std::int64_t const room : {1, 10, 33, 1000}) {
      CAPTURE(room);
      Grown const cached(On{}, options({.bytes = room * window}), depth);
      check_same(plain, cached);
      CHECK(cached.record.dones[2].prefix_cache.windows == std::min<std::int64_t>(33, room));
      CHECK(cached.record.dones[2].prefix_cache.found > 0);
      auto const file = folder / (std::to_string(depth) + "-" + std::to_string(room));
      Grown const in_file(On{}, options({.bytes = 4096 + room * window, .file = file}), depth);
      check_same(plain, in_file);
      CHECK(in_file.record.notices.empty());
    }
  }
}

TEST_CASE("grow: with a prefix cache the weights are the same on 1, 2 and 4 threads") {
  Grown const plain(Cpu<>(1), options(none));
  for (int const threads : {1, 2, 4}) check_same(plain, Grown(Cpu<>(threads), options({.bytes = 20 * window})));
}

TEST_CASE("grow: a stage over a prefix computes each window's once, and says what it saved") {
  Grown const plain(Ref{}, options(none)), cached(Ref{}, options({.bytes = 33 * window}));
  for (auto const& start : plain.record.starts) CHECK(!start.prefix_cached);
  auto const& starts = cached.record.starts;
  CHECK((!starts[0].prefix_cached && starts[1].prefix_cached && starts[2].prefix_cached));
  auto const& dones = cached.record.dones;
  CHECK(dones[0].prefix_cache.asked() == 0);
  check_use(dones[1].prefix_cache, steps * B - 33, 0, 33);
  check_use(dones[2].prefix_cache, steps * B - 33, 33, 0);
  CHECK(dones[2].prefix_cache.bytes == 33 * window);
  CHECK(dones[2].prefix_cache.blocks_saved == (steps * B - 33) * 3 + 33 * 2);
  // The operations: all of the plan's but the prefix's of what was found.
  gt::ModelSize const size{.vocab = V};
  double const block =
      (plan.step_flops(1, tiny, size, shape) - GrowthPlan{deepen(1)}.step_flops(0, tiny, size, shape)) /
      static_cast<double>(2 * B);  // of one block over one window, forward
  double const whole = plan.step_flops(2, tiny, size, shape);
  CHECK(starts[2].step_flops == whole);
  CHECK(plain.record.dones[2].step_flops == whole);
  double const saved = static_cast<double>(dones[2].prefix_cache.blocks_saved) / static_cast<double>(steps);
  CHECK(dones[2].step_flops == doctest::Approx(whole - saved * block).epsilon(1e-12));
  CHECK(cached.record.flops.back() == dones[2].step_flops);
  CHECK(dones[2].profile.prefix > 0);
}

TEST_CASE("grow: no cache where no window comes twice over a frozen prefix") {
  auto short_run = options({.bytes = 33 * window});
  short_run.tokens_per_stage = 5 * B * T;  // 30 windows in two stages over a prefix
  Grown const grown(Ref{}, short_run);
  for (auto const& start : grown.record.starts) CHECK(!start.prefix_cached);
  Grown const from_one(Ref{}, short_run, 1);  // 45 in three
  for (auto const& start : from_one.record.starts) CHECK(start.prefix_cached);
}

namespace {

/// Keeps every state with a copy of the model as it was, as a file would.
struct Keep : gt::GrowthObserver {
  explicit Keep(Tiny const& watched) : model{watched} {}
  void checkpoint(GrowthState const& now) override { state = now, copy = model.clone(); }
  Tiny const& model;
  std::optional<GrowthState> state;
  std::optional<Tiny> copy;
};

/// A run that is stopped after `stop_after` steps and goes on with a new cache.
Grown interrupted(GrowOptions how, PrefixCacheOptions const& later, std::int64_t stop_after, Record& second) {
  Grown grown;
  Keep keep(grown.model);
  std::int64_t made = 0;
  how.stop = [&] { return ++made == stop_after; };
  gt::grow(Ref{}, grown.model, plan, corpus(), one_byte, how, grown.record, keep);
  REQUIRE(keep.state);
  Tiny again = std::move(*keep.copy);
  how.stop = {}, how.resume = &*keep.state, how.prefix_cache = later;
  CHECK(gt::grow(Ref{}, again, plan, corpus(), one_byte, how, grown.record, second).end == GrowthEnd::finished);
  grown.model = again;
  return grown;
}

}  // namespace

TEST_CASE(
    "grow: with a prefix cache it goes on from any step to the same bits, the cache being empty, full or a file") {
  Grown const plain(Ref{}, options(none));
  TemporaryFolder const folder;
  for (std::int64_t const stop_after : {1, 25, 26, 40, 49, 50, 51, 60, 74}) {
    CAPTURE(stop_after);
    PrefixCacheOptions const memory{.bytes = 20 * window},
        file{.bytes = 4096 + 20 * window, .file = folder / std::to_string(stop_after)};
    Record in_memory, in_file, without;
    check_same(plain, interrupted(options(memory), memory, stop_after, in_memory));
    check_same(plain, interrupted(options(memory), none, stop_after, without));
    check_same(plain, interrupted(options(file), file, stop_after, in_file));
    CHECK(in_file.notices.empty());
    if (stop_after > 26 && stop_after % steps != 0) {  // what was written before is found again
      auto const& now = in_file.dones[0].prefix_cache;
      CHECK(now.computed + now.found + now.continued == (steps - stop_after % steps) * B);
      CHECK(now.computed < in_memory.dones[0].prefix_cache.computed);
    }
  }
}

TEST_CASE("grow: with bf16 the losses are the same for any budget and after any stop, and near the exact ones") {
  auto const rounded = [](std::int64_t bytes) { return PrefixCacheOptions{.bytes = bytes, .type = CachedAs::bf16}; };
  Grown const exact(Ref{}, options(none)), all(Ref{}, options(rounded(100 * window)));
  CHECK(exact.record.losses != all.record.losses);
  double worst = 0;
  for (std::size_t i = 0; i < exact.record.losses.size(); ++i)
    worst = std::max(worst, std::abs(exact.record.losses[i] / all.record.losses[i] - 1));
  CHECK(worst < 0x1p-8);  // what the states are off by
  check_same(all, Grown(Ref{}, options(rounded(1))));
  check_same(all, Grown(Ref{}, options(rounded(5 * window))));
  for (std::int64_t const stop_after : {30, 50, 60}) {
    Record record;
    check_same(all, interrupted(options(rounded(7 * window)), rounded(100 * window), stop_after, record));
  }
}

TEST_CASE("grow_by_policy: one prefix cache serves all stages, and changes no bit") {
  struct Every20 {
    gt::Growth next(gt::TrainingStatus now) const {
      return now.steps % 20 == 0 && now.steps < 80 ? gt::Growth::deepen(1) : gt::Growth::none();
    }
  };
  auto const grown = [](PrefixCacheOptions cache) {
    std::pair<Tiny, Record> result{new_model(), {}};
    gt::grow_by_policy(Ref{}, result.first, Every20{}, 100 * B * T, corpus(), one_byte, options(std::move(cache)),
                       result.second);
    return result;
  };
  auto const plain = grown(none), cached = grown({.bytes = 25 * window});
  CHECK(plain.second.losses == cached.second.losses);
  CHECK(changes(weights_of(plain.first), weights_of(cached.first)).empty());
  REQUIRE(cached.second.dones.size() == 4);
  auto const& last = cached.second.dones[3].prefix_cache;
  CHECK(last.windows == 25);
  CHECK(last.continued == 25);  // they were carried on from stage to stage
}

}  // namespace grow_prefix_cache_test

// SPDX-License-Identifier: MIT
// The prefix cache: the states of hidden_states bit for bit, whatever it holds; growing with it and without it is the
// same run.
#include "gt/grow/prefix_cache.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/grow/grow.hpp"
#include "gt/grow/policy.hpp"
#include "io/support.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

using gt::BatchShape, gt::Bf16, gt::BlockConfig, gt::CachedAs, gt::Cpu, gt::deepen, gt::Error, gt::GrowOptions;
using gt::GrowthEnd, gt::GrowthPlan, gt::GrowthState, gt::PrefixCache, gt::PrefixCacheOptions, gt::PrefixCacheUse;
using gt::Ref, gt::Transformer;
using gt::test::bit_equal, gt::test::changes, gt::test::close, gt::test::ids_below, gt::test::max_abs,
    gt::test::Numbers, gt::test::scrambled, gt::test::TemporaryFolder, gt::test::weights_of;

namespace {

constexpr BlockConfig tiny{.d_model = 16, .heads = 2};
constexpr std::int64_t V = 29, T = 8, B = 3, C = 16;
constexpr BatchShape shape{B, T};
constexpr std::int64_t window = 64 + 64 + 4 * T * C;  // bytes of one in float: two heads and the states
using Tiny = Transformer<tiny>;
using Ids = std::vector<std::int32_t>;

Tiny deep_model(int depth = 5) { return scrambled<tiny, float>(depth, V, {.context = T}); }
/// A batch of some of the windows 0, 1, 2, ..., each of which always has the same ids.
Ids batch_of(std::initializer_list<std::uint32_t> windows) {
  Ids ids;
  for (auto const w : windows) {
    auto const one = ids_below(V, T, 100 + w);
    ids.insert(ids.end(), one.begin(), one.end());
  }
  return ids;
}
std::vector<Ids> const batches{batch_of({0, 1, 2}), batch_of({3, 4, 5}), batch_of({2, 6, 0}),
                               batch_of({7, 7, 1}), batch_of({5, 4, 3}), batch_of({0, 1, 2})};

template <class U>
std::vector<U> elements(gt::Matrix<U const> x) {
  std::vector<U> all;
  for (std::int64_t i = 0; i < x.rows(); ++i) all.insert(all.end(), x.row(i), x.row(i) + x.columns());
  return all;
}
/// What the states must be.
template <class Backend, class Model>
auto expected(Backend const& on, Model const& model, Ids const& ids, int depth) {
  using U = typename Model::scalar;
  gt::States<U> x(shape.rows(), C);
  auto const run = [&](gt::Arena& arena) {
    gt::hidden_states(on, model, gt::test::view_of(ids), shape, x.x, arena, depth);
  };
  gt::Arena arena(gt::measure(run));
  run(arena);
  return elements<U>(x.x);
}
bool same(PrefixCacheUse const& use, std::int64_t found, std::int64_t continued, std::int64_t computed) {
  CHECK(use.found == found);
  CHECK(use.continued == continued);
  CHECK(use.computed == computed);
  return use.asked() == found + continued + computed;
}

}  // namespace

TEST_CASE_TEMPLATE("PrefixCache: the states of hidden_states, bit for bit, with room for any part of the windows", On,
                   Ref, Cpu<>, Cpu<gt::Isa::scalar>) {
  auto const model = deep_model();
  for (std::int64_t const room : {0, 1, 2, 5, 8, 1000}) {
    CAPTURE(room);
    PrefixCache cache(On{}, model, shape, {.bytes = room * window});
    CHECK(cache.use().capacity == room);
    for (int const depth : {0, 2, 3, 5}) {
      CAPTURE(depth);
      cache.set_depth(depth);
      CHECK(cache.depth() == depth);
      for (auto const& ids : batches) {
        CHECK(bit_equal(elements(cache.states(ids)), expected(On{}, model, ids, depth)));
      }
      CHECK(cache.use().windows == (depth == 0 ? 0 : std::min<std::int64_t>(room, 8)));
    }
    CHECK(cache.use().bytes == std::min<std::int64_t>(room, 8) * window);
    CHECK(cache.take_notice().empty());
  }
}

TEST_CASE_TEMPLATE("PrefixCache: models of double and complex numbers as well", U, double, std::complex<double>) {
  auto const model = scrambled<tiny, U>(3, V, {.context = T});
  PrefixCache cache(Ref{}, model, shape, {.bytes = 4 * 8 * window});
  for (int const depth : {1, 3}) {
    cache.set_depth(depth);
    for (auto const& ids : batches) CHECK(elements(cache.states(ids)) == expected(Ref{}, model, ids, depth));
  }
  CHECK(cache.use().found > 0);
  CHECK_THROWS_WITH_AS(
      (PrefixCache(Ref{}, model, shape, {.type = CachedAs::bf16})),
      "gt: PrefixCache: bf16 must round the states of a float model (got another type); keep them exact", Error);
}

TEST_CASE("PrefixCache: a window goes through each block once, also when the model grows in between") {
  auto const model = deep_model();
  PrefixCache cache(Ref{}, model, shape, {.bytes = 100 * window});
  cache.set_depth(2);
  for (auto const& ids : batches) cache.states(ids);
  same(cache.use(), 9, 0, 9);  // 8 windows; 7 comes twice in its first batch
  cache.set_depth(3);
  cache.states(batches[0]);
  same(cache.use(), 9, 3, 9);
  cache.set_depth(5);  // of the others, depth 3 was never there
  auto const before = cache.use();
  for (auto const& ids : batches) cache.states(ids);
  auto const since = cache.use().since(before);
  same(since, 9, 9, 0);
  CHECK(since.windows == 8);
  CHECK(since.blocks_saved == 9 * 5 + 3 * 3 + 6 * 2);
}

TEST_CASE("PrefixCache: what was kept is read, and what has changed below is seen when the depth is set") {
  auto model = deep_model();
  PrefixCache cache(Ref{}, model, shape, {.bytes = 100 * window});
  cache.set_depth(2), cache.states(batches[0]);
  cache.set_depth(4);
  auto const before = elements(cache.states(batches[0]));
  model.blocks()[2].weights()[5] += 1;  // in a run nothing frozen ever moves: this shows what is read
  CHECK(bit_equal(elements(cache.states(batches[0])), before));
  cache.set_depth(4);
  CHECK(cache.use().windows == 0);
  CHECK(bit_equal(elements(cache.states(batches[0])), expected(Ref{}, model, batches[0], 4)));
  CHECK(cache.use().windows == 3);
  cache.set_depth(2);  // and back: nothing is held of that depth any more
  CHECK(bit_equal(elements(cache.states(batches[0])), expected(Ref{}, model, batches[0], 2)));
}

TEST_CASE("PrefixCache: the windows that came first stay when the budget is spent") {
  auto const model = deep_model();
  PrefixCache cache(Ref{}, model, shape, {.bytes = 4 * window + window / 2});
  cache.set_depth(1);
  for (int epoch = 0; epoch < 3; ++epoch) {
    cache.states(batch_of({0, 1, 2}));
    cache.states(batch_of({3, 4, 5}));
  }
  same(cache.use(), 8, 0, 10);  // no window that came later pushes out one that is needed next
}

TEST_CASE("PrefixCache: bf16 states are those of the blocks, rounded at each depth, for any budget") {
  auto const model = deep_model();
  auto const rounded = [](std::vector<float> x) {
    for (float& v : x) v = Bf16(v);
    return x;
  };
  constexpr std::int64_t half = 64 + 64 + 2 * T * C;
  for (std::int64_t const room : {0, 1, 3, 100}) {
    CAPTURE(room);
    PrefixCache cache(Ref{}, model, shape, {.bytes = room * half, .type = CachedAs::bf16});
    CHECK(cache.use().capacity == room);
    cache.set_depth(2);
    for (int epoch = 0; epoch < 2; ++epoch) {
      for (auto const& ids : batches)
        CHECK(bit_equal(elements(cache.states(ids)), rounded(expected(Ref{}, model, ids, 2))));
    }
    cache.set_depth(3);
    for (auto const& ids : batches) {
      auto x = rounded(expected(Ref{}, model, ids, 2));  // by hand through the third block
      auto const& block = model.blocks()[2];
      gt::Arena arena(gt::measure([&](gt::Arena& a) { block.activations(a, shape); }));
      auto activations = block.activations(arena, shape);
      gt::Matrix<float> const m(x.data(), shape.rows(), C);
      block.forward(Ref{}, m, activations, m, shape, model.rotary());
      CHECK(bit_equal(elements(cache.states(ids)), rounded(x)));
    }
  }
}

TEST_CASE("PrefixCache: errors say what must hold") {
  auto const model = deep_model(2);
  auto const made = [&](BatchShape s) { PrefixCache const cache(Ref{}, model, s); };
  CHECK_THROWS_WITH_AS(made({1, 9}),
                       "gt: PrefixCache: a batch must be positive and fit the context of 8 tokens (got 1 x 9)", Error);
  CHECK_THROWS_WITH_AS(made({0, 8}), doctest::Contains("(got 0 x 8)"), Error);
  PrefixCache cache(Ref{}, model, shape);
  CHECK_THROWS_WITH_AS(cache.set_depth(3), "gt: PrefixCache::set_depth: the model has 2 blocks (got a depth of 3)",
                       Error);
  CHECK_THROWS_WITH_AS(cache.set_depth(-1), doctest::Contains("(got a depth of -1)"), Error);
  cache.set_depth(2);
  CHECK_THROWS_WITH_AS(cache.states(ids_below(V, 23, 1)), "gt: PrefixCache: a batch must hold 24 ids (got 23)", Error);
  auto bad = batches[0];
  bad[9] = V;
  CHECK_THROWS_WITH_AS(cache.states(bad), doctest::Contains("ids must lie in 0 ... 28 (got 29)"), Error);
  CHECK(bit_equal(elements(cache.states(batches[0])), expected(Ref{}, model, batches[0], 2)));
}

namespace {

/// A text of 33 windows; a stage of 25 steps of three sees them more than twice.
gt::TokenizedCorpus corpus() {
  auto const train = ids_below(V, 33 * T + 5, 1);
  return {gt::Tokens::from_ids(train, V), gt::Tokens::from_ids(ids_below(V, 60, 2), V), 269, 60};
}
constexpr std::int64_t steps = 25;
Ids const one_byte(static_cast<std::size_t>(V), 1);
GrowthPlan const plan{deepen(2), deepen(1, {.head = gt::HeadInit::reset}), deepen(2)};

Tiny new_model(int depth = 0) {
  Tiny model(gt::test::substrate_of(V, 8), gt::seed(1), {.context = T});
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
  same(dones[1].prefix_cache, steps * B - 33, 0, 33);
  same(dones[2].prefix_cache, steps * B - 33, 33, 0);
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

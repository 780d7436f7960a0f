// SPDX-License-Identifier: MIT
// The prefix cache: the states of hidden_states bit for bit, whatever it holds.
#include "gt/grow/prefix_cache.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <complex>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace prefix_cache_test {

using gt::BatchShape, gt::Bf16, gt::BlockConfig, gt::CachedAs, gt::Cpu, gt::Error, gt::PrefixCache, gt::PrefixCacheUse;
using gt::Ref, gt::Transformer;
using gt::test::bit_equal, gt::test::ids_below, gt::test::scrambled;

namespace {

constexpr BlockConfig tiny{.d_model = 16, .heads = 2};
constexpr std::int64_t V = 29, T = 8, B = 3, C = 16;
constexpr BatchShape shape{B, T};
constexpr std::int64_t window = 64 + 64 + 4 * T * C;  // bytes of one in float: two heads and the states
using Tiny = Transformer<>;
using Ids = std::vector<std::int32_t>;

Tiny deep_model(int depth = 5) { return scrambled(tiny, depth, V, {.context = T}); }
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
  gt::nn::States<U> x(shape.rows(), C);
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
  auto const model = scrambled<U>(tiny, 3, V, {.context = T});
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

}  // namespace prefix_cache_test

// SPDX-License-Identifier: MIT
// Sessions: however tokens are fed, on however many threads, the logits have the same bits as in one full pass.
#include "gt/infer/session.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "io/support.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace session_test {

using gt::BlockConfig, gt::Cpu, gt::Products, gt::Ref, gt::Session, gt::Transformer;
using gt::test::bit_equal, gt::test::error_of, gt::test::has, gt::test::ids_below, gt::test::scrambled;

namespace {

constexpr std::int64_t V = 97;
constexpr bool has_bf16 = gt::has_bf16_products<gt::native_isa>;  // else tests/backend/gemm_bf16.cpp says so
using Ids = std::vector<std::int32_t>;
using Logits = std::vector<float>;

/// The context holds more than a session processes at once.
Transformer<> small_model(int depth = 2) {
  return scrambled(BlockConfig{.d_model = 64, .heads = 4}, depth, V, {.context = 300});
}

/// Row t of the logits of a full pass over `ids`: what follows the first t + 1 of them.
Logits row(Logits const& all, std::size_t t) {
  auto const begin = all.begin() + static_cast<std::ptrdiff_t>(t) * V;
  return {begin, begin + V};
}
Logits copy(std::span<float const> logits) { return {logits.begin(), logits.end()}; }

/// What a greedy reader says after `ids`.
template <gt::Backend B, class Model>
Ids continued(B const& on, Model const& model, Ids const& ids, int count) {
  Session session(on, model);
  auto logits = session.feed(ids);
  Ids said;
  for (int i = 0; i < count; ++i) {
    said.push_back(static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
    logits = session.feed(std::span(said).last(1));
  }
  return said;
}

/// All at once, token by token and in odd chunks.
void gives_the_bits_of_the_full_pass(Products products) {
  auto const model = small_model();
  auto const ids = ids_below(V, 300, 1);
  auto const full = gt::test::logits(Cpu<>(1).with(products), model, ids, {1, 300});
  for (int threads : {1, 2}) {
    CAPTURE(threads);
    auto const on = Cpu<>(threads).with(products);
    CHECK(bit_equal(gt::test::logits(on, model, ids, {1, 300}), full));

    Session at_once(on, model), singly(on, model), in_chunks(on, model);
    CHECK(bit_equal(copy(at_once.feed(ids)), row(full, 299)));  // in two parts inside
    CHECK(at_once.room() == 0);

    std::size_t differ = 0;
    for (std::size_t t = 0; t < ids.size(); ++t)
      differ += !bit_equal(copy(singly.feed(std::span(ids).subspan(t, 1))), row(full, t));
    CHECK(differ == 0);

    for (std::size_t t = 0, n = 1; t < ids.size(); t += n, n = 2 * n + 1) {
      n = std::min(n, ids.size() - t);
      CAPTURE(n);
      CHECK(bit_equal(copy(in_chunks.feed(std::span(ids).subspan(t, n))), row(full, t + n - 1)));
      CHECK(in_chunks.position() == static_cast<std::int64_t>(t + n));
    }
  }
}

double rms(std::vector<float> const& x) {
  double sum = 0;
  for (double const v : x) sum += v * v;
  return std::sqrt(sum / static_cast<double>(x.size()));
}
std::vector<float> difference(std::vector<float> a, std::vector<float> const& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] -= b[i];
  return a;
}

}  // namespace

TEST_CASE("Session: all at once, token by token and in odd chunks give the bits of the full pass") {
  gives_the_bits_of_the_full_pass(Products::fp32);
}

TEST_CASE("Session: in bf16 too the bits are those of the full pass" * doctest::skip(!has_bf16)) {
  gives_the_bits_of_the_full_pass(Products::bf16);
}

/// Rounding to bf16 changes a number by at most 2^-8 of it, to either side alike, so that the changes within a sum add
/// up as its terms do: by roots of sums of squares. Both operands are rounded, in 4 products a block and in the head,
/// and norms and residuals carry relative changes on no larger: sqrt(2 (4 L + 1)) 2^-8 of the logits' size in all. A
/// loss changes by no more than its target's logit and the mean of all by their probabilities.
TEST_CASE("token_losses: in bf16 near those in fp32" * doctest::skip(!has_bf16)) {
  auto const ids = ids_below(V, 300, 1), targets = ids_below(V, 300, 2);
  Cpu<> const on(1);
  auto const in_bf16 = on.with(Products::bf16);
  for (int const depth : {0, 2, 6}) {
    CAPTURE(depth);
    auto const model = small_model(depth);
    auto const z = gt::test::logits(on, model, ids, {1, 300});
    auto const dz = difference(gt::test::logits(in_bf16, model, ids, {1, 300}), z);
    double const limit = std::sqrt(2.0 * (4 * depth + 1)) * 0x1p-8 * rms(z);
    CHECK(rms(dz) < limit);
    CHECK(rms(dz) > limit / 8);  // they are rounded
    auto const nll = gt::test::losses(on, model, ids, targets, {1, 300});
    auto const rounded = gt::test::losses(in_bf16, model, ids, targets, {1, 300});
    CHECK(rms(difference(rounded, nll)) < 2 * limit);
    CHECK(bit_equal(rounded, gt::test::losses(Cpu<>(2).with(Products::bf16), model, ids, targets, {1, 300})));
  }
}

TEST_CASE("constant_weights: the blocks and the head, not the table; each packed once, to the same bits") {
  auto const model = small_model();
  auto const constants = gt::nn::constant_weights(model);
  CHECK(constants.size() == 3);
  std::int64_t bytes = 0, expected = 0;
  for (auto const& c : constants) bytes += c.bytes;
  for (auto const& p : model.parameters()) {
    CAPTURE(p.name);
    auto const held = [&](float const* x) {
      return std::count_if(constants.begin(), constants.end(), [=](auto const& c) { return c.holds(x); });
    };
    bool const table = p.name == "model.embed_tokens.weight";
    CHECK(held(p.data) == (table ? 0 : 1));
    CHECK(held(p.data + p.size() - 1) == (table ? 0 : 1));
    if (!table) expected += p.size() * 4;
  }
  CHECK(bytes == expected);

  auto const ids = ids_below(V, 20, 1);
  auto const on = keeping(Cpu<>(2), constants);
  auto const full = gt::test::logits(Cpu<>(1), model, ids, {1, 20});
  constexpr int nr = gt::simd::GemmTile<gt::native_isa, float>::nr;
  auto const packed = [](std::int64_t n, std::int64_t k) {
    return gt::simd::detail::ceil_div(n, nr) * gt::simd::detail::Packing<gt::native_isa, nr, float, float>::pitch(k) *
           4;
  };
  std::int64_t const C = 64, block = packed(3 * C, C) + packed(C, C) + packed(4 * C, C) + packed(C, 4 * C);
  for (int const pass : {1, 2}) {
    CAPTURE(pass);
    CHECK(bit_equal(gt::test::logits(on, model, ids, {1, 20}), full));
    CHECK(on.packed_weights()->bytes() == 2 * block + packed(V, C));
  }
}

TEST_CASE("frozen_weights: no block of which anything trains, and the head with its norm alike") {
  auto model = small_model();
  auto const holds = [&](int block) {  // 2: the head
    auto const& weights = block < 2 ? model.blocks()[static_cast<std::size_t>(block)].weights() : model.head_buffer();
    auto const all = gt::nn::frozen_weights(model);
    return std::any_of(all.begin(), all.end(), [&](auto const& c) { return c.holds(weights.end() - 1); });
  };
  model.freeze();
  CHECK((holds(0) && holds(1) && holds(2)));
  for (auto const* name : {"model.norm.bias", "lm_head.weight"}) {
    model.set_trainable(name, true);
    CHECK((holds(0) && holds(1) && !holds(2)));
    model.freeze();
  }
  model.set_trainable("model.layers.1.mlp.c_fc.bias", true);
  CHECK((holds(0) && !holds(1) && holds(2)));
}

TEST_CASE("Session: its logits give the losses of token_losses") {
  auto const model = small_model();
  auto const ids = ids_below(V, 40, 1), targets = ids_below(V, 40, 2);
  auto const nll = gt::test::losses(Cpu<>(2), model, ids, targets, {1, 40});
  Session session(Cpu<>(2), model);
  gt::test::Numbers actual, expected;
  double largest = 0;  // logit: a loss is the difference of two, one of them a sum over V
  for (std::size_t t = 0; t < ids.size(); ++t) {
    auto const logits = session.feed(std::span(ids).subspan(t, 1));
    double const top = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (double const z : logits) sum += std::exp(z - top), largest = std::max(largest, std::abs(z));
    actual.push_back(top + std::log(sum) - logits[static_cast<std::size_t>(targets[t])]);
    expected.push_back(nll[t]);
  }
  CHECK(gt::test::close(actual, expected, gt::test::tol<float>(V), largest));
}

TEST_CASE("Session: on the reference backend too the bits are those of the full pass") {
  auto const model = scrambled<double>(BlockConfig{.d_model = 16, .heads = 2}, 2, V, {.context = 12});
  auto const ids = ids_below(V, 12, 1);
  auto const full = gt::test::logits(Ref{}, model, ids, {1, 12});
  Session session(Ref{}, model);
  for (std::size_t t = 0; t < ids.size(); ++t) {
    auto const now = session.feed(std::span(ids).subspan(t, 1));
    auto const begin = full.begin() + static_cast<std::ptrdiff_t>(t) * V;
    CHECK(bit_equal(std::vector(now.begin(), now.end()), std::vector(begin, begin + V)));
  }
}

TEST_CASE("Session: two on one const model, each in a thread of its own, say what they say one after the other") {
  auto const model = small_model();
  auto const first = ids_below(V, 30, 1), second = ids_below(V, 50, 2);
  Cpu<> const on(2);
  auto const first_alone = continued(on, model, first, 60), second_alone = continued(on, model, second, 60);
  CHECK(first_alone != second_alone);
  for (int round = 0; round < 3; ++round) {
    Ids first_said, second_said;
    std::thread other([&] { second_said = continued(on, model, second, 60); });
    first_said = continued(on, model, first, 60);
    other.join();
    CHECK(first_said == first_alone);
    CHECK(second_said == second_alone);
  }
}

TEST_CASE("Session: what does not fit is refused, and what was fed before stays") {
  auto const model = small_model();
  auto const ids = ids_below(V, 300, 1);
  auto const feed = [&](auto& session, std::size_t first, std::size_t count) {
    return session.feed(std::span(ids).subspan(first, count));
  };
  Session session(Cpu<>(1), model);
  CHECK(session.room() == 300);
  CHECK(session.model().head_buffer().shares_with(model.head_buffer()));
  feed(session, 0, 290);
  CHECK(has(error_of([&] { feed(session, 0, 11); }), "the context holds 300 tokens (got 11 more after 290)"));
  CHECK(has(error_of([&] { feed(session, 0, 0); }), "at least one token must be fed"));
  for (std::int32_t const unknown : {-1, static_cast<std::int32_t>(V)})
    CHECK(has(error_of([&] { session.feed(std::span(&unknown, 1)); }), "ids must lie in 0 ... 96"));
  CHECK(session.position() == 290);
  auto const last = copy(feed(session, 290, 10));
  CHECK(session.room() == 0);
  CHECK(has(error_of([&] { feed(session, 0, 1); }), "(got 1 more after 300)"));

  session.reset();
  CHECK(session.position() == 0);
  CHECK(session.room() == 300);
  CHECK(bit_equal(copy(feed(session, 0, 300)), last));
}

TEST_CASE("Session: after a reset it is as new") {
  auto const model = small_model();
  auto const before = ids_below(V, 80, 3), ids = ids_below(V, 20, 1);
  Session used(Cpu<>(2), model), fresh(Cpu<>(2), model);
  used.feed(before);
  used.reset();
  CHECK(bit_equal(copy(used.feed(ids)), copy(fresh.feed(ids))));
}

TEST_CASE("Session: a model without blocks") {
  auto const model = scrambled(BlockConfig{.d_model = 16, .heads = 2}, 0, V, {.context = 4});
  auto const ids = ids_below(V, 4, 1);
  auto const full = gt::test::logits(Cpu<>(1), model, ids, {1, 4});
  Session session(Cpu<>(1), model);
  CHECK(bit_equal(copy(session.feed(ids)), row(full, 3)));
}

}  // namespace session_test

// SPDX-License-Identifier: MIT
// Sessions of ensembles: the bits of the full pass, weights that follow the text, and texts that are generated.
#include "gt/compose/session.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compose/support.hpp"
#include "gt/backend/ref/ref.hpp"
#include "gt/core/profile.hpp"

namespace session_test {

using gt::AnyModel, gt::Cpu, gt::Ensemble, gt::Error, gt::fixed_weights, gt::Mixing, gt::posterior_weights, gt::Session;
using gt::test::bit_equal, gt::test::close, gt::test::ids_below, gt::test::logits_of, gt::test::Numbers,
    gt::test::posterior_of, gt::test::three_experts, gt::test::tokenizer_of_prose, gt::test::two_experts;

namespace {

std::vector<float> copy(std::span<float const> x) { return {x.begin(), x.end()}; }
std::vector<float> row(gt::nn::States<float> const& all, std::size_t t) {
  auto const* const z = all.x.row(static_cast<std::int64_t>(t));
  return {z, z + all.x.columns()};
}
std::vector<Mixing> mixings() { return {{}, fixed_weights({1, 3}), posterior_weights({.decay = 0.9})}; }

}  // namespace

TEST_CASE("Session of an ensemble: all at once, singly and in chunks, on any threads: the bits of the full pass") {
  auto const ids = ids_below(420, 24, 1);
  for (auto const& mixing : mixings()) {
    Ensemble ensemble(two_experts(), mixing);
    gt::test::add_busy_adapter(ensemble);
    auto const full = gt::logits(Cpu<>(1), ensemble, ids);
    for (int const threads : {1, 2, 3}) {  // with 3 the experts take turns, each on all threads
      CAPTURE(threads);
      Cpu<> const on(threads);
      Session at_once(on, ensemble), singly(on, ensemble), in_chunks(on, ensemble);
      CHECK(bit_equal(copy(at_once.feed(ids)), row(full, 23)));
      CHECK(at_once.room() == 0);
      for (std::size_t t = 0; t < ids.size(); ++t)
        CHECK(bit_equal(copy(singly.feed(std::span(ids).subspan(t, 1))), row(full, t)));
      in_chunks.feed(std::span(ids).first(5));
      CHECK(bit_equal(copy(in_chunks.feed(std::span(ids).subspan(5, 12))), row(full, 16)));
      in_chunks.reset();
      CHECK(in_chunks.position() == 0);
      CHECK(bit_equal(copy(in_chunks.feed(std::span(ids).first(9))), row(full, 8)));
    }
    Ensemble hidden({AnyModel(ensemble.expert(0)), AnyModel(ensemble.expert(1))}, mixing);
    hidden.set_adapter(*ensemble.adapter());
    Session session(Cpu<>(2), hidden);
    CHECK(bit_equal(copy(session.feed(ids)), row(full, 23)));
  }
}

TEST_CASE(
    "Session of an ensemble: goes back as one that was never further, and to its beginning where weights follow") {
  auto const ids = ids_below(420, 20, 1), others = ids_below(420, 24, 2);
  Cpu<> const on(1);
  for (auto const& mixing : mixings()) {
    Ensemble const ensemble(two_experts(), mixing);
    Session straight(on, ensemble), back(on, ensemble);
    auto const expected = copy(straight.feed(ids));
    back.feed(std::span(ids).first(5));
    back.feed(std::span(others).first(10));
    if (mixing.posterior) {
      CHECK_THROWS_WITH_AS(back.rewind(5), doctest::Contains("goes back to its beginning only (got 5 of 15)"), Error);
    } else {
      back.rewind(5);
      CHECK(back.position() == 5);
      CHECK(bit_equal(copy(back.feed(std::span(ids).subspan(5))), expected));
    }
    back.rewind(0);
    CHECK(bit_equal(copy(back.feed(ids)), expected));
  }
}

TEST_CASE("Prepared: sessions of an ensemble have weights packed once, of each expert and of what experts share") {
  auto const a = gt::test::model_on_bits(1, 3), b = gt::test::model_on_bits(3, 4);
  Cpu<> const on(2);
  auto const ids = ids_below(420, 24, 1);
  auto const bytes_of = [&](auto const& model) {
    gt::Prepared const prepared(on, model);
    auto const expected = copy(Session(on, model).feed(ids));
    std::int64_t bytes = 0;
    for (int i = 0; i < 10; ++i) {
      Session session(prepared);
      CHECK(bit_equal(copy(session.feed(ids)), expected));
      if (i == 0) bytes = prepared.bytes();
    }
    CHECK(prepared.bytes() == bytes);
    return bytes;
  };
  std::int64_t const of_a = bytes_of(a), of_b = bytes_of(b);
  CHECK(of_a > 0);
  CHECK(bytes_of(Ensemble({a, b})) == of_a + of_b);
  CHECK(bytes_of(Ensemble({a, b, a})) == of_a + of_b);
  CHECK(bytes_of(Ensemble({AnyModel(a), AnyModel(b), AnyModel(b)})) == of_a + of_b);

  std::int64_t const head = bytes_of(gt::test::model_on_bits(0, 3));
  CHECK(bytes_of(Ensemble({a, gt::with_head(a, b.head_buffer())})) == of_a + head);  // blocks once, two heads
}

TEST_CASE("Session of an ensemble: on the reference backend too") {
  constexpr gt::BlockConfig shape{.d_model = 16, .heads = 2};
  auto const a = gt::test::scrambled<double>(shape, 1, 97, {.context = 12});
  auto b = gt::test::scrambled<double>(shape, 2, 97, {.context = 12});
  gt::test::scramble(b, 900);
  auto const ids = ids_below(97, 12, 1);
  Ensemble const ensemble({a, b}, posterior_weights());
  auto const full = gt::logits(gt::Ref{}, ensemble, ids);
  Session session(gt::Ref{}, ensemble);
  for (std::size_t t = 0; t < ids.size(); ++t) {
    auto const z = session.feed(std::span(ids).subspan(t, 1));
    CHECK(bit_equal(z, std::span<double const>(full.x.row(static_cast<std::int64_t>(t)), z.size())));
  }
}

TEST_CASE("Session of an ensemble: its weights are the posterior of what it was fed") {
  auto const ids = ids_below(420, 24, 1);
  Cpu<> const on(2);
  Ensemble const ensemble(three_experts(), posterior_weights({.prior = {1, 2, 1}, .decay = 0.5}));
  auto const z = logits_of(on, ensemble, ids);
  auto const expected = posterior_of(z, ids, {0.25, 0.5, 0.25}, 0.5);
  Session session(on, ensemble);
  CHECK(Numbers(session.weights().begin(), session.weights().end()) == Numbers{0.25, 0.5, 0.25});
  double const limit = 4 * gt::test::tol<float>(420) * gt::test::largest_of(z);  // of log weights: sums of two terms
  for (std::size_t t = 0; t < ids.size(); ++t) {
    session.feed(std::span(ids).subspan(t, 1));
    CHECK(close(Numbers(session.weights().begin(), session.weights().end()), expected[t], limit, 1));
  }
}

TEST_CASE("Session of an ensemble: a text that one expert wrote is led by it") {
  auto const experts = two_experts();
  Ensemble const ensemble(experts, posterior_weights());
  for (std::size_t author : {0U, 1U}) {
    std::string text;
    gt::GenerateOptions const options{.max_tokens = 15, .sampler = {.temperature = 1, .top_p = 1}};
    gt::generate(Cpu<>(1), experts[author], tokenizer_of_prose(), "The", options,
                 [&](std::string_view piece) { text += piece; });
    Session session(Cpu<>(1), ensemble);
    auto ids = tokenizer_of_prose().encode("The" + text);
    ids.resize(std::min<std::size_t>(ids.size(), 24));
    session.feed(ids);
    CHECK(session.weights()[author] > 0.99);
  }
}

TEST_CASE("generate: an ensemble says the same on any threads, past its context, and as its only expert in question") {
  auto const experts = two_experts();
  auto const say = [](int threads, auto const& model) {
    std::string said;
    gt::generate(Cpu<>(threads), model, tokenizer_of_prose(), "The", {.max_tokens = 60},
                 [&](std::string_view piece) { said += piece; });
    return said;
  };
  for (auto const& mixing : mixings()) CHECK(say(1, Ensemble(experts, mixing)) == say(2, Ensemble(experts, mixing)));
  CHECK(say(2, Ensemble(experts, fixed_weights({0, 1}))) == say(1, experts[1]));
  CHECK(say(2, Ensemble(experts)) != say(1, experts[1]));
}

TEST_CASE("Session of an ensemble: what it cannot take is refused before any expert is fed") {
  Ensemble const ensemble(two_experts());
  Session session(Cpu<>(2), ensemble);
  auto const ids = ids_below(420, 25, 1);
  CHECK_THROWS_WITH_AS(session.feed(ids), "gt: Session::feed: the context holds 24 tokens (got 25 more after 0)",
                       Error);
  CHECK_THROWS_WITH_AS(session.feed({}), "gt: Session::feed: at least one token must be fed", Error);
  CHECK_THROWS_WITH_AS(session.feed(std::vector<std::int32_t>{1, 420}),
                       "gt: Session::feed: ids must lie in 0 ... 419 (got 420)", Error);
  CHECK(session.position() == 0);
  CHECK(session.feed(std::span(ids).first(24)).size() == 420);
}

TEST_CASE("Session of an ensemble: a profile is of one thread's calls") {
  gt::ops::Profile profile;
  Ensemble const ensemble(two_experts());
  Session session(Cpu<>(2).profiled(profile), ensemble);
  auto const ids = ids_below(420, 10, 1);
  Session plain(Cpu<>(2), ensemble);
  CHECK(bit_equal(copy(session.feed(ids)), copy(plain.feed(ids))));
}

}  // namespace session_test

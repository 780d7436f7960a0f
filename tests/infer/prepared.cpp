// SPDX-License-Identifier: MIT
// Prepared models: the bits of the model itself, weights packed once for all sessions, and nothing that trains reaches
// them.
#include "gt/infer/prepared.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "formats/support.hpp"
#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/easy.hpp"
#include "gt/infer/session.hpp"
#include "gt/train/trainer.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace prepared_test {

using gt::AnyModel, gt::Cpu, gt::Prepared, gt::Products, gt::Ref, gt::Session, gt::Transformer;
using gt::test::bit_equal, gt::test::ids_below, gt::test::model_on_bits, gt::test::tokenizer_of_prose;

namespace {

constexpr bool has_bf16 = gt::has_bf16_products<gt::native_isa>;
using Logits = std::vector<float>;

/// What a session says after each of two parts of some ids, and how likely it finds the second.
template <class S>
std::vector<Logits> said(S&& session) {
  auto const ids = ids_below(session.model().vocab(), 24, 1);
  std::vector<Logits> all;
  auto const keep = [&](std::span<float const> x) { all.emplace_back(x.begin(), x.end()); };
  keep(session.feed(std::span(ids).first(15)));
  for (std::size_t i = 15; i < 20; ++i) keep(session.feed(std::span(ids).subspan(i, 1)));
  Logits likely(4);
  keep(session.feed(std::span(ids).last(4), likely));
  all.push_back(likely);
  return all;
}

/// Bytes of the panels of a weight [n, k].
std::int64_t packed(std::int64_t n, std::int64_t k) {
  constexpr int nr = gt::simd::GemmTile<gt::native_isa, float>::nr;
  return gt::simd::detail::ceil_div(n, nr) * gt::simd::detail::Packing<gt::native_isa, nr, float, float>::pitch(k) * 4;
}
std::int64_t packed(Transformer<> const& model) {
  std::int64_t const C = model.config().d_model, F = model.config().ff();
  return model.depth() * (packed(3 * C, C) + packed(C, C) + packed(F, C) + packed(C, F)) + packed(model.vocab(), C);
}

}  // namespace

TEST_CASE("Prepared: sessions, texts and scores have the bits of those of the model itself") {
  auto const model = model_on_bits(3);
  auto const& tokenizer = tokenizer_of_prose();
  auto const each = [&](Cpu<> const& on, auto const& same) {
    Prepared const prepared(on, same);
    auto const expected = said(Session(on, model));
    for (int round = 0; round < 3; ++round) CHECK(said(Session(prepared)) == expected);

    for (std::uint64_t const seed : {1, 2}) {
      gt::GenerateOptions const options{.max_tokens = 40, .sampler = {.seed = gt::seed(seed)}};
      std::string alone;
      auto const done = gt::generate(on, model, tokenizer, "The", options, [&](std::string_view x) { alone += x; });
      std::ostringstream out;
      CHECK(gt::generate(prepared, tokenizer, "The", options, out).tokens == done.tokens);
      CHECK(out.str() == alone);
    }
    std::string const text = gt::test::prose(40);
    auto const score = gt::score(on, model, tokenizer, text), again = gt::score(prepared, tokenizer, text);
    CHECK(again.log_likelihoods == score.log_likelihoods);
    CHECK(gt::score(prepared, std::span<std::int32_t const>(score.ids)).log_likelihoods == score.log_likelihoods);
  };
  for (int const threads : {1, 2}) {
    CAPTURE(threads);
    Cpu<> const on(threads);
    each(on, model), each(on, AnyModel(model));
    if constexpr (has_bf16) each(on.with(Products::bf16), model);
  }
}

TEST_CASE("Prepared: ten sessions have the packed weights once, where each by itself would have its own") {
  auto const model = model_on_bits(2);
  std::int64_t const once = packed(model);
  auto const each = [&](auto const& same) {
    Cpu<> const on(1);
    Prepared const prepared(on, same);
    CHECK(prepared.bytes() == 0);  // as long as nobody asked
    std::int64_t by_themselves = 0;
    for (int i = 0; i < 10; ++i) {
      Session session(prepared), alone(on, same);
      said(session), said(alone);
      CHECK(session.prepared().bytes() == once);
      by_themselves += alone.prepared().bytes();
    }
    CHECK(prepared.bytes() == once);
    CHECK(by_themselves == 10 * once);

    Prepared const copy = prepared;
    Session third(copy);
    said(third);
    CHECK(copy.bytes() == once);
  };
  each(model), each(AnyModel(model));
}

TEST_CASE("Prepared: stays the model that it was, whatever becomes of the one that was given") {
  auto const before = model_on_bits(2);
  auto const expected = said(Session(Cpu<>(1), before));
  std::optional model(before.clone());
  Prepared const prepared(Cpu<>(1), *model);
  Session early(prepared);

  auto const ids = ids_below(model->vocab(), 9, 1);
  gt::test::train_all(*model);
  {
    gt::Trainer trainer(Cpu<>(1), *model, {1, 8});
    trainer.step(std::span(ids).first(8), std::span(ids).last(8), 1e-2);
  }
  CHECK(said(Session(Cpu<>(1), *model)) != expected);
  CHECK(said(early) == expected);
  model->freeze(), model->reset_head(1), model->append(1);
  CHECK(said(Session(prepared)) == expected);
  CHECK(said(Session(Prepared(Cpu<>(1), *model))) != expected);
  model.reset();
  CHECK(said(Session(prepared)) == expected);
  CHECK(prepared.bytes() == packed(before));
}

TEST_CASE("Prepared: a backend that keeps nothing packs nothing") {
  auto const model = model_on_bits(1);
  Prepared const prepared(Ref{}, model);
  CHECK(said(Session(prepared)) == said(Session(Ref{}, model)));
  CHECK(prepared.bytes() == 0);
}

}  // namespace prepared_test

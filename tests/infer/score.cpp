// SPDX-License-Identifier: MIT
// Scores: each token from what stands before it, over all of the text, whatever the stride, batch and type.
#include "gt/infer/score.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/easy.hpp"
#include "infer/support.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace score_test {

using gt::BlockConfig, gt::Cpu, gt::Error, gt::Ref, gt::score;
using gt::test::ids_below, gt::test::Recital, gt::test::scrambled;

namespace {

constexpr BlockConfig tiny{.d_model = 16, .heads = 2};
constexpr std::int64_t V = 29, context = 8;

/// log p(ids[i] | ids[begin, i)) by the plainest way: a pass over just these tokens.
double plain(gt::Transformer<gt::Block<double>> const& model, std::vector<std::int32_t> const& ids, std::size_t begin,
             std::size_t i) {
  auto const z = gt::logits(Ref{}, model, std::span(ids).subspan(begin, i - begin));
  double const* const row = z.x.row(z.x.rows() - 1);
  double sum = 0;
  for (std::int64_t v = 0; v < V; ++v) sum += std::exp(row[v]);
  return row[ids[i]] - std::log(sum);
}

}  // namespace

TEST_CASE("score: every token is scored once, from the window that the stride gives it") {
  auto const model = scrambled<double>(tiny, 2, V, {.context = context});
  for (std::int64_t const length : {1, 2, 8, 9, 10, 21}) {
    auto const ids = ids_below(V, length, 5);
    for (std::int64_t const stride : {1, 3, 4, 8}) {
      CAPTURE(length);
      CAPTURE(stride);
      auto const result = score(Ref{}, model, std::span<std::int32_t const>(ids), {.stride = stride, .batch = 3});
      CHECK(result.stride == stride);
      REQUIRE(result.log_likelihoods.size() == ids.size());
      CHECK(result.log_likelihoods[0] == doctest::Approx(-std::log(29.0)).epsilon(1e-15));
      for (std::size_t i = 1; i < ids.size(); ++i) {
        // Token i is target i - 1; windows begin at multiples of the stride, and the first that reaches it scores it.
        auto const target = static_cast<std::int64_t>(i) - 1;
        auto const begin = target < context ? 0 : (target - context + stride) / stride * stride;
        CHECK(result.log_likelihoods[i] ==
              doctest::Approx(plain(model, ids, static_cast<std::size_t>(begin), i)).epsilon(1e-10));
      }
    }
  }
}

TEST_CASE("score: the same bits in any batch, on any number of threads, and through AnyModel") {
  auto const model = scrambled(tiny, 2, V, {.context = context});
  auto const ids = ids_below(V, 100, 6);
  std::span<std::int32_t const> const text = ids;
  auto const one = score(Cpu<>{1}, model, text, {.stride = 3, .batch = 1}).log_likelihoods;
  CHECK(score(Cpu<>{3}, model, text, {.stride = 3, .batch = 7}).log_likelihoods == one);
  CHECK(score(Cpu<>{2}, gt::AnyModel(model), text, {.stride = 3}).log_likelihoods == one);
  CHECK(score(Cpu<>{1}, model, text, {.stride = 8}).log_likelihoods != one);
  CHECK(score(Cpu<>{1}, model, text).stride == 4);  // half the context
}

TEST_CASE("score: sums, bytes and characters are of the whole text") {
  Recital const recital({"<s>", "a", "b", "\u00e9", "c", "d", "cd"});
  std::string const text = "ab\u00e9cd";
  auto const result = score(Cpu<>{}, recital.model(), recital.tokenizer(), text);
  CHECK(result.ids.size() == 5);
  CHECK(result.bytes == 6);
  CHECK(result.characters == 5);
  double const sum = std::accumulate(result.log_likelihoods.begin(), result.log_likelihoods.end(), 0.0);
  CHECK(result.log_likelihood() == sum);
  CHECK(result.loss() == -sum / 5);
  CHECK(result.perplexity() == doctest::Approx(std::exp(-sum / 5)));
  CHECK(result.bits_per_byte() == doctest::Approx(-sum / std::log(2.0) / 6));
  CHECK(result.bits_per_character() == doctest::Approx(-sum / std::log(2.0) / 5));
  CHECK(score(recital.model(), recital.tokenizer(), text).log_likelihoods == result.log_likelihoods);  // on all cores
  // What the model recites is likelier than what it does not.
  CHECK(score(Cpu<>{}, recital.model(), recital.tokenizer(), "ba\u00e9cd").log_likelihood() < sum);
}

TEST_CASE("score: progress is told in tokens, and can end it") {
  auto const model = scrambled(tiny, 1, V, {.context = context});
  auto const ids = ids_below(V, 50, 6);
  std::vector<std::int64_t> told;
  auto const tell = [&](std::int64_t done, std::int64_t of) {
    CHECK(of == 50);
    told.push_back(done);
    return told.size() < 3;
  };
  auto const part =
      score(Cpu<>{}, model, std::span<std::int32_t const>(ids), {.stride = 8, .batch = 1, .proceed = tell});
  CHECK(told == std::vector<std::int64_t>{9, 17, 25});
  CHECK(part.log_likelihoods.size() == 25);
  CHECK_FALSE(part.complete);
}

TEST_CASE("score: logits that are not finite are no score") {
  auto model = scrambled(tiny, 2, V, {.context = context});
  model.unshare();
  for (auto const& p : model.parameters())
    if (p.name == "lm_head.weight") std::fill_n(p.data, p.size(), 3e38F);
  auto const ids = ids_below(V, 20, 6);
  CHECK_THROWS_WITH_AS(score(Cpu<>{1}, model, std::span<std::int32_t const>(ids)),
                       "gt: score: the model's logits must be finite (got others)", Error);
}

TEST_CASE("score: bad input says what must hold") {
  auto const model = scrambled(tiny, 1, V, {.context = context});
  std::vector<std::int32_t> const ids{1, 2, 3}, high{1, 29}, low{-1};
  auto const on = Ref{};
  auto const of = [&](std::vector<std::int32_t> const& some, gt::ScoreOptions const& options = {}) {
    score(on, model, std::span<std::int32_t const>(some), options);
  };
  CHECK_THROWS_WITH_AS(of({}), "gt: score: there must be at least one token to score (got none)", Error);
  CHECK_THROWS_WITH_AS(of(high), "gt: score: every id must lie in [0, 29) (got 29)", Error);
  CHECK_THROWS_WITH_AS(of(low), "gt: score: every id must lie in [0, 29) (got -1)", Error);
  CHECK_THROWS_WITH_AS(of(ids, {.stride = 9}), "gt: score: the stride must lie in 1 ... 8, the model's context (got 9)",
                       Error);
  CHECK_THROWS_WITH_AS(of(ids, {.stride = -1}),
                       "gt: score: the stride must lie in 1 ... 8, the model's context (got -1)", Error);
  CHECK_THROWS_WITH_AS(of(ids, {.batch = 0}), "gt: score: the batch must be positive (got 0)", Error);
  Recital const recital({"a", "b"});
  CHECK_THROWS_WITH_AS(score(on, recital.model(), recital.tokenizer(), ""), "gt: score: the text must not be empty",
                       Error);
  CHECK_THROWS_WITH_AS(score(on, model, recital.tokenizer(), "a"),
                       doctest::Contains("gt: score: the tokenizer must have as many tokens as the model (got "),
                       Error);
}

}  // namespace score_test

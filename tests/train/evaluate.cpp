// SPDX-License-Identifier: MIT
// Evaluation: every token but the first once, from its window alone, and bits per byte.
#include "gt/train/evaluate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/text/tokens.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace evaluate_test {

using gt::BlockConfig, gt::Cpu, gt::Evaluation, gt::Evaluator, gt::Ref, gt::Tokens;

namespace {

constexpr BlockConfig cfg{.d_model = 16, .heads = 2};
constexpr std::int64_t V = 29, T = 5, B = 3;
using Model = gt::Transformer<>;

std::vector<std::int32_t> bytes_of_tokens() {
  std::vector<std::int32_t> bytes(V);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::int32_t>(1 + i % 4);
  return bytes;
}

}  // namespace

TEST_CASE_TEMPLATE("Evaluator: each window alone gives the same sum, the last batch and the last window short", Backend,
                   Ref, Cpu<>) {
  Backend const on{};
  auto const model = gt::test::scrambled(cfg, 2, V, {.context = 8});
  auto const bytes = bytes_of_tokens();
  Evaluator<Backend, Model> evaluate(on, {B, T}, bytes);
  for (std::size_t const size : {2, 6, 7, 16, 17, 31, 40}) {
    for (std::int64_t const most : {0, 1, 12, 30, 1000}) {
      INFO("size ", size, ", most ", most);
      auto const text = gt::test::ids_below(V, static_cast<std::int64_t>(size), 1);
      std::size_t const predicted = most > 0 ? std::min(size - 1, static_cast<std::size_t>(most)) : size - 1;
      Evaluation expected;
      std::size_t const windows = (size - 1 + T - 1) / T, read = (predicted + T - 1) / T;
      for (std::size_t w = 0; w < read; ++w) {  // evenly spread
        std::size_t const first = (2 * w + 1) * windows / (2 * read) * T;
        auto const from = text.begin() + static_cast<std::ptrdiff_t>(first);
        auto const count = static_cast<std::ptrdiff_t>(std::min<std::size_t>({T, size - 1 - first, predicted - w * T}));
        std::vector<std::int32_t> const ids(from, from + count), targets(from + 1, from + 1 + count);
        for (float const nll : gt::test::losses(on, model, ids, targets, {1, count}))
          expected.nats += static_cast<double>(nll);
        for (std::int32_t const id : targets) expected.bytes += 1 + id % 4;
        expected.tokens += count;
      }
      auto const actual = evaluate(model, Tokens::from_ids(text, V), most);
      CHECK(actual.nats == expected.nats);
      CHECK(actual.tokens == expected.tokens);
      CHECK(actual.bytes == expected.bytes);
      if (read == windows) CHECK(static_cast<std::size_t>(actual.tokens) == predicted);
      CHECK(actual.complete);
      CHECK(actual.bits_per_byte() ==
            doctest::Approx(expected.nats / std::log(2.0) / static_cast<double>(expected.bytes)).epsilon(1e-12));
      CHECK(actual.loss() == doctest::Approx(expected.nats / static_cast<double>(expected.tokens)).epsilon(1e-12));
      CHECK(actual.perplexity() == doctest::Approx(std::exp(actual.loss())).epsilon(1e-12));
    }
  }
}

TEST_CASE("Evaluator: a part of a text is spread evenly over it, and the same each time") {
  auto const model = gt::test::scrambled(cfg, 1, V, {.context = 8});
  std::vector<std::int32_t> ids(1 + 100 * T, 7);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * V / ids.size());  // by place
  std::vector<std::int32_t> where(V);
  for (std::size_t i = 0; i < where.size(); ++i) where[i] = static_cast<std::int32_t>(1000 * i);
  Evaluator<Ref, Model> evaluate(Ref{}, {B, T}, where);
  auto const part = evaluate(model, Tokens::from_ids(ids, V), 10 * T);
  CHECK(part.tokens == 10 * T);
  CHECK(std::abs(static_cast<double>(part.bytes) / static_cast<double>(part.tokens) - 14'000) < 1000);  // the middle
  CHECK(evaluate(model, Tokens::from_ids(ids, V), 10 * T).nats == part.nats);
}

TEST_CASE("Evaluator: is ended after any batch, and says so") {
  auto const model = gt::test::scrambled(cfg, 1, V, {.context = 8});
  auto const text = Tokens::from_ids(gt::test::ids_below(V, 40, 1), V);
  Evaluator<Ref, Model> evaluate(Ref{}, {B, T}, bytes_of_tokens());
  for (int const after : {1, 2, 3}) {
    int asked = 0;
    std::int64_t last = 0;
    auto const seen = evaluate(model, text, 0, [&](std::int64_t done, std::int64_t of) {
      CHECK((done > last && of == 39));
      last = done;
      return ++asked < after;
    });
    CHECK(asked == after);
    CHECK(seen.complete == (after == 3));  // nothing was left to end
    CHECK(seen.tokens == std::min<std::int64_t>(after * B * T, 39));
  }
}

TEST_CASE("Evaluator: follows a model that grows") {
  auto model = gt::test::scrambled(cfg, 0, V, {.context = 8});
  auto const text = Tokens::from_ids(gt::test::ids_below(V, 40, 1), V);
  Evaluator<Ref, Model> evaluate(Ref{}, {B, T}, bytes_of_tokens());
  auto const before = evaluate(model, text);
  model.append(2, gt::BlockInit::identity);
  CHECK(evaluate(model, text).nats == before.nats);
  gt::test::scramble(model);
  Evaluator<Ref, Model> fresh(Ref{}, {B, T}, bytes_of_tokens());
  CHECK(evaluate(model, text).nats == fresh(model, text).nats);
  CHECK(evaluate(model, text).nats != before.nats);
}

TEST_CASE("Evaluation: of nothing is zero; an even guess of 256 bytes costs 8 bits a byte") {
  CHECK(Evaluation{}.loss() == 0);
  CHECK(Evaluation{}.bits_per_byte() == 0);
  Evaluation const even{.nats = 100 * std::log(256.0), .tokens = 100, .bytes = 100};
  CHECK(even.bits_per_byte() == doctest::Approx(8).epsilon(1e-12));
  CHECK(even.perplexity() == doctest::Approx(256).epsilon(1e-12));
  auto const model = gt::test::scrambled(cfg, 1, V, {.context = 8});
  Evaluator<Ref, Model> evaluate(Ref{}, {B, T}, bytes_of_tokens());
  CHECK(evaluate(model, Tokens::from_ids(gt::test::ids_below(V, 1, 1), V)).tokens == 0);
  Evaluator<Ref, Model> incomplete(Ref{}, {B, T}, std::vector<std::int32_t>(V - 1));
  CHECK_THROWS_WITH_AS(incomplete(model, Tokens::from_ids(gt::test::ids_below(V, 9, 1), V)),
                       "gt: Evaluator: each of the 29 tokens needs its bytes (got 28)", gt::Error);
}

}  // namespace evaluate_test

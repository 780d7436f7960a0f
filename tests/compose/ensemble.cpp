// SPDX-License-Identifier: MIT
// Ensembles: what may be merged, what the mixture is, and what is held once.
#include "gt/compose/ensemble.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "compose/support.hpp"
#include "gt/backend/ref/ref.hpp"
#include "gt/formats/hugging_face/any_model_folder.hpp"
#include "gt/train/evaluate.hpp"

namespace ensemble_test {

using gt::AnyModel, gt::Cpu, gt::Ensemble, gt::Error, gt::Expert, gt::fixed_weights, gt::Mixing, gt::posterior_weights;
using gt::test::bit_equal, gt::test::close, gt::test::ids_below, gt::test::logits_of, gt::test::losses, gt::test::mixed,
    gt::test::model_on_bits, gt::test::Numbers, gt::test::posterior_of, gt::test::Rows, gt::test::rows_of,
    gt::test::TemporaryFolder, gt::test::three_experts, gt::test::tokenizer_of_prose, gt::test::two_experts;

namespace {

std::vector<float> numbers(gt::nn::States<float> const& states) { return {states.memory.begin(), states.memory.end()}; }
std::int64_t vocab() { return tokenizer_of_prose().size(); }

}  // namespace

TEST_CASE("Ensemble: the mixed logits are those of the definition") {
  auto const ids = ids_below(vocab(), 24, 3);
  Cpu<> const on(2);
  Ensemble const mean(three_experts());
  auto const z = logits_of(on, mean, ids);
  double const largest = gt::test::largest_of(z);
  auto const agrees = [&](Ensemble<gt::Transformer<>> const& ensemble, Rows const& weights) {
    auto const is = rows_of(gt::logits(on, ensemble, ids)), expected = gt::test::mixed(z, weights);
    for (std::size_t t = 0; t < is.size(); ++t) CHECK(close(is[t], expected[t], gt::test::tol<float>(3), largest));
  };
  agrees(mean, Rows(24, Numbers(3, 1.0 / 3)));
  agrees(mean.with(fixed_weights({2, 0, 6})), Rows(24, Numbers{0.25, 0, 0.75}));
  // Log-likelihoods in float, off by a few roundings of a logit for each token before: so are log weights.
  for (double const decay : {0.9, 0.0}) {
    CAPTURE(decay);
    auto const weights = posterior_of(z, ids, {0.5, 0.25, 0.25}, decay);
    auto const led = mean.with(posterior_weights({.prior = {2, 1, 1}, .decay = decay}));
    auto const is = rows_of(gt::logits(on, led, ids)), expected = gt::test::mixed(z, weights);
    for (std::size_t t = 0; t < is.size(); ++t)
      CHECK(close(is[t], expected[t], 24 * gt::test::tol<float>(1) * largest, largest));
  }
}

TEST_CASE("Ensemble: no token costs more than the mean of what it costs the experts (Hoelder)") {
  auto const ids = ids_below(vocab(), 48, 3), targets = ids_below(vocab(), 48, 4);
  Cpu<> const on(1);
  auto const experts = three_experts();
  double const largest = gt::test::largest_of(logits_of(on, Ensemble(experts), ids_below(vocab(), 24, 3)));
  std::vector<std::vector<float>> alone;
  for (auto const& e : experts) alone.push_back(losses(on, e, ids, targets, {2, 24}));
  for (Numbers const& w : {Numbers{1, 1, 1}, Numbers{1, 2, 5}, Numbers{0, 1, 1}}) {
    Ensemble const ensemble(experts, fixed_weights(w));
    auto const together = losses(on, ensemble, ids, targets, {2, 24});
    double gap = 0;
    for (std::size_t t = 0; t < together.size(); ++t) {
      double mean = 0;
      for (std::size_t i = 0; i < 3; ++i) mean += ensemble.weights()[i] * static_cast<double>(alone[i][t]);
      CHECK(static_cast<double>(together[t]) <= mean + gt::test::tol<float>(static_cast<double>(vocab())) * largest);
      gap += mean - static_cast<double>(together[t]);
    }
    CHECK(gap / 48 > 0.1);  // experts that disagree gain
  }
}

TEST_CASE("Ensemble: equal experts give the expert's bits; so does one that has all of the weight") {
  auto const ids = ids_below(vocab(), 24, 3), targets = ids_below(vocab(), 24, 4);
  Cpu<> const on(2);
  auto const two = two_experts();
  auto const first = numbers(gt::logits(on, two[0], ids)), second = numbers(gt::logits(on, two[1], ids));
  CHECK(bit_equal(numbers(gt::logits(on, Ensemble({two[0], two[0]}), ids)), first));
  CHECK(bit_equal(numbers(gt::logits(on, Ensemble({two[0], two[0], two[0]}, fixed_weights({1, 2, 4})), ids)), first));
  CHECK(bit_equal(numbers(gt::logits(on, Ensemble({two[0], two[0]}, posterior_weights()), ids)), first));
  CHECK(bit_equal(numbers(gt::logits(on, Ensemble(two, fixed_weights({1, 0})), ids)), first));
  CHECK(bit_equal(numbers(gt::logits(on, Ensemble(two, fixed_weights({0, 1})), ids)), second));
  CHECK(bit_equal(losses(on, Ensemble(two, fixed_weights({0, 1})), ids, targets, {1, 24}),
                  losses(on, two[1], ids, targets, {1, 24})));
}

TEST_CASE("Ensemble: the same bits on any number of threads, in any batch, on types hidden or not") {
  auto const ids = ids_below(vocab(), 48, 3), targets = ids_below(vocab(), 48, 4);
  auto const experts = two_experts();
  for (auto const& mixing : {Mixing{}, fixed_weights({1, 3}), posterior_weights({.decay = 0.9})}) {
    Ensemble ensemble(experts, mixing);
    gt::test::add_busy_adapter(ensemble);
    auto const one = losses(Cpu<>(1), ensemble, ids, targets, {2, 24});
    CHECK(bit_equal(losses(Cpu<>(2), ensemble, ids, targets, {2, 24}), one));
    CHECK(bit_equal(losses(Cpu<>(3), ensemble, ids, targets, {2, 24}), one));
    std::vector<std::int32_t> const last(ids.begin() + 24, ids.end()),
        last_targets(targets.begin() + 24, targets.end());
    auto const alone = losses(Cpu<>(1), ensemble, last, last_targets, {1, 24});
    CHECK(bit_equal(alone, std::vector<float>(one.begin() + 24, one.end())));
    Ensemble hidden({AnyModel(experts[0]), AnyModel(experts[1])}, mixing);
    hidden.set_adapter(*ensemble.adapter());
    CHECK(bit_equal(losses(Cpu<>(2), hidden, ids, targets, {2, 24}), one));
  }
}

TEST_CASE("Ensemble: on the reference backend in double the losses are those of the definition") {
  constexpr gt::BlockConfig shape{.d_model = 16, .heads = 2};
  auto const a = gt::test::scrambled<double>(shape, 1, 97, {.context = 12, .head_bias = true});
  auto b = gt::test::scrambled<double>(shape, 2, 97, {.context = 12, .head_bias = true});
  gt::test::scramble(b, 900);
  auto const ids = ids_below(97, 12, 1), targets = ids_below(97, 12, 2);
  Ensemble const ensemble({a, b}, posterior_weights({.decay = 0.7}));
  CHECK(ensemble.depth() == 2);
  auto const z = logits_of(gt::Ref{}, ensemble, ids);
  auto const expected = mixed(z, posterior_of(z, ids, {0.5, 0.5}, 0.7));
  auto const is = losses(gt::Ref{}, ensemble, ids, targets, {1, 12});
  for (std::size_t t = 0; t < is.size(); ++t)
    CHECK(std::abs(is[t] + gt::test::log_softmax(expected[t])[static_cast<std::size_t>(targets[t])]) < 1e-12);
}

TEST_CASE("Ensemble: score, its windows and Evaluator take it as a model") {
  auto const text = gt::test::prose(60, 9);
  Ensemble const ensemble(two_experts());
  auto const& tokenizer = tokenizer_of_prose();
  double bits = 0;
  for (auto const& e : ensemble.experts()) bits += gt::score(e.model, tokenizer, text).bits_per_byte() / 2;
  auto const together = gt::score(ensemble, tokenizer, text);
  CHECK(together.bits_per_byte() < bits);
  CHECK(together.complete);
  gt::Evaluator<Cpu<>, Ensemble<gt::Transformer<>>> evaluate(Cpu<>(1), {2, 12}, gt::token_bytes(tokenizer));
  auto const tokens = gt::Tokens::from_ids(together.ids, tokenizer.size());
  CHECK(evaluate(ensemble, tokens).tokens == tokens.size() - 1);
  CHECK(ensemble.context() == 24);
}

TEST_CASE("Ensemble: experts that were loaded apart hold one table, and say what they said") {
  TemporaryFolder const folder;
  auto const models = two_experts();
  gt::save(models[0], tokenizer_of_prose(), folder / "a");
  gt::save(models[1], tokenizer_of_prose(), folder / "b");
  Cpu<> const on(1);
  auto const ids = ids_below(vocab(), 24, 3);
  auto const shares = [&](auto const& a, auto const& b) {
    CHECK(a.table().data() != b.table().data());
    Ensemble const ensemble({a, b});
    CHECK(ensemble.table_count() == 1);
    CHECK(ensemble.expert(1).table().data() == a.table().data());
    CHECK(ensemble.expert(1).head().data() == b.head().data());
    CHECK(gt::test::differences(ensemble.expert(1), b).empty());
    CHECK(bit_equal(numbers(gt::logits(on, ensemble.expert(1), ids)), numbers(gt::logits(on, b, ids))));
  };
  shares(gt::load_model(folder / "a"), gt::load_model(folder / "b"));
  shares(gt::load_any_model(on, folder / "a"), gt::load_any_model(on, folder / "b"));
  auto const outlives = [&] { return Ensemble({gt::load_model(folder / "a"), gt::load_model(folder / "b")}); }();
  CHECK(bit_equal(numbers(gt::logits(on, outlives, ids)), numbers(gt::logits(on, Ensemble(models), ids))));
}

TEST_CASE("Ensemble: tables of one definition that differ in a bit stay apart") {
  auto const models = two_experts();
  auto const rows = models[1].table();
  gt::Buffer<float> other(rows.size());
  std::copy_n(rows.data(), rows.size(), other.data());
  other[7] = std::nextafter(other[7], 9.0F);
  Ensemble const ensemble({models[0], gt::with_table(models[1], other)});
  CHECK(ensemble.table_count() == 2);
  CHECK(ensemble.expert(1).table().data() == other.data());
  CHECK_THROWS_WITH_AS(gt::with_table(models[0], gt::Buffer<float>(3)),
                       doctest::Contains("of 420 rows of 16 numbers (got 3 numbers)"), Error);
}

TEST_CASE("Ensemble: what does not belong together is refused by name") {
  auto const two = two_experts();
  auto const refused = [](auto const& make, char const* part) {
    CHECK_THROWS_WITH_AS(make(), doctest::Contains(part), Error);
  };
  using Experts = std::vector<Expert<gt::Transformer<>>>;
  refused([&] { return Ensemble<gt::Transformer<>>(std::vector<gt::Transformer<>>{}); },
          "there must be at least two experts (got 0)");
  refused([&] { return Ensemble(std::vector<gt::Transformer<>>{two[0]}); },
          "there must be at least two experts (got 1)");
  refused([&] { return Ensemble(two, fixed_weights({1})); }, "one weight for each of the 2 experts (got 1)");
  refused(
      [&] {
        return Ensemble({two[0], two[1], gt::test::model_on_rows()});
      },
      "gt: Ensemble: 'expert 3' must have the substrate of 'expert 1' (got ");
  refused(
      [&] {
        return Ensemble(Experts{{two[0], "austen", "T1"}, {two[1], "darwin", "T2"}});
      },
      "gt: Ensemble: 'darwin' must have the tokenizer of 'austen' (got T2 where that has T1)");
  constexpr gt::BlockConfig narrow{.d_model = 16, .heads = 2};
  refused(
      [&] {
        return Ensemble({AnyModel(two[0]), AnyModel(model_on_bits(narrow))});
      },
      "gt: Ensemble: 'expert 2' must have the width of 'expert 1' (got 16 where that has 32)");
  auto const small_vocab =
      gt::Transformer(gt::BinaryEmbedding::of_ids(64, {.d_model = 32}), gt::test::small, gt::seed(1));
  refused(
      [&] {
        return Ensemble({two[0], small_vocab});
      },
      "gt: Ensemble: 'expert 2' must have the vocabulary size of 'expert 1' (got 64 where that has 420)");

  Ensemble ensemble(two);
  refused([&] { return ensemble.with(fixed_weights({0, 0})); }, "a sum above 0");
  refused([&] { return ensemble.add_adapter({.rank = 0}), 0; },
          "gt: FusionAdapter: the rank must be 1 or more (got 0)");
  refused([&] { return ensemble.set_adapter(gt::FusionAdapter<float>(3, 32, 420)), 0; },
          "the adapter must be of 2 experts of width 32 and 420 tokens (got 3, 32 and 420)");
  refused([&] { return ensemble.set_head(0, gt::Buffer<float>(1)), 0; }, "gt: with_head: norm and head must be of ");
  Cpu<> const on(1);
  refused([&] { return gt::logits(on, ensemble, std::vector<std::int32_t>{}); }, "at least one token");
  refused([&] { return gt::logits(on, ensemble, ids_below(420, 25, 1)); }, "within the context of 24");
  refused([&] { return losses(on, ensemble, {1, 2}, {3, 420}, {1, 2}); }, "targets must lie in 0 ... 419 (got 420)");
}

TEST_CASE("Ensemble: the control: other substrates, one vocabulary, when that is asked for") {
  Ensemble const control({two_experts()[0], gt::test::model_on_rows()}, {}, {.any_substrate = true});
  CHECK(control.table_count() == 2);
  auto const ids = ids_below(vocab(), 24, 3);
  Cpu<> const on(1);
  auto const z = logits_of(on, control, ids);
  auto const expected = mixed(z, Rows(24, Numbers{0.5, 0.5}));
  auto const is = rows_of(gt::logits(on, control, ids));
  for (std::size_t t = 0; t < is.size(); ++t)
    CHECK(close(is[t], expected[t], gt::test::tol<float>(2), gt::test::largest_of(z)));
}

TEST_CASE("FusionAdapter: fresh it changes no bit; then it adds U sum of D h, in both of its places") {
  auto const ids = ids_below(vocab(), 24, 3);
  Cpu<> const on(2);
  Ensemble ensemble(two_experts(), fixed_weights({1, 3}));
  auto const plain = gt::logits(on, ensemble, ids);
  ensemble.add_adapter({.rank = 5, .seed = gt::seed(2)});
  CHECK(bit_equal(numbers(gt::logits(on, ensemble, ids)), numbers(plain)));
  auto const names = ensemble.adapter()->parameters();
  CHECK(names.size() == 3);
  CHECK(names[2].name == "fusion.up.weight");
  CHECK(ensemble.adapter()->buffer().size() == 5 * (2 * 32 + 420));

  gt::test::add_busy_adapter(ensemble, 5);
  auto const& adapter = *ensemble.adapter();
  auto expected = rows_of(plain);
  for (std::size_t t = 0; t < ids.size(); ++t) {
    for (int r = 0; r < 5; ++r) {
      double a = 0;
      for (std::size_t i = 0; i < 2; ++i) {
        std::vector<std::int32_t> const before(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(t) + 1);
        gt::Session session(on, ensemble.expert(i));
        session.feed(before);
        for (int j = 0; j < 32; ++j)
          a += static_cast<double>(adapter.down(static_cast<int>(i))(r, j)) * static_cast<double>(session.state()[j]);
      }
      for (std::int64_t v = 0; v < vocab(); ++v)
        expected[t][static_cast<std::size_t>(v)] += a * static_cast<double>(adapter.up()(v, r));
    }
  }
  auto const is = rows_of(gt::logits(on, ensemble, ids));
  for (std::size_t t = 0; t < is.size(); ++t)
    CHECK(close(is[t], expected[t], gt::test::tol<float>(64), gt::test::max_abs(expected[t])));
}

}  // namespace ensemble_test

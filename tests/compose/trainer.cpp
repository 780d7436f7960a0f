// SPDX-License-Identifier: MIT
// Fine-tuning: gradients against the complex step, a loss that falls, and everything else that stays as it was.
#include "gt/compose/trainer.hpp"

#include <doctest/doctest.h>

#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "compose/support.hpp"
#include "gt/backend/ref/ref.hpp"
#include "support/complex_step.hpp"

namespace trainer_test {

using gt::AnyModel, gt::Cpu, gt::Ensemble, gt::EnsembleTrainer, gt::EnsembleTrains, gt::Error, gt::fixed_weights,
    gt::posterior_weights, gt::Ref;
using gt::test::bit_equal, gt::test::changes, gt::test::close, gt::test::Complex, gt::test::ids_below,
    gt::test::Numbers, gt::test::two_experts, gt::test::weights_of;

namespace {

constexpr std::int64_t V = 23, C = 8;
constexpr gt::BlockConfig shape{.d_model = C, .heads = 2};
constexpr gt::BatchShape batch{2, 6};
using Ids = std::vector<std::int32_t>;

Ids targets_of_batch() {
  auto targets = ids_below(V, batch.rows(), 2);
  targets[4] = gt::no_target;
  return targets;
}
/// Two experts with a bias on their heads and a busy adapter; `heads` and `adapter` are put in where they are not
/// empty.
template <class T>
Ensemble<gt::Transformer<gt::Block<T>>> ensemble_of(gt::Mixing const& mixing, std::vector<T> const& heads = {},
                                                    std::vector<T> const& adapter = {}) {
  auto a = gt::test::scrambled<T>(shape, 1, V, {.context = 6, .head_bias = true});
  auto b = gt::test::scrambled<T>(shape, 2, V, {.context = 6, .head_bias = true});
  gt::test::scramble(b, 900);
  std::int64_t const n = V * C + V;
  if (!heads.empty()) {
    std::copy_n(heads.data(), n, a.head_buffer().end() - n);
    std::copy_n(heads.data() + n, n, b.head_buffer().end() - n);
  }
  Ensemble<gt::Transformer<gt::Block<T>>> ensemble({a, b}, mixing);
  gt::test::add_busy_adapter(ensemble);
  if (!adapter.empty()) std::copy(adapter.begin(), adapter.end(), ensemble.adapter()->buffer().begin());
  return ensemble;
}
/// The mean of the losses.
template <class T>
T mean_loss(Ensemble<gt::Transformer<gt::Block<T>>> const& ensemble) {
  T sum{};
  for (T const& nll : gt::test::losses(Ref{}, ensemble, ids_below(V, batch.rows(), 1), targets_of_batch(), batch))
    sum += nll;
  return sum / T(static_cast<double>(batch.rows() - 1));
}
template <class Buffer>
Numbers numbers(Buffer const& buffer) {
  return {buffer.begin(), buffer.end()};
}

/// Batches in which a token is followed by a function of itself, most of the time.
struct Data {
  explicit Data(std::uint32_t stream, std::int64_t rows = 48) : ids(ids_below(420, rows, stream)) {
    for (auto const id : ids) targets.push_back((7 * id + 3) % 420);
  }
  Ids ids, targets;
};

}  // namespace

TEST_CASE("EnsembleTrainer: gradients of adapter and heads are those of the complex step") {
  for (auto const& mixing : {gt::mean_of_logits(), fixed_weights({1, 3})}) {
    auto ensemble = ensemble_of<double>(mixing);
    EnsembleTrainer trainer(Ref{}, ensemble, batch, {.heads = true, .adapter = true});
    auto const ids = ids_below(V, batch.rows(), 1), targets = targets_of_batch();
    double const loss = trainer.forward_backward(ids, targets);
    CHECK(close(loss, mean_loss(ensemble), 1e-14, 1));
    CHECK(trainer.active_parameters() == 2 * (V * C + V) + 3 * (2 * C + V));

    auto const by_adapter = [&](std::vector<Complex> const& x) {
      return mean_loss(ensemble_of<Complex>(mixing, {}, x));
    };
    CHECK(close(numbers(trainer.adapter_gradient()),
                gt::test::complex_step(by_adapter, numbers(ensemble.adapter()->buffer())), 1e-10));
    Numbers heads, gradients;
    for (std::size_t i = 0; i < 2; ++i) {
      auto const all = numbers(ensemble.expert(i).head_buffer()), d = numbers(trainer.head_gradient(i));
      heads.insert(heads.end(), all.end() - (V * C + V), all.end());
      gradients.insert(gradients.end(), d.begin(), d.end());
    }
    auto const by_heads = [&](std::vector<Complex> const& x) { return mean_loss(ensemble_of<Complex>(mixing, x)); };
    CHECK(close(gradients, gt::test::complex_step(by_heads, heads), 1e-10));

    Numbers once = numbers(trainer.adapter_gradient());
    trainer.forward_backward(ids, targets);  // they add up
    for (double& x : once) x *= 2;
    CHECK(close(numbers(trainer.adapter_gradient()), once, 1e-14));
  }
}

TEST_CASE("EnsembleTrainer: an adapter trains under weights that follow the context") {
  auto const mixing = posterior_weights({.decay = 0.8});
  auto ensemble = ensemble_of<double>(mixing);
  EnsembleTrainer trainer(Ref{}, ensemble, batch);
  trainer.forward_backward(ids_below(V, batch.rows(), 1), targets_of_batch());
  auto const by_adapter = [&](std::vector<Complex> const& x) { return mean_loss(ensemble_of<Complex>(mixing, {}, x)); };
  CHECK(close(numbers(trainer.adapter_gradient()),
              gt::test::complex_step(by_adapter, numbers(ensemble.adapter()->buffer())), 1e-10));
  CHECK(trainer.head_gradient(0).empty());
}

TEST_CASE("EnsembleTrainer: the loss falls; what is frozen, and the models it was made of, keep every bit") {
  auto const models = two_experts();
  struct Case {
    EnsembleTrains what;
    double lr;
  };
  for (Case const& c : {Case{{.heads = true, .adapter = false}, 3e-2}, Case{{.heads = false}, 3e-2},
                        Case{{.heads = true, .adapter = true}, 3e-2}}) {
    auto const what = c.what;
    CAPTURE(what.heads);
    CAPTURE(what.adapter);
    std::vector before{weights_of(models[0]), weights_of(models[1])};
    Ensemble ensemble(models);
    ensemble.add_adapter({.rank = 8});
    auto const adapter = ensemble.adapter()->clone();
    EnsembleTrainer trainer(Cpu<>(2), ensemble, {2, 24}, what, {.weight_decay = 0});
    double first = 0, last = 0;
    for (int step = 0; step < 40; ++step) {
      Data const data(static_cast<std::uint32_t>(step % 4));
      last = trainer.step(data.ids, data.targets, c.lr).loss;
      if (step == 0) first = last;
    }
    CHECK(trainer.steps() == 40);
    CHECK(last < 0.7 * first);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(changes(before[i], weights_of(models[i])).empty());
      auto const moved = changes(before[i], weights_of(ensemble.expert(i)));
      CHECK(moved == (what.heads ? std::vector<std::string>{"lm_head.weight"} : std::vector<std::string>{}));
    }
    bool const same = bit_equal<float>(adapter.buffer().span(), ensemble.adapter()->buffer().span());
    CHECK(same != what.adapter);
    CHECK(ensemble.owns_heads() == what.heads);
    CHECK(ensemble.table_count() == 1);
  }
}

TEST_CASE("EnsembleTrainer: the same bits on any number of threads, and on types hidden or not") {
  auto const models = two_experts();
  auto const trained = [](auto ensemble, int threads) {
    ensemble.add_adapter({.rank = 4});
    EnsembleTrainer trainer(Cpu<>(threads), ensemble, {2, 24}, {.heads = true});
    for (std::uint32_t step = 0; step < 5; ++step) {
      Data const data(step);
      trainer.step(data.ids, data.targets, 1e-2);
    }
    auto all = std::vector<float>(ensemble.adapter()->buffer().begin(), ensemble.adapter()->buffer().end());
    for (auto const& e : ensemble.experts())
      all.insert(all.end(), e.model.head_buffer().begin(), e.model.head_buffer().end());
    return all;
  };
  auto const one = trained(Ensemble(models), 1);
  CHECK(bit_equal(trained(Ensemble(models), 2), one));
  CHECK(bit_equal(trained(Ensemble({AnyModel(models[0]), AnyModel(models[1])}), 2), one));
}

TEST_CASE("EnsembleTrainer: an expert without weight keeps its head; a loss that is not finite changes nothing") {
  auto const models = two_experts();
  Ensemble ensemble(models, fixed_weights({0, 1}));
  EnsembleTrainer trainer(Cpu<>(1), ensemble, {2, 24}, {.heads = true, .adapter = false});
  Data const data(1);
  trainer.step(data.ids, data.targets, 1e-2);
  CHECK(changes(weights_of(models[0]), weights_of(ensemble.expert(0))).empty());
  CHECK(changes(weights_of(models[1]), weights_of(ensemble.expert(1))) == std::vector<std::string>{"lm_head.weight"});

  float& broken = const_cast<float&>(ensemble.expert(1).head()(5, 5));
  float const was = broken;
  broken = std::numeric_limits<float>::quiet_NaN();
  auto const before = weights_of(ensemble.expert(1));
  CHECK(std::isnan(trainer.step(data.ids, data.targets, 1e-2).loss));
  CHECK(trainer.steps() == 1);
  CHECK(changes(before, weights_of(ensemble.expert(1))).empty());
  broken = was;
  CHECK(std::isfinite(trainer.step(data.ids, data.targets, 1e-2).loss));
}

TEST_CASE("EnsembleTrainer: what cannot train is one sentence") {
  Ensemble ensemble(two_experts());
  auto const refused = [&](Ensemble<gt::Transformer<>>& e, gt::BatchShape s, EnsembleTrains what,
                           char const* sentence) {
    CHECK_THROWS_WITH_AS(EnsembleTrainer(Cpu<>(1), e, s, what), sentence, Error);
  };
  refused(ensemble, {2, 24}, {.heads = false, .adapter = false},
          "gt: EnsembleTrainer: something must train: the heads or the adapter");
  refused(ensemble, {2, 24}, {},
          "gt: EnsembleTrainer: the ensemble must have an adapter to train; add_adapter gives it one");
  refused(ensemble, {2, 25}, {.heads = true, .adapter = false},
          "gt: EnsembleTrainer: a batch must be positive and fit the context of 24 tokens (got 2 x 25)");
  auto led = ensemble.with(posterior_weights());
  refused(led, {2, 24}, {.heads = true, .adapter = false},
          "gt: EnsembleTrainer: heads train under fixed weights only; an adapter trains under weights that follow the "
          "context too");
  EnsembleTrainer trainer(Cpu<>(1), ensemble, {2, 24}, {.heads = true, .adapter = false});
  Data const data(1), other(1, 47);
  CHECK_THROWS_WITH_AS(trainer.forward_backward(other.ids, data.targets),
                       "gt: EnsembleTrainer: a batch must hold 48 ids and targets (got 47 and 48)", Error);
  auto wrong = data.targets;
  wrong[3] = 420;
  CHECK_THROWS_WITH_AS(trainer.forward_backward(data.ids, wrong),
                       "gt: EnsembleTrainer: targets must lie in 0 ... 419 (got 420)", Error);
  CHECK_THROWS_WITH_AS(trainer.update(1e-3), "gt: EnsembleTrainer::update: a forward_backward must come first", Error);
}

TEST_CASE("EnsembleTrainer: copies of an ensemble keep the adapter and the heads that they had") {
  auto tuned = ensemble_of<float>(fixed_weights({1, 2}));
  auto const served = tuned;
  auto const adapter = served.adapter()->buffer().clone();
  auto const head = served.expert(0).head_buffer().clone();
  EnsembleTrainer trainer(Ref{}, tuned, batch, {.heads = true});
  trainer.step(ids_below(V, batch.rows(), 1), targets_of_batch(), 1e-2);
  CHECK(bit_equal<float>(served.adapter()->buffer().span(), adapter.span()));
  CHECK(bit_equal<float>(served.expert(0).head_buffer().span(), head.span()));
  CHECK(!bit_equal<float>(tuned.adapter()->buffer().span(), adapter.span()));
  auto const while_it_trains = tuned;
  auto const then = while_it_trains.adapter()->buffer().clone();
  auto const head_then = while_it_trains.expert(0).head_buffer().clone();
  trainer.step(ids_below(V, batch.rows(), 1), targets_of_batch(), 1e-2);
  CHECK(bit_equal<float>(while_it_trains.adapter()->buffer().span(), then.span()));
  CHECK(bit_equal<float>(while_it_trains.expert(0).head_buffer().span(), head_then.span()));
  CHECK(!bit_equal<float>(tuned.expert(0).head_buffer().span(), head_then.span()));
}

}  // namespace trainer_test

// SPDX-License-Identifier: MIT
// Weights: normalised, checked, and following a text as their formula says.
#include "gt/compose/mixing.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/base/error.hpp"
#include "support/close.hpp"

namespace mixing_test {

using gt::Error, gt::fixed_weights, gt::Mixing, gt::MixingState, gt::normalised_weights, gt::posterior_weights;
using gt::test::close, gt::test::Numbers;

namespace {

constexpr double eps = std::numeric_limits<double>::epsilon();
Numbers copy(std::span<double const> x) { return {x.begin(), x.end()}; }
void see(MixingState& state, Numbers const& log_likelihoods) {
  state.see([&](std::size_t i) { return log_likelihoods[i]; });
}

}  // namespace

TEST_CASE("Mixing: weights sum to 1, whatever they are given as") {
  CHECK(normalised_weights({}, 4) == Numbers{0.25, 0.25, 0.25, 0.25});
  CHECK(normalised_weights(fixed_weights({3, 1}), 2) == Numbers{0.75, 0.25});
  CHECK(normalised_weights(fixed_weights({0, 5}), 2) == Numbers{0, 1});
  CHECK(normalised_weights(posterior_weights({.prior = {1, 1}}), 2) == Numbers{0.5, 0.5});
}

TEST_CASE("Mixing: weights that mean nothing are refused") {
  auto const refused = [](Mixing const& mixing, char const* sentence) {
    CHECK_THROWS_WITH_AS(normalised_weights(mixing, 2), sentence, Error);
  };
  refused(fixed_weights({1}), "gt: Mixing: there must be one weight for each of the 2 experts (got 1)");
  refused(fixed_weights({1, 2, 3}), "gt: Mixing: there must be one weight for each of the 2 experts (got 3)");
  refused(fixed_weights({1, -0.5}), "gt: Mixing: every weight must be 0 or more (got -0.500000 for expert 2)");
  refused(fixed_weights({0, 0}), "gt: Mixing: the weights must have a sum above 0 (got 0.000000)");
  refused(fixed_weights({std::nan(""), 1}), "gt: Mixing: every weight must be 0 or more (got nan for expert 1)");
  refused(fixed_weights({1e308, 1e308}), "gt: Mixing: the weights must have a sum above 0 (got inf)");
  refused(posterior_weights({.decay = 1.5}), "gt: Mixing: the decay must lie in [0, 1] (got 1.500000)");
  refused(posterior_weights({.decay = -1}), "gt: Mixing: the decay must lie in [0, 1] (got -1.000000)");
}

TEST_CASE("MixingState: fixed weights stay") {
  MixingState state(fixed_weights({3, 1}), 2);
  see(state, {-1, -100});
  CHECK(copy(state.weights()) == Numbers{0.75, 0.25});
}

TEST_CASE("MixingState: the posterior is Bayes' rule; with a decay what is old counts less") {
  for (double const decay : {1.0, 0.5, 0.0}) {
    CAPTURE(decay);
    MixingState state(posterior_weights({.prior = {1, 3}, .decay = decay}), 2);
    CHECK(copy(state.weights()) == Numbers{0.25, 0.75});
    see(state, {std::log(0.5), std::log(0.25)});
    see(state, {std::log(0.1), std::log(0.4)});
    double const a = 0.25 * std::pow(0.5, decay) * 0.1, b = 0.75 * std::pow(0.25, decay) * 0.4;
    CHECK(close(copy(state.weights()), {a / (a + b), b / (a + b)}, 16 * eps));  // a dozen operations
    state.reset();
    CHECK(copy(state.weights()) == Numbers{0.25, 0.75});
  }
}

TEST_CASE("MixingState: texts of any length, and experts that are out of the question") {
  MixingState state(posterior_weights(), 3);
  for (int t = 0; t < 100'000; ++t) see(state, {-700, -701, -700});
  CHECK(copy(state.weights()) == Numbers{0.5, 0, 0.5});
  MixingState unthinkable(posterior_weights({.prior = {0, 1}}), 2);
  see(unthinkable, {-0.1, -1000});
  CHECK(copy(unthinkable.weights()) == Numbers{0, 1});
}

TEST_CASE("mix_row: equal rows, and one alone, keep their bits whatever the weights") {
  std::vector<float> const z{0.1F, -3.7F, 12.9F}, other{5, std::numeric_limits<float>::infinity(), -1};
  auto const mixed = [&](Numbers const& weights, std::vector<std::vector<float>> rows) {
    auto const row = [&](std::size_t i) { return rows[i].data(); };
    gt::detail::mix_row(gt::Ref{}.lane<float>(), std::span<double const>(weights), row, rows[0].data(), 3);
    return rows[0];
  };
  CHECK(mixed({0.3, 0.3, 0.4}, {z, z, z}) == z);
  CHECK(mixed({1, 0}, {z, other}) == z);
  CHECK(mixed({0, 1}, {other, z}) == z);
  CHECK(mixed({0, 0.7, 0.3}, {other, z, z}) == z);
  CHECK(mixed({0.5, 0.5}, {{1, 2, 3}, {3, 4, 6}}) == std::vector<float>{2, 3, 4.5F});
  CHECK(mixed({0.25, 0.25, 0.5}, {{4, 0, 8}, {8, 4, 0}, {0, 2, 4}}) == std::vector<float>{3, 2, 4});
}

}  // namespace mixing_test

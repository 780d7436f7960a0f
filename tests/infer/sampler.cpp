// SPDX-License-Identifier: MIT
// Sampling: which tokens may come, how often, and what is never drawn.
#include "gt/infer/sampler.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "gt/base/clock.hpp"
#include "io/support.hpp"

namespace sampler_test {

using gt::Sampler, gt::SamplerOptions;
using gt::test::error_of, gt::test::has;

namespace {

using Ids = std::set<std::int32_t>;
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();

// Token 3 is the likeliest, then 0, 4, 1, 2.
std::vector<double> const probabilities{0.3, 0.1, 0.05, 0.4, 0.15};

std::vector<float> logits() {
  std::vector<float> z;
  for (double const p : probabilities) z.push_back(static_cast<float>(std::log(p)) + 7);  // a shift changes nothing
  return z;
}
/// No cuts, but for those that are named.
constexpr SamplerOptions uncut{.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0, .seed = gt::seed(1)};
SamplerOptions top_k(int k) {
  auto o = uncut;
  return o.top_k = k, o;
}
SamplerOptions top_p(double p) {
  auto o = uncut;
  return o.top_p = p, o;
}
SamplerOptions min_p(double p) {
  auto o = uncut;
  return o.min_p = p, o;
}

constexpr int many = 20'000;
std::vector<int> counts(SamplerOptions const& options, std::vector<float> const& z,
                        std::vector<std::int32_t> const& banned = {}) {
  Sampler sampler(options);
  std::vector<int> n(z.size());
  for (int i = 0; i < many; ++i) ++n[static_cast<std::size_t>(sampler(std::span(z), std::span(banned)))];
  return n;
}
/// The tokens that come in many draws.
Ids drawn(SamplerOptions const& options, std::vector<float> const& z = logits(),
          std::vector<std::int32_t> const& banned = {}) {
  Ids ids;
  auto const n = counts(options, z, banned);
  for (std::size_t i = 0; i < n.size(); ++i) {
    if (n[i] > 0) ids.insert(static_cast<std::int32_t>(i));
  }
  return ids;
}
/// Checks that token i comes with probability weights[i] / sum, within four standard deviations; never if that is 0.
void check_frequencies(SamplerOptions const& options, std::vector<double> const& weights,
                       std::vector<std::int32_t> const& banned = {}) {
  double sum = 0;
  for (double const w : weights) sum += w;
  auto const n = counts(options, logits(), banned);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    CAPTURE(i);
    double const p = weights[i] / sum, seen = static_cast<double>(n[i]) / many;
    CHECK(std::abs(seen - p) <= 4 * std::sqrt(p * (1 - p) / many));
  }
}

std::vector<std::int32_t> first_draws(gt::Seed seed, std::vector<float> const& z, int count) {
  auto options = uncut;
  options.seed = seed;
  Sampler sampler(options);
  std::vector<std::int32_t> ids;
  for (int i = 0; i < count; ++i) ids.push_back(sampler(std::span(z)));
  return ids;
}

}  // namespace

TEST_CASE("Sampler: without cuts every token comes as often as its probability says") {
  check_frequencies(uncut, probabilities);
}

TEST_CASE("Sampler: the temperature is an exponent of the probabilities") {
  auto options = uncut;
  options.temperature = 0.5;
  std::vector<double> squares, roots;
  for (double const p : probabilities) squares.push_back(p * p), roots.push_back(std::sqrt(p));
  check_frequencies(options, squares);
  options.temperature = 2;
  check_frequencies(options, roots);
}

TEST_CASE("Sampler: a temperature of 0 takes the likeliest token, the lowest id of several, whatever the cuts") {
  auto options = uncut;
  options.temperature = 0;
  CHECK(drawn(options) == Ids{3});
  options.top_k = 2, options.top_p = 0.5, options.min_p = 1;
  CHECK(drawn(options) == Ids{3});
  CHECK(drawn(options, {1, 5, 2, 5, 5}) == Ids{1});
  CHECK(drawn(options, {not_a_number, 5, infinity, -infinity, 6}) == Ids{4});
}

TEST_CASE("Sampler: top-k keeps the k likeliest") {
  CHECK(drawn(top_k(1)) == Ids{3});
  CHECK(drawn(top_k(2)) == Ids{3, 0});
  CHECK(drawn(top_k(4)) == Ids{3, 0, 4, 1});
  CHECK(drawn(top_k(5)).size() == 5);
  CHECK(drawn(top_k(99)).size() == 5);
  CHECK(drawn(top_k(2), {1, 1, 1, 1}) == Ids{0, 1});  // of equal ones the first
  check_frequencies(top_k(3), {0.3, 0, 0, 0.4, 0.15});
}

TEST_CASE("Sampler: top-p keeps the fewest that sum to p") {
  CHECK(drawn(top_p(0.01)) == Ids{3});
  CHECK(drawn(top_p(0.39)) == Ids{3});
  CHECK(drawn(top_p(0.41)) == Ids{3, 0});
  CHECK(drawn(top_p(0.69)) == Ids{3, 0});
  CHECK(drawn(top_p(0.71)) == Ids{3, 0, 4});
  CHECK(drawn(top_p(0.94)) == Ids{3, 0, 4, 1});
  CHECK(drawn(top_p(0.96)).size() == 5);
  check_frequencies(top_p(0.71), {0.3, 0, 0, 0.4, 0.15});
}

TEST_CASE("Sampler: min-p keeps those with at least that share of the largest probability") {
  CHECK(drawn(min_p(1)) == Ids{3});
  CHECK(drawn(min_p(0.76)) == Ids{3});
  CHECK(drawn(min_p(0.74)) == Ids{3, 0});
  CHECK(drawn(min_p(0.37)) == Ids{3, 0, 4});
  CHECK(drawn(min_p(0.2)) == Ids{3, 0, 4, 1});
  CHECK(drawn(min_p(0.1)).size() == 5);
  check_frequencies(min_p(0.37), {0.3, 0, 0, 0.4, 0.15});
}

TEST_CASE("Sampler: the cuts apply one after the other, at the temperature") {
  auto options = top_k(2);
  options.top_p = 0.56;  // of the two that are left, 0.4 / 0.7 = 0.571 suffices; of all, 0.4 would not
  CHECK(drawn(options) == Ids{3});
  options.top_p = 0.58;
  CHECK(drawn(options) == Ids{3, 0});
  options.min_p = 0.8;
  CHECK(drawn(options) == Ids{3});

  auto sharp = top_p(0.9);
  sharp.temperature = 0.25;  // 256 : 81 : 5.06 : 1 : 0.06, so that two make 98 %
  CHECK(drawn(sharp) == Ids{3, 0});
  auto flat = min_p(0.37);
  flat.temperature = 4;  // the least likely has (1/8)^(1/4) = 0.59 of the largest
  CHECK(drawn(flat).size() == 5);
}

TEST_CASE("Sampler: the n-th draw of a seed is a function of the logits and n") {
  auto const z = logits();
  auto const draws = first_draws(gt::seed(5), z, 200);
  CHECK(first_draws(gt::seed(5), z, 200) == draws);
  CHECK(first_draws(gt::seed(6), z, 200) != draws);

  auto options = uncut;
  options.seed = gt::seed(5);
  Sampler sampler(options);
  std::vector<float> const other{3, 1, 2};
  for (std::size_t n = 0; n < draws.size(); ++n) {
    bool const ours = n % 3 == 1;
    auto const id = sampler(std::span(ours ? z : other));
    if (ours) CHECK(id == draws[n]);
  }
}

TEST_CASE("Sampler: logits in float and in double are drawn from alike") {
  auto const z = logits();
  std::vector<double> const wide(z.begin(), z.end());
  Sampler in_float(uncut), in_double(uncut);
  for (int i = 0; i < 200; ++i) CHECK(in_float(std::span(z)) == in_double(std::span(wide)));
}

TEST_CASE("Sampler: a banned token never comes, and the others fill its place") {
  std::vector<std::int32_t> const banned{3, 1};
  check_frequencies(uncut, {0.3, 0, 0.05, 0, 0.15}, banned);
  CHECK(drawn(top_k(2), logits(), banned) == Ids{0, 4});
  CHECK(drawn(top_p(0.59), logits(), banned) == Ids{0});  // 0.3 / 0.5
  CHECK(drawn(min_p(0.4), logits(), banned) == Ids{0, 4});
  auto greedy = uncut;
  greedy.temperature = 0;
  CHECK(drawn(greedy, logits(), banned) == Ids{0});
}

TEST_CASE("Sampler: what is not finite never comes; nothing to choose from is an error") {
  std::vector<float> z = logits();
  z[3] = not_a_number;
  CHECK(drawn(uncut, z) == Ids{0, 1, 2, 4});
  z[0] = -infinity, z[1] = infinity;
  CHECK(drawn(uncut, z) == Ids{2, 4});

  auto greedy = uncut;
  greedy.temperature = 0;
  for (auto const& options : {uncut, greedy}) {
    for (float const bad : {not_a_number, infinity, -infinity}) {
      std::vector<float> const all_bad(5, bad);
      CHECK(has(error_of([&] { Sampler{options}(std::span(all_bad)); }), "there must be a token to choose from"));
    }
    std::vector<std::int32_t> const all{0, 1, 2, 3, 4};
    auto const good = logits();
    CHECK(has(error_of([&] { Sampler{options}(std::span(good), std::span(all)); }), "there must be a token to choose"));
    CHECK(has(error_of([&] { Sampler{options}(std::span<float const>{}); }), "there must be a token to choose from"));
  }
}

TEST_CASE("Sampler: options that mean nothing are refused with their value") {
  auto const error = [](auto set) {
    auto options = uncut;
    set(options);
    return error_of([&] { Sampler sampler(options); });
  };
  CHECK(has(error([](auto& o) { o.temperature = -0.1; }), "the temperature must be 0 or more (got -0.1"));
  CHECK(has(error([](auto& o) { o.temperature = static_cast<double>(not_a_number); }),
            "the temperature must be 0 or more"));
  CHECK(has(error([](auto& o) { o.temperature = static_cast<double>(infinity); }), "the temperature must be 0 or"));
  CHECK(has(error([](auto& o) { o.top_k = -1; }), "top-k must be 0 or more (got -1)"));
  for (double const p : {0.0, -0.5, 1.01, static_cast<double>(not_a_number)})
    CHECK(has(error([&](auto& o) { o.top_p = p; }), "top-p must lie in (0, 1] (got "));
  for (double const p : {-0.01, 1.01, static_cast<double>(not_a_number)})
    CHECK(has(error([&](auto& o) { o.min_p = p; }), "min-p must lie in [0, 1] (got "));
  CHECK(error([](auto&) {}) == "no error");
  CHECK(error_of([] { Sampler{}; }) == "no error");
}

TEST_CASE("Sampler: of no options is that of all defaults, however it is written") {
  auto const z = logits();
  Sampler by_default, of_nothing({}), of_options(SamplerOptions{}), of_one({.temperature = 0.8});
  for (int i = 0; i < 50; ++i) {
    auto const id = by_default(std::span(z));
    CHECK(of_nothing(std::span(z)) == id);
    CHECK(of_options(std::span(z)) == id);
    CHECK(of_one(std::span(z)) == id);
  }
}

TEST_CASE("Sampler: a draw takes time linear in the vocabulary, however many tokens are banned") {
  auto const seconds_of = [](std::size_t V, double p) {
    std::vector<float> z(V);
    std::vector<std::int32_t> banned;
    for (std::size_t i = 0; i < V; ++i) {
      z[i] = static_cast<float>((i * 2654435761u) % 1000) / 500;
      if (i % 2 == 1) banned.push_back(static_cast<std::int32_t>(i));
    }
    Sampler sampler(top_p(p));
    double least = 1e9;
    for (int i = 0; i < 7; ++i) {
      double const start = gt::seconds_now();
      CHECK(sampler(std::span<float const>(z), std::span<std::int32_t const>(banned)) % 2 == 0);
      least = std::min(least, gt::seconds_since(start));
    }
    return least;
  };
  for (double const p : {1.0, 0.95}) {  // eight times as much takes eight times as long; squares would take 64
    double const few = seconds_of(1 << 14, p), more = seconds_of(1 << 17, p);
    CAPTURE(p);
    CHECK(more / few < 24);
  }
}

}  // namespace sampler_test

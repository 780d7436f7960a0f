// SPDX-License-Identifier: MIT
// Experts on one substrate, and what their mixtures must be, by the definitions in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "formats/support.hpp"
#include "gt/compose/ensemble.hpp"
#include "gt/compose/passes.hpp"
#include "gt/compose/session.hpp"
#include "gt/cpu.hpp"
#include "gt/easy.hpp"
#include "support/close.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace gt::test {

/// Two experts of different depths, and one more.
inline std::vector<Transformer<>> three_experts() {
  return {model_on_bits(1, 3), model_on_bits(3, 4), model_on_bits(2, 5)};
}
inline std::vector<Transformer<>> two_experts() { return {model_on_bits(1, 3), model_on_bits(3, 4)}; }

using Rows = std::vector<Numbers>;  ///< of a matrix
template <class T>
Rows rows_of(nn::States<T> const& states) {
  Rows rows;
  for (std::int64_t i = 0; i < states.x.rows(); ++i)
    rows.emplace_back(states.x.row(i), states.x.row(i) + states.x.columns());
  return rows;
}
/// log p of all tokens.
inline Numbers log_softmax(Numbers z) {
  double const top = *std::max_element(z.begin(), z.end());
  double sum = 0;
  for (double const x : z) sum += std::exp(x - top);
  for (double& x : z) x -= top + std::log(sum);
  return z;
}
/// z[t] = sum_i w[t][i] z_i[t], by the definition.
inline Rows mixed(std::vector<Rows> const& z, Rows const& w) {
  Rows all(z[0].size(), Numbers(z[0][0].size()));
  for (std::size_t t = 0; t < all.size(); ++t) {
    for (std::size_t i = 0; i < z.size(); ++i) {
      for (std::size_t j = 0; j < all[t].size(); ++j) all[t][j] += w[t][i] * z[i][t][j];
    }
  }
  return all;
}
/// w_i(t) of `posterior_weights`, from the experts' logits.
inline Rows posterior_of(std::vector<Rows> const& z, std::vector<std::int32_t> const& ids, Numbers const& prior,
                         double decay) {
  Rows weights;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    Numbers log_weights;
    for (std::size_t i = 0; i < z.size(); ++i) {
      double sum = std::log(prior[i]);
      for (std::size_t s = 1; s <= t; ++s)
        sum += std::pow(decay, static_cast<double>(t - s)) * log_softmax(z[i][s - 1])[static_cast<std::size_t>(ids[s])];
      log_weights.push_back(sum);
    }
    auto w = log_softmax(log_weights);
    for (double& x : w) x = std::exp(x);
    weights.push_back(w);
  }
  return weights;
}
template <class Model, Backend B>
std::vector<Rows> logits_of(B const& on, Ensemble<Model> const& ensemble, std::vector<std::int32_t> const& ids) {
  std::vector<Rows> all;
  for (auto const& e : ensemble.experts()) all.push_back(rows_of(gt::logits(on, e.model, ids)));
  return all;
}
inline double largest_of(std::vector<Rows> const& z) {
  double largest = 0;
  for (auto const& rows : z) {
    for (auto const& row : rows) largest = std::max(largest, max_abs(row));
  }
  return largest;
}

/// An adapter in whose numbers nothing is zero.
template <class Model>
void add_busy_adapter(Ensemble<Model>& ensemble, int rank = 3) {
  using T = typename Model::scalar;
  ensemble.add_adapter({.rank = rank, .seed = seed(5)});
  auto const up = ensemble.adapter()->up();
  auto const x = normal(up.size(), 77);
  for (std::int64_t i = 0; i < up.size(); ++i) up.data()[i] = T(0.3 * x[static_cast<std::size_t>(i)]);
}

}  // namespace gt::test

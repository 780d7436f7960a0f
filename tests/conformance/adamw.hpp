// SPDX-License-Identifier: MIT
// adamw and ops::sum_of_squares on a backend against their formulas.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gt/ops/adamw.hpp"
#include "support/close.hpp"
#include "support/data.hpp"

namespace gt::test {

/// Lengths around a register and around a job of 16,384 elements.
inline std::vector<std::int64_t> lengths_around(std::int64_t width) {
  auto lengths = sizes_around(width);
  for (std::int64_t const n : {16383, 16384, 16385, 3 * 16384 + 5}) lengths.push_back(n);
  return lengths;
}

template <class T, Backend B>
void adamw_steps(B const& on, std::int64_t width) {
  for (std::int64_t const n : lengths_around(width)) {
    for (Layout const layout : layouts) {
      INFO("n ", n, ", shift ", layout.shift);
      auto p = normal(n, 1), m = Numbers(p.size()), v = m;
      Grid<T> const ps(p, 1, n, layout), ms(1, n, layout), vs(1, n, layout);
      for (int t = 1; t <= 3; ++t) {
        ops::AdamWStep const s{.lr = 0.01,
                               .beta1 = 0.875,
                               .beta2 = 0.9375,
                               .eps = 1e-6,
                               .weight_decay = 0.25,
                               .gradient_scale = 0.5,
                               .step = t};
        auto const g = normal(n, static_cast<std::uint32_t>(1 + t));
        for (std::size_t i = 0; i < p.size(); ++i) {
          double const gi = 0.5 * g[i];
          m[i] = 0.875 * m[i] + 0.125 * gi;
          v[i] = 0.9375 * v[i] + 0.0625 * gi * gi;
          double const m_hat = m[i] / (1 - std::pow(0.875, t)), v_hat = v[i] / (1 - std::pow(0.9375, t));
          p[i] -= 0.01 * (m_hat / (std::sqrt(v_hat) + 1e-6) + 0.25 * p[i]);
        }
        Grid<T> const gs(g, 1, n, layout);
        ops::adamw(on, ps.data(), gs.data(), ms.data(), vs.data(), n, s);
        CHECK(gs.values() == g);
      }
      CHECK(close(ps.values(), p, tol<T>(3)));
      CHECK(close(ms.values(), m, tol<T>(3)));
      CHECK(close(vs.values(), v, tol<T>(3)));
      CHECK((ps.intact() && ms.intact() && vs.intact()));
    }
  }
}

/// The first step of torch.optim.AdamW from zero moments moves by lr against the gradient's sign, whatever its size.
template <class T, Backend B>
void adamw_first_step(B const& on) {
  for (double const size : {1e-3, 1.0, 1e3}) {
    CAPTURE(size);
    for (double const sign : {1.0, -1.0}) {
      Grid<T> const p(1, 35, tight, 1), g(1, 35, tight, sign * size), m(1, 35), v(1, 35);
      ops::adamw(on, p.data(), g.data(), m.data(), v.data(), 35, ops::AdamWStep{.lr = 0.125, .weight_decay = 0});
      CHECK(close(p.values(), Numbers(35, 1 - sign * 0.125), tol<T>(1) + 1e-8 / size));
    }
  }
}

template <class T, Backend B>
void sum_of_squares_agrees(B const& on, std::int64_t width) {
  for (std::int64_t const n : lengths_around(width)) {
    auto const g = normal(n, 1);
    double sum = 0;
    for (double const x : g) sum += x * x;
    Grid<T> const aligned(g, 1, n), shifted(g, 1, n, loose);
    CAPTURE(n);
    CHECK(close(ops::sum_of_squares(on, aligned.data(), n), sum, tol<T>(static_cast<double>(n)), sum));
    CHECK(ops::sum_of_squares(on, shifted.data(), n) == ops::sum_of_squares(on, aligned.data(), n));
  }
  CHECK(ops::sum_of_squares(on, static_cast<T const*>(nullptr), 0) == 0);
}

/// All of it, on one backend whose registers are `width` wide.
template <class T, Backend B>
void adamw_conforms(B const& on, std::int64_t width) {
  SUBCASE("three steps by its formula") { adamw_steps<T>(on, width); }
  SUBCASE("the first step by hand") { adamw_first_step<T>(on); }
  SUBCASE("sum_of_squares in double") { sum_of_squares_agrees<T>(on, width); }
}

}  // namespace gt::test

// SPDX-License-Identifier: MIT
// rope on a backend against its formula; its backward, the other turn, against the complex step.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "gt/backend/ref/ref.hpp"
#include "gt/ops/rope.hpp"
#include "support/close.hpp"
#include "support/complex_step.hpp"
#include "support/data.hpp"

namespace gt::test {

template <class T, Backend B>
void rope_forward(B const& on, std::int64_t width) {
  struct Case {
    std::int64_t batch, heads, tokens, first;
    double base;
  };
  for (Case const c : {Case{1, 1, 1, 0, 10000}, {2, 3, 5, 0, 10000}, {1, 2, 4, 37, 500}, {3, 1, 67, 0, 10000}}) {
    for (std::int64_t const half : sizes_around(width)) {
      std::int64_t const D = 2 * half, M = c.batch * c.tokens, C = c.heads * D;
      Grid<double> const x(normal(M * C, 1), M, C), y(M, C);
      for (std::int64_t i = 0; i < M; ++i) {
        double const position = static_cast<double>(c.first + i % c.tokens);
        for (std::int64_t h = 0; h < c.heads; ++h) {
          for (std::int64_t p = 0; p < half; ++p) {
            double const angle = position / std::pow(c.base, static_cast<double>(p) / static_cast<double>(half));
            double const a = x(i, h * D + p), b = x(i, h * D + half + p);
            y(i, h * D + p) = a * std::cos(angle) - b * std::sin(angle);
            y(i, h * D + half + p) = b * std::cos(angle) + a * std::sin(angle);
          }
        }
      }
      // An angle is a double, rounded at its size, which is at most the last position.
      double const tolerance = tol<T>(1) + tol<double>(1) * static_cast<double>(c.first + c.tokens);
      ops::RopeTable<T> const table(c.first + c.tokens, D, c.base);
      for (Layout const layout : layouts) {
        INFO("batch ", c.batch, ", heads ", c.heads, ", T ", c.tokens, ", first ", c.first, ", D ", D);
        Grid<T> const xs(x.values(), M, C, layout);
        ops::rope(on, xs.view(), table, c.tokens, c.first, ops::Rotation::forward);
        CHECK(close(xs.values(), y.values(), tolerance));
        CHECK(xs.intact());
        ops::rope(on, xs.view(), table, c.tokens, c.first,
                  ops::Rotation::backward);  // a rotation's inverse is its transpose
        CHECK(close(xs.values(), x.values(), tol<T>(1)));
      }
    }
  }
}

template <class T, Backend B>
void rope_gradient(B const& on, std::int64_t width) {
  for (std::int64_t const half : sizes_around(width)) {
    CAPTURE(half);
    std::int64_t const tokens = 3, D = 2 * half, first = 2;
    auto const x = normal(tokens * D, 1), dy = normal(tokens * D, 2);
    ops::RopeTable<Complex> const exact(first + tokens, D, 10000);
    ops::RopeTable<T> const table(first + tokens, D, 10000);
    auto const loss = [&](auto const& z) {
      Grid<Complex> const y(z, tokens, D);
      ops::rope(Ref{}, y.view(), exact, tokens, first, ops::Rotation::forward);
      return dot(dy, y.elements());
    };
    Grid<T> const dx(dy, tokens, D, loose);
    ops::rope(on, dx.view(), table, tokens, first, ops::Rotation::backward);
    CHECK(close(dx.values(), complex_step(loss, x), gradient_tol<T>(1)));
  }
}

/// What rotary positions are for: the product of a query and a key depends on how far apart they stand alone.
template <class T, Backend B>
void rope_is_relative(B const& on) {
  std::int64_t const D = 16, tokens = 12;
  ops::RopeTable<T> const table(tokens, D, 10000);
  Numbers q, k;
  for (std::int64_t t = 0; t < tokens; ++t) {
    auto const one_q = normal(D, 1), one_k = normal(D, 2);
    q.insert(q.end(), one_q.begin(), one_q.end()), k.insert(k.end(), one_k.begin(), one_k.end());
  }
  Grid<T> const qs(q, tokens, D), ks(k, tokens, D);
  ops::rope(on, qs.view(), table, tokens, 0, ops::Rotation::forward);
  ops::rope(on, ks.view(), table, tokens, 0, ops::Rotation::forward);
  auto const score = [&](std::int64_t i, std::int64_t j) {
    double sum = 0;
    for (std::int64_t d = 0; d < D; ++d) sum += static_cast<double>(qs(i, d)) * static_cast<double>(ks(j, d));
    return sum;
  };
  for (std::int64_t t = 0; t < tokens; ++t) CHECK(close(score(t, t), score(0, 0), tol<T>(D), D));
  for (std::int64_t t = 3; t < tokens; ++t) CHECK(close(score(t, t - 3), score(3, 0), tol<T>(D), D));
  CHECK(std::abs(score(3, 0) - score(0, 0)) > 0.1);
}

template <class T, Backend B>
void rope_errors(B const& on) {
  ops::RopeTable<T> const table(8, 4, 10000);
  Grid<T> const x(6, 8), odd(6, 6);
  auto const turn = [&](auto const& xs, std::int64_t tokens, std::int64_t first) {
    ops::rope(on, xs.view(), table, tokens, first, ops::Rotation::forward);
  };
  CHECK_NOTHROW(turn(x, 3, 5));
  CHECK_THROWS_WITH_AS(turn(odd, 3, 0), "gt: rope: the width must be a multiple of the head width (got 6 and 4)",
                       Error);
  CHECK_THROWS_WITH_AS(turn(x, 3, 6), "gt: rope: positions must lie in the context of 8 tokens (got 6 to 9)", Error);
  CHECK_THROWS_WITH_AS(turn(x, 3, -1), doctest::Contains("positions must lie in the context"), Error);
  CHECK_THROWS_WITH_AS(turn(x, 4, 0), doctest::Contains("gt: rope: "), Error);  // 6 rows are not sequences of 4
  CHECK_THROWS_WITH_AS(turn(x, 0, 0), doctest::Contains("gt: rope: "), Error);
  CHECK_THROWS_WITH_AS(ops::RopeTable<T>(8, 3, 10000), "gt: RopeTable: the head width must be even (got 3)", Error);
  CHECK_THROWS_WITH_AS(ops::RopeTable<T>(8, 0, 10000), doctest::Contains("must be even (got 0)"), Error);
}

/// All of it, on one backend whose registers are `width` wide.
template <class T, Backend B>
void rope_conforms(B const& on, std::int64_t width) {
  SUBCASE("its formula") { rope_forward<T>(on, width); }
  SUBCASE("gradients by the complex step") { rope_gradient<T>(on, width); }
  SUBCASE("positions are relative") { rope_is_relative<T>(on); }
  SUBCASE("errors") { rope_errors<T>(on); }
}

}  // namespace gt::test
